"""A person's act, the warning it is upon, and the questions that every act asks: what waits, who may
decide on it, whose names are under it. Pure."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from config.language import Text
from config.records.authority import Authority
from dispatch.decide.asking.deadlines import Due
from dispatch.decide.authority import Bench, Power, complete, deciders, entitled, power
from dispatch.decide.case import Case, Setting, sign
from dispatch.decide.policy import Signed, authority
from dispatch.grade import LEVEL_KEY, Grade, between, grade_of, sentence
from dispatch.records import Alert, Decision
from dispatch.words.local_time import local

RELEASES = ("release", "raise", "override")


class ActResult(NamedTuple):
    """What came of an act, which act that makes it (the first of two releases is an approval), and
    which officers are told of it because they were passed over."""

    outcome: Literal["done", "already", "refused"]
    act: str
    words: Text
    notified: tuple[str, ...] = ()

    def upon(self, decision: Decision) -> Decision:
        """The act with what came of it, as the ledger has it."""
        words = sentence((self.words,))
        return msgspec.structs.replace(decision, act=self.act, outcome=self.outcome, answer=words)


def asks_alone(person: tuple[Decision, ActResult] | None, acts: Sequence[Due]) -> bool:
    """Is all that was done that a question was put to the next, or anew?"""
    if person is not None:
        return person[1].act == "escalate"
    return bool(acts) and all(one.act in ("escalate", "propose") for one in acts)


def acts_of(
    alert: Alert, act: str, person: tuple[Decision, ActResult] | None, acts: Sequence[Due]
) -> Iterator[Decision]:
    """A decision for each act that a version stands for. act: what the policy did in it."""
    made = Decision(
        area=alert.area,
        hazard=alert.hazard,
        act="release",
        by="policy",
        decided_at=alert.sent_at,
        reason=alert.reason,
        alert=alert.id,
        version=alert.version,
        level=alert.level,
        action=alert.action,
    )
    if person is not None:
        decision = msgspec.structs.replace(person[0], alert=alert.id, version=alert.version)
        yield person[1].upon(decision)
        return
    for one in acts:
        grade = grade_of(one.what)
        yield msgspec.structs.replace(
            made,
            act=one.act,
            reason=sentence((one.reason,)),
            level=grade.level,
            action=grade.action,
        )
    # what a deadline let out is written above; anything else is the policy's own act
    if act and not (act == "release" and any(a.act == "release" for a in acts)):
        yield msgspec.structs.replace(made, act=act)


class Act(NamedTuple):
    """An act, the warning it is upon, and how to ask who may do it."""

    setting: Setting
    case: Case
    decision: Decision
    now: int

    @property
    def named(self) -> Grade:
        return Grade(self.decision.level, self.decision.action)

    @property
    def mine(self) -> Signed:
        d = self.decision
        return Signed(d.by, d.approver, d.reference)

    @property
    def open(self) -> list[str]:
        """What waits or was stopped, lowest first."""
        return between(self.case.force, self.case.whole)

    def who(self, what: str) -> Authority:
        return authority(self.setting.district.policy, self.case.hazard, what)

    def power(self, what: str, offices: Sequence[str] = ()) -> Power:
        who = self.who(what)
        return power(self.setting.district, self.case.area, who, offices, self.mine)

    def enough(self, what: str, signed: Sequence[Signed], offices: Sequence[str] = ()) -> bool:
        who = self.who(what)
        return complete(self.setting.district, self.case.area, who, offices, signed)

    def signed(self, what: str) -> tuple[Signed, ...]:
        """The names under it, with this one."""
        before = self.case.asks[what].signed if what in self.case.asks else ()
        return before if self.mine in before else (*before, self.mine)

    def sign(self, what: str) -> None:
        """Put this name under it; what was stopped or returned is asked again."""
        one = sign(self.setting, self.case, what, self.now, self.signed(what))
        self.case.question(what, one)

    def bench(self, what: str) -> Bench:
        """Whose names count on it."""
        return Bench.of(self.setting.district, self.case.area, self.who(what))

    def adds(self, what: str) -> bool:
        """Does this name bring what is asked on?"""
        old = self.case.asks.get(what)
        return self.bench(what).adds(old.signed if old is not None else (), self.mine)

    def issue(self, out: Grade) -> None:
        """Keep which offices let a colour out jointly; before `let_out`."""
        if key := LEVEL_KEY.get(out.level):
            self.case.issue(out.level, self.bench(key).agreed(self.signed(key)))

    def refuse(self, zh: str, en: str) -> ActResult:
        return ActResult("refused", self.decision.act, Text(zh, en))

    def done(self, zh: str, en: str, act: str = "", notified: tuple[str, ...] = ()) -> ActResult:
        return ActResult("done", act or self.decision.act, Text(zh, en), notified)

    def already(self, acts: Sequence[str], zh: str, en: str) -> ActResult:
        """`already` if somebody did just that before, else refused."""
        last = self.case.done
        if last is None or last.act not in acts:
            return self.refuse(zh, en)
        at = local(last.at, self.setting.district.timezone, "%H:%M")
        who = Text("系统", "the policy") if last.by == "policy" else Text(last.by, last.by)
        words = Text(
            f"{zh}：{who.zh}已于{at}办理（第{last.version}版）",
            f"{en}: {who.en} did it at {at} (version {last.version})",
        )
        return ActResult("already", self.decision.act, words)

    def barred(self, what: str, offices: Sequence[str] = ()) -> ActResult:
        """Refused for want of authority: who has it."""
        offices = offices or deciders(self.who(what))
        may = entitled(self.setting.district, self.case.area, offices)
        words = grade_of(what).words()
        return self.refuse(
            f"{self.decision.by}无权决定{words.zh}；有权的是{may.zh}",
            f"{self.decision.by} may not decide on {words.en}; {may.en} may",
        )
