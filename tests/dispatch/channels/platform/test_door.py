"""What a reference platform posts to us over HTTP, and what strangers and broken platforms do: each state is
one word to the outbox, nothing counts twice, and only the platform itself is heard."""

import http.client
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from config.language import zh
from config.records.district import District
from dispatch.channels import CarrierWord, SendError
from dispatch.channels.platform.carrier import ByPlatform
from dispatch.channels.platform.door import PlatformDoor, tar_in
from dispatch.channels.platform.strangers import OF_ALL, OF_KNOWN, OF_ONE, Strangers
from dispatch.channels.status_words import FINAL, PLATFORM, meaning_of
from dispatch.records import Terminals
from simulators.carriers.platform import Platform, keys, packed, unpacked
from tests.support.broadcast import Clock, delivery, our_side, parcel

Ours = Callable[..., ByPlatform]


class Heard:
    """What the line would write into its log. kept: whether it has a log."""

    def __init__(self) -> None:
        self.words: list[CarrierWord] = []
        self.terminals: list[Terminals] = []
        self.kept = True

    def hear(self, word: CarrierWord) -> None:
        self.words.append(word)
        word.done(self.kept)

    def keep(self, records: Sequence[Terminals]) -> bool:
        if self.kept:
            self.terminals += records
        return self.kept


class Side(NamedTuple):
    """Ours: carrier and door; message: what the platform was sent."""

    door: PlatformDoor
    heard: Heard
    platform: Platform
    way: ByPlatform
    message: str


@pytest.fixture
def open_door(ours: Ours, platform: Platform) -> Iterator[Callable[..., Side]]:
    doors: list[PlatformDoor] = []

    def make(**agreed: object) -> Side:
        way, heard = ours(**agreed), Heard()
        way.send(parcel(delivery()))
        door = PlatformDoor(way.link, heard.hear, heard.keep)
        doors.append(door)
        platform.url = door.url
        return Side(door, heard, platform, way, platform.played[-1])

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def side(open_door: Callable[..., Side]) -> Side:
    return open_door()


T3 = [("t1", "3"), ("t2", "3"), ("t3", "4")]


@pytest.mark.parametrize(
    ("code", "more", "word", "state", "said"),
    [
        ("0", {}, "unhandled", "accepted", ""),
        ("1", {}, "waiting", "accepted", ""),
        ("2", {"terminals": [("t1", "2"), ("t2", "1")]}, "on_air", "playing", "0/2 个终端已播，1 个正在播"),
        ("2", {"terminals": [("t1", "1"), ("t2", "0")]}, "on_air_silent", "accepted", "0/2 个终端已播"),
        ("3", {"terminals": T3, "rate": "66.7"}, "done", "played", "2/3 个终端已播，覆盖率 66.7 %"),
        ("3", {"counts": "1,1,0,12"}, "done", "played", "12 个终端已播"),
        ("3", {}, "done", "played", ""),
        ("3", {"counts": "0,0,0,0"}, "done_silent", "accepted", "0 个终端已播"),
        ("3", {"counts": "1,4,2,0"}, "done_silent", "accepted", "0 个终端已播"),
        ("3", {"terminals": [("t1", "4")]}, "done_silent", "accepted", "0/1 个终端已播"),
        ("4", {"terminals": T3}, "failed", "failed", "2/3 个终端已播"),
        ("5", {}, "cancelled", "failed", ""),
    ],
)  # fmt: skip
def test_each_state_is_its_own_word(
    side: Side, code: str, more: dict[str, object], word: str, state: str, said: str
) -> None:
    assert side.platform.state(side.message, code, **more) == 200  # type: ignore[arg-type]
    assert side.platform.result_said() == "1"
    (heard,) = side.heard.words
    assert (heard.channel, heard.carrier) == ("broadcast_platform", "county")
    assert (heard.status, zh(heard.detail), heard.fault) == (word, said, "")
    assert heard.key == parcel(delivery()).key
    meaning = meaning_of("broadcast_platform", heard.status)
    assert meaning is not None and meaning.state == state


def test_no_two_words_of_a_platform_read_the_same() -> None:
    said = [m.words for w, m in PLATFORM.items() if w not in ("playing", "played")]
    assert len(said) == len(set(said))


def test_a_cancel_that_we_asked_for_is_withdrawn_and_no_failure(side: Side) -> None:
    side.way.send(parcel(delivery(2, msg_type="cancel")))
    side.platform.state(side.message, "5")
    assert side.heard.words[-1].status == "withdrawn"
    meaning = meaning_of("broadcast_platform", "withdrawn")
    assert meaning is not None and meaning.state not in FINAL["broadcast_platform"], (
        "nobody heard it"
    )


def test_what_the_platform_did_not_play_goes_in_a_new_packet_under_its_number(side: Side) -> None:
    side.platform.state(side.message, "4")
    for _ in range(2):  # and a retry of that is the same again
        side.way.send(parcel(delivery()))
    packets = [i for i, kind in side.platform.packets if kind == "EBM"]
    assert len(packets) == 3 and len(set(packets)) == 2
    assert list(side.platform.messages) == [side.message]


def test_a_peer_of_2016_is_read_by_its_own_table(open_door: Callable[..., Side]) -> None:
    side = open_door(states={"0": "failed", "1": "on_air", "2": "done"})
    for code, word in (("0", "failed"), ("1", "on_air"), ("2", "done")):
        side.platform.state(side.message, code)
        assert side.heard.words[-1].status == word


def test_a_log_of_broadcasts_is_a_state_each(side: Side) -> None:
    side.way.send(parcel(delivery(1, alert="another")))
    other = side.platform.played[-1]
    assert side.platform.log((side.message, "3"), (other, "4")) == 200
    assert [w.status for w in side.heard.words] == ["done", "failed"]
    assert len({w.key for w in side.heard.words}) == 2


def test_what_was_told_before_the_last_word_is_not_said_again(side: Side, clock: Clock) -> None:
    clock.at += 60_000
    side.platform.state(side.message, "3")
    clock.at -= 30_000
    side.platform.state(side.message, "2")  # came late
    assert [w.status for w in side.heard.words] == ["done"]
    assert side.platform.result_said() == "1"


def test_a_clock_that_was_ahead_silences_nothing_that_comes_after(side: Side, clock: Clock) -> None:
    state = f"<EBM><EBMID>{side.message}</EBMID></EBM><BrdStateCode>2</BrdStateCode>"
    side.platform.send(
        side.platform.packet("EBMStateResponse", "<RptTime>2099-01-01 00:00:00</RptTime>" + state)
    )
    clock.at += 1000
    side.platform.state(side.message, "3")
    assert [w.status for w in side.heard.words] == ["on_air", "done"]


def test_an_older_word_is_no_news_after_a_start_either(
    open_door: Callable[..., Side], clock: Clock
) -> None:
    side = open_door()
    clock.at += 1000
    body = f"<EBM><EBMID>{side.message}</EBMID></EBM><BrdStateCode>4</BrdStateCode>"
    failed = side.platform.packet("EBMStateResponse", body)
    side.platform.send(failed)
    side.way.send(parcel(delivery()))  # in a new packet
    side.door.close()
    side = open_door()
    before = len(side.platform.played)
    assert side.platform.send(failed) == 200 and side.platform.result_said() == "1"
    side.way.send(parcel(delivery()))
    assert not side.heard.words and len(side.platform.played) == before
    clock.at += 1000
    side.platform.state(side.message, "3")
    side.door.close()
    side = open_door()
    side.platform.send(failed)
    assert not side.heard.words


def test_what_was_told_before_an_update_is_not_said_of_it(
    open_door: Callable[..., Side], clock: Clock
) -> None:
    side = open_door(update="overwrite")
    body = f"<EBM><EBMID>{side.message}</EBMID></EBM><BrdStateCode>3</BrdStateCode>"
    clock.at += 1000
    at = side.platform.time()
    clock.at += 4000
    new = parcel(delivery(2, msg_type="update", text="升级"))
    side.way.send(new)
    side.platform.send(side.platform.packet("EBMStateResponse", f"<RptTime>{at}</RptTime>" + body))
    assert [w.key for w in side.heard.words] == [parcel(delivery()).key]
    clock.at += 1000
    side.platform.state(side.message, "2")
    assert side.heard.words[-1].key == new.key


def test_others_broadcasts_in_a_record_are_nobodys_fault(side: Side) -> None:
    others = [("9" * 23 + f"{n:012d}", "3") for n in range(500)]
    assert side.platform.log(*others, (side.message, "3")) == 200
    assert side.platform.result_said() == "1"
    assert [w.status for w in side.heard.words] == ["done"]
    ours = [(side.message[:-4] + f"{n:04d}", "3") for n in range(9000, 9100)]
    side.platform.log(*ours)
    assert side.platform.result_said() == "5" and len(side.heard.words) == 2
    assert side.heard.words[-1].fault


# --- whose word it is


def test_a_state_of_a_message_that_was_not_ours_is_a_dead_letter(side: Side) -> None:
    assert side.platform.state("4" * 35, "3") == 200
    assert side.platform.result_said() == "5"
    (heard,) = side.heard.words
    assert heard.fault and not heard.key


def test_an_unknown_code_is_a_dead_letter_and_no_state(side: Side) -> None:
    side.platform.state(side.message, "9")
    assert side.platform.result_said() == "5"
    assert meaning_of("broadcast_platform", side.heard.words[0].status) is None


def test_the_same_packet_again_is_answered_alike_and_counts_once(side: Side) -> None:
    body = f"<EBM><EBMID>{side.message}</EBMID></EBM><BrdStateCode>2</BrdStateCode>"
    tar = side.platform.packet("EBMStateResponse", body)
    for _ in range(3):
        assert side.platform.send(tar) == 200 and side.platform.result_said() == "1"
    assert len(side.heard.words) == 1
    ident = "10" + side.platform.code + "0" * 15 + "9"
    for code, result in (("2", "1"), ("3", "5")):  # one number for two packets
        said = f"<EBM><EBMID>{side.message}</EBMID></EBM><BrdStateCode>{code}</BrdStateCode>"
        side.platform.send(side.platform.packet("EBMStateResponse", said, ident=ident))
        assert side.platform.result_said() == result


def test_what_the_log_has_not_is_not_confirmed_and_is_told_again(side: Side) -> None:
    side.heard.kept = False
    assert side.platform.state(side.message, "3") == 503
    assert side.platform.tell_states([("t1", "1")]) == 503
    side.heard.kept = True
    assert side.platform.state(side.message, "3") == 200
    assert side.platform.tell_states([("t1", "1")]) == 200
    assert len(side.heard.terminals) == 1


def _forged(side: Side) -> bytes:
    stranger = Platform(keys(9), keys(1).public)
    try:
        stranger.now = side.platform.now
        return stranger.packet("EBMStateResponse", _body(side))
    finally:
        stranger.close()


def _body(side: Side) -> str:
    return f"<EBM><EBMID>{side.message}</EBMID></EBM><BrdStateCode>3</BrdStateCode>"


def _changed(side: Side) -> bytes:
    files = unpacked(side.platform.packet("EBMStateResponse", _body(side)))
    return packed({n: b.replace(b"Code>3<", b"Code>2<") for n, b in files.items()})


def _unsigned(side: Side) -> bytes:
    files = unpacked(side.platform.packet("EBMStateResponse", _body(side)))
    return packed({n: b for n, b in files.items() if n.startswith("EBDB")})


def _other_signature(side: Side) -> bytes:
    one, two = (unpacked(side.platform.packet("EBMStateResponse", _body(side))) for _ in "ab")
    main = next(n for n in one if n.startswith("EBDB"))
    sign = next(n for n in two if n.startswith("EBDS"))
    return packed({main: one[main], f"EBDS_{main}": two[sign]})


def _renamed(side: Side) -> bytes:
    files = unpacked(side.platform.packet("EBMStateResponse", _body(side)))
    main = next(b for n, b in files.items() if n.startswith("EBDB"))
    ident = "10" + "9" * 39
    return packed(
        {f"EBDB_{ident}.xml": main, f"EBDS_EBDB_{ident}.xml": side.platform.signed(ident, main)}
    )


DOCTYPE = "<!DOCTYPE EBD [<!ENTITY a 'b'>]>"


def _doctype(side: Side) -> bytes:
    main = f"<?xml version='1.0'?>{DOCTYPE}<EBD>&a;</EBD>".encode()
    return packed({"EBDB_1.xml": main, "EBDS_EBDB_1.xml": side.platform.signed("1", main)})


Bad = Callable[[Side], bytes]
BAD: dict[str, tuple[Bad, str]] = {
    "another key": (_forged, "4"),
    "changed after it was signed": (_changed, "4"),
    "not signed": (_unsigned, "4"),
    "the signature of another packet": (_other_signature, "4"),
    "a name that is not its id": (_renamed, "3"),
    "a document type": (_doctype, "2"),
    "old": (lambda s: s.platform.packet("EBMStateResponse", _body(s), at=s.platform.time(-3600)), "5"),
    "ahead": (lambda s: s.platform.packet("EBMStateResponse", _body(s), at=s.platform.time(3600)), "5"),
    "without a time": (lambda s: s.platform.packet("EBMStateResponse", _body(s), at="soon"), "5"),
    "of another source": (lambda s: s.platform.packet("EBMStateResponse", _body(s), source="4" * 23), "5"),
    "for somebody else": (lambda s: s.platform.packet("EBMStateResponse", _body(s), dest="4" * 23), "5"),
    "without a code": (lambda s: s.platform.packet("EBMStateResponse", "<EBM><EBMID>1</EBMID></EBM>"), "3"),
    "a message to be broadcast": (lambda s: s.platform.packet("EBM", "<EBMID>1</EBMID>"), "5"),
    "a body of one maker": (lambda s: s.platform.packet("EBDNotify", ""), "5"),
    "half a tar": (lambda s: s.platform.packet("EBMStateResponse", _body(s))[:600], "2"),
    "no tar": (lambda s: b"hello", "2"),
    "a tar with a path": (lambda s: packed({"../EBDB_1.xml": b"<EBD/>"}), "2"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_packet_says_nothing_and_the_door_stays_open(side: Side, case: str) -> None:
    make, result = BAD[case]
    assert side.platform.send(make(side)) == 200
    assert side.platform.result_said() == result
    assert not side.heard.words and not side.heard.terminals
    side.platform.state(side.message, "2")
    assert [w.status for w in side.heard.words] == ["on_air"]


def _posted(side: Side, tar: bytes, address: str) -> int:
    """From an address of this machine; the HTTP status."""
    line = http.client.HTTPConnection(
        side.door.url.split("/")[2], timeout=90, source_address=(address, 0)
    )
    line.request("POST", "/ebd", tar, {"Content-Type": "application/x-tar"})
    status = line.getresponse().status
    line.close()
    return status


def test_strangers_are_looked_at_a_few_times_a_minute_and_hold_up_no_platform(
    district: District,
    platform: Platform,
    tmp_path: Path,
    clock: Clock,
    capfd: pytest.CaptureFixture[str],
) -> None:
    way, heard = (
        our_side(district, platform.at.replace("127.0.0.1", "localhost"), tmp_path, clock),
        Heard(),
    )
    door = PlatformDoor(way.link, heard.hear, heard.keep)
    try:
        way.send(parcel(delivery()))
        platform.url = door.url
        side = Side(door, heard, platform, way, platform.played[-1])
        assert platform.state(side.message, "1") == 200
        forged = _forged(side)
        told = [_posted(side, forged, "127.0.0.2") for _ in range(OF_ONE + 5)]
        assert told == [200] * OF_ONE + [429] * 5
        told = [_posted(side, forged, f"127.0.0.{3 + n % 9}") for n in range(2 * OF_ALL)]
        assert told.count(200) == OF_ALL - OF_ONE and 429 in told
        assert platform.state(side.message, "2") == 200
        assert [w.status for w in heard.words] == ["waiting", "on_air"]
        assert len(capfd.readouterr().err.splitlines()) < 4 * OF_ALL
    finally:
        door.close()
        way.close()


def test_whose_address_is_known_is_held_up_by_its_own_faults_alone() -> None:
    some = Strangers("http://10.0.0.8:8080/x")
    for n in range(1000):
        some.bad(f"10.1.{n // 200}.{n % 200}", 0.0)
    assert some.may("10.0.0.8", 0.0) and some.may("::ffff:10.0.0.8", 0.0)
    assert not some.may("10.0.0.9", 0.0) and some.may("10.0.0.9", 61.0)
    for _ in range(OF_KNOWN):
        assert some.may("10.0.0.8", 0.0)
        some.bad("10.0.0.8", 0.0)
    assert not some.may("10.0.0.8", 59.0) and some.may("10.0.0.8", 61.0)


def test_a_request_that_is_no_packet_is_told_so(side: Side) -> None:
    assert side.platform.send(b"x", name="readme.txt") == 400
    pool = side.platform._pool
    for kind, body in (("text/plain", b"x"), ("multipart/form-data", b"x"), ("", b"")):
        told = pool.request("POST", side.door.url, body=body, headers={"Content-Type": kind})
        assert told.status == 400
    assert pool.request("GET", side.door.url).status == 405
    assert pool.request("POST", side.door.url + "x", body=b"").status == 404
    line = http.client.HTTPConnection(side.door.url.split("/")[2], timeout=90)
    line.putrequest("POST", "/ebd")
    line.putheader("Content-Length", "8000001")
    line.endheaders()  # it is refused before any of it is sent
    assert line.getresponse().status == 413
    line.close()


@pytest.mark.parametrize("field", ["file", "upfile", "anything"])
def test_any_name_of_the_field_is_taken(side: Side, field: str) -> None:
    tar = side.platform.packet("EBMStateResponse", _body(side))
    assert side.platform.send(tar, field=field) == 200
    assert len(side.heard.words) == 1


def test_a_form_that_is_none_is_none() -> None:
    kind = "multipart/form-data; boundary=b"
    for body in (
        b"",
        b"--b",
        b"--b--\r\n",
        b"\xff" * 100,
        b"--b\r\nContent-Disposition: x\r\n\r\ny\r\n--b--",
    ):
        assert tar_in(kind, body) is None
    assert tar_in("application/x-tar", b"x") == b"x"


def test_many_at_once_each_count_once(side: Side) -> None:
    body = _body(side)
    tars = [side.platform.packet("EBMStateResponse", body) for _ in range(4)] * 3
    pool, told = side.platform._pool, []

    def post(tar: bytes) -> None:
        fields = {"file": ("EBDT_1.tar", tar)}
        told.append(pool.request("POST", side.door.url, fields=fields, timeout=90.0).status)

    threads = [threading.Thread(target=post, args=(t,)) for t in tars]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert told == [200] * 12
    assert {w.status for w in side.heard.words} == {"done"} and len(side.heard.words) >= 4


# --- heart-beats


def test_a_platform_without_heart_beat_is_down_and_comes_back(side: Side, clock: Clock) -> None:
    assert side.door.probe() == [("county-back", True, "")]
    clock.at += 301_000
    ((name, up, words),) = side.door.probe()
    assert (name, up) == ("county-back", False) and "300 秒没有心跳" in zh(words)
    assert side.platform.beat() == 200
    assert side.door.probe()[0][1]


def test_a_heart_beat_played_again_says_nothing_new(side: Side, clock: Clock) -> None:
    at = side.platform.time()
    old = side.platform.packet("ConnectionCheck", f"<RptTime>{at}</RptTime>", kind="01")
    side.platform.send(old)
    clock.at += 400_000
    side.platform.send(old)
    assert not side.door.probe()[0][1]


def test_a_heart_beat_counts_when_it_comes_whatever_the_two_clocks_say(
    side: Side, platform: Platform, clock: Clock
) -> None:
    platform.now = lambda: clock() / 1000 - 400  # behind by more than it may be silent
    for _ in range(3):
        clock.at += 200_000
        assert platform.beat() == 200
        assert side.door.probe()[0][1]
    clock.at -= 86_400_000  # ours was ahead by a day, and is put right
    assert side.door.probe()[0][1]
    clock.at += 301_000
    assert not side.door.probe()[0][1]


def test_an_unsigned_heart_beat_is_taken_where_that_was_agreed(
    open_door: Callable[..., Side],
) -> None:
    side = open_door()
    tar = side.platform.packet("ConnectionCheck", "<RptTime/>", kind="01")
    bare = packed({n: b for n, b in unpacked(tar).items() if n.startswith("EBDB")})
    side.platform.send(bare)
    assert side.platform.result_said() == "4"
    agreed = open_door(heartbeats="bare")
    agreed.platform.send(bare)
    assert agreed.platform.result_said() == "1"
    # and nothing else without a signature, whatever it calls itself
    state = agreed.platform.packet("EBMStateResponse", _body(agreed), kind="01")
    agreed.platform.send(packed({n: b for n, b in unpacked(state).items() if n.startswith("EBDB")}))
    assert agreed.platform.result_said() == "4" and not agreed.heard.words


def test_a_platform_that_sends_none_is_not_called_down(
    open_door: Callable[..., Side], clock: Clock
) -> None:
    side = open_door(silent_s=0)
    clock.at += 10**9
    assert side.door.probe() == []


# --- terminals


def test_a_list_and_states_go_into_the_log_once_and_then_what_is_new(side: Side) -> None:
    many = [(f"0601321323{n:08d}", f"村{n}", 116.0 + n / 1e4, 40.5) for n in range(450)]
    side.platform.tell_list(many)
    side.platform.tell_states([(code, "1") for code, *_ in many])
    told = [t for r in side.heard.terminals for t in r.items]
    assert len(told) == 900 and max(len(r.items) for r in side.heard.terminals) <= 200
    before = len(side.heard.terminals)
    side.platform.tell_list(many)
    side.platform.tell_states([(code, "1") for code, *_ in many])
    assert len(side.heard.terminals) == before, "nothing new"
    side.platform.tell_states([(many[7][0], "3"), (many[8][0], "1")])
    (new,) = side.heard.terminals[before:]
    assert [(t.code, t.state) for t in new.items] == [(many[7][0], "3")]
    assert new.platform == "county"


def test_an_answer_played_again_is_no_answer_to_a_heart_beat_and_a_wrong_clock_is(
    side: Side, platform: Platform, clock: Clock
) -> None:
    kept: list[bytes] = []

    def keep(tar: bytes) -> bytes:
        kept.append(tar)
        return tar

    platform.answer = keep
    side.way.link.beat()
    platform.answer = lambda _: kept[0]
    with pytest.raises(SendError):
        side.way.link.beat()
    platform.answer, platform.now = (lambda tar: tar), lambda: 946_684_800.0  # 2000
    side.way.link.beat()


def test_an_older_word_on_a_terminal_that_came_late_changes_nothing(
    side: Side, platform: Platform, clock: Clock
) -> None:
    clock.at += 1000
    late = platform.states_of([("t1", "2")])
    clock.at += 60_000
    platform.tell_states([("t1", "1")])
    assert platform.send(late) == 200 and platform.result_said() == "1"
    assert [t.state for one in side.heard.terminals for t in one.items] == ["1"]
