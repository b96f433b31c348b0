"""SMS lengths against published vectors and the laws that any cutting must keep."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.words.sms_length import GSM7, GSM7_EXTENDED, measure, segments, split
from tests.support.examples import examples

DATA = Path(os.environ.get("FENGSUI_DATA") or Path(__file__).parents[3].parent / "shared" / "data")
VECTORS = DATA / "sms-segments" / "vectors.json"


@pytest.mark.skipif(not VECTORS.exists(), reason="needs sms-segments; set FENGSUI_DATA")
def test_published_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())
    assert len(vectors) > 10
    for v in vectors:
        length = measure(v["body"])
        bits = 7 if length.encoding == "GSM-7" else 16
        assert (length.encoding, length.segments, length.units * bits) == (
            v["encoding"],
            v["segments"],
            v["messageSize"],
        ), v["body"][:40]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("水" * 70, 1),
        ("水" * 71, 2),
        ("水" * 134, 2),
        ("水" * 135, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 153 is odd: the last septet of each part stays empty rather than split an escape
        ("€" * 152, 2),
        ("€" * 153, 3),
        # 67 is odd: no part ends inside a surrogate pair
        ("🌊" * 66, 2),
        ("🌊" * 67, 3),
        ("ç", 1),
    ],
)
def test_edges(text: str, expected: int) -> None:
    assert segments(text) == expected


def test_lower_case_c_cedilla_is_not_in_the_alphabet() -> None:
    assert measure("Ç").encoding == "GSM-7"
    assert measure("ç").encoding == "UCS-2"
    assert len(GSM7) == 127  # 128 codes, one of them the escape
    assert len(GSM7_EXTENDED) == 10


@examples(200)
@given(st.text(st.sampled_from("ab€^水🌊"), max_size=400))
def test_parts_are_the_text_and_fit(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    length = measure(text)
    room = {("GSM-7", False): 160, ("GSM-7", True): 153, ("UCS-2", False): 70, ("UCS-2", True): 67}
    for part in parts:
        if length.encoding == "GSM-7":
            units = sum(2 if c in GSM7_EXTENDED else 1 for c in part)
        else:
            units = len(part.encode("utf-16-be")) // 2
        assert 0 < units <= room[length.encoding, len(parts) > 1] or text == ""
