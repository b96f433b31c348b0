"""The commands that look at a line without being a part of it: `audit` and `trace`."""

import threading

import click

from fengsui.audit import audit_once, run_audit
from fengsui.commands import answering, stopping_on_signals
from fengsui.follow import Follower
from fengsui.line import open_run_log
from fengsui.setup import Setup, Usage, now_ms
from fengsui.trace import Ways, lines
from ingest.meters import watchdog


def audit(setup: Setup, heartbeat: str, *, once: bool) -> int:
    """Once, or until a signal."""
    log = open_run_log(setup)
    try:
        if once:
            return audit_once(log, now_ms(), setup.live)
        stop = threading.Event()
        with stopping_on_signals(stop), answering():
            threading.Thread(target=watchdog, args=(stop,), name="watchdog", daemon=True).start()
            run_audit(log, now_ms, setup.live, heartbeat, stop)
        return 0
    except ValueError as e:
        raise Usage(str(e)) from e
    finally:
        log.close()


def trace(setup: Setup, what: str, at: int | None) -> int:
    """Print the ways; 1 if there is none."""
    log = open_run_log(setup)
    try:
        ways = Ways(Follower(log).take())
    finally:
        log.close()
    district = setup.district
    if what in district.stations or what in district.nodes:
        found = ways.of_station(what, at)
    elif at is not None:
        raise Usage(f"--at 需要监测站 goes with a station; {what!r} is none")
    else:
        found = ways.find(what)
    for text in lines(ways, found, district.timezone):
        click.echo(text)
    if not found:
        click.echo(f"{what}: 没有检测依据它 nothing was detected that rests on it", err=True)
    return 0 if found else 1
