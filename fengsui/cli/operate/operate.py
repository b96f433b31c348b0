"""Commands of whoever keeps the line: check, backup, restore."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from config.checks.gateways import NONE as NO_GATEWAYS
from config.checks.plans import gaps
from config.language import text_of
from config.records.district import District
from dispatch.channels.declared import unjudged
from fengsui.cli.options import RUN, Shared
from fengsui.files.backup import take
from fengsui.files.restore import restore as put_back
from fengsui.play.scenarios import play_scenarios
from fengsui.run import threshold_gate as proved
from fengsui.run.setup import Setup, make_setup, shown
from fengsui.run.terminal import echo
from fengsui.status.checked_district import judged
from fengsui.status.coverage import coverage_summary
from fengsui.status.waiting import NOBODY
from stream.wall_clock import now_ms


@click.command()
@click.argument("folder", metavar="CONFIG", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def check(obj: Shared, folder: Path | None) -> None:
    """检查配置 validate a district's folder and play its scenarios."""
    sys.exit(_check_config(folder or obj.config))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@RUN
@click.pass_obj
def backup(obj: Shared, file: Path, run_name: str) -> None:
    """备份 the run and the district's folder into FILE.tar.gz, without secrets; the line may run."""
    sys.exit(_backup(obj.setup(run_name), obj.config, file))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--into", default="", help="新运行名 a run without records [the backup's own run]")
@click.option("--new-history", is_flag=True, help="历史库也丢失 write history anew from the log")
@click.pass_obj
def restore(obj: Shared, file: Path, into: str, new_history: bool) -> None:
    """恢复 FILE.tar.gz into a new run; what had been sent is not sent again."""
    sys.exit(
        _restore(
            lambda district, run: make_setup(district, run, obj.state, **obj.urls),
            file,
            into,
            new_history=new_history,
        )
    )


def _check_config(folder: Path) -> int:
    """Validate, then play the district's own scenarios."""
    district, problems, proof = judged(folder)
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems or district is None:
        click.echo(
            f"{folder}: {len(problems)} 处问题 problems; 不能启动 nothing will start", err=True
        )
        return 2
    click.echo(
        f"{folder}: 配置正确 well. {district.name} {district.name_en}: "
        f"{len(district.stations)} 监测站 stations, {len(district.areas)} 预警区 areas, "
        f"{len(district.groups)} 监测组 watch groups, {len(district.nodes)} 终端 nodes, "
        f"{len(district.contacts)} 联系人 contacts, {len(district.officers)} 决定人 officers, "
        f"版本 version {district.version}"
    )
    if not district.officers:
        click.echo(f"  ! {NOBODY}", err=True)
    if district.gateways is None:
        echo("  ! " + NO_GATEWAYS, err=True)
    if proof is None:
        click.echo(f"  {proved.unproved(district)}", err=True)
    else:
        click.echo(f"  阈值 thresholds {district.rules_version}: {proved.told(proof)}")
    for text in unjudged(district):
        click.echo(f"  ! {text}", err=True)
    for gap in (*coverage_summary(district), *("! " + gap for gap in gaps(district))):
        echo("  " + text_of(gap), err=True)
    failed = 0
    for name, misses in play_scenarios(district):
        click.echo(f"  {'✗' if misses else '✓'} {name}")
        for miss in misses:
            failed += 1
            click.echo(f"      {miss}", err=True)
    return 1 if failed else 0


def _backup(setup: Setup, folder: Path, file: Path) -> int:
    """The run and its district's folder into one file."""
    manifest = take(setup, folder, file, now_ms())
    click.echo(
        f"{file}: {setup.run.name}, {len(manifest.members)} 个文件 members, 已核对 verified; "
        "不含密钥 without keys and passwords, 含联系人 with the contacts"
    )
    for name in manifest.redacted:
        click.echo(f"  {name}: 口令或私钥未备份 a password or key was left out", err=True)
    if not any(n.startswith("state/") for n in manifest.members):
        words = "值班台账户、链接、联系人库不在内 accounts, links and contacts are not in it"
        click.echo(f"  ! {words}: FENGSUI_BACKUP_PASSPHRASE_FILE=…", err=True)
    for behind in [g.group for g in manifest.groups if not g.exact]:
        click.echo(f"  {behind}: 一直在动 never stood still: 恢复后重做几条 repeats some records")
    return 0


def _restore(
    make: Callable[[District, str], Setup], file: Path, into: str, *, new_history: bool
) -> int:
    """A backup into a new run."""
    setup = put_back(file, into, make, click.echo, new_history=new_history)
    click.echo(
        f"已恢复 restored: {setup.run.name}, {shown(setup.log)}; 配置 its config: "
        f"{setup.folder / 'config' / setup.district.id}\n"
        f"启动前 before send starts: 放回密钥 put the keys back into {setup.folder / 'keys'}, "
        "否则终端拒绝新密钥 or the nodes refuse its commands"
    )
    return 0
