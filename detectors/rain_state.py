"""The memory of the rule rain_threshold: windows, levels, daily totals and what is in doubt."""

import numpy as np
import numpy.typing as npt

from detectors.machine import Machine
from detectors.window import Window

DAYS = 32  # of daily totals


class RainState:
    """Memory of every row."""

    __slots__ = (
        "actions",
        "days",
        "doubt",
        "first_day",
        "levels",
        "sure",
        "today",
        "wetness",
        "window",
    )

    def __init__(self, rows: int, windows: tuple[int, ...]) -> None:
        self.window = Window(rows, windows)
        self.levels = Machine(rows)
        self.actions = Machine(rows)
        self.days = np.zeros((rows, DAYS), np.int64)
        self.today = np.full(rows, -1, np.int64)
        self.first_day = np.full(rows, -1, np.int64)
        self.wetness = np.ones(rows, np.int64)
        # rows that hold suspect values: minute -> count; and the level and action without them
        self.doubt: dict[int, dict[int, int]] = {}
        self.sure: dict[int, tuple[int, int]] = {}


def arrays_of(state: RainState) -> dict[str, npt.NDArray[np.int64]]:
    """Every array of it, for a snapshot; the ring as a copy, by minute (`Window.counts`)."""
    return {
        "ring": state.window.counts(),  # type: ignore[dict-item]  # int32
        "head": state.window.head,
        "level": state.levels.level,
        "level_since": state.levels.since,
        "level_peak": state.levels.peak,
        "action": state.actions.level,
        "action_since": state.actions.since,
        "action_peak": state.actions.peak,
        "days": state.days,
        "today": state.today,
        "first_day": state.first_day,
        "wetness": state.wetness,
    }
