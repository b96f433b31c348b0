"""Which neighbours a warning concerns: whose basin, area or border it touches. Pure."""

from collections.abc import Iterator

import shapely

from config.records.district import District
from config.records.sources import Neighbour


def concerned(district: District, area: str, live: bool) -> Iterator[Neighbour]:
    """Neighbours that a run of this kind reaches and that a warning of this area concerns."""
    here = district.areas[area]
    for n in district.sources.neighbour.values():
        if n.place(live) and (
            area in n.areas or here.basin in n.basins or _touches(n.border, here.polygon)
        ):
            yield n


def _touches(
    border: tuple[tuple[float, float], ...], polygon: tuple[tuple[float, float], ...]
) -> bool:
    if len(border) < 3 or len(polygon) < 3:
        return False
    theirs, ours = (shapely.make_valid(shapely.Polygon(x)) for x in (border, polygon))
    return bool(theirs.intersects(ours))
