r"""Water level projected ahead along its robust trend, with as much doubt as you choose.

Sees: a rise that will reach a level within `ahead_min`, before it does.

Equation: value = newest stage + max(0, b) (ahead + its age), in m: the highest level of the next
`ahead_min` if the trend goes on. b is the Theil–Sen slope of the last `window_min`, or the lower or
upper end of its confidence interval (`bound`): `lower` warns of a rise that is sure, `upper` of
one that may be. NaN with fewer than `min_points` values in the window.
Parameters: window_min, ahead_min, slot_min (minutes), bound, confidence (two-sided, 1), min_points.

Delay it adds: `min_points` reports after a start; on a rise that grows steeper the median slope lags
by about half the window.
Cannot see: a crest that is near, a dam that breaks upstream; a wrong newest value (a spike) moves
the base, not the slope; that is for the quality tests.
Source: Theil 1950; Sen 1968, J. Am. Stat. Assoc. 63:1379–1389 (slope and its interval).

>>> p = StageProjection(window_min=30, ahead_min=30, slot_min=5, min_points=4)
>>> rise = np.array([[[1.0, 1.1, 1.2, 5.0, 1.4, 1.5]]])
>>> s = score(p, View(rise, np.array([0]), 300, np.ones((1, 1))))
>>> round(float(s.value[0]), 3), round(float(s.per_h[0]), 3)
(2.1, 1.2)
"""

from typing import Literal

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Kind, Parameters, Scored, View
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_slope import newest, slopes


class StageProjection(Parameters, frozen=True):
    """The window, how far ahead, and which slope."""

    window_min: int = 60
    ahead_min: int = 30
    slot_min: int = 5
    bound: Literal["lower", "median", "upper"] = "median"
    confidence: float = 0.9
    min_points: int = 5

    def __post_init__(self) -> None:
        check_slots(self.slot_min * 60, window_min=self.window_min * 60)
        check(0 <= self.ahead_min <= 1440, "ahead_min: 0 … 1440")
        check(0 < self.confidence < 1, "confidence: 0 … 1")
        most = self.window_min // self.slot_min
        check(2 <= self.min_points <= most, f"min_points: 2 … {most} (window_min / slot_min)")
        check(
            most <= 288,
            Text("window_min / slot_min: 至多 288", "window_min / slot_min: at most 288"),
        )


def score(p: StageProjection, view: View) -> Scored:
    """m; per_h is the slope."""
    stage = view.values[:, 0]
    found = slopes(stage, p.confidence)
    slope = {"lower": found.low, "median": found.median, "upper": found.high}[p.bound]
    slope = np.where(found.points >= p.min_points, slope, np.nan)
    base, back = newest(stage)
    ahead = p.ahead_min * 60 / view.slot_s + back
    value = base + np.maximum(slope, 0) * ahead
    return Scored(value, np.full(value.shape, p.window_min), slope * (3600 / view.slot_s))


KIND = Kind(
    name="stage_projection",
    inputs=("stage",),
    parameters=StageProjection,
    slot_s=lambda p: p.slot_min * 60,
    span=lambda p: p.window_min // p.slot_min,
    score=score,
    gather="max",
)
