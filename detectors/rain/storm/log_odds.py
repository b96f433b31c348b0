"""A score, most often in log odds, and the chance that it stands for."""

from collections.abc import Mapping
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


def weighed(intercept: float, weights: Mapping[str, float], seen: Floats) -> Floats:
    """(n, terms) in the order of `weights` -> (n,): intercept + sum of weight x term, term by term, so that a
    judgement is the same whatever stands beside it."""
    total = np.full(len(seen), intercept)
    for k, weight in enumerate(weights.values()):
        total += weight * seen[:, k]
    return total


def chance(odds: Floats) -> Floats:
    """Log odds -> chance, without overflow."""
    out: Floats = 0.5 * (1 + np.tanh(np.clip(odds, -60, 60) / 2))
    return out
