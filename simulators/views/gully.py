"""Pictures of a gully whose truth is known: water that moves at so many pixels a second, a surge
front at a known row, a water line at a known stage; and what spoils a picture: fog, night, shake,
dirt, rain, a shadow, another exposure. Seeded: the same arguments give the same bytes.

The channel runs down the picture, from top to bottom. Its right bank rises to the right: each pixel
that the water line lies further right is `STAGE_PER_PX` of stage, at any size of the picture that is
a multiple of 320 x 180 (`unit` = columns / 320).
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Floats = npt.NDArray[np.float64]
Colour = tuple[float, float, float]

STAGE_PER_PX = 0.02  # m for each column of a picture of 320
_LEFT, _RIGHT = 90, 190  # columns of a picture of 320: the channel at stage 0
_CLEAR: Colour = (92, 104, 98)  # red, green, blue of clear water
_TURBID: Colour = (150, 118, 78)
_DEBRIS: Colour = (112, 84, 60)


@dataclass(frozen=True)
class Look:
    """What there is to see. Lengths in pixels of the picture, moments in seconds.

    front: the row down to which debris has come (None: none). speed: of the water's surface, down
    the picture, px/s. stage: m. turbid, fog, dirt, rain: 0 … 1. light: exposure. night: infrared, in
    grey. shadow: the row down to which a cloud's shadow has come. shake: the picture's shift.
    """

    speed: float = 0.0
    front: float | None = None
    stage: float = 0.4
    turbid: float = 0.0
    light: float = 1.0
    warm: float = 0.0  # colour of the light: the sun goes down
    night: bool = False
    fog: float = 0.0
    dirt: float = 0.0
    rain: float = 0.0
    shadow: float | None = None
    deep: float = 0.5  # share of the light that the shadow takes
    shake: tuple[int, int] = (0, 0)
    blur: float = 0.0
    noise: float = 2.0


def _texture(rng: np.random.Generator, rows: int, columns: int, scale: float) -> Floats:
    """Seamless noise of one grain, mean 0 and deviation 1."""
    noise = np.fft.rfft2(rng.normal(size=(rows, columns)))
    fy = np.fft.fftfreq(rows)[:, None]
    fx = np.fft.rfftfreq(columns)[None, :]
    noise *= np.exp(-2 * (np.pi * scale) ** 2 * (fx**2 + fy**2))
    found = np.fft.irfft2(noise, (rows, columns))
    return np.asarray((found - found.mean()) / found.std())


@lru_cache(maxsize=8)
def _world(seed: int, columns: int) -> tuple[Floats, Floats, Floats]:
    """Ground, water and debris of a seed: they stay the same from frame to frame."""
    rng = np.random.default_rng([seed, columns])
    unit, rows = columns / 320, columns * 9 // 16
    ground = 34 * _texture(rng, rows, columns, 1.2 * unit) + 22 * _texture(
        rng, rows, columns, 5 * unit
    )
    water = _texture(rng, rows, columns, 1.6 * unit)
    debris = _texture(rng, rows, columns, 1.0 * unit) + _texture(rng, rows, columns, 3 * unit)
    return ground, water, debris


def _down(texture: Floats, by: float) -> Floats:
    """Moved down by a number of rows that need not be whole."""
    whole = int(np.floor(by))
    part = by - whole
    return (1 - part) * np.roll(texture, whole, 0) + part * np.roll(texture, whole + 1, 0)


def line_of(stage: float, columns: int) -> float:
    """The column of the water line."""
    return (_RIGHT + stage / STAGE_PER_PX) * columns / 320


def picture(seed: int, at_s: float, look: Look, columns: int = 640, quality: int = 80) -> bytes:
    """JPEG of columns x columns * 9 / 16 at a moment."""
    ground, water, debris = _world(seed, columns)
    rows, unit = ground.shape[0], columns / 320
    rng = np.random.default_rng([seed, round(at_s * 1000) + 10**9, 7])
    y, x = np.arange(rows)[:, None], np.arange(columns)[None, :]
    # one plane a colour: arithmetic over whole rows takes a third of that over three values each
    image = 118 + ground * _planes((1.0, 0.95, 0.8))
    left = int(np.searchsorted(x[0], _LEFT * unit))
    wet = slice(left, max(left, int(np.searchsorted(x[0], line_of(look.stage, columns)))))
    tint = np.array(_CLEAR) * (1 - look.turbid) + np.array(_TURBID) * look.turbid
    image[..., wet] = _planes(tint) + 7 * _down(water[:, wet], look.speed * at_s)
    if look.front is not None:
        rough = _planes(_DEBRIS) + 26 * _down(debris[:, wet], look.front)
        ragged = look.front + 4 * unit * np.sin(x[:, wet] / (9 * unit))
        np.copyto(image[..., wet], rough, where=y < ragged)
    if look.shadow is not None:
        soft = 1 / (1 + np.exp((y + 0.4 * x - look.shadow) / (6 * unit)))
        image *= 1 - look.deep * soft
    if look.light != 1 or look.warm:
        image *= look.light
        image *= _planes((1 + 0.25 * look.warm, 1.0, 1 - 0.25 * look.warm))
    if look.night:
        image = np.repeat(image.mean(axis=0, keepdims=True) * 0.45, 3, axis=0)
    if look.rain:
        image += _streaks(rng, rows, columns, look.rain)
    if look.fog:
        image *= 1 - look.fog
        image += 205 * look.fog
    if look.dirt:
        image = _smear(seed, image, look.dirt)
    if any(look.shake):
        image = np.roll(image, look.shake, (2, 1))
    grain = rng.normal(0, look.noise, (rows, columns, 1 if look.night else 3))
    seen = image.transpose(1, 2, 0) + grain
    made = Image.fromarray(np.clip(seen, 0, 255, out=seen).astype(np.uint8))
    if look.blur:
        made = made.filter(ImageFilter.GaussianBlur(look.blur * unit))
    out = io.BytesIO()
    made.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _planes(colour: Sequence[float] | Floats) -> Floats:
    """(3, 1, 1)"""
    return np.asarray(colour, np.float64)[:, None, None]


def _streaks(rng: np.random.Generator, rows: int, columns: int, rain: float) -> Floats:
    """Drops that fall near the lens: short bright lines."""
    image = np.zeros((rows, columns))
    for _ in range(int(400 * rain)):
        x, y, long = rng.integers(columns), rng.integers(rows), rng.integers(rows // 30, rows // 8)
        image[y : y + long, x] += rng.uniform(15, 50)
    return image


def _smear(seed: int, image: Floats, share: float) -> Floats:
    """Mud on the glass of (3, rows, columns): blobs that cover about `share` of the picture."""
    rng = np.random.default_rng([seed, 9])
    _, rows, columns = image.shape
    blob = _texture(rng, rows, columns, columns / 20)
    over = np.clip((blob - np.quantile(blob, 1 - share)) / 0.15, 0, 1)
    return np.asarray(image * (1 - over) + _planes((72.0, 60.0, 48.0)) * over)
