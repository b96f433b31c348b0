"""A stream whose level gauge is not heard: what it said last is told as of then, and the rest is foretold
from rain, which raises and calls nothing over."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import Text, zh
from config.records.level import Action
from config.records.rule_kinds import rule_words
from config.records.rules import RuleRow
from detectors.detection import Detection
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesRow
from detectors.engine.window_rule import View
from detectors.setup.registry import KINDS
from detectors.water.flood_score import FloodScore
from detectors.water.level_and_rain import LevelAndRain
from dispatch.words.evidence import evidence
from ingest.observation import Observation, Observations, Service
from stream.records import Tick
from tests.support.detect_faults import MINUTE, START, Line, reading
from tests.support.districts import yanqing
from tests.support.examples import examples

NAN = float("nan")
FORM: dict[str, Any] = {
    "zero_m": 0.0,
    "flood_m": 2.0,
    "slot_min": 5,
    "silent_min": 30,
    "weights": {"level": 1.0, "rise_10min": 6.0, "rise_20min": -4.0, "rain_15min": 0.01},
}
SEEN = FloodScore(**FORM)
UNSEEN = FloodScore(
    **FORM, unseen_min=15, unseen_intercept=-0.1, unseen={"rain_15min": 0.05, "rain_30min": 0.02}
)
KIND = KINDS["flood_score"]
WIDTH = 12


def value(p: FloodScore, level: Sequence[float], rain: Sequence[float] = ()) -> float:
    """Oldest first, up to now; nothing before them was heard of the level, and it was dry."""
    stage = [NAN] * (WIDTH - len(level)) + list(level)
    fell = [0.0] * (WIDTH - len(rain)) + list(rain)
    view = View(np.array([[stage, fell]]), np.array([0]), 300, np.ones((1, 2)))
    return float(KIND.score(p, view).value[0])


@examples(60)
@given(st.lists(st.floats(0, 3), min_size=6, max_size=6), st.integers(1, 6), st.floats(0, 20))
def test_a_level_that_is_no_longer_heard_is_told_as_of_when_it_was(
    level: list[float], ago: int, rain: float
) -> None:
    """To say that it has risen no more since would be to say that it stands still."""
    then = value(SEEN, level)
    assert value(SEEN, [*level, *[NAN] * ago]) == pytest.approx(then)
    more = value(SEEN, [*level, *[NAN] * ago], [rain])
    assert more == pytest.approx(then + 0.01 * rain)


@examples(60)
@given(
    st.floats(0, 1), st.floats(0, 0.1), st.sets(st.integers(4, 10), max_size=7),
)  # fmt: skip
def test_a_rise_belongs_to_the_whole_gap_in_which_it_was_not_heard(
    low: float, step: float, lost: set[int]
) -> None:
    """Storm 501: a gauge that fell to zero for half an hour and came back had risen evenly meanwhile,
    and its rise of ten minutes was taken for that of forty: four villages were ordered out."""
    level = [low + step * n for n in range(WIDTH)]
    heard = [NAN if n in lost else v for n, v in enumerate(level)]
    assert value(SEEN, heard) == pytest.approx(value(SEEN, level))


def test_after_so_many_minutes_rain_alone_speaks_if_it_says_more() -> None:
    level, rain = [0.2] * 5, [10.0] * 3
    alone = -0.1 + (0.05 + 0.02) * 30
    assert value(UNSEEN, level, rain) == value(SEEN, level, rain) < 1
    assert value(UNSEEN, [*level, NAN, NAN], rain) == value(SEEN, level, rain)
    assert value(UNSEEN, [*level, NAN, NAN, NAN], rain) == pytest.approx(alone)
    assert value(UNSEEN, [], rain) == pytest.approx(alone)
    high = [*[1.9] * 5, NAN, NAN, NAN]  # what was said last, if that is more
    assert value(UNSEEN, high, [0.0] * 3) == pytest.approx(value(SEEN, high)) == pytest.approx(0.95)


def test_without_level_and_rain_nothing_is_said() -> None:
    assert np.isnan(value(SEEN, [], [10.0] * 3))
    assert np.isnan(value(UNSEEN, [], [NAN] * WIDTH))


def test_it_says_that_it_goes_by_rain_alone_and_by_which_gauges() -> None:
    def tells(level: list[float]) -> Any:
        stage = [NAN] * (WIDTH - len(level)) + level
        view = View(np.array([[stage, [1.0] * WIDTH]]), np.array([0]), 300, np.ones((1, 2)))
        return KIND.tells(UNSEEN, view, "A01")

    assert tells([0.2] * 5).note == "" and tells([0.2] * 5).inputs == ()
    blind = tells([0.2, NAN, NAN, NAN])
    assert zh(blind.note) == "水位不明，只凭雨量" and blind.inputs == (1,)


@pytest.mark.parametrize("level", ["level", "rise_10min", "level_rain_10min", "level_squared"])
def test_what_needs_a_level_is_refused_for_when_there_is_none(level: str) -> None:
    with pytest.raises(ValueError, match="needs a level"):
        FloodScore(**FORM, unseen={level: 1.0})
    with pytest.raises(ValueError, match="unseen_min"):
        FloodScore(**FORM, unseen_min=35)


def test_rain_alone_raises_an_order_and_calls_none_over_while_it_has_rained() -> None:
    row = SeriesRow("a", "flash_flood", ("s", "g"), (1.0, 1.0), "stage", ("stage", "rain"))
    rule = SeriesRule("r", KIND, UNSEEN, [row], (None,) * 4, (0.7, 1.0), hold_min=30)
    state, none = rule.new(), np.zeros(1, np.int64)

    def hear(minute: int, mm: float | None, m: float | None) -> list[int]:
        at, said = np.array([START + minute * MINUTE]), []
        for of_, count in ((1, mm and round(mm * 10)), (0, m and round(m * 1000))):
            if count is not None:
                new = rule.judge(state, none, none + of_, at, np.array([count]))
                said += [c.action for c in new]
        return said

    said = [a for m in range(0, 30, 5) for a in hear(m, 0.0, 0.2)]
    said += [a for m in range(30, 60, 5) for a in hear(m, 10.0, None)]
    assert said == [1, 2] or said == [2]
    dry = 5 * rule.span
    assert [a for m in range(60, 55 + dry, 5) for a in hear(m, 0.0, None)] == []
    again = rule.load(rule.dump(state))
    assert [a for m in range(60 + dry, 150 + dry, 5) for a in hear(m, 0.0, None)][-1] == 0
    # the next storm is told as new, though nobody has heard the level since
    assert [a for m in range(150 + dry, 180 + dry, 5) for a in hear(m, 10.0, None)][-1] == 2
    state = again  # and with the level it falls after its hold
    assert [a for m in range(60 + dry, 150 + dry, 5) for a in hear(m, 0.1, 0.2)][-1] == 0


def test_level_and_rain_tells_its_rise_as_of_when_the_level_was_heard() -> None:
    p = LevelAndRain(
        flood_m=2.0, slot_min=5, silent_min=30, rise_min=15, rise_weight=2.0, rain_min=60
    )
    kind = KINDS["level_and_rain"]

    def at(level: Sequence[float], rain: float = 0.0) -> float:
        stage = [NAN] * (18 - len(level)) + list(level)
        row = View(np.array([[stage, [rain] * 18]]), np.array([0]), 300, np.ones((1, 2)))
        return float(kind.score(p, row).value[0])

    rising = [0.2, 0.4, 0.6, 0.8, 1.0]
    assert at(rising) == at([*rising, NAN, NAN, NAN]) == pytest.approx(0.5 + 2 * 0.3)
    assert at([], 1.0) == pytest.approx(12 / p.rain_mm)


# --- through the whole stage, with the district's own rules

DISTRICT = yanqing()
ROW: RuleRow = next(r for r in DISTRICT.rules.rule if r.id == "stream_b05")
GAUGE, RAIN = ROW.stations[0], ROW.beside["rain"]
BREAKS = 30


def broken(how: str, minute: int) -> Observation | None:
    at, before = START + minute * MINUTE, minute < BREAKS
    if minute % 5:
        return None
    if before or how == "service":
        return reading(GAUGE, "stage", at, 350)
    count = {"code": 9999, "zero": 0, "high": 60_000}.get(how)
    return None if count is None else reading(GAUGE, "stage", at, count)


def storm(how: str, mm_min: float, until: int) -> list[Detection]:
    """Rain from the 40th minute on, on all gauges of the basin."""
    line, said = Line(DISTRICT, ROW.areas[0], {}), list[Detection]()
    for minute in range(1, until):
        at = START + minute * MINUTE
        if how == "service" and minute == BREAKS:
            line.step(
                Service(
                    id="1",
                    thing=GAUGE,
                    by="T-07",
                    said_at=at,
                    until_at=at + 600 * MINUTE,
                    reason="校准",
                    way="command",
                )
            )
        fell = round(mm_min * 10) if 40 <= minute < 110 else 0
        items = [reading(g, "rain", at, fell) for g in RAIN]
        level = broken(how, minute)
        said += line.step(Observations.of(line.group, at, [*items, *([level] if level else [])]))
        said += line.step(Tick(clock_at=at))
    return [d for d in said if d.rule == ROW.id]


@pytest.mark.parametrize("how", ["silent", "code", "zero", "high", "service"])
def test_a_stream_whose_gauge_breaks_before_the_flood_is_ordered_by_its_rain(how: str) -> None:
    said = storm(how, 1.4, 320)
    orders = [d for d in said if d.action == Action.MOVE and not d.suspect]
    assert orders
    why = orders[0].evidence[0]
    assert zh(why.note) == "水位不明，只凭雨量"
    # its table was fitted to a chance, and that is what whoever must act reads
    chance, limit = f"{why.value:.3g}", ROW.move
    assert why.value <= 1 and limit is not None
    told = f"未来30分钟内受淹的可能性{float(chance) * 100:.3g}%（阈值{limit * 100:.3g}%，"
    assert told in evidence(DISTRICT, why, "zh")
    told = f" chance of flooding within 30 min, {float(chance) * 100:.3g} % (limit {limit * 100:.3g} %, "
    assert told in evidence(DISTRICT, why, "en")
    assert "水位不明，只凭雨量" in evidence(DISTRICT, why, "zh")
    assert rule_words(DISTRICT, ROW.id) == Text("受淹的可能性", "chance of flooding")
    assert set(orders[0].evidence[0].station.split("+")) == set(RAIN)
    first = said.index(orders[0])
    assert all(d.action == Action.MOVE for d in said[first:])  # nothing is over while it is blind


def test_a_table_that_was_fitted_to_a_level_keeps_the_words_of_a_score() -> None:
    level = msgspec.structs.replace(ROW, parameters=ROW.parameters | {"outcome": "level"})
    rules = msgspec.structs.replace(DISTRICT.rules, rule=(level,))
    d = msgspec.structs.replace(DISTRICT, rules=rules)
    assert rule_words(d, ROW.id) == Text("雨水情综合评分", "level and rain as one score")
    assert KIND.told_as(SEEN) == "flood_score"
    chance = msgspec.structs.replace(SEEN, outcome="chance")
    assert KIND.told_as(chance) == "flood_chance"


def test_little_rain_on_a_stream_that_nobody_sees_orders_nothing() -> None:
    assert storm("silent", 0.3, 130) == []


def test_the_district_s_rules_know_what_to_do_without_a_level() -> None:
    for row in DISTRICT.rules.rule:
        if row.kind == "flood_score":
            p = msgspec.convert(row.parameters, FloodScore)
            assert p.unseen and 0 < p.unseen_min <= p.silent_min, row.id
