"""The commands that find out how far thresholds can be trusted: hindcast, tune."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from config.language import Said, Text, joined, text_of
from config.load import load
from config.records.district import District
from fengsui.cli.options import Shared
from fengsui.review.skill_words import told
from fengsui.run.moments import seconds
from fengsui.run.terminal import echo
from fengsui.status.checked_district import load_district
from stream.environment import Usage, spoken

Json = dict[str, Any]
_FILE = click.Path(path_type=Path, dir_okay=False)
_UNITS_S = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def _given(**options: object) -> list[str]:
    return [f"--{name.replace('_', '-')}" for name, value in options.items() if value]


def _form(series: dict[str, object], table: dict[str, object]) -> str:
    """Which of the two forms is meant; raises Usage where it is neither or both."""
    if _given(**table) and _given(**series):
        both = ", ".join(_given(**series) + _given(**table))
        raise Usage(
            Text(
                f"{both}: 资料和表不能混用，见 --help",
                f"{both}: a record or a table, not both; see --help",
            )
        )
    form, options = ("table", table) if _given(**table) else ("series", series)
    lacking = [f"--{n.replace('_', '-')}" for n, value in options.items() if not value]
    if lacking:
        raise Usage(
            Text(
                f"还需要 {', '.join(lacking)}，见 --help",
                f"also needed: {', '.join(lacking)}, see --help",
            )
        )
    return form


def _well(work: Callable[[], Json]) -> Json:
    """Faults of files are told without a traceback."""
    try:
        return work()
    except (ValueError, OSError) as e:
        if type(e) in (ValueError, TypeError, OSError):
            raise  # not one of ours: a defect
        echo("fengsui: " + text_of(e), err=True)
        sys.exit(1)


_record = [
    click.option(
        "--observations",
        type=_FILE,
        help=spoken(
            Text(
                "资料 CSV：station,quantity,time,value", "record, CSV: station,quantity,time,value"
            )
        ),
    ),
    click.option(
        "--events",
        type=_FILE,
        help=spoken(Text("事件 CSV：area,start,end[,kind]", "events, CSV: area,start,end[,kind]")),
    ),
    click.option(
        "--min-lead",
        default="15min",
        show_default=True,
        help=spoken(Text("最短提前量", "least lead")),
    ),
    click.option(
        "--table",
        type=_FILE,
        help=spoken(Text("表 CSV：一行一场雨", "table, CSV: one row a storm")),
    ),
    click.option(
        "--response",
        default="",
        help=spoken(Text("结果列，0 或 1", "column of the outcome, 0 or 1")),
    ),
    click.option(
        "--group",
        default="",
        help=spoken(Text("火场列：用来分组和求区间", "column of the fire: folds and intervals")),
    ),
    click.option(
        "--columns",
        type=_FILE,
        help=spoken(
            Text(
                "列对照 MAP.toml：哪一列是什么、单位是什么",
                "MAP.toml: which column is what in which unit",
            )
        ),
    ),
    click.option(
        "--figure",
        type=_FILE,
        help=spoken(
            Text("图，PNG 或 HTML（需 `figures`）", "figure, PNG or HTML (extra `figures`)")
        ),
    ),
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        help=spoken(Text("打印一个 JSON 对象", "print one JSON object")),
    ),
]


def _options(options: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.command()
@click.argument("folder", metavar="[CONFIG]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--rules", type=_FILE, help=spoken(Text("率定所得的 RULES.toml", "RULES.toml that tune wrote"))
)
@click.option(
    "--step",
    type=click.Choice(["blue", "yellow", "orange", "red", "prepare", "move"]),
    default="prepare",
    show_default=True,
    help=spoken(Text("CONFIG: 哪一级算报警", "CONFIG: what counts as an alarm")),
)
@click.option(
    "--record",
    is_flag=True,
    help=spoken(
        Text("CONFIG: 把结果记入它的 proof.toml", "CONFIG: write the result into its proof.toml")
    ),
)
@click.option(
    "--by",
    default="",
    help=spoken(Text("CONFIG: 签字人代号", "CONFIG: opaque id of who answers for it")),
)
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
    """回放评分：规则对一段资料会怎样预警；命中、漏报、空报、提前量。

    \b
    全区规则：hindcast CONFIG --observations CSV --events CSV [--record --by ID]
    率定规则：hindcast --rules RULES.toml --observations CSV --events CSV
    表（一行一场雨）：hindcast --rules RULES.toml --table CSV --response COL --columns MAP.toml

    How the rules would have warned over a record: hits, misses, false alarms, lead.

    \b
    a district:  hindcast CONFIG --observations CSV --events CSV [--record --by ID]
    tuned rules: hindcast --rules RULES.toml --observations CSV --events CSV
    a table:     hindcast --rules RULES.toml --table CSV --response COL --columns MAP.toml
    """
    lead = seconds(min_lead)
    form = _form(
        {"observations": observations, "events": events},
        {"table": table, "response": response, "columns": columns},
    )
    if rules and folder:
        raise Usage(Text("CONFIG 与 --rules 只能取一", "CONFIG or --rules, not both"))
    if record != bool(by.strip()):
        raise Usage(Text("--record 与 --by ID 要同用", "--record and --by ID go together"))
    if record and (rules or form == "table"):
        raise Usage(
            Text(
                "--record 需要 CONFIG：阈值属于区县",
                "--record needs CONFIG: thresholds belong to a district",
            )
        )
    if form == "table":
        if not rules or folder:
            raise Usage(
                Text(
                    "表需要 --rules RULES.toml，不要 CONFIG",
                    "a table needs --rules RULES.toml, and no CONFIG",
                )
            )
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
@click.option(
    "--out",
    type=_FILE,
    required=True,
    help=spoken(Text("把规则写到这个文件", "the file of rules to write")),
)
@click.option(
    "--cost",
    type=float,
    default=1.0,
    show_default=True,
    help=spoken(Text("一次漏报抵几次空报", "how many false alarms one miss counts for")),
)
@click.option(
    "--simulated",
    is_flag=True,
    help=spoken(
        Text(
            "由 CONFIG 自己流域的模拟暴雨求转移指令的阈值",
            "thresholds of orders, from simulated storms over CONFIG's own basins",
        )
    ),
)
@click.option(
    "--seeds",
    type=int,
    default=40,
    show_default=True,
    help=spoken(Text("--simulated：几场暴雨", "--simulated: how many storms")),
)
@_options(_record)
@click.pass_obj
def tune(
    obj: Shared,
    folder: Path | None,
    out: Path,
    cost: float,
    simulated: bool,
    seeds: int,
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
    """率定：由资料或表求阈值，附留出数据上的技巧。

    \b
    资料：tune [CONFIG] --observations CSV --events CSV --min-lead 15min --out RULES.toml
    表：tune --table CSV --response COL --group COL --columns MAP.toml --out RULES.toml
    转移指令，由模拟：tune [CONFIG] --simulated --seeds 40 --out RULES.toml

    CONFIG 写明哪些站看哪个预警区；不写则是与预警区同名的站。

    Thresholds from a record or a table, with the skill on data that was left out.

    \b
    a record: tune [CONFIG] --observations CSV --events CSV --min-lead 15min --out RULES.toml
    a table:  tune --table CSV --response COL --group COL --columns MAP.toml --out RULES.toml
    orders, from simulation: tune [CONFIG] --simulated --seeds 40 --out RULES.toml

    CONFIG says which stations watch an area; without it, the station of the area's name.
    """
    lead = seconds(min_lead)
    if simulated:
        given = _given(observations=observations, events=events, table=table, figure=figure)
        if given or as_json:
            raise Usage(
                Text("--simulated 不用资料和表", "--simulated takes neither a record nor a table")
            )
        _well(lambda: _orders_tune(load_district(folder or obj.config), seeds, out))
        return
    form = _form(
        {"observations": observations, "events": events},
        {"table": table, "response": response, "columns": columns},
    )
    if form == "table":
        if folder:
            raise Usage(Text("表不需要 CONFIG", "a table takes no CONFIG"))
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


def _orders_tune(district: District, seeds: int, out: Path) -> Json:
    """The curves, and the rows for rules.toml."""
    from fengsui.play.order_tuning import curves, tuned, written

    found = tuned(district, seeds, _progress)
    for line in curves(found, district.policy.orders):
        echo(line)
    out.write_text(written(found), encoding="utf-8")
    echo(Text(f"已写：{out}", f"written: {out}"))
    return {}


def _progress(what: Said) -> None:
    """On the standard error, so that the result can be read by a program."""
    echo(Text("率定：", "tune: ") + what + " …", err=True)


def _table_tune(
    table: Any, response: str, group: str, columns: Any, out: Path, cost: float, figure: Any
) -> Json:
    from skill.tables.tune import tune as run

    return run(table, response, group or None, columns, out, cost, figure)


# --- what a person reads


def _tell(result: Json, as_json: bool) -> None:
    if as_json:
        # in both languages, as a program has read it since the first version
        echo(json.dumps(result, ensure_ascii=False, allow_nan=False, default=str))
        return
    echo(joined(told(result), "\n"))
