r"""Chance of a debris flow from a burnt basin: the likelihood model M1 of the USGS.

Sees: rain of 15, 30 or 60 minutes on a basin whose burn is known; the more of it is steep and burnt
and the easier its soil erodes, the less rain it takes.

Equation: value = 1 / (1 + exp(-x)), x = b + c1 X1 R + c2 X2 R + c3 X3 R, with R in mm the most that
fell within `duration_min`, over the whole of the last `within_min`.
    b, c1, c2, c3: 15 min -3.63, 0.41, 0.67, 0.70; 30 min -3.61, 0.26, 0.39, 0.50;
                   60 min -3.21, 0.17, 0.20, 0.22
Parameters: of the basin, from the maps of a burn: burned_steep (X1: share of the basin burned at
high or moderate severity on slopes of 23 degrees and more, 0 … 1), dnbr (X2: its mean differenced
normalised burn ratio / 1000), soil_kf (X3: mean KF factor of its soil, in US units as USGS has it);
duration_min (15, 30, 60), within_min, slot_min. One row a basin: `areas` names it.
Growth: as the value grows if rain goes on as in the last quarter of an hour.

Delay it adds: none; a peak across slots is seen smaller by at most slot/duration.
Cannot see: rain before, how much sediment is left, how far the plants have come back: made for the
first two years after a fire, in the western United States; elsewhere its threshold must be tested.
Source: Staley et al. 2017, Geomorphology 278:149-162, equation 1 and the coefficients of M1; Staley
et al. 2016, USGS Open-File Report 2016-1106.

>>> p = PostfireM1(burned_steep=0.5, dnbr=0.4, soil_kf=0.2, within_min=15)
>>> s = score(p, View(np.array([[[2.0, 2.0, 3.0]]]), np.array([0]), 300, np.ones((1, 1))))
>>> round(float(s.value[0]), 3), int(s.window_min[0])
(0.659, 15)
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.sums import check, check_slots, going_on, so_far, sums_over

M1 = {
    15: (-3.63, 0.41, 0.67, 0.70),
    30: (-3.61, 0.26, 0.39, 0.50),
    60: (-3.21, 0.17, 0.20, 0.22),
}


def chance(minutes: int, rain_mm: Floats, x1: Floats, x2: Floats, x3: Floats) -> Floats:
    """rain_mm: the most within `minutes`, 15, 30 or 60. NaN where one of them is."""
    b, c1, c2, c3 = M1[minutes]
    odds = b + (c1 * x1 + c2 * x2 + c3 * x3) * rain_mm
    out: Floats = 0.5 * (1 + np.tanh(np.clip(odds, -60, 60) / 2))
    return out


class PostfireM1(Parameters, frozen=True):
    """The burn of a basin, the duration, and how long a peak is remembered."""

    burned_steep: float
    dnbr: float
    soil_kf: float
    duration_min: int = 15
    within_min: int = 60
    slot_min: int = 5

    def __post_init__(self) -> None:
        check(0 <= self.burned_steep <= 1, "burned_steep: 0 … 1")
        check(0 <= self.dnbr <= 2, "dnbr: 0 … 2 (dNBR/1000)")
        check(0 <= self.soil_kf <= 1, "soil_kf: 0 … 1")
        check(self.duration_min in M1, f"duration_min: {', '.join(map(str, M1))}")
        s = self.slot_min * 60
        check_slots(s, duration_min=self.duration_min * 60, within_min=self.within_min * 60)
        longer = self.within_min >= self.duration_min
        check(longer, Text("within_min 应不小于 duration_min", "within_min must not be below it"))


def _score(p: PostfireM1, view: View) -> tuple[Floats, Ints]:
    peak = np.maximum(sums_over(view.values[:, 0], p.duration_min // p.slot_min).max(axis=1), 0)
    x1, x2, x3 = (np.float64(x) for x in (p.burned_steep, p.dnbr, p.soil_kf))
    value = chance(p.duration_min, peak, x1, x2, x3)  # type: ignore[arg-type]
    return value, np.full(value.shape, p.duration_min)


def score(p: PostfireM1, view: View) -> Scored:
    """0 … 1."""
    return going_on(_score, p, view)


KIND = Kind(
    name="postfire_m1",
    inputs=("rain",),
    parameters=PostfireM1,
    slot_s=lambda p: p.slot_min * 60,
    span=lambda p: p.within_min // p.slot_min,
    score=score,
    plain=lambda p, view: so_far(_score, p, view),
    least=lambda p: p.duration_min,
)
