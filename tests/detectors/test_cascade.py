"""Gauges that die one after another down a river are a wave: a proposal with times of arrival. Whatever
else silences them is none."""

import random
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import Text
from config.records.level import Action, Level
from detectors.detection import Detection
from detectors.setup.declared import problems
from ingest.observation import Observation, Observations
from stream.records import Record, Tick
from stream.stages.stage import Item
from tests.support.examples import examples
from tests.support.valley import (
    GROUP,
    RAIN,
    RIVER,
    SIDE,
    WAVE,
    Valley,
    at,
    level,
    reach,
    records,
    service,
    valley,
)

# 6 km in 20 min: 5 m/s
DOWN = {"S01": 60, "S02": 80, "S03": 100, "S04": 120}


def first(*names: str) -> dict[str, float]:
    return {n: DOWN[n] for n in names}


def test_the_second_silence_in_order_and_at_pace_proposes_with_times() -> None:
    line = Valley()
    line.play(86, first("S01", "S02"))
    assert line.now("A03") is None  # one silence is nothing, and the second is not yet one
    line = Valley()
    line.play(95, first("S01", "S02"))
    told = {a: line.now(a) for a in ("A01", "A02", "A03")}
    for d in told.values():
        assert d is not None
        assert (d.level, d.action, d.inferred, d.suspect) == (
            Level.YELLOW,
            Action.PREPARE,
            True,
            False,
        )
        assert [e.station for e in d.evidence] == ["S01", "S02"]
        assert [e.observed_at for e in d.evidence] == [at(60), at(76)]
    # heard last at 60 and 76, both within five minutes and one more: the wave was at S02 from 76 to 82
    # (after S01 by 10 … 50 min), and is 9 km below it 15 … 75 min later
    a02 = told["A02"]
    assert a02 is not None
    assert (a02.earliest_at, a02.latest_at) == (at(76 + 15), at(82 + 75))
    a03 = told["A03"]
    assert a03 is not None
    assert (a03.earliest_at, a03.latest_at) == (at(76 + 30), at(82 + 150))


def test_it_rises_with_each_further_one() -> None:
    line = Valley()
    line.play(150, DOWN)
    grades = [(d.level, d.action) for d in line.said if d.area == "A03"]
    assert [g for n, g in enumerate(grades) if g not in grades[:n]] == [
        (Level.YELLOW, Action.PREPARE),
        (Level.ORANGE, Action.PREPARE),
        (Level.RED, Action.MOVE),
    ]
    assert all(d.inferred for d in line.said)


@pytest.mark.parametrize("back", ["S01", "S02"])
def test_it_is_withdrawn_when_a_gauge_comes_back(back: str) -> None:
    line = Valley()
    line.play(130, first("S01", "S02"), {back: 120})
    assert line.now("A03") is None
    assert line.said[-1].level == Level.NONE
    assert any(d.level for d in line.said)


def test_a_backlog_that_says_it_lived_withdraws_it() -> None:
    """S01 lived on for half an hour after S02 had died: its readings come late, all of them old."""
    line = Valley()
    line.play(100, first("S01", "S02"))
    assert line.now("A03") is not None
    line.hear(*(level("S01", m) for m in range(65, 91, 5)))
    line.feed(Tick(clock_at=at(130)))
    assert line.now("A03") is None


ORDERS: dict[str, dict[str, float]] = {
    "up the river": {"S01": 120, "S02": 100, "S03": 80, "S04": 60},
    "all at once": dict.fromkeys(RIVER, 60),
    "too slow": {"S01": 60, "S02": 125},
    "too fast": {"S01": 60, "S04": 68},
    "the side valley only": {"S05": 60, "S01": 80},
    "one": {"S01": 60},
    "long ago": {"S01": 5, "S02": 90},
}


@pytest.mark.parametrize("dead", ORDERS.values(), ids=ORDERS)
def test_silences_in_another_order_or_pace_are_none(dead: dict[str, float]) -> None:
    """All at once is 18 km in no time: no water does that."""
    line = Valley()
    line.play(200, dead)
    assert line.said == []


def test_a_gauge_between_that_was_heard_after_the_wave_must_have_passed_speaks_against_it() -> None:
    line = Valley()
    line.play(160, first("S01", "S03"))
    assert line.said == []
    # one that died long before says nothing
    line = Valley()
    line.play(120, {"S02": 5, **first("S01", "S03")})
    assert line.now("A03") is not None


def test_a_gauge_below_that_lives_on_ends_it_for_what_lies_below_that() -> None:
    line = Valley()
    line.play(240, first("S01", "S02", "S03"))
    assert line.now("A03") is None  # S04 is heard long after
    assert line.now("A02") is not None  # between S03 and S04
    assert any(d.level for d in line.said if d.area == "A03")


ALL = dict.fromkeys((*RIVER, SIDE, *RAIN), "X")
VALLEY = dict.fromkeys((*RIVER, RAIN[0]), "X")


# gauges so near one another that an outage in one moment looks like a wave: they report by turns
NEAR = 0.6
OUT = dict.fromkeys((*RIVER, RAIN[0]), 62.0)


@pytest.mark.parametrize("what", ["carrier", "power", "gateway"])
def test_a_common_line_on_which_nothing_is_heard_explains_it(what: str) -> None:
    line = Valley(valley(km=NEAR, **{what: VALLEY}))
    line.play(150, OUT)
    assert line.said == []
    line = Valley(valley(km=NEAR))
    line.play(150, OUT)
    assert line.said


@pytest.mark.parametrize("what", ["carrier", "power", "gateway"])
def test_while_others_on_the_line_are_heard_it_does_not(what: str) -> None:
    line = Valley(valley(**{what: VALLEY}))
    line.play(150, DOWN)
    found = line.now("A03")
    assert found is not None
    assert found.level == Level.RED


def test_a_line_that_comes_back_before_its_gauges_explains_them_still() -> None:
    """The base station is there again; the gauges behind it call in one by one."""
    line = Valley(valley(km=NEAR, carrier=VALLEY))
    line.play(140, OUT, {RAIN[0]: 120, "S03": 133, "S01": 135, "S02": 136, "S04": 138})
    assert line.said == []


def test_two_on_a_dead_line_and_others_beside_are_so_many_failures() -> None:
    line = Valley(valley(km=NEAR, carrier=dict.fromkeys(("S01", "S02", RAIN[0]), "X")))
    line.play(150, {**dict.fromkeys(("S01", "S02", RAIN[0]), 62.0), "S03": 65})
    found = line.now("A02")
    assert found is not None
    assert found.level == Level.YELLOW  # X and S03


def test_a_jump_before_the_end_counts_one_more_and_is_no_line_s() -> None:
    def jumping(line: Valley) -> Valley:
        for record in records(95, first("S01", "S02"), {}):
            if isinstance(record, Tick) and record.clock_at == at(77):
                line.hear(level("S02", 77, 2.2))
            line.feed(record)
        return line

    found = jumping(Valley()).now("A03")
    assert found is not None
    assert found.level == Level.ORANGE
    assert [e.note for e in found.evidence] == [
        Text("断报", "silent"),
        Text("突涨后断报", "silent after a jump"),
    ]
    assert jumping(Valley(valley(carrier=VALLEY))).now("A03") is not None


def test_a_dead_centre_is_no_wave() -> None:
    """Nobody else is heard after the last silence."""
    line = Valley()
    line.play(150, {**DOWN, **dict.fromkeys((SIDE, *RAIN), 121)})
    assert all(len(d.evidence) < 4 for d in line.said)
    line = Valley()
    line.play(150, {**first("S01", "S02"), **dict.fromkeys(("S03", "S04", SIDE, *RAIN), 80)})
    assert line.said == []


def test_who_is_in_service_does_not_count() -> None:
    line = Valley()
    for record in records(110, first("S01", "S02"), {}):
        if isinstance(record, Tick) and record.clock_at == at(70):
            line.feed(service("S01", 70, 300))
        line.feed(record)
    assert line.said == []


def test_a_restart_changes_nothing() -> None:
    through, again = Valley(), Valley()
    for record in records(160, DOWN, {"S02": 150}):
        through.feed(record)
        again.feed(record)
        again.again()
    assert again.said == through.said
    assert len({d.level for d in again.said}) > 2


@pytest.mark.parametrize(
    ("kind", "stations", "parameters"),
    [
        ("travel_time", ("S01", "S02"), {"lag_min": [30, 20], "gain": [1, 1]}),
        ("flood_score", ("S02",), {"zero_m": 0.0, "flood_m": 9.0, "slot_min": 5, "silent_min": 15}),
        ("level_and_rain", ("S02",), {"flood_m": 9.0, "slot_min": 5, "silent_min": 15}),
    ],
)
def test_a_silent_gauge_blinds_the_forecast_and_keeps_the_all_clear_back(
    kind: str, stations: tuple[str, ...], parameters: dict[str, Any]
) -> None:
    row = msgspec.structs.replace(
        WAVE, id="wave", kind=kind, areas=("A02",), stations=stations, yellow=3.0,
        orange=None, red=None, prepare=None, move=None, parameters=parameters,
    )  # fmt: skip
    line = Valley(valley(row))
    found: list[Detection] = []
    for record in records(120, {"S02": 60}, {"S02": 110}):
        for write in line.feed(record):
            d = write.record
            if isinstance(d, Detection) and d.rule == "silence" and d.detected_at > at(30):
                found.append(d)
    of = {d.area: [(x.thin, x.note) for x in found if x.area == d.area] for d in found}
    assert of["A02"] == [
        (True, Text("来水预报失明：S02", "no forecast from upstream: S02")),
        (False, ""),
    ]
    assert of["A01"] == [(False, ""), (False, "")]  # it has no forecast that could be blind


# --- how it arrives


def _shuffled(seed: int, until: int, dead: dict[str, float]) -> list[Record]:
    """Between two ticks readings come in any order, in records of any size, some of them late by up to
    twenty minutes."""
    rng = random.Random(seed)
    waiting: list[tuple[int, Observation]] = []
    out: list[Record] = []
    for record in records(until, dead, {}):
        if isinstance(record, Observations):
            for n, station in enumerate(record.station):
                made = level(station, (record.observed_at[n] - at(0)) / 60_000)
                late = rng.choice((0, 0, 0, rng.randrange(20)))
                due = record.observed_at[n] + late * 60_000
                waiting.append((min(due, at(until - 45)), made))
            continue
        assert isinstance(record, Tick)
        due_now = [o for due, o in waiting if due <= record.clock_at]
        waiting = [w for w in waiting if w[0] > record.clock_at]
        rng.shuffle(due_now)
        while due_now:
            cut = rng.randrange(1, len(due_now) + 1)
            out.append(Observations.of(GROUP, record.clock_at, due_now[:cut]))
            due_now = due_now[cut:]
        out.append(record)
    return out


def _grades(line: Valley) -> dict[str, Any]:
    return {
        a: (d.level, d.action, d.evidence, d.earliest_at, d.latest_at)
        for a in ("A01", "A02", "A03")
        if (d := line.now(a)) is not None
    }


@examples(10)
@given(st.integers(0, 10_000), st.permutations(RIVER), st.integers(1, 30))
def test_neither_cuts_nor_the_order_of_readings_show(
    seed: int, order: list[str], step: int
) -> None:
    dead = {s: 40 + n * step for n, s in enumerate(order)}
    plain = Valley()
    plain.play(240, dead)
    other = Valley()
    items = [Item(other.partition, n, "", r) for n, r in enumerate(_shuffled(seed, 240, dead))]
    rng = random.Random(seed)
    while items:
        cut = rng.randrange(1, 60)
        other.feed(*(i.record for i in items[:cut]))
        items = items[cut:]
    assert _grades(other) == _grades(plain)


@examples(20)
@given(st.integers(0, 100_000))
def test_whatever_dies_the_times_fit_the_order_and_the_pace(seed: int) -> None:
    """A plain check by brute force on the minutes: what is called a wave could have been one, and two
    gauges next to each other that could have been one are called so."""
    rng = random.Random(seed)
    dead: dict[str, float] = {s: rng.randrange(30, 150) for s in RIVER if rng.random() < 0.7}
    line = Valley()
    line.play(240, dead)
    last = {
        s: max(m for m in range(int(t) + 1) if m % 5 == RIVER.index(s)) for s, t in dead.items()
    }
    for d in line.said:
        stations = [e.station for e in d.evidence]
        assert stations == sorted(stations)
        for a, b in pairwise(stations):
            hops = RIVER.index(b) - RIVER.index(a)
            gap = last[b] - last[a]
            assert 10 * hops - 6 <= gap <= 50 * hops + 6
    if {*dead} == {"S01", "S02"} and 10 - 6 <= last["S02"] - last["S01"] <= 50 + 6:
        assert any(d.level for d in line.said)


# --- its table


def wrong(district: Any) -> list[str]:
    return [str(p) for p in problems(district)]


def test_a_right_row_is_right() -> None:
    assert wrong(valley()) == []
    assert wrong(valley(gateway=ALL)) == []


def test_gauges_that_share_a_line_with_nobody_are_refused() -> None:
    (found,) = wrong(valley(carrier=dict.fromkeys(RIVER, "X") | {SIDE: "X"}))
    assert "carrier X" in found
    assert "could never speak" in found


def test_a_valley_in_two_watch_groups_is_refused() -> None:
    d = valley()
    apart = msgspec.structs.replace(
        d,
        groups={GROUP: ("A01", "A02"), "g-A03": ("A03",)},
        group_of_area={**d.group_of_area, "A03": "g-A03"},
        groups_of_station={**d.groups_of_station, "S04": ("g-A03",)},
    )
    assert any("two watch groups" in x for x in wrong(apart))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"quantity": "rain"}, "quantity"),
        ({"speaks": False}, "speaks"),
        ({"stations": ("R01", "S02")}, "R01"),
        ({"parameters": {"missed": 0}}, "missed"),
        ({"parameters": {"mised": 2}}, "mised"),
    ],
)
def test_what_cannot_be_is_told(changes: dict[str, Any], word: str) -> None:
    assert any(word in x for x in wrong(valley(msgspec.structs.replace(WAVE, **changes))))


def test_an_area_without_two_gauges_above_it_is_told() -> None:
    d = msgspec.structs.replace(valley(), reaches=(reach("S01", "A01"),))
    assert any("no two gauges" in x for x in wrong(d))
