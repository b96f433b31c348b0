"""智能生成: a draft order for one warned area, from its level, people, shelters, teams, supplies and roads. By
rule: each sentence says which row of which table, or which paragraph of the plan, it comes from. It is a
draft and nothing else: a person reads, mends and signs it, or it goes nowhere. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from config.language import Text, joined
from config.records.district import Area, District
from config.records.level import Action, order_en, order_zh
from config.records.plans import SCALES, Paragraph, PlanTask
from dispatch.decide.plan.stock import HeldSupply, stocked
from dispatch.decide.plan.tasks import owner_words, owners, teams
from dispatch.geography.downstream import downstream
from dispatch.grade import Grade

_AND = Text("、", ", ")
_ROADS = 4


class DraftSentence(NamedTuple):
    """One sentence, and where it comes from."""

    words: Text
    source: Text


def paragraphs(district: District, hazard: str, grade: Grade) -> list[Paragraph]:
    """What the plan says of this level and order, and of those below them that hold too."""
    steps = {*SCALES[0][: grade.level], *SCALES[1][: grade.action]}
    return [
        p
        for p in district.plans.paragraphs
        if p.on in steps and (not p.hazards or hazard in p.hazards)
    ]


def draft(
    district: District,
    area_id: str,
    hazard: str,
    grade: Grade,
    stock: Mapping[str, dict[str, HeldSupply]],
) -> list[DraftSentence]:
    """The sentences in the order in which they are read out. grade: in force or asked for; where there is
    neither a level nor an order, nothing is to be ordered."""
    area = district.areas[area_id]
    if not grade:
        return []
    steps = {*SCALES[0][: grade.level], *SCALES[1][: grade.action]}
    tasks = [t for t in district.plans.tasks.values() if t.on in steps and area.opens(t, hazard)]
    return [
        *_people(area, hazard, grade),
        *_shelters(district, area, hazard, grade),
        *_tasks(district, area, tasks),
        *_supplies(district, tasks, dict(stock)),
        *_roads(district, area, hazard, grade),
    ]


def _row(file: str, key: str) -> Text:
    return Text(f"{file} {key}", f"{file} {key}")


def _people(area: Area, hazard: str, grade: Grade) -> Iterator[DraftSentence]:
    place = Text(f"{area.township}{area.name}", f"{area.name_en}, {area.township_en}")
    what = grade.words(hazard)
    yield DraftSentence(
        Text(
            f"{place.zh}：{what.zh}，涉及{area.population}人。",
            f"{place.en}: {what.en}, {area.population} people.",
        ),
        _row("areas.csv", area.id),
    )  # fmt: skip


def _shelters(district: District, area: Area, hazard: str, grade: Grade) -> Iterator[DraftSentence]:
    if not grade.action:
        return
    zh, en = order_zh(hazard, grade.action), order_en(hazard, grade.action)
    here = [
        s for s in district.plans.shelters.values() if area.within(s.areas) and hazard in s.hazards
    ]
    if not here:
        yield DraftSentence(
            Text(
                f"{zh}到{area.shelter}；没有一处登记为可避本灾种，须先核实。",
                f"{en}, to {area.shelter_en}; no shelter is registered against this hazard: check first.",
            ),
            Text("areas.csv、shelters.csv 没有相应的行", "areas.csv; no row of shelters.csv"),
        )
        return
    room = sum(s.capacity for s in here)
    names = joined((Text(s.name, s.name_en) for s in here), _AND)
    words = Text(f"{zh}到{names.zh}，可容{room}人", f"{en}, to {names.en}, which hold {room}")
    if (lacking := area.population - room) > 0:
        words += Text(
            f"，尚缺{lacking}人的地方，由乡镇另行安排",
            f"; {lacking} have no room: the township finds it",
        )
    yield DraftSentence(
        words + Text("。", "."),
        _row("shelters.csv", ", ".join(s.id for s in here)),
    )


def _tasks(district: District, area: Area, tasks: list[PlanTask]) -> Iterator[DraftSentence]:
    for task in tasks:
        who, ids = owner_words(district, task, area), owners(district, task, area)
        strength = sum(t.people for t in teams(district, task, area)) if task.team else 0
        people = Text(f"（{strength}人）", f" ({strength} people)") if strength else Text("", "")
        rows = [t.id for t in teams(district, task, area)] if task.team else []
        yield DraftSentence(
            Text(
                f"{who.zh}{people.zh}{'、'.join(ids[:3])}：{task.within_min}分钟内{task.title}。",
                f"{who.en}{people.en}, {', '.join(ids[:3])}: within {task.within_min} min "
                f"{task.title_en}.",
            ),
            Text(
                f"plans.toml {task.id}" + "".join(f"，teams.csv {r}" for r in rows),
                f"plans.toml {task.id}" + "".join(f", teams.csv {r}" for r in rows),
            ),
        )


def _supplies(
    district: District, tasks: list[PlanTask], stock: dict[str, dict[str, HeldSupply]]
) -> Iterator[DraftSentence]:
    for key in dict.fromkeys(s for t in tasks for s in t.supplies):
        supply, now = district.plans.supplies[key], stocked(district, stock, key)
        unit = Text(supply.unit, supply.unit_en or supply.unit)
        yield DraftSentence(
            Text(
                f"物资：{supply.place}{supply.name}可用{now.free}{unit.zh}，找{supply.keeper}领取。",
                f"Supplies: {now.free} {unit.en} of {supply.name_en} at {supply.place_en}, from "
                f"{supply.keeper}.",
            ),
            _row("supplies.csv", key),
        )


def _roads(district: District, area: Area, hazard: str, grade: Grade) -> Iterator[DraftSentence]:
    if grade.action != Action.MOVE:
        return
    risks = district.plans.risks
    below = [h.id for h in downstream(district, area.id, hazard) if h.what == "risk"]
    here = [r.id for r in risks.values() if r.area == area.id]
    roads = [
        risks[k]
        for k in dict.fromkeys([*here, *below])
        if k in risks and risks[k].kind == "road" and (not risks[k].hazards or hazard in risks[k].hazards)
    ]  # fmt: skip
    for road in roads[:_ROADS]:
        yield DraftSentence(
            Text(
                f"不得走{road.name}，派人值守。",
                f"{road.name_en} is not to be used, and is guarded.",
            ),
            _row("risks.csv", road.id),
        )
