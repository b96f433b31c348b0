"""The command `investigate`: what was known at a moment, and the sealed account of an incident."""

import sys

import click
import msgspec

from config.language import Text
from dispatch.words.local_time import local
from fengsui.cli.options import RUN, Shared
from fengsui.inquiry.known import known
from fengsui.inquiry.moment import as_of
from fengsui.inquiry.moment_words import lines
from fengsui.inquiry.span import incidents, moment_of
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken


@click.command()
@click.argument("incident", required=False, default="")
@click.option(
    "--at",
    "at",
    default="",
    help=spoken(
        Text(
            "那一刻值班台所知：2025-07-26T20:11:00+08:00；写了 INCIDENT 时也可只写 20:11",
            "what the duty room knew then: 2025-07-26T20:11:00+08:00, or 20:11 with INCIDENT",
        )
    ),
)
@click.option("--json", "as_json", is_flag=True, help=spoken(Text("JSON", "as JSON")))
@RUN
@click.pass_obj
def investigate(obj: Shared, incident: str, at: str, as_json: bool, run_name: str) -> None:
    """调查：TIME 时值班台知道什么；不写选项就列出各次事件。

    What the duty room knew at TIME; without an option the incidents are listed.
    """
    setup = obj.reader(run_name)
    if at:
        sys.exit(_then(setup, incident, at, as_json=as_json))
    sys.exit(_list(setup))


def _list(setup: Setup) -> int:
    """The incidents of a run, oldest first."""
    zone = setup.district.timezone
    log = open_run_log(setup)
    try:
        found = incidents(log)
    finally:
        log.close()
    for one in found.values():
        span = f"{local(one.begin_at, zone, '%Y-%m-%d %H:%M')} – {local(one.end_at, zone)}"
        echo(
            f"{one.id}: {span}, " + Text(f"{len(one.alerts)} 个预警", f"{len(one.alerts)} warnings")
        )
    if not found:
        echo(Text("没有事件", "there is no incident"), err=True)
    return 0 if found else 1


def _then(setup: Setup, incident: str, text: str, *, as_json: bool) -> int:
    """The picture of a moment."""
    district = setup.district
    log = open_run_log(setup)
    try:
        found = incidents(log) if incident else {}
        if incident and incident not in found:
            raise Usage(_no_such(incident, list(found)))
        at = moment_of(text, found.get(incident), district.timezone)
        picture = as_of(district, known(log), at)
    finally:
        log.close()
    if as_json:
        echo(msgspec.json.encode(picture).decode())
        return 0
    for line in lines(picture, lambda ms: local(ms, district.timezone, "%m-%d %H:%M")):
        echo(line)
    return 0


def _no_such(incident: str, there: list[str]) -> Text:
    names = ", ".join(there) or "-"
    return Text(
        f"没有事件 {incident!r}，有 {names}",
        f"there is no incident {incident!r}; there are {names}",
    )
