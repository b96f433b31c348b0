r"""How reliable chances are: in how many of the moments at which p was said it came so.

Brier score: mean of (p - o)^2, o 1 where it came and 0 where not; its skill score against another forecast
of the same moments: 1 - score / score of the other, 1 perfect, 0 no better, below 0 worse. Source: Brier
1950, Mon. Weather Rev. 78:1–3; Wilks 2019, Statistical Methods in the Atmospheric Sciences, 4th ed.,
section 9.4.

>>> came = np.array([False, False, True, True])
>>> brier(np.array([0.1, 0.3, 0.6, 1.0]), came)
0.065
>>> [(b.many, b.forecast, b.observed) for b in bins(np.array([0.1, 0.3, 0.6, 1.0]), came, np.arange(4))]
[(1, 0.1, 0.0), (1, 0.3, 0.0), (1, 0.6, 1.0), (1, 1.0, 1.0)]
"""

from typing import NamedTuple

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints

EDGES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8)  # of the bins; the last one ends at 1


class Bin(NamedTuple):
    """Moments at which a chance from `low` up to the next edge was said: how many, the mean of what was
    said, the share of which it came true, and of how many events they are."""

    low: float
    many: int
    forecast: float
    observed: float
    events: int


class Reliability(NamedTuple):
    """Of one horizon: moments below the level, in how many it was reached within the horizon, of how many
    events; the Brier score of the chances and of the other forecasts, by name."""

    horizon_min: int
    many: int
    came: int
    events: int
    score: float
    others: dict[str, float]
    bins: tuple[Bin, ...]

    def skill(self, other: str) -> float | None:
        """The Brier skill score against another forecast; None where that was never wrong."""
        least = self.others[other]
        return 1 - self.score / least if least else None

    @property
    def unfitted_skill(self) -> float:
        """That of the rule with its defaults, against climatology."""
        least = self.others["climatology"]
        return 1 - self.others["unfitted"] / least if least else float("nan")


def brier(chance: Floats, came: Bools) -> float:
    """Of the same moments."""
    return float(np.mean((chance - came) ** 2)) if came.size else float("nan")


def bins(chance: Floats, came: Bools, event: Ints) -> tuple[Bin, ...]:
    """Those that hold any moment. event: which one each moment lies nearest to."""
    place = np.searchsorted(EDGES, chance, side="right") - 1
    found = []
    for n, low in enumerate(EDGES):
        mine = place == n
        if mine.any():
            said, true = float(chance[mine].mean()), float(came[mine].mean())
            found.append(Bin(low, int(mine.sum()), said, true, np.unique(event[mine]).size))
    return tuple(found)
