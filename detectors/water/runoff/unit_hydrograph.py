r"""Discharge to come from rain that has fallen: runoff by curve number, then a unit hydrograph.

Sees: the flood of a small catchment before its water arrives: the lead is the catchment's own lag.

Equation: areal rain p (inverse distance weights, as `areal_rain`). Runoff of a slot: Q(A + p) -
Q(A), Q(x) = (x - Ia)^2 / (x - Ia + S) above Ia and 0 below, S = 25400 / CN - 254 mm, Ia = `ia` S.
A is the rain before, fading by `decay_per_day`: within a storm this is the SCS method, and between
storms the ground regains its room. CN is of ground without rain before it (class I; from class II:
CN_I = 4.2 CN_II / (10 - 0.058 CN_II)). With `loss` = coefficient: `coefficient` p.
Discharge: runoff through the unit hydrograph u, `area_km2` wide; u is a cascade of `n` equal linear
stores of `k_h` hours (nash), or a triangle that peaks 0.6 tc after the middle of the rain and ends
2.67 x 0.6 tc after it (scs), with the slot's rain spread evenly over the slot.
value = the highest discharge from now to `ahead_min` if no more rain falls, plus `base_m3_s`; with
`goes_on_min` the higher of that and of the same if rain goes on for so long with `goes_on_share` of its
mean in the last quarter of an hour, and grows or falls on with `goes_on_trend` of its change since the
quarter before.
window_min: how far ahead that is. per_h: as it grows if the rain goes on.
Parameters: area_km2, cn or coefficient, ia (1), decay_per_day (1), shape, n, k_h or tc_h (hours),
base_m3_s, ahead_min, memory_h (hours of rain), slot_min, silent_min, goes_on_min (minutes),
goes_on_share (1), goes_on_trend (0 … 1).

Delay it adds: none; rain is averaged over a slot.
Cannot see: rain to come but for `goes_on_min` (so a slow catchment is underrated), snow melt, a dam
that holds or breaks, a channel that overflows: u is the same for small and great floods.
Source: Nash 1957, IAHS Publ. 45:114–121; USDA-NRCS, National Engineering Handbook Part 630, ch. 10
(runoff) and 16 (hydrographs); class I: Chow, Maidment & Mays 1988, Applied Hydrology, section 5.5.

>>> float(runoff(np.array([0.0]), np.array([152.4]), 80.0, 0.2)[0].round(0))  # 6.0 in -> 3.78 in
96.0
>>> p = UnitHydrograph(area_km2=3.6, loss="coefficient", coefficient=0.5, n=1, k_h=1.0, slot_min=60)
>>> float(hydrograph(p).sum().round(3))
1.0
"""

from typing import Literal

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.sums import (
    areal_mean,
    check,
    check_going_on,
    check_slots,
    continued,
    going_on,
    so_far,
)


class UnitHydrograph(Parameters, frozen=True):
    """The catchment."""

    area_km2: float
    loss: Literal["scs", "coefficient"] = "scs"
    cn: float = 65.0
    ia: float = 0.2
    decay_per_day: float = 0.85
    coefficient: float = 0.5
    shape: Literal["nash", "scs"] = "nash"
    n: float = 3.0
    k_h: float = 0.5
    tc_h: float = 2.0
    base_m3_s: float = 0.0
    ahead_min: int = 180
    memory_h: int = 72
    slot_min: int = 15
    silent_min: int = 60
    goes_on_min: int = 0
    goes_on_share: float = 1.0
    goes_on_trend: float = 0.0

    def __post_init__(self) -> None:
        s = self.slot_min * 60
        check_slots(s, memory_h=self.memory_h * 3600, silent_min=self.silent_min * 60)
        check(
            self.ahead_min >= 0 and self.ahead_min % self.slot_min == 0,
            Text("ahead_min: 应为整时段", "ahead_min: must be whole slots"),
        )
        check(self.area_km2 > 0, Text("area_km2 应为正", "area_km2 must be positive"))
        check(0 < self.cn <= 100, "cn: 0 … 100")
        check(0 <= self.ia <= 1 and 0 <= self.coefficient <= 1, "ia, coefficient: 0 … 1")
        check(0 < self.decay_per_day <= 1, "decay_per_day: 0 … 1")
        check(1 <= self.n <= 20 and self.k_h > 0 and self.tc_h > 0, "n: 1 … 20; k_h, tc_h > 0")
        check(self.base_m3_s >= 0, Text("base_m3_s 应不为负", "base_m3_s must not be negative"))
        check_going_on(
            self.slot_min,
            self.goes_on_min,
            self.goes_on_share,
            self.goes_on_trend,
            self.ahead_min + 1,
        )
        check(
            span(self) <= 2048,
            Text(
                "memory_h / slot_min: 时段过多，至多 2048",
                "memory_h / slot_min: too many slots, at most 2048",
            ),
        )
        most = _shape(self, np.array([self.memory_h]))[0]
        check(
            most > 0.98,
            Text("memory_h 应长于汇流时间", "memory_h must be longer than the hydrograph"),
        )


def span(p: UnitHydrograph) -> int:
    """Slots of rain that are remembered."""
    return p.memory_h * 60 // p.slot_min


def _shape(p: UnitHydrograph, hours: Floats) -> Floats:
    """The share of a sudden rain that has left after so many hours."""
    t = np.maximum(hours, 0)
    if p.shape == "nash":
        from scipy.special import gammainc  # as large as all that a line loads; this shape alone

        return np.asarray(gammainc(p.n, t / p.k_h), np.float64)
    rise = 0.6 * p.tc_h
    base = 2.67 * rise
    up = t**2 / (rise * base)
    down = 1 - np.maximum(base - t, 0) ** 2 / (base * (base - rise))
    return np.where(t < rise, up, down)


def hydrograph(p: UnitHydrograph) -> Floats:
    """u: the share of a slot's runoff that passes in that slot and each one after. Runoff is even
    over its slot, so u is the difference of the shape's means over slots."""
    length, inner = span(p) + p.ahead_min // p.slot_min, 16
    t = (np.arange(-1, length) + (np.arange(inner) + 0.5)[:, None] / inner) * (p.slot_min / 60)
    u: Floats = np.diff(_shape(p, t).mean(axis=0))
    return u


def runoff(before: Floats, rain: Floats, cn: float, ia: float) -> Floats:
    """mm that run off of `rain` on top of `before`."""
    room = 25_400 / cn - 254
    over = np.maximum(before - ia * room, 0), np.maximum(before + rain - ia * room, 0)
    total = [np.divide(x * x, x + room, out=np.zeros_like(x), where=x > 0) for x in over]
    found: Floats = total[1] - total[0]
    return found


def _before(rain: Floats, keep: float) -> Floats:
    """Rain before each slot, fading by `keep` a slot."""
    out = np.zeros_like(rain)
    for s in range(1, rain.shape[1]):
        out[:, s] = (out[:, s - 1] + rain[:, s - 1]) * keep
    return out


def effective(p: UnitHydrograph, rain: Floats) -> Floats:
    """(n, W) runoff in mm of areal rain in mm."""
    if p.loss == "coefficient":
        return rain * p.coefficient
    return runoff(_before(rain, p.decay_per_day ** (p.slot_min / 1440)), rain, p.cn, p.ia)


def further(p: UnitHydrograph, rain: Floats, more: Floats) -> Floats:
    """(n, W) runoff in mm of `more` mm that would fall after each slot, on top of the rain until then."""
    if p.loss == "coefficient":
        return more * p.coefficient
    keep = p.decay_per_day ** (p.slot_min / 1440)
    return runoff(_before(rain, keep) + rain, more, p.cn, p.ia)


def discharge(p: UnitHydrograph, rain: Floats) -> Floats:
    """(n, A + 1) m3/s, mean of the present slot and of each of the A ahead, with no more rain."""
    newest_first = np.ascontiguousarray(effective(p, rain)[:, ::-1])
    u, ahead = hydrograph(p), p.ahead_min // p.slot_min
    steps = [(newest_first * u[a : a + rain.shape[1]]).sum(axis=1) for a in range(ahead + 1)]
    return np.stack(steps, axis=1) * (p.area_km2 * 1000 / (p.slot_min * 60)) + p.base_m3_s


def _score(p: UnitHydrograph, view: View) -> tuple[Floats, Ints]:
    value, peak_min = _highest(p, view, p.ahead_min)
    if p.goes_on_min == 0:
        return value, peak_min
    ahead = p.goes_on_min // p.slot_min
    later = view._replace(values=continued(view, ahead, p.goes_on_share, p.goes_on_trend))
    then, then_min = _highest(p, later, p.ahead_min - p.goes_on_min)
    return np.maximum(value, then), np.where(then > value, then_min + p.goes_on_min, peak_min)


def _highest(p: UnitHydrograph, view: View, ahead_min: int) -> tuple[Floats, Ints]:
    """The highest discharge within `ahead_min` with no more rain than the view has, and when."""
    rain = areal_mean(view.values, view.weights, p.silent_min // p.slot_min)[0]
    flow = discharge(p, rain)[:, : ahead_min // p.slot_min + 1]
    best = flow.argmax(axis=1)
    return flow[np.arange(best.size), best], best * p.slot_min


def score(p: UnitHydrograph, view: View) -> Scored:
    """m3/s."""
    return going_on(_score, p, view)


KIND = Kind(
    name="unit_hydrograph",
    inputs=("rain",),
    parameters=UnitHydrograph,
    slot_s=lambda p: p.slot_min * 60,
    span=span,
    score=score,
    joint=True,
    quiet=0.0,
    plain=lambda p, view: so_far(_score, p, view),
    least=lambda p: max(p.slot_min, 30),
)
