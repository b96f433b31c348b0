"""What sums of rain call for, before anything is held or lowered."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.engine.minute_ring import Bools, Ints


class Judged(NamedTuple):
    """Judgements of one turn, an entry each: what the sums at `head` call for. news: made even when
    nothing is held."""

    nth: Ints
    row: Ints
    head: Ints
    news: Bools
    sums: Ints
    raw: Ints
    keep: Ints
    raw_action: Ints
    keep_action: Ints

    def beside(self, other: "Judged") -> "Judged":
        """Both, in order of arrival."""
        order = np.argsort(np.concatenate((self.nth, other.nth)), kind="stable")
        both = (np.concatenate(pair)[order] for pair in zip(self, other, strict=True))
        return Judged(*both)

    def where(self, which: Bools) -> "Judged":
        """Some of them."""
        return Judged(*(column[which] for column in self))  # type: ignore[arg-type]


def reached(sums: Ints, limits: npt.NDArray[np.int64]) -> Ints:
    """(k, windows) sums, (k, windows, levels) limits -> the highest level reached, 0 for none."""
    hit = np.zeros((sums.shape[0], limits.shape[2]), np.bool_)
    for w in range(sums.shape[1]):
        hit |= sums[:, w, None] >= limits[:, w]
    found = np.zeros(sums.shape[0], np.int64)
    for level in range(hit.shape[1]):
        found[hit[:, level]] = level + 1
    return found
