"""A reference platform on loopback, and our side of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.load import load
from config.records.district import District
from dispatch.channels.platform.carrier import ByPlatform
from simulators.carriers.platform import Platform
from tests.support.broadcast import OUR_KEYS, THEIR_KEYS, Clock, our_side
from tests.support.channels import ROOT


@pytest.fixture(scope="session")
def district() -> District:
    return load(ROOT / "config" / "yanqing")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(clock: Clock) -> Iterator[Platform]:
    pytest.importorskip("gmssl", reason="needs the second SM2")
    found = Platform(THEIR_KEYS, OUR_KEYS.public, now=lambda: clock() / 1000)
    yield found
    found.close()


@pytest.fixture
def ours(
    district: District, platform: Platform, tmp_path: Path, clock: Clock
) -> Iterator[Callable[..., ByPlatform]]:
    """Our carrier at this platform, with what is agreed otherwise; the same folder each time."""
    pytest.importorskip("gmssl_pyx", reason="needs SM2: pip install 'fengsui[broadcast]'")
    made: list[ByPlatform] = []

    def make(**agreed: object) -> ByPlatform:
        made.append(our_side(district, platform.at, tmp_path, clock, **agreed))
        return made[-1]

    yield make
    for one in made:
        one.close()
