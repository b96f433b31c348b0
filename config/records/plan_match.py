"""Which tasks of a plan concern an area. Pure."""

from collections.abc import Collection

from config.records.district import Area
from config.records.plans import PlanTask


def within(places: Collection[str], area: Area) -> bool:
    """Is the area one of these: by its id, its township's name, or `*`?"""
    return "*" in places or area.id in places or area.township in places


def concerns(task: PlanTask, area: Area, hazard: str) -> bool:
    """Would a warning of this area and hazard open the task?"""
    return within(task.areas, area) and (not task.hazards or hazard in task.hazards)
