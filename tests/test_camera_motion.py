"""The camera rule over rendered frames, frames it cannot see, and a real calm river."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from config.district import CameraRule
from detectors.camera_motion import CameraState, Look, decode, judge
from simulators.camera import render

RULE = CameraRule()
MINUTE = 60_000


def jpeg(grey: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
    return out.getvalue()


def grey_of(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)).convert("L")).astype(np.float64)


def look(state: CameraState, minute: int, body: bytes | None, rule: CameraRule = RULE) -> Look:
    digest = hashlib.sha256(body or b"").hexdigest()
    return judge(rule, state, minute * MINUTE, digest, body)


def scene(minute: int, surge: bool = False, flow: float = 0.2, hour: float = 12.0) -> bytes:
    return render(7, minute, flow, surge, hour)


@pytest.mark.parametrize("hour", [3.0, 6.0, 12.0, 18.9, 23.0])
def test_calm_water_says_nothing_by_day_or_night(hour: float) -> None:
    state = CameraState()
    looks = [look(state, m, scene(m, flow=0.2 + m / 200, hour=hour)) for m in range(30)]
    assert not any(x.on or x.changed or x.sight for x in looks)
    assert max(x.share for x in looks) < RULE.moving_share / 2


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize("hour", [12.0, 23.0])
def test_a_surge_fires_after_so_many_moving_pairs(frames: int, hour: float) -> None:
    rule = CameraRule(frames=frames)
    state = CameraState()
    for m in range(5):
        look(state, m, scene(m, hour=hour), rule)
    looks = [look(state, m, scene(m, True, hour=hour), rule) for m in range(5, 11)]
    assert [x.on for x in looks] == [n >= frames - 1 for n in range(6)]
    assert [x.changed for x in looks] == [n == frames - 1 for n in range(6)]


def test_one_moving_pair_alone_is_no_surge() -> None:
    state = CameraState()
    rule = CameraRule(frames=3)  # a passing truck moves two pairs: it comes and it goes
    looks = [look(state, m, scene(m, surge=m == 4), rule) for m in range(10)]
    assert sum(x.share >= rule.moving_share for x in looks) == 2
    assert not any(x.on for x in looks)


def test_falls_after_the_hold_without_motion() -> None:
    state = CameraState()
    for m in range(5):
        look(state, m, scene(m, surge=m >= 2))
    assert state.on
    looks = {m: look(state, m, scene(m)) for m in range(5, 40)}
    off = [m for m, x in looks.items() if x.changed]
    # the pair (4, 5) still moves; quiet from 6, for 20 min
    assert off == [26] and not looks[26].on


def dark(m: int) -> bytes:
    return jpeg(grey_of(scene(m)) * 0.08)


def blurred(m: int) -> bytes:
    image = Image.open(io.BytesIO(scene(m))).filter(ImageFilter.GaussianBlur(12))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def broken(m: int) -> bytes:
    return scene(m)[:200]


def not_a_picture(m: int) -> bytes:
    return b"\xff\xd8 not a picture"


def nothing(m: int) -> None:
    return None


@pytest.mark.parametrize(
    ("blind", "sight"),
    [
        (dark, "dark"),
        (blurred, "blurred"),
        (broken, "no picture"),
        (not_a_picture, "no picture"),
        (nothing, "no picture"),
    ],
)
def test_it_says_that_it_cannot_see_and_when_it_can_again(blind: object, sight: str) -> None:
    state = CameraState()
    look(state, 0, scene(0))
    first = look(state, 1, blind(1))  # type: ignore[operator]
    again = look(state, 2, blind(2))  # type: ignore[operator]
    assert (first.sight, first.changed, first.on) == (sight, True, False)
    assert (again.sight, again.changed, again.on) == (sight, False, False)
    back = look(state, 3, scene(3))
    assert (back.sight, back.changed, back.on) == ("", True, False)


def test_a_frozen_picture_is_no_calm() -> None:
    state = CameraState()
    body = scene(0)
    looks = [look(state, m, body) for m in range(8)]
    assert [x.sight for x in looks] == [""] * RULE.frozen_frames + ["frozen"] * (
        8 - RULE.frozen_frames
    )
    assert look(state, 8, scene(8)).sight == ""


def test_a_knock_is_no_surge() -> None:
    state = CameraState()
    other = [jpeg(np.roll(grey_of(scene(m)), 60, axis=(0, 1))) for m in range(8)]
    looks = [look(state, m, scene(m) if m < 4 else other[m]) for m in range(8)]
    assert looks[4].share >= RULE.moving_share  # everything is elsewhere, once
    assert not any(x.on for x in looks)


def test_a_shaken_camera_says_that_it_moved() -> None:
    state = CameraState()
    rng = np.random.default_rng(1)
    calm = grey_of(scene(0))
    looks = []
    for m in range(6):
        shaken = np.kron(rng.uniform(20, 235, (15, 20)), np.ones((16, 16)))
        shaken[100:, 130:190] = calm[100:, 130:190]  # more at the border than in the middle
        looks.append(look(state, m, jpeg(shaken)))
    assert [x.sight for x in looks] == ["", *["moved"] * 5]
    assert not any(x.on for x in looks)


def test_blindness_neither_ends_nor_makes_a_surge() -> None:
    state = CameraState()
    for m in range(5):
        look(state, m, scene(m, surge=m >= 2))
    assert state.on
    assert all(look(state, m, dark(m)).on for m in range(5, 60))
    state = CameraState()
    look(state, 0, scene(0))
    assert not look(state, 1, scene(1, True)).on  # one pair
    look(state, 2, dark(2))
    assert not look(state, 3, scene(3, True)).on  # one pair again, not two in a row


def test_a_change_of_light_is_no_motion() -> None:
    state = CameraState()
    calm = grey_of(scene(0))
    for m, light in enumerate((0, 40, -30, 25)):
        assert not look(state, m, jpeg(calm + light)).on
    assert state.moving == 0


def test_an_older_frame_is_not_looked_at() -> None:
    state = CameraState()
    look(state, 10, scene(10))
    before = (state.frame, state.frame_at, state.moving)
    assert not look(state, 10, scene(11, True)).changed
    assert not look(state, 4, scene(4, True)).changed
    assert (state.frame, state.frame_at, state.moving) == before


def test_a_real_calm_river(data: Path) -> None:
    """It can see, and at most 0.2 % of the region moves."""
    paths = sorted((data / "river-video" / "pisco").glob("*.jpg"))
    if len(paths) < 3:
        pytest.skip("the river frames are not here")
    state = CameraState()
    looks = [look(state, m, p.read_bytes()) for m, p in enumerate(paths)]
    assert all(decode(p.read_bytes()) is not None for p in paths)
    assert [x.sight for x in looks] == [""] * len(paths)
    assert not any(x.on for x in looks)
    assert max(x.share for x in looks) < 0.01
