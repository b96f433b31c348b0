"""Live readings go before backfill: of what is history and comes after something newer of its gauge, only
a little is taken from one tick to the next; what is more waits for the ticks to come, where it is judged
together.

What waits is decided by the records alone, reading by reading, so a replay of the log does the same
whatever its batches. No gauge's readings change their order among what is late: while anything waits,
all that comes late waits behind it. What is in order of its gauge never waits, however old: counters
and level courses rest on that.
"""

import numpy as np

from detectors.memory.backfill import Late
from detectors.memory.state import DetectState
from detectors.screening.columns import Columns
from detectors.setup.partition import FRAME, Part

_MINUTE = 60_000


def hold_back(part: Part, state: DetectState, lateness_s: int, c: Columns) -> Columns:
    """The observations without those that wait from here on."""
    old = c.received - c.batch.at > lateness_s * 1000
    if not old.any():
        return c
    # what the rules still judge as live, to the minute, is (`Sifted.old_of`)
    old &= c.received // _MINUTE + -c.batch.at // _MINUTE > lateness_s // 60
    late = old & (c.batch.at < state.heard.before(c.batch)) & (part.kind[c.batch.row] != FRAME)
    which, held = late.nonzero()[0], state.backfill
    taken = 0 if held.many else min(which.size, held.room)
    held.room -= taken
    waits = which[taken:]
    if not waits.size:
        return c
    some = c.some(waits)
    held.put(Late(some.batch, some.received, some.tests))
    keep = np.ones(late.size, np.bool_)
    keep[waits] = False
    return c.some(keep.nonzero()[0])


def let_in(state: DetectState) -> Columns | None:
    """At a tick: what has waited long enough; None where nothing waits."""
    late = state.backfill.next()
    if late is None:
        return None
    nth = np.zeros(late.received.size, np.int64)
    return Columns(nth, late.batch, late.tests, {}, late.received)
