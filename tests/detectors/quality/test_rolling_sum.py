"""A rolling sum sent as a total: known by what it shows, and read by its length."""

from collections.abc import Callable
from random import Random

import msgspec
import pytest

from detectors.quality.rain_bounds import Bounds
from detectors.quality.rain_counter import ROLLING, Totals, spread, step

MINUTE = 60_000
BEIJING = Bounds(((1, 10), (10, 45), (60, 140), (1440, 800)))
HOUR = 60


def storm(seed: int, hours: int = 8) -> list[int]:
    """What fell by each minute, counts: a dry hour, then half hours of any rain, or of none."""
    rng, fell, out = Random(seed), 0, [0] * HOUR
    means = [rng.choice((0, 0, 2, 5, 10, 14)) for _ in range(2 * hours)]
    for minute in range((hours - 1) * HOUR):
        mean = means[minute // 30]
        fell += sum(rng.random() < mean / 20 for _ in range(20))
        out.append(fell)
    return out


def rolling(fell: list[int], length: int) -> Callable[[int], int]:
    return lambda m: fell[m] - (fell[m - length] if m >= length else 0)


class Played:
    """What is made of a gauge's readings. by_minute: the rain that was laid into each minute."""

    def __init__(self, minutes: int) -> None:
        self.held = Totals()
        self.by_minute = [0] * minutes
        self.tests: dict[int, str] = {}

    def hear(self, minute: int, value: int) -> None:
        # as after a start of the program
        self.held = msgspec.msgpack.decode(msgspec.msgpack.encode(self.held), type=Totals)
        found = step(self.held, minute * MINUTE, value, BEIJING)
        assert found is not None
        self.tests[minute] = found.test
        for f in found.rain:
            for m, count in spread(f):
                self.by_minute[m] += count

    def told(self, first: int = 0, last: int | None = None) -> int:
        """Of the minutes (first, last]."""
        return sum(self.by_minute[first + 1 : None if last is None else last + 1])

    def known(self) -> int:
        return next((m for m, test in self.tests.items() if test == ROLLING), -1)


def play(fell: list[int], shows: Callable[[int], int], every: int = 1) -> Played:
    out = Played(len(fell))
    for minute in range(0, len(fell), every):
        out.hear(minute, shows(minute))
    return out


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("length", [30, 59, 60, 180])
def test_a_logger_that_was_set_to_rolling_sums_is_read_by_their_length(
    seed: int, length: int
) -> None:
    fell, at = storm(seed), 80
    summed = rolling(fell, length)
    out = play(fell, lambda m: 500 + fell[m] if m < at else summed(m))
    assert out.known() > at
    assert fell[-1] - 15 <= out.told() <= fell[-1] + 15
    # what its falls hid is laid where it fell
    for first in range(at, len(fell) - 30, 30):
        assert abs(out.told(first, first + 30) - (fell[first + 30] - fell[first])) <= 15


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("length", "every"), [(30, 1), (60, 5), (180, 5), (360, 5)])
def test_a_gauge_that_never_sent_a_total_is_read_so_too_where_it_is_known(
    seed: int, length: int, every: int
) -> None:
    fell = storm(seed, 12)
    out = play(fell, rolling(fell, length), every)
    assert out.told() <= 1.03 * fell[-1] + 10
    assert out.known() == -1 or out.told() >= 0.9 * fell[-1]


@pytest.mark.parametrize("seed", range(4))
def test_a_gauge_that_sends_totals_again_is_believed_from_then_on(seed: int) -> None:
    fell, back = storm(seed, 12), 500
    summed = rolling(fell, 60)
    out = play(fell, lambda m: 900 + fell[m] if m < 80 or m >= back else summed(m))
    assert 80 < out.known() < back
    assert ROLLING not in [out.tests[m] for m in range(back, len(fell))]
    lost = max(0, fell[back] - fell[back - 1])
    assert fell[-1] - lost - 15 <= out.told() <= fell[-1] + 15


def test_a_sum_that_stands_still_makes_no_rain_of_what_leaves_it() -> None:
    """The gauge is blocked, or its logger shows its last value for ever."""
    fell, stuck = storm(1, 12), 400
    summed = rolling(fell, 60)
    out = play(fell, lambda m: 900 + fell[m] if m < 80 else summed(min(m, stuck)))
    assert 80 < out.known() < stuck
    assert out.told(stuck) <= fell[stuck - 30] - fell[stuck - 60] + 15  # of half an hour


@pytest.mark.parametrize("seed", range(4))
def test_totals_that_fall_are_no_rolling_sums(seed: int) -> None:
    """Begun again twice, a value for a while too low, a tick less."""
    fell = storm(seed)
    begun = (150, 290)

    def shows(m: int) -> int:
        if 200 <= m < 220:
            return 3
        since = max((fell[b] for b in begun if m >= b), default=-700)
        return fell[m] - since - 2 * (m % 50 < 3)

    out = play(fell, shows)
    assert out.known() == -1
    assert out.told() <= fell[-1] + 20


@pytest.mark.parametrize("seed", range(4))
def test_a_length_that_nobody_names_makes_no_more_rain_than_fell(seed: int) -> None:
    fell = storm(seed)
    for length in (37, 52, 73, 100, 150, 210):
        summed = rolling(fell, length)
        out = play(fell, lambda m, of=summed: 500 + fell[m] if m < 80 else of(m))  # type: ignore[misc]
        assert out.told() <= 1.03 * fell[-1] + 10
