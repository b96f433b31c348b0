"""Stations and nodes that do not report within their plan, and areas whose evidence is thin.

Sees: an expected station or node whose newest value is older than its `silent_after_s` at the
run's clock; also one never heard since the run began. An area is thin when less than
`min_live_share` of its stations are live; a camera that is blind (`camera_sight`) is not. One that
is in service (`service`) is not silent, and makes its areas thin; so does a gauge that reports and does
not show what it measures (`blind`): an error code in a flood says nothing, least of all that it is over.
So does a silent gauge on which a forecast from upstream (`travel_time`) rests: nobody sees what comes.
The same holds of one whose clock is so slow that what it says is history (`clock_offset`).
One of which a death certificate says that it is gone (`Away`) is silent at once, until a reading of it comes
that is newer than all before.
Delay it adds: the plan's `silent_after_s`, and up to one tick; after a death none.
Cannot see: a gauge that reports and lies (see the quality tests).
Source: none needed; "never seen" is judged from the register, for a deadman switch that waits for a
first value never fires.
"""

from collections.abc import Collection, Container, Mapping

import msgspec

from config.records.district import District
from detectors.detection import Coverage
from detectors.quality.catch_over_days import CaughtDays
from detectors.quality.clock_offset import ClockState
from ingest.observation import Away

# kinds that foretell from gauges upstream or from the level itself: blind without them, or less sure
_FORECASTS = ("travel_time", "flood_score", "flow_score", "level_forecast", "level_and_rain")


class SilenceState(msgspec.Struct):
    """Newest event time of each station and node, who is silent, what was last said of areas."""

    started_at: int = 0
    clock_at: int = 0
    seen: dict[str, int] = {}
    silent: set[str] = set()
    said: dict[str, tuple[str, ...]] = {}
    blind: set[str] = set()  # stations that report and show nothing, cameras among them
    clogged: set[str] = set()  # rain gauges that stay dry among wet ones
    compared_at: int = 0  # when that was looked at
    undercatch: set[str] = set()  # rain gauges that catch a part only …
    undercatch_wet: set[str] = set()  # … and beside which it rains
    caught_days: CaughtDays = msgspec.field(default_factory=CaughtDays)  # … of several days
    clocks: dict[str, ClockState] = {}  # of stations whose newest readings came late
    adrift: set[str] = set()  # whose clock is so slow that nothing of theirs is judged
    gone: dict[str, int] = {}  # of whom a death was told -> its newest reading then, -1: none


def late(district: District, state: SilenceState, station: str) -> bool:
    """Silent at the state's clock?"""
    if station in district.stations:
        plan_s = district.stations[station].silent_after_s
    else:
        plan_s = district.nodes[station].silent_after_s
    plan_s = max(plan_s, district.rules.silence.grace_s if station not in state.seen else 0)
    since = max(state.seen.get(station, state.started_at), state.started_at)
    return state.clock_at - since > plan_s * 1000


def bury(
    state: SilenceState, record: Away, known: Container[str], service: Container[str]
) -> set[str]:
    """A death: whose state changed. known: stations that somebody here watches. The newest reading counts and
    no clock, for that of the device may be slow."""
    changed = set()
    for station in record.stations:
        if station not in known or station in state.gone:
            continue
        state.gone[station] = state.seen.get(station, -1)
        if station not in state.silent and station not in service:
            state.silent.add(station)
            changed.add(station)
    return changed


def unforeseen(district: District, area: str, silent: Collection[str]) -> list[str]:
    """Silent gauges without which the area's forecast of what comes down the river is blind: those of
    the level, for a rule that lacks one of its rain gauges still says what the others make of it."""
    found = []
    for row in district.rules.rule:
        every = "*" in row.areas and row.hazard in district.areas[area].hazards
        if row.kind not in _FORECASTS or not (every or area in row.areas):
            continue
        mine = row.stations or district.stations_of_area[area]
        found += [s for s in mine if s in silent and district.stations[s].quantity == row.quantity]
    return sorted(set(found))


def quiet(grace_s: int, state: SilenceState, plans: Mapping[str, int]) -> set[str]:
    """All of `plans` that are silent at the state's clock, as `late` says it of each. plans: station
    or node -> for how long it may be, ms."""
    clock, started, seen = state.clock_at, state.started_at, state.seen
    since_start, grace = clock - started, grace_s * 1000
    found = set()
    for name, plan in plans.items():
        at = seen.get(name)
        if at is None:
            if since_start > plan and since_start > grace:
                found.add(name)
        elif clock - at > plan and since_start > plan:
            found.add(name)
    return found


def coverage(
    district: District, state: SilenceState, area: str, service: Collection[str]
) -> tuple[Coverage, bool]:
    """Coverage of an area and whether its evidence is thin. Nodes are listed, not counted.
    service: who is in service."""
    stations = district.stations_of_area[area]
    away = [s for s in stations if s in service]
    lost = state.blind | state.clogged | state.undercatch_wet | state.adrift
    silent = [s for s in stations if (s in state.silent or s in lost) and s not in service]
    nodes = [n.id for n in district.nodes.values() if n.area == area]
    live = len(stations) - len(silent) - len(away)
    thin = bool(away) or live < district.rules.silence.min_live_share * len(stations)
    thin |= any(s in lost and district.stations[s].quantity != "frame" for s in stations)
    thin |= bool(unforeseen(district, area, silent))
    found = Coverage(
        live=live,
        expected=len(stations),
        silent=(*silent, *(n for n in nodes if n in state.silent and n not in service)),
        service=(*away, *(n for n in nodes if n in service)),
    )
    return found, thin
