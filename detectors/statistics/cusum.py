r"""The moment something changed: cumulated deviations from what is usual.

Sees: a shift as small as one sigma within ten or so values, and since when it lasts.

Equation: value = max over j of sum from j to now of (z_i - allowance), at least 0, in sigmas; z_i =
(x_i - mu) / sigma over the newest `recent` slots, which is Page's one-sided sum started anew there.
mu and sigma as stated, or median and MAD of the `usual` slots before the recent ones.
window_min: since when the sum runs. NaN as in `ewma`.
Parameters: allowance (sigmas; half the shift to be found, 0.5), recent_s, usual_s, slot_s
(seconds), mean, sigma, least_sigma (the quantity's unit), most_z (a single value counts at most so
many sigmas, against spikes), side (up, down, both), min_points. A threshold of 5 with 0.5 gives
one false alarm in about 930 values of pure noise; of correlated values more.

Delay it adds: threshold / (shift - allowance) values.
Cannot see: a shift older than the recent slots; slow cycles are shifts to it.
Source: Page 1954, Biometrika 41:100–115; Hawkins & Olwell 1998, Cumulative Sum
Charts and Charting for Quality Improvement, Springer.

>>> x = np.array([[[10.0, 9.0, 12.0, 11.0]]])
>>> p = Cusum(recent_s=240, usual_s=0, slot_s=60, mean=10.0, sigma=1.0)
>>> s = score(p, View(x, np.array([0]), 60, np.ones((1, 1))))
>>> float(s.value[0]), int(s.window_min[0])
(2.0, 2)
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View, scored
from detectors.rain.sums import check, check_slots
from detectors.statistics.ewma import check_usual, standard
from detectors.statistics.robust_level import Side


class Cusum(Parameters, frozen=True):
    """What deviation is let pass, and what is usual."""

    allowance: float = 0.5
    slot_s: int = 60
    recent_s: int = 1800
    usual_s: int = 21_600
    mean: float | None = None
    sigma: float | None = None
    least_sigma: float = 0.0
    most_z: float = 10.0
    side: Side = "up"
    min_points: int = 30

    def __post_init__(self) -> None:
        check_slots(self.slot_s, recent_s=self.recent_s)
        check_usual(self.slot_s, self.usual_s, self.mean, self.sigma, self.min_points)
        check(self.allowance >= 0, Text("allowance 应不为负", "allowance must not be negative"))
        check(
            self.most_z > self.allowance,
            Text("most_z 应大于 allowance", "most_z must be above allowance"),
        )
        check(
            self.least_sigma >= 0, Text("least_sigma 应不为负", "least_sigma must not be negative")
        )
        check(
            (self.recent_s + self.usual_s) // self.slot_s <= 2048,
            Text("时段过多，至多 2048", "too many slots, at most 2048"),
        )


def _run(z: Floats, allowance: float) -> tuple[Floats, Ints]:
    """The greatest sum that ends now, and over how many slots it runs."""
    steps = np.where(np.isnan(z), 0, z - allowance)
    sums = np.cumsum(steps[:, ::-1], axis=1)
    best = sums.argmax(axis=1)
    value = sums[np.arange(best.size), best]
    return np.maximum(value, 0), np.where(value > 0, best + 1, 0)


def score(p: Cusum, view: View) -> Scored:
    """Sigmas, cumulated."""
    cut = p.recent_s // p.slot_s
    x = view.values[:, 0]
    z = standard(x[:, -cut:], x[:, :-cut], p.mean, p.sigma, p.least_sigma, p.min_points)
    known = ~np.isnan(z).all(axis=1)
    z = np.clip(z, -p.most_z, p.most_z)
    value, slots = _run(-z if p.side == "down" else z, p.allowance)
    if p.side == "both":
        other, more = _run(-z, p.allowance)
        value, slots = np.maximum(value, other), np.where(other > value, more, slots)
    return scored(np.where(known, value, np.nan), -(-slots * p.slot_s // 60))


KIND = Kind(
    name="cusum",
    inputs=("*",),
    parameters=Cusum,
    slot_s=lambda p: p.slot_s,
    span=lambda p: (p.recent_s + p.usual_s) // p.slot_s,
    score=score,
    gather="max",
)
