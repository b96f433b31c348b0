"""A live line stepped by hand, minute by minute, with whatever is wrong with its devices: ingest and detect as
they are, over a log on disk that `fengsui doctor` then looks at."""

import json
from pathlib import Path
from typing import Any

from config.records.district import District
from console.model.follow import DECODERS
from detectors.stage import Detect
from fengsui.doctor.case import Case, Finding
from fengsui.doctor.examine import Examined, examine
from fengsui.doctor.wrong.findings import findings
from fengsui.run.run_log import frames_folder, open_run_log
from fengsui.run.setup import make_setup
from ingest.observation import Service
from ingest.stage import Intake
from stream.disk.blobs import FrameStore
from stream.log.port import Out, partition_of
from stream.mqtt.client import Message
from stream.records import Record, Tick, encode
from stream.stages.stage import Item
from tests.support.districts import yanqing

MINUTE = 60_000
T0 = 1_787_760_000_000  # 2026-08-27 00:00 in Beijing
P = "fengsui/live/yanqing/"


class Played:
    """at: the line's clock. Readings of several messages of one minute stand before its tick."""

    def __init__(self, folder: Path, district: District | None = None, broker: str = "") -> None:
        self.district = district or yanqing()
        self.setup = make_setup(self.district, "live", folder, broker=broker, start_at=T0)
        self.setup.folder.mkdir(parents=True, exist_ok=True)
        self.log = open_run_log(self.setup)
        self.at = T0
        self._intake = Intake(self.district, self.setup.run, FrameStore(frames_folder(self.setup)))
        self._detect = Detect(self.district, lambda _: None)
        self._states = {p: self._detect.new(p) for p in range(self.district.partitions)}
        self._offset = 0
        self._write([Out("observations", "run", encode(self.setup.run), p) for p in self._states])
        self._step({p: [("", self.setup.run)] for p in self._states})
        self.tick(0)

    def say(
        self, topic: str, value: Any, *, retain: bool = False, frame: bytes = b"", below: str = P
    ) -> None:
        """A message on a topic below the run's, or another prefix, now."""
        payload = frame or (value if isinstance(value, bytes) else json.dumps(value).encode())
        self._intake.clock_at = self.at
        message = Message(below + topic, payload, 0, 1, retain=retain)
        outs = self._intake.records([message])
        self._write(outs)
        read = {
            p: [(o.key, self._decoded(o)) for o in outs if self._place(o) == ("observations", p)]
            for p in self._states
        }
        self._step(read)

    def rain(self, name: str, mm: float, *, back_s: int = 0, **more: Any) -> None:
        time = (self.at - back_s * 1000) / 1000
        self.say(f"station/{name}/rain", {"time": time, "value": mm, **more})

    def stage(self, name: str, m: float, **more: Any) -> None:
        self.say(f"station/{name}/stage", {"time": self.at / 1000, "value": m, **more})

    def record(self, record: Record) -> None:
        """Into every partition, as a person's word."""
        self._write([Out("observations", "said", encode(record), p) for p in self._states])
        self._step({p: [("said", record)] for p in self._states})

    def service(self, name: str, minutes: int) -> None:
        said = Service(
            id=f"s{self.at}", thing=name, by="T-07", said_at=self.at, way="command",
            until_at=self.at + minutes * MINUTE, reason="cleaning",
        )  # fmt: skip
        self.record(said)

    def tick(self, minutes: float = 1) -> None:
        """The clock goes on."""
        self.at += int(minutes * MINUTE)
        tick = Tick(clock_at=self.at)
        self._write([Out("observations", "tick", encode(tick), p) for p in self._states])
        self._step({p: [("tick", tick)] for p in self._states})

    def examined(self, after_ms: int = 0, journal: Path | None = None) -> Examined:
        return examine(self.setup, self.log, self.at + after_ms, journal)

    def found(self, name: str, **more: Any) -> dict[str, Finding]:
        case: Case = self.examined(**more).case
        return {f.code: f for f in findings(case, name)}

    def _write(self, outs: list[Out]) -> None:
        if outs:
            self.log.append(outs)

    def _place(self, out: Out) -> tuple[str, int]:
        part = partition_of(out.key, self.district.partitions)
        return out.topic, part if out.partition is None else out.partition

    def _decoded(self, out: Out) -> Record:
        found: Record = DECODERS[out.topic].decode(out.value)
        return found

    def _step(self, read: dict[int, list[tuple[str, Record]]]) -> None:
        for part, records in read.items():
            items = []
            for key, record in records:
                items.append(Item(part, self._offset, key, record))
                self._offset += 1
            if items:
                self._states[part], writes = self._detect.step(self._states[part], items)
                self._write([Out(w.topic, w.key, encode(w.record)) for w in writes])
