"""One area and one hazard: the memory of what was heard and decided, and the deadlines under which
somebody must decide. `dispatch.version` makes the warning's versions of it."""

from typing import NamedTuple

import msgspec

from config.district import Authority, District
from config.level import Action, Level
from detectors.detection import Detection
from dispatch.alert import Alert
from dispatch.policy import (
    Grade,
    Hold,
    Need,
    Reason,
    Saying,
    Standing,
    authority,
    grade_of,
    needed,
    say,
    settle,
)


class Setting(NamedTuple):
    """What a case is decided under. rehearsed: an exercise whose policy releases at once."""

    district: District
    live: bool

    @property
    def rehearsed(self) -> bool:
        return not self.live and self.district.policy.exercise_releases


class Ask(msgspec.Struct, frozen=True):
    """Somebody must decide on one level or action by a deadline."""

    deadline_at: int
    done: bool = False  # the default was carried out, or a person took it up
    escalated: bool = False


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
    last_id: str = ""
    last_sent_at: int = 0

    @property
    def need(self) -> Need:
        """What the evidence asks for, with the holds."""
        whole = Grade(Level(self.level.value), Action(self.action.value))
        sure = Grade(Level(self.sure_level.value), Action(self.sure_action.value))
        return Need(whole, sure & whole)

    @property
    def heard(self) -> Need:
        """What the rules say at this moment."""
        whole = Grade(Level(self.level.raw), Action(self.action.raw))
        return Need(whole, Grade(Level(self.sure_level.raw), Action(self.sure_action.raw)))

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
        self.standing = settle(self.standing, self.need, self.heard)
        return True

    def restart_holds(self, at: int) -> None:
        """The silence before `at` was no evidence of absence."""
        for hold in (self.level, self.action, self.sure_level, self.sure_action):
            hold.restart(at)

    def fall(self, complete_at: int, hold_s: int) -> None:
        """The group was heard up to `complete_at`."""
        for hold in (self.level, self.action, self.sure_level, self.sure_action):
            hold.fall(complete_at, hold_s * 1000)
        self.standing = settle(self.standing, self.need, self.heard)


class Due(NamedTuple):
    """The default that a deadline set off."""

    what: str
    act: str  # release, hold or escalate
    who: Authority
    reason: Reason


def due(setting: Setting, case: Case, now: int) -> list[Due]:
    """Carry out the defaults of the deadlines that have passed. Nothing that rests on suspect
    values alone is released by a deadline: somebody is called instead."""
    out = []
    need = case.need
    for what, ask in list(case.asks.items()):
        if ask.done or ask.deadline_at > now:
            continue
        who = authority(setting.district.policy, case.hazard, what)
        grade = grade_of(what)
        act: str = who.default
        if grade.exceeds(need.sure):
            act = "escalate"
        words = grade.words()
        if act == "release":
            case.standing = msgspec.structs.replace(
                case.standing, granted=case.standing.granted | grade
            )
            reason = Reason(
                f"{words.zh}到期无人决定，按规定默认发布",
                f"nobody decided on {words.en} in time, released by default",
            )
        elif act == "hold":
            reason = Reason(
                f"{words.zh}到期无人决定，按规定暂不发布",
                f"nobody decided on {words.en} in time, held by default",
            )
        else:
            to = who.escalate_to or who.by
            reason = Reason(
                f"{words.zh}到期无人决定，上报{to}",
                f"nobody decided on {words.en} in time, escalated to {to}",
            )
        case.asks[what] = Ask(ask.deadline_at, True, act == "escalate")
        out.append(Due(what, act, who, reason))
    return out
