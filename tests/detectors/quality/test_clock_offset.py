"""Stations whose clock is slow: told with how much, no single late message, no backlog."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.detection import Detection
from detectors.quality.clock_offset import ClockState, hear
from ingest.observation import Observations
from tests.support.detect_faults import MINUTE, START, Line, reading
from tests.support.examples import examples
from tests.support.neighbours import YANQING, notes, rain, watching

HOUR, DAY = 60, 1440


def arrive(line: Line, came: int, *readings: tuple[int, int]) -> list[Detection]:
    """At minute `came` readings of R01: (minute, count)."""
    items = [rain("R01", m, c) for m, c in readings]
    return line.step(Observations.of(line.group, START + came * MINUTE, items))


def slow(by: int, arrivals: int = 12, every: int = 5, line: Line | None = None) -> list[str]:
    line = line or watching("A01")
    said = [d for n in range(arrivals) for d in arrive(line, n * every, (n * every - by, 0))]
    return of(said)


def of(said: list[Detection]) -> list[str]:
    return [x.removeprefix("R01 rain: ") for x in notes(said)]


@pytest.mark.parametrize("by", [15, 45, HOUR, 8 * HOUR, DAY])
def test_a_slow_clock_is_told_with_how_slow(by: int) -> None:
    assert slow(by) == [f"clock_slow {by} min"]


def test_a_clock_that_goes_as_ours_does_only_later_is_told_before_half_an_hour_is_over() -> None:
    """Every two seconds, and not quite."""
    line, said, at = watching("A01"), [], START
    for n in range(8):
        at += 2_000 + 700 * (n % 3)
        own = (at - DAY * MINUTE) // 1000 * 1000
        item = reading("R01", "rain", own, 0)
        said += line.step(Observations.of(line.group, at, [item]))
    assert of(said) == [f"clock_slow {DAY} min"]


@pytest.mark.parametrize("seconds", [10, 60, 300])
def test_six_late_readings_that_come_at_once_are_a_backlog(seconds: int) -> None:
    line, said = watching("A01"), []
    for n in range(40):
        item = reading("R01", "rain", START - DAY * MINUTE + n * seconds * 1000, 0)
        said += line.step(Observations.of(line.group, START + 500 * n, [item]))
    assert of(said) == []


@pytest.mark.parametrize("by", [0, 3, 8, -4])
def test_a_clock_that_is_right_or_nearly_is_none(by: int) -> None:
    assert slow(by) == []


def test_one_late_message_is_none_and_neither_are_a_few() -> None:
    line = watching("A01")
    said = []
    for n in range(40):
        age = 90 if n % 7 in (1, 2, 3, 4, 5) else 0  # five of seven come late
        said += arrive(line, 5 * n, (5 * n - age, 0))
    assert of(said) == []


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("at_once", [1, 20])
def test_a_backlog_is_no_slow_clock(newest_first: bool, at_once: int) -> None:
    """Three days of readings, sent within the hour."""
    minutes = [-5 * n for n in range(864, 0, -1)]
    if newest_first:
        minutes.reverse()
    line, said = watching("A01"), []
    for n in range(0, len(minutes), at_once):
        said += arrive(line, n // 15, *((m, 0) for m in minutes[n : n + at_once]))
    assert of(said) == []


def test_an_hours_readings_once_an_hour_are_no_slow_clock() -> None:
    line, said = watching("A01"), []
    for hour in range(1, 24):
        said += arrive(line, 60 * hour, *((60 * hour - m, 0) for m in range(55, -1, -5)))
    assert of(said) == []


def test_it_is_over_when_it_has_been_set_and_not_by_one_fresh_message() -> None:
    line = watching("A01")
    assert slow(DAY, line=line) == [f"clock_slow {DAY} min"]
    assert of(arrive(line, 60, (60, 0))) == []
    assert of([d for n in range(2) for d in arrive(line, 65 + 5 * n, (65 + 5 * n - DAY, 0))]) == []
    said = [d for n in range(6) for d in arrive(line, 80 + 5 * n, (80 + 5 * n, 0))]
    assert of(said) == ["clock_slow over"]


def test_a_village_whose_gauge_is_so_slow_that_it_is_not_judged_is_thin() -> None:
    for by, wanted in ((20, False), (45, True)):
        line = watching("A01")
        said = [d for n in range(12) for d in arrive(line, n * 5, (n * 5 - by, 0))]
        covers = [d.coverage for d in said if d.rule == "silence" and d.coverage is not None]
        assert ("R01" in covers[-1].silent if covers else False) == wanted


def test_what_is_known_of_a_clock_outlives_a_restart() -> None:
    line = Line(YANQING, "A01", {})
    slow(DAY, arrivals=5, line=line)
    line.restart()
    said = [d for n in range(5, 12) for d in arrive(line, n * 5, (n * 5 - DAY, 0))]
    assert of(said) == [f"clock_slow {DAY} min"]


@examples(30)
@given(
    st.lists(st.tuples(st.sampled_from([0, 20, 21, 90]), st.integers(1, 9)), max_size=40),
    st.sets(st.integers(1, 39)),
)
def test_batches_do_not_show(rows: list[tuple[int, int]], cuts: set[int]) -> None:
    whole, cut = watching("A01"), watching("A01")
    came, records = 0, []
    for age, step in rows:
        came += step
        item = rain("R01", came - age, 0)
        records.append(Observations.of(whole.group, START + came * MINUTE, [item]))
    expect = whole.step(*records) if records else []
    found: list[Detection] = []
    for a, b in pairwise([0, *sorted(c for c in cuts if c < len(records)), len(records)]):
        found += cut.step(*records[a:b]) if b > a else []
    assert found == expect


@examples(100)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(-100_000, 100_000)), max_size=60))
def test_no_order_of_arrivals_breaks_it_and_none_is_slow_by_less_than_nothing(
    steps: list[tuple[int, int]],
) -> None:
    held, came = ClockState(), 0
    for step, age in steps:
        came += step
        hear(held, START + came * MINUTE, START + (came - age) * MINUTE, 300)
        assert held.slow_ms == 0 or held.slow_ms > 600_000
