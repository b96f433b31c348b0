"""Calm rows of many window rules at once: what comes for them is laid into their rings by one look for all
rules whose memories are alike, and not by one for each. A gully's rule has a row or five, and a county has a
rule a gully: of readings of which nothing can come, nearly all the time went into asking rule after rule.

What a row is asked, and what becomes of it, is the same as with one rule after another
(`detectors.engine.calm_rows`); what is of no calm row is left to its own rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from detectors.engine.calm_rows import Bound, CalmRows
from detectors.engine.minute_ring import Bools
from detectors.engine.slot_ring import SeriesState, joined
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rule import Floats, Ints


class Left(NamedTuple):
    """Of one rule, what is of no calm row: its place among `CalmTogether.rules`, the index of each entry
    in what was given, and its rows."""

    rule: int
    which: Ints
    rows: Ints


class CalmTogether:
    """Of rules of which `form` says the same. A row stands in the memory of all after those of the rules
    before its own: `begin`."""

    def __init__(self, rules: Sequence[SeriesRule]) -> None:
        self.rules = list(rules)
        first = self.rules[0]
        self.inputs, self.slot_ms, self.least_min = first.inputs, first.slot_ms, first.least_min
        many = np.array([len(r.rows) for r in self.rules], np.int64)
        self.begin = np.cumsum(many) - many
        self._rule_of = np.arange(many.size).repeat(many)
        bounds: dict[bytes, tuple[int, Bound]] = {}
        of = [
            bounds.setdefault(_key(r.kind.name, r.bounds[0]), (len(bounds), r.bounds[0]))[0]
            for r in self.rules
        ]
        alike = [r.alike() for r in self.rules]
        per_unit = np.concatenate([a["per_unit"] for a in alike])
        self._calm = CalmRows(
            [bound for _, bound in bounds.values()],
            np.array(of, np.int64).repeat(many),
            **{**alike[0], "per_unit": per_unit},
        )

    def join(self, held: Mapping[str, SeriesState]) -> SeriesState:
        """One memory of what the rules hold, by name."""
        return joined([held[r.name] for r in self.rules])

    def lay(
        self,
        whole: SeriesState,
        held: Mapping[str, SeriesState],
        rows: Ints,
        inputs: Ints,
        at: Ints,
        counts: Ints,
        add: Bools,
        suspect: Bools | Floats | None,
        old: Bools | None,
    ) -> list[Left]:
        """As `SeriesRule.judge` takes them, with rows of the memory of all (`whole`); what is left of each
        rule, in their order."""
        whole.doubt, whole.sure = {}, {}
        for begin, rule in zip(self.begin.tolist(), self.rules, strict=True):
            whole.doubt |= {begin + row: of for row, of in held[rule.name].doubt.items()}
        known = set(whole.doubt)
        whole.changed[rows] = True
        slot, value = -(-at // self.slot_ms), counts.astype(np.float64)
        laid = self._calm.lay(whole, rows, inputs, slot, value, add, suspect, old)
        for row in whole.doubt.keys() - known:
            n = int(self._rule_of[row])
            own, place = held[self.rules[n].name], row - int(self.begin[n])
            own.doubt[place], own.sure[place] = whole.doubt[row], whole.sure[row]
        which = (~laid).nonzero()[0]
        if not which.size:
            return []
        of = self._rule_of[rows[which]]
        found = []
        for n in np.flatnonzero(np.bincount(of)).tolist():
            mine = which[of == n]
            found.append(Left(n, mine, rows[mine] - self.begin[n]))
        return found


def form(rule: SeriesRule) -> tuple[Any, ...] | None:
    """Rules that say the same can be laid together; None: this one by itself alone."""
    if not rule.bounds or not rule.rows:
        return None
    alike = rule.alike()
    rain, gathers = tuple(alike.pop("rain").tolist()), tuple(alike.pop("gathers"))
    del alike["per_unit"]
    return (*alike.values(), rain, gathers, rule.inputs, rule.slot_ms, rule.slots, rule.least_min)


def together(rules: Iterable[SeriesRule]) -> list[CalmTogether]:
    """Of these rules, those of which several are alike."""
    alike: dict[tuple[Any, ...], list[SeriesRule]] = {}
    for rule in rules:
        if (key := form(rule)) is not None:
            alike.setdefault(key, []).append(rule)
    return [CalmTogether(some) for some in alike.values() if len(some) > 1]


def _key(kind: str, bound: Bound) -> bytes:
    return msgspec.json.encode((kind, bound.parameters, bound.lowest))
