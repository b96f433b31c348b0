"""The chances of `level_forecast` on a record, each event forecast with a prior fitted to the others.

An event is a time at or above the level, with times no more than a day apart taken together; the record is
cut midway between events, and the pieces, each with one whole event, are dealt into at most `PARTS` parts.
Every part is forecast by the rule with the parameters (of a few candidates) and the prior (bias, spread and
ceiling by horizon) that have the least Brier score on the other parts. Judged are moments below the level, at
whole quarters of an hour or slots: what stands above it already is measured. Beside it, fitted on the same
parts: `climatology`, how often it came on the others; `persistence`, the level stays (never); `level alone`,
the same distribution that knows nothing but how far the level is away; and, not fitted at all, `unfitted`, the
rule with its defaults, as a place without a record has it (the first of the candidates). A candidate with
rain must be a tenth better than one without.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints, View
from detectors.water.level_forecast import HORIZONS_MIN, LevelForecast, expectation, seen, span
from detectors.water.rise_chance import Prior, Sums, chance, learned
from skill.forecast.reliability import Reliability, bins, brier

PARTS = 10
OTHERS = ("climatology", "persistence", "level alone", "unfitted")
_APART_S = 86_400
_EVERY_S = 900
_CHUNK = 1024
_BIAS = np.arange(-2.0, 2.01, 0.4)
_SPREAD = (0.2, 0.3, 0.45, 0.7, 1.0, 1.4)
_CEILING = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5)


class FittedPrior(NamedTuple):
    """The prior of one horizon."""

    bias: float
    spread: float
    ceiling: float


class ForecastMoments(NamedTuple):
    """Of one horizon: the slot, how far the level is below `reach`, the rise to expect, the errors so far,
    whether it came, and the event that each moment is nearest to."""

    at: Ints
    climb: Floats
    expected: Floats
    sums: Sums
    came: Bools
    event: Ints

    def of(self, which: Bools) -> "ForecastMoments":
        """Some of them."""
        sums = Sums(*(x[which] for x in self.sums))
        own = self._replace(sums=sums)
        return own._replace(**{n: getattr(self, n)[which] for n in _COLUMNS})


_COLUMNS = ("at", "climb", "expected", "came", "event")


class MeasuredChances(NamedTuple):
    """What came of a record. chosen: the parameters, with the prior of all events, to be used from now on."""

    found: tuple[Reliability, ...]
    chosen: LevelForecast
    events: int


def events_of(level: Floats, reach: float, slot_s: int) -> Ints:
    """(slots,) the number of the event that each slot is nearest to; all 0 where there is at most one."""
    above = np.nonzero(level >= reach)[0]
    if not above.size:
        return np.zeros(level.size, np.int64)
    gap = np.diff(above) * slot_s > _APART_S
    first, last = above[np.r_[True, gap]], above[np.r_[gap, True]]
    middle = (last[:-1] + first[1:]) // 2
    return np.searchsorted(middle, np.arange(level.size), side="left").astype(np.int64)


def moments(p: LevelForecast, level: Floats, rain: Floats | None) -> dict[int, ForecastMoments]:
    """By horizon, of slots of `p.slot_min` in order of time; NaN where nothing was heard."""
    slot_s, width = p.slot_min * 60, span(p)
    event = events_of(level, p.reach, slot_s)
    inputs = level[None] if rain is None else np.stack((level, rain))
    quantities = () if rain is None else ("stage", "rain")
    windows = np.moveaxis(sliding_window_view(inputs, width, axis=1), 1, 0)
    minutes = [h for h in HORIZONS_MIN if h % p.slot_min == 0]
    ends = np.arange(width - 1, level.size, max(1, _EVERY_S // slot_s))
    parts: dict[int, list[ForecastMoments]] = {h: [] for h in minutes}
    for n in range(0, ends.size, _CHUNK):
        end = ends[n : n + _CHUNK]
        values = np.ascontiguousarray(windows[end - width + 1])
        ones = np.ones(values.shape[:2])
        held = seen(p, View(values, end * slot_s * 1000, slot_s, ones, quantities))
        climb = p.reach - held.here[:, -1]
        for h in minutes:
            expected, sums = expectation(p, held, h * 60 // slot_s)
            ahead = end[:, None] + np.arange(1, h * 60 // slot_s + 1)
            inside = ahead[:, -1] < level.size
            later = level[np.minimum(ahead, level.size - 1)]
            known = inside & ~np.isnan(later[:, -1]) & (climb > 0) & ~np.isnan(expected)
            came = np.nan_to_num(later, nan=-np.inf).max(axis=1) >= p.reach
            parts[h].append(ForecastMoments(end, climb, expected, sums, came, event[end]).of(known))
    return {h: _joined(of) for h, of in parts.items()}


def _joined(parts: Sequence[ForecastMoments]) -> ForecastMoments:
    columns = {name: np.concatenate([getattr(m, name) for m in parts]) for name in _COLUMNS}
    sums = Sums(*(np.concatenate(x) for x in zip(*(m.sums for m in parts), strict=True)))
    return ForecastMoments(sums=sums, **columns)


def _alike(of: Sequence[dict[int, ForecastMoments]]) -> list[dict[int, ForecastMoments]]:
    """The moments that every candidate can judge."""
    found: list[dict[int, ForecastMoments]] = [{} for _ in of]
    for h in of[0]:
        all_ = of[0][h].at
        for m in of[1:]:
            all_ = np.intersect1d(all_, m[h].at)
        for mine, m in zip(found, of, strict=True):
            mine[h] = m[h].of(np.isin(m[h].at, all_))
    return found


def said(p: LevelForecast, m: ForecastMoments, prior: FittedPrior) -> Floats:
    """The chances."""
    errors = learned(m.sums, Prior(prior.bias, prior.spread, p.prior_n))
    return chance(m.climb, m.expected, errors, p.least, prior.ceiling)


def fit(p: LevelForecast, m: ForecastMoments) -> tuple[FittedPrior, float]:
    """The prior with the least Brier score, on a grid and once more halfway around its best, and that score."""

    def best(tried: Sequence[FittedPrior]) -> tuple[float, FittedPrior]:
        return min((brier(said(p, m, f), m.came), f) for f in tried)

    score, at = best([FittedPrior(float(b), s, _CEILING[0]) for b in _BIAS for s in _SPREAD])
    for _ in range(2):
        score, at = best([at._replace(ceiling=c) for c in _CEILING])
        near = [
            at._replace(
                bias=float(np.clip(at.bias + b, -5, 5)),
                spread=float(np.clip(at.spread * s, 0.05, 5)),
            )
            for b in (-0.2, 0.0, 0.2)
            for s in (0.8, 1.0, 1.25)
        ]
        score, at = best(near)
    return at, score


def _cost(p: LevelForecast, score: float) -> float:
    """A candidate with rain must be a tenth better."""
    return score * (1.1 if p.runoff else 1.0)


def default(horizon_min: int) -> FittedPrior:
    """The prior of the rule's defaults."""
    p, nth = LevelForecast(reach=0.0), HORIZONS_MIN.index(horizon_min)
    return FittedPrior(p.bias[nth], p.spread[nth], p.ceiling)


def _level_alone(m: ForecastMoments) -> ForecastMoments:
    """What would be known without any forecast: nothing is expected, and no error was seen."""
    return m._replace(
        expected=np.zeros_like(m.expected), sums=Sums(*(np.zeros_like(x) for x in m.sums))
    )


def measured(
    candidates: Sequence[LevelForecast], level: Floats, rain: Floats | None
) -> MeasuredChances:
    """Every part forecast by what was fitted to the others. Raises ValueError: fewer than two events."""
    slot_s = candidates[0].slot_min * 60
    events = int(events_of(level, candidates[0].reach, slot_s).max()) + 1
    if events < 2:
        raise ValueError("fewer than two events")
    parts = min(PARTS, events)
    of = _alike([moments(p, level, rain if p.runoff else None) for p in candidates])
    found = []
    for h in of[0]:
        whole = [m[h] for m in of]
        came, event = whole[0].came, whole[0].event
        many = came.size
        chances = {name: np.zeros(many) for name in ("", *OTHERS)}
        chances["unfitted"] = said(candidates[0], whole[0], default(h))
        for part in range(parts):
            out = event % parts == part
            _forecast(candidates, whole, out, chances)
        scores = {name: brier(c, came) for name, c in chances.items()}
        shown = bins(chances[""], came, event)
        hit = np.unique(event[came]).size
        own = scores.pop("")
        found.append(Reliability(h, many, int(came.sum()), hit, own, scores, shown))
    return MeasuredChances(tuple(found), _chosen(candidates, of), events)


def _forecast(
    candidates: Sequence[LevelForecast],
    whole: Sequence[ForecastMoments],
    out: Bools,
    chances: dict[str, Floats],
) -> None:
    """One part, from the others, into `chances`."""
    fits = [fit(p, m.of(~out)) for p, m in zip(candidates, whole, strict=True)]
    k = min(range(len(fits)), key=lambda n: _cost(candidates[n], fits[n][1]))
    chances[""][out] = said(candidates[k], whole[k].of(out), fits[k][0])
    chances["climatology"][out] = whole[0].came[~out].mean()
    alone = _level_alone(whole[0])
    prior, _ = fit(candidates[0], alone.of(~out))
    chances["level alone"][out] = said(candidates[0], alone.of(out), prior)


def _chosen(
    candidates: Sequence[LevelForecast], of: Sequence[dict[int, ForecastMoments]]
) -> LevelForecast:
    """The candidate that is best over all horizons, with its prior of all events."""
    fits = [{h: fit(p, m) for h, m in ms.items()} for p, ms in zip(candidates, of, strict=True)]
    k = min(
        range(len(fits)), key=lambda n: _cost(candidates[n], sum(s for _, s in fits[n].values()))
    )
    p, mine = candidates[k], {h: f for h, (f, _) in fits[k].items()}
    bias = tuple(round(mine[h].bias, 2) + 0.0 if h in mine else 0.0 for h in HORIZONS_MIN)
    spread = tuple(round(mine[h].spread, 2) if h in mine else 0.6 for h in HORIZONS_MIN)
    ceiling = min(f.ceiling for f in mine.values())
    return msgspec.structs.replace(p, bias=bias, spread=spread, ceiling=ceiling)
