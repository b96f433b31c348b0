"""Days of a district on which little happens: mostly dry readings of every gauge."""

from functools import cache

import msgspec
import numpy as np

from config.load import load
from config.records.district import District
from fengsui.run.setup import default_config
from ingest.observation import Flag, Observation, Observations
from stream.records import Record, Run, Tick

START = 1_753_524_000_000
MINUTE = 60_000
RUN = Run(name="exercise-t", kind="exercise", district="yanqing", config="c", start_at=START)


@cache
def yanqing() -> District:
    return load(default_config())


@cache
def one_partition() -> District:
    return msgspec.structs.replace(yanqing(), partitions=1)


def day(seed: int, slots: int, step: int) -> list[Record]:
    """Mostly dry readings of every gauge in steps of so many, levels that go on as they did, rise slowly or
    as a flood does, now and then wet, late, repeated, flagged, missing for a while, a spike, a code, or twice
    in a minute; and the time."""
    rng, found = np.random.default_rng(seed), list[Record]([RUN])
    some = [s for s in yanqing().stations.values() if s.quantity in ("rain", "stage")]
    gone = rng.random(len(some)) < 0.1
    rises = rng.choice([0, 0, 0, 0, 0, 3, 60], len(some))  # mm a slot
    for slot in range(slots):
        now = START + (slot + 1) * 5 * MINUTE
        waiting: list[tuple[str, Observation]] = []
        for k, s in enumerate(some):
            if gone[k] and slot % 7:
                continue
            wet = s.quantity == "rain" and rng.random() < 0.01
            level = 600 + slot * int(rises[k]) + int(rng.integers(-4, 5))
            if rng.random() < 0.02:
                level = int(rng.choice([0, 620, 900, 2600, -9990, 99990]))
            one = Observation(
                station=s.id,
                quantity=s.quantity,
                observed_at=now - int(rng.choice([0, 0, 0, 20, 60, 400, 3000])) * 1000,
                value=int(rng.integers(1, 30)) if wet else 0 if s.quantity == "rain" else level,
                seq=slot if rng.random() < 0.1 else None,
                flag=Flag.SUSPECT if rng.random() < 0.002 else Flag.GOOD,
            )
            if one.flag == Flag.SUSPECT:
                one = msgspec.structs.replace(one, test="rate")
            again = 2 if rng.random() < 0.01 else 1
            for group in yanqing().groups_of_station.get(s.id, ()):
                waiting += [(group, one)] * again
        for first in range(0, len(waiting), step):
            of: dict[str, list[Observation]] = {}
            for group, one in waiting[first : first + step]:
                of.setdefault(group, []).append(one)
            found += [Observations.of(g, now, x) for g, x in of.items()]
        if rng.random() < 0.5:
            found.append(Tick(clock_at=now))
    return found
