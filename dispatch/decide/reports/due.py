"""One storm in one district: which alerts belong to it, and its numbered reports to superiors.

初报 when it opens, 续报 every `report_every_s` while warnings are open and when the highest level or
action that is asked for, or that is in force, rises, 核报 when a person corrects the facts, 终报 when all
was quiet for `incident_gap_s`. What was only asked for is told as that. Reports are made only when the
clock of every watch group has moved on, so that they do not depend on which group came first in a slot.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from config.language import Said, Text, text_of
from config.records.district import District
from dispatch.decide.plan_tasks import Course
from dispatch.decide.reports.memory import Finding, Incident
from dispatch.decide.reports.parts import parts
from dispatch.decide.reports.summary import summary
from dispatch.records import Report
from dispatch.words.local_time import local

Kind = Literal["初报", "续报", "核报", "终报"]


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
    due = (
        incident.number == 0
        or incident.top.exceeds(incident.said)
        or incident.force.exceeds(incident.out)
        or (bool(incident.open) and clock_at - incident.reported_at >= policy.report_every_s * 1000)
    )
    if not (due or ended):
        return None, False
    first = incident.number == 0
    kind: Kind = "初报" if first else "终报" if ended else "续报"
    made = _numbered(district, incident, kind, clock_at, courses)
    incident.reported_at = clock_at
    incident.said |= incident.top
    incident.out |= incident.force
    return made, ended and not first


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
