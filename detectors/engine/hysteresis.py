"""The level machine of many rows at once: up at once, down in two steps. It is one for all rules: of
rain (`detectors.rain.rain_threshold`), of stage (`detectors.water.stage_trend`) and over windows
(`detectors.engine.window_engine`). What differs is their rings, how they come to what a judgement
calls for, and how they reckon without suspect values.

A row's level rises in the judgement in which a higher one is reached. A judgement whose `keep`
(the highest level that is still held, by the clear condition) is below the level arms a hold; if
every judgement for `hold_min` stays below, the level falls to the highest `keep` seen in the hold,
and if the last was lower still the next hold is armed at once.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def either(some: Ints, others: Ints) -> Ints:
    """Indices that are among the ones or the others, in order."""
    if not some.size or not others.size:
        return others if not some.size else some
    return np.array(sorted({*some.tolist(), *others.tolist()}), np.int64)


class Machine:
    """State of `rows` machines: level, the minute the hold was armed (-1: not), highest keep."""

    __slots__ = ("level", "peak", "since")

    def __init__(self, rows: int) -> None:
        self.level = np.zeros(rows, np.int64)
        self.since = np.full(rows, -1, np.int64)
        self.peak = np.zeros(rows, np.int64)

    def judge(self, rows: Ints, minute: Ints, raw: Ints, keep: Ints, hold_min: int) -> Ints:
        """Judge each of `rows` (no row twice) at its own clock.

        raw: level reached now; keep: level not yet cleared (>= raw). Returns the indices into
        `rows` whose level changed; the old level is what the caller read before.
        """
        level = self.level[rows]
        up = raw > level
        down = ~up & (keep < level)
        since = self.since[rows]
        steady = ~down  # rising, or still held: no hold is armed
        since = np.where(steady, -1, since)
        arm = down & (since < 0)
        peak = np.where(arm, keep, np.maximum(self.peak[rows], keep))
        since = np.where(arm, minute, since)
        fall = down & ~arm & (minute - since >= hold_min)
        new = np.where(up, raw, np.where(fall, peak, level))
        again = fall & (keep < new)
        since = np.where(fall, np.where(again, minute, -1), since)
        peak = np.where(again, keep, peak)
        self.level[rows] = new
        self.since[rows] = since
        self.peak[rows] = peak
        changed: Ints = np.nonzero(new != level)[0]
        return changed


class Called(NamedTuple):
    """What judgements call for, an entry each: the level and action reached now, and those not yet
    cleared (>= the former)."""

    raw: Ints
    keep: Ints
    raw_action: Ints
    keep_action: Ints

    def of(self, which: Ints) -> "Called":
        """Some of them."""
        return Called(*(column[which] for column in self))


class Machines:
    """The two scales of `rows`: level and action. They never wait for each other."""

    __slots__ = ("action", "level")

    def __init__(self, rows: int) -> None:
        self.level = Machine(rows)
        self.action = Machine(rows)

    def held(self) -> Bools:
        """(rows,): a level or an action is held."""
        return (self.level.level > 0) | (self.action.level > 0)

    def held_of(self, rows: Ints) -> Bools:
        """The same of these rows."""
        return (self.level.level[rows] > 0) | (self.action.level[rows] > 0)

    def of(self, row: int) -> tuple[int, int]:
        """A row's level and action."""
        return self.level.level.item(row), self.action.level.item(row)

    def unsteady(self, rows: Ints, called: Called, doubtful: Collection[int]) -> Bools:
        """(rows of the rule,): not every judgement leaves the row where it is, or it is doubtful. What
        does, disarms its hold, here and at once for all."""
        level, action = self.level.level[rows], self.action.level[rows]
        moves = (called.raw > level) | (called.keep < level)
        moves |= (called.raw_action > action) | (called.keep_action < action)
        found = np.zeros(self.level.level.size, np.bool_)
        found[rows[moves]] = True
        if doubtful:
            found[list(doubtful)] = True
        calm = rows[~found[rows]]
        self.level.since[calm] = -1
        self.action.since[calm] = -1
        return found

    def judge(
        self, rows: Ints, minute: Ints, called: Called, hold_min: int, *, acting: bool = True
    ) -> Ints:
        """Judge each of `rows` (no row twice) at its own clock, on both scales; acting: whether any
        row has an action at all. Returns the indices into `rows` of which either changed."""
        moved = self.level.judge(rows, minute, called.raw, called.keep, hold_min)
        if not acting:
            return moved
        more = self.action.judge(rows, minute, called.raw_action, called.keep_action, hold_min)
        return either(moved, more)

    def arrays(self, rows: Ints | slice = slice(None)) -> dict[str, Ints]:
        """Every array, for a snapshot; of these rows."""
        return {
            "level": self.level.level[rows],
            "level_since": self.level.since[rows],
            "level_peak": self.level.peak[rows],
            "action": self.action.level[rows],
            "action_since": self.action.since[rows],
            "action_peak": self.action.peak[rows],
        }


def without(held: int, was: int, good: int) -> int:
    """What of a level or action holds without suspect values: what was sure before or is reached by
    good values, and never more than there is. That suspect values leave the window proves nothing of
    what they reached: it stays as unsure until it has ended or they have proved true."""
    return min(held, max(was, good))
