"""Notices to the duty room: how they are named, so that everybody knows what one is about, and the
delivery that one is. Pure."""

import hashlib
from typing import Literal

from config.language import Text
from config.records.level import Action, Level
from dispatch.records import Delivery, Route

DUTY = "duty:"  # a notice's recipient is this and the recipient who was not reached
# how the name of what a notice is about begins, in its alert or behind DUTY
TASK, PERSON, ALONE, ROUTE, UNPROVEN = "task:", "person-", "mandate-", "route:", "unproven:"
RESIDENT = (
    "resident:"  # an answer to who subscribes: one that does not arrive is nobody's to call by hand
)
REPORT = "report:"  # an incident's report, by which its deliveries to superiors are named
INSTRUCTION = "instruct:"  # a person's order in writing, by which its deliveries are named
_ABOUT = {TASK: "task", PERSON: "people", ALONE: "alone", ROUTE: "route", UNPROVEN: "unproven"}
MERGED = "merged-"  # one message of several, by which it is named
RECHECK = "recheck:"  # a call again, by which its deliveries are named
NOTICE_VALID_MS = 6 * 3_600_000


def called_again_about(alert: str) -> str:
    """The warning that a call again (抽查) is about; "" for what is none."""
    return alert.removeprefix(RECHECK).partition(":")[2] if alert.startswith(RECHECK) else ""


def drill_mark(live: bool) -> Text:
    """What stands before a notice of an exercise."""
    return Text("", "") if live else Text("（演练）", "EXERCISE. ")


def instruction_title(by: str) -> Text:
    """What stands above an order in writing."""
    return Text(f"指令（{by}签发）", f"ORDER, signed {by}")


def about(d: Delivery) -> str:
    """What a notice to the duty room tells: missed, task, people, alone (a node that acted so), route,
    unproven (a decision that proves nobody's word); "" for what is no such notice."""
    if not d.recipient.startswith(DUTY):
        return ""
    for start, what in _ABOUT.items():
        if d.alert.startswith(start) or d.recipient.startswith(DUTY + start):
            return what
    return "missed"


def person_notice(
    ident: str,
    alert: str,
    to: str,
    routes: tuple[Route, ...],
    at: int,
    *,
    live: bool,
    within_ms: int,
    expires_at: int,
    lang: str,
    version: int = 1,
    area: str = "",
    hazard: str = "",
    level: Level = Level.NONE,
    must_answer: bool = False,
    category: str = "",
    not_before: int = 0,
    code: str = "",
) -> Delivery:
    """What a person is told beside every warning: nothing replaces it but its own next version. level: how
    urgently it goes, of nothing that is in force. to: an opaque id; at, expires_at: epoch ms; within_ms: from
    then, or from `not_before`."""
    return Delivery(
        id=ident,
        alert=alert,
        version=version,
        area=area,
        hazard=hazard,
        level=level,
        action=Action.NONE,
        msg_type="alert",
        status="actual" if live else "exercise",
        recipient=to,
        audience="internal",
        routes=routes,
        queued_at=at,
        deadline_at=min(max(at, not_before) + within_ms, expires_at),
        expires_at=expires_at,
        lang=lang,
        must_answer=must_answer,
        category=category,
        not_before=not_before,
        code=code,
    )


def duty_notice(
    told: str,
    about: str,
    title: Text,
    text: Text,
    at: int,
    *,
    alert: str,
    status: Literal["actual", "exercise", "test"],
    level: Level,
    version: int = 1,
    area: str = "",
    hazard: str = "",
    action: Action = Action.NONE,
    msg_type: Literal["alert", "update", "cancel"] = "alert",
    digits: int = 16,
) -> Delivery:
    """The delivery of a notice. told: what is told, whole: the same is told once. about: whom or what
    it concerns, the rest of its recipient. digits: of its id, in hex."""
    return Delivery(
        id=hashlib.sha256(told.encode()).hexdigest()[:digits],
        alert=alert,
        version=version,
        area=area,
        hazard=hazard,
        level=level,
        action=action,
        msg_type=msg_type,
        status=status,
        recipient=DUTY + about,
        audience="internal",
        routes=(Route(channel="console", title=title, text=text),),
        queued_at=at,
        deadline_at=at,
        expires_at=at + NOTICE_VALID_MS,
    )
