"""The `[[rule]]` rows of a district as rules that judge: kinds, parameters, rows. What a row asks for
and cannot have is a problem with its place, found before anything starts."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import msgspec

from config.checks.tables import ACTIONS, LEVELS
from config.geometry import distance_km
from config.language import Text
from config.read.problem import Problem
from config.records.devices.cameras import NEEDS, lacks
from config.records.district import District, Station
from config.records.level import Level
from config.records.rules import RuleRow
from detectors.camera.picture import missing
from detectors.engine.compound import Compound, CompoundParameters, CompoundRow
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesRow
from detectors.engine.window_rule import Kind
from detectors.setup.cascades import CASCADE, cascade_problems
from detectors.setup.registry import KINDS
from detectors.setup.rows import actions, areas_of, levels, parameters_of, rule_problem

_NEAREST_KM = 0.5  # a gauge nearer than this weighs no more
COMPOUND = "compound"
OWN = (COMPOUND, CASCADE)  # kinds that judge no window


def series_rules(district: District, areas: Iterable[str]) -> list[SeriesRule]:
    """The window rules of some areas. The district has been checked."""
    wanted = list(areas)
    return [
        _rule(district, row, KINDS[row.kind], wanted)
        for row in district.rules.rule
        if row.kind not in OWN
    ]


def compounds(district: District, areas: Iterable[str]) -> list[Compound]:
    """The rules over other rules, in the order of the file."""
    wanted = list(areas)
    found = []
    for row in district.rules.rule:
        if row.kind == COMPOUND:
            parameters = msgspec.convert(row.parameters, CompoundParameters)
            places = [CompoundRow(a, row.hazard) for a in areas_of(district, row) if a in wanted]
            found.append(Compound(row.id, parameters, places, levels(row), actions(row)))
    return found


def _rule(district: District, row: RuleRow, kind: Kind, areas: list[str]) -> SeriesRule:
    parameters = msgspec.convert(row.parameters, kind.parameters)
    slot_s, quantity = kind.slot_s(parameters), kind.seen or row.quantity
    rows = []
    for area in areas_of(district, row):
        names = [s.id for s in _stations(district, row, area, slot_s)]
        if area not in areas or not names:
            continue
        if row.beside:
            rows.append(_mixed(row, area, names, quantity))
        elif kind.joint:
            weights = _weights(district, row, area, names)
            rows.append(SeriesRow(area, row.hazard, tuple(names), weights, quantity))
        else:
            rows += [SeriesRow(area, row.hazard, (n,), (1.0,), quantity) for n in names]
    return SeriesRule(
        row.id,
        kind,
        parameters,
        rows,
        levels(row),
        actions(row),
        hold_min=row.hold_min,
        clear=row.clear,
        late_min=district.rules.lateness_s // 60,
        speaks=row.speaks,
    )


def _mixed(row: RuleRow, area: str, names: list[str], quantity: str) -> SeriesRow:
    """A row of several quantities: each station counts the same."""
    pairs = [(n, quantity) for n in names] + [(n, q) for q, of in row.beside.items() for n in of]
    stations, quantities = zip(*pairs, strict=True)
    return SeriesRow(area, row.hazard, stations, (1.0,) * len(pairs), quantity, quantities)


def _measures(station: Station, quantity: str) -> bool:
    return station.quantity == quantity or (quantity, station.quantity) == ("rain", "rain_counter")


def _interval_s(station: Station) -> int:
    """What one reading sums over."""
    if station.quantity == "rain":
        return station.sum_interval_s
    return station.interval_s if station.quantity == "rain_counter" else 0


def _stations(district: District, row: RuleRow, area: str, slot_s: int) -> list[Station]:
    """Named ones in the order of the row; otherwise those whose reading fits into a slot: a day's
    rain at once would look like a cloudburst."""
    stations = [district.stations[s] for s in row.stations or district.stations_of_area[area]]
    if seen := _seen(row):
        return [s for s in stations if s.quantity == "frame" and not _lacks(district, s, seen)]
    fit = [s for s in stations if _measures(s, row.quantity)]
    return fit if row.stations else [s for s in fit if _interval_s(s) <= slot_s]


def _seen(row: RuleRow) -> str:
    """The quantity that the row takes of cameras' frames, if it does."""
    return KINDS[row.kind].seen or (row.quantity if row.quantity in NEEDS else "")


def _lacks(district: District, station: Station, seen: str) -> tuple[str, ...]:
    """What cameras.csv does not say of a camera and this quantity needs."""
    found = lacks(district.cameras.get(station.id), station.id, seen)
    return found.what if found else ()


def _weights(district: District, row: RuleRow, area: str, names: list[str]) -> tuple[float, ...]:
    """As stated, or by inverse squared distance from the area's point (Shepard 1968)."""
    if row.weights:
        given = dict(zip(row.stations, row.weights, strict=True))
        return tuple(given[n] for n in names)
    here: Any = district.areas[area]
    away = [max(distance_km(here, district.stations[n]), _NEAREST_KM) for n in names]
    total = sum(d**-2 for d in away)
    return tuple(d**-2 / total for d in away)


# --- what cannot be


def problems(district: District) -> list[Problem]:
    """Everything that is wrong with the rows' kinds and parameters."""
    found: list[Problem] = []
    if (wrong := missing()) and _looks(district):
        message = Text("摄像机规则需要 OpenCV", "camera rules need OpenCV")
        found.append(Problem("rules.toml", 0, "camera", message, wrong))
    ids = {*district.rules.run, *(r.id for r in district.rules.rule)}
    for n, row in enumerate(district.rules.rule):
        where = f"rule[{n}] {row.id}"
        if row.kind == COMPOUND:
            found += _compound_problems(district, row, where, ids)
        elif row.kind == CASCADE:
            found += cascade_problems(district, row, where)
        elif row.kind not in KINDS:
            kinds = ", ".join(sorted([*KINDS, *OWN]))
            said = Text(f"没有 {row.kind!r} 这种规则", f"{row.kind!r} is no kind of rule")
            found.append(rule_problem(where, "kind", said, kinds))
        else:
            found += _row_problems(district, row, where, KINDS[row.kind])
    return found


def _looks(district: District) -> bool:
    """Does any rule look at pictures?"""
    cameras = any(s.quantity == "frame" for s in district.stations.values())
    rows = any(r.kind in KINDS and _seen(r) for r in district.rules.rule)
    return rows or (cameras and "camera_motion" in district.rules.run)


def _compound_problems(
    district: District, row: RuleRow, where: str, ids: set[str]
) -> list[Problem]:
    parameters = parameters_of(row, CompoundParameters)
    if isinstance(parameters, Text):
        return [rule_problem(where, "parameters", parameters, "docs/rules.md")]
    found = []
    for m in parameters.of:
        if m.rule not in ids or m.rule == row.id:
            wrong = Text(f"没有规则 {m.rule!r}", f"{m.rule!r} is no rule that runs")
            found.append(rule_problem(where, "parameters.of", wrong, row.id))
            continue
        if any(r.id == m.rule and r.kind == CASCADE for r in district.rules.rule):
            wrong = Text(f"{m.rule} 只提请，不参加表决", f"{m.rule} only proposes, and has no vote")
            found.append(rule_problem(where, "parameters.of", wrong))
            continue
        of, hazard = _speaks_of(district, m.rule), m.hazard or row.hazard
        deaf = [a for a in areas_of(district, row) if (a, hazard) not in of]
        if deaf:
            wrong = Text(
                f"{m.rule} 从不说 {deaf[0]} 的 {hazard}",
                f"{m.rule} never speaks of {deaf[0]} {hazard}",
            )
            hint = Text("areas，或成员的 hazard：", "areas, or a member's hazard: ") + (
                ", ".join(sorted({h for _, h in of})) or "–"
            )
            found.append(rule_problem(where, "parameters.of", wrong, hint))
    return found


def _speaks_of(district: District, rule: str) -> set[tuple[str, str]]:
    """Of which areas and hazards a rule can speak at all."""
    if rule == "rain_threshold":
        return {(t.area, t.hazard) for t in district.rain}
    if rule == "stage_trend":
        return {(t.area, t.hazard) for t in district.stage}
    if rule == "camera_motion":
        sees = {s.id for s in district.stations.values() if s.quantity == "frame"}
        hazard = district.rules.camera.hazard
        return {(a, hazard) for a, of in district.stations_of_area.items() if sees & {*of}}
    row = next((r for r in district.rules.rule if r.id == rule), None)
    return {(a, row.hazard) for a in areas_of(district, row)} if row else set()


def _row_problems(district: District, row: RuleRow, where: str, kind: Kind) -> list[Problem]:
    parameters = parameters_of(row, kind.parameters)
    if isinstance(parameters, Text):
        return [rule_problem(where, "parameters", parameters, "docs/rules.md")]
    found = []
    if forbids := kind.unready(parameters):
        found.append(rule_problem(where, "parameters", forbids, "docs/skill-tables.md"))
    if unfit := kind.unfit(parameters, row.stations, district.areas):
        found.append(rule_problem(where, "stations", unfit, "docs/rules.md"))
    if row.quantity not in kind.inputs and "*" not in kind.inputs:
        takes = ", ".join(kind.inputs)
        wrong = Text(f"{row.kind} 不用它", f"{row.kind} does not take it")
        found.append(rule_problem(where, "quantity", wrong, takes))
    for names in (LEVELS, ACTIONS):
        values = [v for x in names if (v := getattr(row, x)) is not None]
        pairs = pairwise(reversed(values) if kind.falling else values)
        if any(a > b for a, b in pairs):
            rising = Text("应逐级升高", "must rise level by level")
            order = Text("应逐级降低", "must fall level by level") if kind.falling else rising
            found.append(rule_problem(where, names[0], order + f": {values}"))
    slot_s = kind.slot_s(parameters)
    found += _beside_problems(district, row, where, kind, slot_s)
    for name in row.stations:
        station = district.stations[name]
        if seen := _seen(row):
            found += _unseen(district, station, where, seen)
        elif not _measures(station, row.quantity):
            wrong = Text(f"{name} 不测 {row.quantity}", f"{name} does not measure {row.quantity}")
            found.append(rule_problem(where, "stations", wrong, station.quantity))
        elif _interval_s(station) > slot_s:
            found.append(rule_problem(where, "stations", *_too_long(station, slot_s)))
    fed = [a for a in areas_of(district, row) if _stations(district, row, a, slot_s)]
    without = [a for a in row.areas if a != "*" and a not in fed]
    if without or not fed:
        wrong = Text(
            f"{' '.join(without) or '*'} 没有可用监测站",
            f"{' '.join(without) or '*'}: no station that this rule can use",
        )
        hint = "watch.csv" + (", cameras.csv" if _seen(row) else "")
        found.append(rule_problem(where, "areas", wrong, hint))
    return found


def _beside_problems(
    district: District, row: RuleRow, where: str, kind: Kind, slot_s: int
) -> list[Problem]:
    """What is wrong with the stations of other quantities beside a row's own."""
    found = []
    if row.beside and not row.stations:
        wrong = Text("有 beside 时须列出本行的站", "with beside the row's own stations are needed")
        found.append(rule_problem(where, "stations", wrong, row.quantity))
    for quantity, names in row.beside.items():
        if quantity not in kind.mixed:
            wrong = Text(
                f"{row.kind} 不能并用 {quantity}",
                f"{row.kind} does not take {quantity} beside its own",
            )
            found.append(rule_problem(where, "beside", wrong, ", ".join(kind.mixed) or "–"))
            continue
        for station in (district.stations[n] for n in names):
            if not _measures(station, quantity):
                wrong = Text(
                    f"{station.id} 不测 {quantity}", f"{station.id} does not measure {quantity}"
                )
                found.append(rule_problem(where, "beside", wrong, station.quantity))
            elif _interval_s(station) > slot_s:
                found.append(rule_problem(where, "beside", *_too_long(station, slot_s)))
    return found


def _too_long(station: Station, slot_s: int) -> tuple[Text, Text]:
    """What is wrong with a station whose readings span more than a slot, and what to do."""
    wrong = Text(
        f"{station.id} 的读数跨 {_interval_s(station)} s，长于时段 {slot_s} s",
        f"{station.id}: a reading spans {_interval_s(station)} s, longer than a slot of {slot_s} s",
    )
    return wrong, Text("加长时段或换站", "a longer slot, or another station")


def _unseen(district: District, station: Station, where: str, seen: str) -> list[Problem]:
    """What keeps a camera from showing a quantity."""
    if station.quantity != "frame":
        wrong = Text(f"{station.id} 不是摄像机，{seen}", f"{station.id} is no camera, {seen}")
        return [rule_problem(where, "stations", wrong, "stations.csv: quantity frame")]
    if what := _lacks(district, station, seen):
        hint = "cameras.csv: " + ", ".join({"ground": "points / gsd_m"}.get(w, w) for w in what)
        wrong = Text(f"{station.id} 的 {seen} 缺设置", f"{station.id} is not set up for {seen}")
        return [rule_problem(where, "stations", wrong, hint)]
    return []


def lowest(row: RuleRow) -> Level:
    """The lowest level that a row can raise."""
    return Level(next((n for n, x in enumerate(LEVELS, 1) if getattr(row, x) is not None), 0))
