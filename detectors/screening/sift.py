"""From a batch of observations to what the rules take: without duplicates, counters as rain, every
value with its quality. How a stream is cut into batches does not show in it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from config.records.rules import QualityRule
from detectors.engine.minute_ring import Bools, Ints, among
from detectors.engine.window_rule import Floats
from detectors.quality.infill import REACH, replaced
from detectors.quality.level_course import Course, judge
from detectors.quality.rain_bounds import WORLD
from detectors.quality.rain_counter import ROLLING, Fell, spread, step
from detectors.quality.spatial_consistency import Rained, compare
from detectors.quality.station_memory import Batch, StationMemory, Taken
from detectors.setup.partition import COUNTER, LEVEL, RAIN, Part
from ingest.observation import Flag

_MINUTE = 60_000
_SUSPECT = int(Flag.SUSPECT)
_GAPS = ("counter_gap", "interval_gap")  # of rain over a longer time than planned
ALL = 1 << 20  # minutes: longer than any window
_HALF_HOUR = 30  # minutes
# what falls is in 19 of 20 more than 0.9 of what `infill` lays, in hours of 10 mm and more; with less rain
# an estimate errs by more (docs/figures.md)
_ERROR = 0.1


class Sifted(NamedTuple):
    """What is new, in order of arrival; rain that fell over a longer time stands there once a minute.
    `nth`: the index in the batch."""

    nth: Ints
    row: Ints
    at: Ints  # ms
    minute: Ints
    amount: Ints
    add: Bools
    doubt: Ints  # 0: none; else windows shorter than so many minutes must not rest on it
    flagged: list[tuple[int, int, str]]  # (nth, row, test or "" when good again)
    blind: list[tuple[int, int, bool]]  # (nth, row, whether it no longer shows what it measures)
    # (nth, row, minute -> amount): no longer in doubt
    trusted: list[tuple[int, int, dict[int, int]]]
    # the line's clock when each came, in minutes, and how far behind it one may be to be judged;
    # None: none of the batch is further. What happened before that is history, not an order; rain that one
    # reading tells of a longer time is as old as the reading, whatever came with it
    clock: Ints | None = None
    late_min: int = 0
    stored: Bools | None = None  # what a device says that it had stored is history however young

    def at_clock(
        self, age: Ints, received: Ints, late_s: int, stored: Sequence[int] = ()
    ) -> "Sifted":
        """age, received: of the batch, ms. stored: which of the batch its device had stored."""
        if not stored and not (age > late_s * 1000).any():
            return self
        told = np.isin(self.nth, stored) if stored else None
        late_min, now = late_s // 60, received // _MINUTE
        past = now + (age - received) // _MINUTE > late_min
        clock = now[self.nth]
        clock = np.where(past[self.nth], clock, np.minimum(clock, self.minute + late_min))
        return self._replace(clock=clock, late_min=late_min, stored=told)

    def clock_of(self, k: Ints | slice) -> Ints | None:
        """Of entries `k`."""
        return None if self.clock is None else self.clock[k]

    def old_of(self, k: Ints) -> Bools | None:
        """Which of entries `k` are history."""
        if self.clock is None:
            return None
        old = np.asarray(self.clock[k] - self.minute[k] > self.late_min)
        return old if self.stored is None else old | self.stored[k]

    def young(self, k: Ints) -> list[int]:
        """Entries of `k` that are not."""
        old = self.old_of(k)
        found: list[int] = (k if old is None else k[~old]).tolist()
        return found

    def suspect(self, window_min: float = 0) -> Bools:
        """In doubt for a window of so many minutes."""
        return np.asarray(self.doubt > window_min)

    def in_doubt(self, k: Ints, least_min: float) -> Floats | None:
        """The share of each amount of entries `k` that is in doubt for a rule that decides by the rain of so
        many minutes; None: nothing is. What is estimated, or known only over a longer time, is sure but for
        the error of an estimate; over less than half an hour it may be anything."""
        doubt = self.doubt[k]
        if not doubt.any():
            return None
        part = _ERROR if least_min >= _HALF_HOUR else 1.0
        return np.where(doubt >= ALL, 1.0, np.where(doubt > least_min, part, 0.0))

    def pieces(self) -> Iterator["Sifted"]:
        """In order; what each trusts is so after all of it."""
        if not self.trusted:
            yield self
            return
        first = 0
        for trust in self.trusted:
            last = int(np.searchsorted(self.nth, trust[0], "right"))
            yield self._part(slice(first, last), [trust])
            first = last
        yield self._part(slice(first, None), [])

    def _part(self, part: slice, trusted: list[tuple[int, int, dict[int, int]]]) -> "Sifted":
        return Sifted(
            self.nth[part],
            self.row[part],
            self.at[part],
            self.minute[part],
            self.amount[part],
            self.add[part],
            self.doubt[part],
            [],
            [],
            trusted,
            self.clock_of(part),
            self.late_min,
            None if self.stored is None else self.stored[part],
        )


class _Found(NamedTuple):
    """What the tests make of the taken observations, an entry each."""

    row: Ints
    amount: Ints
    keep: Bools
    doubt: Ints
    test: dict[int, str]
    fell: dict[int, list[Fell]]  # whose rain lies elsewhere than in its minute alone
    blind: dict[int, bool]


def sift(
    rule: QualityRule,
    part: Part,
    heard: StationMemory,
    memory: dict[int, Course],
    batch: Batch,
    tests: Mapping[int, str],
) -> Sifted:
    """Remember the batch and test it. `tests`: the test's name of what ingest has flagged."""
    taken, before = heard.take(batch)
    nth, row = taken.nth, batch.row[taken.nth]
    kind = part.kind[row]
    count = np.where(kind == RAIN, taken.amount, batch.value[nth])
    found = _Found(
        row,
        count,
        np.ones(nth.size, np.bool_),
        np.where(batch.flag[nth] == _SUSPECT, ALL, 0),
        {k: tests[int(n)] for k, n in enumerate(nth) if int(n) in tests} if tests else {},
        {},
        {},
    )
    if part.limited.size:
        _limits(part, heard, taken, found)
    for k in ((kind == COUNTER) & found.keep).nonzero()[0].tolist():
        _count(part, memory, found, k, int(batch.at[nth[k]]))
    _sums(part, batch, taken, before, found, kind)
    _levels(rule, part, heard, memory, batch, taken, found, (kind == LEVEL).nonzero()[0])
    gone = _replaced(part, heard, batch, taken, found, kind)
    laid, which, real = _laid(batch, taken, found, gone)
    rain = (((kind == RAIN) | (kind == COUNTER))[which] & (laid.amount != 0) & real).nonzero()[0]
    if rain.size:
        fell = Rained(laid.nth[rain], laid.row[rain], laid.minute[rain], laid.amount[rain])
        said = compare(rule, part.near, heard, batch, before, fell)
        for n, test in said.alone.items():
            k = int(which[rain[n]])
            laid.doubt[rain[n]] = found.doubt[k] = ALL
            found.test[k] = test
        laid.trusted.extend(said.trusted)
    laid.flagged.extend(_flagged(heard, batch, taken, found))
    laid.blind.extend((int(nth[k]), int(row[k]), b) for k, b in sorted(found.blind.items()))
    return laid


def _limits(part: Part, heard: StationMemory, taken: Taken, found: _Found) -> None:
    """Values outside what their station can show, and its codes, where its row names them. Of levels
    `judge` knows."""
    for k in np.nonzero(np.isin(found.row, part.limited))[0].tolist():
        row, value = int(found.row[k]), int(found.amount[k])
        limits = part.ranges[row]
        test = "error_code" if value in limits.codes else ""
        if not limits.low <= value <= limits.high:
            test = "range"
        if test:
            found.keep[k], found.test[k] = False, test
        if taken.newest[k] and (test or heard.test.get(row)):
            found.blind[k] = bool(test)


def _levels(
    rule: QualityRule,
    part: Part,
    heard: StationMemory,
    memory: dict[int, Course],
    batch: Batch,
    taken: Taken,
    found: _Found,
    which: Ints,
) -> None:
    """Entries `which`, levels, held against the course of each."""
    columns = (which, found.row[which], batch.at[taken.nth[which]], found.amount[which])
    for k, row, at, value in zip(*(c.tolist() for c in columns), strict=True):
        held = memory.get(row) or memory.setdefault(row, Course())
        wet = partial(_wet, rule, part, heard, taken, found, k)
        seen = judge(rule, part.ranges[row], held, at, value, wet)
        if not seen.keep:
            found.keep[k] = False
        if seen.blind is not None:
            found.blind[k] = seen.blind
        if seen.test:
            found.doubt[k], found.test[k] = ALL, seen.test


def _wet(
    rule: QualityRule, part: Part, heard: StationMemory, taken: Taken, found: _Found, k: int
) -> bool:
    """Has some gauge beside it heard rain within the hour before entry `k`?"""
    minute = int(taken.minute[k])
    for x in part.gauges[int(found.row[k])]:
        total = heard.rain(x, minute, 60)
        for n in np.nonzero(found.row[:k] == x)[0].tolist():
            fell = found.fell.get(n)
            amount = sum(f.amount for f in fell) if fell else int(found.amount[n])
            total += amount if minute - 60 < taken.minute[n] <= minute else 0
        if total >= rule.stage_wet_mm * 10:
            return True
    return False


def _count(part: Part, memory: dict[int, Course], found: _Found, k: int, at: int) -> None:
    """A counter's reading: the rain since the last, where it is known."""
    row = int(found.row[k])
    said = step(
        memory.setdefault(row, Course()),
        at,
        int(found.amount[k]),
        part.seasons.at(at),
        int(part.wrap[row]),
    )
    found.keep[k] = said is not None
    found.amount[k] = 0
    if said is None:
        return
    found.fell[k] = said.rain
    if said.test == ROLLING:
        found.test[k] = said.test  # its rain is known
    elif said.test:
        found.doubt[k], found.test[k] = ALL, said.test
    elif any(part.gap(row, f.at - f.since) for f in said.rain):
        found.test[k] = "counter_gap"


def _sums(part: Part, batch: Batch, taken: Taken, before: Ints, found: _Found, kind: Ints) -> None:
    """Rain above what its declared interval can hold belongs to the whole time since the reading
    before it; above what even that can hold it is none."""
    over = (kind == RAIN) & (found.amount > part.most_rain[found.row]) & taken.newest
    for k in over.nonzero()[0].tolist():
        n, row = int(taken.nth[k]), int(found.row[k])
        at, count, declared = int(batch.at[n]), int(found.amount[k]), int(part.sum_ms[row])
        if count <= part.seasons.at(at).most(declared):
            continue
        since, plan = int(before[n]), int(part.plan_ms[row])
        length = at - since if 0 <= since < at else plan  # of a first one, and of a revision
        if count > WORLD.most(max(length, declared)):
            found.keep[k], found.test[k] = False, "rain_impossible"
        elif 0 <= since < at and length > declared:
            found.fell[k] = [Fell(since, at, count)]
            if part.gap(row, length):
                found.test[k] = "interval_gap"


def _replaced(
    part: Part, heard: StationMemory, batch: Batch, taken: Taken, found: _Found, kind: Ints
) -> dict[int, list[tuple[int, int]]]:
    """Of entries that speak of minutes that were filled in: (minute, count) of what goes again."""
    gone: dict[int, list[tuple[int, int]]] = {}
    if not heard.owed:
        return gone
    look = among(found.row, heard.owed) & found.keep & ((kind == RAIN) | (kind == COUNTER))
    for k in look.nonzero()[0].tolist():
        row, fell = int(found.row[k]), found.fell.get(k, [])
        if kind[k] == COUNTER and found.test.get(k) and not fell:
            continue  # a total that is not believed says of no minute that it was dry
        at, plan, sums = int(batch.at[taken.nth[k]]), int(part.plan_ms[row]), int(part.sum_ms[row])
        wet = bool(found.amount[k])
        if held := replaced(heard, row, at, fell, plan, sums, wet=wet):
            gone[k] = held
    return gone


def _laid(
    batch: Batch, taken: Taken, found: _Found, gone: Mapping[int, list[tuple[int, int]]]
) -> tuple[Sifted, Ints, Bools]:
    """What the rules take, with every rain in the minutes in which it fell; which of the taken
    observations each entry comes from; and whether it is measured: estimates that it replaces (`gone`)
    go before it, below zero."""
    which = found.keep.nonzero()[0]
    nth, at, minute = taken.nth[which], batch.at[taken.nth[which]], taken.minute[which]
    amount, doubt, real = found.amount[which], found.doubt[which], np.ones(which.size, np.bool_)
    if found.fell or gone:
        rows: list[tuple[int, int, int, int, int]] = []  # (which, at, minute, amount, doubt)
        before: list[int] = []
        for n, k in enumerate(which.tolist()):
            before += range(len(rows), len(rows) + len(gone.get(k, ())))
            rows += [(k, m * _MINUTE, m, c, REACH) for m, c in gone.get(k, ())]
            for f in found.fell.get(k, ()):
                minutes = -(-(f.at - f.since) // _MINUTE)
                reach = ALL if f.suspect else minutes * (found.test.get(k, "") in _GAPS)
                rows += [(k, m * _MINUTE, m, c, reach) for m, c in spread(f)]
            if not found.fell.get(k) or rows[-1][2] != minute[n]:
                rows.append((k, int(at[n]), int(minute[n]), int(amount[n]), int(doubt[n])))
        which, at, minute, amount, doubt = np.array(rows, np.int64).reshape(-1, 5).T
        nth, real = taken.nth[which], np.ones(which.size, np.bool_)
        real[before] = False
    row, add = found.row[which], taken.add[which] | ~real
    return Sifted(nth, row, at, minute, amount, add, doubt, [], [], []), which, real


def _flagged(
    heard: StationMemory, batch: Batch, taken: Taken, found: _Found
) -> list[tuple[int, int, str]]:
    """Where a station's newest value is flagged otherwise than the one before it."""
    doubtful = (found.doubt > 0) | (batch.flag[taken.nth] >= _SUSPECT)
    out: list[tuple[int, int, str]] = []
    if not heard.test and not doubtful.any() and not found.test:
        return out
    doubtful[list(found.test)] = True
    look = among(found.row, {*heard.test, *found.row[doubtful].tolist()})
    look &= found.keep | doubtful  # what a late reading of a counter says is known already
    for k in (look & taken.newest).nonzero()[0].tolist():
        r, name = int(found.row[k]), found.test.get(k, "") if doubtful[k] else ""
        if name != heard.test.get(r, ""):
            heard.test.pop(r, None)
            if name:
                heard.test[r] = name
            out.append((int(taken.nth[k]), r, name))
    return out
