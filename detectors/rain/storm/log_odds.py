"""A score in log odds, and the chance that it stands for."""

from typing import NamedTuple

import numpy as np

from detectors.engine.window_rule import Floats


class LogOddsLine(NamedTuple):
    """score = intercept + x @ weight, in log odds."""

    intercept: float
    weight: Floats

    def score(self, x: Floats) -> Floats:
        out: Floats = self.intercept + x @ self.weight
        return out


def chance(odds: Floats) -> Floats:
    """Log odds -> chance, without overflow."""
    out: Floats = 0.5 * (1 + np.tanh(np.clip(odds, -60, 60) / 2))
    return out
