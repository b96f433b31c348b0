"""What is known of a station's past: duplicates, revisions, counters, quality tests."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.geometry import distance_km
from config.records.district import Station
from config.records.rules import QualityRule
from detectors.quality.level_course import Course, Range, judge
from detectors.quality.station_memory import StationMemory
from ingest.observation import Flag, Observation
from tests.support.examples import examples
from tests.support.one_station import Intake, Rain, neighbour_test, take, take_all
from tests.support.one_station import Station as Memory

LAW = examples(60)
T0 = 1_753_524_000_000  # a whole minute
MINUTE = 60_000
RULE = QualityRule()


def obs(minute: float, value: int, quantity: str = "rain", **more: object) -> Observation:
    return Observation(
        station="g",
        quantity=quantity,
        observed_at=T0 + int(minute * MINUTE),
        value=value,
        **{"flag": Flag.GOOD, **more},  # type: ignore[arg-type]
    )


def counts(memory: Memory, items: Sequence[Observation]) -> list[int | None]:
    return [None if (x := take(memory, o)) is None else x.count for o in items]


def test_the_same_reading_again_says_nothing() -> None:
    memory = Memory()
    assert counts(memory, [obs(0, 5), obs(0, 5), obs(1, 5), obs(0, 5)]) == [5, None, 5, None]


def test_two_tips_of_one_moment_differ_in_their_number() -> None:
    memory = Memory()
    tips = [obs(0, 1, seq=7), obs(0, 1, seq=8), obs(0, 1, seq=7)]
    taken = [take(memory, o) for o in tips]
    assert [None if t is None else (t.count, t.add) for t in taken] == [(1, True), (1, True), None]
    unlike = Memory()
    assert counts(unlike, [obs(0, 1), obs(0, 1, seq=0), obs(0, 1, seq=1)]) == [1, 1, 1]


@LAW
@given(st.lists(st.integers(0, 400), min_size=1, max_size=8))
def test_revisions_end_at_the_last_value(values: list[int]) -> None:
    memory = Memory()
    total = sum(c or 0 for c in counts(memory, [obs(3, v, seq=1) for v in values]))
    assert total == values[-1]


def test_a_revision_is_added_to_its_minute() -> None:
    memory = Memory()
    first, second = take(memory, obs(0, 10)), take(memory, obs(0, 25))
    assert first == Intake("rain", T0 // MINUTE, 10, True, False, "")
    assert second == Intake("rain", T0 // MINUTE, 15, True, False, "")


def test_a_failed_value_counts_nothing_and_its_revision_counts_whole() -> None:
    memory = Memory()
    bad = obs(0, 20_000, seq=3, flag=Flag.FAIL, test="range")
    assert counts(memory, [bad, obs(0, 40, seq=3), bad, obs(0, 40, seq=3)]) == [
        None,
        40,
        None,
        None,
    ]


def test_seconds_belong_to_the_minute_that_ends_with_or_after_them() -> None:
    at = [0, 0.01, 0.5, 1.0]
    taken = [take(Memory(), obs(m, 1)) for m in at]
    assert [t.minute - T0 // MINUTE for t in taken if t] == [0, 1, 1, 1]


def test_repeats_are_forgotten_after_hours_but_are_never_added() -> None:
    memory = Memory()
    for m in range(700):
        take(memory, obs(m, 1, seq=m))
    assert memory.heard.keys.size < 700  # memory is bounded
    again = take(memory, obs(0, 1, seq=0))
    assert again is not None and not again.add  # the window knows its minute


@LAW
@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.integers(0, 10_000))
def test_a_counter_counts_what_was_added(steps: list[int], start: int) -> None:
    memory, total, items = Memory(), start, [obs(0, start, "rain_counter")]
    for n, step in enumerate(steps, 1):
        total += step
        items.append(obs(n, total, "rain_counter"))
    found = [take(memory, o) for o in items]
    assert all(f is not None and f.quantity == "rain" and not f.suspect for f in found)
    assert [f.count for f in found if f] == [0, *steps]


def test_a_lower_counter_is_no_rain_until_a_second_reading_bears_it_out() -> None:
    memory = Memory()
    take(memory, obs(0, 900, "rain_counter"))
    take(memory, obs(1, 900, "rain_counter"))
    found = take(memory, obs(2, 8, "rain_counter"))
    assert found is not None
    assert (found.count, found.suspect, found.test) == (0, True, "counter_reset")
    rows = [take(memory, obs(n, v, "rain_counter")) for n, v in ((3, 15), (4, 20), (5, 22))]
    assert [r.count for r in rows if r] == [8, 12, 2]  # what each bears out
    assert rows[1] is not None and rows[1].test == ""


def test_a_late_counter_reading_is_counted_already() -> None:
    memory = Memory()
    readings = [(0, 100), (10, 150), (5, 120), (11, 151)]
    assert counts(memory, [obs(m, v, "rain_counter") for m, v in readings]) == [0, 50, None, 1]


def test_flags_of_ingest_stay() -> None:
    found = take(Memory(), obs(0, 390, flag=Flag.SUSPECT, test="range"))
    assert found is not None and (found.count, found.suspect, found.test) == (390, True, "range")


def test_more_than_any_minute_ever_had_is_no_rain() -> None:
    memory = Memory()
    taken = [take(memory, obs(m, v)) for m, v in ((0, 0), (1, 312), (2, 313), (3, 5))]
    assert [None if t is None else t.count for t in taken] == [0, 312, None, 5]
    assert memory.heard.test == {}  # it was told, and is good again


def test_a_sum_over_an_outage_belongs_to_the_whole_of_it() -> None:
    memory = Memory()
    take(memory, obs(0, 0))
    late = take(memory, obs(345, 330))
    assert late is not None and (late.count, late.test) == (330, "interval_gap")
    rain = [memory.heard.rain(0, T0 // MINUTE + 345, length) for length in (10, 60)]
    assert rain[0] <= 10 and rain[1] <= 58


# --- water levels


def stage(values: Sequence[tuple[float, int]], rule: QualityRule = RULE) -> list[str]:
    past, station = Course(), Range(-5000, 9000, (), 1000)
    return [judge(rule, station, past, T0 + int(m * MINUTE), v, bool).test for m, v in values]


@pytest.mark.parametrize(
    ("second", "test"),
    [
        ((5, 1999), ""),
        ((5, 2000), "spike"),  # 1.5 m within ten minutes, up or …
        ((11, 2000), ""),
        ((1, 1501), "rate_of_change"),  # more than 1 m a minute
        ((1, 1500), ""),
        ((0.2, 1501), "rate_of_change"),  # seconds apart: not an infinite rate
    ],
)
def test_steps_of_the_water(second: tuple[float, int], test: str) -> None:
    assert stage([(0, 500), second]) == ["", test]


def test_the_way_back_from_a_spike_is_one_and_then_all_is_well() -> None:
    assert stage([(0, 500), (5, 2500), (10, 500), (15, 510)]) == ["", "spike", "", ""]


def test_a_level_that_never_moves_is_flat_and_zero_is_not() -> None:
    hours = [(60.0 * n, 800) for n in range(15)]
    found = stage(hours)
    assert found[:13] == [""] * 13 and found[13:] == ["flat_line"] * 2
    assert set(stage([(60.0 * n, 0) for n in range(30)])) == {""}
    moving = [(60.0 * n, 800 + n % 2) for n in range(30)]
    assert set(stage(moving)) == {""}


def test_a_late_level_is_held_against_what_is_known() -> None:
    assert stage([(0, 500), (10, 520), (5, 510), (15, 530)]) == ["", "", "", ""]
    assert stage([(0, 500), (10, 520), (5, 8999), (15, 530)]) == ["", "", "late_jump", ""]


# --- neighbours


def rained(*minutes: tuple[int, int], head: int | None = None) -> tuple[Rain, int | None]:
    return minutes, head


def test_extreme_rain_that_no_neighbour_saw_is_suspect() -> None:
    mine = ((100, 300), (105, 101))
    assert neighbour_test(RULE, mine, [rained((104, 41))]) == ""
    assert neighbour_test(RULE, mine, [rained((104, 40))]) == "neighbour"
    assert neighbour_test(RULE, mine, [rained(head=105)]) == "neighbour"
    assert neighbour_test(RULE, mine, [rained(head=105), rained((104, 41))]) == ""


def test_a_missing_neighbour_is_no_disagreement() -> None:
    mine = ((105, 401),)
    assert neighbour_test(RULE, mine, []) == ""
    assert neighbour_test(RULE, mine, [rained()]) == ""
    assert neighbour_test(RULE, mine, [rained(head=74)]) == ""  # silent for half an hour
    assert neighbour_test(RULE, mine, [rained(head=75)]) == "neighbour"


def test_usual_rain_asks_nobody() -> None:
    assert neighbour_test(RULE, ((104, 200), (105, 199)), [rained(head=105)]) == ""
    # ten minutes, not more: 399 + 1 of eleven minutes ago
    assert neighbour_test(RULE, ((95, 1), (104, 200), (105, 199)), [rained(head=105)]) == ""


@LAW
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 300), st.integers(1, 90)),
        min_size=1,
        max_size=60,
    )
)
def test_the_last_half_hour_is_remembered_exactly(rain: list[tuple[int, int, int]]) -> None:
    one, all_ = StationMemory(2), StationMemory(2)
    columns = [np.array(c, np.int64) for c in zip(*rain, strict=True)]
    all_.remember_rain(*columns)
    for n in range(len(rain)):
        one.remember_rain(*(c[n : n + 1] for c in columns))
    for row in (0, 1):
        newest = max((m for r, m, _ in rain if r == row), default=0)
        for minute in range(newest - 30, newest + 1):
            expect = sum(c for r, m, c in rain if (r, m) == (row, minute))
            assert one.rain(row, minute, 1) == all_.rain(row, minute, 1) == expect


@LAW
@given(
    st.lists(
        st.tuples(
            st.integers(0, 12), st.integers(0, 3), st.sampled_from([None, 1, 2]), st.booleans()
        ),
        min_size=1,
        max_size=40,
    ),
    st.sets(st.integers(1, 39)),
)
def test_batches_do_not_show(rows: list[tuple[int, int, int | None, bool]], cuts: set[int]) -> None:
    """Duplicates, revisions, late and failed values: one by one, at once, or cut anywhere."""
    items = [
        obs(m / 2, v, seq=s, flag=Flag.FAIL if bad and v == 3 else Flag.GOOD)
        for m, v, s, bad in rows
    ]
    one, all_, some = Memory(), Memory(), Memory()
    expect = [take(one, o) for o in items]
    assert take_all(all_, items) == expect
    edges = [0, *sorted(c for c in cuts if c < len(items)), len(items)]
    found: list[Intake | None] = []
    for a, b in pairwise(edges):
        found += take_all(some, items[a:b])
    assert found == expect
    for heard in (all_.heard, some.heard):
        assert set(heard.keys[0]) == set(one.heard.keys[0])
    # and what is counted is what stands: the last value of each id that did not fail
    last = {(o.observed_at, o.seq): o.value for o in items if o.flag != Flag.FAIL}
    assert sum(t.count for t in expect if t) == sum(last.values())


def test_a_station_that_sends_often_is_remembered_as_long_as_others() -> None:
    memory, second = Memory(), 1 / 60
    tips = [obs(n * 10 * second, 1, seq=n) for n in range(700)]  # one each ten seconds
    assert all(take_all(memory, tips[:300])) and all(take(memory, o) for o in tips[300:])
    assert take_all(memory, tips) == [None] * 700
    late = take(memory, obs(3, 1, seq=9999))
    assert late is not None and late.add


def test_distance() -> None:
    def place(lon: float, lat: float) -> Station:
        return Station(
            id="s",
            name="",
            name_en="",
            quantity="rain",
            basin="b",
            lon=lon,
            lat=lat,
            elevation_m=0,
            interval_s=60,
            silent_after_s=60,
        )

    assert distance_km(place(116, 40), place(116, 41)) == pytest.approx(111.195, abs=0.01)
    assert distance_km(place(116, 40), place(117, 40)) == pytest.approx(85.18, abs=0.02)
    assert distance_km(place(116, 40), place(116, 40)) == 0
