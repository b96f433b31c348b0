"""Rows of a record whose time cannot be right, found from the rows around them.

Sees: a clock that was off for a while (`astray`) and a few rows far from all others (`remote`).
Cannot see: a clock that is off from the first row to the last, or by less than half a day; those
would look like a true record.

>>> day = 86_400_000
>>> at = np.arange(10) * 300_000
>>> at[4] += day
>>> astray(at)
array([4])
"""

from datetime import UTC, datetime

import numpy as np

from detectors.engine.window_rule import Ints

_JUMP_MS = 12 * 3_600_000
_FAR_MS = 180 * 86_400_000


def astray(at: Ints) -> Ints:
    """Runs, in order of the file, that leave a line which goes on without them."""
    cut = np.nonzero(np.abs(np.diff(at)) >= _JUMP_MS)[0] + 1
    if not 0 < cut.size <= max(20, at.size // 100):
        return np.zeros(0, np.int64)  # none, or a file in no order of time
    bounds = [0, *cut.tolist(), at.size]
    last, off = int(at[bounds[1] - 1]), []
    for n in range(1, len(bounds) - 1):
        begin, end = bounds[n], bounds[n + 1]
        joins = 0 < at[begin] - last < _JUMP_MS
        goes_on = end < at.size and 0 < at[end] - last < _JUMP_MS
        if goes_on and not joins:
            off.append(np.arange(begin, end))
        else:
            last = int(at[end - 1])
    return np.concatenate(off) if off else np.zeros(0, np.int64)


def remote(at: Ints) -> Ints:
    """A few rows far before or after all others."""
    few = max(3, at.size // 1000)
    if at.size < 50 * few:
        return np.zeros(0, np.int64)
    order = np.argsort(at, kind="stable")
    gap = np.diff(at[order]) > _FAR_MS
    head = np.nonzero(gap[:few])[0]
    tail = np.nonzero(gap[-few:])[0]
    off = [order[: head[-1] + 1]] if head.size else []
    if tail.size:
        off.append(order[at.size - few + int(tail[0]) :])
    return np.concatenate(off) if off else np.zeros(0, np.int64)


def iso(ms: int) -> str:
    """ms UTC as people read it."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
