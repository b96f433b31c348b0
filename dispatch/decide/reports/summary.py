"""What a report says in one paragraph: for a list, and for an SMS. Pure."""

from collections.abc import Iterable, Sequence

from config.language import Text
from config.records.district import District
from config.records.level import (
    LEVEL_EN,
    LEVEL_ZH,
    Action,
    Level,
    occurrence_en,
    occurrence_zh,
    order_en,
    order_zh,
)
from dispatch.decide.reports.memory import Incident
from dispatch.records import kind_words
from dispatch.words.local_time import local

NAMED = 12  # areas named in a report; the others are counted


def as_of(incident: Incident, at: int) -> int:
    """Up to when a report knows: a warning may stand in it that was sent after the clock that every
    watch group has reached."""
    return max(at, *(a.sent_at for a in incident.alerts.values()), 0)


def summary(district: District, incident: Incident, kind: str, at: int) -> Text:
    """延庆区汛情初报（第1报），截至 …：生效预警2个。…"""
    alerts = sorted(incident.alerts.values(), key=lambda a: (-a.action, -a.level, a.area, a.hazard))
    status = alerts[0].status if alerts else "exercise"
    drill_zh, drill_en = ("", "") if status == "actual" else ("（演练）", "EXERCISE. ")
    now = local(as_of(incident, at), district.timezone, "%Y-%m-%d %H:%M")
    hazards = {a.hazard for a in alerts}
    what, what_en = occurrence_zh(hazards), occurrence_en(hazards)
    zh = [f"{drill_zh}{district.name}{what}{kind}（第{incident.number}报），截至{now}："]
    number = f"{what_en} report {incident.number} ({kind_words(kind).en})"
    en = [f"{drill_en}{district.name_en}, {number}, {now}:"]
    parts = _whole(district, incident) if kind == "终报" else _counts(district, incident)
    for zh_part, en_part in parts:
        zh.append(zh_part)
        en.append(en_part)
    return Text("".join(zh), " ".join(en))


def _order(district: District, areas: Sequence[str], word: Text) -> tuple[str, str]:
    """Where an order is in force, and for how many people."""
    people, named = inhabitants(district, areas), areas[:NAMED]
    zh = "、".join(district.areas[a].name for a in named)
    en = ", ".join(district.areas[a].name_en for a in named)
    if more := len(areas) - len(named):
        zh, en = f"{zh}等{len(areas)}处", f"{en} and {more} more"
    return (
        f"{word.zh}{len(areas)}个预警区{people}人：{zh}。",
        f"{word.en}: {len(areas)} areas, {people} people: {en}.",
    )


def inhabitants(district: District, areas: Iterable[str]) -> int:
    """Who lives in areas, each area once."""
    return sum(district.areas[a].population for a in set(areas) if a in district.areas)


def _whole(district: District, incident: Incident) -> list[tuple[str, str]]:
    """What came of it, when all is over: the highest that was in force, and what was only asked for."""
    peak, only = incident.words(incident.force), incident.said.above(incident.force)
    asked, lifted = incident.words(only), "all warnings are lifted."
    if not incident.peaks:
        return [
            (
                f"本次过程没有发布预警；研判最高{asked.zh}，未发布。",
                f"no warning was issued; at most {asked.en} was asked for.",
            )
        ]
    areas = {a.area for a in incident.alerts.values() if a.id in incident.peaks}
    people = inhabitants(district, areas)
    out = [
        (
            f"本次过程涉及{len(areas)}个预警区{people}人，最高{peak.zh}，预警已全部解除。",
            f"{len(areas)} areas with {people} people were warned, at most {peak.en}; {lifted}",
        )
    ]
    if only:
        out.append((f"研判曾到{asked.zh}，未发布。", f"{asked.en} was asked for and not issued."))
    return out


def _counts(district: District, incident: Incident) -> list[tuple[str, str]]:
    """Warnings in force by level and by order, people (each once), where it is worst, and what waits."""
    live = incident.open
    force = [a for a in live if a.level or a.action]
    out = [(f"生效预警{len(force)}个。", f"{len(force)} warnings in force.")]
    for level in sorted(Level, reverse=True):
        n = sum(a.level == level for a in force)
        if level and n:
            out.append((f"{LEVEL_ZH[level]}{n}个。", f"{LEVEL_EN[level]}: {n}."))
    told: set[str] = set()
    for action in sorted((a for a in Action if a), reverse=True):
        for word in sorted({order_zh(a.hazard, action) for a in force if a.action == action}):
            mine = [a for a in force if (a.action, order_zh(a.hazard, action)) == (action, word)]
            areas = sorted({a.area for a in mine} - told)
            told.update(areas)
            if areas:
                out.append(_order(district, areas, Text(word, order_en(mine[0].hazard, action))))
    waiting = sum(a.state == "proposed" for a in live)
    if waiting:
        out.append((f"待审批{waiting}个。", f"{waiting} wait for a decision."))
    back = sum(a.state == "returned" for a in live)
    if back:
        out.append((f"退回补正{back}个。", f"{back} returned to be mended."))
    thin = sum(a.thin for a in live)
    if thin:
        out.append((f"监测数据不足{thin}个。", f"{thin} with thin evidence."))
    return out
