"""One storm in one district: which alerts belong to it, and its numbered reports to superiors.

初报 when it opens, 续报 every `report_every_s` while warnings are open and when the highest level or
action that is asked for, or that is in force, rises, 核报 when a person corrects the facts, 终报 when all
was quiet for `incident_gap_s`. What was only asked for is told as that. Reports are made only when the
clock of every watch group has moved on, so that they do not depend on which group came first in a slot.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from config.language import Said, Text, text_of
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
from dispatch.grade import Grade
from dispatch.records import Alert, Report, kind_words
from dispatch.words.local_time import local

_NAMED = 12  # areas named in a report; the others are counted


class Incident(msgspec.Struct):
    """The open incident. `alerts`: the newest version of each of its warnings."""

    id: str
    opened_at: int
    alerts: dict[str, Alert] = {}
    number: int = 0
    reported_at: int = 0
    said: Grade = Grade()  # the highest that was reported, asked for or in force
    quiet_at: int | None = None  # since when no warning is open
    out: Grade = Grade()  # the highest in force that was reported
    peaks: dict[str, Grade] = {}  # warnings that were in force -> the highest of each

    def take(self, alert: Alert) -> None:
        """A new version of one of its warnings."""
        if force := Grade(alert.level, alert.action):
            self.peaks[alert.id] = self.peaks.get(alert.id, Grade()) | force
        # the evidence stands in the topic; here only the state counts
        self.alerts[alert.id] = msgspec.structs.replace(
            alert, evidence=(), coverage=None, detections=(), reason=""
        )

    @property
    def open(self) -> list[Alert]:
        return [a for a in self.alerts.values() if a.msg_type != "cancel"]

    @property
    def top(self) -> Grade:
        """The highest level and action of the open warnings, released or not."""
        top = Grade()
        for a in self.open:
            top |= Grade(a.level, a.action) | Grade(a.proposed_level, a.proposed_action)
        return top

    @property
    def force(self) -> Grade:
        """The highest that any of its warnings has or had in force."""
        top = Grade()
        for peak in self.peaks.values():
            top |= peak
        return top

    def words(self, grade: Grade) -> Text:
        """A grade in words; an order as it is called where all is of one hazard."""
        hazards = {a.hazard for a in self.alerts.values()}
        return grade.words(min(hazards) if len(hazards) == 1 else "")


def incident_id(district: District, at: int) -> str:
    """yanqing-20250726T1410 (UTC)."""
    return f"{district.id}-{local(at, 'UTC', '%Y%m%dT%H%M')}"


def report(district: District, incident: Incident, clock_at: int) -> tuple[Report | None, bool]:
    """The report that is due at `clock_at`, if any, and whether the incident has ended."""
    policy = district.policy
    if incident.open:
        incident.quiet_at = None
    elif incident.quiet_at is None:
        incident.quiet_at = max(a.sent_at for a in incident.alerts.values())
    ended = (
        incident.quiet_at is not None
        and clock_at - incident.quiet_at >= policy.incident_gap_s * 1000
    )
    due = (
        incident.number == 0
        or incident.top.exceeds(incident.said)
        or incident.force.exceeds(incident.out)
        or (bool(incident.open) and clock_at - incident.reported_at >= policy.report_every_s * 1000)
    )
    if not (due or ended):
        return None, False
    first = incident.number == 0
    made = _numbered(district, incident, "初报" if first else "终报" if ended else "续报", clock_at)
    incident.reported_at = clock_at
    incident.said |= incident.top
    incident.out |= incident.force
    return made, ended and not first


def verified(district: District, incident: Incident, at: int, by: str, facts: Said) -> Report:
    """核报: what a person found to be so, under the next number."""
    made = _numbered(district, incident, "核报", at)
    found = text_of(facts)
    text = text_of(made.text) + Text(f"核实（{by}）：{found.zh}", f" Verified by {by}: {found.en}")
    return msgspec.structs.replace(made, text=text, by=by)


def _numbered(
    district: District, incident: Incident, kind: Literal["初报", "续报", "核报", "终报"], at: int
) -> Report:
    incident.number += 1
    return Report(
        incident=incident.id,
        number=incident.number,
        kind=kind,
        reported_at=at,
        alerts=tuple(sorted(f"{a.id}/{a.version}" for a in incident.alerts.values())),
        text=_text(district, incident, kind, at),
    )


def _text(district: District, incident: Incident, kind: str, at: int) -> Text:
    alerts = sorted(incident.alerts.values(), key=lambda a: (-a.action, -a.level, a.area, a.hazard))
    status = alerts[0].status if alerts else "exercise"
    drill_zh, drill_en = ("", "") if status == "actual" else ("（演练）", "EXERCISE. ")
    now = local(at, district.timezone, "%Y-%m-%d %H:%M")
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
    people, named = _people(district, areas), areas[:_NAMED]
    zh = "、".join(district.areas[a].name for a in named)
    en = ", ".join(district.areas[a].name_en for a in named)
    if more := len(areas) - len(named):
        zh, en = f"{zh}等{len(areas)}处", f"{en} and {more} more"
    return (
        f"{word.zh}{len(areas)}个预警区{people}人：{zh}。",
        f"{word.en}: {len(areas)} areas, {people} people: {en}.",
    )


def _people(district: District, areas: Iterable[str]) -> int:
    """Of areas, each once."""
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
    people = _people(district, areas)
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
