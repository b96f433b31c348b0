"""A person's act upon a warning: what it changes, or why nothing comes of it. Pure.

propose puts what was stopped or returned before the deciders again; approve is the first of two
names; release lets out what waits (or what the act names of it); return sends it back to be mended;
hold and reject stop what waits; raise orders more than is in force, with or without evidence; lower
orders less; cancel ends the warning; escalate asks the next at once; override lets out what another
office should have decided. A level or action of `none` in raise and lower means: leave it.

An act that takes something back must name the newest version, if it names one: whoever decided had
not seen what came since. Which acts there are in which state stands in `dispatch.decide.lifecycle`, who may do
them in `dispatch.decide.authority`.
"""

from collections.abc import Callable

from config.checks.officers import covers
from config.language import Text
from config.records.district import District
from config.records.level import HAZARD_ZH
from dispatch.decide.act import RELEASES, Act, ActResult
from dispatch.decide.acts import release, withdraw
from dispatch.decide.authority import officers
from dispatch.decide.case import Case, Setting
from dispatch.decide.lifecycle import TABLE, allowed
from dispatch.decide.wave import wrong_time
from dispatch.records import ACTS, Decision

_BACK = ("return", "hold", "reject", "lower", "cancel")


def refused(district: District, decision: Decision) -> Text | None:
    """Why a decision cannot be taken at all."""
    if decision.area not in district.areas:
        return Text(f"没有预警区{decision.area}", f"there is no area {decision.area}")
    if decision.hazard not in HAZARD_ZH:
        return Text(f"没有灾种{decision.hazard}", f"there is no hazard {decision.hazard}")
    why = unknown(district, decision) or wrong_time(decision)
    if why is not None:
        return why
    officer, area = district.officers[decision.by], district.areas[decision.area]
    if not covers(officer, area):
        all_offices = list(district.policy.office)
        may = [o.id for o in officers(district, area.id, all_offices)]
        return Text(
            f"{area.name}不在{decision.by}的辖区；可决定的有{'、'.join(may) or '无人'}",
            f"{area.id} is not {decision.by}'s to decide; {', '.join(may) or 'nobody'} may",
        )
    return None


def unknown(district: District, decision: Decision) -> Text | None:
    """Why nobody can act in this name."""
    if decision.by in ("", "policy"):
        return Text("没有署名", "no person signed it")
    if not district.officers:
        return Text(
            "没有人员表 officers.csv，无人有权操作", "there is no officers.csv: nobody may act"
        )
    if decision.by not in district.officers:
        return Text(f"人员表里没有{decision.by}", f"{decision.by} does not stand in officers.csv")
    if not str(decision.reason).strip():
        return Text("没有理由", "no reason is given")
    if decision.act not in ACTS:
        return Text("不是人的操作", "that is no act of a person")
    return None


def obey(setting: Setting, case: Case, decision: Decision, now: int) -> ActResult:
    """Carry out a person's act upon the case, as far as it may be."""
    x = Act(setting, case, decision, now)
    alert = case.alert
    if decision.alert and (alert is None or decision.alert != alert.id):
        if decision.alert == case.last_id and alert is None:
            ends = ("cancel", "expire") if decision.act == "cancel" else ()
            return x.already(ends, "该预警已结束", "it has ended")
        return x.refuse("所指预警已不是当前预警", f"{decision.alert} is not the open warning")
    stale = alert is not None and decision.version not in (0, alert.version)
    if stale and decision.act in _BACK:
        assert alert is not None
        return x.refuse(
            f"预警已更新至第{alert.version}版，请看过后再定",
            f"the warning is at version {alert.version} now, look again",
        )
    state = alert.state if alert is not None else ""
    if not allowed(state, decision.act):
        return _not_now(x, state)
    return _ACTS[decision.act](x)


def _not_now(x: Act, state: str) -> ActResult:
    act = x.decision.act
    if not state:
        return x.refuse("该区该灾种没有生效预警", "no warning is open here")
    if act in ("approve", "release", "escalate") and state == "released":
        return x.already(RELEASES, "没有待发布的内容", "nothing waits to be released")
    if (act, state) in (("hold", "held"), ("reject", "rejected"), ("return", "returned")):
        return x.already((act,), "没有待决定的内容", "nothing waits for a decision")
    may = ", ".join(a for a in TABLE[state] if a != "evidence")
    return x.refuse(
        f"预警处于 {state}，不能 {act}；可以 {may}",
        f"the warning is {state}, it takes no {act}; it takes {may}",
    )


_ACTS: dict[str, Callable[[Act], ActResult]] = {
    "propose": release.propose,
    "approve": release.approve,
    "release": release.release,
    "raise": release.raise_,
    "override": release.override,
    "escalate": release.escalate,
    "return": withdraw.return_,
    "hold": withdraw.stop,
    "reject": withdraw.stop,
    "lower": withdraw.lower,
    "cancel": withdraw.cancel,
}
