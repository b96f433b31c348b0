"""The command terrain."""

from importlib import import_module
from pathlib import Path
from typing import Any

import click
import numpy as np
import shapely

from config.language import Text, text_of
from config.read.basemap import PICTURE, WORLD, world_file
from config.records.district import District
from detectors.engine.window_rule import Floats
from fengsui.cli.options import Shared
from fengsui.files import hillshade
from fengsui.files.hillshade import Extent, ReliefFault
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken

_MARGIN = 0.03  # degrees around the district


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--width",
    default=640,
    show_default=True,
    help=spoken(Text("像素", "pixels")),
    type=click.IntRange(16, 4000),
)
@click.option(
    "--exaggerate",
    default=1.0,
    show_default=True,
    help=spoken(Text("高差夸大几倍", "how much heights are exaggerated")),
    type=click.FloatRange(0.1, 20),
)
@click.pass_obj
def terrain(obj: Shared, files: tuple[Path, ...], width: int, exaggerate: float) -> None:
    """地形：给地图画晕渲，写入区县目录；用 SRTM（.hgt）、ESRI ASCII 格网（.asc）或高程点（.csv:
    lon,lat,height_m，点间只是示意）。

    Shades heights for the map, into the district's folder: SRTM tiles (.hgt), ESRI ASCII grids (.asc), or
    spot heights (.csv: lon,lat,height_m), which are schematic between them.

    GeoTIFF: gdaldem hillshade DEM.tif terrain.png -of PNG -co WORLDFILE=YES
    """
    try:
        image = import_module("PIL.Image")
    except ImportError as e:
        raise Usage(
            Text(
                "需要 Pillow：pip install 'fengsui[figures]'",
                "Pillow is needed: pip install 'fengsui[figures]'",
            )
        ) from e
    district = obj.district()
    extent = _extent(district)
    lons, lats = hillshade.axes(extent, width)
    try:
        if all(f.suffix.lower() == ".csv" for f in files):
            spots = np.concatenate([hillshade.read_spots(f) for f in files])
            heights = hillshade.of_spots(spots, lons, lats)
        else:
            heights = hillshade.of_tiles([hillshade.read_tile(f) for f in files], lons, lats)
    except ReliefFault as e:
        raise Usage(text_of(e)) from e
    inside = _inside(district, lons, lats)
    heights = np.where(inside, heights, np.nan)
    known = float(np.mean(~np.isnan(heights[inside])))
    if not known:
        raise Usage(
            Text(f"这些文件不含本区：{extent}", f"these files do not cover the district: {extent}")
        )
    png = hillshade.picture(hillshade.shade(heights, lons, lats, exaggerate), image)
    across, down = lons[1] - lons[0], lats[1] - lats[0]
    (obj.config / PICTURE).write_bytes(png)
    (obj.config / WORLD[0]).write_text(world_file(extent.west, extent.north, across, down), "ascii")
    echo(
        Text(
            f"已写 {obj.config / PICTURE}、{WORLD[0]}：{len(lons)} x {len(lats)}，"
            f"{len(png) / 1000:.0f} kB，高程 "
            f"{np.nanmin(heights):.0f}…{np.nanmax(heights):.0f} m，本区 {known:.0%} 有高程",
            f"written: {obj.config / PICTURE}, {WORLD[0]}: {len(lons)} x {len(lats)}, "
            f"{len(png) / 1000:.0f} kB, heights "
            f"{np.nanmin(heights):.0f}…{np.nanmax(heights):.0f} m, known for {known:.0%} "
            "of the district",
        )
    )


def _extent(district: District) -> Extent:
    """About all that the map shows."""
    d = district
    points = [p for ring in d.backdrop.outline for p in ring]
    points += [p for a in d.areas.values() for p in (*a.polygon, (a.lon, a.lat))]
    lons, lats = [p[0] for p in points], [p[1] for p in points]
    return Extent(
        min(lons) - _MARGIN, min(lats) - _MARGIN, max(lons) + _MARGIN, max(lats) + _MARGIN
    )


def _inside(district: District, lons: Floats, lats: Floats) -> Any:
    """Where the outline holds; everywhere, if it is not known."""
    if not district.backdrop.outline:
        return np.ones((len(lats), len(lons)), bool)
    whole = shapely.union_all([shapely.Polygon(ring) for ring in district.backdrop.outline])
    return shapely.contains_xy(whole, *np.meshgrid(lons, lats))
