r"""Water level against thresholds, with the rate of rise and the time to the next threshold.

Sees: a level at or above a threshold; and a rise that will reach the next one soon.

Equation: level = max{k : stage >= T_k}. One step higher when the robust slope b (Theil–Sen: the
median of (y_j - y_i) / (t_j - t_i) over all pairs in the last `window_min`, at least `min_points`
values) is at least `rise` and the next threshold is (T_k - stage) / b <= `ahead` away, and when the
rise is no step: without the largest difference between neighbours a third of it is left. Down when
for `hold_min` the stage stayed `clear_margin` below the threshold and no such rise was there.

Delay it adds: none for thresholds; for the trend, `min_points` reports.
Late values within `late_min` are judged at every window end they touch, and what rises with older ones at the
next tick.
Cannot see: a surge between two reports; water that comes from elsewhere than the river.
Source: Theil 1950, Proc. K. Ned. Akad. Wet. 53; Sen 1968, J. Am. Stat. Assoc. 63:1379–1389.

>>> rule = StageTrend([StageRow("a", "flash_flood", "s", (1000, 1500, None, 2600), ())])
>>> state = rule.new()
>>> change, = rule.judge(state, np.array([0, 0]), np.array([1, 6]), np.array([900, 1520]))
>>> change.nth, change.level, change.value, change.limit
(1, 2, 1520, 1500)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.engine.hysteresis import Called, Machines, either
from detectors.engine.minute_ring import Bools, Ints, rounds
from detectors.engine.owed_ends import Owed
from detectors.engine.snapshot_arrays import EVERY, chosen, pack, unpack
from detectors.engine.thresholds import NO_LIMIT, highest_declared, limits_table, reached
from detectors.engine.window_rows import Change

SLOTS = 512
_MASK = SLOTS - 1
_NONE = -(2**31)


class StageRow(NamedTuple):
    """One area, hazard and gauge; thresholds and rise in counts (mm, mm/h)."""

    area: str
    hazard: str
    station: str
    levels: tuple[int | None, ...]
    actions: tuple[int | None, ...]
    rise_per_h: int = NO_LIMIT
    ahead_min: int = 30


class StageState:
    """Memory of every row."""

    __slots__ = ("changed", "head", "machines", "ring", "sure_action", "sure_level")

    def __init__(self, rows: int) -> None:
        self.ring = np.full((rows, SLOTS), _NONE, np.int32)
        self.head = np.full(rows, -1, np.int64)
        self.machines = Machines(rows)
        self.sure_level = np.zeros(rows, np.int64)
        self.sure_action = np.zeros(rows, np.int64)
        self.changed = np.ones(rows, np.bool_)  # rows that no snapshot has as they are


class StageTrend:
    """The rule for many rows."""

    def __init__(
        self,
        rows: Sequence[StageRow],
        *,
        hold_min: int = 60,
        clear_margin: int = 200,
        window_min: int = 30,
        min_points: int = 5,
        late_min: int = 30,
    ) -> None:
        assert window_min < SLOTS
        self.rows = list(rows)
        self.names = [f"{r.area}|{r.hazard}|{r.station}" for r in rows]
        self._hold_min, self._margin, self._late_min = hold_min, clear_margin, late_min
        self._window_min, self._min_points = window_min, min_points
        self._levels = limits_table([r.levels for r in rows], 4)
        self._actions = limits_table([r.actions for r in rows], 2)
        self._lowest = np.minimum(self._levels.min(axis=1), self._actions.min(axis=1))
        self._rise = np.array([r.rise_per_h for r in rows], np.float64)
        self._ahead = np.array([max(r.ahead_min, 1e-9) for r in rows], np.float64)
        self._back = np.arange(-window_min + 1, 1)
        self._pairs = np.triu_indices(window_min, 1)

    def new(self) -> StageState:
        return StageState(len(self.rows))

    def forget(self, state: StageState, rows: Ints) -> None:
        """Compare what comes with nothing of before; levels stand."""
        state.ring[rows] = _NONE
        state.changed[rows] = True

    def judge(
        self,
        state: StageState,
        rows: Ints,
        minutes: Ints,
        counts: Ints,
        suspect: Bools | None = None,
        old: Bools | None = None,
    ) -> list[Change]:
        """As RainThreshold.judge; counts are mm of stage. old: a level that is over, kept and not
        judged. The same minute again replaces the value (a revision). A suspect value raises, but
        not surely; the next that is not suspect makes what it says sure."""
        out: list[Change] = []
        state.changed[rows] = True
        doubt = np.zeros(rows.size, np.bool_) if suspect is None else suspect
        over = np.zeros(rows.size, np.bool_) if old is None else old
        for part in self._judged(state, rows, minutes, counts):
            args = (rows[part], minutes[part], counts[part], doubt[part], over[part])
            self._round(state, part, *args, out)
        out.sort(key=lambda c: (c.nth, c.row))
        return out

    def _judged(self, state: StageState, rows: Ints, minutes: Ints, counts: Ints) -> list[Ints]:
        """`rounds` of what may be judged. Of rows of which everything is too late for that it is kept
        here, at once; of a minute that comes twice the last."""
        if rows.size == 1:
            return rounds(rows)
        far = minutes < state.head[rows] - self._late_min
        if not far.any():
            return rounds(rows)
        some = np.zeros(len(self.rows), np.bool_)
        some[rows[~far]] = True
        late = (~some[rows] & (minutes > state.head[rows] - SLOTS)).nonzero()[0]
        state.ring[rows[late], minutes[late] & _MASK] = counts[late]
        rest = some[rows].nonzero()[0]
        return [rest[part] for part in rounds(rows[rest])]

    def calm(self, state: StageState, rows: Ints, minute: int, count: int) -> bool:
        """Does a level of one gauge, ahead of the clock that these rows share, call for nothing, whatever its
        slope? No rise of the window is steeper than its highest less its lowest."""
        heads = state.head[rows]
        head = int(heads[0])
        if not 0 <= head < minute < head + SLOTS or (heads != head).any():
            return False
        if state.machines.held_of(rows).any() or (count + self._margin >= self._lowest[rows]).any():
            return False
        low = high = count
        back = minute - head  # nothing was heard in between
        if back < self._window_min:
            held = state.ring[rows[:, None], (head + self._back[back:]) & _MASK]
            low = min(low, int(np.where(held == _NONE, count, held).min()))
            high = max(high, int(held.max()))
        limits = self._levels[rows]
        above = np.where(limits > count, limits, NO_LIMIT).min(axis=1)
        least = np.maximum(self._rise[rows] / 60, (above - count) / self._ahead[rows])
        return bool((high - low < least * 0.999).all())

    def put_calm(self, state: StageState, rows: Ints, minute: int, count: int) -> None:
        """As `judge`, of one that is so."""
        between = np.arange(int(state.head[rows[0]]) + 1, minute)
        state.ring[rows[:, None], between & _MASK] = _NONE
        state.ring[rows, minute & _MASK] = count
        state.head[rows] = minute
        state.changed[rows] = True

    def _put(self, state: StageState, rows: Ints, minutes: Ints, counts: Ints) -> Ints:
        """Into the rings; returns which rows took the value."""
        head = state.head[rows]
        ahead = np.where(head < 0, 0, minutes - head)  # a new row is empty already
        moving, step = (ahead > 0).nonzero()[0], 1
        while moving.size and step < SLOTS:  # empty what lies between
            state.ring[rows[moving], (head[moving] + step) & _MASK] = _NONE
            step += 1
            moving = moving[ahead[moving] >= step]
        state.head[rows] = np.maximum(head, minutes)
        taken: Ints = (minutes > state.head[rows] - SLOTS).nonzero()[0]
        state.ring[rows[taken], minutes[taken] & _MASK] = counts[taken]
        return taken

    def _round(
        self,
        state: StageState,
        part: Ints,
        rows: Ints,
        minutes: Ints,
        counts: Ints,
        doubt: Bools,
        over: Bools,
        out: list[Change],
    ) -> None:
        which = self._put(state, rows, minutes, counts)
        which = which[~over[which]]
        which = which[state.head[rows[which]] - minutes[which] <= self._late_min]
        if which.size == 0:
            return
        r, h = rows[which], state.head[rows[which]]
        newest = state.ring[r, h & _MASK].astype(np.int64)
        # a late value may itself have reached what the newest no longer does
        value = np.maximum(newest, counts[which])
        rising = self._rising(state, r, h)
        for n in (minutes[which] < h).nonzero()[0]:  # it may complete a rise that ended since
            rising[n] = max(rising[n], self._rise_since(state, int(r[n]), minutes[which][n], h[n]))
        # where nothing is held or called for, a judgement would change nothing
        live = (rising > 0) | (value + self._margin >= self._lowest[r]) | state.machines.held_of(r)
        if not live.all():
            which, r, h, value, rising = which[live], r[live], h[live], value[live], rising[live]
        if which.size == 0:
            return
        raw = np.maximum(reached(value, self._levels[r]), rising)
        keep = np.maximum(raw, reached(value + self._margin, self._levels[r]))
        raw_action = reached(value, self._actions[r])
        keep_action = reached(value + self._margin, self._actions[r])
        called = Called(raw, keep, raw_action, keep_action)
        moved = state.machines.judge(r, h, called, self._hold_min)
        moved = either(moved, self._sure(state, r, doubt[which], raw, raw_action))
        self._tell(state, part[which], r, value, rising, moved, out)

    def judge_back(self, state: StageState, owed: Owed) -> list[Change]:
        """Judge rows again at every level from minute `first` on whose window holds what came late: it may
        have completed a rise there."""
        out: list[Change] = []
        r, head = owed.row, state.head[owed.row]
        first = np.maximum(owed.first, head - SLOTS + self._window_min)
        last = np.minimum(head, owed.newest + self._window_min - 1)
        rising = np.zeros(r.size, np.int64)
        for n in ((head >= 0) & (first <= last)).nonzero()[0].tolist():
            ends = np.arange(first[n], last[n] + 1)
            if (ends := ends[state.ring[r[n], ends & _MASK] != _NONE]).size:
                rising[n] = self._rising(state, np.full(ends.size, r[n]), ends).max()
        up = (rising > state.machines.level.level[r]).nonzero()[0]
        if not up.size:
            return out
        r, rising, none = r[up], rising[up], np.zeros(up.size, np.int64)
        state.changed[r] = True
        called = Called(rising, none + 4, none, none + 2)  # it lowers nothing
        moved = state.machines.judge(r, head[up], called, self._hold_min)
        moved = either(moved, self._sure(state, r, none != 0, rising, none))
        value = state.ring[r, head[up] & _MASK].astype(np.int64)
        self._tell(state, none, r, value, rising, moved, out)
        return out

    def _tell(
        self,
        state: StageState,
        nth: Ints,
        rows: Ints,
        value: Ints,
        rising: Ints,
        moved: Ints,
        out: list[Change],
    ) -> None:
        """What of these judgements, an entry each, `moved` a level."""
        waits = self._outlooks(state, rows[moved])[1].tolist() if moved.size else []
        for n, wait in zip(moved.tolist(), waits, strict=True):
            row = int(rows[n])
            limit = np.where(self._levels[row] <= value[n], self._levels[row], 0).max()
            out.append(
                Change(
                    int(nth[n]),
                    row,
                    int(state.head[row]),
                    *state.machines.of(row),
                    int(state.sure_level[row]),
                    int(state.sure_action[row]),
                    self._window_min if rising[n] else 0,
                    int(value[n]),
                    int(limit),
                    round(wait, 1),
                )
            )

    def _sure(
        self, state: StageState, rows: Ints, doubt: Bools, raw: Ints, raw_action: Ints
    ) -> Ints:
        """What holds without suspect values; returns which rows changed in it. A good value makes
        sure what it reaches itself, not what an earlier suspect one left behind."""
        level, action = state.machines.level.level[rows], state.machines.action.level[rows]
        was_level, was_action = state.sure_level[rows], state.sure_action[rows]
        good = np.where(doubt, 0, 1)
        now_level = np.minimum(level, np.maximum(was_level, raw * good))
        now_action = np.minimum(action, np.maximum(was_action, raw_action * good))
        state.sure_level[rows], state.sure_action[rows] = now_level, now_action
        changed: Ints = ((now_level != was_level) | (now_action != was_action)).nonzero()[0]
        return changed

    def _rising(self, state: StageState, rows: Ints, ends: Ints) -> Ints:
        """The level that the rise up to `ends` (minutes with a value) calls for; 0 for none."""
        value = state.ring[rows, ends & _MASK].astype(np.int64)
        limits = self._levels[rows]
        above = np.where(limits > value[:, None], limits, NO_LIMIT).min(axis=1)
        least = np.maximum(self._rise[rows] / 60, (above - value) / self._ahead[rows])
        level: Ints = np.zeros(rows.size, np.int64)
        # the median of the slopes is reached by one of them, thus by the range of the values
        near = np.nonzero(self._range(state, rows, ends) >= least * 0.999)[0]
        if near.size == 0:
            return level
        r = rows[near]
        slope, points = self._slope(state, r, ends[near])
        wait = self.wait_min(r, value[near], slope, points)
        soon = (slope * 60 >= self._rise[r]) & (wait <= self._ahead[r])
        next_ = np.minimum(reached(value[near], limits[near]) + 1, 4)
        for n in np.nonzero(soon)[0].tolist():
            soon[n] = self._grows(state, int(r[n]), int(ends[near[n]]))
        level[near] = np.where(soon, np.minimum(next_, highest_declared(limits[near])), 0)
        return level

    def _grows(self, state: StageState, row: int, end: int) -> bool:
        """Is the rise of the window more than one step? A sensor that was moved makes a slope too."""
        values = state.ring[row, (end + self._back) & _MASK].astype(np.int64)
        steps = np.diff(values[values != _NONE])
        rise = int(steps.sum())
        return bool(3 * (rise - int(steps.max())) >= rise)

    def _rise_since(self, state: StageState, row: int, minute: int, head: int) -> int:
        """The same over every earlier end whose window holds the late value of `minute`."""
        first = max(minute, head - SLOTS + self._window_min)
        ends = np.arange(first, min(head, minute + self._window_min))
        ends = ends[state.ring[row, ends & _MASK] != _NONE]
        if ends.size == 0:
            return 0
        return int(self._rising(state, np.full(ends.size, row), ends).max())

    def _range(self, state: StageState, rows: Ints, ends: Ints) -> Ints:
        """Highest less lowest value of the window."""
        values = state.ring[rows[:, None], (ends[:, None] + self._back) & _MASK]
        low = np.where(values == _NONE, 2**31 - 1, values).min(axis=1)
        span: Ints = values.max(axis=1).astype(np.int64) - low
        return span

    def _slope(
        self, state: StageState, rows: Ints, ends: Ints
    ) -> tuple[npt.NDArray[np.float64], Ints]:
        """Theil–Sen slope in counts a minute and the number of points, a row each."""
        values = state.ring[rows[:, None], (ends[:, None] + self._back) & _MASK]
        filled = values != _NONE
        points: Ints = filled.sum(axis=1)
        slope = np.zeros(rows.size)
        enough = np.nonzero(points >= max(self._min_points, 2))[0]
        if enough.size == 0:
            return slope, points
        y = np.where(filled[enough], values[enough], np.nan)
        i, j = self._pairs
        known = filled[enough].any(axis=0)
        some = known[i] & known[j]
        i, j = i[some], j[some]
        slopes = np.sort((y[:, j] - y[:, i]) / (j - i), axis=1)  # what is missing stands last
        many = points[enough] * (points[enough] - 1) // 2
        every = np.arange(enough.size)
        slope[enough] = (slopes[every, (many - 1) // 2] + slopes[every, many // 2]) / 2
        return slope, points

    def wait_min(
        self, rows: Ints, value: Ints, slope: npt.NDArray[np.float64], points: Ints
    ) -> npt.NDArray[np.float64]:
        """Minutes until the next threshold at this slope; infinite if it is not rising."""
        limits = self._levels[rows]
        above = np.where(limits > value[:, None], limits, NO_LIMIT).min(axis=1)
        rising = (slope > 0) & (points >= self._min_points) & (above < NO_LIMIT)
        wait = np.full(rows.size, np.inf)
        wait[rising] = (above - value)[rising] / slope[rising]
        return wait

    def outlook(self, state: StageState, row: int) -> tuple[float, float]:
        """(slope in counts a minute, minutes to the next threshold) of a row now."""
        slope, wait = self._outlooks(state, np.array([row]))
        return float(slope[0]), float(wait[0])

    def _outlooks(
        self, state: StageState, rows: Ints
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """`outlook` of rows."""
        head = state.head[rows]
        slope, points = self._slope(state, rows, head)
        newest = state.ring[rows, head & _MASK].astype(np.int64)
        return slope, self.wait_min(rows, newest, slope, points)

    def dump(self, state: StageState, rows: Ints | slice = EVERY) -> bytes:
        return pack(chosen(self.names, rows), _arrays(state, rows))

    def load(self, *bodies: bytes) -> StageState:
        state = self.new()
        for body in bodies:
            unpack(body, self.names, _arrays(state))
        return state


def _arrays(state: StageState, rows: Ints | slice = EVERY) -> dict[str, npt.NDArray[np.int64]]:
    return {
        "ring": state.ring[rows],  # type: ignore[dict-item]  # int32
        "head": state.head[rows],
        **state.machines.arrays(rows),
        "sure_level": state.sure_level[rows],
        "sure_action": state.sure_action[rows],
    }
