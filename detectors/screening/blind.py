"""Stations that report and do not show what they measure: those whose values say so (`lose`), rain
gauges that stay dry among wet ones or catch a part only (`dry`), with what the dry ones missed, and
stations whose clock is slow (`slow`). Their areas are thin while it lasts."""

from collections.abc import Sequence

import numpy as np

from config.records.district import District
from detectors.engine.minute_ring import Bools
from detectors.memory.state import DetectState
from detectors.quality.catch_over_days import over_days, rains
from detectors.quality.clock_offset import ClockState, hear, late, newest
from detectors.quality.infill import REACH, forget, infill
from detectors.quality.spatial_consistency import clogged
from detectors.quality.station_memory import Batch
from detectors.quality.undercatch import undercatch
from detectors.screening.columns import Columns
from detectors.screening.sift import Sifted
from detectors.setup.partition import COUNTER, RAIN, Part
from detectors.statements import Saying

_MINUTE = 60_000
_DAY_MS = 86_400_000


def lose(
    part: Part,
    state: DetectState,
    c: Columns,
    blind: Sequence[tuple[int, int, bool]],
    saying: Saying,
) -> None:
    """blind: (index in the batch, row, whether it has lost what it measures)."""
    held = state.silence.blind
    for n, row, lost in blind:
        station = part.station[row]
        if lost != (station in held):
            (held.add if lost else held.discard)(station)
            _tell(part, saying, int(c.nth[n]), station, int(c.batch.at[n]))


def dry(
    district: District, part: Part, state: DetectState, clock_at: int, saying: Saying
) -> tuple[Columns, Sifted] | None:
    """Once a minute: which gauges are clogged, and which no longer. What they missed, for the rules."""
    silence = state.silence
    if clock_at // _MINUTE == silence.compared_at // _MINUTE:
        return None
    silence.compared_at = clock_at
    if _nothing_to_compare(district, part, state, clock_at):
        state.silence.caught_days.day = max(state.silence.caught_days.day, clock_at // _DAY_MS)
        forget(state.heard, clock_at // _MINUTE)
        return None
    reports = (part.kind == RAIN) | (part.kind == COUNTER)
    reports &= state.heard.head >= 0
    reports &= ~part.of(silence.silent)
    was, at = set(silence.clogged), clock_at
    were = frozenset(np.nonzero(part.of(silence.clogged))[0].tolist())
    now = clogged(district.rules.quality, part.near, state.heard, reports, were)
    _named(district, part, silence.clogged, {part.station[n] for n in now}, "clogged", at, saying)
    # what fell while it was in service, or before it was cleaned, says nothing of it now
    served = _served(state, clock_at - _DAY_MS)
    able = ~part.of(served)
    able[list(now)] = False
    less = frozenset(np.nonzero(part.of(silence.undercatch))[0].tolist())
    minute = clock_at // _MINUTE
    caught = undercatch(district.rules.quality, part.near, state.heard, able, reports, less, minute)
    some = {part.station[n] for n in caught.less}
    rule, days = district.rules.quality, silence.caught_days
    lately = over_days(rule, part.near, state.heard, able, reports, minute, days, part.station)
    _named(district, part, silence.undercatch, some | lately, "undercatch", at, saying)
    thin = {part.station[n] for n in caught.wet}
    if lately:
        wet = rains(rule, part.near, state.heard, able & reports, minute)
        thin |= {part.station[n] for n in wet.nonzero()[0].tolist()} & lately
    changed = (silence.undercatch_wet ^ thin) | (was ^ silence.clogged)
    silence.undercatch_wet = thin
    for station in sorted(changed):
        _tell(part, saying, 0, station, clock_at)
    return _missed(district, part, state, reports, clock_at)


def _nothing_to_compare(district: District, part: Part, state: DetectState, clock_at: int) -> bool:
    """Is no gauge under one of these tests, and none beside the two neighbours that each of them asks, or
    has none had what they ask of a neighbour? Then they would find nothing, as on most minutes of a year."""
    rule, silence, heard = district.rules.quality, state.silence, state.heard
    days = silence.caught_days
    if silence.clogged or silence.undercatch or silence.undercatch_wet or heard.owed:
        return False
    if days.less or (days.of and state.service.spans):
        return False
    if part.near.pairs_only:
        return True
    near_mm = min(rule.clog_near_mm, rule.fill_near_mm)
    fell = heard.has_had(near_mm * 10, rule.undercatch_near_mm * 5)
    return not fell and days.day == clock_at // _DAY_MS


def _served(state: DetectState, since_at: int) -> set[str]:
    """Who has been in service since then."""
    spans = state.service.spans
    return {s for s, some in spans.items() if any(x.until_at > since_at for x in some)}


def _named(
    district: District,
    part: Part,
    held: set[str],
    now: set[str],
    test: str,
    at: int,
    saying: Saying,
) -> None:
    """A flag of gauges against their neighbours, where it changed."""
    for station in sorted(held ^ now):
        (held.add if station in now else held.discard)(station)
        what = f"{station} {district.stations[station].quantity}"
        for area in part.areas_of({station}):
            saying.quality(0, area, what, at, test if station in now else "", f"{test} over")


def slow(district: District, part: Part, state: DetectState, c: Columns, saying: Saying) -> None:
    """What a batch says of the stations' clocks."""
    clocks, rows = state.silence.clocks, c.batch.row
    look = None
    if clocks:
        look = np.array([part.station[row] in clocks for row in rows.tolist()], np.bool_)
    heard = newest(rows, c.batch.at, c.received, look)
    if not heard:
        return
    times, arrivals = c.batch.at.tolist(), c.received.tolist()
    for n, row in heard:
        station = part.station[row]
        if station not in district.stations or part.rows_of[station][0] != row:
            continue  # of a station in several groups one row speaks
        interval_s, at, came = district.stations[station].interval_s, times[n], arrivals[n]
        clock = clocks.get(station) or clocks.setdefault(station, ClockState())
        if hear(clock, came, at, interval_s):
            what = f"{station} {part.quantity[row]}"
            test = f"clock_slow {round(clock.slow_ms / 60_000)} min" if clock.slow_ms else ""
            for area in part.areas_of({station}):
                saying.quality(int(c.nth[n]), area, what, came, test, "clock_slow over")
            adrift = state.silence.adrift
            lost = clock.slow_ms > district.rules.lateness_s * 1000
            if lost != (station in adrift):
                (adrift.add if lost else adrift.discard)(station)
                _tell(part, saying, int(c.nth[n]), station, came)
        if clock.right and not late(came - at, interval_s):
            del clocks[station]


def _missed(
    district: District, part: Part, state: DetectState, reports: Bools, clock_at: int
) -> tuple[Columns, Sifted] | None:
    """What is laid into the sums of gauges that stay dry or are not heard, as if it had been observed."""
    heard, away = state.heard, state.service.now
    judged = ~part.of(away)
    asked = (part.kind == RAIN) | (part.kind == COUNTER)
    asked &= judged & (heard.head > clock_at - _DAY_MS)
    begun = np.full(asked.size, -1, np.int64)
    for station, spans in state.service.spans.items():
        begun[part.rows_of.get(station, [])] = max(
            (s.until_at // _MINUTE for s in spans), default=-1
        )
    rule, rows, now = district.rules.quality, np.nonzero(asked)[0].tolist(), clock_at // _MINUTE
    laid = infill(rule, part.near, heard, reports & judged, rows, begun, part.plan_ms, now)
    if laid is None:
        return None
    nth, at = np.arange(laid.row.size), laid.minute * _MINUTE
    batch = Batch(laid.row, at, laid.amount, np.full(nth.size, -1), np.zeros(nth.size, np.int64))
    add, reach = np.ones(nth.size, np.bool_), np.full(nth.size, REACH)
    new = Sifted(nth, laid.row, at, laid.minute, laid.amount, add, reach, [], [], [])
    return Columns(np.zeros(nth.size, np.int64), batch, {}, {}), new


def _tell(part: Part, saying: Saying, nth: int, station: str, at: int) -> None:
    if part.silence:
        for area in part.areas_of({station}):
            saying.coverage(nth, area, at)
