"""What sums of rain call for, before anything is held or lowered; and of which gauges it is sure that they
call for nothing. What comes late of these is laid into their rings at once instead of one after another."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.engine.hysteresis import Called
from detectors.engine.minute_ring import SPAN, Bools, Ints, among
from detectors.rain.threshold_state import RainState

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
