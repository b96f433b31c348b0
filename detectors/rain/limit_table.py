"""The rows of the rule, and each one's thresholds of rain as one table, by the ground's wetness, window, and
level or action."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from detectors.engine.minute_ring import Ints

CLASSES = ("dry", "normal", "wet")
NEVER = 2**31 - 1  # counts that no sum reaches

Limits = tuple[tuple[int | None, ...], tuple[int | None, ...]]  # levels, actions; in counts


class RainRow(NamedTuple):
    """One area, hazard and gauge, with its thresholds: wetness -> window (min) -> Limits."""

    area: str
    hazard: str
    station: str
    limits: Mapping[str, Mapping[int, Limits]]
    interval_min: int = 1  # of the gauge: shorter windows say nothing


def table_of(
    limits: Mapping[str, Mapping[int, Limits]], interval_min: int, windows: tuple[int, ...]
) -> Ints:
    """(classes, windows, 6): the thresholds of levels and actions of a row, in windows that are no shorter
    than its gauge's interval."""
    found = np.full((len(CLASSES), len(windows), 6), NEVER, np.int64)
    for c, name in enumerate(CLASSES):
        table = limits.get(name) or limits["normal"]
        for window, (levels, actions) in table.items():
            if window >= interval_min:
                w = windows.index(window)
                for k, value in (*enumerate(levels), *enumerate(actions, 4)):
                    found[c, w, k] = NEVER if value is None else value
    return found
