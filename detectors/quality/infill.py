"""Rain that a blocked gauge did not catch, estimated from the gauges beside it.

A gauge that reports and stays dry while the gauges next to it are wet has caught nothing of what
fell, and the sums of its hours would lack that for as long as they reach back: the order that they
would give comes late or never, long after the gauge works again. So, once two of the three nearest
gauges that report have each `fill_near_mm` since its own last rain, what it should have caught
since then is laid into its sums: the mean of those that are wet, weighted by the inverse square of
their distance, none with more than three times the driest of them. What somebody else's doubt or
blockage makes uncertain is no part of it, nor is a time in which the gauge was not heard: that
comes with its backlog, or is not known.

An estimate over an hour is good, over ten minutes it is not: windows shorter than an hour never
rest on it alone (they are in doubt, see `RainState.mistrust`). It is laid where it fell, evenly.
What the gauge is told of and what an all-clear needs does not change by it: its areas stay thin.

Source: estimation of missing precipitation by inverse distance, WMO-No. 168, Guide to Hydrological
Practices, 6th ed., vol. I.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from config.records.rules import QualityRule
from detectors.engine.minute_ring import SPAN, Bools, Ints
from detectors.quality.rain_counter import Fell, spread
from detectors.quality.spatial_consistency import Near
from detectors.quality.station_memory import LONG, StationMemory

_MINUTE = 60_000
_NEAREST = 3
_REACH = 60  # minutes: shorter windows must not rest on an estimate
_SHARE = 0.9  # of the mean: rather too little than an order that nobody's rain gave
_CAP = 3  # times the driest of those that are wet


class Laid(NamedTuple):
    """Rain that is estimated, an entry each. reach: windows shorter than so many minutes must not
    rest on it."""

    row: Ints
    minute: Ints
    amount: Ints
    reach: Ints


def infill(
    rule: QualityRule, near: Near, heard: StationMemory, reports: Bools, plan_ms: Ints
) -> Laid | None:
    """What is to be laid now, and remember it. reports: of each row, whether it is a gauge that is
    heard and judged."""
    rows = np.nonzero(reports)[0]
    ends = heard.head[rows] // _MINUTE
    since = _dry_since(heard, rows, ends, plan_ms[rows])
    since = np.maximum(since, ends - LONG)
    forget(heard, int(ends.max(initial=0)) - SPAN)
    long = ends - since >= 2
    # only who has two neighbours that can have what is asked of them
    most, beside = heard.at_most(), near.near[rows]
    long &= ((beside >= 0) & (most >= rule.fill_near_mm * 10)[beside]).sum(axis=1) >= 2
    rows, since, ends = rows[long], since[long], ends[long]
    if not rows.size:
        return None
    owed = _owed(rule, near, heard, reports, most, rows, since, ends)
    found: list[tuple[int, int, int, int]] = []
    for n in np.nonzero(owed > 0)[0].tolist():
        row, first, last = int(rows[n]), int(since[n]), int(ends[n])
        held = heard.filled.get(row, {})
        missing = int(owed[n]) - sum(c for m, c in held.items() if m > first)
        if missing <= 0:
            continue
        first = max(first, max(held, default=0))
        first = min(first, last - 1)
        reach = max(_REACH, last - first)
        for minute, count in spread(Fell(first * _MINUTE, last * _MINUTE, missing)):
            if count:
                into = heard.filled.setdefault(row, {})
                into[minute] = into.get(minute, 0) + count
                found.append((row, minute, count, reach))
    return Laid(*np.array(found, np.int64).T) if found else None


def _dry_since(heard: StationMemory, rows: Ints, ends: Ints, plan_ms: Ints) -> Ints:
    """The minute since which each row has said without a gap that it is dry."""
    kept = heard.rain_minute[rows]
    wet = (heard.rain_count[rows] > 0) & (kept <= ends[:, None])
    last = np.where(wet, kept, -1).max(axis=1)
    gap = (ends - heard.dry_seen[rows]) * _MINUTE * 2 > 3 * plan_ms
    since = np.maximum(np.where(gap, ends, heard.dry_since[rows]), last)
    heard.dry_since[rows], heard.dry_seen[rows] = since, ends
    return np.asarray(since)


def _owed(
    rule: QualityRule,
    near: Near,
    heard: StationMemory,
    reports: Bools,
    most: Ints,
    rows: Ints,
    since: Ints,
    ends: Ints,
) -> Ints:
    """What should have fallen since then, in counts; 0 where nobody can say. most: of every row, what
    it can have."""
    beside = near.near[rows]
    some = np.maximum(beside, 0)
    doubtful = np.zeros(reports.size, np.bool_)
    doubtful[[*heard.lone, *heard.test]] = True
    asked = (beside >= 0) & (reports & ~doubtful)[some]
    fell = np.zeros(asked.shape, np.int64)
    look = asked & (most > 0)[some]
    first, last = (np.repeat(x, look.sum(axis=1)) for x in (since, ends))
    fell[look] = heard.between(some[look], first, last)
    works = asked & (fell > 0)
    dry = (asked & ~works).sum(axis=1)
    wet = works & (fell >= rule.fill_near_mm * 10)
    enough = (wet.sum(axis=1) >= 2) & (works.sum(axis=1) >= dry)
    works &= works.cumsum(axis=1) <= _NEAREST
    big = np.iinfo(np.int64).max
    least = np.where(works & wet, fell, big).min(axis=1, initial=big)
    cap = np.where(enough & (least < big), least, 0)[:, None] * _CAP
    weight: npt.NDArray[np.float64] = np.where(works, near.weight[rows], 0.0)
    mean = (np.minimum(fell, cap) * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
    return np.asarray(np.where(enough, np.floor(mean * _SHARE + 1e-9), 0).astype(np.int64))


def forget(heard: StationMemory, before: int) -> None:
    """What lies in no window any more."""
    for row in [r for r, held in heard.filled.items() if min(held) <= before]:
        held = {m: c for m, c in heard.filled.pop(row).items() if m > before}
        if held:
            heard.filled[row] = held


def filled_note(held: Mapping[int, int], minute: int, length: int) -> str:
    """How much of a sum up to `minute` over so many minutes is estimated; '' if none is."""
    count = sum(c for m, c in held.items() if minute - length < m <= minute)
    return f"含邻站插补 {count / 10:g} mm" if count else ""
