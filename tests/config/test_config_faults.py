"""Every cell of every table spoiled in turn, and districts that would leave people unwarned.

The loader must name the file, row and column, and must never raise anything but ConfigError.
"""

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import ConfigError, load
from config.read.problem import Problem
from config.records.district import (
    Area,
    Basin,
    Contact,
    Node,
    RainThreshold,
    StageThreshold,
    Station,
    Watch,
)
from config.scenarios import load_scenario

# the small district: a load takes milliseconds, so every cell can be tried
MEASURED = Path(__file__).parents[1] / "districts" / "measured"
KINDS: dict[str, Any] = {
    "areas.csv": Area,
    "basins.csv": Basin,
    "contacts.csv": Contact,
    "nodes.csv": Node,
    "stations.csv": Station,
    "thresholds_rain.csv": RainThreshold,
    "thresholds_stage.csv": StageThreshold,
    "watch.csv": Watch,
}
NAMES_A_ROW = ("id", "area", "station", "basin", "quantity")
NUMBERS = ("", "nan", "inf", "-inf", "1e308", "9" * 400, "x", "true", "²", "--1", "2026-01-01")
UNSAFE = ("", "a/b", "+", "#", "../x", "a b", "延庆", "x" * 33, "\x00")
Spoil = Callable[[Path], object]


def table(folder: Path, name: str) -> list[list[str]]:
    with (folder / name).open(encoding="utf-8", newline="") as f:
        return list(csv.reader(f))


def put(folder: Path, name: str, rows: list[list[str]]) -> None:
    with (folder / name).open("w", encoding="utf-8", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows(rows)


def cell(name: str, row: int, column: str, value: str) -> Spoil:
    def spoil(folder: Path) -> None:
        rows = table(folder, name)
        if column not in rows[0]:  # one that a district may leave out
            for line in rows:
                line.append("")
            rows[0][-1] = column
        rows[row - 1][rows[0].index(column)] = value
        put(folder, name, rows)

    return spoil


def without(name: str, column: str, value: str) -> Spoil:
    """Every row leaves the table whose `column` is `value`."""

    def spoil(folder: Path) -> None:
        head, *rows = table(folder, name)
        kept = [r for r in rows if r[head.index(column)] != value]
        assert len(kept) < len(rows)
        put(folder, name, [head, *kept])

    return spoil


def key(name: str, setting: str, value: str) -> Spoil:
    """A TOML key of the first section that has it gets another value."""

    def spoil(folder: Path) -> None:
        path = folder / name
        text, n = re.subn(
            rf"(?m)^{setting} *=.*$", f"{setting} = {value}", path.read_text("utf-8"), count=1
        )
        path.write_text(text if n else f"{setting} = {value}\n{text}", "utf-8")

    return spoil


def written(name: str, text: str) -> Spoil:
    return lambda folder: (folder / name).write_text(text, "utf-8")


def shape(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """The first feature of areas.geojson is changed."""

    def spoil(folder: Path) -> None:
        whole = json.loads((folder / "areas.geojson").read_text("utf-8"))
        change(whole["features"][0])
        (folder / "areas.geojson").write_text(json.dumps(whole), "utf-8")

    return spoil


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MEASURED, tmp_path / "measured"))


def found(folder: Path, spoil: Spoil) -> list[Problem]:
    spoil(folder)
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return caught.value.problems


def fields(*, numeric: bool) -> list[tuple[str, str]]:
    out = []
    for name, kind in KINDS.items():
        for column, hint in kind.__annotations__.items():
            if (hint in (int, float, float | None)) == numeric and column != "polygon":
                out.append((name, column))
    return out


@pytest.mark.parametrize(("name", "column"), fields(numeric=True))
def test_no_number_may_be_anything_but_a_number(folder: Path, name: str, column: str) -> None:
    before = (folder / name).read_bytes()
    kind = KINDS[name].__annotations__[column]
    for value in NUMBERS:
        default = column in ("sum_interval_s", "people", "calibrate_days", "wrap_mm")
        if value == "" and (kind == (float | None) or default):
            continue  # an empty cell says nothing, or is the default
        (folder / name).write_bytes(before)
        problems = found(folder, cell(name, 2, column, value))
        assert (name, 2, column) in [p[:3] for p in problems], (value, problems)


@pytest.mark.parametrize(
    ("name", "column"), [f for f in fields(numeric=False) if f[1] in NAMES_A_ROW]
)
def test_no_id_or_reference_may_be_unsafe_or_unknown(folder: Path, name: str, column: str) -> None:
    before = (folder / name).read_bytes()
    for value in UNSAFE if column == "id" else (*UNSAFE, "unknown"):
        (folder / name).write_bytes(before)
        problems = found(folder, cell(name, 2, column, value))
        assert (name, 2, column) in [p[:3] for p in problems], (value, problems)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "text", ["", "\n", '"', "\x00", "a" * 200_000, "a,b\n1\n"], ids=lambda t: repr(t)[:12]
)
def test_what_is_no_table_is_named(folder: Path, name: str, text: str) -> None:
    assert name in [p.file for p in found(folder, written(name, text))]


def test_all_faults_are_told_at_once(folder: Path) -> None:
    cell("areas.csv", 2, "lon", "x")(folder)
    cell("nodes.csv", 3, "range_m", "0")(folder)
    key("rules.toml", "lateness_s", "-1")(folder)
    problems = found(folder, cell("contacts.csv", 4, "lang", "fr"))
    assert {
        ("areas.csv", 2, "lon"),
        ("nodes.csv", 3, "range_m"),
        ("rules.toml", 0, "lateness_s"),
        ("contacts.csv", 4, "lang"),
    } <= {p[:3] for p in problems}


def ring(feature: dict[str, Any]) -> list[Any]:
    return list(feature["geometry"]["coordinates"][0])


@pytest.mark.parametrize(
    "spoil",
    [
        shape(lambda f: f["geometry"]["coordinates"][0].pop()),
        shape(lambda f: f["geometry"]["coordinates"].__setitem__(0, ring(f)[:1] * 3)),
        shape(lambda f: f["geometry"]["coordinates"][0][1].__setitem__(0, float("nan"))),
        shape(lambda f: f["geometry"]["coordinates"][0][1].__setitem__(1, 91)),
        shape(lambda f: f["geometry"].__setitem__("type", "MultiPolygon")),
        shape(lambda f: f.__setitem__("geometry", None)),
        shape(lambda f: f["properties"].pop("id")),
        written("areas.geojson", "[" * 100_000),
    ],
    ids=["open", "short", "nan", "latitude", "multi", "none", "no id", "deep"],
)
def test_a_bad_shape_is_named(folder: Path, spoil: Spoil) -> None:
    assert "areas.geojson" in [p.file for p in found(folder, spoil)]


# ---- nothing but ConfigError ------------------------------------------------------
def made_a_folder(folder: Path) -> None:
    (folder / "basins.csv").unlink()
    (folder / "basins.csv").mkdir()


def long_number(feature: dict[str, Any]) -> None:
    feature["geometry"]["coordinates"][0][1][0] = 10**400


CRASHES: dict[str, tuple[str, Spoil]] = {
    "a folder where a file should be": ("basins.csv", made_a_folder),
    "TOML nested 5,000 deep": ("rules.toml", written("rules.toml", "x = " + "[" * 5000)),
    "a TOML key of 5,000 parts": ("rules.toml", written("rules.toml", ".".join("a" * 5000) + "=1")),
    "a TOML number of 5,000 digits": ("rules.toml", key("rules.toml", "lateness_s", "9" * 5000)),
    "a coordinate of 400 digits": ("areas.geojson", shape(long_number)),
}


@pytest.mark.parametrize("what", CRASHES)
def test_only_config_error_is_raised(folder: Path, what: str) -> None:
    name, spoil = CRASHES[what]
    assert name in [p.file for p in found(folder, spoil)]


# ---- a wrong district ---------------------------------------------------------
def several(*spoils: Spoil) -> Spoil:
    def spoil(folder: Path) -> None:
        for one in spoils:
            one(folder)

    return spoil


def twice(name: str) -> Spoil:
    """The first row of the table stands in it again, at the end."""
    return lambda folder: put(folder, name, [*(r := table(folder, name)), r[1]])


def emptied(name: str) -> Spoil:
    return lambda folder: put(folder, name, table(folder, name)[:1])


STAGE = "thresholds_stage.csv"
ACCEPTED: dict[str, Spoil] = {
    # people who would never be warned
    "an area without any threshold": without(STAGE, "area", "gowanus"),
    "no thresholds at all": several(emptied(STAGE), emptied("thresholds_rain.csv")),
    "a threshold row that says nothing": several(
        *(
            cell(STAGE, 5, f"{x}_m", "")
            for x in ["blue", "yellow", "orange", "red", "prepare", "move"]
        )
    ),
    "an area without anybody to warn": without("contacts.csv", "areas", "gowanus"),
    "no rules": key("rules.toml", "run", "[]"),
    "only windows shorter than every gauge's readings": several(
        without("thresholds_rain.csv", "window_min", "1440"),
        *(cell("stations.csv", row, "sum_interval_s", "86400") for row in (2, 3, 4, 5, 9)),
    ),
    # values that break a stage later, or quietly change what it does
    "a stage row that stands twice": twice(STAGE),
    "a shape far from its area": cell("areas.csv", 2, "lon", "10"),
    "a time zone that is not": key("district.toml", "timezone", '"Mars/X"'),
    "an empty signature": key("district.toml", "signature", '""'),
    "an empty office": key("policy.toml", "by", '""'),
    "a camera hazard that is not": written("rules.toml", '[camera]\nhazard = "x"\n'),
    **{
        f"rules {place} = {value}": written(
            "rules.toml", "[{}]\n{} = {}\n".format(*place.split("."), value)
        )
        for place, value in [
            ("rain.wet_above_mm", "1e300"),
            ("camera.hold_min", "-1"),
            ("camera.frozen_frames", "-1"),
            ("camera.dark_below", "-1"),
            ("silence.grace_s", "-1"),
            ("quality.stage_rate_m_per_min", "-1"),
            ("quality.stage_spike_m", "-1"),
            ("quality.stage_flat_min", "-1"),
            ("quality.rain_extreme_mm_10min", "-1"),
            ("quality.rain_neighbour_share", "-1"),
            ("quality.neighbour_km", "-1"),
        ]
    },
    **{
        f"channels {name} = {value}": key("channels.toml", name, value)
        for name, value in [
            ("retry_s", "[]"),
            ("retry_s", "[-5]"),
            ("attempt_timeout_s", "0"),
            ("played_within_s", "-1"),
            ("answer_within_s", "0"),
            ("cap_feed_port", "99999"),
        ]
    },
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_a_wrong_district_is_refused(folder: Path, what: str) -> None:
    load(folder)  # right before it is spoiled
    assert found(folder, ACCEPTED[what])


def test_a_folder_name_that_is_no_mqtt_level(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(MEASURED, tmp_path / "a+b#"))
    assert found(folder, lambda _: None)


def test_a_misspelt_quantity_names_the_right_one_and_where_they_stand(folder: Path) -> None:
    rows = table(folder, "stations.csv")
    place = rows[0].index("quantity")
    rows[1][place] = "rian"
    with (folder / "stations.csv").open("w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows(rows)
    with pytest.raises(ConfigError) as caught:
        load(folder)
    first = next(p for p in caught.value.problems if p.column == "quantity")
    assert (first.file, first.row) == ("stations.csv", 2)
    for word in ("did you mean rain?", "soil_moisture", "config/records/quantity.py"):
        assert word in first.hint


# ---- scenarios ---------------------------------------------------------------------------------
GIVEN: dict[str, str] = {
    "station": '"plumtree"',
    "quantity": '"stage"',
    "start": "2025-07-26T20:00:00+08:00",
    "every_s": "60",
    "values": "[0.1]",
}
EXPECT = {
    "area": '"plumtree"',
    "hazard": '"flash_flood"',
    "at": "2025-07-26T20:05:00+08:00",
    "level": '"none"',
}


def scenario(folder: Path, **changes: str | None) -> Path:
    """A right scenario with these keys changed, or left out where None."""
    lines = ['title = "t"']
    for section, right in (("given", GIVEN), ("expect", EXPECT)):
        lines.append(f"[[{section}]]")
        mixed: dict[str, str | None] = {**right}
        mixed |= {
            k: v
            for k, v in changes.items()
            if k in right or (section == "expect" and k not in GIVEN)
        }
        lines += [f"{k} = {v}" for k, v in mixed.items() if v is not None]
    path = folder / "one.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_a_scenario_becomes_counts_and_moments(folder: Path) -> None:
    path = scenario(folder, values="[0.1, 0.25]", level='"red"', action='"move"')
    one = load_scenario(path, load(folder))
    at = 1_753_531_200_000  # 2025-07-26T12:00:00Z
    assert one.observations == [
        ("plumtree", "stage", at, 100, b""),
        ("plumtree", "stage", at + 60_000, 250, b""),
    ]
    assert [(e.area, e.hazard, e.at, e.level, e.action, e.how) for e in one.expect] == [
        ("plumtree", "flash_flood", at + 300_000, 4, 2, "at")
    ]


SCENARIO_WRONG: list[tuple[str, str | None, str]] = [
    *((k, None, f"`{k}`") for k in ("station", "quantity", "start", "every_s")),
    ("values", None, "values"),
    *((k, None, f"`{k}`") for k in ("area", "hazard", "at")),
    ("station", '"nope"', "nope"),
    ("quantity", '"smell"', "smell"),
    ("start", "2025-07-26T20:00:00", "time zone"),
    ("values", "[nan]", "NaN"),
    ("values", '["x"]', "values[0]"),
    ("area", '"nope"', "nope"),
    ("level", '"purple"', "purple"),
    ("action", '"run"', "run"),
    ("how", '"near"', "near"),
    ("rule", '"nope"', "rain_threshold"),  # which there are
    ("quantity", '"stag"', "did you mean stage?"),
    ("extra", "1", "extra"),
]


@pytest.mark.parametrize(("name", "value", "words"), SCENARIO_WRONG)
def test_a_wrong_scenario_is_named(folder: Path, name: str, value: str | None, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_scenario(scenario(folder, **{name: value}), load(folder))
    (only,) = caught.value.problems
    assert only.file == "scenarios/one.toml"
    assert words in only.message


@pytest.mark.parametrize(
    ("station", "given", "words"),
    [
        ("plumtree", 'pictures = ["a.jpg"]', "`values`"),
        ("V1", "values = [1]", "`pictures`"),
        ("V1", 'pictures = ["no.jpg"]', "no.jpg"),
        ("V1", 'pictures = ["../one.toml"]', "../one.toml"),
    ],
)
def test_pictures_are_a_camera_s_and_lie_beside_the_scenario(
    folder: Path, station: str, given: str, words: str
) -> None:
    district = load(folder)
    camera = msgspec.structs.replace(district.stations["plumtree"], id="V1", quantity="frame")
    district = msgspec.structs.replace(district, stations=district.stations | {"V1": camera})
    quantity = '"frame"' if station == "V1" else '"stage"'
    path = scenario(folder, station=f'"{station}"', quantity=quantity, values=None)
    path.write_text(path.read_text("utf-8").replace("[[expect]]", f"{given}\n[[expect]]"), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_scenario(path, district)
    assert words in caught.value.problems[0].message


SCENARIO_SENSELESS: list[dict[str, str | None]] = [
    {"hazard": '"flashflood"'},  # `level = "none"` of a hazard that is not always comes true
    {"level": None},  # expects nothing: cannot fail
    {"quantity": '"rain"'},  # plumtree measures stage
    {"every_s": "0"},
    {"every_s": "-60"},
    {"values": "[]"},
    {"values": "[inf]"},  # OverflowError
    {"start": "0001-01-01T00:00:00+08:00"},  # OverflowError
]


@pytest.mark.parametrize("changes", SCENARIO_SENSELESS, ids=str)
def test_a_scenario_that_cannot_mean_that(folder: Path, changes: dict[str, str | None]) -> None:
    district = load(folder)
    with pytest.raises(ConfigError):
        load_scenario(scenario(folder, **changes), district)
