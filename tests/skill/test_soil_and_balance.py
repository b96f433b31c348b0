"""Soil moisture and the water balance of weeks as tune knows them: what wet ground explains is found, what it
does not is not delivered, and what is delivered runs live and scores again as it was tuned."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from config.load import load
from config.records.rules import RuleRow
from detectors.engine.window_rule import Floats
from detectors.water.runoff.gr4h import Gr4h, run
from detectors.water.soil_and_rain import SoilAndRain, counted
from skill.series.clock import iso
from skill.series.joint.balance import BALANCE
from skill.series.play import play
from skill.series.read import read_events, read_observations
from skill.series.rules import load as load_rules
from skill.series.tune import hindcast, tune
from skill.verify.hindcast import replay
from skill.verify.names import SERIES
from tests.support.discharge import fitted

T0 = 1_451_606_400_000  # 2016-01-01
HOUR = 3_600_000
EXAMPLE = Path(__file__).parents[2] / "config/examples/forecast"


def season(seed: int, days: int = 360) -> tuple[Floats, Floats, list[int]]:
    """Hourly rain, mm; soil moisture, %, which fills and dries; and the hours at which a flood begins: some
    after much rain, of which dry ground has taken up nine tenths."""
    rng = np.random.default_rng(seed)
    rain, soil = np.zeros(days * 24), np.empty(days * 24)
    for at in range(48, days * 24 - 48, 96):
        at += int(rng.integers(0, 36))
        rain[at : at + 6] += rng.dirichlet(np.full(6, 4.0)) * rng.uniform(5, 60)
    rain, x = np.round(rain, 1), 25.0
    drying = 1 + 0.5 * np.sin(np.arange(rain.size) / 24 / 20)
    for h, mm in enumerate(rain.tolist()):
        x += (45 - x) * min(mm / 120, 1) - (x - 8) * 0.006 * drying[h]
        soil[h] = x
    wet = np.clip((soil - 12) / 20, 0, 1)
    fell = np.convolve(rain, np.ones(6))[: rain.size] * (0.1 + 0.9 * np.roll(wet, 6))
    return rain, np.round(soil, 1), above(fell, 26)


def above(fell: Floats, mm: float) -> list[int]:
    """Three hours after each rise above it."""
    high = np.nonzero(fell > mm)[0]
    first: list[int] = (high[np.diff(high, prepend=-99) > 24] + 3).tolist()
    return first


def written(folder: Path, rain: Floats, soil: Floats, floods: list[int]) -> tuple[Path, Path]:
    rows, events = ["station,quantity,time,value"], ["area,start,end,kind"]
    for h in range(rain.size):
        at = iso(T0 + (h + 1) * HOUR)
        rows += [f"R01,rain,{at},{rain[h]:.1f}", f"M01,soil_moisture,{at},{soil[h]:.1f}"]
    events += [f"F01,{iso(T0 + (h + 1) * HOUR)},,flood" for h in floods]
    (folder / "o.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / "e.csv").write_text("\n".join(events) + "\n", "utf-8")
    return folder / "o.csv", folder / "e.csv"


def test_measured_wetness_is_delivered_runs_live_and_scores_again(tmp_path: Path) -> None:
    rain, soil, floods = season(1)
    observations, events = written(tmp_path, rain, soil, floods)
    told = tune(observations, events, HOUR // 1000, tmp_path / "r.toml")
    by = {r["how"]: r["csi"] or 0 for r in told["rivals"]}
    assert told["family"] == str(SERIES["soil"])
    assert by[str(SERIES["soil"])] > by[str(SERIES["sum"])] + 0.1
    rule = load_rules((tmp_path / "r.toml").read_text("utf-8")).rule[0]
    assert rule.beside == {"soil_moisture": ("M01",)}
    again = hindcast(tmp_path / "r.toml", observations, events, HOUR // 1000)
    assert [again[k] for k in ("hits", "misses", "false_alarms")] == [
        told[k] for k in ("hits", "misses", "false_alarms")
    ]

    folder = tmp_path / "district"
    shutil.copytree(EXAMPLE, folder)
    with (folder / "stations.csv").open("a", encoding="utf-8") as f:
        f.write("M01,墒情站,soil station,soil_moisture,B01,116.05,40.53,900,3600,90000,3600,,\n")
    with (folder / "watch.csv").open("a", encoding="utf-8") as f:
        f.write("F01,M01\n")
    district = load(folder)
    alone = msgspec.structs.replace(
        district, rules=msgspec.structs.replace(district.rules, rule=(rule,), run=())
    )
    readings = read_observations(observations)[0]
    found = sorted(
        (d for d in replay(alone, readings) if d.rule == rule.id), key=lambda d: d.detected_at
    )
    starts, up = set(), False
    for d in found:
        if d.level >= 3 and not up:
            starts.add(d.detected_at)
        up = d.level >= 3
    assert starts == {a.start_at for a in play([rule], readings, read_events(events)).alarms}
    assert starts


def test_soil_moisture_that_explains_nothing_is_not_delivered(tmp_path: Path) -> None:
    rain, soil, _ = season(2)
    fell = np.convolve(rain, np.ones(6))[: rain.size]
    floods = above(fell, 45)
    observations, events = written(tmp_path, rain, np.roll(soil, 3000), floods)
    told = tune(observations, events, HOUR // 1000, tmp_path / "r.toml")
    assert told["family"] != str(SERIES["soil"])


@pytest.mark.parametrize("dead", [False, True])
def test_a_silent_soil_station_makes_no_rain_harmless(dead: bool, tmp_path: Path) -> None:
    rain, soil, floods = season(3, days=60)
    observations, _ = written(tmp_path, rain, np.full(soil.size, 9.0), floods or [500])
    if dead:
        lines = observations.read_text("utf-8").splitlines()
        kept = [x for n, x in enumerate(lines) if "soil" not in x or n < 200]
        observations.write_text("\n".join(kept) + "\n", "utf-8")
    rule = RuleRow(
        id="tuned", kind="soil_and_rain", hazard="flash_flood", source="test", areas=("F01",), orange=20.0,
        stations=("R01",), quantity="rain", beside={"soil_moisture": ("M01",)}, hold_min=60, clear=1.0,
        parameters={"rain_min": 360, "share": 0.9, "dry_pct": 10.0, "wet_pct": 30.0},
    )  # fmt: skip
    readings = read_observations(observations)[0]
    alarms = play([rule], readings, read_events(tmp_path / "e.csv")).alarms
    assert bool(alarms) == dead


def test_some_of_the_rain_counts_however_dry_a_probe_reads() -> None:
    """One that is broken must not silence the rule."""
    with pytest.raises(ValueError, match="share: 0 … 0.9"):
        SoilAndRain(share=1.0)
    assert counted(SoilAndRain(share=0.9), np.zeros(1))[0] == pytest.approx(0.1)


def test_a_water_balance_is_fitted_to_the_discharge(tmp_path: Path) -> None:
    rain = season(4, days=90)[0]
    true = Gr4h(area_km2=40.0, x1=200.0, x2=0.0, x3=40.0, x4=5.0, days=20, ahead_h=4)
    flow = run(true, rain[None], np.full((1, rain.size), 0.1)).flow[0] * 40.0 / 3.6
    found = fitted(BALANCE, tmp_path, rain[None], flow, folds=3)
    p = found.whole.candidates[0].parameters
    assert p["x4"] == pytest.approx(5.0, rel=0.3)
    assert found.held is not None
    best = found.held.counts.sum(axis=1)
    assert (best[:, 0] / np.maximum(best.sum(axis=1), 1)).max() > 0.7
