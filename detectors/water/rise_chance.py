r"""The distribution of how much higher a level may still rise, and what its past errors teach.

A rise r within a horizon is told against the rise d that was expected, on a scale of ratios:

    z = ln((r + f) / (d + f)),    P(rise ≥ c) = ceiling / (1 + exp((ln((c + f) / (d + f)) - bias) / spread))

so that errors grow with what is expected (a logistic distribution of z; f is the least rise that is told
apart, and keeps a level at rest from being sure of anything). The chance falls as c grows, and is 1 only
of what has been measured. bias and spread are learned: the errors z of the past, each counted a = m / (m + f)
with m the greater of r and d (a level at rest teaches nothing) times exp(-x^2 / 2) with x = ln((d + f) /
(d_now + f)) (of a forecast like the present one, most), as many as their counts divided by the slots of the
horizon (errors that overlap are one), against a prior that counts as `prior_n` errors. A spread is never
below half of the prior's: a calm day makes nobody sure.

>>> told = Errors(np.zeros(1), np.full(1, 0.5))
>>> [round(float(chance(np.full(1, c), np.full(1, 0.3), told, 0.02, 1.0)[0]), 2) for c in (0.1, 0.3, 0.9)]
[0.88, 0.5, 0.11]
"""

from math import pi
from typing import NamedTuple

import numpy as np

from detectors.engine.window_rule import Floats

_LEAST = 0.5  # of the prior's spread
_LARGEST = 700.0  # of an exponent


class Errors(NamedTuple):
    """(n,) bias and spread of z."""

    bias: Floats
    spread: Floats


class Sums(NamedTuple):
    """(n,) of past errors: how many they count, their sum and the sum of their squares."""

    many: Floats
    total: Floats
    square: Floats


class Prior(NamedTuple):
    """What is known before any error was seen; many: as of so many errors."""

    bias: float
    spread: float
    many: float

    @property
    def variance(self) -> float:
        """Of a logistic distribution with this spread."""
        return self.spread**2 * pi**2 / 3


def chance(climb: Floats, expected: Floats, errors: Errors, least: float, ceiling: float) -> Floats:
    """(n,) that the level rises by `climb` or more; 1 where it stands there already, NaN of no forecast."""
    far = np.log((np.maximum(climb, 0) + least) / (expected + least))
    odds = np.clip((far - errors.bias) / errors.spread, -_LARGEST, _LARGEST)
    found: Floats = np.where(climb <= 0, 1.0, ceiling / (1 + np.exp(odds)))
    return found


def median(expected: Floats, errors: Errors, least: float) -> Floats:
    """(n,) the rise that is as likely passed as not."""
    found: Floats = np.maximum((expected + least) * np.exp(errors.bias) - least, 0)
    return found


def ratio(came: Floats, expected: Floats, least: float) -> tuple[Floats, Floats]:
    """z of each slot and how much it counts; both 0 where either is not known."""
    known = ~(np.isnan(came) | np.isnan(expected))
    r, d = np.where(known, came, 0.0), np.where(known, expected, 0.0)
    most = np.maximum(r, d)
    return np.log((r + least) / (d + least)), np.where(known, most / (most + least), 0.0)


def alike(expected: Floats, least: float) -> Floats:
    """(n, W) how much each slot's forecast is like the newest, 0 … 1; 0 where there was none."""
    with np.errstate(invalid="ignore"):
        away = np.log((expected + least) / (expected[:, -1:] + least))
    found: Floats = np.nan_to_num(np.exp(-away * away / 2))
    return found


def sobered(came: Floats, said: Floats, slots: int, least: float, many: float) -> Floats:
    """(n, W) forecasts of one way of knowing, less what it has exaggerated: times the exponential of its
    mean z where it said something (counted said / (said + f)), against `many` errors of nothing; never more
    than it said."""
    z, _ = ratio(came, said, least)
    known = ~(np.isnan(came) | np.isnan(said))
    counts = np.where(known, said / (said + least), 0.0)
    mean = (counts * z).sum(axis=1) / slots / (many + counts.sum(axis=1) / slots)
    found: Floats = np.maximum((said + least) * np.exp(np.minimum(mean, 0))[:, None] - least, 0)
    return found


def sums(z: Floats, counts: Floats, slots: int) -> Sums:
    """Of (n, W) past errors; those that overlap within the slots of the horizon are one."""
    return Sums(
        counts.sum(axis=1) / slots,
        (counts * z).sum(axis=1) / slots,
        (counts * z * z).sum(axis=1) / slots,
    )


def learned(seen: Sums, prior: Prior) -> Errors:
    """Bias and spread of past errors with the prior."""
    many = prior.many + seen.many
    bias = (prior.many * prior.bias + seen.total) / many
    around = np.maximum(seen.square - 2 * bias * seen.total + bias * bias * seen.many, 0)
    around = around + prior.many * (prior.variance + (prior.bias - bias) ** 2)
    spread = np.sqrt(3 * around / many) / pi
    return Errors(bias, np.maximum(spread, _LEAST * prior.spread))
