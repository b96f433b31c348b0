"""One area and one hazard: the memory of what was heard and decided, and the deadlines under which
somebody must decide. `dispatch.decide.versions` makes the warning's versions of it."""

from typing import NamedTuple

import msgspec

from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection
from dispatch.decide.authority import names, steps
from dispatch.decide.policy import (
    Hold,
    Need,
    Saying,
    Signed,
    Standing,
    authority,
    needed,
    say,
    settle,
)
from dispatch.grade import Grade, Reason, grade_of
from dispatch.records import Alert


class Setting(NamedTuple):
    """What a case is decided under. rehearsed: an exercise whose policy releases at once."""

    district: District
    live: bool

    @property
    def rehearsed(self) -> bool:
        return not self.live and self.district.policy.exercise_releases


class Ask(msgspec.Struct, frozen=True):
    """Somebody must decide on one level or action by a deadline. step: how far the question has gone
    along the chain. held: it came to nothing by default. returned: somebody must mend it first."""

    deadline_at: int
    step: int = 0
    held: bool = False
    returned: bool = False
    signed: tuple[Signed, ...] = ()
    outside: bool = False  # begun on another authority's word: our own evidence begins anew

    @property
    def waits(self) -> bool:
        return not (self.held or self.returned)


class LastAct(msgspec.Struct, frozen=True):
    """The last act that changed what is in force, or stopped what waited."""

    act: str
    by: str
    version: int
    at: int


class Case(msgspec.Struct):
    """One area and hazard. `alert` is the newest version of the open warning."""

    area: str
    hazard: str
    said: dict[str, Saying] = {}
    level: Hold = msgspec.field(default_factory=Hold)
    action: Hold = msgspec.field(default_factory=Hold)
    sure_level: Hold = msgspec.field(default_factory=Hold)
    sure_action: Hold = msgspec.field(default_factory=Hold)
    standing: Standing = Standing()
    asks: dict[str, Ask] = {}
    alert: Alert | None = None
    done: LastAct | None = None
    last_id: str = ""
    last_sent_at: int = 0
    told_until: int = 0  # when the last public word of the open warning runs out

    @property
    def need(self) -> Need:
        """What the evidence asks for, with the holds."""
        whole = Grade(Level(self.level.value), Action(self.action.value))
        sure = Grade(Level(self.sure_level.value), Action(self.sure_action.value))
        return Need(whole, sure & whole)

    @property
    def whole(self) -> Grade:
        """What the evidence asks for, or a person proposes."""
        return self.need.whole | self.standing.asked

    @property
    def heard(self) -> Need:
        """What the rules say at this moment."""
        whole = Grade(Level(self.level.raw), Action(self.action.raw))
        return Need(whole, Grade(Level(self.sure_level.raw), Action(self.sure_action.raw)))

    @property
    def own(self) -> Grade:
        """What our own rules say at this moment, without other authorities."""
        own = Grade()
        for s in self.said.values():
            if not s.detection.outside:
                own |= Grade(s.detection.level, s.detection.action)
        return own

    @property
    def force(self) -> Grade:
        """What the open warning has in force."""
        return Grade(self.alert.level, self.alert.action) if self.alert else Grade()

    def hear(self, detection: Detection) -> bool:
        """Take a rule's statement; False when it was heard before."""
        saying = say(self.said.get(detection.rule), detection)
        if saying is None:
            return False
        self.said[detection.rule] = saying
        need, at = needed(self.said.values()), detection.detected_at
        self.level.hear(need.whole.level, at)
        self.action.hear(need.whole.action, at)
        self.sure_level.hear(need.sure.level, at)
        self.sure_action.hear(need.sure.action, at)
        self.standing = settle(self.standing, self.need, self.heard, self.own)
        return True

    def restart_holds(self, at: int) -> None:
        """The silence before `at` was no evidence of absence."""
        for hold in (self.level, self.action, self.sure_level, self.sure_action):
            hold.restart(at)

    def fall(self, complete_at: int, hold_s: int) -> None:
        """The group was heard up to `complete_at`."""
        for hold in (self.level, self.action, self.sure_level, self.sure_action):
            hold.fall(complete_at, hold_s * 1000)
        self.standing = settle(self.standing, self.need, self.heard, self.own)


class Due(NamedTuple):
    """What a deadline set off."""

    what: str
    act: str  # release, hold, escalate or propose
    reason: Reason


def ask(setting: Setting, case: Case, what: str, now: int, signed: tuple[Signed, ...] = ()) -> Ask:
    """The question put from the beginning."""
    foreign = any(s.detection.outside for s in case.said.values())
    who = authority(setting.district.policy, case.hazard, what)
    first = steps(setting.district, case.area, who)[0]
    outside = foreign and grade_of(what).exceeds(case.own)
    return Ask(now + first.within_ms, signed=signed, outside=outside)


def asked(setting: Setting, case: Case, what: str, now: int) -> Ask:
    """The question that is open, or a new one: a word from outside has not used up its time."""
    old = case.asks.get(what)
    if old is not None and (not old.outside or grade_of(what).exceeds(case.own)):
        return old
    return ask(setting, case, what, now, old.signed if old else ())


def due(setting: Setting, case: Case, now: int) -> list[Due]:
    """What comes of the deadlines that have passed: the next in the chain is asked, and behind the
    last the default is carried out. Nothing that rests on suspect values alone is released, and
    nothing that somebody approved is let go: they are asked again."""
    out = []
    for what, old in list(case.asks.items()):
        if old.held or old.deadline_at > now:
            continue
        act, new, reason = _next(setting, case, what, old, now)
        case.asks[what] = new
        out.append(Due(what, act, reason))
    return out


def _next(setting: Setting, case: Case, what: str, old: Ask, now: int) -> tuple[str, Ask, Reason]:
    policy = setting.district.policy
    who, grade = authority(policy, case.hazard, what), grade_of(what)
    chain, words = steps(setting.district, case.area, who), grade.words()
    late = Reason(f"{words.zh}到期无人决定", f"nobody decided on {words.en} in time")
    if old.returned:
        reason = Reason(f"{words.zh}退回后无人补正", f"nobody mended {words.en} in time")
        to = names(policy, chain[0].offices)
        reason = Reason(f"{reason.zh}，再报{to.zh}", f"{reason.en}, {to.en} is asked again")
        return "propose", ask(setting, case, what, now), reason
    if old.step + 1 < len(chain):
        step = chain[old.step + 1]
        to = names(policy, step.offices)
        moved = msgspec.structs.replace(old, deadline_at=now + step.within_ms, step=old.step + 1)
        return "escalate", moved, Reason(f"{late.zh}，上报{to.zh}", f"{late.en}, {to.en} is asked")
    default = who.default
    if grade.exceeds(case.need.sure | case.standing.asked) or (default == "hold" and old.signed):
        default = "repeat"
    if default == "release":
        case.standing = case.standing.uncapped(grade, case.whole)
        return (
            "release",
            old,
            Reason(f"{late.zh}，按规定默认发布", f"{late.en}, released by default"),
        )
    if default == "hold":
        held = msgspec.structs.replace(old, held=True)
        return "hold", held, Reason(f"{late.zh}，按规定暂不发布", f"{late.en}, held by default")
    to = names(policy, chain[0].offices)
    again = Reason(f"{late.zh}，从头再报{to.zh}", f"{late.en}, {to.en} is asked again")
    return "escalate", ask(setting, case, what, now, old.signed), again
