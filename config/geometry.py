"""The Earth as everything here measures it: one sphere. Pure.

Distances are of a great circle on the mean Earth radius of 6371 km (the IUGG's R1, 6371.0088 km, in whole
kilometres); on the ellipsoid of WGS 84 they are within 0.6 %.
"""

from math import asin, cos, pi, radians, sin, sqrt
from typing import Protocol

EARTH_KM = 6371.0
METRES_A_DEGREE = round(EARTH_KM * 1000 * pi / 180)  # of latitude: 111,195


class Place(Protocol):
    """Degrees of WGS 84."""

    @property
    def lon(self) -> float: ...
    @property
    def lat(self) -> float: ...


def distance_km(a: Place, b: Place) -> float:
    """Great-circle distance (haversine)."""
    la, lb = radians(a.lat), radians(b.lat)
    h = sin((lb - la) / 2) ** 2 + cos(la) * cos(lb) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(h))


def metres(origin: Place, lon: float, lat: float) -> tuple[float, float]:
    """East and north of `origin` on a plane that touches there (equirectangular): for a few kilometres."""
    east = (lon - origin.lon) * METRES_A_DEGREE * cos(radians(origin.lat))
    return east, (lat - origin.lat) * METRES_A_DEGREE
