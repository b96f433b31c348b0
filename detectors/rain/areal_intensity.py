r"""Areal rain against an intensity-duration curve: what falls on a slope between its gauges, not on the
wettest of them.

Sees: as `intensity_duration`, for a place that several gauges stand around: the worst of three gauges
orders people to move whose own slope has the least of it.

Equation: that of `intensity_duration`, for the mean of the gauges in each slot (weights stated or by
inverse squared distance, as `areal_rain`). A gauge counts in a slot when it was heard in it or in the
`silent_min` before, so a dead one leaves the mean to the others. Rain of a lone gauge is not carried on
(`goes_on_min`) where another is heard and dry, nor before it has lasted for a quarter of an hour: what
one gauge saw may be a hand or a bounce, and one reading is no trend. Nor is there one from slots that are
in doubt, as an estimate is, to others: what is sure grows there as the other gauges do, and from others to
them no more than to what is sure of them (`sums.quarter_before`).
Parameters: those of `intensity_duration` (alpha, beta, base, from_min, to_min, slot_min, goes_on_min,
goes_on_share, goes_on_trend); silent_min (minutes).
Growth: as the value grows if rain goes on as in the last quarter of an hour.

Delay it adds: none; the last gauge of a slot to report makes its mean whole.
Cannot see: a cell that stands over one gauge alone is thinned by those beside it.
Source: as `intensity_duration`; Shepard 1968, Proc. 23rd ACM National Conference 517–524.

>>> p = ArealIntensity(alpha=10.0, beta=0.5, slot_min=30, from_min=30, to_min=60, silent_min=30)
>>> rain = np.array([[[0.0, 0.0, 20.0], [0.0, 0.0, 4.0]]])
>>> view = View(rain, np.array([0]), 1800, np.array([[0.75, 0.25]]))
>>> float(score(p, view).value[0].round(3))  # 16 mm in half an hour
2.263
"""

import msgspec
import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints, Kind, Scored, View
from detectors.rain.intensity_duration import IntensityDuration, at_most, worst
from detectors.rain.sums import areal_mean, check_slots, going_on, quarter_before, so_far

_BESIDE_MIN = 30  # rain at one gauge is borne out by what its neighbours had so lately
_LASTS_MIN = 15


class ArealIntensity(IntensityDuration, frozen=True):
    """The curve, and when a gauge no longer counts."""

    silent_min: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        check_slots(self.slot_min * 60, silent_min=self.silent_min * 60)


def areal_worst(p: ArealIntensity, view: View) -> tuple[Floats, Ints]:
    """(n,) the worst ratio, and minutes of the duration it is of; what was not heard is no rain."""
    mean = areal_mean(view.values, view.weights, p.silent_min // p.slot_min)[0]
    areal = view._replace(values=mean[:, None, -(p.to_min // p.slot_min) :], doubt=None)
    value, window_min = worst(p, areal, _before(view))
    if p.goes_on_min == 0:
        return value, window_min
    alone = _alone(view, p)
    if not alone.any():
        return value, window_min
    fallen, fallen_min = worst(msgspec.structs.replace(p, goes_on_min=0), areal)
    return np.where(alone, fallen, value), np.where(alone, fallen_min, window_min)


def _before(view: View) -> Floats | None:
    """(n, 1): the mean of the quarter of an hour before the newest, where some of it is in doubt."""
    if view.doubt is None:
        return None
    weight = np.where(np.isfinite(view.values).any(axis=2), view.weights, 0.0)
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    found: Floats = (weight * quarter_before(view)).sum(axis=1, keepdims=True) / total
    return found


def _alone(view: View, p: ArealIntensity) -> Bools:
    """(n,): one gauge alone has rain of late, and another that is heard has none, or it has not lasted.
    Gauges that are not heard contradict nobody."""
    slots = max(1, _BESIDE_MIN // p.slot_min)
    newest = view.values[..., -slots:]
    rains = newest > 0
    heard: Bools = np.any(np.isfinite(newest), axis=2)
    wet: Bools = np.any(rains, axis=2)
    lasted = np.count_nonzero(np.any(rains, axis=1), axis=1)
    brief = lasted < min(slots, _LASTS_MIN // p.slot_min)
    dry = np.any(heard & ~wet, axis=1)
    found: Bools = np.asarray((np.count_nonzero(wet, axis=1) == 1) & (dry | brief))
    return found


def score(p: ArealIntensity, view: View) -> Scored:
    """The worst ratio, and the duration it is of."""
    return going_on(areal_worst, p, view)


KIND = Kind(
    name="areal_intensity",
    inputs=("rain",),
    parameters=ArealIntensity,
    slot_s=lambda p: p.slot_min * 60,
    span=lambda p: (p.to_min + p.silent_min) // p.slot_min,
    score=score,
    joint=True,
    quiet=0.0,
    plain=lambda p, view: so_far(areal_worst, p, view),
    at_most=at_most,
    least=lambda p: p.from_min,
)
