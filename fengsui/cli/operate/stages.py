"""Each stage of the line as a process of its own, which loads nothing of storms that are played."""

import sys
import threading

import click

from config.language import Text
from fengsui.cli.options import RUN, Shared
from fengsui.cli.table import COMMANDS
from fengsui.run import threshold_gate
from fengsui.run.moments import parse_moment
from fengsui.run.processes import load_stage, run_stage
from fengsui.run.service import calm_collector, hand_over_soon, working
from fengsui.run.setup import Setup, refuse_live_keys, shown
from fengsui.run.terminal import echo
from fengsui.status.waiting import NOBODY
from stream.environment import spoken

_HELP = {name: Text(e.zh, e.en) for named in COMMANDS.values() for name, e in named.items()}


def _stage(name: str) -> click.Command:
    @click.command(name, help=spoken(_HELP[name]))
    @RUN
    @click.option(
        "--start",
        default="",
        help=spoken(Text("演练开始时间，RFC 3339", "an exercise's start, RFC 3339")),
    )
    @click.option(
        "--carrier",
        default="",
        help=spoken(Text("演练短信网关的本机 URL", "loopback URL of an exercise's carrier")),
    )
    @click.pass_obj
    def stage(obj: Shared, run_name: str, start: str, carrier: str) -> None:
        setup = obj.worker(run_name, start_at=parse_moment(start) if start else 0)
        sys.exit(_run_one(name, setup, carrier))

    return stage


ingest = _stage("ingest")
detect = _stage("detect")
decide = _stage("decide")
address = _stage("address")
send = _stage("send")
archive = _stage("archive")


def _run_one(name: str, setup: Setup, carrier: str) -> int:
    """One stage until a signal."""
    refuse_live_keys(setup)
    if name == "detect" and (text := threshold_gate.start(setup)):
        echo(text, err=True)
    stop, ready = threading.Event(), threading.Event()
    load_stage(name)
    calm_collector()
    hand_over_soon()
    where = shown(setup.log)
    echo(
        Text(
            f"fengsui {name}: {setup.district.name} {setup.run.name}，日志 {where}",
            f"fengsui {name}: {setup.district.name_en} {setup.run.name}, log {where}",
        ),
        err=True,
    )
    if name == "decide" and not setup.district.officers:
        echo(NOBODY, err=True)
    with working(stop):
        run_stage(name, setup, stop, ready, carrier_url=carrier, on_console=lambda text: echo(text))
    return 0
