"""Gauges upstream: the travel time of what passes there, and how much of it arrives (`travel_time`).

The lag is the one at which the level here is best explained by the level there, by least squares on the
record's high water; gain and offset are that line's, so a wave that flattens on its way has a gain below
one. All three are fitted anew without each fold, and without every two. Source: relation of corresponding
stages (相应水位法), Linsley, Kohler & Paulhus 1982, Hydrology for Engineers, 3rd ed.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from detectors.engine.window_rule import Floats, Ints
from detectors.setup.registry import KINDS
from detectors.water.travel_time import TravelTime
from skill.series.families import Rival, Told
from skill.series.fit import Place, Terms, flooded, joined, rungs, table
from skill.series.track import values_of

UPSTREAM = "travel_time"
LEAST_FOLDS = 3
_HIGH = 75.0  # percentile of the level here, above which it is high water
_FARTHEST_H = 24
_EXPLAINED = 0.5  # share of the variance of high water: a gauge that explains less is not upstream


def upstream(
    sets: Sequence[Sequence[Place]],
    first: int,
    terms: Terms,
    blocks: Ints,
    folds: Ints,
    told: Told = lambda _: None,
) -> list[Rival]:
    """Sets of one place: the track is the gauge upstream, `beside` the one here, on the same slots."""
    many, parts = int(folds.max()) + 1, []
    if many < LEAST_FOLDS:
        return []
    for n, (place,) in enumerate(sets):
        told(f"{place.track.station} → {place.beside[0].station}")
        sums = _sums(place, blocks, folds)
        whole = _line(sums.sum(axis=0), place.track.slot_s)
        if whole is None:
            continue
        versions = _versions(place, sums, whole, blocks, folds)
        limits = rungs([versions[0]], flooded([place]))
        holds = (terms.window_ms // 60_000, 60)
        parts.append(
            [
                table([(UPSTREAM, whole, [v])], first + n, [place], holds, terms, blocks, limits)
                for v in versions
            ]
        )
    if not parts:
        return []
    whole_, held, *outer = (joined(column) for column in zip(*parts, strict=True))
    return [Rival("upstream", 2, False, whole_, held, tuple(outer))]


def _sums(place: Place, blocks: Ints, folds: Ints) -> Floats:
    """(folds, lags, 6): n, x, y, xx, xy, yy of high water here with what was upstream so long before."""
    x, y = place.track.values, place.beside[0].values
    at = place.track.at[0] + (np.arange(x.size) - place.track.heard[0]) * place.track.slot_s * 1000
    fold = folds[np.clip(np.searchsorted(blocks, at, "right") - 1, 0, blocks.size - 1)]
    high = y >= np.nanpercentile(y, _HIGH)
    found = []
    for lag in range(1, _FARTHEST_H * 3600 // place.track.slot_s + 1):
        u, v, f = x[:-lag], y[lag:], fold[lag:]
        use = high[lag:] & ~np.isnan(u) & (f == fold[:-lag])
        u, v, f = u[use], v[use], f[use]
        terms = (np.ones_like(u), u, v, u * u, u * v, v * v)
        found.append([np.bincount(f, t, int(folds.max()) + 1) for t in terms])
    return np.moveaxis(np.array(found), 2, 0)


def _line(sums: Floats, slot_s: int) -> dict[str, Any] | None:
    """Parameters of the best lag of (lags, 6) sums; None where nothing comes down from there."""
    n, x, y, xx, xy, yy = sums.T
    n = np.maximum(n, 1)
    own, cross, there = yy - y * y / n, xy - x * y / n, xx - x * x / n
    gain = np.divide(cross, there, out=np.zeros_like(cross), where=there > 1e-9)
    share = np.divide(gain * cross, own, out=np.zeros_like(own), where=own > 1e-9)
    best = int(np.argmax(np.where(gain > 0, share, -1)))
    if not share[best] >= _EXPLAINED or gain[best] <= 0:
        return None
    return {
        "lag_min": [(best + 1) * slot_s // 60],
        "gain": [float(f"{gain[best]:.5g}")],
        "offset": float(f"{(y[best] - gain[best] * x[best]) / n[best]:.5g}"),
        "spread_min": 0,
        "slot_min": slot_s // 60,
        "downstream": True,
    }


def _versions(
    place: Place, sums: Floats, whole: dict[str, Any], blocks: Ints, folds: Ints
) -> list[Floats]:
    """Values by the whole fit, of each moment by the fit without its fold, and so without another too."""
    every, many = sums.sum(axis=0), len(sums)
    at = place.track.at
    fold = folds[np.clip(np.searchsorted(blocks, at, "right") - 1, 0, blocks.size - 1)]
    known: dict[str, Floats] = {}

    def values(*out: int) -> Floats:
        without = every - sum((sums[f] for f in set(out)), np.zeros_like(every))
        p = _line(without, place.track.slot_s) or whole
        if (name := repr(p)) not in known:
            made = msgspec.convert(p, TravelTime)
            known[name] = values_of(KINDS[UPSTREAM], made, place.track, place.beside)
        return known[name]

    found = [values(), np.empty(at.size)]
    for f in range(many):
        found[1][fold == f] = values(f)[fold == f]
    for f in range(many):
        mine = np.empty(at.size)
        for g in range(many):
            mine[fold == g] = values(f, g)[fold == g]
        found.append(mine)
    return found
