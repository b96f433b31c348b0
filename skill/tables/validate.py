"""What rules say of blocks that they did not see: fires, or whole regions.

For each block everything is done anew on the rest: climate, inference, every candidate, the choice
among them, threshold included. Of the block itself only its rain is used, and only where its region
is unknown to the rest.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.storm.log_odds import chance
from skill.tables.candidates import choose, trials
from skill.tables.fit import Fitted, above, finished, folds, known, odds_of
from skill.tables.table import StormTable, climate, elsewhere, moved, sample

MOST_BLOCKS = 40


class Unseen(NamedTuple):
    """(n,) what rules said of rows whose block they did not see. over: log odds over the threshold;
    told: not of rows where the rest had one outcome only."""

    chance: Floats
    over: Floats
    told: Bools

    @property
    def alarm(self) -> Bools:
        return self.over >= 0


class LeftOut(NamedTuple):
    """choice: of the whole procedure, the choice of a candidate included; each: of every candidate."""

    choice: Unseen
    each: Mapping[str, Unseen]


def _nothing(n: int) -> Unseen:
    return Unseen(np.full(n, np.nan), np.full(n, -np.inf), np.zeros(n, np.bool_))


def _say(u: Unseen, out: Bools, odds: Floats, rule: Fitted) -> None:
    u.chance[out], u.over[out], u.told[out] = chance(odds), above(odds, rule.threshold), True


def validate(t: StormTable, block: Ints, cost: float) -> LeftOut:
    """block: (n,) numbers; more than `MOST_BLOCKS` are put together into as many."""
    n = len(t.yes)
    choice, each = _nothing(n), dict[str, Unseen]()
    fold = folds(block, MOST_BLOCKS)
    for f in range(int(fold.max()) + 1):
        out = fold == f
        rest = t.rows(~out)
        if not rest.yes.any() or rest.yes.all():
            continue
        c = climate(rest)
        s, unseen = sample(rest, moved(rest, c)), elsewhere(t.rows(out), c)
        k = known(s)
        found = trials(s, k, cost)
        for name, trial in found.items():
            rule = finished(s, k, trial)
            _say(each.setdefault(name, _nothing(n)), out, odds_of(rule, unseen), rule)
        best = each[choose(s, found, cost)]
        for mine, its in zip(choice, best, strict=True):
            mine[out] = its[out]
    return LeftOut(choice, each)
