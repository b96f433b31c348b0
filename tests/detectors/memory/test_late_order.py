"""What a storm calls for does not hang on how its readings come: in order, shuffled, newest first or in one
upload with many others, with the ticks that follow the same levels and orders are said. What is known when
stands in docs/architecture.md: what waits is judged at a tick, at every end of a window within the lateness."""

import os
from collections.abc import Sequence
from random import Random

import pytest

from detectors.detection import Detection
from detectors.memory import backfill
from detectors.stage import Detect
from ingest.observation import Observation, Observations
from stream.records import Record, Run, Tick
from stream.stages.stage import Item
from tests.support.dry_days import MINUTE, START, one_partition

NOW = START + 360 * MINUTE
DETECT = Detect(one_partition(), {}.get)
Asked = dict[tuple[str, str, str], tuple[int, int]]


def asked(records: Sequence[Record]) -> Asked:
    """(area, hazard, rule) -> highest level and action once everything is in."""
    state = DETECT.new(0)
    run = Run(name="live", kind="live", district="yanqing", config="c", start_at=START)
    found: Asked = {}
    many = 0
    for n, record in enumerate([run, Tick(clock_at=NOW - 1), *records]):
        state, writes = DETECT.step(state, [Item(0, n, "", record)])
        many = n
        _most(found, [w.record for w in writes])
    for n in range(200):
        state, writes = DETECT.step(state, [Item(0, many + n, "", Tick(clock_at=NOW + 1 + n))])
        _most(found, [w.record for w in writes])
        if not state.backfill.many:
            break
    assert not state.backfill.many
    return found


def _most(found: Asked, said: Sequence[object]) -> None:
    for d in said:
        if isinstance(d, Detection) and d.hazard != "evidence" and (d.level or d.action):
            key = (d.area, d.hazard, d.rule)
            level, action = found.get(key, (0, 0))
            found[key] = max(level, int(d.level)), max(action, int(d.action))


def storm(seed: int) -> list[Observation]:
    """Six hours of a few gauges up to now, oldest first: a storm that ends about when what is live begins,
    and rivers that rise in it."""
    rng = Random(seed)
    district = one_partition()
    some = [s for s in district.stations.values() if s.id in district.groups_of_station]
    rains = [s.id for s in some if s.quantity == "rain"]
    stages = [s.id for s in some if s.quantity == "stage"]
    place = rng.randrange(len(rains) - 8)
    ends, heavy = rng.randrange(10, 75), rng.choice([12, 35, 62])
    length = rng.choice([10, 30, 60, 180])
    found = []
    for age in range(360, -1, -5):
        wet = ends <= age < ends + length
        at = NOW - age * MINUTE
        for k, gauge in enumerate(rains[place : place + 8]):
            value = (heavy + k) * wet
            found.append(Observation(station=gauge, quantity="rain", observed_at=at, value=value))
        for gauge in stages[:3]:
            level = 500 + max(0, ends + length - age) * 4
            found.append(Observation(station=gauge, quantity="stage", observed_at=at, value=level))
    return found


def packets(readings: Sequence[Observation], size: int) -> list[Record]:
    groups = one_partition().groups_of_station
    found: list[Record] = []
    for first in range(0, len(readings), size):
        of: dict[str, list[Observation]] = {}
        for one in readings[first : first + size]:
            for group in groups[one.station]:
                of.setdefault(group, []).append(one)
        found += [Observations.of(group, NOW, some) for group, some in of.items()]
    return found


def ways(readings: Sequence[Observation], seed: int) -> dict[str, list[Record]]:
    shuffled = list(readings)
    Random(seed).shuffle(shuffled)
    newest = list(reversed(readings))
    return {
        "shuffled": packets(shuffled, 20),
        "newest first": packets(newest, 20),
        "at once, newest first": packets(newest, len(newest)),
    }


def check(first: Asked, other: Asked, way: str) -> None:
    """Nothing is lost of what is said in order. In order it may be less sure, where neighbours had not been
    heard, and newest first more may be said, of levels whose past was not known yet."""
    for key, (level, action) in first.items():
        found = other.get(key, (0, 0))
        assert found[0] >= level and found[1] >= action, (way, key, found)


@pytest.mark.parametrize("seed", [3, 5])
def test_the_order_of_readings_takes_no_order_away(seed: int) -> None:
    readings = storm(seed)
    first = asked(packets(readings, 11))
    assert first
    for way, records in ways(readings, seed).items():
        check(first, asked(records), way)


@pytest.mark.parametrize("many", [int(os.environ.get("FENGSUI_LATE", "2000"))])
def test_how_many_others_are_in_the_upload_takes_no_order_away(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of them all a few are taken at once: the number decides when something is known, and nothing else."""
    monkeypatch.setattr(backfill, "SOON", many // 10)
    monkeypatch.setattr(backfill, "AT_ONCE", many // 10)
    readings = storm(3)
    storms = {one.station for one in readings}
    dry = [s.id for s in one_partition().stations.values() if s.quantity == "rain"]
    dry = [s for s in dry if s not in storms and s in one_partition().groups_of_station][:80]
    others = [
        Observation(station=s, quantity="rain", observed_at=NOW - age * MINUTE // 2, value=0)
        for age in range(many // len(dry))
        for s in dry
    ]
    newest = [one for one in readings if one.observed_at == NOW]
    kept = [one for one in reversed(readings) if one.observed_at < NOW]
    whole = newest + others + kept
    in_order = sorted(whole, key=lambda one: one.observed_at)
    check(asked(packets(in_order, 1000)), asked(packets(whole, len(whole))), "upload")
