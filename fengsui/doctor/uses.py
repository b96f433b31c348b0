"""Which rules look at a station, and in which areas. Pure."""

from collections.abc import Collection, Iterator

from config.records.district import District
from config.records.rules import RuleRow

RAIN = ("rain", "rain_counter")


def watching(district: District, name: str) -> list[str]:
    """Areas that watch it, in order."""
    return [w.area for w in district.watches if w.station == name]


def rules_of(district: District, name: str) -> dict[str, list[str]]:
    """Rule -> the areas in which it looks at this station; {}: none does."""
    station, areas = district.stations[name], watching(district, name)
    run, quantity = district.rules.run, station.quantity
    found: dict[str, list[str]] = {}
    if quantity in RAIN and "rain_threshold" in run:
        rows = {t.area for t in district.rain}
        found["rain_threshold"] = [a for a in areas if a in rows]
    if "stage_trend" in run:
        found["stage_trend"] = list(
            dict.fromkeys(t.area for t in district.stage if t.station == name)
        )
    if quantity == "frame" and "camera_motion" in run:
        found["camera_motion"] = areas
    for row in district.rules.rule:
        if mine := list(_of_row(district, row, name, quantity, areas)):
            found[row.id] = mine
    return {rule: mine for rule, mine in found.items() if mine}


def _of_row(
    district: District, row: RuleRow, name: str, quantity: str, areas: Collection[str]
) -> Iterator[str]:
    wide = [a.id for a in district.areas.values() if row.hazard in a.hazards]
    of_row = wide if "*" in row.areas else list(row.areas)
    if any(name in of for of in row.beside.values()) or name in row.stations:
        yield from of_row
    elif not row.stations and _takes(row.quantity, quantity):
        yield from (a for a in of_row if a in areas)


def _takes(wanted: str, quantity: str) -> bool:
    return wanted == quantity or (wanted == "rain" and quantity in RAIN)
