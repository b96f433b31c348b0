"""What a soak and a campaign of kills rest on: the plan of faults, and whether a series grows."""

import math
import random
from collections import Counter

import pytest

from bench.kills.plan import KINDS, SERVERS, STAGES, draw, each_once
from bench.kills.slope import slope
from tests.support.by_scipy import stats

HOURS = [n / 360 for n in range(720)]  # two hours, a sample in ten seconds


def noise(seed: int, size: float = 1.0) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(0, size) for _ in HOURS]


def test_of_independent_measurements_it_is_the_textbook_s() -> None:
    values = [100 + 3 * h + e for h, e in zip(HOURS, noise(2), strict=True)]
    found, known = slope(HOURS, values), stats().linregress(HOURS, values)
    assert found.per_h == pytest.approx(known.slope)
    half = (found.high - found.low) / 2
    assert half == pytest.approx(1.963 * known.stderr, rel=0.15)
    assert found.low < 3 < found.high
    assert found.verdict == "grows"


def test_what_goes_up_and_down_with_each_storm_is_flat() -> None:
    """Ten storms, each of which fills the memory and lets go of it: an ordinary interval would often call that
    a slope."""
    for seed in range(20):
        phase = random.Random(seed).uniform(0, 2 * math.pi)
        values = [
            200 + 20 * math.sin(2 * math.pi * h * 5 + phase) + e
            for h, e in zip(HOURS, noise(seed, 0.5), strict=True)
        ]
        assert slope(HOURS, values).verdict == "flat"


def test_a_leak_is_found_in_the_noise() -> None:
    values = [150 + 2 * h + e for h, e in zip(HOURS, noise(3, 2.0), strict=True)]
    assert slope(HOURS, values).verdict == "grows"
    assert slope(HOURS, values[::-1]).verdict == "shrinks"


def test_what_never_moves_is_flat_and_too_few_measurements_are_none() -> None:
    assert slope(HOURS, [21.0] * len(HOURS)).verdict == "flat"
    with pytest.raises(ValueError, match="three"):
        slope([0.0, 1.0], [1.0, 2.0])


def test_a_plan_kills_each_target_as_often_and_is_its_seed_s() -> None:
    plan = draw(5, 90)
    killed = Counter(f.whom for f in plan if f.kind == "kill")
    assert killed == dict.fromkeys((*STAGES, *SERVERS), 10)
    assert {f.kind for f in plan} == KINDS.keys()
    assert draw(5, 90) == plan != draw(6, 90)
    assert all(f.kind != "full" for f in draw(5, 90, disks=False))


def test_the_short_plan_has_each_target_and_each_kind_once() -> None:
    plan = each_once(3)
    assert Counter(f.whom for f in plan if f.kind == "kill") == dict.fromkeys(
        (*STAGES, *SERVERS), 1
    )
    assert Counter(f.kind for f in plan if f.kind != "kill") == dict.fromkeys(
        KINDS.keys() - {"kill"}, 1
    )
