"""Rain gauges that catch a part only of every light rain: what no single day is wet enough to show.

Sees: days (of 24 h from 00:00 UTC, 08:00 in Beijing, as daily rain is reckoned there) on which each of the
nearest live neighbours has a fifth of `undercatch_near_mm` and more, added up for a gauge and for the driest
of them, older days counting less (`_FADES` for each such day). Once the driest has twice
`undercatch_near_mm` so, a gauge with less than `undercatch_share` of it catches too little; until its sum is
above `undercatch_ends` of theirs, or in an hour of rain it catches as much of what they catch
(`detectors.quality.undercatch`, whose neighbours and parameters these are).
Delay it adds: until so much has fallen: 50 mm in days of 5 mm and more, by the numbers given.
Cannot see: what that rule cannot; a gauge whose place is drier than its neighbours' always.
Source: double-mass curves (WMO-No. 168, Guide to Hydrological Practices, vol. I).
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from config.records.rules import QualityRule
from detectors.engine.minute_ring import Bools, Ints
from detectors.quality.spatial_consistency import Near
from detectors.quality.station_memory import StationMemory
from detectors.quality.undercatch import beside, works

_DAY = 1440  # minutes
_FADES = 0.9  # of what was before, with each day that is added


class CaughtDays(msgspec.Struct):
    """day: the last that was added, since 1970. of: station -> its rain of those days and that of the
    driest beside it, in counts. less: who catches too little by them."""

    day: int = 0
    of: dict[str, tuple[float, float]] = {}
    less: set[str] = set()


def over_days(
    rule: QualityRule,
    near: Near,
    heard: StationMemory,
    able: Bools,
    reports: Bools,
    minute: int,
    kept: CaughtDays,
    stations: Sequence[str],
) -> set[str]:
    """Who catches too little by the days that are over, after what the last one adds. able, reports,
    minute: as in `undercatch`; stations: of each row. What is cleaned or clogged begins anew."""
    for n in (~able).nonzero()[0].tolist():
        _forget(kept, stations[n])
    if kept.less:
        well_again = works(rule, near, heard, able & reports, minute)
        for n in well_again.nonzero()[0].tolist():
            if stations[n] in kept.less:
                _forget(kept, stations[n])
    if minute // _DAY > kept.day:
        if kept.day:
            _add(rule, near, heard, able & reports, minute // _DAY * _DAY, kept, stations)
        kept.day = minute // _DAY
    return set(kept.less)


def _add(
    rule: QualityRule,
    near: Near,
    heard: StationMemory,
    well: Bools,
    end: int,
    kept: CaughtDays,
    stations: Sequence[str],
) -> None:
    """The day that ended at this minute."""
    near_mm = rule.undercatch_near_mm * 10
    day: Ints = heard.sums(slice(None), end, _DAY)
    least = beside(near, well, day).least
    seen = set[str]()
    for n in ((least >= near_mm / 5) & well).nonzero()[0].tolist():
        name = stations[n]
        if name in seen:
            continue  # of a station in several groups one row speaks
        seen.add(name)
        own, theirs = kept.of.get(name, (0.0, 0.0))
        own, theirs = own * _FADES + int(day[n]), theirs * _FADES + int(least[n])
        kept.of[name] = own, theirs
        if theirs >= 2 * near_mm and own < rule.undercatch_share * theirs:
            kept.less.add(name)
        elif own >= rule.undercatch_ends * theirs:
            kept.less.discard(name)


def _forget(kept: CaughtDays, station: str) -> None:
    kept.of.pop(station, None)
    kept.less.discard(station)


def rains(rule: QualityRule, near: Near, heard: StationMemory, well: Bools, minute: int) -> Bools:
    """Of each row, whether it rains beside it now."""
    most = beside(near, well, heard.sums(slice(None), minute, 180)).most
    return np.asarray(most >= rule.clog_near_mm * 10 / 4)
