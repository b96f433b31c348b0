"""Rain gauges beside one another: one that rains alone, and one that alone stays dry.

**Alone.** From the sum on at which the lowest order (or an orange) of some area begins, in any of its
windows, a gauge is held against its neighbours within `neighbour_km`. If those that are heard have, over
as long a time, now or up to 20 minutes before, less than `rain_neighbour_share` of it, what it says from
there on is suspect ("neighbour"): wind, a bird, a hand, a stuck contact; or a cloudburst, for which
a second sign may come at any moment. When it comes within the hour the doubt goes, from that moment
on. With no neighbour that is heard nothing can be said, unless it is more than the district's
climate has shown ("climate").

**Dry.** A gauge is clogged (or frozen) when over its last hour it has less than `clog_share` of what
the driest of its three nearest neighbours has, and each of those has at least `clog_near_mm`. It is
so until it rains in it again or its neighbours are dry.

Each value is judged by what had arrived before it, so that batches do not show; only gauges that can
have reached an order, and whose neighbours do not clearly agree already, are looked at one by one.

Sources: neighbour test of the IOOS QARTOD manuals; one wet among dry and one dry among wet as in
Kondragunta & Shrestha 2006, Automated real-time operational rain gauge quality-control tools in NWS
hydrologic operations, AMS 20th Conf. on Hydrology.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from config.records.rules import QualityRule
from detectors.engine.minute_ring import Bools, Ints
from detectors.quality.rain_bounds import Seasons
from detectors.quality.station_memory import LONG, Batch, StationMemory

NEVER = 2**31 - 1
_MINUTE = 60_000
_MORE = 20  # minutes that a neighbour's window is longer
_LIVE = 30  # minutes: a neighbour that was not heard for so long says nothing
_LATER = 60  # minutes: a neighbour's rain after so long is another shower
_CHUNK = 10  # minutes looked at together
_NEAREST = 3


class Near(NamedTuple):
    """Of the rows of one partition. near: of each gauge its neighbours, nearest first; (rows, most)
    of rows, -1 where none. limit: (rows, windows), the sum in counts from which on somebody else must
    have seen it too. place: (rows, 2) of gauges, km east and north of the first."""

    near: Ints
    windows: tuple[int, ...]
    limit: Ints
    seasons: Seasons
    place: npt.NDArray[np.float64]

    @property
    def pairs_only(self) -> bool:
        """Has no gauge two neighbours?"""
        return bool(self.near.shape[1] < 2)


class Rained(NamedTuple):
    """Rain of a batch in order of arrival: the index in the batch, row, minute, amount."""

    nth: Ints
    row: Ints
    minute: Ints
    amount: Ints


class Compared(NamedTuple):
    """alone: entry of the rain -> test. trusted: (index in the batch after which, row, minute ->
    count) of what is no longer in doubt."""

    alone: dict[int, str]
    trusted: list[tuple[int, int, dict[int, int]]]


def compare(
    rule: QualityRule, near: Near, heard: StationMemory, batch: Batch, before: Ints, rain: Rained
) -> Compared:
    """Keep the rain, and hold each value against the neighbours as they stood when it arrived."""
    out = Compared({}, [])
    first, ends = 0, _chunks(rain.minute)
    if len(ends) > 1 and not heard.lone and _little(near, heard, rain):
        heard.remember_rain(rain.row, rain.minute, rain.amount)
        return out
    for last in ends:
        _chunk(rule, near, heard, batch, before, rain, slice(first, last), out)
        first = last
    return out


def _chunks(minute: Ints) -> list[int]:
    """Ends of parts that lie within a few minutes."""
    if int(minute.max()) - int(minute.min()) <= _CHUNK:
        return [minute.size]
    ends, low, high = [], int(minute[0]), int(minute[0])
    for n, m in enumerate(minute.tolist()):
        low, high = min(low, m), max(high, m)
        if high - low > _CHUNK:
            ends.append(n)
            low = high = m
    return [e for e in ends if e] + [minute.size]


def _little(near: Near, heard: StationMemory, rain: Rained) -> bool:
    """Can no gauge have reached a limit, whatever of what it has and is told now fell together?"""
    total = np.zeros(heard.head.size, np.int64)
    np.add.at(total, rain.row, np.maximum(rain.amount, 0))
    rows = total.nonzero()[0]
    held = np.maximum(heard.half_count[rows], 0).sum(axis=1)
    held = np.maximum(held, heard.at_most()[rows])
    return not (held + total[rows] >= near.limit[rows].min(axis=1)).any()


def _chunk(
    rule: QualityRule,
    near: Near,
    heard: StationMemory,
    batch: Batch,
    before: Ints,
    rain: Rained,
    part: slice,
    out: Compared,
) -> None:
    row, minute, count = rain.row[part], rain.minute[part], rain.amount[part]
    begin = int(rain.nth[part][0])
    low = int(minute.min())
    for r in [r for r, held in heard.lone.items() if max(held) < low - _LATER]:
        del heard.lone[r]
    look = _open(rule, near, heard, batch, before, rain, part)
    if not look.size and not heard.lone:
        heard.remember_rain(row, minute, count)
        return
    look = np.unique([*look.tolist(), *heard.lone]).astype(np.int64)
    around = near.near[look]
    watched = np.unique([*look.tolist(), *around[around >= 0].tolist()]).astype(np.int64)
    aside = ~np.isin(row, watched)
    heard.remember_rain(row[aside], minute[aside], count[aside])
    heads = _heads(heard, batch, before, begin)
    place: dict[int, list[int]] = {}
    for k in np.nonzero(~aside)[0].tolist():
        place.setdefault(int(rain.nth[part][k]), []).append(k)
    end = max(place, default=-1)
    steps = np.nonzero(np.isin(batch.row[begin : end + 1], watched))[0] + begin
    for n in steps.tolist():
        r = int(batch.row[n])
        heads[r] = max(int(heads[r]), int(batch.at[n]))
        for k in place.get(n, ()):
            one = slice(k, k + 1)
            heard.remember_rain(row[one], minute[one], count[one])
            if count[k] <= 0:
                continue
            m = int(minute[k])
            if test := _test(rule, near, heard, heads, r, m, m):
                out.alone[part.start + k] = test
                held = heard.lone.setdefault(r, {})
                if held and m - max(held) > _LATER:
                    held.clear()
                held[m] = held.get(m, 0) + int(count[k])
            for x in _confirmed(rule, near, heard, heads, r, m, bool(test)):
                out.trusted.append((n, x, heard.lone.pop(x)))


def _confirmed(
    rule: QualityRule,
    near: Near,
    heard: StationMemory,
    heads: Ints,
    row: int,
    minute: int,
    alone: bool,
) -> list[int]:
    """Which lone gauges the rain of `row` at `minute` bears out, itself among them."""
    found = []
    for x, held in heard.lone.items():
        if (x == row and not alone) or row in near.near[x]:
            last = max(held)
            if minute - last > _LATER:
                continue
            if not _test(rule, near, heard, heads, x, last, max(minute, last)):
                found.append(x)
    return found


def _test(
    rule: QualityRule,
    near: Near,
    heard: StationMemory,
    heads: Ints,
    row: int,
    minute: int,
    until: int,
) -> str:
    """Does this gauge say alone what it says up to `minute`? Its neighbours are asked up to
    `until`."""
    own = _own(near, heard, row, minute)
    hot = np.nonzero(own >= near.limit[row])[0].tolist()
    if not hot:
        return ""
    beside = near.near[row]
    beside = beside[beside >= 0]
    live = beside[heads[beside] // _MINUTE >= minute - _LIVE]
    for n in hot:
        w = near.windows[n]
        if live.size:
            best = _best(heard, live, minute - _MORE, until, w)
            if best < rule.rain_neighbour_share * int(own[n]):
                return "neighbour"
            continue
        bounds = near.seasons.at(minute * _MINUTE)
        if any(heard.rain(row, minute, v) > bounds.most(v * _MINUTE) for v in _spans(w)):
            return "climate"
    return ""


def _best(heard: StationMemory, rows: Ints, first: int, last: int, window: int) -> int:
    """The most that one of them had over a window that ends within (first, last]. A steady rain adds
    nothing to it by lasting: it bears out no burst."""
    if window > LONG:
        return int(heard.sums(rows, last, window + last - first).max())
    return max(int(heard.sums(rows, end, window).max()) for end in range(last, first, -2))


def _own(near: Near, heard: StationMemory, row: int, minute: int) -> Ints:
    """Its sums over every window, as `Heard.rain` gives them."""
    windows = np.array(near.windows)
    short = windows[windows <= LONG]
    held = heard.rain_minute[row]
    inside = (held > minute - short[:, None]) & (held <= minute)
    halves = heard.half_slot[row]
    around = (halves > (minute - windows[short.size :, None]) // 30) & (halves <= minute // 30)
    return np.concatenate((inside @ heard.rain_count[row], around @ heard.half_count[row]))


def _heads(heard: StationMemory, batch: Batch, before: Ints, begin: int) -> Ints:
    """The newest moment heard of each row before the batch's observation `begin`."""
    heads = heard.head.copy()
    heads[batch.row[begin:][::-1]] = before[begin:][::-1]  # of several the first counts
    return np.asarray(heads)


def _open(
    rule: QualityRule,
    near: Near,
    heard: StationMemory,
    batch: Batch,
    before: Ints,
    rain: Rained,
    part: slice,
) -> Ints:
    """Gauges that can have reached a limit, and whose neighbours do not agree whatever the order."""
    row, minute, count = rain.row[part], rain.minute[part], rain.amount[part]
    total = np.bincount(row, np.maximum(count, 0), heard.head.size).astype(np.int64)
    rows: Ints = np.flatnonzero(total)  # what only takes away reaches nothing
    low, high = int(minute.min()), int(minute.max())
    if not rows.size:
        return rows
    least = near.limit[rows].min(axis=1)
    rows = rows[heard.sums(rows, high, 1440 + _CHUNK + 60) + total[rows] >= least]
    if not rows.size:
        return rows
    begin, end = int(rain.nth[part][0]), int(rain.nth[part][-1])
    heads = _heads(heard, batch, before, begin)
    beside = near.near[rows]
    live = (beside >= 0) & (heads[beside] // _MINUTE >= high - _LIVE)
    np.maximum.at(heads, batch.row[begin : end + 1], batch.at[begin : end + 1])
    alone = ~((beside >= 0) & (heads[beside] // _MINUTE >= low - _LIVE)).any(axis=1)
    unsure = np.zeros(rows.size, np.bool_)
    for n, w in enumerate(near.windows):
        own = heard.sums(rows, high, w + high - low) + total[rows]
        hot = own >= near.limit[rows, n]
        if not hot.any():
            continue
        asked = hot & ~alone
        some = np.maximum(beside[asked], 0)
        held = heard.sums(some, low, w + _MORE - (high - low))
        best = np.where(live[asked], held, -1).max(axis=1, initial=-1)
        parts = -(-(w + _MORE) // w) if w <= LONG else 1  # one of them has its share of the whole
        unsure[np.nonzero(asked)[0]] |= best < rule.rain_neighbour_share * own[asked] * parts
        most = near.seasons.at(low * _MINUTE), near.seasons.at(high * _MINUTE)
        some = np.nonzero(hot & alone & ~unsure)[0]
        for v in _spans(w) if some.size else ():
            fell = heard.sums(rows[some], high, v + high - low) + total[rows[some]]
            unsure[some] |= fell > min(b.most(v * _MINUTE) for b in most)
    return np.asarray(rows[unsure])


def _spans(window: int) -> list[int]:
    """Over how many minutes a sum of a window is held against the climate."""
    return [v for v in (2, 3, 5, 10, window) if v <= window]


def clogged(
    rule: QualityRule, near: Near, heard: StationMemory, heard_now: Bools, were: frozenset[int]
) -> set[int]:
    """Rows that stay dry among wet ones. heard_now: of each row, whether it reports; were: those that
    were so before."""
    found: set[int] = set()
    at_most = heard.at_most()
    wet = at_most >= rule.clog_near_mm * 10
    if not were and not wet.any():
        return found
    rows = np.nonzero(heard_now & (near.near >= 0).any(axis=1))[0]
    beside = np.maximum(near.near[rows], 0)
    live = (near.near[rows] >= 0) & heard_now[beside]
    live &= live.cumsum(axis=1) <= _NEAREST
    # only who was so, or whose neighbours can all have what they must; and has not its share of that
    able: Bools = np.asarray((wet[beside] | ~live).all(axis=1) & live.any(axis=1))
    able[np.isin(rows, list(were))] = True
    rows, beside, live = rows[able], beside[able], live[able]
    ends = heard.head[rows] // _MINUTE
    own = heard.sums(rows, ends, 60)
    able = own <= rule.clog_share * np.where(live, at_most[beside], NEVER).min(axis=1)
    rows, beside, live, ends, own = rows[able], beside[able], live[able], ends[able], own[able]
    if not rows.size:
        return found
    fell = np.zeros(live.shape, np.int64)
    fell[live] = heard.sums(beside[live], np.repeat(ends, live.sum(axis=1)), 60)
    least = np.where(live, fell, NEVER).min(axis=1)
    most = np.where(live, fell, -1).max(axis=1)
    enough = live.sum(axis=1) >= 2
    dry = own <= rule.clog_share * least
    begins = enough & dry & (least >= rule.clog_near_mm * 10)
    stays = np.isin(rows, list(were)) & (most >= rule.clog_near_mm * 5) & dry
    return set(rows[begins | stays].tolist())


def limits_of(
    rule_rows: Sequence[Sequence[int]],
    windows: tuple[int, ...],
    lowest: npt.NDArray[np.int64],
    extreme: int,
) -> tuple[tuple[int, ...], Ints]:
    """`Near.windows` and `Near.limit`. rule_rows: of each row of the memory its rows of the rule;
    lowest: (rows of the rule, windows), the lowest order of each; extreme: of ten minutes, for all."""
    every = tuple(sorted({*windows, 10}))
    limit = np.full((len(rule_rows), len(every)), NEVER, np.int64)
    for n, of in enumerate(rule_rows):
        for r in of:
            for w, window in enumerate(windows):
                at = every.index(window)
                limit[n, at] = min(int(limit[n, at]), int(lowest[r, w]))
    ten = every.index(10)
    limit[:, ten] = np.minimum(limit[:, ten], extreme)
    return every, limit


def padded(near: Mapping[int, Sequence[int]], rows: int) -> Ints:
    """`Near.near`, of rows by row, nearest first."""
    width = max((len(x) for x in near.values()), default=0)
    found = np.full((rows, max(1, width)), -1, np.int64)
    for row, beside in near.items():
        found[row, : len(beside)] = beside
    return found
