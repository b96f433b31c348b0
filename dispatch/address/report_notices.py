"""What is sent because of a person's word: a cry for help or a report that no rule takes to the duty
room at once, and an answer to a message that nobody could read. Pure."""

import hashlib

import msgspec

from config.language import Text, choose
from config.records.district import District
from config.records.evacuation import is_upstairs_unsafe
from config.records.level import Action, Level
from config.records.quantity import QUANTITIES
from dispatch.notices import DUTY, NOTICE_VALID_MS, PERSON, drill_mark
from dispatch.records import Delivery, Route
from dispatch.words.local_time import local
from dispatch.words.sms_length import person_route
from ingest.observation import PersonSays
from ingest.people.strangers import STRANGER

# whoever says so has heard
REPLIES = {
    "received": Text("收到", "received"),
    "moved": Text("已转移", "moved"),
    "help": Text("求助", "NEEDS HELP"),
    "safe": Text("平安", "safe"),
}
# of a gully or a site, by whoever keeps it
PLACES = {
    "closed": Text("封沟", "closed"),
    "opened": Text("开沟", "opened again"),
    "staying": Text("今晚住", "guests tonight"),
}
# of who goes out into the storm, and of who saw how others moved
FIELD = {
    "witnessed": Text("证实转移", "bears a move out"),
    "out": Text("出发", "went out"),
    "back": Text("返回", "is back"),
}
WAY = {
    "form": Text("表单", "form"),
    "sms": Text("短信", "SMS"),
    "app": Text("应用", "app"),
}
_HELP = Text("求助，请立即联系", "NEEDS HELP, call now")
_UPSTAIRS = Text("报上楼避险，这里不安全，请催转移", "went upstairs, which is not safe here: have them move")
_STRANGER = Text(
    "陌生号码来信，未核实，请看原话并回电", "a stranger, unverified: read it and call back"
)
_TO_READ = Text("有人来信，机器没看懂，请看原话", "a message that no table knows: read it")
_CLEAR = (
    "值班室会看您的短信。也请回：水涨、泥石流、塌方、求助、收到，或已转移几人；管几个村的先写村名。"
)


def deliveries(district: District, says: PersonSays, live: bool) -> list[Delivery]:
    """To the duty room, or to who wrote; both where somebody went upstairs and should not have."""
    if _is_unsafe(district, says):
        return [_notice(district, says, live), _not_upstairs(district, says, live)]
    if says.what == "words":
        return [_unread(district, says, live)]
    if says.what == "unclear":
        return [_answer(district, says, live)] if says.way == "sms" else []
    rule = district.rules.observer
    counts = (
        "observer" in district.rules.run
        and says.role in rule.trusted
        and any(h in district.areas[says.area].hazards for h in rule.hazards.get(says.what, ()))
    )
    if says.what in ("help", "closed", "opened") or (says.what in QUANTITIES and not counts):
        return [_notice(district, says, live)]
    return []


def _notice(district: District, says: PersonSays, live: bool) -> Delivery:
    """To the duty room, above everything: somebody needs help."""
    help_ = says.what == "help"
    what = _HELP if help_ else PLACES.get(says.what, Text("", ""))
    if says.what == "moved":
        what = _UPSTAIRS + (f" {says.people}" if says.people is not None else "")
    if says.what in QUANTITIES:
        what = Text(QUANTITIES[says.what].zh, says.what.replace("_", " "))
    if says.until_at:
        until = local(says.until_at, district.timezone)
        what += Text(f"到 {until}", f" until {until}")
    area = district.areas[says.area]
    at = local(says.said_at, district.timezone, "%H:%M")
    who = f"{says.area} {says.role} {says.person} {at} "
    place = Text(f"：{area.name} {who}", f": {area.name_en} {who}")
    text = drill_mark(live) + what + place + WAY[says.way]
    title = Text("求助", "help") if help_ else Text("现场报告", "report")
    route = Route(channel="console", title=title, text=text)
    level = Level.BLUE if says.what in PLACES else Level.YELLOW
    level = Level.ORANGE if says.what == "moved" else level
    return _made(says, live, DUTY + says.person, route, Level.RED if help_ else level)


def _is_unsafe(district: District, says: PersonSays) -> bool:
    """Whether they say that they went upstairs where that is no refuge."""
    proving, area = district.policy.proving, district.areas.get(says.area)
    if not proving.transfer or says.how != "upstairs" or area is None:
        return False
    return says.what == "moved" and is_upstairs_unsafe(area, proving.upstairs_to_m)


def _not_upstairs(district: District, says: PersonSays, live: bool) -> Delivery:
    """To who said so, by their own ways."""
    contact, area = district.contacts.get(says.person), district.areas[says.area]
    lang = contact.lang if contact else "zh"
    words = drill_mark(live) + Text(
        f"这里上楼不安全：请立即转移到{area.shelter}，走{area.route}。转移后再报。",
        f"Upstairs is not safe here: move to {area.shelter_en} now, by {area.route_en}; report again then.",
    )
    text = choose(words, lang)
    routes = [
        person_route(c, district.signature, text)
        for c in (contact.channels if contact else ("sms",))
    ]
    made = _made(says, live, says.person, routes[0], Level.RED)
    name = hashlib.sha256(f"upstairs|{says.id}".encode()).hexdigest()[:16]
    return msgspec.structs.replace(
        made, id=name, alert=PERSON + name, routes=tuple(routes), lang=lang
    )


def _unread(district: District, says: PersonSays, live: bool) -> Delivery:
    """To the duty room: somebody wrote what no table knows. The words themselves stand in no log."""
    stranger, area = says.role == STRANGER, district.areas.get(says.area)
    place = Text(area.name, area.name_en) if area else Text("没写明地点", "no place named")
    at = local(says.said_at, district.timezone, "%H:%M")
    what = _STRANGER if stranger else _TO_READ
    who = f" {says.area} {says.role} {says.person} {at} {says.id}"
    kept = Text(
        "；原话在值班日志“来信原话”（三天后删）",
        "; it stands in the shift log under People's own words (deleted after three days)",
    )
    text = drill_mark(live) + what + Text("：", ": ") + place + who + kept
    title = (
        Text("陌生号码来信", "a stranger's message")
        if stranger
        else Text("来信原话", "a message to read")
    )
    route = Route(channel="console", title=title, text=text)
    return _made(says, live, DUTY + says.person, route, Level.YELLOW)


def _answer(district: District, says: PersonSays, live: bool) -> Delivery:
    drill = "" if live else "（演练）"
    route = person_route("sms", district.signature, f"{drill}{_CLEAR}")
    return _made(says, live, says.person, route, Level.NONE)


def _made(says: PersonSays, live: bool, recipient: str, route: Route, level: Level) -> Delivery:
    at = says.received_at
    return Delivery(
        id=hashlib.sha256(f"person|{says.id}".encode()).hexdigest()[:16],
        alert=PERSON + says.id,
        version=1,
        area=says.area,
        hazard="",
        level=level,
        action=Action.NONE,
        msg_type="alert",
        status="actual" if live else "exercise",
        recipient=recipient,
        audience="internal",
        routes=(route,),
        queued_at=at,
        deadline_at=at + 60_000 * (1 if level else 10),
        expires_at=at + NOTICE_VALID_MS,
    )
