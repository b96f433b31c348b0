"""What the rain rules share: running sums, the same rain going on, the mean of several gauges.

Rain that was not heard adds nothing to a sum; whether anything was heard at all is kept apart.

>>> newest_sums(np.array([[1.0, np.nan, 2.0, 4.0]]))
array([[4., 6., 6., 7.]])
"""

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from config.language import Said, Text
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints, Scored, View

RECENT_S = 900  # rain goes on as it fell in the last quarter of an hour
# what probably fell beside what is sure, of what is in doubt of an estimate: 0.92 of the estimate is laid
# (`detectors.quality.infill`), and a tenth of that is in doubt (`detectors.screening.sift`)
_OF_ESTIMATE = 1 + (1 / 0.92 - 1) / 0.1


def heard(values: Floats) -> Bools:
    """(n,): was anything heard of any input?"""
    found: Bools = np.asarray(np.isfinite(values).any(axis=(1, 2)))
    return found


def fallen(values: Floats) -> Floats:
    """The values, and 0 where nothing was heard (NaN)."""
    found: Floats = np.where(np.isnan(values), 0.0, values)
    return found


def newest_sums(values: Floats) -> Floats:
    """(…, W): entry d - 1 is the sum of the newest d slots."""
    sums: Floats = np.cumsum(fallen(values[..., ::-1]), axis=-1)
    return sums


def sums_over(values: Floats, length: int) -> Floats:
    """(…, W - length + 1): sums of `length` slots in a row, oldest first."""
    total = np.cumsum(fallen(values), axis=-1)
    sums = total[..., length - 1 :].copy()
    sums[..., 1:] -= total[..., :-length]
    return sums


def so_far(
    score: Callable[[Any, View], tuple[Floats, Ints]], parameters: Any, view: View
) -> Scored:
    """The score without its growth; NaN where nothing was heard."""
    value, window_min = score(parameters, view)
    value = np.where(heard(view.values), value, np.nan)
    return Scored(value, window_min, np.full(value.shape, np.nan))


def going_on(
    score: Callable[[Any, View], tuple[Floats, Ints]], parameters: Any, view: View
) -> Scored:
    """The score, with `per_h` as it grows if rain goes on as in the last quarter of an hour."""
    value, window_min, _ = so_far(score, parameters, view)
    slots = _recent_slots(view)
    then = score(parameters, view._replace(values=continued(view, slots)))[0]
    return Scored(value, window_min, (then - value) * (3600 / (slots * view.slot_s)))


def continued(
    view: View, ahead: int, share: float = 1.0, trend: float = 0.0, before: Floats | None = None
) -> Floats:
    """(n, k, W): the window `ahead` slots later, 0 <= ahead <= W, if every input goes on with `share`
    of its mean in the last quarter of an hour, and grows or falls slot by slot with `trend` of the
    change since the quarter before, never below nothing. Who was silent then stays silent (NaN).
    before: (n, k) the sums of that quarter, where not `quarter_before`."""
    slots = _recent_slots(view)
    newest = view.values[..., -slots:]
    recent = fallen(newest).sum(axis=-1, keepdims=True) * (share / slots)
    later = np.repeat(recent, ahead, axis=-1)
    if trend:
        held = quarter_before(view) if before is None else before
        grown = recent - held[..., None] * (share / slots)
        # the mean of a quarter stands in its middle
        away = np.arange(1, ahead + 1) + (slots - 1) / 2
        later = np.maximum(later + grown * (trend / slots) * away, 0)
    later[np.isnan(newest).all(axis=-1)] = np.nan
    return np.concatenate((view.values[..., ahead:], later), axis=-1)


def quarter_before(view: View) -> Floats:
    """(n, k) sums of the quarter of an hour before the newest. Of an input of which some slots of the two
    are in doubt and others are not, as those of the inputs without doubt grew or fell, and where there is
    none as in the newest: where a gauge that was estimated is measured again there is no trend. While it is
    estimated it is what was measured and, of what was estimated by then, all that probably fell: what is
    sure now is low, and so is its growth."""
    slots = _recent_slots(view)
    newest = fallen(view.values[..., -slots:]).sum(axis=-1)
    before: Floats = fallen(view.values[..., -2 * slots : -slots]).sum(axis=-1)
    if view.doubt is None:
        return before
    taken = view.doubt[..., -2 * slots :]
    doubtful = taken != 0
    some = doubtful.any(axis=-1)
    weight = np.where(some, 0.0, view.weights)
    now, then = (weight * newest).sum(axis=1), (weight * before).sum(axis=1)
    ratio = np.divide(then, now, out=np.ones_like(now), where=now > 0)
    left = np.where(doubtful, fallen(view.values[..., -2 * slots :]), 0.0).sum(axis=-1)
    fell = before + taken[..., :slots].sum(axis=-1) * _OF_ESTIMATE
    estimated = doubtful[..., -1] & (taken.sum(axis=-1) <= left)
    other = np.where(estimated, fell, newest * ratio[:, None])
    found: Floats = np.where(some & ~doubtful.all(axis=-1), other, before)
    return found


def _recent_slots(view: View) -> int:
    return min(ceil(RECENT_S / view.slot_s), int(view.values.shape[2]))


def areal_mean(values: Floats, weights: Floats, silent_slots: int) -> tuple[Floats, Floats]:
    """(n, W) weighted mean of the inputs in each slot, and the share of the weight it rests on.

    An input counts in a slot when it was heard in it or in the `silent_slots` before: a gauge that
    speaks only of rain is dry in between; one that fell silent leaves the mean to the others.
    """
    known = ~np.isnan(values)
    so_far = np.cumsum(known, axis=2)
    recent = so_far > 0
    if silent_slots + 1 < values.shape[2]:
        recent[..., silent_slots + 1 :] = (
            so_far[..., silent_slots + 1 :] > so_far[..., : -silent_slots - 1]
        )
    weight = recent * weights[:, :, None]
    total, all_ = weight.sum(axis=1), weights.sum(axis=1)[:, None]
    rain = (np.where(known, values, 0.0) * weight).sum(axis=1)
    mean = np.divide(rain, total, out=np.zeros_like(rain), where=total > 0)
    return mean, np.divide(total, all_, out=np.zeros_like(total), where=all_ > 0)


def check(fine: bool, what: Said) -> None:
    """A parameter that cannot be is a ValueError that says what can."""
    if not fine:
        raise ValueError(what)


def check_slots(slot_s: int, **lengths_s: int) -> None:
    """Slots divide the day, so that they start where clocks do; lengths are whole slots."""
    check(
        slot_s >= 1 and 86_400 % slot_s == 0,
        Text(f"时段 {slot_s} s 应能整除一天", f"a slot of {slot_s} s must divide a day"),
    )
    for name, length in lengths_s.items():
        check(
            length >= slot_s and length % slot_s == 0,
            Text(
                f"{name}：应为时段 {slot_s} s 的整倍数",
                f"{name}: must be whole slots of {slot_s} s",
            ),
        )


def check_going_on(
    slot_min: int, goes_on_min: int, share: float, trend: float, window_min: int
) -> None:
    """Whole slots, fewer than the window has; the rain that goes on is at most twice as heavy, and its
    change goes on at most as fast as it was."""
    check(
        0 <= goes_on_min < window_min and goes_on_min % slot_min == 0,
        Text(
            f"goes_on_min：应为时段 {slot_min} min 的整倍数，小于 {window_min}",
            f"goes_on_min: whole slots of {slot_min} min, below the window of {window_min}",
        ),
    )
    check(0 <= share <= 2, "goes_on_share: 0 … 2")
    check(0 <= trend <= 1, "goes_on_trend: 0 … 1")
