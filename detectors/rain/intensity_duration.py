r"""Rain intensity against a curve over duration, at all durations at once.

Sees: rain that is heavy for its duration, from a ten-minute burst to a day of steady rain.

Equation: value = max over D of I_D / (base + alpha D^-beta), where I_D is the mean intensity (mm/h)
of the newest D hours and D runs over every whole slot from `from_min` to `to_min`. 1 is the curve.
With `goes_on_min` the value is the higher of now and of so much later, if rain goes on with
`goes_on_share` of its mean in the last quarter of an hour, and grows or falls on with `goes_on_trend`
of its change since the quarter before: people need the time that is left.
Parameters: alpha (mm/h at D = 1 h), beta (1), base (mm/h), from_min, to_min, slot_min, goes_on_min
(minutes), goes_on_share (1), goes_on_trend (0 … 1).
Growth: as the value grows if rain goes on as in the last quarter of an hour.

Delay it adds: none; sums are of whole slots, so up to one slot of older rain stands beside them.
Cannot see: wet or dry ground (join it with `antecedent_rain`); snow melt; rain between gauges.
A worldwide curve is an envelope, not a local threshold: fit alpha and beta to the place.
Source: Caine 1980, Geografiska Annaler 62A:23–27 (I = 14.82 D^-0.39, 10 min … 10 days); the form
with `base`: Guzzetti et al. 2007, Meteorology and Atmospheric Physics 98:239–267.

>>> p = IntensityDuration(alpha=10.0, beta=0.5, slot_min=30, from_min=30, to_min=120)
>>> s = score(p, View(np.array([[[0.0, 0.0, 20.0, 0.0]]]), np.array([0]), 1800, np.ones((1, 1))))
>>> float(s.value[0]), int(s.window_min[0])
(2.0, 60)
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Envelopes, Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.sums import (
    RECENT_S,
    check,
    check_going_on,
    check_slots,
    continued,
    going_on,
    newest_sums,
    so_far,
)


class IntensityDuration(Parameters, frozen=True):
    """The curve, and the durations it is valid for."""

    alpha: float = 14.82
    beta: float = 0.39
    base: float = 0.0
    slot_min: int = 5
    from_min: int = 10
    to_min: int = 1440
    goes_on_min: int = 0
    goes_on_share: float = 1.0
    goes_on_trend: float = 0.0

    def __post_init__(self) -> None:
        s = self.slot_min * 60
        check_slots(s, from_min=self.from_min * 60, to_min=self.to_min * 60)
        check(
            self.to_min >= self.from_min,
            Text("to_min 应不小于 from_min", "to_min must not be below it"),
        )
        check(
            self.alpha > 0 and self.base >= 0,
            Text(
                "alpha 应为正，base 应不为负", "alpha must be positive, base must not be negative"
            ),
        )
        check(0 <= self.beta <= 2, "beta: 0 … 2")
        check_going_on(
            self.slot_min, self.goes_on_min, self.goes_on_share, self.goes_on_trend, self.to_min
        )


def worst(p: IntensityDuration, view: View, before: Floats | None = None) -> tuple[Floats, Ints]:
    """(n,) the worst ratio of the first input, now or if rain goes on, and minutes of the duration it is
    of. before: as `continued` takes it."""
    value, window_min = _worst(p, view)
    if p.goes_on_min == 0:
        return value, window_min
    ahead = p.goes_on_min // p.slot_min
    later = view._replace(values=continued(view, ahead, p.goes_on_share, p.goes_on_trend, before))
    then, then_min = _worst(p, later)
    return np.maximum(value, then), np.where(then > value, then_min, window_min)


def _worst(p: IntensityDuration, view: View) -> tuple[Floats, Ints]:
    first = p.from_min // p.slot_min
    sums = newest_sums(view.values[:, 0])[:, first - 1 :]
    hours = np.arange(first, view.values.shape[2] + 1) * (view.slot_s / 3600)
    ratio = sums / (hours * (p.base + p.alpha * hours**-p.beta))
    best = ratio.argmax(axis=1)
    value = ratio[np.arange(best.size), best]
    return value, np.where(value > 0, (best + first) * p.slot_min, 0)


def at_most(p: IntensityDuration, within: Envelopes) -> Floats:
    """(n,): as if all the rain fell in the newest minutes, and went on as hard as it can."""
    slots = -(-RECENT_S // (p.slot_min * 60))
    ahead = p.goes_on_min // p.slot_min
    rate = p.goes_on_share / slots
    grows = 1 + p.goes_on_trend / slots * (ahead + (slots - 1) / 2)
    hours = np.arange(p.from_min, p.to_min + 1, p.slot_min) / 60
    least = (hours * (p.base + p.alpha * hours**-p.beta)).min()
    most: Floats = within.fell * (1 + ahead * rate * grows) / least
    return most


def score(p: IntensityDuration, view: View) -> Scored:
    """The worst ratio, and the duration it is of."""
    return going_on(worst, p, view)


KIND = Kind(
    name="intensity_duration",
    inputs=("rain",),
    parameters=IntensityDuration,
    slot_s=lambda p: p.slot_min * 60,
    span=lambda p: p.to_min // p.slot_min,
    score=score,
    quiet=0.0,
    fades=lambda p: p.beta <= 1,
    plain=lambda p, view: so_far(worst, p, view),
    at_most=at_most,
    least=lambda p: p.from_min,
)
