"""Whether an officer may ask something of the people of an area for a warning that is open. Pure."""

from collections.abc import Callable, Mapping

from config.checks.officers import covers
from config.language import Text
from config.records.district import Area, District
from dispatch.decide.apply import unknown
from dispatch.decide.authority import deciders
from dispatch.decide.plan.tasks import Course
from dispatch.decide.policy import authority
from dispatch.records import Decision

# whoever may order people to get ready may write to those who help them, and ask whether they did
_RIGHT = "prepare"


def why_not(
    district: District,
    courses: Mapping[str, Course],
    decision: Decision,
    no_right: Callable[[Area], Text],
) -> Text | None:
    """Why nothing comes of the act: nobody of that name, no such open warning, or no right to act for the area
    (`no_right` has the words); None where the officer may."""
    if (why := unknown(district, decision)) is not None:
        return why
    course, area = courses.get(decision.alert), district.areas.get(decision.area)
    if course is None or area is None or course.area != area.id or course.over_at:
        return Text("所指预警不在进行中", "that warning is not open")
    officer = district.officers[decision.by]
    offices = deciders(authority(district.policy, course.hazard, _RIGHT))
    return None if officer.office in offices and covers(officer, area) else no_right(area)
