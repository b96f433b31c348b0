"""The level machine of many rows at once: up at once, down in two steps.

A row's level rises in the judgement in which a higher one is reached. A judgement whose `keep`
(the highest level that is still held, by the clear condition) is below the level arms a hold; if
every judgement for `hold_min` stays below, the level falls to the highest `keep` seen in the hold,
and if the last was lower still the next hold is armed at once.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


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
