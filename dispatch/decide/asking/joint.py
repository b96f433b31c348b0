"""Joint release (联合发布): offices that must all agree before a colour or an order goes out, and what
comes when one of them does not answer. Pure.

All are asked at once. When the first has agreed, those who have not are asked, and have
`Authority.second_s`. When that is over the district's rule decides (`Authority.alone`): out in the name of
those who agreed, on record, or on to the chain and round again. An order to move or to get ready is never
held for want of the second office: it goes out then, whatever the rule says, and whoever else is asked
meanwhile. Nor is it later for an office that agreed than it were for none.
"""

from collections.abc import Sequence

from config.language import Text
from config.records.authority import Authority
from config.records.district import District
from dispatch.decide.authority import Asked, Bench, names, officers
from dispatch.decide.policy import Signed
from dispatch.grade import ACTION_KEY, grade_of


def awaited(
    district: District, area: str, who: Authority, signed: Sequence[Signed]
) -> tuple[str, ...]:
    """The offices that are waited for; none before the first has agreed, and where one decides."""
    if not (who.joint and signed):
        return ()
    bench = Bench.of(district, area, who)
    return bench.awaited(signed) if bench.agreed(signed) else ()


def second_ms(who: Authority) -> int:
    """How long those who have not agreed are given, once one has."""
    return (who.second_s or who.deadline_s) * 1000


def own_steps(who: Authority, chain: Sequence[Asked]) -> int:
    """How many steps of the asking are of the offices themselves, before the chain begins."""
    return sum(set(s.offices) <= set(who.by) for s in chain)


def silence_at(who: Authority, chain: Sequence[Asked], step: int, deadline_at: int) -> int | None:
    """When it goes out by default if nobody says anything; None: it does not (epoch ms)."""
    if who.default != "release":
        return None
    return deadline_at + sum(s.within_ms for s in chain[step + 1 :])


def second(
    district: District, area: str, who: Authority, signed: Sequence[Signed]
) -> Asked | None:
    """Who is asked now that one office has agreed: all on duty of the others; None before that."""
    waits = awaited(district, area, who, signed)
    if not waits:
        return None
    on_duty = tuple(o.id for o in officers(district, area, waits) if o.duty)
    return Asked(on_duty, waits, second_ms(who))


def goes_alone(what: str, who: Authority) -> bool:
    """Does it go out in the name of those who agreed, when the others have not answered in time?"""
    return what in ACTION_KEY.values() or who.alone == "release"


def late_words(
    district: District, area: str, what: str, who: Authority, signed: Sequence[Signed]
) -> Text:
    """Who agreed, who did not answer, and what comes of it."""
    policy, bench = district.policy, Bench.of(district, area, who)
    yes, no = names(policy, bench.agreed(signed)), names(policy, bench.awaited(signed))
    words, minutes = grade_of(what).words(), second_ms(who) // 60_000
    told = Text(
        f"{words.zh}须联合发布：{yes.zh}已同意，{no.zh}{minutes}分钟内未答复",
        f"{words.en} is a joint release: {yes.en} agreed, {no.en} did not answer within {minutes} min",
    )
    if not goes_alone(what, who):
        return told
    if who.alone == "release":
        rule = Text("按本区规定", "by the district's rule")
    else:
        rule = Text(f"{words.zh}不因第二家未答复而压下", "no order is held for want of the second")
    return Text(
        f"{told.zh}，{rule.zh}，由{yes.zh}单独发布，不是联合发布",
        f"{told.en}; {rule.en}, it goes out in the name of {yes.en} alone, and not jointly",
    )
