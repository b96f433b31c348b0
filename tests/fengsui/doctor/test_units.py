"""When a factor is suspected, and when it is only a flood that nobody has seen before."""

from pathlib import Path

import pytest

from tests.support.doctor import Played


@pytest.mark.parametrize(
    ("levels", "suspected"),
    [
        (
            (5.5, 6.0, 6.4, 6.8, 7.1, 7.4),
            False,
        ),  # a record flood, 0.4 m above the range of -0.5 … 7 m
        ((1.2, 1.2, 1.2, 1200.0, 1200.0), True),  # metres, then millimetres
    ],
)
def test_a_record_flood_is_no_wrong_unit(
    tmp_path: Path, levels: tuple[float, ...], suspected: bool
) -> None:
    played = Played(tmp_path)
    for m in levels:
        played.tick(5)
        played.stage("S01", m)
    played.tick(1)
    found = played.found("S01")
    assert ("unit_factor" in found) == suspected
