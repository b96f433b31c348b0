"""What must be known of a station's past to take its next observation: duplicates, counters, and
the quality tests that need memory or neighbours.

Tests by the meaning of the IOOS QARTOD manuals (rate of change, spike, flat line, neighbour); each
flag names its test. A missing neighbour is no disagreement; zero is not flat; spike and flat-line
tests never fail rain. Nothing is thrown away: a suspect value still counts, but not alone.
"""

from collections.abc import Iterable
from math import asin, cos, radians, sin, sqrt

import msgspec

from config.district import QualityRule, Station
from config.quantity import QUANTITIES
from ingest.observation import Flag, Observation

_SEEN_MS = 7_200_000  # how long an id is remembered; older repeats are known by their minute
_MINUTE = 60_000
_RECENT_MIN = 40


class Memory(msgspec.Struct):
    """Of one station in one watch group. Times in ms; values in counts."""

    head: int = -1  # newest event time
    seen: dict[int, int] = {}  # id -> value
    counter_at: int = -1
    counter: int = 0
    value_at: int = -1
    value: int = 0
    flat_since: int = -1
    recent: dict[int, int] = {}  # rain: minute -> count, of the last minutes
    test: str = ""  # the last test that flagged it


class Intake(msgspec.Struct, frozen=True):
    """An observation ready for the rules; `minute` since 1970, `count` what is new in it."""

    quantity: str
    minute: int
    count: int
    add: bool  # another one of its minute, not a duplicate
    suspect: bool
    test: str


def observation_key(o: Observation) -> int:
    """The id within a station and quantity, as one integer."""
    return (o.observed_at << 20) | ((o.seq + 1) & 0xFFFFF if o.seq is not None else 0)


def take(memory: Memory, o: Observation) -> Intake | None:
    """Remember an observation; None if it is a duplicate, unusable, or says nothing new."""
    key = observation_key(o)
    known = memory.seen.get(key)
    if known == o.value:
        return None
    if o.flag != Flag.FAIL:  # a failed value counted nothing that a revision could add to
        memory.seen[key] = o.value
    fresh = o.observed_at > memory.head - _SEEN_MS
    if o.observed_at > memory.head:
        memory.head = o.observed_at
        if len(memory.seen) > 1024 or len(memory.seen) % 256 == 0:
            low = (memory.head - _SEEN_MS) << 20
            memory.seen = {k: v for k, v in memory.seen.items() if k >= low}
    if o.flag == Flag.FAIL:
        return None
    minute = -(-o.observed_at // _MINUTE)  # the minute that ends with or after it
    quantity, count, suspect, test = o.quantity, o.value, o.flag == Flag.SUSPECT, o.test
    if quantity == "rain_counter":
        step = _increment(memory, o)
        if step is None:
            return None
        quantity, count = "rain", step[0]
        suspect, test = suspect or bool(step[1]), step[1] or test
    if quantity == "rain" and known is not None and o.quantity == "rain":
        count = o.value - known  # a revision: what it adds
    # while ids are remembered, what is no repeat is another one of its minute
    return Intake(quantity, minute, count, fresh, suspect, test)


def _increment(memory: Memory, o: Observation) -> tuple[int, str] | None:
    """Rain since the last reading of a counter; a lower reading is a reset. A late reading lies
    inside an increment that is counted already."""
    if o.observed_at <= memory.counter_at:
        return None
    first = memory.counter_at < 0
    before, memory.counter, memory.counter_at = memory.counter, o.value, o.observed_at
    if first:
        return 0, ""
    if o.value < before:
        return o.value, "counter_reset"
    step, rain = o.value - before, QUANTITIES["rain"]
    if step > rain.high:  # a reset that was none, or another counter: no rain can be so much
        return 0, "counter_jump"
    return step, "counter_jump" if step > rain.suspect_above else ""


def stage_test(rule: QualityRule, memory: Memory, o: Observation) -> str:
    """Rate of change and flat line of a water level; the name of the test that flags it, or ''.

    A step faster than the rate is suspect until the next value confirms it; a spike is a step that
    the next value takes back, and is suspect at its first value by the same test."""
    if o.observed_at <= memory.value_at:
        return ""
    minutes = (o.observed_at - memory.value_at) / _MINUTE
    step_m = abs(o.value - memory.value) / 1000
    first = memory.value_at < 0
    if first or o.value != memory.value or o.value == 0:
        memory.flat_since = o.observed_at
    memory.value_at, memory.value = o.observed_at, o.value
    if not first and step_m >= rule.stage_spike_m and minutes <= 10:
        return "spike"
    if not first and step_m > rule.stage_rate_m_per_min * max(minutes, 1.0):
        return "rate_of_change"
    if o.observed_at - memory.flat_since > rule.stage_flat_min * _MINUTE:
        return "flat_line"
    return ""


def remember_rain(memory: Memory, minute: int, count: int) -> None:
    """Keep what the neighbour test looks at."""
    memory.recent[minute] = memory.recent.get(minute, 0) + count
    newest = max(memory.recent)
    if newest - min(memory.recent) > _RECENT_MIN:
        memory.recent = {m: c for m, c in memory.recent.items() if m > newest - _RECENT_MIN}


def _sum(memory: Memory, minute: int, length: int) -> int:
    return sum(c for m, c in memory.recent.items() if minute - length < m <= minute)


def neighbour_test(
    rule: QualityRule, memory: Memory, minute: int, neighbours: Iterable[Memory]
) -> str:
    """Extreme rain of which no live neighbour saw anything; '' if there is none to ask."""
    ten = _sum(memory, minute, 10)
    if ten <= rule.rain_extreme_mm_10min * 10:
        return ""
    live = [n for n in neighbours if n.head // _MINUTE >= minute - 30]
    if not live:
        return ""
    best = max(_sum(n, minute, 30) for n in live)
    return "neighbour" if best < rule.rain_neighbour_share * ten else ""


def distance_km(a: Station, b: Station) -> float:
    """Great-circle distance (haversine)."""
    la, lb = radians(a.lat), radians(b.lat)
    h = sin((lb - la) / 2) ** 2 + cos(la) * cos(lb) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * 6371.0 * asin(sqrt(h))
