"""Values that look as if they were in another unit, or as if a factor were wrong. A suspicion, never a proof:
what comes is judged as it stands. Pure."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from config.geometry import distance_km
from config.records.district import District
from config.records.quantity import QUANTITIES
from detectors.quality.level_course import CODES
from detectors.quality.station_tests import range_of
from fengsui.doctor.heard import Last, Thing, rain_counts
from fengsui.doctor.uses import RAIN

_FACTORS = (1000.0, 100.0, 10.0)
_CLOSE = 0.15
_INCH = 25.4
_WET_MM = 5.0  # of the day's rain, at the median of the neighbours
_ALIKE = 2.5  # neighbours that differ by more than this say nothing of a factor
_FEW = 5  # readings on each side of a jump
_STEADY = 1.5
_JITTER = 5  # of what a broken sensor shows


class Factor(NamedTuple):
    """What comes is so many times what it should be. of: what it was compared with (range, before,
    neighbours)."""

    times: float
    of: str


def factor(district: District, things: Mapping[str, Thing], name: str) -> Factor | None:
    """Of a station's newest readings; None where nothing looks like it."""
    thing = things.get(name)
    if thing is None or thing.last is None:
        return None
    station = district.stations[name]
    if station.quantity in RAIN:
        return _of_rain(district, things, name)
    if QUANTITIES[station.quantity].kind != "instant":
        return None
    values = [r.value for r in thing.recent]
    found = None if _came_there(district, name, values) else _of_range(district, name, values[-1])
    return found or _of_before(thing.recent)


def _came_there(district: District, name: str, values: Sequence[int]) -> bool:
    """It went out of its range step by step, as water does in a flood that nobody has seen before: a factor
    leaps."""
    within = range_of(district, district.stations[name])
    inside = [n for n, v in enumerate(values) if within.low <= v <= within.high]
    return bool(inside) and all(_near(a, b) for a, b in pairwise(values[inside[-1] :]))


def _of_range(district: District, name: str, value: int) -> Factor | None:
    within = range_of(district, district.stations[name])
    code = any(abs(value - c) <= _JITTER for c in within.codes or CODES)
    if within.low <= value <= within.high or code or value <= 0:
        return None
    for times in _FACTORS:
        if max(within.low, 1) <= value / times <= within.high:
            return Factor(times, "range")
    return None


def _of_before(recent: Sequence[Last]) -> Factor | None:
    """The newest readings beside those before: steady on both sides of one jump by a power of ten."""
    values = [r.value for r in recent]
    jumps = [n for n in range(1, len(values)) if not _near(values[n], values[n - 1])]
    if len(jumps) != 1 or not _FEW <= jumps[0] <= len(values) - _FEW:
        return None
    old, new = median(values[: jumps[0]]), median(values[jumps[0] :])
    if old <= 0 or new <= 0:
        return None
    for times in (*_FACTORS, *(1 / f for f in _FACTORS)):
        if abs(new / old / times - 1) < _CLOSE:
            return Factor(times, "before")
    return None


def _near(a: int, b: int) -> bool:
    low, high = sorted((abs(a), abs(b)))
    return high <= 3 or (low > 0 and high / low < _STEADY and a * b >= 0)


def _of_rain(district: District, things: Mapping[str, Thing], name: str) -> Factor | None:
    """The day's rain beside that of the three nearest gauges, where these agree."""
    here = district.stations[name]
    mine = rain_counts(district, things, name)
    if not mine:
        return None
    near: list[tuple[float, float]] = []
    for other in district.stations.values():
        counts = None if other.id == name else rain_counts(district, things, other.id)
        away = distance_km(here, other)
        if counts is not None and away <= district.rules.quality.neighbour_km:
            near.append((away, counts / 10))
    sums = sorted(mm for _, mm in sorted(near)[:3])
    if len(sums) < 3 or sums[1] < _WET_MM or sums[2] > _ALIKE * max(sums[0], 0.1):
        return None
    ratio = mine / 10 / sums[1]
    for times in (10.0, 0.1, _INCH, 1 / _INCH, 100.0, 0.01):
        if abs(ratio / times - 1) < 2 * _CLOSE:
            return Factor(times, "neighbours")
    return None
