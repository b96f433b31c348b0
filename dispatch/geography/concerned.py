"""Which neighbours a warning concerns: whose basin, area or border it touches. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from config.records.district import District
from config.records.sources import Neighbour

if TYPE_CHECKING:
    from dispatch.geography.border import Ring


def concerned(district: District, area: str, live: bool) -> Iterator[Neighbour]:
    """Neighbours that a run of this kind reaches and that a warning of this area concerns."""
    here = district.areas[area]
    for n in district.sources.neighbour.values():
        if n.place(live) and (
            area in n.areas or here.basin in n.basins or _touches(n.border, here.polygon)
        ):
            yield n


def _touches(border: "Ring", polygon: "Ring") -> bool:
    if not border:
        return False
    from dispatch.geography.border import touches  # most districts have no border to look at

    return touches(border, polygon)


def load_borders(district: District) -> None:
    """What looks at borders, if the district has one: at the start, not when a warning waits for it."""
    for n in district.sources.neighbour.values():
        _touches(n.border, ())
