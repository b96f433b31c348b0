"""A flood that comes from above without rain: a lake or a dam that bursts. It goes down the river of
reaches.csv at one speed, takes every gauge that it reaches, and floods every village. Pure.

Bare on purpose: what it does to a gauge is what the rule that listens for it must hear, silence; how fast it
is, and between which celerities the rule looks, are not of one hand.
"""

from collections.abc import Iterator
from typing import NamedTuple

from config.records.district import District
from config.records.reaches import START, next_below, way_down
from simulators.faults import Fault
from skill.verify.truth import Truth

_MINUTE = 60_000
_FOR_GOOD = 100_000  # minutes
HAZARD = "dam_break"


class Wave(NamedTuple):
    """At `station` in minute `start`, and on from there at `m_s`."""

    station: str
    start: int
    m_s: float


def passes(district: District, wave: Wave | None) -> dict[str, int]:
    """Gauges and villages that it comes to, with the minute."""
    if wave is None:
        return {}
    way = [(wave.station, START), *way_down(next_below(district.reaches), wave.station)]
    return {name: wave.start + round(t.distance_m / wave.m_s / 60) for name, t in way}


def taken(district: District, wave: Wave | None) -> tuple[Fault, ...]:
    """The gauges that it takes."""
    found = passes(district, wave).items()
    return tuple(Fault("dropout", s, m, _FOR_GOOD) for s, m in found if s in district.stations)


def flooded(district: District, wave: Wave | None, start_at: int) -> Iterator[Truth]:
    """The villages that it floods."""
    for name, minute in passes(district, wave).items():
        if name in district.areas and HAZARD in district.areas[name].hazards:
            yield Truth(name, HAZARD, start_at + (minute + 1) * _MINUTE)
