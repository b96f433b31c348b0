"""Rain relative to a place's own climate, so that a rule may be moved to another region.

Where storms are stronger, ground and channels have met them before, and it takes more rain to move
them: thresholds follow the rain that comes about once a year rather than an intensity (Staley et al.
2020, Geomorphology 370:107392; Guzzetti et al. 2007, Meteorol. Atmos. Phys. 98:239-267 for thresholds
relative to climate). So peak intensities are divided by how strong the region's storms are beside
those of the whole training table: the ratio of the intensity that one storm in twenty exceeds.
It asks for no outcome: the storms of the new place are enough. Few storms say little, so the ratio is
drawn towards 1 as STORMS / (STORMS + n) of its logarithm, and never beyond `_MOST`. The rain of a storm
stays as it is: divided too, rules did worse in another region (docs/skill-tables.md).

>>> r = np.array(["a"] * 40)
>>> x = np.linspace(3, 40, 40)[:, None]
>>> one = places(("intensity_15min",), x, r)["a"]
>>> two = places(("intensity_15min",), 2 * x, r)["a"]
>>> round(ratio(two, one), 2), ratio(one, one)
(1.49, 1.0)
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.engine.window_rule import Floats
from detectors.rain.storm.storm_score import is_rain
from skill.tables.rows.physics import peaks

STORMS = 30.0
_MOST = 3.0
_STRONG = 0.95
_LEAST_MM_H = 2.0  # a drizzle is no storm, and how many of them a table has is its maker's choice
_USUAL = (15, 10, 30, 60, 5, 2)  # of the durations, the first that a table has

Names = npt.NDArray[Any]  # (n,) names of regions


class Strength(NamedTuple):
    """A region's storms. minutes: of the intensity; storms: distinct ones; strong: mm/h that one in
    twenty exceeds. 0 where nothing is known."""

    minutes: int
    storms: int
    strong: float


NOWHERE = Strength(0, 0, 0.0)


def place(quantities: tuple[str, ...], value: Floats, minutes: int = 0) -> Strength:
    """Of all rows. value: (n, k) in own units. minutes: the duration to look at; 0: the usual one.
    Rows of one gauge and storm have the same rain, and count once."""
    there = {m: k for k, m in peaks(quantities)}
    wanted = [m for m in ([minutes] if minutes else _USUAL) if m in there]
    if not wanted:
        return NOWHERE
    rain = [k for k, q in enumerate(quantities) if is_rain(q)]
    k = there[wanted[0]]
    rows = value[value[:, k] > _LEAST_MM_H]
    if not len(rows):
        return NOWHERE
    distinct = np.unique(np.nan_to_num(rows[:, [k, *rain]].round(1), nan=-1.0), axis=0)
    strong = np.expm1(np.quantile(np.log1p(distinct[:, 0]), _STRONG))
    return Strength(wanted[0], len(distinct), float(strong))


def places(
    quantities: tuple[str, ...], value: Floats, region: Names, minutes: int = 0
) -> dict[str, Strength]:
    """Of each region."""
    return {
        str(r): place(quantities, value[region == r], minutes) for r in np.unique(region).tolist()
    }


def ratio(here: Strength, whole: Strength) -> float:
    """How much stronger the storms are here; 1 where either is not known."""
    if not here.storms or not whole.storms or here.minutes != whole.minutes:
        return 1.0
    share = here.storms / (here.storms + STORMS)
    log = share * (np.log1p(here.strong) - np.log1p(whole.strong))
    return float(np.exp(np.clip(log, -np.log(_MOST), np.log(_MOST))))


def ratios(
    quantities: tuple[str, ...],
    value: Floats,
    region: Names,
    whole: Strength,
    known: Mapping[str, Strength],
) -> dict[str, float]:
    """Of each region in these rows: from `known` where it is known, otherwise from these rows."""
    seen = places(quantities, value, region, whole.minutes) if whole.minutes else {}
    return {r: ratio(known.get(r, p) if r else p, whole) for r, p in seen.items()}


def relative(
    quantities: tuple[str, ...], value: Floats, region: Names, by: Mapping[str, float]
) -> Floats:
    """Peak intensities divided by the ratio of their region; all else as it is."""
    out = value.copy()
    divisor = np.array([by.get(str(r), 1.0) for r in region.tolist()])
    for k, _ in peaks(quantities):
        out[:, k] /= divisor
    return out
