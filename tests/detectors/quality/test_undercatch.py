"""Rain gauges that catch a part of the rain only: told, and their villages thin while it rains."""

import pytest

from detectors.detection import Detection
from ingest.observation import Service
from stream.records import Tick
from tests.support.detect_faults import MINUTE, START, Line
from tests.support.neighbours import notes, rain, watching

STEP = 10  # minutes


def day(
    own: list[int], beside: list[int], line: Line | None = None, first: int = 0
) -> list[Detection]:
    """Counts of every ten minutes at R01 and at R02, R03, R04, with the clock."""
    line, said = line or watching("A01"), []
    for n in range(len(own)):
        minute = (first + n) * STEP
        items = [rain("R01", minute, own[n])]
        items += [rain(s, minute, beside[n]) for s in ("R02", "R03", "R04")]
        said += line.hear(*items, clock_at=START + minute * MINUTE)
    return said


def thin(said: list[Detection]) -> list[bool]:
    """Whether R01 was held to show nothing, each time that it was said."""
    found = [d.coverage for d in said if d.rule == "silence" and d.coverage is not None]
    return ["R01" in c.silent for c in found]


def of(said: list[Detection]) -> list[str]:
    return [x.removeprefix("R01 rain: ") for x in notes(said)]


@pytest.mark.parametrize("own", [4, 5, 6])
def test_a_gauge_that_catches_a_third_is_told_and_its_village_thin(own: int) -> None:
    """12 mm an hour beside it; of a clogged one it would be 15 % and less."""
    said = day([own] * 24, [20] * 24)
    assert of(said) == ["undercatch"]
    assert thin(said)[-1]


def test_half_of_the_rain_is_told_when_there_was_much_of_it() -> None:
    assert of(day([9] * 12, [20] * 12)) == []
    assert of(day([9] * 40, [20] * 40)) == ["undercatch"]


@pytest.mark.parametrize(
    ("own", "beside", "n"),
    [(14, 20, 60), (20, 20, 60), (40, 20, 60), (1, 4, 36), (0, 0, 60)],
    ids=["two thirds", "all", "more", "little rain", "none"],
)
def test_what_falls_unlike_is_no_fault(own: int, beside: int, n: int) -> None:
    assert of(day([own] * n, [beside] * n)) == []


def test_it_is_over_when_it_catches_again_and_not_by_a_drop() -> None:
    line = watching("A01")
    assert of(day([4] * 24, [20] * 24, line)) == ["undercatch"]
    assert of(day([6] * 12, [20] * 12, line, 24)) == []
    said = day([19] * 12, [20] * 12, line, 36)
    assert of(said) == ["undercatch over"]
    assert not thin(said)[-1]


def test_after_the_rain_it_is_still_to_be_cleaned_and_its_village_thin_no_longer() -> None:
    line = watching("A01")
    day([4] * 24, [20] * 24, line)
    said = day([0] * 36, [0] * 36, line, 24)
    assert of(said) == []
    assert not thin(said)[-1]
    assert of(day([0] * 144, [0] * 144, line, 60)) == ["undercatch over"]


def test_a_gauge_that_is_clogged_vouches_for_nobody() -> None:
    line, said = watching("A01"), []
    for n in range(36):
        items = [rain("R01", n * STEP, 17), rain("R02", n * STEP, 0)]
        items += [rain(s, n * STEP, 70) for s in ("R03", "R04", "R05")]
        said += line.hear(*items)
        said += line.step(Tick(clock_at=START + n * STEP * MINUTE))
    assert of(said) == ["undercatch"]


def test_of_one_neighbour_nothing_can_be_said() -> None:
    line, said = watching("A01"), []
    for n in range(36):
        said += line.hear(rain("R01", n * STEP, 2), rain("R02", n * STEP, 25))
        said += line.step(Tick(clock_at=START + n * STEP * MINUTE))
    assert of(said) == []


def test_what_fell_while_it_was_cleaned_says_nothing_of_it() -> None:
    line = watching("A01")
    day([4] * 24, [20] * 24, line)
    at = START + 24 * STEP * MINUTE
    away = Service(
        id="s1",
        thing="R01",
        until_at=at + 60 * MINUTE,
        by="T-07",
        reason="清洗",
        said_at=at,
        way="command",
    )
    line.step(away)
    said = day([0] * 6, [20] * 6, line, 24) + day([20] * 12, [20] * 12, line, 30)
    assert of(said) == ["undercatch over"]


@pytest.mark.parametrize("who", [("R01",), ("R02", "R03", "R04", "R05", "R01H")])
def test_silence_is_no_sign_that_it_is_well_again(who: tuple[str, ...]) -> None:
    """Its own, and that of all beside it."""
    line = watching("A01")
    day([4] * 24, [20] * 24, line)
    for n in range(24, 36):
        speak = [s for s in ("R01", "R02", "R03", "R04") if s not in who]
        line.hear(*(rain(s, n * STEP, 0) for s in speak))
        said = line.step(Tick(clock_at=START + n * STEP * MINUTE))
        assert "undercatch over" not in of(said)
    assert of(day([20] * 12, [20] * 12, line, 36)) == ["undercatch over"]


def test_it_outlives_a_restart() -> None:
    line = watching("A01")
    day([4] * 24, [20] * 24, line)
    line.restart()
    assert of(day([4] * 6, [20] * 6, line, 24)) == []
    assert of(day([20] * 12, [20] * 12, line, 30)) == ["undercatch over"]


A_DAY = 144  # of ten minutes


def week(own: int, beside: int, days: int, line: Line, first: int = 0) -> list[Detection]:
    """Days with two hours of rain each: none has enough by itself."""
    said = []
    for n in range(first, first + days):
        rainy = [own] * 12 + [0] * (A_DAY - 12), [beside] * 12 + [0] * (A_DAY - 12)
        said += day(*rainy, line, n * A_DAY)
    return said


def test_light_rain_of_several_days_shows_it_too() -> None:
    """12 mm a day beside it, 3 mm in it: no day has 25 mm, and after five it is told."""
    line = watching("A01")
    assert of(week(2, 10, 3, line)) == []
    assert of(week(2, 10, 4, line, 3)) == ["undercatch"]
    assert of(week(0, 0, 10, line, 7)) == [], "dry days clean no gauge"
    said = day([2] * 6, [10] * 6, line, 17 * A_DAY)
    assert thin(said)[-1], "its village is thin while it rains beside it"
    assert of(day([10] * 24, [10] * 24, line, 17 * A_DAY + 6)) == ["undercatch over"]
    assert of(week(10, 10, 6, line, 18)) == [], "it begins anew"


@pytest.mark.parametrize(
    ("own", "beside"), [(5, 10), (10, 10), (1, 3)], ids=["half", "all", "drizzle"]
)
def test_days_that_differ_as_days_do_are_no_fault(own: int, beside: int) -> None:
    assert of(week(own, beside, 12, watching("A01"))) == []


def test_what_it_missed_before_it_was_cleaned_counts_no_more() -> None:
    line = watching("A01")
    week(2, 10, 4, line)
    at = START + 4 * A_DAY * STEP * MINUTE
    line.step(
        Service(
            id="s1", thing="R01", until_at=at + 60 * MINUTE, by="T-07", reason="清洗", said_at=at,
            way="command",
        )
    )  # fmt: skip
    assert of(week(10, 10, 8, line, 4)) == []


def test_days_outlive_a_restart() -> None:
    line = watching("A01")
    week(2, 10, 3, line)
    line.restart()
    assert of(week(2, 10, 4, line, 3)) == ["undercatch"]
