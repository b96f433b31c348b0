"""How long a picture is kept, by the district's rules. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from config.records.devices.pictures import PictureRule
from config.records.district import District

DAY_MS = 86_400_000


class Shown(NamedTuple):
    """Where a picture comes from: a camera, or PEOPLE, and its time (ms)."""

    station: str
    at: int


class Named(NamedTuple):
    """A warning's or detection's evidence names it: the area, the hazard, and when (ms)."""

    area: str
    hazard: str
    at: int


def rules(district: District) -> dict[str, PictureRule]:
    """Camera, or PEOPLE -> its rule; of what is in no row nothing is deleted."""
    rows = district.pictures
    found: dict[str, PictureRule] = {}
    for row in rows:
        if "*" in row.cameras:
            found |= {s.id: row for s in district.stations.values() if s.quantity == "frame"}
    for row in rows:
        found |= {name: row for name in row.cameras if name != "*"}
    return found


def undeclared(district: District) -> list[str]:
    """Cameras of which nobody has said how long their pictures are kept."""
    known = rules(district)
    cameras = (s.id for s in district.stations.values() if s.quantity == "frame")
    return [name for name in cameras if name not in known]


def kept_for(
    shown: Sequence[Shown],
    named: Sequence[Named],
    open_: Collection[tuple[str, str]],
    of: Mapping[str, PictureRule],
    now: int,
) -> str:
    """Why a picture is kept at `now`: `rule`, `evidence`, `warning`; "": its time is over.
    open_: (area, hazard) of warnings that have not ended."""
    found = [of.get(one.station) for one in shown]
    rows = [r for r in found if r is not None]
    if not shown or len(rows) < len(found):
        return "rule"
    if any(now - one.at < row.days * DAY_MS for one, row in zip(shown, rows, strict=True)):
        return "rule"
    if any((n.area, n.hazard) in open_ for n in named):
        return "warning"
    if named:
        days = [r.evidence_days for r in rows]
        told = [d for d in days if d is not None]
        if len(told) < len(days) or now - max(n.at for n in named) < max(told) * DAY_MS:
            return "evidence"
    return ""
