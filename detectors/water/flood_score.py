r"""Level, its rise and the rain of a catchment as one number: the level to come, or the chance of a flood.

Sees: a flood that the water shows and the rain explains, earlier than either alone.

Equation: score = intercept + sum of weight x term. Terms: `level`, u = max(0, (x - zero_m) / (flood_m -
zero_m))^power of the newest value x heard in the last `silent_min` (0 usual, 1 the flood level);
`level_squared`, u^2 (high water grows, or falls, faster than it did); `rise_Nmin`, u less what it was N
minutes ago (all 0 where one is not known); `rain_Nmin`, areal rain of the last N minutes, mm;
`root_rain_Nmin`, its root; `wet`, w / (w + wet_mm) with w the rain of the last `days`, fading by
`decay_per_day` a day; `wet_rain_Nmin`, wet times that rain; `level_rain_Nmin`, u times that rain (a
stream that runs high answers more: its level says how wet the catchment is). With `outcome` level the
value is the score: the highest u that is expected within `ahead_min` (1 is the flood level); with chance
it is 1 / (1 + exp(-score)). A row is the level gauge, and beside it the rain gauges (`beside = { rain =
[...] }`).
window_min: `ahead_min`. A level below `lowest_m` is no water, and as if it were not heard.
Parameters: zero_m, flood_m, lowest_m (m, or m3/s of discharge), power, intercept, weights (term: weight),
outcome, ahead_min, decay_per_day, days, wet_mm, slot_min, silent_min (minutes). `fengsui tune` finds
them.

Delay it adds: none.
Cannot see: rain to come, snow; rain of a silent gauge counts as none where no other is heard; a
catchment that is not the one it was fitted to. NaN where the level was not heard for `silent_min`.
Source: least squares with a ridge (Hoerl & Kennard 1970, Technometrics 12:55–67) or logistic
regression on the record named in the file; antecedent index: Kohler & Linsley 1951; discharge as the
measure of wetness and of how a catchment answers: Kirchner 2009, Water Resour. Res. 45, W02429.

>>> p = FloodScore(zero_m=0, flood_m=10, weights={"level": 1.0, "rise_60min": 2.0, "rain_120min": 0.1})
>>> x = np.array([[[1.0, 2.0, 3.0], [9.0, 1.0, 4.0]]])
>>> round(float(score(p, View(x, np.array([0]), 3600, np.ones((1, 2)))).value[0]), 3)
1.0
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

import msgspec
import numpy as np

from config.language import Text
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Envelopes, Floats, Kind, Parameters, Scored, View, scored
from detectors.rain.log_odds import chance
from detectors.rain.sums import areal_mean, check, check_slots
from detectors.statistics.robust_slope import newest
from detectors.water.stage_score import check_scale, scaled

_PLAIN = ("level", "level_squared", "wet")
_TERMS = ", ".join(
    (*_PLAIN, "rise_Nmin", "rain_Nmin", "root_rain_Nmin", "wet_rain_Nmin", "level_rain_Nmin")
)
_TERM = re.compile(r"(rise|rain|root_rain|wet_rain|level_rain)_([1-9]\d{0,4})min")


class FloodScore(Parameters, frozen=True):
    """The stream's own scale, and what each term counts."""

    zero_m: float = 0.0
    flood_m: float = 1.0
    lowest_m: float | None = None
    power: float = 1.0
    intercept: float = 0.0
    weights: dict[str, float] = msgspec.field(default_factory=lambda: {"level": 1.0})
    outcome: Literal["level", "chance"] = "level"
    ahead_min: int = 60
    decay_per_day: float = 0.9
    days: int = 10
    wet_mm: float = 60.0
    slot_min: int = 60
    silent_min: int = 180

    def __post_init__(self) -> None:
        check_slots(self.slot_min * 60, silent_min=self.silent_min * 60)
        check_scale(self.zero_m, self.flood_m, self.power)
        check(0 <= self.ahead_min <= 10_080, "ahead_min: 0 … 10080")
        check(0 < self.decay_per_day <= 1 and self.wet_mm > 0, "decay_per_day: 0 … 1; wet_mm > 0")
        check(1 <= self.days <= 60, "days: 1 … 60")
        check("level" in self.weights, Text("weights: 缺 level", "weights: lacks level"))
        for name in self.weights:
            found = _TERM.fullmatch(name)
            check(
                name in _PLAIN or found is not None,
                Text(f"weights: 未知 {name!r}: {_TERMS}", f"weights: unknown {name!r}: {_TERMS}"),
            )
            if found:
                check_slots(self.slot_min * 60, **{name: int(found[2]) * 60})
        check(
            width(self) <= 4096,
            Text("时段过多：days、N / slot_min", "too many slots: days, N / slot_min"),
        )


# of the rain of a term (1 where it has none), the level and the wetness
_OF: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "level": lambda _, now, __: now,
    "level_squared": lambda _, now, __: now * now,
    "wet": lambda _, __, wet: wet,
    "rain": lambda fell, _, __: fell,
    "root_rain": lambda fell, _, __: np.sqrt(np.maximum(fell, 0)),
    "wet_rain": lambda fell, _, wet: fell * wet,
    "level_rain": lambda fell, now, _: fell * now,
}


@cache
def _length(name: str) -> tuple[str, int]:
    """What a term is of, and over how many minutes."""
    found = _TERM.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, 0)


def width(p: FloodScore) -> int:
    """Slots that are looked at."""
    of = [_length(name) for name in p.weights]
    wet = p.days * 1440 if any(what.startswith("wet") for what, _ in of) else 0
    back = max((minutes for _, minutes in of), default=0) + p.silent_min
    return int(max(wet, back)) // p.slot_min + 1


def _last(u: Floats, silent: int) -> Floats:
    """(n, W) -> the newest value of the last `silent` slots and the one before them; NaN for none."""
    return newest(u[:, -silent - 1 :])[0]


def terms(p: FloodScore, view: View) -> Floats:
    """(n, terms) in the order of `weights`. The first input is the level, the others are rain unless
    the view says otherwise."""
    quantities = view.quantities or ("", *("rain",) * (view.values.shape[1] - 1))
    wet_at = [k for k, q in enumerate(quantities) if q == "rain"]
    level_at = next(k for k, q in enumerate(quantities) if q != "rain")
    silent = p.silent_min // p.slot_min
    level = view.values[:, level_at]
    if p.lowest_m is not None:  # a sensor that fell to zero and came back has seen no rise
        level = np.where(level < p.lowest_m, np.nan, level)
    u = scaled(level, p.zero_m, p.flood_m, p.power)
    u = np.where(np.isnan(u), np.nan, np.maximum(u, 0))
    now = _last(u, silent)
    rain = np.zeros((len(u), u.shape[1]))
    if wet_at:
        rain = areal_mean(view.values[:, wet_at], view.weights[:, wet_at], silent)[0]
    total = np.concatenate((np.zeros((len(u), 1)), np.cumsum(rain[:, ::-1], axis=1)), axis=1)
    wet = np.zeros(len(u))
    if any(_length(name)[0].startswith("wet") for name in p.weights):
        held = rain[:, -p.days * 1440 // p.slot_min :]
        fading = p.decay_per_day ** (np.arange(held.shape[1])[::-1] * p.slot_min / 1440)
        fell = (held * fading).sum(axis=1)
        wet = fell / (fell + p.wet_mm)
    found = []
    for name in p.weights:
        what, minutes = _length(name)
        slots = minutes // p.slot_min
        if what == "rise":
            found.append(now - _last(u[:, : u.shape[1] - slots], silent))
        else:
            fell = total[:, slots] if slots else np.ones(len(u))
            found.append(_OF[what](fell, now, wet))
    rises = np.array([_length(name)[0] == "rise" for name in p.weights])
    return _whole(np.stack(found, axis=1), rises)


def _whole(found: Floats, rises: Bools) -> Floats:
    """Rises make up for one another: one without the others would say anything, so where the level some
    time ago is not known, none counts."""
    lacks: Bools = np.any(np.isnan(found[:, rises]), axis=1)
    if not lacks.any():
        return found
    whole: Floats = np.where(np.outer(lacks, rises), 0.0, found)
    return whole


def score(p: FloodScore, view: View) -> Scored:
    """1: the level on its scale, or a chance."""
    seen = terms(p, view)
    # term by term, so that a judgement is the same whatever stands beside it
    total = np.full(len(seen), p.intercept)
    for k, weight in enumerate(p.weights.values()):
        total = total + weight * seen[:, k]
    return scored(chance(total) if p.outcome == "chance" else total, p.ahead_min)


def at_most(p: FloodScore, within: Envelopes) -> Floats:
    """(n,): every term between its least and its most."""
    low, high = (
        np.maximum(scaled(np.asarray(x), p.zero_m, p.flood_m, p.power), 0)
        for x in (within.low, within.high)
    )
    unheard = ~(within.high >= within.low)
    low, high = np.where(unheard, 0, low), np.where(unheard, 0, high)
    ranges = {
        "level": (low, high),
        "level_squared": (low * low, high * high),
        "rise": (low - high, high - low),
        "rain": (0 * low, within.fell),
        "wet_rain": (0 * low, within.fell),
        "root_rain": (0 * low, np.sqrt(within.fell)),
        "level_rain": (0 * low, high * within.fell),
        "wet": (0 * low, within.fell / (within.fell + p.wet_mm)),
    }
    total = np.full(low.shape, p.intercept)
    for name, weight in p.weights.items():
        least, most = ranges[_length(name)[0]]
        total = total + np.maximum(weight * least, weight * most)
    return chance(total) if p.outcome == "chance" else total


KIND = Kind(
    name="flood_score",
    inputs=("stage", "discharge"),
    parameters=FloodScore,
    slot_s=lambda p: p.slot_min * 60,
    span=width,
    score=score,
    gather="max",
    joint=True,
    mixed=("rain",),
    at_most=at_most,
)
