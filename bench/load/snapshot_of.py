"""Snapshots of the stage detect of any revision of this source tree: a program that the bench
`snapshots --against` starts with that tree's folder as its path. A tree that writes its memory in pieces
does so here too.

usage: python -P bench/load/snapshot_of.py TREE STATIONS DAYS
Prints JSON: bytes a station; CPU seconds of the longest hold and of all writing after a minute in which every
gauge reported, and after one in which a fifth did; of reading."""

import json
import random
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

_PARTITIONS = 4
_START = 1_784_600_040_000
_HOUR = 3_600_000


def main(tree: str, stations: str, days: str) -> None:
    make = import_module("bench.load.district")
    if Path(make.__file__ or "").resolve().parents[2] != Path(tree).resolve():
        raise SystemExit(f"{make.__file__} is not of {tree}")
    like = import_module("config.load").load(Path(tree) / "config" / "yanqing")
    gauges = make.names(int(stations))
    district = make.bench_district(like, gauges, _PARTITIONS, classes=True)
    stage = import_module("detectors.stage").Detect(district, lambda _: None)
    parts = [_Part(stage, district, partition) for partition in range(_PARTITIONS)]
    for part in parts:
        for hour in range(24 * int(days)):
            part.report(_START + hour * _HOUR)
        part.write()  # the first one is all of it
    at = _START + 24 * int(days) * _HOUR
    found: dict[str, float] = {"bytes": sum(p.whole for p in parts) / len(gauges)}
    for name, share in (("all", 1), ("fifth", 5)):
        holds: list[float] = []
        for part in parts:
            part.report(at, share)
            holds += part.write()
        found[f"{name}_hold"], found[f"{name}_cpu"] = max(holds), sum(holds)
        at += _HOUR // 12
    found["read"] = sum(part.read() for part in parts)
    print(json.dumps(found))


class _Part:
    """One partition, with what was written of it."""

    def __init__(self, stage: Any, district: Any, partition: int) -> None:
        of = import_module("stream.log.port").partition_of
        self._stage, self._partition = stage, partition
        self._groups = [
            (g, a) for g, a in district.groups.items() if of(g, _PARTITIONS) == partition
        ]
        self._observations = import_module("ingest.observation").Observations
        self._item = import_module("stream.stages.stage").Item
        self._state = stage.new(partition)
        self._laid: list[tuple[bytes, int]] = []  # with how many before it are needed
        self._rng = random.Random(partition)
        self.whole = 0

    def report(self, at: int, share: int = 1) -> None:
        """Every gauge of one in so many groups says what fell."""
        items = [
            self._item(
                self._partition,
                0,
                group,
                self._observations(
                    group=group,
                    received_at=0,
                    station=gauges,
                    quantity=("rain",) * len(gauges),
                    observed_at=(at,) * len(gauges),
                    value=tuple(self._rng.choices((0, 0, 0, 1, 2, 9), k=len(gauges))),
                ),
            )
            for group, gauges in self._groups[::share]
        ]
        self._state, _ = self._stage.step(self._state, items)

    def write(self) -> list[float]:
        """CPU seconds of each hold, until all of it is written."""
        holds, point, size = [], False, 0
        while not point:
            began = time.process_time()
            if hasattr(self._stage, "piece"):
                piece = self._stage.piece(self._state, whole=False)
                body, point, back = piece.body, piece.point, piece.back
            else:
                body, point, back = self._stage.dump(self._state), True, 0
            holds.append(time.process_time() - began)
            self._laid.append((body, back))
            size += len(body)
        self.whole = self.whole or size
        return holds

    def read(self) -> float:
        """CPU seconds."""
        bodies = [body for body, _ in self._laid[len(self._laid) - 1 - self._laid[-1][1] :]]
        began = time.process_time()
        if len(bodies) > 1:
            self._stage.load_pieces(self._partition, bodies)
        else:
            self._stage.load(self._partition, bodies[0])
        return time.process_time() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
