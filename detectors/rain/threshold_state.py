"""The memory of the rule rain_threshold: windows, levels, daily totals and what is in doubt."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from detectors.engine.hysteresis import Machines
from detectors.engine.minute_ring import SPAN, Ints, Window
from detectors.engine.snapshot_arrays import EVERY, unpack

DAYS = 32  # of daily totals


class RainState:
    """Memory of every row."""

    __slots__ = (
        "_lasts",
        "changed",
        "days",
        "doubt",
        "first_day",
        "machines",
        "sure",
        "today",
        "wetness",
        "window",
    )

    def __init__(self, rows: int, windows: tuple[int, ...]) -> None:
        self.window = Window(rows, windows)
        self.machines = Machines(rows)
        self.days = np.zeros((rows, DAYS), np.int64)
        self.today = np.full(rows, -1, np.int64)
        self.first_day = np.full(rows, -1, np.int64)
        self.wetness = np.ones(rows, np.int64)
        self.changed = np.ones(rows, np.bool_)  # rows that no snapshot has as they are
        # rows that hold suspect values: minute -> count, and below how many minutes a window must
        # not rest on it; and the level and action without them
        self.doubt: dict[int, dict[int, tuple[int, int]]] = {}
        self.sure: dict[int, tuple[int, int]] = {}
        self._lasts: dict[int, int] = {}  # of a row in doubt: up to which minute all of it is

    def mistrust(self, row: int, minute: int, count: int, reach: int) -> None:
        """This count of a minute is in doubt, for windows shorter than `reach` minutes."""
        if row not in self.doubt:  # what was said so far rests on good values
            self.sure[row] = self.machines.of(row)
        held = self.doubt.setdefault(row, {})
        before, far = held.get(minute, (0, 0))
        held[minute] = (before + count, max(far, reach))
        if (
            row in self._lasts
        ):  # one that reaches farther may end it later, and is looked at once too soon
            self._lasts[row] = min(self._lasts[row], minute + min(SPAN, reach))

    def trust(self, row: int, counts: Mapping[int, int]) -> None:
        """These counts (minute -> count) are no longer in doubt."""
        held = self.doubt.get(row, {})
        for minute, count in counts.items():
            if minute in held:
                left, reach = held.pop(minute)
                if left > count:
                    held[minute] = (left - count, reach)
        self._lasts.pop(row, None)

    def lasting(self, row: int, head: int) -> bool:
        """Is anything of the row in doubt up to `head`? What no longer is, is forgotten."""
        held = self.doubt[row]
        if held and self._lasts.get(row, head) > head:
            return True
        # a doubt that reaches so many minutes concerns no window that still holds its minute
        for minute in [m for m, (_, reach) in held.items() if m + min(SPAN, reach) <= head]:
            del held[minute]
        self._lasts[row] = min((m + min(SPAN, r) for m, (_, r) in held.items()), default=head)
        return bool(held)

    def doubted(self, row: int, head: int) -> Ints:
        """(windows,): what is in doubt of each sum up to `head`."""
        held, many = self.doubt[row], len(self.doubt[row])
        age = head - np.fromiter(held, np.int64, many)[:, None]
        count, reach = np.array(list(held.values()), np.int64).T[:, :, None]
        # what is ahead of `head` is in no sum yet
        inside = (age >= 0) & (age < self.window.windows) & (self.window.windows < reach)
        return np.asarray((count * inside).sum(axis=0))


def doubts_of(held: Mapping[int, Any]) -> dict[int, tuple[int, int]]:
    """As `RainState.doubt` holds them of a row; an older snapshot has counts alone."""
    return {m: (x, SPAN + 1) if isinstance(x, int) else (x[0], x[1]) for m, x in held.items()}


def arrays_of(state: RainState, rows: Ints | slice = EVERY) -> dict[str, npt.NDArray[np.int64]]:
    """Every array of it, for a snapshot; of these rows. The ring as a copy, by minute (`Window.counts`)."""
    return {
        "ring": state.window.counts(rows),  # type: ignore[dict-item]  # int32
        "head": state.window.head[rows],
        **state.machines.arrays(rows),
        "days": state.days[rows],
        "today": state.today[rows],
        "first_day": state.first_day[rows],
        "wetness": state.wetness[rows],
    }


def load(state: RainState, names: Sequence[str], bodies: Sequence[bytes]) -> RainState:
    """A new memory with what was held of rows of these names, the newest last."""
    arrays = arrays_of(state)
    doubt: dict[str, tuple[dict[int, Any], tuple[int, int] | None]] = {}
    for body in bodies:
        packed, doubt = msgspec.msgpack.decode(
            body, type=tuple[bytes, dict[str, tuple[dict[int, Any], tuple[int, int] | None]]]
        )
        unpack(packed, names, arrays)
    state.window.fill(arrays["ring"].astype(np.int32, copy=False))
    for row, name in enumerate(names):
        if name in doubt:
            state.doubt[row] = doubts_of(doubt[name][0])
            state.sure[row] = doubt[name][1] or (0, 0)
    return state
