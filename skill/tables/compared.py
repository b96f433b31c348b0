"""The candidates side by side on what was left out, and which one is delivered."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from config.language import Said, Text
from skill.series.report import SEED
from skill.tables.candidates import chosen
from skill.tables.fit import Family, Sample, counted, reached, worth
from skill.tables.rules import TriedRule
from skill.tables.told import blocks
from skill.tables.validate import LeftOut, Unseen
from skill.verify.names import said
from skill.verify.score import auc

Json = dict[str, Any]
_ROUNDS = 2000


class Way(NamedTuple):
    """One way of leaving out, and what came of it."""

    how: str
    found: LeftOut


def _worth(u: Unseen, s: Sample, cost: float) -> float:
    return worth(u.over, s.yes, cost)


def _plain(u: Unseen, s: Sample, cost: float) -> float:
    return reached(counted(u.alarm, s.yes), cost)


def delivered(
    ways: Sequence[Way], s: Sample, families: Mapping[str, Family], cost: float
) -> str | None:
    """The candidate that is worth most, in the mean over the ways; None where nothing could be left out.
    A row that the rest could say nothing of counts as not warned."""
    done = [w for w in ways if w.found.choice.told.any()]
    value = {
        name: float(np.mean([_worth(w.found.each[name], s, cost) for w in done]))
        for name in families
        if done and all(name in w.found.each for w in done)
    }
    return chosen(value, families, int(s.yes.sum())) if value else None


def candidates(
    ways: Sequence[Way], s: Sample, families: Mapping[str, Family], winner: str
) -> tuple[TriedRule, ...]:
    """Each on each way, the best first."""
    out = []
    for way in ways:
        for name, u in way.found.each.items():
            if name not in families or not u.told.any():
                continue
            yes = s.yes[u.told]
            c = counted(u.alarm[u.told], yes)
            csi, ranked = c.csi, auc(u.chance[u.told], yes)
            out.append(
                TriedRule(
                    rule=name,
                    delivered=name == winner,
                    weights=families[name].weights,
                    how=way.how,
                    hits=c.hits,
                    misses=c.misses,
                    false_alarms=c.false_alarms,
                    csi=-1.0 if csi is None else round(csi, 4),
                    auc=-1.0 if ranked is None else round(ranked, 4),
                )
            )
    order = {w.how: n for n, w in enumerate(ways)}
    return tuple(sorted(out, key=lambda c: (order[c.how], -c.csi)))


def verdict(
    ways: Sequence[Way], s: Sample, families: Mapping[str, Family], winner: str, cost: float
) -> Said:
    """How the delivered one stands against the best simple one."""
    each = ways[0].found.each
    simple = [n for n, f in families.items() if f.simple and n in each and n != winner]
    if not simple or winner not in each:
        return ""
    best = max(simple, key=lambda n: _plain(each[n], s, cost))
    gain = _plain(each[winner], s, cost) - _plain(each[best], s, cost)
    low, high = _difference(each[winner], each[best], s, cost)
    between = f"{gain:+.3f} ({low:+.3f} … {high:+.3f})"
    beside = said(best) + Text(f"，相差 {between}", f", by {between}")
    if families[winner].simple:
        return (
            Text("没有候选胜过简单规则 ", "no candidate beats a simple rule: ")
            + said(winner)
            + Text("；其次：", "; next: ")
            + beside
        )
    doubt = Text("；组数所限，不能断定优于它", "; too few groups to be sure that it is better")
    return (
        Text("交付：", "delivered: ")
        + said(winner)
        + Text("；最好的简单规则：", "; the best simple rule: ")
        + beside
        + ("" if low > 0 else doubt)
    )


def _difference(a: Unseen, b: Unseen, s: Sample, cost: float) -> tuple[float, float]:
    """95 % interval of the difference in J, groups drawn anew for both at once."""
    pair = [np.array([x[:3] for x in blocks(u.alarm, s)], float) for u in (a, b)]
    n = len(pair[0])
    draws = np.random.default_rng(SEED).integers(0, n, (_ROUNDS, n))
    j = []
    for counts in pair:
        hits, misses, false = (counts[draws, k].sum(axis=1) for k in range(3))
        j.append(hits / np.maximum(hits + cost * misses + false, 1e-9))
    low, high = np.percentile(j[0] - j[1], (2.5, 97.5))
    return float(low), float(high)


def told(found: Sequence[TriedRule]) -> list[Json]:
    """For JSON; a ratio that is not defined is null."""
    out = []
    for c in found:
        one = {n: getattr(c, n) for n in c.__struct_fields__}
        csi = one["csi"]
        warned = c.hits + c.false_alarms
        one["pod"] = c.hits / (c.hits + c.misses) if c.hits + c.misses else None
        one["far"] = c.false_alarms / warned if warned else None
        out.append(one | {"csi": None if csi < 0 else csi, "auc": None if c.auc < 0 else c.auc})
    return out
