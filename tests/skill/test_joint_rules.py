"""Rules of several stations that tune tries: what they say over a record, the stage detect says too; a
gauge upstream is found with its travel time; what nothing supports is not delivered."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from config.load import load
from config.records.rules import RuleRow
from detectors.engine.window_rule import Floats
from detectors.water.runoff.unit_hydrograph import UnitHydrograph, hydrograph, runoff
from skill.series.clock import iso
from skill.series.csv_text import SeriesFault
from skill.series.joint.runoff import HYDROGRAPH
from skill.series.play import play
from skill.series.read import read_observations
from skill.series.rules import load as load_rules
from skill.series.tune import tune
from skill.verify.hindcast import replay
from skill.verify.match import Event
from skill.verify.names import SERIES
from tests.support.discharge import fitted

T0 = 1_451_606_400_000  # 2016-01-01
QUARTER = 900_000
EXAMPLE = Path(__file__).parents[2] / "config/examples/forecast"  # S02 upstream of S01, R01 and R02


def storms(seed: int, days: int = 60, every: int = 4) -> tuple[Floats, Floats, Floats]:
    """Rain at two gauges (2, n) mm, level upstream and at the village, m, of every quarter of an hour: the
    wave takes an hour and a half and loses a third of its height."""
    rng = np.random.default_rng(seed)
    n = days * 96
    fell = np.zeros(n)
    for k, at in enumerate(range(96, n - 192, every * 96)):
        at += int(rng.integers(0, 96))
        depth = rng.uniform(50, 80) if k % 2 else rng.uniform(5, 25)
        fell[at : at + 12] += rng.dirichlet(np.full(12, 4.0)) * depth
    kernel = np.arange(48) * np.exp(-np.arange(48) / 6)
    up = 0.5 + np.convolve(fell, kernel / kernel.sum())[:n] * 0.5
    here = np.full(n, 0.4)
    here[6:] += (up[:-6] - 0.5) * 0.67
    rain = np.stack([fell * np.exp(rng.normal(0, 0.1, n)) for _ in range(2)])
    return np.round(rain, 1), np.round(up, 3), np.round(here + rng.normal(0, 0.002, n), 3)


def written(folder: Path, *, rain: Floats | None, up: Floats, here: Floats) -> tuple[Path, Path]:
    """The record and its floods: the village's level above 60 % of its highest."""
    rows = ["station,quantity,time,value"]
    for k in range(here.size):
        at = iso(T0 + (k + 1) * QUARTER)
        rows += [f"S01,stage,{at},{here[k]:.3f}", f"S02,stage,{at},{up[k]:.3f}"]
        if rain is not None:
            rows += [f"R0{g + 1},rain,{at},{rain[g, k]:.1f}" for g in range(2)]
    high = np.nonzero(here >= here.min() + 0.6 * (here.max() - here.min()))[0]
    new = np.diff(high) > 24
    first, last = high[np.append(True, new)], high[np.append(new, True)]
    events = ["area,start,end,kind"]
    for a, b in zip(first, last, strict=True):
        events.append(f"F01,{iso(T0 + (a + 1) * QUARTER)},{iso(T0 + (b + 1) * QUARTER)},flood")
    (folder / "o.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / "e.csv").write_text("\n".join(events) + "\n", "utf-8")
    return folder / "o.csv", folder / "e.csv"


def row(
    kind: str, limit: float, stations: tuple[str, ...] = ("S01",), **parameters: Any
) -> RuleRow:
    beside = {"rain": ("R01", "R02")} if len(stations) == 1 else {}
    rain = kind == "unit_hydrograph"
    return RuleRow(
        id="tuned", kind=kind, hazard="flash_flood", source="test", areas=("F01",), orange=limit,
        stations=stations, quantity="rain" if rain else "stage", beside=beside,
        weights=(1.0, 1.0) if rain else (), hold_min=60, clear=1.0,
        parameters={"slot_min": 15} | parameters,
    )  # fmt: skip


SCALE = {"zero_m": 0.4, "flood_m": 1.6, "silent_min": 45}
ROWS = {
    "any": row("level_and_rain", 0.8, rise_weight=1.0, rain_min=180, rain_mm=40.0, **SCALE),
    "all": row("level_and_rain", 0.4, rain_min=180, rain_mm=40.0, joined="all", **SCALE),
    "forecast": row(
        "flood_score", 0.7,
        weights={"level": 0.8, "level_squared": -0.1, "rise_30min": 1.2, "rain_60min": 0.01,
                 "level_rain_60min": 0.005, "root_rain_45min": 0.02}, **SCALE,
    ),
    "runoff": row(
        "unit_hydrograph", 5.0, ("R01", "R02"), area_km2=30.0, cn=85.0, n=2.0, k_h=1.0, memory_h=24,
        silent_min=45, ahead_min=60,
    ),
    "upstream": row("travel_time", 1.1, ("S02", "S01"), lag_min=[90], gain=[0.67], offset=0.06,
                    spread_min=0, downstream=True),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_what_a_rule_says_over_a_record_the_stage_says_too(tmp_path: Path, name: str) -> None:
    rain, up, here = storms(1, days=40)
    observations, _ = written(tmp_path, rain=rain, up=up, here=here)
    readings = read_observations(observations)[0]
    rule = ROWS[name]
    said = play([rule], readings, [Event("F01", T0, T0)])
    assert {a.start_at for a in said.alarms}
    district = load(EXAMPLE)
    alone = msgspec.structs.replace(
        district, rules=msgspec.structs.replace(district.rules, rule=(rule,), run=())
    )
    found = [d for d in replay(alone, readings) if d.rule == "tuned"]
    starts, up_now = set(), False
    for d in sorted(found, key=lambda d: d.detected_at):
        if d.level >= 3 and not up_now:
            starts.add(d.detected_at)
        up_now = d.level >= 3
    assert starts == {a.start_at for a in said.alarms}


def test_a_runoff_model_is_fitted_to_the_discharge(tmp_path: Path) -> None:
    rain = storms(4, days=90)[0].reshape(2, -1, 4).sum(axis=2)  # hourly
    true = UnitHydrograph(
        area_km2=40.0, cn=80.0, n=2.0, k_h=2.0, memory_h=48, slot_min=60, decay_per_day=0.9
    )
    fell = rain.mean(axis=0)
    before = np.zeros(fell.size)
    for k in range(1, fell.size):
        before[k] = (before[k - 1] + fell[k - 1]) * 0.9 ** (1 / 24)
    u = hydrograph(true)[:48]
    flow = 1.0 + np.convolve(runoff(before, fell, 80.0, 0.2), u)[: fell.size] * 40_000 / 3600
    found = fitted(HYDROGRAPH, tmp_path, rain, flow, folds=4)
    p = found.whole.candidates[0].parameters
    assert p["area_km2"] == pytest.approx(40.0, rel=0.25)
    assert p["k_h"] == pytest.approx(2.0, rel=0.25)
    assert found.held is not None
    best = found.held.counts.sum(axis=1)
    assert (best[:, 0] / np.maximum(best.sum(axis=1), 1)).max() > 0.7


def test_a_gauge_upstream_is_found_with_its_travel_time(tmp_path: Path) -> None:
    _, up, here = storms(2)
    # both stand in one record; the events are those of the village's own gauge
    observations, events = written(tmp_path, rain=None, up=up, here=here)
    text = events.read_text("utf-8").replace("F01,", "S01,")
    events.write_text(text, "utf-8")
    told = tune(observations, events, 4500, tmp_path / "r.toml")
    by = {r["how"]: r["csi"] or 0 for r in told["rivals"]}
    assert by[str(SERIES["upstream"])] > by[str(SERIES["trend"])]
    rule = load_rules((tmp_path / "r.toml").read_text("utf-8")).rule[0]
    assert told["family"] == str(SERIES["upstream"])
    assert rule.stations == ("S02", "S01")
    assert abs(rule.parameters["lag_min"][0] - 90) <= 15
    assert rule.parameters["gain"][0] == pytest.approx(0.67, abs=0.1)


def test_a_gauge_of_another_valley_is_none_upstream(tmp_path: Path) -> None:
    _, _, here = storms(2)
    _, other, _ = storms(3)
    observations, events = written(tmp_path, rain=None, up=other, here=here)
    events.write_text(events.read_text("utf-8").replace("F01,", "S01,"), "utf-8")
    told = tune(observations, events, 1800, tmp_path / "r.toml")
    assert str(SERIES["upstream"]) not in {r["how"] for r in told["rivals"]}


def test_many_areas_that_anybody_might_watch_are_told_and_left_out(tmp_path: Path) -> None:
    rows, events = ["station,quantity,time,value"], ["area,start,end,kind"]
    for h in range(24 * 130):
        at = iso(T0 + h * 3_600_000)
        rows += [f"g{k},rain,{at},{5.0 if h % 500 < 6 else 0.0}" for k in range(6)]
    events += [f"a{n},{iso(T0 + 505 * 3_600_000)},,flood" for n in range(50)]
    (tmp_path / "o.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (tmp_path / "e.csv").write_text("\n".join(events) + "\n", "utf-8")
    with pytest.raises(SeriesFault, match="which stations watch"):
        tune(tmp_path / "o.csv", tmp_path / "e.csv", 3600, tmp_path / "r.toml")
