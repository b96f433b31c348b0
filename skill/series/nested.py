r"""Which rule is delivered, and what it does to events that had no say in it: nested cross-validation.

Blocks of time with their whole events are dealt into a few folds. For each fold that is left out
everything is chosen anew on the others: what is fitted is fitted without it, and the choice among
families goes by what each does to folds left out of those in turn, so that a large grid wins nothing
by its size. A family that takes more fitting must be better by `PENALTY` events a rank to be preferred to
a simpler one (so the fewer events, the more it must show).

In the end the family that was chosen is held against each simple family on what was left out. Where it loses to
one, or the choice with all of itself does by more than the standard error, the simple one is delivered and what
is told is of that one: so what is delivered loses to no simple rule on events left out. To give way whenever
the choice with all of itself loses by an event was tried: on kept-back years it did worse, for the best of five
simple ones is lucky too. That last step has seen what was left out; among so few and so small families it
flatters little.

What is shared by all folds: the events' flood level and the usual level (they define the scale), and the rungs
of thresholds tried. Source: Stone 1974, J. R. Stat. Soc. B 36:111–147; nested: Varma & Simon 2006, BMC
Bioinformatics 7:91.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Ints
from skill.series.families import Rival
from skill.series.fit import Table, objective, smoothed

FOLDS = 10
PENALTY = 0.3  # events a rank
SEED = 17
_DRAWN, _SURE = 400, 0.84


class Chosen(NamedTuple):
    """A family and the row of its table."""

    rival: int
    row: int


def dealt(events: Ints) -> Ints:
    """(blocks,) the fold of each block; events: how many begin in each. Blocks with events are dealt in
    turn, so are those without, so that each fold has of both."""
    folds = np.zeros(events.size, np.int64)
    some = np.nonzero(events)[0]
    many = max(1, min(FOLDS, some.size))
    folds[some] = np.arange(some.size) % many
    rest = np.nonzero(events == 0)[0]
    folds[rest] = np.arange(rest.size) % many
    return folds


def contiguous(events: Ints) -> Ints:
    """The same in stretches of time with about as many events each: what differs between years shows."""
    many = max(1, min(FOLDS, int((events > 0).sum())))
    before = np.cumsum(events) - events
    found: Ints = np.minimum(before * many // max(1, int(events.sum())), many - 1)
    return found


class _Folded(NamedTuple):
    """A table of a family with its counts by fold: (rows, folds, 3)."""

    table: Table
    counts: Ints

    def best(self, use: Bools, cost: float) -> tuple[float, int]:
        """The row that is best on the folds `use`, and how good."""
        value = smoothed(self.table.which, self.counts[:, use].sum(axis=1), cost)
        row = int(np.argmax(value))  # the first of equals is the simplest
        return float(value[row]), row

    def left_out(self, use: Bools, cost: float) -> Ints:
        """(3,) each fold of `use` by the row that is best on the others."""
        total = np.zeros(3, np.int64)
        for fold in np.nonzero(use)[0]:
            rest = use.copy()
            rest[fold] = False
            total += self.counts[self.best(rest if rest.any() else use, cost)[1], fold]
        return total


def _folded(t: Table, folds: Ints) -> _Folded:
    parts = [t.counts[:, folds == f].sum(axis=1) for f in range(int(folds.max()) + 1)]
    return _Folded(t, np.stack(parts, axis=1))


def _pick(
    looked: Sequence[_Folded],
    ranks: Sequence[int],
    use: Bools,
    cost: float,
    alone: Sequence[Ints] | None = None,
) -> Chosen:
    """What is taken when only the folds `use` are known: the family that does best on what is left out
    in turn of them (`alone`: (3,) each, where that is known already), and its row that is best on all."""
    worth, rows = [], []
    for k, (f, rank) in enumerate(zip(looked, ranks, strict=True)):
        value, row = f.best(use, cost)
        said = bool(f.counts[row, use, 0].sum() > 0)
        left = f.left_out(use, cost) if alone is None else alone[k]
        less = PENALTY * rank / max(int(left[0] + left[1]), 1)
        worth.append((said, round(float(objective(left, cost)) - less, 9), value))
        rows.append(row)
    n = max(range(len(rows)), key=lambda k: (*worth[k], -k))
    return Chosen(n, rows[n])


class Judged(NamedTuple):
    """nested: (blocks, 3) of the whole choice made anew without each fold. alone: the same of each
    family by itself. final: what is delivered. beaten: what was chosen lost to a simple family on what was
    left out, so that family is delivered."""

    nested: Ints
    alone: list[Ints]
    final: Chosen
    beaten: bool = False

    @property
    def delivered(self) -> Ints:
        """(blocks, 3) of what is delivered: the choice, or the simple family that beat it."""
        return self.of(self)

    def of(self, other: "Judged") -> Ints:
        """(blocks, 3) on these folds of what another judgement delivers."""
        return self.alone[other.final.rival] if other.beaten else self.nested


def judge(rivals: Sequence[Rival], folds: Ints, cost: float) -> Judged:
    """The choice among these, and what it and each of them does to folds that had no say in it."""
    shape, ranks = rivals[0].whole.counts.shape[1:], [r.rank for r in rivals]
    nested, alone = np.zeros(shape, np.int64), [np.zeros(shape, np.int64) for _ in rivals]
    every = np.ones(int(folds.max()) + 1, np.bool_)
    known = [_folded(r.aside(None), folds) for r in rivals]
    for fold in range(every.size):
        looked = [
            _folded(r.outer[fold], folds) if r.outer else k
            for r, k in zip(rivals, known, strict=True)
        ]
        use, held = every.copy(), folds == fold
        use[fold] = False
        use = use if use.any() else every
        taken = _pick(looked, ranks, use, cost)
        nested[held] = looked[taken.rival].table.counts[taken.row][held]
        for f, counts in zip(looked, alone, strict=True):
            counts[held] = f.table.counts[f.best(use, cost)[1]][held]
    left = [counts.sum(axis=0) for counts in alone]
    final = _pick(known, ranks, every, cost, left)
    simple = [k for k, r in enumerate(rivals) if r.simple]
    value = [round(float(objective(x.sum(axis=0), cost)), 9) for x in alone]
    best = max(simple, key=lambda k: (value[k], -k), default=final.rival)
    if value[best] <= value[final.rival] and not _surely_loses(nested, alone[best], cost):
        return Judged(nested, alone, final)
    return Judged(nested, alone, Chosen(best, known[best].best(every, cost)[1]), beaten=True)


def _surely_loses(ours: Ints, theirs: Ints, cost: float) -> bool:
    """(blocks, 3) each: is `theirs` better by more than the standard error of the difference? That is so in
    five of six samples of blocks drawn anew (Efron & Tibshirani 1993)."""
    blocks = np.nonzero((ours + theirs).any(axis=1))[0]
    if not blocks.size:
        return False
    drawn = np.random.default_rng(SEED).choice(blocks, (_DRAWN, blocks.size))
    less = objective(ours[drawn].sum(axis=1), cost) - objective(theirs[drawn].sum(axis=1), cost)
    return bool(np.mean(less < -1e-9) > _SURE)
