"""The page Situation (一张图): what is where, what it last said and how old that is. Pure."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import cast

from shapely import MultiPoint

from config.records.district import District
from config.records.level import HAZARD_EN, HAZARD_ZH
from config.records.quantity import OF_NODES, QUANTITIES
from console.model.answers import Ground, Hull
from console.model.picture import AreaRow, FlagRow, NodeRow, Picture, StationRow
from console.model.trail import Trail
from console.model.view import View
from dispatch.words.local_time import day


def ground(district: District) -> Ground:
    """What does not change while the server runs: places, names and shapes, (lon, lat) WGS 84."""
    d = district
    relief, tiles = d.backdrop.terrain, d.backdrop.tiles
    return {
        "name": d.name,
        "name_en": d.name_en,
        "hazards": {h: [zh, HAZARD_EN[h]] for h, zh in HAZARD_ZH.items()},
        "outline": d.backdrop.outline,
        "check_back_min": district.policy.proving.check_back_min,
        "terrain": [[relief.south, relief.west], [relief.north, relief.east]] if relief else None,
        "map": {
            "kind": tiles.kind,
            "lowest": tiles.lowest,
            "highest": tiles.highest,
            "bounds": tiles.bounds,
            "layers": tiles.layers,
            "attribution": tiles.attribution,
        }
        if tiles is not None and tiles.fault is None
        else None,
        "rivers": [
            {"name": b.river, "en": b.river_en, "course": b.course}
            for b in d.basins.values()
            if b.course
        ],
        "areas": {
            a.id: {
                "name": a.name,
                "en": a.name_en,
                "town": a.township,
                "town_en": a.township_en,
                "basin": a.basin,
                "at": [a.lon, a.lat],
                "ring": [list(p) for p in a.polygon],
                "people": a.population,
                "shelter": a.shelter,
                "stations": list(d.stations_of_area.get(a.id, ())),
            }
            for a in d.areas.values()
        },
        "stations": {
            s.id: {
                "name": s.name,
                "en": s.name_en,
                "what": s.quantity,
                "unit": QUANTITIES[s.quantity].unit,
                "at": [s.lon, s.lat],
                "calibrated": s.calibrated,
                "counts": s.calibrate_days,
            }
            for s in d.stations.values()
        },
        "nodes": {
            n.id: {"name": n.name, "en": n.name_en, "at": [n.lon, n.lat], "area": n.area}
            for n in d.nodes.values()
        },
        "basins": _hulls(
            (b.id, b.name, b.name_en, [a.polygon for a in d.areas.values() if a.basin == b.id])
            for b in d.basins.values()
        ),
        "towns": _hulls(
            (t, t, en, [a.polygon for a in d.areas.values() if a.township == t])
            for t, en in {a.township: a.township_en for a in d.areas.values()}.items()
        ),
    }


def _hulls(
    groups: Iterable[tuple[str, str, str, list[tuple[tuple[float, float], ...]]]],
) -> dict[str, Hull]:
    """The hull around the areas of each: schematic, no surveyed boundary."""
    found: dict[str, Hull] = {}
    for key, name, name_en, polygons in groups:
        points = [p for polygon in polygons for p in polygon]
        if len(points) >= 3:
            hull = MultiPoint(points).convex_hull.buffer(0.004)
            ring = [[round(x, 4), round(y, 4)] for x, y in hull.exterior.coords]
            found[key] = {"name": name, "en": name_en, "ring": ring}
    return found


def parts(district: District, view: View, trail: Trail, now: int) -> Picture:
    """What the page shows now, thing by thing. now: the run's clock."""
    today = day(now, district.timezone)
    away = view.in_service(now)
    stations = {s: _station(district, view, trail, s, now, today) for s in district.stations}
    nodes = {n: _node(district, view, n, now) for n in district.nodes}
    for thing, said in away.items():
        row = stations.get(thing) or nodes.get(thing)
        if row is not None:
            row["service"] = {"until": said.until_at, "by": said.by, "reason": said.reason}
            row["late"] = False
    return {"stations": stations, "nodes": nodes, "areas": _areas(district, view, now, away)}


def _late(district: District, view: View, thing: str, now: int) -> bool:
    known = district.stations.get(thing) or district.nodes[thing]
    return now - view.last_seen.get(thing, 0) > known.silent_after_s * 1000


def _station(
    district: District, view: View, trail: Trail, station: str, now: int, today: date
) -> StationRow:
    value = trail.value(station, now) if station in trail.bins else None
    overdue = district.stations[station].overdue(today)
    flags: list[FlagRow] = [
        {
            "test": f.test,
            "since": f.since_at,
            "zh": f"{f.zh}；{f.todo_zh}",
            "en": f"{f.en}; {f.todo_en}",
        }
        for f in view.flags.of(station)
    ]
    found: StationRow = {
        "value": value,
        "seen": view.last_seen.get(station),
        "late": _late(district, view, station, now),
    }
    if overdue:
        found["overdue"] = overdue
    if flags:
        found["flags"] = flags
    return found


def _node(district: District, view: View, node: str, now: int) -> NodeRow:
    said = view.nodes.get(node, {})
    state = {q: QUANTITIES[q].amount(said[q][1]) for q in OF_NODES if q in said}
    found = {"seen": view.last_seen.get(node), "late": _late(district, view, node, now), **state}
    return cast("NodeRow", found)  # it has a field for each of OF_NODES


def _areas(district: District, view: View, now: int, away: Collection[str]) -> dict[str, AreaRow]:
    """Level and action in force, whether something waits, and how many of the stations that judge
    the area speak: none is `dark`, which is never shown as quiet."""
    levels, waiting = view.area_levels(), {a.area for a in view.open_alerts() if a.questions}
    found: dict[str, AreaRow] = {}
    for area in district.areas:
        level, action = levels.get(area, (0, 0))
        judges = district.stations_of_area.get(area, ())
        live = sum(s not in away and not _late(district, view, s, now) for s in judges)
        said = view.coverage.get(area)
        found[area] = {
            "level": int(level),
            "action": int(action),
            "waits": area in waiting,
            "live": live,
            "of": len(judges),
            "dark": live == 0,
            "thin": said is not None and said.thin,
        }
    return found
