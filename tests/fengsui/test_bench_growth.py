"""`fengsui bench growth`: each curve is measured in small, told and drawn."""

from pathlib import Path

import pytest

from bench.cases.memory import growth
from config.language import Text, en


def test_a_point_of_each_kind_is_measured() -> None:
    for point in (("names", 50, 0, 4), ("detect", 50, 2, 1)):
        assert growth.measured(*point)["us"] > 0


@pytest.mark.parametrize(("last", "word"), [(1.9, "linear or better"), (8.0, "grows")])
def test_a_curve_says_whether_it_is_linear_and_is_drawn(
    tmp_path: Path, last: float, word: str
) -> None:
    curve = growth.Curve(Text("站", "stations"), Text("每站", "each"), (10, 100), (2.0, last))
    assert en(growth.told(curve)).endswith(word)
    growth.draw([curve], tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
