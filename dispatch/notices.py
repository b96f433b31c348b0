"""How notices to the duty room are named, so that everybody knows what one is about. Pure."""

from dispatch.records import Delivery

DUTY = "duty:"  # a notice's recipient is this and the recipient who was not reached
# how the name of what a notice is about begins, in its alert or behind DUTY
TASK, PERSON, ALONE, ROUTE, UNPROVEN = "task:", "person-", "mandate-", "route:", "unproven:"
_ABOUT = {TASK: "task", PERSON: "people", ALONE: "alone", ROUTE: "route", UNPROVEN: "unproven"}
NOTICE_VALID_MS = 6 * 3_600_000


def about(d: Delivery) -> str:
    """What a notice to the duty room tells: missed, task, people, alone (a node that acted so), route,
    unproven (a decision that proves nobody's word); "" for what is no such notice."""
    if not d.recipient.startswith(DUTY):
        return ""
    for start, what in _ABOUT.items():
        if d.alert.startswith(start) or d.recipient.startswith(DUTY + start):
            return what
    return "missed"
