"""The codec of SZY 206-2016, as far as the protocol is known."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.telemetry.codec.said import FAULTS, Broken
from ingest.telemetry.codec.szy206.data import encode_number, encode_tail, moment, number, read_data
from ingest.telemetry.codec.szy206.frame import Finder206, Frame206, answer, crc8, frame
from ingest.telemetry.codec.szy206.frame import read as read_frame
from ingest.telemetry.codec.szy206.rows import rows
from tests.support.examples import examples

STATION = "5303810D00"
FLOW = "681A68B35303810D00C00059000000826110000001106000004508090A3516"
AT = 1_720_062_305_000  # 2024-07-04 11:05:05 Beijing


def one(raw: bytes) -> Frame206:
    found = read_frame(raw)
    assert isinstance(found, Frame206), found
    return found


def test_published_messages(data: Path) -> None:
    file = data / "sl651" / "szy206_frames.json"
    if not file.exists():
        pytest.skip(f"published messages of SZY 206 are not here (looked for {file})")
    found = []
    for vector in json.loads(file.read_text()):
        finder = Finder206()
        raw = bytes.fromhex(vector["hex"])
        found.append([isinstance(f, Frame206) for f in [*finder.feed(raw), *finder.rest()]])
    assert found[:3] == [[False], [True], [True, False]]
    assert found[3] == [True]  # a picture's piece of 1039 bytes
    assert found[4] == [True, False]


def test_a_report_of_flow() -> None:
    found = one(bytes.fromhex(FLOW))
    read = read_data(found)
    assert (found.station, found.kind, found.up) == (STATION, 3, True)
    assert [v.value for v in read.values] == [5.9, 106182]
    assert read.time == (9, 8, 45, 0)
    assert (read.alarms, read.state) == (0x0110, 0x6000)
    said = one(answer(found))
    assert (said.up, said.function, said.station, said.data) == (False, 0xC0, STATION, b"\x00")


@pytest.mark.parametrize(
    ("data", "decimals", "expected"),
    [
        ("250100", 1, (12.5, "")),
        ("aaaaaa", 1, (None, "")),
        ("340200f0", 0, (-234, "")),
        ("3b0100", 1, (None, "bad_value")),
        ("ffffff", 1, (None, "bad_value")),
    ],
)
def test_numbers(data: str, decimals: int, expected: tuple[float | None, str]) -> None:
    assert number(bytes.fromhex(data), decimals) == expected


def test_the_month_that_is_not_told_is_the_nearest() -> None:
    def day(text: str) -> int:
        from datetime import datetime

        return int(datetime.fromisoformat(text + "+08:00").timestamp() * 1000)

    first = day("2024-03-01T00:05:00")
    assert moment((29, 23, 58, 0), first) == day("2024-02-29T23:58:00")
    assert moment((1, 0, 4, 0), first) == day("2024-03-01T00:04:00")
    assert moment((1, 0, 1, 0), day("2024-12-31T23:59:00")) == day("2025-01-01T00:01:00")
    assert moment((31, 1, 0, 0), day("2024-02-15T00:00:00")) == day("2024-01-31T01:00:00")
    assert moment((30, 1, 0, 0), day("2024-02-29T00:00:00")) is not None


def test_rain_made_and_read() -> None:
    data = encode_number(12.5, 3, 1) + encode_tail(AT, alarms=2)
    found = one(frame(0xB1, STATION, 0xC0, data))
    read = read_data(found)
    assert [v.value for v in read.values] == [12.5]
    assert read.time == (4, 11, 5, 5)
    assert moment(read.time, AT) == AT
    assert read.alarms == 2
    assert not read.faults


def test_a_combined_report_is_told_and_not_guessed() -> None:
    read = read_data(one(frame(0xBE, STATION, 0xC0, b"\x03" + bytes(7) + encode_tail(AT))))
    assert [f.code for f in read.faults] == ["unknown_element"]
    assert read.values == []


@given(st.binary(max_size=120), st.integers(0, 31))
@examples(200)
def test_no_bytes_raise(noise: bytes, at: int) -> None:
    good = bytes.fromhex(FLOW)
    user = good[3:9] + b"\xc0" + noise[:200]
    whole = bytes([0x68, len(user), 0x68]) + user + bytes([crc8(user), 0x16])
    for stream in (noise, good[:at] + noise + good, whole):
        finder = Finder206()
        for found in [*finder.feed(stream), *finder.rest()]:
            faults = [found.fault] if isinstance(found, Broken) else read_data(found).faults
            assert all(0 <= f.at <= len(stream) and f.code in FAULTS for f in faults)
        rows(stream)


@given(st.lists(st.integers(0, 9999), max_size=5), st.data())
@examples(60)
def test_a_stream_cut_anywhere_gives_the_same_frames(found: list[int], draw: st.DataObject) -> None:
    made = [frame(0xB1, STATION, 0xC0, encode_number(n, 3, 0) + encode_tail(AT)) for n in found]
    stream = b"".join(made)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    finder, heard = Finder206(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        heard += finder.feed(stream[begin:end])
    assert [f.raw for f in heard] == made
