"""Readings that came late and wait until there is time for them."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from detectors.engine.minute_ring import Ints
from detectors.quality.station_memory import Batch

# so many are taken as they come from one tick to the next; of more, who came last waits. What waits is not
# there when a younger reading is judged: the tick that lets it in judges those windows again
# (`detectors.screening.judge_back`), so that the number decides when something is known and nothing else
SOON = 1_000
AT_ONCE = 25_000  # so many of what waits are taken at a tick
_SHARE = 3  # or so much of what waits, that what waits stays bounded


class Late(NamedTuple):
    """Some that came together. tests: index -> what ingest flagged it for."""

    batch: Batch
    received: Ints
    tests: dict[int, str]


class PackedBackfill(msgspec.Struct):
    """As a snapshot holds it; rows by name."""

    room: int = SOON
    names: list[str] = []
    name: list[int] = []
    columns: bytes = b""
    tests: dict[int, str] = {}


class Backfill:
    """First come, first taken. room: how many more are taken at once before the next tick; many: wait."""

    def __init__(self) -> None:
        self.room, self.many = SOON, 0
        self._held: deque[Late] = deque()

    def put(self, late: Late) -> None:
        self._held.append(late)
        self.many += late.received.size

    def next(self) -> Late | None:
        """What is taken at this tick; None where nothing waits."""
        if not self._held:
            self.room = SOON
            return None
        most = max(AT_ONCE, self.many // _SHARE)
        some: list[Late] = []
        while self._held and most > 0:
            first = self._held.popleft()
            if first.received.size > most:
                self._held.appendleft(_cut(first, slice(most, None)))
                first = _cut(first, slice(0, most))
            most -= first.received.size
            self.many -= first.received.size
            some.append(first)
        self.room = most
        return _joined(some)

    def pack(self, names: Sequence[str]) -> PackedBackfill:
        """`names` of the rows."""
        if not self._held:
            return PackedBackfill(self.room)
        whole = _joined(list(self._held))
        rows, name = np.unique(whole.batch.row, return_inverse=True)
        columns = np.stack([*whole.batch[1:], whole.received]).astype(np.int64)
        place = [names[row] for row in rows.tolist()]
        return PackedBackfill(self.room, place, name.tolist(), columns.tobytes(), whole.tests)

    @classmethod
    def of(cls, packed: PackedBackfill, row_of: Mapping[str, int]) -> "Backfill":
        """What waits of rows that are still declared."""
        found = cls()
        found.room = min(SOON, packed.room)  # older builds took more
        if packed.name:
            rows = np.array([row_of.get(n, -1) for n in packed.names], np.int64)[packed.name]
            *columns, received = np.frombuffer(packed.columns, np.int64).reshape(-1, rows.size)
            whole = Late(Batch(rows, *columns), received, packed.tests)
            kept = (rows >= 0).nonzero()[0]
            if kept.size:
                found.put(_some(whole, kept))
        return found


def _cut(late: Late, part: slice) -> Late:
    return _some(late, np.arange(late.received.size)[part])


def _some(late: Late, which: Ints) -> Late:
    place = {int(n): k for k, n in enumerate(which)} if late.tests else {}
    tests = {place[n]: t for n, t in late.tests.items() if n in place}
    return Late(Batch(*(column[which] for column in late.batch)), late.received[which], tests)


def _joined(some: Sequence[Late]) -> Late:
    if len(some) == 1:
        return some[0]
    tests: dict[int, str] = {}
    begin = 0
    for late in some:
        tests |= {begin + n: t for n, t in late.tests.items()}
        begin += late.received.size
    columns = zip(*(late.batch for late in some), strict=True)
    batch = Batch(*(np.concatenate(c) for c in columns))
    return Late(batch, np.concatenate([late.received for late in some]), tests)
