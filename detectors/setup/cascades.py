"""The rules `cascade` of a district: the gauges of each valley, what they hang on, and whether such a rule
could ever speak."""

from collections.abc import Iterable, Iterator

import msgspec

from config.language import Said, Text
from config.read.problem import Problem
from config.records.district import District, Station
from config.records.quantity import QUANTITIES
from config.records.reaches import next_below, way_down
from config.records.rules import RuleRow
from detectors.setup.rows import actions, areas_of, levels, parameters_of, rule_problem
from detectors.water.cascade import LEAST, Cascade, CascadeParameters, Gauge, explains_all

CASCADE = "cascade"


def cascades(district: District, groups: Iterable[str]) -> dict[str, Cascade]:
    """The rules that listen for silences down a river, one for each watch group: by rule and group."""
    found = {}
    for row in district.rules.rule:
        if row.kind != CASCADE:
            continue
        parameters = msgspec.convert(row.parameters, CascadeParameters)
        for group in groups:
            gauges, others, areas = _valley(district, row, group)
            if gauges and areas:
                grades = levels(row), actions(row)
                valley = district.reaches, gauges, others, areas
                found[f"{row.id}|{group}"] = Cascade(
                    row.id, row.hazard, parameters, *valley, *grades
                )
    return found


def _valley(
    district: District, row: RuleRow, group: str
) -> tuple[list[Gauge], list[Gauge], list[str]]:
    """Of one watch group: the gauges of the network, its other stations, and the areas below a gauge."""
    wanted = set(row.stations) or _nodes(district)
    mine = [
        s for s in district.stations.values() if group in district.groups_of_station.get(s.id, ())
    ]
    gauges = [_gauge(district, s, row.quantity) for s in mine if s.id in wanted]
    others = [_gauge(district, s, "") for s in mine if s.id not in wanted]
    below = next_below(district.reaches)
    reached = {x for g in gauges for x, _ in way_down(below, g.station)}
    named = set(areas_of(district, row)) & reached
    return gauges, others, [a for a in district.groups[group] if a in named]


def _gauge(district: District, station: Station, quantity: str) -> Gauge:
    shares = [f"gateway {g}" for g, of in (district.gateways or {}).items() if station.id in of]
    shares += [f"carrier {station.carrier}"] * bool(station.carrier)
    shares += [f"power {station.power}"] * bool(station.power)
    per_unit = QUANTITIES[quantity].per_unit if station.quantity == quantity else 0
    plan = station.interval_s * 1000, station.silent_after_s * 1000
    return Gauge(station.id, *plan, tuple(shares), per_unit)


def cascade_problems(district: District, row: RuleRow, where: str) -> list[Problem]:
    """Everything that is wrong with such a row."""
    parameters = parameters_of(row, CascadeParameters)
    if isinstance(parameters, Text):
        return [rule_problem(where, "parameters", parameters, "docs/rules.md")]
    found = []

    def wrong(key: str, message: Said, hint: Said) -> None:
        found.append(rule_problem(where, key, message, hint))

    if row.quantity not in ("stage", "depth", "discharge"):
        said = Text(f"不用 {row.quantity}", f"it does not take {row.quantity}")
        wrong("quantity", said, "stage, depth, discharge")
    if not row.speaks:
        said = Text("只提请，不参加表决", "it only proposes, and has no vote")
        wrong("speaks", said, "true")
    nodes = _nodes(district)
    for name in row.stations:
        if name not in nodes:
            said = Text(f"{name} 不在河网上", f"{name} is not in the network")
            wrong("stations", said, "reaches.csv")
    fed: set[str] = set()
    for group in district.groups:
        gauges, others, areas = _valley(district, row, group)
        if len(gauges) >= LEAST and areas:
            fed |= {*areas}
            if line := explains_all(gauges, others):
                said = Text(
                    f"各站都靠 {line}，同组别无他站靠它：断报都归于它，规则永远不会作声",
                    f"all hang on {line}, and nothing else of the group does: it explains every "
                    "silence, and the rule could never speak",
                )
                hint = Text(
                    "让同组另一站也靠它，或改正", "let another station hang on it, or mend it"
                )
                wrong("stations", said, Text("stations.csv: ", "stations.csv: ") + hint)
    if apart := next(_apart(district, row, nodes), None):
        upper, lower = apart
        said = Text(
            f"{upper}、{lower} 不在一个监测组", f"{upper} and {lower} are in two watch groups"
        )
        hint = Text(
            f"watch.csv: 让下游的区也看 {upper}", f"watch.csv: let an area below watch {upper}"
        )
        wrong("stations", said, hint)
    without = [a for a in row.areas if a != "*" and a not in fed]
    if without or not fed:
        where_ = " ".join(without) or "*"
        said = Text(
            f"{where_} 上游没有同组的两个站", f"{where_}: no two gauges of its group above it"
        )
        wrong("areas", said, "reaches.csv, watch.csv")
    return found


def _nodes(district: District) -> set[str]:
    return {x for r in district.reaches for x in (r.upstream, r.downstream)}


def _apart(district: District, row: RuleRow, nodes: set[str]) -> Iterator[tuple[str, str]]:
    """Gauges of the row, each with one of its gauges or areas below that is in another watch group: who
    looks after the one does not hear the other."""
    gauges = [
        s for s in row.stations or sorted(nodes & {*district.stations}) if s in district.stations
    ]
    groups = {s: set(district.groups_of_station.get(s, ())) for s in gauges}
    groups |= {a: {district.group_of_area[a]} for a in areas_of(district, row)}
    below = next_below(district.reaches)
    for gauge in gauges:
        for name, _ in way_down(below, gauge):
            if name in groups and not groups[name] & groups[gauge]:
                yield gauge, name
