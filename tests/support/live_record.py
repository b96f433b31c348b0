"""The same rule on the same readings, twice: live, one after another, and over a whole record."""

from typing import Any

import numpy as np

from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesRow
from detectors.engine.window_rule import Floats
from detectors.setup.registry import KINDS
from skill.series.track import Track, values_of

_T0, _HOUR_MS = 1_451_606_400_000, 3_600_000  # 2016-01-01


def live_and_over_a_record(
    name: str, p: Any, quantity: str, rng: np.random.Generator, n: int
) -> tuple[Floats, Floats]:
    """(heard,) twice: what the rule of this name and these parameters says at each of `n` hours in which its
    water gauge was heard, with a rain gauge beside it. One hour in ten is not heard."""
    water = np.round(1 + np.abs(np.cumsum(rng.normal(0, 0.4, n))), 3)
    rain = np.round(rng.gamma(0.3, 5, n), 1)
    water[rng.random(n) < 0.1] = np.nan
    water[0] = 1.0
    kind, heard = KINDS[name], np.nonzero(~np.isnan(water))[0]
    at = _T0 + np.arange(n) * _HOUR_MS
    whole = Track("q", quantity, 3600, water, heard, at[heard])
    record = values_of(kind, p, whole, [Track("g", "rain", 3600, rain, np.arange(n), at)])
    row = SeriesRow("a", "flash_flood", ("q", "g"), (1.0, 1.0), quantity, (quantity, "rain"))
    rule = SeriesRule("r", kind, p, [row], (None,) * 4)
    state, live = rule.new(), []
    for k in range(n):
        now = np.array([at[k]])
        one, none = np.ones(1, np.int64), np.zeros(1, np.int64)
        rule.judge(state, none, one, now, np.array([round(rain[k] * 10)]))
        if k in heard:
            rule.judge(state, none, none, now, np.array([round(water[k] * 1000)]))
            live.append(float(rule.values(state, none).value[0]))
    return np.array(live), record
