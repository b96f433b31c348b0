r"""Chance that a level or discharge is reached within the next 30, 60 or 180 minutes.

Sees: a flood that is not there yet, with how sure that is: from the rise, from rain that has fallen and
from the water that gauges upstream have seen; and says how often it was wrong of late.

Equation: of each horizon h the rise d to expect is the highest of up to three, each taken down by what it
has exaggerated of late (`detectors.water.rise_chance.sobered`): `trend`, `trend_share` max(0, b) T
(1 - exp(-h / T)) with b the rise of the `trend_min` before the level was last heard and T `damp_min`;
`runoff`, `runoff_gain` times what the discharge from rain that has fallen (`unit_hydrograph` with the
parameters `runoff`) grows within h if no more rain falls, or with a nowcast of h (rain_ahead_30min, _60min,
_180min `beside`) if what it expects, less what has fallen since its issue, falls evenly over h; `upstream`,
sum over the gauges upstream that are heard of gain times what its level, lag_min ago, still rose
until now. The chance is that of `detectors.water.rise_chance` for a rise from the newest level to `reach`,
its bias and spread learned from the errors of the window's own past forecasts of the same horizon, with the
prior `bias` and `spread` (of 30, 60 and 180 minutes) counted as `prior_n` errors; nothing above `ceiling` is
claimed of what is not measured. Horizons that are no whole slots are left out, and no chance is below that
of a shorter horizon. value = the chance within `horizon_min`, in %; 100 once the level stands at `reach`.
window_min: the horizon. Note: the highest level to expect and the chance of every horizon.
A row is the gauge here, then those upstream in the order of lag_min; rain gauges stand `beside`.
Parameters: reach, least (the quantity's unit); horizon_min, trend_min, damp_min, slot_min, silent_min (min);
trend_share (of a trend that goes on, 1); memory_h (hours of past that errors are learned from); prior_n,
bias, spread, ceiling (1); lag_min (min), gain (1) of gauges upstream; runoff (a table), runoff_gain (the
quantity's unit per m3/s); nowcast_min (min):
an older issue is not used, and the note says so.

Delay it adds: none.
Cannot see: rain to come without a nowcast, a dam that breaks, a level that rises between two reports from
rest. NaN (no chance, which is not a chance of 0) where the level was not heard for `silent_min`, or nothing
of what it could be forecast from. Rain of which no gauge was heard, a gauge upstream that is silent, and a
nowcast that is too old are left out.
Source: corresponding stages: Linsley, Kohler & Paulhus 1982, Hydrology for Engineers, 3rd ed.; that a
forecast's error be learned from its past: Krzysztofowicz 1999, Water Resour. Res. 35:2739–2750 (the idea;
the distribution here is a plain one).

>>> p = LevelForecast(reach=3.2, spread=(0.3, 0.3, 0.3), memory_h=7, slot_min=10, trend_min=30)
>>> level = np.full((1, 1, 42), 2.0); level[0, 0, -4:] = (2.0, 2.2, 2.4, 2.6)
>>> s = score(p, View(level, np.array([0]), 600, np.ones((1, 1))))
>>> round(float(s.value[0]), 1), int(s.window_min[0])
(16.8, 60)
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from config.language import Said, Text
from config.records.quantity import AHEAD
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import (
    Floats,
    Ints,
    Kind,
    Parameters,
    Scored,
    Tells,
    View,
    scored,
)
from detectors.rain.sums import areal_mean, check, check_slots
from detectors.water.rise_chance import (
    Prior,
    Sums,
    alike,
    chance,
    learned,
    median,
    ratio,
    sobered,
    sums,
)
from detectors.water.runoff.unit_hydrograph import UnitHydrograph, effective, further, hydrograph

HORIZONS_MIN = (30, 60, 180)


class LevelForecast(Parameters, frozen=True):
    """The level that matters, what it is forecast from, and how wrong that is."""

    reach: float
    horizon_min: Literal[30, 60, 180] = 60
    trend_min: int = 15
    damp_min: int = 60
    trend_share: float = 0.55
    least: float = 0.02
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spread: tuple[float, float, float] = (0.5, 0.6, 0.8)
    prior_n: float = 10.0
    ceiling: float = 0.7
    lag_min: tuple[int, ...] = ()
    gain: tuple[float, ...] = ()
    runoff: UnitHydrograph | None = None
    runoff_gain: float = 1.0
    nowcast_min: int = 60
    memory_h: int = 24
    slot_min: int = 5
    silent_min: int = 30

    def __post_init__(self) -> None:
        lags = {f"lag_min[{n}]": lag * 60 for n, lag in enumerate(self.lag_min)}
        minutes = {"horizon_min": self.horizon_min, "trend_min": self.trend_min}
        lengths = {name: x * 60 for name, x in minutes.items()}
        silent_s, memory_s = self.silent_min * 60, self.memory_h * 3600
        lengths["nowcast_min"] = self.nowcast_min * 60
        check_slots(self.slot_min * 60, **lengths, **lags, silent_min=silent_s, memory_h=memory_s)
        check(self.least > 0, Text("least 应为正", "least must be positive"))
        check(0 < self.trend_share <= 1, "trend_share: 0 … 1")
        check(self.damp_min > 0, Text("damp_min 应为正", "damp_min must be positive"))
        check(all(0.05 <= s <= 5 for s in self.spread), "spread: 0.05 … 5")
        check(all(-5 <= b <= 5 for b in self.bias), "bias: -5 … 5")
        check(1 <= self.prior_n <= 10_000, "prior_n: 1 … 10000")
        check(0.5 <= self.ceiling < 1, "ceiling: 0.5 … 1")
        check(
            len(self.gain) == len(self.lag_min),
            Text("gain 应与 lag_min 等长", "gain must have one number a lag"),
        )
        check(all(g >= 0 for g in self.gain), Text("gain 应不为负", "gain must not be negative"))
        longest = max(HORIZONS_MIN[-1], self.trend_min, self.silent_min, *self.lag_min)
        check(
            2 * longest <= self.memory_h * 60 and span(self) <= 2048,
            Text(
                f"memory_h：至少 {2 * longest} 分钟，至多 2048 个时段",
                f"memory_h: at least {2 * longest} minutes, at most 2048 slots",
            ),
        )
        if self.runoff is not None:
            same = self.runoff.slot_min == self.slot_min
            check(same, Text("runoff.slot_min 应等于 slot_min", "runoff.slot_min must be slot_min"))
            check(
                self.runoff.ahead_min >= HORIZONS_MIN[-1],
                Text("runoff.ahead_min 至少 180", "runoff.ahead_min must be 180 or more"),
            )
            check(self.runoff_gain > 0, Text("runoff_gain 应为正", "runoff_gain must be positive"))


def span(p: LevelForecast) -> int:
    """Slots that are remembered."""
    return p.memory_h * 60 // p.slot_min


class Forecast(NamedTuple):
    """Of each horizon in minutes: (n,) the chance of `reach` within it, and the highest level to expect;
    stale: whether a nowcast was not used, for it is too old or has not come."""

    minutes: tuple[int, ...]
    chance: list[Floats]
    highest: list[Floats]
    now: Floats
    stale: Bools


def _carried(x: Floats, silent: int) -> Floats:
    """(n, W) the newest value known in each slot, if it is no older than `silent` slots."""
    last = _last(x, silent)
    held = np.take_along_axis(x, np.maximum(last, 0), axis=1)
    found: Floats = np.where(last >= 0, held, np.nan)
    return found


def _before(x: Floats, slots: int) -> Floats:
    """(n, W) what it was so many slots ago."""
    found = np.full(x.shape, np.nan)
    found[:, slots:] = x[:, : x.shape[1] - slots]
    return found


def _highest(x: Floats, slots: int) -> Floats:
    """(n, W) the highest of each slot and the `slots` after it; NaN where the last of them is not known."""
    wide = sliding_window_view(x, slots + 1, axis=1)
    found = np.full(x.shape, np.nan)
    found[:, : wide.shape[1]] = np.fmax.reduce(wide, axis=2)
    found[:, : wide.shape[1]][np.isnan(x[:, slots:])] = np.nan
    return found


def _trend(p: LevelForecast, held: "HeldWindow", slots: int) -> Floats:
    """As of when the level was last heard: that it is carried on says nothing of its rise."""
    x = held.here
    back = p.trend_min // p.slot_min
    lasts = p.damp_min / p.slot_min
    goes_on = p.trend_share * lasts * (1 - float(np.exp(-slots / lasts)))
    grown = np.maximum(x - _before(x, back), 0) * (goes_on / back)
    found: Floats = np.take_along_axis(grown, np.maximum(held.since, 0), axis=1)
    return np.where(held.since >= 0, found, np.nan)


def _upstream(p: LevelForecast, above: list[Floats], slots: int) -> Floats:
    """What has passed the gauges upstream and is not here yet, of those that are heard: no other takes
    away from it."""
    total, known = np.zeros(above[0].shape), np.zeros(above[0].shape, np.bool_)
    for x, lag_min, gain in zip(above, p.lag_min, p.gain, strict=True):
        lag = lag_min // p.slot_min
        rose = _highest(x, min(slots, lag)) - x
        more = gain * _before(rose, lag)
        total, known = total + np.nan_to_num(more), known | ~np.isnan(more)
    return np.where(known, total, np.nan)


def _last(x: Floats, slots: int) -> Ints:
    """(n, W) the newest slot with a value, if it lies at most so many slots back; -1 for none."""
    place = np.arange(x.shape[1])
    last = np.maximum.accumulate(np.where(np.isnan(x), -1, place), axis=1)
    found: Ints = np.where(place - last <= slots, last, -1)
    return found


def _nowcast(p: LevelForecast, places: Floats, rain: Floats) -> Floats:
    """(n, W) mm that are yet expected, the mean of the places whose issue is new enough: what was expected
    less what has fallen since the issue; NaN where there is none."""
    fallen = np.cumsum(rain, axis=1)
    total, many = np.zeros(rain.shape), np.zeros(rain.shape)
    for k in range(places.shape[1]):
        last = _last(places[:, k], p.nowcast_min // p.slot_min)
        at = np.maximum(last, 0)
        mm = np.take_along_axis(places[:, k], at, axis=1)
        since = fallen - np.take_along_axis(fallen, at, axis=1)
        total = total + np.where(last >= 0, np.maximum(np.nan_to_num(mm) - since, 0), 0.0)
        many = many + (last >= 0)
    found: Floats = np.where(many > 0, total / np.maximum(many, 1), np.nan)
    return found


def _flows(runoff: UnitHydrograph, rain: Floats) -> tuple[Floats, Floats]:
    """(A + 1, n, W) m3/s of each slot's rain and all before it, now and in each of the A slots ahead; (A,)
    m3/s of one mm a slot that runs off from now on, after so many slots."""
    n, width = rain.shape
    ahead = HORIZONS_MIN[-1] // runoff.slot_min
    u = np.zeros(width + ahead)
    given = hydrograph(runoff)[: u.size]
    u[: given.size] = given
    flow = np.zeros((ahead + 1, n, width))
    for row, e in enumerate(effective(runoff, rain)):
        if e.any():
            for a in range(ahead + 1):
                flow[a, row] = np.convolve(e, u[a : a + width])[:width]
    of_a_mm = runoff.area_km2 * 1000 / (runoff.slot_min * 60)
    return flow * of_a_mm, np.cumsum(u[:ahead]) * of_a_mm


class HeldWindow(NamedTuple):
    """What a window holds: (n, W) the level here, in which slot that was heard (-1: none), those upstream,
    and the flows of rain (None: no rain) with whether any rain gauge was heard; by minutes the runoff in mm
    of a nowcast (NaN: none that is new enough), and how a runoff from now on passes."""

    here: Floats
    since: Ints
    above: list[Floats]
    flows: Floats | None
    rained: Bools
    coming: dict[int, Floats]
    passes: Floats


def seen(p: LevelForecast, view: View) -> HeldWindow:
    """What the window says, each value held for `silent_min`."""
    many, silent = len(p.lag_min), p.silent_min // p.slot_min
    quantities = view.quantities or ("",) * (1 + many) + ("rain",) * view.values.shape[1]
    kinds = quantities[: view.values.shape[1]]
    levels = [k for k, q in enumerate(kinds) if q != "rain" and q not in AHEAD.values()]
    wet = [k for k, q in enumerate(kinds) if q == "rain"]
    held = [_carried(view.values[:, k], silent) for k in levels]
    flows, rained = None, np.zeros(held[0].shape, np.bool_)
    coming: dict[int, Floats] = {}
    passes = np.zeros(0)
    if p.runoff is not None and wet:
        rain, share = areal_mean(view.values[:, wet], view.weights[:, wet], silent)
        rained = share > 0
        flows, passes = _flows(p.runoff, rain)
        for minutes, quantity in AHEAD.items():
            of = [k for k, q in enumerate(kinds) if q == quantity]
            if of:
                more = _nowcast(p, view.values[:, of], rain)
                coming[minutes] = further(p.runoff, rain, more)
    since = _last(view.values[:, levels[0]], silent)
    return HeldWindow(held[0], since, held[1 : 1 + many], flows, rained, coming, passes)


def _members(p: LevelForecast, held: HeldWindow, slots: int) -> list[Floats]:
    """(n, W) each: the rise to expect of each slot by each way of knowing; NaN where it cannot say."""
    found = [_trend(p, held, slots)]
    if held.flows is not None:
        coming = held.coming.get(slots * p.slot_min)
        more = np.zeros(held.here.shape) if coming is None else np.nan_to_num(coming) / slots
        top = held.flows[0]
        for a in range(1, slots + 1):
            top = np.maximum(top, held.flows[a] + more * held.passes[a - 1])
        known = held.rained if coming is None else held.rained | ~np.isnan(coming)
        found.append(np.where(known, (top - held.flows[0]) * p.runoff_gain, np.nan))
    if p.lag_min and len(held.above) == len(p.lag_min):
        found.append(_upstream(p, held.above, slots))
    return found


def expectation(p: LevelForecast, held: HeldWindow, slots: int) -> tuple[Floats, Sums]:
    """(n,) the rise to expect now within so many slots, and how wrong such forecasts were."""
    came = _highest(held.here, slots) - held.here
    members = _members(p, held, slots)
    sober = [sobered(came, d, slots, p.least, p.prior_n) for d in members]
    expected = np.fmax.reduce(sober, axis=0)
    z, counts = ratio(came, expected, p.least)
    return expected[:, -1], sums(z, counts * alike(expected, p.least), slots)


def forecast(p: LevelForecast, view: View) -> Forecast:
    """Of every horizon that is whole slots, shortest first."""
    held = seen(p, view)
    now = held.here[:, -1]
    minutes = tuple(h for h in HORIZONS_MIN if h % p.slot_min == 0)
    chances: list[Floats] = []
    highest: list[Floats] = []
    for h in minutes:
        expected, wrong = expectation(p, held, h // p.slot_min)
        nth = HORIZONS_MIN.index(h)
        errors = learned(wrong, Prior(p.bias[nth], p.spread[nth], p.prior_n))
        found = chance(p.reach - now, expected, errors, p.least, p.ceiling)
        level = now + median(expected, errors, p.least)
        chances.append(np.fmax(chances[-1], found) if chances else found)
        highest.append(np.fmax(highest[-1], level) if highest else level)
    stale = np.zeros(now.shape, np.bool_)
    for coming in held.coming.values():
        stale |= np.isnan(coming[:, -1])
    return Forecast(minutes, chances, highest, now, stale)


def score(p: LevelForecast, view: View) -> Scored:
    """%."""
    found = forecast(p, view)
    return scored(found.chance[found.minutes.index(p.horizon_min)] * 100, p.horizon_min)


def tells(p: LevelForecast, view: View, _: str) -> Tells:
    """The highest level to expect and every horizon's chance, of one judgement; the chance itself is told
    apart where the level is not there yet: what is measured is no forecast."""
    found = forecast(p, view)
    if not found.now[0] < p.reach:
        return Tells()
    parts = [
        f"{m} min {c[0]:.0%} ≈ {h[0]:.3g}"
        for m, c, h in zip(found.minutes, found.chance, found.highest, strict=True)
        if not np.isnan(c[0])
    ]
    within = float(found.chance[found.minutes.index(p.horizon_min)][0])
    if np.isnan(within):
        return Tells()
    note: Said = "; ".join(parts)
    if found.stale[0]:
        note = Text(
            f"{note}；临近预报过时或缺，未用", f"{note}; nowcast stale or missing, not used"
        )
    return Tells(note=note, chance=round(within, 3), reach=p.reach)


def _unfit(p: LevelForecast, stations: Sequence[str], _: Iterable[str]) -> Said:
    many = 1 + len(p.lag_min)
    if len(stations) == many:
        return ""
    return Text(
        f"应列 {many} 站：本站，再按 lag_min 的次序列上游站",
        f"{many} stations are needed: the gauge here, then those upstream in the order of lag_min",
    )


KIND = Kind(
    name="level_forecast",
    inputs=("stage", "discharge"),
    parameters=LevelForecast,
    slot_s=lambda p: p.slot_min * 60,
    span=span,
    score=score,
    gather="max",
    joint=True,
    mixed=("rain", *AHEAD.values()),
    tells=tells,
    unfit=_unfit,
)
