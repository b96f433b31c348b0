"""What several tests use, by the one it was written for: downstream."""

from math import cos, radians

import msgspec

from config.records.district import Basin, District
from config.records.plans import Flow, Plans
from tests.support.decide_district import yanqing

M_PER_DEG = 111_195.0
LAT, LON = 40.5, 116.0


def degrees(x: float, y: float) -> tuple[float, float]:
    """A place x metres east and y north of (LON, LAT)."""
    return LON + x / (M_PER_DEG * cos(radians(LAT))), LAT + y / M_PER_DEG


def valley(
    places: dict[str, tuple[float, float]], basins: dict[str, Basin], flow: Flow | None = None
) -> District:
    """Areas of 200 m by 200 m around these points (metres); the basin is the key's first letter."""
    base = yanqing().areas["A01"]
    areas = {}
    for key, (x, y) in places.items():
        lon, lat = degrees(x, y)
        corners = [(-100, -100), (100, -100), (100, 100), (-100, 100), (-100, -100)]
        ring = tuple(degrees(x + a, y + b) for a, b in corners)
        areas[key] = msgspec.structs.replace(
            base, id=key, basin=key[0], lon=lon, lat=lat, polygon=ring
        )
    plans = Plans(downstream=flow or Flow())
    return msgspec.structs.replace(yanqing(), areas=areas, basins=basins, plans=plans)


def basin(key: str, *points: tuple[float, float], below: str = "") -> Basin:
    line = tuple(degrees(*p) for p in points)
    return Basin(
        id=key, name=key, name_en=key, river="", river_en="", downstream=below, course=line
    )


STRAIGHT = {"P": basin("P", (0, 0), (20_000, 0))}
