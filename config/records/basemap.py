"""What the map draws under a district: its outline (outline.geojson), its relief (terrain.png) and
a base map of the operator's own (map.pmtiles). All may be missing, and none decides anything.

A world file beside the picture says where it lies: terrain.wld or terrain.pgw, six numbers, one a line:
degrees a pixel to the east, two rotations, degrees a pixel to the south (negative), longitude and latitude of
the centre of the upper left pixel. GDAL (`gdaldem hillshade -of PNG -co WORLDFILE=YES`) and QGIS write it,
and so does `fengsui terrain`.
"""

import msgspec

from config.language import Text

Ring = tuple[tuple[float, float], ...]


class Terrain(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of the relief and its edges, degrees of WGS 84."""

    png: bytes
    west: float
    south: float
    east: float
    north: float


class Tiles(msgspec.Struct, frozen=True, kw_only=True):
    """A PMTiles archive of the operator's own. kind: mvt (vector), png, jpeg, webp or avif; bounds: west,
    south, east, north; layers: of a vector map. fault: why it cannot be used; then nothing else is known."""

    path: str
    kind: str = ""
    lowest: int = 0
    highest: int = 0
    bounds: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    layers: tuple[str, ...] = ()
    attribution: str = ""
    fault: Text | None = None


class Backdrop(msgspec.Struct, frozen=True):
    """outline: rings of (lon, lat)."""

    outline: tuple[Ring, ...] = ()
    terrain: Terrain | None = None
    tiles: Tiles | None = None


NO_BACKDROP = Backdrop()
