"""A person's act upon a warning: what it changes, or why it makes no sense now. Pure.

release lets out what waits (or what the act names of it); hold and reject stop what waits; raise
orders more than is in force, with or without evidence; lower orders less; cancel ends the warning;
escalate hands the decision on. A level or action of `none` in raise and lower means: leave it.
An act that takes something back must name the newest version, if it names one: whoever decided had
not seen what came since.
"""

from collections.abc import Callable

import msgspec

from config.district import District
from config.level import HAZARD_ZH
from dispatch.alert import Decision
from dispatch.case import Ask, Case
from dispatch.policy import Grade, Reason

_BACK = ("hold", "reject", "lower", "cancel")


def refused(district: District, decision: Decision) -> Reason | None:
    """Why a decision cannot be taken at all."""
    if decision.area not in district.areas:
        return Reason(f"没有预警区{decision.area}", f"there is no area {decision.area}")
    if decision.hazard not in HAZARD_ZH:
        return Reason(f"没有灾种{decision.hazard}", f"there is no hazard {decision.hazard}")
    if decision.by in ("", "policy"):
        return Reason("没有署名", "no person signed it")
    return None


def obey(case: Case, decision: Decision) -> Reason | None:
    """Carry out a person's act upon the case; None when done, else why it is refused."""
    alert = case.alert
    if alert is None and decision.act != "raise":
        return Reason("该区该灾种没有生效预警", "no warning is open here")
    if alert is not None and decision.alert not in ("", alert.id):
        return Reason("所指预警已不是当前预警", f"{decision.alert} is not the open warning")
    stale = alert is not None and decision.version not in (0, alert.version)
    if stale and decision.act in _BACK:
        assert alert is not None
        return Reason(
            f"预警已更新至第{alert.version}版，请看过后再定",
            f"the warning is at version {alert.version} now, look again",
        )
    return _ACTS[decision.act](case, Grade(decision.level, decision.action))


def _release(case: Case, named: Grade) -> Reason | None:
    whole = case.need.whole
    target = (named & whole) if named else whole
    if not target.exceeds(case.force):
        return Reason("没有待发布的内容", "nothing waits to be released")
    case.standing = case.standing.uncapped(target)
    return None


def _stop(act: str) -> Callable[[Case, Grade], Reason | None]:
    def stop(case: Case, _: Grade) -> Reason | None:
        if not case.asks or (act == "hold" and case.standing.act == "hold"):
            return Reason("没有待决定的内容", "nothing waits for a decision")
        case.standing = case.standing.capped(case.force, case.heard, act)
        return None

    return stop


def _raise(case: Case, named: Grade) -> Reason | None:
    if not named.exceeds(case.force):
        return Reason("不高于现行等级和指令", "it is not above what is in force")
    standing = case.standing.uncapped(Grade())
    case.standing = msgspec.structs.replace(standing, ordered=standing.ordered | named)
    return None


def _lower(case: Case, named: Grade) -> Reason | None:
    force = case.force
    target = Grade(named.level or force.level, named.action or force.action)
    if target.exceeds(force) or not force.exceeds(target):
        return Reason(
            "不低于现行等级和指令（解除请用 cancel）",
            "it is not below what is in force (to end it, cancel)",
        )
    case.standing = case.standing.capped(target, case.heard, "lower")
    return None


def _cancel(case: Case, _: Grade) -> Reason | None:
    case.standing = case.standing.capped(Grade(), case.heard, "cancel")
    return None


def _escalate(case: Case, _: Grade) -> Reason | None:
    if not case.asks or all(a.escalated for a in case.asks.values()):
        return Reason("没有可上报的待决定内容", "nothing waits that could be handed on")
    case.asks = {what: Ask(a.deadline_at, True, True) for what, a in case.asks.items()}
    return None


_ACTS: dict[str, Callable[[Case, Grade], Reason | None]] = {
    "release": _release,
    "hold": _stop("hold"),
    "reject": _stop("reject"),
    "raise": _raise,
    "lower": _lower,
    "cancel": _cancel,
    "escalate": _escalate,
}
