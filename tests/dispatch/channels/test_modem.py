"""The last way for SMS: smsd, which is not ours, drives a modem that is simulated; what leaves it is read
from the PDUs."""

import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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


class Spool:
    """smsd's folders, without smsd: what lies there is put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("outgoing", "checked", "sent", "failed", "report", "incoming"):
            (folder / name).mkdir()
        self.sender = Sender(f"file://localhost{folder}", timeout_s=5)

    def sent(self, key: str, to: str = "199-0000-0188", ident: int = 7) -> list[int]:
        """smsd sends it under this id; the modes of the file that it took."""
        modes: list[int] = []

        def take() -> None:
            (file,) = until(lambda: list((self.folder / "outgoing").iterdir()), "a file")
            modes.append(file.stat().st_mode & 0o777)
            body = file.read_bytes().replace(b"Report", b"Message_id: %d\nReport" % ident, 1)
            file.unlink()
            (self.folder / "sent" / file.name).write_bytes(body)

        with ThreadPoolExecutor(1) as smsd:
            done = smsd.submit(take)
            assert self.sender.carrier.send(parcel("话", key, to)).state == "accepted"
            done.result()
        return modes

    def put(self, name: str, body: bytes) -> Path:
        (self.folder / name).write_bytes(body)
        return self.folder / name


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    """Which is looked into twenty times a second, and not once."""
    monkeypatch.setattr("dispatch.channels.modem.carrier._LISTEN_S", 0.05)
    found = Spool(tmp_path)
    yield found
    found.sender.carrier.close()


def report(number: str, ident: int, status: int = 65) -> bytes:
    return (
        f"From: {number}\nAlphabet: ISO\n\nSMS STATUS REPORT\nMessage_id: {ident}\nStatus: {status}\n"
    ).encode()


def test_a_report_of_another_number_under_the_same_id_is_nobodys(spool: Spool) -> None:
    assert spool.sent("a") == [0o660]
    other = spool.put("report/other", report("8613900000000", 7))
    until(lambda: not other.exists(), "read")
    assert not spool.sender.words
    spool.put("report/mine", report("19900000188", 7))
    until(lambda: spool.sender.words, "read")
    assert [(w.key, w.status) for w in spool.sender.words] == [("a", "undelivered")]


def test_an_answer_that_looks_like_a_report_is_an_answer(spool: Spool) -> None:
    words = "收到 Message_id: 7\nStatus: 0"
    body = b"From: 8619900000188\nAlphabet: UCS2\n\n" + words.encode("utf-16-be")
    spool.sender.carrier._listen()
    spool.put("incoming/a", body)
    until(lambda: spool.sender.words, "read")
    assert spool.sender.words[0].text == words


def test_links_pipes_and_huge_files_stop_nobodys_answer(spool: Spool, tmp_path: Path) -> None:
    secret = spool.put("secret", b"From: 8619900000188\n\nsecret")
    (spool.folder / "incoming" / "link").symlink_to(secret)
    (spool.folder / "incoming" / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(spool.folder / "incoming" / "pipe")
    (spool.folder / "incoming" / "folder").mkdir()
    with (spool.folder / "incoming" / "huge").open("wb") as f:
        f.truncate(1 << 40)
    spool.sender.carrier._listen()
    spool.put("incoming/a", b"From: 8619900000188\n\nyes")
    until(lambda: spool.sender.words, "read")
    assert [w.text for w in spool.sender.words] == ["yes"]
    assert secret.exists()


def test_a_file_that_grows_is_read_when_it_is_whole(spool: Spool) -> None:
    carrier = spool.sender.carrier
    folder = spool.folder / "incoming"
    half = spool.put("incoming/a", b"From: 86199")
    assert carrier._whole(folder) == []
    half.write_bytes(b"From: 8619900000188\n\nyes")
    assert carrier._whole(folder) == []
    assert carrier._whole(folder) == [half]


def test_what_a_process_that_died_left_is_taken_back_and_what_went_out_is_not_sent_again(
    spool: Spool,
) -> None:
    spool.put(".fengsui-half", b"To: 8619900000188")
    spool.put("outgoing/fengsui-old", b"To: 8619900000188")
    spool.put("checked/fengsui-old", b"To: 8619900000188")
    others = spool.put("outgoing/of-somebody", b"To: 1")
    with pytest.raises(SendError):
        spool.sender.carrier.send(parcel("话", "b"))
    left = [p for p in spool.folder.rglob("*") if p.is_file()]
    assert left == [others], "no number, no text of ours"
    others.unlink()
    name = "fengsui-" + hashlib.sha256(b"b").hexdigest()[:20]
    gone = spool.put(f"sent/{name}", b"To: 8619900000188\nMessage_id: 9\n\nx")
    assert spool.sender.carrier.send(parcel("话", "b")).state == "accepted"
    assert not gone.exists()
    assert not list((spool.folder / "outgoing").iterdir())


def test_what_lies_in_the_way_of_a_new_file_is_not_written_through(
    spool: Spool, tmp_path: Path
) -> None:
    target = spool.put("target", b"as it was")
    name = "fengsui-" + hashlib.sha256(b"a").hexdigest()[:20]
    spool.sender.carrier._listen()
    (spool.folder / f".{name}").symlink_to(target)
    spool.sent("a")
    assert target.read_bytes() == b"as it was"


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
    made = b"From: 1\nAlphabet: ISO\n\nSMS STATUS REPORT\nMessage_id: 7\nStatus: %d,x\n"
    for code, word in ((0, "delivered"), (32, "accepted"), (65, "undelivered"), (70, "expired")):
        told = report_of(read_file(made % code))
        assert told is not None
        assert told == ("7", word)
    assert refusal(read_file(b"Fail_reason: call 19900000188 not\n\n")) == ("call #not", False)
    assert [validity(m * 60) for m in (0, 5, 30, 720, 1440, 3000)] == [0, 0, 5, 143, 167, 168]


def test_what_the_simulated_modem_reads_is_the_standards_example() -> None:
    """An SMS-SUBMIT as handbooks have it: `hellohello` in seven bits to +31641600986."""
    found = submitted("0011000B911346610089F60000AA0AE8329BFD4697D9EC37")
    assert (found.to, found.text, found.of) == ("31641600986", "hellohello", 1)
