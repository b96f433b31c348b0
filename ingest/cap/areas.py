"""Which of our areas a place of another authority's CAP message touches: by its shapes, its division
codes, what lies downstream of it, and, where it has neither, by its name. Pure.
"""

import math
import re
from collections.abc import Iterator

import shapely
from shapely.geometry import MultiPoint, Polygon
from shapely.geometry.base import BaseGeometry

from config.geometry import METRES_A_DEGREE
from config.records.district import District
from config.records.sources import Source
from ingest.cap.decode import CapArea, CapInfo, Circle

_NAME = 2_000  # characters of an areaDesc that are looked at
_LISTED = re.compile(r"[,，;；、|/\s\u3000]+")


class Where:
    """Of one district."""

    def __init__(self, district: District) -> None:
        self._district = district
        self._shapes: dict[str, BaseGeometry] = {
            a.id: _ring(a.polygon) if a.polygon else shapely.Point(a.lon, a.lat)
            for a in district.areas.values()
        }

    def areas(self, source: Source, info: CapInfo) -> list[str]:
        """Of ours, that polygon, circle or division code touches, or that lie downstream of them."""
        found = set[str]()
        for place in info.areas:
            if not (place.polygons or place.circles or place.codes):
                found |= self.by_name(place.name)
                continue
            found |= set(self._by_shape(place)) | set(self._by_code(place.codes))
            found |= set(self._downstream(source, place.codes))
        return sorted(found)

    def _by_shape(self, place: CapArea) -> Iterator[str]:
        shapes = [_ring([(lon, lat) for lat, lon in ring]) for ring in place.polygons]
        shapes += [_disc(c) for c in place.circles]
        for area, shape in self._shapes.items():
            if any(theirs.intersects(shape) for theirs in shapes):
                yield area

    def _by_code(self, codes: tuple[str, ...]) -> Iterator[str]:
        for area in self._district.areas.values():
            if any(_within(area.division, code) for code in codes):
                yield area.id

    def by_name(self, name: str) -> set[str]:
        """By the words of an areaDesc that has nothing else: 延庆区、永宁镇. A township means its
        villages, where it stands first or behind our district; the district alone means all of it."""
        own = self._district.name.rstrip("区县市旗")
        townships = {a.township for a in self._district.areas.values() if a.township}
        found = set[str]()
        for part in _LISTED.split(name[:_NAME]):
            _, ours, tail = part.partition(own) if own else ("", "", "")
            place = tail.lstrip("区县市旗") if ours else part
            township = next((t for t in townships if place.startswith(t)), "")
            found |= {
                a.id
                for a in self._district.areas.values()
                if (a.township == township if township else ours)
            }
        return found

    def _downstream(self, source: Source, codes: tuple[str, ...]) -> Iterator[str]:
        for row in source.downstream:
            if any(_within(code, d) for code in codes for d in row.divisions):
                yield from row.areas
                yield from (a.id for a in self._district.areas.values() if a.basin in row.basins)


def _significant(code: str) -> str:
    """A division code without the zeros that mean "all of it": 110119000000 -> 110119 (GB/T 2260: 2+2+2,
    GB/T 10114: 3 more for a township, the statistics office: 3 more for a village; 2 more within it)."""
    for size in (2, 4, 6, 9, 12):
        if len(code) in (6, 9, 12, 14) and code[size:].strip("0") == "":
            return code[:size]
    return code


def _within(a: str, b: str) -> bool:
    """One of the two places holds the other."""
    a, b = _significant(a), _significant(b)
    return a.startswith(b) or b.startswith(a)


def _ring(points: list[tuple[float, float]] | tuple[tuple[float, float], ...]) -> BaseGeometry:
    """A polygon of (lon, lat), made valid; what is too little for one is what it is."""
    if len(set(points)) < 3:
        return MultiPoint(points).convex_hull
    shape: BaseGeometry = shapely.make_valid(Polygon(points))
    return shape


def _disc(c: Circle) -> BaseGeometry:
    """A circle of so many km as a polygon of 64 corners around it."""
    lat_r = c.km * 1000 / METRES_A_DEGREE
    lon_r = lat_r / max(0.01, math.cos(math.radians(c.lat)))
    if c.km == 0:
        return shapely.Point(c.lon, c.lat)
    outer = 1 / math.cos(math.pi / 64)  # the corners lie outside, so that nothing is left out
    turns = [2 * math.pi * n / 64 for n in range(64)]
    return Polygon(
        [(c.lon + outer * lon_r * math.sin(t), c.lat + outer * lat_r * math.cos(t)) for t in turns]
    )
