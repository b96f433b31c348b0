"""The words of a warning, from the templates of `dispatch/templates`, Chinese and English.

A template is chosen by language, audience and channel; the words of a hazard and of each level or
action stand in `advice.toml`. A name that a template asks for and nobody gives is an error, never a
hole in a warning. No name or number of a person enters a text; the area's public telephone does.

Likelihood in words: 可能, 可能性较大, 可能性大, 可能性很大 (北京市地质灾害气象风险预警 usage).
"""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from config.district import Area, District
from config.level import (
    ACTION_EN,
    ACTION_ZH,
    HAZARD_EN,
    HAZARD_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    Action,
    Level,
)
from config.quantity import QUANTITIES
from detectors.detection import Evidence
from detectors.kinds import KINDS
from dispatch.alert import Alert, Route
from dispatch.policy import Grade
from dispatch.sms_length import segments
from dispatch.spoken import moment, spoken

SMS_SEGMENTS = 3  # what an SMS may take
LATE_MS = 10 * 60_000  # newer evidence than this and the notice says that it comes late
_FOLDER = Path(__file__).parent / "templates"
_LIKELY_ZH = ("可能性较大", "可能性大", "可能性很大")  # yellow, orange, red
_LIKELY_EN = ("possible", "possible", "likely", "very likely", "almost certain")
_DRILL = {
    ("exercise", "zh"): "（演练）",
    ("exercise", "en"): "EXERCISE. ",
    ("test", "zh"): "（测试）",
    ("test", "en"): "TEST. ",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Kind = Literal["public", "notice", "organisation"]
Role = Literal["responsible", "observer", "duty"]


class Message(NamedTuple):
    """What is to be said. was: what the same audience was told before (None: nothing)."""

    alert: Alert
    kind: Kind
    lang: Literal["zh", "en"]
    was: Grade | None = None
    role: Role = "duty"
    must_answer: bool = False


@cache
def _templates() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        autoescape=False,  # plain text; the CAP writer escapes its own
        keep_trailing_newline=False,
    )


@cache
def _template(name: str) -> Template:
    return _templates().get_template(name)


@cache
def _advice() -> dict[str, dict[str, dict[str, str]]]:
    with (_FOLDER / "advice.toml").open("rb") as f:
        return tomllib.load(f)


def local(at: int, zone: str, form: str) -> str:
    """A moment (epoch ms) as it is written in the district."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime(form)


def _when(at: int, zone: str, lang: str) -> str:
    """26日18:30, 18:30 26 Jul."""
    there = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    if lang == "zh":
        return f"{there.day}日{there:%H:%M}"
    return f"{there:%H:%M} {there.day} {_MONTHS[there.month - 1]}"


def write(district: District, message: Message, channel: str) -> Route:
    """The words for one channel. Raises jinja2.UndefinedError when a template asks for what is not
    there: a fault of the program, found by the tests over every combination."""
    fields = _fields(district, message, channel)
    name = _file(message, channel)
    if channel != "sms":
        text = _template(name).render(fields, brief=0)
        return Route(channel=channel, title=_title(message, fields), text=text)
    text = ""
    for brief in range(5):  # leave out what can best be missed until it fits
        some = {**fields, "brief": brief, "evidence": fields["evidence"][: max(0, 3 - brief)]}
        if brief == 4 and message.kind == "notice":
            some["coverage"] = ""
        text = _template(name).render(some)
        if segments(text) <= SMS_SEGMENTS:
            break
    return Route(channel=channel, title="", text=text, segments=segments(text))


def _file(message: Message, channel: str) -> str:
    if message.kind != "public":
        return f"{message.lang}_{message.kind}.j2"
    spoken_out = channel == "broadcast" or (channel == "voice" and message.lang == "zh")
    form = "sms" if channel == "sms" else "broadcast" if spoken_out else "app"
    return f"{message.lang}_{form}.j2"


def _title(message: Message, fields: Mapping[str, Any]) -> str:
    """One line above the text."""
    a, zh = message.alert, message.lang == "zh"
    over = message.alert.msg_type == "cancel"
    if message.kind == "notice":
        grade = Grade(a.proposed_level, a.proposed_action) | Grade(a.level, a.action)
    else:
        grade = Grade(a.level, a.action)
    what = fields["hazard"]
    if zh:
        colour = LEVEL_ZH[grade.level] if grade.level else ""
        order = f" {ACTION_ZH[grade.action]}" if grade.action else ""
        inner = "内部" if message.kind == "notice" else ""
        end = "预警解除" if over else f"{colour}预警{order}"
        return f"{fields['drill']}{fields['place']}{inner}{what}{end}"
    colour = f" {LEVEL_EN[grade.level]}" if grade.level else ""
    order = f", {ACTION_EN[grade.action]}" if grade.action else ""
    inner = " (internal)" if message.kind == "notice" else ""
    end = " warning lifted" if over else f"{colour} warning{order}"
    return f"{fields['drill']}{_upper(what)}{end}{inner}, {fields['place']}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _fields(district: District, message: Message, channel: str) -> dict[str, Any]:
    """Every name that any template may use."""
    a, lang = message.alert, message.lang
    zh = lang == "zh"
    area, zone = district.areas[a.area], district.timezone
    force = Grade(a.level, a.action)
    proposed = Grade(a.proposed_level, a.proposed_action) | force
    was = message.was or Grade()
    words = _advice()[a.hazard][lang]
    speak = _advice()[a.hazard]["speak"]
    key = _key(force)
    at = max(
        force.level,
        {Action.PREPARE: Level.YELLOW, Action.MOVE: Level.ORANGE}.get(force.action, Level.NONE),
    )
    fields: dict[str, Any] = {
        "drill": _DRILL.get((a.status, lang), ""),
        "signature": district.signature,
        "signed": channel == "sms",
        "issuer": district.issuer if zh else district.issuer_en,
        "district": district.name if zh else district.name_en,
        "hotline": district.hotline,
        "phone": area.phone or district.hotline,
        "hazard": HAZARD_ZH[a.hazard] if zh else HAZARD_EN[a.hazard],
        "place": _place(area, lang),
        "name": area.name if zh else area.name_en,
        "shelter": area.shelter if zh else area.shelter_en,
        "route": area.route if zh else area.route_en,
        "ways": bool(force.action) or force.level >= Level.ORANGE,
        "stay": was.action == Action.MOVE > force.action,
        "over": a.msg_type == "cancel",
        "head": _head_zh(area, a, was, force) if zh else _head_en(area, a, was, force, False),
        "head_short": _head_zh(area, a, was, force) if zh else _head_en(area, a, was, force, True),
        "risk": _risk(words["event"], at, lang),
        "advice": words[key],
        "lifted": words["lifted"],
        "sent": _when(a.sent_at, zone, lang),
        "until": _when(a.expires_at, zone, lang),
        "head_spoken": spoken(_head_spoken(area, a, was, force)),
        "route_spoken": spoken(area.route),
        "shelter_spoken": spoken(area.shelter),
        "speak": speak[key],
        "speak_lifted": speak["lifted"],
        "until_spoken": moment(a.expires_at, a.sent_at, zone),
        "proposed": proposed.words().zh if zh else proposed.words().en,
        "force": (force.words().zh if zh else force.words().en) if force else "",
    }
    fields.update(_inner(district, message))
    return fields


def _inner(district: District, message: Message) -> dict[str, Any]:
    """What only those see who must act on it."""
    a, lang, zone = message.alert, message.lang, district.timezone
    zh = lang == "zh"
    measured = [e.observed_at for e in a.evidence if e.quantity != "cap"]
    seen = max((at for at in measured if at is not None), default=None)
    late = seen is not None and a.sent_at - seen > LATE_MS and a.msg_type != "cancel"
    end = ("预警到期失效", "lapsed") if a.state == "expired" else ("预警解除", "lifted")
    return {
        "authority": _office(district, a.authority, lang),
        "deadline": local(a.deadline_at, zone, "%H:%M") if a.deadline_at is not None else "",
        "suspect": a.suspect,
        "outside": any(e.quantity == "cap" for e in a.evidence),
        "evidence": [_evidence(district, e, lang) for e in a.evidence],
        "coverage": _coverage(a, lang),
        "next": local(a.next_at, zone, "%H:%M") if a.next_at is not None else "",
        "late": ("（补报）" if zh else " (late)") if late else "",
        "duty": _duty(message),
        "end": end[0] if zh else end[1],
        "answer": message.must_answer,
    }


def _key(force: Grade) -> str:
    """The row of the advice: an action says more than a colour."""
    if force.action:
        return "move" if force.action == Action.MOVE else "prepare"
    return LEVEL_EN[force.level] if force.level else "blue"


def _place(area: Area, lang: str) -> str:
    return f"{area.township}{area.name}" if lang == "zh" else f"{area.name_en}, {area.township_en}"


def _risk(event: str, level: Level, lang: str) -> str:
    if lang == "en":
        return f"{event} {_LIKELY_EN[level]}"
    if level < Level.YELLOW:
        return f"可能{event}"
    return event + _LIKELY_ZH[level - Level.YELLOW]


def _office(district: District, by: str, lang: str) -> str:
    """The office that decides, in the language."""
    if lang == "zh":
        return by or "有权人员"
    known = {o.name: o.name_en for o in district.policy.office.values()}
    return " or ".join(known.get(part, part) for part in by.split("、") if part) or "authority"


def _head_zh(area: Area, a: Alert, was: Grade, force: Grade) -> str:
    """What is in force, and how it differs from what was."""
    hazard, place = HAZARD_ZH[a.hazard], _place(area, "zh")
    if a.msg_type == "cancel":
        return f"{place}{hazard}预警" + ("到期失效" if a.state == "expired" else "解除")
    order = ACTION_ZH[force.action] if force.action else ""
    if was.action > force.action:
        order = f"转移指令调整为{order}" if order else "转移指令解除"
    elif not force.level:
        return f"{place}{hazard}转移指令：{order}"
    colour = LEVEL_ZH[force.level]
    if not force.level:
        told = f"{place}{hazard}"
    elif force.level == was.level:
        told = f"{place}{hazard}{colour}预警继续有效"
    elif not was.level:
        told = f"{place}{hazard}{colour}预警"
    else:
        told = f"{place}{hazard}预警{'升级' if force.level > was.level else '降级'}：{colour}"
    return f"{told}，{order}" if order else told


def _head_en(area: Area, a: Alert, was: Grade, force: Grade, short: bool) -> str:
    hazard = _upper(HAZARD_EN[a.hazard])
    place = area.name_en if short else _place(area, "en")
    if a.msg_type == "cancel":
        return f"{hazard} warning {'lapsed' if a.state == 'expired' else 'lifted'}: {place}"
    colour = LEVEL_EN[force.level].upper() if force.level else ""
    order = ACTION_EN[force.action].upper() if force.action else ""
    if was.action > force.action:
        order = f"now {order}" if order else "order to move lifted"
    turned = ""
    if was.level and force.level:
        turned = (" lowered to", " still", " raised to")[
            (force.level > was.level) - (force.level < was.level) + 1
        ]
    what = ", ".join(w for w in (colour, order) if w)
    return f"{hazard}{turned} {what}: {place}"


def _head_spoken(area: Area, a: Alert, was: Grade, force: Grade) -> str:
    """As the loudspeaker says it: place, hazard, colour, order, with pauses."""
    hazard, place = HAZARD_ZH[a.hazard], f"{area.township}{area.name}"
    if a.msg_type == "cancel":
        ended = "已到期失效" if a.state == "expired" else "已解除"
        return f"{place}，{hazard}预警{ended}。"
    order = f"，{ACTION_ZH[force.action]}！" if force.action else "。"
    if not force.level:
        return f"{place}，{hazard}转移指令{order}"
    colour = LEVEL_ZH[force.level]
    if not was.level:
        return f"{place}，{hazard}{colour}预警{order}"
    turned = ("降为", "仍为", "升级为")[(force.level > was.level) - (force.level < was.level) + 1]
    return f"{place}，{hazard}预警{turned}{colour}{order}"


_DUTY = {
    "move": ("请立即组织转移，逐户核实", "Start evacuation now, check every house"),
    "prepare": ("请组织转移准备，老人、儿童先走", "Prepare evacuation, old and young first"),
    "watch": ("请到岗值守，加强巡查", "Be on duty and patrol"),
    "observe": ("请在安全处观察，随时报告", "Watch from a safe place and report"),
    "decide": ("请跟踪研判，落实处置", "Follow up and act"),
}


def _duty(message: Message) -> str:
    a, n = message.alert, 0 if message.lang == "zh" else 1
    if message.role == "duty":
        return _DUTY["decide"][n]
    if message.role == "observer":
        return _DUTY["observe"][n]
    if a.action:
        return _DUTY["move" if a.action == Action.MOVE else "prepare"][n]
    return _DUTY["watch"][n]


def _evidence(district: District, e: Evidence, lang: str) -> str:
    """香屯雨量站60分钟降雨量52.3mm（阈值52mm，22:10）."""
    zh = lang == "zh"
    if e.quantity == "cap":
        return _outside(district, e, zh=zh)
    name = ("、" if zh else ", ").join(_station(district, s, zh=zh) for s in e.station.split("+"))
    if e.kind in KINDS:
        return name + _ruled(district, e, zh=zh)
    quantity = QUANTITIES.get(e.quantity)
    unit = quantity.unit if quantity else ""
    at = local(e.observed_at, district.timezone, "%H:%M") if e.observed_at is not None else ""
    limit = ""
    if e.threshold is not None:
        limit = f"阈值{e.threshold:g}{unit}" if zh else f"limit {e.threshold:g} {unit}"
    if e.quantity == "frame":
        what = f"画面{e.value:.0%}在动" if zh else f" {e.value:.0%} of the view moves"
        limit = ""
    elif zh:
        window = f"{e.window_min}分钟" if e.window_min else ""
        what = f"{window}{quantity.zh if quantity else e.quantity}{e.value:g}{unit}"
    else:
        window = f" in {e.window_min} min" if e.window_min else ""
        what = f" {e.quantity} {e.value:g} {unit}{window}"
    beside = ("，" if zh else ", ").join(x for x in (limit, at) if x)
    if not beside:
        return f"{name}{what}"
    return f"{name}{what}（{beside}）" if zh else f"{name}{what} ({beside})"


def _outside(district: District, e: Evidence, *, zh: bool) -> str:
    """区气象局发布红色预警（22:10）: another authority's word."""
    source = district.sources.source.get(e.station)
    name = (source.name if zh else source.name_en) if source else e.station
    at = local(e.observed_at, district.timezone, "%H:%M") if e.observed_at is not None else ""
    level = Level(int(e.value))
    if zh:
        return f"{name}发布{LEVEL_ZH[level]}预警（{at}）"
    return f"{name}: {LEVEL_EN[level]} warning ({at})"


def _station(district: District, station: str, *, zh: bool) -> str:
    place = district.stations.get(station)
    return (place.name if zh else place.name_en) if place else station


def _ruled(district: District, e: Evidence, *, zh: bool) -> str:
    """What a window rule made of a station: its value in the rule's own unit."""
    kind = KINDS[e.kind]
    unit = "" if kind.unit == "1" else kind.unit if zh else f" {kind.unit}"
    beside = [] if e.threshold is None else [f"{'阈值' if zh else 'limit '}{e.threshold:.3g}{unit}"]
    if e.observed_at is not None:
        beside.append(local(e.observed_at, district.timezone, "%H:%M"))
    if zh:
        return f"{kind.zh}{e.value:.3g}{unit}" + (f"（{'，'.join(beside)}）" if beside else "")
    return f" {kind.en} {e.value:.3g}{unit}" + (f" ({', '.join(beside)})" if beside else "")


def _coverage(a: Alert, lang: str) -> str:
    """How many of the area's stations speak, where not all do."""
    c = a.coverage
    if c is None or (c.live == c.expected and not a.thin):
        return ""
    if lang == "zh":
        thin = "，数据不足" if a.thin else ""
        return f"在线监测站{c.live}/{c.expected}{thin}。"
    return f" Stations live {c.live}/{c.expected}{', thin evidence' if a.thin else ''}."
