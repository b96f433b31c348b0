r"""Peak rain intensity over a fixed duration, as post-fire debris-flow thresholds use it.

Sees: a burst; I15 answers to debris flows of burnt ground better than a storm's total does.

Equation: value = max over t of P(t - d, t] / d in mm/h, with d = `duration_min` (15, 30 or 60 as a
rule) and the whole of (t - d, t] within the last `within_min`.
Parameters: duration_min, within_min, slot_min (minutes).
Growth: as the value grows if rain goes on as in the last quarter of an hour.

Delay it adds: none. Windows are of whole slots: a peak that lies across slots is seen smaller by
at most slot/duration; make slot_min small against duration_min.
Cannot see: how long it has rained before, the ground; hail or snow in a heated gauge.
Source: Staley et al. 2017, Geomorphology 278:149–162 (peak 15-minute intensity after fire);
Kean et al. 2011, J. Geophys. Res. 116:F04019 (debris flows answer to rain of 5 to 30 minutes).

>>> p = PeakIntensity(duration_min=10, within_min=20, slot_min=5)
>>> s = score(p, View(np.array([[[1.0, 3.0, 2.0, 0.0]]]), np.array([0]), 300, np.ones((1, 1))))
>>> float(s.value[0]), int(s.window_min[0])
(30.0, 10)
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.sums import check, check_slots, going_on, so_far, sums_over


class PeakIntensity(Parameters, frozen=True):
    """The duration, and how long a peak is remembered."""

    duration_min: int = 15
    within_min: int = 60
    slot_min: int = 5

    def __post_init__(self) -> None:
        s = self.slot_min * 60
        check_slots(s, duration_min=self.duration_min * 60, within_min=self.within_min * 60)
        longer = self.within_min >= self.duration_min
        check(longer, Text("within_min 应不小于 duration_min", "within_min must not be below it"))


def _score(p: PeakIntensity, view: View) -> tuple[Floats, Ints]:
    peak = sums_over(view.values[:, 0], p.duration_min // p.slot_min).max(axis=1)
    value = np.maximum(peak, 0) * (60 / p.duration_min)
    return value, np.full(value.shape, p.duration_min)


def score(p: PeakIntensity, view: View) -> Scored:
    """mm/h."""
    return going_on(_score, p, view)


KIND = Kind(
    name="peak_intensity",
    inputs=("rain",),
    parameters=PeakIntensity,
    slot_s=lambda p: p.slot_min * 60,
    span=lambda p: p.within_min // p.slot_min,
    score=score,
    quiet=0.0,
    fades=lambda _: True,
    plain=lambda p, view: so_far(_score, p, view),
    least=lambda p: p.duration_min,
)
