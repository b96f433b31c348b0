"""A station's record on the slots of a rule, the rule's value at each of them, and its alarms.

The same score function and the same level machine as live, over arrays: `standing` gives what
`detectors.engine.hysteresis` gives with one level, without its loop (a test holds the two against another).
What is left out is what a record does not tell: how late a reading came, doubt, silence.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from config.records.quantity import QUANTITIES
from detectors.engine.window_rule import Floats, Ints, Kind, View
from skill.verify.hindcast import Readings

_ELEMENTS = 1_000_000
_HAIR = 1e-9


class Track(NamedTuple):
    """values: (slots,) of the whole record, NaN where nothing was heard; heard: the slots that
    were; at: (heard,) their ends, ms."""

    station: str
    quantity: str
    slot_s: int
    values: Floats
    heard: Ints
    at: Ints


def step_s(readings: Readings, station: str, quantity: str) -> int:
    """The shortest slot of whole minutes that divides a day and holds the usual step."""
    at = _mine(readings, station, quantity)[0]
    usual = float(np.median(np.diff(at))) / 1000 if at.size > 1 else 3600.0
    fits = [m * 60 for m in range(1, 1441) if 1440 % m == 0 and m * 60 >= usual - 1]
    return fits[0] if fits else 86_400


def track(readings: Readings, station: str, quantity: str, slot_s: int, gather: str) -> Track:
    """Values outside the physical range left out, as live."""
    at, counts = _mine(readings, station, quantity)
    slot = -(-at // (slot_s * 1000))
    if not slot.size:
        none = np.zeros(0, np.int64)
        return Track(station, quantity, slot_s, np.zeros(0), none, none)
    first = int(slot[0])
    values = np.full(int(slot[-1]) - first + 1, np.nan)
    put = {"sum": np.add, "max": np.maximum, "min": np.minimum}[gather]
    start = {"sum": 0.0, "max": -np.inf, "min": np.inf}[gather]
    values[slot - first] = start
    put.at(values, slot - first, counts / QUANTITIES[quantity].per_unit)
    heard = np.nonzero(~np.isnan(values))[0]
    return Track(station, quantity, slot_s, values, heard, (heard + first) * (slot_s * 1000))


def _mine(readings: Readings, station: str, quantity: str) -> tuple[Ints, Ints]:
    q = QUANTITIES[quantity]
    mine = readings.of(station, quantity)
    counts = readings.counts[mine].astype(np.int64)  # a narrow one would make half a float of it
    fine = (counts >= q.low) & (counts <= q.high)
    return readings.at[mine][fine], counts[fine]


def windows(values: Floats, width: int) -> Floats:
    """(slots, width): what the rule sees at each slot."""
    seen: Floats = sliding_window_view(np.concatenate((np.full(width - 1, np.nan), values)), width)
    return seen


def alongside(readings: Readings, station: str, quantity: str, t: Track) -> Track:
    """Another station's record on the slots of `t`: rain summed up, levels by their highest."""
    gather = "sum" if QUANTITIES[quantity].kind == "interval" else "max"
    other = track(readings, station, quantity, t.slot_s, gather)
    values = np.full(t.values.size, np.nan)
    if t.at.size and other.at.size:
        shift = (_first(other) - _first(t)) // (t.slot_s * 1000)
        into = slice(max(shift, 0), max(min(shift + other.values.size, values.size), 0))
        values[into] = other.values[into.start - shift : into.stop - shift]
    return other._replace(values=values)


def _first(t: Track) -> int:
    """The end of its first slot, ms."""
    return int(t.at[0]) - int(t.heard[0]) * t.slot_s * 1000


def views(
    t: Track, beside: Sequence[Track], width: int, weights: Sequence[float] = ()
) -> Iterator[tuple[slice, View]]:
    """What a rule sees at each slot that was heard, many at once. weights: of the inputs; away: 1."""
    seen = [windows(x.values, width) for x in (t, *beside)]
    quantities = (t.quantity, *(x.quantity for x in beside)) if beside else ()
    step = max(1, _ELEMENTS // (width * len(seen)))
    for n in range(0, t.heard.size, step):
        part = slice(n, n + step)
        at, slots = t.at[part], t.heard[part]
        values = np.stack([s[slots] for s in seen], axis=1)
        each = np.broadcast_to(np.array(weights or [1.0] * len(seen)), (at.size, len(seen)))
        yield part, View(values, at, t.slot_s, each, quantities)


def values_of(
    kind: Kind,
    parameters: Any,
    t: Track,
    beside: Sequence[Track] = (),
    weights: Sequence[float] = (),
) -> Floats:
    """(heard,) the rule's value at each slot that was heard."""
    out = np.full(t.heard.size, np.nan)
    score = kind.plain or kind.score
    for part, view in views(t, beside, kind.span(parameters), weights):
        out[part] = score(parameters, view).value
    return out


def spans(t: Track) -> list[tuple[int, int]]:
    """When it was observed, ms: cut where nothing was heard for ten slots and an hour."""
    return _cut(t.at, t.slot_s)


def observed(readings: Readings, station: str, quantity: str) -> list[tuple[int, int]]:
    """`spans` of a station on slots of its usual step, without its values."""
    slot_ms = step_s(readings, station, quantity) * 1000
    at = _mine(readings, station, quantity)[0]
    slot = -(-at // slot_ms)
    return _cut(slot[np.flatnonzero(np.diff(slot, prepend=-1))] * slot_ms, slot_ms // 1000)


def _cut(at: Ints, slot_s: int) -> list[tuple[int, int]]:
    if not at.size:
        return []
    far = max(10 * slot_s, 3600) * 1000
    cut = np.nonzero(np.diff(at) > far)[0]
    begins, ends = np.append(0, cut + 1), np.append(cut, at.size - 1)
    return [(int(at[b]), int(at[e])) for b, e in zip(begins, ends, strict=True)]


def near(value: Floats, lowest: float) -> Ints:
    """The judgements that matter to `standing` at thresholds from `lowest` on, or below by `clear` 1."""
    found: Ints = np.nonzero(~(value < lowest - _HAIR * max(1.0, abs(lowest))))[0]
    return found


class Crossed(NamedTuple):
    """Where a value crosses a threshold. kept: indices of the judgements that are not below what is kept;
    runs: the last of each unbroken run of these, up: those that reach the threshold, both places in
    `kept`."""

    kept: Ints
    runs: Ints
    up: Ints


def crossed(value: Floats, limit: float, clear: float, among: Ints | None = None) -> Crossed:
    """Up where value >= limit; kept where value >= limit - |limit| (1 - clear) or unknown. among: of
    `near`, so that many thresholds need not look at all values."""
    hair = _HAIR * max(1.0, abs(limit))
    lowest = limit - abs(limit) * (1 - clear) - hair
    if among is None:
        kept = np.nonzero(~(value < lowest))[0]
        high = value[kept]
    else:
        high = value[among]
        stays = ~(high < lowest)
        kept, high = among[stays], high[stays]
    last = np.ones(kept.size, np.bool_)
    np.greater(kept[1:] - kept[:-1], 1, out=last[:-1])
    return Crossed(kept, last.nonzero()[0], (high >= limit - hair).nonzero()[0])


def standing(at: Ints, c: Crossed, hold_min: int) -> tuple[Ints, Ints]:
    """Indices at which an alarm starts, and at which it ends (the last one if it still stands): down once
    every judgement for `hold_min` since the first that was not kept was not either."""
    kept, runs, up = c
    if not up.size:
        none = np.zeros(0, np.int64)
        return none, none
    ends = kept[runs]
    falls = at.searchsorted(at[np.minimum(ends + 1, at.size - 1)] + hold_min * 60_000)
    falls = np.maximum(falls, ends + 2)  # the hold is armed in one judgement, ends in another
    last = np.ones(runs.size, np.bool_)
    np.less(falls[:-1], kept[runs[:-1] + 1], out=last[:-1])
    closing, fall = runs[last], np.minimum(falls[last], at.size - 1)
    begins = np.zeros(closing.size, np.int64)
    begins[1:] = closing[:-1] + 1
    first = up.searchsorted(begins)
    start = np.where(first < up.size, up[np.minimum(first, up.size - 1)], kept.size)
    real = start <= closing
    return kept[start[real]], fall[real]
