"""The quality tests that need a station's past. Counters are in `detectors.counter`, the neighbour
test in `detectors.intake`.

Tests by the meaning of the IOOS QARTOD manuals (rate of change, spike, flat line, neighbour); each
flag names its test. A missing neighbour is no disagreement; zero is not flat; spike and flat-line
tests never fail rain. Nothing is thrown away: a suspect value still counts, but not alone.
"""

from math import asin, cos, radians, sin, sqrt

from config.district import Station
from config.rules import QualityRule
from detectors.counter import Totals

_MINUTE = 60_000


class Memory(Totals):
    """Of one station in one watch group. Times in ms; values in counts."""

    value_at: int = -1
    value: int = 0
    flat_since: int = -1


def stage_test(rule: QualityRule, memory: Memory, at: int, value: int) -> str:
    """Rate of change and flat line of a water level (mm); the name of the test that flags it, or
    ''.

    A step faster than the rate is suspect until the next value confirms it; a spike is a step that
    the next value takes back, and is suspect at its first value by the same test."""
    if at <= memory.value_at:
        return ""
    minutes = (at - memory.value_at) / _MINUTE
    step_m = abs(value - memory.value) / 1000
    first = memory.value_at < 0
    if first or value != memory.value or value == 0:
        memory.flat_since = at
    memory.value_at, memory.value = at, value
    if not first and step_m >= rule.stage_spike_m and minutes <= 10:
        return "spike"
    if not first and step_m > rule.stage_rate_m_per_min * max(minutes, 1.0):
        return "rate_of_change"
    if at - memory.flat_since > rule.stage_flat_min * _MINUTE:
        return "flat_line"
    return ""


def distance_km(a: Station, b: Station) -> float:
    """Great-circle distance (haversine)."""
    la, lb = radians(a.lat), radians(b.lat)
    h = sin((lb - la) / 2) ** 2 + cos(la) * cos(lb) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * 6371.0 * asin(sqrt(h))
