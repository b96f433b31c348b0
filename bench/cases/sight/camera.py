"""What a 720p frame costs, rule by rule, on one core, beside the plain way: decode the whole picture
and take the difference of two grey frames with Pillow and NumPy. It prints figures and judges nothing.
"""

import hashlib
import io
import time
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from config.language import Text
from config.records.devices.cameras import NEEDS
from config.records.district import Camera
from config.records.rules import CameraRule
from detectors.camera.picture import Picture, decode, missing
from detectors.camera.state import CameraState
from detectors.camera.watch import watch
from simulators.views.gully import Look, picture

_WIDE, _HIGH = 1280, 720
_FRAMES = 8  # rendered ones, shown again and again at later moments
_ROUNDS = 6
_PICTURES = 16  # as detect keeps
_CAMERA = Camera(
    id="bench",
    width=_WIDE,
    height=_HIGH,
    roi=((380, 0), (750, 0), (750, _HIGH), (380, _HIGH)),
    gsd_m=0.025,
    axis=((564, 0), (564, _HIGH - 1)),
    staff=((768, 360, 0.08), (1200, 360, 4.4)),
)
# what is looked for, and the rule's name
_ROWS: dict[str, frozenset[str]] = {
    "camera_sight + camera_motion": frozenset(),
    "camera_speed": frozenset({"surface_speed"}),
    "camera_front": frozenset({"front_speed"}),
    "camera_colour": frozenset({"colour_shift"}),
    "camera_waterline": frozenset({"water_line"}),
    "all": frozenset(NEEDS),
}


def rows() -> list[tuple[str, float, float]]:
    """(what, median ms of CPU a frame, 95th percentile). The first is the decoding alone, the last
    the plain baseline. Every frame is one of a burst 0.2 s after the last, the costliest case."""
    if missing():
        return []
    bodies = [picture(1, 0.2 * n, Look(speed=80), _WIDE, 85) for n in range(_FRAMES)]
    found = [("decode", *_timed(lambda n: decode(bodies[n % _FRAMES])))]
    for name, needs in _ROWS.items():
        found.append((name, *_timed(_watcher(bodies, needs))))
    found.append(("plain: Pillow, whole picture, |difference|", *_timed(_plain(bodies))))
    return found


def lines() -> Iterator[Text]:
    """For a person."""
    for name, middle, high in rows():
        ms = f"{middle:.1f} ms"
        yield f"720p {name}: " + Text(
            f"每帧 {ms}（p95 {high:.1f}）", f"{ms} a frame (p95 {high:.1f})"
        )
    if missing():
        yield Text("摄像机：未装 OpenCV：", "cameras: OpenCV is not installed: ") + missing()


def _watcher(bodies: list[bytes], needs: frozenset[str]) -> Callable[[int], object]:
    """One camera; each frame has its own hash, so that none is decoded already."""
    state, rule = CameraState(), CameraRule(frozen_frames=100)
    pictures: dict[str, Picture | str] = {}

    def see(digest: str) -> Picture | str:
        if digest not in pictures:
            while len(pictures) >= _PICTURES:
                pictures.pop(next(iter(pictures)))
            pictures[digest] = decode(bodies[int(digest.split("-")[1])])
        return pictures[digest]

    for n in range(4):  # what is usual
        watch(rule, _CAMERA, needs, state, 60_000 * n, f"{n}-{n}", see)

    def one(n: int) -> object:
        at = 240_000 + 200 * n
        return watch(rule, _CAMERA, needs, state, at, f"{at}-{n % _FRAMES}", see)

    return one


def _plain(bodies: list[bytes]) -> Callable[[int], object]:
    before = np.zeros((_HIGH, _WIDE), np.int16)

    def one(n: int) -> object:
        nonlocal before
        body = bodies[n % _FRAMES]
        digest = hashlib.sha256(body).hexdigest()
        grey = np.asarray(Image.open(io.BytesIO(body)).convert("L"), np.int16)
        moved = float((np.abs(grey - before) > 18).mean())
        before = grey
        return digest, moved

    return one


def _timed(one: Callable[[int], object]) -> tuple[float, float]:
    """Median and 95th percentile of the CPU time, ms: other work on the machine does not show."""
    took = []
    for n in range(_FRAMES * _ROUNDS):
        began = time.process_time()
        one(n)
        took.append((time.process_time() - began) * 1000)
    return float(np.median(took[2:])), float(np.percentile(took[2:], 95))
