"""Surface speed: rendered water at a known speed, what it is silent about, and two real rivers."""

from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from config.records.district import Camera
from detectors.camera.picture import Picture, decode
from detectors.camera.scene import scene_of
from detectors.camera.speed import Speed, speed
from simulators.views.gully import Look, picture
from tests.support.cameras import CAMERA, GSD, WIDE, Eye, readings

SPEED = frozenset({"surface_speed", "image_speed"})


def burst(
    eye: Eye, look: Look, begin: float = 100.0, count: int = 3, dt_s: float = 0.2
) -> list[int]:
    """Readings of a burst, in counts."""
    seen = [eye.look(begin + n * dt_s, look) for n in range(count)]
    return [c for q in ("surface_speed", "image_speed") for _, c in readings(seen, q)]


@pytest.mark.parametrize("px_s", [0, 10, 40, 80, 120])
@pytest.mark.parametrize(
    "scene",
    [{}, {"night": True}, {"fog": 0.4}, {"rain": 0.7}, {"light": 0.6, "warm": 0.5}],
    ids=["day", "night", "haze", "rain", "evening"],
)
def test_it_measures_what_was_rendered(px_s: int, scene: dict[str, float]) -> None:
    found = burst(Eye(needs=SPEED), Look(speed=px_s, **scene))
    truth = px_s * GSD
    assert len(found) == 2  # a pair for each frame but the first
    assert abs(found[-1] / 1000 - truth) <= max(0.03 * truth, 0.05)


def test_against_the_axis_is_negative() -> None:
    assert burst(Eye(needs=SPEED), Look(speed=-60))[-1] == pytest.approx(-60 * GSD * 1000, rel=0.03)


def test_shake_is_taken_out() -> None:
    eye = Eye(needs=SPEED)
    shakes = [(0, 0), (8, -4), (-4, 4)]
    seen = [eye.look(50 + n * 0.2, Look(speed=60, shake=s)) for n, s in enumerate(shakes)]
    for _, counts in readings(seen, "surface_speed"):
        assert counts / 1000 == pytest.approx(60 * GSD, abs=0.3)


def test_without_ground_points_it_is_pixels() -> None:
    eye = Eye(msgspec.structs.replace(CAMERA, gsd_m=0.0), needs=SPEED)
    seen = [eye.look(50 + n * 0.2, Look(speed=60)) for n in range(3)]
    assert readings(seen, "surface_speed") == []
    assert [c / 10 for _, c in readings(seen, "image_speed")] == pytest.approx([60, 60], rel=0.03)


def test_four_points_of_an_oblique_view_give_metres() -> None:
    """The ground seen through a homography: the same speed, wherever it is looked at."""
    import cv2

    # a ground of 16 m x 18 m, 0.05 m a pixel, seen obliquely
    src = np.float32([[190, 0], [375, 0], [375, 359], [190, 359]])
    dst = np.float32([[240, 60], [400, 60], [520, 340], [120, 340]])
    tilt = cv2.getPerspectiveTransform(src, dst)
    points = tuple(
        (float(x), float(y), float(gx) * GSD, -float(gy) * GSD)
        for (x, y), (gx, gy) in zip(dst, src, strict=True)
    )
    camera = Camera(
        id="V01",
        width=WIDE,
        height=360,
        roi=tuple((float(x), float(y)) for x, y in dst),
        points=points,
        axis=((320, 62), (320, 338)),
    )
    eye = Eye(camera, needs=SPEED)
    seen = []
    for n in range(3):
        flat = cv2.imdecode(
            np.frombuffer(picture(1, n * 0.2, Look(speed=60), WIDE, 95), np.uint8), 1
        )
        body = cv2.imencode(".jpg", cv2.warpPerspective(flat, tilt, (WIDE, 360)))[1].tobytes()
        seen.append(eye.show(n * 0.2, body))
    found = [c / 1000 for _, c in readings(seen, "surface_speed")]
    assert found == pytest.approx([60 * GSD] * 2, rel=0.06)


def test_it_is_silent_where_it_cannot_follow() -> None:
    assert burst(Eye(needs=SPEED), Look(speed=40), dt_s=5.0) == []  # pictures too far apart
    assert burst(Eye(needs=SPEED), Look(speed=400)) == []  # faster than the window
    # nothing in common between the two pictures
    eye = Eye(needs=SPEED)
    eye.look(0.0, Look(speed=40))
    away = eye.show(0.2, picture(5, 9.0, Look(), WIDE))
    assert away.readings == []


def test_a_late_picture_is_measured_with_both_neighbours() -> None:
    eye = Eye(needs=SPEED)
    look = Look(speed=60)
    first = [eye.look(at, look) for at in (0.0, 2.4)]
    assert readings(first, "surface_speed") == []  # further apart than pair_s
    late = eye.look(1.2, look)
    assert [at for at, _ in readings([late], "surface_speed")] in ([1200, 2400], [])
    near = [eye.look(at, look) for at in (2.6, 2.8)]
    assert readings(near, "surface_speed")[-1][1] == pytest.approx(60 * GSD * 1000, rel=0.03)


def _speeds(camera: Camera, pictures: list[Picture], dt_s: float) -> list[Speed]:
    scene = scene_of(camera, pictures[0])
    found = [speed(scene, a, b, dt_s, (0.0, 0.0)) for a, b in pairwise(pictures)]
    return [f for f in found if f is not None]


def test_a_fast_muddy_river(data: Path) -> None:
    """Frames 2/30 s apart, no ground points: 35 … 80 px/s across the near water, every pair."""
    paths = sorted((data / "river-video" / "pisco").glob("*.jpg"))
    if len(paths) < 8:
        pytest.skip("the river frames are not here")
    pictures = [p for path in paths if isinstance(p := decode(path.read_bytes()), Picture)]
    near = ((300, 560), (1050, 560), (1050, 1000), (300, 1000))
    found = _speeds(Camera(id="p", width=1920, height=1080, roi=near), pictures, 2 / 30)
    values = [round(f.value, 1) for f in found]
    print(f"\npisco: {values} px/s, median {np.median(values):.1f}")
    assert len(found) == 7
    assert 20 <= np.median(values) <= 120


def test_a_lowland_stream_with_ground_points(data: Path) -> None:
    """Ten frames at 10 Hz; the plane of the water from six surveyed points and the lens."""
    import json

    import cv2

    folder = data / "river-video"
    if not (folder / "pyorc_dk_control.mp4").exists():
        pytest.skip("the stream's clip is not here")
    told = json.loads((folder / "pyorc_dk_cam_config.json").read_text())
    src, dst = np.array(told["gcps"]["src"], float), np.array(told["gcps"]["dst"])
    lens, bend = np.array(told["camera_matrix"]), np.array(told["dist_coeffs"]).ravel()
    middle = dst.mean(axis=0)
    _, turn, shift = cv2.solvePnP(dst - middle, src, lens, bend)
    rotation = cv2.Rodrigues(turn)[0]
    corners = [(700.0, 330.0), (1500.0, 330.0), (1500.0, 760.0), (700.0, 760.0)]
    rays = cv2.undistortPoints(np.array(corners).reshape(-1, 1, 2), lens, bend).reshape(-1, 2)
    rays = np.c_[rays, np.ones(4)] @ rotation
    eye = (-rotation.T @ shift).ravel()
    far = (told["gcps"]["z_0"] - middle[2] - eye[2]) / rays[:, 2]
    ground = (eye + far[:, None] * rays)[:, :2]
    camera = Camera(
        id="d",
        width=1920,
        height=1080,
        roi=((700, 480), (1150, 330), (1500, 420), (1300, 760), (820, 700)),
        points=tuple((*c, float(g[0]), float(g[1])) for c, g in zip(corners, ground, strict=True)),
    )
    reader, pictures = cv2.VideoCapture(str(folder / "pyorc_dk_control.mp4")), []
    while (read := reader.read())[0]:
        made = decode(cv2.imencode(".jpg", read[1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
        assert isinstance(made, Picture)
        pictures.append(made)
    found = _speeds(camera, pictures, 0.1)
    values = [round(f.value, 2) for f in found]
    print(f"\ndk: {values} m/s, median {np.median(values):.2f}")
    assert len(found) == 9
    # dense optical flow (Farneback) of the same frames from above: 0.18 m/s
    assert 0.1 <= np.median(values) <= 0.6
