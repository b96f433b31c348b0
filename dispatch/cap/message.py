"""One warning version as a CAP 1.2 message (OASIS CAP-v1.2, 2010), Chinese first, English beside
it. Pure: a Delivery and the district in, bytes out; every message is held against the OASIS schema.

`sent` is the moment the delivery was queued, so the same delivery gives the same bytes.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from lxml import etree

from config.language import Said, choose
from config.records.district import Area, District
from config.records.level import (
    HAZARD_EN,
    HAZARD_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    Action,
    Level,
    order_en,
    order_zh,
    orders_zh,
)
from dispatch.grade import Grade as Force
from dispatch.records import Delivery, Route
from dispatch.words.compose import instruction
from dispatch.words.evidence import LIKELY
from dispatch.words.issuer import jointly, senders
from ingest.cap.decode import NAMESPACE, Wrong, parse_cap


class Reference(NamedTuple):
    """An earlier message of the same alert."""

    sender: str
    identifier: str
    sent: str


class CapScales(NamedTuple):
    """CAP's three scales."""

    urgency: str
    severity: str
    certainty: str


STATUS = {"actual": "Actual", "exercise": "Exercise", "test": "Test"}
MSG_TYPE = {"alert": "Alert", "update": "Update", "cancel": "Cancel"}
# CAP counts floods as meteorological and slides as geophysical (CAP 1.2, 3.2.2, category)
CATEGORY = {
    "flash_flood": "Met",
    "river_flood": "Met",
    "urban_flood": "Met",
    "debris_flow": "Geo",
    "dam_break": "Geo",
    "reservoir_release": "Infra",
    "forest_fire": "Fire",
    "chemical": "CBRNE",
    "traffic": "Transport",
    "crowd": "Safety",
}
OVER = CapScales("Past", "Minor", "Unlikely")
GRADE: dict[Level, CapScales] = {
    Level.NONE: CapScales("Future", "Minor", "Possible"),
    Level.BLUE: CapScales("Future", "Moderate", "Possible"),
    Level.YELLOW: CapScales("Expected", "Moderate", "Likely"),
    Level.ORANGE: CapScales("Expected", "Severe", "Likely"),
    Level.RED: CapScales("Immediate", "Extreme", "Likely"),
}
# an order to a village does not wait for a colour: at least this grade
GRADE_OF_ACTION: dict[Action, CapScales] = {
    Action.PREPARE: CapScales("Expected", "Severe", "Likely"),
    Action.MOVE: CapScales("Immediate", "Extreme", "Likely"),
}
_WITHIN_MIN = 60  # Expected: to be done within the next hour (CAP 1.2, 3.2.2, urgency)
_URGENCY = ("Past", "Future", "Expected", "Immediate")
_SEVERITY = ("Minor", "Moderate", "Severe", "Extreme")
_CERTAINTY = ("Unlikely", "Possible", "Likely", "Observed")
# 国家突发公共事件总体应急预案: the grade that goes with each colour
NUMERAL_ZH = {Level.BLUE: "Ⅳ级", Level.YELLOW: "Ⅲ级", Level.ORANGE: "Ⅱ级", Level.RED: "Ⅰ级"}
# of a colour that offices released by the table of joint release
RELEASED_BY = "预警发布单位"
_RESPONSE = {Action.NONE: "Monitor", Action.PREPARE: "Prepare", Action.MOVE: "Evacuate"}
# of the whole message, which begins in Chinese: what concerns one language stands in its info
_RESTRICTION, _NOTE = "内部预警，仅供责任单位", "演练，请勿采取行动。"
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def identifier(district: District, d: Delivery) -> str:
    """The message's name, unique within the sender: letters, digits, `.`, `_`, `-`. It serves as a
    file name too."""
    alert = re.sub(r"[^A-Za-z0-9._-]", lambda m: f"_{ord(m[0]):x}_", d.alert)
    return f"{district.division}-{d.status}-{alert}-{d.version}"


def alert_of(district: District, name: str) -> tuple[str, int] | None:
    """The alert's id and version of one of our identifiers; None for any other name."""
    found = re.fullmatch(rf"{district.division}-(?:actual|exercise|test)-(.+)-(\d{{1,9}})", name)
    if found is None:
        return None
    try:
        alert = re.sub(r"_([0-9a-f]{1,6})_", lambda m: chr(int(m[1], 16)), found[1])
    except (ValueError, OverflowError):
        return None
    return alert, int(found[2])


def sent(district: District, at: int) -> str:
    """Epoch ms as CAP writes it: local time with its offset, whole seconds, never `Z`."""
    moment = datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(district.timezone))
    return moment.isoformat(timespec="seconds")


def grade(d: Delivery) -> CapScales:
    """The higher of what level and action call for; `OVER` when the warning is lifted. CAP's urgency says
    how soon people must act: where it is known how long they may still wait it follows from that and from the
    order, not from the colour."""
    if is_over(d):
        return OVER
    a, b = GRADE[d.level], GRADE_OF_ACTION.get(d.action, GRADE[d.level])
    likely = max(a.certainty, b.certainty, key=_CERTAINTY.index)
    if d.chance is not None:  # a forecast alone says itself how likely that is
        likely = "Likely" if d.chance > LIKELY else "Possible"
    return CapScales(
        max(_soon(d.left_min, a), b.urgency if d.action else "Past", key=_URGENCY.index),
        max(a.severity, b.severity, key=_SEVERITY.index),
        "Observed" if d.observed else likely,
    )


def _soon(left_min: int | None, grade: CapScales) -> str:
    """How soon people must act, an order apart."""
    if left_min is None:
        return grade.urgency
    if left_min == 0:
        return "Immediate"
    return "Expected" if left_min <= _WITHIN_MIN else "Future"


def is_over(d: Delivery) -> bool:
    """The warning is lifted, not raised or changed."""
    return d.msg_type == "cancel" or (d.level == Level.NONE and d.action == Action.NONE)


def build(
    district: District, d: Delivery, route: Route, references: Sequence[Reference] = ()
) -> bytes:
    """The message, UTF-8 XML, valid against the schema.

    references: the earlier messages of this alert that were published. An update of which nothing
    was published goes out as Alert: nobody could look up what it updates.
    Raises ValueError with the schema's words when the result is not valid.
    """
    message = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    kind = MSG_TYPE[d.msg_type]
    if kind != "Cancel":  # what the reader can look up decides, not what one recipient had
        kind = "Update" if references else "Alert"
    put(message, "identifier", identifier(district, d))
    put(message, "sender", district.sender)
    put(message, "sent", sent(district, d.queued_at))
    put(message, "status", STATUS[d.status])
    put(message, "msgType", kind)
    if d.audience == "public":
        put(message, "scope", "Public")
    else:
        put(message, "scope", "Restricted")
        put(message, "restriction", _RESTRICTION)
    if d.status != "actual":
        put(message, "note", _NOTE)
    if references:
        put(message, "references", " ".join(",".join(r) for r in references))
    area = district.areas.get(d.area)
    _info(message, district, d, area, "zh-CN", _zh(district, d, route, area))
    _info(message, district, d, area, "en-US", _en(district, d, route, area))
    # no white space between the elements: some readers drop it before they verify a signature
    body = etree.tostring(message, xml_declaration=True, encoding="UTF-8")
    check(body)
    return body


class Words(NamedTuple):
    """What differs between the languages."""

    event: str
    sender_name: str
    headline: str
    description: str
    instruction: str
    area: str
    parameters: tuple[tuple[str, str], ...]


def _zh(district: District, d: Delivery, route: Route, area: Area | None) -> Words:
    hazard = HAZARD_ZH.get(d.hazard, d.hazard)
    place = f"{area.township}{area.name}" if area else district.name
    what = LEVEL_ZH[d.level] if d.level else ""
    order = f"，{order_zh(d.hazard, d.action)}" if d.action else ""
    headline = f"{place}{hazard}{what}预警{order}"
    if is_over(d):
        headline = f"{place}{hazard}预警解除"
    parameters = []
    if d.level:
        parameters += [("预警级别", NUMERAL_ZH[d.level]), ("预警颜色", LEVEL_ZH[d.level])]
    if d.action:
        parameters.append((orders_zh(d.hazard), order_zh(d.hazard, d.action)))
    if released := jointly(district, d, "zh"):
        parameters.append((RELEASED_BY, released))
    basin = district.basins.get(area.basin) if area else None
    if basin is not None:
        parameters += [("小流域", basin.name), ("河流", basin.river)]
    text = _told(route.text, d, "zh") or headline + "。"
    title = _told(route.title, d, "zh") or headline
    return Words(
        hazard,
        senders(district, d, "zh"),
        _drill(d, title, "（演练）"),
        _drill(d, text, "（演练）"),
        _to_do(district, d, area, "zh"),
        place,
        tuple(parameters),
    )


def _to_do(district: District, d: Delivery, area: Area | None, lang: Literal["zh", "en"]) -> str:
    grade = Force() if is_over(d) else Force(d.level, d.action)
    return instruction(district, d.hazard, grade, area, lang, closed=d.closed)


def _en(district: District, d: Delivery, route: Route, area: Area | None) -> Words:
    hazard = HAZARD_EN.get(d.hazard, d.hazard)
    place = f"{area.name_en}, {area.township_en}" if area else district.name_en
    what = f"{LEVEL_EN[d.level]} " if d.level else ""
    headline = f"{what}{hazard} warning for {place}"
    if d.action:
        headline += f": {order_en(d.hazard, d.action)}"
    if is_over(d):
        headline = f"{hazard} warning for {place} lifted"
    headline = headline[0].upper() + headline[1:]
    parameters = []
    if d.level:
        parameters.append(("warning colour", LEVEL_EN[d.level]))
    if d.action:
        parameters.append(("order", order_en(d.hazard, d.action)))
    if released := jointly(district, d, "en"):
        parameters.append(("warning released by", released))
    basin = district.basins.get(area.basin) if area else None
    if basin is not None:
        parameters += [("basin", basin.name_en), ("river", basin.river_en)]
    text = _told(route.text, d, "en") or headline + "."
    title = _told(route.title, d, "en") or headline
    return Words(
        hazard,
        senders(district, d, "en"),
        _drill(d, title, "(EXERCISE) "),
        _drill(d, text, "(EXERCISE) "),
        _to_do(district, d, area, "en"),
        place,
        tuple(parameters),
    )


def _told(said: Said, d: Delivery, lang: Literal["zh", "en"]) -> str:
    """What the delivery says in this language; nothing where its words are of the other."""
    return "" if isinstance(said, str) and d.lang != lang else choose(said, lang)


def _drill(d: Delivery, text: str, mark: str) -> str:
    """Marked, once, unless it is real."""
    word = mark.strip(" ()（）")
    return text if d.status == "actual" or word in text else mark + text


def _info(
    message: etree._Element,
    district: District,
    d: Delivery,
    area: Area | None,
    language: str,
    words: Words,
) -> None:
    info = etree.SubElement(message, f"{{{NAMESPACE}}}info")
    scale = grade(d)
    put(info, "language", language)
    put(info, "category", CATEGORY.get(d.hazard, "Other"))
    put(info, "event", words.event)
    put(info, "responseType", "AllClear" if is_over(d) else _RESPONSE[d.action])
    put(info, "urgency", scale.urgency)
    put(info, "severity", scale.severity)
    put(info, "certainty", scale.certainty)
    _pair(info, "eventCode", "fengsui:hazard", d.hazard)
    put(info, "effective", sent(district, d.queued_at))
    put(info, "onset", sent(district, d.queued_at if is_over(d) else d.onset_at or d.queued_at))
    put(info, "expires", sent(district, d.expires_at))
    put(info, "senderName", words.sender_name)
    put(info, "headline", words.headline)
    put(info, "description", words.description)
    put(info, "instruction", words.instruction)
    put(info, "contact", district.hotline)
    for name, value in words.parameters:
        _pair(info, "parameter", name, value)
    place = etree.SubElement(info, f"{{{NAMESPACE}}}area")
    put(place, "areaDesc", words.area)
    if area is not None and len(area.polygon) >= 4:
        ring = (
            area.polygon
            if area.polygon[0] == area.polygon[-1]
            else (
                *area.polygon,
                area.polygon[0],
            )
        )
        # CAP puts latitude first, GeoJSON and our tables longitude
        put(place, "polygon", " ".join(f"{lat:.5f},{lon:.5f}" for lon, lat in ring))
    elif area is not None:
        put(place, "circle", f"{area.lat:.5f},{area.lon:.5f} 1.0")  # radius in km
    division = area.division if area is not None else district.division.ljust(12, "0")
    _pair(place, "geocode", "行政区划代码", division)


def put(parent: etree._Element, name: str, text: str) -> None:
    """A child element with a text."""
    # what XML cannot carry (control characters) becomes a space
    etree.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = _FORBIDDEN.sub(" ", text)


def _pair(parent: etree._Element, name: str, key: str, value: str) -> None:
    pair = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    put(pair, "valueName", key)
    put(pair, "value", value)


def check(body: bytes) -> None:
    """Raises ValueError, with the schema's words, unless `body` is CAP 1.2."""
    try:
        parse_cap(body)
    except Wrong as e:
        raise ValueError(e.rejected.detail) from e


def read_reference(body: bytes) -> tuple[Reference, str]:
    """What a later version needs to refer to a message, and its first headline.

    Raises ValueError when it is not a CAP message.
    """
    try:
        document = parse_cap(body)
    except Wrong as e:
        raise ValueError(e.rejected.detail) from e

    def text(path: str) -> str:
        return document.findtext(path, default="", namespaces={"c": NAMESPACE}) or ""

    reference = Reference(text("c:sender"), text("c:identifier"), text("c:sent"))
    return reference, text("c:info/c:headline")
