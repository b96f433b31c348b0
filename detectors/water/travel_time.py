r"""What comes down the river: gauges upstream, by their travel time, as the level to expect here.

Sees: the flood wave while it is still between the gauge upstream and the village.

Equation: forecast(tau) = offset + sum_i gain_i * max{x_i(t + tau - lag_i ± spread)} for tau from now
to the shortest lag: what has passed upstream and not yet arrived. With `downstream` the last
station is the one here: today's error, its newest value - forecast(0), is added to all. value = the
highest forecast (and of a downstream gauge not below its newest value), in the quantity's unit.
Stations stand in the row's order. A tau for which an upstream gauge was silent has no forecast; NaN
where none has.
Parameters: lag_min (minutes, one each upstream gauge), gain (1, one each), offset (unit), spread_min
(minutes), slot_min (minutes), downstream.
window_min: how far ahead the highest forecast lies. per_h: how fast the farthest forecast grows.

Delay it adds: none.
While a gauge upstream is silent the areas are thin (`detectors.quality.silence`): nothing there is called
off on a forecast that is blind.
Cannot see: water that joins below the gauges; a wave that flattens or steepens on its way, beyond
`gain`; lags change with the stage: fit them to high floods.
Source: relation of corresponding stages: Linsley, Kohler & Paulhus 1982, Hydrology for Engineers,
3rd ed., McGraw-Hill; in Chinese practice 相应水位法 (GB/T 22482, hydrological forecasting).

>>> p = TravelTime(lag_min=(20,), gain=(0.5,), offset=1.0, spread_min=0, slot_min=10)
>>> up = np.array([[[1.0, 2.0, 3.0, 6.0]]])
>>> s = score(p, View(up, np.array([0]), 600, np.ones((1, 1))))
>>> float(s.value[0]), int(s.window_min[0])
(4.0, 20)
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from config.language import Text
from detectors.engine.window_rule import Floats, Kind, Parameters, Scored, View
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_slope import newest


class TravelTime(Parameters, frozen=True):
    """Of each upstream gauge, in the row's order of stations."""

    lag_min: tuple[int, ...] = (60,)
    gain: tuple[float, ...] = (1.0,)
    offset: float = 0.0
    spread_min: int = 10
    slot_min: int = 5
    downstream: bool = False

    def __post_init__(self) -> None:
        lags = {f"lag_min[{n}]": lag * 60 for n, lag in enumerate(self.lag_min)}
        check_slots(self.slot_min * 60, **lags)
        check(len(lags) > 0, Text("lag_min 不能为空", "lag_min must not be empty"))
        check(
            len(self.gain) == len(self.lag_min),
            Text("gain 应与 lag_min 等长", "gain must have one number a lag"),
        )
        check(all(g >= 0 for g in self.gain), Text("gain 应不为负", "gain must not be negative"))
        whole = self.spread_min >= 0 and self.spread_min % self.slot_min == 0
        check(whole, Text("spread_min 应为整时段", "spread_min must be whole slots"))
        check(
            span(self) <= 2048,
            Text("lag_min / slot_min: 时段过多", "lag_min / slot_min: too many slots"),
        )


def span(p: TravelTime) -> int:
    """The longest lag and its spread, with the slot of now."""
    return (max(p.lag_min) + p.spread_min) // p.slot_min + 1


def _arriving(x: Floats, lag: int, spread: int, ahead: int) -> Floats:
    """(n, ahead + 1): the highest that can arrive in each slot from now on."""
    wide = np.pad(x, ((0, 0), (0, spread)), constant_values=np.nan)
    around = np.fmax.reduce(sliding_window_view(wide, 2 * spread + 1, axis=1), axis=2)
    first = x.shape[1] - 1 - lag - spread  # the middle of around[:, m] is slot m + spread
    arriving: Floats = around[:, first : first + ahead + 1]
    return arriving


def score(p: TravelTime, view: View) -> Scored:
    """In the quantity's unit. A row with fewer stations than lags cannot say."""
    n, stations, _ = view.values.shape
    many, ahead = len(p.lag_min), min(p.lag_min) // p.slot_min
    if stations < many + p.downstream:
        nothing = np.full(n, np.nan)
        return Scored(nothing, np.zeros(n, np.int64), nothing)
    forecast = np.full((n, ahead + 1), p.offset)
    for k, (lag, gain) in enumerate(zip(p.lag_min, p.gain, strict=True)):
        x, spread = view.values[:, k], p.spread_min // p.slot_min
        forecast += gain * _arriving(x, lag // p.slot_min, spread, ahead)
    here = np.full(n, np.nan)
    if p.downstream:
        here = newest(view.values[:, many])[0]
        forecast += np.nan_to_num(here - forecast[:, 0])[:, None]
    best = np.where(np.isnan(forecast), -np.inf, forecast).argmax(axis=1)
    value = np.fmax(forecast[np.arange(n), best], here)
    step = max(1, min(ahead, 15 // p.slot_min))
    rate = (forecast[:, -1] - forecast[:, -1 - step]) * (60 / (step * p.slot_min))
    return Scored(value, best * p.slot_min, rate)


KIND = Kind(
    name="travel_time",
    inputs=("stage", "discharge"),
    parameters=TravelTime,
    slot_s=lambda p: p.slot_min * 60,
    span=span,
    score=score,
    gather="max",
    joint=True,
)
