"""What the map draws under a district: its outline (outline.geojson) and its relief (terrain.png). Both may
be missing, and neither decides anything.

A world file beside the picture says where it lies: terrain.wld or terrain.pgw, six numbers, one a line:
degrees a pixel to the east, two rotations, degrees a pixel to the south (negative), longitude and latitude of
the centre of the upper left pixel. GDAL (`gdaldem hillshade -of PNG -co WORLDFILE=YES`) and QGIS write it,
and so does `fengsui terrain`.
"""

import msgspec

Ring = tuple[tuple[float, float], ...]


class Terrain(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of the relief and its edges, degrees of WGS 84."""

    png: bytes
    west: float
    south: float
    east: float
    north: float


class Backdrop(msgspec.Struct, frozen=True):
    """outline: rings of (lon, lat)."""

    outline: tuple[Ring, ...] = ()
    terrain: Terrain | None = None


NO_BACKDROP = Backdrop()
