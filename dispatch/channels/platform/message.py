"""A delivery as a message of the platform: which type, severity, event, areas, from when to when. Pure."""

from collections.abc import Mapping

from config.language import Text
from config.records.devices.broadcast import EVENT_OTHER, EVENTS, Platform
from config.records.district import District
from config.records.level import Action, Level
from dispatch.channels import SendError
from dispatch.channels.platform.ebd.records import Attached, Ebm
from dispatch.records import Delivery
from dispatch.words.issuer import senders

REAL, CANCEL = "1", "2"
# 1 red 特别重大 … 4 blue 一般
_SEVERITY = {Level.RED: "1", Level.ORANGE: "2", Level.YELLOW: "3", Level.BLUE: "4"}
_ORDER = {Action.PREPARE: "prepare", Action.MOVE: "move"}
_LEAST_MS = 60_000
NO_DRILL = Text(
    "演练消息未配置 drill_type，不发",
    "drill_type is not configured: no drill is sent",
)


def type_of(d: Delivery, p: Platform) -> str:
    """MsgType. What is no actual warning is never type 1. Raises SendError: no drill may be sent."""
    if d.status == "actual":
        return REAL
    if not p.drill_type:
        raise SendError(NO_DRILL, permanent=True)
    return p.drill_type


def severity_of(level: Level, action: Action, orders: Mapping[str, str]) -> str:
    """The colour's; of an order without a colour what the district agreed; 0 unknown."""
    return _SEVERITY.get(level) or orders.get(_ORDER.get(action, ""), "0")


def event_of(hazard: str, events: Mapping[str, str]) -> str:
    """EventType."""
    return events.get(hazard) or EVENTS.get(hazard, EVENT_OTHER)


def ebm_of(
    district: District,
    p: Platform,
    d: Delivery,
    words: tuple[str, str],
    number: str,
    at: int,
    sound: str = "",
) -> Ebm:
    """words: title and text. number: EBMID. at: epoch ms. sound: the name of its file."""
    end = d.expires_at
    if p.air_min:
        end = min(end, at + p.air_min * 60_000)
    return Ebm(
        number,
        type_of(d, p),
        senders(district, d, "zh") if d.issuers else p.sender_name or district.issuer,
        p.sender_code,
        at,
        event_of(d.hazard, p.events),
        severity_of(d.level, d.action, p.order_severity),
        at,
        max(end, at + _LEAST_MS),
        p.language,
        words[0],
        words[1],
        (district.areas[d.area].division.ljust(12, "0"),),
        (Attached("2", sound),) if sound else (),
    )


def cancel_of(message: Ebm) -> Ebm:
    """The same number in both places, all fields again, no sound: what every receiver seen understands."""
    return message._replace(type=CANCEL, related=message.id, attached=())
