"""How wet the ground is under each gauge, from its own rain of the last days: the equation stands in
`detectors.rain.rain_threshold`. Arrays, a row a gauge; a day's end costs one look at all of them."""

import numpy as np
import numpy.typing as npt

from detectors.engine.minute_ring import Bools, Ints
from detectors.rain.threshold_state import DAYS, RainState

_DAY = 1440  # minutes


class Wetness:
    """decay: a day; days: how many count; wet_above, dry_below: of the index, in counts. Without
    `classes` every ground is normal."""

    def __init__(
        self, decay: float, days: int, wet_above: int, dry_below: int, *, classes: bool
    ) -> None:
        self._days = min(days, DAYS - 1)
        self._decay = decay ** np.arange(1, self._days + 1)
        self._wet_above, self._dry_below = wet_above, dry_below
        self._classes = classes

    def same_day(self, state: RainState, row: int, minute: int) -> bool:
        """Would a dry minute change nothing here?"""
        return not self._classes or minute // _DAY == state.today.item(row)

    def take(self, state: RainState, rows: Ints, minutes: Ints, counts: Ints) -> Bools:
        """One turn of observations into the daily totals; of which of them the class changed."""
        turned = np.zeros(rows.size, np.bool_)
        if not self._classes:
            return turned
        day = minutes // _DAY
        today = state.today[rows]
        wet = counts != 0
        # a turn lies within a day, so only the first of a row can be of another
        other = (day > today) | ((day < today) & wet & (day > today - DAYS))
        other[1:] &= rows[1:] != rows[:-1]
        n = other.nonzero()[0]
        if n.size:
            r, d, old = rows[n], day[n], today[n]
            new = old < 0
            state.first_day[r[new]] = d[new]
            state.today[r] = np.maximum(d, old)
            for back in range(min(DAYS, int((d - old).max()))):
                passed = np.nonzero(d - old > back)[0]
                state.days[r[passed], (d[passed] - back) % DAYS] = 0
        if wet.any():
            wet &= day > state.today[rows] - DAYS
            np.add.at(state.days, (rows[wet], day[wet] % DAYS), counts[wet])
        if n.size:
            was = state.wetness[r]
            state.wetness[r] = self._class(state, r)
            turned[n] = state.wetness[r] != was
        return turned

    def take_back(self, state: RainState, rows: Ints, minutes: Ints, counts: Ints) -> None:
        """What comes late, none of it a day and more behind its row's clock, however much of a row."""
        if not self._classes:
            return
        wet = counts != 0
        r, day = rows[wet], minutes[wet] // _DAY
        np.add.at(state.days, (r, day % DAYS), counts[wet])
        before = np.unique(r[day < state.today[r]])
        if before.size:
            state.wetness[before] = self._class(state, before)

    def index(self, state: RainState, rows: Ints) -> npt.NDArray[np.float64]:
        """Pa of rows now, in counts (0.1 mm)."""
        back = (state.today[rows, None] - np.arange(1, self._days + 1)) % DAYS
        index: npt.NDArray[np.float64] = (state.days[rows[:, None], back] * self._decay).sum(axis=1)
        return index

    def _class(self, state: RainState, rows: Ints) -> Ints:
        index = self.index(state, rows)
        known = state.today[rows] - state.first_day[rows] >= self._days
        dry = known & (index < self._dry_below)
        return np.where(index > self._wet_above, 2, np.where(dry, 0, 1))
