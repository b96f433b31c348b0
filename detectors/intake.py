"""From a batch of observations to what the rules take: without duplicates, counters as rain, every
value with its quality. How a stream is cut into batches does not show in it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from config.rules import QualityRule
from detectors.heard import Batch, Heard, Taken
from detectors.part import COUNTER, LEVEL, RAIN, Part
from detectors.quality import Memory, increment, stage_test
from detectors.window import Bools, Ints
from ingest.observation import Flag

_MINUTE = 60_000


class Sifted(NamedTuple):
    """What is new, in order of arrival. `nth`: the index in the batch."""

    nth: Ints
    row: Ints
    minute: Ints
    amount: Ints
    add: Bools
    suspect: Bools
    flagged: list[tuple[int, int, str]]  # (nth, row, test or "" when good again)


def sift(
    rule: QualityRule,
    part: Part,
    heard: Heard,
    memory: dict[int, Memory],
    batch: Batch,
    tests: Mapping[int, str],
) -> Sifted:
    """Remember the batch and test it. `tests`: the test's name of what ingest has flagged."""
    taken, before = heard.take(batch)
    nth, row = taken.nth, batch.row[taken.nth]
    kind = part.kind[row]
    count = np.where(kind == RAIN, taken.amount, batch.value[nth])
    suspect = batch.flag[nth] == Flag.SUSPECT
    test = {k: tests[int(n)] for k, n in enumerate(nth) if int(n) in tests} if tests else {}
    keep = np.ones(nth.size, np.bool_)
    for k in np.nonzero(kind == COUNTER)[0]:
        held = memory.setdefault(int(row[k]), Memory())
        step = increment(held, int(batch.at[nth[k]]), int(count[k]))
        keep[k] = step is not None
        count[k] = 0 if step is None else step[0]
        if step is not None and step[1]:
            suspect[k], test[int(k)] = True, step[1]
    for k in np.nonzero(kind == LEVEL)[0]:
        held = memory.setdefault(int(row[k]), Memory())
        if found := stage_test(rule, held, int(batch.at[nth[k]]), int(count[k])):
            suspect[k], test[int(k)] = True, found
    rain = ((kind == RAIN) | (kind == COUNTER)) & keep & (count != 0)
    if rain.any():
        for alone in _alone(rule, part, heard, batch, before, taken, np.nonzero(rain)[0], count):
            suspect[alone], test[alone] = True, "neighbour"
    flagged = _flagged(heard, batch, taken, row, keep, suspect, test)
    if not keep.all():
        nth, row, count, suspect = nth[keep], row[keep], count[keep], suspect[keep]
        return Sifted(nth, row, taken.minute[keep], count, taken.add[keep], suspect, flagged)
    return Sifted(nth, row, taken.minute, count, taken.add, suspect, flagged)


def _alone(
    rule: QualityRule,
    part: Part,
    heard: Heard,
    batch: Batch,
    before: Ints,
    taken: Taken,
    wet: Ints,
    count: Ints,
) -> list[int]:
    """Keep the rain; of it what is extreme and was seen by no neighbour (indices into `taken`).

    Only gauges that can have reached the extreme at all are looked at one by one, with their
    neighbours, each as it stood when the value arrived.
    """
    row, minute = batch.row[taken.nth], taken.minute
    limit = round(rule.rain_extreme_mm_10min * 10)
    hot = np.unique(row[wet][heard.most(row[wet], minute[wet], count[wet]) > limit])
    near = {int(r): part.near.get(int(r), []) for r in hot}
    if not any(near.values()):
        heard.remember_rain(row[wet], minute[wet], count[wet])
        return []
    watched = np.unique([*near, *(m for rows in near.values() for m in rows)])
    aside = ~np.isin(row[wet], watched)
    heard.remember_rain(row[wet][aside], minute[wet][aside], count[wet][aside])
    heads = {int(r): int(heard.head[r]) for r in watched}
    steps = np.nonzero(np.isin(batch.row, watched))[0]
    for n in steps[::-1]:
        heads[int(batch.row[n])] = int(before[n])
    place = {int(taken.nth[k]): int(k) for k in wet}
    found = []
    for n in steps:
        r = int(batch.row[n])
        heads[r] = max(heads[r], int(batch.at[n]))
        k = place.get(int(n))
        if k is None:
            continue
        heard.remember_rain(row[k : k + 1], minute[k : k + 1], count[k : k + 1])
        m = int(minute[k])
        if near.get(r) and (ten := heard.rain(r, m, 10)) > limit:
            live = [x for x in near[r] if heads[x] >= 0 and heads[x] // _MINUTE >= m - 30]
            best = max((heard.rain(x, m, 30) for x in live), default=None)
            if best is not None and best < rule.rain_neighbour_share * ten:
                found.append(k)
    return found


def _flagged(
    heard: Heard,
    batch: Batch,
    taken: Taken,
    row: Ints,
    keep: Bools,
    suspect: Bools,
    test: Mapping[int, str],
) -> list[tuple[int, int, str]]:
    """Where a station's newest value is flagged otherwise than the one before it."""
    doubtful = suspect | (batch.flag[taken.nth] >= Flag.SUSPECT)
    out: list[tuple[int, int, str]] = []
    if not heard.test and not doubtful.any():
        return out
    look = np.isin(row, [*heard.test, *row[doubtful]])
    for k in np.nonzero(look & keep & taken.newest)[0]:
        r, name = int(row[k]), test.get(int(k), "") if doubtful[k] else ""
        if name != heard.test.get(r, ""):
            heard.test.pop(r, None)
            if name:
                heard.test[r] = name
            out.append((int(taken.nth[k]), r, name))
    return out
