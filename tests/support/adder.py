"""A stage whose output depends on all before it, over the embedded log."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ingest.observation import Observation, ObservationRecord, Observations
from stream.log.open import open_log
from stream.log.port import Out, Piece
from stream.records import encode
from stream.stages.runner import Runner
from stream.stages.stage import Item, Write

DISTRICT, RUN = "toy", "exercise"
N = 60
PARTS = 4  # pieces of a memory


class Adder:
    """A stage whose output depends on everything before it: a running sum a partition."""

    name, reads, format, ticks = "adder", "observations", 1, 0.0

    def decode(self, value: bytes) -> Any:
        return msgspec.json.decode(value, type=ObservationRecord)

    def new(self, partition: int) -> Any:
        return {"sum": 0, "n": 0}

    def step(self, state: Any, items: Sequence[Item]) -> tuple[Any, list[Write]]:
        writes = []
        for item in items:
            if isinstance(item.record, Observations):
                for o in item.record.items:
                    state["sum"] += o.value
                    state["n"] += 1
                    out = Observation(
                        station=o.station,
                        quantity="sum",
                        observed_at=state["n"],
                        value=state["sum"],
                    )
                    writes.append(Write("cases", o.station, out))
        return state, writes

    def dump(self, state: Any) -> bytes:
        return msgspec.msgpack.encode(state)

    def load(self, partition: int, body: bytes) -> Any:
        return msgspec.msgpack.decode(body)


class InParts(Adder):
    """As `Adder`; its memory is written in four pieces, of which the last has what counts."""

    fails = False

    def __init__(self) -> None:
        self.loaded: list[int] = []
        self.stepped = 0

    def new(self, partition: int) -> Any:
        return {"sum": 0, "n": 0, "made": 0}

    def step(self, state: Any, items: Sequence[Item]) -> tuple[Any, list[Write]]:
        self.stepped += len(items)
        return super().step(state, items)

    def piece(self, state: Any, *, whole: bool) -> Piece:
        if self.fails:
            raise ValueError("this memory cannot be written")
        back = 0 if whole else state["made"] % PARTS
        state["made"] = 0 if whole else state["made"] + 1
        return Piece(self.dump(state), whole or back == PARTS - 1, back)

    def full(self, state: Any) -> bool:
        return False

    def load_pieces(self, partition: int, pieces: Sequence[bytes]) -> Any:
        self.loaded.append(len(pieces))
        return {**self.load(partition, pieces[-1]), "made": 0}

    def load(self, partition: int, body: bytes) -> Any:
        return {**msgspec.msgpack.decode(body), "made": 0}


def put(log: Any, first: int, count: int) -> None:
    for n in range(first, first + count):
        item = Observation(station=f"s{n % 3}", quantity="rain", observed_at=n, value=n + 1)
        batch = Observations.of("g", n, (item,))
        log.append([Out("observations", "g", encode(batch))])


def open_here(folder: Path) -> Any:
    return open_log(f"sqlite:///{folder}", RUN, DISTRICT, 2)


def outputs(folder: Path) -> list[tuple[str, bytes]]:
    log = open_here(folder)
    rows = [(e.key, e.value) for e in log.read("cases", 0, 0)]
    log.close()
    return rows


def until_read(log: Any, runner: Runner, want: int) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 240
    while sum(log.positions("observations", "adder")) < want and time.monotonic() < deadline:
        time.sleep(0.005)
    stop.set()
    thread.join()
