"""Counters: what is rain, what is a reset, what is not known."""

from itertools import accumulate
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.rules import Climate
from detectors.quality.rain_bounds import WORLD, Bounds, Seasons
from detectors.quality.rain_counter import Fell, Totals, spread, step
from tests.support.examples import examples

LAW = examples(200)
MINUTE = 60_000
BEIJING = Bounds(((1, 10), (10, 45), (60, 140), (1440, 800)))


def said(values: list[int], every_min: int = 5) -> list[Fell]:
    """The rain of a counter that reports every so many minutes; its memory goes through a snapshot
    between any two readings, as when the program is started again."""
    m, out = Totals(), []
    for n, value in enumerate(values, 1):
        m = msgspec.msgpack.decode(msgspec.msgpack.encode(m), type=Totals)
        found = step(m, n * every_min * MINUTE, value, BEIJING)
        assert found is not None
        out += found.rain
    return out


def total(values: list[int], every_min: int = 5) -> int:
    return sum(f.amount for f in said(values, every_min))


@pytest.mark.parametrize(
    ("values", "rain"),
    [
        ((614, 614, 0, 614), 0),  # starts again, and is back
        ((614, 614, 0, 0, 0, 0, 0, 620), 6),
        ((1520, 1520, 640, 1520, 1520), 0),  # a low value and back
        ((1520, 1520, 300, 300, 300, 1520), 0),
        ((614, 614, 3, 0, 5, 614), 3),
        ((272, 272, 254, 272), 0),  # near the old one, from below
        ((876, 876, 875, 876, 875, 876), 0),  # a tick
        ((1520, 1518, 1521, 1519, 1522, 1520), 2),  # jitter above 100 mm
        ((186, 181, 174, 162, 151, 151), 0),  # a rolling sum that runs out
        ((614, 614, 1614, 614, 614), 0),  # one high value
        ((614, 614, 1114, 1114, 1114), 0),  # exact repetition of a jump
        ((0, 614, 614, 615), 1),  # begins with a wrong 0
        ((400, 400, 0, 140, 280, 290), 290),  # a true reset, and rain
        ((400, 400, 0, 0, 0, 2, 5, 9), 9),
        ((250, 252, 2, 4, 9), 2 + 6 + 2 + 5),  # 255 tips of 0.1 mm
        ((65_530, 65_533, 3, 5), 3 + 6),  # 65,535 tips
        ((402, 402, 0, 0, 0), 0),  # 08:00
    ],
)
def test_what_counters_do(values: tuple[int, ...], rain: int) -> None:
    assert total(list(values)) == rain


def test_a_wrap_that_the_table_states_is_rain_in_a_storm_too() -> None:
    m, out = Totals(), 0
    for n, value in enumerate((0, 60, 120, (120 + 140) % 256, 144, 220)):
        found = step(m, n * 5 * MINUTE, value, BEIJING, 256)
        out += sum(f.amount for f in found.rain) if found else 0
    assert out == 220 + 256


@LAW
@given(
    st.lists(st.integers(0, 100), min_size=8, max_size=40),
    st.integers(1000, 5000),
    st.integers(2, 30),
    st.integers(1, 20),
    st.floats(0, 0.4),
    st.randoms(use_true_random=False),
)
def test_a_wrong_value_for_a_while_adds_nothing(
    rain: list[int], start: int, first: int, length: int, low: float, rng: Random
) -> None:
    """A run of zeros or low values, of any length within the span; the true path goes on."""
    true = list(accumulate(rain, initial=start))
    shown = list(true)
    constant = int(low * start)
    for n in range(min(first, len(true) - 2), min(first + length, len(true) - 1)):
        shown[n] = constant + rng.choice((0, 0, 1))
    found = total(shown)
    assert true[-1] - true[0] <= found + 1 <= true[-1] - true[0] + 1 + 51 + length


@LAW
@given(
    st.lists(st.integers(0, 60), min_size=3, max_size=20),
    st.lists(st.integers(0, 60), min_size=4, max_size=20),
    st.integers(100, 5000),
)
def test_a_true_reset_loses_no_rain_that_came_after_it(
    before: list[int], after: list[int], start: int
) -> None:
    """Of what came after it: all but what the last reading has yet to be borne out, and what the old
    total cannot be told from."""
    old = list(accumulate(before, initial=start))
    after = [0, *after, 1, 1, 1]
    new = list(accumulate(after, initial=0))
    found = total([*old, *new])
    assert sum(before) + sum(after) - 20 - found <= (10 if new[-1] < old[-1] - 20 else old[-1])
    assert found <= sum(before) + sum(after) + 15  # a wrap, or a reset near where one would be


@LAW
@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 50)), min_size=1, max_size=30))
def test_an_increment_belongs_to_the_whole_time_since_the_last_reading(
    steps: list[tuple[int, int]],
) -> None:
    m, at, value = Totals(), 0, 1000
    step(m, at, value, BEIJING)
    for minutes, rise in steps:
        at, value = at + minutes * MINUTE, value + rise
        found = step(m, at, value, BEIJING)
        assert found is not None
        laid = [x for f in found.rain for x in spread(f)]
        assert sum(c for _, c in laid) == rise
        first = at // MINUTE - minutes
        for window in (1, 10, 60):
            most = max(
                (sum(c for n, c in laid if end - window < n <= end) for end, _ in laid), default=0
            )
            assert most <= -(-rise * min(window, minutes) // minutes) + 1
        assert all(first < n <= first + minutes for n, _ in laid)


def test_months_of_rain_are_laid_in_few_pieces() -> None:
    laid = spread(Fell(0, 60 * 1440 * MINUTE, 9000))
    assert sum(c for _, c in laid) == 9000
    assert len(laid) < 3000


def test_what_is_late_is_counted_already() -> None:
    m = Totals()
    for at, value in ((1, 100), (10, 150)):
        step(m, at * MINUTE, value, BEIJING)
    assert step(m, 5 * MINUTE, 120, BEIJING) is None
    assert step(m, 10 * MINUTE, 150, BEIJING) is None


def test_bounds_go_through_what_was_measured() -> None:
    assert [WORLD.most(m * MINUTE) for m in (0, 1, 60, 720, 1440, 2880)] == [
        312,
        312,
        3050,
        11_440,
        18_250,
        36_500,
    ]
    assert 312 < WORLD.most(2 * MINUTE) < WORLD.most(59 * MINUTE) < 3050


def test_seasons_follow_the_months_of_beijing() -> None:
    summer = Climate(months=(6, 7, 8), minutes=(1,), most_mm=(10.0,), source="t")
    seasons = Seasons((summer,))
    may_31_utc, june_1_in_beijing = 1_748_678_400_000, 1_748_707_200_000
    assert seasons.at(may_31_utc).most(MINUTE) == 312
    assert seasons.at(june_1_in_beijing).most(MINUTE) == 100
    assert seasons.least(MINUTE) == 100


def test_a_total_that_falls_again_and_again_counts_no_time_twice() -> None:
    """A rolling sum of the last hour: the storm is over, it falls with every reading."""
    held, told = Totals(), 0
    values = [100 + 8 * n for n in range(60)] + [580 - 6 * n for n in range(90)]
    for n, value in enumerate(values):
        said = step(held, n * 60_000, value, WORLD)
        assert said is not None
        told += sum(r.amount for r in said.rain)
    assert told <= 480 + 10
