"""Stations that report and do not show what they measure: those whose values say so (`lose`), and rain
gauges that stay dry among wet ones (`dry`). Their areas are thin while it lasts."""

from collections.abc import Sequence

import numpy as np

from config.district import District
from detectors.columns import Columns
from detectors.neighbours import clogged
from detectors.part import COUNTER, RAIN, Part
from detectors.saying import Saying
from detectors.state import DetectState

_MINUTE = 60_000


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


def dry(district: District, part: Part, state: DetectState, clock_at: int, saying: Saying) -> None:
    """Once a minute: which gauges are clogged, and which no longer."""
    silence = state.silence
    if clock_at // _MINUTE == silence.compared_at // _MINUTE:
        return
    silence.compared_at = clock_at
    reports = (part.kind == RAIN) | (part.kind == COUNTER)
    reports &= state.heard.head >= 0
    reports &= np.array([s not in silence.silent for s in part.station], np.bool_)
    were = frozenset(n for n, s in enumerate(part.station) if s in silence.clogged)
    now = clogged(district.rules.quality, part.near, state.heard, reports, were)
    stations = {part.station[n] for n in now}
    for station in sorted(stations ^ silence.clogged):
        lost = station in stations
        (silence.clogged.add if lost else silence.clogged.discard)(station)
        what = f"{station} {district.stations[station].quantity}"
        for area in part.areas_of({station}):
            saying.quality(0, area, what, clock_at, "clogged" if lost else "")
        _tell(part, saying, 0, station, clock_at)


def _tell(part: Part, saying: Saying, nth: int, station: str, at: int) -> None:
    if part.silence:
        for area in part.areas_of({station}):
            saying.coverage(nth, area, at)
