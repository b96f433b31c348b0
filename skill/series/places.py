"""Who watches whom in a record: areas with their events, the stations that could watch them, and what
counts as a hit on such a record."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from config.language import Said, Text
from config.records.quantity import QUANTITIES
from config.records.rules import RuleRow
from skill.series.clock import iso
from skill.series.csv_text import SeriesFault
from skill.series.families import LEVELS
from skill.series.fit import Place, Terms, places_events, seen
from skill.series.play import scale, watched
from skill.series.track import Track, alongside, spans, step_s, track
from skill.verify.hindcast import Readings
from skill.verify.match import Event

TUNED = (*LEVELS, "rain")
_HOUR_MS = 3_600_000
_LEAST_SLOT_S = 900  # of a runoff model
_NAMED = 8
_MOST_PAIRS = 256  # of an area and a station


def terms_of(readings: Readings, min_lead_s: int) -> Terms:
    """The window: six hours, or a day of hourly records; four leads at least. Half of it merges."""
    step = max((step_s(readings, s, q) for s, q in readings.pairs if q in TUNED), default=3600)
    window = max(6 * _HOUR_MS, 24 * step * 1000, 4 * min_lead_s * 1000)
    return Terms(min_lead_s * 1000, window, window // 2)


def choices(
    readings: Readings,
    events: Sequence[Event],
    terms: Terms,
    quantity: str,
    notes: list[Said],
    by: Mapping[str, Sequence[str]] | None,
) -> list[list[Place]]:
    """Sets of places to tune on: one a station that could watch the areas without their own."""
    areas = sorted({e.area for e in events})
    of = watched(readings, areas, quantity, by)
    if unsure(of, by):
        told = Text(
            f"{quantity}：{len(of)} 个区，不知由哪些站监视，未用于率定；请给出区县的配置",
            f"{quantity}: nobody says which stations watch which of {len(of)} areas, so none is tuned on; "
            "give the district's config",
        )
        notes.append(told)
        return []
    most = max((len(s) for s in of.values()), default=0)
    named = {s for stations in of.values() for s in stations}
    for station, q in readings.pairs:
        if q == quantity and station not in named:
            notes.append(
                Text(
                    f"{station} {q}：没有事件以它为区，未用于率定",
                    f"{station} {q}: no event names it: not tuned on",
                )
            )
    out = []
    for n in range(most):
        places = [
            _place(
                readings, events, a, s[min(n, len(s) - 1)], quantity, terms, notes if not n else []
            )
            for a, s in of.items()
            if s
        ]
        out.append(places)
    return out


def unsure(of: Mapping[str, Sequence[str]], by: Mapping[str, Sequence[str]] | None) -> bool:
    """Would each of many areas be looked at from each of many stations, for want of a word who watches whom?"""
    return by is None and sum(len(s) for s in of.values() if len(s) > 1) > _MOST_PAIRS


def _place(
    readings: Readings,
    events: Sequence[Event],
    area: str,
    station: str,
    quantity: str,
    terms: Terms,
    notes: list[Said],
) -> Place:
    slot_s = step_s(readings, station, quantity) if quantity in LEVELS else 3600
    t = track(readings, station, quantity, slot_s, "max" if quantity in LEVELS else "sum")
    if not t.at.size:
        raise SeriesFault(
            Text(
                f"{station} {quantity}：没有物理范围内的值",
                f"{station} {quantity}: has no value within its range",
            )
        )
    starts, ends = places_events(events, area)
    level = (0.0, 1.0)
    if quantity in LEVELS:
        level, found = scale(t, [e for e in events if e.area == area])
        if not found:
            told = f"{level[1]} {QUANTITIES[quantity].unit}"
            notes.append(
                Text(
                    f"{area}：事件起于常见水位，未能推得成灾水位，以 {told} 为尺度",
                    f"{area}: events begin at ordinary stages: no flood level can be read, {told} "
                    "is the scale",
                )
            )
    counted = seen(starts, spans(t), terms)
    for start in starts[counted == 0]:
        notes.append(unseen(area, iso(int(start))) + f" ({station} {quantity})")
    return Place(area, t, level, starts, ends, counted)


def unseen(area: str, start: str) -> Text:
    """An event that nobody could have seen coming."""
    return Text(f"{area} {start}：事件前无资料，不计", f"{area} {start}: unseen, not counted")


def with_upstream(
    readings: Readings, sets: Iterable[Sequence[Place]], terms: Terms
) -> list[list[Place]]:
    """Of each set of one place with a level, one for every other gauge of that quantity: the gauge as the
    track, the place's own beside it. Which of them lie upstream the record says."""
    out = []
    for places in sets:
        own = places[0].track
        if len(places) > 1 or own.quantity not in LEVELS:
            continue
        for station, quantity in readings.pairs:
            if quantity != own.quantity or station == own.station:
                continue
            slot_s = max(own.slot_s, step_s(readings, station, quantity))
            there = track(readings, station, quantity, slot_s, "max")
            if not there.at.size:
                continue
            here = alongside(readings, own.station, quantity, there)
            if not np.isfinite(here.values).any():  # never heard at the same time
                continue
            known = seen(places[0].starts, spans(there), terms)
            out.append([places[0]._replace(track=there, beside=(here,), seen=known)])
    return out


def with_runoff(
    readings: Readings, joint: Iterable[Sequence[Place]], least_s: int = _LEAST_SLOT_S
) -> list[tuple[Place, Track]]:
    """Of each set of one place with rain beside its discharge: the rain gauges as tracks, the first of them
    the clock, and the discharge on their slots; least_s: the shortest of these."""
    out = []
    for places in joint:
        own, rain = places[0].track, places[0].beside
        if len(places) > 1 or own.quantity != "discharge" or not rain:
            continue
        slot_s = max(own.slot_s, least_s)
        first = track(readings, rain[0].station, "rain", slot_s, "sum")
        if first.at.size:
            others = tuple(alongside(readings, t.station, "rain", first) for t in rain[1:])
            flow = alongside(readings, own.station, "discharge", first)
            out.append((places[0]._replace(track=first, beside=others), flow))
    return out


def with_rain(
    readings: Readings, sets: Iterable[Sequence[Place]], by: Mapping[str, Sequence[str]] | None
) -> list[list[Place]]:
    """Sets of places with a level, each with every rain gauge that could watch its area beside it, on
    slots that hold a reading of each. Rain by the day says nothing of a flood that comes in hours."""
    out = []
    for places in sets:
        if places[0].track.quantity not in LEVELS:
            continue
        of = watched(readings, [p.area for p in places], "rain", by)
        if unsure(of, by):
            continue
        level_s = max(p.track.slot_s for p in places)
        steps = {n: step_s(readings, n, "rain") for p in places for n in of[p.area]}
        fit = {n: s for n, s in steps.items() if s <= max(level_s, 3600)}
        slot_s = max([level_s, *fit.values()])
        joint = []
        for p in places:
            t = track(readings, p.track.station, p.track.quantity, slot_s, "max")
            rain = [alongside(readings, n, "rain", t) for n in of[p.area] if n in fit]
            joint.append(p._replace(track=t, beside=tuple(rain)))
        out.append(joint)
    return out


def unknown_areas(
    rules: Sequence[RuleRow], events: Sequence[Event], by: Mapping[str, Sequence[str]] | None
) -> list[Said]:
    """What of the areas is in no district that we were given: the rules name them as the record does."""
    if by is None:
        names = sorted({a for r in rules for a in r.areas})
        shown = " ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
        return [
            Text(
                f"没有给区县的配置：规则里的区（{shown}）和站是资料里的名字。用之前换成本区县 areas.csv、"
                "stations.csv 里的，fengsui check 会查",
                f"no district's config was given: areas ({shown}) and stations of the rules are called as in "
                "the record. Before use put those of areas.csv and stations.csv there; fengsui check looks",
            )
        ]
    lost = Counter(e.area for e in events if e.area not in by)
    return [
        Text(
            f"{area}：配置里没有这个区，或没有站监视它；它的 {n} 次事件没有规则",
            f"{area}: the config has no such area, or no station that watches it; its {n} events have no rule",
        )
        for area, n in sorted(lost.items())
    ]
