"""Records of observations as arrays, as the rules take them."""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat

import numpy as np

from detectors.engine.minute_ring import Ints
from detectors.quality.station_memory import Batch
from detectors.setup.partition import Part
from ingest.observation import Flag, Observations

_GOOD = int(Flag.GOOD)
_PIECE = 20_000  # observations judged at once


class Columns:
    """Observations as arrays. `nth`: the number among all that were given. received: the line's
    clock when each came, ms; without it each came at its own time."""

    def __init__(
        self,
        nth: Ints,
        batch: Batch,
        tests: dict[int, str],
        refs: dict[int, str],
        received: Ints | None = None,
    ) -> None:
        self.nth, self.batch, self.tests, self.refs = nth, batch, tests, refs
        self.received = batch.at if received is None else received

    @classmethod
    def of(cls, part: Part, records: Sequence[Observations]) -> "Columns":
        """Records, without what this partition's config does not know: a group or station
        that is gone, and the battery of a gauge, which says neither what the gauge measures nor that
        it still does."""
        row: list[int] = []
        size: list[int] = []
        tests: dict[int, str] = {}
        refs: dict[int, str] = {}
        nobody: dict[tuple[str, str], int] = {}
        for r in records:
            begin = len(row)
            place = part.place.get(r.group, nobody)
            row.extend(map(place.get, zip(r.station, r.quantity, strict=True), repeat(-1)))
            size.append(len(row) - begin)
            if r.test:
                tests |= {begin + n: t for n, t in enumerate(r.test) if t}
            if r.ref:
                refs |= {begin + n: t for n, t in enumerate(r.ref) if t}
        rows = np.array(row, np.int64)
        at, value = _joined([r.observed_at for r in records]), _joined([r.value for r in records])
        seq = _or_else([r.seq for r in records], size, -1)
        flag = _or_else([r.flag for r in records], size, _GOOD)
        came = np.array([r.received_at for r in records], np.int64).repeat(size)
        known = np.nonzero(rows >= 0)[0]
        batch = Batch(rows, at, value, seq, flag)
        whole = cls(np.arange(rows.size), batch, tests, refs, came)
        return whole if known.size == rows.size else whole.some(known)

    def some(self, which: Ints) -> "Columns":
        """These of them, in order."""
        tests, refs = self.tests, self.refs
        if tests or refs:
            place = {int(n): k for k, n in enumerate(which)}
            tests = {place[n]: t for n, t in tests.items() if n in place}
            refs = {place[n]: t for n, t in refs.items() if n in place}
        batch = Batch(*(column[which] for column in self.batch))
        return Columns(self.nth[which], batch, tests, refs, self.received[which])


def _joined(columns: Sequence[Sequence[int]]) -> Ints:
    """One after another."""
    return np.array(columns[0] if len(columns) == 1 else [*chain.from_iterable(columns)], np.int64)


def _or_else(columns: Sequence[Sequence[int]], size: Sequence[int], missing: int) -> Ints:
    """The same, where an empty one stands for so many times `missing`."""
    if not any(columns):
        return np.full(sum(size), missing, np.int64)
    return _joined([x or (missing,) * n for x, n in zip(columns, size, strict=True)])


def pieces(batch: Sequence[Observations]) -> Iterator[Sequence[Observations]]:
    """A batch in pieces of bounded size: arrays of any length would not fit the cache."""
    first = size = 0
    for n, record in enumerate(batch):
        size += len(record.station)
        if size >= _PIECE:
            yield batch[first : n + 1]
            first, size = n + 1, 0
    if first < len(batch):
        yield batch[first:]
