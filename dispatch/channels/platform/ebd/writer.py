"""Records as the XML of a packet, in the order of elements that receivers expect. Pure."""

from dispatch.channels.platform.ebd.form import Form, written
from dispatch.channels.platform.ebd.records import (
    ConnectionCheck,
    Ebd,
    EbdResponse,
    Ebm,
    OmdRequest,
    StateRequest,
)
from dispatch.channels.platform.ebd.tree import Node, write

Sendable = Ebm | EbdResponse | StateRequest | OmdRequest | ConnectionCheck


def write_ebd(form: Form, ebd: Ebd) -> bytes:
    """UTF-8. Raises TypeError for a body that a source of messages never sends."""
    name, body = _body(form, ebd.body)
    envelope: list[Node] = [
        ("EBDVersion", form.version),
        ("EBDID", ebd.id),
        ("EBDType", name),
        ("SRC", [(form.names + "ID", ebd.source)]),
    ]
    if ebd.dest:
        envelope.append(("DEST", [(form.names + "ID", ebd.dest)]))
    envelope.append(("EBDTime", _time(ebd.sent_at)))
    if ebd.related:
        envelope.append(("RelatedEBD", [("EBDID", ebd.related)]))
    envelope.append((name, body))
    return write(("EBD", envelope))


def _time(at: int | None) -> str:
    return "" if at is None else written(at)


def _body(form: Form, body: object) -> tuple[str, list[Node]]:
    match body:
        case Ebm():
            return "EBM", _ebm(form, body)
        case EbdResponse(code, words):
            return "EBDResponse", [("ResultCode", code), ("ResultDesc", words)]
        case StateRequest(message):
            return "EBMStateRequest", [("EBM", [("EBMID", message)])]
        case OmdRequest(what, start, end, report):
            params: list[Node] = [
                ("RptStartTime", _time(start)),
                ("RptEndTime", _time(end)),
                ("RptType", report),
            ]
            return "OMDRequest", [("OMDType", what), ("Params", params)]
        case ConnectionCheck(at):
            return "ConnectionCheck", [("RptTime", _time(at))]
    raise TypeError(type(body).__name__)


def _ebm(form: Form, m: Ebm) -> list[Node]:
    """All fields always, for a cancel too: receivers differ in what they ask for."""
    out: list[Node] = [("EBMVersion", form.message), ("EBMID", m.id)]
    if m.related:
        out.append(("RelatedInfo", [("EBMID", m.related)]))
    basic: list[Node] = [
        ("MsgType", m.type),
        ("SenderName", m.sender),
        ("SenderCode", m.sender_code),
        ("SendTime", _time(m.sent_at)),
        ("EventType", m.event),
        ("Severity", m.severity),
        ("StartTime", _time(m.start_at)),
        ("EndTime", _time(m.end_at)),
    ]
    content: list[Node] = [
        ("LanguageCode", m.language),
        ("MsgTitle", m.title),
        ("MsgDesc", m.text),
        ("AreaCode", ",".join(m.areas)),
    ]
    for a in m.attached:
        size: list[Node] = [] if a.size is None else [("Size", str(a.size))]
        content.append(("Auxiliary", [("AuxiliaryType", a.kind), ("AuxiliaryDesc", a.name), *size]))
    return [*out, ("MsgBasicInfo", basic), ("MsgContent", content)]
