"""The whole stage against message centres of the field: receipts in other forms, before the response,
by data_sm, requests that nobody knows, PDUs that cannot be read, an unbind amid messages."""

import itertools
import queue
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import load
from config.records.district import District
from dispatch.channels import CarrierWord, SendError
from dispatch.records import Receipt
from dispatch.send.inbound_sms import Inbound
from dispatch.send.receipts import Receipts
from dispatch.send.stage import Send
from stream.mqtt.broker import start_broker
from stream.records import DeadLetter
from tests.support.outbox import World, delivery, due
from tests.support.outbox import receipt as told
from tests.support.send import Stage, now_ms, run_of, until
from tests.support.servers import free_port
from tests.support.servers_carriers import NpmSmsc
from tests.support.smpp import (
    BIND,
    CONGESTION,
    SUBMIT,
    ZH,
    Raw,
    live,
    parcel,
    pdu,
    real,
    row,
    smpp,
    well,
)
from tests.support.smpp_pdu import BOOK, deliver

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm", NpmSmsc.password)


@pytest.fixture(scope="module")
def loaded() -> District:
    return load(ROOT / "config" / "yanqing")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = start_broker(tmp_path_factory.mktemp("broker"), free_port())
    yield found.url
    found.stop()


# --- an SMSC that is not ours


@pytest.mark.parametrize(
    "options",
    [
        {"fields": {"esm_class": 0}},
        {"fields": {"esm_class": 0x20, "data_coding": 8}},
        {"fields": {"esm_class": 0x24}, "words": "ID: {dec}, STAT: Delivered, ERR: 000"},
        {"fields": {"esm_class": 0, "receipted_message_id": "{id}", "message_state": 2}, "words": ""},
        {"fields": {"esm_class": 4, "receipted_message_id": "{id}", "message_state": 2},
         "words": "id:9 stat:UNDELIV", "by": "data_sm"},
        {"early": True},
        {"odd": True},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.servers
def test_receipts_in_other_forms_are_taken_and_answered(
    tmp_path: Path, loaded: District, broker: str, options: dict[str, Any]
) -> None:
    server = NpmSmsc(tmp_path, answers=True, **options).start()
    stage = Stage(tmp_path / "s", live(loaded, row(server)), broker, run_of("live"))
    answers = {"data_sm_resp" if options.get("by") else "deliver_sm_resp"}
    answers |= {"generic_nack"} if options.get("odd") else set()
    try:
        stage.put(real(1, "C-0001", "sms"), real(2, "C-0003", "sms", alert="b"))
        until(lambda: all("delivered" in stage.states(d) for d in ("d1", "d2")), "delivered")
        until(lambda: {p.get("answered", "") for p in server.pdus()} >= answers, "answered")
        assert all(p["status"] == 0 for p in server.pdus() if "_sm_resp" in p.get("answered", ""))
        assert sum("to" in p for p in server.pdus()) == 2
        assert stage.letters() == []
    finally:
        stage.close()
        server.stop()


@pytest.mark.parametrize("word", ["FAILED", "Undeliverable", "MK:0012"])
@pytest.mark.servers
def test_a_failure_in_other_words_sends_us_to_the_next_way(
    tmp_path: Path, loaded: District, broker: str, word: str
) -> None:
    server = NpmSmsc(tmp_path, status=word, fields={"esm_class": 0}).start()
    stage = Stage(tmp_path / "s", live(loaded, row(server)), broker, run_of("live"))
    try:
        stage.put(real(1, "C-0001", "sms", "console"))
        until(lambda: stage.states("d1")[-1:] == ["delivered"], "by the next way")
        assert "failed" in stage.states("d1")
    finally:
        stage.close()
        server.stop()


@pytest.mark.servers
def test_an_unbind_amid_messages_sends_nothing_twice(
    tmp_path: Path, loaded: District, broker: str
) -> None:
    server = NpmSmsc(tmp_path, unbind_after=3, slow_ms=200).start()
    stage = Stage(tmp_path / "s", live(loaded, row(server)), broker, run_of("live"))
    try:
        people = [c.id for c in loaded.contacts.values() if c.phone][:12]
        stage.put(*(real(n, who, "sms", alert=f"a{n}") for n, who in enumerate(people)))
        until(lambda: all("accepted" in stage.states(f"d{n}") for n in range(12)), "all")
        assert sorted(t.to for t in server.taken()) == sorted({t.to for t in server.taken()})
    finally:
        stage.close()
        server.stop()


# --- one of our own, for what no library would write


def test_what_cannot_be_read_is_answered_and_the_session_stands() -> None:
    bad = deliver(b"")[:30]
    bad = struct.pack(">L", len(bad)) + bad[4:]
    answers: list[tuple[int, int, int]] = []

    def answer(command: int, sequence: int) -> bytes | None:
        if command & 0x80000000:
            answers.append((command, sequence, 0))
            return None
        if command == BIND:
            return (
                pdu(0x80000009, sequence, b"smsc\0")
                + bad
                + deliver(BOOK.format("77").encode(), b"\0")
                + pdu(0x00010203, 9, b"\0")
                + pdu(0x102, 10, b"\0\0\0")  # alert_notification has no response
                + pdu(0x80000015, 11)
            )
        return well(command, sequence)

    server = Raw(answer)
    heard: queue.Queue[CarrierWord] = queue.Queue()
    way = smpp(server.port, heard.put)
    try:
        assert way.send(parcel()).state == "accepted"
        unread, receipt = heard.get(timeout=120), heard.get(timeout=120)
        assert unread.fault
        assert (unread.sender, unread.text, unread.status) == ("", "", "")
        assert (receipt.refs, receipt.status) == (("one|77",), "DELIVRD")
        for one in (unread, receipt):
            one.done(True)
        until(lambda: len(answers) >= 3, "answered")
        assert sorted(c for c, _, _ in answers) == [0x80000000, 0x80000005, 0x80000005]
        assert way.send(parcel(key="2")).state == "accepted"
        assert len(server.open) == 1
    finally:
        way.close()
        server.close()


@pytest.mark.parametrize("tail", [b"", b"\0", b"\0\0", CONGESTION, b"\0" + CONGESTION])
def test_ids_that_differ_in_their_last_character_stay_two(tail: bytes) -> None:
    ids = iter([b"6a11c07a", b"6a11c07b"])
    server = Raw(
        lambda command, sequence: (
            pdu(0x80000004, sequence, next(ids) + tail)
            if command == SUBMIT
            else well(command, sequence)
        )
    )
    way = smpp(server.port)
    try:
        refs = [way.send(parcel(key=str(n))).refs for n in range(2)]
        assert refs == [("one|6a11c07a",), ("one|6a11c07b",)]
    finally:
        way.close()
        server.close()


@pytest.mark.parametrize("status", [0, 3])
def test_a_generic_nack_is_no_yes(status: int) -> None:
    server = Raw(
        lambda command, sequence: (
            pdu(0x80000000, sequence, status=status)
            if command == SUBMIT
            else well(command, sequence)
        )
    )
    way = smpp(server.port)
    try:
        with pytest.raises(SendError):
            way.send(parcel())
    finally:
        way.close()
        server.close()


def test_who_unbinds_gets_its_answer_after_ours() -> None:
    seen: list[int] = []
    count = itertools.count()
    goes = threading.Event()

    def answer(command: int, sequence: int) -> bytes | None:
        seen.append(command)
        if command == SUBMIT and next(count) == 0:
            server.open[0].sendall(pdu(0x6, 77))
            goes.wait(120)
        return None if command & 0x80000000 else well(command, sequence)

    server = Raw(answer)
    way = smpp(server.port)
    try:
        assert way.probe()
        first: list[str] = []
        one = threading.Thread(target=lambda: first.append(way.send(parcel(key="1")).state))
        one.start()
        link = way._link
        until(lambda: link is not None and not link.alive, "the unbind is seen")
        assert way.send(parcel(key="2")).state == "accepted"  # by a session of its own
        assert 0x80000006 not in seen
        goes.set()
        one.join(120)
        assert first == ["accepted"]
        until(lambda: 0x80000006 in seen, "the unbind is answered")
        assert seen.count(SUBMIT) == 2
        assert len(server.open) == 2
    finally:
        goes.set()
        way.close()
        server.close()


# --- whose message, whose words


class _Line:
    """Receipts over an outbox in which each of `ids` is one person's message."""

    def __init__(self, loaded: District, ids: dict[str, str]) -> None:
        self.world = World()
        self.inbound = Inbound(loaded)
        self.receipts = Receipts("p", True, lambda: 0, inbound=self.inbound)
        self._phones = {c.id: c.phone for c in loaded.contacts.values()}
        for n, (ident, who) in enumerate(ids.items()):
            d = delivery(n, recipient=who, alert=f"a{n}")
            self.world.put(d)
            (a,) = [x for x in due(self.world.box, (), d.queued_at) if x.delivery.id == d.id]
            self.world.put(told(a, "accepted", refs=(f"one|{ident}",)))

    def said(self, ident: str, *people: str) -> str:
        """The message that a receipt names, or why none."""
        numbers = tuple("+86 " + self._phones[p] for p in people)
        heard = CarrierWord("sms", "one", "", (f"one|{ident}",), "DELIVRD", numbers=numbers)
        (out,) = self.receipts.word(self.world.box, heard, patient=False) or []
        if out.topic == "deliveries":
            return msgspec.json.decode(out.value, type=Receipt).delivery
        return msgspec.json.decode(out.value, type=DeadLetter).reason


def test_a_receipt_never_counts_for_another_message(loaded: District) -> None:
    line = _Line(loaded, {"16": "C-0001", "10": "C-0003", "aB3": "C-0004", "Ab3": "C-0005"})
    assert line.said("16") == "d0"  # as the response had it
    assert line.said("16", "C-0001") == "d0"
    assert line.said("16", "C-0003") == "d1"  # 0x10: the centre writes decimals here
    assert line.said("Ab3") == "d3"
    assert line.said("AB3") == "ambiguous_id"
    assert line.said("AB3", "C-0004") == "d2"
    assert line.said("0a", "C-0001") == "unknown_delivery"  # 0x0a is "10", of somebody else
    assert line.said("0a", "C-0003") == "d1"
    assert line.said("17") == "unknown_delivery"


def test_spellings_are_known_again_after_a_restart(loaded: District) -> None:
    line = _Line(loaded, {"00B8BE19": "C-0001"})
    stage = Send(loaded, live=True)
    line.world.box = stage.load(0, stage.dump(line.world.box))
    assert line.said("b8be19") == "d0"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{ZH}", "our_words"),
        (ZH[:5], "our_words"),
        (f"水涨\n{ZH}", "report_flood"),
        (f"收到 //{ZH}", "received"),
    ],
)
def test_our_own_words_are_nobodys_report(loaded: District, text: str, found: str) -> None:
    phone = next(c.phone for c in loaded.contacts.values() if c.id == "C-0004")
    outs = Inbound(loaded).outs(
        CarrierWord("sms", "one", "", (), "", sender=phone, text=text), now_ms()
    )
    kinds = [
        msgspec.json.decode(o.value).get("reason") or msgspec.json.decode(o.value)["what"]
        for o in outs
    ]
    assert kinds == [found]


def test_of_several_readings_the_one_that_is_understood(loaded: District) -> None:
    phone = next(c.phone for c in loaded.contacts.values() if c.id == "C-0004")
    heard = CarrierWord("sms", "one", "", (), "", sender=phone, text="e6R0", instead=("协", "收到"))
    (out,) = Inbound(loaded).outs(heard, now_ms())
    assert msgspec.json.decode(out.value)["what"] == "received"
