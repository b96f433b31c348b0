"""tune and hindcast on tables of one row a storm: what is read, what is inferred, what is chosen."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from detectors.rain.storm.log_odds import chance
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES, convert, units
from fengsui.cli.root import cli
from skill.series.rules import RulesFault
from skill.tables.candidates import threshold_on, trials
from skill.tables.fit import Sample, best, finished, folds, known, odds_of
from skill.tables.logistic import fit
from skill.tables.published import published
from skill.tables.rows.infer import filled, moments
from skill.tables.rows.read import TableFault, read_map, read_storms
from skill.tables.rules import load, text
from skill.tables.table import table as table_of
from skill.tables.tune import hindcast, tune
from skill.tables.validate import validate
from tests.support.examples import examples
from tests.support.table_skill import HEAD, MAP, put, storms

MAPS = Path(__file__).parents[2] / "config" / "maps"
DATA = Path(os.environ.get("FENGSUI_DATA", ""))


def tuned(folder: Path, rows: list[str], cost: float = 1.0, group: str | None = "fire") -> dict:  # type: ignore[type-arg]
    table, columns = put(folder, rows)
    return tune(table, "hit", group, columns, folder / "r.toml", cost)


def refused(folder: Path, rows: list[str], head: str = HEAD, map_: str = MAP) -> str:
    table, columns = put(folder, rows, head, map_)
    with pytest.raises(TableFault) as e:
        tune(table, "hit", "fire", columns, folder / "r.toml")
    assert not (folder / "r.toml").exists()
    return str(e.value)


# --- the whole way


def test_a_rule_is_tuned_measured_and_read_back_the_same(tmp_path: Path) -> None:
    said = tuned(tmp_path, storms())
    assert said["hits"] + said["misses"] == said["rows_with_event"]
    assert said["auc"] > 0.8
    unseen = said["cross_validated"][0]
    assert unseen["how"] == "leave one group out"
    assert unseen["hits"] + unseen["misses"] == said["rows_with_event"]
    assert 0.75 < unseen["auc"] <= said["auc"] + 0.02
    assert unseen["csi"] <= unseen["csi_hindsight"]
    assert said["lead_minutes"]["median"] is None
    assert "lead" in said["lead_minutes"]["reason"]
    table, columns = tmp_path / "t.csv", tmp_path / "map.toml"
    again = hindcast(tmp_path / "r.toml", table, "hit", columns, "fire")
    for key in ("hits", "misses", "false_alarms", "csi", "csi_interval", "auc", "published"):
        assert again[key] == said[key], key
    pods = [s["pod"] for s in said["trade_off"]]
    assert pods == sorted(pods, reverse=True)
    body = (tmp_path / "r.toml").read_text("utf-8")
    assert text(load(body)) == body


def test_the_commands_print_one_object(tmp_path: Path) -> None:
    table, columns = put(tmp_path, storms())
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + table.read_bytes()))  # as spreadsheets save
    rules = str(tmp_path / "r.toml")
    common = ["--table", str(packed), "--response", "hit", "--columns", str(columns), "--json"]
    run = CliRunner()
    one = run.invoke(cli, ["tune", *common, "--group", "fire", "--out", rules])
    two = run.invoke(cli, ["hindcast", "--rules", rules, *common])
    assert one.exit_code == two.exit_code == 0, one.output + two.output
    wanted = {"hits", "misses", "false_alarms", "pod", "far", "csi", "csi_interval", "auc"}
    assert wanted | {"lead_minutes", "notes"} <= json.loads(two.output).keys()
    assert json.loads(one.output)["cross_validated"]


def test_a_dearer_miss_lowers_the_threshold(tmp_path: Path) -> None:
    cheap, dear = tuned(tmp_path, storms()), tuned(tmp_path, storms(), cost=5.0)
    assert dear["threshold"] < cheap["threshold"]
    assert dear["hits"] >= cheap["hits"]
    assert dear["false_alarms"] >= cheap["false_alarms"]


def test_nothing_of_what_is_left_out_is_used(tmp_path: Path) -> None:
    """Turning the answers of one fire about leaves what is said of that fire as it was."""
    table, columns = put(tmp_path, storms())
    s = read_storms(table, read_map(columns), "hit", "fire")
    t, _ = table_of(s)
    out = t.group == 2
    one = validate(t, t.group, 1.0)
    two = validate(t._replace(yes=np.where(out, ~t.yes, t.yes)), t.group, 1.0)
    for name in one.each:
        np.testing.assert_array_equal(one.each[name].chance[out], two.each[name].chance[out])
        np.testing.assert_array_equal(one.each[name].alarm[out], two.each[name].alarm[out])
    np.testing.assert_array_equal(one.choice.alarm[out], two.choice.alarm[out])
    assert (one.choice.chance[~out] != two.choice.chance[~out]).any()


def test_other_units_and_names_are_the_same_rule(tmp_path: Path) -> None:
    said = tuned(tmp_path, storms())
    rows = [r.split(",") for r in storms()]
    other = [
        f"{f},{float(a) / 4 / 25.4},{float(b) / 2},{float(c) / 10},{float(d) * 100},{h}"
        for f, a, b, c, d, h in rows
    ]
    map_ = """\
[quantity]
intensity_15min = { column = "depth 15", unit = "in" }
intensity_30min = { column = "depth 30", unit = "mm" }
storm_total = { column = "sum", unit = "cm" }
burned_steep = { column = "share", unit = "%" }
"""
    (tmp_path / "o").mkdir()
    head = "fire,depth 15,depth 30,sum,share,hit"
    table, columns = put(tmp_path / "o", other, head, map_)
    there = hindcast(tmp_path / "r.toml", table, "hit", columns)
    for key in ("hits", "misses", "false_alarms"):
        assert there[key] == said[key]
    assert there["auc"] == pytest.approx(said["auc"])


# --- gaps


def test_no_row_is_dropped_and_a_missing_column_is_inferred(tmp_path: Path) -> None:
    whole = tuned(tmp_path, storms())
    rows = [r.split(",") for r in storms()]
    for n, r in enumerate(rows):
        if n % 3 == 0:
            r[1] = ("", "NaN", "NA")[n % 9 // 3]
    table, columns = put(tmp_path, [",".join(r) for r in rows])
    holes = hindcast(tmp_path / "r.toml", table, "hit", columns)
    assert holes["rows"] == whole["rows"]
    assert abs(holes["csi"] - whole["csi"]) < 0.05  # the 30-minute peak says much the same
    assert any("inferred from the rest" in n for n in holes["notes"])
    without = [",".join([r[0], *r[2:]]) for r in rows]
    table, columns = put(tmp_path, without, "fire,i30,total,steep,hit")
    column = hindcast(tmp_path / "r.toml", table, "hit", columns)
    assert column["rows"] == whole["rows"]
    assert column["auc"] > whole["auc"] - 0.05
    assert any("no column 'i15'" in n for n in column["notes"])


def test_training_on_rows_with_gaps_uses_them(tmp_path: Path) -> None:
    rows = [r.split(",") for r in storms()]
    for n, r in enumerate(rows):
        r[1 + n % 4] = ""
    said = tuned(tmp_path, [",".join(r) for r in rows])
    assert said["rows"] == len(rows)
    assert said["cross_validated"][0]["auc"] > 0.75
    empty = [",".join([r[0], "", "", "", "", r[5]]) for r in rows[:20]]
    table, columns = put(tmp_path, empty)
    said = hindcast(tmp_path / "r.toml", table, "hit", columns)  # nothing at all is known
    assert said["rows"] == 20
    assert said["auc"] == 0.5  # the same chance for each


@examples(30)
@given(seed=st.integers(0, 10**6))
def test_inference_is_that_of_least_squares_on_the_present(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3)) + rng.normal(size=3)
    holes = x.copy()
    holes[::7, 0] = np.nan
    m = moments(holes)
    found = filled(m, holes)
    np.testing.assert_array_equal(found[1::7], x[1::7])  # what is there stays as it is
    rest = np.isfinite(holes[:, 0])
    design = np.column_stack([np.ones(300), x[:, 1:]])
    line = np.linalg.lstsq(design[rest], x[rest, 0], rcond=None)[0]
    spread = x[:, 0].std()
    assert np.abs(found[~rest, 0] - design[~rest] @ line).max() < 0.05 * spread


# --- bad input


def test_what_cannot_be_read_is_named_by_file_row_and_column(tmp_path: Path) -> None:
    rows = storms()
    assert "t.csv row 3, i15: 'lots' is no number" in refused(
        tmp_path, [rows[0], rows[1].replace(rows[1].split(",")[1], "lots", 1), *rows[2:]]
    )
    assert "t.csv 第 2 行，hit：'2' 应为 0 或 1" in refused(
        tmp_path, [rows[0][:-1] + "2", *rows[1:]]
    )
    assert "row 2, hit: ''" in refused(tmp_path, [rows[0][:-1], *rows[1:]])
    assert "row 2, fire: is empty" in refused(tmp_path, [rows[0][2:], *rows[1:]])
    assert "第 4 行：5 列，表头 6 列" in refused(tmp_path, [*rows[:2], "f1,1,1,1,1", *rows[3:]])
    assert "'hit'：没有此列" in refused(tmp_path, rows, HEAD.replace("hit", "flow"))
    assert "'fire' is no column" in refused(tmp_path, rows, HEAD.replace("fire", "name"))
    assert "none of the columns" in refused(tmp_path, rows, "fire,a,b,c,d,hit")
    assert "no row below" in refused(tmp_path, [])
    (tmp_path / "t.csv").write_bytes(b"")
    with pytest.raises(TableFault, match="文件为空"):
        read_storms(tmp_path / "t.csv", read_map(tmp_path / "map.toml"), "hit", None)
    with pytest.raises(ValueError, match="no such file"):
        read_storms(tmp_path / "none.csv", read_map(tmp_path / "map.toml"), "hit", None)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 999)[:40])
    with pytest.raises(ValueError, match="damaged"):
        read_storms(tmp_path / "t.csv.gz", read_map(tmp_path / "map.toml"), "hit", None)


def test_a_map_that_is_wrong_is_refused(tmp_path: Path) -> None:
    for wrong, said in (
        (MAP.replace('"mm/h"', '"furlong"'), "unknown unit 'furlong'"),
        (MAP.replace("storm_total", "storm_sum"), "unknown 'storm_sum'"),
        (MAP.replace('"i30"', '"i15"'), "stands twice"),
        (MAP.replace("unit", "units"), "units"),
        ("[quantity]\n", "is empty"),
        ("quantity = [", "cannot be read"),
    ):
        assert said in refused(tmp_path, storms(), map_=wrong)
    with pytest.raises(TableFault, match="no such file"):
        read_map(tmp_path / "none.toml")


def test_a_table_with_one_outcome_cannot_be_tuned_on_but_can_be_scored(tmp_path: Path) -> None:
    rows = storms()
    assert "全为 0" in refused(tmp_path, [r[:-1] + "0" for r in rows])
    assert "全为 1" in refused(tmp_path, [r[:-1] + "1" for r in rows])
    tuned(tmp_path, rows)
    table, columns = put(tmp_path, [r[:-1] + "0" for r in rows])
    said = hindcast(tmp_path / "r.toml", table, "hit", columns, "fire")
    assert (said["hits"], said["misses"], said["pod"], said["auc"]) == (0, 0, None, None)
    assert said["false_alarms"] > 0
    json.dumps(said, allow_nan=False, default=str)


def test_what_cannot_be_is_missing_and_too_much_of_it_is_refused(tmp_path: Path) -> None:
    rows = [r.split(",") for r in storms()]
    rows[0][1], rows[1][1], rows[2][1] = "-3", "1e9", "inf"
    said = tuned(tmp_path, [",".join(r) for r in rows])
    assert any("3 处" in n and "'-3'" in n and "row 2" in n for n in said["notes"])
    assert said["rows"] == len(rows)
    (tmp_path / "r.toml").unlink()
    for r in rows[:60]:
        r[1] = str(float(r[3]) * 1e4)
    assert "is the unit right?" in refused(tmp_path, [",".join(r) for r in rows])


def test_what_the_table_does_not_support_is_said(tmp_path: Path) -> None:
    rows = storms()
    said = tuned(tmp_path, [*rows, rows[0], rows[0]])
    assert said["rows"] == len(rows) + 2
    assert any("2 行与他行全同" in n for n in said["notes"])
    flat = [",".join([*r.split(",")[:4], "0.5", r[-1]]) for r in rows]
    assert any("burned_steep 无值或为常数" in n for n in tuned(tmp_path, flat)["notes"])
    quiet = [("q" + r[1:-1] + "0") if r[1] == "1" else r for r in rows]
    assert any("one outcome only: q" in n for n in tuned(tmp_path, quiet)["notes"])
    none = tuned(tmp_path, rows, group=None)
    assert any("without --group" in n for n in none["notes"])
    assert none["cross_validated"][0]["how"] == "ten parts of the rows"
    few = [r for r in rows if r[-1] == "0"] + [r for r in rows if r[-1] == "1"][:4]
    assert any("仅 4 次事件" in n for n in tuned(tmp_path, few)["notes"])
    one = [r for r in rows if r[-1] == "0"] + ["only,90,70,80,0.9,1"]
    said = tuned(tmp_path, one)  # left out, the rest has no event to learn from
    assert said["rows_with_event"] == 1
    with pytest.raises(TableFault, match="must be positive"):
        tuned(tmp_path, rows, cost=0.0)


def test_rain_beyond_what_was_tuned_on_is_said_and_warned_of(tmp_path: Path) -> None:
    tuned(tmp_path, storms())
    table, columns = put(tmp_path, ["x,900,550,900,1,1", "x,0,0,0,0,0"])
    said = hindcast(tmp_path / "r.toml", table, "hit", columns)
    assert (said["hits"], said["false_alarms"]) == (1, 0)
    assert any("extrapolated" in n and "intensity_15min" in n for n in said["notes"])


def test_a_file_of_rules_that_is_wrong_is_refused(tmp_path: Path) -> None:
    tuned(tmp_path, storms())
    body = (tmp_path / "r.toml").read_text("utf-8")
    for wrong in (
        body.replace('form = "table"', 'form = "series"'),
        body.replace("version = 2", "version = 3"),
        body.replace("strong = ", "strong = -"),
        body.replace("threshold = ", 'published = "luck"\nthreshold = ', 1),
        body.replace('quantity = "intensity_15min"', 'quantity = "luck"'),
        body.replace("threshold = 0.", "threshold = 7."),
        body.replace("covariance = [", "covariance = [1.0, "),
        body + "\nmore = 1\n",
        "",
    ):
        with pytest.raises(RulesFault):
            load(wrong)


# --- the parts


def test_folds_keep_groups_whole_and_differ_little_in_size() -> None:
    group = np.repeat(np.arange(13), [50, 1, 9, 30, 5, 5, 5, 7, 8, 20, 3, 2, 40])
    fold = folds(group)
    for g in range(13):
        assert np.unique(fold[group == g]).size == 1
    assert np.bincount(fold).min() >= 20


def test_effects_keep_the_sign_that_physics_gives_them() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 2))
    yes = rng.random(400) < 1 / (1 + np.exp(-(x[:, 0] - x[:, 1])))
    assert fit(x, yes, [1, 1], 1.0).weight[1] == 0
    assert fit(x, yes, [1, 0], 1.0).weight[1] < -0.5


def test_the_threshold_is_that_of_the_best_objective() -> None:
    p = np.random.default_rng(5).beta(0.5, 2, 4000)
    for cost in (1.0, 4.0):
        j = best(p, cost)
        limit = j / (1 + cost * j)
        over = p >= limit
        reached = p[over].sum() / (p[over].sum() + cost * p[~over].sum() + (1 - p[over]).sum())
        assert reached == pytest.approx(j, abs=1e-3)


def test_every_unit_of_every_quantity_converts() -> None:
    for name in TABLE_QUANTITIES:
        for unit in units(name):
            assert convert(name, unit)(1.0) > 0
    assert convert("intensity_60min", "in")(1.0) == 25.4
    with pytest.raises(KeyError):
        convert("area", "mm")


def test_published_rules_are_silent_where_an_input_is_missing() -> None:
    columns = {
        "intensity_15min": np.array([30.0, np.nan, 10.0]),
        "burned_steep": np.array([0.9, 0.9, 0.1]),
        "dnbr": np.array([0.9, 0.9, 0.1]),
        "soil_kf": np.array([0.3, 0.3, 0.1]),
    }
    found = {p.name: p for p in published(columns, np.array([True, True, False]))}
    assert found["I15 >= 24 mm/h"].counts[:3] == (1, 1, 0)
    assert found["USGS M1-15, p >= 0.5"].applies == 2
    assert "USGS M1-30, p >= 0.5" not in found


# --- real storms


def _real(folder: str) -> Path:
    path = DATA / folder / "storms.csv"
    if not path.exists():
        pytest.skip("real measurements are not here: set FENGSUI_DATA to their folder")
    return path


@pytest.mark.parametrize("name", ["postfire-staley", "postfire-sirgo"])
def test_the_maps_that_are_shipped_can_be_read(name: str) -> None:
    assert {"intensity_15min", "storm_total", "burned_steep"} <= read_map(
        MAPS / f"{name}.toml"
    ).quantity.keys()


def test_published_rules_score_as_published_on_the_real_storms() -> None:
    """Counts that were taken of these tables by other means."""
    s = read_storms(
        _real("postfire-staley2016"), read_map(MAPS / "postfire-staley.toml"), "Response", None
    )
    columns = {q: s.value[:, k] for k, q in enumerate(s.quantities)}
    found = {p.name.split(",")[0]: p for p in published(columns, s.yes)}
    assert found["USGS M1-15"].counts.csi == pytest.approx(0.416, abs=5e-4)
    assert found["USGS M1-15"].auc == pytest.approx(0.862, abs=5e-4)
    assert found["I15 >= 24 mm/h"].counts.csi == pytest.approx(0.388, abs=1e-3)
    assert found["Caine 1980"].counts.csi == pytest.approx(0.415, abs=1e-3)
    assert found["Cannon 2008"].counts.csi == pytest.approx(0.485, abs=5e-3)


def test_skill_on_fires_left_out_and_in_another_region(tmp_path: Path) -> None:
    california, southwest = _real("postfire-staley2016"), _real("postfire-sirgo2025")
    one, two = MAPS / "postfire-staley.toml", MAPS / "postfire-sirgo.toml"
    here = tune(california, "Response", "Fire_ID", one, tmp_path / "a.toml")["cross_validated"][0]
    assert here["csi"] > 0.46
    assert here["auc"] > 0.84
    said = tune(southwest, "Response", "Fire", two, tmp_path / "b.toml")
    assert [x["how"] for x in said["cross_validated"]] == [
        "leave one group out",
        "leave one region out",
    ]
    assert min(x["csi"] for x in said["cross_validated"]) > 0.38
    there = hindcast(tmp_path / "a.toml", southwest, "Response", two, "Fire")
    usual = max(p["csi"] for p in there["published"])
    assert there["csi"] > usual + 0.05
    assert there["auc"] > 0.95
    back = hindcast(tmp_path / "b.toml", california, "Response", one, "Fire_ID")
    assert back["csi"] > 0.3
    assert back["auc"] > 0.88


def test_the_chance_of_unseen_rows_is_a_chance() -> None:
    rng = np.random.default_rng(2)
    x = np.log1p(rng.gamma(2, 8, (600, 1)))
    yes = rng.random(600) < chance(-8 + 2.5 * x[:, 0])
    s = Sample(("intensity_15min",), x, yes, rng.integers(0, 12, 600))
    k = known(s)
    rule = finished(s, k, trials(s, k, 1.0)[threshold_on("intensity_15min")])
    p = chance(odds_of(rule, s))
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 1)):
        mine = (p >= low) & (p < high)
        assert abs(p[mine].mean() - yes[mine].mean()) < 0.1


def test_a_row_that_stands_for_several_cases_counts_as_they_do() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 2))
    yes, no = rng.integers(1, 4, 60), rng.integers(1, 4, 60)
    each = np.repeat(x, yes + no, axis=0)
    said = np.concatenate([[True] * a + [False] * b for a, b in zip(yes, no, strict=True)])
    whole = fit(each, said, (0, 0), 1e-9)
    short = fit(x, yes / (yes + no), (0, 0), 1e-9, (yes + no).astype(np.float64))
    assert short.intercept == pytest.approx(whole.intercept, abs=1e-6)
    np.testing.assert_allclose(short.weight, whole.weight, atol=1e-6)
