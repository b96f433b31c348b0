"""The life of a warning, driven through the real stage `Decide` in any order, against a small model
that knows the district's rules of authority a second way: from the letters of the officers' ids.

K city, D district, T township, V village head, G and M the offices for debris flow, X a stranger.
"""

from collections import defaultdict
from itertools import pairwise

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Mark
from dispatch.decide.lifecycle import TABLE
from dispatch.ledger.decisions import broken
from dispatch.records import ACTS, Alert, Decision
from stream.records import Record
from tests.support.decide_district import OTHER, Line, act, mark, real, seen, silence, tick
from tests.support.examples import tried

AREAS = ("A01", "A02", "A06")
PEOPLE = ("K-01", "K-02", "K-09", "D-01", "D-02", "T-01", "V-01", "V-06", "G-01", "X-01", "")
UP = {"propose", "approve", "release", "raise"}  # acts that put a name under something
ENDED = ("cancelled", "expired")
HAZARD = st.sampled_from(["flash_flood"] * 4 + ["debris_flow"])
area = st.sampled_from(["A01", "A01", "A01", *AREAS])  # most of it in one place
person = st.sampled_from(PEOPLE)
DEFAULTS = ("repeat", "repeat", "hold", "release")


def district(default: str) -> District:
    """The real one, with another default where the city does not answer."""
    policy = real().policy
    rows = {
        what: msgspec.structs.replace(who, default=default) if who.deadline_s else who
        for what, who in policy.authority["*"].items()
    }
    table = {**policy.authority, "*": rows}
    return real(msgspec.structs.replace(policy, authority=table))


def of(letters: str, who: str) -> bool:
    return who[:1] in set(letters)


def home(who: str) -> tuple[str, ...]:
    """The areas a person acts for."""
    if of("V", who):
        return (f"A{who[2:]}",)
    return AREAS if of("KDTGM", who) else ()


Place = tuple[str, str]


class Life(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.minute = 0
        self.count = 0
        self.district = real()
        self.line = Line(self.district)
        self.newest: dict[Place, Alert] = {}
        self.states: dict[str, str] = {}  # alert id -> its state
        self.versions: dict[str, int] = {}
        self.names: dict[Place, dict[str, set[tuple[str, str]]]] = defaultdict(dict)
        self.ends: dict[Place, set[tuple[str, str]]] = defaultdict(set)
        self.caps: dict[Place, tuple[Level, Action]] = {}
        self.closed: set[str] = set()
        self.doubt = False

    @initialize(
        kind=st.sampled_from(["live"] * 4 + ["exercise"]), default=st.sampled_from(DEFAULTS)
    )
    def begin(self, kind: str, default: str) -> None:
        self.kind, self.default, self.district = kind, default, district(default)
        self.line = Line(self.district, kind)

    # --- what can happen
    @rule(where=area, hazard=HAZARD, level=st.sampled_from(Level), action=st.sampled_from(Action),
          suspect=st.sampled_from([False, False, False, True]),
          by=st.sampled_from(["rain_threshold", "stage_trend"]))  # fmt: skip
    def evidence(
        self, where: str, hazard: str, level: Level, action: Action, suspect: bool, by: str
    ) -> None:
        self.count += 1
        doubt = suspect and level > Level.NONE
        self.doubt |= doubt
        self.caps.pop((where, hazard), None)
        self.feed(
            seen(self.minute, level, action, area=where, hazard=hazard, rule=by, suspect=doubt,
                 tag=str(self.count))
        )  # fmt: skip

    @rule(where=area, hazard=HAZARD, who=person, what=st.sampled_from(ACTS),
          level=st.sampled_from(Level), action=st.sampled_from(Action),
          approver=st.sampled_from(["", "", "K-01", "D-02"]), look=st.booleans())  # fmt: skip
    def order(
        self, where: str, hazard: str, who: str, what: str, level: Level, action: Action,
        approver: str, look: bool,
    ) -> None:  # fmt: skip
        now = self.newest.get((where, hazard))
        named = {"alert": now.id, "version": now.version} if now and look else {}
        one = self.act(what, level, action, area=where, hazard=hazard, by=who, approver=approver,
                       reference="2025-17" if approver else "", **named)  # fmt: skip
        self.feed(one)

    @rule(who=st.sampled_from(["K-01", "K-01", "K-02", "D-01"]), what=st.sampled_from(ACTS),
          level=st.sampled_from([Level.NONE, Level.YELLOW, Level.ORANGE, Level.RED]))  # fmt: skip
    def usual(self, who: str, what: str, level: Level) -> None:
        """What officers mostly do, so that two names come together often."""
        self.feed(self.act(what, level if what in ("raise", "lower") else Level.NONE, by=who))

    @rule(level=st.sampled_from([Level.ORANGE, Level.RED]), who=st.sampled_from(["K-01", "D-01"]),
          what=st.sampled_from(["return", "hold", "reject"]),
          then=st.lists(st.tuples(st.sampled_from(["K-01", "K-02", "D-01"]),
                                  st.sampled_from(ACTS)), max_size=3))  # fmt: skip
    def stopped(self, level: Level, who: str, what: str, then: list[tuple[str, str]]) -> None:
        """More is asked for, somebody stops it, and what may follow."""
        self.evidence("A01", "flash_flood", level, Action.NONE, False, "rain_threshold")
        self.feed(self.act(what, by=who))
        for by, act_ in then:
            self.feed(self.act(act_, level if act_ == "raise" else Level.NONE, by=by))

    @rule(who=st.sampled_from(["V-01", "V-06", "T-01"]), where=st.sampled_from(["A01", "A06"]),
          what=st.sampled_from(["raise", "lower", "cancel"]))  # fmt: skip
    def village(self, who: str, where: str, what: str) -> None:
        """Orders to move, by village heads for their own and for other villages."""
        action = Action.PREPARE if what == "lower" else Action.MOVE
        self.feed(self.act(what, Level.NONE, action, area=where, by=who))

    @precondition(lambda self: self.newest)
    @rule(data=st.data(), who=st.sampled_from(["K-01", "K-02", "D-01", "D-02", "T-01"]),
          what=st.sampled_from(["cancel", "lower", "hold", "reject", "return"]))  # fmt: skip
    def races(self, data: st.DataObject, who: str, what: str) -> None:
        """An act that takes back what has been updated, or ended, since its person looked."""
        where, hazard = data.draw(st.sampled_from(sorted(self.newest)))
        now = self.newest[where, hazard]
        if now.version == 1 and now.state not in ENDED:
            return
        old = max(1, now.version - 1)
        before = self.memory()
        self.feed(self.act(what, Level.BLUE, area=where, hazard=hazard, by=who, alert=now.id,
                           version=old))  # fmt: skip
        assert self.line.decisions[-1].outcome != "done"
        assert self.memory() == before

    @rule(where=area, pair=st.permutations(["K-01", "K-02", "D-01"]))
    def at_once(self, where: str, pair: list[str]) -> None:
        """Everybody releases in the same batch, each twice: one version lets it out."""
        acts = [self.act("release", area=where, by=p) for p in (*pair, *pair)]
        before = len(self.line.alerts)
        was = self.newest.get((where, "flash_flood"))
        self.feed(*acts)
        answers = {d.order: d for d in self.line.decisions if d.order}
        outcomes = [answers[a.order].outcome for a in acts]
        rises = 0
        for a in self.line.alerts[before:]:
            rises += was is None or a.level > was.level or a.action > was.action
            was = a
        # orange and red, and each order, can rise once each; who came later changed nothing
        assert rises <= 2
        assert outcomes[3:].count("done") <= 1
        now = self.newest.get((where, "flash_flood"))
        if "done" in outcomes and now is not None and now.state == "released":
            assert outcomes[-1] == "already"  # harmlessly, with who did it
        assert outcomes[-1] != "done"

    @rule(minutes=st.sampled_from([1, 5, 6, 11, 45, 400]), how=st.sampled_from(["tick", "mark"]))
    def time(self, minutes: int, how: str) -> None:
        self.minute += minutes
        if how == "tick":
            self.feed(tick(self.minute))
        else:
            self.feed(mark(self.minute), mark(self.minute, group=OTHER))
            self.feed(tick(self.minute))

    @rule(where=area, thin=st.booleans())
    def blind(self, where: str, thin: bool) -> None:
        self.feed(silence(self.minute, thin, where))

    @rule()
    def restart(self) -> None:
        body = self.line.stage.dump(self.line.state)
        self.line.stage = self.line.decide(self.district)
        self.line.state = self.line.stage.load(0, body)

    # --- how it is fed and watched
    def act(self, what: str, level: Level = Level.NONE, action: Action = Action.NONE,
            **more: object) -> Decision:  # fmt: skip
        self.count += 1
        return act(what, level, action, order=f"o{self.count}", **more)  # type: ignore[arg-type]

    def memory(self) -> bytes:
        return msgspec.msgpack.encode(self.line.state.cases)

    def feed(self, *records: Record) -> None:
        for record in records:
            before, done = self.memory(), len(self.line.writes)
            self.line.feed(record)
            new = [w.record for w in self.line.writes[done:]]
            alerts = [r for r in new if isinstance(r, Alert)]
            decisions = [r for r in new if isinstance(r, Decision)]
            if isinstance(record, Decision):
                (answer,) = decisions  # one for each act, also for the refused
                assert (answer.order, answer.by) == (record.order, record.by)
                if answer.outcome == "done":
                    self.entitled(answer)
                else:
                    assert answer.answer
                    assert not alerts
                    assert self.memory() == before
            else:
                assert all(d.by == "policy" for d in decisions)
            for a in alerts:
                self.version(a, record, decisions)
            self.closes(decisions)

    def entitled(self, d: Decision) -> None:
        """Nobody does anything outside his areas; and the letters say who may stop a question."""
        if d.act == "verify":
            assert of("KDGM", d.by)
            return
        assert d.area in home(d.by), d
        asked = {q.what for q in self.newest[d.area, d.hazard].questions} if (
            (d.area, d.hazard) in self.newest) else set()  # fmt: skip
        if d.act in ("return", "hold", "reject") and asked <= {"orange", "red"}:
            assert of("K", d.by), d

    def version(self, a: Alert, cause: Record, decisions: list[Decision]) -> None:
        place = (a.area, a.hazard)
        before = self.newest.get(place)
        if before is not None and before.state in ENDED:
            before = None
        # one warning at a time, versions count, an ended one stays ended
        assert a.id not in self.closed
        assert self.states.get(a.id) not in ENDED
        assert a.version == self.versions.get(a.id, 0) + (0 if a.again else 1)
        assert (before.id if before else a.id) == a.id
        did = decisions[0].act if isinstance(cause, Decision) else "evidence"
        was = self.states.get(a.id, "")
        assert a.state in TABLE[was][did], (was, did, a.state)
        assert a.msg_type == "cancel" or a.public == bool(a.level or a.action)
        self._rises(a, before, cause, decisions)
        self._falls(a, before, cause, decisions)
        self.newest[place], self.states[a.id], self.versions[a.id] = a, a.state, a.version
        asked = {q.what for q in a.questions}
        for what in set(self.names[place]) - asked:
            del self.names[place][what]
        if isinstance(cause, Decision):
            self._signs(place, decisions[0], asked)

    def _signs(self, place: Place, d: Decision, asked: set[str]) -> None:
        if d.act in UP:
            for what in asked:
                self.names[place].setdefault(what, set()).add((d.by, d.approver))
        if d.act in ("cancel", "lower"):
            self.ends[place] = self.ends[place] | {(d.by, d.approver)}
        elif d.act != "escalate":
            self.ends[place] = set()
        now = self.newest[place]
        if d.act in ("hold", "reject", "lower") and not {"lower", "cancel"} & asked:
            level = now.level if now.proposed_level > now.level else Level.RED
            action = now.action if now.proposed_action > now.action else Action.MOVE
            if not asked:  # all that waited was stopped
                self.caps[place] = level, action
        elif d.act in UP | {"override"}:
            self.caps.pop(place, None)

    def _rises(
        self, a: Alert, before: Alert | None, cause: Record, decisions: list[Decision]
    ) -> None:
        """Nothing goes out but by the policy, or by those entitled and as many as it takes."""
        level, action = (before.level, before.action) if before else (Level.NONE, Action.NONE)
        if (a.area, a.hazard) in self.caps and not isinstance(cause, Decision):
            top = self.caps[a.area, a.hazard]
            assert a.level <= max(top[0], level)
            assert a.action <= max(top[1], action)
        if self.kind == "exercise" and not isinstance(cause, Decision):
            return  # it releases at once
        if a.level > max(level, Level.YELLOW):
            if self.default == "release" and not isinstance(cause, Decision):
                assert before is not None
                assert before.deadline_at is not None
                assert before.deadline_at <= a.sent_at
                assert "release" in [d.act for d in decisions]
                return
            assert isinstance(cause, Decision)
            (d,) = decisions
            if d.act == "override":
                assert of("D", d.by)
                assert set(a.notified) >= {"K-01", "K-02", "K-09"}
                return
            assert d.act in ("release", "raise")
            what = "red" if a.level == Level.RED else "orange"
            names = self.names[a.area, a.hazard].get(what, set()) | {(d.by, d.approver)}
            assert len({by for by, _ in names}) >= 2, (names, d)
            assert all(of("KD", by) for by, _ in names if by == d.by)
            assert any(of("K", by) or of("K", phone) for by, phone in names)
        elif a.level > level and isinstance(cause, Decision):
            (d,) = decisions
            assert of("D" if a.hazard == "flash_flood" else "GM", d.by) or self.doubt or (
                a.level == a.proposed_level and of("KD", d.by))  # fmt: skip
        if a.action > action and isinstance(cause, Decision):
            assert of("DTV", decisions[0].by) or decisions[0].act == "override"

    def _falls(
        self, a: Alert, before: Alert | None, cause: Record, decisions: list[Decision]
    ) -> None:
        fell = before is not None and (a.level < before.level or a.action < before.action)
        if isinstance(cause, Decision) and decisions[0].act == "lower":
            assert fell or "lower" in [q.what for q in a.questions]
        if before is None or not fell:
            return
        if not isinstance(cause, Decision):
            assert isinstance(cause, Mark) or a.state == "expired"
            return
        (d,) = decisions
        assert d.act in ("cancel", "lower")
        names = self.ends[a.area, a.hazard] | {(d.by, d.approver)}
        if before.level > max(a.level, Level.YELLOW):
            assert len({by for by, _ in names}) >= 2
            assert any(of("K", by) or of("K", phone) for by, phone in names)
        if before.action > a.action:
            assert any(of("DTK", by) for by, _ in names)

    def closes(self, decisions: list[Decision]) -> None:
        for d in decisions:
            if d.act == "close":
                assert self.states[d.alert] in ENDED
                assert d.alert not in self.closed
                self.closed.add(d.alert)

    # --- what is always so
    @invariant()
    def a_question_always_has_a_time(self) -> None:
        for a in self.newest.values():
            if a.state in ("proposed", "returned"):
                assert a.deadline_at is not None
                assert any(q.deadline_at for q in a.questions)
                assert all(set(home(who)) >= {a.area} for q in a.questions for who in q.called)
            elif a.state in ENDED:
                assert not a.questions

    @invariant()
    def no_deadline_passes_unheard(self) -> None:
        if not self.line.writes:
            return
        last = self.line.state.tick_at
        for a in self.newest.values():
            if a.state in ("proposed", "returned"):
                assert a.deadline_at is not None
                assert a.deadline_at > last, "somebody else is asked, or the default is done"
            if a.state not in ENDED:
                assert a.expires_at > last

    def teardown(self) -> None:
        assert broken(self.line.decisions) is None
        for found in _by(self.line.reports, "incident").values():
            assert [r.number for r in found] == list(range(1, len(found) + 1))
            assert found[0].kind in ("初报", "终报"), "one that came to nothing has its last alone"
            assert all(r.kind != "终报" for r in found[:-1])
        for found in _by(self.line.alerts, "id").values():
            assert all(b.sent_at >= a.sent_at for a, b in pairwise(found))


def _by(records: list, field: str) -> dict[str, list]:  # type: ignore[type-arg]
    found = defaultdict(list)
    for r in records:
        found[getattr(r, field)].append(r)
    return found


TestLife = Life.TestCase
TestLife.settings = tried(150, stateful_step_count=40)
