"""An order in a person's own words (指令), which the draft of `draft` may have begun: signed like any act, it
goes to those whose the area's open tasks are. Pure."""

from collections.abc import Mapping

from config.checks.officers import covers
from config.language import Text
from config.records.district import Area, District
from dispatch.decide.act import ActResult
from dispatch.decide.apply import unknown
from dispatch.decide.authority import deciders
from dispatch.decide.plan.tasks import Course, of, owners
from dispatch.decide.policy import authority
from dispatch.records import Decision

# whoever may order people to get ready may write to those who help them
_RIGHT = "prepare"


def addressees(
    district: District, courses: Mapping[str, Course], alert: str, area: Area
) -> tuple[str, ...]:
    """The officers whose the open tasks of a warning are, and who can be reached."""
    course = courses.get(alert)
    if course is None or course.over_at:
        return ()
    whose = [
        who
        for task in of(district, alert, course, 0)
        if task.state != "done"
        for who in owners(district, task.plan, area)
    ]
    known = district.officers
    return tuple(o for o in dict.fromkeys(whose) if o in known and known[o].contact)


def instructed(district: District, courses: Mapping[str, Course], decision: Decision) -> ActResult:
    """What comes of somebody's order in writing."""

    def no(zh: str, en: str) -> ActResult:
        return ActResult("refused", "instruct", Text(zh, en))

    why = unknown(district, decision)
    if why is not None:
        return ActResult("refused", "instruct", why)
    course, area = courses.get(decision.alert), district.areas.get(decision.area)
    if course is None or area is None or course.area != area.id or course.over_at:
        return no("所指预警不在进行中", "that warning is not open")
    officer = district.officers[decision.by]
    offices = deciders(authority(district.policy, course.hazard, _RIGHT))
    if officer.office not in offices or not covers(officer, area):
        return no(
            f"{decision.by}无权对{area.name}签发指令",
            f"{decision.by} may give {area.name_en} no order",
        )
    to = addressees(district, courses, decision.alert, area)
    if not to:
        return no(
            "本区没有未办任务的责任人可以送达，请打电话",
            "nobody with an open task here can be reached: telephone",
        )
    return ActResult(
        "done",
        "instruct",
        Text(f"已签发给{'、'.join(to)}", f"signed, to {', '.join(to)}"),
    )
