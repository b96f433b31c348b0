"""A water level: what of it is water, and what is a code, a broken sensor or a datum that moved.

The level that is believed goes on from reading to reading as water can: not faster up than
`stage_rate_m_per_min` (at once not by `stage_spike_m`, and out of rest, with no rain near, not by
`stage_step_m`), not faster down than `stage_fall_m_per_min`, and not to an exact zero in one step.
A reading that does not go on so begins another course beside it (`Odd`):

- upward it counts, but is suspect, until the course moves as water does (`stage_move_m`). That it
  repeats itself, with or without a jitter of millimetres, confirms nothing.
- downward it is neither a fall nor a level: it says nothing, and the station is blind.
- a reading that goes on from the believed level again ends it.
- one that stays is a new datum (`datum_step`), told and taken: in calm after `stage_calm_h`, or when
  it has moved; in a flood after a day, and then the station stays blind until the water moves.

What lies outside the station's range, and an error code that was reached by a jump, says nothing at
all. Where a table names no range, it lies around the station's thresholds.

Sources: rate of change, spike, range and flat line as in the IOOS QARTOD manual for water level;
the codes are those that loggers are known to send.

>>> odd = [0.8, 0.8, 9.998, 9.998, 0.8]
>>> m, station = Course(), Range(-2000, 20_000, (), 1000)
>>> [judge(QualityRule(), station, m, n * 300_000, round(v * 1000), lambda: False).test
...  for n, v in enumerate(odd)]
['', '', 'error_code', 'error_code', '']
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from config.records.rules import QualityRule
from detectors.quality.rain_counter import Totals

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
# in mm, as full scales and unset registers are read: 16 bits, nines, eights
_ABOVE = (9999, 99_990, 99_999, 999_900, 999_990, 65_535, 6553, 655_350, 32_767, 3277)
_BELOW = (-8880, -8888, -9990, -9999, -99_990, -99_999, -999_900, -32_768, -3277)
CODES = (*_ABOVE, *_BELOW)
_CODE_JITTER = 5
_JUMP = 1000  # a code is only one if the level jumped to it
_NEAR = 300  # so near the believed level it is that again
_ZERO = 5
_DEAD = 20  # what moves less stands still
_REST = 50  # a level that moves less is at rest
_REST_MS = 10 * _MINUTE
_SOON_MIN = 10
_DAY_MS = 24 * _HOUR


class Range(NamedTuple):
    """What a station can show, in mm: low, high, its own codes, and the lowest level that warns."""

    low: int
    high: int
    codes: tuple[int, ...]
    warns: int
    rate_m_per_min: float = 0.0  # its own; 0: the district's


class Odd(msgspec.Struct):
    """A course beside the believed one."""

    since: int
    at: int
    value: int
    low: int
    high: int
    up: bool
    why: str


class Course(Totals):
    """Of one station, with what counters keep. Times in ms, values in mm."""

    value_at: int = -1  # the believed level's
    value: int = 0
    flat_since: int = -1
    rest_since: int = -1
    rest_low: int = 0
    rest_high: int = 0
    odd: Odd | None = None
    datum: bool = False  # taken after a day in a flood: blind until it moves


class Seen(NamedTuple):
    """keep: the rules may take it. test: why it is doubtful, or ''. blind: the level is not known
    (None: this says nothing of it)."""

    keep: bool
    test: str
    blind: bool | None


def judge(
    rule: QualityRule, station: Range, m: Course, at: int, value: int, wet: Callable[[], bool]
) -> Seen:
    """One reading. wet: has it rained near the station lately? Only asked where it decides."""
    if not station.low <= value <= station.high:
        return Seen(False, "range", True if at > m.value_at else None)
    jumped = m.value_at < 0 or abs(value - m.value) > _JUMP
    if jumped and any(abs(value - c) <= _CODE_JITTER for c in (station.codes or CODES)):
        return Seen(False, "error_code", True if at > m.value_at else None)
    if at <= m.value_at:  # it may tell what was, and decides nothing by itself
        why = _jump(rule, station, m, m.value_at - at, value - m.value, wet)
        return Seen(why != "fall", "late_jump" if why else "", None)
    if m.value_at < 0:
        return _believe(m, at, value)
    if m.odd is not None:
        return _between(rule, station, m, m.odd, at, value, wet)
    why = _jump(rule, station, m, at - m.value_at, value - m.value, wet)
    return _leave(m, at, value, why, at) if why else _on(rule, m, at, value)


def _believe(m: Course, at: int, value: int) -> Seen:
    m.value_at, m.value, m.odd, m.flat_since = at, value, None, at
    m.rest_since, m.rest_low, m.rest_high = at, value, value
    return Seen(True, "", m.datum)


def _on(rule: QualityRule, m: Course, at: int, value: int) -> Seen:
    """The believed level goes on."""
    if value != m.value or value == 0:
        m.flat_since = at
    low, high = min(m.rest_low, value), max(m.rest_high, value)
    m.datum = m.datum and high - low < rule.stage_move_m * 1000
    if high - low <= _REST:
        m.rest_low, m.rest_high = low, high
    elif not m.datum:
        m.rest_since, m.rest_low, m.rest_high = at, value, value
    m.value_at, m.value, m.odd = at, value, None
    if m.datum:
        return Seen(True, "datum_step", True)
    flat = at - m.flat_since > rule.stage_flat_min * _MINUTE
    return Seen(True, "flat_line" if flat else "", False)


def _jump(
    rule: QualityRule,
    station: Range,
    m: Course,
    length_ms: int,
    step: int,
    wet: Callable[[], bool],
    *,
    lost: bool = False,
) -> str:
    """Why no water goes so far in that time; '' if it may. lost: the level was not known meanwhile."""
    minutes = max(length_ms / _MINUTE, 1.0)
    rate = station.rate_m_per_min or rule.stage_rate_m_per_min
    soon = minutes <= _SOON_MIN
    if step < 0:
        most = max(_NEAR, rule.stage_fall_m_per_min * 1000 * minutes)
        zero = abs(m.value + step) <= _ZERO and -step >= _NEAR
        return "fall" if -step > most or zero else ""
    if soon and step >= rule.stage_spike_m * 1000:
        return "spike"
    if step > rate * 1000 * minutes:
        return "rate_of_change"
    rested = m.value_at - m.rest_since >= _REST_MS
    if (soon or lost) and rested and step >= rule.stage_step_m * 1000 and not wet():
        return "step"
    return ""


def _leave(m: Course, at: int, value: int, why: str, since: int) -> Seen:
    m.odd = Odd(since, at, value, value, value, value > m.value, why)
    return _odd(m.odd, why)


def _odd(odd: Odd, why: str) -> Seen:
    return Seen(True, why, None) if odd.up else Seen(False, why, True)


def _between(
    rule: QualityRule,
    station: Range,
    m: Course,
    odd: Odd,
    at: int,
    value: int,
    wet: Callable[[], bool],
) -> Seen:
    """Back on the believed course, on with the other one, or on a third."""
    near = abs(value - m.value) <= _NEAR
    length = min(at - m.value_at, _HOUR)
    back = _jump(rule, station, m, length, value - m.value, wet, lost=True)
    apart = _apart(rule, station, odd, at, value)
    if near or (apart and not back):
        return _on(rule, m, at, value)
    if apart:
        return _leave(m, at, value, back, odd.since)
    odd.at, odd.value = at, value
    odd.low, odd.high, odd.up = min(odd.low, value), max(odd.high, value), value > m.value
    return _stays(rule, station, m, odd)


def _apart(rule: QualityRule, station: Range, odd: Odd, at: int, value: int) -> bool:
    """Does a reading not go on from an odd one as water does? From one that stood still as if dead,
    no jump does."""
    minutes = max((at - odd.at) / _MINUTE, 1.0)
    rate = station.rate_m_per_min or rule.stage_rate_m_per_min
    rises, falls = rate * 1000 * minutes, rule.stage_fall_m_per_min * 1000 * minutes
    if minutes <= _SOON_MIN:
        rises = min(rises, rule.stage_spike_m * 1000)
    if odd.high - odd.low <= _DEAD:
        rises = min(rises, _NEAR)
    step = value - odd.value
    return step > max(_NEAR, rises) or -step > max(_NEAR, falls)


def _stays(rule: QualityRule, station: Range, m: Course, odd: Odd) -> Seen:
    """It goes on beside the believed course: is it water, or a new datum?"""
    at, value, lasted = odd.at, odd.value, odd.at - odd.since
    moved = odd.high - odd.low >= rule.stage_move_m * 1000
    if odd.up and moved:
        return _believe(m, at, value)
    calm = lasted >= rule.stage_calm_h * _HOUR and value < station.warns
    if m.value < station.warns and (calm or (moved and not odd.up)):
        return _believe(m, at, value)._replace(test="datum_step")
    if lasted >= _DAY_MS and not odd.up:
        m.datum = True
        return _believe(m, at, value)._replace(test="datum_step")
    return _odd(odd, "datum_step" if lasted >= _HOUR else odd.why)
