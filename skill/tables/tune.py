"""`fengsui tune --table` and `fengsui hindcast --table`: a rule from tables of one row a storm, and how
well a rule does on another table.

Which rules are tried: `skill.tables.candidates`. Everything is chosen anew for each group that is
left out (a fire), and for each region where the map names one. A table of another region is taken
relative to its own storms without being asked: `skill.tables.rows.climate`. A row stands for a whole storm,
so a table says nothing about lead time: the running form of the rule (`detectors.rain.storm.storm_score`)
does.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from config.language import Said, Text
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES
from skill.series import rules as series_rules
from skill.series.figure import draw, ready
from skill.series.report import SEED
from skill.series.rules import Skill, Step
from skill.tables import compared
from skill.tables.candidates import choose, trials
from skill.tables.compared import Way, delivered, verdict
from skill.tables.fit import Fitted, Sample, above, counted, finished, known, odds_of
from skill.tables.notes import place_notes, strange, unsupported
from skill.tables.rows.read import Storms, TableFault, read_map, read_storms
from skill.tables.rules import (
    FORM,
    VERSION,
    TableRules,
    TableSource,
    Term,
    climate,
    fitted,
    load,
    regions,
    text,
)
from skill.tables.running import running
from skill.tables.table import Climate, StormTable, elsewhere, like, moved, sample, table
from skill.tables.table import climate as climate_of
from skill.tables.told import columns as columns_of
from skill.tables.told import ranked, skill_of, told
from skill.tables.validate import Unseen, validate
from skill.verify import names

Json = dict[str, Any]


def tune(
    path: Path,
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
        raise TableFault(Text(f"代价应为正数：{cost}", f"the cost must be positive: {cost}"))
    map_ = read_map(columns)
    storms = read_storms(path, map_, response, group)
    _both(storms, path)
    t, physics = table(storms)
    at = climate_of(t)
    s = sample(t, moved(t, at))
    notes = [*storms.notes, *physics, *unsupported(storms, s, group)]
    k = known(s)
    tried = trials(s, k, cost)
    ways = _ways(t, group, cost)
    if len(ways) == 1 and map_.region:
        notes.append(
            Text(
                f"{map_.region}：仅一个地区，不能检验换地区",
                f"{map_.region}: one region only: transfer is untested",
            )
        )
    families = {name: trial.family for name, trial in tried.items()}
    winner = delivered(ways, s, families, cost) or choose(s, tried, cost)
    rule = finished(s, k, tried[winner])
    skills, measured = _measured(ways, s, notes)
    found = compared.candidates(ways, s, families, winner)
    unseen = _of(ways[0], winner).chance
    file = _file(rule, at, storms, s, unseen, cost, (path, columns))
    file = msgspec.structs.replace(file, cross_validated=tuple(skills), candidate=found)
    against = verdict(ways, s, families, winner, cost)
    result = told(rule, storms, s, [*([against] if against else []), *notes], group)
    result["candidates"] = compared.told(found)
    result["cross_validated"] = measured
    result["trade_off"] = [_step_json(x) for x in file.trade_off]
    _write(out, text(file))
    result["out"] = str(out)
    _beside(out, file, storms, result)
    if figure:
        _draw(figure, result, file)
    return result


def hindcast(
    rules: Path,
    path: Path,
    response: str,
    columns: Path,
    group: str | None = None,
    figure: Path | None = None,
) -> Json:
    """How well the rule of a file does on another table; its quantities and regions may differ."""
    if figure:
        ready(figure)
    try:
        body = rules.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise TableFault(Text(f"{rules}：读不了：{e}", f"{rules}: cannot be read: {e}")) from e
    file = load(body)
    storms = read_storms(path, read_map(columns), response, group)
    rule, at = fitted(file), climate(file)
    t, physics = table(storms)
    by = moved(t, at)
    s = like(elsewhere(t, at), rule.names)
    notes = [*storms.notes, *physics, *place_notes(by, at), *strange(file, storms)]
    result = told(rule, storms, s, notes, group)
    if figure:
        _draw(figure, result, file)
    return result


def _write(path: Path, body: str) -> None:
    try:
        path.write_text(body, encoding="utf-8")
    except OSError as e:
        raise TableFault(
            Text(f"{path}：写不了：{e.strerror}", f"{path}: cannot be written: {e.strerror}")
        ) from e


def _draw(path: Path, result: Json, file: TableRules) -> None:
    draw(path, result, [], file.trade_off, 0)


def _beside(out: Path, file: TableRules, storms: Storms, result: Json) -> None:
    """The running form of the rule, where it has one."""
    live = running(file, columns_of(storms), int(storms.yes.sum()))
    if live:
        beside = out.with_suffix(".running.toml")
        _write(beside, series_rules.text(live))
        result["running"] = str(beside)
        result["notes"].append(
            Text("上线前须回放：", "before it goes live: ")
            + f"fengsui hindcast --rules {beside.name} --observations … --events … "
            "(docs/en/skill-tables.md)"
        )


def _both(storms: Storms, path: Path) -> None:
    if storms.yes.all() or not storms.yes.any():
        what = 1 if storms.yes.all() else 0
        raise TableFault(
            Text(
                f"{path.name}：结果列全为 {what}，无从率定；需要两种结果",
                f"{path.name}: every outcome is {what}, there is nothing to tell apart; both outcomes "
                "are needed",
            )
        )


# --- what was left out


def _ways(t: StormTable, group: str | None, cost: float) -> list[Way]:
    """A group at a time, ten parts of the rows where none is named, and a region at a time."""
    how = names.GROUP if group else names.ROWS
    ways = [Way(how, validate(t, t.group if group else t.group % 10, cost))]
    region: Ints = np.unique(t.region.astype(str), return_inverse=True)[1]
    if region.max() > 0:
        ways.append(Way(names.REGION, validate(t, region, cost)))
    return ways


def _of(way: Way, name: str) -> Unseen:
    """What a candidate said of what was left out; the whole procedure, where it was never tried."""
    return way.found.each.get(name, way.found.choice)


def _measured(ways: list[Way], s: Sample, notes: list[Said]) -> tuple[list[Skill], list[Json]]:
    """What the whole procedure reached, the choice of a candidate included."""
    skills, measured = [], []
    for way in ways:
        u: Unseen = way.found.choice
        if not u.told.any():
            notes.append(
                names.said(way.how)
                + Text("：其余各组只有一种结果，未做", ": the rest has one outcome only: not done")
            )
            continue
        one = skill_of(way.how, u.alarm[u.told], s.rows(u.told))
        skills.append(one)
        measured.append(ranked(one, u, s.yes))
    return skills, measured


# --- the file


def _file(
    rule: Fitted,
    at: Climate,
    storms: Storms,
    s: Sample,
    unseen: Floats,
    cost: float,
    files: tuple[Path, Path],
) -> TableRules:
    table_, columns = files
    seen = above(odds_of(rule, s), rule.threshold) >= 0
    return TableRules(
        form=FORM,
        version=VERSION,
        rule=rule.family,
        published=rule.published,
        slope=rule.slope,
        threshold=rule.threshold,
        intercept=rule.line.intercept,
        term=tuple(_terms(rule, storms)),
        region=regions(at),
        provenance=TableSource(
            table_sha256=hashlib.sha256(table_.read_bytes()).hexdigest(),
            map_sha256=hashlib.sha256(columns.read_bytes()).hexdigest(),
            rows=len(s.yes),
            events=int(s.yes.sum()),
            groups=len(np.unique(s.group)),
            cost=cost,
            seed=SEED,
        ),
        in_sample=skill_of(names.NONE, seen, s),
        trade_off=tuple(_steps(unseen, s)),
    )


def _terms(rule: Fitted, storms: Storms) -> list[Term]:
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
    return terms


def _steps(p: Floats, s: Sample) -> list[Step]:
    """On the chances that were told of groups left out."""
    known_ = np.isfinite(p)
    out = []
    for limit in (0.02, 0.05, *(n / 10 for n in range(1, 10))):
        c = counted(p[known_] >= limit, s.yes[known_])
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
