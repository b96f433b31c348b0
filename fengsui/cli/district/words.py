"""The command words: every text of a warning before it is needed."""

from collections.abc import Iterator
from typing import Literal

import click
import msgspec

from config.language import Text, choose
from config.records.district import District
from config.records.level import HAZARD_ZH, Action, Level
from dispatch.address.recipients import DOWNSTREAM
from dispatch.geography.downstream import areas_below, is_told
from dispatch.grade import LEVEL_KEY, Grade
from dispatch.records import Alert, Route
from dispatch.words.compose import Kind, Message, Role, instruction, write
from dispatch.words.sample import sample
from dispatch.words.spoken import seconds
from dispatch.words.wording import CATEGORY_ZH
from fengsui.cli.options import Shared
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken
from stream.wall_clock import now_ms

CHANNELS = ("sms", "app", "broadcast", "voice", "email", "cap")
_LANGUAGES: tuple[Literal["zh", "en"], ...] = ("zh", "en")
_GRADES = {
    **{word: Grade(level) for level, word in LEVEL_KEY.items()},
    # an order goes with the colour that it is usually given under
    "prepare": Grade(Level.ORANGE, Action.PREPARE),
    "move": Grade(Level.RED, Action.MOVE),
    "cancel": Grade(),
}
# audience -> how it is called, kind, role, channels
_INSIDE: dict[str, tuple[str, Kind, Role, tuple[str, ...]]] = {
    "responsible": ("责任人", "notice", "responsible", ("sms", "app", "voice", "email")),
    "observer": ("群测群防员", "notice", "observer", ("sms", "app", "email")),
    "downstream": ("下游责任人", "notice", "downstream", ("sms", "app", "voice", "email")),
    "organisation": ("邻县、单位", "organisation", "duty", ("sms", "app", "email")),
}


@click.command()
@click.argument("area")
@click.argument("hazard", type=click.Choice(tuple(HAZARD_ZH)))
@click.argument("what", metavar="LEVEL|ACTION", type=click.Choice(tuple(_GRADES)))
@click.option(
    "--channel", type=click.Choice(CHANNELS), help=spoken(Text("只看一个渠道", "one channel only"))
)
@click.option(
    "--to",
    type=click.Choice((*CATEGORY_ZH, *_INSIDE)),
    help=spoken(Text("只看一类对象 [默认全部]", "one audience only [default: all]")),
)
@click.option(
    "--lang",
    type=click.Choice(("zh", "en")),
    help=spoken(Text("只看一种语言", "one language only")),
)
@click.option(
    "--beside",
    multiple=True,
    metavar="HAZARD=LEVEL|ACTION",
    help=spoken(
        Text(
            "同一地方另一份生效的预警，如 debris_flow=move；居民等收到的是合并后的一条，可多次",
            "another warning in force in the same place, like debris_flow=move: the public gets one "
            "message of both; may be given again",
        )
    ),
)
@click.option("--drill", is_flag=True, help=spoken(Text("按演练标注", "as in an exercise")))
@click.pass_obj
def words(
    obj: Shared,
    area: str,
    hazard: str,
    what: str,
    channel: str | None,
    to: str | None,
    lang: str | None,
    beside: tuple[str, ...],
    drill: bool,
) -> None:
    """用语预览：各类对象会收到什么；LEVEL blue … red，ACTION prepare、move 或 cancel。

    What each audience would get: LEVEL blue … red, ACTION prepare or move, or cancel.
    """
    district: District = obj.district()
    if area not in district.areas:
        raise Usage(
            Text(
                f"没有预警区 {area}，有：{', '.join(district.areas)}",
                f"{area} is no area; there are {', '.join(district.areas)}",
            )
        )
    grade = _GRADES[what]
    alert = sample(
        area,
        hazard,
        grade,
        now_ms(),
        district.policy.valid_s,
        "exercise" if drill else "actual",
    )
    others = tuple(_other(alert, one) for one in beside)
    was = None if grade else Grade(Level.RED, Action.MOVE)
    shown = False
    for audience in (to,) if to else (*CATEGORY_ZH, *_INSIDE):
        for language in _LANGUAGES if lang is None else [x for x in _LANGUAGES if x == lang]:
            texts: dict[Route, list[str]] = {}
            for message, way in _messages(district, audience, language, alert, was):
                if message.kind == "public" and way != "cap":  # of CAP each hazard has its own
                    message = message._replace(beside=others)
                if channel in (None, way):
                    route = write(district, message, way)
                    texts.setdefault(msgspec.structs.replace(route, channel=""), []).append(way)
            for route, ways in texts.items():
                shown = True
                _show(route, f"{_NAMES[audience]} {audience}", ways, language)
                if "cap" in ways:
                    place = district.areas[area]
                    told = instruction(district, hazard, grade, place, language)
                    echo(f"   CAP <instruction> {told}")
    if not shown:
        every = Text(channel, channel) if channel else Text("任一渠道", "any channel")
        raise Usage(
            Text(
                f"{to or lang}: 走{every.zh}，这里什么也收不到",
                f"{to or lang}: gets nothing here by {every.en}",
            )
        )


def _other(alert: Alert, said: str) -> Alert:
    """A warning that is in force beside this one: debris_flow=move. Raises Usage."""
    hazard, _, what = said.partition("=")
    if hazard not in HAZARD_ZH or hazard == alert.hazard or what not in _GRADES:
        raise Usage(
            Text(
                f"--beside {said}: 写另一灾种=等级或指令，如 debris_flow=move",
                f"--beside {said}: write another hazard=level or order, like debris_flow=move",
            )
        )
    grade = _GRADES[what]
    other = sample(alert.area, hazard, grade, alert.sent_at, status=alert.status)
    return msgspec.structs.replace(other, id=f"preview-{hazard}", expires_at=alert.expires_at)


def _messages(
    district: District,
    audience: str,
    language: Literal["zh", "en"],
    alert: Alert,
    was: Grade | None,
) -> Iterator[tuple[Message, str]]:
    """What this audience gets, by channel. Loudspeakers speak Chinese to everybody, and the CAP feed
    is one for all; who is responsible downstream is told of the nearest area in the way."""
    if audience in _INSIDE:
        _, kind, role, ways = _INSIDE[audience]
        must = role == "responsible" and alert.msg_type != "cancel"
        message = Message(alert, kind, language, was, role, must)
        if role == DOWNSTREAM:
            grade = Grade(alert.level, alert.action)
            heard = alert.msg_type == "cancel" or is_told(grade)
            hits = areas_below(district, alert.area, alert.hazard) if heard else []
            if not hits:
                return
            message = message._replace(yours=hits[0])
        for way in ways:
            yield message, way
        return
    category = next(c for c in CATEGORY_ZH if c == audience)
    for way in CHANNELS:
        if way == "broadcast" and (audience != "resident" or language != "zh"):
            continue
        if way != "cap" or audience == "resident":
            yield Message(alert, "public", language, was, category=category), way


def _show(route: Route, audience: str, channels: list[str], lang: str) -> None:
    """One text under one line that says whose it is and how long."""
    words = choose(route.text, "en" if lang == "en" else "zh")
    line = f"── {audience} · {', '.join(channels)} · {lang}"
    head = Text(line, line)
    if "sms" in channels:
        head += Text(
            f" · {route.segments} 段，{len(words)} 字",
            f" · {route.segments} segments, {len(words)} characters",
        )
    aloud = lang == "zh" and not {"broadcast", "voice"}.isdisjoint(channels)
    if aloud:
        head += Text(f" · 约 {seconds(words):.0f} 秒", f" · about {seconds(words):.0f} seconds")
    echo(head)
    if route.title and not aloud:
        echo(f"   《{route.title}》")
    echo(f"   {words}")


_NAMES: dict[str, str] = {str(c): zh for c, zh in CATEGORY_ZH.items()}
_NAMES.update((name, row[0]) for name, row in _INSIDE.items())
COMMANDS = (words,)
