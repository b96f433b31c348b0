r"""The chance that a slope moves soon, from its rain against a curve and the rain of the last minutes, on it
and around it.

Sees: a debris flow on its way, the surer the more of the curve has fallen, the harder it rains now, and the
more of the gauges around say so too.

Equation: chance = 1 / (1 + exp(-(intercept + sum of weight x term))). Terms: `fallen`, the worst ratio of
areal rain to the curve (`areal_intensity` by what fell alone), and `fallen_squared`; `goes_on` and
`goes_on_squared`, the same if rain goes on for `goes_on_min` as `areal_intensity` has it; `rain_Nmin`, areal
rain of the last N minutes, mm, and `root_rain_Nmin`, its root; `around_Nmin`, `root_around_Nmin`, the same of
the plain mean of all gauges of the row, whatever they weigh: what stands over one gauge alone passes on,
what all of them have stays. Where `goes_on` is below `near` the chance is 0: it was fitted to no such moment,
and means nothing there.
Parameters: those of `areal_intensity` (alpha, beta, base, from_min, to_min, goes_on_min, goes_on_share,
goes_on_trend, slot_min, silent_min); near, intercept, weights (term: weight), ahead_min (minutes within which
it moves). `fengsui tune --simulated` finds them. The gauges of a row should be those of the catchment: they
count by inverse squared distance for the slope, and alike for what is around.
Growth: as the value grows if rain goes on as in the last quarter of an hour.

Delay it adds: none; the last gauge of a slot to report makes its mean whole.
Cannot see: rain to come, how steep or how loose a slope is; ground wetted before the window. Where weights are
negative, rain of a while ago lowers it: a cell that passes is less to be feared than one that comes.
Source: logistic regression (Hosmer, Lemeshow & Sturdivant 2013) of moments of simulated storms; curve: Caine
1980, Geografiska Annaler 62A:23–27; mean: Shepard 1968, Proc. 23rd ACM National Conference 517–524.

>>> p = SlopeChance(intercept=-4.0, weights={"fallen": 1.0, "around_5min": 1.0}, silent_min=30)
>>> rain = np.zeros((1, 2, 294)); rain[0, :, -12:] = 3.0
>>> s = score(p, View(rain, np.array([0]), 300, np.array([[0.9, 0.1]])))
>>> round(float(s.value[0]), 3), int(s.window_min[0])
(0.807, 30)
"""

import re
from functools import cache

import msgspec
import numpy as np

from config.language import Text
from detectors.engine.window_rule import Envelopes, Floats, Ints, Kind, Scored, View
from detectors.rain.areal_intensity import ArealIntensity, areal_worst
from detectors.rain.intensity_duration import at_most as most_of_curve
from detectors.rain.storm.log_odds import chance, weighed
from detectors.rain.sums import areal_mean, check, check_slots, going_on, newest_sums, so_far

_PLAIN = ("fallen", "fallen_squared", "goes_on", "goes_on_squared")
_TERM = re.compile(r"(root_)?(rain|around)_([1-9]\d{0,3})min")
_TERMS = ", ".join((*_PLAIN, "rain_Nmin", "root_rain_Nmin", "around_Nmin", "root_around_Nmin"))


class SlopeChance(ArealIntensity, frozen=True):
    """The curve, and what each term counts."""

    near: float = 0.1
    intercept: float = 0.0
    weights: dict[str, float] = msgspec.field(default_factory=lambda: {"fallen": 1.0})
    ahead_min: int = 30

    def __post_init__(self) -> None:
        super().__post_init__()
        check(1 <= self.ahead_min <= 1440, "ahead_min: 1 … 1440")
        check(self.near > 0, Text("near 应为正", "near must be positive"))
        check(bool(self.weights), Text("weights: 至少一项", "weights: at least one term"))
        for name in self.weights:
            found = _TERM.fullmatch(name)
            check(
                name in _PLAIN or found is not None,
                Text(f"weights: 未知 {name!r}: {_TERMS}", f"weights: unknown {name!r}: {_TERMS}"),
            )
            if found:
                check_slots(self.slot_min * 60, **{name: int(found[3]) * 60})
                check(int(found[3]) <= self.to_min, f"{name}: <= to_min")


@cache
def _parts(name: str) -> tuple[bool, str, int]:
    """Of a term of rain: is it a root, of what mean, over how many minutes; of another, no minutes."""
    found = _TERM.fullmatch(name)
    return (bool(found[1]), found[2], int(found[3])) if found else (False, name, 0)


def span(p: SlopeChance) -> int:
    """Slots that are looked at."""
    return (p.to_min + p.silent_min) // p.slot_min


def terms(p: SlopeChance, view: View) -> tuple[Floats, Floats]:
    """(n, terms) in the order of `weights`, and (n,) `goes_on`."""
    silent = p.silent_min // p.slot_min
    alike = (view.weights > 0).astype(np.float64)  # an input that stands for none weighs nothing
    sums = {
        "rain": newest_sums(areal_mean(view.values, view.weights, silent)[0]),
        "around": newest_sums(areal_mean(view.values, alike, silent)[0]),
    }
    ratio = {
        "fallen": areal_worst(msgspec.structs.replace(p, goes_on_min=0), view)[0],
        "goes_on": areal_worst(p, view)[0],
    }
    found = np.empty((len(view.values), len(p.weights)))
    for k, name in enumerate(p.weights):
        root, what, minutes = _parts(name)
        if minutes:
            fell = np.maximum(sums[what][:, minutes // p.slot_min - 1], 0)
            found[:, k] = np.sqrt(fell) if root else fell
        else:
            of = ratio[what.removesuffix("_squared")]
            found[:, k] = of * of if what.endswith("_squared") else of
    return found, ratio["goes_on"]


def _score(p: SlopeChance, view: View) -> tuple[Floats, Ints]:
    seen, goes_on = terms(p, view)
    odds = weighed(p.intercept, p.weights, seen)
    value = np.where(goes_on >= p.near, chance(odds), 0.0)
    return value, np.full(value.shape, p.ahead_min)


def score(p: SlopeChance, view: View) -> Scored:
    """A chance, 0 … 1; NaN where no gauge was heard."""
    return going_on(_score, p, view)


def at_most(p: SlopeChance, within: Envelopes) -> Floats:
    """(n,): every term between nothing and its most."""
    fell = within.fell
    most = {
        "fallen": most_of_curve(msgspec.structs.replace(p, goes_on_min=0), within),
        "goes_on": most_of_curve(p, within),
    }
    total = np.full(fell.shape, p.intercept)
    for name, weight in p.weights.items():
        root, what, minutes = _parts(name)
        if minutes:
            high = np.sqrt(fell) if root else fell
        else:
            high = most[what.removesuffix("_squared")]
            high = high * high if what.endswith("_squared") else high
        total = total + np.maximum(weight * high, 0)
    return np.where(most["goes_on"] >= p.near, chance(total), 0.0)


def _least(p: SlopeChance) -> int:
    return min([m for m in (_parts(name)[2] for name in p.weights) if m] or [p.from_min])


KIND = Kind(
    name="slope_chance",
    inputs=("rain",),
    parameters=SlopeChance,
    slot_s=lambda p: p.slot_min * 60,
    span=span,
    score=score,
    joint=True,
    quiet=0.0,
    plain=lambda p, view: so_far(_score, p, view),
    at_most=at_most,
    least=_least,
)
