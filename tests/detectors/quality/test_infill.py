"""Rain that a blocked gauge did not catch is laid into its sums by the gauges beside it, and orders no
more than what fell there."""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from config.language import zh
from config.records.level import Action
from detectors.detection import Detection
from detectors.stage import Detect
from stream.records import Tick
from tests.support.detect_faults import MINUTE, START, Line, reading
from tests.support.districts import yanqing

YANQING = yanqing()
OWN, BESIDE = "R28", ("R07H", "R29", "R30")  # A28's own gauge, and the nearest of its neighbours


class Storm:
    """Steady rain at A28's gauge and those beside it, a reading a minute; who catches none when."""

    def __init__(self) -> None:
        self.line = Line(YANQING, "A28", {})
        self.said: list[Detection] = []
        self.minute = 0

    def play(
        self, until: int, own: int | None = 4, beside: dict[str, int] | None = None
    ) -> "Storm":
        """own: its counts a minute, None: it is not heard."""
        others = dict.fromkeys(BESIDE, 4) if beside is None else beside
        while self.minute < until:
            self.minute += 1
            values = others if own is None else {OWN: own, **others}
            items = [reading(s, "rain", self.now, c) for s, c in values.items()]
            self.said += self.line.hear(*items, clock_at=self.now)
        return self

    @property
    def now(self) -> int:
        return START + self.minute * MINUTE

    def sums(self) -> dict[int, int]:
        """Of A28's own gauge: window -> counts, as the rule sees them."""
        stage, state = self.line._stage, self.line._state
        rule = stage.part(state.partition).rain
        row = rule.names.index(f"A28|flash_flood|{OWN}")
        return dict(zip(rule.windows, rule.seen(state.rain, row).tolist(), strict=True))


def hour() -> Storm:
    """The first hour, in which every gauge is heard."""
    body, said = _hour()
    storm = Storm()
    storm.minute, storm.said = 60, list(said)
    storm.line._state = storm.line._stage.load(storm.line._state.partition, body)
    return storm


@cache
def _hour() -> tuple[bytes, tuple[Detection, ...]]:
    """What is remembered and was said of it: played once for all tests of a process."""
    storm = Storm().play(60)
    return storm.line._stage.dump(storm.line._state), tuple(storm.said)


def test_a_blocked_hour_counts_in_the_sums_that_reach_over_it() -> None:
    storm = hour().play(120, own=0).play(180)
    assert 0.9 * 720 - 5 <= storm.sums()[180] <= 720


def test_it_counts_while_it_is_blocked_too() -> None:
    storm = hour().play(110, own=0)
    assert storm.sums()[180] > 400


def test_an_order_that_a_blocked_hour_kept_back_comes_and_says_what_is_estimated() -> None:
    def first(storm: Storm) -> int:
        orders = [d for d in storm.said if d.action == Action.MOVE and d.hazard == "flash_flood"]
        return min((d.detected_at for d in orders), default=START + 10**9)

    heavy = dict.fromkeys(BESIDE, 3)  # the others stay below what orders, at first
    whole = Storm().play(60, 5, heavy).play(120, 5, heavy).play(380, 5, heavy)
    broken = Storm().play(60, 5, heavy).play(120, 0, heavy).play(380, 5, heavy)
    assert first(whole) <= first(broken) <= first(whole) + 35 * MINUTE  # without: an hour
    told = [e for d in broken.said for e in d.evidence if e.station == OWN and e.note]
    assert told and all(zh(e.note).startswith("含邻站插补") for e in told)
    assert not [e for d in whole.said for e in d.evidence if e.note]


@pytest.mark.parametrize(("back", "reached"), [(110, True), (113, False)])
def test_an_estimate_that_meets_what_is_measured_again_is_no_trend(
    back: int, reached: bool
) -> None:
    """The neighbours had less, so the estimate was too low: the rain did not grow when the gauge came back,
    at the end of a slot or within one."""

    def orders(blocked: bool) -> list[Detection]:
        storm = Storm()
        for counts in range(1, 10):
            storm.play(10 * counts, counts, dict.fromkeys(BESIDE, max(1, round(0.4 * counts))))
        heavy = dict.fromkeys(BESIDE, 4)
        storm.play(back, 0 if blocked else 9, heavy).play(125, 9, heavy)
        return [d for d in storm.said if d.rule == "slope_curve" and d.area == "A28"]

    whole, broken = orders(blocked=False), orders(blocked=True)
    assert max(d.action for d in whole) == Action.PREPARE
    assert max(d.action for d in broken) == Action.PREPARE
    assert broken[-1].suspect == reached and not whole[-1].suspect


@pytest.mark.parametrize(
    "beside",
    [
        {"R29": 4},  # one is nobody's word
        {"R29": 4, "R30": 0, "R07H": 0},  # most are dry: so may it be
        {"R29": 0, "R30": 0, "R07H": 0},
        {},
    ],
)
def test_where_the_others_do_not_agree_nothing_is_laid(beside: dict[str, int]) -> None:
    storm = Storm().play(60, own=0, beside=dict.fromkeys(beside, 0)).play(120, 0, beside)
    assert max(storm.sums().values()) == 0


def test_a_lone_burst_beside_fills_nobody() -> None:
    light = dict.fromkeys(BESIDE, 0)
    storm = Storm().play(60, 0, light).play(68, 0, light | {"R29": 42}).play(120, 0, light)
    assert max(storm.sums().values()) == 0


def test_of_several_none_counts_more_than_three_times_the_driest() -> None:
    storm = Storm().play(60, own=0, beside={"R07H": 20, "R29": 2, "R30": 2})
    assert storm.sums()[60] <= 3 * 2 * 60


def backlog(storm: Storm, minutes: Iterable[int], count: int = 4) -> None:
    items = [reading(OWN, "rain", START + m * MINUTE, count) for m in minutes]
    storm.said += storm.line.hear(*items)


def test_a_gauge_that_is_not_heard_is_filled_until_its_backlog_says_what_fell() -> None:
    storm = hour().play(120, own=None)
    assert 0.9 * 480 <= storm.sums()[180] <= 490
    backlog(storm, range(61, 121), 3)
    assert storm.sums()[180] == 60 * 4 + 60 * 3
    storm.play(125)
    assert storm.sums()[180] == 60 * 4 + 60 * 3 + 5 * 4


def test_a_backlog_that_was_dry_takes_back_what_was_laid() -> None:
    storm = hour().play(120, own=None).play(121)
    assert storm.sums()[180] > 400
    backlog(storm, range(65, 121, 5), 0)
    assert storm.sums()[180] == 61 * 4 == storm.play(122).sums()[180] - 4


@settings(max_examples=12, derandomize=True, deadline=None, phases=(Phase.generate,))
@given(
    st.permutations(range(61, 81)),
    st.lists(st.integers(1, 19), max_size=3),
    st.lists(st.integers(1, 30), min_size=20, max_size=20),
    st.booleans(),
)
def test_no_minute_counts_twice_however_the_backlog_comes(
    order: list[int], cuts: list[int], fell: list[int], live: bool
) -> None:
    """In any order and pieces, the gauge back meanwhile or not, with the storm going on: never more
    than what was said and an estimate of the rest, and in the end what fell."""
    storm = hour().play(80, own=None)
    edges, own = [0, *sorted(cuts), len(order)], 4 if live else None
    said, missing = 60 * 4, set(order)
    for a, b in pairwise(edges):
        for m in order[a:b]:
            backlog(storm, [m], fell[m - 61])
            said += fell[m - 61]
            missing.discard(m)
        later = 0 if live else storm.minute - 80
        assert said <= storm.sums()[180] <= said + (len(missing) + later) * 4.5 + 3
        storm.play(storm.minute + 1, own=own)
        said += own or 0
    if live:
        assert storm.sums()[180] == said


def test_short_windows_order_nothing_on_an_estimate() -> None:
    """Whatever falls beside it, what it did not catch is sure only over an hour and more."""
    storm = Storm().play(60, 1, dict.fromkeys(BESIDE, 1)).play(95, 0, dict.fromkeys(BESIDE, 36))
    state = storm.line._state
    rule = storm.line._stage.part(state.partition).rain
    row = rule.names.index(f"A28|flash_flood|{OWN}")
    assert storm.sums()[30] > rule.action_limits[1, row, rule.windows.index(30)].max()
    assert state.rain.sure[row][1] < Action.MOVE


def test_what_is_laid_survives_a_snapshot() -> None:
    one, two = hour().play(90, own=0), hour().play(90, own=0)
    stage = Detect(YANQING, lambda _: None)
    partition = two.line._state.partition
    two.line._stage, two.line._state = (
        stage,
        stage.load(partition, two.line._stage.dump(two.line._state)),
    )
    assert two.line._state.heard.filled == one.line._state.heard.filled != {}
    one.said.clear()
    two.said.clear()
    one.play(120, own=0).play(200)
    two.play(120, own=0).play(200)
    assert one.sums() == two.sums()
    assert [msgspec.to_builtins(d) for d in one.said] == [msgspec.to_builtins(d) for d in two.said]


# --- a counter whose total is in doubt


COUNTING = msgspec.structs.replace(
    YANQING,
    stations=YANQING.stations
    | {OWN: msgspec.structs.replace(YANQING.stations[OWN], quantity="rain_counter")},
)
BEFORE = 7000  # what the counter showed when the storm began


class Counted(Storm):
    """The same with a counter as A28's own gauge."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line(COUNTING, "A28", {})

    def show(self, until: int, total: Callable[[int], int]) -> "Counted":
        """total: what the counter shows at a minute; 4 counts a minute fall everywhere."""
        while self.minute < until:
            self.minute += 1
            items = [reading(s, "rain", self.now, 4) for s in BESIDE]
            own = reading(OWN, "rain_counter", self.now, total(self.minute))
            self.said += self.line.hear(own, *items)
            self.said += self.line.step(Tick(clock_at=self.now))
        return self


def counts(minute: int) -> int:
    """As it should."""
    return BEFORE + 4 * minute


def test_a_counter_that_shows_0_in_a_storm_is_filled_until_it_comes_back() -> None:
    storm = Counted().show(60, counts)
    assert storm.sums()[180] == 59 * 4  # of its first reading nothing is known
    storm.show(80, lambda _: 0)
    assert 0.85 * 79 * 4 <= storm.sums()[180] <= 79 * 4
    storm.show(81, counts)
    assert storm.sums()[180] == 80 * 4  # its own difference replaces what was laid
    assert storm.show(90, counts).sums()[180] == 89 * 4


@pytest.mark.parametrize("shows", [0, 33])
def test_a_counter_that_begins_again_counts_no_minute_twice(shows: int) -> None:
    storm = Counted().show(60, counts)
    storm.show(80, lambda m: shows + 4 * (m - 60))
    assert 0.8 * 79 * 4 <= storm.sums()[180] <= 79 * 4
    storm.show(120, lambda m: shows + 4 * (m - 60))
    assert 0.8 * 119 * 4 <= storm.sums()[180] <= 119 * 4


def test_a_rolling_sum_as_a_counter_makes_no_more_rain_than_fell() -> None:
    storm = Counted()
    for until in range(5, 181, 5):
        storm.show(until, lambda m: 4 * min(m, 30))  # of half an hour
        assert storm.sums()[180] <= 4 * until
