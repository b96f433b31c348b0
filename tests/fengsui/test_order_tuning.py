"""Orders tuned on simulated storms: the curve, the bill that chooses, and the rows that are written."""

import tomllib
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from config.checks.rules import check_rule_rows
from config.language import Text
from config.load import heard
from config.read.problem import Problem
from config.records.level import Action
from config.records.rules import RuleRow
from detectors.setup.declared import problems
from fengsui.cli.root import cli
from fengsui.play.order_chance import (
    CHANCES_MIN,
    chances,
    high_rows,
    moments,
    slope_chances,
    slope_moments,
)
from fengsui.play.order_rules import (
    basins,
    by_rain,
    dead,
    flood_rows,
    forecast,
    slope_chance_rows,
    slope_row,
    sums,
    with_rows,
)
from fengsui.play.order_tuning import DEBRIS, FLOOD, Candidate, judged, tuned, written
from fengsui.play.scoring import judge_one
from fengsui.play.season import season, seen
from simulators.scenario import KEPT, TRAINING, storm_set
from skill.series.csv_text import SeriesFault
from skill.verify.order_curve import bill, cheapest, curve
from skill.verify.storms import RIVER, StormRow, WarnedVersion, score
from skill.verify.truth import Truth
from stream.environment import Usage
from tests.support.districts import yanqing
from tests.support.examples import examples

AT, MIN = 1_753_531_200_000, 60_000
STORM = storm_set(1, TRAINING)[0]
AHEAD = CHANCES_MIN[-1]


def flood(lead_min: int, need_min: int = 10) -> StormRow:
    return StormRow("A01", FLOOD, AT, AT - lead_min * MIN, lead_min * 60, need_min * 60)


FALSE = StormRow("A02", FLOOD, None, AT, None, 0)
NEVER = StormRow("A03", FLOOD, AT, None, None, 600)


def test_the_cost_of_a_miss_chooses_the_threshold() -> None:
    steps = curve("move", {2.0: [NEVER], 1.0: [flood(30), FALSE, FALSE]})
    assert [s.limit for s in steps] == [1.0, 2.0]
    assert cheapest(steps, 20, 3.0).limit == 1.0
    assert cheapest(steps, 20, 1.0).limit == 2.0
    assert cheapest(steps, 20, 2.0).limit == 2.0  # of equal bills fewer people are ordered
    far = curve("move", {2.0: [NEVER], 1.0: [flood(30, 31), FALSE, FALSE]})
    assert cheapest(far, 20, 3.0).limit == 2.0  # what comes too late for its place is worth nothing
    assert cheapest(steps, 20, 1.0, 0.7).limit == 1.0  # so many must be in time whatever it costs
    assert (
        cheapest(steps, 40, 1.0, 0.7).limit == 2.0
    )  # and where none reaches that, the bill chooses
    assert cheapest(steps, 20, 1.0, 0.0, 0.0).limit == 1.0  # nobody may go without any order


def test_false_orders_are_as_few_as_leads_allow() -> None:
    steps = curve(
        "move",
        {
            1.0: [flood(30), flood(30), FALSE, FALSE, FALSE],
            2.0: [flood(30), flood(30), FALSE],
            3.0: [flood(30), NEVER],
        },
    )
    assert cheapest(steps, 20, 3.0).limit == 2.0
    assert cheapest(steps, 20, 3.0, 0.0, 1.0, 0.2).limit == 3.0
    assert cheapest(steps, 20, 3.0, 0.7, 1.0, 0.2).limit == 2.0  # no lead is given up for it
    assert cheapest(steps, 20, 0.1, 0.0, 0.0, 0.2).limit == 2.0  # and nobody left without an order
    assert cheapest(steps, 40, 3.0, 0.7, 0.0, 0.2).limit == 2.0  # of no aim the first is let go


@examples(50)
@given(cost=st.floats(0.01, 100), more=st.floats(0.01, 100))
def test_a_dearer_miss_never_raises_the_threshold(cost: float, more: float) -> None:
    steps = curve(
        "move",
        {
            1.0: [flood(30), flood(25), FALSE, FALSE],
            2.0: [flood(30), flood(5), FALSE],
            3.0: [NEVER],
        },
    )
    assert cheapest(steps, 20, cost + more).limit <= cheapest(steps, 20, cost).limit
    assert bill(steps[0].figures, cost) == 2


def test_training_storms_are_no_storms_of_a_score() -> None:
    training = {s.seed for s in storm_set(KEPT - TRAINING, TRAINING)}
    assert not training & {s.seed for s in storm_set(TRAINING)}
    assert not training & {s.seed for s in storm_set(200, KEPT)}


def test_a_storm_is_judged_at_every_threshold_and_a_higher_one_orders_later() -> None:
    district = yanqing()
    slope = Candidate(DEBRIS, Text("", ""), (slope_row(district, 25, 0.7),))
    (found,) = judged(district, [slope], STORM)
    steps = curve("move", found)
    assert steps[0].figures.floods > 0
    for low, high in pairwise(steps):
        assert low.figures.never <= high.figures.never
        assert sum(x >= 20 for x in low.figures.leads_min) >= sum(
            x >= 20 for x in high.figures.leads_min
        )


def test_a_forecast_fitted_to_a_storm_sees_its_floods_before_they_come() -> None:
    district = yanqing()
    found = season(district, STORM)
    places = basins(district, found.record)
    assert {b.stage for b in places} <= {s.id for s in district.stations.values()}
    rows = list(flood_rows(places, forecast(sums(found, places), 60)))
    assert problems(with_rows(district, rows)) == []
    flooded = {t.area: t.flooded_at for t in found.truth if t.hazard == FLOOD}
    assert flooded
    for some, least in ((rows, 0.7), (dead(rows), 0.5)):  # of the gauge's own order to move
        for one in seen(district, some, found.record):
            if one.area in flooded:
                before = (one.at < flooded[one.area]) & (one.at > flooded[one.area] - 60 * MIN)
                assert np.nanmax(one.value[before]) > least


def test_a_chance_fitted_to_a_storm_is_high_before_its_floods_and_low_where_none_comes() -> None:
    district = yanqing()
    found = season(district, STORM)
    places = basins(district, found.record)
    every = moments(found, places)
    assert every.flooded[:, -1].sum() > 0 and every.dry[:, -1].sum() > every.flooded[:, -1].sum()
    assert (np.diff(every.flooded, axis=1) >= 0).all()  # a longer time holds the shorter one
    rows = list(flood_rows(places, chances(every, AHEAD)))
    assert problems(with_rows(district, rows)) == []
    flooded = {(t.area, t.hazard): t.flooded_at for t in found.truth}
    told: dict[bool, list[float]] = {True: [], False: []}
    for row in rows:
        for one in seen(district, [row], found.record):
            at = flooded.get((one.area, row.hazard))
            soon = np.zeros(one.at.size, np.bool_)
            if at is not None:
                soon = (one.at < at) & (one.at >= at - AHEAD * MIN)
            sure = one.value[np.isfinite(one.value)]
            assert ((sure >= 0) & (sure <= 1)).all()
            told[True] += one.value[soon].tolist()
            told[False] += one.value[~soon].tolist()
    assert np.nanmean(told[True]) > 3 * np.nanmean(told[False])


def test_the_chance_of_a_slope_is_high_before_it_moves_and_low_where_it_does_not() -> None:
    district = yanqing()
    found = season(district, STORM)
    every = slope_moments(found, district)
    assert every.flooded[:, -1].sum() > 0 and every.dry[:, -1].sum() > every.flooded[:, -1].sum()
    rows = list(slope_chance_rows(district, slope_chances(every, AHEAD)))
    assert problems(with_rows(district, rows)) == []
    slopes = [a.id for a in district.areas.values() if DEBRIS in a.hazards]
    assert sorted(a for r in rows for a in r.areas) == sorted(slopes)
    moved = {t.area: t.flooded_at for t in found.truth if t.hazard == DEBRIS}
    told: dict[bool, list[float]] = {True: [], False: []}
    for one in seen(district, rows, found.record):
        at = moved.get(one.area, 0)
        soon = (one.at < at) & (one.at >= at - AHEAD * MIN)
        told[True] += one.value[soon].tolist()
        told[False] += one.value[~soon].tolist()
    assert np.nanmean(told[True]) > 3 * np.nanmean(told[False])


def test_slopes_without_gauges_in_their_basin_are_judged_by_those_that_watch_them() -> None:
    district = yanqing()
    basin = next(iter(district.basins))
    moved = {
        s.id: msgspec.structs.replace(s, basin="") if s.basin == basin else s
        for s in district.stations.values()
    }
    without = msgspec.structs.replace(district, stations=moved)
    other = next(r for r in slope_chance_rows(without, {}) if not r.stations)
    assert {district.areas[a].basin for a in other.areas} == {basin}
    assert problems(with_rows(without, [other])) == []


def test_one_water_orders_a_place_once_whatever_it_is_called() -> None:
    district = yanqing()
    record = season(district, STORM).record
    both = [a for a in district.areas.values() if {FLOOD, RIVER} <= set(a.hazards)]
    assert both
    rows = list(high_rows(basins(district, record), 0.95))
    ordered = [(a, r.hazard) for r in rows for a in r.areas]
    assert len(ordered) == len({a for a, _ in ordered}) and RIVER not in {h for _, h in ordered}
    # who knows the water as the river's alone is ordered for that
    alone = msgspec.structs.replace(both[0], hazards=(RIVER,))
    other = msgspec.structs.replace(district, areas={**district.areas, alone.id: alone})
    rows = list(high_rows(basins(other, record), 0.95))
    assert [(a, r.hazard) for r in rows for a in r.areas if a == alone.id] == [(alone.id, RIVER)]
    assert len({r.id for r in rows}) == len(rows)
    assert problems(with_rows(other, rows)) == []


def test_a_place_is_scored_once_for_one_water() -> None:
    truth = [Truth("A01", RIVER, AT + MIN), Truth("A01", FLOOD, AT), Truth("A02", RIVER, AT)]
    move = [WarnedVersion(AT - 40 * MIN, 0, Action.MOVE)]
    later = [WarnedVersion(AT - 20 * MIN, 0, Action.MOVE)]
    rows = score(truth, {("A01", RIVER): move, ("A01", FLOOD): later}, "move").rows
    assert [(r.area, r.hazard, r.flooded_at, r.lead_s) for r in rows] == [
        ("A01", FLOOD, AT, 2400),
        ("A02", RIVER, AT, None),
    ]
    # an alarm for the river where only a flash flood came was for that water, and for none where none came
    assert score(truth[1:2], {("A01", RIVER): move}, "move").hits == 1
    assert score([], {("A01", RIVER): move, ("A01", FLOOD): later}, "move").false_alarms == 1


def test_a_level_that_is_high_orders_whatever_the_chance_is() -> None:
    district = yanqing()
    places = basins(district, season(district, STORM).record)
    rows = tuple(flood_rows(places, chances(moments(season(district, STORM), places), AHEAD)))
    alone = Candidate(FLOOD, Text("", ""), rows)
    both = alone._replace(last=tuple(high_rows(places, 0.8)))
    first, second = (curve("move", one)[-1] for one in judged(district, [alone, both], STORM))
    assert second.figures.never < first.figures.never or first.figures.never == 0
    assert second.figures.false >= first.figures.false


def test_odds_by_rain_alone_are_taken_down() -> None:
    district = yanqing()
    places = basins(district, season(district, STORM).record)
    row = next(flood_rows(places, chances(moments(season(district, STORM), places), AHEAD)))
    (whole,) = {id(o.value): o for o in seen(district, dead([row]), season(district, STORM).record)
                if o.area == row.areas[0]}.values()  # fmt: skip
    less = seen(district, dead([by_rain(row, 0.5)]), season(district, STORM).record)[0]
    odds = whole.value / (1 - whole.value) / 2
    np.testing.assert_allclose(less.value, odds / (1 + odds), rtol=0.01, atol=1e-4)


def test_what_is_said_by_rain_alone_is_taken_down_and_nothing_else() -> None:
    district = yanqing()
    found = season(district, STORM)
    rows = list(
        flood_rows(places := basins(district, found.record), forecast(sums(found, places), 45))
    )
    less = [by_rain(r, 0.5) for r in rows]
    assert problems(with_rows(district, less)) == []
    whole = seen(district, dead(rows), found.record)
    for one, half in zip(whole, seen(district, dead(less), found.record), strict=True):
        np.testing.assert_allclose(half.value, one.value / 2, rtol=0.01, atol=0.01)
    for one, same in zip(
        seen(district, rows, found.record), seen(district, less, found.record), strict=True
    ):
        np.testing.assert_array_equal(one.value, same.value)
    silent = by_rain(rows[0], None)
    assert not any(k.startswith("unseen") for k in silent.parameters)
    assert all(np.isnan(one.value).all() for one in seen(district, dead([silent]), found.record))


def test_the_declared_rules_are_scored_by_themselves() -> None:
    said = CliRunner().invoke(
        cli, ["simulate", "--seeds", "1", "--from", str(TRAINING), "--rules-only"]
    )
    district = yanqing()
    floods = {
        (t.area, FLOOD if t.hazard == RIVER else t.hazard) for t in season(district, STORM).truth
    }
    found = judge_one(district, STORM).scores
    assert said.exit_code == 0 and f"成灾 {len(floods)}" in said.output
    assert "若预知每条溪的最高水位" in said.output
    for tier in ("move", "prepare"):
        rows = found[tier].rows  # type: ignore[index]
        assert {(r.area, r.hazard) for r in rows if r.flooded_at is not None} == floods
        assert any(r.in_time for r in rows)
    assert found["prepare"].false_alarms >= found["move"].false_alarms
    refused = CliRunner().invoke(cli, ["simulate", "--rules-only", "--faults"])
    assert isinstance(refused.exception, Usage)


def test_areas_on_one_gauge_see_the_same() -> None:
    district = yanqing()
    found = season(district, STORM)
    row = RuleRow(
        id="s", kind="quantity_above", hazard=FLOOD, quantity="stage", source="", stations=("S01",),
        areas=("A01", "A02"),
    )  # fmt: skip
    first, second = seen(district, [row], found.record)
    assert (first.area, second.area) == ("A01", "A02")
    assert np.array_equal(first.value, second.value)


def test_the_rows_that_are_written_can_be_read_and_say_what_they_rest_on() -> None:
    district = yanqing()
    chosen = tuned(district, 1)
    flood = next(one for one in chosen if one.candidate.hazard == FLOOD)
    assert flood.dead is not None  # no more false orders without a level than with it
    assert flood.dead.figures.false <= flood.move.figures.false
    body = tomllib.loads(written(chosen))
    rows = [msgspec.convert(r, RuleRow) for r in body["rule"]]
    assert all("by rain alone" in r.source for r in rows if r.hazard != DEBRIS)
    assert {r.hazard for r in rows} == {FLOOD, DEBRIS}
    assert problems(with_rows(district, rows)) == []
    faults: list[Problem] = []
    watches = list(enumerate(district.watches))
    check_rule_rows(
        faults,
        msgspec.structs.replace(district.rules, rule=tuple(rows)),
        district.areas,
        district.stations,
        heard(district.areas, watches),
    )
    assert faults == []
    for r in rows:
        assert r.move is not None and r.prepare is not None and r.prepare <= r.move
        assert "--simulated --seeds 1" in r.source and f"{TRAINING}–{TRAINING}" in r.source


def test_without_any_flood_no_rule_is_written() -> None:
    with pytest.raises(SeriesFault, match="nothing floods"):
        written([])


@pytest.mark.parametrize(
    "more",
    [["--observations", "x.csv"], ["--table", "x.csv"], ["--seeds", "0"], ["--seeds", "501"]],
)
def test_what_cannot_be_tuned_on_storms_is_refused(tmp_path: Path, more: list[str]) -> None:
    out = tmp_path / "rules.toml"
    found = CliRunner().invoke(cli, ["tune", "--simulated", "--out", str(out), *more])
    assert found.exit_code != 0
    assert not out.exists()
