"""Reads the plan and its resource base: plans.toml, teams.csv, supplies.csv, shelters.csv, risks.csv.
A district may have none; what is there must be right, and every task must have somebody in every
area in which it may open."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from config.checks.officers import covers
from config.checks.roster import read_roster
from config.language import Said, Text
from config.read.problem import Problem, no_hazard, out_of_range, stands_twice, unknown_name
from config.read.tables import T, read_table, read_toml
from config.records.district import Area, District
from config.records.level import HAZARD_ZH
from config.records.plans import (
    UNITS,
    Flow,
    Paragraph,
    Plans,
    PlanTask,
    Risk,
    Shelter,
    Supply,
    Team,
    reaches,
)
from config.records.row import Row

_PLAN = "plans.toml"
_MOST = {"people": 100_000, "capacity": 100_000, "quantity": 10_000_000}


class _File(Row, frozen=True, kw_only=True):
    task: tuple[PlanTask, ...] = ()
    paragraph: tuple[Paragraph, ...] = ()
    downstream: Flow = Flow()


def read_plans(folder: Path, district: District, problems: list[Problem]) -> Plans:
    """What stands in the folder, against the district it belongs to."""
    check = _Check(district, problems)
    teams = check.rows(folder, "teams.csv", Team)
    supplies = check.rows(folder, "supplies.csv", Supply)
    shelters = check.rows(folder, "shelters.csv", Shelter)
    risks = check.rows(folder, "risks.csv", Risk)
    file = _File()
    if (folder / _PLAN).exists():
        file = read_toml(folder / _PLAN, _File, problems) or _File()
    tasks: dict[str, PlanTask] = {}
    for n, task in enumerate(file.task, 1):
        check.task(n, task, task.id in tasks, teams, supplies)
        tasks[task.id] = task
    check.flow(file.downstream)
    check.paragraphs(file.paragraph)
    return Plans(
        paragraphs=file.paragraph,
        roster=read_roster(folder, district, problems),
        tasks=tasks,
        teams=teams,
        supplies=supplies,
        shelters=shelters,
        risks=risks,
        downstream=file.downstream,
    )


def gaps(district: District) -> list[Text]:
    """What the base does not say of the areas: no fault, for words and warnings do without it."""
    found: list[Text] = []
    plans = district.plans
    if not plans.shelters:
        return []
    for area in district.areas.values():
        place = Text(f"{area.id} {area.name}: ", f"{area.id} {area.name_en}: ")
        here = [s for s in plans.shelters.values() if area.within(s.areas)]
        if all(s.name != area.shelter for s in here):
            text = Text(
                f"areas.csv 的安置点 {area.shelter!r} 不在 shelters.csv 该区各行",
                f"the shelter {area.shelter!r} of areas.csv is in no row of it in shelters.csv",
            )
            found.append(place + text)
        elif sum(s.capacity for s in here) < area.population:
            room = sum(s.capacity for s in here)
            text = Text(
                f"安置容量 {room} 人，少于 {area.population} 人",
                f"shelters hold {room} < {area.population} people",
            )
            found.append(place + text)
    return found


class _Check:
    def __init__(self, district: District, problems: list[Problem]) -> None:
        self._d, self._problems = district, problems
        self._places = {"*", *district.areas, *(a.township for a in district.areas.values())}
        # area -> its rows of both tables of thresholds, and how their columns end
        self._thresholds: dict[str, list[tuple[Any, str]]] = {}
        for rows, unit in ((district.rain, "_mm"), (district.stage, "_m")):
            for row in rows:
                self._thresholds.setdefault(row.area, []).append((row, unit))

    def rows(self, folder: Path, file: str, kind: type[T]) -> dict[str, T]:
        """The rows of a table by id; {} where it is not there."""
        if not (folder / file).exists():
            return {}
        found: dict[str, T] = {}
        for n, row in read_table(folder / file, kind, self._problems):
            key = getattr(row, "id")  # noqa: B009  # every one of these rows has it
            if key in found:
                self._wrong(
                    file, n, "id", stands_twice(key), Text("改名或删去", "rename or remove")
                )
            found[key] = row
            self._row(file, n, msgspec.structs.asdict(row))
        return found

    def _row(self, file: str, n: int, row: dict[str, Any]) -> None:
        """Each column by its name."""
        areas = row.get("areas", (row["area"],) if "area" in row else ())
        column = "areas" if "areas" in row else "area"
        if column in row and not areas:
            self._wrong(
                file,
                n,
                column,
                Text("没有预警区", "no area"),
                Text("区号、乡镇名或 *", "ids, townships, *"),
            )
        for place in areas:
            if place not in (self._places if column == "areas" else self._d.areas):
                self._wrong(
                    file,
                    n,
                    column,
                    Text(f"{place!r} 不是预警区", f"{place!r} is no area"),
                    "areas.csv",
                )
        for hazard in row.get("hazards", ()):
            if hazard not in HAZARD_ZH:
                text = no_hazard(hazard)
                self._wrong(file, n, "hazards", text, ", ".join(HAZARD_ZH))
        for column in ("leader", "keeper", "watcher"):
            if row.get(column) and row[column] not in self._d.officers:
                text = Text(f"{row[column]!r} 没有这个人", f"{row[column]!r} is nobody")
                self._wrong(
                    file, n, column, text, Text("officers.csv 的代号", "an id of officers.csv")
                )
        self._contacts(file, n, row)
        for column, most in _MOST.items():
            least = 0 if column == "people" and "watcher" in row else 1
            if column in row and not least <= row[column] <= most:
                text = out_of_range(row[column])
                self._wrong(file, n, column, text, f"{least} … {most}")
        for column, most in (("lon", 180), ("lat", 90)):
            if abs(row[column]) > most:
                text = out_of_range(f"{row[column]:g}")
                self._wrong(file, n, column, text, f"-{most} … {most}")

    def _contacts(self, file: str, n: int, row: dict[str, Any]) -> None:
        """Who is told for a unit. Where no contacts.csv is, the contact store has the list, and `send` says
        at its start whom it lacks."""
        named = row.get("contacts", ())
        if named and row["kind"] not in UNITS:
            text = Text(f"{row['kind']} 不是单位", f"a {row['kind']} is no unit")
            self._wrong(file, n, "contacts", text, Text("清空", "leave it empty"))
        for name in named if self._d.contacts else ():
            if name not in self._d.contacts:
                text = Text(f"{name!r} 没有这个人", f"{name!r} is nobody")
                hint = Text("contacts.csv 的代号", "an id of contacts.csv")
                self._wrong(file, n, "contacts", text, hint)

    def _wrong(self, file: str, row: int, column: str, text: Said, hint: Said) -> None:
        self._problems.append(Problem(file, row, column, text, hint))

    def task(
        self,
        n: int,
        task: PlanTask,
        again: bool,
        teams: dict[str, Team],
        supplies: dict[str, Supply],
    ) -> None:
        """One `[[task]]`: it can open somewhere, and wherever it opens somebody has it."""

        def wrong(key: str, text: Said, hint: Said) -> None:
            self._wrong(_PLAN, 0, f"task[{n}] {task.id}.{key}", text, hint)

        if again:
            wrong("id", stands_twice(task.id), Text("改名或删去", "rename or remove"))
        if not re.fullmatch(r"[a-z0-9-]{1,32}", task.id):
            wrong(
                "id",
                Text(f"{task.id!r} 不能作 id", f"{task.id!r} is not an id"),
                "a-z 0-9 - (1–32)",
            )
        if not (task.title.strip() and task.title_en.strip()):
            wrong("title", Text("没有名称", "says nothing"), "title, title_en")
        if not 1 <= task.within_min <= 10_080:
            wrong("within_min", out_of_range(task.within_min), "1 … 10080")
        if bool(task.office) == bool(task.team):
            wrong(
                "office",
                Text("须写 office 或 team 之一", "one of office and team is needed"),
                Text("谁来做", "who does it"),
            )
        for key, names, known, where in (
            ("office", (task.office,) if task.office else (), self._d.policy.office, "policy.toml"),
            ("supplies", task.supplies, supplies, "supplies.csv"),
            (
                "areas",
                task.areas,
                self._places,
                Text("areas.csv: 区号、乡镇名或 *", "areas.csv: ids, townships, *"),
            ),
            ("hazards", task.hazards, HAZARD_ZH, ", ".join(HAZARD_ZH)),
        ):
            for name in names:
                if name not in known:
                    wrong(key, unknown_name(name), where)
        opens = [a for a in self._d.areas.values() if self._opens(task, a)]
        if not opens:
            text = Text(
                f"这些区和灾种没有任何预警达到 {task.on}",
                f"no warning of these areas and hazards reaches {task.on}",
            )
            wrong(
                "on",
                text,
                Text("阈值、hazards、areas 至少一处改正", "mend thresholds, hazards or areas"),
            )
        for area in opens:
            if not self._held(task, area, teams.values()):
                who = f"office {task.office}" if task.office else f"team {task.team}"
                text = Text(
                    f"{area.id} {area.name}: {who} 无人承担",
                    f"{area.id} {area.name_en}: nobody there is of {who}",
                )
                wrong("office" if task.office else "team", text, "officers.csv, teams.csv")
                break  # the first area says enough

    def paragraphs(self, rows: tuple[Paragraph, ...]) -> None:
        """Each `[[paragraph]]`: numbered once, and with words."""
        seen: set[str] = set()
        for n, p in enumerate(rows, 1):
            where = f"paragraph[{n}] {p.id}"
            if p.id in seen:
                self._wrong(
                    _PLAN, 0, where, stands_twice(p.id), Text("改名或删去", "rename or remove")
                )
            seen.add(p.id)
            if not all(x.strip() for x in (p.id, p.text, p.text_en, p.source, p.source_en)):
                empty = Text("没有内容", "says nothing")
                self._wrong(_PLAN, 0, where, empty, "id, text, text_en, source, source_en")
            for hazard in p.hazards:
                if hazard not in HAZARD_ZH:
                    self._wrong(
                        _PLAN, 0, f"{where}.hazards", no_hazard(hazard), ", ".join(HAZARD_ZH)
                    )

    def flow(self, flow: Flow) -> None:
        """`[downstream]`: speeds that water can have."""
        for key, value, least, most in (
            ("slow_m_s", flow.slow_m_s, 0.1, 20.0),
            ("fast_m_s", flow.fast_m_s, flow.slow_m_s, 20.0),
            ("corridor_m", flow.corridor_m, 0.0, 5000.0),
            ("within_min", flow.within_min, 1.0, 1440.0),
        ):
            if not least <= value <= most:
                text = out_of_range(f"{value:g}")
                self._wrong(_PLAN, 0, f"downstream.{key}", text, f"{least:g} … {most:g}")

    def _held(self, task: PlanTask, area: Area, teams: Iterable[Team]) -> bool:
        if task.office:
            officers = self._d.officers.values()
            return any(o.office == task.office and covers(o, area) for o in officers)
        return any(t.kind == task.team and area.within(t.areas) for t in teams)

    def _opens(self, task: PlanTask, area: Area) -> bool:
        """Can any rule raise a warning of the area to this step?"""
        return any(
            area.opens(task, hazard) and self._reached(task, area, hazard)
            for hazard in area.hazards
        )

    def _reached(self, task: PlanTask, area: Area, hazard: str) -> bool:
        d, steps = self._d, reaches(task.on)
        if d.sources.source:
            return True  # another authority's word may ask for anything
        camera = d.rules.camera
        if "camera_motion" in d.rules.run and hazard == camera.hazard:
            sees = {camera.level.name.lower(), camera.action.name.lower()}
            frames = [d.stations[s].quantity == "frame" for s in d.stations_of_area[area.id]]
            if any(frames) and sees & set(steps):
                return True
        tables: list[tuple[Any, str]] = [
            *self._thresholds.get(area.id, ()),
            *((r, "") for r in d.rules.rule if area.within(r.areas)),
        ]
        return any(
            row.hazard == hazard and any(getattr(row, s + unit) is not None for s in steps)
            for row, unit in tables
        )
