"""Rows of which nothing can come are taken in without a score: the same, to the byte, as with one each,
in whatever order, however it is cut, with doubtful and late readings, estimates that go again, and storms
that warn beside it."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine import window_engine
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesChange, SeriesRow
from detectors.engine.window_rule import Envelopes, Floats, Ints, Kind, View
from detectors.rain.areal_intensity import ArealIntensity
from detectors.rain.areal_rain import ArealRain
from detectors.rain.cumulative_rain import CumulativeRain
from detectors.rain.intensity_duration import IntensityDuration
from detectors.rain.storm.slope_chance import SlopeChance
from detectors.setup.registry import KINDS
from detectors.statistics.quantity_trend import Rise
from detectors.water.flood_score import FloodScore
from detectors.water.stage_score import StageScore
from tests.support.examples import examples

START = 29_000_160  # minutes
ROWS = 3
WEIGHTS = {
    "level": 0.9,
    "rise_10min": 6.0,
    "rise_20min": -4.0,
    "rain_15min": 0.15,
    "rain_60min": -0.08,
}
SCORE = FloodScore(
    zero_m=0.35,
    flood_m=2.4,
    lowest_m=0.17,
    power=1.6667,
    slot_min=5,
    silent_min=30,
    weights=WEIGHTS,
)
WET = FloodScore(
    zero_m=0.35,
    flood_m=2.4,
    slot_min=60,
    days=1,
    outcome="chance",
    intercept=-4.0,
    weights={
        "level": 6.0,
        "wet": 1.0,
        "wet_rain_60min": 0.2,
        "level_squared": -1.0,
        "root_rain_60min": 0.3,
        "level_rain_60min": 0.1,
    },
)
UNSEEN = msgspec.structs.replace(
    SCORE,
    unseen_min=15,
    unseen_intercept=-0.1,
    unseen={"rain_15min": 0.14, "rain_30min": -0.08, "rain_60min": 0.02},
)
CURVE = {"slot_min": 5, "from_min": 30, "to_min": 120, "goes_on_min": 30, "goes_on_trend": 0.7}
# kind, parameters, inputs, blue and what it takes to move
CASES: dict[str, tuple[str, Any, int, tuple[float, float]]] = {
    "flood_score": ("flood_score", SCORE, 3, (0.5, 0.9)),
    "unseen": ("flood_score", UNSEEN, 3, (0.5, 0.9)),
    "chance": ("flood_score", WET, 2, (0.3, 0.6)),
    "areal_intensity": ("areal_intensity", ArealIntensity(**CURVE), 3, (1.5, 3.0)),
    "slope_chance": (
        "slope_chance",
        SlopeChance(
            **CURVE,
            near=0.5,
            intercept=-4.0,
            weights={
                "fallen": 1.0,
                "goes_on_squared": 0.3,
                "rain_5min": -0.5,
                "root_around_10min": 0.8,
            },
        ),
        3,
        (0.1, 0.4),
    ),
    "intensity_duration": ("intensity_duration", IntensityDuration(**CURVE), 1, (1.5, 3.0)),
    "areal_rain": ("areal_rain", ArealRain(), 2, (6.0, 15.0)),
    "cumulative_rain": ("cumulative_rain", CumulativeRain(over_h=3), 1, (8.0, 20.0)),
    "stage_score": (
        "stage_score",
        StageScore(
            zero_m=0.35,
            flood_m=2.4,
            power=1.6667,
            rise_min=20,
            rise_weight=1,
            base_weight=0.5,
            base_h=2,
        ),
        1,
        (0.5, 0.9),
    ),
    "stage": (
        "stage_score",
        StageScore(zero_m=0.6, flood_m=2.4, base_weight=0.5, base_h=1),
        1,
        (0.5, 0.9),
    ),
    "quantity_rise": ("quantity_rise", Rise(), 1, (0.5, 1.0)),  # has no bound
}


def rule(case: str) -> SeriesRule:
    kind, parameters, inputs, (blue, move) = CASES[case]
    level = KINDS[kind].inputs[0] if KINDS[kind].inputs != ("rain",) else "rain"
    level = "stage" if level == "*" else level
    of = ("stage", *("rain",) * (inputs - 1)) if KINDS[kind].mixed else ()
    rows = [
        SeriesRow(f"a{n}", "f", tuple(f"{n}{k}" for k in range(inputs)), (1.0,) * inputs, level, of)
        for n in range(ROWS)
    ]
    levels = (blue, 1.5 * blue, None, 3 * blue)
    return SeriesRule("r", KINDS[kind], parameters, rows, levels, (None, move), hold_min=10)


def told(
    r: SeriesRule, columns: list[Any], cut: int, *, again: bool
) -> tuple[list[SeriesChange], bytes]:
    state, out, size = r.new(), [], columns[0].size
    for at in range(0, size, cut):
        part = [c if c is None else c[at : at + cut] for c in columns]
        out += [c._replace(nth=c.nth + at) for c in r.judge(state, *part)]
        if again:
            state = r.load(r.dump(state))
    return out, r.dump(state)


def stream(r: SeriesRule, seed: int) -> list[Any]:
    """Rows, inputs, ms, counts, add, suspect, old: a slow clock, some far back, some far ahead, an upload
    of a day, mostly little rain and low water, sometimes a flood."""
    rng = np.random.default_rng(seed)
    many, storm = int(rng.integers(20, 160)), rng.random() < 0.4
    rows, inputs = rng.integers(0, ROWS, many), rng.integers(0, r.inputs, many)
    clock = START + np.cumsum(rng.choice([0, 0, 1, 5, 5, 20], many))
    back = rng.choice([0, 0, 0, 3, 20, 90, 1500], many)
    minute = clock - back
    if rng.random() < 0.3:
        minute[many // 2 :] += int(rng.choice([600, 4000, 40_000]))
    late = np.arange(many) >= many - int(rng.integers(1, 30))
    if rng.random() < 0.5:  # an upload, newest first
        minute[late] = clock[-1] - 5 * np.arange(int(late.sum())) - int(rng.integers(0, 60))
    rains = np.array([q == "rain" for q in r.quantities or (r.rows[0].quantity,) * r.inputs])[
        inputs
    ]
    fell = rng.choice([0, 0, 0, 0, 1, 2, 5, 80] if storm else [0, 0, 0, 0, 0, 1, 2], many)
    if rng.random() < 0.2:
        fell[rng.integers(0, many)] = -2
    level = 400 + rng.integers(-6, 7, many) + (np.arange(many) * (15 if storm else 0))
    level[rng.random(many) < 0.03] = 0
    counts = np.where(rains, fell, level)
    some: Ints = rng.random(many)
    return [
        rows,
        inputs,
        minute * 60_000,
        counts,
        some < 0.5 if seed % 2 else None,
        some < 0.02 if seed % 3 == 0 else None,
        clock - minute > 30 if seed % 5 < 3 else None,
    ]


def scored_each(r: SeriesRule, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no row is calm, and nothing is laid past a judgement."""
    monkeypatch.setattr(window_engine, "_FEW", 10**9)
    monkeypatch.setattr(r.calm, "lay", lambda _, rows, *more: np.zeros(rows.size, np.bool_))


@pytest.mark.parametrize("case", CASES)
@examples(30)
@given(st.integers(0, 10**6), st.sampled_from([1, 7, 40, 1000]), st.booleans())
def test_calm_rows_show_in_nothing(case: str, seed: int, cut: int, again: bool) -> None:
    r = rule(case)
    columns = stream(r, seed)
    found = told(r, columns, cut, again=again)
    with pytest.MonkeyPatch.context() as patch:
        scored_each(r, patch)
        expected = told(r, columns, cut, again=False)
        alone = told(r, columns, 1, again=False)
    assert found == expected
    assert found[0] == alone[0]


@pytest.mark.parametrize("case", [c for c in CASES if KINDS[CASES[c][0]].at_most])
def test_most_of_a_dry_day_is_not_scored_and_a_storm_is(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    r, looks = rule(case), [0]
    score = r._values

    def counted(state: Any, rows: Ints, ends: Ints) -> Any:
        looks[0] += rows.size
        return score(state, rows, ends)

    monkeypatch.setattr(r, "_values", counted)
    n = np.arange(ROWS * r.inputs * 200)
    rows, inputs, slot = n % ROWS, n // ROWS % r.inputs, n // ROWS // r.inputs
    of = r.quantities or (r.rows[0].quantity,) * r.inputs
    dry = np.where(np.array(of)[inputs] == "stage", 400, 0)
    storm = np.where(dry > 0, 400 + 60 * (slot - 100), 40) * (slot > 100) + dry * (slot <= 100)
    for counts, scores in ((dry, False), (storm, True)):
        looks[0], state = 0, r.new()
        changes = r.judge(state, rows, inputs, (START + slot * 5) * 60_000, counts)
        assert bool(changes) == scores
        assert (looks[0] > 0) == scores


@pytest.mark.parametrize("case", [c for c in CASES if KINDS[CASES[c][0]].at_most])
@examples(30)
@given(st.integers(0, 10**6))
def test_no_value_is_above_its_bound(case: str, seed: int) -> None:
    name, parameters, inputs, _ = CASES[case]
    kind: Kind = KINDS[name]
    rng, span = np.random.default_rng(seed), kind.span(parameters)
    rain: Floats = rng.choice([0.0, 0.2, 3.0, 20.0], (1, inputs, span))
    levels = "rain" not in kind.inputs
    if levels:
        rain[0, 0] = rng.uniform(0, 3) + rng.normal(0, rng.choice([0.01, 0.5]), span)
    rain[rng.random(rain.shape) < 0.4] = np.nan
    others, rains = (rain[:, :1], rain[:, 1:]) if levels else (rain[:, :0], rain)
    within = Envelopes(
        np.fmin.reduce(others, axis=(1, 2), initial=np.inf),
        np.fmax.reduce(others, axis=(1, 2), initial=-np.inf),
        np.fmax.reduce(rains, axis=1, initial=0).sum(axis=1),
    )
    quantities = ("stage", *("rain",) * (inputs - 1)) if kind.mixed else ()
    slot_s = kind.slot_s(parameters)
    view = View(rain, np.array([START * 60_000]), slot_s, np.ones((1, inputs)), quantities)
    value = kind.score(parameters, view).value[0]
    assert kind.at_most is not None
    assert np.isnan(value) or value <= kind.at_most(parameters, within)[0] + 1e-9
