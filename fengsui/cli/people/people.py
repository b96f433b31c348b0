"""Commands about people who report and answer: roll, people."""

import sys
from collections.abc import Collection

import click
import msgspec

from config.records.district import District
from config.records.level import ACTION_EN, ACTION_ZH
from console.model.follow import Follower
from detectors.detection import Mark
from dispatch.people.contact_store import ContactStore
from dispatch.people.evacuation_roll import Roll, RollRow, RollWord
from dispatch.words.local_time import local
from fengsui.cli.options import RUN, Shared
from fengsui.run.recipients import place
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from ingest.decode.phrases import plain
from ingest.people.kept_words import Words
from ingest.people.links import Links
from stream.environment import Usage
from stream.wall_clock import now_ms

_DAYS = click.option(
    "--days", type=click.IntRange(1, 366), help="天 default: people_link_days of channels.toml"
)
_SAID = {
    "moved": ("已转移", "moved"),
    "help": ("求助", "NEEDS HELP"),
    "safe": ("平安", "safe"),
    "received": ("收到", "received"),
}


@click.command("roll")
@click.option("--area", default="", help="只看一区 one area only")
@click.option("--json", "as_json", is_flag=True, help="一行一区 a line of JSON an area")
@RUN
@click.pass_obj
def roll_(obj: Shared, area: str, as_json: bool, run_name: str) -> None:
    """转移清点 who should move, who has, who has not, who needs help. Exit code 1 while anybody
    needs help."""
    setup = obj.reader(run_name)
    if area and area not in setup.district.areas:
        raise Usage(f"没有预警区 there is no area {area!r}: areas.csv")
    rows, clock_at = read(setup)
    rows = [r for r in rows if area in ("", r.area)]
    for row in rows:
        if as_json:
            click.echo(msgspec.json.encode(row).decode())
        else:
            click.echo("\n".join(lines(setup.district, row, clock_at)))
    if not rows and not as_json:
        click.echo("没有在办的预警，也没有人求助 no warning is open, and nobody asks for help")
    sys.exit(1 if any(r.help for r in rows) else 0)


def read(setup: Setup) -> tuple[list[RollRow], int]:
    """The roll of a run now, and the run's clock."""
    log, roll, clock_at = open_run_log(setup), Roll(), 0
    try:
        for _, record in Follower(log, ("alerts", "deliveries")).take():
            roll.take(record)
            if isinstance(record, Mark):
                clock_at = max(clock_at, record.clock_at)
    finally:
        log.close()
    clock_at = now_ms() if setup.live else clock_at
    return roll.rows(setup.district, clock_at), clock_at


def lines(district: District, row: RollRow, now_at: int) -> list[str]:
    """An area in words."""
    area = district.areas[row.area]
    order = (
        f"{ACTION_ZH[row.action]} {ACTION_EN[row.action]}" if row.action else "未令转移 no order"
    )
    moved = "无人报告 nobody has said"
    if row.moved is not None:
        moved = f"{row.moved} moved, 尚余 left {row.not_yet}"
    out = [
        f"{row.area} {area.name} {area.name_en}: {order}; 应转移 should {row.should}, 已转移 {moved}"
    ]
    out += [f"  ! {_word(district, w, now_at)}" for w in row.help]
    out += [f"  {_word(district, w, now_at)}" for w in row.answers if w not in row.help]
    if row.unanswered:
        out.append(f"  未答复 have not answered: {' '.join(row.unanswered)}")
    return out


def _word(district: District, w: RollWord, now_at: int) -> str:
    zh, en = _SAID[w.what]
    count = f" {w.people} 人" if w.people is not None else ""
    old = max(0, now_at - w.at) // 60_000
    at = local(w.at, district.timezone, "%H:%M")
    return f"{zh}{count} {en}: {w.person} {w.role} {at}（{old} 分钟前 min ago）"


@click.group("people")
def people_() -> None:
    """个人报告链接 the links by which people report: link, revoke, links."""


@people_.command()
@click.argument("person")
@_DAYS
@RUN
@click.pass_obj
def link(obj: Shared, person: str, days: int | None, run_name: str) -> None:
    """发链接 a new link for PERSON (an id of the contact list); an older one is dead at once."""
    setup = obj.reader(run_name)
    if person not in _known(setup):
        raise Usage(f"联系人库中没有 {person!r} is not in the store: fengsui contacts list")
    token = Links(place(setup)).make(person, now_ms(), days or _days(setup))
    click.echo(f"{_base(setup)}/r/{token}")
    click.echo("只显示这一次，只交给本人 shown once: for this person alone", err=True)


@people_.command()
@click.argument("person")
@_DAYS
@RUN
@click.pass_obj
def renew(obj: Shared, person: str, days: int | None, run_name: str) -> None:
    """续期 the link of PERSON, the same one, lasts anew. Where it may be in other hands make a new one."""
    setup = obj.reader(run_name)
    many = days or _days(setup)
    if not Links(place(setup)).renew(person, now_ms(), many):
        raise Usage(
            f"{person}: 没有有效的链接，请重发 has no link that counts: fengsui people link"
        )
    click.echo(f"{person}: 续 {many} 天 renewed for {many} days")


@people_.command()
@click.argument("person")
@RUN
@click.pass_obj
def revoke(obj: Shared, person: str, run_name: str) -> None:
    """停用链接 the link of PERSON is dead at once."""
    if not Links(place(obj.reader(run_name))).revoke(person):
        raise Usage(f"{person}: 没有链接 has no link")
    click.echo(f"{person}: 已停用 revoked")


@people_.command()
@click.option("--ending", is_flag=True, help="只看快到期的 only those that end within 14 days")
@RUN
@click.pass_obj
def links(obj: Shared, ending: bool, run_name: str) -> None:
    """谁有链接 who has a link, and until when."""
    setup, now = obj.reader(run_name), now_ms()
    found = Links(place(setup))
    soon = found.ending(now)
    for person, one in sorted(found.read().items()):
        until = local(one.until_at, setup.district.timezone, "%Y-%m-%d")
        over = " 快到期 ends soon" if person in soon else ""
        over = " 已过期 over" if one.until_at <= now else over
        if person in soon or not ending:
            click.echo(f"{person} 至 until {until}{over}")


@people_.command()
@click.argument("ident", default="")
@RUN
@click.pass_obj
def words(obj: Shared, ident: str, run_name: str) -> None:
    """来信原话 what people wrote that the machine could not read, newest first, or the one of IDENT.
    Kept for three days."""
    setup = obj.reader(run_name)
    if not (place(setup) / "people-words.db").exists():
        click.echo("没有没看懂的来信 there is no message that could not be read")
        return
    store = Words(place(setup))
    try:
        kept = store.read(now_ms() if setup.live else 0)
    finally:
        store.close()
    for one in kept:
        if ident in ("", one.id):
            at = local(one.at, setup.district.timezone, "%m-%d %H:%M")
            click.echo(f"{one.id} {at} {one.area} {one.person}: {plain(one.text)}")
    if ident and ident not in {one.id for one in kept}:
        raise Usage(f"{ident}: 没有，或已过三天 is not there, or is over")


def _days(setup: Setup) -> int:
    return setup.district.channels.people_link_days


def _known(setup: Setup) -> Collection[str]:
    """Ids of the run's store; of contacts.csv before its first start."""
    if not (place(setup) / "contacts.db").exists():
        return setup.district.contacts.keys()
    with ContactStore(place(setup)) as store:
        return set(store.ids())


def _base(setup: Setup) -> str:
    """Where people find the page."""
    file = place(setup) / "people.url"
    if setup.live and setup.district.channels.people_url:
        return setup.district.channels.people_url.rstrip("/")
    return file.read_text().strip() if file.exists() else "http://HOST:PORT"
