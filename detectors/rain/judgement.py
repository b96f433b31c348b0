"""What sums of rain call for, before anything is held or lowered."""

from typing import NamedTuple

import numpy as np

from detectors.engine.hysteresis import Called
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

    @property
    def called(self) -> Called:
        """What they call for."""
        return Called(self.raw, self.keep, self.raw_action, self.keep_action)

    def beside(self, other: "Judged") -> "Judged":
        """Both, in order of arrival."""
        order = np.argsort(np.concatenate((self.nth, other.nth)), kind="stable")
        both = (np.concatenate(pair)[order] for pair in zip(self, other, strict=True))
        return Judged(*both)

    def where(self, which: Bools) -> "Judged":
        """Some of them."""
        return Judged(*(column[which] for column in self))  # type: ignore[arg-type]
