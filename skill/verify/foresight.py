"""What orders could be worth at best: to somebody who knows the highest water of every stream and the worst
rain of every slope to come, but no more of a village's own banks or slope than the rules do. Pure.

Such a seer orders in time always, and orders all villages on a stream or none. What is left to choose is
from which height on, for water and for slopes. No rule with the same sensors orders fewer people for
nothing and leaves as few floods without an order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.engine.window_rule import Bools, Floats


class Foreseen(NamedTuple):
    """A place and hazard in one storm. worst: the highest water (m) or rain against the curve to come."""

    slope: bool
    worst: float
    flooded: bool


class Least(NamedTuple):
    """The fewest orders for nothing, and the floods that were ordered beside them."""

    false: int
    ordered: int

    @property
    def far(self) -> float:
        """Orders for nothing among all; nan without any."""
        given = self.false + self.ordered
        return self.false / given if given else float("nan")


def least(every: Sequence[Foreseen], most_never: float) -> Least:
    """The smallest share of orders for nothing that leaves at most this share of the floods without one.

    >>> seen = [(2.5, True), (2.4, False), (2.4, True), (1.9, False)]
    >>> least([Foreseen(False, w, f) for w, f in seen], 0.0)
    Least(false=1, ordered=2)
    """
    water, slopes = (_steps([x for x in every if x.slope is which]) for which in (False, True))
    ordered = water[0][:, None] + slopes[0]
    false = water[1][:, None] + slopes[1]
    floods = water[0][-1] + slopes[0][-1]
    enough: Bools = ordered >= floods * (1 - most_never) - 1e-9
    share = np.where(enough, false / np.maximum(false + ordered, 1), np.inf)
    at = np.unravel_index(int(share.argmin()), share.shape)
    return Least(int(false[at]), int(ordered[at]))


def _steps(of: Sequence[Foreseen]) -> tuple[Floats, Floats]:
    """Floods and dry places that are ordered, by threshold from none on; places at one height together."""
    worst = np.array([x.worst for x in of])
    flooded = np.array([x.flooded for x in of], np.bool_)
    order = np.argsort(-worst)
    last = np.nonzero(np.append(np.diff(worst[order]) != 0, True))[0] if worst.size else order
    sums = [np.cumsum(which[order])[last] for which in (flooded, ~flooded)]
    one, other = (np.concatenate([[0.0], s]) for s in sums)
    return one, other
