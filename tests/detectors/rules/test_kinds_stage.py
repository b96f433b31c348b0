"""The rules on trends and thresholds of single gauges, against scipy, plain loops and real rivers."""

import csv
import gzip
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from detectors.engine.window_rule import Floats, Scored, View
from detectors.setup.registry import KINDS
from detectors.statistics.mann_kendall import MannKendall
from detectors.statistics.quantity_threshold import Above
from detectors.statistics.quantity_trend import Rise
from detectors.statistics.robust_slope import kendall, slopes
from detectors.water.rise_rate import RiseRate
from detectors.water.stage_projection import StageProjection
from tests.support.by_scipy import stats
from tests.support.examples import examples

Series = list[float | None]
series = st.lists(
    st.one_of(st.none(), st.integers(-8, 40).map(lambda x: x / 10)), min_size=12, max_size=12
)


def windows(values: Floats, width: int) -> Floats:
    """(n, 1, W): a row for each slot, as the engine would judge it."""
    padded = np.concatenate((np.full(width - 1, np.nan), values))
    return sliding_window_view(padded, width)[:, None, :]


def run(kind: str, p: Any, values: Floats) -> Scored:
    n = len(values)
    k = KINDS[kind]
    assert values.shape[2] == k.span(p)
    view = View(values, np.zeros(n, np.int64), k.slot_s(p), np.ones((n, 1)))
    return k.score(p, view)


def one(kind: str, p: Any, values: Series) -> Scored:
    return run(kind, p, np.array([[[np.nan if v is None else v for v in values]]]))


def points(values: Series) -> tuple[list[float], list[int]]:
    return [v for v in values if v is not None], [n for n, v in enumerate(values) if v is not None]


@examples(150)
@given(values=series, confidence=st.sampled_from([0.5, 0.8, 0.9, 0.99]))
def test_slopes_and_their_interval_are_those_of_scipy(values: Series, confidence: float) -> None:
    y, t = points(values)
    array = np.array([[np.nan if v is None else v for v in values]] * 2)
    array[1] = np.arange(12)  # beside a full row the slots of none are there too
    found = slopes(array, confidence)
    assert found.points[0] == len(y)
    if len(y) < 2:
        assert np.isnan(found.median[0])
        return
    theirs = stats().theilslopes(y, t, alpha=confidence)
    assert found.median[0] == pytest.approx(theirs.slope)
    if len(y) > 2:
        assert found.low[0] == pytest.approx(theirs.low_slope)
        assert found.high[0] == pytest.approx(theirs.high_slope)


@examples(150)
@given(values=series)
def test_mann_kendall_is_a_count_of_pairs_and_agrees_with_scipy(values: Series) -> None:
    y, t = points(values)
    s, variance, many = kendall(np.array([[np.nan if v is None else v for v in values]]))
    assert many[0] == len(y)
    assert s[0] == sum((b > a) - (b < a) for a, b in combinations(y, 2))
    z = one("mann_kendall", MannKendall(window_s=43_200, min_points=4), values).value[0]
    if len(y) < 4:
        assert np.isnan(z)
        return
    if len(set(y)) == 1:
        assert z == 0
        return
    p = (
        stats().kendalltau(t, y, method="asymptotic").pvalue
    )  # without the correction of one for steps
    assert 2 * stats().norm.sf(abs(s[0]) / np.sqrt(variance[0])) == pytest.approx(p)
    assert z == pytest.approx((s[0] - np.sign(s[0])) / np.sqrt(variance[0]))


def test_trend_by_chance_is_as_rare_as_it_should_be() -> None:
    noise = np.random.default_rng(5).normal(size=(4000, 1, 24))
    z = run("mann_kendall", MannKendall(), noise).value
    assert 0.035 < (z >= 1.645).mean() < 0.065
    assert (z >= 3.09).mean() < 0.004


@examples(100)
@given(values=series, ahead=st.sampled_from([0, 30, 90]))
def test_the_projection_follows_the_line_and_never_falls_below_the_newest(
    values: Series, ahead: int
) -> None:
    y, t = points(values)
    p = StageProjection(ahead_min=ahead, min_points=4)
    found = one("stage_projection", p, values)
    if len(y) < 4:
        assert np.isnan(found.value[0])
        return
    slope = stats().theilslopes(y, t).slope
    expected = y[-1] + max(0, slope) * (ahead / 5 + 11 - t[-1])
    assert found.value[0] == pytest.approx(expected)
    assert found.per_h[0] == pytest.approx(slope * 12)
    low, high = (
        one("stage_projection", StageProjection(ahead_min=ahead, min_points=4, bound=b), values)
        for b in ("lower", "upper")
    )
    assert low.value[0] - 1e-9 <= found.value[0] <= high.value[0] + 1e-9


@examples(100)
@given(values=series, lift=st.floats(-50, 50), scale=st.floats(0.1, 9))
def test_rates_do_not_know_the_datum_and_scale_with_the_unit(
    values: Series, lift: float, scale: float
) -> None:
    moved: Series = [None if v is None else v * scale + lift for v in values]
    for kind, p in (
        ("rise_rate", RiseRate(window_min=60)),
        ("rise_rate", RiseRate(window_min=60, how="most")),
        ("quantity_rise", Rise()),
    ):
        a, b = one(kind, p, values).value[0], one(kind, p, moved).value[0]
        assert b == pytest.approx(a * scale, rel=1e-6, abs=1e-6, nan_ok=True)


@examples(100)
@given(values=series)
def test_the_steepest_rise_is_that_of_a_plain_loop(values: Series) -> None:
    y, t = points(values)
    found = one("rise_rate", RiseRate(window_min=60, how="most"), values).value[0]
    if len(y) < 3:
        assert np.isnan(found)
        return
    rates = [(y[-1] - a) / (t[-1] - n) * 12 for a, n in zip(y[:-1], t[:-1], strict=True)]
    assert found == pytest.approx(max(rates))


def test_one_spike_moves_no_robust_rate() -> None:
    steady: Series = [1 + 0.01 * n for n in range(12)]
    spiked = [*steady[:5], 30.0, *steady[6:]]
    for kind, p in (("rise_rate", RiseRate(window_min=60)), ("quantity_rise", Rise())):
        a, b = one(kind, p, steady).value[0], one(kind, p, spiked).value[0]
        assert a == pytest.approx(0.12)
        assert b == pytest.approx(0.12, rel=0.05)


@examples(100)
@given(values=series, least=st.integers(1, 6))
def test_a_threshold_takes_what_it_says(values: Series, least: int) -> None:
    y, _ = points(values)
    expected = {"newest": y[-1:], "mean": [sum(y) / max(len(y), 1)], "highest": [max(y, default=0)]}
    expected["lowest"] = [min(y, default=0)]
    for take, value in expected.items():
        p = Above(over_s=720, take=take, min_points=least)  # type: ignore[arg-type]
        found = one("quantity_above", p, values).value[0]
        if len(y) < least:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(value[0])


def test_low_and_falling_kinds_are_the_worse_the_lower() -> None:
    assert [k for k in sorted(KINDS) if KINDS[k].falling] == ["quantity_below", "quantity_fall"]
    assert {KINDS[k].gather for k in ("quantity_below", "quantity_fall")} == {"min"}
    falling: Series = [5.0 - 0.1 * n for n in range(12)]
    p = KINDS["quantity_fall"].parameters()
    assert one("quantity_fall", p, falling).value[0] == pytest.approx(-1.2)


def test_large_batches_are_cut_and_give_the_same() -> None:
    values = np.random.default_rng(1).normal(size=(900, 1, 144)).round(1)
    values[np.random.default_rng(2).random(values.shape) < 0.3] = np.nan
    p = MannKendall(window_s=144 * 3600)
    whole, cut = run("mann_kendall", p, values).value, run("mann_kendall", p, values[700:]).value
    np.testing.assert_array_equal(whole[700:], cut)
    a, b = slopes(values[:, 0]), slopes(values[700:, 0])
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x[700:], y)


def stage_of(folder: Path, station: str, step_s: int) -> tuple[Floats, int]:
    """A gauge as slots of `step_s`, NaN where it has no value, and the first slot."""
    with gzip.open(folder / "observations.csv.gz", "rt") as file:
        rows = [r for r in csv.DictReader(file) if r["station"] == station]
    slot = np.array([int(datetime.fromisoformat(r["time"]).timestamp()) // step_s for r in rows])
    values = np.full(slot.max() - slot.min() + 1, np.nan)
    values[slot - slot.min()] = [float(r["value"]) for r in rows]
    return values, int(slot.min())


def test_a_flashy_stream_is_called_before_it_floods(data: Path) -> None:
    """Plumtree Run, 13 floods in two years. A sure rise (`lower`) calls a good part of them at
    least a quarter of an hour before; the upper bound calls more, for more false calls."""
    folder = data / "usgs-stage-5min"
    stage, first = stage_of(folder, "plumtree", 300)
    with (folder / "events.csv").open() as file:
        floods = [
            int(datetime.fromisoformat(r["start"]).timestamp()) // 300 - first
            for r in csv.DictReader(file)
        ]
    called, alarms = {}, {}
    for bound in ("lower", "upper"):
        p = StageProjection(window_min=30, ahead_min=60, bound=bound, min_points=3)  # type: ignore[arg-type]
        value = run("stage_projection", p, windows(stage, 6)).value
        on = np.nonzero(value >= 0.914)[0]
        start = on[np.concatenate(([True], np.diff(on) > 72))]
        called[bound] = sum(bool(((start >= f - 72) & (start <= f - 3)).any()) for f in floods)
        alarms[bound] = len(start)
    assert called["lower"] >= 5
    assert called["upper"] > called["lower"]
    assert alarms["lower"] < 0.5 * alarms["upper"]


def test_on_a_real_river_the_window_gives_what_scipy_gives(data: Path) -> None:
    stage, _ = stage_of(data / "kenduskeag-hourly", "kenduskeag", 3600)
    p = Rise(window_s=24 * 3600, slot_s=3600)
    found = run("quantity_rise", p, windows(stage[:1500], 24)).value
    for at in range(30, 1500, 97):
        y = stage[at - 23 : at + 1]
        t = np.nonzero(~np.isnan(y))[0]
        assert found[at] == pytest.approx(stats().theilslopes(y[t], t).slope, abs=1e-12)


def test_the_landslide_of_2015_came_on_a_steep_rise(data: Path) -> None:
    """Sitka: 2.5 ft of rise at more than 0.5 ft an hour is rare, and was there on 18 August 2015."""
    stage, first = stage_of(data / "sitka-stage", "indian-river", 3600)
    p = RiseRate(window_min=360, slot_min=60)
    rate = run("rise_rate", p, windows(stage, 6)).value
    slide = int(datetime.fromisoformat("2015-08-18T17:41:00+00:00").timestamp()) // 3600 - first
    before = np.nanmax(rate[slide - 6 : slide + 1])
    assert before >= 0.5 * 0.3048
    assert np.nanmean(rate >= before) < 0.005
