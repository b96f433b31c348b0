"""Choosing a rule for one-row-a-storm tables, and how well it does on groups it did not see.

A few logistic rules are averaged, each with rain of one duration, the rain of the storm, and what is
known of the basin: a mean of rules that are linear in log odds is again one, and leans on no single
duration. Scores on groups left out (`FOLDS` of them) then set two numbers: the scale that makes
odds into chances (Platt 1999), and the threshold. With chances the threshold follows from the
objective J = hits / (hits + cost misses + false): one more warning raises J exactly when its chance
is at least J / (1 + cost J), so the threshold is that of the best J (Lipton et al. 2014, Machine
Learning and Knowledge Discovery in Databases, LNCS 8725:225-239, for cost 1). It is steadier than the
threshold that happened to be best.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.log_odds import LogOddsLine, chance
from detectors.rain.storm_quantities import TABLE_QUANTITIES
from skill.tables.infer import Moments, filled, moments
from skill.tables.logistic import fit
from skill.verify.score import Counts

FOLDS = 6
SHRINK = 10.0
_USUAL_MIN = (15, 30, 60)  # the durations of the published rules
_BURN = ("burned_steep", "burned", "dnbr")
_LEAST_SLOPE = 0.05
_SEED = 20_261_124


class Sample(NamedTuple):
    """x: (n, k) shaped, NaN where missing; yes, group: (n,); names: of the k quantities."""

    names: tuple[str, ...]
    x: Floats
    yes: Bools
    group: Ints

    def rows(self, which: Ints | Bools) -> "Sample":
        return Sample(self.names, self.x[which], self.yes[which], self.group[which])


class Fitted(NamedTuple):
    """A rule: weights of the shaped quantities, what it takes to fill gaps, and the threshold on the
    chance."""

    names: tuple[str, ...]
    moments: Moments
    line: LogOddsLine
    threshold: float
    forms: tuple[tuple[str, ...], ...]
    aim: float  # J of the threshold, on groups left out


def folds(group: Ints, most: int = FOLDS) -> Ints:
    """(n,) a fold of each row: groups whole, folds of like size, the largest group first."""
    groups, which = np.unique(group, return_inverse=True)
    size = np.bincount(which)
    fold, filled_ = np.zeros(groups.size, np.int64), np.zeros(min(most, groups.size), np.int64)
    for g in np.argsort(-size, kind="stable"):
        fold[g] = int(np.argmin(filled_))
        filled_[fold[g]] += size[g]
    return fold[which]


def single(n: int) -> Ints:
    """Groups where the table has none: every row its own, in an order that hides the file's."""
    return np.random.default_rng(_SEED).permutation(n)


def usable(s: Sample) -> Bools:
    """(k,) quantities that have values and are not constant."""
    there = np.isfinite(s.x)
    low = np.where(there, s.x, np.inf).min(axis=0)
    high = np.where(there, s.x, -np.inf).max(axis=0)
    found: Bools = high > low + 1e-9
    return found


def forms(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Sets of terms to average over: rain of one duration, the rain of the storm, and how much of the
    basin is burnt (of several columns that say so, the first of `_BURN`). Fixed beforehand by what
    moves debris (Kean et al. 2011; Staley et al. 2017): chosen by their fit, terms followed single
    fires and did worse on others."""
    signed = [n for n in names if TABLE_QUANTITIES[n].sign]
    rain = [n for n in signed if TABLE_QUANTITIES[n].minutes]
    usual = [n for n in rain if TABLE_QUANTITIES[n].minutes in _USUAL_MIN] or rain
    burn = [n for n in _BURN if n in signed][:1]
    always = tuple([n for n in ("storm_total",) if n in signed] + burn)
    rains: list[tuple[str, ...]] = [(n,) for n in usual] or [()]
    return [form for r in rains if (form := (*r, *always))] or [(n,) for n in signed]


def _weights(line: LogOddsLine, form: Sequence[str], names: Sequence[str]) -> LogOddsLine:
    """The same over all quantities."""
    whole = np.zeros(len(names))
    whole[[names.index(n) for n in form]] = line.weight
    return LogOddsLine(line.intercept, whole)


def _fits(s: Sample, x: Floats, tried: Sequence[tuple[str, ...]]) -> list[LogOddsLine]:
    out = []
    for form in tried:
        columns = [s.names.index(n) for n in form]
        signs = [TABLE_QUANTITIES[n].sign for n in form]
        out.append(_weights(fit(x[:, columns], s.yes, signs, SHRINK), form, s.names))
    return out


def _left_out(s: Sample, tried: Sequence[tuple[str, ...]]) -> Floats:
    """(forms, n) log odds of each row by rules that did not see its fold."""
    odds = np.zeros((len(tried), len(s.yes)))
    fold = folds(s.group)
    for f in range(int(fold.max()) + 1):
        inside, out = s.rows(fold != f), fold == f
        x, seen = _known(inside)
        whole = np.where(seen, s.x[out], np.nan)
        for k, line in enumerate(_fits(inside, filled(x, inside.x), tried)):
            odds[k, out] = line.score(filled(x, whole))
    return odds


def _known(s: Sample) -> tuple[Moments, Bools]:
    """Moments; a quantity that this part of the table lacks is taken as constant."""
    seen = usable(s)
    mean = np.where(np.isfinite(s.x), s.x, 0).sum(axis=0)
    mean = mean / np.maximum(np.isfinite(s.x).sum(axis=0), 1)
    cov = np.zeros((seen.size, seen.size))
    if seen.any():
        m = moments(s.x[:, seen])
        mean[seen] = m.mean
        cov[np.ix_(seen, seen)] = m.cov
    return Moments(mean, cov), seen


def tune(s: Sample, cost: float) -> Fitted:
    """The rule of a table. Both outcomes occur in it, and one quantity at least that may be a term;
    ValueError otherwise."""
    tried = forms([n for n, fine in zip(s.names, usable(s), strict=True) if fine])
    if not tried or s.yes.all() or not s.yes.any():
        raise ValueError(
            "要有两种结果和变化的量 both outcomes and a quantity that varies are needed"
        )
    odds = _left_out(s, tried).mean(axis=0)
    scale = fit(odds[:, None], s.yes, [1], 1e-3)
    slope = float(scale.weight[0])
    shift = scale.intercept
    if slope < _LEAST_SLOPE:  # groups contradict one another: no better than the odds themselves
        slope, shift = 1.0, 0.0
    aim = best(chance(shift + slope * odds), cost)
    known, _ = _known(s)
    lines = _fits(s, filled(known, s.x), tried)
    intercept = float(np.mean([x.intercept for x in lines]))
    weight = slope * np.mean([x.weight for x in lines], axis=0)
    line = LogOddsLine(shift + slope * intercept, weight)
    return Fitted(s.names, known, line, aim / (1 + cost * aim), tuple(tried), aim)


def best(p: Floats, cost: float) -> float:
    """The highest J that these chances promise: of rows in order of chance, hits and false alarms as
    expected from the chances rather than as they fell, which would be luck too."""
    order = np.sort(p)[::-1]
    hits = np.cumsum(order)
    false = np.arange(1, p.size + 1) - hits
    total = float(order.sum())
    return float((hits / (hits + cost * (total - hits) + false)).max())


def odds_of(f: Fitted, x: Floats) -> Floats:
    """(n,) log odds of rows with gaps."""
    return f.line.score(filled(f.moments, x))


def counted(alarm: Bools, yes: Bools) -> Counts:
    return Counts(
        int((alarm & yes).sum()),
        int((~alarm & yes).sum()),
        int((alarm & ~yes).sum()),
        int((~alarm & ~yes).sum()),
    )


class Unseen(NamedTuple):
    """(n,) what rules said of rows whose block they did not see; told: not of rows where the rest
    had one outcome only."""

    chance: Floats
    alarm: Bools
    told: Bools


def validate(s: Sample, block: Ints, cost: float) -> Unseen:
    """Everything is chosen anew without each block, threshold included."""
    p, alarm = np.full(len(s.yes), np.nan), np.zeros(len(s.yes), np.bool_)
    for out in _blocks(block):
        rest = s.rows(~out)
        if rest.yes.any() and not rest.yes.all():
            rule = tune(rest, cost)
            p[out] = chance(odds_of(rule, s.x[out]))
            alarm[out] = p[out] >= rule.threshold
    return Unseen(p, alarm, np.isfinite(p))


def _blocks(block: Ints) -> Iterator[Bools]:
    for b in np.unique(block):
        yield block == b
