"""`fengsui bench growth`: each curve is measured in small, told and drawn."""

from pathlib import Path

import pytest

from bench.cases.memory import districts, growth
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


def test_districts_on_one_kafka_each_make_hops_of_their_own(
    kafka_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(districts, "_REST_S", 0.0)
    asked: list[float] = []

    def broker_s() -> float:
        asked.append(1.0 * len(asked))
        return asked[-1]

    line = districts.Hops(f"kafka://{kafka_server}", broker_s)
    try:
        line.grow(2)
        line.grow(3)
        line.cost(6)
        ends = [writer._log.ends("alerts")[0] for writer in line._writers]
    finally:
        line.close()
    # one to begin with and two hops, each with the marker of its transaction
    assert min(ends) >= 6
    assert len(asked) == 4
