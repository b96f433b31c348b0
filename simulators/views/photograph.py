"""A photograph that a village head takes of people at a shelter: figures before a wall, drawn from a word, with
the time and the place in its EXIF as a telephone writes them."""

import hashlib
import io
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from PIL import Image

_WIDTH, _HEIGHT = 240, 180
_EXIF, _GPS = 0x8769, 0x8825
_TAKEN, _OFFSET = 36867, 36881


def photograph(
    of: str, at: int, zone: str, place: tuple[float, float] | None, *, blank: bool = False
) -> bytes:
    """JPEG. of: the same word is the same picture; at: epoch ms; place: longitude and latitude, degrees; blank:
    of nothing, a hand before the lens."""
    rng = np.random.default_rng(int(hashlib.sha256(of.encode()).hexdigest()[:8], 16))
    wall = np.kron(rng.uniform(60, 200, (6, 8)), np.ones((_HEIGHT // 6, _WIDTH // 8)))
    for _ in range(0 if blank else 12):
        x, y = int(rng.integers(8, _WIDTH - 20)), int(rng.integers(60, 120))
        wall[y : y + 50, x : x + 12] = rng.uniform(10, 250)
    if blank:
        wall[:] = 12
    picture = Image.fromarray(np.clip(wall, 0, 255).astype(np.uint8)).convert("RGB")
    exif = Image.Exif()
    there = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    own, gps = exif.get_ifd(_EXIF), exif.get_ifd(_GPS)
    own[_TAKEN] = f"{there:%Y:%m:%d %H:%M:%S}"
    own[_OFFSET] = f"{there:%z}"[:3] + ":" + f"{there:%z}"[3:5]
    if place is not None:
        lon, lat = place
        gps[1], gps[2] = "N" if lat >= 0 else "S", _parts(abs(lat))
        gps[3], gps[4] = "E" if lon >= 0 else "W", _parts(abs(lon))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=75, exif=exif)
    return out.getvalue()


def _parts(degrees: float) -> tuple[float, float, float]:
    """Degrees, minutes and seconds."""
    whole = int(degrees)
    minutes = int((degrees - whole) * 60)
    return float(whole), float(minutes), round((degrees - whole - minutes / 60) * 3600, 3)
