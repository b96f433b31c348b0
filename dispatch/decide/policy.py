"""The pure core of deciding: what the evidence asks for, how it may fall, and what may go out.

Three steps, each a small function of its arguments:

1. `needed`: the rules' latest statements about one area and hazard -> what they ask for (`whole`)
   and how much of it rests on more than suspect values (`sure`).
2. `Hold`: each scale goes up at once and comes down only after a hold time of event time.
3. `in_force`: by the district's policy and by what people decided -> what is in force.

Level and action are two scales and never wait for each other.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from config.records.authority import Authority, Policy
from config.records.level import BY_PERSON, Action, Level
from detectors.detection import Detection
from dispatch.grade import ACTION_KEY, LEVEL_KEY, ORDER, TOP, Grade, between

_MOVING = frozenset({"red", *ACTION_KEY.values()})  # what makes people move
# suspect evidence waits this long for a second sign before a person is called again
SUSPECT_DEADLINE_S = 600


class Saying(msgspec.Struct, frozen=True):
    """A rule's latest statement, and how much of it rests on more than suspect values."""

    detection: Detection
    sure: Grade
    recent: tuple[str, ...] = ()  # ids heard, newest last: the same id again is a duplicate

    def sinks(self, new: Detection) -> bool:
        """Does the new statement ask for less?"""
        old = self.detection
        return Grade(old.level, old.action).exceeds(Grade(new.level, new.action))


_RECENT = 16


def say(before: Saying | None, detection: Detection) -> Saying | None:
    """Take a rule's new statement; None for one heard before.

    A suspect statement does not say how much of its level is sure. What was sure before stays so as
    far as the new statement still reaches it: doubt about one value takes nothing away from others.
    Its action is sure: detect itself lets suspect values alone ask for 准备转移 and no more, so a
    立即转移 beside a doubtful level rests on another station.
    """
    if before is not None and detection.id in before.recent:
        return None
    said = Grade(detection.level, detection.action)
    if detection.outside or detection.inferred:
        # another authority's word, or what silence says, is a proposal, whatever it says
        sure = Grade()
    elif not detection.suspect:
        sure = said
    else:
        level = min(before.sure.level, said.level) if before is not None else Level.NONE
        sure = Grade(level, said.action)
    recent = (*(before.recent if before is not None else ()), detection.id)[-_RECENT:]
    return Saying(detection, sure, recent)


class Need(NamedTuple):
    """What the evidence asks for now."""

    whole: Grade
    sure: Grade


def needed(sayings: Iterable[Saying]) -> Need:
    """The highest level and the highest action of all rules, and the sure part of them.

    Suspect evidence counts in full once another rule, on values that are not suspect, says at
    least yellow or prepare. Until then no colour goes out on it, only its action.

    Another authority's word (`outside`) is in `whole` alone: it neither is sure nor makes anything
    else so. What our own rules say beside it goes out as far as they say it. The same holds of what
    is concluded from silence (`inferred`).
    """
    sayings = list(sayings)
    whole, own, sure = Grade(), Grade(), Grade()
    for s in sayings:
        said = Grade(s.detection.level, s.detection.action)
        whole |= said
        own |= Grade() if s.detection.outside or s.detection.inferred else said
        sure |= s.sure
    second = any(
        not (s.detection.suspect or s.detection.outside or s.detection.inferred)
        and (s.detection.level >= Level.YELLOW or s.detection.action >= Action.PREPARE)
        for s in sayings
    )
    return Need(whole, own if second else sure)


class Hold(msgspec.Struct, frozen=True):
    """One scale: up at once, down only after the lower value was kept for the hold time.

    value: what holds now. raw: what was heard last, since raw_at (event time; heard_at: the latest
    that was heard of). low_at: since when everything heard was below `value`; peak: the highest of
    it.
    """

    value: int = 0
    raw: int = 0
    raw_at: int = 0
    heard_at: int = 0
    low_at: int | None = None
    peak: int = 0

    def hear(self, raw: int, at: int) -> "Hold":
        """The evidence asks for `raw` from event time `at` on (ms)."""
        # of two rules the one that lags may clear last: it is clear since the later of the two
        heard_at = max(self.heard_at, at)
        raw_at = heard_at if raw != self.raw else self.raw_at
        if raw >= self.value:
            return Hold(raw, raw, raw_at, heard_at)
        if self.low_at is None:
            return Hold(self.value, raw, raw_at, heard_at, raw_at, raw)
        return Hold(self.value, raw, raw_at, heard_at, self.low_at, max(self.peak, raw))

    def restart(self, at: int) -> "Hold":
        """What was heard before `at` was no evidence of absence: count the hold from `at`."""
        low_at = None if self.low_at is None else max(self.low_at, at)
        return msgspec.structs.replace(self, raw_at=max(self.raw_at, at), low_at=low_at)

    def retract(self, at_least: int) -> "Hold":
        """What only a conclusion asked for was never there, and waits for no hold."""
        value = min(self.value, max(self.raw, at_least))
        low_at = None if self.raw >= value else self.low_at
        peak = 0 if low_at is None else min(self.peak, value)
        return msgspec.structs.replace(self, value=value, low_at=low_at, peak=peak)

    def fall(self, complete_at: int, hold_ms: int) -> "Hold":
        """Everything up to `complete_at` was heard: fall to the highest value of the hold."""
        value, low_at, peak = self.value, self.low_at, self.peak
        if low_at is None or complete_at < low_at + hold_ms:
            return self
        while low_at is not None and complete_at >= low_at + hold_ms:
            value = peak
            low_at, peak = (self.raw_at, self.raw) if self.raw < value else (None, 0)
        return msgspec.structs.replace(self, value=value, low_at=low_at, peak=peak)


class Signed(msgspec.Struct, frozen=True, array_like=True):
    """A name under a proposal, an approval or an end; or who wrote down that `approver` approved by
    telephone, and the number of that call."""

    by: str
    approver: str = ""
    reference: str = ""

    @property
    def by_phone(self) -> bool:
        return bool(self.approver and self.reference.strip())


class Ending(msgspec.Struct, frozen=True):
    """A fall or an end that a first person asked for and a second must confirm. `heard` is what the
    rules said then: more than that makes it void."""

    act: str  # lower or cancel
    target: Grade
    signed: tuple[Signed, ...]
    heard: Need


class Standing(msgspec.Struct, frozen=True):
    """What people and deadlines have decided about one area and hazard.

    granted: let out before, as far as the evidence still asks for it. ordered: a person's raise; it
    stands without evidence. asked: a person's raise that waits for somebody else. cap: not above
    this, by the act `act` (hold, reject, lower, cancel), until the rules say more than they did then
    (`muted` in whole, `known` of it sure). What they say less in between counts: evidence that came
    back is new. again: asked about in spite of the cap, which stays on what is in force. outside:
    another authority says so much, which is more than `muted`: only what is above that is asked.
    """

    granted: Grade = Grade()
    ordered: Grade = Grade()
    asked: Grade = Grade()
    cap: Grade = TOP
    muted: Grade = Grade()
    known: Grade = Grade()
    act: str = ""
    again: Grade = Grade()
    ending: Ending | None = None
    outside: Grade = Grade()

    def capped(self, at: Grade, heard: Need, act: str) -> "Standing":
        """Not above `at` from now on, until the rules say more than `heard`."""
        return Standing(
            granted=self.granted & at,
            ordered=self.ordered & at,
            asked=self.asked if act == "hold" else self.asked & at,
            cap=at,
            muted=heard.whole,
            known=heard.sure,
            act=act,
            again=self.again & at,
        )

    def granting(self, out: Grade) -> "Standing":
        """Let out `out` too; of what a person proposed it is now an order."""
        return msgspec.structs.replace(
            self,
            granted=self.granted | out,
            ordered=self.ordered | (self.asked & out),
            asked=self.asked.above(out),
        )

    def uncapped(self, out: Grade, whole: Grade) -> "Standing":
        """Let out `out` too. The cap rises to it, and goes where nothing of `whole` is left above."""
        cap = Grade(
            Level.RED if out.level >= whole.level else max(self.cap.level, out.level),
            Action.MOVE if out.action >= whole.action else max(self.cap.action, out.action),
        )
        cap = Grade(
            cap.level if out.level else self.cap.level,
            cap.action if out.action else self.cap.action,
        )
        act = "" if cap == TOP else self.act
        return msgspec.structs.replace(
            self.granting(out), cap=cap, act=act, again=self.again.above(out), ending=None
        )

    def reopened(self, what: Grade) -> "Standing":
        """Ask about `what` whatever the cap."""
        return msgspec.structs.replace(self, again=self.again | what, ending=None)


def settle(standing: Standing, need: Need, heard: Need, own: Grade | None = None) -> Standing:
    """Follow the evidence: what fell away must be granted anew, and new evidence ends a cap.

    need: with the holds. heard: what the rules say at this moment. own: what of it is not another
    authority's word (all of it when None): that word ends no cap, somebody is asked in spite of it.
    """
    own = heard.whole if own is None else own
    more_level = own.level > standing.muted.level or heard.sure.level > standing.known.level
    more_action = own.action > standing.muted.action or heard.sure.action > standing.known.action
    told = Grade(heard.whole.level) if heard.whole.level > standing.muted.level else Grade()
    cap = Grade(
        Level.RED if more_level else standing.cap.level,
        Action.MOVE if more_action else standing.cap.action,
    )
    end = standing.ending
    if end is not None and (
        heard.whole.exceeds(end.heard.whole) or heard.sure.exceeds(end.heard.sure)
    ):
        end = None
    return Standing(
        granted=standing.granted & need.whole,
        ordered=standing.ordered,
        asked=standing.asked,
        cap=cap,
        muted=standing.muted & heard.whole,
        known=standing.known & heard.sure,
        act="" if cap == TOP else standing.act,
        again=standing.again & need.whole,
        outside=Grade() if cap == TOP else told & need.whole,
        ending=end,
    )


def authority(policy: Policy, hazard: str, what: str) -> Authority:
    """Who may release `what` ("blue" … "red", "prepare", "move") of a hazard.

    What the policy does not name nobody releases. A crowd's red and its orders are never released by
    silence either: somebody is asked, again and again (config.records.level.BY_PERSON).
    """
    nobody = Authority(by=(), deadline_s=SUSPECT_DEADLINE_S, default="hold")
    table = policy.authority
    found = table.get(hazard, {}).get(what) or table.get("*", {}).get(what) or nobody
    if found.joint and not found.deadline_s:  # two cannot agree in no time: they are asked
        found = msgspec.structs.replace(found, deadline_s=SUSPECT_DEADLINE_S)
    if hazard not in BY_PERSON or what not in _MOVING:
        return found
    return msgspec.structs.replace(
        found,
        deadline_s=found.deadline_s or SUSPECT_DEADLINE_S,
        default="repeat" if found.default == "release" else found.default,
    )


def at_once(policy: Policy, rehearsed: bool, hazard: str, need: Grade) -> Grade:
    """The part of `need` that goes out without asking: under a standing authorisation
    (deadline 0), or all of it in an exercise that releases."""
    if rehearsed:
        return need
    level = max(
        (
            lv
            for lv, key in LEVEL_KEY.items()
            if lv <= need.level and authority(policy, hazard, key).deadline_s == 0
        ),
        default=Level.NONE,
    )
    action = max(
        (
            a
            for a, key in ACTION_KEY.items()
            if a <= need.action and authority(policy, hazard, key).deadline_s == 0
        ),
        default=Action.NONE,
    )
    return Grade(level, action)


def in_force(policy: Policy, rehearsed: bool, hazard: str, need: Need, standing: Standing) -> Grade:
    """What is in force: what goes out at once and what was granted, under the cap, or what a
    person ordered."""
    out = at_once(policy, rehearsed, hazard, need.sure) | (standing.granted & need.whole)
    return (out & standing.cap) | standing.ordered


def waiting(whole: Grade, force: Grade, standing: Standing) -> list[str]:
    """Which levels and actions are asked for that somebody must decide on, lowest first. What a
    person capped is decided, unless it is asked again."""
    again = standing.again | standing.asked
    ours = between(force, whole & (standing.cap | again))
    beyond = between(force | Grade(standing.muted.level), whole & standing.outside)
    return [what for what in ORDER if what in (*ours, *beyond)]
