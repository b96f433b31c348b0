"""One storm in one district: which alerts belong to it, and its numbered reports to superiors.

初报 with the first order, or the first colour of 橙 or more, that is in force, or where that is only asked
for and nobody has answered for ten minutes. Then 续报 every `report_every_s` while warnings are open,
and when the highest order, or colour from 橙 on, that is asked for or in force rises; 核报 when a person
corrects the facts; 终报 when all was quiet for `incident_gap_s`. An incident of less has its 终报 alone: a
district lets out 蓝 and 黄 itself, and nobody above it has to act on them. What was only asked for is told
as that. Reports are made only when the clock of every watch group has moved on, so that they do not depend
on which group came first in a slot.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from config.language import Said, Text, text_of
from config.records.district import District
from config.records.level import Level
from dispatch.decide.plan.tasks import Course
from dispatch.decide.reports.memory import Finding, Incident
from dispatch.decide.reports.parts import parts
from dispatch.decide.reports.summary import summary
from dispatch.grade import Grade
from dispatch.records import Report
from dispatch.words.local_time import local

Kind = Literal["初报", "续报", "核报", "终报"]
_UNANSWERED_MS = 600_000  # so long what is asked for is theirs alone who are asked


def incident_id(district: District, at: int) -> str:
    """yanqing-20250726T1410 (UTC)."""
    return f"{district.id}-{local(at, 'UTC', '%Y%m%dT%H%M')}"


def report(
    district: District, incident: Incident, clock_at: int, courses: Mapping[str, Course]
) -> tuple[Report | None, bool]:
    """The report that is due at `clock_at`, if any, and whether the incident has ended. courses: by
    which the plan's tasks stand."""
    policy = district.policy
    if incident.open:
        incident.quiet_at = None
    elif incident.quiet_at is None:
        incident.quiet_at = max(a.sent_at for a in incident.alerts.values())
    ended = (
        incident.quiet_at is not None
        and clock_at - incident.quiet_at >= policy.incident_gap_s * 1000
    )
    top, force, every = (
        _serious(incident.top),
        _serious(incident.force),
        policy.report_every_s * 1000,
    )
    if top and not incident.grave_at:
        incident.grave_at = clock_at
    if incident.number == 0:
        incident.said |= incident.top  # for a last report that is the only one
        due = bool(force) or (bool(top) and clock_at - incident.grave_at >= _UNANSWERED_MS)
    else:
        due = (
            top.exceeds(_serious(incident.said))
            or force.exceeds(_serious(incident.out))
            or (bool(incident.open) and clock_at - incident.reported_at >= every)
        )
    if not (due or ended):
        return None, False
    kind: Kind = "终报" if ended else "初报" if incident.number == 0 else "续报"
    made = _numbered(district, incident, kind, clock_at, courses)
    incident.reported_at = clock_at
    incident.said |= incident.top
    incident.out |= incident.force
    return made, ended


def _serious(grade: Grade) -> Grade:
    """What a superior must hear of at once: an order, or a colour of 橙 or more."""
    return Grade(grade.level if grade.level >= Level.ORANGE else Level.NONE, grade.action)


def verified(
    district: District,
    incident: Incident,
    at: int,
    by: str,
    facts: Said,
    courses: Mapping[str, Course],
) -> Report:
    """核报: what a person found to be so, under the next number. It stands in every later report."""
    finding = Finding(incident.number + 1, at, by, text_of(facts))
    incident.seen.found.append(finding)
    made = _numbered(district, incident, "核报", at, courses)
    found = text_of(facts)
    text = text_of(made.text) + Text(f"核实（{by}）：{found.zh}", f" Verified by {by}: {found.en}")
    return msgspec.structs.replace(made, text=text, by=by)


def _numbered(
    district: District, incident: Incident, kind: Kind, at: int, courses: Mapping[str, Course]
) -> Report:
    incident.number += 1
    due = None if kind == "终报" else _next(district, incident, kind, at)
    made = Report(
        incident=incident.id,
        number=incident.number,
        kind=kind,
        reported_at=at,
        alerts=tuple(sorted(f"{a.id}/{a.version}" for a in incident.alerts.values())),
        text=summary(district, incident, kind, at),
        parts=parts(district, incident, kind, at, due, courses),
        next_at=due,
    )
    incident.told = incident.standing
    return made


def _next(district: District, incident: Incident, kind: Kind, at: int) -> int:
    """By when the next report is due. A 核报 does not put the next 续报 off."""
    policy = district.policy
    if incident.quiet_at is not None:
        return incident.quiet_at + policy.incident_gap_s * 1000
    since = incident.reported_at if kind == "核报" and incident.reported_at else at
    return max(at, since + policy.report_every_s * 1000)
