"""The relief under a district's map: heights from a survey, shaded by the sun, as a picture with a world file.

Shade after Horn 1981 (Proceedings of the IEEE 69(1):14-47): the cosine between the slope and a sun in
the north-west, as maps have it. Flat ground is left clear, slopes to the sun are white and those away
from it black, so that the picture lies over a map of any colour.
"""

import csv
import io
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from config.geometry import METRES_A_DEGREE
from config.language import Text, en, zh
from detectors.engine.window_rule import Floats

_AZIMUTH, _ALTITUDE = np.radians(315.0), np.radians(45.0)
_VOID = -32768  # of SRTM
_NAME = re.compile(r"([NS])(\d{2})([EW])(\d{3})")  # of an SRTM tile: its south-west corner
_STEPS = 24  # of shade: what the eye tells apart, and a small file


class ReliefFault(ValueError):
    """No relief can be made; the text says what to do."""


class Extent(NamedTuple):
    """Edges, degrees of WGS 84."""

    west: float
    south: float
    east: float
    north: float


class Grid(NamedTuple):
    """Heights (m; NaN: not known) at lons and lats that rise."""

    lons: Floats
    lats: Floats
    heights: Floats  # lats x lons


def read_tile(file: Path) -> Grid:
    """An SRTM tile (.hgt) or an ESRI ASCII grid (.asc) in degrees. Raises ReliefFault."""
    try:
        return _hgt(file) if file.suffix.lower() == ".hgt" else _asc(file)
    except (OSError, ValueError, KeyError, IndexError) as e:
        if isinstance(e, ReliefFault):
            raise
        raise ReliefFault(
            Text(
                f"{file.name}: 读不了：{zh(e)}；应为 .hgt (SRTM)、.asc (ESRI ASCII) 或 .csv",
                f"{file.name}: cannot be read: {en(e)}; .hgt (SRTM), .asc (ESRI ASCII) or .csv",
            )
        ) from e


def _hgt(file: Path) -> Grid:
    named = _NAME.match(file.stem.upper())
    if not named:
        raise ReliefFault(
            Text(
                f"{file.name}: 不是 SRTM 的文件名，应如 N40E116.hgt",
                f"{file.name}: no name of SRTM, as N40E116.hgt",
            )
        )
    counts = np.fromfile(file, ">i2")
    side = int(np.sqrt(counts.size))
    if side < 2 or side * side != counts.size:
        raise ReliefFault(
            Text(
                f"{file.name}: {counts.size} 个值，不是方阵",
                f"{file.name}: {counts.size} values, not a square",
            )
        )
    south = int(named[2]) * (1 if named[1] == "N" else -1)
    west = int(named[4]) * (1 if named[3] == "E" else -1)
    heights = counts.reshape(side, side)[::-1].astype(float)
    heights[heights == _VOID] = np.nan
    lons = np.linspace(west, west + 1.0, side)
    return Grid(lons, np.linspace(south, south + 1.0, side), heights)


def _asc(file: Path) -> Grid:
    with file.open(encoding="ascii") as lines:
        head: dict[str, float] = {}
        while len(head) < 6:
            place, line = lines.tell(), lines.readline()
            words = line.split()
            if len(words) != 2 or not words[0][0].isalpha():
                lines.seek(place)
                break
            head[words[0].lower()] = float(words[1])
        heights = np.loadtxt(lines, ndmin=2)[::-1]
    rows, columns, cell = int(head["nrows"]), int(head["ncols"]), head["cellsize"]
    if heights.shape != (rows, columns):
        raise ReliefFault(
            Text(
                f"{file.name}: {heights.shape} 不是 {rows} x {columns}",
                f"{file.name}: {heights.shape} is not {rows} x {columns}",
            )
        )
    heights[heights == head.get("nodata_value", -9999.0)] = np.nan
    west = head["xllcenter"] if "xllcenter" in head else head["xllcorner"] + cell / 2
    south = head["yllcenter"] if "yllcenter" in head else head["yllcorner"] + cell / 2
    lons = np.linspace(west, west + cell * (columns - 1), columns)
    return Grid(lons, np.linspace(south, south + cell * (rows - 1), rows), heights)


def read_spots(file: Path) -> Floats:
    """Spot heights, rows of lon, lat and height_m, or elevation_m as in stations.csv. Raises
    ReliefFault."""
    found = []
    try:
        rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
        for n, row in enumerate(rows, 2):
            try:
                height = "height_m" if "height_m" in row else "elevation_m"
                found.append([float(row[k]) for k in ("lon", "lat", height)])
            except (KeyError, TypeError, ValueError) as e:
                raise ReliefFault(
                    Text(
                        f"{file.name}:{n}: 应为 lon,lat,height_m（{e}）",
                        f"{file.name}:{n}: write lon,lat,height_m ({e})",
                    )
                ) from e
    except (OSError, UnicodeDecodeError) as e:
        raise ReliefFault(
            Text(f"{file.name}: 读不了：{zh(e)}", f"{file.name}: cannot be read: {en(e)}")
        ) from e
    return np.array(found, float).reshape(-1, 3)


def axes(extent: Extent, width: int) -> tuple[Floats, Floats]:
    """The centres of pixels that are as high as they are wide on the ground, from the south-west."""
    across = (extent.east - extent.west) / width
    middle = np.radians((extent.south + extent.north) / 2)
    height = max(2, round((extent.north - extent.south) / (across * np.cos(middle))))
    down = (extent.north - extent.south) / height
    lons = np.linspace(extent.west + across / 2, extent.east - across / 2, width)
    return lons, np.linspace(extent.south + down / 2, extent.north - down / 2, height)


def of_tiles(tiles: Sequence[Grid], lons: Floats, lats: Floats) -> Floats:
    """Heights at lats x lons, the first tile that knows; NaN where none does."""
    at = np.stack(np.meshgrid(lats, lons, indexing="ij"), axis=-1)
    whole = np.full(at.shape[:2], np.nan)
    for tile in tiles:
        look = import_module("scipy.interpolate").RegularGridInterpolator(
            (tile.lats, tile.lons), tile.heights, bounds_error=False, fill_value=np.nan
        )
        whole = np.where(np.isnan(whole), look(at), whole)
    return whole


def of_spots(spots: Floats, lons: Floats, lats: Floats) -> Floats:
    """A thin plate through spot heights: schematic between them. Raises ReliefFault."""
    spots = spots[np.unique(spots[:, :2], axis=0, return_index=True)[1]]
    if len(spots) < 3:
        raise ReliefFault(
            Text("至少三个不同的高程点", "three spot heights at different places at least")
        )
    if np.linalg.matrix_rank(spots[:, :2] - spots[0, :2], tol=1e-9) < 2:
        raise ReliefFault(Text("高程点在一条线上", "the spot heights lie on one line"))
    narrow = np.cos(np.radians(lats.mean()))
    plate = import_module("scipy.interpolate").RBFInterpolator(
        spots[:, :2] * (narrow, 1.0), spots[:, 2]
    )
    grid = np.stack(np.meshgrid(lons * narrow, lats), axis=-1)
    heights: Floats = plate(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    return heights


def shade(heights: Floats, lons: Floats, lats: Floats, exaggerate: float = 1.0) -> Floats:
    """How much brighter (to 1) or darker (to -1) than flat ground each place is; NaN: not known."""
    north = (lats[1] - lats[0]) * METRES_A_DEGREE
    east = (lons[1] - lons[0]) * METRES_A_DEGREE * np.cos(np.radians(lats.mean()))
    up_north, up_east = np.gradient(heights * exaggerate, north, east)
    # the slope's normal is (-up_east, -up_north, 1); the sun's direction is (east, north, up)
    sun_east = np.sin(_AZIMUTH) * np.cos(_ALTITUDE)
    sun_north = np.cos(_AZIMUTH) * np.cos(_ALTITUDE)
    light = np.sin(_ALTITUDE) - up_east * sun_east - up_north * sun_north
    light = np.maximum(light / np.sqrt(1 + up_east**2 + up_north**2), 0.0)
    flat = np.sin(_ALTITUDE)
    shades: Floats = np.where(light > flat, (light - flat) / (1 - flat), (light - flat) / flat)
    return shades


def picture(shades: Floats, image: Any) -> bytes:
    """A PNG, north up: white or black, as much as `shades` says. image: the module PIL.Image."""
    steps = np.nan_to_num(np.round(np.clip(shades, -1, 1) * _STEPS))[::-1]
    seen = np.unique(steps)
    palette = np.where(seen[:, None] > 0, 255, 0).repeat(3, axis=1).astype(np.uint8)
    made = image.fromarray(np.searchsorted(seen, steps).astype(np.uint8), "P")
    made.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    alpha = np.round(np.abs(seen) / _STEPS * 255).astype(np.uint8).tobytes()
    made.save(buffer, "PNG", transparency=alpha, optimize=True)
    return buffer.getvalue()
