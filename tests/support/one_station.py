"""One station's way through `detectors.screening.sift`, an observation at a time, for tests."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from config.records.rules import QualityRule
from detectors.quality.level_course import Course, Range
from detectors.quality.rain_bounds import Seasons
from detectors.quality.spatial_consistency import Near, padded
from detectors.quality.station_memory import Batch, StationMemory
from detectors.screening.sift import sift
from detectors.setup.partition import _KINDS, COUNTER, OTHER, Part
from ingest.observation import Observation


class Intake(NamedTuple):
    """What the rules are given."""

    quantity: str
    minute: int
    count: int
    add: bool
    suspect: bool
    test: str


class Station:
    """Its memory."""

    def __init__(self) -> None:
        self.heard = StationMemory(1)
        self.memory: dict[int, Course] = {}


def batch_of(items: list[Observation]) -> Batch:
    columns = (
        [0] * len(items),
        [o.observed_at for o in items],
        [o.value for o in items],
        [-1 if o.seq is None else o.seq for o in items],
        [int(o.flag) for o in items],
    )
    return Batch(*(np.array(c, np.int64) for c in columns))


def plain_part(kind: Any, near: dict[int, list[int]], plan_s: int = 300) -> Any:
    """What `sift` needs of a Part: stations that report every five minutes, sums of a minute."""
    many = len(kind)
    part: Any = SimpleNamespace(kind=np.array(kind), seasons=Seasons(()))
    limit = np.full((many, 1), round(QualityRule().rain_extreme_mm_10min * 10))
    place = np.stack((np.arange(float(many)), np.zeros(many)), axis=1)
    part.near = Near(padded(near, many), (10,), limit, part.seasons, place)
    part.plan_ms, part.sum_ms = np.full(many, plan_s * 1000), np.full(many, 60_000)
    part.wrap = np.zeros(many, np.int64)
    part.most_rain = np.full(many, part.seasons.least(60_000))
    part.limited = np.zeros(0, np.int64)
    part.ranges = {n: Range(-10_000, 100_000, (), 2**31 - 1) for n in range(many)}
    part.gauges = {n: [] for n in range(many)}
    part.gap = lambda row, length: Part.gap(part, row, length)
    return part


def take_all(station: Station, items: list[Observation]) -> list[Intake | None]:
    """A batch; None for what says nothing new."""
    kind = _KINDS.get(items[0].quantity, OTHER)
    part: Any = plain_part([kind], {})
    tests = {n: o.test for n, o in enumerate(items) if o.test}
    new = sift(QualityRule(), part, station.heard, station.memory, batch_of(items), tests)
    names = {nth: name for nth, _, name in new.flagged}
    out: list[Intake | None] = [None] * len(items)
    rows = zip(new.nth, new.minute, new.amount, new.add, new.suspect(), strict=True)
    for nth, minute, amount, add, suspect in rows:
        quantity = "rain" if kind == COUNTER else items[0].quantity
        so_far = out[int(nth)]  # of rain over a longer time, one entry a minute
        total = int(amount) + (so_far.count if so_far else 0)
        out[int(nth)] = Intake(
            quantity, int(minute), total, bool(add), bool(suspect), names.get(int(nth), "")
        )
    return out


def take(station: Station, o: Observation) -> Intake | None:
    """One observation."""
    return take_all(station, [o])[0]


Rain = tuple[tuple[int, int], ...]  # (minute, count)


def neighbour_test(rule: QualityRule, mine: Rain, others: list[tuple[Rain, int | None]]) -> str:
    """The flag of my last value, when the others (rain, and the minute last heard of) came first."""
    kind = np.full(len(others) + 1, 1)
    near = {0: list(range(1, len(others) + 1))}
    part: Any = plain_part(kind, near)
    heard, memory = StationMemory(len(kind)), {}  # type: tuple[Heard, dict[int, Course]]
    rows = [(n, m, c) for n, (rain, _) in enumerate(others, 1) for m, c in rain]
    rows += [(n, head, 0) for n, (_, head) in enumerate(others, 1) if head is not None]
    rows += [(0, m, c) for m, c in mine]
    columns = zip(*((r, m * 60_000, c, -1, 1) for r, m, c in rows), strict=True)
    new = sift(rule, part, heard, memory, Batch(*(np.array(c, np.int64) for c in columns)), {})
    assert all(row == 0 for _, row, _ in new.flagged)
    return {nth: name for nth, _, name in new.flagged}.get(len(rows) - 1, "")
