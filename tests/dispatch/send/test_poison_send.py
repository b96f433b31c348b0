"""The doors of send: what nodes, carriers and telephones say, however spoilt, is a receipt or a dead
letter; a thread that dies is not silent."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.records.level import Action
from dispatch.channels import CarrierWord, SendError, SendResult
from dispatch.channels.failover import Carriers, Leg
from dispatch.channels.http.receipt_server import fields_of
from dispatch.channels.http.response import at, read
from dispatch.channels.rate_and_breaker import Lane
from dispatch.nodes.keys import Ring
from dispatch.nodes.protocol import MAX_BYTES, Command, NodeReport, Refused, opened, sign, what_of
from dispatch.nodes.report import account
from dispatch.records import Delivery, Route
from dispatch.send.inbound_sms import Inbound, NotNow
from dispatch.send.node_supervisor import Caretaker
from dispatch.send.outbox.state import Attempt, Box
from dispatch.send.receipt_writer import Hearing
from dispatch.send.receipts import Receipts
from dispatch.send.workers import Clock, Sender
from stream.log.open import open_log
from stream.log.port import Log, Out, Unavailable
from stream.mqtt.client import Message
from stream.records import encode
from tests.support import poison
from tests.support.decide_district import T0, yanqing
from tests.support.send import delivery, until

PREFIX = "fengsui/exercise/yanqing"
KEY = bytes(range(32))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    found = open_log(f"sqlite:///{tmp_path / 'log'}", "exercise", "yanqing", 4)
    yield found
    found.close()


def listening(folder: Path) -> Receipts:
    district = yanqing()
    ring = Ring(folder, "exercise")
    caretaker = Caretaker(district, PREFIX, "exercise", folder, ring, lambda *_: True)
    return Receipts(PREFIX, False, lambda: T0, district.nodes, caretaker, Inbound(district))


def reasons(outs: list[Out]) -> list[str]:
    return [json.loads(o.value)["reason"] for o in outs if o.topic == "dead-letters"]


def test_every_poison_of_a_node_or_carrier_is_a_dead_letter(tmp_path: Path) -> None:
    receipts, box = listening(tmp_path), Box()
    good = Message(f"{PREFIX}/receipt/sms", b'{"key": "k", "status": "DELIVRD", "at": 1}', 1, 1)
    tried = Counter()  # type: ignore[var-annotated]
    for one in poison.of_send(T0):
        outs = receipts.records(box, [Message(f"{PREFIX}/{one.topic}", one.payload, 1, 1), good])
        assert reasons(outs)[-1:] == ["unknown_delivery"], one  # of the good one: the box is empty
        assert len(outs) <= 2, one
        tried[one.door] += 1
    assert len(tried) == 4
    assert min(tried.values()) > 20


def test_a_program_error_in_a_word_is_a_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("13800138000")

    receipts = listening(tmp_path)
    monkeypatch.setattr(receipts, "_from_carrier", broken)
    spoilt = Message(f"{PREFIX}/receipt/sms", b"{}", 1, 1)
    outs = receipts.records(Box(), [spoilt, spoilt])
    assert reasons(outs) == ["bad_payload", "bad_payload"]
    assert b"1380013" not in outs[0].value
    monkeypatch.setattr(receipts, "_heard", broken)
    outs = (
        receipts.word(Box(), CarrierWord("sms", "g", "", ("g|1",), "DELIVRD"), patient=False) or []
    )
    assert reasons(outs) == ["bad_payload"]

    def away(*_: object) -> None:
        raise Unavailable("disk full")

    monkeypatch.setattr(receipts, "_from_carrier", away)
    with pytest.raises(Unavailable):
        receipts.records(Box(), [spoilt])


WORDS = ["\ud800", "x" * 70_000, "\0", "9" * 5000, "%(id)s", "字" * 300]


@pytest.mark.parametrize("word", WORDS, ids=range(len(WORDS)))
def test_a_carriers_word_can_always_be_written_down(word: str, tmp_path: Path, log: Log) -> None:
    receipts = listening(tmp_path)
    for heard in (
        CarrierWord("sms", "g", word, (), word, word),
        CarrierWord("sms", "g", "", (f"g|{word}",), "DELIVRD", word),
        CarrierWord("sms", "g", "", (f"g|{word}",), "", sender=word, text=word),
        CarrierWord("sms", word, "", (), "", sender="13800138000", text=word),
    ):
        outs = receipts.word(Box(), heard, patient=False)
        assert outs
        log.append(outs)


def test_people_whose_numbers_cannot_be_looked_up_now_are_to_say_it_again(
    tmp_path: Path, log: Log
) -> None:
    district = msgspec.structs.replace(yanqing(), vault=tmp_path / "vault")
    (tmp_path / "vault").write_text("a file where the folder should be")
    receipts = Receipts(PREFIX, False, lambda: T0, {}, None, Inbound(district))
    told: list[bool] = []
    message = CarrierWord("sms", "g", "", (), "", "", told.append, "13800138000", "求助")
    with pytest.raises(NotNow):
        receipts.word(Box(), message, patient=False)
    sender = Sender(log, {}, Clock(False, lambda: 0), ())
    sender.box = Box()
    hearing, stop = Hearing(), threading.Event()
    hearing.hear(message)
    hearing.hear(CarrierWord("sms", "g", "k", (), "no such word", "", told.append))
    hearing.start(receipts, sender, log, stop)
    try:
        until(lambda: len(told) == 2, "both are answered")
    finally:
        hearing.close()
        sender.close()
    assert told == [False, True]
    assert sender.failed is None


class Odd:
    """A carrier that answers what cannot be written down."""

    name = "g"

    def __init__(self) -> None:
        self.told = SendResult("accepted", "half \ud800", ("g|\ud800",))

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        return self.told


def test_an_answer_that_cannot_be_written_down_silences_nobody(log: Log) -> None:
    sender = Sender(log, {"sms": Odd()}, Clock(False, lambda: 0), ())
    box = Box()
    for n in range(3):
        d = delivery(n, f"r{n}", "sms")
        sender._say(_try(d), sender.tried(Attempt(d, 0, 1, f"k{n}")), T0)
    until(lambda: len(log.read("deliveries", 0, 0)) == 3, "three receipts")
    sender.after(box)  # and nothing has failed
    sender.close()
    found = [json.loads(e.value) for e in log.read("deliveries", 0, 0)]
    assert {(r["state"], r["refs"][0]) for r in found} == {("accepted", "g|?")}


def _try(d: Delivery) -> Any:
    from dispatch.send.desk import Try

    return Try(Attempt(d, 0, 1, "k"), T0)


class Dying(Carriers):
    """A channel whose pace cannot be asked."""

    def wait_s(self) -> float:
        raise KeyError("pace")


def test_a_thread_that_dies_ends_the_stage(log: Log) -> None:
    channel = Dying(yanqing(), "sms", [], lambda: T0)
    sender = Sender(log, {"sms": channel}, Clock(False, lambda: 0), ())
    sender._open("sms").put(_try(delivery(1, "r", "sms")))
    until(lambda: sender.failed is not None, "it is noticed")
    with pytest.raises(KeyError):
        sender.after(Box())
    sender.close()


class Broken:
    name = "broken"

    def send(self, parcel: Any) -> SendResult:
        raise KeyError("13800138000")

    def probe(self) -> bool:
        raise KeyError("13800138000")

    def close(self) -> None: ...


class Well(Broken):
    name = "well"

    def send(self, parcel: Any) -> SendResult:
        return SendResult("accepted")

    def probe(self) -> bool:
        return True


def test_an_undeclared_error_of_one_carrier_lets_the_next_one_send() -> None:
    legs = [Leg(Broken(), Lane()), Leg(Well(), Lane())]
    channel = Carriers(yanqing(), "sms", legs, lambda: T0)
    one = delivery(1, next(iter(yanqing().contacts)), "sms")
    assert channel.send(one, one.routes[0], "k").state == "accepted"
    found = {name: up for name, up, _ in channel.probe()}
    assert found == {"broken": False, "well": True}
    alone = Carriers(yanqing(), "sms", [Leg(Broken(), Lane())], lambda: T0)
    with pytest.raises(SendError) as e:
        alone.send(one, one.routes[0], "k")
    assert "KeyError" in e.value.detail
    assert "138" not in e.value.detail


def report(**changes: Any) -> NodeReport:
    fields: dict[str, Any] = {
        "node": "N001", "kind": "exercise", "act": "a", "state": "played", "mandate_at": T0,
        "area": "A01", "hazard": "flash_flood", "action": Action.MOVE, "text": "t", "quantity": "rain",
        "window_min": 60, "count": 500, "lost_at": T0, "began_at": T0,
    }  # fmt: skip
    return msgspec.convert({**fields, **changes}, NodeReport)


@pytest.mark.parametrize("field", ["began_at", "lost_at", "count", "window_min", "mandate_at"])
@pytest.mark.parametrize("value", [10**18, -(10**18), 10**400, 253_402_300_800_000], ids=range(4))
def test_a_loudspeaker_with_a_broken_clock_is_still_heard(field: str, value: int) -> None:
    area = yanqing().areas["A01"]
    told = account(report(**{field: value}), area, "Asia/Shanghai", T0)
    assert "N001" in told.routes[0].text
    assert encode(told)


def test_a_signed_message_is_opened_only_if_it_is_shallow() -> None:
    public = Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw()
    good = sign(KEY, report())
    assert isinstance(opened(good, NodeReport, "exercise", [public]), NodeReport)
    nested = b'{"x":' + b"[" * 1500 + b"]" * 1500 + b","
    for where in (b"{", b'"body":{'):
        spoilt = good.replace(where, where[:-1] + nested, 1)
        assert len(spoilt) < MAX_BYTES
        assert opened(spoilt, NodeReport, "exercise", [public]) == Refused("bad_payload")
        assert opened(spoilt, Command, "live", []) == Refused("bad_payload")
        assert what_of(spoilt) == ""
    assert opened(b" " * (MAX_BYTES + 1), NodeReport, "exercise", []) == Refused("bad_payload")


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b'{"id": "\\ud800"}', ""),
        (b'{"id": ' + b"9" * 400 + b"}", ""),
        (b'{"id": ' + b"[" * 1500 + b"]" * 1500 + b"}", ""),
        (b'\xef\xbb\xbf{"id": 7}', "7"),
        (b'{"id": true}', "true"),
    ],
)
def test_an_answer_of_a_gateway(body: bytes, want: str) -> None:
    assert at(read(body), "id") == want


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b'{"id": "\\ud800", "status": "OK"}', []),
        (b"id=1&status=OK", [{"id": "1", "status": "OK"}]),
        (b"id=%ED%A0%80", [{"id": "\ufffd" * 3}]),
        (b'[{"id": ' + b"9" * 400 + b', "s": "OK"}]', [{"s": "OK"}]),
        (b"&".join(b"a%d=1" % n for n in range(200)), []),
        (b"[" * 3000, []),
    ],
)
def test_a_receipt_by_http(body: bytes, want: list[dict[str, str]]) -> None:
    found = fields_of(body)
    assert [r for r in found if "\ud800" in "".join(r.values())] == []
    assert found == want or not want
