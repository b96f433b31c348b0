"""Acts that let a warning out or move it on: propose, approve, release, raise, override, escalate.
Each changes the case or leaves it as it was, and says what came of it. Pure."""

from collections.abc import Sequence

from config.language import Text, joined
from dispatch.decide.act import RELEASES, Act, ActResult
from dispatch.decide.asking import joint
from dispatch.decide.authority import deciders, entitled, names, officers, power, steps
from dispatch.decide.case import Ask, ask
from dispatch.decide.policy import Signed
from dispatch.grade import ACTION_KEY, LEVEL_KEY, Grade, between, grade_of


def release(x: Act) -> ActResult:
    whole, force = x.case.whole, x.case.force
    target = (x.named & whole) if x.named else whole
    if not target.exceeds(force):
        return x.already(RELEASES, "没有待发布的内容", "nothing waits to be released")
    out, short = _split(x, target)
    fresh = [w for w in short if _may_sign(x, w)]
    if not (out or fresh):
        return _short(x, short[0])
    x.issue(out)
    x.case.let_out(out, _sum(fresh))
    for what in fresh:
        x.sign(what)
    left = [w for w in short if grade_of(w).exceeds(out)]
    rest = _rest(x, left)
    words = out.words()
    if not out:
        return x.done(f"已记录批准{rest.zh}", f"approval recorded{rest.en}", "approve")
    return x.done(f"{words.zh}已发布{rest.zh}", f"{words.en} released{rest.en}")


def _split(x: Act, target: Grade) -> tuple[Grade, list[str]]:
    """What this name lets out of `target`, and what is above it, highest first."""
    out, short = Grade(), []
    for scale in (LEVEL_KEY, ACTION_KEY):
        for what in reversed(between(x.case.force, target)):
            if what not in scale.values():
                continue
            if x.power(what) and x.enough(what, x.signed(what)):
                out |= grade_of(what)
                break
            short.append(what)
    return out, short


def _may_sign(x: Act, what: str) -> bool:
    """Is this a new name that decides, and of an office that has not agreed yet?"""
    return x.adds(what)


def _decides(x: Act, what: str, signed: Signed) -> bool:
    who = x.who(what)
    district = x.setting.district
    return power(district, x.case.area, who, deciders(who), signed) in ("decides", "phone")


def _sum(whats: Sequence[str]) -> Grade:
    total = Grade()
    for what in whats:
        total |= grade_of(what)
    return total


def _rest(x: Act, left: Sequence[str]) -> Text:
    """What still waits, and for whom."""
    if not left:
        return Text("", "")
    words = grade_of(left[0]).words()
    who = x.who(left[0])
    if waits := x.bench(left[0]).awaited(_names(x, left[0])):
        may = entitled(x.setting.district, x.case.area, waits)
        return Text(
            f"；{words.zh}须联合发布，待{may.zh}同意",
            f"; {words.en} is a joint release and waits for {may.en} to agree",
        )
    may = _others(x, (*deciders(who), *who.through))
    return Text(
        f"；{words.zh}待另一人发布：{may.zh}",
        f"; {words.en} waits for another person: {may.en}",
    )


def _short(x: Act, what: str) -> ActResult:
    """Why this name is not enough: whose is under it already, and who may do what now."""
    if not x.power(what):
        return x.barred(what)
    words, who, me = grade_of(what).words(), x.who(what), x.decision.by
    before = _names(x, what)
    if waits := x.bench(what).awaited(before):
        return _jointly(x, what, before, waits)
    deciding = [s for s in before if _decides(x, what, s)]
    if not deciding and not _decides(x, what, x.mine):
        may = _others(x, deciders(who))
        return x.refuse(
            f"{words.zh}须先经{may.zh}批准；电话批准的请写明批准人和文号",
            f"{words.en} must be approved by {may.en} first; if by telephone, name approver and "
            "reference",
        )
    by = joined(dict.fromkeys(s.by for s in before), Text("、", ", "))
    may = _others(x, (*deciders(who), *who.through))
    if me in {s.by for s in before}:
        return x.refuse(
            f"{words.zh}须两人，{me}已署名，不能批准自己的；另一人可为{may.zh}",
            f"{words.en} takes two persons and {me} has signed, nobody approves their own; "
            f"another of {may.en}",
        )
    return x.refuse(
        f"{words.zh}已由{by.zh}批准，{me}现在可以发布",
        f"{words.en} was approved by {by.en}, {me} may release it now",
    )


def _jointly(x: Act, what: str, before: Sequence[Signed], waits: Sequence[str]) -> ActResult:
    """Which offices of a joint release have agreed, by whom, and who is waited for."""
    district, area, words = x.setting.district, x.case.area, grade_of(what).words()
    may = entitled(district, area, waits)
    if not (agreed := x.bench(what).agreed(before)):
        return x.refuse(
            f"{words.zh}须联合发布：先经{may.zh}同意，每家一人；电话同意的请写明批准人和文号",
            f"{words.en} is a joint release: {may.en} must agree first, one of each; if by telephone, "
            "name approver and reference",
        )
    yes = names(district.policy, agreed)
    by = joined(dict.fromkeys(s.by for s in before), Text("、", ", "))
    return x.refuse(
        f"{words.zh}须联合发布：{yes.zh}已同意（{by.zh}），待{may.zh}",
        f"{words.en} is a joint release: {yes.en} agreed ({by.en}), it waits for {may.en}",
    )


def _others(x: Act, offices: Sequence[str]) -> Text:
    """Who of these offices may, but for whoever asks."""
    return entitled(x.setting.district, x.case.area, offices, but=x.decision.by)


def approve(x: Act) -> ActResult:
    target = (x.named & x.case.whole) if x.named else x.case.whole
    whats = between(x.case.force, target)
    if not whats:
        return x.already(RELEASES, "没有待批准的内容", "nothing waits to be approved")
    mine = [w for w in whats if x.power(w) in ("decides", "phone")]
    if any(x.bench(w).joint and x.adds(w) and x.enough(w, x.signed(w)) for w in mine):
        return release(x)._replace(act="release")  # the last of the offices has agreed
    if not mine:
        return _short(x, whats[-1]) if x.power(whats[-1]) else x.barred(whats[-1])
    fresh = [
        w
        for w in mine
        if (x.adds(w) if x.bench(w).joint else not any(_decides(x, w, s) for s in _names(x, w)))
    ]
    if not fresh and (waits := x.bench(mine[-1]).awaited(_names(x, mine[-1]))):
        return _jointly(x, mine[-1], _names(x, mine[-1]), waits)
    if not fresh:
        by = joined(dict.fromkeys(s.by for s in _names(x, mine[-1])), Text("、", ", "))
        me = x.decision.by
        if me in {s.by for s in _names(x, mine[-1])}:
            may = _others(x, (*deciders(x.who(mine[-1])), *x.who(mine[-1]).through))
            words = Text(
                f"{by.zh}已批准，请另一人发布：{may.zh}",
                f"{by.en} approved it, another person releases it: {may.en}",
            )
        else:
            words = Text(
                f"{by.zh}已批准，{me}现在可以发布", f"{by.en} approved it, {me} may release it now"
            )
        return ActResult("already", "approve", words)
    x.case.ask_again(_sum(fresh))
    for what in fresh:
        x.sign(what)
    rest = _rest(x, fresh[-1:])
    return x.done(f"已记录批准{rest.zh}", f"approval recorded{rest.en}")


def propose(x: Act) -> ActResult:
    whats = [w for w in x.open if x.power(w)]
    if not whats:
        return (
            x.barred(x.open[-1]) if x.open else x.refuse("没有可提请的内容", "nothing to propose")
        )
    x.case.ask_again(_sum(whats))
    for what in whats:
        x.case.question(what, ask(x.setting, x.case, what, x.now, (x.mine,)))
    return x.done("已提请", "proposed")


def raise_(x: Act) -> ActResult:
    force = x.case.force
    if not x.named.exceeds(force):
        zh, en = "不高于现行等级和指令", "it is not above what is in force"
        return x.already(RELEASES, zh, en) if x.named else x.refuse(zh, en)
    above = x.named.above(force)
    whats = _tops(above)
    if wrong := [w for w in whats if not x.power(w)]:
        return x.barred(wrong[0])
    out, short = _split(x, above)
    left = [w for w in short if x.power(w) and x.mine not in _names(x, w)]
    left = [w for w in left if not x.bench(w).joint or x.adds(w) or x.power(w) == "helps"]
    if not out and not left and (waits := x.bench(short[-1]).awaited(_names(x, short[-1]))):
        return _jointly(x, short[-1], _names(x, short[-1]), waits)
    if not out and not left:
        words = Text("已提请，待另一人", "proposed already, another person must agree")
        return ActResult("already", "raise", words)
    x.issue(out)
    x.case.order(out, above.above(out))
    for what in left:
        x.sign(what)
    rest, words = _rest(x, short), (out or above).words()
    if not out:
        return x.done(f"已提请{words.zh}{rest.zh}", f"{words.en} proposed{rest.en}")
    return x.done(f"已下达{words.zh}{rest.zh}", f"{words.en} ordered{rest.en}")


def _tops(grade: Grade) -> list[str]:
    """The level and the action of a grade."""
    found = (LEVEL_KEY.get(grade.level), ACTION_KEY.get(grade.action))
    return [key for key in found if key is not None]


def _names(x: Act, what: str) -> tuple[Signed, ...]:
    return x.case.asks[what].signed if what in x.case.asks else ()


def escalate(x: Act) -> ActResult:
    whats = [w for w in x.open if w in x.case.asks and x.case.asks[w].waits]
    mine = [w for w in whats if x.power(w)]
    if not mine:
        return x.barred(whats[-1]) if whats else x.refuse("没有待决定的内容", "nothing waits")
    district, moved = x.setting.district, []
    for what in mine:
        old, who = x.case.asks[what], x.who(what)
        chain, at = steps(district, x.case.area, who), old.step
        waits = joint.awaited(district, x.case.area, who, old.signed)
        if waits:  # the other office is asked already: next is the chain
            at = max(at, joint.own_steps(who, chain) - 1)
        if at + 1 < len(chain):
            step = chain[at + 1]
            until = x.now + step.within_ms
            if waits and joint.goes_alone(what, who):  # to ask more people makes it no later
                until = min(until, old.deadline_at)
            x.case.question(what, Ask(until, at + 1, signed=old.signed))
            moved.append(step)
    if not moved:
        return x.refuse("已问到最后一级", "the last of the chain is asked already")
    to = entitled(district, x.case.area, moved[-1].offices)
    return x.done(f"已上报{to.zh}", f"{to.en} asked")


def override(x: Act) -> ActResult:
    force, whole = x.case.force, x.case.whole
    target = x.named or whole
    if not target.exceeds(force):
        return x.already(RELEASES, "不高于现行等级和指令", "it is not above what is in force")
    district, area = x.setting.district, x.case.area
    above, over = target.above(force), []
    for what in _tops(above):
        who = x.who(what)
        alone = not (who.two_persons or who.joint)
        offices = (*who.by, *who.override) if alone else who.override
        if x.decision.by not in {o.id for o in officers(district, area, offices)}:
            return x.barred(what, who.override or deciders(who))
        over += [o.id for o in officers(district, area, deciders(who)) if o.duty]
    x.case.overrule(target, above if target.exceeds(whole) else Grade())
    words = above.words()
    told = tuple(dict.fromkeys(o for o in over if o != x.decision.by))
    return x.done(
        f"紧急情况下先行发布{words.zh}，已报{'、'.join(told) or '无人'}",
        f"{words.en} released in an emergency, {', '.join(told) or 'nobody'} told",
        notified=told,
    )
