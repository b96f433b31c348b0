"""Chances held against what came: scores, bins, and that an event left out is not looked at."""

import doctest
import importlib
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.window_rule import Floats
from detectors.water.level_forecast import LevelForecast
from fengsui.cli.root import cli
from skill.forecast import left_out
from skill.forecast.left_out import events_of, fit, measured, moments, said
from skill.forecast.records import PLANS
from skill.forecast.reliability import bins, brier
from tests.support.examples import examples

P = LevelForecast(reach=2.0, slot_min=60, trend_min=60, silent_min=60, memory_h=12)


def record(events: int, seed: int = 3) -> Floats:
    """Hours of a quiet level with floods that rise for some hours, and rises that come to nothing."""
    rng = np.random.default_rng(seed)
    level = 0.5 + 0.02 * rng.random(events * 200 + 60)
    for n in range(events):
        for at, top in ((60 + n * 200, 2.2 + rng.random()), (130 + n * 200, 0.5 + rng.random())):
            rise = np.linspace(0, top, int(rng.integers(5, 9)))
            level[at : at + rise.size] += rise
            fall = top * np.exp(-np.arange(40) / 10)
            level[at + rise.size : at + rise.size + 40] += fall
    return level


def test_the_examples_in_the_texts_run() -> None:
    found = doctest.testmod(importlib.import_module("skill.forecast.reliability"))
    assert found.attempted > 0
    assert found.failed == 0


@examples(60)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_bins_hold_every_moment_once(of: list[tuple[float, bool]]) -> None:
    chance, came = np.array([p for p, _ in of]), np.array([c for _, c in of])
    found = bins(chance, came, np.zeros(len(of), np.int64))
    assert sum(b.many for b in found) == len(of)
    assert sum(b.many * b.forecast for b in found) == pytest.approx(chance.sum())
    assert sum(b.many * b.observed for b in found) == pytest.approx(came.sum())
    assert all(b.low <= b.forecast + 1e-12 and b.events == 1 for b in found)
    assert brier(came.astype(np.float64), came) == 0
    assert 0 <= brier(chance, came) <= 1


def test_events_a_day_apart_are_two_and_each_slot_is_nearest_to_one() -> None:
    level = np.zeros(200)
    level[[50, 60, 120]] = 3.0
    event = events_of(level, 2.0, 3600)
    assert event[0] == event[50] == event[60] == event[90] == 0
    assert event[91] == event[120] == event[199] == 1
    assert not events_of(np.zeros(5), 2.0, 3600).any()


def test_the_forecast_beats_climatology_and_the_level_alone_on_floods_that_rise_for_hours() -> None:
    found = measured([P], record(8), None)
    assert found.events == 8
    for r in found.found:
        assert r.came > 5
        assert r.score < r.others["climatology"]
        assert r.score < r.others["level alone"]
        assert r.others["persistence"] == pytest.approx(r.came / r.many)
        assert sum(b.many for b in r.bins) == r.many
    assert found.chosen.reach == P.reach


def test_an_event_is_forecast_without_having_been_looked_at() -> None:
    """What came in a part does not change what is said in it."""
    whole = moments(P, record(6), None)[60]
    out = whole.event % 3 == 1
    before = said(P, whole.of(out), fit(P, whole.of(~out))[0])
    other = whole._replace(came=np.where(out, ~whole.came, whole.came))
    after = said(P, other.of(out), fit(P, other.of(~out))[0])
    np.testing.assert_array_equal(before, after)
    chances = {name: np.full(whole.came.size, np.nan) for name in ("", *left_out.OTHERS)}
    left_out._forecast([P], [other], out, chances)
    np.testing.assert_array_equal(chances[""][out], before)
    assert np.isnan(chances[""][~out]).all()


def test_moments_are_those_of_the_rule_itself() -> None:
    """What is judged here is what the rule says live: value by value."""
    from detectors.engine.window_rule import View
    from detectors.water.level_forecast import forecast, span

    level = record(2)
    p = msgspec.structs.replace(P, bias=(0.0, -0.3, 0.2), spread=(0.5, 0.4, 0.6), ceiling=0.9)
    whole = moments(p, level, None)[60]
    ours = said(p, whole, left_out.FittedPrior(-0.3, 0.4, 0.9))
    for k in range(0, whole.at.size, 17):
        end = int(whole.at[k])
        window = level[end - span(p) + 1 : end + 1][None, None]
        live = forecast(p, View(window, np.zeros(1, np.int64), 3600, np.ones((1, 1))))
        assert live.chance[0][0] == pytest.approx(ours[k])


def test_one_event_is_too_few() -> None:
    level = np.full(100, 0.5)
    level[50] = 3.0
    with pytest.raises(ValueError, match="two events"):
        measured([P], level, None)


def test_records_that_are_not_there_are_told(tmp_path: Path) -> None:
    run = CliRunner().invoke(cli, ["skill", "--reliability", "--data", str(tmp_path)])
    assert run.exit_code == 0, run.output
    for plan in PLANS:
        assert plan.folder in run.output
    js = CliRunner().invoke(cli, ["skill", "--reliability", "--data", str(tmp_path), "--json"])
    assert [r["absent"] for r in json.loads(js.output)["records"]] == [True] * len(PLANS)
    without = CliRunner().invoke(cli, ["skill", "--reliability"])
    assert without.exit_code != 0
    assert "--data" in str(without.exception)


def test_a_record_of_a_mountain_river_is_read_and_measured(data: Path) -> None:
    """Indian River at Sitka, its first 160 days: the chances are of use, and no worse than they say."""
    from skill.forecast.records import candidates, read

    plan = next(p for p in PLANS if p.folder == "sitka-stage")
    series = read(plan, data)
    found = measured(candidates(plan, series.reach)[:1], series.level[: 160 * 24], None)
    assert found.events >= 5
    for r in found.found:
        assert (r.skill("climatology") or 0) > 0.1
