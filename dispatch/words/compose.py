"""The words of a warning, from the templates of `dispatch/words/templates`, Chinese and English.

A template is chosen by language, audience and channel; the words of a hazard and of each level or
action stand in `advice.toml`, those of an audience in `audience.toml`; a district may put its own over
them (`dispatch.words.wording`). No name or number of a person enters a text; the area's public telephone does.

A colour is what is foreseen, an order to move is the county's command: where a message has both, each is
named for what it is (预警, 转移指令). Likelihood in words: `dispatch.words.likelihood`. Who released it
(`dispatch.words.issuer`) and when is in every public text, however short.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

import msgspec

from config.language import zh
from config.records.district import Area, District
from config.records.level import HAZARD_EN, HAZARD_ZH, LEVEL_EN, Action, Level, orders_zh
from dispatch.geography.downstream import Hit, is_told
from dispatch.grade import Grade
from dispatch.proving.codes import asking
from dispatch.records import Alert, Route
from dispatch.words.arrival import (
    aloud,
    arrival,
    below_in_words,
    in_public,
    in_short,
    yours_in_words,
)
from dispatch.words.closed_place import closed_texts, closed_words
from dispatch.words.evidence import coverage, evidence, office, seen_itself
from dispatch.words.headline import (
    DRILL,
    head_en,
    head_spoken,
    head_zh,
    place_of,
    title,
    two_things,
)
from dispatch.words.issuer import issuer
from dispatch.words.likelihood import risk
from dispatch.words.local_time import local, when
from dispatch.words.sample import sample
from dispatch.words.sms_length import segments, shorter
from dispatch.words.spoken import moment, seconds, spoken, telephone
from dispatch.words.together import (
    Together,
    keeps,
    said_aloud,
    said_en,
    said_zh,
    title_of,
    together,
)
from dispatch.words.wording import (
    BY_KIND,
    OURS,
    Category,
    Wording,
    of_audience,
    says_where,
    wording,
)

# what an SMS may take; English takes more room, and who released it and when is never cut
SMS_SEGMENTS = {"zh": 3, "en": 4}
NOTICE_SEGMENTS = 3  # ... and one for those who must act
SPOKEN_S = 20.0  # a loudspeaker's text, once
LATE_MS = 10 * 60_000  # newer evidence than this and the notice says that it comes late

Kind = Literal["public", "notice", "organisation"]
_Forms = Sequence[Mapping[str, Any]]  # of a text, the whole first
Role = Literal["responsible", "observer", "duty", "downstream"]


class Message(NamedTuple):
    """What is to be said. was: what the same audience was told before (None: nothing, or it is not
    sure). category: of a public one's reader. yours: the area of theirs that lies downstream, of a
    notice to those. moved: somebody may have been told to move before. beside: of the other warnings
    of the place that its reader knows, the newest (one that has just ended, too). closed: the place
    is 封沟. code: the blank of the code that an answer needs (dispatch.proving.codes), "" none."""

    alert: Alert
    kind: Kind
    lang: Literal["zh", "en"]
    was: Grade | None = None
    role: Role = "duty"
    must_answer: bool = False
    category: Category = "resident"
    yours: Hit | None = None
    moved: bool = False
    beside: tuple[Alert, ...] = ()
    closed: bool = False
    code: str = ""


def write(district: District, message: Message, channel: str) -> Route:
    """The words for one channel. Raises jinja2.UndefinedError when a template asks for what is not
    there: `dispatch.words.check` has refused such a template before anything started."""
    return ways(district, message, (channel,))[0]


def ways(district: District, message: Message, channels: Sequence[str]) -> tuple[Route, ...]:
    """As `write`, of several channels."""
    words = wording(district.folder, district.version)
    area, notice = district.areas[message.alert.area], message.kind == "notice"
    numbers = district.policy.level_numbers
    above = title(area, message.alert, message.lang, notice=notice, numbers=numbers)
    if message.beside:
        was = message.was.action if message.was else Action.NONE
        t = together(area, message.alert, message.beside, was, numbers)
        above = title_of(t, message.lang)
        forms = _fields_together(district, words, message, t)
    else:
        forms = [_fields(district, words, message)]
    return tuple(_way(area, words, message, c, above, forms) for c in channels)


def _way(
    area: Area, words: Wording, message: Message, channel: str, above: str, forms: _Forms
) -> Route:
    notice, template = message.kind == "notice", words.templates.get_template(template_of(message, channel))
    if channel == "sms":
        forms = [{**f, "signed": True} for f in forms]
    sms, aloud_once = channel == "sms", template_of(message, channel) == "zh_broadcast.j2"
    most = SMS_SEGMENTS[message.lang] if message.kind == "public" else NOTICE_SEGMENTS
    tries: Iterable[str] = shorter(template, forms, sms=sms, notice=notice)
    if message.closed:  # left out only where it would not fit in any way
        over = message.alert.msg_type == "cancel"
        said = closed_texts(template, forms, area, message.lang, sms=sms, over=over)
        tries = chain(said, tries)
    if message.code:
        tries = (zh(asking(t, message.lang, channel, message.code)) for t in tries)
    text = ""
    for text in tries:
        if segments(text) <= most if sms else not aloud_once or seconds(text) <= SPOKEN_S:
            break
    if sms:
        return Route(channel=channel, title="", text=text, segments=segments(text))
    return Route(channel=channel, title=above, text=text)


def template_of(message: Message, channel: str) -> str:
    """The file of `templates` that says it. A call is spoken in Chinese; in English the calling
    platform reads the app's sentence."""
    call = channel == "voice" and message.lang == "zh"
    if message.kind == "notice" and call:
        return "zh_call.j2"
    if message.kind != "public":
        return f"{message.lang}_{message.kind}.j2"
    if (
        channel == "broadcast_platform"
    ):  # it speaks, and Chinese alone (dispatch/channels/declared.py)
        return "zh_broadcast.j2"
    form = "sms" if channel == "sms" else "broadcast" if channel == "broadcast" or call else "app"
    return f"{message.lang}_{form}.j2"


def _fields(district: District, words: Wording, message: Message) -> dict[str, Any]:
    """Every name that any template may use."""
    a, lang = message.alert, message.lang
    zh, numbers = lang == "zh", district.policy.level_numbers
    area, zone = district.areas[a.area], district.timezone
    force = Grade(a.level, a.action)
    proposed = Grade(a.proposed_level, a.proposed_action) | force
    was = message.was or Grade()
    advice = words.advice[a.hazard][lang]
    at = max(
        force.level,
        {Action.PREPARE: Level.YELLOW, Action.MOVE: Level.ORANGE}.get(force.action, Level.NONE),
    )
    fields: dict[str, Any] = {
        "drill": DRILL.get((a.status, lang), ""),
        "signature": district.signature,
        "signed": False,  # an SMS is
        "issuer": issuer(district, a, lang),
        "issuer_short": issuer(district, a, lang, short=True),
        "district": district.name if zh else district.name_en,
        "hotline": district.hotline,
        "phone": area.phone or district.hotline,
        "hazard": HAZARD_ZH[a.hazard] if zh else HAZARD_EN[a.hazard],
        "place": place_of(area, lang),
        "name": area.name if zh else area.name_en,
        "shelter": area.shelter if zh else area.shelter_en,
        "route": area.route if zh else area.route_en,
        "ways": bool(force.action) or force.level >= Level.ORANGE,
        "urgent": force.level == Level.RED or force.action == Action.MOVE,
        "stay": (message.moved or was.action == Action.MOVE) and force.action < Action.MOVE,
        "over": a.msg_type == "cancel",
        "head": head_zh(area, a, was, force, numbers)
        if zh
        else head_en(area, a, was, force, False, numbers),
        "head_short": head_zh(area, a, was, force) if zh else head_en(area, a, was, force, True),
        "two": two_things(a.hazard, force, lang),
        "risk": advice["seen"] if seen_itself(a) else risk(a, advice["event"], at, lang),
        "arrival": arrival(district, a, lang),
        "comes": in_public(district, a, lang),
        "comes_short": in_short(district, a, lang),
        "comes_spoken": aloud(district, a),
        "others": advice["others"],
        "moved": orders_zh(a.hazard).removesuffix("指令"),
        "sent": when(a.sent_at, zone, lang),
        "until": when(a.expires_at, zone, lang),
        "proposed": proposed.words(a.hazard).zh if zh else proposed.words(a.hazard).en,
        "force": (force.words(a.hazard).zh if zh else force.words(a.hazard).en) if force else "",
    }
    fields.update(_to_do(words, message, area, force))
    fields.update(_aloud(district, words, message, was, force))
    fields.update(_inner(district, words, message))
    return fields


def _fields_together(
    district: District, words: Wording, message: Message, t: Together
) -> list[dict[str, Any]]:
    """The same of several hazards: whole, without the rows `keep` of those that do not lead, and
    with the shortest head."""
    lead = msgspec.structs.replace(t.lead, sent_at=message.alert.sent_at, expires_at=t.expires_at)
    fields = _fields(district, words, message._replace(alert=lead, beside=()))
    zh, grade = message.lang == "zh", t.grade
    moved = message.moved or t.was == Action.MOVE
    fields.update(
        head=said_zh(t) if zh else said_en(t),
        head_short=said_zh(t) if zh else said_en(t, 1),
        head_spoken=spoken(said_aloud(t)),
        stay=moved and bool(t.force) and grade.action < Action.MOVE,
        two=two_things(lead.hazard, grade, message.lang),
        ways=bool(grade.action) or grade.level >= Level.ORANGE,
        urgent=grade.level == Level.RED or grade.action == Action.MOVE,
    )
    coming = [a for a in (lead, message.alert, *message.beside) if a.earliest_at is not None]
    if (
        coming and not fields["comes"]
    ):  # the water of a warning that does not lead comes all the same
        fields["comes"] = in_public(district, coming[0], message.lang)
        fields["comes_short"] = in_short(district, coming[0], message.lang)
        fields["comes_spoken"] = aloud(district, coming[0])
    more, kept = keeps(t, words.advice, message.lang), "".join(keeps(t, words.advice, "speak"))
    gap = "；" if zh else ". "
    whole = {
        **fields,
        "advice": gap.join([fields["advice"], *more]),
        "speak": fields["speak"] + spoken(kept),
        "speak_own": fields["speak_own"] and fields["speak_own"] + spoken(kept),
    }
    return [whole, fields, {**fields, "head_short": said_zh(t) if zh else said_en(t, 2)}]


def field_names(district: District) -> frozenset[str]:
    """What a template may ask for; `brief` counts up from 0 until an SMS fits."""
    area = next(iter(district.areas.values()))
    alert = sample(area.id, area.hazards[0], Grade(Level.BLUE))
    words = wording(OURS, "ours")
    return frozenset({*_fields(district, words, Message(alert, "public", "zh")), "brief"})


def _reader(
    words: Wording, category: Category, area: Area | None, hazard: str, lang: str
) -> tuple[Category, Mapping[str, str]]:
    """Whom a public text speaks to, on a camp site or a road those who are there; and the words of
    their own, of which a resident has none."""
    if category == "resident" and area is not None:
        category = BY_KIND.get(area.kind, "resident")
    own = {} if category == "resident" else of_audience(words, category, hazard, lang)
    return category, own


def _to_do(words: Wording, message: Message, area: Area, force: Grade) -> dict[str, str]:
    """What to do: what this reader does first (own; a resident has none), then the hazard's advice."""
    advice = words.advice[message.alert.hazard][message.lang]
    hazard = message.alert.hazard
    _, own = _reader(words, message.category, area, hazard, message.lang)
    return {
        "own": own.get(_stage(force), ""),
        "own_lifted": own.get("lifted", ""),
        "advice": advice[_key(force)],
        "short": words.advice[hazard]["brief" if message.lang == "en" else "speak"][_key(force)],
        "lifted": advice["lifted"],
    }


def instruction(
    district: District,
    hazard: str,
    force: Grade,
    area: Area | None,
    lang: Literal["zh", "en"],
    *,
    closed: bool = False,
) -> str:
    """What to do, alone, as CAP's <instruction> wants it: the sentences of the app's text; no grade:
    lifted. An area that is not of the district has no way and no shelter. closed: it is 封沟."""
    words = wording(district.folder, district.version)
    advice = words.advice.get(hazard, {}).get(
        lang, {}
    )  # a log may hold a hazard of a newer program
    _, own = _reader(words, "resident", area, hazard, lang)
    if not force:
        said = [own.get("lifted") or advice.get("lifted", "")]
    else:
        said = [own.get(_stage(force), ""), advice.get(_key(force), "")]
    if closed:
        said.append(closed_words(area, lang, over=not force))
    if force and area is not None:
        said += (
            [f"路线：{area.route}", f"安置点：{area.shelter}"]
            if lang == "zh"
            else [f"Way: {area.route_en}", f"Shelter: {area.shelter_en}"]
        )
    if area is not None and area.phone:
        said.append(
            f"电话{area.phone}，遇险拨119" if lang == "zh" else f"Call {area.phone}, in danger 119"
        )
    end, gap = ("。", "") if lang == "zh" else (".", " ")
    return gap.join(f"{s}{end}" for s in said if s)


def _aloud(
    district: District, words: Wording, message: Message, was: Grade, force: Grade
) -> dict[str, str | bool]:
    """What is spoken, in Chinese: figures in words, short sentences."""
    a = message.alert
    area, speak = district.areas[a.area], words.advice[a.hazard]["speak"]
    reader, own = _reader(words, message.category, area, a.hazard, "speak")
    # words for this very hazard say where to go; what an audience does in any other does not
    first, where = own.get(_stage(force), ""), ""
    if first and not says_where(words, reader, a.hazard, _stage(force)):
        where = speak[_key(force)]
    return {
        "head_spoken": spoken(head_spoken(area, a, was, force)),
        "place_spoken": spoken(place_of(area, "zh")),
        "route_spoken": spoken(area.route),
        "shelter_spoken": spoken(area.shelter),
        "speak": spoken(speak[_key(force)]),
        "speak_own": spoken(first + where),
        "both": bool(where),
        "speak_lifted": spoken(own.get("lifted") or speak["lifted"]),
        "until_spoken": moment(a.expires_at, a.sent_at, district.timezone),
        "hotline_spoken": telephone(district.hotline),
    }


def _inner(district: District, words: Wording, message: Message) -> dict[str, Any]:
    """What only those see who must act on it."""
    a, lang, zone = message.alert, message.lang, district.timezone
    zh = lang == "zh"
    # silence is told once it has lasted
    measured = [
        e.observed_at
        for e in a.evidence
        if e.quantity != "cap" and e.kind not in ("cascade", "upstream")
    ]
    seen = max((at for at in measured if at is not None), default=None)
    late = seen is not None and a.sent_at - seen > LATE_MS and a.msg_type != "cancel"
    yours = yours_in_words(district, a, message.yours, lang) if message.yours else ""
    end = ("预警到期失效", "lapsed") if a.state == "expired" else ("预警解除", "lifted")
    return {
        "authority": office(district, a.authority, lang),
        "deadline": local(a.deadline_at, zone, "%H:%M") if a.deadline_at is not None else "",
        "suspect": a.suspect,
        "outside": any(e.quantity == "cap" for e in a.evidence),
        "inferred": any(e.kind == "cascade" for e in a.evidence),
        "evidence": [evidence(district, e, lang) for e in a.evidence],
        "coverage": coverage(a, lang),
        "next": local(a.next_at, zone, "%H:%M") if a.next_at is not None else "",
        "late": ("（补报）" if zh else " (late)") if late else "",
        "duty": of_audience(words, message.role, a.hazard, lang)[_stage(Grade(a.level, a.action))],
        "downstream": _below(district, message) if message.kind == "notice" else "",
        "yours": yours,
        "yours_spoken": spoken(yours.replace("–", "到")) if zh else "",
        "end": end[0] if zh else end[1],
        "answer": message.must_answer,
    }


def _below(district: District, message: Message) -> str:
    """Where the water may go on, for what somebody must answer."""
    a = message.alert
    grade = Grade(a.proposed_level, a.proposed_action) | Grade(a.level, a.action)
    if a.msg_type == "cancel" or message.yours or not is_told(grade):
        return ""
    return below_in_words(district, a, message.lang)


def _key(force: Grade) -> str:
    """The row of the advice: an action says more than a colour."""
    if force.action:
        return "move" if force.action == Action.MOVE else "prepare"
    return LEVEL_EN[force.level] if force.level else "blue"


def _stage(force: Grade) -> str:
    """The row of an audience."""
    if force.action:
        return _key(force)
    return "leave" if force.level >= Level.ORANGE else "watch"
