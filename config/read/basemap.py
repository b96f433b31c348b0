"""The files of a district's base map as a record."""

import math
import struct
from collections.abc import Sequence
from pathlib import Path

from config.language import Said, Text
from config.read.problem import Problem
from config.read.shapes import read_shapes
from config.read.tiles import read_tiles
from config.records.basemap import Backdrop, Terrain

OUTLINE, PICTURE, WORLD = "outline.geojson", "terrain.png", ("terrain.wld", "terrain.pgw")
_MOST = 2_000_000  # bytes; it is drawn on every page that opens
# PNG (W3C, third edition), 5.2 and 11.2.1: signature, IHDR, size
_HEAD = struct.Struct(">8s4x4sII")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_backdrop(
    folder: Path, places: Sequence[tuple[float, float]], problems: list[Problem]
) -> Backdrop:
    """What the folder has of it. places: (lon, lat) that should lie within the relief."""
    file = folder / OUTLINE
    rings = read_shapes(file, problems) if file.exists() else {}
    terrain = _terrain(folder, places, problems) if (folder / PICTURE).exists() else None
    return Backdrop(tuple(rings.values()), terrain, read_tiles(folder))


def _terrain(
    folder: Path, places: Sequence[tuple[float, float]], problems: list[Problem]
) -> Terrain | None:
    def fault(file: str, message: Said, hint: Said) -> None:
        problems.append(Problem(file, 0, "", message, hint))

    again = Text(
        "fengsui terrain，或从 GDAL、QGIS 重新导出",
        "fengsui terrain, or export it anew from GDAL or QGIS",
    )
    try:
        png = (folder / PICTURE).read_bytes()
        signature, kind, width, height = _HEAD.unpack_from(png)
    except (OSError, struct.error) as e:
        fault(PICTURE, Text(f"读不了：{e}", f"cannot be read: {e}"), again)
        return None
    if signature != _SIGNATURE or kind != b"IHDR" or not width or not height:
        fault(PICTURE, Text("不是 PNG", "is no PNG"), again)
        return None
    if len(png) > _MOST:
        fault(
            PICTURE,
            Text(f"{len(png)} 字节，太大", f"{len(png)} bytes, too big"),
            Text(f"至多 {_MOST}", f"at most {_MOST}"),
        )
        return None
    world = next((folder / name for name in WORLD if (folder / name).exists()), None)
    if world is None:
        fault(PICTURE, Text("没有坐标文件", "has no world file beside it"), f"{WORLD[0]}: " + again)
        return None
    try:
        across, turn, turn_too, down, lon, lat = map(float, world.read_text("utf-8").split())
    except (OSError, ValueError):
        fault(world.name, Text("不是六个数", "is not six numbers"), again)
        return None
    west, north = lon - across / 2, lat - down / 2
    east, south = west + across * width, north + down * height
    if turn or turn_too or not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        hint = Text("应为经纬度（EPSG:4326），不旋转", "degrees of WGS 84 (EPSG:4326), not rotated")
        fault(
            world.name,
            Text(
                f"不是经纬度范围：{west:g} … {east:g}", f"no extent in degrees: {west:g} … {east:g}"
            ),
            hint,
        )
        return None
    inside = (west <= x <= east and south <= y <= north for x, y in places)
    if places and not any(inside):
        fault(
            world.name,
            Text("本区不在图内", "the district lies outside it"),
            Text("换本区的", "take that of this district"),
        )
        return None
    return Terrain(png=png, west=west, south=south, east=east, north=north)


def world_file(west: float, north: float, across: float, down: float) -> str:
    """The text of a world file. across, down: degrees a pixel, both positive."""
    assert math.isfinite(west + north + across + down)
    numbers = (across, 0.0, 0.0, -down, west + across / 2, north - down / 2)
    return "".join(f"{x:.10f}\n" for x in numbers)
