"""A person's order in writing to those whose the area's tasks are, and the call again (抽查) to who was drawn:
one delivery each, which no later version replaces and which asks for an answer. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal

from config.language import Text, choose, zh
from config.records.district import Contact, District
from dispatch.decide.plan.instruct import addressees
from dispatch.decide.plan.tasks import Course
from dispatch.notices import (
    INSTRUCTION,
    NOTICE_VALID_MS,
    RECHECK,
    drill_mark,
    instruction_title,
    person_notice,
)
from dispatch.proving.codes import asking, blank
from dispatch.proving.draw import candidates, drawn
from dispatch.records import Decision, Delivery, delivery_id
from dispatch.words.sms_length import person_route

_ANSWER = Text("收到请回复。", "Please answer.")
_WITHIN_MS = 5 * 60_000


def instruction(
    district: District, courses: Mapping[str, Course], decision: Decision, live: bool, at: int
) -> list[Delivery]:
    """at: the clock of the line, epoch ms. Nobody where the warning is over by now."""
    area = district.areas.get(decision.area)
    if area is None:
        return []
    officers = addressees(district, courses, decision.alert, area)
    contacts = dict.fromkeys(district.officers[o].contact for o in officers)
    known = (district.contacts.get(c) for c in contacts)
    return [_delivery(district, decision, live, at, c) for c in known if c is not None]


def _delivery(district: District, decision: Decision, live: bool, at: int, to: Contact) -> Delivery:
    name = f"{INSTRUCTION}{decision.alert}:{decision.order}"
    heading = choose(drill_mark(live) + instruction_title(decision.by), to.lang)
    # the words that every notice that must be answered ends with
    words = f"{heading}：{zh(decision.reason)}\n{choose(_ANSWER, to.lang)}"
    lang: Literal["zh", "en"] = "en" if to.lang == "en" else "zh"
    proving = district.policy.proving
    code = blank(proving.digits) if proving.code else ""
    texts = [
        (channel, zh(asking(words, lang, channel, code)) if code else words)
        for channel in to.channels
        if channel != "voice"
    ]
    return _notice(district, decision, live, at, to, name, heading, texts, code)


def called_again(district: District, decision: Decision, live: bool, at: int) -> list[Delivery]:
    """To who was drawn, by telephone first. The warning's name is another than before, and so is the code."""
    area, proving = district.areas.get(decision.area), district.policy.proving
    if area is None or not proving.code:
        return []
    among = candidates(district, area.id)
    names = drawn(among, decision.hash, proving.recheck_share, decision.count)
    return [_again(district, decision, live, at, district.contacts[who]) for who in names]


def _again(district: District, decision: Decision, live: bool, at: int, to: Contact) -> Delivery:
    area = district.areas[decision.area]
    name = f"{RECHECK}{decision.hash[:16]}:{decision.alert}"
    lang: Literal["zh", "en"] = "en" if to.lang == "en" else "zh"
    words = choose(
        drill_mark(live)
        + Text(
            f"抽查：{area.name}的叫应和转移。请核实人是否都已转移。",
            f"Re-check of {area.name_en}: see whether everybody has moved.",
        ),
        lang,
    )
    code = blank(district.policy.proving.digits)
    by = sorted(to.channels, key=lambda c: c != "voice")
    texts = [(channel, zh(asking(words, lang, channel, code))) for channel in by]
    return _notice(district, decision, live, at, to, name, words, texts, code)


def _notice(
    district: District,
    decision: Decision,
    live: bool,
    at: int,
    to: Contact,
    name: str,
    title: str,
    texts: Sequence[tuple[str, str]],
    code: str = "",
) -> Delivery:
    """One that must be answered. texts: channel and words, first way first; an SMS says first who sends it."""
    routes = (person_route(c, district.signature, words, title) for c, words in texts)
    return person_notice(
        delivery_id(name, 1, to.id),
        name,
        to.id,
        tuple(routes),
        at,
        live=live,
        within_ms=_WITHIN_MS,
        expires_at=at + NOTICE_VALID_MS,
        lang=to.lang,
        area=decision.area,
        hazard=decision.hazard,
        must_answer=True,
        category=to.kind,
        code=code,
    )
