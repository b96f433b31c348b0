r"""Level, its rise and the rain of a catchment as one number: the level to come, or the chance of a flood.

Sees: a flood that the water shows and the rain explains, earlier than either alone.

Equation: score = intercept + sum of weight x term. Terms: `level`, u = max(0, (x - zero_m) / (flood_m -
zero_m))^power of the newest value x heard in the last `silent_min` (0 usual, 1 the flood level);
`level_squared`, u^2 (high water grows, or falls, faster than it did); `rise_Nmin`, u less what it was N
minutes before it was last heard, on a straight line across slots that were not (all 0 where one is not
known); `rain_Nmin`, areal rain of the last N
minutes, mm; `root_rain_Nmin`, its root; `wet`, w / (w + wet_mm) with w the rain of the last `days`, fading by
`decay_per_day` a day; `wet_rain_Nmin`, wet times that rain; `level_rain_Nmin`, u times that rain (a
stream that runs high answers more: its level says how wet the catchment is). With `outcome` level the
value is the score: the highest u that is expected within `ahead_min` (1 is the flood level); with chance
it is 1 / (1 + exp(-score)). A row is the level gauge, and beside it the rain gauges (`beside = { rain =
[...] }`).
Where the level was not heard for `unseen_min` the score is the higher of that and unseen_intercept + sum of
`unseen` weight x term, terms of rain alone: a stream whose gauge is broken is foretold from what is still
known. That raises a level and calls none over while there is rain in the window; what is said then says so.
window_min: `ahead_min`. A level below `lowest_m` is no water, and as if it were not heard.
Parameters: zero_m, flood_m, lowest_m (m, or m3/s of discharge), power, intercept, weights (term: weight),
unseen_intercept, unseen (term: weight; none: never by rain alone), unseen_min (minutes, 0: silent_min),
outcome, ahead_min, decay_per_day, days, wet_mm, slot_min, silent_min (minutes). `fengsui tune` finds
them, those for a level that is not seen with `--simulated`.

Delay it adds: none.
Cannot see: rain to come, snow; rain of a silent gauge counts as none where no other is heard; a
catchment that is not the one it was fitted to. NaN where the level was not heard for `silent_min` and there
is no `unseen`, or no rain gauge was heard either.
Source: least squares with a ridge (Hoerl & Kennard 1970, Technometrics 12:55–67) or logistic
regression on the record named in the file; antecedent index: Kohler & Linsley 1951; discharge as the
measure of wetness and of how a catchment answers: Kirchner 2009, Water Resour. Res. 45, W02429.

>>> p = FloodScore(zero_m=0, flood_m=10, weights={"level": 1.0, "rise_60min": 2.0, "rain_120min": 0.1})
>>> x = np.array([[[1.0, 2.0, 3.0], [9.0, 1.0, 4.0]]])
>>> round(float(score(p, View(x, np.array([0]), 3600, np.ones((1, 2)))).value[0]), 3)
1.0
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from config.language import Text
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import (
    Envelopes,
    Floats,
    Ints,
    Kind,
    Parameters,
    Scored,
    Tells,
    View,
    scored,
)
from detectors.rain.storm.log_odds import chance, weighed
from detectors.rain.sums import areal_mean, check, check_slots, fallen
from detectors.statistics.robust_slope import newest
from detectors.water.stage_score import as_heard, check_scale, scaled, then

_PLAIN = ("level", "level_squared", "wet")
_TERMS = ", ".join(
    (*_PLAIN, "rise_Nmin", "rain_Nmin", "root_rain_Nmin", "wet_rain_Nmin", "level_rain_Nmin")
)
_TERM = re.compile(r"(rise|rain|root_rain|wet_rain|level_rain)_([1-9]\d{0,4})min")
_RAIN = ("rain", "root_rain", "wet_rain", "wet")  # terms that need no level


class FloodScore(Parameters, frozen=True):
    """The stream's own scale, and what each term counts."""

    zero_m: float = 0.0
    flood_m: float = 1.0
    lowest_m: float | None = None
    power: float = 1.0
    intercept: float = 0.0
    weights: dict[str, float] = msgspec.field(default_factory=lambda: {"level": 1.0})
    unseen_intercept: float = 0.0
    unseen: dict[str, float] = msgspec.field(default_factory=dict)
    unseen_min: int = 0
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
        for name in (*self.weights, *self.unseen):
            found = _TERM.fullmatch(name)
            check(
                name in _PLAIN or found is not None,
                Text(f"weights: 未知 {name!r}: {_TERMS}", f"weights: unknown {name!r}: {_TERMS}"),
            )
            if found:
                check_slots(self.slot_min * 60, **{name: int(found[2]) * 60})
        for name in self.unseen:
            check(
                _length(name)[0] in _RAIN,
                Text(f"unseen：{name} 要有水位", f"unseen: {name} needs a level"),
            )
        if self.unseen_min:
            check_slots(self.slot_min * 60, unseen_min=self.unseen_min * 60)
            check(self.unseen_min <= self.silent_min, "unseen_min: 0 … silent_min")
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
    of = [_length(name) for name in (*p.weights, *p.unseen)]
    wet = p.days * 1440 if any(what.startswith("wet") for what, _ in of) else 0
    back = max(minutes for _, minutes in of) + p.silent_min
    return int(max(wet, back)) // p.slot_min + 1


def _last(u: Floats, silent: int) -> tuple[Floats, Ints]:
    """(n, W) -> the newest value of the last `silent` slots and the one before them, NaN for none, and how
    many slots it lies back."""
    return newest(u[:, -silent - 1 :])


class _Level(NamedTuple):
    """u: (n, W) on its scale up to when it was last heard; now: (n,) what it was then, NaN where that is
    too long ago; back: how many slots ago that is."""

    u: Floats
    now: Floats
    back: Ints


def _heard(p: FloodScore, view: View) -> Floats:
    """(n, W): the level where it was heard and is one."""
    level: Floats = view.values[:, _level_at(view)]
    if p.lowest_m is None:
        return level
    # a sensor that fell to zero and came back has seen no rise
    return np.where(level < p.lowest_m, np.nan, level)


def _level(p: FloodScore, view: View) -> _Level:
    """What is known of the level, as of when it was last heard."""
    level = _heard(p, view)
    u = np.maximum(scaled(level, p.zero_m, p.flood_m, p.power), 0)  # NaN stays NaN
    now, back = _last(u, p.silent_min // p.slot_min)
    return _Level(as_heard(u, back), now, back)


def _quantities(view: View) -> tuple[str, ...]:
    return view.quantities or ("", *("rain",) * (view.values.shape[1] - 1))


def _level_at(view: View) -> int:
    """Which input is the level."""
    return next(k for k, q in enumerate(_quantities(view)) if q != "rain")


def _wet_at(view: View) -> list[int]:
    """Which are rain."""
    return [k for k, q in enumerate(_quantities(view)) if q == "rain"]


def terms(p: FloodScore, view: View, names: Iterable[str] | None = None) -> Floats:
    """(n, terms) in the order of `weights`, or those of these names. The first input is the level, the
    others are rain unless the view says otherwise."""
    names = p.weights if names is None else names
    return _terms(p, view, _level(p, view), list(names))


def _terms(p: FloodScore, view: View, level: _Level, names: list[str]) -> Floats:
    wet_at, silent = _wet_at(view), p.silent_min // p.slot_min
    u, now = level.u, level.now
    rain = np.zeros((len(u), u.shape[1]))
    if wet_at:
        rain = areal_mean(view.values[:, wet_at], view.weights[:, wet_at], silent)[0]
    total = np.cumsum(rain[:, ::-1], axis=1)
    wet = np.zeros(len(u))
    if any(_length(name)[0].startswith("wet") for name in names):
        held = rain[:, -p.days * 1440 // p.slot_min :]
        fading = p.decay_per_day ** (np.arange(held.shape[1])[::-1] * p.slot_min / 1440)
        fell = (held * fading).sum(axis=1)
        wet = fell / (fell + p.wet_mm)
    found = np.empty((len(u), len(names)))
    rises = []
    for k, name in enumerate(names):
        what, minutes = _length(name)
        slots = minutes // p.slot_min
        if what == "rise":
            rises.append(k)
            found[:, k] = now - then(u, slots, silent)
        else:
            found[:, k] = _OF[what](total[:, slots - 1] if slots else np.ones(len(u)), now, wet)
    return _whole(found, rises)


def _whole(found: Floats, rises: list[int]) -> Floats:
    """Rises make up for one another: one without the others would say anything, so where the level some
    time ago is not known, none counts."""
    lacks: Bools = np.any(np.isnan(found[:, rises]), axis=1)
    for k in rises if lacks.any() else ():
        found[lacks, k] = 0.0
    return found


def _unseen(p: FloodScore, now: Floats, back: Ints) -> Bools:
    """(n,): where the level is not known, or has not been for `unseen_min`."""
    after = (p.unseen_min or p.silent_min + p.slot_min) // p.slot_min
    return np.asarray(np.isnan(now) | (back >= after))


def holds(p: FloodScore, view: View) -> Bools:
    """(n,): where the level is not known and it has rained in the window. What is said then rests on rain
    alone, and calls nothing over. When it has been dry for so long the rule falls, so that the next storm
    is told as new; the order itself stands, for without the level the evidence is thin."""
    unseen = _unseen(p, *_last(_heard(p, view), p.silent_min // p.slot_min))
    if not unseen.any():
        return unseen
    fell = fallen(view.values[:, _wet_at(view)]).any(axis=(1, 2))
    return np.asarray(unseen & fell)


def score(p: FloodScore, view: View) -> Scored:
    """1: the level on its scale, or a chance."""
    level = _level(p, view)
    total = weighed(p.intercept, p.weights, _terms(p, view, level, list(p.weights)))
    blind = _unseen(p, level.now, level.back)
    if p.unseen and blind.any():
        total[blind] = np.fmax(total[blind], _by_rain(p, _of(view, blind)))
    return scored(chance(total) if p.outcome == "chance" else total, p.ahead_min)


def _of(view: View, which: Bools) -> View:
    return view._replace(
        values=view.values[which], end_at=view.end_at[which], weights=view.weights[which]
    )


def _by_rain(p: FloodScore, view: View) -> Floats:
    """(n,) the score without a level; NaN where no rain gauge was heard."""
    total = weighed(p.unseen_intercept, p.unseen, terms(p, view, p.unseen))
    heard = np.isfinite(view.values[:, _wet_at(view)][:, :, -p.silent_min // p.slot_min - 1 :])
    return np.where(heard.any(axis=(1, 2)), total, np.nan)


def tells(p: FloodScore, view: View, _: str) -> Tells:
    """That the level is not known, and that it rests on the rain gauges."""
    if not _unseen(p, *_last(_heard(p, view), p.silent_min // p.slot_min))[0]:
        return Tells()
    note = Text("水位不明，只凭雨量", "level not known, by rain alone")
    return Tells(note=note, inputs=tuple(_wet_at(view)))


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

    def most(intercept: float, weights: dict[str, float]) -> Floats:
        total = np.full(low.shape, intercept)
        for name, weight in weights.items():
            least, highest = ranges[_length(name)[0]]
            total = total + np.maximum(weight * least, weight * highest)
        return total

    total = most(p.intercept, p.weights)
    if p.unseen:
        total = np.maximum(total, most(p.unseen_intercept, p.unseen))
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
    tells=tells,
    holds=holds,
)
