"""The loader: what is right loads, and every fault is named with its file, row and column."""

import re
import shutil
import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import Text
from config.load import ConfigError, load, watch_groups
from config.records.district import Watch
from config.records.quantity import QUANTITIES
from config.scenarios import load_scenario, scenarios
from tests.support.config import ROOT, YANQING, cells, problems, put, spoil
from tests.support.examples import examples

TABLES = sorted(p.name for p in YANQING.glob("*.csv"))
# a district may do without
OPTIONAL = (
    "gateways.csv",
    *("officers.csv", "contacts.csv", "cameras.csv"),
    *("teams.csv", "supplies.csv", "shelters.csv", "risks.csv", "plans.toml", "roster.csv"),
)
# these belong to no part of the district: tests/config/test_proof.py, tests/fengsui/test_after_action.py
APART = ("proof.toml", "drill.toml")
TOMLS = sorted(p.name for p in YANQING.glob("*.toml") if p.name not in APART)


def test_yanqing_is_as_large_as_promised() -> None:
    d = load(YANQING)
    assert len(d.stations) >= 60
    assert len(d.areas) >= 40
    assert len(d.nodes) >= 60
    assert len({a.township for a in d.areas.values()}) >= 10
    assert all(t.source for t in (*d.rain, *d.stage))
    assert all(c.phone.startswith("199-0000-") for c in d.contacts.values() if c.phone)
    assert set(d.group_of_area) == set(d.areas)
    organisations = " ".join(c.name for c in d.contacts.values() if c.role == "organisation")
    assert "怀来" in organisations
    assert "赤城" in organisations


def test_the_version_changes_with_any_file(folder: Path) -> None:
    before = load(folder).version
    assert load(folder).version == before
    spoil(folder, "contacts.csv", 2, "name", "示例-另一人")
    assert load(folder).version != before


def test_a_spreadsheets_byte_order_mark_is_read_over(folder: Path) -> None:
    path = folder / "areas.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(folder).areas


@pytest.mark.parametrize(
    "name",
    [t for t in (*TABLES, *TOMLS, "areas.geojson") if t not in OPTIONAL],
)
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert (name, 0, "") in problems(folder)


@pytest.mark.parametrize("name", [*TABLES, *TOMLS, "areas.geojson"])
def test_bytes_that_are_not_utf_8(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes() + "延庆".encode("gbk"))
    assert (name, 0, "") in problems(folder)


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_and_an_unknown_column(folder: Path, name: str) -> None:
    rows = cells(folder, name)
    first = rows[0][0]
    rows[0][0] = "nonsense"
    put(folder, name, rows)
    found = problems(folder)
    assert (name, 1, first) in found
    assert (name, 1, "nonsense") in found


@pytest.mark.parametrize(
    "name", [t for t in TABLES if not t.startswith(("watch", "thresholds", "gateways", "roster"))]
)
def test_an_id_that_stands_twice(folder: Path, name: str) -> None:
    rows = cells(folder, name)
    put(folder, name, [*rows, rows[1]])
    assert (name, len(rows) + 1, "id") in problems(folder)


WRONG = [
    ("areas.csv", "basin", "B99"),
    ("areas.csv", "lon", "999"),
    ("areas.csv", "lat", "nan"),
    ("areas.csv", "population", "-1"),
    ("areas.csv", "population", "many"),
    ("areas.csv", "division", "12"),
    ("areas.csv", "hazards", "fire"),
    ("areas.csv", "kind", "planet"),
    ("areas.csv", "name", ""),
    ("stations.csv", "quantity", "smell"),
    ("stations.csv", "interval_s", "0"),
    ("stations.csv", "interval_s", "1e99"),
    ("stations.csv", "silent_after_s", "1"),
    ("stations.csv", "elevation_m", "inf"),
    ("stations.csv", "id", "a/b"),
    ("stations.csv", "calibrated", "20250501"),
    ("stations.csv", "calibrated", "2025-02-30"),
    ("stations.csv", "calibrate_days", "0"),
    ("nodes.csv", "area", "A99"),
    ("nodes.csv", "range_m", "0"),
    ("watch.csv", "area", "A99"),
    ("watch.csv", "station", "R99"),
    ("contacts.csv", "role", "king"),
    ("contacts.csv", "areas", "A99"),
    ("contacts.csv", "channels", "pigeon"),
    ("contacts.csv", "min_level", "purple"),
    ("contacts.csv", "phone", "call me"),
    ("contacts.csv", "lang", "fr"),
    ("thresholds_rain.csv", "area", "A99"),
    ("thresholds_rain.csv", "window_min", "100000"),
    ("thresholds_rain.csv", "red_mm", "1"),
    ("thresholds_rain.csv", "blue_mm", "-5"),
    ("thresholds_rain.csv", "wetness", "soaked"),
    ("thresholds_stage.csv", "station", "R01"),
    ("thresholds_stage.csv", "red_m", "0.1"),
    ("thresholds_stage.csv", "rise_m_per_h", "0"),
]


@pytest.mark.parametrize(("name", "column", "value"), WRONG)
def test_a_wrong_cell_is_named(folder: Path, name: str, column: str, value: str) -> None:
    spoil(folder, name, 2, column, value)
    found = problems(folder)
    assert any(f == name and c == column and r == 2 for f, r, c in found), found


TOML_WRONG = [
    ("rules.toml", "hold_min = 60", "hold_min = -3", "rain.hold_min"),
    ("rules.toml", "clear_factor = 0.7", "clear_factor = nan", "rain.clear_factor"),
    ("rules.toml", "clear_factor = 0.7", 'clear_factor = "much"', "rain.clear_factor"),
    ("rules.toml", '"observer"]', '"telepathy"]', "run"),
    ("rules.toml", "months = [5, 6, 7, 8, 9]", "months = [5, 13]", "quality.climate[0].months"),
    ("rules.toml", "[1, 10, 60, 1440]", "[10, 1, 60, 1440]", "quality.climate[0].minutes"),
    ("rules.toml", "[10.0, 45.0, 140.0,", "[10.0, 45.0,", "quality.climate[0].most_mm"),
    ("rules.toml", "lateness_s = 1800", "lateness_s = 999999", "lateness_s"),
    ("policy.toml", "valid_s = 21600", "valid_s = 0", "valid_s"),
    ("policy.toml", 'night = "22:00-06:00"', 'night = "22-6"', "night"),
    ("policy.toml", '[authority."*".red]', '[authority."*".pink]', "authority.*.red"),
    ("policy.toml", "valid_s = 21600", "valid_for = 21600", "valid_for"),
    ("channels.toml", "attempt_timeout_s = 10", 'attempt_timeout_s = "x"', "attempt_timeout_s"),
    ("district.toml", 'name = "延庆区"', "name = 7", "name"),
]


@pytest.mark.parametrize(("name", "old", "new", "place"), TOML_WRONG)
def test_a_wrong_key_is_named(folder: Path, name: str, old: str, new: str, place: str) -> None:
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    assert any(f == name and place in c for f, _, c in problems(folder)), problems(folder)


def test_an_open_ring_and_an_area_without_a_shape(folder: Path) -> None:
    path = folder / "areas.geojson"
    path.write_text(path.read_text("utf-8").replace('"id": "A01"', '"id": "A77"', 1), "utf-8")
    assert {("areas.geojson", 0, "A01"), ("areas.geojson", 0, "A77")} <= set(problems(folder))


@examples(60)
@given(
    name=st.sampled_from(TABLES),
    row=st.integers(2, 40),
    column=st.integers(0, 30),
    value=st.sampled_from(
        ["", "nan", "-1", "1e308", "0x10", "\x00", "；", "a" * 500, "A01;A01", "9" * 30]
    ),
)
def test_whatever_stands_in_a_cell_it_loads_or_is_named(
    name: str, row: int, column: int, value: str
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(YANQING, Path(place) / "yanqing"))
        rows = cells(folder, name)
        row = min(row, len(rows))
        column %= len(rows[0])
        rows[row - 1][column] = value
        put(folder, name, rows)
        try:
            assert load(folder).areas
        except ConfigError as e:
            assert all(p.file and p.message for p in e.problems)


def test_areas_that_share_a_station_are_one_group() -> None:
    pairs = [("a", "1"), ("b", "1"), ("b", "2"), ("c", "3"), ("d", "2")]
    found = watch_groups("abcd", [Watch(area=a, station=s) for a, s in pairs])
    assert found == {"g-a": ("a", "b", "d"), "g-c": ("c",)}


@pytest.mark.parametrize(("station", "wrong"), [("S01", 0), ("S02", 1)])
def test_a_rule_looks_at_what_its_area_s_group_hears_and_at_no_other_valley(
    folder: Path, station: str, wrong: int
) -> None:
    assert (
        "S01" not in load(folder).stations_of_area["A01"]
    )  # other villages of the valley watch it
    path = folder / "rules.toml"
    row = f"""
[[rule]]
id = "stream"
kind = "flood_score"
quantity = "stage"
hazard = "flash_flood"
source = "test"
areas = ["A01"]
stations = ["{station}"]
beside = {{ rain = ["R05"] }}
move = 1.0
"""
    path.write_text(path.read_text("utf-8") + row, "utf-8")
    try:
        load(folder)
        found = []
    except ConfigError as e:
        found = [p for p in e.problems if p.column.endswith("stream.stations")]
    assert len(found) == wrong
    assert all(station in str(p.message) and "watch group" in str(p.message) for p in found)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lead_min", "361"),
        ("least_share", "1.2"),
        ("most_never", "-0.1"),
        ("most_false", "2.0"),
        ("move_cost", "0.0"),
        ("prepare_cost", "-1.0"),
    ],
)
def test_a_cost_of_orders_that_cannot_be_is_told(folder: Path, key: str, value: str) -> None:
    path = folder / "policy.toml"
    body = path.read_text("utf-8")
    old = next(line for line in body.splitlines() if line.startswith(f"{key} = "))
    path.write_text(body.replace(old, f"{key} = {value}"), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert [p.column for p in caught.value.problems] == [f"orders.{key}"]


def test_scenarios_load_and_a_wrong_one_says_why(folder: Path) -> None:
    district = load(folder)
    assert len(scenarios(district)) >= 6
    path = folder / "scenarios" / "odd.toml"
    path.write_text(
        'title = "x"\nexpect = []\n[[given]]\nstation = "R99"\nquantity = "rain"\n'
        "start = 2025-07-26T20:00:00+08:00\nevery_s = 60\nvalues = [1]\n",
        "utf-8",
    )
    with pytest.raises(ConfigError, match="R99"):
        load_scenario(path, district)


def test_a_scenario_has_a_title_in_each_language(folder: Path) -> None:
    """A district that writes Chinese alone is read in Chinese by whoever asks for English."""
    district = load(folder)
    path = folder / "scenarios" / "one.toml"
    path.write_text('title = "略低于蓝色"\ngiven = []\nexpect = []\n', "utf-8")
    assert load_scenario(path, district).title == Text("略低于蓝色", "略低于蓝色")
    path.write_text(
        'title = "略低于蓝色"\ntitle_en = "just below blue"\ngiven = []\nexpect = []\n', "utf-8"
    )
    assert load_scenario(path, district).title == Text("略低于蓝色", "just below blue")
    chinese = re.compile("[\u4e00-\u9fff]")
    for shipped in sorted((ROOT / "config").rglob("scenarios/*.toml")):
        title = tomllib.loads(shipped.read_text("utf-8"))
        assert chinese.search(title["title"]), shipped
        assert not re.search("[a-z]+ [a-z]+ [a-z]+", title["title"]), shipped
        assert not chinese.search(title["title_en"]), shipped


def test_counts_are_exact_and_round_half_away_from_zero() -> None:
    rain = QUANTITIES["rain"]
    assert [rain.count(x) for x in (0.05, 0.1, 3.25, 0.149)] == [1, 1, 33, 1]
    assert QUANTITIES["stage"].count(-0.0005) == -1
    assert rain.amount(rain.count(12.3)) == 12.3


def test_the_measured_district_loads() -> None:
    assert len(load(ROOT / "tests" / "districts" / "measured").stations) == 10
