"""The rule camera_motion over rendered frames, light, shake and blindness, and a real calm river."""

from pathlib import Path

import pytest

from config.records.rules import CameraRule
from detectors.camera.motion import Look as Said
from simulators.views.camera import render
from simulators.views.gully import Look
from tests.support.cameras import CAMERA, Eye

RULE = CameraRule()
MINUTE = 60.0


def scene(minute: float, surge: bool = False, flow: float = 0.2, hour: float = 12.0) -> bytes:
    return render(7, int(minute), flow, surge, hour)


def plain(rule: CameraRule = RULE) -> Eye:
    """A camera of which nothing is configured."""
    return Eye(None, rule, frozenset())


@pytest.mark.parametrize("hour", [3.0, 6.0, 12.0, 18.9, 23.0])
def test_calm_water_says_nothing_by_day_or_night(hour: float) -> None:
    eye = plain()
    seen = [eye.show(m * MINUTE, scene(m, flow=0.2 + m / 200, hour=hour)) for m in range(30)]
    assert not any(x.look.on or x.look.changed or x.sight for x in seen)
    assert max(x.look.share for x in seen) < RULE.moving_share / 2


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize("hour", [12.0, 23.0])
def test_a_surge_fires_after_so_many_moving_pairs(frames: int, hour: float) -> None:
    eye = plain(CameraRule(frames=frames))
    for m in range(5):
        eye.show(m * MINUTE, scene(m, hour=hour))
    looks = [eye.show(m * MINUTE, scene(m, True, hour=hour)).look for m in range(5, 11)]
    assert [x.on for x in looks] == [n >= frames - 1 for n in range(6)]
    assert [x.changed for x in looks] == [n == frames - 1 for n in range(6)]


def test_one_moving_pair_alone_is_no_surge() -> None:
    eye = plain(CameraRule(frames=3))  # a passing truck moves two pairs: it comes and it goes
    looks = [eye.show(m * MINUTE, scene(m, surge=m == 4)).look for m in range(10)]
    assert sum(x.share >= RULE.moving_share for x in looks) == 2
    assert not any(x.on for x in looks)


def test_falls_after_the_hold_without_motion() -> None:
    eye = plain()
    for m in range(5):
        eye.show(m * MINUTE, scene(m, surge=m >= 2))
    assert eye.state.on
    looks = {m: eye.show(m * MINUTE, scene(m)).look for m in range(5, 40)}
    off = [m for m, x in looks.items() if x.changed]
    # the pair (4, 5) still moves; quiet from 6, for 20 min
    assert off == [26] and not looks[26].on


def test_blindness_neither_ends_nor_makes_a_surge() -> None:
    dark = render(7, 1, 0.2, True, 12.0)[:300]  # broken
    eye = plain()
    for m in range(5):
        eye.show(m * MINUTE, scene(m, surge=m >= 2))
    assert eye.state.on
    assert all(eye.show(m * MINUTE, dark).look.on for m in range(5, 60))
    eye = plain()
    eye.show(0, scene(0))
    assert not eye.show(1 * MINUTE, scene(1, True)).look.on  # one pair
    eye.show(2 * MINUTE, dark)
    assert not eye.show(3 * MINUTE, scene(3, True)).look.on  # no pair at all
    assert not eye.show(4 * MINUTE, scene(4, True)).look.on  # one again, not two in a row


@pytest.mark.parametrize(
    "change",
    [
        lambda n: Look(speed=40, light=(1.0, 1.3, 0.7, 1.2, 0.6)[n % 5]),
        lambda n: Look(speed=40, shadow=90.0 * n),
        lambda n: Look(speed=40, shake=((0, 0), (6, 3), (-5, 4), (7, -6))[n % 4]),
        lambda n: Look(speed=40, fog=n / 14),
    ],
    ids=["exposure", "shadow", "shake", "fog"],
)
def test_light_shake_and_fog_are_no_motion(change: object) -> None:
    eye = Eye(CAMERA, RULE, frozenset())
    looks = [eye.look(60.0 * n, change(n)).look for n in range(8)]  # type: ignore[operator]
    assert max(x.share for x in looks) < RULE.moving_share
    assert not any(x.on for x in looks)


def test_a_late_frame_completes_what_it_lies_between() -> None:
    """Pairs (4, 5) and (5, 6) move only when 5 is there: between 4 and 6 it is calm."""
    order = [0, 1, 2, 3, 4, 6, 7, 5]
    eye = plain()
    looks = [eye.show(m * MINUTE, scene(m, surge=m == 5)).look for m in order]
    assert [x.on for x in looks] == [False] * 7 + [True]
    in_order = plain()
    assert [in_order.show(m * MINUTE, scene(m, surge=m == 5)).look.on for m in range(8)][6]


def test_the_same_moment_again_changes_nothing() -> None:
    eye = plain()
    for m in range(6):
        eye.show(m * MINUTE, scene(m, surge=m >= 5))
    before = eye.state
    assert eye.show(5 * MINUTE, scene(9, True)).look == Said(False, False, 0.0)
    assert eye.state == before


def test_a_real_calm_river(data: Path) -> None:
    """It can see, and at most 0.2 % of the region moves."""
    paths = sorted((data / "river-video" / "pisco").glob("*.jpg"))
    if len(paths) < 3:
        pytest.skip("the river frames are not here")
    eye = plain()
    seen = [eye.show(n * 2 / 30, p.read_bytes()) for n, p in enumerate(paths)]
    assert [x.sight for x in seen] == [""] * len(paths)
    assert not any(x.look.on for x in seen)
    assert max(x.look.share for x in seen) < 0.02
