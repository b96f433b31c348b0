"""Frames of 大喇叭 adapters: the public sample is read, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.channels.platform.ebd.adapter_frame import Frame, crc32_mpeg2, read_frame
from dispatch.channels.platform.ebd.form import Wrong
from tests.support.examples import examples

# the sample of type 12 of cn.wtu.broadcast
REPLY = bytes.fromhex("500001120200000008" + "00" * 8 + "004A" + "00" * 74 + "AC1D9D3C")


def test_the_check_value_of_the_catalogue() -> None:
    assert crc32_mpeg2(b"123456789") == 0x0376E6E7


def test_the_public_sample_is_read() -> None:
    assert read_frame(REPLY) == Frame(True, 1, 0x12, 2, bytes(8), bytes(74))


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "head"),
        (REPLY[:10], "head"),
        (b"\x51" + REPLY[1:], "head"),
        (REPLY[:-1], "length"),
        (REPLY + b"\0", "length"),
        (REPLY[:-1] + b"\0", "crc"),
        (REPLY[:12] + b"\1" + REPLY[13:], "crc"),
        (REPLY[:5] + b"\xff\xff\xff\xff" + REPLY[9:], "length"),
    ],
)
def test_what_is_no_frame_says_why(raw: bytes, what: str) -> None:
    with pytest.raises(Wrong, match=what):
        read_frame(raw)


@given(st.binary(max_size=200), st.integers(0, 100))
@examples(200)
def test_no_bytes_are_more_than_a_reason(raw: bytes, at: int) -> None:
    for body in (raw, REPLY[:at] + raw + REPLY[at:]):
        try:
            read_frame(body)
        except Wrong as e:
            assert e.reason == "bad_frame"
