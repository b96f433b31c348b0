"""What a rule says of a table, in numbers that go into JSON, beside what published rules say."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from config.language import Said, Text
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats
from detectors.rain.storm.log_odds import chance
from skill.series.report import SEED, skill, skill_json
from skill.series.rules import Skill
from skill.tables.fit import Fitted, Sample, above, borrowed, counted, odds_of
from skill.tables.published import published
from skill.tables.rows.read import Storms
from skill.tables.rules import FORM
from skill.tables.validate import Unseen
from skill.verify.score import Counts, auc, bootstrap

Json = dict[str, Any]
_NO_LEAD = Text(
    "一行一场雨，表中无雨的过程，不能算提前量；请回放 storm_score（docs/skill-tables.md）",
    "a row is a whole storm: without rain in time there is no lead time; replay the running form, "
    "storm_score (docs/en/skill-tables.md)",
)


def blocks(alarm: Bools, s: Sample) -> list[Counts]:
    """Of each group."""
    return [counted(alarm[s.group == g], s.yes[s.group == g]) for g in np.unique(s.group)]


def skill_of(how: str, alarm: Bools, s: Sample) -> Skill:
    return skill(how, blocks(alarm, s))


def hindsight(p: Floats, yes: Bools) -> float:
    """The best CSI that any one threshold could have had on these scores: what the ranking is worth
    at most. No result: the threshold is picked on what is scored."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(yes[order])
    last = np.append(np.diff(p[order]) != 0, True)  # equal scores warn together
    return float((hits / (yes.sum() + np.arange(1, p.size + 1) - hits))[last].max())


def ranked(s: Skill, u: Unseen, yes: Bools) -> Json:
    p, yes = u.chance[u.told], yes[u.told]
    return skill_json(s) | {"auc": auc(p, yes), "csi_hindsight": hindsight(p, yes)}


def columns(storms: Storms) -> dict[str, Floats]:
    return {q: storms.value[:, k] for k, q in enumerate(storms.quantities)}


def told(rule: Fitted, storms: Storms, s: Sample, notes: list[Said], group: str | None) -> Json:
    """What the rule says of a table, beside what published ones say."""
    odds = odds_of(rule, s)
    p, alarm = chance(odds), above(odds, rule.threshold) >= 0
    name, mine = borrowed(rule, s)
    if name:
        notes = [
            *notes,
            Text(
                f"{int(mine.sum())} 行只有一个雨强峰值，又在别的地区：用 {name} 原样",
                f"{int(mine.sum())} rows of another region have one peak alone: {name} speaks for them as "
                "it stands",
            ),
        ]
    gaps = int((~np.isfinite(s.x[:, rule.line.weight != 0])).any(axis=1).sum())
    if gaps:
        notes = [
            *notes,
            Text(
                f"{gaps} 行有缺测，由其余的量推得",
                f"{gaps} rows with gaps: inferred from the rest, none dropped",
            ),
        ]
    return {
        "form": FORM,
        "rule": rule.family,
        **measures(counted(alarm, s.yes), blocks(alarm, s)),
        "rows": len(s.yes),
        "rows_with_event": int(s.yes.sum()),
        "groups": len(set(storms.group)) if group else None,
        "threshold": rule.threshold,
        "auc": auc(p, s.yes),
        "csi_hindsight": hindsight(p, s.yes) if s.yes.any() else None,
        "brier": float(((p - s.yes) ** 2).mean()),
        "lead_minutes": {"median": None, "q1": None, "q3": None, "reason": _NO_LEAD},
        "published": [
            {"rule": x.name, **measures(x.counts), "auc": x.auc, "rows_judged": x.applies}
            for x in published(columns(storms), s.yes)
        ],
        "notes": notes,
    }


def measures(c: Counts, of: Sequence[Counts] = ()) -> Json:
    found: Json = {
        "hits": c.hits,
        "misses": c.misses,
        "false_alarms": c.false_alarms,
        "quiet": c.quiet,
        "pod": c.pod,
        "far": c.far,
        "csi": c.csi,
    }
    if of:
        for name, interval in bootstrap(of, SEED).items():
            found[f"{name}_interval"] = list(interval) if interval else None
    return found
