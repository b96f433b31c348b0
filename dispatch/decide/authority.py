"""Who may decide in an area: officers by their offices, in the order in which they are asked, and
whether the names under an act are enough. Pure.

Of a joint release (联合发布) every office must agree by one of its officers, or one of the offices above
them decides; an approval by telephone counts for the office of whoever gave it.

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
from config.records.level import Action, Level
from dispatch.decide.policy import SUSPECT_DEADLINE_S, Signed, authority
from dispatch.grade import ACTION_KEY, LEVEL_KEY, Grade, between, grade_of
from dispatch.records import Alert, Question

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
    """What a name is worth where `offices` decide (none: those who release): `decides`; `phone` for
    an approval that was written down; `helps` for a proposal or a second name; "" for nothing."""
    return Bench.of(district, area, who, offices).power(signed)


def complete(
    district: District,
    area: str,
    who: Authority,
    offices: Sequence[str],
    signed: Sequence[Signed],
) -> bool:
    """Are these names enough?"""
    return Bench.of(district, area, who, offices).complete(signed)


class Bench(NamedTuple):
    """Whose names count on one question: the officers who decide, and those who propose, write down
    an approval by telephone and release what was approved."""

    decide: frozenset[str]
    through: frozenset[str]
    two_persons: bool
    joint: tuple[tuple[str, frozenset[str]], ...] = ()  # offices that must all agree: their officers

    @classmethod
    def of(
        cls, district: District, area: str, who: Authority, offices: Sequence[str] = ()
    ) -> "Bench":
        """offices: who decides, where it is an end; an end takes all of a joint release's offices too, or
        all of those that the policy names for it."""
        may = officers(district, area, offices or deciders(who))
        through = officers(district, area, who.through)
        joint = who.by if who.joint else ()
        if offices and who.ends:
            joint = tuple(o for o in joint if o in who.ends)
        return cls(
            frozenset(o.id for o in may),
            frozenset(o.id for o in through),
            who.two_persons,
            tuple((j, frozenset(o.id for o in may if o.office == j)) for j in joint),
        )

    def power(self, signed: Signed) -> Power:
        if signed.by in self.decide:
            return "decides"
        if signed.by not in self.through:
            return ""
        by_phone = signed.approver in self.decide and signed.by_phone
        return "phone" if by_phone else "helps"

    def complete(self, signed: Sequence[Signed]) -> bool:
        worth = {s: self.power(s) for s in signed}
        persons = {s.by for s, p in worth.items() if p}
        if not {"decides", "phone"} & set(worth.values()):
            return False
        two = self.two_persons or "decides" not in worth.values()
        return len(persons) >= (2 if two else 1) and not self.awaited(signed)

    def _deciding(self, signed: Sequence[Signed]) -> set[str]:
        """Whose word is under it: who signed, or who approved by telephone."""
        worth = {s: self.power(s) for s in signed}
        return {s.by if p == "decides" else s.approver for s, p in worth.items() if p not in ("", "helps")}

    def agreed(self, signed: Sequence[Signed]) -> tuple[str, ...]:
        """The offices of a joint release that have agreed."""
        word = self._deciding(signed)
        return tuple(office for office, ids in self.joint if ids & word)

    def awaited(self, signed: Sequence[Signed]) -> tuple[str, ...]:
        """The offices of a joint release that have yet to agree; none once one above them has decided."""
        word = self._deciding(signed)
        if word.difference(*(ids for _, ids in self.joint)):
            return ()
        return tuple(office for office, ids in self.joint if not ids & word)

    def adds(self, before: Sequence[Signed], mine: Signed) -> bool:
        """Is this name one that brings the question on?"""
        if self.power(mine) not in ("decides", "phone"):
            return False
        if waits := self.awaited(before):
            return self.awaited((*before, mine)) != waits
        return mine.by not in {s.by for s in before if self.power(s) in ("decides", "phone")}

    def under(self, question: Question) -> list[Signed]:
        """The names under a question, as they count here."""
        own = [Signed(s) for s in question.signed if s not in question.phoned]
        known = self.agreed(own)
        called = [
            min(ids, default="")  # whoever agreed may have left the list since
            for office, ids in self.joint
            if office in question.agreed and office not in known
        ]
        approvers = [a for a in called if a] or [next(iter(self.decide), "")]
        return own + [Signed(s, a, "-") for s in question.phoned for a in approvers]


def end_rows(
    policy: Policy, hazard: str, force: Grade, at: Grade, stopped: Sequence[str]
) -> list[tuple[str, tuple[str, ...]]]:
    """Whom it takes to bring what is in force down to `at`: those who may take back each of it, and
    those who decide on what waits above it (`stopped`)."""
    taken = force.above(at)
    back = [k for k in (LEVEL_KEY.get(taken.level), ACTION_KEY.get(taken.action)) if k]
    rows = [(w, enders(authority(policy, hazard, w))) for w in back]
    for w in stopped:
        who = authority(policy, hazard, w)
        rows.append((w, (*deciders(who), *enders(who))))
    return rows


def next_acts(district: District, alert: Alert, question: Question) -> dict[str, str]:
    """What each officer can do next for a question that is open: `release`, `approve` (the first of
    two names), `phone` (write down an approval given by telephone, and no more), `lower` or `cancel`
    (the second name). Who can do nothing now does not stand in it."""
    end = question.what in ("lower", "cancel")
    if end:
        benches = _ending(district, alert, question)
    else:
        who = authority(district.policy, alert.hazard, question.what)
        benches = [Bench.of(district, alert.area, who)]
    found = {}
    for officer in sorted(frozenset[str]().union(*(b.decide | b.through for b in benches))):
        again = not end and officer in benches[0].through and benches[0].awaited(benches[0].under(question))
        if officer in question.signed and not again:
            continue
        if all(b.complete([*b.under(question), Signed(officer)]) for b in benches):
            found[officer] = question.what if end else "release"
        elif end:
            # of offices that must all agree, each may give its name
            if any(b.joint and b.adds(b.under(question), Signed(officer)) for b in benches):
                found[officer] = question.what
        elif officer not in benches[0].decide:
            found[officer] = "phone"
        elif not benches[0].joint or benches[0].adds(benches[0].under(question), Signed(officer)):
            found[officer] = "approve"
    return found


def _ending(district: District, alert: Alert, question: Question) -> list[Bench]:
    at = Grade()
    if question.what == "lower":
        at = Grade(question.to_level or Level.RED, question.to_action or Action.MOVE)
    force = Grade(alert.level, alert.action)
    waits = {q.what for q in alert.questions}
    above = between(force, Grade(alert.proposed_level, alert.proposed_action))
    stopped = [w for w in above if question.what == "cancel" or w in waits]
    stopped = [w for w in stopped if grade_of(w).exceeds(at)]
    return [
        Bench.of(district, alert.area, authority(district.policy, alert.hazard, w), offices)
        for w, offices in end_rows(district.policy, alert.hazard, force, at, stopped)
    ]


def names(policy: Policy, offices: Sequence[str]) -> Text:
    """The offices in words."""
    known = [policy.office[o] for o in dict.fromkeys(offices) if o in policy.office]
    return Text(
        "、".join(o.name for o in known) or "有权人员",
        " or ".join(o.name_en for o in known) or "somebody entitled",
    )


def entitled(district: District, area: str, offices: Sequence[str], but: str = "") -> Text:
    """The offices in words, and the ids of their officers for this area. but: who does not count."""
    words = names(district.policy, offices)
    ids = [o.id for o in officers(district, area, offices) if o.id != but]
    if not ids:
        return Text(f"{words.zh}（无人）", f"{words.en} (nobody)")
    return Text(f"{words.zh}（{'、'.join(ids)}）", f"{words.en} ({', '.join(ids)})")
