r"""Is there a trend at all? The Mann–Kendall test over a window.

Sees: a rise that is too steady to be chance, however small: seepage, a slope that creeps, a pipe
that clogs. One-sided: a fall gives a negative value.

Equation: S = pairs that rise less pairs that fall; value Z = (S - sign S) / sqrt(var S), with
var S = [n (n-1) (2n+5) - sum over ties t (t-1) (2t+5)] / 18. Z = 1.645 is chance 1 in 20, 2.326 is
1 in 100, 3.09 is 1 in 1000. NaN with fewer than `min_points`; 0 where all values are equal.
Parameters: window_s, slot_s (seconds), min_points (10, below which Z is only roughly normal).

Delay it adds: the trend must fill a good part of the window.
Cannot see: how steep it is (`quantity_trend` does). Values that depend on those before them (any
river) make Z too large: take slots longer than that memory, and a higher threshold.
Source: Mann 1945, Econometrica 13:245–259; Kendall 1975, Rank Correlation Methods, 4th ed.

>>> x = np.array([[[1.0, 2.0, 3.0, 3.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.5]]])
>>> view = View(x, np.array([0]), 3600, np.ones((1, 1)))
>>> round(float(score(MannKendall(window_s=36_000, slot_s=3600), view).value[0]), 3)
3.862
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Kind, Parameters, Scored, View, scored
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_slope import kendall


class MannKendall(Parameters, frozen=True):
    """The window."""

    window_s: int = 86_400
    slot_s: int = 3600
    min_points: int = 10

    def __post_init__(self) -> None:
        check_slots(self.slot_s, window_s=self.window_s)
        most = self.window_s // self.slot_s
        check(4 <= self.min_points <= most, f"min_points: 4 … {most} (window_s / slot_s)")
        check(most <= 720, Text("window_s / slot_s: 至多 720", "window_s / slot_s: at most 720"))


def score(p: MannKendall, view: View) -> Scored:
    """Z, positive for a rise."""
    s, variance, points = kendall(view.values[:, 0])
    sure = (points >= p.min_points) & (variance > 0)
    z = (s - np.sign(s)) / np.sqrt(np.where(variance > 0, variance, 1))
    value = np.where(sure, z, np.where(points >= p.min_points, 0.0, np.nan))
    return scored(value, p.window_s // 60)


KIND = Kind(
    name="mann_kendall",
    inputs=("*",),
    parameters=MannKendall,
    slot_s=lambda p: p.slot_s,
    span=lambda p: p.window_s // p.slot_s,
    score=score,
    gather="max",
)
