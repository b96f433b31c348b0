"""One rule of a one-row-a-storm table: how it is fitted, and how its threshold is found.

A few logistic rules are averaged, each with rain of one duration, the rain of the storm, and what is
known of the basin: a mean of rules that are linear in log odds is again one, and leans on no single
duration. Scores on groups left out (`FOLDS` of them) then set two numbers: the scale that makes
odds into chances (Platt 1999), and the threshold. With chances the threshold follows from the
objective J = hits / (hits + cost misses + false): one more warning raises J exactly when its chance
is at least J / (1 + cost J), so the threshold is that of the best J (Lipton et al. 2014, Machine
Learning and Knowledge Discovery in Databases, LNCS 8725:225-239, for cost 1). It is steadier than the
threshold that happened to be best. A published rule keeps its own threshold.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.storm.log_odds import LogOddsLine, chance
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES
from skill.tables.logistic import fit
from skill.tables.rows.infer import Moments, filled, filled_elsewhere, moments
from skill.verify.score import Counts

FOLDS = 6
SHRINK = 10.0
_LEAST_SLOPE = 0.05
_SEED = 20_261_124
_EQUAL = 1e-9
_AROUND = np.linspace(-0.7, 0.7, 9)  # in log odds: half to double the odds of the threshold
_OF_STORM = ("storm_total", "duration")
_HEARD = 0.1  # share of the rows: what fewer of them have is not known
_SILENT = -5.0  # log ratio to its threshold of a published rule that lacks an input: no warning


class Sample(NamedTuple):
    """x: (n, k) shaped, NaN where missing; yes, group: (n,); names: of the k quantities; stated: of
    each published rule (n,) the logarithm of its value over its threshold, NaN where it is silent;
    elsewhere: rows that a rule did not see, whose own storms say how gaps are filled."""

    names: tuple[str, ...]
    x: Floats
    yes: Bools
    group: Ints
    stated: Mapping[str, Floats] = {}
    elsewhere: bool = False

    def rows(self, which: Ints | Bools) -> "Sample":
        stated = {name: v[which] for name, v in self.stated.items()}
        mine = (self.names, self.x[which], self.yes[which], self.group[which])
        return Sample(*mine, stated, self.elsewhere)


class Family(NamedTuple):
    """Rules of one kind. forms: sets of terms that are averaged, with their shares; published: the
    name of a rule that is taken as it stands; simple: somebody could set it by hand."""

    name: str
    forms: tuple[tuple[tuple[str, ...], float], ...] = ()
    published: str = ""
    simple: bool = False

    @property
    def weights(self) -> int:
        return len({term for form, _ in self.forms for term in form})


class Fitted(NamedTuple):
    """A rule: weights of the shaped quantities, what it takes to fill gaps, and the threshold on the
    chance. Of a published rule: slope, of its log ratio."""

    names: tuple[str, ...]
    moments: Moments
    line: LogOddsLine
    threshold: float
    family: str
    published: str = ""
    slope: float = 0.0


class Trial(NamedTuple):
    """A family on groups left out: the rule, and over: (n,) how far every row is above the threshold,
    in log odds, by rules that did not see its group."""

    family: Family
    scale: LogOddsLine
    threshold: float
    over: Floats


class Known(NamedTuple):
    """What a sample says of its quantities, without its outcomes: moments; x: (n, k) without gaps."""

    moments: Moments
    x: Floats


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


def _apart(s: Sample) -> list[Bools]:
    """Rows to leave out together, where the rest has both outcomes; of a table of one group, parts of
    its rows."""
    for fold in (folds(s.group), single(len(s.yes)) % FOLDS):
        out = [fold == f for f in range(int(fold.max()) + 1)]
        able = [o for o in out if s.yes[~o].any() and not s.yes[~o].all()]
        if len(able) > 1:
            return able
    return [np.zeros(len(s.yes), np.bool_)]


def usable(s: Sample) -> Bools:
    """(k,) quantities that have values and are not constant."""
    there = np.isfinite(s.x)
    low = np.where(there, s.x, np.inf).min(axis=0)
    high = np.where(there, s.x, -np.inf).max(axis=0)
    found: Bools = high > low + 1e-9
    return found


def known(s: Sample) -> Known:
    """A quantity that this part of the table lacks is taken as constant."""
    seen = usable(s)
    mean = np.where(np.isfinite(s.x), s.x, 0).sum(axis=0)
    mean = mean / np.maximum(np.isfinite(s.x).sum(axis=0), 1)
    cov = np.zeros((seen.size, seen.size))
    if seen.any():
        m = moments(s.x[:, seen])
        mean[seen] = m.mean
        cov[np.ix_(seen, seen)] = m.cov
    all_ = Moments(mean, cov)
    return Known(all_, filled(all_, s.x))


def _line(s: Sample, x: Floats, family: Family) -> LogOddsLine:
    """The mean of the family's forms, over all quantities."""
    intercept, weight, shares = 0.0, np.zeros(len(s.names)), 0.0
    for form, share in family.forms:
        columns = [s.names.index(n) for n in form]
        one = fit(x[:, columns], s.yes, [TABLE_QUANTITIES[n].sign for n in form], SHRINK)
        intercept += share * one.intercept
        weight[columns] += share * one.weight
        shares += share
    return LogOddsLine(intercept / shares, weight / shares)


def _stated(s: Sample, family: Family) -> Floats:
    value = s.stated[family.published]
    return np.where(np.isfinite(value), np.maximum(value, _SILENT), _SILENT)


def attempt(s: Sample, k: Known, family: Family, cost: float) -> Trial:
    """The family on groups left out. Both outcomes occur."""
    if family.published:
        odds = _stated(s, family)
    else:
        odds = np.zeros(len(s.yes))
        for out in _apart(s):
            odds[out] = _line(s.rows(~out), k.x[~out], family).score(k.x[out])
    scale = fit(odds[:, None], s.yes, [1], 1e-3)
    if scale.weight[0] < _LEAST_SLOPE:  # groups contradict one another: no better than the odds
        scale = LogOddsLine(0.0, np.ones(1))
    scaled = scale.score(odds[:, None])
    if family.published:
        limit = float(chance(np.array(scale.intercept)))
    else:
        aim = best(chance(scaled), cost)
        limit = aim / (1 + cost * aim)
    return Trial(family, scale, limit, above(scaled, limit))


def finished(s: Sample, k: Known, trial: Trial) -> Fitted:
    """The rule of a trial, on all rows."""
    shift, slope = trial.scale.intercept, float(trial.scale.weight[0])
    if trial.family.published:
        none = LogOddsLine(shift, np.zeros(len(s.names)))
        name = trial.family.published
        return Fitted(s.names, k.moments, none, trial.threshold, trial.family.name, name, slope)
    line = _line(s, k.x, trial.family)
    scaled = LogOddsLine(shift + slope * line.intercept, slope * line.weight)
    return Fitted(s.names, k.moments, scaled, trial.threshold, trial.family.name)


def best(p: Floats, cost: float) -> float:
    """The highest J that these chances promise: of rows in order of chance, hits and false alarms as
    expected from the chances rather than as they fell, which would be luck too."""
    order = np.sort(p)[::-1]
    hits = np.cumsum(order)
    false = np.arange(1, p.size + 1) - hits
    total = float(order.sum())
    return float((hits / (hits + cost * (total - hits) + false)).max())


def borrowed(f: Fitted, s: Sample) -> tuple[str, Bools]:
    """The published rule that speaks for rows of another place of which one peak alone is known, and for
    which rows: with nothing of the storm's total or of its other durations, what kind of storms these are
    would be taken from where the rule was made, and its threshold with it."""
    nowhere = np.zeros(len(s.yes), np.bool_)
    if not s.elsewhere or f.published:
        return "", nowhere
    rain = [k for k, n in enumerate(f.names) if TABLE_QUANTITIES[n].minutes or n in _OF_STORM]
    there = [f.names[k] for k in rain if np.isfinite(s.x[:, k]).mean() > _HEARD]
    minutes = TABLE_QUANTITIES[there[0]].minutes if len(there) == 1 else 0
    name = f"USGS M1-{minutes}, p >= 0.5"
    return (name, np.isfinite(s.stated[name])) if name in s.stated else ("", nowhere)


def odds_of(f: Fitted, s: Sample) -> Floats:
    """(n,) log odds of rows with gaps."""
    fill = filled_elsewhere if s.elsewhere else filled
    odds = f.line.score(fill(f.moments, s.x))
    if f.published:
        value = s.stated.get(f.published, np.full(len(s.yes), np.nan))
        odds = odds + f.slope * np.where(np.isfinite(value), np.maximum(value, _SILENT), _SILENT)
    name, mine = borrowed(f, s)
    if name:
        odds = np.where(mine, np.log(f.threshold / (1 - f.threshold)) + s.stated[name], odds)
    return odds


def above(odds: Floats, limit: float) -> Floats:
    """(n,) log odds over a threshold on the chance; one that is met to the last digit is met."""
    over = odds - np.log(limit / (1 - limit))
    return np.where(np.abs(over) < _EQUAL, 0.0, over)


def counted(alarm: Bools, yes: Bools) -> Counts:
    return Counts(
        int((alarm & yes).sum()),
        int((~alarm & yes).sum()),
        int((alarm & ~yes).sum()),
        int((~alarm & ~yes).sum()),
    )


def reached(c: Counts, cost: float) -> float:
    """J of what came of warnings; 0 where nothing was warned of or missed."""
    whole = c.hits + cost * c.misses + c.false_alarms
    return c.hits / whole if whole else 0.0


def worth(over: Floats, yes: Bools, cost: float) -> float:
    """J in the mean over thresholds around the one that was set: what one threshold happens to reach on
    a few storms is luck, and rules that were chosen by it did worse on fires left out."""
    return float(np.mean([reached(counted(over >= d, yes), cost) for d in _AROUND]))
