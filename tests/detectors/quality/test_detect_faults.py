"""Detect under the input that a plain stream never shows: other quantities of a mast, several
readings in a minute, a counter that stutters, two cameras, and a rise that is completed late."""

from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.load import load
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection
from detectors.engine.minute_ring import Window
from detectors.water.stage_trend import StageRow, StageTrend
from simulators.views.camera import render
from stream.records import Tick
from tests.support.detect_faults import MINUTE, START, Line, reading
from tests.support.examples import examples
from tests.support.one_station import Station as Memory
from tests.support.one_station import take

YANQING = Path(__file__).parents[3] / "config" / "yanqing"
LAW = examples(60)


def line(district: District | None = None, frames: dict[str, bytes] | None = None) -> Line:
    return Line(district or load(YANQING), "A01", frames or {})


# --- what a mast sends beside its quantity


@pytest.mark.parametrize("battery_first", [True, False])
def test_the_battery_in_the_same_message_hides_no_rain(battery_first: bool) -> None:
    at = START + MINUTE
    both = [reading("R01", "battery", at, 960), reading("R01", "rain", at, 280)]
    found = line().hear(*(both if battery_first else both[::-1]))
    assert {(d.hazard, d.level) for d in found if d.rule == "rain_threshold"} == {
        (hazard, Level.RED) for hazard in ("flash_flood", "debris_flow")
    }


def test_a_battery_is_no_sign_that_the_gauge_measures() -> None:
    plain = line()
    said: list[Detection] = []
    for minute in range(0, 125, 5):
        at = START + minute * MINUTE
        said += plain.hear(*(reading(s, "battery", at, 900) for s in ("R01", "R01H")))
        said += plain.step(Tick(clock_at=at))
    last = [d for d in said if d.rule == "silence"][-1]
    assert last.coverage is not None
    assert {"R01", "R01H"} <= set(last.coverage.silent)
    assert last.thin


# --- several readings of one minute


def test_a_reading_of_the_whole_minute_counts_beside_that_of_its_half() -> None:
    half, whole = (reading("R01", "rain", START + n * MINUTE // 2, 60) for n in (1, 2))
    assert line().hear(half) == []
    found = line().hear(half, whole)  # 12 mm in ten minutes
    assert {d.evidence[0].value for d in found if d.rule == "rain_threshold"} == {12.0}


@examples(150)
@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(1, 60)),  # quarters of a minute; count
        min_size=1,
        max_size=40,
    ),
    st.randoms(use_true_random=False),
)
def test_every_reading_counts_once(steps: list[tuple[int, int]], rng: Random) -> None:
    at, readings = START, []
    for quarters, count in steps:
        at += quarters * MINUTE // 4
        readings.append(reading("R", "rain", at, count))
    sent = readings + readings[::3]
    rng.shuffle(sent)
    window, memory = Window(1, (1440,)), Memory()
    for o in sent:
        new = take(memory, o)
        if new is not None:
            row = np.zeros(1, np.int64)
            window.put(row, row + new.minute, row + new.count, np.array([new.add]))
    assert window.sums(row, window.head)[0, 0] == sum(count for _, count in steps)


# --- counters


def test_a_counter_that_reads_zero_once_orders_nobody_to_move() -> None:
    district = load(YANQING)
    gauge = msgspec.structs.replace(district.stations["R01"], quantity="rain_counter")
    counting = line(msgspec.structs.replace(district, stations={**district.stations, "R01": gauge}))
    said: list[Detection] = []
    for minute, total in enumerate((5_000, 5_000, 0, 5_000, 5_000)):
        said += counting.hear(reading("R01", "rain_counter", START + minute * MINUTE, total))
    warned = [d for d in said if d.rule == "rain_threshold"]
    assert all(d.suspect and d.action <= Action.PREPARE for d in warned)


def test_a_step_that_no_rain_can_make_counts_nothing() -> None:
    memory = Memory()
    found = [
        take(memory, reading("R", "rain_counter", START + n, v)) for n, v in ((0, 0), (1, 10**6))
    ]
    assert found[1] is not None
    assert (found[1].count, found[1].suspect, found[1].test) == (0, True, "counter_jump")


# --- cameras


def test_a_camera_that_goes_blind_takes_back_nothing_of_another() -> None:
    district = load(YANQING)
    second = msgspec.structs.replace(district.stations["V01"], id="V99")
    two = msgspec.structs.replace(
        district,
        stations={**district.stations, "V99": second},
        stations_of_area={
            **district.stations_of_area,
            "A01": (*district.stations_of_area["A01"], "V99"),
        },
        groups_of_station={
            **district.groups_of_station,
            "V99": (district.group_of_area["A01"],),
        },
    )
    frames = {f"f{n}": render(5, n, 0.4, True, 12.0) for n in range(4)}
    watching = line(two, frames)
    said: list[Detection] = []
    for n in range(4):
        at = START + n * MINUTE
        said += watching.hear(reading("V01", "frame", at, 9, f"f{n}"))
    assert [d.level for d in said if d.rule == "camera_motion"] == [Level.YELLOW]
    said = watching.hear(
        *(reading("V99", "frame", START + (5 + n) * MINUTE, 9, "lost") for n in range(3))
    )
    assert {(d.rule, d.level) for d in said} == {("camera_sight", 0), ("silence", 0)}
    said = watching.hear(
        *(reading("V01", "frame", START + (4 + n) * MINUTE, 9, f"f{n}") for n in range(2))
    )
    assert {d.level for d in said if d.rule == "camera_motion"} <= {Level.YELLOW}


# --- late values


def test_a_late_value_says_nothing_of_how_the_station_is_now() -> None:
    district = load(YANQING)
    gauge = next(s.id for s in district.stations.values() if s.quantity == "stage")
    area = next(a for a in district.areas if gauge in district.stations_of_area[a])
    stuck = Line(district, area, {})
    said: list[Detection] = []
    for n in range(160):
        said += stuck.hear(reading(gauge, "stage", START + 5 * n * MINUTE, 700))
    assert [d.note for d in said if d.rule == "quality"] == [f"{gauge} stage: flat_line"]
    assert stuck.hear(reading(gauge, "stage", START + (5 * 155 + 1) * MINUTE, 700)) == []


_LIMITS = (1000, 1500, 2000, 2600)
_RISE, _AHEAD, _SPAN, _LEAST = 1200, 30, 30, 5


def _calls_for(held: dict[int, int], end: int) -> int:
    """The level that the values up to `end` call for, slowly."""
    level = sum(held[end] >= limit for limit in _LIMITS)
    window = sorted((m, v) for m, v in held.items() if end - _SPAN < m <= end)
    if level == len(_LIMITS) or len(window) < _LEAST:
        return level
    slope = median(
        (b[1] - a[1]) / (b[0] - a[0]) for n, a in enumerate(window) for b in window[n + 1 :]
    )
    soon = slope * 60 >= _RISE and (_LIMITS[level] - held[end]) / slope <= _AHEAD
    steps = [b[1] - a[1] for a, b in pairwise(window)]
    grows = 3 * (sum(steps) - max(steps)) >= sum(steps)
    return level + (soon and grows)


@LAW
@given(
    st.lists(st.integers(-250, 260), min_size=5, max_size=40),
    st.lists(st.integers(0, 29), min_size=40, max_size=40),
    st.sampled_from([1, 2, 5]),
)
def test_a_rise_is_told_with_the_value_that_completes_it(
    steps: list[int], delays: list[int], spacing: int
) -> None:
    values = (600 + np.cumsum(steps)).clip(0, 4000).tolist()
    rule = StageTrend(
        [StageRow("a", "f", "s", _LIMITS, (), _RISE, _AHEAD)],
        hold_min=100_000,
        window_min=_SPAN,
        min_points=_LEAST,
        late_min=30,
    )
    state = rule.new()
    day = 30_000_000
    held: dict[int, int] = {}
    said = expected = 0
    order = sorted(range(len(values)), key=lambda n: n * spacing + delays[n])
    for n in order:
        minute = day + n * spacing
        held[minute] = values[n]
        expected = max(expected, *(_calls_for(held, end) for end in held))
        row, at, value = (np.array([x], np.int64) for x in (0, minute, values[n]))
        for change in rule.judge(state, row, at, value):
            said = change.level
        assert said == expected
