"""Edge nodes that are not ours, and an ingest that hears them, in this process."""

import json
import os
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from config.records.district import District, SparkplugRow
from console.model.follow import DECODERS
from ingest.observation import Away, Observation, Observations
from ingest.stage import run_ingest
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.records import DeadLetter, Run
from tests.support.districts import yanqing
from tests.support.servers import SERVICES, Mosquitto, absent

WAIT_S = 120.0  # for what must come
GROUP, EDGE, DEVICE = "Valley", "Edge-1", "RTU 1"
FOLDER = Path(__file__).parent / "edges"
ROWS = tuple(
    SparkplugRow(group=GROUP, edge=EDGE, device=DEVICE, metric=metric, station=station, **more)
    for metric, station, more in (
        ("Level", "S01", {}),
        ("Temperature", "S02", {"scale": 0.1}),
        ("Rain Total", "R03", {}),
        ("Battery", "S01", {"quantity": "battery"}),
        ("Note", "S03", {}),
    )
)  # type: ignore[arg-type]
RUN = Run(name="live", kind="live", district="yanqing", config="c", start_at=0)
T = TypeVar("T")


@cache
def district(rows: tuple[SparkplugRow, ...] = ROWS) -> District:
    """Yanqing with these metrics; R03 counts its rain."""
    found = yanqing()
    counter = replace(found.stations["R03"], quantity="rain_counter")
    return replace(found, sparkplug=rows, stations={**found.stations, "R03": counter})


class EdgeNode:
    """One of tests/support/edges, as a process of its own."""

    def __init__(self, which: str, broker: Mosquitto, user: str = EDGE) -> None:
        folder = SERVICES / "sparkplug"
        python, node = folder / "venv" / "bin" / "python", shutil.which("node")
        if which == "pysparkplug":
            command = [str(python), str(FOLDER / "edge.py")]
            here = python.exists()
        else:
            command = [str(node), str(FOLDER / "edge.js")]
            here = node is not None and (folder / "node_modules" / "sparkplug-client").exists()
        if not here:
            absent(f"the Sparkplug edge node {which}")
        more = [str(broker.port), broker.user, broker.password, GROUP, EDGE]
        more += [str(folder / "node_modules")] * (which != "pysparkplug")
        self._process = subprocess.Popen(
            [*command, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        self._said: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))

    def do(self, do: str, **more: Any) -> None:
        """One line of what it is to do; returns when it says that it has done so."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()
        self.hear(do)

    def hear(self, what: str) -> None:
        """Wait until it says this."""
        until = time.monotonic() + WAIT_S
        while (left := until - time.monotonic()) > 0:
            try:
                if self._said.get(timeout=left) == what:
                    return
            except queue.Empty:
                break
        raise AssertionError(f"the edge node never said {what!r}")

    def kill(self) -> None:
        """As if its power was cut."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def close(self) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def hearing(folder: Path, broker: Mosquitto, of: District | None = None) -> Iterator[Log]:
    """An ingest of a live run at this broker; its log."""
    of = of or district()
    log = open_log(f"sqlite:///{folder}", "live", "yanqing", of.partitions)
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=run_ingest,
        args=(of, RUN, log, broker.url, FrameStore(folder / "frames"), stop),
        kwargs={"now": lambda: time.time_ns() // 1_000_000, "ready": ready},
    )
    thread.start()
    try:
        assert ready.wait(WAIT_S)
        yield log
    finally:
        stop.set()
        thread.join()


def records_of(outs: list[Out]) -> tuple[list[Observation], list[Away], list[DeadLetter]]:
    """Readings, deaths and dead letters; of what stands in every partition each."""
    found = [DECODERS[o.topic].decode(o.value) for o in outs]
    read = [o for r in found if isinstance(r, Observations) for o in r.items]
    away = [r for r in found if isinstance(r, Away)]
    return read, away, [r for r in found if isinstance(r, DeadLetter)]


def records(log: Log, topic: str = "observations") -> list[Any]:
    """All of a topic, partition by partition."""
    found = []
    for partition in range(log.topics[topic].partitions):
        at = 0
        while entries := log.read(topic, partition, at):
            at = entries[-1].offset + 1
            found += [DECODERS[topic].decode(e.value) for e in entries]
    return found


def observed(log: Log) -> list[Observation]:
    return [o for r in records(log) if isinstance(r, Observations) for o in r.items]


def values(log: Log, station: str, quantity: str = "") -> list[int]:
    """Counts of a station in order of their time."""
    mine = {
        (o.observed_at, o.value)
        for o in observed(log)
        if o.station == station and (not quantity or o.quantity == quantity)
    }
    return [value for _, value in sorted(mine)]


def away(log: Log) -> list[Away]:
    return [r for r in records(log) if isinstance(r, Away)]


def letters(log: Log) -> list[DeadLetter]:
    return [r for r in records(log, "dead-letters") if isinstance(r, DeadLetter)]


def wait(found: Callable[[], T], what: str) -> T:
    """Until it is true."""
    until = time.monotonic() + WAIT_S
    while not (got := found()):
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.1)
    return got
