"""The slope of a series of measurements and how sure it is. Pure."""

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from scipy.special import stdtrit


class Slope(NamedTuple):
    """Per hour, with its 95 % interval."""

    per_h: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """flat: the interval holds zero; else it grows or shrinks."""
        return "grows" if self.low > 0 else "shrinks" if self.high < 0 else "flat"


def slope(hours: Sequence[float], values: Sequence[float]) -> Slope:
    """By least squares. What follows on one another is alike: the interval counts so many measurements as
    if they were independent, n (1 - r) / (1 + r), where r is the autocorrelation of the residuals at one
    step (Bayley and Hammersley, 1946). It takes three measurements at least."""
    n = len(hours)
    if n < 3:
        raise ValueError("a slope takes three measurements")
    found = statistics.linear_regression(hours, values)
    rest = [y - found.slope * x - found.intercept for x, y in zip(hours, values, strict=True)]
    square = sum(r * r for r in rest)
    spread = sum((x - statistics.fmean(hours)) ** 2 for x in hours)
    if square < 1e-9:
        return Slope(found.slope, found.slope, found.slope)
    r = sum(a * b for a, b in pairwise(rest)) / square
    r = min(max(r, 0.0), 0.99)
    alone = max(n * (1 - r) / (1 + r), 3.0)
    error = math.sqrt(square / (alone - 2) / spread * n / alone) if alone > 2 else math.inf
    half = float(stdtrit(alone - 2, 0.975)) * error  # of Student's distribution
    return Slope(found.slope, found.slope - half, found.slope + half)
