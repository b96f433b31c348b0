"""What must be true of the `[[rule]]` tables of rules.toml, as far as the tables themselves tell;
what a kind asks of its parameters is checked where the kinds are (`detectors.setup.declared`)."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from config.checks.tables import ACTIONS, LEVELS, RULES
from config.language import Said, Text
from config.read.problem import Problem, no_hazard, out_of_range, problem, unknown_name
from config.records.district import Area, Station
from config.records.level import HAZARD_ZH
from config.records.quantity import QUANTITIES, unknown
from config.records.rules import RuleRow, Rules

_FILE = "rules.toml"
Wrong = Callable[..., None]  # (key, message, hint)


def check_rule_rows(
    problems: list[Problem],
    rules: Rules,
    areas: Mapping[str, Area],
    stations: Mapping[str, Station],
    heard: set[tuple[str, str]],
) -> None:
    """Ids, places and thresholds of every row; and what the climate can rain. heard: (area, station), of
    every area the stations of its watch group, for there its readings are judged."""
    _climate(problems, rules)
    seen: set[str] = {*RULES, "quality", "camera_sight"}
    for n, row in enumerate(rules.rule):
        place = f"rule[{n}] {row.id}"

        def wrong(key: str, message: Said, hint: Said = "", place: str = place) -> None:
            problems.append(problem(_FILE, 0, f"{place}.{key}", message, hint))

        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", row.id):
            wrong(
                "id",
                Text("不能作规则名", "cannot be a rule's id"),
                Text("a-z 0-9 _，如 caine_1980", "a-z 0-9 _, such as caine_1980"),
            )
        if row.id in seen:
            wrong(
                "id",
                Text(
                    f"{row.id} 重复，或是另一规则的名字",
                    f"{row.id} stands twice or is a rule of its own",
                ),
                Text("改名", "rename"),
            )
        seen.add(row.id)
        if row.hazard not in HAZARD_ZH:
            wrong("hazard", no_hazard(row.hazard), ", ".join(HAZARD_ZH))
        if row.quantity not in QUANTITIES:
            wrong(
                "quantity",
                Text(f"{row.quantity!r} 不是要素", f"{row.quantity!r} is no quantity"),
                unknown(row.quantity),
            )
        if not row.source.strip():
            wrong(
                "source",
                Text("不能为空", "is empty"),
                Text("写明出处", "say where its thresholds come from"),
            )
        if not 0 <= row.hold_min <= 10_080:
            wrong("hold_min", out_of_range(row.hold_min), "0 … 10080")
        if not 0 < row.clear <= 1:
            wrong("clear", out_of_range(row.clear), "0 … 1")
        if row.weights and len(row.weights) != len(row.stations):
            wrong("weights", Text("与 stations 不等长", "there must be one a station"))
        if any(w < 0 for w in row.weights) or (row.weights and not sum(row.weights)):
            wrong("weights", Text("应为正", "must be positive"))
        every = [*row.stations, *(n for names in row.beside.values() for n in names)]
        if len(set(every)) < len(every):
            wrong("stations", Text("有重复", "one stands twice"))
        _thresholds(wrong, row)
        _places(wrong, row, areas, stations, heard)


def _climate(problems: list[Problem], rules: Rules) -> None:
    taken: set[int] = set()
    for n, row in enumerate(rules.quality.climate):

        def wrong(key: str, message: Said, hint: Said = "", n: int = n) -> None:
            problems.append(problem(_FILE, 0, f"quality.climate[{n}].{key}", message, hint))

        if not row.months or not set(row.months) <= set(range(1, 13)) - taken:
            wrong(
                "months",
                Text(
                    f"{list(row.months)} 不是月份或重复",
                    f"{list(row.months)} are no months, or stand twice",
                ),
                "1 … 12",
            )
        taken |= set(row.months)
        rises = all(a < b for a, b in pairwise(row.minutes)) and all(m >= 1 for m in row.minutes)
        if not row.minutes or not rises:
            wrong("minutes", Text("应由短到长", "must rise"), "[1, 10, 60, 1440]")
        if len(row.most_mm) != len(row.minutes):
            wrong("most_mm", Text("与 minutes 不等长", "there must be one for each of minutes"))
        if any(mm <= 0 for mm in row.most_mm) or any(a > b for a, b in pairwise(row.most_mm)):
            wrong("most_mm", Text("应为正且不减", "must be positive and must not fall"))
        if not row.source.strip():
            wrong(
                "source",
                Text("不能为空", "is empty"),
                Text("写明出处", "say where the bounds come from"),
            )


def _thresholds(wrong: Wrong, row: RuleRow) -> None:
    for names in (LEVELS, ACTIONS):
        values = [v for x in names if (v := getattr(row, x)) is not None]
        rises = all(a <= b for a, b in pairwise(values))
        falls = all(a >= b for a, b in pairwise(values))
        if not rises and not falls:
            wrong(
                names[0], Text(f"各级阈值不成序：{values}", f"thresholds are in no order: {values}")
            )
    if all(getattr(row, x) is None for x in (*LEVELS, *ACTIONS)):
        wrong("blue", Text("没有任何阈值", "has no threshold"), "blue … red, prepare, move")


def _places(
    wrong: Wrong,
    row: RuleRow,
    areas: Mapping[str, Area],
    stations: Mapping[str, Station],
    heard: set[tuple[str, str]],
) -> None:
    every = (*row.stations, *(n for names in row.beside.values() for n in names))
    if not row.areas:
        wrong("areas", Text("不能为空", "is empty"), Text("区号或 *", "ids or *"))
    for area in row.areas:
        if area != "*" and area not in areas:
            wrong("areas", unknown_name(area), "areas.csv")
        elif area != "*" and row.hazard not in areas[area].hazards:
            wrong(
                "areas",
                Text(f"{area} 没有灾种 {row.hazard}", f"{area} has no hazard {row.hazard}"),
                "areas.csv",
            )
        elif area != "*":
            for name in every:
                # the gauges of a whole valley are nobody's own: detectors.setup.cascades looks at them
                if row.kind != "cascade" and name in stations and (area, name) not in heard:
                    wrong(
                        "stations",
                        Text(
                            f"{area} 所在监测组不监视 {name}",
                            f"the watch group of {area} does not watch {name}",
                        ),
                        "watch.csv",
                    )
    for name in every:
        if name not in stations:
            wrong("stations", unknown_name(name), "stations.csv")
    if "*" in row.areas and not any(row.hazard in a.hazards for a in areas.values()):
        wrong(
            "areas",
            Text(f"没有预警区有灾种 {row.hazard}", f"no area has the hazard {row.hazard}"),
            "areas.csv",
        )
