"""Commands of whoever keeps the line: check, backup, restore."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from config.checks.gateways import NONE as NO_GATEWAYS
from config.checks.officers import NO_SUPERIORS, unreachable
from config.checks.plans import gaps
from config.checks.proving import asked_in_words, unfit
from config.checks.roster import roster_gaps
from config.language import Said, Text, en, text_of, zh
from config.read.tiles import told as map_told
from config.records.district import District
from dispatch.address.coverage import coverage_summary
from dispatch.channels.declared import unjudged
from fengsui.cli.options import RUN, Shared
from fengsui.files.backup import take
from fengsui.files.restore import restore as put_back
from fengsui.pictures.lines import asks as pictures_asked
from fengsui.pictures.lines import undetected
from fengsui.play.scenarios import play_scenarios
from fengsui.run import threshold_gate as proved
from fengsui.run.setup import Setup, make_setup, shown
from fengsui.run.terminal import echo
from fengsui.status.checked_district import judged
from fengsui.status.waiting import NOBODY
from stream.environment import secret, spoken
from stream.log.kept import holds, told
from stream.log.port import SIX_MONTHS_DAYS, dropped_early
from stream.wall_clock import now_ms

_REMEMBERED = Text("（记得）", " (remembered)")


@click.command()
@click.argument("folder", metavar="CONFIG", required=False, type=click.Path(path_type=Path))
@click.option(
    "--anew",
    is_flag=True,
    help=spoken(Text("情景全部重放", "play every scenario, whatever is remembered")),
)
@click.pass_obj
def check(obj: Shared, folder: Path | None, anew: bool) -> None:
    """检查配置：验一个区县的目录，并放它的情景。

    Validate a district's folder and play its scenarios.
    """
    log = obj.urls["log"] or secret("FENGSUI_LOG")
    sys.exit(_check_config(folder or obj.config, log, anew=anew))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@RUN
@click.pass_obj
def backup(obj: Shared, file: Path, run_name: str) -> None:
    """备份：把运行和区县目录存入 FILE.tar.gz，不含秘密；全线可以照常运行。

    The run and the district's folder into FILE.tar.gz, without secrets; the line may run.
    """
    sys.exit(_backup(obj.existing_judged(run_name), obj.config, file))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--into",
    default="",
    help=spoken(
        Text(
            "恢复到这个没有记录的运行 [备份自己的运行]",
            "into this run without records [the backup's own run]",
        )
    ),
)
@click.option(
    "--new-history",
    is_flag=True,
    help=spoken(Text("历史库也丢失：由日志重写", "write history anew from the log")),
)
@click.pass_obj
def restore(obj: Shared, file: Path, into: str, new_history: bool) -> None:
    """恢复：FILE.tar.gz 放进新的运行；已发过的不再发。

    FILE.tar.gz into a new run; what had been sent is not sent again.
    """
    sys.exit(
        _restore(
            lambda district, run: make_setup(district, run, obj.state, **obj.urls),
            file,
            into,
            new_history=new_history,
        )
    )


def _check_config(folder: Path, log: str, *, anew: bool) -> int:
    """Validate, then play the district's own scenarios. log: its address, where one is given. anew: those too
    that came as expected the last time."""
    district, problems, proof = judged(folder)
    for problem in problems:
        echo(problem, err=True)
    if problems or district is None:
        echo(
            Text(
                f"{folder}: {len(problems)} 处问题，不能启动",
                f"{folder}: {len(problems)} problems; nothing will start",
            ),
            err=True,
        )
        return 2
    echo(
        Text(
            f"{folder}: 配置正确。{district.name}：{len(district.stations)} 监测站，"
            f"{len(district.areas)} 预警区，{len(district.groups)} 监测组，"
            f"{len(district.nodes)} 终端，{len(district.contacts)} 联系人，"
            f"{len(district.officers)} 决定人，版本 {district.version}",
            f"{folder}: well. {district.name_en}: {len(district.stations)} stations, "
            f"{len(district.areas)} areas, {len(district.groups)} watch groups, "
            f"{len(district.nodes)} nodes, {len(district.contacts)} contacts, "
            f"{len(district.officers)} officers, version {district.version}",
        )
    )
    for asked in asked_in_words(district.policy.proving):
        echo("  " + asked)
    for lacking in _asks(district):
        echo("  ! " + lacking, err=True)
    if proof is None:
        echo("  " + proved.unproved(district), err=True)
    else:
        told = proved.told(proof)
        echo(
            Text(
                f"  阈值 {district.rules_version}：{zh(told)}",
                f"  thresholds {district.rules_version}: {en(told)}",
            )
        )
    if (tiles := district.backdrop.tiles) is not None:
        echo("  " + map_told(tiles, [(a.lon, a.lat) for a in district.areas.values()]), err=True)
    for text in unjudged(district):
        echo("  ! " + text_of(text), err=True)
    lacks = [*gaps(district), *roster_gaps(district, now_ms())]
    for gap in (*coverage_summary(district), *("! " + gap for gap in lacks)):
        echo("  " + text_of(gap), err=True)
    if (log := log or district.log).startswith(("kafka:", "kafkas:")):
        echo("  " + _kept_by_kafka(log, district.id), err=True)
    return _check_scenarios(district, anew=anew)


def _check_scenarios(district: District, *, anew: bool) -> int:
    failed = remembered = 0
    for one in play_scenarios(district, anew=anew):
        line = f"  {'✗' if one.misses else '✓'} " + one.name
        echo(line + _REMEMBERED if one.remembered else line)
        remembered += one.remembered
        for miss in one.misses:
            failed += 1
            echo("      " + text_of(miss), err=True)
    if remembered:
        echo(
            Text(
                f"  记得的 {remembered} 个上次已通过，此后配置、情景和程序都没有变，没有重放；"
                "全部重放用 --anew",
                f"  the {remembered} remembered came as expected before, and neither the district, the "
                "scenario nor the program has changed since: not played; --anew plays all",
            )
        )
    return 1 if failed else 0


def _asks(district: District) -> Iterator[Text]:
    """What is right and yet lacks something."""
    if not district.officers:
        yield NOBODY
    yield from unreachable(district.policy, district.officers.values())
    yield from unfit(district.policy.proving, district.channels)
    if not district.channels.reports_to:
        yield NO_SUPERIORS
    if district.gateways is None:
        yield NO_GATEWAYS
    if (asked := pictures_asked(district)) is not None:
        yield asked
    if (bare := undetected(district)) is not None:
        yield bare
    if early := " ".join(dropped_early(district.retention_days)):
        yield Text(
            f"district.toml: retention_days 里 {early} 不满六个月（{SIX_MONTHS_DAYS} 天）就删：谁决定、"
            "谁收到、谁被拒的日志依法（网络安全法第二十一条）至少留六个月",
            f"district.toml: retention_days drops {early} before six months ({SIX_MONTHS_DAYS} days): the "
            "logs of who decided, who was told and what was refused are kept six months by law "
            "(Cybersecurity Law, article 21)",
        )


def _kept_by_kafka(log: str, district: str) -> Said:
    """What the live run's topics are worth when the power goes, asked of the brokers."""
    from stream.log.kafka_kept import kept_at  # the client is an extra

    try:
        kept = kept_at(log, f"fengsui.{district}.live.")
    except Exception as e:  # noqa: BLE001  # of the client: the check of the tables goes on
        return "! " + Text(
            f"日志断电丢不丢：问不到 Kafka：{type(e).__name__}",
            f"whether the log outlives a power cut: Kafka cannot be asked: {type(e).__name__}",
        )
    if kept is None:
        return Text("Kafka 上还没有实战的主题", "there are no topics of a live run on Kafka yet")
    return ("" if holds(kept) else "! ") + told(kept)


def _backup(setup: Setup, folder: Path, file: Path) -> int:
    """The run and its district's folder into one file."""
    from fengsui.files.photographs import left_out, photographs
    from fengsui.run.run_log import open_run_log

    manifest = take(setup, folder, file, now_ms())
    echo(
        Text(
            f"{file}: {setup.run.name}，{len(manifest.members)} 个文件，已核对；不含密钥和口"
            "令，含联系人",
            f"{file}: {setup.run.name}, {len(manifest.members)} members, verified; without "
            "keys and passwords, with the contacts",
        )
    )
    for name in manifest.redacted:
        echo(
            Text(f"  {name}: 口令或私钥未备份", f"  {name}: a password or key was left out"),
            err=True,
        )
    if not any(n.startswith("state/") for n in manifest.members):
        words = Text(
            "值班台账户、链接、联系人库不在内", "accounts, links and contacts are not in it"
        )
        echo("  ! " + words + ": FENGSUI_BACKUP_PASSPHRASE_FILE=…", err=True)
    log = open_run_log(setup)
    try:
        for text in left_out(setup, photographs(setup, log)):
            echo(text, err=True)
    finally:
        log.close()
    for behind in [g.group for g in manifest.groups if not g.exact]:
        echo(
            Text(
                f"  {behind}: 一直在动，恢复后会重做几条记录",
                f"  {behind}: never stood still: a restore repeats some records",
            )
        )
    return 0


def _restore(
    make: Callable[[District, str], Setup], file: Path, into: str, *, new_history: bool
) -> int:
    """A backup into a new run."""
    setup = put_back(file, into, make, echo, new_history=new_history)
    echo(
        Text(
            f"已恢复：{setup.run.name}，{shown(setup.log)}；配置："
            f"{setup.folder / 'config' / setup.district.id}\n启动 send 之前，把密钥放回 "
            f"{setup.folder / 'keys'}，否则终端拒绝它的指令",
            f"restored: {setup.run.name}, {shown(setup.log)}; its config: "
            f"{setup.folder / 'config' / setup.district.id}\nbefore send starts, put the "
            f"keys back into {setup.folder / 'keys'}, or the nodes refuse its commands",
        )
    )
    return 0
