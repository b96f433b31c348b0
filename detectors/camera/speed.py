"""How fast the water's surface runs, from two pictures a moment apart.

Sees: texture (ripples, foam, floating wood) that is carried along in the region of interest.

Equation: large-scale particle image velocimetry. Both pictures are seen from above (the homography
or `gsd_m` of cameras.csv; else in pixels of the whole picture), freed of slow changes of light and of
the coder's blocks (Gaussian 1.2 less Gaussian 6 cells, over the local deviation), and cut into
windows of 64 cells, half overlapping. Their cross-correlations c(d), divided by the overlap of the
Hann windows that is left at d, are averaged over all windows; the highest peak is where the water is
now. A peak at rest beside another of at least half its height is the bed, a cable or a reflection:
then the other counts. It must stand 6 deviations above the plane and reach 0.1. Each window then
finds its own peak within 5 cells of it; v = median over the windows of d * cell / dt, along the axis
where one is given (positive downstream), else its size. What the surroundings moved between the two
pictures (shake) is taken out first. The reading is the median of the last three pairs within ten
seconds; sigma is 1.48 x the windows' median deviation over sqrt(n).
Parameters: over_s, slot_s, take, min_points as of `quantity_above`; `camera.pair_s` (rules.toml).

Delay it adds: none after the second picture; `min_points` slots where it is asked for.
Cannot see: anything from pictures further apart than `pair_s` (send bursts: three pictures 0.2 to
0.5 s apart); faster than 24 cells between two pictures; water without texture, or with the bed or
a reflection seen through it (then it reads slow, or says nothing); the flow below the surface (the
mean of the vertical is about 0.85 of it).
Source: Fujita, Muste & Kruger 1998, J. Hydraulic Research 36:397–414; ISO 748
for the coefficient; ensemble correlation: Meinhart, Wereley & Santiago 2000, J. Fluids Engineering
122:285–289.

>>> plane = np.zeros((2 * _FARTHEST + 1,) * 2, np.float32)
>>> plane[_FARTHEST + 6, _FARTHEST] = 0.8  # six cells down
>>> _peak(plane)
(30, 24)
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from detectors.camera.picture import Bytes, Picture, Reals, cv2
from detectors.camera.scene import Floats, Grid, Scene, moved_by, sample
from detectors.statistics.quantity_threshold import of_pictures

_WINDOW, _STEP = 64, 32
_FARTHEST = 24  # cells
_LEAST = 0.1
_STANDS_OUT = 6.0
_REST, _BESIDE = 1.5, 0.5
_NEAR = 5  # cells
_INSIDE = 0.8

KIND = of_pictures("camera_speed", seen="surface_speed")


class Speed(NamedTuple):
    """value and sigma in m/s, or pixels of the whole picture a second; windows that agreed to it."""

    value: float
    sigma: float
    windows: int


def speed(
    scene: Scene, before: Picture, now: Picture, dt_s: float, moved: tuple[float, float]
) -> Speed | None:
    """None where too little texture is followed. moved: what the surroundings moved between the two
    pictures, working pixels."""
    grid = scene.grid
    corners = _corners(grid)
    if not corners:
        return None
    a, b = _fine(sample(before.grey, grid)), _fine(sample(now.grey, moved_by(grid, moved)))
    planes = _correlate(_cut(a, corners), _cut(b, corners))
    peak = _peak(planes.mean(axis=0))
    if peak is None:
        return None
    moves = _own(planes, peak) * grid.cell / dt_s
    middle = np.median(moves, axis=0)
    size = float(np.hypot(*middle))
    along = np.array([0.0, 1.0]) if scene.directed else middle / max(size, 1e-9)
    each = moves @ along
    value = float(np.median(each))
    spread = 1.48 * float(np.median(np.abs(each - value)))
    return Speed(value, spread / len(each) ** 0.5, len(each))


def _corners(grid: Grid) -> list[tuple[int, int]]:
    """Of the windows that lie in the channel."""
    rows, columns = grid.inside.shape
    size = _WINDOW
    return [
        (top, left)
        for top in range(0, max(rows - size, 0) + 1, _STEP)
        for left in range(0, max(columns - size, 0) + 1, _STEP)
        if grid.inside[top : top + size, left : left + size].sum() >= _INSIDE * size * size
    ]


def _fine(grey: Bytes) -> Reals:
    """Texture alone, of the same strength everywhere."""
    image = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.2)
    fine = image - cv2.GaussianBlur(image, (0, 0), 6)
    strength = np.sqrt(np.maximum(cv2.blur(fine * fine, (33, 33)), 0))
    return np.asarray(np.clip(fine / (strength + 1.0), -3, 3), np.float32)


def _cut(image: Reals, corners: list[tuple[int, int]]) -> Reals:
    """(n, 64, 64), each without its mean, under a Hann window."""
    parts = np.stack([image[t : t + _WINDOW, k : k + _WINDOW] for t, k in corners])
    parts = parts - parts.mean(axis=(1, 2), keepdims=True)
    return np.asarray(parts * _hann()[0], np.float32)


@lru_cache(maxsize=1)
def _hann() -> tuple[Reals, Reals]:
    """The window, and what is left of it where it overlaps itself moved by d (middle: d = 0)."""
    w = np.hanning(_WINDOW + 2)[1:-1]
    window = np.outer(w, w)
    left = np.correlate(w, w, "full")[_WINDOW // 2 - 1 : -_WINDOW // 2 or None][:_WINDOW]
    return window.astype(np.float32), (np.outer(left, left) / left.max() ** 2).astype(np.float32)


def _correlate(a: Reals, b: Reals) -> Reals:
    """(n, 2 x 24 + 1, the same): correlation at each displacement, the middle at rest."""
    from scipy import fft  # a district without such a camera never loads it

    size = np.sqrt((a * a).sum(axis=(1, 2)) * (b * b).sum(axis=(1, 2))) + 1e-6
    both = np.conj(fft.rfft2(a)) * fft.rfft2(b)
    plane = fft.fftshift(fft.irfft2(both, s=(_WINDOW, _WINDOW)), axes=(1, 2))
    plane = plane / size[:, None, None] / np.maximum(_hann()[1], 0.1)
    low, high = _WINDOW // 2 - _FARTHEST, _WINDOW // 2 + _FARTHEST + 1
    return np.asarray(plane[:, low:high, low:high], np.float32)


def _peak(plane: Reals) -> tuple[int, int] | None:
    """Row and column of the displacement, if one stands out."""
    level, spread = float(np.median(plane)), 1.48 * float(np.median(np.abs(plane)))
    least = max(_LEAST, level + _STANDS_OUT * spread)
    top = _highest(plane)
    if plane[top] < least:
        return None
    dy, dx = np.indices(plane.shape) - _FARTHEST
    rest = np.asarray(dx * dx + dy * dy)
    if rest[top] <= _REST**2:
        higher = plane == cv2.dilate(plane, np.ones((5, 5), np.uint8))  # a hill of its own
        other = np.where(higher & (rest > (2 * _REST) ** 2), plane, -1.0)
        beside = _highest(other)
        if plane[beside] >= max(least, _BESIDE * plane[top]):
            top = beside
    edge = 2 * _FARTHEST
    return None if {0, edge} & set(top) else top


def _highest(plane: Reals) -> tuple[int, int]:
    row, column = np.unravel_index(int(plane.argmax()), plane.shape)
    return int(row), int(column)


def _own(planes: Reals, peak: tuple[int, int]) -> Floats:
    """(n, 2) displacement x, y of each window near the common peak, to parts of a cell."""
    most = 2 * _FARTHEST
    top, left = max(1, peak[0] - _NEAR), max(1, peak[1] - _NEAR)
    bottom, right = min(most, peak[0] + _NEAR + 1), min(most, peak[1] + _NEAR + 1)
    found = []
    for plane in planes:
        row, column = _highest(plane[top:bottom, left:right])
        row, column = row + top, column + left
        if plane[row, column] < _LEAST:
            continue
        y = row + _between(*plane[row - 1 : row + 2, column].tolist())
        x = column + _between(*plane[row, column - 1 : column + 2].tolist())
        found.append((x - _FARTHEST, y - _FARTHEST))
    if not found:
        return np.array([[peak[1] - _FARTHEST, peak[0] - _FARTHEST]], np.float64)
    return np.array(found, np.float64)


def _between(before: float, top: float, after: float) -> float:
    """Where a parabola through three values has its top, from the middle one."""
    bend = before - 2 * top + after
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
