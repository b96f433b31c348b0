"""Persons in a picture, and a picture in which nobody can be recognised.

Sees: upright persons of at least 96 rows in a picture of up to 1920 columns, by the histograms of oriented
gradients that OpenCV carries with its own weights (Dalal & Triggs 2005, CVPR 1:886–893: window 64 x 128,
trained on the INRIA persons); nothing is fetched. It is part of OpenCV 4 and of the contrib build of
OpenCV 5 (opencv-contrib-python-headless), not of the plain build of 5.
Cannot see: who sits, crouches, lies, is half hidden, further away, in the dark, or under an umbrella;
faces by themselves. What it misses is shown, so it is no proof that nobody is in a picture.
"""

from typing import NamedTuple

import numpy as np

from config.language import Text
from detectors.camera.picture import Bytes, cv2

_COLUMNS = 1920  # a wider picture is looked at as this
_LARGER = 1.35  # the window wants 128 rows: persons of 96 rows are then large enough
_HIT = -0.3  # below the library's own 0: a bush that is blurred costs less than a face that is not
_AROUND = 0.12  # of a box, to each side
_BLOCKS = 8  # of a box's width
_COARSE = 24  # blocks of a whole picture's width


class Box(NamedTuple):
    """Pixels of the picture."""

    x: int
    y: int
    wide: int
    high: int


def missing() -> Text | None:
    """What to install where no detector is there; None where one is."""
    if cv2 is not None:
        try:
            if cv2.HOGDescriptor:
                return None
        except AttributeError:
            pass
    return Text(
        "没有找人的检测器：以 opencv-contrib-python-headless 代替 opencv-python-headless",
        "there is no detector of persons: put opencv-contrib-python-headless in the place of "
        "opencv-python-headless",
    )


def persons(colour: Bytes) -> list[Box]:
    """Of a picture (rows, columns, 3), blue, green, red. Needs what `missing` asks for."""
    rows, columns = colour.shape[:2]
    scale = min(1.0, _COLUMNS / columns) * _LARGER
    seen = cv2.resize(colour, (round(columns * scale), round(rows * scale)))
    if seen.shape[0] < 128 or seen.shape[1] < 64:
        return []
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())
    found, _ = hog.detectMultiScale(
        seen, hitThreshold=_HIT, winStride=(8, 8), padding=(16, 16), scale=1.06, groupThreshold=1
    )
    return [Box(*(round(float(v) / scale) for v in box)) for box in found]


def without_persons(body: bytes) -> bytes | None:
    """The JPEG with every person that is found in coarse blocks; None where it cannot be read."""
    colour = _read(body)
    if colour is None:
        return None
    rows, columns = colour.shape[:2]
    for box in persons(colour):
        mx, my = round(box.wide * _AROUND), round(box.high * _AROUND)
        left, right = max(0, box.x - mx), min(columns, box.x + box.wide + mx)
        top, bottom = max(0, box.y - my), min(rows, box.y + box.high + my)
        if right > left and bottom > top:
            part = colour[top:bottom, left:right]
            colour[top:bottom, left:right] = _blocks(part, _BLOCKS)
    return _written(colour)


def coarse(body: bytes) -> bytes | None:
    """The whole picture in blocks: where the water and the banks are can be seen, and nobody known."""
    colour = _read(body)
    return None if colour is None else _written(_blocks(colour, _COARSE))


def _blocks(part: Bytes, across: int) -> Bytes:
    rows, columns = part.shape[:2]
    small = (across, max(1, round(across * rows / columns)))
    mean = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(mean, (columns, rows), interpolation=cv2.INTER_NEAREST), np.uint8)


def _read(body: bytes) -> Bytes | None:
    if cv2 is None:
        return None
    try:
        found = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if found is None else np.asarray(found, np.uint8)


def _written(colour: Bytes) -> bytes:
    return bytes(cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
