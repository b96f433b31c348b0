r"""Effective rain: what fell over many days, each hour weighing less the longer ago it is.

Sees: ground that is wet, and rain on top of it; a moderate rain after a wet week.

Equation: value = sum of P_h K^(a_h / 24) in mm over the hours of the last `days`; a_h is how many
hours the rain lies back beyond `current_h`, at least 0. So rain of the last `current_h` hours
counts in full, and from there it fades by `decay_per_day` a day without a step at midnight.
Parameters: decay_per_day (1), days, current_h (hours).
Growth: as the value grows if rain goes on as in the last hour.

Delay it adds: none; hours are whole hours of UTC, the present one as far as it has come.
Cannot see: rain before the window (with K = 0.85 and 30 days less than 1 % of it is left); frozen
ground, snow melt, evaporation by season: one K stands for all of them.
Source: Kohler & Linsley 1951, U.S. Weather Bureau Research Paper 34 (index and its recession).

>>> p = AntecedentRain(decay_per_day=0.5, days=2)
>>> rain = np.zeros((1, 1, 48)); rain[0, 0, [-25, -1]] = 10.0
>>> view = View(rain, np.array([0]), 3600, np.ones((1, 1)))
>>> float(score(p, view).value[0])
15.0
>>> float(score(AntecedentRain(decay_per_day=0.5, days=2, current_h=25), view).value[0])
20.0
"""

import numpy as np

from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.sums import check, going_on, so_far


class AntecedentRain(Parameters, frozen=True):
    """How fast the ground forgets, and how far back to look."""

    decay_per_day: float = 0.85
    days: int = 30
    current_h: int = 0

    def __post_init__(self) -> None:
        check(0 < self.decay_per_day <= 1, "decay_per_day: 0 … 1")
        check(1 <= self.days <= 90, "days: 1 … 90")
        check(0 <= self.current_h <= self.days * 24, "current_h: 0 … days")


def _score(p: AntecedentRain, view: View) -> tuple[Floats, Ints]:
    width = view.values.shape[2]
    age = np.maximum(np.arange(width)[::-1] - p.current_h, 0)
    value = (np.nan_to_num(view.values[:, 0]) * p.decay_per_day ** (age / 24)).sum(axis=1)
    return value, np.full(value.shape, width * 60)


def score(p: AntecedentRain, view: View) -> Scored:
    """mm."""
    return going_on(_score, p, view)


KIND = Kind(
    name="antecedent_rain",
    inputs=("rain",),
    parameters=AntecedentRain,
    slot_s=lambda _: 3600,
    span=lambda p: p.days * 24,
    score=score,
    quiet=0.0,
    fades=lambda _: True,
    plain=lambda p, view: so_far(_score, p, view),
)
