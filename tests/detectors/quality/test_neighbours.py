"""Rain gauges beside one another: one that rains alone, and one that alone stays dry."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action
from detectors.detection import Detection
from stream.records import Tick
from tests.support.detect_faults import MINUTE, START
from tests.support.examples import examples
from tests.support.neighbours import notes, rain, watching

LAW = examples(25)
ALONE, BESIDE = "R28", ("R29", "R30", "R31", "R07H")
DRY = {s: [0] for s in BESIDE}
BURST = [42] * 8  # 33.6 mm in eight minutes


def top(said: list[Detection]) -> tuple[int, int]:
    found = [d for d in said if d.rule == "rain_threshold" and d.hazard == "flash_flood"]
    return max((d.level for d in found), default=0), max((d.action for d in found), default=0)


def burst(beside: dict[str, list[int]], mine: list[int] = BURST, first: int = 5) -> list[Detection]:
    """A burst at one gauge; what its neighbours say, a count a minute from the beginning on."""
    line, said = watching(), []
    for minute in range(1, first + len(mine) + 15):
        n = minute - first
        readings = [rain(s, minute, c[min(minute, len(c)) - 1]) for s, c in beside.items()]
        readings.append(rain(ALONE, minute, mine[n] if 0 <= n < len(mine) else 0))
        said += line.hear(*readings)
    return said


def test_a_burst_among_dry_neighbours_orders_no_more_than_to_prepare() -> None:
    said = burst(DRY)
    level, action = top(said)
    assert action == Action.PREPARE and level > 0  # the duty room sees it
    assert any(d.note == "R28 rain: neighbour" for d in said)


@pytest.mark.parametrize("count", [1, 0])
def test_a_drizzle_at_the_others_confirms_nothing(count: int) -> None:
    drizzle = [count if n % 4 == 0 else 0 for n in range(30)]  # 1.5 mm an hour
    assert top(burst(dict.fromkeys(BESIDE, drizzle)))[1] == Action.PREPARE


def test_steady_rain_at_the_others_bears_out_no_burst_by_lasting() -> None:
    """2 mm in the ten minutes of the burst are no tenth of it; in half an hour it would be 6."""
    steady = [2]
    said = burst(dict.fromkeys(BESIDE, steady), first=45)
    assert top(said)[1] == Action.PREPARE
    assert any(d.note == "R28 rain: neighbour" for d in said)


def test_a_shower_that_passed_one_of_the_others_before_bears_a_burst_out() -> None:
    steady, passed = [2], [2] * 15 + [4] * 10 + [2]
    assert top(burst({**dict.fromkeys(BESIDE, steady), "R29": passed}, first=35))[1] == Action.MOVE


def test_of_silent_neighbours_nothing_can_be_said() -> None:
    assert top(burst({}))[1] == Action.MOVE
    line = watching()
    for s in BESIDE:
        line.hear(rain(s, 0, 0))
    said = [d for n, c in enumerate(BURST) for d in line.hear(rain(ALONE, 60 + n, c))]
    assert top(said)[1] == Action.MOVE


def test_what_the_climate_has_never_shown_needs_somebody_else() -> None:
    assert top(burst({}, [90] * 8))[1] == Action.PREPARE
    assert top(burst({"R29": [0] * 4 + [20] * 30}, [90] * 8))[1] == Action.MOVE


def test_one_neighbour_that_agrees_is_enough() -> None:
    beside = {**DRY, "R29": [0] * 4 + [12] * 30}
    assert top(burst(beside))[1] == Action.MOVE


def test_a_neighbour_that_agrees_later_ends_the_doubt_at_once() -> None:
    late = {**DRY, "R29": [0] * 16 + [30] * 9}
    line, said = watching(), []
    moved_at = 0
    for minute in range(1, 24):
        n = minute - 5
        readings = [rain(s, minute, c[min(minute, len(c)) - 1]) for s, c in late.items()]
        readings.append(rain(ALONE, minute, BURST[n] if 0 <= n < 8 else 0))
        said += line.hear(*readings)
        if not moved_at and top(said)[1] == Action.MOVE:
            moved_at = minute
    assert 17 <= moved_at <= 19


def test_a_slow_leak_is_held_against_the_others_too() -> None:
    """Never 12 mm in ten minutes, but 60 in an hour."""
    said = burst(DRY, [11] * 70)
    assert top(said)[1] == Action.PREPARE


@LAW
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 90), st.booleans()), max_size=60),
    st.sets(st.integers(1, 59)),
)
def test_batches_do_not_show(rows: list[tuple[int, int, bool]], cuts: set[int]) -> None:
    names = (ALONE, *BESIDE)
    items = [rain(names[s], n // 3 - (3 if late else 0), c) for n, (s, c, late) in enumerate(rows)]
    whole, cut = watching(), watching()
    expect = whole.hear(*items) if items else []
    found: list[Detection] = []
    for a, b in pairwise([0, *sorted(c for c in cuts if c < len(items)), len(items)]):
        found += cut.hear(*items[a:b]) if b > a else []
    assert found == expect


@LAW
@given(
    st.lists(st.tuples(st.integers(0, 130), st.booleans()), max_size=60),
    st.sets(st.integers(1, 59)),
)
def test_batches_do_not_show_at_a_gauge_whose_neighbours_are_silent(
    rows: list[tuple[int, bool]], cuts: set[int]
) -> None:
    """Only the climate says what is too much: all at once, or one by one."""
    items = [rain(ALONE, n // 2 - (3 if late else 0), c) for n, (c, late) in enumerate(rows)]
    whole, cut = watching(), watching()
    expect = whole.hear(*items) if items else []
    found: list[Detection] = []
    for a, b in pairwise([0, *sorted(c for c in cuts if c < len(items)), len(items)]):
        found += cut.hear(*items[a:b]) if b > a else []
    assert found == expect


# --- dry among wet


def hour(own: int, beside: list[int], minutes: int = 90) -> list[Detection]:
    """Counts of every five minutes at R01, and at R02, R03, R04, with the clock."""
    line, said = watching("A01"), []
    for minute in range(0, minutes, 5):
        items = [rain("R01", minute, own if minute else 0)]
        items += [rain(f"R0{n}", minute, c) for n, c in enumerate(beside, 2)]
        said += line.hear(*items)
        said += line.step(Tick(clock_at=START + minute * MINUTE))
    return said


@pytest.mark.parametrize("own", [0, 1, 5])
def test_a_gauge_that_stays_dry_among_wet_ones_is_clogged_and_its_village_thin(own: int) -> None:
    said = hour(own, [40, 40, 40])
    assert "R01 rain: clogged" in notes(said)
    thin = [d for d in said if d.rule == "silence" and d.thin]
    assert thin and thin[-1].coverage is not None and "R01" in thin[-1].coverage.silent


@pytest.mark.parametrize("beside", [[2, 2, 2], [40, 40, 0], [40], [0, 0, 0]])
def test_a_dry_gauge_is_none_while_its_neighbours_are_dry_or_differ(beside: list[int]) -> None:
    assert notes(hour(0, beside)) == []


def test_less_rain_than_beside_is_no_clog() -> None:
    assert notes(hour(26, [40, 40, 40])) == []


def test_a_clog_ends_when_it_rains_in_or_the_others_are_dry() -> None:
    line, said = watching("A01"), []
    for minute in range(0, 300, 5):
        wet = 0 < minute <= 90
        items = [rain("R01", minute, 0)]
        items += [rain(f"R0{n}", minute, 40 if wet else 0) for n in (2, 3, 4)]
        said += line.hear(*items)
        said += line.step(Tick(clock_at=START + minute * MINUTE))
    # it has still caught less than they have, and is to be looked at
    assert notes(said) == ["R01 rain: clogged", "R01 rain: clogged over", "R01 rain: undercatch"]
    last = [d for d in said if d.rule == "silence"][-1]
    assert last.coverage is not None and "R01" not in last.coverage.silent
