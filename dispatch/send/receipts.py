"""What nodes and carriers send back, into receipts: the other half of the channels' tables."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from config.language import Said, Text, each, text_of
from config.records.district import Node
from dispatch.channels import CarrierWord, message_id
from dispatch.channels.status_words import (
    BY_CODE,
    CARRIER,
    NODE,
    NODE_REFUSED,
    WORDS,
    Meaning,
    meaning_of,
)
from dispatch.nodes.protocol import CarrierReceipt, Hello, NodeAck, Refused
from dispatch.proving.codes import AnswerCodes
from dispatch.records import Delivery, Receipt
from dispatch.send.inbound_sms import Inbound, NotNow
from dispatch.send.node_supervisor import Caretaker
from dispatch.send.outbox.state import Box, Entry
from ingest.decode.reading import JSON_BYTES
from stream.guard import OF_THE_LOG, letter, unread
from stream.limits import Unreadable, clean, read_json
from stream.log.port import Out
from stream.mqtt.client import Message
from stream.records import Rejected, encode

_DETAIL = 200
_OTHER_CHANNEL = Text(" 冒答别的渠道", " speaks for a message of another channel")
_BARE = Text("应了，没有确认码", "answered without the code")
_WRONG = Text("应了，确认码不对", "answered with a wrong code")
_AHEAD_MS = 600_000
# a carrier's free words may hold a telephone number, which must not stand in the log
_NUMBER = re.compile(rb"\+?\d[\d -]{5,}\d")

T = TypeVar("T")
_ack = msgspec.json.Decoder(NodeAck)
_carrier = msgspec.json.Decoder(CarrierReceipt)
_hello = msgspec.json.Decoder(Hello)


class _Stray(Exception):
    """A message that means nothing here: reason and detail."""


class Receipts:
    """prefix: `fengsui/{run}/{district}`. clock: the run's, epoch ms. caretaker: answers the nodes'
    hellos and reports."""

    def __init__(
        self,
        prefix: str,
        live: bool,
        clock: Callable[[], int],
        nodes: Mapping[str, Node] | None = None,
        caretaker: Caretaker | None = None,
        inbound: Inbound | None = None,
        codes: AnswerCodes | None = None,
    ) -> None:
        self._inbound, self._codes = inbound, codes
        self._nodes = nodes or {}
        self._caretaker = caretaker
        self._prefix = prefix + "/"
        self._live = live
        self._clock = clock

    def filters(self) -> list[str]:
        """What to subscribe to."""
        topics = ["node/+/ack", "node/+/hello", "node/+/report", "receipt/+"]
        return [self._prefix + topic for topic in topics]

    def records(self, box: Box, messages: Sequence[Message]) -> list[Out]:
        """Receipts of what is known, dead letters of the rest, in order."""
        outs = []
        for message in messages:
            try:
                receipt = self._receipt(box, message)
                if isinstance(receipt, Receipt):
                    outs.append(Out("deliveries", receipt.delivery, encode(receipt)))
                elif receipt is not None:
                    outs.append(Out("deliveries", receipt.id, encode(receipt)))
            except _Stray as e:
                outs.append(self._dead(message, *e.args))
            except OF_THE_LOG:
                raise
            except Exception as e:  # noqa: BLE001  # one message must not deafen the stage
                outs.append(self._dead(message, *unread("send", e)))
        return outs

    def _receipt(self, box: Box, message: Message) -> Receipt | Delivery | None:
        match message.topic.removeprefix(self._prefix).split("/"):
            case ["node", node, "ack"]:
                return self._from_node(box, node, message.payload)
            case ["node", node, "hello"]:
                self._greeted(node, message.payload)
                return None
            case ["node", node, "report"]:
                return self._reported(box, node, message.payload)
            case ["receipt", channel]:
                return self._from_carrier(box, channel, message.payload)
        raise _Stray(
            "unknown_topic",
            Text("不认识的主题", "neither a node's ack nor a carrier's receipt"),
        )

    def _from_node(self, box: Box, node: str, payload: bytes) -> Receipt:
        ack = _told(payload, _ack, Text("不是终端应答", "not a node's ack"))
        meaning = NODE[ack.state]
        if ack.state == "refused":
            meaning = NODE_REFUSED.get(ack.detail, meaning)
        entry, route = _place(box, ack.id)
        if not ack.node == node == entry.delivery.recipient:
            words = Text(f"{node} 冒答别的终端", f"node {node} speaks for another node's command")
            raise _Stray("wrong_node", words)
        said = _of_node(meaning, ack)
        if ack.battery is not None and 0 <= ack.battery <= 100:
            charge = f"{ack.battery:.0f} %"
            battery = Text(f"电量 {charge}", f"battery {charge}")
            said = text_of(said) + Text("，", ", ") + battery if said else battery
        return self._made(entry, route, meaning, ack.at, said)

    def _known(self, name: str) -> tuple[Caretaker, Node]:
        node = self._nodes.get(name)
        if node is None or self._caretaker is None:
            words = Text(f"nodes.csv 里没有终端 {name}", f"there is no node {name} in nodes.csv")
            raise _Stray("unknown_station", words)
        return self._caretaker, node

    def _greeted(self, name: str, payload: bytes) -> None:
        caretaker, node = self._known(name)
        hello = _told(payload, _hello, Text("不是终端问候", "not a node's hello"))
        if hello.node != name:
            words = Text(f"{name} 冒名问候", f"node {name} greets in another's name")
            raise _Stray("wrong_node", words)
        caretaker.hello(node, hello, self._clock())

    def _reported(self, box: Box, name: str, payload: bytes) -> Delivery | None:
        caretaker, node = self._known(name)
        found = caretaker.note(box, node, payload)
        if isinstance(found, Refused):
            hint = Text("；nodes.csv 缺它的 sign_key", "; nodes.csv has no sign_key for it")
            words = Text(
                f"{name} 自称自主播出，无从证实", f"{name} says that it acted alone: not proved"
            ) + ("" if node.sign_key else hint)
            raise _Stray(found.reason, words)
        return found

    def _from_carrier(self, box: Box, channel: str, payload: bytes) -> Receipt:
        told = _told(payload, _carrier, Text("不是通道回执", "not a carrier's receipt"))
        meaning = _meaning(channel, told.status)
        entry, route = _place(box, told.key)
        if entry.delivery.routes[route].channel != channel:
            raise _Stray("wrong_channel", channel + _OTHER_CHANNEL)
        said = _said(meaning, told.status, _masked(told.detail))
        given = told.code or None
        return self._weighed(self._made(entry, route, meaning, told.at, said), entry, given)

    def word(self, box: Box, heard: CarrierWord, *, patient: bool) -> list[Out] | None:
        """What a carrier says, or somebody's telephone by it, as the log is given it. None while
        nobody knows the message and `patient`: the carrier may be quicker than our own log.

        Raises `NotNow` where people's numbers cannot be looked up: it is to be said again."""
        try:
            if heard.sender and self._inbound is not None:
                return self._inbound.outs(heard, self._clock())
            found = self._heard(box, heard, patient=patient)
            return None if found is None else [found]
        except (*OF_THE_LOG, NotNow):
            raise
        except Exception as e:  # noqa: BLE001  # one word must not deafen the stage
            return [
                self._letter(f"carrier/{heard.channel}/{heard.carrier}", b"", *unread("send", e))
            ]

    def kept(self) -> None:
        """The log has every word so far."""
        if self._inbound is not None:
            self._inbound.kept()

    def _heard(self, box: Box, heard: CarrierWord, *, patient: bool) -> Out | None:
        """A carrier's word as a receipt or a dead letter."""
        try:
            if heard.fault:
                raise _Stray("bad_payload", heard.fault)
            if not heard.status:
                words = Text(
                    "是来信，不是回执", "a message from a telephone, not a delivery receipt"
                )
                raise _Stray("no_receipt", words)
            meaning = _meaning(heard.channel, heard.status)
            ref = self._ref(box, heard)
            place = box.refs.get(ref) or box.keys.get(heard.key)
            if place is None and patient:
                return None
            entry, route = _found(box, place)
            if entry.delivery.routes[route].channel != heard.channel:
                raise _Stray("wrong_channel", heard.carrier + _OTHER_CHANNEL)
        except _Stray as e:
            return self._letter(f"carrier/{heard.channel}/{heard.carrier}", b"", *e.args)
        detail = each(heard.detail, _masked)
        said = _said(meaning, _masked(heard.status), detail, f"{heard.carrier} ")
        given = "" if heard.status in BY_CODE else None
        made = self._weighed(self._made(entry, route, meaning, 0, said), entry, given, heard.status)
        refs = (ref,) if ref else heard.refs if meaning.state == "accepted" else ()
        made = msgspec.structs.replace(made, refs=refs)
        return Out("deliveries", made.delivery, encode(made))

    def _ref(self, box: Box, heard: CarrierWord) -> str:
        """The message that a carrier's ids name; "" for none. Where they could name several, it is the
        one whose recipient has a number that the receipt names."""
        found = message_id.named(heard.refs, box.refs, box.spelled)
        if not found or (len(found) == 1 and found[0] in heard.refs):
            return found[0] if found else ""
        people = self._inbound.whose(heard.numbers) if self._inbound else frozenset()
        theirs = [r for r in found if _found(box, box.refs.get(r))[0].delivery.recipient in people]
        if theirs:
            return theirs[0]
        if found[0] in heard.refs:  # as the carrier wrote it when it took the message
            return found[0]
        if len({box.refs.get(r) for r in found}) > 1:
            words = heard.carrier + Text(
                " 的编号可指多条消息", ": its id could be that of several messages"
            )
            raise _Stray("ambiguous_id", words)
        return "" if people else found[0]  # of somebody else's message it says nothing

    def _weighed(
        self, made: Receipt, e: Entry, code: str | None, status: str = ""
    ) -> Receipt:
        """What an answer is worth where a code was asked for. code: as it was given, "" where the carrier
        compared it itself, None for none. Without the right one nobody has answered."""
        d = e.delivery
        if not d.code:
            return made
        if status == "wrong_code":
            return msgspec.structs.replace(made, answered_by="wrong")
        if made.state != "answered":
            return made
        right = code == "" or (
            bool(code) and self._codes is not None
            and self._codes.is_right(d.alert, d.recipient, code or "")
        )  # fmt: skip
        if right:
            return msgspec.structs.replace(made, answered_by="code")
        call = d.routes[made.route].channel == "voice"
        return msgspec.structs.replace(
            made,
            state="failed" if call else "delivered",
            detail=_BARE if code is None else _WRONG,
            answered_by="bare" if code is None else "wrong",
        )

    def _made(self, e: Entry, route: int, meaning: Meaning, said_at: int, words: Said) -> Receipt:
        at = self._clock()
        # an exercise has one clock, which the simulators share; a real device's may be wrong
        if not self._live and e.delivery.queued_at <= said_at <= at + _AHEAD_MS:
            at = said_at
        return Receipt(
            delivery=e.delivery.id,
            route=route,
            state=meaning.state,
            receipt_at=at,
            attempt=max(1, e.attempt) if route == e.route else 1,
            permanent=meaning.permanent,
            detail=each(words, lambda half: half[:_DETAIL]),
        )

    def _dead(self, message: Message, reason: str, detail: Said) -> Out:
        return self._letter(message.topic, kept(message.topic, message.payload), reason, detail)

    def _letter(self, source: str, payload: bytes, reason: str, detail: Said) -> Out:
        return letter(self._clock(), source, Rejected(reason, detail), payload)


def kept(topic: str, payload: bytes) -> bytes:
    """What a dead letter keeps of a message: of a carrier's no number."""
    return _NUMBER.sub(b"#", payload) if "/receipt/" in topic else payload


def _told(payload: bytes, decoder: "msgspec.json.Decoder[T]", what: Text) -> T:
    try:
        return read_json(payload, decoder, JSON_BYTES)
    except Unreadable as e:
        raise _Stray(e.reason, what + ": " + e.words) from e


def _said(meaning: Meaning, word: str, detail: Said, carrier: str = "") -> Said:
    """What it means, then the other side's own words; nothing if they only repeat the state."""
    theirs = each(detail, lambda half: f"{carrier}{word} {half}".strip())
    if theirs == meaning.state and not meaning.zh:
        return ""
    state = "" if word == meaning.state else f"{meaning.state}: "
    return Text(f"{meaning.words} ", state) + theirs


def _of_node(meaning: Meaning, ack: NodeAck) -> Said:
    """How it went at a node: a refusal's code is worded here, the rest is what the node says of it."""
    if ack.state == "refused" and ack.detail in NODE_REFUSED:
        return Text(meaning.words, f"refused: {ack.detail.replace('_', ' ')}")
    if not ack.detail and not meaning.zh:
        return ""
    state = "" if ack.state == meaning.state else f"{meaning.state}: "
    words = Text(ack.detail, ack.detail_en or ack.detail)
    return each(Text(f"{meaning.words} ", f"{state}{ack.state} ") + words, str.strip)


def _masked(words: str) -> str:
    return _NUMBER.sub(b"#", clean(words).encode()).decode()


def _meaning(channel: str, status: str) -> Meaning:
    meaning = meaning_of(channel, status)
    if meaning is None:
        words = WORDS.get(channel, CARRIER)
        known = ", ".join(words)
        said = Text(f"不认识；认识的有 {known}", f"is not known; known are {known}")
        raise _Stray("unknown_status", f"{_masked(status)[:40]!r}: " + said)
    return meaning


def _place(box: Box, key: str) -> tuple[Entry, int]:
    return _found(box, box.keys.get(key))


def _found(box: Box, place: tuple[str, int] | None) -> tuple[Entry, int]:
    entry = box.entries.get(place[0]) if place is not None else None
    if place is None or entry is None:
        words = Text("近一天没有这条消息", "no delivery of the last day has this key")
        raise _Stray("unknown_delivery", words)
    return entry, place[1]
