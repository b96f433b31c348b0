"""A simulated storm as the record that a district would have of it: what its gauges said in order of
time, where it flooded, and what a rule makes of it slot by slot.

A rule is judged by its own score function over whole slots (`skill.series.track`), as a record is
tuned and hindcast. Left out is what the stages around it do: slots judged before they are full,
readings set aside, gauges estimated, orders that are held. `simulate --score` plays all of that.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from config.records.district import District
from config.records.level import Action
from config.records.rules import RuleRow
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesRow
from detectors.engine.window_rule import Floats, Ints
from detectors.setup.declared import series_rules
from simulators.scenario import Scenario
from simulators.world import World
from skill.series.track import Track, alongside, crossed, standing, track, values_of
from skill.verify.foresight import Foreseen
from skill.verify.hindcast import Readings
from skill.verify.storms import RIVER, STREAM, WarnedVersion, one_water
from skill.verify.truth import Truth

DEBRIS = "debris_flow"
_HAZARDS = (STREAM, RIVER, DEBRIS)
_AFTER_MIN = 60  # the water of a storm is still on its way when the rain is over


class Season(NamedTuple):
    """One storm: where it flooded, what the gauges said, and what nobody can know better than by foresight."""

    truth: list[Truth]
    record: Readings
    foreseen: list[Foreseen]


class Seen(NamedTuple):
    """What a rule sees in an area: its value at the end of each slot."""

    area: str
    at: Ints
    value: Floats


def season(district: District, storm: Scenario) -> Season:
    """Faults and all, in order of time."""
    world = World(district, storm)
    said = [o for m in range(world.minutes + _AFTER_MIN) for o in world.observations(m)]
    said.sort(key=lambda o: o.observed_at)
    pairs = sorted({(o.station, o.quantity) for o in said})
    place = {pair: n for n, pair in enumerate(pairs)}
    which = np.array([place[o.station, o.quantity] for o in said], np.int64)
    at = np.array([o.observed_at for o in said], np.int64)
    record = Readings(pairs, which, at, np.array([o.value for o in said], np.int64))
    return Season(world.truth, record, _foreseen(district, world))


def _foreseen(district: District, world: World) -> list[Foreseen]:
    places = {(a.id, h) for a in district.areas.values() for h in a.hazards if h in _HAZARDS}
    flooded = {one_water((t.area, t.hazard), places) for t in world.truth}
    once = sorted({one_water(place, places) for place in places})
    return [
        Foreseen(hazard == DEBRIS, world.worst(area, hazard), (area, hazard) in flooded)
        for area, hazard in once
    ]


def rows_of(district: District, rows: Sequence[RuleRow]) -> Iterator[tuple[SeriesRule, SeriesRow]]:
    """Declared rules with each place that they look at."""
    rules = msgspec.structs.replace(district.rules, rule=tuple(rows))
    alone = msgspec.structs.replace(district, rules=rules)
    for rule in series_rules(alone, district.areas):
        for row in rule.rows:
            yield rule, row


def seen(district: District, rows: Sequence[RuleRow], record: Readings) -> list[Seen]:
    """Of each area of declared rules; of one that looks at one station, of each station that watches."""
    found, once = [], dict[tuple[str, SeriesRow], tuple[Ints, Floats]]()
    for rule, row in rows_of(district, rows):
        place = row._replace(area="")  # areas with the same stations see the same
        if (rule.name, place) not in once:
            t, beside = tracks(rule, row, record)
            values = values_of(rule.kind, rule.parameters, t, beside, row.weights)
            once[rule.name, place] = t.at, values
        found.append(Seen(row.area, *once[rule.name, place]))
    return found


def tracks(rule: SeriesRule, row: SeriesRow, record: Readings) -> tuple[Track, list[Track]]:
    """What the first station of a row said, and beside it the others on the same slots."""
    first, *others = zip(row.stations, row.quantities or [row.quantity] * 9, strict=False)
    t = track(record, *first, rule.slot_ms // 1000, rule.kind.gather)
    return t, [alongside(record, *pair, t) for pair in others]


def spans(one: Seen, limit: float, clear: float, hold_min: int) -> list[tuple[int, int]]:
    """From when to when (ms) an order at that threshold stands."""
    start, end = standing(one.at, crossed(one.value, limit, clear), hold_min)
    return list(zip(one.at[start].tolist(), one.at[end].tolist(), strict=True))


def orders(some: Sequence[tuple[int, int]], action: Action = Action.MOVE) -> list[WarnedVersion]:
    """When any of several rows orders, and when none does any longer. some: of `spans`."""
    found: list[WarnedVersion] = []
    until = -1
    for begin, end in sorted(some):
        if begin > until:
            found += [WarnedVersion(until, 0, 0)] if found else []
            found.append(WarnedVersion(begin, 0, action))
        until = max(until, end)
    return [*found, WarnedVersion(until, 0, 0)] if found else []
