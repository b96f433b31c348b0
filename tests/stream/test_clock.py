"""The line's clock while the system's is set ahead, back, and right again."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stream.clock import HELD_MS, SMALL_MS, LineClock, last_tick
from stream.log.open import open_log
from stream.log.port import Out
from stream.records import Tick, encode
from tests.support.examples import examples

START = 1_753_524_000_000
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


class Machine:
    """A steady clock, and a wall clock that somebody sets."""

    def __init__(self, floor: int = 0) -> None:
        self.passed = self.wrong = 0
        self.clock = LineClock(
            lambda: START + self.passed + self.wrong, lambda: self.passed, floor=floor, name="test"
        )

    def wait(self, ms: int, step: int = 5 * SECOND) -> int:
        """Read the clock every `step`; what it says at the end."""
        end = self.passed + ms
        while self.passed < end:
            self.passed = min(self.passed + step, end)
            self.clock.read()
        return self.clock.read()

    @property
    def true(self) -> int:
        return START + self.passed


def test_a_clock_that_is_wrong_for_less_than_ten_minutes_changes_nothing() -> None:
    for wrong in (HOUR, -HOUR, 400 * 24 * HOUR, -START):
        machine = Machine()
        machine.wait(MINUTE)
        machine.wrong = wrong
        assert abs(machine.wait(HELD_MS - MINUTE) - machine.true) <= SMALL_MS
        machine.wrong = 0
        assert abs(machine.wait(MINUTE) - machine.true) <= SMALL_MS


def test_a_step_ahead_that_lasts_is_followed() -> None:
    machine = Machine()
    machine.wrong = HOUR
    assert machine.wait(HELD_MS + MINUTE) == machine.true + HOUR


def test_a_step_back_that_lasts_is_followed_at_half_speed() -> None:
    machine = Machine()
    machine.wrong = -HOUR
    begun = machine.wait(HELD_MS + MINUTE)
    later = machine.wait(HOUR)
    assert 0.45 * HOUR < later - begun < 0.55 * HOUR
    assert abs(machine.wait(2 * HOUR) - (machine.true - HOUR)) <= SMALL_MS


def test_a_machine_that_slept_is_at_the_right_time_at_once() -> None:
    machine = Machine()
    machine.wait(MINUTE)
    machine.passed += 8 * HOUR
    assert abs(machine.clock.read() - machine.true) <= SMALL_MS


def test_started_again_behind_the_log_it_goes_on_from_there() -> None:
    """After a step back: ticks before those in the log would be ignored, and nothing would fall due."""
    machine = Machine(floor=START + HOUR)
    first = machine.clock.read()
    assert first >= START + HOUR
    assert machine.wait(10 * MINUTE) - first >= 4 * MINUTE
    assert abs(machine.wait(2 * HOUR) - machine.true) <= SMALL_MS


@examples(200)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 20 * MINUTE),
            st.sampled_from([0, 0, 0, SECOND, -SECOND, 30 * SECOND, -MINUTE, HOUR, -HOUR]),
        ),
        max_size=60,
    )
)
def test_it_never_goes_back_nor_stands_still_and_comes_to_the_wall_clock(
    way: list[tuple[int, int]],
) -> None:
    machine = Machine()
    said = [(machine.passed, machine.clock.read())]
    for passed, step in way:
        machine.passed += passed
        machine.wrong += step
        said.append((machine.passed, machine.clock.read()))
    for (before, then), (after, now) in pairwise(said):
        assert now >= then
        assert now - then >= (after - before) // 2 - SMALL_MS
    machine.wait(HELD_MS + MINUTE + 2 * abs(machine.wrong) + 250 * HOUR, 10 * SECOND * 30)
    assert abs(machine.clock.read() - machine.true - machine.wrong) <= SMALL_MS


def test_the_newest_time_of_a_topic_whatever_else_stands_there(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "live", "d", 2)
    assert last_tick(log) == 0
    log.append(
        [Out("observations", "tick", encode(Tick(clock_at=START + n)), n % 2) for n in range(9)]
    )
    log.append(
        [Out("observations", "tick", b"\xff no tick", p) for p in (0, 1) for _ in range(300)]
    )
    assert last_tick(log) == START + 8
    assert last_tick(log, "cases") == 0
    log.close()
