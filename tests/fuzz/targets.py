"""Everything that decodes what comes from outside, as a function of bytes. A target returns when what
it met is a declared outcome; anything else is a finding. `SEEDS` begin each search."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import cbor2
import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from config.language import en, zh
from config.records.devices.things import ThingRow
from config.records.level import Action, Level
from console.model.follow import DECODERS
from dispatch.channels import CarrierWord
from dispatch.channels.http import response as answers
from dispatch.channels.http.receipt_server import fields_of
from dispatch.channels.platform.door import tar_in
from dispatch.channels.platform.ebd.form import Wrong as WrongPacket
from dispatch.channels.platform.ebd.packet import REASONS as REASONS_OF_PACKETS
from dispatch.channels.platform.ebd.packet import Packet, pack, unpack
from dispatch.channels.platform.ebd.reader import read_ebd
from dispatch.channels.platform.ebd.signature import read_signature
from dispatch.channels.sip.control import BrokenControl, ControlReader, event_of
from dispatch.channels.smpp.pdu import read as read_pdu
from dispatch.channels.smpp.receipt import receipt
from dispatch.channels.smpp.text import decodings
from dispatch.nodes.judgement import Node
from dispatch.nodes.keys import Ring
from dispatch.nodes.memory import Kept, Setup
from dispatch.nodes.protocol import (
    Beacon,
    Clause,
    Command,
    KeySet,
    Kind,
    Mandate,
    NodeReport,
    Noted,
    Refused,
    SelfTest,
    TrustedKey,
    _prefix,
    opened,
    sign,
    what_of,
)
from dispatch.nodes.report import account
from dispatch.nodes.trust import Moment, NodeTrust
from dispatch.records import Delivery, Receipt
from dispatch.send.inbound_sms import Inbound
from dispatch.send.node_supervisor import Caretaker
from dispatch.send.outbox.state import Box
from dispatch.send.receipts import Receipts, _Stray
from ingest.camera import digest
from ingest.camera.jpeg import Jpeg, of_jpeg
from ingest.cap.decode import MAX_BYTES, CapMessage, open_cap, read_cap
from ingest.cap.envelopes import messages
from ingest.cap.feed_entries import entries
from ingest.cap.intake import CapDoor
from ingest.cap.interpret import Hearing
from ingest.decode.dialects import DECODERS as GATEWAY
from ingest.decode.frame import check_frame
from ingest.decode.gzip_in import unpacked
from ingest.decode.phrases import Meaning, meanings
from ingest.decode.reading import REASONS, Reading, decode_json
from ingest.decode.xml import Wrong
from ingest.identify import Register, identify
from ingest.observation import CapIn, Observation, PersonSays, Service
from ingest.people.form import Form, FormWrong
from ingest.people.reports import People
from ingest.stage import Intake
from ingest.telemetry.codec.said import Broken
from ingest.telemetry.codec.sl651.rows import rows as rows_651
from ingest.telemetry.codec.sparkplug.rows import rows as rows_sparkplug
from ingest.telemetry.codec.szy206.rows import rows as rows_206
from ingest.telemetry.desk import Desk, finder_of
from ingest.telemetry.lorawan.network import OfNetworks
from ingest.telemetry.lorawan.rows import rows as rows_lorawan
from ingest.telemetry.sparkplug.edges import OfEdges
from ingest.telemetry.things.streams import OfDatastreams
from ingest.waveform.records import clock_of, record_length
from ingest.waveform.seconds import Band, Piece, Seconds
from simulators.telemetry.lorawan import SERVERS, Radioed
from stream.disk.blobs import FrameStore
from stream.limits import LAST_AT, Unreadable, deep, moment, number, read_json
from stream.log.port import Out
from stream.mqtt.client import Message
from stream.pace.rate_limit import RateLimit
from stream.records import Rejected, Run, decode, encode
from tests.support import poison, sparkplug_bytes
from tests.support.cap_world import WEATHER, hearing, message, signed
from tests.support.decide_district import T0
from tests.support.lorawan import LEVEL
from tests.support.lorawan import district as lorawan_district
from tests.support.sparkplug import DEVICE, EDGE, GROUP
from tests.support.sparkplug import district as sparkplug_district
from tests.support.telemetry import district as telemetry_district
from tests.support.telemetry import frames_651

KEY = bytes(range(32))
PREFIX = "fengsui/live/yanqing/"
RUN = Run(name="live", kind="live", district="yanqing", config="c", start_at=T0)
THINGS = (
    ThingRow(datastream="1", station="R01", missing=(9999.0,), trace=(-0.1,)),
    ThingRow(datastream="a", station="S01", unit="cm", quality="qartod"),
)
_any = msgspec.json.Decoder()


class World(NamedTuple):
    """What targets need, made once."""

    intake: Intake
    register: Register
    people: People
    heard: Hearing
    receipts: Receipts
    inbound: Inbound
    area: Any


@cache
def _folder() -> "TemporaryDirectory[str]":
    """It is gone when the process ends."""
    return TemporaryDirectory(prefix="fuzz-")


@cache
def world() -> World:
    folder, district = Path(_folder().name), hearing()
    intake = Intake(district, RUN, FrameStore(folder / "f"), CapDoor(district, True, folder))
    intake.clock_at = T0
    ring = Ring(folder, "exercise")
    inbound = Inbound(district)
    caretaker = Caretaker(district, PREFIX[:-1], "exercise", folder, ring, lambda *_: True)
    receipts = Receipts(PREFIX[:-1], False, lambda: T0, district.nodes, caretaker, inbound)
    return World(
        intake, Register(district), People(district), Hearing(district, True), receipts, inbound,
        district.areas["A01"],
    )  # fmt: skip


def expect(found: object, *kinds: type) -> None:
    assert isinstance(found, kinds), type(found)
    if isinstance(found, Rejected):
        assert found.reason in REASONS, found.reason
        for half in (zh(found.detail), en(found.detail)):
            assert half
            assert encode_text(half)


def things(data: bytes) -> None:
    """Observations of two Datastreams, one with a scale of quality; the first byte chooses."""
    district = replace(hearing(), things=THINGS)
    desk = OfDatastreams(district, world().register, live=True)
    topic = (
        "v1.1/Datastreams(1)/Observations",
        "v1.1/Datastreams('a')/Observations",
        "v1.1/Observations",
    )
    for found in desk.take(topic[(data[0] if data else 0) % 3], data[1:], T0):
        expect(found, Observation, Rejected)


def encode_text(text: str) -> bytes:
    return text.encode() or b" "


def reading(data: bytes) -> None:
    for found in decode_json(data):
        expect(found, Reading, Rejected)
        if isinstance(found, Reading):
            for unit in (found.unit, "cm"):
                found.unit = unit
                judged = identify(world().register, found, "R01", "rain", T0)
                expect(judged, Observation, Rejected)
                if isinstance(judged, Observation):
                    encode(judged)


def of_gateway(dialect: str, data: bytes) -> None:
    """A payload of `DECODERS`: json has more to it, and stands above."""
    for found in GATEWAY[dialect](data, T0):
        expect(found, Reading, Rejected)
        if isinstance(found, Reading):
            expect(identify(world().register, found, "R01", "rain", T0), Observation, Rejected)


TOPICS = (
    "station/R01/rain", "gateway/G1/json", "gateway/G1/senml", "node/N001/status",
    "person/C-0001/sms", "person/C-0001/report", f"source/{WEATHER}/cap",
    f"station/V01/frame/{T0}",
)  # fmt: skip


def intake(data: bytes) -> None:
    """The first byte chooses the topic; without the guard, which would hide what is sought."""
    topic = TOPICS[data[0] % len(TOPICS)] if data else data.decode()
    for found in world().intake._meant(Message(PREFIX + topic, data[1:], 1, 1)):
        expect(found, Observation, Rejected, Out)


def topic(data: bytes) -> None:
    """The topic is what is odd."""
    name = data.decode("utf-8", "replace")
    for out in world().intake.records([Message(PREFIX + name, b'{"value": 1}', 1, 1)]):
        assert b"\xe7\xa8\x8b\xe5\xba\x8f\xe5\x87\xba\xe9\x94\x99" not in out.value  # the guard


def frame(data: bytes) -> None:
    expect(check_frame(data) or Rejected("bad_frame", "taken"), Rejected)


def camera(data: bytes) -> None:
    """What a camera that is asked answers: a challenge, or a picture."""
    made = digest.answer(data.decode("latin-1"), "GET", "/s", "eye", "gate", "0a1b")
    assert made is None or made.startswith(("Digest ", "Basic "))
    expect(of_jpeg(data, 640, 80), Jpeg | Rejected)


def said(data: bytes) -> None:
    for found in meanings(data.decode("utf-8", "replace")):
        expect(found, Meaning)


def people(data: bytes) -> None:
    who = world().people
    for found in (
        *who.sms("C-0001", data, T0),
        *who.report("C-0001", data, T0),
        *who.text("C-0001", data.decode("utf-8", "surrogateescape"), "", None, T0),
    ):
        expect(found, PersonSays, Service, Rejected)
        if not isinstance(found, Rejected):
            encode(found)
    who._recent = RateLimit(60_000)


def cap(data: bytes) -> None:
    try:
        parts = messages(unpacked(data, MAX_BYTES))
    except Wrong:
        return
    for part in parts:
        found = world().heard.listen(part.body, T0, WEATHER, part.status, part.notes).found
        expect(found, CapIn, Rejected)
        if isinstance(found, CapIn):
            encode(found)
        try:  # as if nobody had to sign it
            assert isinstance(read_cap(open_cap(part.body)), CapMessage)
        except Wrong:
            continue


def feed(data: bytes) -> None:
    try:
        assert isinstance(entries(data, "https://their.example/feed"), list)
    except Wrong:
        return


PUBLIC = Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw().hex()
SIGNED: tuple[Any, ...] = (
    Beacon(kind="exercise", beacon_at=T0 + 1),
    KeySet(kind="exercise", version=2, issued_at=T0, keys=(TrustedKey(public=PUBLIC),)),
    Mandate(
        node="N001", kind="exercise", area="A01", hazard="flash_flood", issued_at=T0,
        valid_from_at=T0, valid_until_at=T0 + 9, after_s=60, plays=3, gap_s=60, repeat=2, volume=90,
        clauses=(Clause(quantity="rain", window_min=60, count=500, action=Action.MOVE),),
        prepare_text="p", move_text="m",
    ),
    Noted(node="N001", kind="exercise", acts=("a/played",)),
    SelfTest(id="t", node="N001", kind="exercise", issued_at=T0, expires_at=T0 + 9),
    Command(
        id="c", node="N001", alert="x", version=1, area="A01", level=Level.RED, action=Action.MOVE,
        msg_type="alert", kind="exercise", text="t", repeat=2, volume=90, issued_at=T0,
        expires_at=T0 + 9_000,
    ),
)  # fmt: skip
WHATS = ("beacon", "keys", "mandate", "noted", "self_test", "command")
FORMS = (Command, Beacon, KeySet, Mandate, SelfTest, Noted, NodeReport)


def form(data: bytes) -> None:
    """A form of the people's page, in two pieces."""
    try:
        found = Form("multipart/form-data; boundary=b", 1000)
        found.feed(data[: len(data) // 2])
        found.feed(data[len(data) // 2 :])
    except FormWrong:
        return
    found.said()
    encode_text("".join(found.fields.values()))


def node_message(data: bytes) -> None:
    what_of(data)
    for form in FORMS:
        expect(opened(data, form, "exercise", [KEY]), form, Refused)


def node_at(kind: Kind = "exercise") -> Node:
    trusted = (TrustedKey(public=PUBLIC),)
    keys = KeySet(kind=kind, version=1, issued_at=T0, keys=trusted)
    kept = Kept(trust=NodeTrust(root=PUBLIC, keys=keys), tested_at=T0)
    return Node(Setup("N001", kind, KEY), kept, Moment(1, T0))


def node_hears(data: bytes) -> None:
    """Bytes on a command topic; then what is kept can be kept, and time goes on."""
    for payload in (data, b'{"sealed":' + data + b"}"):
        node = node_at()
        node.hear(payload, Moment(2, T0 + 1))
        node.advance(Moment(3, T0 + 2))
        msgspec.json.encode(node.kept)


def node_obeys(data: bytes) -> None:
    """As who holds the sender's key may sign anything."""
    what, body = WHATS[data[0] % len(WHATS)] if data else "beacon", data[1:]
    signature = Ed25519PrivateKey.from_private_bytes(KEY).sign(_prefix(what, "exercise") + body)
    parts = (b'{"what":"', what.encode(), b'","body":', body, b',"signature":"')
    node = node_at()
    node.hear(b"".join(parts) + signature.hex().encode() + b'"}', Moment(2, T0 + 1))
    node.advance(Moment(3, T0 + 2))
    msgspec.json.encode(node.kept)
    msgspec.msgpack.encode(node.kept)


def node_report(data: bytes) -> None:
    """As a node that holds its key may sign anything."""
    try:
        report = msgspec.json.decode(data, type=NodeReport)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    encode(account(report, world().area, "Asia/Shanghai", T0))


def receipts(data: bytes) -> None:
    door = world().receipts
    for where in ("node/N001/ack", "node/N001/hello", "node/N001/report", "receipt/sms"):
        try:
            found = door._receipt(Box(), Message(PREFIX + where, data, 1, 1))
            expect(found, Receipt, Delivery, type(None))
        except _Stray as e:
            assert all(encode_text(str(x)) for x in e.args)


def carrier_word(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    a, _, b = text.partition("|")
    for heard in (
        CarrierWord("sms", "g", a, (f"g|{b}",), b, a),
        CarrierWord("sms", "g", "", (f"g|{a}",), "", sender=b, text=a),
    ):
        if heard.sender:
            assert isinstance(world().inbound.outs(heard, T0), list)
        else:
            expect(world().receipts._heard(Box(), heard, patient=False), Out)


def answer(data: bytes) -> None:
    for path in ("code", "data.id", "data.0.id", "a.b.c"):
        encode_text(answers.at(answers.read(data), path))
    encode_text(answers.says_no(data) + answers.text_of(data))


def carrier_http(data: bytes) -> None:
    for row in fields_of(data):
        for value in row.values():
            encode_text(value)


def smpp(data: bytes) -> None:
    pdu = read_pdu((data + bytes(16))[: max(16, len(data))])
    receipt(pdu)
    for text in decodings(pdu.text, pdu.data_coding):
        encode_text(text)


def call_control(data: bytes) -> None:
    try:
        for told in ControlReader().feed(data):
            event_of(told)
    except BrokenControl:
        return


def outside(data: bytes) -> None:
    try:
        found = read_json(data, _any, 64_000)
    except Unreadable as e:
        assert e.reason in REASONS
        return
    assert not deep(data)
    at = moment(found)
    assert at is None or 0 <= at <= LAST_AT
    number(found)


def moments(data: bytes) -> None:
    at = moment(data.decode("utf-8", "replace"))
    assert at is None or 0 <= at <= LAST_AT


def waveform(data: bytes) -> None:
    """What is read of a miniSEED header by ourselves, and samples of whatever value."""
    assert len(clock_of(data)) < 40
    assert 0 <= record_length(data) <= 1 << 20
    samples = np.frombuffer(data[: len(data) // 8 * 8]).copy()
    channel = Seconds(Band(), 1.0)
    for n in range(3):
        fed = channel.feed(Piece("FS.G1..EHZ", n * len(data) * 10**7, 100.0, samples))
        assert all(np.isfinite(s.value) for s in fed.seconds)


TARGETS: dict[str, Callable[[bytes], None]] = {
    f.__name__: f
    for f in (
        reading, intake, topic, frame, camera, said, people, form, cap, feed, node_message,
        node_hears, node_obeys, node_report,
        waveform, receipts, carrier_word, answer, carrier_http, smpp, call_control, outside, moments,
    )
}  # fmt: skip
for _dialect in [d for d in GATEWAY if d != "json"]:
    TARGETS[_dialect] = lambda data, _dialect=_dialect: of_gateway(_dialect, data)  # type: ignore[misc]
for _topic in DECODERS:
    TARGETS[f"record_{_topic}"] = lambda data, _topic=_topic: record(_topic, data)  # type: ignore[misc]


def record(topic: str, data: bytes) -> None:
    """A record as every stage and reader of the topic reads it: one of the topic, or none."""
    found = decode(DECODERS[topic].decode, data)
    assert found is None or encode(found)


def station(data: bytes) -> None:
    """Bytes as a telemetry station says them: only readings and declared reasons."""
    desk = Desk(
        telemetry_district(), Register(telemetry_district()), lambda *_: Rejected("bad_frame", "")
    )
    finder = finder_of(data)
    for one in [*finder.feed(data), *finder.rest()]:
        heard = desk.broken(one) if isinstance(one, Broken) else desk.hear(one, "tcp", T0)
        assert all(why.reason in REASONS for why in heard.letters)
        assert all(0 <= o.observed_at <= LAST_AT for o in heard.found)


def uplink(data: bytes) -> None:
    """A message of either network server, and its payload by every codec: only readings and declared
    reasons."""
    mine = lorawan_district()
    door = OfNetworks(mine, Register(mine), live=True)
    for topic in (
        f"application/a/device/{LEVEL}/event/up", f"application/a/device/{LEVEL}/event/status",
        "v3/a@t/devices/d/up", "v3/a@t/devices/d/down/failed",
    ):  # fmt: skip
        for found in door.take(topic.split("/"), data, T0) or ():
            expect(found, Observation, Rejected)
    for codec in mine.codecs.values():
        rows_lorawan(codec, data, data[0] if data else None)


def edge(data: bytes) -> None:
    """Bytes as an edge node says them, after its births: the first one chooses the kind of message."""
    of = sparkplug_district()
    edges = OfEdges(of, Register(of), live=True)
    kinds = ("NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH")
    kind = kinds[data[0] % len(kinds)] if data else "NDATA"
    where = f"spBv1.0/{GROUP}/{kind}/{EDGE}" + f"/{DEVICE}" * kind.startswith("D")
    for _ in range(2):
        for found in edges.take(where, data[1:], T0):
            expect(found, Observation, Rejected, Out)


TARGETS |= {"things": things, "sl651": rows_651, "szy206": rows_206, "station": station}
TARGETS["uplink"] = uplink
TARGETS |= {"sparkplug": rows_sparkplug, "edge": edge}


def packet(data: bytes) -> None:
    """What a broadcast platform posts: a form, a tar, its signature file, its XML."""
    tar_in("multipart/form-data; boundary=b", data)
    for read in (unpack, read_signature, read_ebd):
        try:
            read(data)
        except WrongPacket as e:
            assert e.reason in REASONS_OF_PACKETS


TARGETS["packet"] = packet


def seeds(target: str) -> Iterator[bytes]:
    """Good input of its form, and every recorded poison of it."""
    ours = [*poison.of_ingest(T0, "G1", WEATHER), *poison.of_send(T0)]
    good = b'[{"value": 1.5, "time": "2025-07-26T22:10:00+08:00", "unit": "cm", "seq": 7}]'
    match target:
        case "sparkplug" | "edge":
            level = sparkplug_bytes.metric("double", 1.25, name="Level", alias=11, datatype=10)
            births = sparkplug_bytes.payload(level, at=T0, seq=1)
            data = sparkplug_bytes.payload(sparkplug_bytes.metric("int", 7, alias=11), seq=2)
            yield from (births, b"\x01" + births, b"\x03" + data)
        case "reading" | "outside":
            yield from (good, *(p.payload for p in ours if p.door.startswith("reading")))
        case "nowcast":
            head = b"place,issued,from,to,mm,probability,members\n"
            t = [f"2026-08-26T{h}:00:00+08:00".encode() for h in ("10", "11", "13")]
            yield head + b"W1,%s,%s,%s,9.5,0.7,\nW1,%s,%s,%s,,,1;2;0\n" % (
                t[0], t[0], t[1], t[0], t[1], t[2],
            )  # fmt: skip
        case "senml":
            yield from (p.payload for p in ours if p.door == "gateway senml")
            yield cbor2.dumps(
                [{-2: "R01:", -4: "cm", 0: "rain", 2: 1.5, 6: -60}, {0: "rain", 5: 2}]
            )
        case "intake":
            for p in ours:
                if p.topic in TOPICS:
                    yield bytes([TOPICS.index(p.topic)]) + p.payload
        case "frame":
            yield from (poison.picture(), *(p.payload for p in ours if p.door == "frame"))
        case "camera":
            yield from (poison.picture(), *(p.payload for p in ours if p.door == "frame"))
            yield b'Basic realm="x", Digest realm="a\\"b", qop="auth,auth-int", nonce=7, algorithm=SHA-256'
            yield b'Digest realm=, nonce="", qop=auth-int'
        case "said":
            yield from (s.encode() for s in ("水涨了", "已转移一百零五人", "收到 1", "A01 求助"))
        case "people":
            yield from (p.payload for p in ours if p.door.startswith("person"))
        case "cap":
            yield from (message(), signed(message()), *(c.payload for c in poison.caps("")))
            plain = message().replace(b"cap:1.2", b"cap:1.1").partition(b"?>")[2]
            yield b"<alerts>" + plain + plain + b"</alerts>"
        case "form":
            parts = ("what", "help"), ("area", "A01"), ("people", "3")
            named = (
                f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'
                for k, v in parts
            )
            yield "".join(named).encode() + b"--b--\r\n"
        case "feed":
            entry = b'<entry><id>1</id><link href="a.xml"/></entry>'
            yield b'<feed xmlns="http://www.w3.org/2005/Atom">' + entry + b"</feed>"
            item = b"<item><guid>5</guid><link>a</link></item>"
            yield b'<rss version="2.0"><channel>' + item + b"</channel></rss>"
        case "node_message":
            yield sign(KEY, Beacon(kind="exercise", beacon_at=T0))
        case "node_obeys":
            for n, one in enumerate(SIGNED):
                yield bytes([n]) + msgspec.json.encode(one)
        case "node_hears":
            yield from (sign(KEY, one) for one in SIGNED)
        case "receipts":
            yield from (p.payload for p in ours if p.door in ("node ack", "carrier receipt"))
        case "answer" | "carrier_http":
            yield from (b'{"code": "0", "data": {"id": 7}}', b"id=1&stat=DELIVRD", b'[{"id": "1"}]')
        case "smpp":
            yield bytes.fromhex("0000001000000005000000000000000100") + b"id:1 stat:DELIVRD"
        case "call_control":
            body = b'{"event":true,"type":"CALL_CLOSED","direction":"outgoing","param":"486 Busy"}'
            yield b"%d:%s," % (len(body), body)
        case "waveform":
            head = b"000001D G1     EHZFS" + bytes(18) + b"\0\x01\0\0\0\0\0\0\0\x30"
            yield head + bytes.fromhex("03e80038 0b010900 03e90000 14000000")
            yield np.random.default_rng(1).normal(0, 1e3, 500).tobytes()
        case "sl651" | "station":
            head = "7E7E05001122334403E832002B020034170718110016F1F1001122334448F0F01707181100"
            yield bytes.fromhex(head + "201900004026190000403923000104903812109903A421")
            yield from frames_651(T0)
        case "szy206":
            yield bytes.fromhex("681A68B35303810D00C00059000000826110000001106000004508090A3516")
        case "uplink":
            sent = Radioed(LEVEL, bytes.fromhex("0175640382461E"), T0, 3, 85)
            yield from (by(sent)[1] for by in SERVERS.values())
            yield bytes.fromhex("017564038246" + "1E20CE9E7446634A1E")
        case "packet":
            head = "<EBD><EBDID>1</EBDID><EBDType>EBMStateResponse</EBDType><EBMStateResponse>"
            state = "<EBM><EBMID>2</EBMID></EBM><BrdStateCode>3</BrdStateCode></EBMStateResponse>"
            main = f"{head}{state}</EBD>".encode()
            tar = pack(Packet("1", main, b"<Signature/>"), T0)
            part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.tar"\r\n\r\n'
            yield from (main, tar, part + tar[:2048] + b"\r\n--b--\r\n")
        case "moments":
            yield from (b"2025-07-26T24:00:00+08:00", b"9999-12-31T23:59:59-14:00")
    yield from (b"", b"{}", b"[]", b"null")
