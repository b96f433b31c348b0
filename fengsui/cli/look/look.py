"""Commands that look at a line without being a part of it: status, trace."""

import sys

import click

from config.language import Text
from console.model.follow import Follower
from fengsui.cli.options import RUN, Shared
from fengsui.explain.trace import Ways, lines
from fengsui.run.moments import parse_moment
from fengsui.run.run_log import log_to_look_at
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from fengsui.status.lines import status_lines
from stream.environment import Usage, spoken
from stream.wall_clock import now_ms


@click.command()
@RUN
@click.pass_obj
def status(obj: Shared, run_name: str) -> None:
    """状态：各环节、积压、静默的站、在办预警、未到达、坏数据。

    Stages, lag, silent stations, open warnings, undelivered, dead letters.
    """
    sys.exit(_show_status(obj.existing(run_name)))


@click.command()
@click.argument("what")
@click.option(
    "--at",
    default="",
    help=spoken(
        Text(
            "读数时间，RFC 3339（WHAT 是监测站时）",
            "a reading's time, RFC 3339 (WHAT is a station)",
        )
    ),
)
@RUN
@click.pass_obj
def trace(obj: Shared, what: str, at: str, run_name: str) -> None:
    """追踪 WHAT 走过的路：监测站，或发送、预警、检测的编号。

    WHAT through the line: a station, or the id of a delivery, warning or detection.
    """
    read_at = parse_moment(at) if at else None
    sys.exit(_trace(obj.existing(run_name), what, read_at))


def _show_status(setup: Setup) -> int:
    log = log_to_look_at(setup)
    for text in status_lines(log, setup.district, now_ms(), setup.run, setup.folder):
        echo(text)
    log.close()
    return 0


def _trace(setup: Setup, what: str, at: int | None) -> int:
    """Print the ways; 1 if there is none."""
    log = log_to_look_at(setup)
    try:
        ways = Ways(Follower(log).take())
    finally:
        log.close()
    district = setup.district
    if what in district.stations or what in district.nodes:
        found = ways.of_station(what, at)
    elif at is not None:
        raise Usage(
            Text(f"--at 需要监测站，{what!r} 不是", f"--at goes with a station; {what!r} is none")
        )
    else:
        found = ways.find(what)
    for text in lines(ways, found, district.timezone):
        echo(text)
    if not found:
        echo(
            Text(f"{what}: 没有检测依据它", f"{what}: nothing was detected that rests on it"),
            err=True,
        )
    return 0 if found else 1
