"""The next hour: where the rain moves and when heavy rain may come to which village, and what forecasts say of
each, or that nothing is known. Pure; worked out anew when five more minutes of rain are there."""

import math

import numpy as np

from config.records.district import District
from config.records.quantity import AHEAD, QUANTITIES
from console.model.picture import AheadRow, LevelAhead, Picture, RainAhead, StormRow
from console.model.storm_motion import (
    AHEAD_MIN,
    HEAVY_MM_H,
    STEP_MIN,
    WINDOW,
    Floats,
    Motion,
    arrivals,
    motion,
)
from console.model.trail import BIN_MS, Trail
from console.model.view import View

_KM_LAT = 111.2
_MINUTE_MS = 60_000
_LATE = 3  # so many columns may not be there yet
_RATE = 3  # columns of what is called the rain now: a quarter of an hour
_CELL_KM = 15.0  # of the heaviest gauge, what counts as its cell


class NextHour:
    """Of one district; it remembers the last that it worked out."""

    def __init__(self) -> None:
        self._at, self._row = -1, StormRow(why="dry", at=0)

    def parts(self, district: District, view: View, trail: Trail, now: int) -> Picture:
        """storm: one row, "now"; ahead: area -> what is forecast of it, where anything is."""
        end = _end(district, trail, now)
        if end != self._at:
            self._at, self._row = end, _storm(district, trail, end)
        return {"storm": {"now": self._row}, "ahead": _ahead(district, view, now)}


def _gauges(district: District, trail: Trail) -> list[str]:
    return [s.id for s in district.stations.values() if s.quantity == "rain" and s.id in trail.bins]


def _end(district: District, trail: Trail, now: int) -> int:
    """The end of the newest five minutes that half the gauges have told of (ms), 0 for none."""
    gauges = _gauges(district, trail)
    newest = now // BIN_MS * BIN_MS
    for end in range(newest, newest - (_LATE + 1) * BIN_MS, -BIN_MS):
        if gauges and 2 * sum(end - BIN_MS in trail.bins[g] for g in gauges) >= len(gauges):
            return end
    return 0


def _storm(district: District, trail: Trail, end: int) -> StormRow:
    gauges = _gauges(district, trail) if end else []
    if not gauges:
        return StormRow(why="sparse", at=end)
    squeeze = _KM_LAT * math.cos(math.radians(district.stations[gauges[0]].lat))

    def km(lon: float, lat: float) -> tuple[float, float]:
        return lon * squeeze, lat * _KM_LAT

    places = np.array([km(district.stations[g].lon, district.stations[g].lat) for g in gauges])
    starts = range(end - WINDOW * BIN_MS, end, BIN_MS)
    amount = QUANTITIES["rain"].amount
    rain = np.array(
        [
            [amount(trail.bins[g][b]) if b in trail.bins[g] else math.nan for b in starts]
            for g in gauges
        ]
    )
    found = motion(places, rain)
    if isinstance(found, str):
        return StormRow(why=found, at=end)
    rates = (
        rain[:, -_RATE:].mean(axis=1) * 60 / STEP_MIN
    )  # of a gauge that missed a part: not known
    middle = _middle(places, rates)
    targets = np.array([km(a.lon, a.lat) for a in district.areas.values()])
    came = arrivals(places, rates, found, targets)
    reaches = sorted(
        (end + a.minutes * _MINUTE_MS, area, end + a.earliest_min * _MINUTE_MS,
         end + a.latest_min * _MINUTE_MS, round(a.mm_h))
        for area, a in zip(district.areas, came, strict=True)
        if a is not None
    )  # fmt: skip
    return StormRow(
        why="",
        at=end,
        kmh=round(found.kmh),
        error_kmh=max(1, round(found.error_kmh)),
        bearing=round(found.bearing),
        bearing_error=round(found.bearing_error),
        sure=found.sure,
        path=[_degrees(middle, squeeze), _degrees(_onward(middle, found), squeeze)],
        heavy=bool((np.nan_to_num(rates) >= HEAVY_MM_H).any()),
        reaches=[(area, first, at, last, mm) for at, area, first, last, mm in reaches],
    )


def _middle(places: Floats, rates: Floats) -> Floats:
    """The middle of the heaviest rain."""
    rates = np.nan_to_num(rates)
    near = np.hypot(*(places - places[int(rates.argmax())]).T) <= _CELL_KM
    weight = np.where(near & (rates >= rates.max() / 2), rates, 0.0)
    middle: Floats = weight @ places / max(float(weight.sum()), 1e-9)
    return middle


def _onward(middle: Floats, found: Motion) -> Floats:
    hours = AHEAD_MIN / 60
    return middle + np.array([found.east_kmh, found.north_kmh]) * hours


def _degrees(km: Floats, squeeze: float) -> list[float]:
    return [round(float(km[0]) / squeeze, 4), round(float(km[1]) / _KM_LAT, 4)]


def _ahead(district: District, view: View, now: int) -> dict[str, AheadRow]:
    """What forecasts that have not run out say: rain of a nowcast, and the chance of a level."""
    found: dict[str, AheadRow] = {}
    for area in district.areas:
        rain = _rain(district, view, area, now)
        levels = [
            level
            for (place, *_), d in view.forecasts.items()
            if place == area
            for e in d.evidence
            if (
                level := _level(
                    e.station, e.quantity, e.chance, e.reach, e.window_min, d.detected_at
                )
            )
            and d.detected_at + level["minutes"] * _MINUTE_MS > now
        ]
        if rain or levels:
            found[area] = {"rain": rain, "levels": levels}
    return found


def _rain(district: District, view: View, area: str, now: int) -> list[RainAhead]:
    minutes_of = {q: m for m, q in AHEAD.items()}
    rows: list[RainAhead] = []
    for station in district.stations_of_area.get(area, ()):
        said = view.ahead.get(station)
        if said is None:
            continue
        at, value, quantity = said
        if at + minutes_of[quantity] * _MINUTE_MS > now:
            mm = QUANTITIES[quantity].amount(value)
            rows.append({"minutes": minutes_of[quantity], "mm": mm, "issued": at})
    return sorted(rows, key=lambda r: r["minutes"])


def _level(
    station: str,
    quantity: str,
    chance: float | None,
    reach: float | None,
    minutes: int | None,
    at: int,
) -> LevelAhead | None:
    if chance is None or minutes is None:
        return None
    return {
        "station": station,
        "unit": QUANTITIES[quantity].unit if quantity in QUANTITIES else "",
        "reach": reach,
        "chance": round(chance * 100),
        "minutes": minutes,
        "at": at,
    }
