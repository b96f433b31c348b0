r"""Areal rain that counts the more the wetter the ground is, by measured soil moisture: one number in mm.

Sees: the moderate rain that wet ground no longer takes up, and passes over the same rain on dry ground.

Equation: value = R (1 - share + share s), R the areal rain of the last `rain_min` in mm; s = (x -
dry_pct) / (wet_pct - dry_pct), between 0 and 1, of the mean x of the newest values, in %, that the soil
moisture stations had in the last `soil_silent_min`. So on wet ground all of R counts, on dry ground 1 - share
of it. A row is the rain gauges, and beside them the soil moisture stations (`beside = { soil_moisture =
[...] }`).
window_min: `rain_min`.
A rain gauge that was not heard for `silent_min` leaves the mean to the others.
Parameters: rain_min (minutes), share (0 … 1), dry_pct, wet_pct (%), slot_min, silent_min,
soil_silent_min (minutes). `fengsui tune` finds them.

Delay it adds: none.
Cannot see: ground between the stations or below their depth; frozen ground; rain to come. Where no soil
moisture was heard for `soil_silent_min` the ground counts as wet, so that silence makes no rain harmless.
Source: recent rain with measured antecedent saturation: Mirus, Morphew & Smith 2018, Water 10:1274;
Bogaard & Greco 2018, Nat. Hazards Earth Syst. Sci. 18:31–39. The form is ours; its numbers are measured,
with their skill, in the tuned file.

>>> p = SoilAndRain(rain_min=120, share=0.8, dry_pct=10, wet_pct=40)
>>> x = np.array([[[5.0, 10.0, 20.0], [np.nan, 25.0, np.nan]]])
>>> view = View(x, np.array([0]), 3600, np.ones((1, 2)), ("rain", "soil_moisture"))
>>> float(score(p, view).value[0].round(3))
18.0
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.sums import areal_mean, check, check_slots, going_on, so_far
from detectors.statistics.robust_slope import newest

SOIL = "soil_moisture"
MOST = 0.9


class SoilAndRain(Parameters, frozen=True):
    """Over how long rain counts, and how much less of it on dry ground."""

    rain_min: int = 360
    share: float = 0.8
    dry_pct: float = 10.0
    wet_pct: float = 40.0
    slot_min: int = 60
    silent_min: int = 180
    soil_silent_min: int = 1440

    def __post_init__(self) -> None:
        slot_s = self.slot_min * 60
        check_slots(
            slot_s,
            rain_min=self.rain_min * 60,
            silent_min=self.silent_min * 60,
            soil_silent_min=self.soil_silent_min * 60,
        )
        # a probe that wrongly reads dry must not silence the rule: some of the rain always counts
        check(0 <= self.share <= MOST, f"share: 0 … {MOST}")
        check(
            0 <= self.dry_pct < self.wet_pct <= 100,
            Text("dry_pct 应低于 wet_pct，0 … 100", "dry_pct must lie below wet_pct, 0 … 100"),
        )
        check(
            width(self) <= 4096,
            Text(
                "时段过多：rain_min、soil_silent_min / slot_min",
                "too many slots: rain_min, soil_silent_min / slot_min",
            ),
        )


def width(p: SoilAndRain) -> int:
    """Slots that are looked at."""
    return max(p.rain_min, p.silent_min, p.soil_silent_min) // p.slot_min + 1


def fallen(p: SoilAndRain, view: View) -> tuple[Floats, Ints]:
    """(n,) areal rain of the newest `rain_min`, mm, of a view of rain alone; and that time."""
    rain = areal_mean(view.values, view.weights, p.silent_min // p.slot_min)[0]
    sums: Floats = rain[:, -(p.rain_min // p.slot_min) :].sum(axis=1)
    return sums, np.full(sums.shape, p.rain_min)


def wetness(p: SoilAndRain, soil: Floats) -> Floats:
    """(n, stations, W) soil moisture, % -> (n,) how wet the ground is, 0 … 1; 1 where none was heard."""
    slots = p.soil_silent_min // p.slot_min
    total, many = np.zeros(len(soil)), np.zeros(len(soil))
    for k in range(soil.shape[1]):
        x = newest(soil[:, k, -slots - 1 :])[0]
        total, many = total + np.nan_to_num(x), many + np.isfinite(x)
    mean = total / np.maximum(many, 1)
    wet = np.clip((mean - p.dry_pct) / (p.wet_pct - p.dry_pct), 0, 1)
    return np.where(many > 0, wet, 1.0)


def apart(view: View) -> tuple[View, Floats]:
    """The rain, and (n, stations, W) the soil moisture. Without quantities all inputs are rain."""
    soil = np.array([q == SOIL for q in view.quantities or ("rain",) * view.values.shape[1]])
    doubt = None if view.doubt is None else view.doubt[:, ~soil]
    rain = view._replace(
        values=view.values[:, ~soil], weights=view.weights[:, ~soil], quantities=(), doubt=doubt
    )
    return rain, view.values[:, soil]


def counted(p: SoilAndRain, wet: Floats) -> Floats:
    """(n,) how much of the rain counts."""
    found: Floats = 1 - p.share + p.share * wet
    return found


def score(p: SoilAndRain, view: View) -> Scored:
    """mm."""
    rain, soil = apart(view)
    found, much = going_on(fallen, p, rain), counted(p, wetness(p, soil))
    return found._replace(value=found.value * much, per_h=found.per_h * much)


def _plain(p: SoilAndRain, view: View) -> Scored:
    rain, soil = apart(view)
    found = so_far(fallen, p, rain)
    return found._replace(value=found.value * counted(p, wetness(p, soil)))


KIND = Kind(
    name="soil_and_rain",
    inputs=("rain",),
    parameters=SoilAndRain,
    slot_s=lambda p: p.slot_min * 60,
    span=width,
    score=score,
    gather="sum",
    joint=True,
    mixed=(SOIL,),
    plain=_plain,
)
