"""What sums of rain call for, before anything is held or lowered; and of which gauges it is sure that they
call for nothing. What comes late of these is laid into their rings at once instead of one after another."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.engine.hysteresis import Called
from detectors.engine.minute_ring import SPAN, Bools, Ints, among
from detectors.rain.threshold_state import RainState
from detectors.rain.wetness import Wetness

_HOUR = 60
_NEVER = 2**31 - 1


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


def calm(
    state: RainState, least: Ints, rows: Ints, minutes: Ints, counts: Ints, doubt: Ints | None
) -> Bools:
    """Of which observations no judgement of their row can change anything: nothing is held or in doubt,
    and all that the row has and is told now, together, is below its lowest threshold `least`. All lie
    within a day of the row's clock, so that what comes late may come in any order."""
    size, window = least.size, state.window
    told = np.zeros(size, np.int64)
    np.add.at(told, rows, np.maximum(counts, 0))
    last, first = window.head.copy(), np.full(size, _NEVER, np.int64)
    np.maximum.at(last, rows, minutes)
    np.minimum.at(first, rows, minutes)
    some = (first < _NEVER).nonzero()[0]
    # a late value is judged at ends of up to an hour before the clock
    fine = window.held(some, SPAN + _HOUR) + told[some] < least[some]
    fine &= (first[some] > last[some] - SPAN) & (window.head[some] >= 0)
    fine &= ~state.machines.held_of(some) & ~among(some, state.doubt)
    found = np.zeros(size, np.bool_)
    found[some] = fine
    found[rows[counts < 0]] = False
    if doubt is not None:
        found[rows[doubt > 0]] = False
    return found[rows]


def history(
    state: RainState,
    lowest: Ints,
    late_min: int,
    rows: Ints,
    minutes: Ints,
    counts: Ints,
    doubt: Ints | None,
    clock: Ints | None,
) -> Bools:
    """Of which observations it is sure that nothing of their row is judged: all that the row is told is
    too late for that, or history by the line's `clock`, none of it moves the row's clock, and what of
    it and of all before still counts by then is below `lowest` (rows, windows)."""
    window, size = state.window, lowest.shape[0]
    head = window.head[rows]
    past = minutes < head - late_min
    now = np.full(size, _NEVER, np.int64)
    if clock is not None:
        past |= (clock - minutes > late_min) & (minutes <= head)
        np.minimum.at(now, rows, np.maximum(clock, head))
    else:
        now[rows] = head
    past &= (head >= 0) & (counts >= 0)
    if doubt is not None:
        past &= doubt == 0
    found = np.zeros(size, np.bool_)
    found[rows] = True
    found[rows[~past]] = False
    some = found.nonzero()[0]
    if not some.size:
        return found[rows]
    wet = (counts > 0) & found[rows]
    r, since = rows[wet], now[rows[wet]] - minutes[wet]
    still = np.zeros_like(lowest)
    still[some] = window.still(some, window.head[some], now[some])
    for w, length in enumerate(window.windows.tolist()):
        mine = since < length
        np.add.at(still[:, w], r[mine], counts[wet][mine])
    found[some] = (still[some] < lowest[some]).all(axis=1)
    return found[rows]


def lay_back(
    state: RainState,
    wetness: Wetness,
    late: Ints,
    rows: Ints,
    minutes: Ints,
    counts: Ints,
    add: Bools | None,
) -> None:
    """Observations `late` into the past of their rows, at once; none is judged."""
    if late.size:
        also = np.zeros(late.size, np.bool_) if add is None else add[late]
        taken = state.window.put_back(rows[late], minutes[late], counts[late], also)
        fell = np.where(taken, counts[late], 0)
        wetness.take_back(state, rows[late], minutes[late], fell)


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
