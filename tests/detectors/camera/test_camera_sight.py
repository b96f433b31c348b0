"""The self-check: what a camera cannot see through, told once, and never judged."""

from pathlib import Path

import pytest

from config.records.rules import CameraRule
from simulators.views.gully import Look, picture
from tests.support.cameras import CAMERA, WIDE, Eye, usual

RULE = CameraRule()

BLIND = {
    "dark": Look(light=0.1),
    "glare": Look(light=5.0),
    "fogged": Look(fog=0.8),
    "blurred": Look(blur=3.0),
    "dirty": Look(dirt=0.9),
    "moved": Look(shake=(40, 20)),
}
SEES = {
    "calm": Look(speed=40),
    "night": Look(night=True),
    "rain": Look(rain=1.0),
    "haze": Look(fog=0.4),
    "evening": Look(light=0.5, warm=0.8),
    "shadow": Look(shadow=200.0),
    "wind": Look(shake=(6, 4)),
    "flood": Look(speed=100, stage=2.0, turbid=1.0),
    "surge": Look(front=200.0),
    "a surge that fills the channel": Look(front=400.0, stage=2.0),
    "a little mud on the glass": Look(dirt=0.1),
}


@pytest.mark.parametrize("why", BLIND)
def test_it_says_why_it_cannot_see(why: str) -> None:
    eye = Eye()
    at = usual(eye, 3)
    found = [eye.look(at + n, BLIND[why]) for n in range(4)]
    assert {w.sight for w in found} == {why}
    assert all(w.readings == [] and not w.look.on for w in found)
    # told once, after so many in a row
    assert [w.told for w in found] == [None, True, None, None]


@pytest.mark.parametrize("what", SEES)
def test_it_sees_through_what_can_be_seen_through(what: str) -> None:
    eye = Eye()
    at = usual(eye, 3)
    assert eye.look(at, SEES[what]).sight == ""


def test_no_picture_in_all_its_forms() -> None:
    body = picture(1, 0, Look(), WIDE)
    small = picture(1, 0, Look(), 160)  # 160 x 90
    forms = {
        "no picture": (None, b"", b"\xff\xd8 not a picture", body[:200]),
        "truncated": (body[: len(body) // 2], body[:-2]),
        "too small": (small,),
    }
    for why, bodies in forms.items():
        for n, shown in enumerate(bodies):
            assert Eye().show(n, shown).sight == why
    # bytes after the end are some cameras' habit
    assert Eye().show(0, body + b"\0" * 100).sight == ""


def test_a_frozen_picture_is_no_calm() -> None:
    eye = Eye()
    body = picture(1, 0, Look(), WIDE)
    found = [eye.show(n, body).sight for n in range(8)]
    assert found == [""] * RULE.frozen_frames + ["frozen"] * (8 - RULE.frozen_frames)
    assert eye.look(9, Look(speed=40)).sight == ""


def test_another_shape_is_another_camera() -> None:
    import msgspec

    square = msgspec.structs.replace(CAMERA, width=640, height=640)
    assert Eye(square).look(0, Look()).sight == "other shape"


def test_flicker_is_told_once() -> None:
    """Fog that comes and goes: no flapping, yet no bad frame is judged."""
    eye = Eye()
    at = usual(eye, 3)
    seen = [eye.look(at + n, Look(fog=0.8 if n % 3 else 0.1)) for n in range(30)]
    assert [w.told for w in seen if w.told is not None] == [True]
    assert all(bool(w.sight) == bool(n % 3) for n, w in enumerate(seen))
    clear = [eye.look(at + 40 + n, Look(speed=40)).told for n in range(5)]
    assert clear.count(False) == 1 and True not in clear


def test_a_camera_that_was_knocked_stays_blind_until_somebody_has_looked() -> None:
    import msgspec

    eye = Eye()
    at = usual(eye, 3)
    day = 86_400.0
    for hour in range(0, 30, 3):
        assert eye.look(at + hour * 3600, Look(shake=(40, 20))).sight == "moved"
    assert eye.look(at + 2 * day, Look()).sight == ""  # put back
    eye.look(at + 2 * day + 60, Look(shake=(40, 20)))
    assert isinstance(eye.camera, type(CAMERA))
    eye.camera = msgspec.structs.replace(eye.camera, checked="2026-08-01")
    assert eye.look(at + 2 * day + 120, Look(shake=(40, 20))).sight == ""


def test_a_camera_nobody_set_up_adopts_its_view_after_a_day() -> None:
    eye = Eye(None)
    at = usual(eye, 3)
    hours = range(0, 30, 3)
    found = [eye.look(at + h * 3600, Look(shake=(40, 20))).sight for h in hours]
    assert found == ["moved"] * 8 + ["moved", ""]


def test_small_moves_add_up() -> None:
    """Each is within what wind does; the reference is renewed on the way, and carries its shift."""
    eye = Eye()
    at = usual(eye, 2)
    found = [eye.look(at + n * 7 * 3600, Look(shake=(4 * n, 0))).sight for n in range(8)]
    # 3 % of the width is 19 pixels
    assert found == ["", "", "", "", "", "moved", "moved", "moved"]


def test_the_view_of_another_camera_is_moved() -> None:
    eye = Eye()
    at = usual(eye, 3)
    assert eye.look(at, Look(), seed=2).sight == "moved"


def test_real_rivers_are_seen(data: Path) -> None:
    """Eight frames of a fast, muddy river and a lowland stream: none of it is called blind."""
    import cv2

    paths = sorted((data / "river-video" / "pisco").glob("*.jpg"))
    clip = data / "river-video" / "pyorc_dk_control.mp4"
    if not paths or not clip.exists():
        pytest.skip("the river pictures are not here")
    eye = Eye(None)
    assert {eye.show(n, p.read_bytes()).sight for n, p in enumerate(paths)} == {""}
    stream, reader, n = Eye(None), cv2.VideoCapture(str(clip)), 0
    while (found := reader.read())[0]:
        body = cv2.imencode(".jpg", found[1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        assert stream.show(n, body).sight == ""
        n += 1
    assert n == 10
    # turned away from the one to the other
    assert stream.show(60, paths[0].read_bytes()).sight == "moved"
