"""Minute rings of rain for many rows at once, as running totals, so that the sum over any window
is one difference, however long the window is.

A row's head is the newest minute heard: the row's own event-time clock. Of each of the last 2048
minutes the ring holds the total that had fallen by its end, doubled, plus 1 if the minute was
heard: 4 bytes a minute, exact in integers (it may wrap; differences do not show it). Rain that
comes late is added to every minute from its own to the head.
"""

from collections.abc import Collection
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SLOTS = 2048  # a power of two above a day of minutes
SPAN = 1440
# minutes that late rain may be behind its row's clock by more than a day: so long before the clock a window may
# end that is still judged (the most of `lateness_s`)
LATE = 120
KEPT = SPAN + LATE
# minutes that a row's clock may move in one turn, so that a day before each stays in the ring;
# whole days consist of it
BLOCK = 480
_MASK = SLOTS - 1
_FEW = 64
_FILL = 2_000_000  # minutes written at once
_PART = 64  # rings that lie in the processor's cache together
_EVERY = slice(None)


class Window:
    """`rows` rings; sums over `windows` minutes (each at most 1440)."""

    __slots__ = ("_ring", "head", "windows")

    def __init__(self, rows: int, windows: tuple[int, ...]) -> None:
        assert all(0 < w <= SPAN for w in windows)
        self.windows = np.array(windows, np.int64)
        self._ring = np.zeros((rows, SLOTS), np.int32)
        self.head = np.full(rows, -1, np.int64)

    @property
    def nbytes(self) -> int:
        """Of the rings and heads."""
        return self._ring.nbytes + self.head.nbytes

    def put(self, rows: Ints, minute: Ints, count: Ints, add: Bools | bool) -> tuple[Bools, Ints]:
        """Add one turn of observations (see `turns`): rows stand together.

        Returns which were taken, and the row's head after each. Not taken: one that is `KEPT` or more
        behind its head, and one whose minute is held already, unless `add` says that it is another one
        of the same minute.
        """
        flat = self._ring.reshape(-1)
        base = rows * SLOTS
        start = begins(rows)
        alone = start.size == rows.size  # no row twice
        before = held = self.head[rows]
        if not alone:  # what comes after one that is behind begins at the row's head
            before = np.maximum(np.concatenate(([0], minute[:-1])), held)
            before[start] = held[start]
        head = np.maximum(minute, before)
        twice = 2 * count
        taken = np.ones(rows.size, np.bool_)
        behind = (minute <= before).nonzero()[0]
        if behind.size:
            late, clock = minute[behind], before[behind]
            again = (flat[base[behind] + (late & _MASK)] & 1) == 1
            if add is not False:
                again &= ~(add if isinstance(add, bool) else add[behind])
            fine = (late > clock - KEPT) & ~again
            taken[behind] = fine
            twice[behind[~fine]] = 0
        # the total at each row's clock, after each of its observations
        old = flat[base[start] + (held[start] & _MASK)] & ~1  # zero of a row never heard
        if alone:
            total = old + twice
        else:
            total = twice.cumsum()
            total += (old - (total[start] - twice[start])).repeat(lengths(start, rows.size))
        if behind.size:
            self._late(base[behind], late, clock, twice[behind], fine)
        if behind.size < rows.size:
            ahead = (minute > before).nonzero()[0] if behind.size else slice(None)
            self._advance(base[ahead], before[ahead], minute[ahead], total[ahead], twice[ahead])
        last = slice(None) if alone else start + lengths(start, rows.size) - 1
        self.head[rows[last]] = head[last]
        return taken, head

    def put_dry(self, row: int, minute: int) -> None:
        """As `put`, one observation of zero, ahead of its row's head."""
        ring, head = self._ring[row], self.head.item(row)
        total, gap = ring.item(head & _MASK) & ~1, min(minute - head, SLOTS)
        first, last = (minute - gap + 1) & _MASK, minute & _MASK
        if first < last:
            ring[first:last] = total
        elif gap > 1:
            ring[first:] = total
            ring[:last] = total
        ring[last] = total | 1
        self.head[row] = minute

    def put_back(self, rows: Ints, minute: Ints, count: Ints, add: Bools) -> Bools:
        """What comes late, none of it `KEPT` or more behind its row's head, however much of a row: as
        `put` takes one after another. Returns which were taken."""
        flat, head = self._ring.reshape(-1), self.head[rows]
        place = rows * SLOTS + (minute & _MASK)
        order = np.lexsort((minute, rows))
        first = np.ones(rows.size, np.bool_)  # of its row and minute
        first[order[1:]] = place[order[1:]] != place[order[:-1]]
        taken: Bools = add | (first & ((flat[place] & 1) == 0))
        wet = (taken & (count != 0)).nonzero()[0]
        if wet.size:
            self._fell_back(rows[wet], head[wet] - minute[wet], count[wet])
        flat[place[taken]] |= 1
        return taken

    def _fell_back(self, rows: Ints, age: Ints, count: Ints) -> None:
        """Rain so many minutes before its row's head, however much of a row: every minute since has
        seen it fall."""
        some, of = np.unique(rows, return_inverse=True)
        step = max(1, _FILL // KEPT)
        for first in range(0, some.size, step):
            mine = (of >= first) & (of < first + step) if some.size > step else slice(None)
            r, ages = some[first : first + step], age[mine]
            fell = np.zeros((r.size, int(ages.max()) + 1), np.int32)
            np.add.at(fell, (of[mine] - first, ages), (2 * count[mine]).astype(np.int32))
            since = fell[:, ::-1].cumsum(axis=1, dtype=np.int32)[:, ::-1]
            back = (self.head[r, None] - np.arange(fell.shape[1])) & _MASK
            self._ring[r[:, None], back] += since

    def _late(self, base: Ints, minute: Ints, head: Ints, twice: Ints, taken: Bools) -> None:
        """Into the past: every minute since has seen this rain fall. No row twice."""
        flat = self._ring.reshape(-1)
        wet = np.nonzero(twice != 0)[0]
        many = head[wet] - minute[wet] + 1
        source = np.repeat(wet, many)
        within = np.arange(source.size) - np.repeat(np.cumsum(many) - many, many)
        flat[base[source] + ((minute[source] + within) & _MASK)] += twice[source].astype(np.int32)
        flat[base[taken] + (minute[taken] & _MASK)] |= 1

    def _advance(self, base: Ints, before: Ints, minute: Ints, total: Ints, twice: Ints) -> None:
        """Move clocks forward: minutes in between saw nothing fall."""
        flat = self._ring.reshape(-1)
        gap = np.where(before < 0, 1, np.minimum(minute - before, SLOTS))  # a new row is empty
        if int(gap.max()) > 1:
            empty = (total - twice).astype(np.int32)
            for many in _pieces(gap):
                length = gap[many]
                source = np.repeat(np.arange(many.start, many.stop), length)
                back = np.repeat(np.cumsum(length), length) - np.arange(source.size) - 1
                flat[base[source] + ((minute[source] - back) & _MASK)] = empty[source]
        flat[base + (minute & _MASK)] = (total | 1).astype(np.int32)

    def sums(self, rows: Ints, ends: Ints) -> Ints:
        """(k, windows): the sums over (end - W, end], a row and end each."""
        flat = self._ring.reshape(-1)
        base = rows * SLOTS
        now = flat[base + (ends & _MASK)] & ~np.int32(1)
        then = flat[base[:, None] + ((ends[:, None] - self.windows) & _MASK)] & ~np.int32(1)
        found: Ints = ((now[:, None] - then) >> 1).astype(np.int64)
        return found

    def still(self, rows: Ints, ends: Ints, now: Ints) -> Ints:
        """(k, windows): of the sums over (now - W, now] what had fallen by `ends`, each before now."""
        flat = self._ring.reshape(-1)
        base, begin = rows * SLOTS, now[:, None] - self.windows
        fell = flat[base + (ends & _MASK)] & ~np.int32(1)
        then = flat[base[:, None] + (begin & _MASK)] & ~np.int32(1)
        found: Ints = ((fell[:, None] - then) >> 1).astype(np.int64)
        return np.where(begin < ends[:, None], found, 0)

    def most_since(self, rows: Ints, first: Ints, lowest: Ints) -> tuple[Ints, Ints]:
        """(k, windows): of each row the largest sums over all ends from `first` on, no more than `LATE`
        before its head, of rows where these may reach `lowest` (rows, windows) in some window; and which
        rows those are."""
        head = self.head[rows]
        first = np.maximum(first, head - LATE)
        reached: Bools = (self.still(rows, head, first) >= lowest).any(axis=1) & (head >= 0)
        some = reached.nonzero()[0]
        if not some.size:
            return lowest[some], some
        rows, head, first = rows[some], head[some], first[some]
        sums = self.still(rows, head, np.maximum(first, head))  # ahead of the clock they only fall
        many = np.maximum(head - first, 0)
        source = np.repeat(np.arange(rows.size), many)
        if source.size:
            ends = first[source] + np.arange(source.size) - np.repeat(np.cumsum(many) - many, many)
            np.maximum.at(sums, source, self.sums(rows[source], ends))
        return sums, some

    def held(self, rows: Ints, length: int) -> Ints:
        """(k,): what each row has of the last minutes up to its head."""
        end = self.head[rows]
        now, then = self._ring[rows, end & _MASK], self._ring[rows, (end - length) & _MASK]
        found: Ints = (((now & ~1) - (then & ~1)) >> 1).astype(np.int64)
        return found

    def total(self, row: int, minute: int, length: int) -> int:
        """The sum over (minute - length, minute]."""
        now, then = self._ring[row, minute & _MASK], self._ring[row, (minute - length) & _MASK]
        return (int(now) // 2 - int(then) // 2) % 2**31

    def last(self, row: int, minute: int, length: int) -> npt.NDArray[np.int32]:
        """Counts of the minutes (minute - length, minute], oldest first; -1 where none."""
        return self._counts(self._ring[row, np.arange(minute - length, minute + 1) & _MASK])

    def touched(self, row: int, minute: int, head: int) -> Ints:
        """(windows,): the largest sums over all ends that a value of `minute` that came late touches."""
        values = np.maximum(self.last(row, head, SPAN + min(head - minute, LATE)), 0)
        total = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
        ends = np.arange(total.size - 1 - (head - minute), total.size)
        begin = np.maximum(ends[:, None] - self.windows, 0)
        best: Ints = (total[ends][:, None] - total[begin]).max(axis=0)
        return best

    def counts(self, rows: Ints | slice = _EVERY) -> npt.NDArray[np.int32]:
        """(rows, SLOTS) by minute modulo SLOTS; -1 where nothing was heard."""
        ring = self._ring[rows]
        found = np.empty_like(ring)
        for some in _parts(len(ring)):
            part, here = ring[some], found[some]
            total = part & ~np.int32(1)
            np.subtract(total[:, 1:], total[:, :-1], out=here[:, 1:])
            np.subtract(total[:, 0], total[:, -1], out=here[:, 0])
            here >>= 1
            here[(part & 1) == 0] = -1
        return found

    def fill(self, counts: npt.NDArray[np.int32]) -> None:
        """The rings of `counts`, as `counts` gives them. The heads are known."""
        oldest = (self.head + 1) & _MASK
        for some in _parts(len(counts)):
            part, first = counts[some], oldest[some]
            total = np.cumsum(np.maximum(part, 0), axis=1, dtype=np.int32)
            # the totals begin at the oldest minute, which stands in the midst of the ring
            before = total[np.arange(first.size), first - 1]
            before[first == 0] = 0
            whole = total[:, -1].copy()
            total -= before[:, None]
            np.add(total, whole[:, None], out=total, where=np.arange(SLOTS) < first[:, None])
            total <<= 1
            total |= part >= 0
            self._ring[some] = total

    @staticmethod
    def _counts(ring: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        step = np.diff(ring & ~np.int32(1), axis=-1) >> 1
        return np.where(ring[..., 1:] & 1, step, np.int32(-1))


def _parts(rows: int) -> list[slice]:
    """All rows, some at a time."""
    return [slice(n, n + _PART) for n in range(0, rows, _PART)]


def _pieces(many: Ints) -> list[slice]:
    """Parts of bounded total."""
    total = np.cumsum(many)
    if int(total[-1]) <= _FILL:
        return [slice(0, many.size)]
    edges = np.searchsorted(total, np.arange(_FILL, int(total[-1]) + _FILL, _FILL), "right")
    cuts = np.unique(np.concatenate(([0], edges, [many.size]))).tolist()
    return [slice(a, b) for a, b in pairwise(cuts)]


def by_row(rows: Ints) -> Ints:
    """A stable order by row; small numbers are sorted by their digits, in time O(n)."""
    if rows.size and int(rows.max()) < 65_536:
        return np.argsort(rows.astype(np.uint16), kind="stable")
    return np.argsort(rows, kind="stable")


def twice(rows: Ints, keys: Ints) -> Ints:
    """Where a key of a row stands again."""
    order = np.lexsort((keys, rows))
    r, k = rows[order], keys[order]
    again: Ints = order[1:][(r[1:] == r[:-1]) & (k[1:] == k[:-1])]
    return again


def begins(rows: Ints) -> Ints:
    """Where each row begins, of rows that stand together."""
    first = np.ones(rows.size, np.bool_)
    np.not_equal(rows[1:], rows[:-1], out=first[1:])
    found: Ints = first.nonzero()[0]
    return found


def lengths(begin: Ints, size: int) -> Ints:
    """How many each of them has, of so many in all."""
    found = np.empty(begin.size, np.int64)
    np.subtract(begin[1:], begin[:-1], out=found[:-1])
    found[-1:] = size - begin[-1:]
    return found


def among(rows: Ints, some: Collection[int]) -> Bools:
    """Which of the rows of a batch are some. Of a small batch by a look-up each, however many those
    are."""
    if rows.size > _FEW:
        return np.isin(rows, list(some))
    return np.array([row in some for row in rows.tolist()], np.bool_)


def _once(rows: Ints) -> bool:
    """Is it a small batch in order of row, no row twice? Of one reading it mostly is."""
    return rows.size <= _FEW and bool((rows[1:] > rows[:-1]).all())


def around(rows: Ints, news: Bools) -> tuple[Ints, Ints, Ints]:
    """Of a batch in order of arrival: what comes before the first of its row's `news`, from there to the
    last, and after it. A row without news is in the first part alone."""
    which = news.nonzero()[0]
    every = np.arange(rows.size)
    if not which.size:
        return every, which, which
    size = int(rows.max()) + 1
    first, last = np.full(size, rows.size), np.full(size, rows.size)
    first[rows[which[::-1]]] = which[::-1]
    last[rows[which]] = which
    after = every > last[rows]
    before = every < first[rows]
    return before.nonzero()[0], (~before & ~after).nonzero()[0], after.nonzero()[0]


def rounds(rows: Ints) -> list[Ints]:
    """Splits a batch so that no row stands twice in a part: indices into `rows`, in order of
    arrival within each part; a row's first observation is in the first part, and so on."""
    if rows.size == 0 or _once(rows):
        return [np.arange(rows.size)] * min(1, rows.size)
    order = by_row(rows)
    ordered = rows[order]
    start = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    begin = np.maximum.accumulate(np.where(start, np.arange(rows.size), 0))
    turn = np.empty(rows.size, np.int64)
    turn[order] = np.arange(rows.size) - begin
    by_turn = np.argsort(turn, kind="stable")
    cuts = np.cumsum(np.bincount(turn))[:-1]
    return np.split(by_turn, cuts)


def turns(
    head: Ints, rows: Ints, slot: Ints, block: int, alone: Bools | None = None
) -> list[tuple[Ints, Bools]]:
    """Parts in which each row's slots only rise, but for its first, and lie near one another:
    indices in order of row, then arrival, and which do not move their row's clock (`head`). What is
    `alone` is the first of its row in its part."""
    if _once(rows):
        return [(np.arange(rows.size), slot <= head[rows])]
    order = by_row(rows)
    r, s = rows[order], slot[order]
    first = np.ones(r.size, np.bool_)
    first[1:] = r[1:] != r[:-1]
    rank = np.cumsum(first) << 42
    start = np.where(first, np.maximum(s, head[r]), s)
    top = np.maximum.accumulate(start + rank) - rank
    before = np.where(first, head[r], np.concatenate(([0], top[:-1])))
    behind: Bools = s <= before
    new = behind | (top // block != before // block)
    if alone is not None:
        new |= alone[order]
    total = np.cumsum(new & ~first)
    turn = total - np.repeat(total[first], np.diff(np.append(np.nonzero(first)[0], r.size)))
    most = int(turn.max())
    if most == 0:
        return [(order, behind)]
    by_turn = np.argsort(turn, kind="stable")
    cuts = np.cumsum(np.bincount(turn))[:-1]
    return [(order[p], behind[p]) for p in np.split(by_turn, cuts)]
