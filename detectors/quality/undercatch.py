"""Rain gauges that catch a part of the rain only: half clogged, tilted, under a branch.

Sees: over a day a gauge has less than `undercatch_share` of what the driest of its three nearest live
neighbours has, and each of those has at least `undercatch_near_mm`; from twice that rain on less than
`undercatch_much`. An hour says less: a storm's edge lies between two gauges, a day's sums grow alike. It
is so until its share of the day is above `undercatch_ends`, or in an hour of rain it catches as much of
what they catch, or their day is dry; while it or they are silent it stays as it was. Its areas are
thin meanwhile, as long as it rains beside it.
Delay it adds: until `undercatch_near_mm` have fallen beside it.
Cannot see: one that catches more; one whose neighbours are clogged, silent or none; rain of several
days, none of which is enough (`detectors.quality.catch_over_days`).
A gauge that is `clogged` is no neighbour here: it would vouch for others.
Source: sums of the same time held against the nearest gauges, as double-mass curves do (WMO-No. 168,
Guide to Hydrological Practices, vol. I) and, within 10 km and with the median in the place of the
driest, the station outlier filter of de Vos et al. 2019, GRL 46, 8820-8829. On the real gauges of
Seattle, 50 km apart and some in a mountain range's shadow, day sums beside 25 mm and more are above
0.25 of the driest of the others in 95 of 100 hours; gauges of one basin lie much nearer together.
"""

from typing import NamedTuple

import numpy as np

from config.records.rules import QualityRule
from detectors.engine.minute_ring import Bools, Ints
from detectors.quality.spatial_consistency import Near
from detectors.quality.station_memory import StationMemory

_DAY, _WHILE, _HOUR = 1440, 180, 60  # minutes
_NEAREST, _LEAST = 3, 2  # neighbours asked, and needed
_NEVER = 2**31 - 1
_ALL = slice(None)


class Caught(NamedTuple):
    """Rows that catch too little, and those of them beside which it rains."""

    less: set[int]
    wet: set[int]


class _Beside(NamedTuple):
    """Of each row: whether it has enough live neighbours, and the driest and the wettest of the
    nearest; 0 where they are too few."""

    enough: Bools
    least: Ints
    most: Ints


def undercatch(
    rule: QualityRule,
    near: Near,
    heard: StationMemory,
    able: Bools,
    reports: Bools,
    were: frozenset[int],
    minute: int,
) -> Caught:
    """able: of each row, whether it can be so: not clogged, and not in service lately; reports: whether
    it is heard; were: those that were so before; minute: of the clock, since 1970."""
    well = able & reports
    rows = np.arange(heard.head.size)
    day = heard.sums(_ALL, minute, _DAY)
    if int(day.max(initial=0)) < rule.undercatch_near_mm * 5:
        return Caught(set(), set())
    sides = beside(near, well, day)
    near_mm = rule.undercatch_near_mm * 10
    share = np.where(sides.least >= 2 * near_mm, rule.undercatch_much, rule.undercatch_share)
    less = (sides.least >= near_mm) & (day < share * sides.least)
    if not were and not less.any():
        return Caught(set(), set())
    so_far = np.isin(rows, list(were))
    stays = so_far & (sides.most >= near_mm / 2)
    less |= stays & (day < rule.undercatch_ends * sides.least)
    less &= well & ~works(rule, near, heard, well, minute)
    less |= so_far & able & ~(reports & sides.enough)  # nothing can be said of it
    found = set(rows[less].tolist())
    if not found:
        return Caught(found, found)
    rains = beside(near, well, heard.sums(_ALL, minute, _WHILE)).most
    return Caught(found, set(rows[less & (rains >= rule.clog_near_mm * 10 / 4)].tolist()))


def works(rule: QualityRule, near: Near, heard: StationMemory, well: Bools, minute: int) -> Bools:
    """Of each row, whether it has caught as much of an hour's rain as its neighbours: it works again."""
    hour = heard.sums(_ALL, minute, _HOUR)
    fell = beside(near, well, hour).least
    return np.asarray((fell >= rule.clog_near_mm * 10 / 4) & (hour >= rule.undercatch_ends * fell))


def beside(near: Near, well: Bools, total: Ints) -> _Beside:
    """What the nearest live neighbours of each row have of these totals (counts)."""
    rows = np.maximum(near.near, 0)
    live = (near.near >= 0) & well[rows]
    live &= live.cumsum(axis=1) <= _NEAREST
    fell = total[rows]
    least = np.where(live, fell, _NEVER).min(axis=1, initial=_NEVER)
    most = np.where(live, fell, 0).max(axis=1, initial=0)
    enough = np.asarray(live.sum(axis=1) >= _LEAST)
    return _Beside(enough, np.where(enough, least, 0), np.where(enough, most, 0))
