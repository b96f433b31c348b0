"""Which neighbours a warning concerns: whose basin, area or border it touches. Pure."""

from collections.abc import Iterator

import shapely

from config.district import District
from config.level import Level
from config.sources import Neighbour
from dispatch.policy import Grade

CHANNEL = "cap_push"
_PREFIX = "neighbour:"


def recipient(neighbour: str) -> str:
    """The id of the neighbour in deliveries."""
    return _PREFIX + neighbour


def neighbour_of(recipient_id: str) -> str:
    """The other way round; "" for any other recipient."""
    return recipient_id.removeprefix(_PREFIX) if recipient_id.startswith(_PREFIX) else ""


def concerned(district: District, area: str, live: bool) -> Iterator[Neighbour]:
    """Neighbours that a run of this kind reaches and that a warning of this area concerns."""
    here = district.areas[area]
    for n in district.sources.neighbour.values():
        if n.place(live) and (
            area in n.areas or here.basin in n.basins or _touches(n.border, here.polygon)
        ):
            yield n


def wants(neighbour: Neighbour, grade: Grade) -> bool:
    """An order to move goes to everybody."""
    return bool(grade.action) or grade.level >= Level[neighbour.min_level.upper()]


def _touches(
    border: tuple[tuple[float, float], ...], polygon: tuple[tuple[float, float], ...]
) -> bool:
    if len(border) < 3 or len(polygon) < 3:
        return False
    theirs, ours = (shapely.make_valid(shapely.Polygon(x)) for x in (border, polygon))
    return bool(theirs.intersects(ours))
