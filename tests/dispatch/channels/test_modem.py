"""The last way for SMS: smsd, which is not ours, drives a modem that is simulated; what leaves it is read
from the PDUs."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import load
from config.records.channels import Carrier
from config.records.level import Level
from dispatch.channels import CarrierWord, Parcel, SendError, SendResult
from dispatch.channels.declared import channel_of
from dispatch.channels.failover import Carriers, Leg
from dispatch.channels.modem.carrier import SmsModem
from dispatch.channels.modem.spool_file import read_file, refusal, report_of, validity, written
from dispatch.channels.rate_and_breaker import Lane
from simulators.carriers.modem import submitted
from tests.support.modem import Smsd
from tests.support.send import ROOT, T0, delivery
from tests.support.sip import until

LONG = "【延庆防汛】香屯村山洪红色预警，立即转移！" + "沿村东坡道上山，到村委会集合。" * 9


def parcel(text: str, key: str, to: str = "199-0000-0188", cost: int = 1) -> Parcel:
    d = delivery(1, "C-0188", "sms", level=Level.RED)
    return Parcel(to, "", text, key, cost, 1800.0, d)


class Sender:
    def __init__(self, url: str, timeout_s: float = 30) -> None:
        self.words: list[CarrierWord] = []
        self.keep = True
        self.carrier = SmsModem("modem", url, self._hear, timeout_s=timeout_s)

    def _hear(self, word: CarrierWord) -> None:
        self.words.append(word)
        word.done(self.keep)


@pytest.fixture
def sender(smsd: Smsd) -> Iterator[Sender]:
    found = Sender(smsd.url)
    yield found
    found.carrier.close()
    smsd.modem.fault = ""


def test_a_long_chinese_message_goes_in_parts_and_its_report_comes(
    smsd: Smsd, sender: Sender
) -> None:
    before = len(smsd.modem.sent)
    assert sender.carrier.send(parcel(LONG, "long", cost=3)).state == "accepted"
    parts = smsd.modem.sent[before:]
    assert [(s.part, s.of) for s in parts] == [(1, 3), (2, 3), (3, 3)]
    assert {s.to for s in parts} == {"8619900000188"}
    assert {(s.report, s.validity) for s in parts} == {(True, validity(1800))}
    assert smsd.modem.texts()[-1] == ("8619900000188", LONG)
    until(lambda: sender.words, "the report")
    assert [(w.key, w.status) for w in sender.words] == [("long", "delivered")]
    left = [
        p for f in ("sent", "failed", "report", "outgoing") for p in (smsd.folder / f).iterdir()
    ]
    assert not left, "no number, no text stays in the spool"


def test_english_goes_in_seven_bits(smsd: Smsd, sender: Sender) -> None:
    text = "EXERCISE. Move now, call 110. " * 5
    assert sender.carrier.send(parcel(text.strip(), "en")).state == "accepted"
    assert smsd.modem.texts()[-1][1] == text.strip()
    assert smsd.modem.sent[-1].of == 1


def test_an_error_of_the_network_is_the_ways_fault_and_one_of_the_number_is_not(
    smsd: Smsd, sender: Sender
) -> None:
    for code, number in (("38", False), ("28", True)):
        smsd.modem.fault = f"cms {code}"
        with pytest.raises(SendError, match=f"ERROR: {code}") as e:
            sender.carrier.send(parcel("一", f"cms{code}"))
        assert e.value.permanent == number
        assert e.value.blames_route == (not number)
        assert "19900000188" not in str(e.value.detail)


@pytest.mark.servers
@pytest.mark.parametrize("fault", ["silent", "no network"])
def test_what_a_modem_does_not_send_is_taken_back(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch.channels.modem.carrier._PART_S", 4.0)
    smsd = Smsd(tmp_path)
    found = Sender(smsd.url)
    try:
        until(lambda: len(smsd.modem.commands) > 5, "smsd talks to its modem")
        smsd.modem.fault = fault
        with pytest.raises(SendError) as e:
            found.carrier.send(parcel("过时的话", "old"))
        assert not e.value.permanent
        assert e.value.blames_route
        smsd.modem.fault = ""
        until(lambda: send_again(found), "it is well again", 120)
        # while there is no network smsd keeps the one that it has in hand
        late = [text for _, text in smsd.modem.texts()].count("过时的话")
        assert late <= (fault == "no network")
    finally:
        found.carrier.close()
        smsd.close()


def send_again(found: Sender) -> bool:
    try:
        return found.carrier.send(parcel("新的话", f"new{time.monotonic()}")).state == "accepted"
    except SendError:
        return False


@pytest.mark.servers
def test_smsd_that_is_gone_has_nothing_left_to_send(tmp_path: Path) -> None:
    smsd = Smsd(tmp_path)
    found = Sender(smsd.url, timeout_s=2)
    smsd.stop()
    for attempt in (lambda: found.carrier.send(parcel("一", "a")), found.carrier.probe):
        with pytest.raises(SendError) as e:
            attempt()
        assert not e.value.permanent
    assert not list((tmp_path / "outgoing").iterdir())
    found.carrier.close()
    smsd.close()


def test_a_message_from_a_telephone_is_read_and_kept_until_the_log_has_it(
    smsd: Smsd, sender: Sender
) -> None:
    sender.keep = False
    sender.carrier.probe()
    smsd.modem.receive("8619900000188", "收到 1")
    until(lambda: len(sender.words) > 1, "it is said again until it is kept")
    sender.keep = True
    assert (sender.words[0].sender, sender.words[0].text) == ("8619900000188", "收到 1")
    until(lambda: not list((smsd.folder / "incoming").iterdir()), "taken away")


class Operator:
    """Carriers' way: down, full or well."""

    def __init__(self, name: str, error: SendError | None) -> None:
        self.name, self.error, self.asked = name, error, 0

    def send(self, parcel: Parcel) -> SendResult:
        self.asked += 1
        if self.error:
            raise self.error
        return SendResult("accepted")

    def probe(self) -> bool:
        return True

    def close(self) -> None: ...


def test_the_last_way_is_asked_only_when_no_other_works() -> None:
    district = load(ROOT / "config" / "yanqing")
    person = msgspec.structs.replace(district.contacts["C-0188"], phone="199-0000-0188")
    district = msgspec.structs.replace(district, contacts={"C-0188": person})
    d = delivery(1, "C-0188", "sms")

    def sent(error: SendError | None) -> tuple[Any, int]:
        one, modem = Operator("operator", error), Operator("modem", None)
        legs = (Leg(modem, Lane(), last=True), Leg(one, Lane()))
        ways = Carriers(district, "sms", legs, lambda: T0)
        try:
            return ways.send(d, d.routes[0], "k").detail, modem.asked
        except SendError as e:
            return e, modem.asked

    assert sent(None) == ("operator", 0)
    assert sent(SendError("away")) == ("modem", 1)
    full, asked = sent(SendError("busy", wait_s=1.0))
    assert isinstance(full, SendError)
    assert full.wait_s
    assert not asked


@pytest.mark.servers
def test_a_row_of_channels_toml_that_is_last(smsd: Smsd) -> None:
    """The operator's gateway is down: the modem carries it."""
    district = load(ROOT / "config" / "yanqing")
    person = msgspec.structs.replace(district.contacts["C-0188"], phone="199-0000-0188")
    channels = msgspec.structs.replace(district.channels, attempt_timeout_s=30)
    district = msgspec.structs.replace(district, contacts={"C-0188": person}, channels=channels)
    rows = (
        Carrier(name="modem", channel="sms", kind="smsd", url=smsd.url, last=True),
        Carrier(name="operator", channel="sms", kind="http", url="http://127.0.0.1:9/",
                fields={"to": "{to}", "text": "{text}"}),
    )  # fmt: skip
    way = channel_of(district, "sms", rows, lambda w: w.done(True), lambda: T0)
    d = delivery(1, "C-0188", "sms")
    try:
        assert way.send(d, d.routes[0], "last").state == "accepted"
        assert smsd.modem.texts()[-1][1] == d.routes[0].text
    finally:
        way.close()


def test_files_and_reports_are_read_whatever_they_hold() -> None:
    body = written("8619900000188", "立即转移", 3600, urgent=True)
    found = read_file(body)
    assert found.text == "立即转移"
    assert found.headers["priority"] == "HIGH"
    for data in (b"", b"\n\n", b"\xff" * 99, b"From\n\nx", b"Alphabet: UCS\n\n\x00"):
        assert report_of(read_file(data)) is None
    report = b"From: 1\nAlphabet: ISO\n\nSMS STATUS REPORT\nMessage_id: 7\nStatus: %d,x\n"
    for code, word in ((0, "delivered"), (32, "accepted"), (65, "undelivered"), (70, "expired")):
        told = report_of(read_file(report % code))
        assert told is not None
        assert told == ("7", word)
    assert refusal(read_file(b"Fail_reason: call 19900000188 not\n\n")) == ("call #not", False)
    assert [validity(m * 60) for m in (0, 5, 30, 720, 1440, 3000)] == [0, 0, 5, 143, 167, 168]


def test_what_the_simulated_modem_reads_is_the_standards_example() -> None:
    """An SMS-SUBMIT as handbooks have it: `hellohello` in seven bits to +31641600986."""
    found = submitted("0011000B911346610089F60000AA0AE8329BFD4697D9EC37")
    assert (found.to, found.text, found.of) == ("31641600986", "hellohello", 1)
