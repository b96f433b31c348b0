r"""Ground shaking that swells: the short mean against the long mean before it.

Sees: a debris flow's tremor at a geophone, which rises within tens of seconds above the noise of
the river and the wind; also a crowd's or a machine's noise that starts.

Equation: value = mean of f(x) over the newest `sta_s` / reference over the `lta_s` before them,
f(x) = |x| or x^2 (`of` = amplitude or energy). The two do not overlap, so the event does not dull
its own reference at once. The reference is the mean of f(x), or, with `before` = median, its median: over
hours (slot_s = 10, lta_s = 21600) that is a threshold that follows the station's own noise, and is held
while it shakes, for a flow moves the median little until it has filled half of the window.
A station sends one number a slot: the RMS of its second, or the highest.
NaN where fewer than `min_share` of either window's slots were heard, or all before was zero.
Parameters: sta_s, lta_s, slot_s (seconds; slots of one second as a rule), of, before, floor (the least
reference, in the quantity's unit, its square for energy), min_share (share).

Delay it adds: part of `sta_s`, the longer the higher the threshold.
Cannot see: an event that swells more slowly than `lta_s`; after a start, or a break longer than the rest of
`lta_s` bears, anything until `min_share` of it has been heard; what shook is not told: a train, an
earthquake and a rock fall do too, so ask for a second sensor or for rain (rule `compound`).
Source: Allen 1978, Bull. Seismol. Soc. Am. 68:1521–1532; Withers et al. 1998, ibid. 88:95–106;
on debris flows: Coviello et al. 2019, J. Geophys. Res. Earth Surface 124:1440–1463.

>>> x = np.array([[[1.0, -1.0, 1.0, 1.0, 4.0, -6.0]]])
>>> view = View(x, np.array([0]), 1, np.ones((1, 1)))
>>> float(score(StaLta(sta_s=2, lta_s=4), view).value[0])
5.0
>>> float(score(StaLta(sta_s=2, lta_s=4, of="energy"), view).value[0])
26.0
>>> float(score(StaLta(sta_s=2, lta_s=4, before="median"), view).value[0])
5.0
"""

from typing import Literal

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Kind, Parameters, Scored, View, scored
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_level import median


class StaLta(Parameters, frozen=True):
    """The two windows."""

    sta_s: int = 10
    lta_s: int = 300
    slot_s: int = 1
    of: Literal["amplitude", "energy"] = "amplitude"
    before: Literal["mean", "median"] = "mean"
    floor: float = 0.0
    min_share: float = 0.5

    def __post_init__(self) -> None:
        check_slots(self.slot_s, sta_s=self.sta_s, lta_s=self.lta_s)
        check(self.lta_s > self.sta_s, Text("lta_s 应长于 sta_s", "lta_s must be longer"))
        check(self.floor >= 0, Text("floor 应不为负", "floor must not be negative"))
        check(0 < self.min_share <= 1, "min_share: 0 … 1")
        check(
            (self.sta_s + self.lta_s) // self.slot_s <= 4096,
            Text("时段过多，至多 4096", "too many slots, at most 4096"),
        )


def _mean(x: Floats, min_share: float) -> Floats:
    points = (~np.isnan(x)).sum(axis=1)
    mean = np.nansum(x, axis=1) / np.maximum(points, 1)
    found: Floats = np.where(points >= min_share * x.shape[1], mean, np.nan)
    return found


def _median(x: Floats, min_share: float) -> Floats:
    points = (~np.isnan(x)).sum(axis=1)
    found: Floats = np.where(points >= min_share * x.shape[1], median(x), np.nan)
    return found


def score(p: StaLta, view: View) -> Scored:
    """A ratio."""
    x = np.abs(view.values[:, 0])
    if p.of == "energy":
        x = x * x
    cut = p.sta_s // p.slot_s
    reference = _mean if p.before == "mean" else _median
    before = np.maximum(reference(x[:, :-cut], p.min_share), p.floor)
    value = _mean(x[:, -cut:], p.min_share) / np.where(before > 0, before, np.nan)
    return scored(value)


KIND = Kind(
    name="sta_lta",
    inputs=("*",),
    parameters=StaLta,
    slot_s=lambda p: p.slot_s,
    span=lambda p: (p.sta_s + p.lta_s) // p.slot_s,
    score=score,
    gather="max",
)
