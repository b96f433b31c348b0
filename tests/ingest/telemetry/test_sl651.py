"""The codec of SL 651-2014: what the standard and its published frames say, and any bytes at all."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.telemetry.codec.said import FAULTS, Broken, Fault
from ingest.telemetry.codec.sl651 import encode
from ingest.telemetry.codec.sl651.body import Item, moment, number, read, times
from ingest.telemetry.codec.sl651.crc import crc16
from ingest.telemetry.codec.sl651.frame import Finder, Frame651
from ingest.telemetry.codec.sl651.frame import read as read_frame
from ingest.telemetry.codec.sl651.packets import Packets
from ingest.telemetry.codec.sl651.rows import rows
from ingest.telemetry.codec.sl651.tables import ACK, EOT, ESC, ETX, SYMBOLS
from tests.support.examples import examples

STATION = "0060321234"
AT = 1_720_062_305_000  # 2024-07-04 11:05:05 Beijing


def frame(raw: bytes) -> Frame651:
    found = read_frame(raw)
    assert isinstance(found, Frame651), found
    return found


def report(*elements: bytes, function: int = 0x32, seen_ms: int = AT) -> bytes:
    body = encode.report(STATION, 7, AT, 0x48, seen_ms, elements)
    return encode.frame(STATION, function, body, password="1234")


def items(raw: bytes) -> dict[int, Item]:
    return {i.id: i for i in read(frame(raw)).items}


def vectors(data: Path) -> list[dict[str, object]]:
    file = data / "sl651" / "frames.json"
    if not file.exists():
        pytest.skip(f"published frames of SL 651 are not here (looked for {file})")
    found: list[dict[str, object]] = json.loads(file.read_text())
    return found


def test_the_crc_is_that_of_the_public_catalogue() -> None:
    assert crc16(b"123456789") == 0x4B37
    assert crc16(b"") == 0xFFFF


def test_published_frames_are_right_but_those_cut_by_their_publisher(data: Path) -> None:
    for one in vectors(data):
        raw = bytes.fromhex(str(one["hex"]))
        finder = Finder()
        found = [*finder.feed(raw), *finder.rest()]
        assert isinstance(found[0], Frame651) == one["crc_ok"], one["hex"]
        if isinstance(found[0], Broken):
            assert found[0].fault.code in ("cut", "bad_crc")
        else:
            assert found[0].function == int(str(one["func"]), 16)


def test_the_published_hourly_report(data: Path) -> None:
    raw = next(bytes.fromhex(str(v["hex"])) for v in vectors(data) if v["func"] == "34")
    body = read(frame(raw))
    assert not body.faults
    by = {i.id: i for i in body.items}
    assert by[0xF4].value == (0.5, 0, 0, 0, 2.0, None, None, None, None, None, 0, 0)
    assert by[0xF5].value == (0.12, 0.12, 0.28, 0.49, 0.49, *[None] * 5, 0.49, 0.49)
    end = moment("1707181100")
    assert end is not None
    assert times(by[0xF4]) == [end - 55 * 60_000 + n * 300_000 for n in range(12)]
    assert times(by[0xF4], ends_last=True)[-1] == moment("1707181005")
    assert (by[0x26].value, by[0x39].value, by[0x38].value) == (4.0, 10.49, 10.99)
    assert times(by[0x26]) == [end]


def test_the_published_picture_in_thirteen_packets(data: Path) -> None:
    packets = [bytes.fromhex(str(v["hex"])) for v in vectors(data) if v["func"] == "36"]
    held = Packets(13)
    for raw in reversed(packets):
        assert held.whole() is None
        assert held.add(frame(raw))
    whole = held.whole()
    assert whole is not None
    picture = next(i.value for i in whole.body.items if i.id == 0xF3)
    assert isinstance(picture, bytes)
    assert picture[:4] == b"\xff\xd8\xff\xe0"
    assert b"\xff\xd9" in picture[-4:]  # two bytes of the device stand behind it


def test_published_answers_are_made_byte_for_byte() -> None:
    """But for the time: these repeat the station's own, ours is told."""
    up = frame(
        bytes.fromhex(
            "7E7E010012345678123430002B020003591011154947F1F1001234567848F0F0591011154920190000052619"
            "000005392300000127381211150320FA"
        )
    )
    down = "7E7E00123456780112343080080200035910111549471B75D4"
    at = moment("591011154947")
    assert at is not None
    assert encode.answer(up, 3, at, ESC).hex().upper() == down
    answer = frame(bytes.fromhex(down))
    assert (answer.down, answer.centre, answer.station) == (True, 1, "0012345678")
    assert (read(answer).serial, read(answer).sent, answer.end) == (3, "591011154947", ESC)


def test_a_report_of_a_hikvision_level_gauge_without_a_sensor() -> None:
    raw = bytes.fromhex(
        "7e7e000010000000c95932002b0224f3200314191856f1f1001000000050f0f020031419183923099999992019"
        "000000261900000038122400035e89"
    )
    found = items(raw)
    assert found[0x39].value == 9999.999
    assert found[0x38].value == 24.0


@pytest.mark.parametrize(
    ("data", "decimals", "expected"),
    [
        ("00012345", 3, (12.345, "")),
        ("ff001234", 3, (-1.234, "")),
        ("ff0001", 0, (-1, "")),
        ("ffffffff", 3, (None, "")),
        ("aaaa", 1, (None, "")),
        ("ff", 0, (None, "")),
        ("12a4", 0, (None, "bad_value")),
        ("ffff12", 0, (None, "bad_value")),
        ("1f", 0, (None, "bad_value")),
        ("aa12", 0, (None, "bad_value")),
    ],
)
def test_numbers(data: str, decimals: int, expected: tuple[float | None, str]) -> None:
    assert number(bytes.fromhex(data), decimals) == expected


def test_a_damaged_element_costs_itself_alone_and_says_where() -> None:
    raw = report(
        encode.element(0x20, 0.5, 3, 1),
        b"\x39\x23\x00\x0b\x12\x34",
        encode.element(0x38, 12.5, 2, 2),
    )
    body = read(frame(raw))
    by = {i.id: i for i in body.items}
    assert (by[0x20].value, by[0x38].value) == (0.5, 12.5)
    assert (by[0x39].value, by[0x39].wrong) == (None, "bad_value")
    (fault,) = body.faults
    assert (fault.code, raw[fault.at : fault.at + 4].hex()) == ("bad_value", "000b1234")


def test_an_unknown_element_is_passed_over_by_its_own_width() -> None:
    raw = report(b"\x7b\x19\x00\x00\x12", b"\xff\x99\x11\x01\x23", encode.element(0x39, 1.25, 4, 3))
    body = read(frame(raw))
    by = {i.id: i for i in body.items}
    assert by[0x39].value == 1.25
    assert (by[0x7B].value, by[0x7B].wrong) == (1.2, "unknown_element")
    assert (by[0xFF99].value, by[0xFF99].wrong) == (12.3, "unknown_element")
    assert [f.code for f in body.faults] == ["unknown_element"] * 2
    assert raw[body.faults[0].at] == 0x7B


def test_several_times_in_one_report_each_for_what_follows() -> None:
    raw = report(
        encode.element(0x26, 4, 3, 1),
        encode.observed(AT + 3_600_000),
        encode.element(0x39, 1, 4, 3),
    )
    by = items(raw)
    minute = AT // 60_000 * 60_000
    assert (times(by[0x26]), times(by[0x39])) == ([minute], [minute + 3_600_000])


def test_a_report_of_uniform_intervals() -> None:
    step = b"\x04\x18\x00\x01\x00"
    values = b"\x22\x19" + bytes.fromhex("000005 ffffff 000120".replace(" ", ""))
    found = items(report(step, values, function=0x31))[0x22]
    assert found.value == (0.5, None, 12.0)
    assert [t - times(found)[0] for t in times(found)] == [0, 3_600_000, 7_200_000]


def test_the_status_word_is_no_bcd() -> None:
    found = items(report(b"\x45\x20\x00\x00\x00\xa2"))[0x45]
    assert found.value == 0xA2


def test_twelve_amounts_of_rain_carry_what_is_too_much_for_a_slot() -> None:
    slots = encode.rain_slots([None, 30.0, 1.0, *[0.0] * 9])
    found = items(report(slots, function=0x34))[0xF4]
    assert found.value == (None, 25.4, 5.6, *[0.0] * 9)


def test_words_of_a_person_and_a_whole_picture() -> None:
    assert items(report(b"\xf2\xf2PT 12.5", function=0x35))[0xF2].value == "PT 12.5"
    assert (
        items(report(b"\xf3\xf3\xff\xd8\xff\xd9", function=0x36))[0xF3].value == b"\xff\xd8\xff\xd9"
    )


def test_ascii_frames_as_far_as_they_are_known() -> None:
    body = b"0007240704110505" + b"Z 12.345 PJ M XX 3 VT x "
    raw = b"\x0101" + STATION.encode() + b"1234" + b"32" + f"{len(body):04X}".encode() + b"\x02"
    raw += body + b"\x03"
    raw += f"{crc16(raw):04X}".encode()
    found = frame(raw)
    assert (found.ascii, found.station, found.password, found.function) == (
        True,
        STATION,
        "1234",
        0x32,
    )
    read_ = read(found)
    by = {i.id: i.value for i in read_.items}
    assert (read_.serial, read_.sent) == (7, "240704110505")
    assert by == {SYMBOLS["Z"]: 12.345, SYMBOLS["PJ"]: None, SYMBOLS["VT"]: None}
    assert sorted(f.code for f in read_.faults) == ["bad_value", "unknown_element"]
    assert Finder().feed(b"\x00" + raw + report())[1:] == [found, frame(report())]


def test_a_crc_with_its_bytes_changed_about_is_known_and_answered_so() -> None:
    raw = encode.frame(STATION, 0x30, encode.report(STATION, 7, AT, 0x48, AT, ()), swapped=True)
    found = frame(raw)
    assert found.swapped
    answer = encode.answer(found, 7, AT, EOT)
    assert frame(answer).swapped


def test_a_wrong_crc_hides_no_frame_that_begins_within_its_claim() -> None:
    good = report(encode.element(0x20, 0.5, 3, 1))
    cut = good[:30]
    finder = Finder()
    found = finder.feed(cut + good + b"\x00\x01" + good)
    assert [type(f) for f in found] == [Broken, Frame651, Broken, Frame651]
    assert isinstance(found[0], Broken)
    assert found[0].fault.code == "bad_crc"  # its claim reaches into the next one
    long = encode.frame(STATION, 0x32, bytes(900))[:30]
    found = Finder().feed(long + good)
    assert [type(f) for f in found] == [Broken, Frame651]
    assert isinstance(found[0], Broken)
    assert found[0].fault.code == "cut"
    spoilt = bytearray(good)
    spoilt[40] ^= 1
    found = Finder().feed(bytes(spoilt) + good)
    assert [type(f) for f in found] == [Broken, Frame651]
    assert isinstance(found[0], Broken)
    assert (found[0].fault.code, found[0].fault.at) == ("bad_crc", len(good) - 2)


def test_a_table_says_each_field_once_and_what_is_wrong() -> None:
    raw = report(b"\x39\x23\x00\x0b\x12\x34", b"\x7b\x19\x00\x00\x12")
    found = rows(raw)
    assert sum(len(r.raw.split()) for r in found) == len(raw)
    wrong = [r for r in found if r.wrong.zh]
    assert [r.at for r in wrong] == [raw.index(b"\x39\x23"), raw.index(b"\x7b\x19")]
    assert [bool(r.wrong.en) for r in wrong] == [True, True]


values = st.one_of(st.none(), st.integers(-99_999, 999_999).map(lambda n: n / 10))


@given(st.lists(st.tuples(st.sampled_from([0x1F, 0x20, 0x26, 0x39, 0x3B]), values), max_size=8))
@examples(60)
def test_what_is_encoded_is_read_again(found: list[tuple[int, float | None]]) -> None:
    raw = report(*(encode.element(name, value, 4, 1) for name, value in found))
    body = read(frame(raw))
    assert not body.faults
    assert [(i.id, i.value) for i in body.items if i.id != 0xF0] == found


frames = st.lists(
    st.one_of(
        st.integers(0, 99).map(lambda n: report(encode.element(0x20, n, 3, 1))),
        st.binary(max_size=40).filter(lambda b: b"~" not in b and b"\x01" not in b),
    ),
    max_size=6,
)


@given(frames, st.data())
@examples(60)
def test_a_stream_cut_anywhere_gives_the_same_frames(
    parts: list[bytes], draw: st.DataObject
) -> None:
    stream = b"".join(parts)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    finder = Finder()
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += [f for f in finder.feed(stream[begin:end]) if isinstance(f, Frame651)]
    good = [p for p in parts if p.startswith(b"~~")]
    assert [f.raw for f in found] == good


@given(st.binary(max_size=300), st.integers(0, 60))
@examples(200)
def test_no_bytes_raise_and_every_fault_has_a_place_and_a_known_code(noise: bytes, at: int) -> None:
    good = report(encode.rain_slots([0.1] * 12), encode.element(0x39, -1, 4, 3))
    body = bytearray(good)
    body[14 : 14 + min(len(noise), len(good) - 17)] = noise[: len(good) - 17]
    crc = crc16(bytes(body[:-2]))
    whole = bytes(body[:-2]) + crc.to_bytes(2, "big")
    for stream in (noise, good[:at] + noise, whole):
        finder = Finder()
        for found in [*finder.feed(stream), *finder.rest()]:
            faults = [found.fault] if isinstance(found, Broken) else read(found).faults
            assert all(0 <= f.at <= len(stream) and f.code in FAULTS for f in faults)
            if isinstance(found, Frame651):
                for item in read(found).items:
                    times(item)
                    assert not isinstance(item.value, float) or math.isfinite(item.value)
        rows(stream)


@given(st.permutations(range(1, 6)), st.lists(st.integers(1, 5), max_size=4))
@examples(30)
def test_packets_in_any_order_and_twice(order: list[int], twice: list[int]) -> None:
    picture = b"\xff\xd8" + bytes(range(256)) * 4 + b"\xff\xd9"
    body = encode.report(STATION, 9, AT, 0x48, AT, [b"\xf3\xf3" + picture])
    made = encode.in_packets(STATION, 0x36, body)
    assert len(made) == 5
    held = Packets(5)
    for n in [*twice, *order]:
        assert held.add(frame(made[n - 1]))
    whole = held.whole()
    assert whole is not None
    assert whole.body.items[-1].value == picture
    assert whole.body.serial == 9


def test_a_missing_packet_is_asked_for_twice_and_no_more() -> None:
    body = encode.report(STATION, 9, AT, 0x48, AT, [b"\xf3\xf3" + bytes(600)])
    made = [frame(raw) for raw in encode.in_packets(STATION, 0x36, body)]
    held = Packets(3)
    for one in (made[0], made[2]):
        held.add(one)
    assert [held.ask(), held.ask(), held.ask()] == [2, 2, 0]
    nak = frame(encode.again(made[2], 9, AT, 2))
    assert (nak.packets, nak.packet, nak.end) == (3, 2, 0x15)
    ack = frame(encode.answer(made[0], 9, AT, ACK))
    assert ack.end == ACK
    assert made[2].end == ETX


def test_what_no_frame_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        encode.frame(STATION, 0x32, bytes(5000))
    with pytest.raises(ValueError, match="in 1 bytes"):
        encode.element(0x20, 1000, 1, 1)
    assert isinstance(read_frame(b""), Fault)
