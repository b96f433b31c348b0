"""Where things lie in a camera's picture: the channel, the surroundings that stand still, the ground.

All of it follows from one row of cameras.csv and the size of the picture. `plane` coordinates are
metres on the water's surface where the row gives `points` (a homography, least squares over all of
them: Hartley & Zisserman 2004, Multiple View Geometry, section 4.1) or `gsd_m`; otherwise pixels of
the whole picture. With an axis the plane is turned so that +y points downstream.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from config.records.district import Camera
from detectors.camera.picture import THUMB, Bytes, Picture, Reals, cv2

Floats = npt.NDArray[np.float64]

GRID = 256  # cells of the longer side of the channel seen from above
STRIP = (256, 48)  # samples along and across the axis
STAFF_BAND = 17  # rows of samples across the staff
_STAFF_MOST = 512
_HALF = 0.35  # of the channel's width, to each side of the axis
_MARGIN = 33  # thumb pixels, both sides together
_SHAPE = 0.02  # a picture of another shape than the config's is not the camera that was set up


class Grid(NamedTuple):
    """The channel from above: where each cell lies in the working picture; `cell` metres (or
    pixels of the whole picture) wide; inside: which cells are channel."""

    x: Reals
    y: Reals
    cell: float
    inside: npt.NDArray[np.bool_]


class Strip(NamedTuple):
    """The channel straightened along its axis, upstream first: (along, across) samples; `length` of
    the axis in metres (or pixels of the whole picture)."""

    x: Reals
    y: Reals
    length: float


class Staff(NamedTuple):
    """Samples along the staff (columns) and across it (rows), and the stage of each column, m."""

    x: Reals
    y: Reals
    stage: Floats


class Scene(NamedTuple):
    """What one camera looks at, for pictures of one size."""

    fits: bool  # the picture has the shape that the config was made for
    metric: bool  # plane coordinates are metres
    directed: bool  # +y of the grid is downstream
    channel: npt.NDArray[np.bool_]  # of the working picture
    channel_thumb: npt.NDArray[np.bool_]
    static: Reals  # of the thumb: weight of the surroundings
    grid: Grid
    strip: Strip | None
    staff: Staff | None


def scene_of(camera: Camera | None, picture: Picture) -> Scene:
    """Worked out once for each camera and size."""
    rows, columns = picture.grey.shape
    return _scene(camera, picture.size, (columns, rows))


@lru_cache(maxsize=256)
def _scene(camera: Camera | None, size: tuple[int, int], work: tuple[int, int]) -> Scene:
    whole = (camera.width, camera.height) if camera is not None else size
    fits = abs(size[0] * whole[1] - size[1] * whole[0]) <= _SHAPE * size[0] * whole[1]
    # of the config's pixels -> of the working picture
    scale = np.array([work[0] / whole[0], work[1] / whole[1]])
    roi = _points(camera.roi if camera is not None else ())
    if not roi.size:  # the lower middle of the picture, where channels are
        w, h = whole
        roi = np.array([[w / 4, h / 3], [w * 3 / 4, h / 3], [w * 3 / 4, h], [w / 4, h]])
    mask = np.zeros(work[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round(_work(roi, scale)).astype(np.int32)], 1)
    thumb = cv2.resize(mask * 255, THUMB, interpolation=cv2.INTER_AREA)
    # a flood covers the banks: what lies within a tenth of the width of the channel is no landmark
    near = cv2.dilate(thumb, np.ones((_MARGIN, _MARGIN), np.uint8))
    static = cv2.GaussianBlur((near == 0).astype(np.float32), (0, 0), 2)
    static *= cv2.createHanningWindow(THUMB, cv2.CV_32F) ** 0.5
    axis = _points(camera.axis if camera is not None else ())
    to_plane = _to_plane(camera, axis)
    staff = _staff(camera.staff, scale) if camera is not None and camera.staff else None
    return Scene(
        fits,
        camera is not None and camera.has("ground"),
        bool(axis.size),
        mask > 0,
        thumb > 127,
        static,
        _grid(to_plane, roi, scale),
        _strip(to_plane, roi, axis, scale) if axis.size else None,
        staff,
    )


def _points(given: Sequence[Sequence[float]]) -> Floats:
    return np.array([p[:2] for p in given], np.float64).reshape(-1, 2)


def _to_plane(camera: Camera | None, axis: Floats) -> Floats:
    """3 x 3: of the config's pixels -> plane coordinates."""
    to = np.eye(3)
    if camera is not None and camera.points:
        ground = np.array([p[2:4] for p in camera.points], np.float64)
        middle = ground.mean(axis=0)
        to = np.asarray(cv2.findHomography(_points(camera.points), ground - middle, 0)[0])
    elif camera is not None and camera.gsd_m:
        to = np.diag([camera.gsd_m, camera.gsd_m, 1.0])
    if axis.size:
        a, b = _apply(to, axis[[0, -1]])
        turn = np.arctan2(b[0] - a[0], b[1] - a[1])
        c, s = np.cos(turn), np.sin(turn)
        to = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ to
    return to


def _apply(h: Floats, points: Floats) -> Floats:
    """Points (n, 2) through a homography."""
    p = np.concatenate((points, np.ones((len(points), 1))), axis=1) @ h.T
    return np.asarray(p[:, :2] / p[:, 2:], np.float64)


def _back(to_plane: Floats, plane: Floats, scale: Floats) -> tuple[Any, Any]:
    """Plane points (…, 2) -> columns and rows of the working picture."""
    image = _apply(np.asarray(np.linalg.inv(to_plane), np.float64), plane.reshape(-1, 2))
    image = _work(image, scale).reshape(plane.shape).astype(np.float32)
    return np.ascontiguousarray(image[..., 0]), np.ascontiguousarray(image[..., 1])


def _work(points: Floats, scale: Floats) -> Floats:
    """Pixels of the config -> of the working picture; whole numbers are the middle of a pixel."""
    return np.asarray((points + 0.5) * scale - 0.5, np.float64)


def _grid(to_plane: Floats, roi: Floats, scale: Floats) -> Grid:
    ring = _apply(to_plane, _dense(roi))
    low, high = ring.min(axis=0), ring.max(axis=0)
    # no finer than the picture itself
    finest = np.sqrt(_area(ring) / max(_area(roi * scale), 1.0))
    cell = max(float((high - low).max()) / GRID, float(finest))
    nx, ny = (max(2, int(n)) for n in np.ceil((high - low) / cell))
    gx, gy = np.meshgrid(
        low[0] + (np.arange(nx) + 0.5) * cell, low[1] + (np.arange(ny) + 0.5) * cell
    )
    inside = np.zeros((ny, nx), np.uint8)
    cv2.fillPoly(inside, [np.round((ring - low) / cell).astype(np.int32)], 1)
    x, y = _back(to_plane, np.stack((gx, gy), axis=-1), scale)
    return Grid(x, y, cell, inside > 0)


def _strip(to_plane: Floats, roi: Floats, axis: Floats, scale: Floats) -> Strip:
    line = _apply(to_plane, _dense(axis, closed=False))
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate(([0.0], np.cumsum(steps)))
    length = float(along[-1])
    at = (np.arange(STRIP[0]) + 0.5) / STRIP[0] * length
    middle = np.stack([np.interp(at, along, line[:, n]) for n in range(2)], axis=1)
    ahead = np.gradient(middle, axis=0)
    ahead /= np.maximum(np.hypot(*ahead.T)[:, None], 1e-9)
    aside = np.stack((-ahead[:, 1], ahead[:, 0]), axis=1)
    half = _HALF * _area(_apply(to_plane, _dense(roi))) / max(length, 1e-9)
    across = np.linspace(-half, half, STRIP[1])
    x, y = _back(to_plane, middle[:, None] + across[None, :, None] * aside[:, None], scale)
    return Strip(x, y, length)


def _staff(staff: Sequence[Sequence[float]], scale: Floats) -> Staff:
    a, b = _work(_points(staff), scale)
    size = float(np.hypot(*(b - a)))
    n = int(min(_STAFF_MOST, max(16, round(size))))
    t = (np.arange(n) + 0.5) / n
    aside = np.array([-(b - a)[1], (b - a)[0]]) / max(size, 1e-9)
    across = (np.arange(STAFF_BAND) - STAFF_BAND // 2)[:, None, None]
    at = a + t[None, :, None] * (b - a) + across * aside
    stage = staff[0][2] + t * (staff[1][2] - staff[0][2])
    x, y = (np.ascontiguousarray(at[..., k].astype(np.float32)) for k in range(2))
    return Staff(x, y, stage)


def _dense(points: Floats, *, closed: bool = True) -> Floats:
    """Points along the edges too: a homography bends what is straight between far points' images."""
    ends = np.roll(points, -1, axis=0) if closed else points[1:]
    starts = points if closed else points[:-1]
    t = np.linspace(0, 1, 16, endpoint=False)[None, :, None]
    dense = (starts[:, None] + t * (ends - starts)[:, None]).reshape(-1, 2)
    return dense if closed else np.concatenate((dense, points[-1:]))


def _area(ring: Floats) -> float:
    """Of a polygon."""
    x, y = ring.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


_Place = TypeVar("_Place", Grid, Strip, Staff)


def moved_by(place: _Place, by: tuple[float, float]) -> _Place:
    """The same place in a picture whose surroundings are shifted by (columns, rows)."""
    if by == (0.0, 0.0):
        return place
    return place._replace(x=place.x + np.float32(by[0]), y=place.y + np.float32(by[1]))


def sample(image: Bytes, place: Grid | Strip | Staff) -> Bytes:
    """The picture at these places."""
    found: Bytes = cv2.remap(image, place.x, place.y, cv2.INTER_LINEAR)
    return found
