"""A camera's picture as bytes: kept as it came where it is small enough, made smaller where it is not, and
compared with the last one by a small grey copy. No clock, no network."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from config.language import Text
from ingest.decode.frame import MAX_BYTES, check_frame
from stream.records import Rejected

Thumb = npt.NDArray[np.int16]

_THUMB = (40, 30)  # columns, rows
_OTHER = 18  # grey levels by which a part of a picture is another, once the light is taken off
_STEPS = (1.0, 0.75, 0.5)  # of the quality, until it is small enough


class Jpeg:
    """body: a JPEG of at most MAX_BYTES; size: columns and rows."""

    def __init__(self, body: bytes, size: tuple[int, int], thumb: Thumb) -> None:
        self.body, self.size, self.thumb = body, size, thumb


def of_jpeg(body: bytes, width: int, quality: int) -> Jpeg | Rejected:
    """A snapshot. It stays to the byte as it came, unless it is too large to be taken: then it is written
    anew, at most `width` wide."""
    large = len(body) > MAX_BYTES
    if not large and (wrong := check_frame(body)) is not None:
        return wrong
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG",)) as image:
            if large:
                # the decoder halves it while it reads: a huge picture is never in memory whole
                image.draft("RGB", (width, max(1, width * image.height // image.width)))
                return of_image(image.convert("RGB"), width, quality)
            size = image.size
            image.draft(
                "L", (4 * _THUMB[0], 4 * _THUMB[1])
            )  # the decoder computes no more than that
            return Jpeg(body, size, _thumb(image))
    except Exception as e:  # noqa: BLE001  # what the library raises of broken bytes is not written down
        words = Text(f"不是完整的 JPEG：{type(e).__name__}", f"no whole JPEG: {type(e).__name__}")
        return Rejected("bad_frame", words)


def of_image(image: Image.Image, width: int, quality: int) -> Jpeg | Rejected:
    """A decoded picture as a JPEG of at most `width` columns, of lower quality where it would be too large."""
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))))
    for step in _STEPS:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=round(quality * step))
        if out.tell() <= MAX_BYTES:
            return Jpeg(out.getvalue(), image.size, _thumb(image))
    words = Text(
        f"压缩后仍有 {out.tell()} 字节：width 取小",
        f"{out.tell()} bytes at best: take a smaller width",
    )
    return Rejected("oversize", words)


def thumb_of(body: bytes) -> Thumb:
    """Of a whole JPEG. Raises OSError."""
    with Image.open(io.BytesIO(body), formats=("JPEG",)) as image:
        image.draft("L", (4 * _THUMB[0], 4 * _THUMB[1]))
        return _thumb(image)


def _thumb(image: Image.Image) -> Thumb:
    return np.asarray(image.convert("L").resize(_THUMB, Image.Resampling.BOX), np.int16)


def changed(before: Thumb, now: Thumb) -> float:
    """The share of the picture that is another, 0 … 1. What all of it has become lighter or darker by is a
    cloud or the exposure, and counts for nothing."""
    away = now - before
    return float((np.abs(away - np.median(away)) > _OTHER).mean())
