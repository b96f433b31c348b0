"""Rain that a gauge did not catch or has not reported yet, estimated from the gauges beside it.

A gauge that says it is dry while the gauges next to it are wet has caught nothing of what fell, and
one that is not heard keeps it back; the sums of its hours would lack that for as long as they reach
back, and the order that they would give comes late or never. So, once two of the nearest gauges that
report have each `fill_near_mm` since its own last rain, and no more of them are dry than wet, what fell
there since then is laid into its sums, minute by minute.

The estimate of a minute is that of optimal interpolation: of the neighbours that report and are not
being filled in themselves, weighted so that its variance is least for rain whose correlation over
distance is exp(-(d / 12 km)^2), with a share of 0.03 that is each gauge's own. Gauges close together
count as one, and one on the other side counts in full. None counts with more than three times the
driest of the nearest that are wet; what is in doubt by another test does not count, and is not filled.
But a counter whose total is in doubt, or fell, tells of no minute what fell in it: it is filled as one that
is not heard.

An estimate errs to both sides. Laid is rather too little of it, 0.92, so that hardly anybody is moved by
what has never fallen.

**A record replaces the estimate.** What a backlog, a counter that comes back or a late reading says of
a minute takes away what was laid there, in the same judgement and before its own amount is added
(`replaced`): no minute counts twice, in whatever order and pieces it comes. A dry reading replaces
what was laid because nothing was heard; if it is dry among wet ones, the next look fills it in again.

An estimate over an hour is good, over ten minutes it is not: windows shorter than an hour never rest
on it alone (they are in doubt, see `RainState.mistrust`). What the gauge is told of and what an
all-clear needs does not change by it: its areas stay thin.

Sources: Gandin 1965, Objective analysis of meteorological fields; Creutin & Obled 1982, Water Resour.
Res. 18, 413-431, for rain; estimation of missing precipitation, WMO-No. 168, Guide to Hydrological
Practices, 6th ed., vol. I.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from config.language import Text
from config.records.rules import QualityRule
from detectors.engine.minute_ring import SPAN, Bools, Ints
from detectors.quality.rain_counter import ROLLING, Fell
from detectors.quality.spatial_consistency import Near
from detectors.quality.station_memory import LONG, StationMemory

_MINUTE = 60_000
REACH = 60  # minutes: shorter windows must not rest on an estimate
_RANGE_KM = 12.0
_OWN = 0.03
_CAP, _NEAREST = 3, 3  # times the driest of the nearest that are wet
_MOST = 8  # neighbours
_SHARE = 0.92  # about 1 standard error of an hour's estimate below it
_DRY = 20  # minutes: whoever has been dry for so long among wet ones will say so again
_GOLDEN = 0.6180339887498949
_TENTH = 10  # estimates are held in tenths of a count

Floats = npt.NDArray[np.float64]


class Laid(NamedTuple):
    """Rain that is estimated, or no longer so (below zero), an entry each."""

    row: Ints
    minute: Ints
    amount: Ints


def infill(
    rule: QualityRule,
    near: Near,
    heard: StationMemory,
    reports: Bools,
    asked: Sequence[int],
    begun: Ints,
    plan_ms: Ints,
    now: int,
) -> Laid | None:
    """What is to be laid now, and remember it. reports: of each row, whether it is a gauge that is
    heard and judged; asked: rows that may be filled; begun: of each row, the minute before which
    nothing is filled; now: the clock's minute."""
    forget(heard, now)
    doubtful = np.zeros(reports.size, np.bool_)
    doubtful[[*heard.lone, *heard.test]] = True
    fresh = (now * _MINUTE - heard.head) * 2 <= 3 * plan_ms
    works = reports & ~doubtful & fresh
    rows = np.array([r for r in asked if not doubtful[r] or _untold(heard, r)], np.int64)
    # only who has two neighbours that can have what is asked of them
    wet, beside = works & (heard.at_most() >= rule.fill_near_mm * 10), near.near[rows]
    rows = rows[((beside >= 0) & wet[beside]).sum(axis=1) >= 2]
    if rows.size:
        _estimate(rule, near, heard, works, _dry_spells(heard, rows, begun, fresh, now))
    found: list[tuple[int, int, int]] = []
    for row in sorted(heard.owed):
        found += _laid(heard, row)
    return Laid(*np.array(found, np.int64).T) if found else None


def _untold(heard: StationMemory, row: int) -> bool:
    """A counter whose total says of no minute what fell in it, and that nothing else is held against."""
    test = heard.test.get(row, "")
    return row not in heard.lone and test.startswith("counter_") and test != ROLLING


class _Spells(NamedTuple):
    """Of rows, the time (since, ends] of two minutes and more in which they had no rain; said: their
    newest minute."""

    row: Ints
    since: Ints
    ends: Ints
    said: Ints


def _dry_spells(heard: StationMemory, rows: Ints, begun: Ints, fresh: Bools, now: int) -> _Spells:
    since = np.maximum(heard.wet_until(rows, now), np.maximum(begun[rows], now - LONG))
    said = heard.head[rows] // _MINUTE
    ends = np.where(fresh[rows] & (now - since < _DRY), np.minimum(said, now), now)
    long = ends - since >= 2
    return _Spells(rows[long], since[long], ends[long], said[long])


def _estimate(
    rule: QualityRule, near: Near, heard: StationMemory, works: Bools, dry_spells: _Spells
) -> None:
    """Of rows without rain while those beside them have some: what fell in each minute since."""
    rows, since, ends, said_until = dry_spells
    if not rows.size:
        return
    beside = near.near[rows]
    able = (beside >= 0) & works[np.maximum(beside, 0)]
    # who has not rained since caught nothing
    some = able & (heard.newest_rain()[np.maximum(beside, 0)] > since[:, None])
    n = np.nonzero(some)[0]
    fell = np.zeros(beside.shape, np.int64)
    fell[some] = heard.between(beside[some], since[n], ends[n])
    rains = able & (fell > 0)
    full = rains & (fell >= rule.fill_near_mm * 10)
    dry = (able & ~rains).sum(axis=1)
    enough = (full.sum(axis=1) >= 2) & (rains.sum(axis=1) >= dry)
    found: list[tuple[int, Ints, Floats, int]] = []
    for k in np.nonzero(enough)[0].tolist():
        row, minutes = int(rows[k]), np.arange(since[k] + 1, ends[k] + 1)
        wet = beside[k][rains[k]][:_MOST]
        most = _CAP * int(fell[k][full[k]][:_NEAREST].min())
        shares = np.minimum(1.0, most / np.maximum(heard.between(wet, since[k], ends[k]), 1))
        amount = _interpolated(near, heard, row, wet, shares, minutes)
        found.append((row, minutes, np.round(amount * _TENTH), int(said_until[k])))
    for row, minutes, tenths, said in found:
        each = zip(minutes.tolist(), tenths.astype(int).tolist(), strict=True)
        heard.owed.setdefault(row, {}).update(each)
        awaited = heard.awaited.setdefault(row, set())
        awaited.difference_update(minutes.tolist())
        awaited.update(minutes[minutes > said].tolist())


def _interpolated(
    near: Near, heard: StationMemory, row: int, some: Ints, shares: Floats, minutes: Ints
) -> Floats:
    """Counts of each minute. Where a neighbour is filled in itself, the others speak."""
    slot = minutes % heard.rain_minute.shape[1]
    held = heard.rain_minute[some][:, slot] == minutes
    fell = np.where(held, heard.rain_count[some][:, slot], 0) * shares[:, None]
    own = np.ones(fell.shape, np.bool_)
    for k, r in enumerate(some.tolist()):
        if r in heard.owed:
            own[k] = ~np.isin(minutes, list(heard.owed[r]))
    out = np.zeros(minutes.size)
    patterns, which = np.unique(own.T, axis=0, return_inverse=True)
    for p, able in enumerate(patterns):
        if able.any():
            at = which.reshape(-1) == p
            weight = weights(near.place[row], near.place[some[able]])
            out[at] = np.maximum(weight @ fell[able][:, at], 0.0)
    return out


def weights(here: Floats, there: Floats) -> Floats:
    """(n,) of the places `there` (n, 2; km) for the place `here`: their sum is 1, and the variance of
    what they say of it is least.

    >>> w = weights(np.array([0.0, 0.0]), np.array([[3.0, 0.0], [-3.0, 0.0], [-3.1, 0.0]]))
    >>> [round(float(x), 1) for x in w]
    [0.5, 0.3, 0.2]
    """
    many = len(there)
    between = ((there[:, None] - there) ** 2).sum(axis=-1)
    matrix = np.ones((many + 1, many + 1))
    matrix[:many, :many] = np.exp(-between / _RANGE_KM**2) + _OWN * np.eye(many)
    matrix[many, many] = 0.0
    right = np.append(np.exp(-((there - here) ** 2).sum(axis=-1) / _RANGE_KM**2), 1.0)
    return np.asarray(np.linalg.solve(matrix, right)[:many])


def _laid(heard: StationMemory, row: int) -> list[tuple[int, int, int]]:
    """What lies otherwise than it should. Fractions of counts go up or down by turns, as the golden
    section spreads them, so that they add up over any minutes."""
    owed, held = heard.owed[row], heard.filled.setdefault(row, {})
    minutes = np.array(list(owed), np.int64)
    want = np.floor(np.array(list(owed.values())) / _TENTH * _SHARE + minutes * _GOLDEN % 1.0)
    found = []
    for minute, count in zip(minutes.tolist(), want.astype(int).tolist(), strict=True):
        change = count - held.get(minute, 0)
        if change:
            found.append((row, minute, change))
            held[minute] = count
    return found


def replaced(
    heard: StationMemory,
    row: int,
    at: int,
    fell: Sequence[Fell],
    plan_ms: int,
    sum_ms: int,
    *,
    wet: bool,
) -> list[tuple[int, int]]:
    """(minute, count) of what a record of a gauge takes away again, below zero, and forget it. fell:
    over which times its rain is spread, if not over its own `sum_ms`."""
    owed, awaited = heard.owed.get(row), heard.awaited.get(row, set())
    if not owed:
        return []
    said = [(f.since, f.at) for f in fell] or ([(at - sum_ms, at)] if wet else [])
    moments = np.sort(heard.keys[row] >> 20)
    n = int(np.searchsorted(moments, at))
    after = int(np.searchsorted(moments, at, "right"))
    before = int(moments[n - 1]) if n else -1
    whole = [(before if before >= 0 and (at - before) * 2 <= 3 * plan_ms else at - plan_ms, at)]
    if after < moments.size and (int(moments[after]) - at) * 2 <= 3 * plan_ms:
        whole.append((at, int(moments[after])))
    gone = {m for m in owed if _inside(m, said)}
    gone |= {m for m in awaited if m in owed and _inside(m, whole)}
    held = heard.filled.get(row, {})
    out = []
    for m in sorted(gone):
        del owed[m]
        awaited.discard(m)
        if count := held.pop(m, 0):
            out.append((m, -count))
    return out


def _inside(minute: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(-(-a // _MINUTE) < minute <= -(-b // _MINUTE) for a, b in spans)


def forget(heard: StationMemory, now: int) -> None:
    """What lies in no window any more. now: the clock's minute."""
    before = now - SPAN
    for held in (heard.filled, heard.owed):
        for row in [r for r, some in held.items() if not some or min(some) <= before]:
            some = {m: c for m, c in held.pop(row).items() if m > before}
            if some:
                held[row] = some
    heard.awaited = {
        r: {m for m in s if m > before} for r, s in heard.awaited.items() if r in heard.owed
    }


def filled_note(held: Mapping[int, int], minute: int, length: int) -> Text | str:
    """How much of a sum up to `minute` over so many minutes is estimated; '' if none is."""
    count = sum(c for m, c in held.items() if minute - length < m <= minute)
    if not count:
        return ""
    mm = f"{count / 10:g} mm"
    return Text(f"含邻站插补 {mm}", f"{mm} of it estimated from neighbours")
