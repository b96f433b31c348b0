"""Rules of one-row-a-storm tables in another region, with other gaps, and beside simple ones."""

import os
from pathlib import Path

import msgspec
import numpy as np
import pytest

from config.language import zh
from detectors.engine.window_rule import Floats, View
from detectors.rain.storm.storm_score import StormScore, score
from skill.tables.candidates import penalty
from skill.tables.fit import Family
from skill.tables.rows.climate import place, places, ratio, ratios, relative
from skill.tables.rows.infer import filled, filled_elsewhere, moments
from skill.tables.rows.physics import sound
from skill.tables.rules import load, text
from skill.tables.tune import hindcast, tune
from skill.verify.names import DEPTH, GROUND, threshold_on
from tests.support.table_skill import HEAD, MAP, put, storms

MAPS = Path(__file__).parents[2] / "config" / "maps"
DATA = Path(os.environ.get("FENGSUI_DATA", ""))
REGION = 'region = "state"\n' + MAP


def stronger(rows: list[str], by: float) -> list[str]:
    """The same storms, at a place where it rains `by` times as hard and takes as much more."""
    out = []
    for row in rows:
        fire, a, b, *rest = row.split(",")
        out.append(",".join([fire, f"{float(a) * by:.2f}", f"{float(b) * by:.2f}", *rest]))
    return out


def within(state: str, rows: list[str]) -> list[str]:
    return [f"{state},{row}" for row in rows]


# --- another region


def test_in_another_region_rain_is_taken_relative_to_its_own_storms(tmp_path: Path) -> None:
    table, columns = put(tmp_path, within("A", storms()), "state," + HEAD, REGION)
    here = tune(table, "hit", "fire", columns, tmp_path / "r.toml")
    body = (tmp_path / "r.toml").read_text("utf-8")
    other = within("B", stronger(storms(seed=9), 3.0))
    (tmp_path / "b").mkdir()
    table, columns = put(tmp_path / "b", other, "state," + HEAD, REGION)
    there = hindcast(tmp_path / "r.toml", table, "hit", columns, "fire")
    assert any(zh(n).startswith("B：率定时未见此地区") for n in there["notes"])
    blind = msgspec.structs.replace(load(body), region=(), candidate=(), version=1, rule="")
    old = text(blind).replace('rule = ""\n', "")  # as the build before wrote it
    (tmp_path / "blind.toml").write_text(old, encoding="utf-8")
    without = hindcast(tmp_path / "blind.toml", table, "hit", columns, "fire")
    assert any("know no climate" in n for n in without["notes"])
    assert there["csi"] > without["csi"] + 0.03
    assert there["csi"] > here["csi"] - 0.15


def test_the_ratio_needs_storms_and_has_bounds() -> None:
    q = ("intensity_15min",)
    x = np.exp(np.random.default_rng(4).normal(2.5, 0.7, (300, 1)))
    whole = place(q, x)
    assert 1.6 < ratio(place(q, x * 2), whole) < 2
    assert 1 < ratio(place(q, x[:5] * 2), whole) < ratio(place(q, x * 2), whole)
    assert ratio(place(q, x * 50), whole) == pytest.approx(3)
    assert ratio(place(q, x[:0]), whole) == ratio(place(("duration",), x), whole) == 1
    rows = np.repeat(x, 7, axis=0)  # seven basins of one gauge are no seven storms
    assert place(q, rows) == whole


def test_a_region_that_training_knew_keeps_its_ratio() -> None:
    q, region = ("intensity_15min", "storm_total"), np.array(["a"] * 60 + ["b"] * 60, dtype=object)
    rng = np.random.default_rng(5)
    x = np.exp(rng.normal(2.5, 0.7, (120, 2)))
    x[60:] *= 2
    whole, known = place(q, x), places(q, x, region)
    by = ratios(q, x[60:70], region[60:70], whole, known)
    assert by == {"b": ratio(known["b"], whole)}
    out = relative(q, x[60:70], region[60:70], by)
    np.testing.assert_allclose(out[:, 0], x[60:70, 0] / by["b"])
    np.testing.assert_array_equal(out[:, 1], x[60:70, 1])  # depth stays as it is


def test_the_running_form_divides_peaks_by_the_climate() -> None:
    rain = np.random.default_rng(1).gamma(0.3, 2, (1, 1, 576))
    weights = {"intensity_15min": 1.0}

    def chance_of(x: Floats, climate: float) -> float:
        rule = StormScore(intercept=-4.0, weights=weights, climate=climate)
        return float(score(rule, View(x, np.array([0]), 300, np.ones((1, 1)))).value[0])

    assert chance_of(2 * rain, 2.0) == pytest.approx(chance_of(rain, 1.0))
    assert chance_of(2 * rain, 1.0) > chance_of(rain, 1.0)
    with pytest.raises(ValueError, match="climate"):
        StormScore(intercept=-4.0, weights=weights, climate=9.0)


# --- gaps


def test_physics_fills_what_it_knows_and_nothing_else() -> None:
    q = ("intensity_15min", "intensity_30min", "intensity_60min", "storm_total", "duration")
    nan = np.nan
    x = np.array(
        [
            [40.0, nan, nan, 11.0, 0.4],  # shorter than half an hour
            [40.0, nan, nan, 11.0, 3.0],  # longer: not known
            [nan, nan, nan, 0.0, nan],  # no rain
            [40.0, 30.0, 20.0, 0.0, 2.0],  # a total that is none
            [nan, nan, nan, nan, 0.2],
        ]
    )
    y, notes = sound(q, x)
    np.testing.assert_array_equal(y[0], [40.0, 22.0, 11.0, 11.0, 0.4])
    np.testing.assert_array_equal(y[1], x[1])
    np.testing.assert_array_equal(y[2], [0.0, 0.0, 0.0, 0.0, nan])
    np.testing.assert_array_equal(y[3], [40.0, 30.0, 20.0, nan, 2.0])
    np.testing.assert_array_equal(y[4], x[4])
    assert len(notes) == 2
    assert sound(q[:3], x[:, :3])[1] == []


def test_gaps_of_another_place_are_filled_as_its_own_storms_say() -> None:
    rng = np.random.default_rng(6)
    peak = rng.normal(3, 0.6, 400)
    here = np.column_stack([peak, peak + 1 + rng.normal(0, 0.2, 400)])
    there = np.column_stack([peak, 0.6 * peak + rng.normal(0, 0.2, 400)])  # short storms
    m, holes = moments(here), there.copy()
    holes[::2, 1] = np.nan

    def off(x: Floats) -> float:
        return float(np.abs(x[::2, 1] - there[::2, 1]).mean())

    assert off(filled_elsewhere(m, holes)) < 0.4 * off(filled(m, holes))
    np.testing.assert_array_equal(filled_elsewhere(m, holes)[1::2], there[1::2])
    few = filled_elsewhere(m, holes[:2])  # two storms change little
    assert np.abs(few - filled(m, holes[:2])).max() < 0.2
    none = holes[:, :1] * [1, np.nan]  # a column that the place lacks: what was known
    assert off(filled_elsewhere(m, none)) == pytest.approx(off(filled(m, none)), abs=0.05)


def test_half_the_totals_missing_costs_little_in_another_region(tmp_path: Path) -> None:
    table, columns = put(tmp_path, storms())
    tune(table, "hit", "fire", columns, tmp_path / "r.toml")
    rows = storms(seed=9)
    (tmp_path / "b").mkdir()
    said = []
    for every in (1000, 2):
        cells = [r.split(",") for r in rows]
        for r in cells[::every]:
            r[3] = ""
        table, columns = put(tmp_path / "b", [",".join(r) for r in cells])
        said.append(hindcast(tmp_path / "r.toml", table, "hit", columns, "fire"))
    assert said[1]["csi"] > said[0]["csi"] - 0.05
    assert said[1]["auc"] > said[0]["auc"] - 0.03


# --- beside simple rules


def test_the_simple_and_published_rules_stand_beside_what_is_delivered(tmp_path: Path) -> None:
    table, columns = put(tmp_path, storms())
    said = tune(table, "hit", "fire", columns, tmp_path / "r.toml")
    names = {c["rule"] for c in said["candidates"]}
    assert {DEPTH, GROUND, "I15 >= 24 mm/h", "Cannon 2008, 12.5 D^-0.4"} <= names
    assert {threshold_on(q) for q in ("intensity_15min", "storm_total")} <= names
    mine = [c for c in said["candidates"] if c["delivered"]]
    assert [c["rule"] for c in mine] == [said["rule"]]
    simple = [c["csi"] for c in said["candidates"] if c["weights"] <= 1]
    assert mine[0]["csi"] >= max(simple)
    assert any("最好的简单规则" in n and "…" in n for n in said["notes"])


def test_where_nothing_beats_a_simple_rule_it_is_delivered_and_said(tmp_path: Path) -> None:
    """The truth is one threshold on the 30-minute peak; the rest is noise."""
    rng = np.random.default_rng(11)
    rows = []
    for row in storms(400, seed=8):
        fire, _, b, *_ = row.split(",")
        a, c, d = rng.uniform(1, 90), rng.uniform(1, 90), rng.uniform(0, 1)
        rows.append(f"{fire},{a:.1f},{b},{c:.1f},{d:.2f},{int(float(b) > 20)}")
    table, columns = put(tmp_path, rows)
    said = tune(table, "hit", "fire", columns, tmp_path / "r.toml")
    assert said["rule"] == "单一阈值 one threshold: intensity_30min"
    assert said["cross_validated"][0]["csi"] > 0.9
    assert any("没有候选胜过简单规则" in n for n in said["notes"])


@pytest.mark.parametrize("curve", ["Cannon 2008, 12.5 D^-0.4", "I15 >= 24 mm/h"])
def test_a_published_rule_that_is_best_is_delivered_as_it_stands(
    tmp_path: Path, curve: str
) -> None:
    rows = []
    for row in storms(400, seed=8):
        fire, a, b, *rest = row.split(",")
        over = {"I15": float(a) >= 24, "Can": max(float(a) / 21.76, float(b) / 16.49) >= 1}
        rows.append(",".join([fire, a, b, *rest[:-1], str(int(over[curve[:3]]))]))
    table, columns = put(tmp_path, rows)
    said = tune(table, "hit", "fire", columns, tmp_path / "r.toml")
    published = next(p for p in said["published"] if p["rule"] == curve)
    if said["rule"] != curve:  # one threshold, tuned, may do as well and no better
        mine = next(c for c in said["candidates"] if c["delivered"])
        assert mine["csi"] >= published["csi"]
        return
    again = hindcast(tmp_path / "r.toml", table, "hit", columns, "fire")
    for key in ("hits", "misses", "false_alarms"):
        assert said[key] == published[key] == again[key]
    kind = (tmp_path / "r.running.toml").read_text("utf-8")
    assert 'kind = "peak_intensity"' in kind or 'kind = "intensity_duration"' in kind


def test_each_weight_must_earn_its_place() -> None:
    one, many = Family("a", ((("x",), 1.0),)), Family("b", ((("x", "y"), 1.0), (("z",), 1.0)))
    assert penalty(one, 50) == 0 < penalty(many, 50) < penalty(many, 5)


# --- real storms


def _real(folder: str) -> Path:
    path = DATA / folder / "storms.csv"
    if not path.exists():
        pytest.skip("real measurements are not here: set FENGSUI_DATA to their folder")
    return path


def test_california_moves_to_the_southwest(tmp_path: Path) -> None:
    """Figures of docs/skill-tables.md."""
    one, two = MAPS / "postfire-staley.toml", MAPS / "postfire-sirgo.toml"
    tune(_real("postfire-staley2016"), "Response", "Fire_ID", one, tmp_path / "a.toml")
    there = hindcast(tmp_path / "a.toml", _real("postfire-sirgo2025"), "Response", two, "Fire")
    assert there["csi"] > max(p["csi"] for p in there["published"]) + 0.1
    assert there["csi"] > 0.4
    assert there["auc"] > 0.96


def test_with_one_peak_alone_another_region_loses_nothing_to_m1(tmp_path: Path) -> None:
    kept = ("intensity_15min", "burned_steep", "dnbr", "soil_kf")
    lines = (MAPS / "postfire-staley.toml").read_text("utf-8").splitlines()
    few = [x for x in lines if " = { column" not in x or x.split(" = ")[0] in kept]
    (tmp_path / "few.toml").write_text("\n".join(few) + "\n", "utf-8")
    table, columns = _real("postfire-sirgo2025"), MAPS / "postfire-sirgo.toml"
    tune(table, "Response", "Fire", columns, tmp_path / "a.toml")
    there = hindcast(
        tmp_path / "a.toml",
        _real("postfire-staley2016"),
        "Response",
        tmp_path / "few.toml",
        "Fire_ID",
    )
    m1 = next(p for p in there["published"] if p["rule"].startswith("USGS M1-15"))
    assert there["csi"] >= m1["csi"]
    assert there["auc"] >= m1["auc"]
    assert there["csi_hindsight"] >= there["csi"]
    assert any("one peak alone" in str(n) for n in there["notes"])
