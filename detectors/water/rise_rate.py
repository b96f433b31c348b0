r"""How fast the water rises.

Sees: a flood's steep limb, whatever the height it starts from.

Equation: `robust`: value = Theil–Sen slope of the last `window_min`, m/h. `most`: value = the
greatest (newest stage - stage before) / hours between, over all earlier values of the window; it
answers to the first steep report. NaN with fewer than `min_points` values in the window.
Parameters: window_min, slot_min (minutes), how, min_points.

Delay it adds: `robust`: half the window for a sudden rise; `most`: none.
Cannot see: high water that no longer rises (join it with `stage_projection`); `most` takes a spike
for a rise.
Source: Theil 1950; Sen 1968, J. Am. Stat. Assoc. 63:1379–1389.

>>> rise = np.array([[[1.0, 1.1, 1.2, 5.0, 1.4, 1.5]]])
>>> view = View(rise, np.array([0]), 600, np.ones((1, 1)))
>>> p = RiseRate(window_min=60, slot_min=10, min_points=3)
>>> round(float(score(p, view).value[0]), 3)
0.6
>>> most = RiseRate(window_min=60, slot_min=10, min_points=2, how="most")
>>> round(float(score(most, view._replace(values=rise[:, :, :4])).value[0]), 3)
22.8
"""

from typing import Literal

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Kind, Parameters, Scored, View, scored
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_slope import newest, slopes


class RiseRate(Parameters, frozen=True):
    """The window and which rate."""

    window_min: int = 30
    slot_min: int = 5
    how: Literal["robust", "most"] = "robust"
    min_points: int = 3

    def __post_init__(self) -> None:
        check_slots(self.slot_min * 60, window_min=self.window_min * 60)
        most = self.window_min // self.slot_min
        check(2 <= self.min_points <= most, f"min_points: 2 … {most} (window_min / slot_min)")
        check(
            most <= 288,
            Text("window_min / slot_min: 至多 288", "window_min / slot_min: at most 288"),
        )


def _most(stage: Floats) -> Floats:
    """Steepest rise of any earlier value to the newest, a slot."""
    last, back = newest(stage)
    age = np.arange(stage.shape[1])[::-1] - back[:, None]
    rate = np.where(age > 0, last[:, None] - stage, np.nan) / np.maximum(age, 1)
    steepest: Floats = np.fmax.reduce(rate, axis=1)
    return steepest


def score(p: RiseRate, view: View) -> Scored:
    """m/h."""
    stage = view.values[:, 0]
    rate = slopes(stage).median if p.how == "robust" else _most(stage)
    enough = (~np.isnan(stage)).sum(axis=1) >= p.min_points
    return scored(np.where(enough, rate * (3600 / view.slot_s), np.nan), p.window_min)


KIND = Kind(
    name="rise_rate",
    inputs=("stage",),
    parameters=RiseRate,
    slot_s=lambda p: p.slot_min * 60,
    span=lambda p: p.window_min // p.slot_min,
    score=score,
    gather="max",
)
