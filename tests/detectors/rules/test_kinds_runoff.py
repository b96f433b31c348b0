"""Rain to discharge, and upstream to downstream: mass balance, worked examples, plain loops."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.window_rule import View
from detectors.water import travel_time
from detectors.water.runoff import gr4h, unit_hydrograph
from detectors.water.runoff.gr4h import Gr4h, ordinates
from detectors.water.runoff.unit_hydrograph import (
    UnitHydrograph,
    discharge,
    effective,
    hydrograph,
    runoff,
)
from detectors.water.travel_time import TravelTime
from tests.support.examples import examples

SHAPES: list[dict[str, Any]] = [
    {"shape": "nash", "n": 3.0, "k_h": 0.7},
    {"shape": "nash", "n": 1.0, "k_h": 1.3},
    {"shape": "nash", "n": 2.5, "k_h": 0.1},
    {"shape": "scs", "tc_h": 2.0},
    {"shape": "scs", "tc_h": 0.4},
]
storms = st.lists(st.one_of(st.just(0.0), st.floats(0, 40)), min_size=24, max_size=24)


def catchment(**more: Any) -> UnitHydrograph:
    return UnitHydrograph(**({"area_km2": 12.0, "memory_h": 12, "slot_min": 30} | more))


@pytest.mark.parametrize("shape", SHAPES)
@examples(25)
@given(storm=storms, cn=st.floats(40, 98))
def test_every_drop_that_runs_off_passes_the_outlet(
    shape: dict[str, Any], storm: list[float], cn: float
) -> None:
    p = catchment(cn=cn, ahead_min=48 * 60, **shape)
    rain = np.array([storm])
    to_come = discharge(p, rain)[0]
    # what passed before now, slot by slot as the storm came, and what is still to come
    passed = [discharge(p, np.pad(rain[:, :n], ((0, 0), (24 - n, 0))))[0, 0] for n in range(1, 24)]
    volume = (sum(passed) + to_come.sum()) * 1800
    assert volume == pytest.approx(effective(p, rain).sum() / 1000 * 12e6, rel=2e-3, abs=1.0)


@examples(40)
@given(storm=storms, slots=st.integers(1, 6))
def test_rain_that_goes_on_gives_what_it_would_have_given(storm: list[float], slots: int) -> None:
    plain = catchment(ahead_min=180)
    going = catchment(ahead_min=180, goes_on_min=slots * 30)

    def view(rain: list[float]) -> View:
        return View(np.array([[rain]]), np.array([0]), 1800, np.ones((1, 1)))

    now = unit_hydrograph.score(plain, view(storm)).value[0]
    rained = [*storm[slots:], *[storm[-1]] * slots]  # half an hour holds the last quarter of one
    left = catchment(ahead_min=180 - slots * 30)
    found = unit_hydrograph.score(going, view(storm))
    assert found.value[0] == pytest.approx(
        max(now, unit_hydrograph.score(left, view(rained)).value[0])
    )
    assert 0 <= found.window_min[0] <= 180


@pytest.mark.parametrize("shape", SHAPES)
def test_a_unit_hydrograph_has_its_lag_and_holds_one(shape: dict[str, Any]) -> None:
    p = catchment(memory_h=24, slot_min=5, **shape)
    u = hydrograph(p)
    assert (u >= -1e-12).all()
    assert u.sum() == pytest.approx(1.0, abs=2e-3)
    hours = (np.arange(u.size) + 0.5) * 5 / 60 - 2.5 / 60  # from the middle of the rain
    if p.shape == "nash":
        assert (u * hours).sum() == pytest.approx(p.n * p.k_h, rel=0.02, abs=0.02)
    else:  # the peak of the triangle; its time from the middle of the rain is 0.6 tc
        assert hours[u.argmax()] == pytest.approx(0.6 * p.tc_h, abs=5 / 60)
        # 0.208 A / Tp m3/s for a millimetre (NEH 630, equation 16-6 with base 2.67 Tp)
        if p.tc_h > 1:
            assert u.max() / 300 * 1000 == pytest.approx(0.208 / (0.6 * p.tc_h), rel=0.03)


@pytest.mark.parametrize(
    ("rain_in", "cn", "runoff_in"),
    [(6.0, 80, 3.78), (4.0, 75, 1.67), (2.0, 80, 0.56), (5.0, 90, 3.88), (1.0, 60, 0.0)],
)
def test_runoff_is_that_of_the_curve_number_table(
    rain_in: float, cn: float, runoff_in: float
) -> None:
    found = runoff(np.zeros(1), np.array([rain_in * 25.4]), cn, 0.2)[0]
    assert found / 25.4 == pytest.approx(runoff_in, abs=0.006)


def test_wet_ground_sheds_more_and_forgets() -> None:
    p = catchment(cn=70.0, memory_h=48)
    rain = np.zeros((3, 96))
    rain[:, -4:] = 15.0
    rain[1, -20:-10] = 6.0
    rain[2, :10] = 6.0
    dry, wet, old = effective(p, rain)[:, -4:].sum(axis=1)
    assert dry < old < wet


@examples(40)
@given(storm=storms)
def test_the_value_is_the_crest_still_to_come(storm: list[float]) -> None:
    p = catchment(ahead_min=240)
    rain = np.array([[storm]])
    view = View(rain, np.zeros(1, np.int64), 1800, np.ones((1, 1)))
    found = unit_hydrograph.KIND.score(p, view)
    u, run_off = hydrograph(p), effective(p, rain[:, 0])[0]
    flow = [sum(run_off[s] * u[23 + a - s] for s in range(24)) * 12e3 / 1800 for a in range(9)]
    assert found.value[0] == pytest.approx(max(flow), abs=1e-9)
    if max(flow) > 1e-6:
        assert flow[int(found.window_min[0]) // 30] == pytest.approx(max(flow))


def test_the_crest_is_told_before_it_passes() -> None:
    p = catchment(cn=85.0, shape="scs", tc_h=3.0, ahead_min=240)
    rain = np.zeros((1, 1, 24))
    rain[..., -2:] = 30.0
    found = unit_hydrograph.KIND.score(p, View(rain, np.zeros(1, np.int64), 1800, np.ones((1, 1))))
    assert 60 <= found.window_min[0] <= 180
    assert found.value[0] > 2 * discharge(p, rain[:, 0])[0, 0]


# --- GR4


def plain_gr4(p: Gr4h, rain: list[float], pe: float) -> list[float]:
    """One catchment, one hour after another, with queues in place of arrays."""

    def s1(t: float) -> float:
        return min(max(t / p.x4, 0.0), 1.0) ** 1.25

    def s2(t: float) -> float:
        x = t / p.x4
        return 0.5 * x**1.25 if x <= 1 else 1 - 0.5 * max(2 - x, 0.0) ** 1.25

    one, two = ([0.0] * 64 for _ in range(2))
    s, r, flow = p.start_s * p.x1, p.start_r * p.x3, []
    for rained in rain:
        if rained >= pe:
            w = math.tanh((rained - pe) / p.x1)
            ps = p.x1 * (1 - (s / p.x1) ** 2) * w / (1 + s / p.x1 * w)
            s, left = s + ps, rained - pe - ps
        else:
            w = math.tanh((pe - rained) / p.x1)
            s, left = s - s * (2 - s / p.x1) * w / (1 + (1 - s / p.x1) * w), 0.0
        leak = s * (1 - (1 + (4 / 21 * s / p.x1) ** 4) ** (-1 / 4))
        s, left = s - leak, left + leak
        for k in range(64):
            one[k] += 0.9 * left * (s1(k + 1) - s1(k))
            two[k] += 0.1 * left * (s2(k + 1) - s2(k))
        f = p.x2 * (r / p.x3) ** 3.5
        r = max(0.0, r + one.pop(0) + f)
        out = r * (1 - (1 + (r / p.x3) ** 4) ** (-1 / 4))
        r -= out
        flow.append(out + max(0.0, two.pop(0) + f))
        one.append(0.0)
        two.append(0.0)
    return flow


@examples(40)
@given(
    rain=st.lists(st.one_of(st.just(0.0), st.floats(0, 60)), min_size=48, max_size=48),
    x1=st.floats(50, 900),
    x2=st.floats(-1, 1),
    x3=st.floats(10, 200),
    x4=st.floats(0.5, 20),
    pe=st.floats(0, 1),
)
def test_the_model_is_that_of_a_plain_loop(
    rain: list[float], x1: float, x2: float, x3: float, x4: float, pe: float
) -> None:
    p = Gr4h(area_km2=5.0, x1=x1, x2=x2, x3=x3, x4=x4, pe_mm_h=(pe,))
    found = gr4h.run(p, np.array([rain, rain]), np.full((2, 48), pe))
    np.testing.assert_allclose(found.flow[0], plain_gr4(p, rain, pe), rtol=1e-9, atol=1e-12)
    # water: what was there and fell = what left, evaporated, went to the ground and is there
    held = p.start_s * x1 + p.start_r * x3
    out = found.flow[0].sum() + found.evaporated[0] - found.exchanged[0] + found.stored[0]
    assert held + sum(rain) == pytest.approx(out, rel=1e-9)


@pytest.mark.parametrize("x4", [0.5, 1.0, 1.7, 6.0, 23.4])
def test_the_hydrographs_of_the_model_hold_one(x4: float) -> None:
    one, two = ordinates(x4)
    assert one.sum() == pytest.approx(1)
    assert two.sum() == pytest.approx(1)
    assert (one > 0).all()
    assert (two > 0).all()


def test_evaporation_follows_the_month() -> None:
    months = tuple(float(m) for m in range(1, 13))
    p = Gr4h(area_km2=5.0, x1=300.0, x2=0.0, x3=50.0, x4=4.0, pe_mm_h=months, ahead_h=3)
    end = 1_753_999_200_000  # 31 July 2025, 22:00 UTC
    pe = gr4h._pe(p, np.array([end]), 4)[0]
    assert list(pe) == [7, 7, 7, 7, 7, 8, 8]  # to 22:00; then 23:00, and August from 0:00 on


# --- travel time

levels = st.lists(
    st.one_of(st.none(), st.integers(0, 50).map(lambda x: x / 10)), min_size=9, max_size=9
)


@examples(150)
@given(a=levels, b=levels, here=levels, spread=st.sampled_from([0, 10, 20]), use=st.booleans())
def test_the_forecast_is_that_of_a_plain_loop(
    a: list[float | None],
    b: list[float | None],
    here: list[float | None],
    spread: int,
    use: bool,
) -> None:
    p = TravelTime(
        lag_min=(60, 30), gain=(0.8, 0.5), offset=0.3, spread_min=spread, slot_min=10,
        downstream=use,
    )  # fmt: skip
    span, lags, gains = travel_time.span(p), (6, 3), (0.8, 0.5)
    a, b, here = a[-span:], b[-span:], here[-span:]
    values = np.array([[[np.nan if v is None else v for v in x] for x in (a, b, here)]])
    found = travel_time.KIND.score(p, View(values, np.zeros(1, np.int64), 600, np.ones((1, 3))))

    def forecast(tau: int) -> float | None:
        total = 0.3
        for x, lag, gain in zip((a, b), lags, gains, strict=True):
            at = [span - 1 + tau - lag + d for d in range(-spread // 10, spread // 10 + 1)]
            seen = [v for n in at if 0 <= n < span and (v := x[n]) is not None]
            if not seen:
                return None
            total += gain * max(seen)
        return total

    newest = next((v for v in reversed(here) if v is not None), None) if use else None
    now = forecast(0)
    error = newest - now if newest is not None and now is not None else 0.0
    every = {tau: f + error for tau in range(4) if (f := forecast(tau)) is not None}
    expected = max([*every.values(), *([] if newest is None else [newest])], default=None)
    if expected is None:
        assert np.isnan(found.value[0])
        return
    assert found.value[0] == pytest.approx(expected)
    if every:
        assert every[int(found.window_min[0]) // 10] == pytest.approx(max(every.values()))


def test_a_wave_upstream_is_told_its_travel_time_ahead() -> None:
    p = TravelTime(lag_min=(60,), gain=(0.6,), offset=0.2, spread_min=0, slot_min=10)
    up = np.array([[[1.0] * 6 + [4.0]]])
    found = travel_time.KIND.score(p, View(up, np.zeros(1, np.int64), 600, np.ones((1, 1))))
    assert (found.value[0], found.window_min[0]) == (pytest.approx(2.6), 60)
    assert found.per_h[0] > 0


def test_too_few_stations_say_nothing() -> None:
    p = TravelTime(lag_min=(60, 30), gain=(1.0, 1.0))
    up = np.ones((2, 1, travel_time.span(p)))
    found = travel_time.KIND.score(p, View(up, np.zeros(2, np.int64), 300, np.ones((2, 1))))
    assert np.isnan(found.value).all()
