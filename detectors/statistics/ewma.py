r"""A small lasting shift: an exponentially weighted mean against what is usual.

Sees: a value that stays a little off, long before a threshold: seepage, a sensor that drifts, a
ground noise that swells.

Equation: over the newest `recent` slots in order z = weight x + (1 - weight) z, from z = mu;
value = (z - mu) / (sigma sqrt(weight / (2 - weight) (1 - (1 - weight)^(2m)))) with m values, in
sigmas of z. mu and sigma as stated, or median and MAD of the `usual` slots before the recent ones.
NaN with fewer than `min_points` usual values where they are needed, or sigma = 0.
Parameters: weight (1), recent_s, usual_s, slot_s (seconds), mean, sigma, least_sigma (the
quantity's unit; the sensor's own resolution is a good floor), side (up, down, both), min_points.
Three sigmas are the usual threshold; at one slot a minute that is some false alarm a day even of
pure noise: take four or five.

Delay it adds: about 1 / weight slots for a shift of one sigma.
Cannot see: a shift that lasts longer than the recent slots and becomes what is usual; a daily cycle
is a shift to it.
Source: Roberts 1959, Technometrics 1:239–250; Lucas & Saccucci 1990, Technometrics 32:1–12.

>>> x = np.array([[[12.0, np.nan, 14.0]]])
>>> p = Ewma(weight=0.5, recent_s=180, usual_s=0, slot_s=60, mean=10.0, sigma=1.0)
>>> z = score(p, View(x, np.array([0]), 60, np.ones((1, 1)))).value[0]
>>> round(float(z), 4)  # z = 12.5, its sigma sqrt(0.5 / 1.5 (1 - 0.5 ** 4))
4.4721
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Kind, Parameters, Scored, View, scored
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_level import Side, sided, usual


class Ewma(Parameters, frozen=True):
    """The weight of a new value, and what is usual."""

    weight: float = 0.2
    slot_s: int = 60
    recent_s: int = 1800
    usual_s: int = 21_600
    mean: float | None = None
    sigma: float | None = None
    least_sigma: float = 0.0
    side: Side = "up"
    min_points: int = 30

    def __post_init__(self) -> None:
        check_slots(self.slot_s, recent_s=self.recent_s)
        check_usual(self.slot_s, self.usual_s, self.mean, self.sigma, self.min_points)
        check(0 < self.weight <= 1, "weight: 0 … 1")
        check(
            self.least_sigma >= 0, Text("least_sigma 应不为负", "least_sigma must not be negative")
        )
        check(
            (self.recent_s + self.usual_s) // self.slot_s <= 2048,
            Text("时段过多，至多 2048", "too many slots, at most 2048"),
        )


def check_usual(
    slot_s: int, usual_s: int, mean: float | None, sigma: float | None, min_points: int
) -> None:
    """Either mean and sigma are stated, or there is a window to take them from."""
    check(
        (mean is None) == (sigma is None),
        Text("mean 与 sigma 应同时给出", "mean and sigma: state both or neither"),
    )
    check(sigma is None or sigma > 0, Text("sigma 应为正", "sigma must be positive"))
    if mean is None:
        check_slots(slot_s, usual_s=usual_s)
        most = usual_s // slot_s
        check(3 <= min_points <= most, f"min_points: 3 … {most} (usual_s / slot_s)")
    check(
        usual_s >= 0 and usual_s % slot_s == 0,
        Text("usual_s 应为整时段", "usual_s must be whole slots"),
    )


def standard(
    recent: Floats,
    before: Floats,
    mean: float | None,
    sigma: float | None,
    least_sigma: float,
    min_points: int,
) -> Floats:
    """Recent values in sigmas from what is usual; NaN where that is not known."""
    if mean is not None and sigma is not None:
        return (recent - mean) / max(sigma, least_sigma)
    middle, spread, points = usual(before, least_sigma)
    known = (points >= min_points) & (spread > 0)
    scale = np.where(known, spread, np.nan)
    return (recent - middle[:, None]) / scale[:, None]


def score(p: Ewma, view: View) -> Scored:
    """Sigmas of the weighted mean."""
    cut = p.recent_s // p.slot_s
    x = view.values[:, 0]
    recent = x[:, -cut:]
    z = standard(recent, x[:, :-cut], p.mean, p.sigma, p.least_sigma, p.min_points)
    known = ~np.isnan(recent)
    newer = np.cumsum(known[:, ::-1], axis=1)[:, ::-1] - known  # values that came after
    keep = 1 - p.weight
    mean = np.where(known, p.weight * keep**newer * z, 0).sum(axis=1)
    many = known.sum(axis=1)
    spread = np.sqrt(p.weight / (2 - p.weight) * (1 - keep ** (2 * many)))
    value = mean / np.where(many > 0, spread, np.nan)
    return scored(sided(value, p.side), p.recent_s // 60)


KIND = Kind(
    name="ewma",
    inputs=("*",),
    parameters=Ewma,
    slot_s=lambda p: p.slot_s,
    span=lambda p: (p.recent_s + p.usual_s) // p.slot_s,
    score=score,
    gather="max",
)
