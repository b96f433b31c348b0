"""reaches.csv: the river from gauge to gauge to village."""

import shutil
from pathlib import Path

import pytest

from config.load import ConfigError, load
from config.proof import rules_version
from config.records.reaches import next_below, way_down

YANQING = Path(__file__).parents[2] / "config" / "yanqing"
HEAD = "upstream,downstream,distance_m,slow_m_s,fast_m_s,source\n"
GOOD = "R01H,A01,4000,2,10,t\nA01,S01,9000,2,10,t\nS01,A02,7000,1,5,t\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(YANQING, tmp_path / "yanqing"))


def wrong(folder: Path, rows: str) -> str:
    (folder / "reaches.csv").write_text(HEAD + rows, "utf-8")
    with pytest.raises(ConfigError) as e:
        load(folder)
    return str(e.value)


def test_a_district_without_one_is_as_it_was(folder: Path) -> None:
    district = load(folder)
    assert district.reaches == ()
    assert district.rules_version == load(YANQING).rules_version


def test_the_way_down_adds_up(folder: Path) -> None:
    (folder / "reaches.csv").write_text(HEAD + GOOD, "utf-8")
    district = load(folder)
    way = dict(way_down(next_below(district.reaches), "R01H"))
    assert list(way) == ["A01", "S01", "A02"]
    assert (way["A02"].distance_m, way["A02"].early_ms, way["A02"].late_ms) == (
        20_000, 2_700_000, 13_500_000,
    )  # fmt: skip
    # what decides levels has changed, and is signed for
    assert district.rules_version != load(YANQING).rules_version
    assert district.rules_version == rules_version(
        district.rain, district.stage, district.rules, district.reaches[::-1]
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("R01H,A99,4000,2,10,t\n", "'A99' 不存在"),
        ("R01H,A01,0,2,10,t\n", "distance_m"),
        ("R01H,A01,4000,10,2,t\n", "不是波速"),
        ("R01H,A01,4000,0,2,t\n", "不是波速"),
        ("R01H,A01,4000,2,90,t\n", "不是波速"),
        ("R01H,A01,4000,2,10, \n", "source"),
        ("R01H,A01,4000,2,10,t\nR01H,A02,9000,2,10,t\n", "两条去路"),
        ("R01H,R01H,4000,2,10,t\n", "流回自身"),
        ("R01H,A01,4000,2,10,t\nA01,R01H,4000,2,10,t\n", "流回自身"),
        ("R01H,A15,900,2,10,t\n", "短于直线"),
    ],
)
def test_what_water_cannot_do_is_told_by_its_row(folder: Path, rows: str, words: str) -> None:
    found = wrong(folder, rows)
    assert "reaches.csv" in found
    assert words in found


def test_it_does_not_run_up_the_basins(folder: Path) -> None:
    district = load(YANQING)
    upper = next(b for b in district.basins.values() if b.downstream in district.basins)
    of = {s.basin: s.id for s in district.stations.values()}
    row = f"{of[upper.downstream]},{of[upper.id]},90000,2,10,t\n"
    assert "上游" in wrong(folder, row)
