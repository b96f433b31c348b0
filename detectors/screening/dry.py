"""A few dry readings in order, taken one by one: the exact twin of the way through arrays, which costs
the same for one reading as for a hundred.

What qualifies is what most readings are: no rain, newer than all before of its gauge, in time, without
a flag, of a gauge of which nothing is held, doubtful, silent or in service, so that all of it is laid
into memory and nothing can be said. Everything is asked before anything is changed; where one
reading of a step does not qualify, arrays take the step. `tests/detectors/test_dry.py` holds both
against each other.
"""

from collections.abc import Sequence
from typing import NamedTuple

from config.records.district import District
from detectors.engine.calm_rows import CalmRows
from detectors.memory.state import DetectState
from detectors.quality.clock_offset import SLOW_S
from detectors.setup.partition import RAIN, Part
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
    """What a row of the memory feeds: rows of `rain_threshold`, and entries of window rules."""

    station: str
    rain: list[int]
    entries: list[_Entry]


class _One(NamedTuple):
    row: int
    gauge: _Gauge
    at: int
    key: int


class Dry:
    """Of one partition."""

    def __init__(self, district: District, part: Part) -> None:
        self._part = part
        self._young_ms = 1000 * min(district.rules.lateness_s, SLOW_S)
        limited = set(part.limited.tolist())
        self._rows = {
            row
            for row, kind in enumerate(part.kind.tolist())
            if kind == RAIN and row not in limited and row not in part.listened
        }
        self._gauges: dict[int, _Gauge] = {}

    def take(self, state: DetectState, records: Sequence[Observations]) -> bool:
        """Lay the readings of a step into memory, if all of them qualify; False: nothing was done."""
        if sum(len(r.station) for r in records) > MOST or any(any(r.value) for r in records):
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
            self._gauges[row] = _Gauge(part.station[row], part.rain_rows.of(row), entries)
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
            one = _One(row, self._gauge(row), at, key)
            if not self._calm(state, one):
                return False
            some.append(one)
        return True

    def _calm(self, state: DetectState, one: _One) -> bool:
        """Can nothing be said of it, whatever comes with it?"""
        row, (station, rain, entries), at, _ = one
        heard, silence = state.heard, state.silence
        if not heard.takes(row, at) or row in heard.test or row in heard.owed:
            return False
        if station in silence.silent or station in silence.gone or station in silence.clocks:
            return False
        if station in state.service.spans:
            return False
        rule, minute = self._part.rain, -(-at // _MINUTE)
        if not all(rule.calm(state.rain, r, minute) for r in rain):
            return False
        series = state.series
        return all(
            e.calm.still(series[e.rule], e.row, e.input, -(-at // e.slot_ms)) for e in entries
        )

    def _lay(self, state: DetectState, one: _One) -> None:
        row, (_, rain, entries), at, key = one
        state.heard.put(row, at, key)
        minute = -(-at // _MINUTE)
        for r in rain:
            state.rain.window.put_dry(r, minute)
            state.rain.changed[r] = True
        for e in entries:
            e.calm.lay_one(
                state.series[e.rule], e.row, e.input, -(-at // e.slot_ms), 0.0, more=True
            )
        state.touched[row] = True
