"""What is missing in a row, inferred from what is there: so no row is dropped.

The shaped quantities are taken as jointly normal. Their means and covariances are fitted to rows with
gaps by expectation-maximisation; a missing one is then its expected value given those of the row
that are present, which for a rule that is linear in them gives the reduced rule of every pattern of
gaps. In another place its own rows join in. Source: Dempster, Laird & Rubin 1977, J. R. Stat. Soc. B
39:1-38; Little & Rubin 2019, Statistical Analysis with Missing Data, 3rd ed., section 11.2.

>>> x = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, np.nan]])
>>> bool(abs(filled(moments(x), x)[3, 1] - 6) < 0.1)
True
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints

_ROUNDS = 40
_BEFORE = 100.0
_RIDGE = 1e-6  # of a variance: keeps two columns that say the same from dividing by zero


class Moments(NamedTuple):
    """mean: (k,); cov: (k, k) of the shaped quantities."""

    mean: Floats
    cov: Floats


def _patterns(x: Floats) -> Iterator[tuple[Bools, Ints]]:
    """Each pattern of what is present, and its rows."""
    there = np.isfinite(x)
    kinds, which = np.unique(there, axis=0, return_inverse=True)
    for n, present in enumerate(kinds):
        yield present, np.nonzero(which.ravel() == n)[0]


def _slopes(m: Moments, present: Bools) -> Floats:
    """(missing, present): how the missing follow the present."""
    inner = m.cov[np.ix_(present, present)]
    inner = inner + np.diag(_RIDGE * np.diag(inner) + 1e-12)
    return np.asarray(np.linalg.solve(inner, m.cov[np.ix_(present, ~present)]).T, np.float64)


def filled(m: Moments, x: Floats) -> Floats:
    """x with every NaN at its expected value. x: (n, k)."""
    out = x.copy()
    for present, rows in _patterns(x):
        if not present.all():
            deviation = x[np.ix_(rows, present)] - m.mean[present]
            out[np.ix_(rows, ~present)] = m.mean[~present] + deviation @ _slopes(m, present).T
    return out


def moments(x: Floats, before: Moments | None = None) -> Moments:
    """Of rows with gaps, by expectation-maximisation. before: what is known already, which weighs as
    `_BEFORE` rows (the mode with a conjugate prior); without it every column has at least one value."""
    if before is None and np.isfinite(x).all():
        return Moments(x.mean(axis=0), np.cov(x, rowvar=False, bias=True).reshape(x.shape[1], -1))
    if before is None:
        start = np.nan_to_num(np.nanvar(x, axis=0)) + 1e-12
        m, weight = Moments(np.nanmean(x, axis=0), np.diag(start)), 0.0
    else:
        m, weight = before, _BEFORE
    prior = m
    for _ in range(_ROUNDS):
        full = filled(m, x)
        extra = weight * prior.cov
        for present, rows in _patterns(x):
            if not present.all():
                gone = np.ix_(~present, ~present)
                left = m.cov[gone] - _slopes(m, present) @ m.cov[np.ix_(present, ~present)]
                extra[gone] += rows.size * left
        mean = (full.sum(axis=0) + weight * prior.mean) / (len(x) + weight)
        away, drift = full - mean, prior.mean - mean
        spread = away.T @ away + extra + weight * np.outer(drift, drift)
        new = Moments(mean, spread / (len(x) + weight))
        settled = all(np.abs(a - b).max() < 1e-4 for a, b in zip(new, m, strict=True))
        m = new
        if settled:
            break
    return m


def filled_elsewhere(m: Moments, x: Floats) -> Floats:
    """As `filled`, of rows of another place than the moments are of: a short, violent storm has less
    rain than its peaks would have elsewhere, and these rows' own storms say so."""
    return filled(moments(x, m), x) if len(x) and not np.isfinite(x).all() else filled(m, x)
