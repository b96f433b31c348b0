"""The plan's tasks of an order to move that are late: the duty room is told once of each. Pure."""

from collections.abc import Iterator, Mapping

from config.records.district import District
from dispatch.decide.plan.tasks import TOLD, Course, late_notice, of
from dispatch.records import Delivery


def late_notices(
    district: District,
    group: str,
    courses: Mapping[str, Course],
    late: dict[str, list[str]],
    clock_at: int,
) -> Iterator[tuple[str, Delivery]]:
    """By area. group: the watch group whose clock this is. late: which tasks of each warning were told; it
    grows."""
    here = district.groups.get(group, ())
    for alert, course in courses.items():
        if course.area not in here:
            continue
        told = late.setdefault(alert, [])
        same = [a for a in late if courses[a].area == course.area]
        for task in of(district, alert, course, clock_at):
            known = any(task.plan.id in late[a] for a in same)
            if task.state == "overdue" and task.plan.on == TOLD and not known:
                told.append(task.plan.id)
                yield course.area, late_notice(district, task, clock_at)
