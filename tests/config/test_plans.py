"""plans.toml and the resource base: Yanqing's loads, a district may have none, every fault is named."""

import shutil
from pathlib import Path

import pytest

from config.checks.plans import gaps
from config.load import ConfigError, load
from tests.support.config import YANQING, cells, problems, put, spoil

TABLES = ("teams.csv", "supplies.csv", "shelters.csv", "risks.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(YANQING, tmp_path / "yanqing"))


def test_yanqings_plan_names_people_and_places_for_every_area() -> None:
    d = load(YANQING)
    assert {t.on for t in d.plans.tasks.values()} >= {"blue", "yellow", "prepare", "move"}
    assert gaps(d) == []
    invented = [*d.plans.teams.values(), *d.plans.supplies.values(), *d.plans.risks.values()]
    assert all(r.name.startswith("示例-") for r in invented)


def test_a_district_may_have_no_plan(folder: Path) -> None:
    for name in (*TABLES, "plans.toml"):
        (folder / name).unlink()
    d = load(folder)
    assert not d.plans.tasks
    assert gaps(d) == []


@pytest.mark.parametrize(
    ("file", "column", "value", "says"),
    [
        ("teams.csv", "areas", "某乡", "不是预警区"),
        ("teams.csv", "leader", "X-99", "没有这个人"),
        ("teams.csv", "people", "0", "越界"),
        ("teams.csv", "id", "TR-02", "重复"),
        ("supplies.csv", "quantity", "很多", "不是整数"),
        ("supplies.csv", "keeper", "X-99", "没有这个人"),
        ("shelters.csv", "capacity", "many", "不是整数"),
        ("shelters.csv", "areas", "A99", "不是预警区"),
        ("shelters.csv", "hazards", "meteor", "不是灾种"),
        ("shelters.csv", "lon", "216.3", "越界"),
        ("risks.csv", "area", "A99", "不是预警区"),
        ("risks.csv", "kind", "volcano", "volcano"),
        ("risks.csv", "watcher", "X-99", "没有这个人"),
    ],
)
def test_a_wrong_cell_is_named(folder: Path, file: str, column: str, value: str, says: str) -> None:
    spoil(folder, file, 2, column, value)
    row = 3 if column == "id" else 2  # the second of the two is the one too many
    with pytest.raises(ConfigError) as caught:
        load(folder)
    (fault,) = [p for p in caught.value.problems if p.file == file]
    assert (fault.row, fault.column) == (row, column)
    assert says in fault.message
    assert fault.hint


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "move-out"', 'id = "patrol"', "id"),
        ('on = "orange"', 'on = "purple"', ""),
        ('team = "road"', 'team = "road-menders"', "team"),
        ('office = "township"', 'office = "mayor"', "office"),
        ('office = "township"', 'office = "township"\nteam = "rescue"', "office"),
        ('supplies = ["SD-04"]', 'supplies = ["SD-99"]', "supplies"),
        ('on = "orange"', 'on = "orange"\nhazards = ["forest_fire"]', "on"),
        ('on = "orange"', 'on = "orange"\nareas = ["某乡"]', "areas"),
        ('team = "medical"', 'team = "medical"\nhazards = ["meteor"]', "hazards"),
        ("within_min = 40", "within_min = 0", "within_min"),
        ("within_min = 40", "within = 40", ""),
    ],
)
def test_a_wrong_task_is_named(folder: Path, old: str, new: str, key: str) -> None:
    path = folder / "plans.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    found = problems(folder)
    assert {p[0] for p in found} == {"plans.toml"}
    assert any(p[2].endswith(key) for p in found)


def test_a_step_that_no_threshold_reaches_is_refused(folder: Path) -> None:
    for name in ("thresholds_rain.csv", "thresholds_stage.csv"):
        rows = cells(folder, name)
        reds = [n for n, c in enumerate(rows[0]) if c.startswith("red_")]
        put(
            folder,
            name,
            [rows[0], *([c if n not in reds else "" for n, c in enumerate(r)] for r in rows[1:])],
        )
    load(folder)
    with (folder / "plans.toml").open("a", encoding="utf-8") as f:
        f.write('\n[[task]]\nid = "never"\ntitle = "无"\ntitle_en = "no"\non = "red"\n')
        f.write('within_min = 5\noffice = "village"\n')
    (found,) = problems(folder)
    assert found[2] == "task[10] never.on"


def test_a_shelter_of_areas_csv_that_no_row_knows_is_told(folder: Path) -> None:
    spoil(folder, "areas.csv", 2, "shelter", "别处")
    spoil(folder, "shelters.csv", 3, "capacity", "5")
    said = gaps(load(folder))
    assert [(x.zh[:3], x.en[:3]) for x in said] == [("A01", "A01"), ("A02", "A02")]
    assert "别处" in said[0].zh and "别处" in said[0].en
    assert "5 人，少于" in said[1].zh and "5 <" in said[1].en


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("downstream", "B99"),
        ("downstream", "B03"),
        ("course", "116.1 40.2"),
        ("course", "1 2 3;4 5 6"),
    ],
)
def test_water_that_flows_nowhere_is_refused(folder: Path, column: str, value: str) -> None:
    row = 5  # B04, into which B03 flows
    spoil(folder, "basins.csv", row, column, value)
    assert ("basins.csv", row, column) in problems(folder)
