"""Years of record through the stage detect itself: the same steps and the same rule objects as the
live run, fed with arrays instead of records.

What it leaves out: how late each reading really came (a record of the past seldom says), so values
come in order of time, and silence, which no score counts. Neither raises a warning earlier.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import msgspec
import numpy as np

from config.records.district import District
from config.records.quantity import QUANTITIES
from detectors.detection import Detection
from detectors.engine.minute_ring import Ints
from detectors.memory.state import DetectState
from detectors.quality.station_memory import Batch
from detectors.setup.partition import Part, Rows
from detectors.stage import Detect
from ingest.observation import Flag
from skill.verify.shared_times import SharedTimes
from stream.records import Tick
from stream.stages.stage import Item, Write

_BLOCK = 20_000  # readings judged at once
_SORTED = 1_000_000  # and put in order at once
_DAY = 86_400_000
_FROM, _CALENDAR = 365 * _DAY, 10_227 * _DAY  # 1971; 28 years


@dataclass(frozen=True, eq=False)
class Readings:
    """A record, in order of time. pairs: each (station, quantity) there is; which: (n,) index into
    them; at: (n,) ms UTC; counts: (n,) counts of the quantity's resolution; seq: (n,) the device's
    sequence numbers, -1 for none, or away where no reading has one. Integers of any width."""

    pairs: list[tuple[str, str]]
    which: Ints
    at: Ints | SharedTimes
    counts: Ints
    seq: Ints | None = None

    def of(self, station: str, quantity: str) -> Ints:
        """(m,) the rows of one pair, in their order; none of a pair that the record lacks."""
        if (station, quantity) not in self.pairs:
            return np.zeros(0, np.int64)
        n = self.pairs.index((station, quantity))
        order, bounds = self._by_pair
        found: Ints = order[bounds[n] : bounds[n + 1]].astype(np.int64)
        return found

    @cached_property
    def many(self) -> Ints:
        """(pairs,) readings of each."""
        found = np.zeros(len(self.pairs), np.int64)
        for begin in range(0, self.which.size, _SORTED):
            found += np.bincount(self.which[begin : begin + _SORTED], minlength=found.size)
        return found

    @cached_property
    def _by_pair(self) -> tuple[Ints, Ints]:
        """All rows pair by pair, and where each pair begins among them: sorted once, because a look
        through all rows for each of many stations costs more than all else."""
        many = self.many
        bounds: Ints = np.append(0, np.cumsum(many))
        narrow = np.uint32 if self.which.size < 2**32 else np.int64
        order: Ints = np.empty(self.which.size, narrow)
        next_ = bounds[:-1].copy()
        for begin in range(
            0, self.which.size, _SORTED
        ):  # a part at a time: a sort of all is slow and large
            which = self.which[begin : begin + _SORTED]
            mine = np.argsort(which, kind="stable")
            sorted_ = which[mine]
            groups = np.bincount(sorted_, minlength=len(self.pairs))
            first = np.cumsum(groups) - groups
            order[next_[sorted_] + np.arange(mine.size) - first[sorted_]] = mine + begin
            next_ += groups
        return order, bounds


class Unused(NamedTuple):
    """How many readings no rule could look at: a station or quantity that the config lacks."""

    station: str
    quantity: str
    readings: int


def unused(district: District, readings: Readings) -> list[Unused]:
    """What the district's config does not know, never dropped in silence."""
    known = {(s.id, s.quantity) for s in district.stations.values()}
    return [
        Unused(station, quantity, int(n))
        for (station, quantity), n in zip(readings.pairs, readings.many, strict=True)
        if (station, quantity) not in known
    ]


def replay(
    district: District,
    readings: Readings,
    frame: Callable[[str], bytes | None] = lambda _: None,
    detect: Detect | None = None,
) -> list[Detection]:
    """Every detection of the record, in order of partition and time. detect: where it is made
    already."""
    detect = detect or Detect(district, frame)
    shift = _shift(readings)
    if shift:
        readings = replace(readings, at=readings.at + shift)
    out: list[Detection] = []
    for partition in range(district.partitions):
        out += played(detect, partition, readings)[1]
    return [_dated(d, -shift) for d in out] if shift else out


def _shift(readings: Readings) -> int:
    """ms to add to a record that begins before 1971, for the rules count from 1970 on: whole 28
    years, after which the calendar is the same (but for 1900)."""
    first = int(readings.at[0]) if readings.at.size else _FROM
    return max(0, -((first - _FROM) // _CALENDAR)) * _CALENDAR


def _dated(d: Detection, shift: int) -> Detection:
    """With other dates; the id stays."""
    return msgspec.structs.replace(
        d,
        detected_at=d.detected_at + shift,
        since_at=d.since_at + shift,
        next_at=None if d.next_at is None else d.next_at + shift,
        earliest_at=None if d.earliest_at is None else d.earliest_at + shift,
        latest_at=None if d.latest_at is None else d.latest_at + shift,
        evidence=tuple(
            msgspec.structs.replace(e, observed_at=e.observed_at + shift)
            if e.observed_at is not None
            else e
            for e in d.evidence
        ),
    )


def played(
    detect: Detect, partition: int, readings: Readings
) -> tuple[DetectState, list[Detection]]:
    """What a partition's memory holds after the record, and what was said on the way."""
    part, state = detect.part(partition), detect.new(partition)
    out: list[Detection] = []
    if part.groups:
        for writes in _writes(detect, part, state, readings):
            out += [w.record for w in writes if isinstance(w.record, Detection)]
    return state, out


def _writes(
    detect: Detect, part: Part, state: DetectState, readings: Readings
) -> Iterator[list[Write]]:
    of: dict[tuple[str, str], list[int]] = {}
    for place in part.place.values():
        for pair, n in place.items():
            of.setdefault(pair, []).append(n)
    rows = Rows([of.get(p, []) for p in readings.pairs])
    bounds = _bounds(readings)
    none = np.full(_BLOCK, -1, np.int64)
    for begin in range(0, readings.at.size, _BLOCK):
        block = slice(begin, begin + _BLOCK)
        which = readings.which[block].astype(np.int64)
        row, source = rows.expand(which)
        at, count = readings.at[block][source], readings.counts[block].astype(np.int64)[source]
        if row.size == 0:
            continue
        seq = none if readings.seq is None else readings.seq[block]
        low, high, doubt = bounds[:, which[source]]
        flag = np.where(count > doubt, int(Flag.SUSPECT), int(Flag.GOOD))
        flag = np.where((count < low) | (count > high), int(Flag.FAIL), flag)
        yield detect.take(state, Batch(row, at, count, seq[source], flag))
        if part.compounds or part.cascades:  # time alone may end what they keep
            tick = Item(state.partition, 0, "", Tick(clock_at=int(at[-1])))
            yield detect.step(state, [tick])[1]


def _bounds(readings: Readings) -> Ints:
    """(3, pairs): low, high and suspect_above of each pair's quantity."""
    of = [QUANTITIES[quantity] for _, quantity in readings.pairs]
    return np.array([[q.low, q.high, q.suspect_above] for q in of], np.int64).T.reshape(3, -1)


def spans(readings: Readings) -> tuple[int, int]:
    """First and last moment of the record, ms; (0, 0) of an empty one."""
    return (int(readings.at[0]), int(readings.at[-1])) if readings.at.size else (0, 0)
