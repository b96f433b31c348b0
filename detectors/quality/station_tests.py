"""What the quality tests know of the stations. The tests are in `detectors.quality.rain_counter`
(totals of rain), `detectors.quality.level_course` (water levels) and `detectors.screening.sift`
(neighbours).

Tests by the meaning of the IOOS QARTOD manuals (rate of change, spike, flat line, neighbour); each
flag names its test. A missing neighbour is no disagreement; zero is not flat; spike and flat-line
tests never fail rain. Nothing is thrown away: a suspect value still counts, but not alone.
"""

from config.records.district import District, Station
from config.records.quantity import QUANTITIES
from detectors.quality.level_course import Range

_ROOM = 3  # a range reaches so many times the span of the thresholds beyond them
_NEVER = 2**31 - 1


def range_of(district: District, station: Station) -> Range:
    """What a station can show, in counts: by its row, or around its thresholds of stage, or what its
    quantity can be at all."""
    row = QUANTITIES[station.quantity]
    levels = [
        round(v * 1000)  # of stage and depth alike a count is a millimetre
        for t in district.stage
        if t.station == station.id
        for v in (t.blue_m, t.yellow_m, t.orange_m, t.red_m, t.prepare_m, t.move_m)
        if v is not None
    ]
    low, high = row.low, row.high
    if levels:
        room = max(3000, _ROOM * (max(levels) - min(levels)))
        low, high = max(low, min(levels) - room), min(high, max(levels) + room)
    return Range(
        low if station.low is None else row.count(station.low),
        high if station.high is None else row.count(station.high),
        tuple(row.count(c) for c in station.codes),
        min(levels, default=_NEVER),
        station.per_min or 0.0,
    )
