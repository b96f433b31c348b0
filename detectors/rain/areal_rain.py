r"""Mean rain over an area from several gauges, and nothing said where too few are heard.

Sees: rain over a catchment as a whole: one gauge's burst counts by its share, and a burst between
gauges by what each catches of it.

Equation: value = sum over slots of (sum_i w_i P_i / sum_i w_i), mm over `duration_min`, the sums
over the inputs i that count in the slot: heard in it or in the `silent_min` before. Weights are
stated or by inverse squared distance. NaN while the inputs that count at the judged slot hold less
than `min_weight` of all weight: not to know is not to be dry.
Parameters: duration_min, slot_min, silent_min (minutes), min_weight (share).
Growth: as the value grows if rain goes on as in the last quarter of an hour.

Delay it adds: none; the last gauge of a slot to report makes its mean whole.
Cannot see: what no gauge catches: a storm cell of 5 km between gauges 15 km apart.
Source: Shepard 1968, Proc. 23rd ACM National Conference 517–524 (inverse distance weights).

>>> p = ArealRain(duration_min=10, slot_min=5, silent_min=5)
>>> rain = np.array([[[0.0, 4.0, 6.0], [0.0, 0.0, 2.0]]])
>>> view = View(rain, np.array([0]), 300, np.array([[0.75, 0.25]]))
>>> float(score(p, view).value[0])
8.0
>>> silent = np.where(np.arange(2)[:, None] == 0, np.nan, rain)
>>> float(score(p, view._replace(values=silent)).value[0])
nan
"""

import numpy as np

from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.sums import areal_mean, check, check_slots, going_on, so_far


class ArealRain(Parameters, frozen=True):
    """The duration, and when a gauge no longer counts."""

    duration_min: int = 60
    slot_min: int = 5
    silent_min: int = 60
    min_weight: float = 0.5

    def __post_init__(self) -> None:
        s = self.slot_min * 60
        check_slots(s, duration_min=self.duration_min * 60, silent_min=self.silent_min * 60)
        check(0 < self.min_weight <= 1, "min_weight: 0 … 1")


def _score(p: ArealRain, view: View) -> tuple[Floats, Ints]:
    mean = areal_mean(view.values, view.weights, p.silent_min // p.slot_min)[0]
    value = mean[:, -(p.duration_min // p.slot_min) :].sum(axis=1)
    return value, np.full(value.shape, p.duration_min)


def _sure(p: ArealRain, view: View, found: Scored) -> Scored:
    """NaN where too little weight counts at the judged slot."""
    share = areal_mean(view.values, view.weights, p.silent_min // p.slot_min)[1][:, -1]
    return found._replace(value=np.where(share < p.min_weight - 1e-9, np.nan, found.value))


def score(p: ArealRain, view: View) -> Scored:
    """mm."""
    return _sure(p, view, going_on(_score, p, view))


KIND = Kind(
    name="areal_rain",
    inputs=("rain",),
    parameters=ArealRain,
    slot_s=lambda p: p.slot_min * 60,
    span=lambda p: (p.duration_min + p.silent_min) // p.slot_min,
    score=score,
    joint=True,
    quiet=0.0,
    plain=lambda p, view: _sure(p, view, so_far(_score, p, view)),
    at_most=lambda _, within: within.fell,
    least=lambda p: p.duration_min,
)
