r"""The robust trend of any quantity: `quantity_rise` warns of rising, `quantity_fall` of falling.

Sees: gas that gathers, a crowd that thickens, a sewer that fills, a battery or pump pressure that
sinks, hours before a threshold on the value itself.

Equation: value = Theil–Sen slope over the last `window_s`, in the quantity's unit an hour: the
median of (y_j - y_i) / (t_j - t_i) over all pairs of slots. NaN with fewer than `min_points`.
Of `quantity_fall` the value is negative when it falls, and thresholds are negative numbers.
Parameters: window_s, slot_s (seconds), min_points.

Delay it adds: up to half the window after a sudden change of slope.
Cannot see: a level that is dangerous but steady; daily cycles are trends to it: choose a window
far shorter, or far longer, than the cycle.
Source: Theil 1950; Sen 1968, J. Am. Stat. Assoc. 63:1379–1389.

>>> x = np.array([[[5.0, 4.0, np.nan, 2.0, 90.0, 0.0]]])
>>> view = View(x, np.array([0]), 600, np.ones((1, 1)))
>>> float(score(Rise(window_s=3600, slot_s=600), view).value[0])
-6.0
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Kind, Parameters, Scored, View, scored
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_slope import slopes


class Rise(Parameters, frozen=True):
    """The window."""

    window_s: int = 3600
    slot_s: int = 300
    min_points: int = 5

    def __post_init__(self) -> None:
        check_slots(self.slot_s, window_s=self.window_s)
        most = self.window_s // self.slot_s
        check(2 <= self.min_points <= most, f"min_points: 2 … {most} (window_s / slot_s)")
        check(most <= 288, Text("window_s / slot_s: 至多 288", "window_s / slot_s: at most 288"))


class Fall(Rise, frozen=True):
    """The same, where falling is bad."""


def score(p: Rise, view: View) -> Scored:
    """Unit an hour."""
    found = slopes(view.values[:, 0])
    rate = np.where(found.points >= p.min_points, found.median, np.nan)
    return scored(rate * (3600 / view.slot_s), p.window_s // 60)


def _kind(name: str, parameters: type[Rise], *, falling: bool) -> Kind:
    return Kind(
        name=name,
        inputs=("*",),
        parameters=parameters,
        slot_s=lambda p: p.slot_s,
        span=lambda p: p.window_s // p.slot_s,
        score=score,
        gather="min" if falling else "max",
        falling=falling,
    )


KINDS = (
    _kind("quantity_rise", Rise, falling=False),
    _kind("quantity_fall", Fall, falling=True),
)
