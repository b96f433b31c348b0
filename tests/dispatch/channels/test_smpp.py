"""SMS by SMPP 3.4 against two SMSC programs that are not ours, and against one of our own that lies,
is slow and talks rubbish."""

import itertools
import queue
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.district import District
from dispatch.channels import CarrierWord, SendError
from dispatch.channels.smpp.carrier import relative
from dispatch.channels.smpp.session import refusal
from dispatch.channels.smpp.text import ALPHABET, EXTENDED, code
from dispatch.words.sms_length import GSM7, GSM7_EXTENDED, segments
from stream.mqtt.broker import start_broker
from tests.support.examples import examples
from tests.support.send import Stage, run_of, until
from tests.support.servers import free_port
from tests.support.servers_carriers import JSmpp, NpmSmsc
from tests.support.smpp import BIND, SUBMIT, ZH, Raw, live, parcel, pdu, real, row, smpp, well


@pytest.fixture(autouse=True)
def _passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm", NpmSmsc.password)
    monkeypatch.setenv("jsmpp", JSmpp.password)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = start_broker(tmp_path_factory.mktemp("broker"), free_port())
    yield found.url
    found.stop()


# --- texts


def test_the_alphabet_is_the_one_that_lengths_are_counted_in() -> None:
    assert set(ALPHABET) - {"\x1b"} == GSM7
    assert set(EXTENDED) == GSM7_EXTENDED
    assert len(ALPHABET) == 128


@examples()
@given(
    st.one_of(st.text(max_size=400), st.text(alphabet=sorted(GSM7 | GSM7_EXTENDED), max_size=700))
)
def test_a_text_has_as_many_parts_as_it_was_said_to_have(text: str) -> None:
    text = text.encode("utf-16", "replace").decode("utf-16")  # no half characters
    coded = code(text, "key")
    assert len(coded.parts) == segments(text)
    assert all(len(p) <= 160 for p in coded.parts)
    bodies = [p[6:] for p in coded.parts] if len(coded.parts) > 1 else list(coded.parts)
    assert b"".join(bodies) == coded.whole
    if coded.data_coding == 8:
        assert "".join(b.decode("utf-16-be") for b in bodies) == text
    heads = [p[:6] for p in coded.parts] if len(coded.parts) > 1 else []
    assert [(h[4], h[5]) for h in heads] == [(len(heads), n) for n in range(1, len(heads) + 1)]
    assert code(text, "key") == coded


def test_a_carrier_may_not_deliver_after_the_expiry() -> None:
    assert relative(3661) == "000000010101000R"
    assert relative(0) == "000000000001000R"
    assert relative(10**9) == "000028000000000R"


@pytest.mark.parametrize(
    ("status", "permanent", "waits", "blames"),
    [
        (0x0B, True, False, False),
        (0x58, False, True, False),
        (0x14, False, True, False),
        (0x0E, False, False, True),
        (0x45, False, False, False),
    ],
)
def test_what_a_command_status_means(
    status: int, permanent: bool, waits: bool, blames: bool
) -> None:
    e = refusal(status)
    assert (e.permanent, e.wait_s > 0, e.blames_route) == (permanent, waits, blames)


# --- the whole stage, two SMSCs that are not ours


@pytest.mark.servers
def test_long_messages_count_as_delivered_when_the_last_part_is(
    tmp_path: Path, loaded: District, broker: str
) -> None:
    server = NpmSmsc(tmp_path).start()
    stage = Stage(
        tmp_path / "s", live(loaded, row(server, sender="106912345")), broker, run_of("live")
    )
    try:
        long = ZH * 6
        stage.put(real(1, "C-0001", "sms"), real(2, "C-0003", "sms", text=long))
        until(lambda: stage.states("d1")[-1:] == ["delivered"], "delivered")
        until(lambda: stage.states("d2").count("delivered") == segments(long), "every part")
        refs = [r.refs for r in stage.records() if getattr(r, "refs", ())]
        assert max(len(r) for r in refs) == segments(long)
        assert sorted(t.text for t in server.taken()) == sorted([ZH, long])  # in either order
        assert all(p["registered"] == 1 and p["from"] == "106912345" for p in server.pdus())
        stored = b"".join(e.value for e in stage.log.read("deliveries", 0, 0))
        assert b"199" not in stored.replace(b"199-0000", b"!") or b"1990000" not in stored
        assert stage.letters() == []
    finally:
        stage.close()
        server.stop()


@pytest.mark.servers
def test_receipts_of_jsmpp_find_their_message(
    tmp_path: Path, loaded: District, broker: str
) -> None:
    server = JSmpp(tmp_path).start()
    stage = Stage(tmp_path / "s", live(loaded, row(server)), broker, run_of("live"))
    try:
        stage.put(*(real(n, f"C-{n:04}", "sms", alert=f"a{n}") for n in (1, 3, 4, 5)))
        for n in (1, 3, 4, 5):
            until(lambda n=n: "delivered" in stage.states(f"d{n}"), "delivered")
        # its "Hello World" is a message from a telephone that nobody here has
        assert set(stage.letters()) <= {"unknown_person"}
    finally:
        stage.close()
        server.stop()


@pytest.mark.servers
def test_a_carrier_that_cannot_deliver_sends_us_to_the_next_way(
    tmp_path: Path, loaded: District, broker: str
) -> None:
    server = NpmSmsc(tmp_path, status="UNDELIV").start()
    stage = Stage(tmp_path / "s", live(loaded, row(server)), broker, run_of("live"))
    try:
        stage.put(real(1, "C-0001", "sms", "console"))
        until(lambda: stage.states("d1")[-1:] == ["delivered"], "by the next way")
        assert "failed" in stage.states("d1")
    finally:
        stage.close()
        server.stop()


@pytest.mark.servers
def test_a_throttling_carrier_gets_everything_in_its_own_time(
    tmp_path: Path, loaded: District, broker: str
) -> None:
    server = NpmSmsc(tmp_path, rate=20, status="").start()
    stage = Stage(tmp_path / "s", live(loaded, row(server)), broker, run_of("live"))
    try:
        people = [c.id for c in loaded.contacts.values() if c.phone][:60]
        stage.put(*(real(n, who, "sms", alert=f"a{n}") for n, who in enumerate(people)))
        until(lambda: all(stage.states(f"d{n}") == ["accepted"] for n in range(60)), "all")
        pdus = server.pdus()
        throttled = sum("throttled" in p for p in pdus)
        assert 0 < throttled < 60, "it said no, and was not asked again at once"
        assert len(pdus) - throttled == 60
    finally:
        stage.close()
        server.stop()


@pytest.mark.servers
def test_a_carrier_that_dies_is_stood_in_for_and_told_of_and_used_again(
    tmp_path: Path, loaded: District, broker: str
) -> None:
    first, second = NpmSmsc(tmp_path, "first").start(), NpmSmsc(tmp_path, "second").start()
    district = live(loaded, row(first, "first"), row(second, "second"), probe_every_s=10)
    stage = Stage(tmp_path / "s", district, broker, run_of("live"))
    try:
        stage.put(real(1, "C-0001", "sms"))
        until(lambda: "accepted" in stage.states("d1"), "by the first")
        assert [len(s.taken()) for s in (first, second)] == [1, 0]
        first.stop()
        stage.put(*(real(n, "C-0001", "sms", alert=f"a{n}") for n in range(2, 12)))
        until(lambda: all("accepted" in stage.states(f"d{n}") for n in range(2, 12)), "second")
        assert len(second.taken()) >= 10
        until(lambda: any("sms/first" in line for line in stage.console), "told")
        assert "IS DOWN" in next(line for line in stage.console if "sms/first" in line)
        first.start()
        until(lambda: any("is back" in line for line in stage.console), "the probe sees it")
        stage.put(real(20, "C-0001", "sms", alert="back"))
        until(lambda: len(first.taken()) >= 2, "the first again")
    finally:
        stage.close()
        first.stop()
        second.stop()


@pytest.mark.servers
def test_a_dead_channel_holds_what_has_no_other_way_and_lets_go_what_has(
    tmp_path: Path, loaded: District, broker: str
) -> None:
    server = NpmSmsc(tmp_path)  # not started
    stage = Stage(
        tmp_path / "s", live(loaded, row(server), probe_every_s=10), broker, run_of("live")
    )
    try:
        until(lambda: any("IS DOWN" in line for line in stage.console), "known before the flood")
        stage.put(real(1, "C-0001", "sms"), real(2, "C-0003", "sms", "console"))
        until(lambda: "delivered" in stage.states("d2"), "by the other way")
        assert len(stage.states("d1")) <= 1
        server.start()
        until(lambda: "accepted" in stage.states("d1"), "when it is back")
    finally:
        stage.close()
        server.stop()


# --- far ends that lie, are slow, talk rubbish


@pytest.mark.servers
def test_a_lying_carrier_is_never_believed_more_than_it_said(
    tmp_path: Path, loaded: District, broker: str
) -> None:
    server = NpmSmsc(tmp_path, status="").start()  # accepted, and nothing
    district = live(loaded, row(server), answer_within_s=2)
    stage = Stage(tmp_path / "s", district, broker, run_of("live"))
    try:
        stage.put(
            real(1, "C-0001", "sms"),
            real(2, "C-0004", "sms", "console", must_answer=True, alert="y"),
        )
        until(lambda: stage.states("d1") == ["accepted"], "what it said")
        # who must answer and does not goes on to the next way, and then to the duty room
        until(lambda: stage.states("d2")[:2] == ["accepted", "failed"], "not answered")
        assert "delivered" not in stage.states("d1")
    finally:
        stage.close()
        server.stop()


def test_no_answer_is_a_failure_and_a_late_yes_a_fact() -> None:
    gave_up = threading.Event()

    def answer(command: int, sequence: int) -> bytes | None:
        assert command != SUBMIT or gave_up.wait(120)
        return well(command, sequence)

    server = Raw(answer)
    heard: queue.Queue[CarrierWord] = queue.Queue()
    way = smpp(server.port, heard.put)
    try:
        assert way.probe()  # the bind has all the time it needs
        assert way._link is not None
        way._link._timeout_s = 0.2
        with pytest.raises(SendError, match="no answer") as e:
            way.send(parcel())
        assert not e.value.permanent
        gave_up.set()
        late = heard.get(timeout=120)
        assert (late.key, late.status) == ("k", "ACCEPTD")
        assert late.refs[0].startswith("one|id")
    finally:
        gave_up.set()
        way.close()
        server.close()


@pytest.mark.servers
def test_a_wrong_password_is_the_carriers_fault_and_stays_secret(tmp_path: Path) -> None:
    server = NpmSmsc(tmp_path).start()
    way = smpp(server.port, password="wrong-pw")
    try:
        with pytest.raises(SendError) as e:
            way.send(parcel())
        assert e.value.blames_route
        assert "wrong-pw" not in e.value.detail
        assert server.pdus() == []
    finally:
        way.close()
        server.stop()


@pytest.mark.servers
def test_a_number_that_does_not_exist_is_the_messages_fault(tmp_path: Path) -> None:
    server = NpmSmsc(tmp_path, refuse=0x0B).start()
    way = smpp(server.port)
    try:
        with pytest.raises(SendError) as e:
            way.send(parcel())
        assert e.value.permanent
        assert not e.value.blames_route
    finally:
        way.close()
        server.stop()


def test_fields_of_smpp_5_are_passed_over() -> None:
    server = Raw(well)
    way = smpp(server.port)
    try:
        assert way.send(parcel()).refs[0].startswith("one|id")
        assert way.send(parcel(ZH * 8)).state == "accepted"
    finally:
        way.close()
        server.close()


@pytest.mark.parametrize(
    "rubbish",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"\xff" * 64,
        b"\0\0\0\0" * 8,
        struct.pack(">LLLL", 20, 0x80000004, 0, 1) + b"\xff\xff\xff\xff",
        struct.pack(">LLLL", 16, 0x12345678, 0, 1),
    ],
)
def test_rubbish_is_no_yes(rubbish: bytes) -> None:
    server = Raw(lambda command, sequence: well(command, sequence) if command == BIND else rubbish)
    way = smpp(server.port, timeout_s=1.0)
    try:
        with pytest.raises(SendError) as e:
            way.send(parcel())
        assert not e.value.permanent
    finally:
        way.close()
        server.close()


@examples(60)
@given(st.binary(max_size=200))
def test_any_answer_to_the_bind_ends_in_time(octets: bytes) -> None:
    server = Raw(lambda command, sequence: octets)
    way = smpp(server.port, timeout_s=0.2)
    try:
        with pytest.raises(SendError):
            way.send(parcel())
    finally:
        way.close()
        server.close()


def test_a_quiet_line_that_is_dead_is_noticed() -> None:
    silent = threading.Event()

    def answer(command: int, sequence: int) -> bytes | None:
        return None if silent.is_set() else well(command, sequence)

    server = Raw(answer)
    way = smpp(server.port, quiet_s=0.1)

    def goes() -> bool:
        """On a busy machine a line may seem dead that is not: then it is opened again."""
        with suppress(SendError):
            return way.send(parcel()).state == "accepted"
        return False

    try:
        until(goes, "a session")
        link = way._link
        silent.set()
        until(lambda: link is not None and not link.alive, "noticed by enquire_link")
        silent.clear()
        until(goes, "another session")
        assert way._link is not link
    finally:
        way.close()
        server.close()


def test_one_part_that_is_not_taken_fails_the_whole() -> None:
    count = itertools.count()

    def answer(command: int, sequence: int) -> bytes | None:
        if command == SUBMIT and next(count) == 1:
            return pdu(0x80000004, sequence, b"\0", 0x45)
        return well(command, sequence)

    server = Raw(answer)
    way = smpp(server.port)
    try:
        with pytest.raises(SendError):
            way.send(parcel(ZH * 8))
    finally:
        way.close()
        server.close()


def test_many_at_once_share_one_session() -> None:
    server = Raw(well)
    way = smpp(server.port)
    try:
        done: list[str] = []
        threads = [
            threading.Thread(target=lambda n=n: done.append(way.send(parcel(key=str(n))).state))
            for n in range(30)
        ]
        for t in threads:
            t.start()
        for t in threads:
            t.join(120)
        assert done == ["accepted"] * 30
        assert len(server.open) == 1
    finally:
        way.close()
        server.close()
