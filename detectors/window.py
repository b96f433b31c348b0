"""Minute rings with running sums over several windows, for many rows at once.

A row holds the counts of the last 24 hours by minute (-1: nothing heard). Its head is the newest
minute heard: the row's own event-time clock. Sums are over (head - W, head] and exact in integers.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SLOTS = 2048  # a power of two above a day of minutes
SPAN = 1440
_MASK = SLOTS - 1
_FEW = 64  # a gap of so many minutes is walked; a longer one is summed anew


class Window:
    """`rows` rings and their sums over `windows` minutes (each at most 1440)."""

    __slots__ = ("_last", "head", "ring", "sums", "windows")

    def __init__(self, rows: int, windows: tuple[int, ...]) -> None:
        assert all(0 < w <= SPAN for w in windows)
        self.windows = np.array(windows, np.int64)
        self.ring = np.full((rows, SLOTS), -1, np.int32)
        self.head = np.full(rows, -1, np.int64)
        self.sums = np.zeros((rows, len(windows)), np.int64)
        self._last = self.windows - 1

    def put(self, rows: Ints, minute: Ints, count: Ints, add: Bools | bool) -> Bools:
        """Add one observation to each of `rows` (no row twice).

        Returns which were taken: not one a day or more behind its head, nor one whose minute is
        held already, unless `add` says that it is another one of the same minute.
        """
        flat = self.ring.reshape(-1)
        head = self.head[rows]
        head = np.where(head < 0, minute, head)
        base = rows * SLOTS
        ahead = minute - head
        if (ahead > 0).any():
            self._advance(rows, base, head, ahead)
            head = np.maximum(head, minute)
        self.head[rows] = head
        slot = base + (minute & _MASK)
        held = flat[slot]
        taken: Bools = (minute > head - SPAN) & ((held < 0) | add)
        if taken.all():
            flat[slot] = np.maximum(held, 0) + count
        else:
            flat[slot[taken]] = (np.maximum(held, 0) + count)[taken]
        wet = np.nonzero(taken & (count != 0))[0]
        if wet.size:
            inside = (head - minute)[wet, None] < self.windows
            self.sums[rows[wet]] += count[wet, None] * inside
        return taken

    def _advance(self, rows: Ints, base: Ints, head: Ints, ahead: Ints) -> None:
        """Move heads forward: what leaves a window leaves its sum, what comes is empty."""
        moving = np.nonzero(ahead > 0)[0]
        if moving.size == rows.size:
            r, b, h, a = rows, base, head, ahead
        else:
            r, b, h, a = rows[moving], base[moving], head[moving], ahead[moving]
        flat = self.ring.reshape(-1)
        step = 1
        while r.size:
            flat[b + ((h + step) & _MASK)] = -1
            # only rows that hold rain have anything to lose
            wet = self.sums[r].any(axis=1) if step == 1 else np.ones(r.size, np.bool_)
            if wet.any():
                rw, bw, hw = (r, b, h) if wet.all() else (r[wet], b[wet], h[wet])
                gone = flat[bw[:, None] + ((hw[:, None] + step - self.windows) & _MASK)]
                self.sums[rw] -= np.maximum(gone, 0)
            more = a > step
            if not more.any():
                return
            if not more.all():
                r, b, h, a = r[more], b[more], h[more], a[more]
            step += 1
            if step > _FEW:
                for row, start, length in zip(r, h, a, strict=True):
                    self._leap(int(row), int(start), int(length), step)
                return

    def _leap(self, row: int, head: int, ahead: int, step: int) -> None:
        """The rest of a long gap of one row."""
        left = min(ahead - step + 1, SLOTS)
        first = head + ahead - left + 1
        self.ring[row, np.arange(first, head + ahead + 1) & _MASK] = -1
        day = self.last(row, head + ahead, SPAN)
        total = np.concatenate(([0], np.cumsum(np.maximum(day, 0)[::-1])))
        self.sums[row] = total[self.windows]

    def last(self, row: int, minute: int, length: int) -> npt.NDArray[np.int32]:
        """Counts of the minutes (minute - length, minute], oldest first; -1 where none."""
        values: npt.NDArray[np.int32] = self.ring[
            row, np.arange(minute - length + 1, minute + 1) & _MASK
        ]
        return values


def rounds(rows: Ints) -> list[Ints]:
    """Splits a batch so that no row stands twice in a part: indices into `rows`, in order of
    arrival within each part; a row's first observation is in the first part, and so on."""
    if rows.size == 0:
        return []
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    start = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    begin = np.maximum.accumulate(np.where(start, np.arange(rows.size), 0))
    turn = np.empty(rows.size, np.int64)
    turn[order] = np.arange(rows.size) - begin
    by_turn = np.argsort(turn, kind="stable")
    cuts = np.cumsum(np.bincount(turn))[:-1]
    return np.split(by_turn, cuts)
