"""The chance of a level: a distribution, whatever the window holds; the same as a plain loop says."""

import random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.baseline.level_forecast import level_forecast as plain_loop
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesRow
from detectors.engine.window_rule import Floats, Scored, View
from detectors.water.level_forecast import KIND, LevelForecast, forecast, score, span, tells
from detectors.water.rise_chance import Errors, Prior, chance, learned, sums
from detectors.water.runoff.unit_hydrograph import UnitHydrograph
from tests.support.examples import examples

RUNOFF = UnitHydrograph(
    area_km2=20.0, loss="coefficient", coefficient=0.4, n=2, k_h=0.4, memory_h=24, slot_min=10
)
P = LevelForecast(
    reach=3.0,
    trend_min=20,
    lag_min=(40,),
    gain=(0.6,),
    runoff=RUNOFF,
    runoff_gain=0.05,
    memory_h=8,
    slot_min=10,
)
ROW = ("stage", "stage", "rain")
WIDTH = P.memory_h * 60 // P.slot_min


def view(values: Floats) -> View:
    n, k, _ = values.shape
    return View(values, np.zeros(n, np.int64), P.slot_min * 60, np.ones((n, k)), ROW[:k])


def some(seed: int, n: int = 1, holes: float = 0.1) -> Floats:
    """A level, one upstream and a rain gauge, with waves and holes."""
    rng = np.random.default_rng(seed)
    values = np.zeros((n, 3, WIDTH))
    steps = rng.normal(0, 0.01, (n, 2, WIDTH)) + (rng.random((n, 2, WIDTH)) < 0.1) * 0.3
    values[:, :2] = 2 + np.cumsum(steps - 0.02, axis=2)
    values[:, 2] = rng.gamma(0.2, 5, (n, WIDTH))
    values[rng.random(values.shape) < holes] = np.nan
    return np.round(values, 3)


def at(p: LevelForecast, values: Floats, **change: Any) -> float:
    return float(score(msgspec.structs.replace(p, **change), view(values)).value[0])


@examples(40)
@given(seed=st.integers(0, 10**6), low=st.floats(1, 5), more=st.floats(0, 3))
def test_the_chance_falls_with_the_threshold_and_grows_with_the_horizon(
    seed: int, low: float, more: float
) -> None:
    values = some(seed)
    at_low, at_high = at(P, values, reach=low), at(P, values, reach=low + more)
    if np.isnan(at_low):
        assert np.isnan(at_high)
        return
    assert 0 <= at_high <= at_low <= 100
    by_horizon = [at(P, values, reach=low, horizon_min=h) for h in (30, 60, 180)]
    assert by_horizon == sorted(by_horizon)


@examples(60)
@given(
    z=st.lists(st.floats(-6, 6), min_size=1, max_size=60),
    counts=st.floats(0, 1),
    bias=st.floats(-2, 2),
    spread=st.floats(0.1, 3),
    many=st.floats(1, 100),
)
def test_what_is_learned_lies_between_the_prior_and_the_errors(
    z: list[float], counts: float, bias: float, spread: float, many: float
) -> None:
    errors = np.array([z])
    found = learned(sums(errors, np.full_like(errors, counts), 3), Prior(bias, spread, many))
    assert min([bias, *z]) - 1e-9 <= found.bias[0] <= max([bias, *z]) + 1e-9
    assert found.spread[0] >= spread / 2
    none = learned(sums(errors, np.zeros_like(errors), 3), Prior(bias, spread, many))
    assert none.bias[0] == pytest.approx(bias)
    assert none.spread[0] == pytest.approx(spread)


@examples(60)
@given(
    climb=st.floats(-1, 50),
    expected=st.floats(0, 50),
    bias=st.floats(-5, 5),
    spread=st.floats(0.03, 5),
    least=st.floats(0.001, 1),
)
def test_a_chance_is_one_only_of_what_is_measured(
    climb: float, expected: float, bias: float, spread: float, least: float
) -> None:
    errors = Errors(np.array([bias]), np.array([spread]))
    found = chance(np.array([climb]), np.array([expected]), errors, least, 0.95)[0]
    assert found == 1 if climb <= 0 else 0 <= found <= 0.95
    more = chance(np.array([climb + 0.1]), np.array([expected]), errors, least, 0.95)[0]
    assert more <= found


@pytest.mark.parametrize("seed", range(8))
def test_arrays_say_what_a_plain_loop_says(seed: int) -> None:
    values = some(seed)
    values[0, 2] = np.nan_to_num(values[0, 2])  # rain that was not heard adds nothing
    found = at(P, values)
    slots = [[None if np.isnan(v) else float(v) for v in x] for x in values[0, :2]]
    loop = plain_loop(P, slots, 600, (), rain=values[0, 2].tolist())
    assert found == pytest.approx(loop, nan_ok=True, rel=1e-9)


def test_without_a_level_there_is_no_chance_and_a_silent_gauge_upstream_leaves_it_to_the_others() -> (
    None
):
    values = some(3, holes=0)
    gone = values.copy()
    gone[0, 0, -P.silent_min // P.slot_min - 1 :] = np.nan
    assert np.isnan(at(P, gone))
    late = values.copy()
    late[0, 0, -1] = np.nan
    assert not np.isnan(at(P, late))
    for dead in (1, 2):
        one = values.copy()
        one[0, dead] = np.nan
        rest = msgspec.structs.replace(
            P, **({"lag_min": (), "gain": ()} if dead == 1 else {"runoff": None})
        )
        kept = np.delete(one, dead, axis=1)
        quantities = tuple(np.delete(ROW, dead))
        alone = score(rest, view(kept)._replace(quantities=quantities)).value[0]
        assert at(P, one) == alone


def test_of_two_gauges_upstream_the_one_that_is_heard_still_says_what_comes() -> None:
    rng = np.random.default_rng(8)
    both = msgspec.structs.replace(P, runoff=None, lag_min=(60, 40), gain=(0.6, 0.4))
    values = np.abs(np.cumsum(rng.normal(0, 0.2, (1, 3, span(both))), axis=2))
    values[0, 2] = np.nan
    one = msgspec.structs.replace(both, lag_min=(60,), gain=(0.6,))

    def said(p: LevelForecast, x: Floats) -> Scored:
        return score(p, View(x, np.zeros(1, np.int64), 600, np.ones(x.shape[:2])))

    assert said(both, values).value[0] == said(one, values[:, :2]).value[0]


def test_a_level_that_is_no_longer_heard_has_not_stopped_rising() -> None:
    p = LevelForecast(reach=3.0, slot_min=10, trend_min=30, memory_h=7, silent_min=60)
    level = np.full((1, 1, span(p)), 2.0)
    level[0, 0, -6:] = (2.0, 2.2, 2.4, 2.6, 2.6, 2.6)

    def chance_of(x: Floats) -> float:
        return float(score(p, View(x, np.zeros(1, np.int64), 600, np.ones((1, 1)))).value[0])

    silent = level.copy()
    silent[0, 0, -2:] = np.nan
    assert chance_of(silent) > 1.5 * chance_of(level)


def test_rain_that_fell_and_a_wave_upstream_raise_the_chance_before_the_level_moves() -> None:
    still = np.zeros((1, 3, WIDTH))
    still[:, :2] = 2.0
    calm = at(P, still)
    rain, wave = still.copy(), still.copy()
    rain[0, 2, -3:] = 30.0
    wave[0, 1, -3:] = (2.8, 3.6, 4.4)
    assert calm < 1
    assert at(P, rain) > 20
    assert at(P, wave) > 20


def test_rises_that_went_on_of_late_make_the_next_one_likelier_than_rises_that_stopped() -> None:
    p = LevelForecast(reach=2.55, trend_min=10, memory_h=24, slot_min=10)
    place = np.arange(144)
    went_on = 1.5 + 0.04 * (place % 20)
    stopped = 1.5 + 0.04 * np.cumsum(place % 10 == 9)
    found = []
    for past in (went_on, stopped):
        values = past.copy()
        values[-3:] = values[-4] = 2.3
        values[-3:] += (0.04, 0.08, 0.12)
        found.append(score(p, view(values[None, None])).value[0])
    assert found[0] > found[1] * 1.2


def test_what_is_measured_is_told_as_no_chance() -> None:
    values = some(5, holes=0)
    values[0, 0, -4:] = (2.0, 2.1, 2.2, 2.3)
    told = tells(P, view(values), "A01")
    assert told.note.startswith("30 min ")
    assert [part.split()[0] for part in str(told.note).split("; ")] == ["30", "60", "180"]
    values[0, 0, -1] = P.reach
    assert at(P, values) == 100
    assert tells(P, view(values), "A01").note == ""
    found = forecast(P, view(values))
    assert all(c[0] == 1 for c in found.chance)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_arrival_does_not_show(seed: int) -> None:
    """A record told in order, and shuffled within what still counts: the same chance at its end."""
    row = SeriesRow("a", "flash_flood", ("here", "up", "r1"), (1.0,) * 3, "stage", quantities=ROW)
    found = []
    values = some(seed, holes=0.05)[0]
    unit = {"stage": 1000, "rain": 10}
    readings = [
        (0, k, (n + 1) * P.slot_min * 60_000, round(float(v) * unit[ROW[k]]))
        for n in range(WIDTH)
        for k in range(3)
        if not np.isnan(v := values[k, n])
    ]
    for shuffled in (False, True):
        rule = SeriesRule("r", KIND, P, [row], (20.0, 40.0, 60.0, 80.0), late_min=60)
        state, told = rule.new(), list(readings)
        if shuffled:
            random_ = random.Random(seed)
            told.sort(key=lambda r: r[2] + random_.randrange(4) * P.slot_min * 60_000)
        for n in range(0, len(told), 7):
            columns = np.array(told[n : n + 7], np.int64).T
            rule.judge(state, *columns, add=np.ones(columns.shape[1], np.bool_))
        found.append(rule.values(state, np.array([0])).value[0])
        again = rule.load(rule.dump(state))
        assert rule.values(again, np.array([0])).value[0] == found[-1]
    assert found[0] == found[1]
    assert not np.isnan(found[0])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"horizon_min": 45}, "45"),
        ({"slot_min": 60, "horizon_min": 30}, "horizon_min"),
        ({"spread": (0.0, 1.0, 1.0)}, "spread"),
        ({"lag_min": (30,)}, "gain"),
        ({"memory_h": 3}, "memory_h"),
        ({"ceiling": 1.0}, "ceiling"),
        ({"least": 0.0}, "least"),
        ({"runoff": {"area_km2": 4.0}}, "slot_min"),
        ({"runoff": {"area_km2": 4.0, "slot_min": 5, "memory_h": 24, "ahead_min": 60}}, "180"),
        ({"runoff": {"area": 4.0}}, "area"),
    ],
)
def test_parameters_that_cannot_be_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises((ValueError, msgspec.ValidationError), match=says):
        msgspec.convert({"reach": 3.0, **wrong}, LevelForecast)
