"""Commands about stations and loudspeakers that are being serviced: station service, back, list."""

import sys
from pathlib import Path

import click

from config.language import Text, text_of
from console.acts.service import minutes_of, put, service
from dispatch.people.contact_store import ContactStore
from dispatch.words.local_time import local
from fengsui.cli.options import KEY, RUN, Shared
from fengsui.run.recipients import place
from fengsui.run.run_log import open_run_log
from fengsui.run.run_view import alerts_view, run_clock
from fengsui.run.setup import Setup
from fengsui.run.signing import vouch
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken
from stream.wall_clock import now_ms

_BY = click.option(
    "--by",
    required=True,
    help=spoken(
        Text(
            "谁：officers.csv 的代号，或联系人 id", "who: an id of officers.csv, or a contact's id"
        )
    ),
)


@click.group()
def station() -> None:
    """维护：正在清理、检定或更换的监测站和喇叭。

    Stations and loudspeakers that are cleaned, calibrated or swapped.
    """


@station.command("service")
@click.argument("thing")
@click.option(
    "--for",
    "length",
    required=True,
    help=spoken(Text("多久：30m、2h，至多 72h", "how long: 30m, 2h; 72h at most")),
)
@_BY
@click.option(
    "--reason", required=True, help=spoken(Text("做什么，记录在案", "what is done, on record"))
)
@KEY
@RUN
@click.pass_obj
def service_(
    obj: Shared,
    thing: str,
    length: str,
    by: str,
    reason: str,
    key: Path | None,
    run_name: str,
) -> None:
    """开始维护：THING 不再研判，读数照存，其预警区算证据不足；到时自动结束。

    Take THING out of judgement: its values are kept and judged by nobody, and its areas count as thin. It
    ends by itself.
    """
    setup = obj.existing(run_name)
    try:
        minutes = minutes_of(length)
    except ValueError as e:
        raise Usage("--for " + text_of(e)) from e
    if not minutes:
        raise Usage(
            Text("--for 0: 结束用 fengsui station back", "--for 0: to end it, fengsui station back")
        )
    vouch(setup, by, key)
    sys.exit(_say(setup, thing, minutes, by, reason))


@station.command("back")
@click.argument("thing")
@_BY
@click.option("--reason", default=Text("维护完毕", "done"), show_default=True)
@KEY
@RUN
@click.pass_obj
def back(obj: Shared, thing: str, by: str, reason: str, key: Path | None, run_name: str) -> None:
    """结束维护：提前恢复 THING。

    Put THING back before its time is over.
    """
    setup = obj.existing(run_name)
    vouch(setup, by, key)
    sys.exit(_say(setup, thing, 0, by, reason))


@station.command("list")
@RUN
@click.pass_obj
def list_(obj: Shared, run_name: str) -> None:
    """在维护的：谁、到何时、为什么。

    Who is in service now, until when, and why.
    """
    setup = obj.existing(run_name)
    log = open_run_log(setup)
    try:
        view = alerts_view(log)
    finally:
        log.close()
    zone = setup.district.timezone
    for s in view.in_service(run_clock(setup, view)).values():
        echo(
            Text(
                f"{s.thing} 至 {local(s.until_at, zone)} {s.by} {s.reason}",
                f"{s.thing} until {local(s.until_at, zone)} {s.by} {s.reason}",
            )
        )


def _known(setup: Setup, name: str) -> bool:
    """Is that a contact's id?"""
    if name in setup.district.contacts:
        return True
    if not (place(setup) / "contacts.db").exists():
        return False
    with ContactStore(place(setup)) as store:
        return name in store.ids()


def _say(setup: Setup, thing: str, minutes: int, by: str, reason: str) -> int:
    log = open_run_log(setup)
    try:
        record = service(
            setup.district,
            thing,
            minutes,
            by=by,
            reason=reason,
            now=now_ms() if setup.live else alerts_view(log).clock_at,
            way="command",
            known=_known(setup, by),
        )
        put(log, record)
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()
    until = local(record.until_at, setup.district.timezone)
    echo(
        Text(
            f"✓ {thing} 维护至 {until}，读数留存、不研判",
            f"✓ {thing} in service until {until}: its values are kept and judged by nobody",
        )
        if minutes
        else Text(f"✓ {thing} 结束维护，恢复研判", f"✓ {thing} is judged again")
    )
    return 0
