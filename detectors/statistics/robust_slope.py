r"""Theil–Sen slopes and Kendall's counts of many windows at once, for the rules on trends.

The slope is the median of (y_j - y_i) / (t_j - t_i) over all pairs of a window's values; its
confidence interval takes the slopes at ranks (N ± z sqrt(var S)) / 2, var S from Kendall with
tied values. Source: Theil 1950, Proc. K. Ned. Akad. Wet. 53; Sen 1968, J. Am. Stat. Assoc.
63:1379–1389; Kendall 1975, Rank Correlation Methods, 4th ed.

>>> found = slopes(np.array([[0.0, 1.0, 2.0, 9.0, np.nan, 5.0]]))
>>> float(found.median[0]), int(found.points[0])
(1.0, 5)
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from detectors.engine.window_rule import Floats, Ints

_PAIRS = 2_000_000  # looked at together


class Slopes(NamedTuple):
    """In units a slot; NaN with fewer than two points."""

    median: Floats
    low: Floats
    high: Floats
    points: Ints


def slopes(values: Floats, confidence: float = 0.9) -> Slopes:
    """(n, W) with NaN where nothing was heard -> one slope a row."""
    many = max(1, values.shape[1] * (values.shape[1] - 1) // 2)
    step = max(1, _PAIRS // many)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    parts = [_slopes(values[n : n + step], z) for n in range(0, len(values), step)]
    if not parts:
        return Slopes(*(np.zeros(0),) * 3, np.zeros(0, np.int64))
    return parts[0] if len(parts) == 1 else Slopes(*map(np.concatenate, zip(*parts, strict=True)))


def _slopes(values: Floats, z: float) -> Slopes:
    known = ~np.isnan(values)
    points: Ints = known.sum(axis=1)
    at = np.nonzero(known.any(axis=0))[0]  # slots in which any row was heard
    if at.size < 2:
        nan = np.full(len(values), np.nan)
        return Slopes(nan, nan, nan, points)
    y = values[:, at]
    i, j = np.triu_indices(at.size, 1)
    each = np.sort((y[:, j] - y[:, i]) / (at[j] - at[i]), axis=1)  # what is missing stands last
    pairs = points * (points - 1) // 2
    spread = z * np.sqrt(variance(points, ties(y)))
    last = np.maximum(pairs - 1, 0)
    low = np.clip(np.round((pairs - spread) / 2).astype(np.int64) - 1, 0, last)
    high = np.clip(np.round((pairs + spread) / 2).astype(np.int64), 0, last)
    row = np.arange(len(values))
    median = (each[row, last // 2] + each[row, pairs // 2 * (pairs > 0)]) / 2
    none = pairs == 0
    return Slopes(
        np.where(none, np.nan, median),
        np.where(none, np.nan, each[row, low]),
        np.where(none, np.nan, each[row, high]),
        points,
    )


def ties(values: Floats) -> Ints:
    """Sum of t (t - 1) (2 t + 5) over the groups of t equal values of a row."""
    ordered = np.sort(values, axis=1)
    place = np.broadcast_to(np.arange(ordered.shape[1]), ordered.shape)
    new = np.ones(ordered.shape, np.bool_)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]  # NaN is equal to nothing
    begin = np.maximum.accumulate(np.where(new, place, 0), axis=1)
    end = np.ones(ordered.shape, np.bool_)
    end[:, :-1] = new[:, 1:]
    rank = place - begin + 1
    many = np.where(end, rank, 0)
    total: Ints = (many * (many - 1) * (2 * many + 5)).sum(axis=1)
    return total


def variance(points: Ints, tied: Ints) -> Floats:
    """Of Kendall's S."""
    found: Floats = (points * (points - 1) * (2 * points + 5) - tied) / 18
    return found


def kendall(values: Floats) -> tuple[Ints, Floats, Ints]:
    """S = pairs that rise less pairs that fall, its variance, and the points, a row each."""
    score = np.zeros(len(values), np.int64)
    step = max(1, _PAIRS // max(1, values.shape[1] ** 2))
    for n in range(0, len(values), step):
        y = values[n : n + step]
        known = np.nonzero(~np.isnan(y).all(axis=0))[0]
        y = y[:, known]
        upper = np.triu(np.ones((known.size, known.size), np.bool_), 1)
        with np.errstate(invalid="ignore"):
            rises, falls = y[:, None, :] > y[:, :, None], y[:, None, :] < y[:, :, None]
        score[n : n + step] = ((rises & upper).sum(axis=(1, 2))) - (falls & upper).sum(axis=(1, 2))
    points: Ints = (~np.isnan(values)).sum(axis=1)
    return score, variance(points, ties(values)), points


def newest(values: Floats) -> tuple[Floats, Ints]:
    """The newest value of each row (NaN: none) and how many slots it lies back."""
    back = (~np.isnan(values[:, ::-1])).argmax(axis=1)
    return values[np.arange(len(values)), values.shape[1] - 1 - back], back
