"""The stage decide: detections, people's decisions and time into warnings, one for each area and
hazard, grouped into incidents.

What it knows of time: a group's clock is its newest Mark, or a Tick of a live run; `sent_at` is
that clock, or the detection's own time where that is later. So a replay gives the same warnings.
A warning rises in the step that takes the detection; it falls only in a Mark, or by a person. What
only a conclusion asked for, and nobody let out, is withdrawn with it.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from config.language import Text, en, zh
from config.records.district import District
from config.records.level import HAZARD_ZH
from detectors.detection import Acknowledgement as NeighbourAnswer
from detectors.detection import Detection, Mark
from dispatch.decide import wave
from dispatch.decide.act import ActResult, acts_of, asks_alone
from dispatch.decide.acts.withdraw import cleared
from dispatch.decide.apply import obey, refused, unknown
from dispatch.decide.asking.deadlines import Due, due
from dispatch.decide.case import Case, LastAct, Setting
from dispatch.decide.lifecycle import follows
from dispatch.decide.plan.instruct import instructed
from dispatch.decide.plan.recheck import rechecked
from dispatch.decide.plan.stock import HeldSupply, moved, take_stock
from dispatch.decide.plan.tasks import Course, check_off, take
from dispatch.decide.reports.due import incident_id, report, verified
from dispatch.decide.reports.memory import Incident
from dispatch.decide.validity import renewal_due
from dispatch.decide.versions import refresh
from dispatch.decide.wrong_run import ANEW, withdrawn
from dispatch.grade import Grade
from dispatch.ledger.decisions import chained
from dispatch.records import Alert, CaseRecord, Custody, Decision, RecordEnd
from dispatch.signatures.proof import WORDS, Trust, dead_letter, judged
from dispatch.words.evidence import heard
from ingest.observation import PersonSays, Service
from ingest.people.subscriber import Subscriber
from stream.records import Record, Run, Tick
from stream.stages.run_identity import is_live, known
from stream.stages.stage import Item, Write


class DecideState(msgspec.Struct):
    """The memory of a partition of `cases`."""

    runs: list[Run] = []
    tick_at: int = 0
    groups: dict[str, int] = {}  # watch group -> its newest Mark's clock
    cases: dict[str, dict[str, Case]] = {}  # area -> hazard
    areas: dict[str, Detection] = {}  # area -> what rule `silence` said last
    incident: Incident | None = None
    slot_at: int = 0  # the clock that every group has reached
    chain: str = ""  # hash of the last decision written
    courses: dict[str, Course] = {}  # warnings of the open incident, by which its tasks open
    stock: dict[str, dict[str, HeldSupply]] = {}  # supply -> incident -> what is reserved and out
    taken: dict[str, int] = {}  # people's acts -> when they were made: none counts twice


class Decide:
    """See `stream.stages.stage.Stage`."""

    name = "decide"
    reads = "cases"
    format = 3
    ticks = 5.0

    def __init__(
        self, district: District, trust: Callable[[], Trust], live: bool | None = None
    ) -> None:
        """trust: whose signatures count; asked for each act, so that a revoked key is refused at
        once. live: what this process was started for; None: a replay, whose `Run` says it."""
        self._district, self._trust, self._live = district, trust, live
        self._decoder = msgspec.json.Decoder(CaseRecord)

    def decode(self, value: bytes) -> Record:
        record: Record = self._decoder.decode(value)
        return record

    def new(self, partition: int) -> DecideState:
        assert partition >= 0
        return DecideState()

    def dump(self, state: DecideState) -> bytes:
        return msgspec.msgpack.encode(state)

    def load(self, partition: int, body: bytes) -> DecideState:
        assert partition >= 0
        return msgspec.msgpack.decode(body, type=DecideState)

    def begun(self, state: DecideState) -> Run | None:
        return next(iter(state.runs), None)

    def step(self, state: DecideState, items: Sequence[Item]) -> tuple[DecideState, list[Write]]:
        writes: list[Write] = []
        for item in items:
            if isinstance(item.record, Decision):
                self._person(state, item.record, item.offset, writes)
            else:
                self._take(state, item.record, writes)
        return state, writes

    def _person(self, state: DecideState, said: Decision, offset: int, writes: list[Write]) -> None:
        """A person's act, if it is proved to be theirs."""
        trust = self._trust()
        clock = max(state.tick_at, *state.groups.values(), 0)
        said, wrong = judged(trust, state.taken, said, offset, clock)
        if wrong is not None:
            letter = dead_letter(said, wrong, offset, clock)
            writes.append(Write("dead-letters", said.area, letter))
            if wrong != "repeated":
                self._answer(state, said, ActResult("refused", said.act, WORDS[wrong]), writes)
            return
        match said.act:
            case "verify":
                self._verify(state, said, writes)
            case "accept" | "decline":
                # a word on a neighbour's message: it stands in the ledger and changes no warning
                self._write_decision(state, said, writes)
            case "instruct":
                self._answer(state, said, instructed(self._district, state.courses, said), writes)
            case "recheck":
                self._answer(state, said, rechecked(self._district, state.courses, said), writes)
            case "reserve" | "issue" | "restore":
                open_ = state.incident.id if state.incident is not None else ""
                said = msgspec.structs.replace(said, incident=said.incident or open_)
                self._answer(state, said, moved(self._district, state.stock, open_, said), writes)
            case "task":
                self._answer(state, said, check_off(self._district, state.courses, said), writes)
            case _:
                self._decision(state, said, writes)

    def _take(self, state: DecideState, record: CaseRecord, writes: list[Write]) -> None:
        match record:
            case Run() if not known(state.runs, record):
                writes.append(Write("alerts", "run", record))
                before = () if state.runs else tuple(self._district.areas)
                state.runs.append(record)
                for area in before:  # what came before it may not stand in the log as it does here
                    for case in self._open(state, area):
                        at = self._clock(state, area)
                        self._refresh(state, case, at, writes, ANEW, must=True)
            case Detection() if record.area in self._district.areas:
                self._detection(state, record, writes)
            case NeighbourAnswer():
                writes.append(Write("alerts", record.neighbour, record))
            case PersonSays():
                if state.incident is not None:
                    state.incident.hear(record)
                writes.append(Write("alerts", record.area or record.role, record))
            case Service() | RecordEnd() | Custody():  # for the ledger, and for whoever looks
                writes.append(Write("alerts", "desk", record))
            case Subscriber():
                writes.append(Write("alerts", record.id, record))
            case Mark() if record.clock_at > state.groups.get(record.group, 0):
                self._mark(state, record, writes)
            case Tick() if record.clock_at > state.tick_at:
                state.tick_at = record.clock_at
                for area in self._district.areas:
                    self._time(state, area, writes)
                self._report(state, writes)

    def _setting(self, state: DecideState) -> Setting:
        return Setting(self._district, is_live(self._live, state.runs))

    def _clock(self, state: DecideState, area: str) -> int:
        """The clock of the area's group."""
        start = state.runs[-1].start_at if state.runs else 0
        group = self._district.group_of_area[area]
        return max(state.groups.get(group, 0), state.tick_at, start)

    def _now(self, state: DecideState) -> int:
        """The clock that every group has reached."""
        groups = [state.groups.get(g, 0) for g in self._district.groups]
        return max(min(groups, default=0), state.tick_at)

    def _case(self, state: DecideState, area: str, hazard: str) -> Case:
        cases = state.cases.setdefault(area, {})
        if hazard not in cases:
            cases[hazard] = Case(area=area, hazard=hazard)
        return cases[hazard]

    def _open(self, state: DecideState, area: str) -> Iterator[Case]:
        for hazard in sorted(state.cases.get(area, ())):
            if state.cases[area][hazard].alert is not None:
                yield state.cases[area][hazard]

    def _detection(self, state: DecideState, detection: Detection, writes: list[Write]) -> None:
        area = detection.area
        if detection.rule == "silence":
            before = state.areas.get(area)
            state.areas[area] = detection
            for case in state.cases.get(area, {}).values():
                if before is not None and before.thin and not detection.thin:
                    case.restart_holds(detection.detected_at)
            for case in self._open(state, area):
                self._refresh(state, case, self._clock(state, area), writes)
            return
        if detection.hazard not in HAZARD_ZH:
            return  # a statement about a sensor, not about the area
        case = self._case(state, area, detection.hazard)
        if case.hear(detection):
            case.tell(wave.heard_of(detection, case))
            now = max(self._clock(state, area), detection.detected_at)
            self._refresh(state, case, now, writes, (heard(self._district, detection),))

    def _decision(self, state: DecideState, decision: Decision, writes: list[Write]) -> None:
        why = refused(self._district, decision)
        if why is not None:
            self._answer(state, decision, ActResult("refused", decision.act, why), writes)
            return
        area, hazard = decision.area, decision.hazard
        case = state.cases.get(area, {}).get(hazard) or Case(area=area, hazard=hazard)
        now = self._clock(state, decision.area)
        answer = obey(self._setting(state), case, decision, now)
        if answer.outcome != "done":
            self._answer(state, decision, answer, writes)
            return
        state.cases.setdefault(area, {})[hazard] = case
        case.tell(wave.happened(decision, case, now))
        answer = answer._replace(words=answer.words + wave.in_words(self._district, case, decision))
        reason = Text(
            f"{decision.by}：{zh(decision.reason)}，{answer.words.zh}",
            f"{decision.by}: {en(decision.reason)}, {answer.words.en}",
        )
        self._refresh(state, case, now, writes, (reason,), (decision, answer))

    def _verify(self, state: DecideState, decision: Decision, writes: list[Write]) -> None:
        """核报: a person's corrected facts, as a numbered report of the open incident."""
        incident, why = state.incident, unknown(self._district, decision)
        if why is None and "*" not in self._district.officers[decision.by].areas:
            why = Text("核报须由区级人员提出", "only who acts for the whole district may verify")
        if why is None and (
            incident is None or incident.number == 0 or decision.incident not in ("", incident.id)
        ):
            why = Text("没有这一进行中的事件", "that incident is not open, or not reported yet")
        if why is not None or incident is None:
            why = why or Text("没有进行中的事件", "no incident is open")
            self._answer(state, decision, ActResult("refused", "verify", why), writes)
            return
        made = verified(
            self._district, incident, self._now(state), decision.by, decision.reason, state.courses
        )
        writes.append(Write("alerts", made.incident, made))
        words = Text(f"核报第{made.number}报", f"report {made.number}, verified")
        decision = msgspec.structs.replace(decision, incident=made.incident)
        self._answer(state, decision, ActResult("done", "verify", words), writes)

    def _answer(
        self, state: DecideState, decision: Decision, answer: ActResult, writes: list[Write]
    ) -> None:
        """The act stands in the ledger with what came of it, also when that is nothing."""
        self._write_decision(state, answer.upon(decision), writes)

    def _mark(self, state: DecideState, mark: Mark, writes: list[Write]) -> None:
        state.groups[mark.group] = mark.clock_at
        for area in self._district.groups.get(mark.group, ()):
            silence = state.areas.get(area)
            if silence is None or not silence.thin:
                for case in state.cases.get(area, {}).values():
                    case.fall(mark.complete_at, self._district.policy.step_down_hold_s)
            self._time(state, area, writes)
        self._report(state, writes)
        writes.append(Write("alerts", mark.group, mark))

    def _time(self, state: DecideState, area: str, writes: list[Write]) -> None:
        """Deadlines, falls that are due, renewals and ends."""
        if not state.cases.get(area):
            return
        silence, now = state.areas.get(area), self._clock(state, area)
        thin = silence is not None and silence.thin
        together = any(
            renewal_due(self._setting(state), c, now, thin) for c in self._open(state, area)
        )
        for case in self._open(state, area):
            acts = due(self._setting(state), case, now)
            because = tuple(a.reason for a in acts)
            assert case.alert is not None
            was = Grade(case.alert.proposed_level, case.alert.proposed_action)
            if was.exceeds(case.need.whole):
                because = (*because, cleared(self._district, silence, case.need.whole))
            self._refresh(state, case, now, writes, because, acts=acts, together=together)

    def _refresh(
        self,
        state: DecideState,
        case: Case,
        now: int,
        writes: list[Write],
        because: tuple[Text, ...] = (),
        person: tuple[Decision, ActResult] | None = None,
        acts: Sequence[Due] = (),
        *,
        must: bool = False,
        together: bool = False,
    ) -> None:
        """The case's next version, if there is one, and the acts that made it."""
        silence = state.areas.get(case.area)
        if (void := withdrawn(self._setting(state), case, now)) is not None:
            self._told(state, void, writes)
        was, force = case.alert.state if case.alert is not None else "", case.force
        change = refresh(
            self._setting(state),
            case,
            now,
            incident=self._incident_id(state, case.area, now),
            thin=silence is not None and silence.thin,
            coverage=silence.coverage if silence is not None else None,
            because=because,
            by=person[0].by if person is not None else "policy",
            must=must or bool(acts) or person is not None,
            notified=person[1].notified if person is not None else (),
            together=together,
            asking=not must and asks_alone(person, acts),
        )
        if change is None:
            assert person is None, "a person's act makes a version"
            return
        alert = change.alert
        act = person[1].act if person is not None else "evidence"
        assert follows(was, act, alert.state), (was, act, alert.state)
        act = change.act if act == "evidence" else act
        moved = (alert.level, alert.action) != (force.level, force.action)
        if moved or alert.msg_type == "cancel" or act in ("hold", "reject", "return"):
            act = "expire" if alert.state == "expired" else act
            case.remember(LastAct(act, alert.by, alert.version, alert.sent_at))
        self._told(state, alert, writes)
        for one in acts_of(change.alert, change.act, person, acts):
            self._write_decision(state, one, writes)
        for said in wave.below(self._district, state.cases, case, now):
            self._detection(state, said, writes)

    def _told(self, state: DecideState, alert: Alert, writes: list[Write]) -> None:
        if state.incident is None:
            state.incident = Incident(alert.incident, alert.sent_at)
        state.incident.take(alert)
        writes.append(Write("alerts", alert.area, alert))
        take(state.courses, alert)

    def _incident_id(self, state: DecideState, area: str, now: int) -> str:
        """Of the open incident, or of one that opens now. The clock names it, not the detection: it
        is the same for every group in a slot, whichever comes first."""
        if state.incident is not None:
            return state.incident.id
        return incident_id(self._district, self._clock(state, area) or now)

    def _report(self, state: DecideState, writes: list[Write]) -> None:
        """The incident's report, once every group has reached a new clock."""
        slot_at = self._now(state)
        if slot_at <= state.slot_at:
            return
        state.slot_at = slot_at
        if state.incident is None:
            return
        made, ended = report(self._district, state.incident, slot_at, state.courses)
        if made is not None:
            writes.append(Write("alerts", made.incident, made))
        if ended:
            self._close(state, state.incident, slot_at, writes)
            state.incident = None

    def _close(self, state: DecideState, incident: Incident, at: int, writes: list[Write]) -> None:
        """The final report ends the life of its warnings: one decision each."""
        for alert in sorted(incident.alerts.values(), key=lambda a: a.id):
            assert follows(alert.state, "close", "closed"), alert.state
            closed = Decision(
                area=alert.area,
                hazard=alert.hazard,
                act="close",
                by="policy",
                decided_at=at,
                reason=Text(
                    f"终报第{incident.number}报后归档。",
                    f"Closed after the final report, number {incident.number}.",
                ),
                alert=alert.id,
                version=alert.version,
                incident=incident.id,
            )
            self._write_decision(state, closed, writes)
            state.courses.pop(alert.id, None)

    def _write_decision(self, state: DecideState, decision: Decision, writes: list[Write]) -> None:
        linked = chained(state.chain, decision)
        state.chain = linked.hash
        writes.append(Write("alerts", decision.area, linked))
        take(state.courses, linked)
        take_stock(state.stock, linked)
