"""Which tasks of a plan concern an area. Pure."""

from collections.abc import Iterable

from config.records.district import Area
from config.records.plans import PlanTask


def within(places: Iterable[str], area: Area) -> bool:
    """Is the area one of these: by its id, its township's name, or `*`?"""
    return bool({"*", area.id, area.township}.intersection(places))


def concerns(task: PlanTask, area: Area, hazard: str) -> bool:
    """Would a warning of this area and hazard open the task?"""
    return within(task.areas, area) and (not task.hazards or hazard in task.hazards)
