"""How much rain can fall in a time at all, and how much a district's climate has shown.

Over a time between two of the points that are known, the bound is read on a straight line of the
logarithms, as envelopes of extreme rain are drawn; beyond the last point it goes on in proportion.

`WORLD` is the highest ever measured: 31.2 mm in a minute (Unionville, USA, 1956), 305 mm in an hour
(Holt, USA, 1947), 1,144 mm in 12 hours and 1,825 mm in 24 (Foc-Foc, Réunion, 1966); source: WMO World
Weather & Climate Extremes Archive. More than that is no rain. A district's own bounds, by month,
stand in rules.toml (`[[quality.climate]]`); more than those is rain that somebody else must have
seen too.

>>> WORLD.most(60_000), WORLD.most(3_600_000)
(312, 3050)
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import exp, log

from config.records.rules import Climate

_MINUTE = 60_000
_BEIJING = datetime(1970, 1, 1, 8, tzinfo=UTC)  # its clock at the epoch: months are local ones


class Bounds:
    """Points of (minutes, mm), minutes rising."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        self._points = [(log(m), log(mm * 10)) for m, mm in points]
        self._known: dict[int, int] = {}

    def most(self, length_ms: int) -> int:
        """The most that falls in so long, in counts of 0.1 mm; less than a minute counts as one."""
        minutes = max(1, -(-length_ms // _MINUTE))
        if minutes not in self._known:
            self._known[minutes] = self._most(log(minutes))
        return self._known[minutes]

    def _most(self, x: float) -> int:
        (x0, y0), *rest = self._points
        if x <= x0:
            return round(exp(y0))
        for x1, y1 in rest:
            if x <= x1:
                return round(exp(y0 + (y1 - y0) * (x - x0) / (x1 - x0)))
            x0, y0 = x1, y1
        return round(exp(y0 + x - x0))


WORLD = Bounds(((1, 31.2), (60, 305), (720, 1144), (1440, 1825)))


class Seasons:
    """A district's bounds by month; the world's where it declares none."""

    def __init__(self, climate: Sequence[Climate]) -> None:
        self._of = [WORLD] * 12
        for row in climate:
            bounds = Bounds(list(zip(row.minutes, row.most_mm, strict=True)))
            for month in row.months:
                self._of[month - 1] = bounds

    def at(self, at: int) -> Bounds:
        """Of the month in which `at` (ms) lies."""
        return self._of[(_BEIJING + timedelta(milliseconds=at)).month - 1]

    def least(self, length_ms: int) -> int:
        """The lowest bound of the year for so long: below it no month needs to be asked."""
        return min(b.most(length_ms) for b in self._of)
