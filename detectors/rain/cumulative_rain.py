r"""Rain of several days: a plain sum, and recent rain against the rain before it.

Sees: long soaking, as landslides of a wet season follow.

Equation of `cumulative_rain`: value = rain of the last `over_h` hours, mm.
Equation of `recent_prior_rain`: value = P_recent + b P_prior, mm, with P_recent of the last
`recent_days` and P_prior of the `prior_days` before those. Chleborad's line P3 = a - b P15 is then
the one threshold a: reached where value >= a (his a = 3.5 in = 88.9 mm, b = 0.67).
Parameters: over_h (hours), slot_min (minutes); recent_days, prior_days (days), b (1).
Growth: as the value grows if rain goes on as in the last quarter of an hour, or the last slot.

Delay it adds: none, but a sum over days is slow by itself: pair it with a short window.
Cannot see: how the rain was spread within the days; the line is of Seattle's coastal bluffs, and
its a and b hold there only.
Source: Chleborad 2000, U.S. Geological Survey Open-File Report 00-469; Chleborad 2003, OFR 03-463.

>>> rain = np.zeros((1, 1, 18 * 24)); rain[0, 0, [0, -73, -72, -1]] = 10.0, 20.0, 30.0, 40.0
>>> view = View(rain, np.array([0]), 3600, np.ones((1, 1)))
>>> float(recent_prior(RecentPriorRain(), view).value[0])
90.1
>>> float(cumulative(CumulativeRain(over_h=432), view).value[0])
100.0
"""

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.sums import check, check_slots, going_on, so_far

_DAY = 24


class CumulativeRain(Parameters, frozen=True):
    """How far back."""

    over_h: int = 72
    slot_min: int = 60

    def __post_init__(self) -> None:
        check_slots(self.slot_min * 60, over_h=self.over_h * 3600)
        check(
            self.over_h * 60 // self.slot_min <= 2400,
            Text("over_h: 时段过多", "over_h: too many slots"),
        )


class RecentPriorRain(Parameters, frozen=True):
    """Chleborad's periods and slope."""

    recent_days: int = 3
    prior_days: int = 15
    b: float = 0.67

    def __post_init__(self) -> None:
        check(1 <= self.recent_days <= 30, "recent_days: 1 … 30")
        check(1 <= self.prior_days <= 60, "prior_days: 1 … 60")
        check(self.b >= 0, Text("b 应不为负", "b must not be negative"))


def _total(p: CumulativeRain, view: View) -> tuple[Floats, Ints]:
    value = np.nan_to_num(view.values[:, 0]).sum(axis=1)
    return value, np.full(value.shape, p.over_h * 60)


def _recent_prior(p: RecentPriorRain, view: View) -> tuple[Floats, Ints]:
    rain, cut = np.nan_to_num(view.values[:, 0]), p.recent_days * _DAY
    value = rain[:, -cut:].sum(axis=1) + p.b * rain[:, :-cut].sum(axis=1)
    return value, np.full(value.shape, rain.shape[1] * 60)


def cumulative(p: CumulativeRain, view: View) -> Scored:
    """mm."""
    return going_on(_total, p, view)


def recent_prior(p: RecentPriorRain, view: View) -> Scored:
    """mm, against Chleborad's a."""
    return going_on(_recent_prior, p, view)


KINDS = (
    Kind(
        name="cumulative_rain",
        inputs=("rain",),
        parameters=CumulativeRain,
        slot_s=lambda p: p.slot_min * 60,
        span=lambda p: p.over_h * 60 // p.slot_min,
        score=cumulative,
        quiet=0.0,
        fades=lambda _: True,
        plain=lambda p, view: so_far(_total, p, view),
        at_most=lambda _, within: within.fell,
    ),
    Kind(
        name="recent_prior_rain",
        inputs=("rain",),
        parameters=RecentPriorRain,
        slot_s=lambda _: 3600,
        span=lambda p: (p.recent_days + p.prior_days) * _DAY,
        score=recent_prior,
        quiet=0.0,
        fades=lambda p: p.b <= 1,
        plain=lambda p, view: so_far(_recent_prior, p, view),
    ),
)
