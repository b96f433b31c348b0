"""A few readings of a quiet day, taken one by one: the exact twin of the way through arrays, which costs
the same for one reading as for a hundred.

What qualifies is what most readings are: no rain, or a level that goes on as water does, low and within
what its rules were asked before; newer than all before of its gauge, in time, without a flag, of a gauge
of which nothing is held, doubtful, silent or in service, so that all of it is laid into memory and
nothing can be said. Everything is asked before anything is changed; where one
reading of a step does not qualify, arrays take the step. `tests/detectors/test_dry.py` holds both
against each other.
"""

from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

import numpy as np

from config.records.district import District
from detectors.engine.calm_rows import CalmRows
from detectors.engine.minute_ring import Ints
from detectors.memory.state import DetectState
from detectors.quality.clock_offset import SLOW_S
from detectors.quality.level_course import Course, Range, Seen, judge
from detectors.setup.partition import LEVEL, RAIN, Part
from ingest.observation import Flag, Observations

MOST = 16  # readings; of more, arrays are quicker
_MINUTE = 60_000
_GOOD = int(Flag.GOOD)


class _Entry(NamedTuple):
    """Where a gauge's value stands in a window rule."""

    rule: str
    calm: CalmRows
    slot_ms: int
    row: int
    input: int


class _Gauge(NamedTuple):
    """What a row of the memory feeds: rows of `rain_threshold`, or of `stage_trend` where it is a level, and
    entries of window rules."""

    station: str
    level: Range | None
    rows: list[int]
    stage: Ints
    entries: list[_Entry]


class _One(NamedTuple):
    row: int
    gauge: _Gauge
    at: int
    key: int
    value: int
    course: Course | None  # of a level, with this reading


class _AskedForRainError(Exception):
    """Whether it has rained near a level decides: a matter for arrays."""


def _ask_for_rain() -> bool:
    raise _AskedForRainError


class Dry:
    """Of one partition."""

    def __init__(self, district: District, part: Part) -> None:
        self._part = part
        self._young_ms = 1000 * min(district.rules.lateness_s, SLOW_S)
        limited = set(part.limited.tolist())
        self._rows = {
            row
            for row, kind in enumerate(part.kind.tolist())
            if kind in (RAIN, LEVEL) and row not in limited and row not in part.listened
        }
        self._rule = district.rules.quality
        self._gauges: dict[int, _Gauge] = {}

    def take(self, state: DetectState, records: Sequence[Observations]) -> bool:
        """Lay the readings of a step into memory, if all of them qualify; False: nothing was done."""
        if sum(len(r.station) for r in records) > MOST:
            return False
        some: list[_One] = []
        for record in records:
            if not self._ask(state, record, some):
                return False
        if len({one.row for one in some}) < len(some):
            return False
        if state.silence.silent or state.silence.gone:
            state.remember_seen(self._part.station)
        for one in some:
            self._lay(state, one)
        return True

    def _gauge(self, row: int) -> _Gauge:
        if row not in self._gauges:
            part = self._part
            entries = [
                _Entry(fed.rule.name, fed.rule.calm, fed.rule.slot_ms, *divmod(e, fed.rule.inputs))
                for fed in part.series
                if fed.feeds[row] and not fed.seen
                for e in fed.entries.of(row)
            ]
            level = part.ranges[row] if part.kind[row] == LEVEL else None
            stage = np.array(part.stage_rows.of(row), np.int64)
            rows = part.rain_rows.of(row)
            self._gauges[row] = _Gauge(part.station[row], level, rows, stage, entries)
        return self._gauges[row]

    def _ask(self, state: DetectState, record: Observations, some: list[_One]) -> bool:
        """Do all of a record qualify? They are added to `some`."""
        if record.test or record.ref or any(f != _GOOD for f in record.flag):
            return False
        place, came = self._part.place.get(record.group, {}), record.received_at
        for n, at in enumerate(record.observed_at):
            row = place.get((record.station[n], record.quantity[n]), -1)
            if row not in self._rows or came - at > self._young_ms:
                return False
            key = (at << 20) | (((record.seq[n] if record.seq else -1) + 1) & 0xFFFFF)
            one = _One(row, self._gauge(row), at, key, record.value[n], None)
            if not self._calm(state, one):
                return False
            if one.gauge.level is not None:
                course = self._goes_on(state, one)
                if course is None:
                    return False
                one = one._replace(course=course)
            some.append(one)
        return True

    def _calm(self, state: DetectState, one: _One) -> bool:
        """Can nothing be said of it, whatever comes with it?"""
        row, gauge, at, _, value, _ = one
        level = gauge.level is not None
        if value and not level:
            return False
        station, heard, silence = gauge.station, state.heard, state.silence
        if not heard.takes(row, at) or row in heard.test or row in heard.owed:
            return False
        if station in silence.silent or station in silence.gone or station in silence.clocks:
            return False
        if station in state.service.spans or station in silence.blind:
            return False
        rule, minute, series = self._part.rain, -(-at // _MINUTE), state.series
        if level:
            stage = self._part.stage
            if gauge.stage.size and not stage.calm(state.stage, gauge.stage, minute, value):
                return False
        elif not all(rule.calm(state.rain, r, minute) for r in gauge.rows):
            return False
        for name, calm, slot_ms, of, nth in gauge.entries:
            if not calm.still(series[name], of, nth, -(-at // slot_ms), value):
                return False
        return True

    def _goes_on(self, state: DetectState, one: _One) -> Course | None:
        """The course of a level with this reading; None where it does not go on as it did."""
        held = state.memory.get(one.row)
        if held is None or held.odd is not None:
            return None
        assert one.gauge.level is not None
        course = copy(held)
        try:
            seen = judge(self._rule, one.gauge.level, course, one.at, one.value, _ask_for_rain)
        except _AskedForRainError:
            return None
        return course if seen == Seen(True, "", False) else None

    def _lay(self, state: DetectState, one: _One) -> None:
        row, gauge, at, key, value, course = one
        state.heard.put(row, at, key, value)
        minute = -(-at // _MINUTE)
        if course is not None:
            state.memory[row] = course
            if gauge.stage.size:
                self._part.stage.put_calm(state.stage, gauge.stage, minute, value)
        for r in gauge.rows:
            state.rain.window.put_dry(r, minute)
            state.rain.changed[r] = True
        for name, calm, slot_ms, of, nth in gauge.entries:
            calm.lay_one(state.series[name], of, nth, -(-at // slot_ms), float(value), more=True)
        state.touched[row] = True
