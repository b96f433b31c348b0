"""The command doctor."""

import sys
from pathlib import Path

import click
import msgspec

from config.language import Text
from fengsui.cli.options import RUN, Shared
from fengsui.doctor.case import Case, Finding, Weight
from fengsui.doctor.examine import examine
from fengsui.doctor.page import (
    Looked,
    as_json,
    district_lines,
    everybody,
    finding_lines,
    thing_lines,
)
from fengsui.doctor.promises import of_line
from fengsui.doctor.wrong.findings import findings
from fengsui.doctor.wrong.links import near_names
from fengsui.doctor.wrong.people import of_person, person_lines
from fengsui.doctor.wrong.platforms import of_platform, platform_lines, platforms
from fengsui.run.run_log import log_to_look_at
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken
from stream.pace.time_service import asked, told
from stream.wall_clock import now_ms


@click.command()
@click.argument("station", required=False, default="")
@RUN
@click.option("--json", "as_data", is_flag=True, help=spoken(Text("给程序看的", "for programs")))
@click.option(
    "--broker-log",
    "journal",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    envvar="FENGSUI_BROKER_LOG",
    help=spoken(
        Text(
            "MQTT 服务器的日志文件 [内置的自己找]",
            "the broker's journal [the embedded one's is known]",
        )
    ),
)
@click.pass_obj
def doctor(obj: Shared, station: str, run_name: str, as_data: bool, journal: Path | None) -> None:
    """诊断：STATION 最后在哪一层收到什么，哪里不对，怎么办；不写就是全区县，最坏的在前。

    退出码：0 好 · 1 有看不见的或存疑的 · 2 用法有误。什么也不改，不占设备的会话。

    What was last heard from STATION at which layer, what is wrong, what to do; without it all, worst first.

    Exit codes: 0 well · 1 something is blind or in doubt · 2 wrong usage. It changes nothing and takes nobody's
    session.
    """
    sys.exit(_doctor(obj.existing(run_name), station, as_data, journal))


def _doctor(setup: Setup, name: str, as_data: bool, journal: Path | None) -> int:
    log = log_to_look_at(setup)
    try:
        case, line = examine(setup, log, now_ms(), journal)
        kept = log.kept()
    finally:
        log.close()
    if name in setup.district.contacts and not as_data:
        found = of_person(case, name)
        for text in (*person_lines(case, name), *finding_lines([*found, *line])):
            echo(text)
        return _code([*found, *line])
    rows = platforms(case)
    if name in rows and not as_data:
        found = of_platform(case, name)
        for text in (*platform_lines(case, name), *finding_lines([*found, *line])):
            echo(text)
        return _code([*found, *line])
    for platform in rows:
        line = [*line, *of_platform(case, platform)]
    if name and name not in (case.district.stations | case.district.nodes):
        raise _unknown(case, name)
    looked = [Looked(name, findings(case, name))] if name else everybody(case)
    if as_data:
        click.echo(msgspec.json.format(msgspec.json.encode(as_json(case, line, looked))))
    elif name:
        for text in (*finding_lines(line), *thing_lines(case, looked[0])):
            echo(text)
    else:
        for text in district_lines(case, line, looked):
            echo(text)
        for promise in of_line(kept, setup.broker):
            echo(Text(f"耐久：{promise.zh}", f"durability: {promise.en}"))
        echo(told(asked()))
    return _code([*line, *(f for x in looked for f in x.findings)])


def _code(found: list[Finding]) -> int:
    return 1 if any(f.weight >= Weight.DOUBT for f in found) else 0


def _unknown(case: Case, name: str) -> Usage:
    meant, letters = near_names(case, name), case.heard.letters.strange.get(name)
    zh, en = f"{name}: 不在 stations.csv、nodes.csv、contacts.csv 里", f"{name}: stands in no table"
    if letters:
        zh += f"；它发来 {len(letters)} 条，没收"
        en += f"; it sent {len(letters)} messages, none taken"
    if meant:
        zh, en = f"{zh}；是 {meant.zh} 吗？", f"{en}; did you mean {meant.en}?"
    return Usage(Text(zh, en))
