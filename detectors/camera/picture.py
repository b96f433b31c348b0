"""A camera's bytes as a picture of working size; the one place that decodes, and that knows whether
OpenCV is installed (the extra `camera`).

A JPEG is decoded at half, a quarter or an eighth of its size where that leaves `_LEAST_WIDTH`
columns: the decoder then computes only that much (libjpeg's scaled inverse DCT), and so does
everything after it. Deterministic: OpenCV runs on one thread.
"""

import io
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError


class _OpenCV:
    """OpenCV, loaded when the first picture is looked at: a district without cameras never has it."""

    def __getattr__(self, name: str) -> Any:
        import cv2 as loaded

        loaded.setNumThreads(1)  # pictures of many cameras share the cores, not one picture
        found = getattr(loaded, name)
        setattr(self, name, found)  # so each name comes this way once
        return found


# None where it is not installed: only a district with camera rules needs it (`missing`)
cv2: Any = _OpenCV() if find_spec("cv2") else None

Bytes = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float32]

THUMB = (160, 120)  # columns, rows of the small grey picture
_LEAST_WIDTH = 640
_LEAST = (160, 120)
_END = b"\xff\xd9"  # of a JPEG (ITU-T T.81, EOI)
_AFTER_END = 4096  # bytes that some cameras append


class Picture(NamedTuple):
    """colour: (rows, columns, 3) blue, green, red; grey: (rows, columns); small: (120, 160, 3) in
    colour and thumb: (120, 160) in grey, whatever the picture's shape.
    size: columns and rows of the whole picture; a working pixel is `reduced` of its pixels wide."""

    colour: Bytes
    grey: Bytes
    small: Bytes
    thumb: Bytes
    size: tuple[int, int]
    reduced: int


def missing() -> str:
    """What to do where OpenCV is not installed; empty where it is."""
    return "" if cv2 is not None else "pip install 'fengsui[camera]' (opencv-python-headless)"


def decode(body: bytes | None) -> Picture | str:
    """The picture, or why there is none: no picture, truncated, too small."""
    if not body:
        return "no picture"
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG",)) as image:
            width, height = image.size  # the header only
    except (
        UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError,
    ):  # fmt: skip
        return "no picture"
    if width < _LEAST[0] or height < _LEAST[1]:
        return "too small"
    if _END not in body[-_AFTER_END:]:
        return "truncated"
    reduced = next((n for n in (8, 4, 2) if width // n >= _LEAST_WIDTH), 1)
    how = {
        1: cv2.IMREAD_COLOR,
        2: cv2.IMREAD_REDUCED_COLOR_2,
        4: cv2.IMREAD_REDUCED_COLOR_4,
        8: cv2.IMREAD_REDUCED_COLOR_8,
    }[reduced]
    try:
        # points of the config are pixels as stored: no turning by EXIF
        colour = cv2.imdecode(np.frombuffer(body, np.uint8), how | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return "no picture"
    if colour is None:
        return "no picture"
    grey = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(colour, THUMB, interpolation=cv2.INTER_AREA)
    thumb = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return Picture(colour, grey, small, thumb, (width, height), reduced)
