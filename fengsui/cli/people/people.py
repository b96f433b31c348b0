"""Commands about people who report and answer: roll, people."""

import sys
from collections.abc import Collection

import click
import msgspec

from config.language import Text, en, zh
from config.records.district import District
from config.records.level import ACTION_EN, ACTION_ZH
from console.model.follow import Follower
from detectors.detection import Mark
from dispatch.decide.reports.moved import HOW_WORDS
from dispatch.people.contact_store import ContactStore
from dispatch.people.evacuation_roll import Roll, RollRow, RollWord
from dispatch.people.outings import Outing
from dispatch.proving.heard import Heard
from dispatch.proving.rechecks import Recheck
from dispatch.proving.transfers import WHY_WORDS, Sums
from dispatch.words.local_time import local
from fengsui.cli.options import RUN, Shared
from fengsui.review.incident.names import ROLE_WORDS
from fengsui.run.recipients import place
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from ingest.decode.phrases import plain
from ingest.people.kept_words import Words
from ingest.people.links import Links
from stream.environment import Usage, spoken
from stream.wall_clock import now_ms

_DAYS = click.option(
    "--days",
    type=click.IntRange(1, 366),
    help=spoken(
        Text(
            "有效几天 [channels.toml 的 people_link_days]",
            "days that it counts [people_link_days of channels.toml]",
        )
    ),
)
CAME = {
    "open": Text("未答", "not answered yet"),
    "passed": Text("✓ 码对", "✓ the code is right"),
    "failed": Text("✗ 未应，已告诉上级", "✗ not answered, the superiors were told"),
}
HOW_STRONG = {
    "": Text("无回音", "silent"),
    "received": Text("已送到", "delivered"),
    "read": Text("说收到，无确认码", "said so, without the code"),
    "code": Text("确认码对", "the code is right"),
    "acted": Text("已办，有据", "done, and proved"),
}
_SAID = {
    "moved": Text("已转移", "moved"),
    "help": Text("求助", "NEEDS HELP"),
    "safe": Text("平安", "safe"),
    "received": Text("收到", "received"),
}


@click.command("roll")
@click.option("--area", default="", help=spoken(Text("只看一区", "one area only")))
@click.option(
    "--json", "as_json", is_flag=True, help=spoken(Text("一行一区 JSON", "a line of JSON an area"))
)
@RUN
@click.pass_obj
def roll_(obj: Shared, area: str, as_json: bool, run_name: str) -> None:
    """转移清点：谁该转移、谁已转移、谁还没有、谁需要帮助。有人需要帮助时退出码为 1。

    Who should move, who has, who has not, who needs help. Exit code 1 while anybody needs help.
    """
    setup = obj.existing(run_name)
    if area and area not in setup.district.areas:
        raise Usage(
            Text(f"没有预警区 {area!r}，见 areas.csv", f"there is no area {area!r}, see areas.csv")
        )
    rows, clock_at = read(setup)
    rows = [r for r in rows if area in ("", r.area)]
    for row in rows:
        if as_json:
            echo(msgspec.json.encode(row).decode())
        else:
            for text in lines(setup.district, row, clock_at):
                echo(text)
    if not rows and not as_json:
        echo(Text("没有在办的预警，也没有人求助", "no warning is open, and nobody asks for help"))
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


def lines(district: District, row: RollRow, now_at: int) -> list[Text]:
    """An area in words."""
    area = district.areas[row.area]
    order = Text("未令转移", "no order")
    if row.action:
        order = Text(ACTION_ZH[row.action], ACTION_EN[row.action])
    moved = Text("无人报告已转移", "nobody has said who moved")
    if row.moved is not None:
        moved = Text(
            f"已转移 {row.moved}，尚余 {row.not_yet}", f"moved {row.moved}, left {row.not_yet}"
        )
    out = [
        Text(
            f"{row.area} {area.name}: {order.zh}；应转移 {row.should}，{moved.zh}",
            f"{row.area} {area.name_en}: {order.en}; should move {row.should}, {moved.en}",
        )
    ]
    if row.transfers is not None:
        out += ["  " + text for text in _proved(row.transfers)]
    if row.guests is not None:
        out.append(Text(f"  今晚游客 {row.guests} 人", f"  guests tonight: {row.guests}"))
    if row.closed is not None:
        until = local(row.closed.until_at, district.timezone)
        at = local(row.closed.at, district.timezone)
        proof = Text("，有照片", ", with a photo") if row.closed.photo else Text("", "")
        out.append(
            Text(
                f"  封沟到 {until}：{row.closed.by} {at}{proof.zh}",
                f"  closed until {until}: {row.closed.by} {at}{proof.en}",
            )
        )
    out += ["  ! " + _word(district, w, now_at) for w in row.help]
    out += ["  " + _word(district, w, now_at) for w in row.answers if w not in row.help]
    out += ["  " + _again(district, r) for r in row.rechecks]
    out += ["  " + _out_there(district, o, now_at) for o in row.field]
    out += ["  " + _strong(h) for h in row.heard]
    if row.unanswered:
        out.append(
            Text(
                f"  未答复：{' '.join(row.unanswered)}",
                f"  have not answered: {' '.join(row.unanswered)}",
            )
        )
    return out


def _proved(s: Sums) -> list[Text]:
    """A move by its ways, and what each report rests on."""
    unsafe = Text(f"，上楼不安全 {s.unsafe}", f", upstairs not safe {s.unsafe}") if s.unsafe else ""
    out = [
        Text(
            f"有据 {s.proven}、未证实 {s.unproven}、未到 {s.not_reached}",
            f"proven {s.proven}, unproven {s.unproven}, not reached {s.not_reached}",
        )
        + unsafe
    ]
    for r in s.rows:
        seen = Text(" 证人 ", " witness ") + " ".join(r.witnesses) if r.witnesses else Text("", "")
        mark = "✓ " if r.proven else "✗ " if r.why == "unsafe" else "? "
        why = WHY_WORDS[r.why] if not r.proven else Text("", "")
        out.append(mark + HOW_WORDS[r.how] + f" {r.people} {r.person}" + seen + " " + why)
    return out


def _strong(h: Heard) -> Text:
    """How strong an answer is (叫应)."""
    wrong = Text(f"，错 {h.wrong} 次", f", {h.wrong} wrong") if h.wrong else Text("", "")
    mark = "✓ " if h.proven else "? " if h.strength == "read" else "✗ "
    return mark + Text(h.person + " ", h.person + " ") + HOW_STRONG[h.strength] + wrong


def _again(district: District, r: Recheck) -> Text:
    """Who was called again, and how that went."""
    at = local(r.at, district.timezone, "%H:%M")
    return Text(f"抽查 {at} {r.person} ", f"re-check {at} {r.person} ") + CAME[r.state]


def _out_there(district: District, o: Outing, now_at: int) -> Text:
    """Who is out, since when, and whether they are past their time."""
    out, last = (local(t, district.timezone, "%H:%M") for t in (o.out_at, o.last_at))
    proving = district.policy.proving
    late = bool(proving.check_back_min) and now_at >= o.due_at(proving)
    mark = Text("✗ 过时没有消息：", "✗ SILENT: ") if late else Text("在外：", "out there: ")
    return mark + Text(
        f"{o.person} {out} 出发，最后消息 {last}", f"{o.person} since {out}, last word {last}"
    )


def _word(district: District, w: RollWord, now_at: int) -> Text:
    said = _SAID[w.what]
    if w.people is not None:
        said += Text(f" {w.people} 人", f" {w.people} people")
    old = max(0, now_at - w.at) // 60_000
    at = local(w.at, district.timezone, "%H:%M")
    role = ROLE_WORDS.get(w.role, Text("", ""))  # "" of whoever is no longer on the list
    return said + Text(
        f"：{w.person} {role.zh} {at}（{old} 分钟前）", f": {w.person} {role.en} {at} ({old} min ago)"
    )


@click.group("people")
def people_() -> None:
    """个人报告链接：村民报告用的链接；link, revoke, links。

    The links by which people report: link, revoke, links.
    """


@people_.command()
@click.argument("person")
@_DAYS
@RUN
@click.pass_obj
def link(obj: Shared, person: str, days: int | None, run_name: str) -> None:
    """发链接：给 PERSON（联系人代号）一个新的；旧的立即失效。

    A new link for PERSON (an id of the contact list); an older one is dead at once.
    """
    setup = obj.existing(run_name)
    if person not in _known(setup):
        raise Usage(
            Text(
                f"联系人库中没有 {person!r}，见 fengsui contacts list",
                f"{person!r} is not in the store, see fengsui contacts list",
            )
        )
    token = Links(place(setup)).make(person, now_ms(), days or _days(setup))
    echo(f"{_base(setup)}/r/{token}")
    echo(Text("只显示这一次，只交给本人", "shown once: for this person alone"), err=True)


@people_.command()
@click.argument("person")
@_DAYS
@RUN
@click.pass_obj
def renew(obj: Shared, person: str, days: int | None, run_name: str) -> None:
    """续期：PERSON 的同一链接重新计期。可能落在别人手里的，请发新的。

    The link of PERSON, the same one, lasts anew. Where it may be in other hands make a new one.
    """
    setup = obj.existing(run_name)
    many = days or _days(setup)
    if not Links(place(setup)).renew(person, now_ms(), many):
        raise Usage(
            Text(
                f"{person}: 没有有效的链接，请用 fengsui people link 重发",
                f"{person}: has no link that counts, make one by fengsui people link",
            )
        )
    echo(Text(f"{person}: 续 {many} 天", f"{person}: renewed for {many} days"))


@people_.command()
@click.argument("person")
@RUN
@click.pass_obj
def revoke(obj: Shared, person: str, run_name: str) -> None:
    """停用链接：PERSON 的链接立即失效。

    The link of PERSON is dead at once.
    """
    if not Links(place(obj.existing(run_name))).revoke(person):
        raise Usage(Text(f"{person}: 没有链接", f"{person}: has no link"))
    echo(Text(f"{person}: 已停用", f"{person}: revoked"))


@people_.command()
@click.option(
    "--ending",
    is_flag=True,
    help=spoken(Text("只看两周内到期的", "only those that end within 14 days")),
)
@RUN
@click.pass_obj
def links(obj: Shared, ending: bool, run_name: str) -> None:
    """谁有链接，到何时。

    Who has a link, and until when.
    """
    setup, now = obj.existing(run_name), now_ms()
    found = Links(place(setup))
    soon = found.ending(now)
    for person, one in sorted(found.read().items()):
        until = local(one.until_at, setup.district.timezone, "%Y-%m-%d")
        over = Text(" 快到期", " ends soon") if person in soon else ""
        over = Text(" 已过期", " over") if one.until_at <= now else over
        if person in soon or not ending:
            echo(Text(f"{person} 至 {until}{zh(over)}", f"{person} until {until}{en(over)}"))


@people_.command()
@click.argument("ident", default="")
@RUN
@click.pass_obj
def words(obj: Shared, ident: str, run_name: str) -> None:
    """来信原话：机器没看懂的来信，最新的在前；或 IDENT 那一条。只存三天。

    What people wrote that the machine could not read, newest first, or the one of IDENT. Kept for three days.
    """
    setup = obj.existing(run_name)
    if not (place(setup) / "people-words.db").exists():
        echo(Text("没有没看懂的来信", "there is no message that could not be read"))
        return
    store = Words(place(setup))
    try:
        kept = store.read(now_ms() if setup.live else 0)
    finally:
        store.close()
    for one in kept:
        if ident in ("", one.id):
            at = local(one.at, setup.district.timezone, "%m-%d %H:%M")
            echo(f"{one.id} {at} {one.area} {one.person}: {plain(one.text)}")
    if ident and ident not in {one.id for one in kept}:
        raise Usage(Text(f"{ident}: 没有，或已过三天", f"{ident}: is not there, or is over"))


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
