"""Words on messages that crossed the line: ours on a neighbour's (CAP Ack: accepted, Error: declined),
and theirs on ours, back to the delivery that they answer. Pure."""

import hashlib
from collections.abc import Iterator

from lxml import etree

from config.language import Text, each
from config.records.district import District
from detectors.detection import Acknowledgement
from dispatch.cap.message import alert_of, put, sent
from dispatch.cap.neighbours import CHANNEL, recipient
from dispatch.records import Decision, Delivery, Receipt, Route, attempt_key
from ingest.cap.decode import NAMESPACE, parse_cap
from stream.records import DeadLetter

_VALID_MS = 24 * 3_600_000
_DUE_MS = 30 * 60_000
_DETAIL = 200


def keys_of(district: District, answer: Acknowledgement) -> tuple[str, ...]:
    """The idempotency keys of the deliveries that a neighbour's answer names."""
    return tuple(
        attempt_key(*found, CHANNEL, recipient(answer.neighbour))
        for r in answer.references
        if r.sender == district.sender and (found := alert_of(district, r.identifier))
    )


def receipt_of(answer: Acknowledgement, delivery: str, route: int, attempts: int) -> Receipt:
    """What the answer says of the delivery: accepted is `answered`; declined is a failure that goes to
    the duty room, who calls by hand. attempts: how many there were."""
    word = Text("已接受", "accepted") if answer.accepted else Text("不接受", "declined")
    return Receipt(
        delivery=delivery,
        route=route,
        state="answered" if answer.accepted else "failed",
        receipt_at=answer.answered_at,
        attempt=max(1, attempts + (not answer.accepted)),
        permanent=True,
        detail=each(word + f": {answer.note}", lambda words: words[:_DETAIL]),
    )


def unknown(answer: Acknowledgement, at: int) -> DeadLetter:
    """An answer to what we did not send."""
    words = Text(
        "回执所指不是我们近日发出的消息", "it answers no message that we sent in the last days"
    )
    source = f"{answer.neighbour} {answer.identifier}"
    return DeadLetter.of(at, source, "unknown_delivery", words, answer)


def reply(district: District, decision: Decision, live: bool) -> Iterator[Delivery]:
    """A person's word on a neighbour's message, to be posted to that neighbour."""
    neighbour, _, reference = decision.alert.partition(" ")
    row = district.sources.neighbour.get(neighbour)
    if row is None or not row.place(live) or not reference:
        return
    name = hashlib.sha256(f"reply|{decision.hash}".encode()).hexdigest()[:24]
    yield Delivery(
        id=name,
        alert=f"reply-{name}",
        version=1,
        area="",
        hazard="",
        level=decision.level,
        action=decision.action,
        msg_type="alert",
        status="actual" if live else "exercise",
        recipient=recipient(neighbour),
        audience="internal",
        routes=(Route(channel=CHANNEL, title="", text=decision.reason),),
        queued_at=decision.decided_at,
        deadline_at=decision.decided_at + _DUE_MS,
        expires_at=decision.decided_at + _VALID_MS,
        reply="ack" if decision.act == "accept" else "error",
        references=reference,
    )


def build_answer(district: District, d: Delivery, note: str) -> bytes:
    """The Ack or Error, valid against the schema. Raises `ingest.cap.decode.Wrong`."""
    message = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    put(message, "identifier", f"{district.division}-{d.status}-{d.alert}")
    put(message, "sender", district.sender)
    put(message, "sent", sent(district, d.queued_at))
    put(message, "status", {"actual": "Actual", "exercise": "Exercise", "test": "Test"}[d.status])
    put(message, "msgType", d.reply.capitalize())
    put(message, "scope", "Private")
    put(message, "addresses", d.references.partition(",")[0])
    put(message, "note", note)
    put(message, "references", d.references)
    body = etree.tostring(message, xml_declaration=True, encoding="UTF-8")
    parse_cap(body)
    return body
