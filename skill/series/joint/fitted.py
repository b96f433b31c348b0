r"""Families that are fitted to the record itself: the level to come by least squares, the chance of an
event by a small logistic regression, both on a few physical terms of level and rain (`flood_score`).

The forecast is fitted to every hour of the record, so it rests on thousands of hours where there are
five events; only its threshold rests on the events. Both are fitted anew for every fold that is left
out, and for every two, from sums by fold (normal equations), so that no value by which a fold is
judged has seen it. What reaches from one fold into another belongs to neither. Ridge: Hoerl & Kennard
1970, Technometrics 12:55–67; the penalty is on terms brought to equal spread, the intercept has none.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from config.language import Text
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.storm.log_odds import chance
from detectors.water.flood_score import FloodScore, width
from detectors.water.flood_score import terms as terms_of
from detectors.water.stage_score import scaled
from skill.series.families import MANY, Rival, Told, whose_words
from skill.series.fit import Place, Table, Terms, flooded, joined, rungs, table
from skill.series.track import views

FITTED = "flood_score"
LEAST_EVENTS = 5
_RIDGE = 1e-3
_PRIOR = 3.0  # of the logistic: as many rows of doubt
_REACH = 1  # units of time past the lead in which the highest level is asked for
_ONE_IN = 5  # quiet rows that the logistic looks at, each for so many


class FitRows(NamedTuple):
    """FitRows of all places one below the other. fold: -1 where a row's outlook reaches over the edge of
    a fold, or is not known. x: terms at equal spread, a column of ones before them."""

    x: Floats
    y: Floats
    weight: Floats
    fold: Ints
    mean: Floats
    spread: Floats


class _Made(NamedTuple):
    """A candidate: its parameters, and values in each place: whole, held, and outer by fold."""

    parameters: dict[str, Any]
    whole: list[Floats]
    held: list[Floats]
    outer: list[list[Floats]]


def fitted(
    sets: Sequence[Sequence[Place]],
    first: int,
    terms: Terms,
    blocks: Ints,
    folds: Ints,
    told: Told = lambda _: None,
) -> list[Rival]:
    """The forecast and the chance on sets of places with a level; first: the number of the first set.
    None with too few events or folds: what is fitted must be left out of two."""
    many = int(folds.max()) + 1
    if many < 3 or not any(_enough(s) for s in sets):
        return []
    found: dict[str, list[list[Table]]] = {"forecast": [], "chance": []}
    for n, places in enumerate(sets):
        rain = len(places[0].beside)
        told(
            whose_words(places)
            + " + "
            + Text(f"{rain} 个雨量站", f"{rain} rain gauge" + "s" * (rain != 1))
        )
        for name, made in _candidates(places, terms, blocks, folds):
            limits = rungs(made.whole, flooded(places))
            holds = (terms.window_ms // 60_000, 60)
            versions = [made.whole, made.held, *made.outer]
            found[name].append(
                [
                    table(
                        [(FITTED, made.parameters, values)],
                        first + n,
                        places,
                        holds,
                        terms,
                        blocks,
                        limits,
                    )
                    for values in versions
                ]
            )
    return [_rival(name, parts) for name, parts in found.items() if parts]


def _enough(places: Sequence[Place]) -> bool:
    """Events to fit on: all places of a set have one set of weights, on the scale of each. Of so many that only
    the time would grow, those of one place."""
    each = [int(p.starts.size) for p in places]
    big = sum(p.track.heard.size for p in places) >= MANY
    return (max(each) if big else sum(each)) >= LEAST_EVENTS


def _rival(name: str, parts: list[list[Table]]) -> Rival:
    whole, held, *outer = (joined(column) for column in zip(*parts, strict=True))
    return Rival(name, 3, False, whole, held, tuple(outer))


def _candidates(
    places: Sequence[Place], terms: Terms, blocks: Ints, folds: Ints
) -> Iterator[tuple[str, _Made]]:
    slot_min = places[0].track.slot_s // 60
    unit = slot_min if slot_min >= 60 else -(-15 // slot_min) * slot_min
    lead = -(-terms.min_lead_ms // 60_000 // slot_min) * slot_min
    big = sum(p.track.heard.size for p in places) >= MANY
    discharge = places[0].track.quantity == "discharge"
    rainy = any(p.beside for p in places)
    power = 0.5 if discharge else 1.0  # the root of a discharge grows about as its stage does
    base: dict[str, Any] = {"slot_min": slot_min, "silent_min": 3 * slot_min}
    base |= {"power": power} if power != 1 else {}
    for full in (False, True) if rainy else (False,):
        names = _names(unit, full=full, rain=rainy)
        x = [terms_at(p, base, names) for p in places]
        ahead = lead + _REACH * unit
        y = [highest_ahead(p, power, lead, ahead) for p in places]
        yield "forecast", _forecast(places, x, y, names, base, ahead, blocks, folds)
        if not big:
            ahead = lead + 4 * unit
            yield "chance", _chance(places, x, names, base, terms, ahead, blocks, folds)


def _names(unit: int, *, full: bool, rain: bool) -> list[str]:
    names = ["level", *(f"rise_{k * unit}min" for k in (1, 2, 3))]
    if not rain:
        return [*names, f"rise_{6 * unit}min"]
    names += [f"rain_{k * unit}min" for k in (1, 3, 6)]
    if full:
        names += [f"rise_{6 * unit}min", f"rain_{2 * unit}min", f"rain_{12 * unit}min"]
        names += [f"rain_{24 * unit}min", "wet", *(f"wet_rain_{k * unit}min" for k in (1, 3, 6))]
        names += ["level_squared", *(f"level_rain_{k * unit}min" for k in (1, 3, 6))]
        names += [f"root_rain_{k * unit}min" for k in (1, 3, 6)]
    return names


def terms_at(p: Place, base: dict[str, Any], names: Sequence[str]) -> Floats:
    made = FloodScore(
        zero_m=p.scale[0], flood_m=p.scale[1], weights=dict.fromkeys(names, 1.0), **base
    )
    parts = [terms_of(made, view) for _, view in views(p.track, p.beside, width(made))]
    return np.concatenate(parts)


def highest_ahead(p: Place, power: float, lead: int, ahead: int) -> Floats:
    """(heard,) the highest level on its scale from `lead` to `ahead` minutes on; NaN where none was
    heard."""
    slot_min = p.track.slot_s // 60
    u = np.maximum(scaled(p.track.values, *p.scale, power), 0)
    best = np.full(u.size, np.nan)
    for k in range(lead // slot_min, ahead // slot_min + 1):
        best[: u.size - k] = np.fmax(best[: u.size - k], u[k:])
    return best[p.track.heard]


def rows_of(
    places: Sequence[Place],
    x: Sequence[Floats],
    y: Sequence[Floats],
    weight: Sequence[Floats],
    ahead_min: int,
    blocks: Ints,
    folds: Ints,
) -> tuple[FitRows, list[Ints]]:
    """The rows, and the fold of each moment of each place."""
    of: list[Ints] = []
    fold: list[Ints] = []
    for p, mine, asked in zip(places, x, y, strict=True):
        here = _fold(p.track.at, blocks, folds)
        there = _fold(p.track.at + ahead_min * 60_000, blocks, folds)
        known = ~np.isnan(asked) & np.isfinite(mine).all(axis=1)
        of.append(here)
        fold.append(np.where((here == there) & known, here, -1))
    all_ = np.concatenate(x)
    fold_ = np.concatenate(fold)
    use = fold_ >= 0
    mean, spread = (f(all_[use], axis=0) for f in (np.mean, np.std))
    spread = np.where(spread > 1e-9, spread, 1.0)
    z = np.column_stack([np.ones(len(all_)), (all_ - mean) / spread])
    return FitRows(z, np.concatenate(y), np.concatenate(weight), fold_, mean, spread), of


def _fold(at: Ints, blocks: Ints, folds: Ints) -> Ints:
    found: Ints = folds[np.clip(np.searchsorted(blocks, at, "right") - 1, 0, blocks.size - 1)]
    return found


def flood_weight(y: Floats) -> Floats:
    """Floods count for more."""
    found: Floats = np.maximum(np.nan_to_num(y), 0.05)
    return found


def least_squares(rows: FitRows, many: int) -> Callable[[tuple[int, ...]], Floats]:
    """Coefficients without these folds, from sums by fold."""
    gram, cross = [], []
    for f in range(many):
        mine = rows.fold == f
        z, w = rows.x[mine], rows.weight[mine]
        gram.append((z * w[:, None]).T @ z)
        cross.append((z * w[:, None]).T @ rows.y[mine])
    every_g, every_c = np.sum(gram, axis=0), np.sum(cross, axis=0)

    def beta(out: tuple[int, ...]) -> Floats:
        g = every_g - sum((gram[f] for f in out), np.zeros_like(every_g))
        c = every_c - sum((cross[f] for f in out), np.zeros_like(every_c))
        ridge = np.eye(len(g)) * (_RIDGE * max(float(g[0, 0]), 1e-9))
        ridge[0, 0] = 1e-12
        found: Floats = np.linalg.lstsq(g + ridge, c, rcond=None)[0]
        return found

    return beta


def _forecast(
    places: Sequence[Place],
    x: Sequence[Floats],
    y: Sequence[Floats],
    names: Sequence[str],
    base: dict[str, Any],
    ahead: int,
    blocks: Ints,
    folds: Ints,
) -> _Made:
    weight = [flood_weight(v) for v in y]
    rows, of = rows_of(places, x, y, weight, ahead, blocks, folds)
    many = int(folds.max()) + 1
    beta = least_squares(rows, many)
    return _made(rows, of, beta, names, base | {"ahead_min": ahead}, many)


def _chance(
    places: Sequence[Place],
    x: Sequence[Floats],
    names: Sequence[str],
    base: dict[str, Any],
    terms: Terms,
    ahead: int,
    blocks: Ints,
    folds: Ints,
) -> _Made:
    """Moments too late to warn, and those during an event, are asked nothing."""
    y, weight = [], []
    for p in places:
        at = p.track.at
        n = np.searchsorted(p.starts, at + terms.min_lead_ms)
        come = np.zeros(at.size)
        sure = n < p.starts.size
        come[sure] = p.starts[n[sure]] <= at[sure] + ahead * 60_000
        for a, b in zip(p.starts, p.ends, strict=True):
            come[(at > a - terms.min_lead_ms) & (at <= b)] = np.nan
        u = np.nan_to_num(scaled(p.track.values[p.track.heard], *p.scale))
        quiet = (come == 0) & (u < np.percentile(u, 80))
        taken = ~quiet | (np.arange(at.size) % _ONE_IN == 0)
        come[~taken] = np.nan
        y.append(come)
        weight.append(np.where(quiet, float(_ONE_IN), 1.0))
    rows, of = rows_of(places, x, y, weight, ahead, blocks, folds)
    many = int(folds.max()) + 1

    known = rows.fold >= 0
    mine, mine_x = rows.fold[known], rows.x[known]
    mine_y, mine_weight = rows.y[known], rows.weight[known]
    whole = logistic(mine_x, mine_y, mine_weight)

    def beta(out: tuple[int, ...]) -> Floats:
        if not out:
            return whole
        weight = np.where(np.isin(mine, out), 0.0, mine_weight)
        return logistic(mine_x, mine_y, weight, whole)

    more = base | {"ahead_min": ahead, "outcome": "chance"}
    return _made(rows, of, beta, names, more, many)


def logistic(x: Floats, y: Floats, weight: Floats, start: Floats | None = None) -> Floats:
    """Coefficients by Newton's steps with a ridge; x has a column of ones first. start: where to begin
    (those of nearly the same rows); there is one optimum, and from nearby it takes fewer steps."""
    beta = np.zeros(x.shape[1])
    yes = float((weight * y).sum())
    if not 0 < yes < float(weight.sum()):
        beta[0] = -9.0 if not yes else 9.0
        return beta
    beta[0] = np.log(yes / (float(weight.sum()) - yes))
    if start is not None:
        beta = start
    ridge = np.full(beta.size, _PRIOR)
    ridge[0] = 1e-6
    for _ in range(50):
        p = chance(x @ beta)
        slope = x.T @ (weight * (y - p)) - ridge * beta
        bend = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        beta = beta + np.clip(step, -2, 2)
        if float(np.abs(step).max()) < 1e-7:
            break
    return beta


def weighed(rows: FitRows, beta: Floats, names: Sequence[str]) -> dict[str, Any]:
    """The intercept and the weights of the terms as they are, not at equal spread."""
    weights = beta[1:] / rows.spread
    intercept = float(beta[0] - (weights * rows.mean).sum())
    each = {n: float(f"{w:.6g}") for n, w in zip(names, weights, strict=True)}
    return {"intercept": float(f"{intercept:.6g}"), "weights": each}


def _made(
    rows: FitRows,
    of: Sequence[Ints],
    beta: Callable[[tuple[int, ...]], Floats],
    names: Sequence[str],
    base: dict[str, Any],
    many: int,
) -> _Made:
    cuts, fold = np.cumsum([len(x) for x in of])[:-1], np.concatenate(of)

    def told(b: Floats, mine: Bools | slice) -> Floats:
        score: Floats = rows.x[mine] @ b
        return chance(score) if base.get("outcome") == "chance" else score

    final, one = beta(()), [beta((f,)) for f in range(many)]
    held = np.empty(len(fold))
    outer = [np.empty(len(fold)) for _ in range(many)]
    for f in range(many):
        mine = fold == f
        held[mine] = outer[f][mine] = told(one[f], mine)
        for other in range(f):
            both, theirs = beta((other, f)), fold == other
            outer[f][theirs] = told(both, theirs)
            outer[other][mine] = told(both, mine)
    return _Made(
        base | weighed(rows, final, names),
        np.split(told(final, slice(None)), cuts),
        np.split(held, cuts),
        [np.split(v, cuts) for v in outer],
    )
