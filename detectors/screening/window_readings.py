"""Readings as the window rules take them: what is of calm rows is laid into their memory at once for all rules
that are alike, and of each rule what is left is to be judged."""

from collections.abc import Iterator
from typing import NamedTuple

from detectors.engine.minute_ring import Ints
from detectors.memory.state import DetectState
from detectors.screening.sift import Sifted
from detectors.setup.partition import Fed, Part


class ForRule(NamedTuple):
    """What a rule is to judge: its rows, which input each is of, and the entry of `Sifted`. calm: what is of
    calm rows may be among them."""

    fed: Fed
    rows: Ints
    inputs: Ints
    k: Ints
    calm: bool = True


def for_rules(part: Part, state: DetectState, new: Sifted) -> Iterator[ForRule]:
    """What each rule is to judge, in their order."""
    if new.row.size == 1:  # it feeds a few
        for fed in part.fed_by(new.row):
            yield from _each(fed, new)
        return
    left = dict(_left(part, state, new))
    for n in sorted({*part.apart, *left}):
        if n in left:
            yield left[n]
        else:
            yield from _each(part.series[n], new)


def _each(fed: Fed, new: Sifted) -> Iterator[ForRule]:
    """All that a rule takes."""
    which = fed.feeds[new.row].nonzero()[0] if not fed.seen else new.row[:0]
    if which.size:
        entries, source = fed.entries.expand(new.row[which])
        yield ForRule(fed, *divmod(entries, fed.rule.inputs), which[source])


def _left(part: Part, state: DetectState, new: Sifted) -> Iterator[tuple[int, ForRule]]:
    """Of rules that are alike, what is of no calm row; by the number of the rule."""
    if len(state.joined) < len(part.together):
        state.joined = [t.calm.join(state.series) for t in part.together]
    for t, whole in zip(part.together, state.joined, strict=True):
        which = t.feeds[new.row].nonzero()[0]
        if not which.size:
            continue
        entries, source = t.entries.expand(new.row[which])
        rows, inputs = divmod(entries, t.calm.inputs)
        k = which[source]
        doubt = new.in_doubt(k, t.calm.least_min)
        values = (new.at[k], new.amount[k], new.add[k], doubt, new.old_of(k))
        for of, mine, own in t.calm.lay(whole, state.series, rows, inputs, *values):
            n = t.numbers[of]
            yield n, ForRule(part.series[n], own, inputs[mine], k[mine], calm=False)
