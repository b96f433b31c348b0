"""The commands that find out how far thresholds can be trusted, and who answers for them: hindcast,
tune, sign."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from config.load import load
from config.proof import Proof, add
from config.records.district import District
from fengsui.cli.options import Shared
from fengsui.run.moments import seconds
from fengsui.status.checked_district import load_district
from stream.environment import Usage

Json = dict[str, Any]
_FILE = click.Path(path_type=Path, dir_okay=False)
_UNITS_S = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def _given(**options: object) -> list[str]:
    return [f"--{name.replace('_', '-')}" for name, value in options.items() if value]


def _form(series: dict[str, object], table: dict[str, object]) -> str:
    """Which of the two forms is meant; raises Usage where it is neither or both."""
    if _given(**table) and _given(**series):
        both = ", ".join(_given(**series) + _given(**table))
        raise Usage(f"{both}: 两种形式不能混用 a record or a table, not both; see --help")
    form, options = ("table", table) if _given(**table) else ("series", series)
    lacking = [f"--{n.replace('_', '-')}" for n, value in options.items() if not value]
    if lacking:
        raise Usage(f"还需要 also needed: {', '.join(lacking)}; see --help")
    return form


def _well(work: Callable[[], Json]) -> Json:
    """Faults of files are told without a traceback."""
    try:
        return work()
    except (ValueError, OSError) as e:
        if type(e) in (ValueError, TypeError, OSError):
            raise  # not one of ours: a defect
        click.echo(f"fengsui: {e}", err=True)
        sys.exit(1)


_record = [
    click.option("--observations", type=_FILE, help="资料 CSV: station,quantity,time,value"),
    click.option("--events", type=_FILE, help="事件 CSV: area,start,end[,kind]"),
    click.option("--min-lead", default="15min", show_default=True, help="最短提前量 least lead"),
    click.option("--table", type=_FILE, help="一行一场雨 CSV: one row a storm"),
    click.option("--response", default="", help="结果列 column with 0 or 1"),
    click.option("--group", default="", help="分组列 column of the fire: folds and intervals"),
    click.option(
        "--columns", type=_FILE, help="列对照 MAP.toml: which column is what in which unit"
    ),
    click.option("--figure", type=_FILE, help="图 PNG or HTML (extra `figures`)"),
    click.option("--json", "as_json", is_flag=True, help="打印一个 JSON 对象 print one object"),
]


def _options(options: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.command()
@click.argument("folder", metavar="[CONFIG]", required=False, type=click.Path(path_type=Path))
@click.option("--rules", type=_FILE, help="率定所得规则 RULES.toml that tune wrote")
@click.option(
    "--step",
    type=click.Choice(["blue", "yellow", "orange", "red", "prepare", "move"]),
    default="prepare",
    show_default=True,
    help="CONFIG: 哪一级算报警 what counts as an alarm",
)
@click.option("--record", is_flag=True, help="CONFIG: 记入 write the result into its proof.toml")
@click.option("--by", default="", help="CONFIG: 签字人代号 opaque id of who answers for it")
@_options(_record)
@click.pass_obj
def hindcast(
    obj: Shared,
    folder: Path | None,
    rules: Path | None,
    step: str,
    record: bool,
    by: str,
    observations: Path | None,
    events: Path | None,
    min_lead: str,
    table: Path | None,
    response: str,
    group: str,
    columns: Path | None,
    figure: Path | None,
    as_json: bool,
) -> None:
    """回放评分 how the rules would have warned over a record: hits, misses, false alarms, lead.

    \b
    全区规则 a district:  hindcast CONFIG --observations CSV --events CSV [--record --by ID]
    率定规则 tuned rules: hindcast --rules RULES.toml --observations CSV --events CSV
    表 one row a storm:   hindcast --rules RULES.toml --table CSV --response COL --columns MAP.toml
    """
    lead = seconds(min_lead)
    form = _form(
        {"observations": observations, "events": events},
        {"table": table, "response": response, "columns": columns},
    )
    if rules and folder:
        raise Usage("CONFIG 与 --rules 只能取一 a district or --rules, not both")
    if record != bool(by.strip()):
        raise Usage("--record 与 --by ID 要同用 go together")
    if record and (rules or form == "table"):
        raise Usage("--record 需要 needs CONFIG: 阈值属于区县 thresholds belong to a district")
    if form == "table":
        if not rules or folder:
            raise Usage("表需要 a table needs --rules RULES.toml, and no CONFIG")
        result = _well(lambda: _table_hindcast(rules, table, response, columns, group, figure))
    elif rules:
        result = _well(lambda: _series_hindcast(rules, observations, events, lead, figure))
    else:
        district = load_district(folder or obj.config)
        result = _well(
            lambda: _district_hindcast(district, observations, events, lead, step, figure, by)
        )
    _tell(result, as_json)


def _series_hindcast(rules: Path, observations: Any, events: Any, lead: int, figure: Any) -> Json:
    from skill.series.tune import hindcast as run

    return run(rules, observations, events, lead, figure)


def _table_hindcast(
    rules: Path, table: Any, response: str, columns: Any, group: str, figure: Any
) -> Json:
    from skill.tables.tune import hindcast as run

    return run(rules, table, response, columns, group or None, figure)


def _district_hindcast(
    district: District, observations: Any, events: Any, lead: int, step: str, figure: Any, by: str
) -> Json:
    from skill.report.district import hindcast as run
    from skill.report.district import record

    result = run(district, observations, events, lead, step, figure)
    if by:
        result["out"] = str(record(district, result, observations, events, by))
    return result


@click.command()
@click.argument("folder", metavar="[CONFIG]", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=_FILE, required=True, help="写到 the file of rules to write")
@click.option(
    "--cost",
    type=float,
    default=1.0,
    show_default=True,
    help="一次漏报抵几次空报 false alarms a miss",
)
@_options(_record)
def tune(
    folder: Path | None,
    out: Path,
    cost: float,
    observations: Path | None,
    events: Path | None,
    min_lead: str,
    table: Path | None,
    response: str,
    group: str,
    columns: Path | None,
    figure: Path | None,
    as_json: bool,
) -> None:
    """率定 thresholds from a record or a table, with the skill on data that was left out.

    \b
    资料 a record:      tune [CONFIG] --observations CSV --events CSV --min-lead 15min --out RULES.toml
    表 one row a storm: tune --table CSV --response COL --group COL --columns MAP.toml --out RULES.toml

    CONFIG: which stations watch an area; without it, the station of the area's name.
    """
    lead = seconds(min_lead)
    form = _form(
        {"observations": observations, "events": events},
        {"table": table, "response": response, "columns": columns},
    )
    if form == "table":
        if folder:
            raise Usage("表不需要 CONFIG a table takes no CONFIG")
        result = _well(lambda: _table_tune(table, response, group, columns, out, cost, figure))
    else:
        by = load(folder).stations_of_area if folder else None
        result = _well(lambda: _series_tune(observations, events, lead, out, cost, figure, by))
    _tell(result, as_json)


def _series_tune(
    observations: Any, events: Any, lead: int, out: Path, cost: float, figure: Any, by: Any
) -> Json:
    from skill.series.tune import tune as run

    return run(observations, events, lead, out, cost, figure, by, _progress)


def _progress(what: str) -> None:
    """On the standard error, so that the result can be read by a program."""
    click.echo(f"率定 tune: {what} …", err=True)


def _table_tune(
    table: Any, response: str, group: str, columns: Any, out: Path, cost: float, figure: Any
) -> Json:
    from skill.tables.tune import tune as run

    return run(table, response, group or None, columns, out, cost, figure)


@click.command()
@click.argument("folder", metavar="CONFIG", type=click.Path(path_type=Path, exists=True))
@click.option("--by", required=True, help="签字人代号 opaque id of who answers for it")
@click.option("--reason", required=True, help="为何不经回放评分 why without a hindcast")
def sign(folder: Path, by: str, reason: str) -> None:
    """签字 answer for changed thresholds and rules of CONFIG that no record has scored."""
    by, reason = " ".join(by.split()), " ".join(reason.split())
    if not by or not reason:
        raise Usage("--by 和 and --reason 不能为空 cannot be empty")
    district = load(folder)
    today = datetime.now(UTC).date().isoformat()
    entry = Proof(rules=district.rules_version, how="signed", by=by, on=today, reason=reason)
    click.echo(f"已写 written: {add(folder, entry)} {entry.rules}")


# --- what a person reads


def _tell(result: Json, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, allow_nan=False))
        return
    click.echo("\n".join(told(result)))


def told(result: Json) -> list[str]:
    """The result in a few lines: counts, ratios with intervals, lead, and what is to be known."""
    lines = [f"规则 rule: {result['rule']}"] if result.get("rule") else []
    lines.append(_counts("结果 result", result))
    for skill in result.get("cross_validated") or ():
        lines.append(_counts(f"未见数据 {skill['how']}", skill))
    if result.get("rivals"):
        lines.append("各类规则单独在未见数据上 each family of rules by itself on data left out:")
        for r in result["rivals"]:
            mark = "★" if r["how"] == result["rule"] else " "
            lines.append(_counts(f"{mark} {r['how']}", r))
    for name, one in (result.get("by_step") or {}).items():
        lines.append(_counts(f"  {name}", one))
    lead = result.get("lead_minutes") or {}
    if lead.get("median") is not None:
        lines.append(
            f"提前 lead: 中位 median {lead['median']:.0f} min (四分位 quartiles {lead['q1']:.0f} … "
            f"{lead['q3']:.0f})"
        )
    elif lead.get("reason"):
        lines.append(f"提前 lead: {lead['reason']}")
    if result.get("auc") is not None:
        lines.append(f"AUC {result['auc']:.3f}")
    for skill in result.get("candidates") or ():
        mark = "★" if skill["delivered"] else " "
        lines.append(
            _counts(f"{mark} 候选 {skill['rule']} · {skill['how']}", skill) + _ranked(skill)
        )
    for skill in result.get("published") or ():
        lines.append(_counts(f"已发表 {skill['rule']}", skill) + _ranked(skill))
    lines += _trade_off(result.get("trade_off") or ())
    lines += [f"注 note: {note}" for note in result.get("notes") or ()]
    if result.get("out"):
        lines.append(f"已写 written: {result['out']}")
    return lines


def _ranked(one: Json) -> str:
    return "" if one.get("auc") is None else f" · AUC {one['auc']:.2f}"


def _counts(name: str, one: Json) -> str:
    def ratio(key: str) -> str:
        value, interval = one.get(key), one.get(f"{key}_interval")
        if value is None:
            return f"{key.upper()} –"
        between = (
            f" ({interval[0]:.2f} … {interval[1]:.2f})" if interval and None not in interval else ""
        )
        return f"{key.upper()} {value:.2f}{between}"

    return (
        f"{name}: 命中 hits {one['hits']} · 漏报 misses {one['misses']} · 空报 false "
        f"{one['false_alarms']} · {ratio('pod')} · {ratio('far')} · {ratio('csi')}"
    )


def _trade_off(steps: Sequence[Json]) -> list[str]:
    if not steps:
        return []
    lines = ["取舍 trade-off:  阈值 threshold    POD   FAR   CSI"]
    for s in steps:
        cells = "  ".join(
            "  – " if s.get(k) is None else f"{s[k]:.2f}" for k in ("pod", "far", "csi")
        )
        lines.append(f"  {s['threshold']:>26.3g}   {cells}")
    return lines
