"""Names that are nearly another's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengsui.doctor.near import near

NAMES = ("R01", "R02", "R11", "S01", "V01", "N001", "R01H", "0060321234")


@pytest.mark.parametrize(
    ("strange", "meant"),
    [
        ("R1", ["R01"]),
        ("r01", ["R01"]),
        ("R-01", ["R01"]),
        ("RO1", ["R01"]),
        ("R0l", ["R01"]),
        ("N1", ["N001"]),
        ("R01G", ["R01H"]),
        ("0060321243", ["0060321234"]),
        ("R12", []),
        ("X9", []),
        ("", []),
        ("香屯", []),
    ],
)
def test_what_somebody_may_mean(strange: str, meant: list[str]) -> None:
    assert near(strange, NAMES) == meant


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_none(strange: str) -> None:
    assert set(near(strange, NAMES)) <= set(NAMES)


@given(st.sampled_from(NAMES))
def test_a_name_is_its_own_first(name: str) -> None:
    assert near(name.lower(), NAMES) == [name]
