r"""What a candidate rule makes of a record's events: its alarms at a threshold, matched as in `match`,
counted by block of time (months, or weeks where few months have events).

The objective is hits / (hits + cost misses + false alarms), CSI where cost is 1, averaged over
neighbouring thresholds (1, 2, 1) so that a lone lucky one does not win; of equals the simpler one is
taken. Which candidates there are: `families`; how they are chosen and measured: `nested`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from detectors.engine.window_rule import Floats, Ints
from skill.series.track import Crossed, Track, crossed, near, standing
from skill.verify.match import Event

RUNGS = 30
Valued = tuple[str, dict[str, Any], list[Floats]]  # kind, parameters, value in each place


class Place(NamedTuple):
    """An area to be warned: one of its stations, and its events. scale: zero and flood level, m or
    m3/s (of a level only). seen: of each event, was its window observed at all? beside: other stations
    on the same slots, the first slot being the track's."""

    area: str
    track: Track
    scale: tuple[float, float]
    starts: Ints
    ends: Ints
    seen: Ints
    beside: tuple[Track, ...] = ()


class Candidate(NamedTuple):
    """A rule without its threshold. parameters: without the scale of an area."""

    kind: str
    parameters: dict[str, Any]
    choice: int  # which set of stations
    clear: float
    hold_min: int


class Terms(NamedTuple):
    """What counts as a hit."""

    min_lead_ms: int
    window_ms: int
    merge_gap_ms: int


class Table(NamedTuple):
    """Rows of candidate and limit; counts: (rows, blocks, 3) hits, misses, false alarms."""

    candidates: list[Candidate]
    which: Ints
    limit: Floats
    counts: Ints


def block_starts(first: int, last: int, events: Ints | None = None) -> Ints:
    """Months, or weeks where the record is shorter than four months or its events (their starts) lie
    in less than five of its months; ms."""
    months = np.arange(
        np.datetime64(first, "ms").astype("datetime64[M]"),
        np.datetime64(last, "ms").astype("datetime64[M]") + 1,
    )
    weeks = np.arange(first, last + 1, 7 * 86_400_000, dtype=np.int64)
    starts: Ints = months.astype("datetime64[ms]").astype(np.int64)
    if events is not None and months.size >= 4:
        of = [np.unique(np.searchsorted(x, events, "right")).size for x in (starts, weeks)]
        return weeks if of[0] < 5 and of[1] > of[0] else starts
    return starts if months.size >= 4 else weeks


def seen(starts: Ints, spans: Sequence[tuple[int, int]], terms: Terms) -> Ints:
    """1 where an event's window was observed at some moment, as `match` has it."""
    found = np.zeros(starts.size, np.int64)
    for begin, end in spans:
        found |= (begin <= starts - terms.min_lead_ms) & (end >= starts - terms.window_ms)
    return found


def tally(place: Place, where: Crossed, hold_min: int, terms: Terms, blocks: Ints) -> Ints:
    """(blocks, 3): hits, misses, false alarms of one rule in one area; `match` in arrays."""
    out = np.zeros((blocks.size, 3), np.int64)
    begin, end = standing(place.track.at, where, hold_min)
    start, stop = place.track.at[begin], place.track.at[end]
    if start.size > 1:
        new = np.ones(start.size, np.bool_)
        gap = start[1:] - np.maximum.accumulate(stop)[:-1]
        np.greater(gap, terms.merge_gap_ms, out=new[1:])
        start = start[new]
    known = place.seen > 0
    lag = place.starts[None] - start[:, None]
    early = (lag >= terms.min_lead_ms) & (lag <= terms.window_ms)
    during = (lag < terms.min_lead_ms) & (start[:, None] <= place.ends[None])
    false = ~(early | during).any(axis=1)
    hit = early.any(axis=0)
    at = np.maximum(np.searchsorted(blocks, place.starts, "right") - 1, 0)
    np.add.at(out[:, 0], at[hit & known], 1)
    np.add.at(out[:, 1], at[~hit & known], 1)
    np.add.at(out[:, 2], np.searchsorted(blocks, start[false], "right") - 1, 1)
    return out


def flooded(places: Sequence[Place]) -> int:
    """Slots of all places that were heard during an event."""
    return sum(
        int(np.searchsorted(p.track.at, b, "right") - np.searchsorted(p.track.at, a))
        for p in places
        for a, b in zip(p.starts, p.ends, strict=True)
    )


def rungs(values: Sequence[Floats], events: int = 0) -> Floats:
    """Thresholds worth trying: from about twenty readings above it to one in sixteen, and to three
    times as many as there are slots of `events`: a threshold must lie below the flood level."""
    all_ = np.concatenate(values)
    known = np.sort(all_[~np.isnan(all_)])[::-1]
    if known.size < 2:
        return np.zeros(0)
    most = max(known.size // 16, min(60, known.size - 1), min(known.size // 3, 3 * events))
    least = min(max(3, known.size // 20_000), most)
    at = np.unique(np.geomspace(least, most, RUNGS).astype(np.int64))
    found: Floats = np.unique(np.array([float(f"{known[n]:.3g}") for n in at]))
    return found


def table(
    found: Iterable[Valued],
    choice: int,
    places: Sequence[Place],
    holds: Sequence[int],
    terms: Terms,
    blocks: Ints,
    limits: Floats | None = None,
) -> Table:
    """Every candidate at every rung (`limits`, or those of its own values) and hold, over all places.
    choice: which set of places they are."""
    candidates: list[Candidate] = []
    which: list[int] = []
    at: list[float] = []
    counts: list[Ints] = []
    many = flooded(places)
    for kind, parameters, values in found:
        tried = rungs(values, many) if limits is None else limits
        low = float(tried[0]) if tried.size else 0.0
        among = [near(v, low) for v in values]
        each = np.zeros((len(holds), tried.size, blocks.size, 3), np.int64)
        for n, limit in enumerate(tried.tolist()):
            for place, value, some in zip(places, values, among, strict=True):
                where = crossed(value, limit, 1.0, some)
                for h, hold_min in enumerate(holds):
                    each[h, n] += tally(place, where, hold_min, terms, blocks)
        for of, hold_min in zip(each, holds, strict=True):
            which += [len(candidates)] * tried.size
            at += tried.tolist()
            counts.extend(of)
            candidates.append(Candidate(kind, parameters, choice, 1.0, hold_min))
    filled = np.array(counts, np.int64).reshape((len(counts), blocks.size, 3))
    return Table(candidates, np.array(which, np.int64), np.array(at), filled)


def joined(parts: Sequence[Table]) -> Table:
    """One below the other."""
    shift = np.cumsum([0] + [len(p.candidates) for p in parts])
    return Table(
        [c for p in parts for c in p.candidates],
        np.concatenate([p.which + s for p, s in zip(parts, shift, strict=False)]),
        np.concatenate([p.limit for p in parts]),
        np.concatenate([p.counts for p in parts]),
    )


# --- choice


def objective(counts: Ints, cost: float) -> Floats:
    """(…, 3) -> hits / (hits + cost misses + false alarms); 0 where nothing was to be said."""
    hits, misses, false = (counts[..., n].astype(np.float64) for n in range(3))
    below = hits + cost * misses + false
    found: Floats = np.divide(hits, below, out=np.zeros_like(hits), where=below > 0)
    return found


def smoothed(which: Ints, counts: Ints, cost: float) -> Floats:
    """(rows, 3) -> the objective of each row, averaged with its neighbours on the same ladder."""
    value = objective(counts, cost)
    padded = np.concatenate(([0.0], value, [0.0]))
    same = np.concatenate(([-1], which, [-1]))
    total, weight = 2 * value, np.full(value.size, 2.0)
    for shift in (0, 2):
        beside = same[shift : shift + value.size] == which
        total = total + np.where(beside, padded[shift : shift + value.size], 0)
        weight = weight + beside
    found: Floats = np.round(total / weight, 9)
    return found


def choose(t: Table, use: Ints, cost: float) -> int:
    """The row whose objective, smoothed along its ladder, is best on the blocks `use`."""
    value = smoothed(t.which, t.counts[:, use].sum(axis=1), cost)
    return int(np.argmax(value))  # the first of equals is the simplest


def places_events(events: Sequence[Event], area: str) -> tuple[Ints, Ints]:
    mine = [e for e in events if e.area == area]
    return (
        np.array([e.start_at for e in mine], np.int64),
        np.array([e.end_at for e in mine], np.int64),
    )
