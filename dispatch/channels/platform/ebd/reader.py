"""The XML of a packet as records: tolerant in what is not ours to ask for, strict in what says which
message is meant. Both generations of names are read (EBR…, EBE…). Pure."""

import math
import re
from collections.abc import Callable, Iterator

from dispatch.channels.platform.ebd.form import Wrong, moment
from dispatch.channels.platform.ebd.records import (
    Attached,
    Body,
    BroadcastState,
    BroadcastStates,
    ConnectionCheck,
    Ebd,
    EbdResponse,
    Ebm,
    Equipment,
    EquipmentList,
    EquipmentState,
    EquipmentStates,
    OmdRequest,
    PlayedBy,
    StateRequest,
    UnknownBody,
)
from dispatch.channels.platform.ebd.tree import Element, read

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_EQUIPMENT = re.compile(r"EB[RE](PS|ST|AS|BS|DT)(Info|State)")
_WORDS = 200  # of free text that is kept


def read_ebd(body: bytes) -> Ebd:
    """Raises Wrong: too_much, bad_xml, missing (with the element's name)."""
    root = read(body)
    if root.name != "EBD":
        raise Wrong("missing", "EBD")
    kind = root.said("EBDType")
    body_element = root.first(kind) if kind else None
    if body_element is None:
        raise Wrong("missing", "EBDType" if not kind else "body")
    ident = root.said("EBDID")
    if not _ID.fullmatch(ident):
        raise Wrong("missing", "EBDID")
    return Ebd(
        ident,
        _code(root.first("SRC")),
        _code(root.first("DEST")),
        moment(root.said("EBDTime")),
        _body(kind, body_element),
        root.said("RelatedEBD", "EBDID"),
        root.said("EBDVersion"),
    )


def _code(at: Element | None) -> str:
    """The resource code below it."""
    return (at.said("EBRID") or at.said("EBEID")) if at else ""


def _body(kind: str, at: Element) -> Body:
    make = _BODIES.get(kind)
    if make is not None:
        return make(at)
    if found := _EQUIPMENT.fullmatch(kind):
        letters, what = found.groups()
        items = [c for c in at.children if c.name in (f"EBR{letters}", f"EBE{letters}")]
        if what == "Info":
            return EquipmentList(letters, tuple(_equipment(x) for x in items if _own(x)))
        return EquipmentStates(letters, tuple(_state(x) for x in items if _own(x)))
    return UnknownBody(kind[:64])


def _own(at: Element) -> str:
    return _code(at)


def _equipment(at: Element) -> Equipment:
    parent = at.first("RelatedEBRPS") or at.first("RelatedEBEPS")
    return Equipment(
        _own(at)[:64],
        (at.said("EBRName") or at.said("EBEName"))[:_WORDS],
        _number(at.said("Longitude"), 180.0),
        _number(at.said("Latitude"), 90.0),
        moment(at.said("RptTime")),
        _code(parent),
        at.said("RptType") == "Delete",
    )


def _state(at: Element) -> EquipmentState:
    words = at.said("StateDesc")[:_WORDS]
    return EquipmentState(
        _own(at)[:64], at.said("StateCode")[:8], words, moment(at.said("RptTime"))
    )


def _number(text: str, most: float) -> float | None:
    """A coordinate; None for what is none, and for 0, which stands for "not known" in real lists."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and 0 < abs(found) <= most else None


def _ebm(at: Element) -> Ebm:
    ident = at.said("EBMID")
    if not _ID.fullmatch(ident):
        raise Wrong("missing", "EBMID")
    basic = at.first("MsgBasicInfo") or Element("")
    content = at.first("MsgContent") or Element("")
    return Ebm(
        ident,
        basic.said("MsgType"),
        basic.said("SenderName"),
        basic.said("SenderCode"),
        moment(basic.said("SendTime")),
        basic.said("EventType"),
        basic.said("Severity"),
        moment(basic.said("StartTime")),
        moment(basic.said("EndTime")),
        content.said("LanguageCode"),
        content.said("MsgTitle"),
        content.said("MsgDesc"),
        _listed(content.said("AreaCode")),
        tuple(
            Attached(a.said("AuxiliaryType"), a.said("AuxiliaryDesc"), _count(a.said("Size")))
            for a in content.all("Auxiliary")
        ),
        at.said("RelatedInfo", "EBMID"),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(x for x in re.split(r"[,，;；\s]+", text) if x)


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _response(at: Element) -> EbdResponse:
    return EbdResponse(at.said("ResultCode")[:8], at.said("ResultDesc")[:_WORDS])


def _one_state(at: Element) -> BroadcastState:
    ident = at.said("EBM", "EBMID")
    if not _ID.fullmatch(ident):
        raise Wrong("missing", "EBMID")
    code = at.said("BrdStateCode")
    if not code:
        raise Wrong("missing", "BrdStateCode")
    cover = at.first("Coverage") or Element("")
    counts = [_count(x) for x in _listed(cover.said("ResBrdStat"))]
    whole = tuple(n for n in counts if n is not None)
    return BroadcastState(
        ident,
        code[:8],
        at.said("BrdStateDesc")[:_WORDS],
        moment(at.said("RptTime")),
        (cover.said("CoverageRate") or cover.said("CoveragePercent"))[:16],
        _listed(cover.said("AreaCode")),
        whole if len(whole) == len(counts) == 4 else (),
        tuple(_played(at.first("ResBrdInfo"))),
    )


def _played(at: Element | None) -> Iterator[PlayedBy]:
    for item in at.all("ResBrdItem") if at else ():
        for device in item.children:
            if device.name in ("EBRBS", "EBEBS") and device.said("BrdStateCode"):
                start, end = moment(device.said("StartTime")), moment(device.said("EndTime"))
                yield PlayedBy(_code(device)[:64], device.said("BrdStateCode")[:8], start, end)


def _states(at: Element) -> BroadcastStates:
    return BroadcastStates((_one_state(at),))


def _log(at: Element) -> BroadcastStates:
    return BroadcastStates(tuple(_one_state(item) for item in at.all("EBMBrdItem")), log=True)


def _state_request(at: Element) -> StateRequest:
    return StateRequest(at.said("EBM", "EBMID"))


def _omd(at: Element) -> OmdRequest:
    p = at.first("Params") or Element("")
    start, end = moment(p.said("RptStartTime")), moment(p.said("RptEndTime"))
    return OmdRequest(at.said("OMDType")[:64], start, end, p.said("RptType")[:16] or "Full")


def _check(at: Element) -> ConnectionCheck:
    return ConnectionCheck(moment(at.said("RptTime")))


_BODIES: dict[str, Callable[[Element], Body]] = {
    "EBM": _ebm,
    "EBDResponse": _response,
    "EBMStateResponse": _states,
    "EBMBrdLog": _log,
    "EBMStateRequest": _state_request,
    "OMDRequest": _omd,
    "ConnectionCheck": _check,
}
