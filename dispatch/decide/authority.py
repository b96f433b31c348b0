"""Who may decide in an area: officers by their offices, in the order in which they are asked, and
whether the names under an act are enough. Pure.

An officer of a deciding office decides. One of the offices in `through` may propose, write down an
approval given by telephone (that takes a second person, whatever the authority says), and release
what was approved. Where two persons are required nobody's own name counts twice.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from config.checks.officers import covers
from config.language import Text
from config.records.authority import Authority, Officer, Policy
from config.records.district import District
from dispatch.decide.policy import SUSPECT_DEADLINE_S, Signed

Power = Literal["", "helps", "phone", "decides"]


class Asked(NamedTuple):
    """One step of asking: who, of which offices, for how long."""

    officers: tuple[str, ...]
    offices: tuple[str, ...]
    within_ms: int


def deciders(who: Authority) -> tuple[str, ...]:
    """The offices that decide, those of the chain too."""
    return (*who.by, *(step.office for step in who.chain))


def enders(who: Authority) -> tuple[str, ...]:
    """The offices that may take it back."""
    return (*(who.ends or who.by), *(step.office for step in who.chain))


def officers(district: District, area: str, offices: Sequence[str]) -> list[Officer]:
    """Officers of these offices who act for the area; those on duty first, in order."""
    found = [
        o
        for o in district.officers.values()
        if o.office in offices and covers(o, district.areas[area])
    ]
    return sorted(found, key=lambda o: (o.duty == 0, o.duty, o.id))


def steps(district: District, area: str, who: Authority) -> list[Asked]:
    """Whom to ask one after the other: the authority's own offices, then the chain; of an office
    all with the same number on the duty list together. At least one step, if need be of nobody."""
    out = []
    first = who.deadline_s or SUSPECT_DEADLINE_S
    for offices, within_s in [(who.by, first), *(((s.office,), s.within_s) for s in who.chain)]:
        found = officers(district, area, offices)
        for duty in sorted({o.duty for o in found if o.duty}):
            asked = tuple(o.id for o in found if o.duty == duty)
            out.append(Asked(asked, offices, within_s * 1000))
    return out or [Asked((), who.by, first * 1000)]


def power(
    district: District, area: str, who: Authority, offices: Sequence[str], signed: Signed
) -> Power:
    """What a name is worth where `offices` decide: `decides`; `phone` for an approval that was
    written down; `helps` for a proposal or a second name; "" for nothing."""
    may = {o.id for o in officers(district, area, offices)}
    if signed.by in may:
        return "decides"
    if signed.by not in {o.id for o in officers(district, area, who.through)}:
        return ""
    by_phone = signed.approver in may and signed.reference.strip()
    return "phone" if by_phone else "helps"


def complete(
    district: District,
    area: str,
    who: Authority,
    offices: Sequence[str],
    signed: Sequence[Signed],
) -> bool:
    """Are these names enough?"""
    worth = {s: power(district, area, who, offices, s) for s in signed}
    persons = {s.by for s, p in worth.items() if p}
    if not {"decides", "phone"} & set(worth.values()):
        return False
    two = who.two_persons or "decides" not in worth.values()
    return len(persons) >= (2 if two else 1)


def names(policy: Policy, offices: Sequence[str]) -> Text:
    """The offices in words."""
    known = [policy.office[o] for o in dict.fromkeys(offices) if o in policy.office]
    return Text(
        "、".join(o.name for o in known) or "有权人员",
        " or ".join(o.name_en for o in known) or "somebody entitled",
    )


def entitled(district: District, area: str, offices: Sequence[str]) -> Text:
    """The offices in words, and the ids of their officers for this area."""
    words = names(district.policy, offices)
    ids = [o.id for o in officers(district, area, offices)]
    if not ids:
        return Text(f"{words.zh}（无人）", f"{words.en} (nobody)")
    return Text(f"{words.zh}（{'、'.join(ids)}）", f"{words.en} ({', '.join(ids)})")
