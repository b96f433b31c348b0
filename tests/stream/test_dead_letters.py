"""Bad input as it is kept: one form of it, whoever puts it aside."""

from base64 import b64decode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.guard import letter
from stream.oplog import visible
from stream.records import PAYLOAD_KEPT, DeadLetter, Rejected, Tick, encode
from tests.support.examples import examples


@examples(100)
@given(payload=st.binary(max_size=64), times=st.sampled_from([0, 1, 60, 500]))
def test_the_first_bytes_are_kept_and_the_letter_is_read_as_it_was_written(
    payload: bytes, times: int
) -> None:
    made = DeadLetter.of(7, "observations/0/12", "bad_payload", "看 look", payload * times)
    assert b64decode(made.payload) == (payload * times)[:PAYLOAD_KEPT]
    assert msgspec.json.decode(encode(made), type=DeadLetter) == made


@pytest.mark.parametrize("record", [Tick(clock_at=5), DeadLetter.of(1, "x" * 9000, "r", "d")])
def test_a_record_is_kept_as_it_would_stand_in_its_topic(record: Tick | DeadLetter) -> None:
    made = DeadLetter.of(7, "cases/0/3", "unproven_decision", "who?", record)
    assert b64decode(made.payload) == encode(record)[:PAYLOAD_KEPT]


@examples(100)
@given(source=st.text(), words=st.text(max_size=600))
def test_a_letter_can_be_written_down_whatever_it_is_of(source: str, words: str) -> None:
    half = "\ud800"  # of a surrogate pair: no UTF-8 holds it
    out = letter(7, half + source, Rejected("bad_payload", half + words), b"\xff" * 5000)
    made = msgspec.json.decode(out.value, type=DeadLetter)
    assert out.topic == "dead-letters" and out.key == made.source == visible("?" + source)
    assert len(made.detail) <= 400 and len(b64decode(made.payload)) == PAYLOAD_KEPT
