"""A logistic rule with effects of known sign, shrunk towards none.

Equation: chance = 1 / (1 + exp(-(a + sum b_k x_k))); a and b maximise the likelihood less
`shrink`/2 times the squares of b in standard deviations of x, with b_k >= 0 where physics says so.
By Newton's steps; of effects whose best value has the wrong sign the worst is taken out, and let in
again where it would come back with the right one.
Source: Hosmer, Lemeshow & Sturdivant 2013, Applied Logistic Regression, 3rd ed.; le Cessie & van
Houwelingen 1992, Appl. Stat. 41:191-201 (ridge); Nocedal & Wright 2006, Numerical Optimization, 2nd ed.,
chapters 3 and 16 (steps, active sets).
"""

from collections.abc import Sequence

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats
from detectors.rain.storm.log_odds import LogOddsLine, chance

_STEPS = 50
_HALVES = 30
_CLOSE = 1e-9
_LEAST = 1e-9  # of curvature, where every chance is 0 or 1


def fit(
    x: Floats,
    yes: Bools | Floats,
    signs: Sequence[int],
    shrink: float,
    weight: Floats | None = None,
) -> LogOddsLine:
    """x: (n, k) without gaps. yes: (n,), or the share of yes among cases alike. weight: (n,) of how many
    cases a row stands for; 1 where not said."""
    middle, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    z = np.column_stack([np.ones(len(x)), (x - middle) / spread])
    w = np.ones(len(x)) if weight is None else weight
    y, ridge = yes.astype(np.float64), np.array([0.0, *([shrink] * x.shape[1])])
    bound = np.array([False, *(s > 0 for s in signs)])
    share = np.clip(np.average(y, weights=w), 1e-4, 1 - 1e-4)
    b = np.array([np.log(share / (1 - share)), *([0.0] * x.shape[1])])
    free = np.ones(b.size, np.bool_)
    for _ in range(4 * b.size):
        b[~free] = 0.0
        b[free] = _newton(z[:, free], y, w, ridge[free], b[free])
        wrong = bound & free & (b < 0)
        if wrong.any():
            free[int(np.argmin(np.where(wrong, b, 0.0)))] = False
            continue
        pull = z.T @ (w * (y - chance(z @ b)))  # of those at 0: upwards, they would help after all
        back = ~free & (pull > 1e-6 * len(y))
        if not back.any():
            break
        free[int(np.argmax(np.where(back, pull, -np.inf)))] = True
    slopes = b[1:] / spread
    return LogOddsLine(float(b[0] - middle @ slopes), slopes)


def _loss(z: Floats, y: Floats, w: Floats, ridge: Floats, b: Floats) -> float:
    odds = z @ b
    return float(w @ (np.logaddexp(0, odds) - y * odds) + (ridge * b) @ b / 2)


def _newton(z: Floats, y: Floats, w: Floats, ridge: Floats, b: Floats) -> Floats:
    """The best b without bounds, from b on. Steps that do not help are halved."""
    loss = _loss(z, y, w, ridge, b)
    for _ in range(_STEPS):
        p = chance(z @ b)
        slope = z.T @ (w * (p - y)) + ridge * b
        curve = (z * (w * p * (1 - p))[:, None]).T @ z + np.diag(ridge + _LEAST)
        step = np.linalg.solve(curve, slope)
        for _ in range(_HALVES):
            new = b - step
            at = _loss(z, y, w, ridge, new)
            if at <= loss:
                break
            step = step / 2
        else:
            return b
        gained, b, loss = loss - at, new, at
        if gained < _CLOSE * (1 + abs(loss)) or np.abs(b).max() > 60:
            break
    return b
