"""The rules for burnt ground: the USGS model as published, and a tuned table's rule as it runs."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from config.load import load
from config.records.rules import RuleRow
from detectors.engine.window_rule import View
from detectors.rain.postfire_m1 import PostfireM1, chance
from detectors.rain.postfire_m1 import score as m1
from detectors.rain.storm.storm_score import StormScore
from detectors.rain.storm.storm_score import score as storm
from detectors.setup.declared import problems
from detectors.setup.registry import KINDS
from skill.series import tune as series_skill
from skill.series.clock import iso
from skill.tables.tune import tune
from tests.support.table_skill import put, storms

YANQING = Path(__file__).parents[3] / "config" / "yanqing"
BURN = {"burned_steep": 0.5, "dnbr": 0.4, "soil_kf": 0.2}
WEIGHTS = {"intensity_15min": 1.0, "intensity_30min": 0.5, "storm_total": 0.8}
T0 = 1_451_606_400_000


def seen(slots: list[float], width: int, slot_s: int = 300) -> View:
    values = np.zeros((1, 1, width))
    values[0, 0, width - len(slots) :] = slots
    return View(values, np.array([T0]), slot_s, np.ones((1, 1)))


@pytest.mark.parametrize(
    ("minutes", "rain", "odds"),
    [
        (15, 10.0, -3.63 + 10 * (0.41 * 0.5 + 0.67 * 0.4 + 0.70 * 0.2)),
        (30, 20.0, -3.61 + 20 * (0.26 * 0.5 + 0.39 * 0.4 + 0.50 * 0.2)),
        (60, 30.0, -3.21 + 30 * (0.17 * 0.5 + 0.20 * 0.4 + 0.22 * 0.2)),
    ],
)
def test_m1_is_the_published_equation(minutes: int, rain: float, odds: float) -> None:
    p = PostfireM1(**BURN, duration_min=minutes, within_min=120)  # type: ignore[arg-type]
    slots = minutes // 5
    found = m1(p, seen([rain / slots] * slots + [0.0] * 3, 24))
    assert found.value[0] == pytest.approx(1 / (1 + np.exp(-odds)))
    assert found.window_min[0] == minutes


def test_m1_says_nothing_of_a_basin_it_does_not_know() -> None:
    one, gap = np.array([1.0]), np.array([np.nan])
    assert np.isnan(chance(15, one, gap, one, one)[0])
    for wrong in (
        {"burned_steep": 45.0},
        {"dnbr": 400.0},
        {"soil_kf": -1.0},
        {"duration_min": 20},
        {"within_min": 10},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            PostfireM1(**(BURN | wrong))  # type: ignore[arg-type]


def test_the_running_form_ends_where_the_table_s_row_stands() -> None:
    """After the last drop, the peaks so far are those of the storm."""
    p = StormScore(intercept=-8.0, weights=WEIGHTS, within_h=6)
    rain = [1.0, 2.0, 4.0, 3.0, 0.5, 0.0, 1.0]
    odds = -8.0 + np.log1p(9.0 * 4) + 0.5 * np.log1p(10.5 * 2) + 0.8 * np.log1p(11.5)
    whole = storm(p, seen(rain, 72))
    assert whole.value[0] == pytest.approx(1 / (1 + np.exp(-odds)))
    assert whole.window_min[0] == 35
    so_far = [storm(p, seen(rain[:n], 72)).value[0] for n in range(len(rain) + 1)]
    assert so_far == sorted(so_far)  # it only grows while the storm is on


def test_storms_are_told_apart_by_the_dry_time_between_them() -> None:
    p = StormScore(intercept=-8.0, weights=WEIGHTS, gap_h=2, within_h=12)
    two = [5.0] * 6 + [0.0] * 25 + [1.0] * 3
    alone = storm(p, seen([1.0] * 3, 144))
    assert storm(p, seen(two, 144)).value[0] == alone.value[0]
    near = storm(p, seen([5.0] * 6 + [0.0] * 20 + [1.0] * 3, 144))
    assert near.value[0] > alone.value[0]  # within two hours it is one storm
    dry = storm(p, seen([5.0] * 6 + [0.0] * 24, 144))
    assert dry.value[0] == storm(p, seen([], 144)).value[0]  # over


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weights": {"luck": 1.0}}, "luck"),
        ({"weights": {"storm_total": -1.0}}, "storm_total"),
        ({"weights": {"burned_steep": 1.0}, "site": {"burned_steep": 0.5}}, "nothing of rain"),
        ({"weights": WEIGHTS | {"burned_steep": 1.0}}, "lacks 'burned_steep'"),
        ({"site": {"burned_steep": 40.0}}, "out of range"),
        ({"site": {"storm_total": 40.0}}, "unknown 'storm_total'"),
        ({"weights": {"intensity_2min": 1.0}}, "intensity_2min"),
        ({"gap_h": 60}, "gap_h"),
    ],
)
def test_weights_that_cannot_run_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        StormScore(**({"intercept": -8.0, "weights": WEIGHTS} | wrong))


def test_a_rule_that_was_not_replayed_is_refused_by_the_check() -> None:
    district = load(YANQING)
    replay = {
        "record": "2012-2024",
        "events": 5,
        "hits": 3,
        "false_alarms": 4,
        "lead_median_min": 25.0,
    }

    def found(**more: Any) -> list[str]:
        row = RuleRow(
            id="tuned_table",
            kind="storm_score",
            hazard="debris_flow",
            source="a test",
            orange=0.3,
            parameters={"intercept": -8.0, "weights": WEIGHTS, **more},
        )
        rules = msgspec.structs.replace(district.rules, rule=(row,))
        return [str(p) for p in problems(msgspec.structs.replace(district, rules=rules))]

    assert any("not replayed" in p for p in found())
    assert any("not replayed" in p for p in found(replay=replay | {"record": " "}))
    assert any("not replayed" in p for p in found(replay=replay | {"lead_median_min": -1.0}))
    assert found(replay=replay) == []


def test_a_tuned_table_is_replayed_over_a_record_and_its_lead_is_told(tmp_path: Path) -> None:
    """The way from a table to a lead time, on rain that is made: one storm that grows, one small."""
    table, columns = put(tmp_path, storms())
    said = tune(table, "hit", "fire", columns, tmp_path / "r.toml")
    running = Path(said["running"])
    assert KINDS["storm_score"].name in running.read_text("utf-8")
    rain = np.zeros(3 * 288)
    rain[100:112] = 0.5
    rain[500:530] = np.linspace(0.5, 9, 30)
    lines = ["station,quantity,time,value"]
    lines += [f"a,rain,{iso(T0 + (k + 1) * 300_000)},{x:.1f}" for k, x in enumerate(rain)]
    (tmp_path / "o.csv").write_text("\n".join(lines), encoding="utf-8")
    start, end = iso(T0 + 530 * 300_000), iso(T0 + 560 * 300_000)
    (tmp_path / "e.csv").write_text(
        f"area,start,end,kind\na,{start},{end},debris_flow\n", encoding="utf-8"
    )
    found = series_skill.hindcast(running, tmp_path / "o.csv", tmp_path / "e.csv", 900)
    assert (found["hits"], found["misses"], found["false_alarms"]) == (1, 0, 0)
    assert 15 <= found["lead_minutes"]["median"] <= 120
