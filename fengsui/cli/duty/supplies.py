"""`fengsui supplies` and `fengsui instruct`: the plan's supplies and orders in writing, for whoever has no
browser. What a person does here is the same record as on the duty room's page, and decide judges the right to
it alike."""

import json
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import click

from config.language import Text, text_of
from config.records.district import District
from config.records.level import HAZARD_ZH
from console.acts.submit import Place, Saying, decisions, submit
from console.model.view import View
from dispatch.decide.plan.draft import draft, paragraphs
from dispatch.decide.plan.instruct import addressees
from dispatch.decide.plan.stock import stocked
from dispatch.grade import Grade
from dispatch.records import Alert
from fengsui.cli.options import KEY, RUN, WAIT, Shared
from fengsui.run.run_log import open_run_log
from fengsui.run.run_view import alerts_view, run_clock
from fengsui.run.setup import Setup
from fengsui.run.signing import sign_as
from fengsui.run.terminal import echo
from fengsui.status.orders import QUEUED
from stream.environment import Usage, spoken

_MOST = 2000  # characters of an order, as on the page
_OUTCOME = {"done": "✓", "already": "=", "refused": "✗"}
BY = click.option(
    "--by",
    required=True,
    help=spoken(Text("操作人代号", "opaque id of the person, of officers.csv")),
)
_INCIDENT = click.option(
    "--incident",
    default="",
    help=spoken(Text("哪一次事件的 [正在进行的]", "of which incident [the one that is open]")),
)


@click.group("supplies")
def supplies() -> None:
    """物资：每种还有多少可用，多少预留、领出，归哪次事件；reserve、issue、restore 动用它们。

    Supplies: how many of each are free, reserved and out, and for which incident; reserve, issue and restore
    use them.
    """


@supplies.command("list")
@click.option(
    "--json", "as_json", is_flag=True, help=spoken(Text("一行一条 JSON", "one JSON object a line"))
)
@RUN
@click.pass_obj
def list_(obj: Shared, as_json: bool, run_name: str) -> None:
    """物资数目：每种还有多少可用，多少预留、领出，归哪次事件。

    How many of each supply are free, reserved and out, and for which incident.
    """
    setup = obj.existing(run_name)
    view = _read(setup)
    plans = setup.district.plans.supplies
    for name in plans:
        echo(json.dumps(plain(setup.district, view, name), ensure_ascii=False) if as_json
             else line(setup.district, view, name))  # fmt: skip
    if not plans and not as_json:
        echo(Text("本区没有 supplies.csv", "there is no supplies.csv"))


def line(district: District, view: View, name: str) -> Text:
    """One supply in words."""
    supply, now = district.plans.supplies[name], stocked(district, view.stock, name)
    zh, en = supply.unit, supply.unit_en or supply.unit
    held = "；".join(f"{i} {h.reserved}/{h.out}" for i, h in view.stock.get(name, {}).items())
    return Text(
        f"{name} {supply.name}：可用 {now.free}/{now.quantity} {zh}，预留 {now.reserved}，领出 {now.out}",
        f"{name} {supply.name_en}: {now.free} of {now.quantity} {en} free, {now.reserved} reserved, "
        f"{now.out} out",
    ) + Text(
        f" · {supply.place} · 保管 {supply.keeper}",
        f" · {supply.place_en or supply.place} · keeper {supply.keeper}",
    ) + (f" · {held}" if held else "")  # fmt: skip


def plain(district: District, view: View, name: str) -> dict[str, object]:
    """One supply for a program. held: incident -> reserved, out."""
    supply, now = district.plans.supplies[name], stocked(district, view.stock, name)
    return {
        "id": name, "name": supply.name, "name_en": supply.name_en, "unit": supply.unit,
        "unit_en": supply.unit_en, "quantity": now.quantity, "free": now.free,
        "reserved": now.reserved, "out": now.out,
        "place": supply.place, "place_en": supply.place_en, "keeper": supply.keeper,
        "held": {i: [h.reserved, h.out] for i, h in view.stock.get(name, {}).items()},
    }  # fmt: skip


def _moving(act: str, words: Text) -> Callable[..., None]:
    """The subcommand of one act upon a supply."""

    @supplies.command(act, help=spoken(words))
    @click.argument("supply")
    @click.argument("count", type=click.IntRange(1, 10_000_000))
    @BY
    @_INCIDENT
    @click.option("--note", default="", help=spoken(Text("说明", "a note")))
    @KEY
    @RUN
    @WAIT
    @click.pass_obj
    def command(
        obj: Shared, supply: str, count: int, by: str, incident: str, note: str,
        key: Path | None, run_name: str, wait_s: float,
    ) -> None:  # fmt: skip
        setup = obj.existing(run_name)
        if supply not in setup.district.plans.supplies:
            known = " ".join(setup.district.plans.supplies)
            raise Usage(
                Text(
                    f"没有物资 {supply!r}，有：{known}", f"no supply {supply!r}; there are: {known}"
                )
            )
        said = Saying(
            act, by, note or f"{act} {count}", supply=supply, amount=count, incident=incident
        )
        sys.exit(_submit(setup, said, Place("", ""), key, wait_s))

    return command


_WAYS = {
    "reserve": Text(
        "预留：COUNT 件 SUPPLY 留给正在进行的事件，别处不能再用。",
        "Keep COUNT of SUPPLY for the incident that is open: nobody else can use it.",
    ),
    "issue": Text(
        "领出：COUNT 件 SUPPLY 交给领用的人，先用预留的。",
        "COUNT of SUPPLY go out, what was reserved first.",
    ),
    "restore": Text(
        "归还领出的，或取消预留：COUNT 件 SUPPLY。",
        "COUNT of SUPPLY are back, or no longer reserved.",
    ),
}
_EXITS = Text("退出码：0 已办 · 1 不予 · 3 排队。", "Exit codes: 0 done · 1 refused · 3 queued.")
for _act, _words in _WAYS.items():
    _moving(_act, _words + " " + _EXITS)


@click.group("instruct")
def instruct() -> None:
    """指令：按规则起草，改过再由本人签发给未办任务的责任人。

    Orders in writing: drafted by rule, mended by a person and signed, to those whose the open tasks are.
    """


@instruct.command("draft")
@click.argument("area")
@click.argument("hazard", type=click.Choice(list(HAZARD_ZH)))
@click.option(
    "--text",
    "bare",
    is_flag=True,
    help=spoken(
        Text("只要草稿，不写出处，供修改", "the draft alone, without sources, to be mended")
    ),
)
@RUN
@click.pass_obj
def draft_(obj: Shared, area: str, hazard: str, bare: bool, run_name: str) -> None:
    """指令草稿：预案原文、按规则生成的草稿，每句的出处，和会收到的人；什么也不发。

    What the plan says, the draft by rule, each sentence with its source, and who would get it; nothing is sent.
    """
    setup = obj.existing(run_name)
    view, d = _read(setup), setup.district
    alert = _open(view, d, area, hazard)
    grade = Grade(alert.proposed_level, alert.proposed_action) | Grade(alert.level, alert.action)
    sentences = draft(d, area, hazard, grade, view.stock)
    if bare:
        for s in sentences:
            echo(s.words)
        return
    for p in paragraphs(d, hazard, grade):
        echo(Text(f"预案 {p.source} {p.id}：{p.text}", f"plan, {p.source_en} {p.id}: {p.text_en}"))
    for s in sentences:
        echo("· " + s.words + Text("（出处：", " (source: ") + s.source + Text("）", ")"))
    to = addressees(d, view.courses, alert.id, d.areas[area])
    nobody = Text("没有人可送达，请打电话", "nobody can be reached: telephone")
    echo(Text("签发后送给：", "signed, it goes to: ") + (" ".join(to) or nobody))


@instruct.command("sign")
@click.argument("area")
@click.argument("hazard", type=click.Choice(list(HAZARD_ZH)))
@click.option(
    "--file",
    "source",
    type=click.File("r", encoding="utf-8"),
    required=True,
    help=spoken(Text("指令全文；- 从标准输入读", "the whole order; - reads standard input")),
)
@BY
@KEY
@RUN
@WAIT
@click.pass_obj
def sign_(
    obj: Shared, area: str, hazard: str, source: TextIO, by: str,
    key: Path | None, run_name: str, wait_s: float,
) -> None:  # fmt: skip
    """签发指令：文件里的全文照原样送给本区未办任务的责任人，须应答，并记录在案。

    退出码：0 已签发 · 1 不予 · 3 排队。

    Sign an order: the text as it stands goes to those whose the area's open tasks are, who must answer.

    Exit codes: 0 signed · 1 refused · 3 queued.
    """
    setup = obj.existing(run_name)
    try:
        words = source.read().strip()
    except UnicodeDecodeError as e:
        raise Usage(Text("--file 不是 UTF-8 文字", "--file is no UTF-8 text")) from e
    if not 0 < len(words) <= _MOST:
        raise Usage(
            Text(f"指令须有 1–{_MOST} 字，这里 {len(words)} 字",
                 f"an order has 1 to {_MOST} characters, this one {len(words)}")
        )  # fmt: skip
    alert = _open(_read(setup), setup.district, area, hazard)
    place = Place(area, hazard, alert.id, alert.version)
    sys.exit(_submit(setup, Saying("instruct", by, words), place, key, wait_s))


def _read(setup: Setup) -> View:
    log = open_run_log(setup)
    try:
        return alerts_view(log)
    finally:
        log.close()


def _open(view: View, district: District, area: str, hazard: str) -> Alert:
    """The warning of an area and hazard that is open. Raises Usage."""
    if area not in district.areas:
        raise Usage(
            Text(
                f"{district.id} 没有预警区 {area!r}", f"there is no area {area!r} in {district.id}"
            )
        )
    for alert in view.open_alerts():
        if (alert.area, alert.hazard) == (area, hazard):
            return alert
    raise Usage(
        Text(
            f"{area} 没有进行中的{HAZARD_ZH[hazard]}预警",
            f"no warning of {hazard} is open in {area}",
        )
    )


def _submit(setup: Setup, said: Saying, place: Place, key: Path | None, wait_s: float) -> int:
    """What came of it, in words; the exit code."""
    log = open_run_log(setup)
    try:
        sign = sign_as(setup, log, said.by, key)
        now = run_clock(setup, alerts_view(log))
        wanted = decisions(said, [place], now, secrets.token_hex(8))
        answers = submit(log, wanted, wait_s, sign)
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()
    if not answers:
        echo(Text("… 已记录，decide 尚未处理", "… queued, decide has not answered"))
        return QUEUED
    (answer,) = answers.values()
    echo(f"{_OUTCOME[answer.outcome]} " + text_of(answer.answer), err=answer.outcome == "refused")
    return 1 if answer.outcome == "refused" else 0
