"""`fengsui tune --table` and `fengsui hindcast --table`: a rule from tables of one row a storm, and how
well a rule does on another table.

The rule and its choice: `detectors.skill.table_fit`. Everything is chosen anew for each group that is
left out (a fire), and for each region where the map names one. A row stands for a whole storm, so a
table says nothing about lead time: the running form of the rule (`detectors.storm_score`) does.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detectors.kind import Floats, Ints
from detectors.skill.score import Counts, auc
from detectors.skill.series_report import SEED, skill, skill_json
from detectors.skill.series_rules import Skill
from detectors.skill.table_fit import (
    Fitted,
    Sample,
    counted,
    odds_of,
    single,
    usable,
    validate,
)
from detectors.skill.table_fit import tune as fit_rule
from detectors.skill.table_logistic import chance
from detectors.skill.table_published import published
from detectors.skill.table_quantities import TABLE_QUANTITIES, shaped
from detectors.skill.table_rules import (
    FORM,
    VERSION,
    Source,
    Step,
    TableRules,
    Term,
    fitted,
    load,
    text,
)
from detectors.window import Bools
from fengsui.table_read import Storms, TableFault, read_map, read_storms

Json = dict[str, Any]
_FEW = 10  # events below which a percentage says little
_NO_LEAD = (
    "一行一场雨，表中无雨的过程，不能算提前量 a row is a whole storm: without rain in time there is no "
    "lead time; 请回放 storm_score replay the running form (docs/skill-tables.md)"
)


def tune(
    table: Path, response: str, group: str | None, columns: Path, out: Path, cost: float = 1.0
) -> Json:
    """Choose a rule, measure it on groups left out, write it to `out`. cost: false alarms that one
    miss is worth."""
    if not (0 < cost < float("inf")):
        raise TableFault(f"代价应为正数 the cost must be positive: {cost}")
    map_ = read_map(columns)
    storms = read_storms(table, map_, response, group)
    sample = _sample(storms)
    _both(storms, table)
    notes = [*storms.notes, *_about(storms, sample, group)]
    rule = fit_rule(sample, cost)
    unseen = (
        validate(sample, sample.group, cost) if group else validate(sample, _tenths(sample), cost)
    )
    ways = [("leave one group out" if group else "ten parts of the rows", unseen)]
    regions = np.unique(storms.region, return_inverse=True)[1]
    if regions.max() > 0:
        ways.append(("leave one region out", validate(sample, regions, cost)))
    skills = []
    for how, u in ways:
        if u.told.any():
            skills.append(_skill(how, u.alarm[u.told], sample.rows(u.told)))
        else:
            notes.append(
                f"{how}：其余各组只有一种结果，未做 the rest has one outcome only: not done"
            )
    file = _file(rule, storms, sample, skills, unseen.chance, cost, (table, columns))
    result = _told(rule, storms, sample, notes, group)
    result["cross_validated"] = [skill_json(s) for s in skills]
    known = unseen.told
    if known.any():
        result["cross_validated"][0]["auc"] = auc(unseen.chance[known], sample.yes[known])
    result["trade_off"] = [_step_json(s) for s in file.trade_off]
    try:
        out.write_text(text(file), encoding="utf-8")
    except OSError as e:
        raise TableFault(f"{out}：写不了 cannot be written: {e.strerror}") from e
    result["out"] = str(out)
    return result


def hindcast(
    rules: Path, table: Path, response: str, columns: Path, group: str | None = None
) -> Json:
    """How well the rule of a file does on another table; its quantities may differ."""
    try:
        body = rules.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise TableFault(f"{rules}：读不了 cannot be read: {e}") from e
    file = load(body)
    storms = read_storms(table, read_map(columns), response, group)
    rule = fitted(file)
    sample = _like(_sample(storms), rule.names)
    notes = [*storms.notes, *_strange(file, storms)]
    return _told(rule, storms, sample, notes, group)


# --- what there is


def _sample(storms: Storms) -> Sample:
    x = [shaped(q, storms.value[:, k]) for k, q in enumerate(storms.quantities)]
    named = any(storms.group)
    group = np.unique(storms.group, return_inverse=True)[1] if named else single(len(storms.yes))
    return Sample(storms.quantities, np.column_stack(x), storms.yes, group)


def _like(s: Sample, names: tuple[str, ...]) -> Sample:
    """The columns that a rule was made with; one that the table lacks is missing in each row."""
    x = np.full((len(s.yes), len(names)), np.nan)
    for k, name in enumerate(names):
        if name in s.names:
            x[:, k] = s.x[:, s.names.index(name)]
    return Sample(names, x, s.yes, s.group)


def _tenths(s: Sample) -> Ints:
    """Ten parts where no group is named."""
    return s.group % 10


def _both(storms: Storms, table: Path) -> None:
    if storms.yes.all() or not storms.yes.any():
        what = "全为 1 all 1" if storms.yes.all() else "全为 0 all 0"
        raise TableFault(
            f"{table.name}：结果列{what}，无从率定 there is nothing to tell apart; "
            "需要两种结果 both outcomes are needed"
        )


def _about(storms: Storms, s: Sample, group: str | None) -> list[str]:
    """What the table does not support."""
    notes = []
    events = int(storms.yes.sum())
    if events < _FEW:
        notes.append(
            f"仅 {events} 次事件，看次数与区间，勿看百分比 few events: read counts and intervals, "
            "no percentage"
        )
    for name, fine in zip(s.names, usable(s), strict=True):
        if not fine:
            notes.append(f"{name} 无值或为常数，未用 has no values or is constant: not used")
    if not group:
        notes.append(
            "未给 --group：同场火、同站的行相互关联，交叉验证偏乐观 without --group rows that share "
            "weather stand on both sides: the cross-validation flatters"
        )
        return notes
    one = [g for g in sorted(set(storms.group)) if _one_class(storms, g)]
    if one:
        notes.append(
            f"{len(one)} 组只有一种结果 groups with one outcome only: {', '.join(one[:12])}"
            f"{' …' if len(one) > 12 else ''}"
        )
    largest = np.bincount(s.group, weights=s.yes).max() / events
    if largest > 0.5:
        notes.append(
            f"一组占 {largest:.0%} 的事件，留出它等于换一个地方 one group holds that share of the events: "
            "leaving it out is to move to another place"
        )
    return notes


def _one_class(storms: Storms, group: str) -> bool:
    yes = [y for y, g in zip(storms.yes, storms.group, strict=True) if g == group]
    return all(yes) or not any(yes)


def _strange(file: TableRules, storms: Storms) -> list[str]:
    """Where a table differs from what the rule was made of."""
    notes = []
    names = {t.quantity for t in file.term}
    for t in file.term:
        if t.quantity not in storms.quantities and t.weight:
            notes.append(
                f"{t.quantity}：本表没有，由其余的量推得 this table lacks it: inferred from the others"
            )
    for k, name in enumerate(storms.quantities):
        if name not in names:
            notes.append(f"{name}：规则不知，未用 the rule does not know it: not used")
            continue
        t = next(t for t in file.term if t.quantity == name)
        x = storms.value[:, k]
        outside = int(((x < t.lowest) | (x > t.highest)).sum())
        if outside and t.weight:
            notes.append(
                f"{name}：{outside} 行越出率定范围 rows lie outside the range it was tuned on, "
                f"{t.lowest:g} … {t.highest:g} {t.unit}：外推 extrapolated"
            )
    return notes


# --- how well


def _blocks(alarm: Bools, s: Sample) -> list[Counts]:
    return [counted(alarm[s.group == g], s.yes[s.group == g]) for g in np.unique(s.group)]


def _skill(how: str, alarm: Bools, s: Sample) -> Skill:
    return skill(how, _blocks(alarm, s))


def _columns(storms: Storms) -> dict[str, Floats]:
    return {q: storms.value[:, k] for k, q in enumerate(storms.quantities)}


def _told(rule: Fitted, storms: Storms, s: Sample, notes: list[str], group: str | None) -> Json:
    """What the rule says of a table, beside what published ones say."""
    p = chance(odds_of(rule, s.x))
    alarm = p >= rule.threshold
    gaps = int((~np.isfinite(s.x[:, rule.line.weight != 0])).any(axis=1).sum())
    if gaps:
        notes = [
            *notes,
            f"{gaps} 行有缺测，由其余的量推得 rows with gaps: inferred from the rest, none dropped",
        ]
    return {
        "form": FORM,
        **_measures(counted(alarm, s.yes), _skill("", alarm, s)),
        "rows": len(s.yes),
        "events": int(s.yes.sum()),
        "groups": len(set(storms.group)) if group else None,
        "threshold": rule.threshold,
        "auc": auc(p, s.yes),
        "brier": float(((p - s.yes) ** 2).mean()),
        "lead_minutes": {"median": None, "q1": None, "q3": None, "reason": _NO_LEAD},
        "published": [
            {
                "rule": x.name,
                **_measures(x.counts, None),
                "auc": x.auc,
                "rows_judged": x.applies,
            }
            for x in published(_columns(storms), s.yes)
        ],
        "notes": notes,
    }


def _measures(c: Counts, s: Skill | None) -> Json:
    found: Json = {
        "hits": c.hits,
        "misses": c.misses,
        "false_alarms": c.false_alarms,
        "quiet": c.quiet,
        "pod": c.pod,
        "far": c.far,
        "csi": c.csi,
    }
    if s is not None:
        found["csi_interval"] = skill_json(s)["csi_interval"]
    return found


# --- the file


def _file(
    rule: Fitted,
    storms: Storms,
    s: Sample,
    skills: Sequence[Skill],
    unseen: Floats,
    cost: float,
    files: tuple[Path, Path],
) -> TableRules:
    terms = []
    for k, name in enumerate(rule.names):
        q, x = TABLE_QUANTITIES[name], storms.value[:, k]
        x = x[np.isfinite(x)]
        terms.append(
            Term(
                quantity=name,
                unit=q.unit,
                shape=q.shape,
                weight=float(rule.line.weight[k]),
                mean=float(rule.moments.mean[k]),
                covariance=tuple(float(v) for v in rule.moments.cov[k]),
                lowest=float(x.min()) if x.size else 0.0,
                highest=float(x.max()) if x.size else 0.0,
            )
        )
    table, columns = files
    seen = chance(odds_of(rule, s.x)) >= rule.threshold
    return TableRules(
        form=FORM,
        version=VERSION,
        threshold=rule.threshold,
        intercept=rule.line.intercept,
        term=tuple(terms),
        provenance=Source(
            table_sha256=hashlib.sha256(table.read_bytes()).hexdigest(),
            map_sha256=hashlib.sha256(columns.read_bytes()).hexdigest(),
            rows=len(s.yes),
            events=int(s.yes.sum()),
            groups=len(np.unique(s.group)),
            cost=cost,
            seed=SEED,
        ),
        in_sample=_skill("in the sample, flatters", seen, s),
        cross_validated=tuple(skills),
        trade_off=tuple(_steps(unseen, s)),
    )


def _steps(p: Floats, s: Sample) -> list[Step]:
    """On the chances that were told of groups left out."""
    known = np.isfinite(p)
    out = []
    for limit in (0.02, 0.05, *(n / 10 for n in range(1, 10))):
        c = counted(p[known] >= limit, s.yes[known])
        ratios = [-1.0 if x is None else round(x, 4) for x in (c.pod, c.far, c.csi)]
        out.append(
            Step(
                threshold=limit,
                hits=c.hits,
                misses=c.misses,
                false_alarms=c.false_alarms,
                pod=ratios[0],
                far=ratios[1],
                csi=ratios[2],
            )
        )
    return out


def _step_json(step: Step) -> Json:
    ratios = ("pod", "far", "csi")
    found = {n: getattr(step, n) for n in step.__struct_fields__}
    return {k: None if k in ratios and v == -1 else v for k, v in found.items()}
