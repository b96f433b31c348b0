"""`fengsui tune --table` and `fengsui hindcast --table`: a rule from tables of one row a storm, and how
well a rule does on another table.

The rule and its choice: `skill.tables.fit`. Everything is chosen anew for each group that is
left out (a fire), and for each region where the map names one. A row stands for a whole storm, so a
table says nothing about lead time: the running form of the rule (`detectors.rain.storm_score`) does.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.log_odds import chance
from detectors.rain.storm_quantities import TABLE_QUANTITIES, shaped
from skill.series import rules as series_rules
from skill.series.figure import draw, ready
from skill.series.report import SEED, skill, skill_json
from skill.series.rules import Skill, Step
from skill.tables.fit import Fitted, Sample, counted, odds_of, single, validate
from skill.tables.fit import tune as fit_rule
from skill.tables.notes import strange, unsupported
from skill.tables.published import published
from skill.tables.read import Storms, TableFault, read_map, read_storms
from skill.tables.rules import FORM, VERSION, TableRules, TableSource, Term, fitted, load, text
from skill.tables.running import running
from skill.verify.score import Counts, auc, bootstrap

Json = dict[str, Any]
_NO_LEAD = (
    "一行一场雨，表中无雨的过程，不能算提前量 a row is a whole storm: without rain in time there is no "
    "lead time; 请回放 storm_score replay the running form (docs/skill-tables.md)"
)


def tune(
    table: Path,
    response: str,
    group: str | None,
    columns: Path,
    out: Path,
    cost: float = 1.0,
    figure: Path | None = None,
) -> Json:
    """Choose a rule, measure it on groups left out, write it to `out`. cost: false alarms that one
    miss is worth."""
    if figure:
        ready(figure)
    if not (0 < cost < float("inf")):
        raise TableFault(f"代价应为正数 the cost must be positive: {cost}")
    map_ = read_map(columns)
    storms = read_storms(table, map_, response, group)
    sample = _sample(storms)
    _both(storms, table)
    notes = [*storms.notes, *unsupported(storms, sample, group)]
    rule = fit_rule(sample, cost)
    unseen = (
        validate(sample, sample.group, cost) if group else validate(sample, _tenths(sample), cost)
    )
    ways = [("leave one group out" if group else "ten parts of the rows", unseen)]
    regions = np.unique(storms.region, return_inverse=True)[1]
    if regions.max() > 0:
        ways.append(("leave one region out", validate(sample, regions, cost)))
    elif map_.region:
        notes.append(
            f"{map_.region}：仅一个地区，不能检验换地区 one region only: transfer is untested"
        )
    skills, ranked = [], []
    for how, u in ways:
        if u.told.any():
            p, yes = u.chance[u.told], sample.yes[u.told]
            skills.append(_skill(how, u.alarm[u.told], sample.rows(u.told)))
            ranked.append({"auc": auc(p, yes), "csi_hindsight": _hindsight(p, yes)})
        else:
            notes.append(
                f"{how}：其余各组只有一种结果，未做 the rest has one outcome only: not done"
            )
    file = _file(rule, storms, sample, skills, unseen.chance, cost, (table, columns))
    result = _told(rule, storms, sample, notes, group)
    result["cross_validated"] = [skill_json(s) | r for s, r in zip(skills, ranked, strict=True)]
    result["trade_off"] = [_step_json(s) for s in file.trade_off]
    _write(out, text(file))
    result["out"] = str(out)
    live = running(file, _columns(storms), int(storms.yes.sum()))
    if live:
        beside = out.with_suffix(".running.toml")
        _write(beside, series_rules.text(live))
        result["running"] = str(beside)
        result["notes"].append(
            f"上线前须回放 before it goes live: fengsui hindcast --rules {beside.name} --observations … "
            "--events … (docs/skill-tables.md)"
        )
    if figure:
        _draw(figure, result, file)
    return result


def hindcast(
    rules: Path,
    table: Path,
    response: str,
    columns: Path,
    group: str | None = None,
    figure: Path | None = None,
) -> Json:
    """How well the rule of a file does on another table; its quantities may differ."""
    if figure:
        ready(figure)
    try:
        body = rules.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise TableFault(f"{rules}：读不了 cannot be read: {e}") from e
    file = load(body)
    storms = read_storms(table, read_map(columns), response, group)
    rule = fitted(file)
    sample = _like(_sample(storms), rule.names)
    notes = [*storms.notes, *strange(file, storms)]
    result = _told(rule, storms, sample, notes, group)
    if figure:
        _draw(figure, result, file)
    return result


def _write(path: Path, body: str) -> None:
    try:
        path.write_text(body, encoding="utf-8")
    except OSError as e:
        raise TableFault(f"{path}：写不了 cannot be written: {e.strerror}") from e


def _draw(path: Path, result: Json, file: TableRules) -> None:
    draw(path, result, [], file.trade_off, 0)


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


# --- how well


def _blocks(alarm: Bools, s: Sample) -> list[Counts]:
    return [counted(alarm[s.group == g], s.yes[s.group == g]) for g in np.unique(s.group)]


def _skill(how: str, alarm: Bools, s: Sample) -> Skill:
    return skill(how, _blocks(alarm, s))


def _hindsight(p: Floats, yes: Bools) -> float:
    """The best CSI that any one threshold could have had on these scores: what the ranking is worth
    at most. No result: the threshold is picked on what is scored."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(yes[order])
    last = np.append(np.diff(p[order]) != 0, True)  # equal scores warn together
    return float((hits / (yes.sum() + np.arange(1, p.size + 1) - hits))[last].max())


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
        **_measures(counted(alarm, s.yes), _blocks(alarm, s)),
        "rows": len(s.yes),
        "rows_with_event": int(s.yes.sum()),
        "groups": len(set(storms.group)) if group else None,
        "threshold": rule.threshold,
        "auc": auc(p, s.yes),
        "brier": float(((p - s.yes) ** 2).mean()),
        "lead_minutes": {"median": None, "q1": None, "q3": None, "reason": _NO_LEAD},
        "published": [
            {
                "rule": x.name,
                **_measures(x.counts),
                "auc": x.auc,
                "rows_judged": x.applies,
            }
            for x in published(_columns(storms), s.yes)
        ],
        "notes": notes,
    }


def _measures(c: Counts, blocks: Sequence[Counts] = ()) -> Json:
    found: Json = {
        "hits": c.hits,
        "misses": c.misses,
        "false_alarms": c.false_alarms,
        "quiet": c.quiet,
        "pod": c.pod,
        "far": c.far,
        "csi": c.csi,
    }
    if blocks:
        for name, interval in bootstrap(blocks, SEED).items():
            found[f"{name}_interval"] = list(interval) if interval else None
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
        provenance=TableSource(
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
                lead_median_min=-1.0,
            )
        )
    return out


def _step_json(step: Step) -> Json:
    ratios = ("pod", "far", "csi")
    found = {n: getattr(step, n) for n in step.__struct_fields__ if n != "lead_median_min"}
    return {k: None if k in ratios and v == -1 else v for k, v in found.items()}
