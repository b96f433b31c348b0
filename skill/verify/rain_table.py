"""How near a record's rain comes to the district's table of rain sums (thresholds_rain.csv), as the rule
`rain_threshold` would have it on ground of usual wetness. Pure. What the stages around the rule do is left
out: estimates of gauges above all.
"""

from typing import NamedTuple

import numpy as np

from config.records.district import District
from config.records.level import Action
from config.records.quantity import QUANTITIES
from detectors.engine.window_rule import Floats, Ints
from skill.verify.hindcast import Readings
from skill.verify.storms import Key

_MINUTE = 60_000
_GROUND = "normal"
RAIN = "rain"


class Sums(NamedTuple):
    """at: (minutes,) ms, the end of each minute; share: by area and hazard, (minutes,) the largest sum of any
    gauge that watches the area as a share of its threshold."""

    at: Ints
    share: dict[Key, Floats]


def shares(district: District, record: Readings, action: Action) -> Sums:
    """action: prepare or move, whose thresholds are meant. No share where the table has none, or where no
    gauge that watches the area was heard."""
    rows = {s: record.of(s, RAIN) for s, quantity in record.pairs if quantity == RAIN}
    if not rows:
        return Sums(np.zeros(0, np.int64), {})
    heard = np.concatenate([record.at[of] for of in rows.values()])
    first = int(heard.min()) // _MINUTE * _MINUTE
    minutes = (int(heard.max()) - first) // _MINUTE + 2
    fell = {station: _fallen(record, of, first, minutes) for station, of in rows.items()}
    gauges: dict[str, list[str]] = {}
    for watch in district.watches:
        if watch.station in fell:
            gauges.setdefault(watch.area, []).append(watch.station)
    found: dict[Key, Floats] = {}
    for row in district.rain:
        limit = row.move_mm if action >= Action.MOVE else row.prepare_mm
        if row.wetness != _GROUND or limit is None:
            continue
        for station in gauges.get(row.area, ()):
            now = _sums(fell[station], row.window_min) / limit
            key = row.area, row.hazard
            found[key] = np.maximum(found[key], now) if key in found else now
    return Sums(first + np.arange(1, minutes + 1, dtype=np.int64) * _MINUTE, found)


def _fallen(record: Readings, rows: Ints, first: int, minutes: int) -> Floats:
    """(minutes + 1,) mm since the beginning."""
    minute = (record.at[rows] - first) // _MINUTE
    mm = np.bincount(minute, record.counts[rows], minutes) * QUANTITIES[RAIN].amount(1)
    return np.concatenate([[0.0], np.cumsum(mm)])


def _sums(fell: Floats, window_min: int) -> Floats:
    """(minutes,) mm of the last `window_min` minutes at the end of each."""
    back = np.maximum(np.arange(1, fell.size) - window_min, 0)
    return np.asarray(fell[1:] - fell[back])
