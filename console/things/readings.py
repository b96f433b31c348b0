"""Observations of history, a piece of time after the other: whoever wants the newest ten reads no year."""

from collections.abc import Iterator

from console.things.model import Stream
from stream.history.port import History, Point

_DAY_MS = 86_400_000
_FIRST_MS = 0  # nothing of history is older than 1970


class Readings:
    """now: ms; nothing lies further ahead than a day."""

    def __init__(self, history: History, now: int) -> None:
        self._history, self._end = history, now + _DAY_MS

    def of(
        self, row: Stream, low: int | None, high: int | None, *, newest: bool
    ) -> Iterator[Point]:
        """Points of a Datastream within both ends (ms), oldest first or newest first."""
        begin = _FIRST_MS if low is None else max(low, _FIRST_MS)
        end = self._end if high is None else min(high + 1, self._end)
        name, quantity = row.station.id, row.quantity.name
        if begin >= end:
            return
        if not newest:
            yield from self._history.series(name, quantity, begin, end)
            return
        size = _DAY_MS
        while end > begin:
            start = max(begin, end - size)
            yield from reversed(self._history.series(name, quantity, start, end))
            end, size = start, size * 2

    def one(self, row: Stream, at: int, seq: int) -> Point | None:
        """The reading of that time and number."""
        found = self._history.series(row.station.id, row.quantity.name, at, at + 1)
        return next((p for p in found if p.seq == seq), None)
