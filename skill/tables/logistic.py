"""A logistic rule with effects of known sign, shrunk towards none.

Equation: chance = 1 / (1 + exp(-(a + sum b_k x_k))); a and b maximise the likelihood less
`shrink`/2 times the squares of b in standard deviations of x, with b_k >= 0 where physics says so.
Source: Hosmer, Lemeshow & Sturdivant 2013, Applied Logistic Regression, 3rd ed.; le Cessie & van
Houwelingen 1992, Appl. Stat. 41:191-201 (ridge).
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats
from detectors.rain.log_odds import LogOddsLine, chance


def fit(x: Floats, yes: Bools, signs: Sequence[int], shrink: float) -> LogOddsLine:
    """x: (n, k) without gaps."""
    middle, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    z, y = (x - middle) / spread, yes.astype(np.float64)

    def loss(b: Floats) -> tuple[float, Floats]:
        odds = b[0] + z @ b[1:]
        away = chance(odds) - y
        value = np.logaddexp(0, odds).sum() - y @ odds + shrink / 2 * (b[1:] @ b[1:])
        return float(value), np.concatenate(([away.sum()], z.T @ away + shrink * b[1:]))

    share = np.clip(y.mean(), 1e-4, 1 - 1e-4)
    start = np.concatenate(([np.log(share / (1 - share))], np.zeros(x.shape[1])))
    limits = [(-30, 30), *(((0, None) if s > 0 else (None, None)) for s in signs)]
    b = minimize(loss, start, jac=True, bounds=limits, method="L-BFGS-B").x
    weight = b[1:] / spread
    return LogOddsLine(float(b[0] - middle @ weight), weight)
