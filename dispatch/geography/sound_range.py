"""Which part of an area hears a loudspeaker: circles of `range_m` on the area's polygon. Pure.

Plane metres around the area's point (an equirectangular projection: errors far below a loudspeaker's
own uncertainty over a few kilometres). Hills, walls and wind are not in it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

from config.geometry import metres
from config.records.district import Area, Node


class Sound(NamedTuple):
    """Shares of the area's surface, 0 … 1, and the loudspeakers heard in it, by id."""

    heard: float
    twice: float  # by two loudspeakers or more
    nodes: tuple[str, ...]


def sound(area: Area, nodes: Sequence[Node]) -> Sound:
    """How far these loudspeakers are heard in an area; its point stands in where it has no polygon."""
    ring = area.polygon or ()
    place: BaseGeometry = (
        shapely.make_valid(shapely.Polygon([metres(area, x, y) for x, y in ring]))
        if len(ring) >= 4
        else shapely.Point(0, 0).buffer(1.0)
    )
    parts: list[BaseGeometry] = []
    heard: list[str] = []
    for node in nodes:
        part = shapely.Point(metres(area, node.lon, node.lat)).buffer(node.range_m, 32)
        part = part.intersection(place)
        if part.area > 0:
            parts.append(part)
            heard.append(node.id)
    whole = float(place.area)
    if not parts or whole == 0:
        return Sound(0.0, 0.0, ())
    once = shapely.union_all(parts)
    pairs = [a.intersection(b) for n, a in enumerate(parts) for b in parts[n + 1 :]]
    twice = float(shapely.union_all(pairs).area) if pairs else 0.0
    return Sound(min(1.0, float(once.area) / whole), min(1.0, twice / whole), tuple(heard))
