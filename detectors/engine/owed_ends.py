"""Which windows are still to be judged for what came late: of each row that history was laid into since
the last tick, from which minute on. What is judged at a tick is the same whatever the number and order of
readings before it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from detectors.engine.minute_ring import Ints

_NONE = 2**63 - 1


class Owed(NamedTuple):
    """Rows, with the first minute at which a window that ends there may be an order, and the newest minute of
    what came late."""

    row: Ints
    first: Ints
    newest: Ints

    def expand(self, rows: Ints, source: Ints) -> "Owed":
        """For rows of a rule, each once, of which several may be fed by one or by several."""
        if rows.size < 2:
            return Owed(rows, self.first[source], self.newest[source])
        found, of = np.unique(rows, return_inverse=True)
        first, newest = np.full(found.size, _NONE), np.full(found.size, -1)
        np.minimum.at(first, of, self.first[source])
        np.maximum.at(newest, of, self.newest[source])
        return Owed(found, first, newest)

    def some(self, which: Ints) -> "Owed":
        """These of them."""
        return Owed(self.row[which], self.first[which], self.newest[which])


class PackedOwed(msgspec.Struct):
    """As a snapshot holds it; rows by name."""

    names: list[str] = []
    first: list[int] = []
    newest: list[int] = []


class OwedEnds:
    """Of every row of the memory."""

    def __init__(self, rows: int) -> None:
        self._first = np.full(rows, _NONE, np.int64)
        self._newest = np.full(rows, -1, np.int64)
        self._any = False

    def mark(self, rows: Ints, first: Ints, newest: Ints) -> None:
        """Something that came late was laid into these."""
        if rows.size:
            np.minimum.at(self._first, rows, first)
            np.maximum.at(self._newest, rows, newest)
            self._any = True

    def take(self) -> Owed | None:
        """What is to be judged now, and no longer then."""
        if not self._any:
            return None
        found = self._found()
        self._first[found.row], self._newest[found.row], self._any = _NONE, -1, False
        return found

    def _found(self) -> Owed:
        rows = (self._newest >= 0).nonzero()[0]
        return Owed(rows, self._first[rows], self._newest[rows])

    def pack(self, names: Sequence[str]) -> PackedOwed:
        """`names` of the rows."""
        if not self._any:
            return PackedOwed()
        found = self._found()
        place = [names[row] for row in found.row.tolist()]
        return PackedOwed(place, found.first.tolist(), found.newest.tolist())

    def load(self, packed: PackedOwed, row_of: Mapping[str, int]) -> None:
        """What is owed of rows that are still declared."""
        rows = np.array([row_of.get(n, -1) for n in packed.names], np.int64)
        kept = (rows >= 0).nonzero()[0]
        first, newest = np.array(packed.first, np.int64), np.array(packed.newest, np.int64)
        self.mark(rows[kept], first[kept], newest[kept])
