"""The stage address: each version of a warning into deliveries, one a recipient, words frozen.

Internal recipients get every version; where a question is put to the next, or anew, only who is asked
then. Public recipients get a version only when what is public changed or was renewed: a deadline that
passed, or thin evidence, is no news to a village.
"""

from collections.abc import Sequence
from typing import Literal, cast

import msgspec

from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Acknowledgement, Mark
from dispatch.address import closures
from dispatch.address.instructions import called_again, instruction
from dispatch.address.joining import (
    as_joiner,
    begun_now,
    in_force,
    still_new,
    take_choice,
    with_joined,
)
from dispatch.address.late_tasks import late_notices
from dispatch.address.memory import AddressState
from dispatch.address.night import Told, tonight
from dispatch.address.recipients import (
    MACHINES,
    Target,
    asked,
    below,
    deadline_ms,
    internal,
    internal_grade,
    is_loud,
    public,
)
from dispatch.address.report_notices import deliveries
from dispatch.address.to_superiors import to_superiors
from dispatch.address.told import LastTold, known_to, most_told, said_beside
from dispatch.address.unproven import stray, unproven_notice
from dispatch.cap.acknowledgements import keys_of, reply
from dispatch.decide.plan.tasks import take
from dispatch.decide.validity import ahead_ms
from dispatch.geography.concerned import load_borders
from dispatch.grade import Grade
from dispatch.people.outings import heard, overdue
from dispatch.proving.codes import blank
from dispatch.records import Alert, AlertRecord, Decision, Delivery, Report, Route, delivery_id
from dispatch.words.compose import Message, ways
from dispatch.words.evidence import begins_at, foreseen, left_min, seen_itself
from dispatch.words.wording import category_of, wording
from ingest.observation import PersonSays
from ingest.people.subscriber import Subscriber
from stream.records import Record, Run
from stream.stages.run_identity import is_live, known
from stream.stages.stage import Item, Write

_UNPROVEN_EVERY_MS = 10 * 60_000
_Words = dict[tuple[object, ...], tuple[tuple[Route, ...], tuple[Route, ...]]]


class Address:
    """See `stream.stages.stage.Stage`."""

    name = "address"
    reads = "alerts"
    format = 2
    ticks = 0.0

    def __init__(self, district: District, live: bool | None = None) -> None:
        """live: what this process was started for; None: a replay, whose `Run` says it."""
        self._start, self._district, self._live = district, district, live
        proving = district.policy.proving
        self._blank = blank(proving.digits) if proving.code else ""
        self._decoder = msgspec.json.Decoder(AlertRecord)
        load_borders(district)
        wording(district.folder, district.version)  # as they are now, and were checked

    def decode(self, value: bytes) -> Record:
        record: Record = self._decoder.decode(value)
        return record

    def new(self, partition: int) -> AddressState:
        assert partition >= 0
        self._district = self._start
        return AddressState()

    def dump(self, state: AddressState) -> bytes:
        return msgspec.msgpack.encode(state)

    def load(self, partition: int, body: bytes) -> AddressState:
        assert partition >= 0
        state = msgspec.msgpack.decode(body, type=AddressState)
        state.joined = still_new(self._start, state.joined)
        self._district = with_joined(self._start, state.joined)
        return state

    def begun(self, state: AddressState) -> Run | None:
        return next(iter(state.runs), None)

    def step(self, state: AddressState, items: Sequence[Item]) -> tuple[AddressState, list[Write]]:
        writes: list[Write] = []
        for item in items:
            if isinstance(item.record, Subscriber):
                self._subscriber(state, item.record, item.offset, writes)
            else:
                self._take(state, item.record, writes)
        return state, writes

    def _take(self, state: AddressState, record: AlertRecord, writes: list[Write]) -> None:
        match record:
            case Run() if not known(state.runs, record):
                if not state.runs:
                    state.alerts.clear()  # nobody can have been told of what came before it
                state.runs.append(record)
                writes.append(Write("deliveries", "run", record))
            case Mark() if record.clock_at > state.marks.get(record.group, 0):
                state.marks[record.group] = record.clock_at
                late = late_notices(
                    self._district, record.group, state.courses, state.late, record.clock_at
                )
                writes += [Write("deliveries", area, d) for area, d in late]
                here = self._district.groups.get(record.group, ())
                live = is_live(self._live, state.runs)
                over = closures.lapsed(self._district, state.closures, here, record.clock_at, live)
                over += overdue(self._district, state.outings, record.group, record.clock_at, live)
                writes += [Write("deliveries", d.recipient, d) for d in over]
                writes.append(Write("deliveries", record.group, record))
            case Acknowledgement():
                told = msgspec.structs.replace(record, keys=keys_of(self._district, record))
                writes.append(Write("deliveries", record.neighbour, told))
            case Decision():
                self._decided(state, record, writes)
            case PersonSays():
                self._of_people(state, record, writes)
            case Report():
                live = is_live(self._live, state.runs)
                reports = to_superiors(self._district, record, live)
                writes += [Write("deliveries", d.recipient, d) for d in reports]
            case Alert() if record.area in self._district.areas:
                self._alert(state, record, writes)

    def _of_people(self, state: AddressState, record: PersonSays, writes: list[Write]) -> None:
        if record.area in self._district.areas or not record.area:
            live, said = is_live(self._live, state.runs), (t.said for t in state.alerts.values())
            found = deliveries(self._district, record, live)
            found += closures.of_keeper(self._district, state.closures, record, live, said)
            found += heard(self._district, state.outings, record, live)
            for delivery in found:
                writes.append(Write("deliveries", record.area or record.role, delivery))
            writes.append(Write("deliveries", record.area or record.role, record))

    def _decided(self, state: AddressState, record: Decision, writes: list[Write]) -> None:
        live = is_live(self._live, state.runs)
        if record.unproven:
            self._unproven(state, record, writes)
        elif record.act == "task":
            take(state.courses, record)
        elif record.act == "instruct" and record.hash and record.outcome == "done":
            at = max(state.marks.values(), default=record.decided_at)
            made = instruction(self._district, state.courses, record, live, at)
            writes += [Write("deliveries", d.area, d) for d in made]
        elif record.act == "recheck" and record.hash and record.outcome == "done":
            at = max(state.marks.values(), default=record.decided_at)
            made = called_again(self._district, record, live, at)
            writes += [Write("deliveries", d.area, d) for d in made]
        elif record.act in ("accept", "decline"):
            for delivery in reply(self._district, record, live):
                writes.append(Write("deliveries", delivery.recipient, delivery))

    def _unproven(self, state: AddressState, decision: Decision, writes: list[Write]) -> None:
        """Tell the duty room, not once for each of a thousand."""
        at = max(state.marks.values(), default=decision.decided_at)
        if not state.unproven_at or at - state.unproven_at >= _UNPROVEN_EVERY_MS:
            state.unproven_at = at
            notice = unproven_notice(decision, is_live(self._live, state.runs), at)
            writes.append(Write("deliveries", notice.recipient, notice))

    def _alert(self, state: AddressState, alert: Alert, writes: list[Write]) -> None:
        told_kind = self._live is not None or state.runs
        if told_kind and (alert.status == "actual") != (live := is_live(self._live, state.runs)):
            self._forget(state, alert)
            if alert.msg_type != "cancel":  # its end goes to nobody, as it did
                writes.append(Write("dead-letters", alert.area, stray(alert, live, alert.sent_at)))
            return
        told = state.alerts.setdefault(alert.id, LastTold())
        if (alert.version, alert.again) <= (told.version, told.again):
            return
        anew, told.again = alert.version == told.version, alert.again
        if anew:
            self._ask(told, alert, writes)
            return
        told.version = alert.version
        told.asked = {q.what: q.deadline_at or 0 for q in alert.questions}
        take(state.courses, alert)
        over = alert.msg_type == "cancel"
        targets = internal(self._district, alert, told.inside)
        targets += below(
            self._district, alert, {t.recipient for t in targets},
            {c.area for c in state.courses.values() if not c.over_at},
            {name: t.below for name, t in state.alerts.items() if t.below},
        )  # fmt: skip
        # the feed and the loudspeakers before the phones: one message reaches many
        if over or (alert.public and self._news(told, alert)):
            found = public(self._district, alert, told.outside, awake=told.loud)
            targets = [*found, *targets]
        told.area = alert.area
        targets = self._tonight(state, told, alert, targets)
        words: _Words = {}
        others = self._others(state, alert)
        told.closed = closures.is_closed(state.closures, alert.area, alert.sent_at)
        for target in targets:
            delivery = self._delivery(alert, target, told, words, others)
            writes.append(Write("deliveries", alert.area, delivery))
        self._remember(told, alert, targets)
        if over:
            self._forget(state, alert)
            if told.said is not None:
                told.ended_at = alert.sent_at
                state.ended[alert.id] = told

    def _subscriber(
        self, state: AddressState, person: Subscriber, offset: int, writes: list[Write]
    ) -> None:
        """They count from now on, and are told what is in force where they are, if they were not; if it is
        proved that they chose so."""
        letter = take_choice(self._start, state, person, offset)
        if letter is not None:
            writes.append(Write("dead-letters", person.id, letter))
            return
        self._district = with_joined(self._start, state.joined)
        live = is_live(self._live, state.runs)
        for d in closures.for_joiner(self._district, state.closures, person, live):
            writes.append(Write("deliveries", d.recipient, d))
        alerts = [(name, told.said) for name, told in state.alerts.items()]
        for alert in in_force(alerts, person):
            told = state.alerts[alert.id]
            target = as_joiner(self._district, alert, person)
            if target is None or person.id in told.outside:
                continue
            others = self._others(state, alert)
            told.closed = closures.is_closed(state.closures, alert.area, person.said_at)
            delivery = begun_now(self._delivery(alert, target, told, {}, others), person)
            writes.append(Write("deliveries", alert.area, delivery))
            self._remember(told, alert, [target])

    def _tonight(
        self, state: AddressState, told: LastTold, alert: Alert, targets: Sequence[Target]
    ) -> list[Target]:
        """The same with what waits for others at night."""
        def known(t: Target) -> Told:
            return known_to(self._district, state.alerts.values(), told, alert, t)

        return tonight(self._district, state.nights, alert, targets, known)

    def _ask(self, told: LastTold, alert: Alert, writes: list[Write]) -> None:
        """Who is asked now, or anew, hears of it, and nobody else."""
        put = [q for q in alert.questions if q.deadline_at != told.asked.get(q.what)]
        told.asked = {q.what: q.deadline_at or 0 for q in alert.questions}
        targets = asked(self._district, msgspec.structs.replace(alert, questions=tuple(put)))
        for target in targets:
            delivery = self._delivery(alert, target, told, {}, ())
            writes.append(Write("deliveries", alert.area, delivery))
        self._remember(told, alert, targets)

    def _others(self, state: AddressState, alert: Alert) -> list[LastTold]:
        """What else the place was told: in force, or over since a moment ago."""
        since = alert.sent_at - self._district.policy.gather_s * 1000
        state.ended = {i: t for i, t in state.ended.items() if t.ended_at >= since}
        found = (*state.alerts.items(), *state.ended.items())
        return [
            t
            for i, t in found
            if i != alert.id and t.said is not None and t.said.area == alert.area
        ]

    def _forget(self, state: AddressState, alert: Alert) -> None:
        state.alerts.pop(alert.id, None)
        state.courses.pop(alert.id, None)
        state.late.pop(alert.id, None)

    def _news(self, told: LastTold, alert: Alert) -> bool:
        """Is what is public new, or said again because it is about to run out?"""
        if Grade(alert.level, alert.action) != told.public or alert.renewed:
            return True
        return alert.sent_at >= told.expires_at - ahead_ms(self._district.policy)

    def _remember(self, told: LastTold, alert: Alert, targets: Sequence[Target]) -> None:
        grade = Grade(alert.level, alert.action)
        for target in targets:
            if target.audience == "public":
                if target.not_before:
                    before = told.heard(target.recipient, alert.sent_at)
                    told.held[target.recipient] = (target.not_before, before)
                else:
                    told.held.pop(target.recipient, None)
                told.outside[target.recipient] = grade
                told.loud = told.loud or is_loud(grade)
                told.moved = told.moved or grade.action == Action.MOVE
                told.public, told.expires_at = grade, alert.expires_at
                told.said = alert
            elif target.yours:
                told.below[target.recipient] = internal_grade(alert)
            else:
                told.inside[target.recipient] = True
                if target.not_before:
                    before = told.noticed(target.recipient, alert.sent_at)
                    told.late[target.recipient] = (target.not_before, before)
                else:
                    told.late.pop(target.recipient, None)
                told.notices[target.recipient] = internal_grade(alert)

    def _plain(self, message: Message, target: Target, told: LastTold) -> tuple[Route, ...]:
        """The same without a word on what was before: whether that went out, only send will know."""
        if message.was is None or message.alert.msg_type == "cancel":
            return ()
        first = message._replace(was=None, moved=message.moved or told.moved)
        return ways(self._district, first, target.channels)

    def _delivery(
        self,
        alert: Alert,
        target: Target,
        told: LastTold,
        words: _Words,
        others: Sequence[LastTold],
    ) -> Delivery:
        outward = target.audience == "public"
        closed = told.closed and outward and target.kind == "public"
        mixed = outward and target.kind == "public" and target.channels[:1] not in MACHINES
        beside = said_beside(others, target.recipient) if mixed else ()
        was = told.heard(target.recipient, alert.sent_at) if outward else None
        told_in = told.below if target.yours else told.inside
        known = was is not None if outward else target.recipient in told_in
        lang = cast(Literal["zh", "en"], target.lang)
        said = (target.kind, target.category, lang, was, target.role, target.must_answer, target.yours)
        place = (*said, target.channels, tuple(a.id for a in beside))
        code = self._blank if target.must_answer else ""
        forms = words.get(place)
        if forms is None:  # once for all who are told the same by the same ways
            message = Message(
                alert,
                target.kind,
                lang,
                was,
                target.role,
                target.must_answer,
                category_of(target.category),
                target.yours,
                moved=bool(beside) and (told.moved or any(t.moved for t in others if t.said in beside)),
                beside=beside,
                closed=closed,
                code=code,
            )
            routes = ways(self._district, message, target.channels)
            forms = words[place] = routes, self._plain(message, target, told)
        grade = Grade(alert.level, alert.action) if outward else internal_grade(alert)
        most = most_told(alert, beside)
        due_at = max(alert.sent_at, target.not_before) + deadline_ms(most | grade)
        return Delivery(
            id=delivery_id(alert.id, alert.version, target.recipient, alert.again),
            alert=alert.id,
            version=alert.version,
            area=alert.area,
            hazard=alert.hazard,
            level=grade.level,
            action=grade.action,
            # an update of which this recipient heard nothing before is a first warning to them
            msg_type=alert.msg_type if known or alert.msg_type == "cancel" else "alert",
            status=alert.status,
            recipient=target.recipient,
            audience="public" if outward else "internal",
            routes=forms[0],
            plain=forms[1],
            was_level=was.level if was else Level.NONE,
            was_action=was.action if was else Action.NONE,
            queued_at=alert.sent_at,
            deadline_at=min(due_at, alert.expires_at),
            expires_at=alert.expires_at,
            lang=lang,
            must_answer=target.must_answer,
            category=target.category,
            not_before=target.not_before,
            observed=seen_itself(alert),
            chance=foreseen(alert),
            onset_at=begins_at(alert),
            left_min=left_min(self._district, alert),
            again=alert.again,
            beside=tuple(f"{a.id}/{a.version}" for a in beside),
            most_level=most.level,
            most_action=most.action,
            closed=closed, code=code,
            issuers=alert.issuers,
        )
