"""What stands by the channel below an area, as basins.csv and areas.geojson draw it. Pure geometry, in metres
around the area; `dispatch.geography.downstream` says when the water may be there.
"""

from collections.abc import Iterator

import shapely
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from config.geometry import metres
from config.records.district import Area, District
from config.records.plans import What

XY = tuple[float, float]


def beside(
    district: District, here: Area, kinds: tuple[What, ...]
) -> list[tuple[float, What, str]]:
    """Way of the water in metres, kind and id of what it may come to within `within_min`, nearest first."""
    way = _way(district, here)
    if way is None:
        return []
    flow = district.plans.downstream
    west, south, east, north = way.buffer(flow.corridor_m).bounds
    found: list[tuple[float, float, What, str]] = []
    for what, key, at, ring in _places(district, here, kinds):
        xs, ys = [p[0] for p in ring], [p[1] for p in ring]
        if max(xs) < west or min(xs) > east or max(ys) < south or min(ys) > north:
            continue
        point, place = shapely.Point(at), _shape(ring)
        # what lies upstream is nearest to the way's first point
        if way.distance(place) > flow.corridor_m or way.project(point) <= 0:
            continue
        part = way.intersection(place.buffer(flow.corridor_m))
        if part.is_empty:  # a circle is drawn as a polygon, a hair smaller
            continue
        points = shapely.get_coordinates(part)
        distance = min(way.project(shapely.Point(p)) for p in points)
        if distance > flow.fast_m_s * flow.within_min * 60:
            continue
        found.append((distance, way.project(point), what, key))
    return [(distance, what, key) for distance, _, what, key in sorted(found)]


def _way(district: District, area: Area) -> shapely.LineString | None:
    """The line of the water below the area, in metres around it."""
    points: list[tuple[float, float]] = []
    at, basin = shapely.Point(0, 0), district.basins[area.basin]
    while True:
        if len(basin.course) < 2:
            break
        line = shapely.LineString([metres(area, p[0], p[1]) for p in basin.course])
        rest = substring(line, line.project(at), line.length)
        points += [p for p in rest.coords if not points or p != points[-1]]
        at = shapely.Point(points[-1])
        if basin.downstream not in district.basins:
            break
        basin = district.basins[basin.downstream]
    return shapely.LineString(points) if len(points) > 1 else None


def _places(
    district: District, here: Area, kinds: tuple[What, ...]
) -> Iterator[tuple[What, str, XY, list[XY]]]:
    """Everything that may be in the way: its point and its ring, which may be the point alone."""
    if "area" in kinds:
        for a in district.areas.values():
            if a.id != here.id:
                at = metres(here, a.lon, a.lat)
                ring = [metres(here, x, y) for x, y in a.polygon]
                yield "area", a.id, at, ring if len(ring) >= 4 else [at]
    if "risk" in kinds:
        for r in district.plans.risks.values():
            at = metres(here, r.lon, r.lat)
            yield "risk", r.id, at, [at]
    if "shelter" in kinds:
        for s in district.plans.shelters.values():
            at = metres(here, s.lon, s.lat)
            yield "shelter", s.id, at, [at]


def _shape(ring: list[XY]) -> BaseGeometry:
    if len(ring) < 4:
        return shapely.Point(ring[0])
    polygon = shapely.Polygon(ring)
    return polygon if polygon.is_valid else shapely.make_valid(polygon)
