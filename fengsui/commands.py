"""What each command of the CLI does; returns its exit code."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from config.check import check
from config.level import Action, Level
from detectors.run import Detect
from dispatch.alert import Decision
from fengsui.export import export, export_folder
from fengsui.line import Line, open_run_log, run_stage
from fengsui.scenarios import play_scenarios
from fengsui.setup import Setup, Usage, now_ms
from fengsui.status import status_lines
from ingest.log import Log, Out
from ingest.observation import encode
from config.district import District

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def parse_moment(text: str) -> int:
    """RFC 3339 -> milliseconds since 1970; raises Usage."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(f"{text!r} is not a time; write 2025-07-26T12:00:00+08:00") from None
    if moment.tzinfo is None:
        raise Usage(f"{text!r} has no time zone; write 2025-07-26T12:00:00+08:00")
    return int(moment.timestamp() * 1000)


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`, so that every stage ends with a commit and a snapshot."""
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in _STOP_SIGNALS}
    try:
        yield
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


def run_one(name: str, setup: Setup, carrier: str) -> int:
    """One stage until a signal."""
    stop, ready = threading.Event(), threading.Event()
    click.echo(f"fengsui {name}: {setup.district.name} {setup.run.name}, log {setup.log}", err=True)
    with stopping_on_signals(stop):
        run_stage(
            name, setup, stop, ready, carrier_url=carrier, on_console=lambda text: click.echo(text)
        )
    return 0


def check_config(folder: Path) -> int:
    """Validate, then play the district's own scenarios."""
    problems = check(folder)
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        click.echo(f"{folder}: {len(problems)} 处问题 problems; 不能启动 nothing will start", err=True)
        return 2
    from config.load import load

    district = load(folder)
    click.echo(
        f"{folder}: 配置正确 well. {district.name} {district.name_en}: "
        f"{len(district.stations)} 监测站 stations, {len(district.areas)} 预警区 areas, "
        f"{len(district.groups)} 监测组 watch groups, {len(district.nodes)} 终端 nodes, "
        f"{len(district.contacts)} 联系人 contacts, 版本 version {district.version}"
    )
    failed = 0
    for name, misses in play_scenarios(district):
        click.echo(f"  {'✗' if misses else '✓'} {name}")
        for miss in misses:
            failed += 1
            click.echo(f"      {miss}", err=True)
    return 1 if failed else 0


def export_topic(setup: Setup, topic: str, times: bool) -> int:
    """Lines of JSON on standard output."""
    log = open_run_log(setup)
    for row in export(log, topic, times):
        sys.stdout.buffer.write(row)
    sys.stdout.buffer.flush()
    log.close()
    return 0


def show_status(setup: Setup) -> int:
    log = open_run_log(setup)
    for text in status_lines(log, setup.district, now_ms()):
        click.echo(text)
    log.close()
    return 0


def order(setup: Setup, act: str, area: str, hazard: str, by: str, reason: str,
          level: str | None, action: str | None) -> int:
    """Put a person's decision into `cases`."""
    if area not in setup.district.areas:
        raise Usage(f"没有这个预警区 there is no area {area!r} in {setup.district.id}")
    log = open_run_log(setup)
    decision = Decision(
        area=area,
        hazard=hazard,
        act=act,  # type: ignore[arg-type]  # click allows only these
        by=by,
        decided_at=_clock(setup, log),
        reason=reason,
        level=Level[level.upper()] if level else Level.NONE,
        action=Action[action.upper()] if action else Action.NONE,
    )
    log.append([Out("cases", area, encode(decision))])
    log.close()
    click.echo(f"已记录 recorded: {act} {area} {hazard} by {by}")
    return 0


def _clock(setup: Setup, log: Log) -> int:
    if setup.live:
        return now_ms()
    from fengsui.status import view_of

    return view_of(log).clock_at
