"""A snapshot of detect in pieces, each small enough to be written between two steps.

A piece holds the rows that changed since they were last written, as they are now, and of the others some
in turn, at least as many: so after a round of pieces every row has been written again, and what is older
than the last whole round is needed no more. Where more has changed than a piece may hold, the next holds
the rest; the memory of a moment is known by the first piece after which nothing is left (`Chosen.point`).
Where more changes all the time than a piece holds, one in so many holds all of it.

Which rows changed is noted by whoever changes them (`changed` of each part of the memory). What is no array
is compared with what was written last.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from detectors.engine.minute_ring import Bools, Ints

PIECE_BYTES = 12_000_000  # of arrays as they lie in memory: 15 to 25 ms
_ROUND = 128  # pieces at the most, where little changes


class Changed(NamedTuple):
    """A part of the memory: which of its rows changed, and how large one is."""

    changed: Bools
    row_bytes: int


class Chosen(NamedTuple):
    """What a piece holds. point: nothing that changed is left out; back: how many pieces before it are needed
    with it."""

    rows: list[Ints]
    point: bool
    back: int


class Rounds:
    """What has been written so far, of a memory that lives in this process. It is no memory itself: a new one
    writes everything anew."""

    def __init__(self) -> None:
        self._made = 0  # pieces
        self._pointed = 0  # so many were made when the last point was
        self._begun = 0  # the first of this round
        self._floor = 0  # the first of the last whole one
        self._due: list[Bools] = []  # rows that this round has not written
        self._told: dict[str, dict[str, bytes]] = {}  # as it was last written: part -> key -> value
        self._anew = False  # the piece under way begins a round

    @property
    def begun(self) -> bool:
        """Is there a piece?"""
        return self._made > 0

    def choose(self, parts: Sequence[Changed], *, whole: bool) -> Chosen:
        """The rows of the next piece, of each part; they count as written. whole: all that changed, as it is
        where no point was for a round: what is kept and read, and how many keys it needs, stays bounded."""
        whole = whole or self._made - self._pointed >= _ROUND
        self._anew = not self._due
        if self._anew:
            self._due = [np.ones(p.changed.size, np.bool_) for p in parts]
            self._begun = self._made
        left = sum(p.changed.size * p.row_bytes for p in parts) if whole else PIECE_BYTES
        chosen = []
        for part, due in zip(parts, self._due, strict=True):
            # one that is larger than a piece is a piece
            most = max(left // max(1, part.row_bytes), int(left > 0))
            rows = part.changed.nonzero()[0][: max(0, most)]
            left -= rows.size * part.row_bytes
            due[rows] = False
            part.changed[rows] = False
            others = (due & ~part.changed).nonzero()[0]
            others = others[: max(rows.size, 1 + due.size // _ROUND)]
            due[others] = False
            chosen.append(np.concatenate((rows, others)))
        if not any(due.any() for due in self._due):
            self._due, self._floor = [], self._begun
        self._made += 1
        point = not any(p.changed.any() for p in parts)
        self._pointed = self._made if point else self._pointed
        return Chosen(chosen, point, self._made - 1 - self._floor)

    def news(self, part: str, held: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """What of a mapping is not as it was last written, and whose keys are gone. It counts as written."""
        told = self._told.setdefault(part, {})
        news = {}
        for key, value in held.items():
            body = msgspec.msgpack.encode(value)
            if self._anew or told.get(key) != body:
                told[key], news[key] = body, value
        gone = [key for key in told if key not in held] if len(told) > len(held) else []
        for key in gone:
            del told[key]
        return news, gone


def unwritten(parts: Sequence[Changed]) -> int:
    """Bytes of rows that changed."""
    return sum(int(np.count_nonzero(p.changed)) * p.row_bytes for p in parts)
