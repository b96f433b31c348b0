"""An order in a person's own words (指令), which the draft of `draft` may have begun: signed like any act, it
goes to those whose the area's open tasks are. Pure."""

from collections.abc import Mapping

from config.language import Text
from config.records.district import Area, District
from dispatch.decide.act import ActResult
from dispatch.decide.plan.open_warning import why_not
from dispatch.decide.plan.tasks import Course, of, owners
from dispatch.records import Decision


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

    why = why_not(
        district,
        courses,
        decision,
        lambda a: Text(
            f"{decision.by}无权对{a.name}签发指令",
            f"{decision.by} may give {a.name_en} no order",
        ),
    )
    if why is not None:
        return ActResult("refused", "instruct", why)
    to = addressees(district, courses, decision.alert, district.areas[decision.area])
    if not to:
        why = Text(
            "本区没有未办任务的责任人可以送达，请打电话",
            "nobody with an open task here can be reached: telephone",
        )
        return ActResult("refused", "instruct", why)
    return ActResult(
        "done",
        "instruct",
        Text(f"已签发给{'、'.join(to)}", f"signed, to {', '.join(to)}"),
    )
