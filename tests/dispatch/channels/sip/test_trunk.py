"""Calls by a trunk that is kamailio, with its password, to telephones that are baresip and SIPp: what they
heard is compared with what was sent, sample by sample."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.language import zh
from config.records.channels import Carrier
from config.records.devices.trunk import Trunk
from config.records.level import Action, Level
from dispatch.channels import CarrierWord, Parcel, SendError
from dispatch.channels.sip.carrier import SipTrunk
from dispatch.channels.sip.sound import TELEPHONE, code_of, spoken
from dispatch.proving.codes import asking
from dispatch.words.spoken import telephone
from tests.support import sip
from tests.support.send import delivery
from tests.support.sip import Kamailio, Phone, Sipp, likeness, samples, until

pytestmark = pytest.mark.servers
# four seconds and a half
TEXT = "香屯村山洪红色预警，立即转移，沿村东坡道上山。"
QUICK = Trunk(wait_s=3, times=1, ring_s=10)
NUMBERS = {
    "busy": "100", "refused": "101", "off": "102", "nobody": "103", "moved": "104", "tune": "105",
    "none": "106", "info": "107", "leaves": "108", "machine": "109", "broken": "110", "phone": "111",
}  # fmt: skip


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory, phone: Phone) -> Iterator[Kamailio]:
    """Every kind of far end behind one trunk."""
    folder = tmp_path_factory.mktemp("exchange")
    hang_up = '<pause milliseconds="1500"/>' + sip.hangs_up()
    scenarios = {
        "busy": sip.answer(486, "Busy Here"),
        "refused": sip.answer(603, "Decline", wait_ms=300),
        "off": sip.answer(480, "Temporarily Unavailable"),
        "nobody": sip.rings(60),
        "moved": sip.answer(302, "Moved", f"Contact: <sip:phone@127.0.0.1:{phone.port}>"),
        "tune": sip.picks_up(sip.presses_by_info("1", 9_000), early_ms=3_000),
        "broken": sip.answer(500, "Server Internal Error"),
        "leaves": sip.picks_up(hang_up, over=True),
        "machine": sip.picks_up(),
    }
    telephones = {name: Sipp(folder / name, s) for name, s in scenarios.items()}
    by_info = Phone(folder / "info", dtmf="info")
    ports = {name: t.port for name, t in telephones.items()}
    ports |= {"phone": phone.port, "info": by_info.port}
    trunk = Kamailio(folder, {NUMBERS[n]: port for n, port in ports.items()})
    trunk.by_info = by_info  # type: ignore[attr-defined]
    yield trunk
    for each in (trunk, by_info, *telephones.values()):
        each.stop()


class Caller:
    """A trunk carrier, and every word that it said."""

    def __init__(self, url: str, folder: Path, trunk: Trunk = QUICK, **row: Any) -> None:
        fields = {"user": sip.USER, "secret": "env:X", "sender": "01069140000", **row}
        made = Carrier(name="one", channel="voice", kind="sip", url=url, trunk=trunk, **fields)
        self.words: list[CarrierWord] = []
        password = row.get("password", sip.PASSWORD)
        self.carrier = SipTrunk(
            made, password, self._hear, timeout_s=8, call_s=60, folder=folder
        )  # fmt: skip
        self.trunk = trunk

    def _hear(self, word: CarrierWord) -> None:
        self.words.append(word)
        word.done(True)

    def send(self, to: str, key: str = "k", level: Level = Level.RED, text: str = TEXT) -> Any:
        d = delivery(1, "C-1", "voice", level=level, action=Action.NONE)
        return self.carrier.send(Parcel(to, "", text, key, 1, 600.0, d))

    def said(self) -> list[str]:
        return [w.status for w in self.words]

    def over(self) -> list[str]:
        until(lambda: self.carrier.lines() == 0, "the call is over")
        return self.said()


@pytest.fixture
def caller(exchange: Kamailio, tmp_path: Path) -> Iterator[Caller]:
    found = Caller(exchange.url, tmp_path)
    yield found
    found.carrier.close()
    assert list(tmp_path.rglob("*")) == [tmp_path / "calls"], "no sound, no password stays behind"


def heard_of(phone: Phone, before: int) -> Any:
    return samples(until(lambda: phone.heard()[before:], "a recording")[0])


def text_of_call(caller: Caller, key: str = "1") -> Any:
    sound = spoken(TEXT, "zh", caller.trunk, key)
    return samples(sound.wav)[: int(sound.heard_s * TELEPHONE)], sound


def test_the_whole_text_is_heard_and_the_key_counts_after_it(caller: Caller, phone: Phone) -> None:
    before, calls = len(phone.heard()), phone.calls()
    told = caller.send(NUMBERS["phone"])
    assert told.state == "accepted"
    until(lambda: phone.calls() > calls, "answered")
    phone.press("1")  # at once: it does not count
    text, sound = text_of_call(caller)
    time.sleep(sound.heard_s)  # the text's own length: what is waited for is that it is over
    assert "confirmed" not in caller.said()
    phone.press("1")
    assert caller.over() == ["ringing", "picked_up", "confirmed"]
    (word,) = [w for w in caller.words if w.status == "confirmed"]
    assert word.key == "k"
    got = heard_of(phone, before)
    assert got.size >= text.size
    assert likeness(text, got) > 0.98, "each half second of the text was heard"
    assert likeness(text[::-1], got) < 0.5, "and another sound would not have passed"


def test_what_a_hold_swallowed_is_said_again_and_no_key_counts_before(
    tmp_path: Path,
) -> None:
    phone = Phone(tmp_path / "held")
    trunk = Kamailio(tmp_path, {"100": phone.port})
    caller = Caller(trunk.url, tmp_path / "own")
    caller.send("100")
    until(phone.calls, "answered")
    phone.hold()
    _, sound = text_of_call(caller)
    time.sleep(sound.heard_s + 1)  # the text's own length: it goes nowhere
    phone.hold(False)
    until(lambda: phone.calls("CALL_REMOTE_SDP"), "taken up again")
    phone.press("1")
    time.sleep(sound.heard_s)
    assert "confirmed" not in caller.said()
    phone.press("1")
    # since somebody picked up too little has arrived, or all of it was heard: by when a report came
    assert caller.over()[-1] in ("confirmed", "garbled")
    caller.carrier.close()
    trunk.stop()
    phone.stop()


def test_a_key_while_on_hold_does_not_count(exchange: Kamailio, tmp_path: Path) -> None:
    held = sip.offers("inactive", 3) + sip.presses_by_info("1", 9_000).replace("2 INFO", "5 INFO")
    far = Sipp(tmp_path / "far", sip.picks_up('<pause milliseconds="1000"/>', held))
    trunk = Kamailio(tmp_path, {"100": far.port})
    caller = Caller(trunk.url, tmp_path / "own")
    try:
        caller.send("100")
        assert caller.over()[-1] == "garbled"
    finally:
        caller.carrier.close()
        trunk.stop()
        far.stop()


def test_one_telephone_is_called_by_one_of_two_trunks(exchange: Kamailio, tmp_path: Path) -> None:
    one = Caller(exchange.url, tmp_path / "one")
    trunk = msgspec.structs.replace(QUICK, number="{to}")
    two = Caller(exchange.url, tmp_path / "two", trunk)
    one.send(NUMBERS["nobody"])
    for way in (NUMBERS["nobody"], f"+86{NUMBERS['nobody']}", f"0{NUMBERS['nobody']}"):
        with pytest.raises(SendError) as e:
            two.send(way)
        assert e.value.full
    one.carrier.close()
    assert two.send(NUMBERS["nobody"]).state == "accepted", "when the first call is over"
    two.carrier.close()


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_call(
    exchange: Kamailio, tmp_path: Path
) -> None:
    (tmp_path / "calls").write_text("in the way")
    caller = Caller(exchange.url, tmp_path)
    for _ in range(2):
        with pytest.raises(SendError) as e:
            caller.send(NUMBERS["machine"])
        assert not e.value.permanent
        assert not e.value.full
    (tmp_path / "calls").unlink()
    assert caller.send(NUMBERS["machine"]).state == "accepted"
    (first,) = (tmp_path / "calls" / "one").iterdir()
    (first.parent / "2").write_text("in the way")
    with pytest.raises(SendError) as e:
        caller.send(NUMBERS["phone"])
    assert not e.value.permanent
    caller.carrier.close()


def test_a_call_of_a_process_that_was_killed_ends_before_the_next(
    exchange: Kamailio, tmp_path: Path
) -> None:
    killed = Caller(exchange.url, tmp_path)
    killed.send(NUMBERS["nobody"])
    (line,) = killed.carrier._lines.values()
    assert line is not None
    killed.carrier._free(line.phone)  # as in a new process, where it is not known
    after = Caller(exchange.url, tmp_path)
    after.carrier.probe()
    assert line.agent.process.wait(90) is not None
    assert after.send(NUMBERS["nobody"]).state == "accepted"
    killed.carrier.close()
    after.carrier.close()


def test_a_text_that_cannot_be_spoken_calls_nobody(caller: Caller) -> None:
    with pytest.raises(SendError) as e:
        caller.send(NUMBERS["phone"], text="。。。🙂")
    assert e.value.permanent
    assert not e.value.blames_route


def test_a_key_by_sip_info(caller: Caller, exchange: Kamailio) -> None:
    by_info: Phone = exchange.by_info  # type: ignore[attr-defined]
    caller.send(NUMBERS["info"])
    until(lambda: "picked_up" in caller.said(), "answered")
    time.sleep(text_of_call(caller)[1].heard_s)
    by_info.press("1")
    assert caller.over()[-1] == "confirmed"


def test_a_code_of_two_digits(exchange: Kamailio, phone: Phone, tmp_path: Path) -> None:
    caller = Caller(exchange.url, tmp_path, msgspec.structs.replace(QUICK, confirm="code"))
    code, calls = code_of("k"), phone.calls()
    caller.send(NUMBERS["phone"])
    until(lambda: phone.calls() > calls, "answered")
    time.sleep(text_of_call(caller, code)[1].heard_s)
    phone.press(code[::-1] + code)
    assert caller.over()[-1] == "confirmed"
    caller.carrier.close()


def test_the_code_that_the_district_asks_for_is_said_once_and_counts_alone(
    caller: Caller, phone: Phone
) -> None:
    """Of a message to who must answer (dispatch/proving/codes.py): the key that everybody presses is none."""
    blank_ = delivery(1, "C-1", "voice", level=Level.RED, action=Action.NONE)
    asked = msgspec.structs.replace(blank_, code="4821")
    text = zh(asking(TEXT, "zh", "voice", telephone("4821")))
    calls = phone.calls()
    caller.carrier.send(Parcel(NUMBERS["phone"], "", text, "k", 1, 600.0, asked))
    until(lambda: phone.calls() > calls, "answered")
    time.sleep(spoken(TEXT, "zh", caller.trunk, "4821", True).heard_s)
    phone.press("1")
    phone.press("4821")
    assert caller.over()[-1] == "confirmed_by_code"
    (word,) = [w for w in caller.words if w.status == "confirmed_by_code"]
    assert word.key == "k"


def test_an_operators_tune_is_not_spoken_into(caller: Caller) -> None:
    """Early media for three seconds; the text begins when it is picked up."""
    began = time.monotonic()
    caller.send(NUMBERS["tune"])
    until(lambda: "picked_up" in caller.said(), "answered")
    assert time.monotonic() - began >= 2.9
    assert caller.over()[-1] == "confirmed"


@pytest.mark.parametrize(
    ("far", "word"),
    [("machine", "no_key"), ("leaves", "hung_up"), ("nobody", "no_answer")],
)
def test_nobody_was_reached(caller: Caller, far: str, word: str) -> None:
    caller.send(NUMBERS[far])
    assert caller.over()[-1] == word
    assert "confirmed" not in caller.said()


@pytest.mark.parametrize(
    ("far", "words"),
    [("busy", "占线 SIP 486"), ("refused", "拒接 SIP 603"), ("off", "无法接通 SIP 480")],
)
def test_what_is_said_at_once_is_the_attempts_result(caller: Caller, far: str, words: str) -> None:
    told = caller.send(NUMBERS[far])
    assert (told.state, zh(told.detail)) == ("failed", words)
    assert caller.over() == []


def test_a_number_that_does_not_exist_is_not_called_again(caller: Caller) -> None:
    for number in (NUMBERS["none"], "12;34", "", "sip:x"):
        with pytest.raises(SendError) as e:
            caller.send(number)
        assert e.value.permanent
        assert not e.value.blames_route


def test_a_trunk_that_fails_is_the_trunks_fault(
    caller: Caller, exchange: Kamailio, tmp_path: Path
) -> None:
    with pytest.raises(SendError) as e:
        caller.send(NUMBERS["broken"])
    assert e.value.blames_route
    assert not e.value.permanent
    stranger = Caller(exchange.url, tmp_path, user="somebody")
    with pytest.raises(SendError, match="SIP 407") as e:
        stranger.send(NUMBERS["phone"])
    assert e.value.blames_route
    stranger.carrier.close()


def test_a_call_that_is_moved_is_followed(caller: Caller, phone: Phone) -> None:
    calls = phone.calls()
    assert caller.send(NUMBERS["moved"]).state == "accepted"
    until(lambda: phone.calls() > calls, "the telephone that it was moved to")
    caller.carrier.close()


def test_a_media_program_that_dies_ends_its_call_alone(caller: Caller, phone: Phone) -> None:
    caller.send(NUMBERS["machine"])
    until(lambda: "picked_up" in caller.said(), "answered")
    (line,) = caller.carrier._lines.values()
    assert line is not None
    line.agent.process.kill()
    assert caller.over()[-1] == "failed"
    calls = phone.calls()
    caller.send(NUMBERS["phone"])
    until(lambda: phone.calls() > calls, "the next call goes through")
    caller.carrier.close()


def test_lines_are_kept_for_red_and_nobody_is_called_twice_at_once(
    exchange: Kamailio, tmp_path: Path
) -> None:
    caller = Caller(exchange.url, tmp_path, window=4)

    def wanted(to: str, level: Level) -> Any:
        return caller.send(to, to, level)

    waits = [NUMBERS["machine"], NUMBERS["nobody"], NUMBERS["tune"]]
    for to in waits:
        wanted(to, Level.BLUE)
    for to, level in ((NUMBERS["phone"], Level.BLUE), (waits[0], Level.RED)):
        with pytest.raises(SendError) as e:
            wanted(to, level)
        assert e.value.full
        assert e.value.wait_s
    assert wanted(NUMBERS["phone"], Level.RED).state == "accepted"
    with pytest.raises(SendError) as e:
        wanted("112", Level.RED)
    assert e.value.full
    caller.carrier.close()


def told(caller: Caller, number: str) -> str:
    """What came of the last of at most three calls."""
    state = ""
    for nth in range(3):
        state = caller.send(number, f"{number}-{nth}").state
        if state == "accepted":
            break
    return state


def test_forty_calls_at_once_each_heard_to_its_end(
    exchange: Kamailio, phone: Phone, tmp_path: Path
) -> None:
    """One of them is a telephone that records; the others press by SIP INFO after the text."""
    crowd = Sipp(tmp_path / "crowd", sip.picks_up(sip.presses_by_info("1", 9_000)), "-l", "100")
    trunk = Kamailio(tmp_path, {"111": phone.port, "2...": crowd.port})
    caller = Caller(trunk.url, tmp_path, window=40)
    before, calls = len(phone.heard()), phone.calls()
    numbers = ["111", *(f"2{n:03}" for n in range(39))]
    try:
        with ThreadPoolExecutor(14) as hands:
            # a call that a busy machine lost is made again, as send makes it
            states = hands.map(lambda n: told(caller, n), numbers)
            assert set(states) == {"accepted"}
        until(lambda: phone.calls() > calls, "answered")
        text, sound = text_of_call(caller)
        time.sleep(sound.heard_s)
        phone.press("1")
        said = caller.over()
        assert said.count("confirmed") == 40, said
        assert likeness(text, heard_of(phone, before)) > 0.95
    finally:
        caller.carrier.close()
        trunk.stop()
        crowd.stop()
