r"""A rule tuned on tables of one row a storm, as it runs while the storm is on: chance from peaks so far.

Sees: the highest intensities and the rain of the storm up to now, on a basin that is known.

Equation: value = 1 / (1 + exp(-(intercept + sum w_q s_q(x_q)))), over the quantities of `weights`;
s_q is the shape of `detectors.rain.storm.storm_quantities`: log(1 + x) of rain, square root of a share. Of
rain, x_q is what the storm has reached so far: the peak over the duration, or its total. Of the basin,
it is the value in `site`. A storm begins with the first rain after `gap_h` hours without any, and
is over, with x_q = 0, once it has been dry so long; it is followed for at most `within_h` hours.
Peaks are divided by `climate` first.
Parameters: intercept, weights (quantity: weight, as `fengsui tune --table` writes them), site (quantity:
value), climate (how much stronger the storms of this place are than those of the table, 1/3 … 3:
`fengsui hindcast --table` says it of a region; docs/skill-tables.md), gap_h, within_h (hours), slot_min
(minutes, a divisor of every duration), replay (record, events, hits, false_alarms, lead_median_min:
what `fengsui hindcast` printed for this rule over a record of rain; without it a district's config is
refused, since rows of whole storms know no lead time).
Growth: as the value grows if rain goes on as in the last quarter of an hour.

Delay it adds: none. While the storm grows the value is below that of the whole storm, on which its
threshold was tuned: late rather than early, and the replay says by how much.
Cannot see: what its table did not have; sediment left, regrowth; another region than the table's.
Source: Hosmer, Lemeshow & Sturdivant 2013, Applied Logistic Regression; Staley et al. 2017,
Geomorphology 278:149-162 for the form after fire; gap between storms: Restrepo-Posada & Eagleson
1982, J. Hydrol. 55:303-319.

>>> p = StormScore(intercept=-5.0, weights={"intensity_15min": 1.0, "storm_total": 1.0}, gap_h=1)
>>> rain = np.zeros((1, 1, 576)); rain[0, 0, -3:] = 3.0
>>> s = score(p, View(rain, np.array([0]), 300, np.ones((1, 1))))
>>> round(float(s.value[0]), 3), round(float(1 / (1 + np.exp(5 - np.log(37) - np.log(10)))), 3)
(0.714, 0.714)
"""

import msgspec
import numpy as np

from config.language import Said, Text
from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.storm.log_odds import chance
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES, shaped
from detectors.rain.sums import check, check_slots, going_on, sums_over


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this rule did over a record of rain in time. record: which one, years, whose."""

    record: str
    events: int
    hits: int
    false_alarms: int
    lead_median_min: float


class StormScore(Parameters, frozen=True):
    """The weights, the basin, and how storms are told apart."""

    intercept: float
    weights: dict[str, float]
    site: dict[str, float] = msgspec.field(default_factory=dict)
    climate: float = 1.0
    gap_h: int = 6
    within_h: int = 48
    slot_min: int = 5
    replay: Replay | None = None

    def __post_init__(self) -> None:
        for name in self.weights:
            check(
                name in TABLE_QUANTITIES,
                Text(f"weights: 未知 {name!r}", f"weights: unknown {name!r}"),
            )
            rain = is_rain(name)
            check(
                name != "duration",
                Text("weights: duration 尚不能用", "weights: duration cannot run live"),
            )
            check(rain or name in self.site, Text(f"site: 缺 {name!r}", f"site: lacks {name!r}"))
            check(
                not rain or self.weights[name] >= 0,
                Text(f"weights: {name} 应不小于 0", f"weights: {name} must be >= 0"),
            )
        for name, value in self.site.items():
            q = TABLE_QUANTITIES.get(name)
            check(
                q is not None and not is_rain(name),
                Text(f"site: 未知 {name!r}", f"site: unknown {name!r}"),
            )
            fine = q is not None and q.low <= value <= q.high
            check(fine, Text(f"site: {name} {value} 越界", f"site: {name} {value} is out of range"))
        check(1 / 3 <= self.climate <= 3, "climate: 1/3 … 3")
        check(
            any(map(is_rain, self.weights)), Text("weights: 无雨量项", "weights: nothing of rain")
        )
        check(1 <= self.gap_h <= self.within_h <= 168, "1 <= gap_h <= within_h <= 168")
        check_slots(self.slot_min * 60, **{n: m * 60 for n, m in self.durations()})

    def durations(self) -> list[tuple[str, int]]:
        """(quantity, minutes) of the peaks it looks at."""
        return [(n, m) for n in self.weights if (m := TABLE_QUANTITIES[n].minutes)]


def is_rain(quantity: str) -> bool:
    """Does it grow with the storm?"""
    return bool(TABLE_QUANTITIES[quantity].minutes) or quantity == "storm_total"


def _storm(rain: Floats, gap: int) -> Floats:
    """(n, W) rain of the storm that is on; 0 before it, and 0 throughout where none is."""
    width = rain.shape[1]
    slot = np.arange(width)
    last = np.maximum.accumulate(np.where(rain > 0, slot, -1), axis=1)
    before = np.concatenate((np.full((len(rain), 1), -1), last[:, :-1]), axis=1)
    begins = (rain > 0) & (before >= 0) & (slot - before > gap)
    begin = np.where(begins, slot, 0).max(axis=1, keepdims=True)
    on = width - 1 - last[:, -1:] < gap
    out: Floats = np.where((slot >= begin) & on, rain, 0.0)
    return out


def _score(p: StormScore, view: View) -> tuple[Floats, Ints]:
    rain = _storm(np.nan_to_num(view.values[:, 0]), p.gap_h * 60 // p.slot_min)
    odds = np.full(len(rain), p.intercept)
    for name, weight in p.weights.items():
        minutes = TABLE_QUANTITIES[name].minutes
        if minutes:
            peak = sums_over(rain, minutes // p.slot_min).max(axis=1)
            x = np.maximum(peak, 0) * (60 / minutes) / p.climate
        elif name == "storm_total":
            x = rain.sum(axis=1)
        else:
            x = np.full(len(rain), p.site[name])
        odds = odds + weight * shaped(name, x)
    first = np.where((rain > 0).any(axis=1), (rain > 0).argmax(axis=1), rain.shape[1])
    return chance(odds), np.asarray((rain.shape[1] - first) * p.slot_min, np.int64)


def score(p: StormScore, view: View) -> Scored:
    """0 … 1; the window is how long the storm has lasted."""
    return going_on(_score, p, view)


def _unready(p: StormScore) -> Said:
    if p.replay and p.replay.record.strip() and p.replay.lead_median_min >= 0:
        return ""
    return Text(
        "未经回放，不得上线：fengsui hindcast --rules，将结果写入 replay = { record, "
        "events, hits, false_alarms, lead_median_min }",
        "not replayed, so it may not go live: fengsui hindcast --rules, put its result "
        "in replay = { record, events, hits, false_alarms, lead_median_min }",
    )


KIND = Kind(
    name="storm_score",
    inputs=("rain",),
    parameters=StormScore,
    slot_s=lambda p: p.slot_min * 60,
    span=lambda p: p.within_h * 60 // p.slot_min,
    score=score,
    unready=_unready,
    least=lambda p: min((m for _, m in p.durations()), default=p.within_h * 60),
)
