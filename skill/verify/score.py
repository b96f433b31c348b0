"""Counts of a yes-or-no forecast, what is derived from them, and how sure it is.

POD = hits / (hits + misses); FAR = false alarms / (hits + false alarms), the false alarm *ratio*;
CSI = hits / (hits + misses + false alarms). Source: Wilks 2019, Statistical Methods in the
Atmospheric Sciences, 4th ed., section 9.2; WWRP/WGNE Joint Working Group on Forecast Verification.
Intervals: percentile bootstrap over blocks (a fire, an event, a month), because the rows of one
block share their gauges and their weather (Efron & Tibshirani 1993, An Introduction to the
Bootstrap, chapters 8 and 13; Hamill 1999, Weather and Forecasting 14:155–167).

>>> c = Counts(8, 2, 6)
>>> round(c.pod, 2), round(c.far, 2), round(c.csi, 2)
(0.8, 0.43, 0.5)
>>> Counts(0, 0, 0).csi is None
True
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Counts(NamedTuple):
    """What came of forecasts. `quiet`: neither forecast nor seen, where that can be counted."""

    hits: int
    misses: int
    false_alarms: int
    quiet: int | None = None

    @property
    def pod(self) -> float | None:
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def far(self) -> float | None:
        return _ratio(self.false_alarms, self.hits + self.false_alarms)

    @property
    def csi(self) -> float | None:
        return _ratio(self.hits, self.hits + self.misses + self.false_alarms)


class Interval(NamedTuple):
    """The middle 95 % of the bootstrap."""

    low: float
    high: float


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def bootstrap(
    blocks: Sequence[Counts], seed: int = 20_261_124, rounds: int = 2000
) -> dict[str, Interval | None]:
    """95 % intervals of pod, far and csi when the blocks are drawn anew with replacement.

    None where a measure is undefined in more than half of the draws (no event at all).
    """
    table = np.array([b[:3] for b in blocks], np.int64).reshape(-1, 3)
    out: dict[str, Interval | None] = {"pod": None, "far": None, "csi": None}
    if not len(table):
        return out
    draws = np.random.default_rng(seed).integers(0, len(table), (rounds, len(table)))
    hits, misses, false = (table[draws, n].sum(axis=1) for n in range(3))
    for name, part, whole in (
        ("pod", hits, hits + misses),
        ("far", false, hits + false),
        ("csi", hits, hits + misses + false),
    ):
        known = whole > 0
        if known.mean() > 0.5:
            values = part[known] / whole[known]
            out[name] = Interval(*(float(x) for x in np.percentile(values, (2.5, 97.5))))
    return out


def auc(score: Floats, response: npt.NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: the chance that a row with the response scores above one without,
    ties half (Mann & Whitney 1947, Ann. Math. Stat. 18:50–60). None with one class only."""
    yes, no = score[response], score[~response]
    if not yes.size or not no.size:
        return None
    ordered = np.sort(no)
    below = np.searchsorted(ordered, yes, "left")
    level = np.searchsorted(ordered, yes, "right") - below
    return float((below + level / 2).sum() / (yes.size * no.size))


def poisson(count: int) -> Interval:
    """The exact 95 % interval of the mean of a Poisson variable that was seen once as `count` (Garwood
    1936, Biometrika 28:437–442): also with no event at all there is an upper end.

    >>> [round(x, 2) for x in poisson(0)], [round(x, 2) for x in poisson(3)]
    ([0.0, 3.69], [0.62, 8.77])
    """
    from scipy.stats import chi2  # large, and seldom needed

    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return Interval(low, float(chi2.ppf(0.975, 2 * count + 2)) / 2)
