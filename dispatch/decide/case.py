"""One area and one hazard: the memory of what was heard and decided, and the deadlines under which
somebody must decide. `dispatch.decide.versions` makes the warning's versions of it.

A case has one owner, this file. All others read it, and what changes it is one of its transitions,
the methods below `# --- transitions`; it takes no assignment, its parts are frozen, and what it maps
is replaced and never written to. Which act of a person asks for which transition stands in
`dispatch.decide.acts.release` and `withdraw`, which state may follow on which in `lifecycle`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection
from dispatch.decide.asking import joint
from dispatch.decide.authority import Asked, Bench, steps
from dispatch.decide.policy import (
    Ending,
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
from dispatch.grade import Grade, grade, grade_of
from dispatch.records import Alert, Question
from stream.limits import LAST_AT


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


class Case(msgspec.Struct, frozen=True):
    """One area and hazard. `alert` is the newest version of the open warning."""

    area: str
    hazard: str
    said: Mapping[str, Saying] = {}
    level: Hold = Hold()
    action: Hold = Hold()
    sure_level: Hold = Hold()
    sure_action: Hold = Hold()
    standing: Standing = Standing()
    asks: Mapping[str, Ask] = {}
    alert: Alert | None = None
    done: LastAct | None = None
    last_id: str = ""
    last_sent_at: int = 0
    told_until: int = 0  # when the last public word of the open warning runs out
    happened_at: int = 0  # when the fact came about that a person told of here; 0: none was told
    # the highest colour that offices let out jointly, and which offices
    issued: tuple[Level, tuple[str, ...]] = (Level.NONE, ())

    @property
    def need(self) -> Need:
        """What the evidence asks for, with the holds."""
        whole = grade(self.level.value, self.action.value)
        return Need(whole, grade(self.sure_level.value, self.sure_action.value) & whole)

    @property
    def whole(self) -> Grade:
        """What the evidence asks for, or a person proposes."""
        return self.need.whole | self.standing.asked

    @property
    def heard(self) -> Need:
        """What the rules say at this moment."""
        whole = grade(self.level.raw, self.action.raw)
        return Need(whole, grade(self.sure_level.raw, self.sure_action.raw))

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

    # --- transitions

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            msgspec.structs.force_setattr(self, name, value)

    def hear(self, detection: Detection) -> bool:
        """Take a rule's statement; False when it was heard before."""
        before = self.said.get(detection.rule)
        saying = say(before, detection)
        if saying is None:
            return False
        self._set(said={**self.said, detection.rule: saying})
        need, at = needed(self.said.values()), detection.detected_at
        self._set(
            level=self.level.hear(need.whole.level, at),
            action=self.action.hear(need.whole.action, at),
            sure_level=self.sure_level.hear(need.sure.level, at),
            sure_action=self.sure_action.hear(need.sure.action, at),
        )
        if detection.inferred and before is not None and before.sinks(detection):
            self._retract()
        self._settle()
        return True

    def _retract(self) -> None:
        """A conclusion that no longer holds goes at once, as far as nobody has let it out."""
        self._set(
            level=self.level.retract(max(self.sure_level.value, self.force.level)),
            action=self.action.retract(max(self.sure_action.value, self.force.action)),
        )

    def restart_holds(self, at: int) -> None:
        """The silence before `at` (event time, ms) was no evidence of absence."""
        self._set(**{name: getattr(self, name).restart(at) for name in _HOLDS})

    def fall(self, complete_at: int, hold_s: int) -> None:
        """The group was heard up to `complete_at` (event time, ms)."""
        self._set(**{name: getattr(self, name).fall(complete_at, hold_s * 1000) for name in _HOLDS})
        self._settle()

    def _settle(self) -> None:
        self._set(standing=settle(self.standing, self.need, self.heard, self.own))

    def question(self, what: str, one: Ask) -> None:
        """Put this question about `what`, in place of the one that was open."""
        self._set(asks={**self.asks, what: one})

    def questions(self, every: Mapping[str, Ask]) -> None:
        """These are open, and no others."""
        self._set(asks=every)

    def keep_out(self, force: Grade) -> None:
        """What is out stays out as long as the evidence asks for it, even if it rests on less."""
        granted = self.standing.granted | force
        self._set(standing=msgspec.structs.replace(self.standing, granted=granted))

    def let_out(self, out: Grade, again: Grade) -> None:
        """`out` is let out, whatever stopped it; `again` is asked about in spite of a cap."""
        standing = self.standing.uncapped(out, self.whole)
        self._set(standing=standing.reopened(again) if again else standing)

    def issue(self, level: Level, offices: tuple[str, ...]) -> None:
        """A colour was let out jointly by these offices; (): by the district's own."""
        self._set(issued=(level, offices))

    def ask_again(self, what: Grade) -> None:
        """It is asked about in spite of a cap, and no end waits for a second name."""
        self._set(standing=self.standing.reopened(what))

    def order(self, out: Grade, waits: Grade) -> None:
        """A person orders `out`, with or without evidence; `waits` of it needs another name."""
        standing = self.standing.uncapped(out, self.whole)
        asked = (standing.asked | waits).above(out)
        ordered = standing.ordered | out
        self._set(standing=msgspec.structs.replace(standing, ordered=ordered, asked=asked))

    def tell(self, happened_at: int) -> None:
        """A person tells a fact here, and when it came about."""
        self._set(happened_at=happened_at)

    def overrule(self, out: Grade, ordered: Grade) -> None:
        """`out` is let out in another's place; `ordered` of it without evidence."""
        standing = self.standing.uncapped(out, self.whole)
        ordered |= standing.ordered
        self._set(standing=msgspec.structs.replace(standing, ordered=ordered))

    def cap(self, at: Grade, act: str) -> None:
        """Nothing above `at` and what capped it before, by the act `act`, until the rules say more."""
        self._set(standing=self.standing.capped(at & self.standing.cap, self.heard, act))

    def end_by_two(self, end: Ending | None) -> None:
        """An end or fall waits for a second name; None: no longer."""
        self._set(standing=msgspec.structs.replace(self.standing, ending=end))

    def publish(self, alert: Alert, *, told: bool) -> None:
        """The next version of the warning. told: the village hears it, and until when it counts."""
        until = alert.expires_at if told else self.told_until
        self._set(alert=alert, last_id=alert.id, last_sent_at=alert.sent_at, told_until=until)

    def close(self, alert: Alert) -> None:
        """Its last version. A person's cap goes on until the evidence says more: the same evidence
        opens nothing new."""
        none, standing = Grade(), self.standing
        act = "closed" if standing.act == "cancel" else standing.act
        standing = msgspec.structs.replace(
            standing, granted=none, ordered=none, asked=none, act=act, again=none, ending=None
        )
        self._set(standing=standing)
        self._gone(alert)
        self._set(told_until=0)

    def void(self, alert: Alert) -> None:
        """Its last version, for it was none of this run: nothing that was let out is kept, but what
        persons ordered."""
        standing = msgspec.structs.replace(self.standing, granted=Grade(), ending=None)
        self._set(standing=standing)
        self._gone(alert)

    def _gone(self, alert: Alert) -> None:
        last = {"last_id": alert.id, "last_sent_at": alert.sent_at}
        self._set(alert=None, asks={}, happened_at=0, issued=(Level.NONE, ()), **last)

    def remember(self, done: LastAct) -> None:
        """What changed what is in force, or stopped what waited."""
        self._set(done=done)


_HOLDS = ("level", "action", "sure_level", "sure_action")


def ask(setting: Setting, case: Case, what: str, now: int, signed: tuple[Signed, ...] = ()) -> Ask:
    """The question put from the beginning."""
    foreign = any(s.detection.outside for s in case.said.values())
    who = authority(setting.district.policy, case.hazard, what)
    first = steps(setting.district, case.area, who)[0]
    outside = foreign and grade_of(what).exceeds(case.own)
    second = joint.second(setting.district, case.area, who, signed)
    return Ask(now + (second or first).within_ms, signed=signed, outside=outside)


def asked(setting: Setting, case: Case, what: str, now: int) -> Ask:
    """The question that is open, or a new one: a word from outside has not used up its time."""
    old = case.asks.get(what)
    if old is not None and (not old.outside or grade_of(what).exceeds(case.own)):
        return old
    return ask(setting, case, what, now, old.signed if old else ())


def step_of(setting: Setting, case: Case, what: str) -> Asked:
    """Who is asked about it now. The chain may have become shorter since."""
    who, one = authority(setting.district.policy, case.hazard, what), case.asks[what]
    chain = steps(setting.district, case.area, who)
    step = chain[min(one.step, len(chain) - 1)]
    if set(step.offices) <= set(who.by):  # of a joint release, those who have not agreed
        step = joint.second(setting.district, case.area, who, one.signed) or step
    return step


def sign(setting: Setting, case: Case, what: str, now: int, signed: tuple[Signed, ...]) -> Ask:
    """The question with these names under it: put anew where it was stopped, and with time for the
    other offices of a joint release when the first of them has agreed."""
    old, district = case.asks.get(what), setting.district
    who = authority(district.policy, case.hazard, what)
    waits = joint.awaited(district, case.area, who, signed)
    if waits and (old is None or waits != joint.awaited(district, case.area, who, old.signed)):
        return Ask(min(now + joint.second_ms(who), _out_by(setting, case, what, old)), signed=signed)
    if old is not None and old.waits:
        return msgspec.structs.replace(old, signed=signed)
    return ask(setting, case, what, now, signed)


def _out_by(setting: Setting, case: Case, what: str, old: Ask | None) -> int:
    """When it goes out whether or not one more agrees now, as far as an agreement may not move that: of an
    order what silence would make of it, and what an earlier agreement did."""
    district, who = setting.district, authority(setting.district.policy, case.hazard, what)
    if old is None or not old.waits or not joint.goes_alone(what, who):
        return LAST_AT
    if joint.awaited(district, case.area, who, old.signed):
        return old.deadline_at
    if grade_of(what).exceeds(case.need.sure | case.standing.asked):  # never by default
        return LAST_AT
    chain = steps(district, case.area, who)
    return joint.silence_at(who, chain, old.step, old.deadline_at) or LAST_AT


def questions(setting: Setting, case: Case, wanted: Sequence[str]) -> tuple[Question, ...]:
    """What a version says is asked: `wanted`, and an end that waits for a second name."""
    out = []
    for what in wanted:
        one = case.asks[what]
        if not one.held:
            called = step_of(setting, case, what).officers if one.waits else ()
            who = authority(setting.district.policy, case.hazard, what)
            bench = Bench.of(setting.district, case.area, who)
            out.append(
                Question(
                    what=what,
                    called=called,
                    deadline_at=one.deadline_at,
                    signed=_once(s.by for s in one.signed),
                    phoned=_once(s.by for s in one.signed if s.by_phone),
                    agreed=bench.agreed(one.signed),
                    awaited=bench.awaited(one.signed),
                )
            )
    end = case.standing.ending
    if end is not None:
        to = end.target
        out.append(
            Question(
                what=end.act,
                signed=tuple(s.by for s in end.signed),
                phoned=tuple(s.by for s in end.signed if s.by_phone),
                to_level=to.level if to.level < case.force.level else Level.NONE,
                to_action=to.action if to.action < case.force.action else Action.NONE,
            )
        )
    return tuple(out)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
