r"""Which rule, with which parameters and threshold, warns best of a record's events.

A grid of few parameters, each candidate run over the whole record, its alarms matched as in `match`,
its counts kept by block of time (months, or weeks of a short record). The objective is
hits / (hits + cost misses + false alarms), CSI where cost is 1, averaged over neighbouring
thresholds (1, 2, 1) so that a lone lucky one does not win; of equals the simpler one is taken.

Cross-validation leaves out one block at a time, chooses anew from all candidates on the others,
and counts what that choice does on the block left out. So the choice of the family is inside it.
What is shared by all folds: the events' flood level and the usual stage (they define the scale),
and the rungs of thresholds tried. Source: Stone 1974, J. R. Stat. Soc. B 36:111–147.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from detectors.engine.window_rule import Floats, Ints
from detectors.setup.registry import KINDS
from detectors.water.stage_score import base, rise
from skill.series.track import Track, standing, values_of, windows
from skill.verify.match import Event

_RUNGS = 28
_BASE_H = 48
_RISES = (15, 30, 60, 120)
_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_BASES = (0.0, 0.5, 1.0, 1.5, 2.0)
Valued = tuple[str, dict[str, Any], list[Floats]]  # kind, parameters, value in each place


class Place(NamedTuple):
    """An area to be warned: one of its stations, and its events. scale: zero and flood level, m
    (stage only). seen: of each event, was its window observed at all?"""

    area: str
    track: Track
    scale: tuple[float, float]
    starts: Ints
    ends: Ints
    seen: Ints


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


class Validated(NamedTuple):
    """counts: (blocks, 3) of the held-out blocks; chosen: the row each fold took."""

    counts: Ints
    chosen: list[int]


def block_starts(first: int, last: int) -> Ints:
    """Months, or weeks where the record is shorter than four months; ms."""
    months = np.arange(
        np.datetime64(first, "ms").astype("datetime64[M]"),
        np.datetime64(last, "ms").astype("datetime64[M]") + 1,
    )
    if months.size >= 4:
        starts: Ints = months.astype("datetime64[ms]").astype(np.int64)
        return starts
    return np.arange(first, last + 1, 7 * 86_400_000, dtype=np.int64)


def seen(starts: Ints, spans: Sequence[tuple[int, int]], terms: Terms) -> Ints:
    """1 where an event's window was observed at some moment, as `match` has it."""
    found = np.zeros(starts.size, np.int64)
    for begin, end in spans:
        found |= (begin <= starts - terms.min_lead_ms) & (end >= starts - terms.window_ms)
    return found


def tally(
    place: Place, value: Floats, c: Candidate, limit: float, terms: Terms, blocks: Ints
) -> Ints:
    """(blocks, 3): hits, misses, false alarms of one rule in one area; `match` in arrays."""
    out = np.zeros((blocks.size, 3), np.int64)
    begin, end = standing(place.track.at, value, limit, c.clear, c.hold_min)
    start, stop = place.track.at[begin], place.track.at[end]
    if start.size:
        new = np.append(True, start[1:] - np.maximum.accumulate(stop)[:-1] > terms.merge_gap_ms)
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


# --- candidates


def stage_values(places: Sequence[Place]) -> Iterator[Valued]:
    """Parameters of `stage_score` and its value in each place; terms shared by many are made once."""
    slot_s = places[0].track.slot_s
    rises = [r for r in _RISES if r * 60 % slot_s == 0 and r * 60 >= slot_s]
    rises = rises or [k * slot_s // 60 for k in (1, 3, 6)]
    now, usual = [], []
    for p in places:
        zero, flood = p.scale
        seen_ = windows((p.track.values - zero) / (flood - zero), _BASE_H * 3600 // slot_s)
        now.append(seen_[p.track.heard, -1])
        parts = [
            base(seen_[p.track.heard[n : n + 20_000]], seen_.shape[1], max(1, 3600 // slot_s))
            for n in range(0, p.track.heard.size, 20_000)
        ]
        usual.append(np.nan_to_num(np.concatenate(parts)))
    grown = {}
    for r in rises:
        slots = r * 60 // slot_s
        grown[r] = [
            np.maximum(
                rise(
                    windows((p.track.values - p.scale[0]) / (p.scale[1] - p.scale[0]), slots + 1)[
                        p.track.heard
                    ],
                    slots,
                ),
                0,
            )
            for p in places
        ]
    for b, w, r in product(_BASES, _WEIGHTS, rises):
        if w or r == rises[0]:
            parameters = {
                "rise_min": r,
                "rise_weight": w,
                "base_h": _BASE_H,
                "base_weight": b,
                "slot_min": slot_s // 60,
            }
            yield (
                "stage_score",
                parameters,
                [
                    n + w * g - b * u if b else n + w * g
                    for n, g, u in zip(now, grown[r], usual, strict=True)
                ],
            )


def rain_values(places: Sequence[Place]) -> Iterator[Valued]:
    """Sums, sums with what fell before, and effective rain: kinds that already run live."""
    grid: list[tuple[str, dict[str, Any]]] = [
        ("cumulative_rain", {"over_h": h, "slot_min": 60}) for h in (1, 3, 6, 12, 24, 48, 72)
    ]
    grid += [
        ("antecedent_rain", {"decay_per_day": k, "days": 15, "current_h": h})
        for k, h in product((0.5, 0.85), (0, 24))
    ]
    grid += [
        ("recent_prior_rain", {"recent_days": d, "prior_days": 15, "b": b})
        for d, b in product((1, 3), (0.33, 0.67))
    ]
    for name, parameters in grid:
        kind = KINDS[name]
        made = kind.parameters(**parameters)
        yield name, parameters, [values_of(kind, made, p.track) for p in places]


def rungs(values: Sequence[Floats]) -> Floats:
    """Thresholds worth trying: from about twenty readings above it to one in twenty-five."""
    all_ = np.concatenate(values)
    known = np.sort(all_[~np.isnan(all_)])[::-1]
    if known.size < 2:
        return np.zeros(0)
    most = max(known.size // 25, min(60, known.size - 1))
    least = min(max(3, known.size // 20_000), most)
    at = np.unique(np.geomspace(least, most, _RUNGS).astype(np.int64))
    found: Floats = np.unique(np.array([float(f"{known[n]:.3g}") for n in at]))
    return found


def table(choices: Sequence[Sequence[Place]], quantity: str, terms: Terms, blocks: Ints) -> Table:
    """Every candidate at every rung, over all places. choices: one list of places a set of stations."""
    candidates: list[Candidate] = []
    which: list[int] = []
    limits: list[float] = []
    counts: list[Ints] = []
    hold_min = terms.window_ms // 60_000  # one warning stands as long as it speaks for
    for choice, places in enumerate(choices):
        found = stage_values(places) if quantity == "stage" else rain_values(places)
        for kind, parameters, values in found:
            c = Candidate(kind, parameters, choice, 1.0, hold_min)
            for limit in rungs(values).tolist():
                each = [
                    tally(p, v, c, limit, terms, blocks)
                    for p, v in zip(places, values, strict=True)
                ]
                which.append(len(candidates))
                limits.append(limit)
                counts.append(np.sum(each, axis=0))
            candidates.append(c)
    filled = np.array(counts, np.int64).reshape((len(counts), blocks.size, 3))
    return Table(candidates, np.array(which, np.int64), np.array(limits), filled)


# --- choice


def objective(counts: Ints, cost: float) -> Floats:
    """(…, 3) -> hits / (hits + cost misses + false alarms); 0 where nothing was to be said."""
    hits, misses, false = (counts[..., n].astype(np.float64) for n in range(3))
    below = hits + cost * misses + false
    found: Floats = np.divide(hits, below, out=np.zeros_like(hits), where=below > 0)
    return found


def choose(t: Table, use: Ints, cost: float) -> int:
    """The row whose objective, smoothed along its ladder, is best on the blocks `use`."""
    value = objective(t.counts[:, use].sum(axis=1), cost)
    padded = np.concatenate(([0.0], value, [0.0]))
    same = np.concatenate(([-1], t.which, [-1]))
    total, weight = 2 * value, np.full(value.size, 2.0)
    for shift in (0, 2):
        beside = same[shift : shift + value.size] == t.which
        total = total + np.where(beside, padded[shift : shift + value.size], 0)
        weight = weight + beside
    smooth = total / weight
    return int(np.argmax(np.round(smooth, 9)))  # the first of equals is the simplest


def validate(t: Table, folds: Ints, cost: float) -> Validated:
    """folds: (blocks,) which fold each block is in."""
    out = np.zeros(t.counts.shape[1:], np.int64)
    chosen = []
    for fold in np.unique(folds):
        row = choose(t, np.nonzero(folds != fold)[0], cost)
        held = folds == fold
        out[held] = t.counts[row][held]
        chosen.append(row)
    return Validated(out, chosen)


def places_events(events: Sequence[Event], area: str) -> tuple[Ints, Ints]:
    mine = [e for e in events if e.area == area]
    return (
        np.array([e.start_at for e in mine], np.int64),
        np.array([e.end_at for e in mine], np.int64),
    )
