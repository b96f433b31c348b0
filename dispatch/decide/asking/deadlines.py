"""What comes of a deadline that has passed: the next is asked, or what the policy says when nobody has
answered. Pure."""

from typing import NamedTuple

import msgspec

from config.language import Text
from dispatch.decide.asking import joint
from dispatch.decide.authority import Bench, names, steps
from dispatch.decide.case import Ask, Case, Setting, ask
from dispatch.decide.policy import authority
from dispatch.grade import Grade, grade_of


class Due(NamedTuple):
    """What a deadline set off."""

    what: str
    act: str  # release, hold, escalate or propose
    reason: Text


def due(setting: Setting, case: Case, now: int) -> list[Due]:
    """What comes of the deadlines that have passed: the next in the chain is asked, and behind the
    last the default is carried out. Nothing that rests on suspect values alone is released, and
    nothing that somebody approved is let go: they are asked again."""
    out = []
    for what, old in list(case.asks.items()):
        if old.held or old.deadline_at > now:
            continue
        act, new, reason = _next(setting, case, what, old, now)
        if act == "release":
            grade = grade_of(what)
            who = authority(setting.district.policy, case.hazard, what)
            case.let_out(grade, Grade())
            if grade.level:
                case.issue(grade.level, Bench.of(setting.district, case.area, who).agreed(old.signed))
        case.question(what, new)
        out.append(Due(what, act, reason))
    return out


def _next(setting: Setting, case: Case, what: str, old: Ask, now: int) -> tuple[str, Ask, Text]:
    policy = setting.district.policy
    who, grade = authority(policy, case.hazard, what), grade_of(what)
    chain, words = steps(setting.district, case.area, who), grade.words()
    late = Text(f"{words.zh}到期无人决定", f"nobody decided on {words.en} in time")
    if old.returned:
        reason = Text(f"{words.zh}退回后无人补正", f"nobody mended {words.en} in time")
        to = names(policy, chain[0].offices)
        reason = Text(f"{reason.zh}，再报{to.zh}", f"{reason.en}, {to.en} is asked again")
        return "propose", ask(setting, case, what, now), reason
    own = joint.own_steps(who, chain)
    waits = joint.awaited(setting.district, case.area, who, old.signed)
    if waits and joint.goes_alone(what, who):  # whoever of the chain was asked meanwhile
        return "release", old, joint.late_words(setting.district, case.area, what, who, old.signed)
    if waits and old.step < own:
        late = joint.late_words(setting.district, case.area, what, who, old.signed)
        old = msgspec.structs.replace(old, step=own - 1)  # the second was asked: on to the chain
    if old.step + 1 < len(chain):
        step = chain[old.step + 1]
        to = names(policy, step.offices)
        moved = msgspec.structs.replace(old, deadline_at=now + step.within_ms, step=old.step + 1)
        return "escalate", moved, Text(f"{late.zh}，上报{to.zh}", f"{late.en}, {to.en} is asked")
    default = who.default
    doubtful = grade.exceeds(case.need.sure | case.standing.asked)
    if doubtful or waits or (default == "hold" and old.signed):
        default = "repeat"
    if default == "release":
        return (
            "release",
            old,
            Text(f"{late.zh}，按规定默认发布", f"{late.en}, released by default"),
        )
    if default == "hold":
        held = msgspec.structs.replace(old, held=True)
        return "hold", held, Text(f"{late.zh}，按规定暂不发布", f"{late.en}, held by default")
    to = names(policy, chain[0].offices)
    if second := joint.second(setting.district, case.area, who, old.signed):
        to, chain = names(policy, second.offices), [second]
    again = Text(f"{late.zh}，从头再报{to.zh}", f"{late.en}, {to.en} is asked again")
    fresh = ask(setting, case, what, now, old.signed)
    return "escalate", msgspec.structs.replace(fresh, deadline_at=now + chain[0].within_ms), again
