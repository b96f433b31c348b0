"""What sums of rain call for, before anything is held or lowered; and of which gauges it is sure that they
call for nothing. What comes late of these is laid into their rings at once instead of one after another."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.engine.hysteresis import Called
from detectors.engine.minute_ring import KEPT, Bools, Ints, among, begins
from detectors.rain.limit_table import NEVER
from detectors.rain.threshold_state import RainState
from detectors.rain.wetness import Wetness


class Judged(NamedTuple):
    """Judgements of one turn, an entry each: what the sums at `head` call for. news: made even when
    nothing is held."""

    nth: Ints
    row: Ints
    head: Ints
    news: Bools
    sums: Ints
    raw: Ints
    keep: Ints
    raw_action: Ints
    keep_action: Ints

    @property
    def called(self) -> Called:
        """What they call for."""
        return Called(self.raw, self.keep, self.raw_action, self.keep_action)

    def beside(self, other: "Judged") -> "Judged":
        """Both, in order of arrival."""
        order = np.argsort(np.concatenate((self.nth, other.nth)), kind="stable")
        both = (np.concatenate(pair)[order] for pair in zip(self, other, strict=True))
        return Judged(*both)

    def where(self, which: Bools) -> "Judged":
        """Some of them."""
        return Judged(*(column[which] for column in self))  # type: ignore[arg-type]


class Arrived(NamedTuple):
    """Observations in order of arrival, an entry each, as `RainThreshold.judge` takes them. reach: below how
    many minutes a window must not rest on it."""

    row: Ints
    minute: Ints
    counts: Ints
    add: Bools | None
    reach: Ints | None
    clock: Ints | None

    def some(self, which: Ints) -> "Arrived":
        """These of them."""
        return Arrived(*(None if x is None else x[which] for x in self))  # type: ignore[arg-type]


def calm(state: RainState, least: Ints, told: Arrived) -> Bools:
    """Of which observations no judgement of their row can change anything: nothing is held or in doubt,
    and all that the row has and is told now, together, is below its lowest threshold `least`. All lie
    within a day of the row's clock, so that what comes late may come in any order."""
    size, window = least.size, state.window
    sums = np.zeros(size, np.int64)
    np.add.at(sums, told.row, np.maximum(told.counts, 0))
    last, first = window.head.copy(), np.full(size, NEVER, np.int64)
    np.maximum.at(last, told.row, told.minute)
    np.minimum.at(first, told.row, told.minute)
    some = (first < NEVER).nonzero()[0]
    # a late value is judged at ends of up to so long before the clock
    fine = window.held(some, KEPT) + sums[some] < least[some]
    fine &= (first[some] > last[some] - KEPT) & (window.head[some] >= 0)
    fine &= ~state.machines.held_of(some) & ~among(some, state.doubt)
    found = np.zeros(size, np.bool_)
    found[some] = fine
    found[told.row[told.counts < 0]] = False
    if told.reach is not None:
        found[told.row[told.reach > 0]] = False
    return found[told.row]


def news_of(state: RainState, late_min: int, told: Arrived) -> Bools:
    """Which may be judged in their own time: a guess, by the clocks that they leave their rows."""
    head = state.window.head.copy()
    np.maximum.at(head, told.row, told.minute)
    found: Bools = told.minute >= head[told.row] - late_min
    return found if told.clock is None else found & (told.clock - told.minute <= late_min)


def to_rise(state: RainState, limits: Ints, rows: Ints) -> Ints:
    """(rows, windows): what sums must stay below to raise nothing above what each row holds, however wet
    the ground. limits: (classes, all rows, windows, levels and actions)."""
    level, action = state.machines.level.level[rows], state.machines.action.level[rows]
    reached = np.arange(4) < level[:, None], np.arange(2) < action[:, None]
    above = np.where(np.concatenate(reached, axis=1)[:, None], NEVER, limits[:, rows])
    found: Ints = above.min(axis=-1).min(axis=0)
    return found


def history(
    state: RainState, lowest: Ints, limits: Ints, late_min: int, told: Arrived
) -> tuple[Bools, Ints]:
    """Of which observations it is sure that nothing of their row is judged: all that the row is told is
    too late for that, or history by the line's clock, none of it moves the row's clock, and what of it
    and of all before still counts by then is below `lowest` (rows, windows) or raises nothing
    (`to_rise`). And which may be the first of their row that raises something: all before are sure."""
    window, size, rows, minutes = state.window, lowest.shape[0], told.row, told.minute
    head = window.head[rows]
    past = minutes < head - late_min
    now = np.full(size, NEVER, np.int64)
    if told.clock is not None:
        past |= (told.clock - minutes > late_min) & (minutes <= head)
        np.minimum.at(now, rows, np.maximum(told.clock, head))
    else:
        now[rows] = head
    past &= (head >= 0) & (told.counts >= 0)
    if told.reach is not None:
        past &= told.reach == 0
    found = np.zeros(size, np.bool_)
    found[rows] = True
    found[rows[~past]] = False
    some = found.nonzero()[0]
    if not some.size:
        return found[rows], some
    wet = (told.counts > 0) & found[rows]
    r, since, counts = rows[wet], now[rows[wet]] - minutes[wet], told.counts[wet]
    still = np.zeros_like(lowest)
    fell = window.still(some, window.head[some], now[some])
    still[some] = fell
    for w, length in enumerate(window.windows.tolist()):
        mine = since < length
        np.add.at(still[:, w], r[mine], counts[mine])
    over: Ints = np.nonzero((still[some] >= lowest[some]).any(axis=1))[0]
    rise = to_rise(state, limits, some[over]) if over.size else lowest[:0]
    up = (still[some[over]] >= rise).any(axis=1)
    if not up.any():
        return found[rows], over[:0]
    over, rise = over[up], rise[up]
    of = np.full(size, -1, np.int64)
    of[some[over]] = np.arange(over.size)
    which = (of[rows] >= 0).nonzero()[0]
    which = which[of[rows[which]].argsort(kind="stable")]
    first = _crossing(
        of[rows[which]],
        now[rows[which]] - minutes[which],
        told.counts[which],
        window.windows,
        rise - fell[over],
    )
    first = which[first[first < which.size]]
    at = np.full(size, rows.size)
    at[rows[first]] = first
    sure = found[rows]
    sure &= np.arange(rows.size) < at[rows]
    return sure, first


def _crossing(of: Ints, since: Ints, count: Ints, windows: Ints, room: Ints) -> Ints:
    """The first entry of each row (`of`, together and in order) by which what fell so many minutes ago fills
    some window's room (rows, windows); as many as there are where none does, for dry ones raise nothing."""
    begin = begins(of)
    total = np.where(since[:, None] < windows, count[:, None], 0).cumsum(axis=0)
    before = np.where(begin > 0, begin - 1, 0)
    base = np.where((begin > 0)[:, None], total[before], 0)
    full = ((total - base[of]) >= room[of]).any(axis=1) & (count > 0)
    place = np.where(full, np.arange(of.size), of.size)
    found: Ints = np.minimum.reduceat(place, begin)
    return found


def lay_back(state: RainState, wetness: Wetness, late: Ints, told: Arrived) -> None:
    """Observations `late` into the past of their rows, at once; none is judged."""
    if late.size:
        also = np.zeros(late.size, np.bool_) if told.add is None else told.add[late]
        rows, minutes, counts = told.row[late], told.minute[late], told.counts[late]
        taken = state.window.put_back(rows, minutes, counts, also)
        wetness.take_back(state, rows, minutes, np.where(taken, counts, 0))


def set_apart(
    parts: Sequence[tuple[Ints, Bools]], calm: Bools
) -> tuple[list[tuple[Ints, Bools]], Ints]:
    """Turns (`detectors.engine.minute_ring.turns`) without what comes late of calm rows; and that."""
    left, late = [], []
    for part, behind in parts:
        aside = behind & calm[part]
        late.append(part[aside])
        if not aside.all():
            left.append((part[~aside], behind[~aside]))
    return left, np.sort(np.concatenate(late))
