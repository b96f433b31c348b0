"""A simulated hour of the district yanqing, as the stage detect reads it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from config.load import load
from config.records.district import District
from detectors.stage import Detect
from ingest.observation import Flag, Observation, Observations
from simulators.scenario import Scenario
from simulators.storm import Storm
from simulators.world import World
from stream.log.port import partition_of
from stream.records import Record, Run, Tick
from stream.stages.stage import Item

ROOT = Path(__file__).parents[2]
MINUTE = 60_000
START = 1_753_524_000_000
SPELL = 70  # minutes of the simulated hour
RUN = Run(name="exercise-t", kind="exercise", district="yanqing", config="c", start_at=START)


@cache
def yanqing() -> District:
    return load(ROOT / "config" / "yanqing")


def detect(district: District | None = None, frames: dict[str, bytes] | None = None) -> Detect:
    return Detect(district or yanqing(), (frames or {}).get)


def items(records: Sequence[Record], partition: int = 0) -> list[Item]:
    return [Item(partition, n, "", r) for n, r in enumerate(records)]


@cache
def hour(partition: int) -> tuple[Item, ...]:
    """A cloudburst with faults, as ingest would write it into a partition of observations."""
    storm = Storm(cells=4, peak_mm_h=120.0, wide_mm_h=6.0, hours=2.6, first_h=0.0)
    world = World(yanqing(), Scenario("t", "t", storm, START, SPELL / 60, 0.0, 7))
    rng = np.random.default_rng(3)
    records: list[Record] = [RUN]
    waiting: list[Observation] = []
    for minute in range(world.minutes):
        arrived = [*waiting, *world.observations(minute)]
        late = rng.random(len(arrived)) < 0.05
        waiting = [o for o, x in zip(arrived, late, strict=True) if x]
        now = [o for o, x in zip(arrived, late, strict=True) if not x]
        now += [o for o in now if rng.random() < 0.02]  # repeated
        now = [
            msgspec.structs.replace(o, flag=Flag.SUSPECT, test="range")
            if rng.random() < 0.02
            else o
            for o in now
        ]
        of_group: dict[str, list[Observation]] = {}
        for o in now:
            for group in yanqing().groups_of_station.get(o.station, ()):
                if partition_of(group, yanqing().partitions) == partition:
                    of_group.setdefault(group, []).append(o)
        records += [Observations.of(g, world.at(minute), found) for g, found in of_group.items()]
        records.append(Tick(clock_at=world.at(minute)))
    return tuple(items(records, partition))
