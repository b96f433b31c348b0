"""Pictures of a staff gauge (水尺) on a wall at a river, whose truth is known: the stage that the water has
on it, in daylight and infrared, with waves, a reflection, a wet band and a stain on the board, rain on
the lens, fog and debris that hangs on the staff. Seeded: the same arguments give the same bytes.

The river runs behind and before the wall; the board stands on it upright. `Board` says where, in the
pixels of the picture, as the `staff` of cameras.csv does.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Reals = npt.NDArray[np.float32]
Colour = tuple[int, int, int]

_WALL: Colour = (150, 147, 140)
_JOINT: Colour = (112, 110, 104)
_SLOPE: Colour = (86, 104, 66)
_BOARD: Colour = (236, 236, 230)
_INKS: tuple[Colour, Colour] = ((176, 34, 34), (28, 58, 140))  # metre by metre, red and blue
_CLEAR, _TURBID = (84.0, 98.0, 92.0), (150.0, 118.0, 80.0)
_HANG_S = 300  # so long a drop stays on the glass
_WIDE = 13  # columns of the board to each side of its middle


class Board(NamedTuple):
    """Where the staff stands: columns and rows of its lowest and highest mark, and their stages in m."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def row(self, stage: float) -> float:
        """The row of a stage, linear between the two marks and beyond them."""
        part = (stage - self.low[2]) / (self.high[2] - self.low[2])
        return self.low[1] + part * (self.high[1] - self.low[1])

    @property
    def column(self) -> float:
        return (self.low[0] + self.high[0]) / 2

    @property
    def per_m(self) -> float:
        """Rows of one metre of stage."""
        return (self.low[1] - self.high[1]) / (self.high[2] - self.low[2])


def board_of(staff: Sequence[Sequence[float]]) -> Board:
    """Of a row of cameras.csv, whichever of its two points comes first."""
    a, b = sorted(((p[0], p[1], p[2]) for p in staff), key=lambda p: p[2])
    return Board(a, b)


@dataclass(frozen=True)
class Weather:
    """What spoils the picture. Each 0 … 1 unless said.

    light: exposure, 1 is noon. night: infrared, in grey, with a lamp's bright middle. turbid: mud in the
    water. wave_m: half height of the waves on the staff, in metres. wet_m: the wall is wet so far
    above the water, in metres. rain: streaks in the air. drops: of the lens, under water. fog. debris:
    branches that hang on the staff at the water line. shake: the picture's shift in pixels. noise: grey levels.
    """

    light: float = 1.0
    night: bool = False
    turbid: float = 0.2
    wave_m: float = 0.015
    wet_m: float = 0.0
    rain: float = 0.0
    drops: float = 0.0
    fog: float = 0.0
    debris: float = 0.0
    shake: tuple[int, int] = (0, 0)
    noise: float = 2.0


def picture(
    seed: int,
    at_s: float,
    stage_m: float,
    weather: Weather,
    board: Board,
    size: tuple[int, int] = (400, 300),
    quality: int = 80,
) -> bytes:
    """JPEG of `size` (columns, rows) at a moment, with the water at `stage_m` on the board."""
    columns, rows = size
    rng = np.random.default_rng([seed, round(at_s * 1000) + 10**9, 11])
    dry, grain = _dry(seed, size, board)
    x = np.arange(columns, dtype=np.float32)
    swell = weather.wave_m * board.per_m
    line = board.row(stage_m) + swell * (
        np.sin(x / 11 + at_s * 1.9) + 0.6 * np.sin(x / 4.3 - at_s * 2.7)
    ) / 1.2  # fmt: skip
    depth = np.arange(rows, dtype=np.float32)[:, None] - line.astype(np.float32)
    image = dry.copy()
    if weather.wet_m:
        wet = (depth < 0) & (depth > -weather.wet_m * board.per_m)
        enamel = np.abs(x - board.column) <= _WIDE  # what the wall drinks runs off the board
        image *= np.where(wet, np.where(enamel, 0.92, 0.7), 1.0)[..., None].astype(np.float32)
    image = _water(image, depth, grain, at_s, weather.turbid, rng)
    if weather.debris:
        _branches(image, board, float(board.row(stage_m)), weather.debris, rng)
    image *= weather.light
    if weather.night:
        image = _infrared(image)
    if weather.fog:
        image = image * (1 - weather.fog) + 200 * weather.fog
    if weather.rain:
        _streaks(image, weather.rain, rng)
    made = Image.fromarray(_bytes(image, weather, rng))
    if weather.drops:
        hanging = np.random.default_rng([seed, int(at_s // _HANG_S), 13])  # they stay a while
        made = _wet_lens(made, weather.drops, hanging)
    if any(weather.shake):
        shifted = np.roll(np.asarray(made), (weather.shake[1], weather.shake[0]), (0, 1))
        made = Image.fromarray(shifted)
    out = io.BytesIO()
    made.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _bytes(image: Reals, weather: Weather, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    noise = rng.standard_normal((*image.shape[:2], 1 if weather.night else 3), np.float32)
    return np.clip(image + weather.noise * noise, 0, 255).astype(np.uint8)


@lru_cache(maxsize=16)
def _dry(seed: int, size: tuple[int, int], board: Board) -> tuple[Reals, Reals]:
    """The view without water, (rows, columns, 3), and the grain of water's surface, (rows, columns)."""
    columns, rows = size
    rng = np.random.default_rng([seed, columns, rows])
    made = Image.new("RGB", size, _WALL)
    draw = ImageDraw.Draw(made)
    edge = int(columns * 0.42)  # of the wall; left of it the far bank's slope
    draw.rectangle((0, 0, edge, rows), fill=_SLOPE)
    for n in range(1, 8):  # courses of the wall
        y = rows * n // 8 + int(rng.integers(-3, 4))
        draw.line((edge, y, columns, y + 2), fill=_JOINT, width=2)
    draw.line((edge, 0, edge - 6, rows), fill=_JOINT, width=4)
    _marks(draw, board)
    image = np.asarray(made, np.float32).copy()
    soft = _soft(rng, rows, columns, 3)
    fine = _soft(rng, rows, columns, 1)
    slope = np.arange(columns) < edge
    image += np.where(slope, 30.0, 7.0)[None, :, None] * fine[..., None]
    image += np.where(slope, 24.0, 10.0)[None, :, None] * soft[..., None]
    # years of floods: the board's lower third is stained
    stained = slice(
        max(0, int(board.row(board.low[2] + 0.34 * (board.high[2] - board.low[2])))), rows
    )
    middle = slice(max(0, int(board.column) - _WIDE), int(board.column) + _WIDE + 1)
    image[stained, middle] *= np.array([0.86, 0.82, 0.74], np.float32)
    return image, _soft(rng, rows, columns, 2)


def _marks(draw: ImageDraw.ImageDraw, board: Board) -> None:
    """The board: E-shaped marks of 5 cm, in turn to the left and to the right, a number each half metre."""
    middle, bottom, top = board.column, board.row(board.low[2]), board.row(board.high[2])
    draw.rectangle((middle - _WIDE, top - 4, middle + _WIDE, bottom + 4), fill=_BOARD)
    steps = round((board.high[2] - board.low[2]) / 0.05)
    for n in range(steps):
        stage = board.low[2] + 0.05 * n
        ink = _INKS[int(stage) % 2]
        y = board.row(stage + 0.05)
        tall = 0.05 * board.per_m
        left = middle - _WIDE + 2 if n % 2 else middle - 4
        draw.rectangle((left, y, left + _WIDE - 1, y + max(1.0, tall * 0.55)), fill=ink)
        if n and n % 10 == 0:
            draw.text((middle + 2, y - 3), f"{stage:g}", fill=ink)


def _soft(rng: np.random.Generator, rows: int, columns: int, grain: int) -> Reals:
    """Noise of one grain, mean 0 and deviation about 1."""
    coarse = rng.standard_normal((rows // grain + 2, columns // grain + 2), np.float32)
    made = Image.fromarray(coarse).resize((columns, rows), Image.Resampling.BICUBIC)
    found = np.asarray(made, np.float32)
    return np.asarray((found - found.mean()) / found.std(), np.float32)


def _water(
    image: Reals, depth: Reals, grain: Reals, at_s: float, turbid: float, rng: np.random.Generator
) -> Reals:
    """Everything below the line is water that mirrors what stands above it, less the muddier it is."""
    rows = image.shape[0]
    tint = np.array(_CLEAR, np.float32) * (1 - turbid) + np.array(_TURBID, np.float32) * turbid
    under = depth >= 0
    y = np.arange(rows)[:, None]
    mirrored = np.clip(y - 2 * depth - 1, 0, rows - 1).astype(np.intp)
    ripple = np.clip(np.arange(image.shape[1])[None, :] + rng.integers(-3, 4, (rows, 1)), 0, None)
    ripple = np.minimum(ripple, image.shape[1] - 1)
    mirror = image[mirrored, ripple]
    share = 0.30 * (1 - 0.7 * turbid) * np.exp(-depth / 60)
    moved = np.roll(grain, (int(at_s * 3) % rows, int(at_s * 17) % image.shape[1]), (0, 1))
    surface = tint + 6 * moved[..., None]
    water = surface * (1 - share[..., None]) + mirror * share[..., None]
    # a thin bright or dark edge where the water meets the wall
    water += (9 * np.exp(-((depth / 1.5) ** 2)) * rng.choice([-1.0, 1.0]))[..., None]
    return np.asarray(np.where(under[..., None], water, image), np.float32)


def _branches(
    image: Reals, board: Board, line: float, share: float, rng: np.random.Generator
) -> None:
    """Wood and leaves that hang on the staff, half above the water."""
    rows, columns = image.shape[:2]
    for _ in range(int(3 + 9 * share)):
        x = board.column + rng.normal(0, 6 + 16 * share)
        y = line + rng.normal(-2, 2 + 6 * share)
        long, thick = rng.uniform(8, 16 + 30 * share), int(rng.integers(1, 3 + int(3 * share)))
        tilt = rng.normal(0, 0.35)
        shade = np.array(rng.choice([[70, 52, 36], [92, 78, 48], [58, 66, 40]]), np.float32)
        for t in np.linspace(-0.5, 0.5, int(long)):
            r, c = int(y + t * long * tilt), int(x + t * long)
            if 0 <= r < rows - thick and 0 <= c < columns:
                image[r : r + thick, c] = shade


def _infrared(image: Reals) -> Reals:
    """Grey, bright in the lamp's middle and dark at the corners."""
    rows, columns = image.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    far = ((x / columns - 0.6) / 0.62) ** 2 + ((y / rows - 0.55) / 0.75) ** 2
    lamp = 0.22 + 0.6 * np.exp(-far)
    return np.asarray(np.repeat((image.mean(axis=2) * lamp)[..., None], 3, axis=2), np.float32)


def _streaks(image: Reals, rain: float, rng: np.random.Generator) -> None:
    rows, columns = image.shape[:2]
    for _ in range(int(300 * rain)):
        x, y, long = rng.integers(columns), rng.integers(rows), rng.integers(6, rows // 9)
        image[y : y + long, x] += rng.uniform(12, 45)


def _wet_lens(made: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    """Drops on the glass, until they cover `share` of it: each shows the scene small, upside down and soft."""
    columns, rows = made.size
    covered, out = 0.0, made.copy()
    while covered < share * columns * rows:
        radius = int(rng.integers(5, 26))
        x, y = int(rng.integers(columns)), int(rng.integers(rows))
        wide = min(4 * radius, columns // 2, rows // 2)
        left = min(max(x - wide, 0), columns - 2 * wide)
        top = min(max(y - wide, 0), rows - 2 * wide)
        seen = made.crop((left, top, left + 2 * wide, top + 2 * wide))
        seen = seen.resize((2 * radius, 2 * radius)).transpose(Image.Transpose.ROTATE_180)
        seen = seen.filter(ImageFilter.GaussianBlur(1.5))
        mask = Image.new("L", seen.size, 0)
        ImageDraw.Draw(mask).ellipse((0, 0, 2 * radius - 1, 2 * radius - 1), fill=235)
        out.paste(seen, (x - radius, y - radius), mask)
        covered += np.pi * radius**2
    return out


def weather(rain_mm_h: float, flow: float, hour: float) -> Weather:
    """What the hour looks like there: rain of the basin, flow in parts of a full channel, `hour` of the
    local day. It knows no warning and no surge."""
    day = 5.5 < hour < 19
    wet = min(1.0, rain_mm_h / 40)
    return Weather(
        light=0.5 + 0.55 * float(np.sin(np.pi * (hour - 5) / 14.5)) if day else 1.0,
        night=not day,
        turbid=min(1.0, 0.15 + flow),
        wave_m=0.012 + 0.03 * min(1.0, flow),
        wet_m=0.25 * wet,
        rain=wet,
        drops=0.12 * wet,
        debris=0.5 if flow > 0.5 else 0.0,
        noise=2.0 if day else 5.0,
    )
