"""Water levels: what is water, what is a code, a broken sensor or a datum that moved."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.rules import QualityRule
from detectors.quality.level_course import Course, Range, Seen, judge
from tests.support.examples import examples

LAW = examples(200)
MINUTE = 60_000
RULE = QualityRule()
STATION = Range(-2000, 7000, (), 1000)


def seen(
    values: list[float], *, wet: bool = False, every_min: int = 5, station: Range = STATION
) -> list[Seen]:
    """Metres, one each so many minutes; the memory goes through a snapshot between any two."""
    m, out = Course(), []
    for n, value in enumerate(values):
        m = msgspec.msgpack.decode(msgspec.msgpack.encode(m), type=Course)
        at = n * every_min * MINUTE
        out.append(judge(RULE, station, m, at, round(value * 1000), lambda: wet))
    return out


def kept(found: list[Seen], values: list[float]) -> list[float]:
    return [v for s, v in zip(found, values, strict=True) if s.keep]


def sure(found: list[Seen], values: list[float]) -> list[float]:
    return [v for s, v in zip(found, values, strict=True) if s.keep and not s.test]


CALM, FLOOD = [0.8] * 6, [0.7, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.6, 2.7, 2.75, 2.8]


@pytest.mark.parametrize("code", [9.998, 9.999, 65.535, 700.0, 70.0, -8.88, -99.99, -0.8])
@pytest.mark.parametrize("jitter", [0.0, 0.001])
@pytest.mark.parametrize("before", [CALM, FLOOD])
def test_a_code_says_nothing_however_often(code: float, jitter: float, before: list[float]) -> None:
    values = [*before, *(code + jitter * (n % 2) for n in range(40))]
    found = seen(values)
    assert kept(found, values) == before
    assert all(s.blind for s in found[len(before) :])


@pytest.mark.parametrize("low", [0.0, 0.02, -0.4, 0.35])
def test_no_water_falls_so_far_and_the_level_is_unknown(low: float) -> None:
    values = [*FLOOD, *[low] * 36]
    found = seen(values)
    assert kept(found, values) == FLOOD
    assert all(s.blind for s in found[len(FLOOD) :])
    back = [*values, 2.6, 2.5]
    assert sure(seen(back), back) == [*FLOOD, 2.6, 2.5]  # it is there again


def test_a_zero_after_an_outage_of_hours_is_no_fall() -> None:
    m = Course()
    for n, value in enumerate((2200, 2500, 2700)):
        judge(RULE, STATION, m, n * 5 * MINUTE, value, bool)
    assert judge(RULE, STATION, m, 400 * MINUTE, 0, bool).blind


@pytest.mark.parametrize("high", [2.9, 5.0, 1.45])
def test_a_jump_that_repeats_itself_is_not_confirmed(high: float) -> None:
    values = [*CALM, *(high - 0.01 * (n % 2) for n in range(30))]
    found = seen(values)
    assert sure(found, values) == CALM
    assert all(s.keep for s in found)  # a person is asked


def test_a_jump_that_moves_as_water_does_is_water() -> None:
    values = [*CALM, 3.0, 3.1, 3.3, 3.2]
    assert [s.test for s in seen(values)[6:]] == ["spike", "", "", ""]


def test_a_step_of_half_a_metre_out_of_rest_is_a_flood_only_beside_rain() -> None:
    values = [*CALM, 1.35, 1.35, 1.35]
    assert [s.test for s in seen(values)[6:]] == ["step"] * 3
    assert [s.test for s in seen(values, wet=True)[6:]] == [""] * 3


def test_out_of_the_water_and_back_elsewhere() -> None:
    for many in (1, 2, 8, 20):
        values = [0.72] * 4 + [0.04] * many + [1.93] * 20
        found = seen(values)
        assert sure(found, values) == [0.72] * 4
        assert kept(found, values) == [0.72] * 4 + [1.93] * 20


def test_a_new_datum_is_told_and_taken_in_calm() -> None:
    values = [0.72] * 4 + [0.30] * 90
    found = seen(values)
    told = [s.test for s in found]
    assert "datum_step" in told and told[-1] == "" and not found[-1].blind


def test_in_a_flood_a_new_datum_is_taken_after_a_day_and_stays_blind_until_it_moves() -> None:
    values = [*FLOOD, *[0.0] * 300, 0.4]
    found = seen(values)
    assert not any(s.keep for s in found[11 : 11 + 288])
    assert found[-2].keep and found[-2].blind
    assert not found[-1].blind


def test_codes_and_ranges_of_its_own() -> None:
    own = Range(400_000, 420_000, (409_990,), 410_000)
    values = [405.1, 405.2, 409.99, 409.99, 421.0, 0.0, 405.3]
    assert kept(seen(values, station=own), values) == [405.1, 405.2, 405.3]
    high = Range(8000, 20_000, (), 15_000)  # 9.999 m is a level like any other here
    values = [9.95, 9.97, 9.999, 10.02]
    assert sure(seen(values, station=high), values) == values


_STEPS = st.lists(st.floats(-0.25, 0.35), min_size=10, max_size=60)


@LAW
@given(_STEPS, st.randoms(use_true_random=False))
def test_water_is_never_kept_from_the_rules(steps: list[float], rng: Random) -> None:
    """What rises by up to 4.2 m/h and falls by up to 3 m/h, with a sensor's noise."""
    level, values = 0.8, []
    for step in steps:
        level = min(6.0, max(0.3, level + step))
        values.append(level + rng.uniform(-0.012, 0.012))
    assert all(s.keep and not s.blind for s in seen(values, wet=True))
    assert sure(seen(values, wet=True), values) == values


@LAW
@given(
    _STEPS,
    st.integers(1, 30),
    st.integers(1, 12),
    st.sampled_from([9.999, -9.99, 65.535, 99.99, -8.888]),
)
def test_codes_in_between_change_nothing(
    steps: list[float], first: int, many: int, code: float
) -> None:
    level, values = 0.8, []
    for step in steps:
        level = min(6.0, max(0.6, level + step))
        values.append(level)
    first = min(first, len(values) - 1)
    shown = [*values[:first], *[code] * many, *values[first:]]
    found = seen(shown, wet=True)
    assert not any(s.keep for s in found[first : first + many])
    assert kept(found, shown) == values
