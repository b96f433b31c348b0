"""The thresholds of a window rule: which level and action a value reaches, and which it still holds.

Up at the threshold; a level is held until the value is `clear` of its threshold. Of a falling rule
a smaller value is worse.

>>> limits = Limits((3.0, 6.0, None, 12.0, 5.0, None), 0.5)
>>> [x.tolist() for x in limits.reached(np.array([2.0, 6.0, np.nan]))]
[[0, 2, 0], [0, 1, 0]]
>>> limits.wait_min(4.0, 2.0, 1)  # from 4 to 6 at 2 an hour
60.0
"""

from collections.abc import Sequence

import numpy as np

from detectors.engine.window_rule import Floats, Ints

NO_LIMIT = 2**31 - 1  # counts that nothing reaches
_FEW = 64
_UP_FROM_1 = np.arange(1, 9)


def highest(values: Ints, limits: Ints) -> Ints:
    """(k, windows) values, (k, windows, levels) limits -> (k,): the highest level that is reached in
    any window, 0 for none. In counts, so nothing is a hair off."""
    if values.shape[0] <= _FEW:  # a loop over windows costs more than it saves of memory
        every = (values[:, :, None] >= limits).any(axis=1)
        most: Ints = np.where(every, _UP_FROM_1[: every.shape[1]], 0).max(axis=1)
        return most
    hit = np.zeros((values.shape[0], limits.shape[2]), np.bool_)
    for w in range(values.shape[1]):
        hit |= values[:, w, None] >= limits[:, w]
    found = np.zeros(values.shape[0], np.int64)
    for level in range(hit.shape[1]):
        found[hit[:, level]] = level + 1
    return found


def limits_table(table: Sequence[tuple[int | None, ...]], width: int) -> Ints:
    """(rows, width): counts, `NO_LIMIT` where none is declared."""
    limits = np.full((len(table), width), NO_LIMIT, np.int64)
    for n, row in enumerate(table):
        for k, value in enumerate(row):
            limits[n, k] = NO_LIMIT if value is None else value
    return limits


def reached(values: Ints, limits: Ints) -> Ints:
    """(k,) values, (k, levels) limits -> (k,): the highest level reached."""
    return highest(values[:, None], limits[:, None])


def highest_declared(limits: Ints) -> Ints:
    """(k, levels) limits -> (k,): the highest level that a row declares at all."""
    found: Ints = ((limits < NO_LIMIT) * np.arange(1, limits.shape[1] + 1)).max(axis=1)
    return found


_HAIR = 1e-9  # a sum of tenths is a hair off; thirty is thirty


class Limits:
    """blue … red, prepare, move; None where none is set. clear: 0 … 1."""

    def __init__(
        self, values: tuple[float | None, ...], clear: float, *, falling: bool = False
    ) -> None:
        self.values = values
        self._sign = -1.0 if falling else 1.0
        self._limits = np.array([np.inf if v is None else self._sign * v for v in values])
        # easier to hold than to reach; below zero a part of the threshold would be harder
        size = np.where(np.isfinite(self._limits), np.abs(self._limits), 0)
        self._hair = _HAIR * np.maximum(1, size)
        # (which, limit) of those that are set: to be reached, and to be held
        self._ups, self._keeps = (
            [(n, x) for n, x in enumerate((some - self._hair).tolist()) if x < np.inf]
            for some in (self._limits, self._limits - size * (1 - clear))
        )

    def reached(self, value: Floats, *, keep: bool = False) -> tuple[Ints, Ints]:
        """Highest level and action whose threshold a value reaches; 0 for none, and for NaN."""
        signed = self._sign * value
        levels = np.zeros(value.shape, np.int64)
        actions = np.zeros(value.shape, np.int64)
        for n, limit in self._keeps if keep else self._ups:
            (levels if n < 4 else actions)[signed >= limit] = n % 4 + 1
        return levels, actions

    def lowest(self) -> float:
        """What stays below this reaches nothing; infinite where nothing can be reached."""
        return float((self._limits - self._hair).min())

    def limit(self, value: float) -> float | None:
        """The worst threshold that the value reaches."""
        reached = self._limits[self._limits <= self._sign * value + _HAIR * max(1, abs(value))]
        return float(self._sign * reached.max()) if reached.size else None

    def wait_min(self, value: float, per_h: float, level: int) -> float:
        """Minutes until the next level at the present rate; infinite if never or unknown."""
        ahead = self._limits[level:4] - self._sign * value
        rate = self._sign * per_h
        ahead = ahead[np.isfinite(ahead) & (ahead > 0)]
        if not ahead.size or not rate > 0:
            return float("inf")
        return round(float(ahead.min()) / rate * 60, 1)
