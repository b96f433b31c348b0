"""Where the water goes on (影响和波及范围): what lies in its way below a warned area, and when it may be
there. Pure geometry of basins.csv, areas.geojson and the resource base; it warns nobody in public.

The way is the basin's channel (`course`) from the point nearest the area to its outlet, then that of
the basin below (`downstream`) from the point nearest that outlet, and so on. What stands within
`corridor_m` of it is in the way, and the length of the way up to there is its distance. Distances are
plane metres around the area (an equirectangular projection, as in `dispatch.geography.sound_range`).

A wave of flood travels with c = dQ/dA (Seddon 1900; Lighthill & Whitham 1955, Proc. R. Soc. A 229,
281–316). With Jarrett's mean velocity of steep streams, v = 3.17 R^0.83 S^0.12 in metres and seconds
(1984, J. Hydraul. Eng. 110(11), 1519–1539), c = 1.83 v in a wide channel: 2.0 m/s for a hydraulic
radius R of 0.5 m on a slope S of 2 %, 5.3 m/s for 1.5 m on 3 %: `slow_m_s` and `fast_m_s`. Bends that
the line leaves out make it later; a dam that breaks, or a debris flow's front, may be faster.

Where the area stands on the river of reaches.csv, the areas below it on that river have their distance and
times from there: measured, and with celerities of their own.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

from config.records.district import District
from config.records.level import Level
from config.records.plans import What
from config.records.reaches import next_below, way_down
from dispatch.grade import Grade

# hazards that go down with the water
TRAVELS = ("flash_flood", "river_flood", "debris_flow", "dam_break", "reservoir_release")


def is_told(grade: Grade) -> bool:
    """Is this so high that notices say what lies downstream, and those who live there are told?"""
    return bool(grade.action) or grade.level >= Level.ORANGE


class Hit(NamedTuple):
    """Something in the way: an area, a risk source or a shelter, by its id."""

    what: What
    id: str
    distance_m: int
    earliest_min: int
    latest_min: int


def downstream(district: District, area: str, hazard: str) -> list[Hit]:
    """What lies in the way of water from this area, nearest first; nothing where the channel is not
    known."""
    return _hits(district, area, hazard, ("area", "risk", "shelter"))


def areas_below(district: District, area: str, hazard: str) -> list[Hit]:
    """Other areas in the way, nearest first."""
    return list(_areas(_Asked(id(district), area, hazard, district)))


@dataclass(frozen=True)
class _Asked:
    """What of a district is asked. It holds the district, so that no other can come to its number."""

    number: int
    area: str
    hazard: str
    district: District = field(compare=False)


@lru_cache(maxsize=256)
def _areas(asked: _Asked) -> tuple[Hit, ...]:
    """The geometry of a district stays as it is, and each version of a warning asks again."""
    return tuple(_hits(asked.district, asked.area, asked.hazard, ("area",)))


def _hits(district: District, area: str, hazard: str, kinds: tuple[What, ...]) -> list[Hit]:
    if hazard not in TRAVELS:
        return []
    measured = _measured(district, area) if "area" in kinds else []
    known = {hit.id for hit in measured}
    drawn = _drawn(district, area, kinds)
    rest = [hit for hit in drawn if hit.what != "area" or hit.id not in known]
    return sorted([*measured, *rest], key=lambda hit: hit.distance_m) if measured else rest


def _measured(district: District, area: str) -> list[Hit]:
    """Areas below it on the river of reaches.csv."""
    within_ms = district.plans.downstream.within_min * 60_000
    return [
        Hit("area", name, round(t.distance_m), t.early_ms // 60_000, -(-t.late_ms // 60_000))
        for name, t in way_down(next_below(district.reaches), area)
        if name in district.areas and t.early_ms <= within_ms
    ]


def _drawn(district: District, area: str, kinds: tuple[What, ...]) -> list[Hit]:
    """What stands by the channel as it is drawn, nearest first."""
    # loaded where a district has channels: geometry costs a command its quick start
    from dispatch.geography.watercourse import beside

    flow = district.plans.downstream
    return [
        Hit(
            what,
            key,
            round(distance),
            floor(distance / flow.fast_m_s / 60),
            ceil(distance / flow.slow_m_s / 60),
        )
        for distance, what, key in beside(district, district.areas[area], kinds)
    ]
