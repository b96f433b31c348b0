r"""Level and areal rain, each against a limit of its own: either of them, or both at once, as one number.

Sees: with `joined` any the flood that rain or water alone announces; with all the one that both bear out,
so that a shower on dry ground or high water without rain calls for nothing.

Equation: u = (x - zero_m) / (flood_m - zero_m), to the power of `power`, of the newest value x heard in
the last `silent_min`; level part l = u + rise_weight max(0, u - u_rise), u_rise what u was `rise_min`
before x (no rise where that is not known). Rain part r = areal rain of the last `rain_min` / `rain_mm`.
value = max(l, r) with any, min(l, r) with all: 1 is the flood level or so much rain. A row is the level
gauge, and beside it the rain gauges (`beside = { rain = [...] }`).
window_min: `rain_min`.
Parameters: zero_m, flood_m (m, or m3/s of discharge), power, rise_min (minutes), rise_weight, rain_min
(minutes), rain_mm, joined, slot_min, silent_min (minutes). `fengsui tune` finds them.

Delay it adds: none.
Cannot see: how level and rain make up for one another (`flood_score`); rain to come, snow. Where the
level was not heard for `silent_min`, or no rain gauge was, any goes by the other alone, and all cannot say
(NaN).
Source: none for the joining; the limits are measured, with their skill, in the tuned file.

>>> x = np.array([[[1.0, 2.0, 3.0], [9.0, 1.0, 4.0]]])
>>> p = LevelAndRain(zero_m=0, flood_m=10, rain_min=120, rain_mm=10)
>>> [float(score(q, View(x, np.array([0]), 3600, np.ones((1, 2)))).value[0].round(3))
...  for q in (p, LevelAndRain(zero_m=0, flood_m=10, rain_min=120, rain_mm=10, joined="all"))]
[0.5, 0.3]
"""

from typing import Literal

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Kind, Parameters, Scored, View, scored
from detectors.rain.sums import areal_mean, check, check_slots
from detectors.statistics.robust_slope import newest
from detectors.water.stage_score import as_heard, check_scale, scaled, then


class LevelAndRain(Parameters, frozen=True):
    """The stream's own scale, what its rise counts, and how much rain is as much as the flood level."""

    zero_m: float = 0.0
    flood_m: float = 1.0
    power: float = 1.0
    rise_min: int = 60
    rise_weight: float = 0.0
    rain_min: int = 360
    rain_mm: float = 30.0
    joined: Literal["any", "all"] = "any"
    slot_min: int = 60
    silent_min: int = 180

    def __post_init__(self) -> None:
        check_slots(
            self.slot_min * 60,
            rise_min=self.rise_min * 60,
            rain_min=self.rain_min * 60,
            silent_min=self.silent_min * 60,
        )
        check_scale(self.zero_m, self.flood_m, self.power)
        check(0 <= self.rise_weight <= 100, "rise_weight: 0 … 100")
        check(self.rain_mm > 0, Text("rain_mm 应为正", "rain_mm must be positive"))
        check(
            width(self) <= 4096,
            Text("时段过多：rain_min / slot_min", "too many slots: rain_min / slot_min"),
        )


def width(p: LevelAndRain) -> int:
    """Slots that are looked at."""
    return max(p.rain_min, p.rise_min + p.silent_min) // p.slot_min + 1


def parts(p: LevelAndRain, view: View) -> tuple[Floats, Floats]:
    """(n,) the level with its rise (NaN: not heard), and (n,) the areal rain in mm
    (NaN: no gauge heard). The first input is the
    level, the others are rain unless the view says otherwise."""
    quantities = view.quantities or ("", *("rain",) * (view.values.shape[1] - 1))
    wet_at = [k for k, q in enumerate(quantities) if q == "rain"]
    level_at = next(k for k, q in enumerate(quantities) if q != "rain")
    silent, back = p.silent_min // p.slot_min, p.rise_min // p.slot_min
    u = scaled(view.values[:, level_at], p.zero_m, p.flood_m, p.power)
    now, ago = newest(u[:, -silent - 1 :])
    u = as_heard(u, ago)
    before = then(u, back, silent)
    level = now + p.rise_weight * np.nan_to_num(np.maximum(now - before, 0))
    fell = np.full(len(u), np.nan)
    if wet_at:
        rain, share = areal_mean(view.values[:, wet_at], view.weights[:, wet_at], silent)
        mm = rain[:, -(p.rain_min // p.slot_min) :].sum(axis=1)
        fell = np.where(share[:, -1] > 0, mm, np.nan)
    return level, fell


def together(level: Floats, rain: Floats, joined: str) -> Floats:
    """The greater of both, or the smaller; where one is not known the other alone, or nothing."""
    found: Floats = np.fmax(level, rain) if joined == "any" else np.minimum(level, rain)
    return found


def score(p: LevelAndRain, view: View) -> Scored:
    """1: the flood level, or `rain_mm`."""
    level, fell = parts(p, view)
    return scored(together(level, fell / p.rain_mm, p.joined), p.rain_min)


KIND = Kind(
    name="level_and_rain",
    inputs=("stage", "discharge"),
    parameters=LevelAndRain,
    slot_s=lambda p: p.slot_min * 60,
    span=width,
    score=score,
    gather="max",
    joint=True,
    mixed=("rain",),
)
