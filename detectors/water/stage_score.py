r"""Water level or discharge on a scale of the stream's own, with part of its rise added and its base
taken off.

Sees: a stream on its way to its flood level, the earlier the steeper it rises.

Equation: u = (x - zero_m) / (flood_m - zero_m), so that 0 is the usual stage and 1 the flood level,
and with another `power` than 1 max(0, u)^power (a discharge to the power of one half grows about as
its stage does);
value = u + rise_weight max(0, u - u_rise) - base_weight u_base. u_rise is the oldest value heard in
the last `rise_min`; u_base is the median of one value an hour over the last `base_h`. With both
weights 0 the value is the stage itself; with rise_weight = a it is the stage that a rise of the
same speed reaches after a * rise_min. Where a rise or base is not known (after a start, with under
a quarter of the hours heard) it counts as 0; NaN only where the judged slot was not heard.
Parameters: zero_m, flood_m (m of the gauge's datum; of discharge m3/s), power (1), rise_min
(minutes), rise_weight (1), base_h (hours), base_weight (1), slot_min (minutes). `fengsui tune` finds
all of them from a record.

Delay it adds: none; a longer `rise_min` sees a sudden rise as a slower one.
Cannot see: a flood that comes faster than reports do: on flashy streams the stage may pass from
half the flood level to above it between two reports; rain that has not reached the stream yet; a
spike counts in full (quality tests).
Source: none for the sum itself; its weights are measured, with their skill, in the tuned file.

>>> p = StageScore(zero_m=1.0, flood_m=3.0, rise_min=10, rise_weight=1.0, base_h=1, slot_min=5)
>>> view = View(np.array([[[1.0] * 10 + [1.2, 1.6]]]), np.array([0]), 300, np.ones((1, 1)))
>>> [round(float(x[0]), 3) for x in (score(p, view).value, score(p, view).per_h)]
[0.6, 1.8]
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import (
    Envelopes,
    Floats,
    Ints,
    Kind,
    Parameters,
    Scored,
    View,
)
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_slope import newest

_LEAST_SHARE = 0.25  # of the hours of the base that must be heard


class StageScore(Parameters, frozen=True):
    """The stream's own scale, and how much of rise and base count."""

    zero_m: float = 0.0
    flood_m: float = 1.0
    power: float = 1.0
    rise_min: int = 60
    rise_weight: float = 0.0
    base_h: int = 48
    base_weight: float = 0.0
    slot_min: int = 5

    def __post_init__(self) -> None:
        check_slots(self.slot_min * 60, rise_min=self.rise_min * 60, base_h=self.base_h * 3600)
        check_scale(self.zero_m, self.flood_m, self.power)
        check(0 <= self.rise_weight <= 100, "rise_weight: 0 … 100")
        check(0 <= self.base_weight <= 100, "base_weight: 0 … 100")
        check(
            width(self) <= 4096,
            Text(
                "时段过多：rise_min、base_h / slot_min",
                "too many slots: rise_min, base_h / slot_min",
            ),
        )


def width(p: StageScore) -> int:
    """Slots that are looked at; those of the base only where it counts."""
    base = p.base_h * 60 // p.slot_min if p.base_weight else 0
    return max(base, p.rise_min // p.slot_min + 1)


def check_scale(zero: float, flood: float, power: float) -> None:
    """A scale that cannot be is a ValueError that says what can."""
    check(flood > zero, Text("flood_m 应高于 zero_m", "flood_m must lie above zero_m"))
    check(0.1 <= power <= 2, "power: 0.1 … 2")


def scaled(values: Floats, zero: float, flood: float, power: float = 1.0) -> Floats:
    """On the scale on which 0 is the usual and 1 the flood level; NaN stays NaN."""
    u: Floats = (values - zero) / (flood - zero)
    return u if power == 1 else np.maximum(u, 0) ** power


def as_heard(u: Floats, back: Ints) -> Floats:
    """(n, W) -> each row so that its last slot is the one `back` (n,) slots ago: what a gauge that is no
    longer heard said of its rise then. That it has risen no more since would say that it stands still.

    >>> as_heard(np.array([[1.0, 2.0, np.nan]]), np.array([1]))
    array([[nan,  1.,  2.]])
    """
    if not back.any():
        return u
    place = np.arange(u.shape[1]) - back[:, None]
    then = np.take_along_axis(u, np.maximum(place, 0), axis=1)
    found: Floats = np.where(place >= 0, then, np.nan)
    return found


def then(u: Floats, slots: int, silent: int) -> Floats:
    """(n, W), the last slot heard -> (n,) what it was `slots` ago. Where that slot was not heard, it lies
    on the straight line from the value before it, not more than `silent` slots older, to the next one: a
    rise belongs to the whole gap, and the part of it that is asked for has no more than its share. NaN:
    nothing was heard for so long before it.

    >>> then(np.array([[0.0, np.nan, np.nan, np.nan, 4.0]]), 1, 3)
    array([3.])
    """
    end = u.shape[1] - slots
    value, back = newest(u[:, max(end - silent - 1, 0) : end])
    gap = back > 0
    if not gap.any():
        return value
    since = u[:, end - 1 :]
    ahead = (~np.isnan(since)).argmax(axis=1)
    later = since[np.arange(len(u)), ahead]
    share = back / np.where(gap, back + ahead, 1)
    found: Floats = np.where(gap, value + (later - value) * share, value)
    return found


def rise(values: Floats, slots: int) -> Floats:
    """(n, W) -> newest less the oldest value heard in the last `slots` before it; 0 if none."""
    recent = values[:, -slots - 1 :]
    first = (~np.isnan(recent)).argmax(axis=1)
    grown: Floats = recent[:, -1] - recent[np.arange(len(recent)), first]
    return grown


def base(values: Floats, slots: int, an_hour: int) -> Floats:
    """(n, W) -> median of one value an hour of the last `slots`; NaN with too few of them."""
    hourly = np.sort(values[:, ::-1][:, :slots:an_hour], axis=1)  # NaN stand last
    many = (~np.isnan(hourly)).sum(axis=1)
    row = np.arange(len(hourly))
    middle = (hourly[row, np.maximum(many - 1, 0) // 2] + hourly[row, many // 2 * (many > 0)]) / 2
    found: Floats = np.where(many >= _LEAST_SHARE * hourly.shape[1], middle, np.nan)
    return found


def score(p: StageScore, view: View) -> Scored:
    """1 = flood level at rest; per_h: how fast the stage itself rises."""
    stage = scaled(view.values[:, 0], p.zero_m, p.flood_m, p.power)
    slots = p.rise_min * 60 // view.slot_s
    grown = np.maximum(rise(stage, slots), 0)
    value = stage[:, -1] + p.rise_weight * grown
    if p.base_weight:
        an_hour = max(1, 3600 // view.slot_s)
        usual = base(stage, p.base_h * 3600 // view.slot_s, an_hour)
        value = value - p.base_weight * np.nan_to_num(usual)
    return Scored(value, np.full(value.shape, p.rise_min), grown * (60 / p.rise_min))


def at_most(p: StageScore, within: Envelopes) -> Floats:
    """(n,): the highest level after a rise from the lowest, above the lowest base."""
    unheard = ~(within.high >= within.low)
    low, high = (
        scaled(np.where(unheard, p.zero_m, x), p.zero_m, p.flood_m, p.power)
        for x in (within.low, within.high)
    )
    most: Floats = high + p.rise_weight * (high - low) + p.base_weight * np.maximum(-low, 0)
    return most


KIND = Kind(
    name="stage_score",
    inputs=("stage", "discharge"),
    parameters=StageScore,
    slot_s=lambda p: p.slot_min * 60,
    span=width,
    score=score,
    gather="max",
    at_most=at_most,
)
