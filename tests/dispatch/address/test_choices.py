"""What a subscriber chooses, what no choice holds back, and that nobody is forgotten."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.records.district import Contact, District
from config.records.level import Action, Level
from dispatch.address.recipients import internal, internal_grade, is_loud, public
from dispatch.address.stage import Address
from dispatch.grade import Grade
from dispatch.records import Alert, Delivery, Receipt
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.state import Box, Rules
from dispatch.words.local_time import quiet_until
from stream.records import Tick
from stream.stages.stage import Item
from tests.support.choices import resident
from tests.support.decide_district import MIN, T0, seen, small
from tests.support.examples import examples
from tests.support.target import Both

ZONE = "Asia/Shanghai"
HOUR = 60 * MIN


def district(*people: Contact) -> District:
    return msgspec.structs.replace(small(), contacts={c.id: c for c in people})


def alert(level: Level, action: Action = Action.NONE, at: int = T0, **more: object) -> Alert:
    found = next(a for a in Both("exercise").line.feed(seen(1, Level.RED)) if isinstance(a, Alert))
    return msgspec.structs.replace(
        found, level=level, action=action, sent_at=at, expires_at=at + 6 * HOUR, public=True, **more
    )


ALERT = alert(Level.YELLOW)
clock = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")
hours = st.tuples(clock, clock).map("-".join)


@examples(300)
@given(hours, st.integers(0, 2 * 24 * 60))
def test_quiet_hours_end_when_they_say(span: str, minute: int) -> None:
    at = T0 + minute * MIN
    until = quiet_until(span, at, ZONE)
    begin, end = span.split("-")
    # minute by minute, as a person would count
    day = [
        f"{datetime.fromtimestamp((at + n * MIN) / 1000, ZoneInfo(ZONE)):%H:%M}"
        for n in range(24 * 60)
    ]
    quiet: set[str] = set()
    if begin != end:
        moment = datetime.fromisoformat(f"2025-01-01 {begin}")
        while f"{moment:%H:%M}" != end:
            quiet.add(f"{moment:%H:%M}")
            moment += timedelta(minutes=1)
    expected = next(n for n, m in enumerate(day) if m not in quiet)
    assert until == (at + expected * MIN if expected else 0)


person = st.builds(
    resident,
    name=st.sampled_from([f"R-{n}" for n in range(6)]),
    role=st.sampled_from(
        [
            "residents",
            "residents",
            "residents",
            "responsible",
            "observer",
            "organisation",
            "officer",
        ]
    ),
    areas=st.sampled_from([("A01",), ("A02",), ("*",), ("A02", "A01")]),
    min_level=st.sampled_from([Level.BLUE, Level.YELLOW, Level.RED]),
    hazards=st.sampled_from([(), ("flash_flood",), ("debris_flow",)]),
    quiet=st.one_of(st.sampled_from(["", "00:00-23:59", "22:00-06:30"]), hours),
    category=st.sampled_from(["", "school", "care_home", "camp"]),
)


@examples(300)
@given(
    st.lists(person, max_size=6),
    st.sampled_from(Level),
    st.sampled_from(Action),
    st.integers(0, 24 * 60),
    st.sets(st.sampled_from([f"R-{n}" for n in range(6)])),
    st.booleans(),
)
def test_nobody_is_forgotten_and_nobody_twice(
    people: list[Contact], level: Level, action: Action, minute: int, told: set[str], awake: bool
) -> None:
    d = district(*people)
    a = msgspec.structs.replace(
        ALERT, level=level, action=action, sent_at=T0 + minute * MIN, proposed_level=level,
        proposed_action=action,
    )  # fmt: skip
    out = public(d, a, told, awake=awake)
    inside = internal(d, a, told)
    for found in (out, inside):
        assert len({t.recipient for t in found}) == len(found)
    outward = {t.recipient: t for t in out}
    inward = {t.recipient: t for t in inside}
    loud = bool(action) or level == Level.RED
    assert is_loud(Grade(level, action)) == loud
    for c in d.contacts.values():
        here = "*" in c.areas or "A01" in c.areas
        if c.role == "residents" and here:
            chosen = level >= c.min_level and a.hazard in (c.hazards or (a.hazard,))
            assert (c.id in outward) == (loud or chosen or c.id in told)
            if c.id in outward:
                t = outward[c.id]
                assert t.category == (c.category or "resident")
                assert t.not_before == 0 or not (loud or awake)
                if not (loud or awake) and c.quiet:
                    assert t.not_before == quiet_until(c.quiet, a.sent_at, d.timezone)
        if c.role in ("responsible", "observer") and here:
            grade = internal_grade(a)
            due = bool(grade.action) or grade.level >= c.min_level
            assert (c.id in inward) == (due or c.id in told)
        if c.id in inward:  # whatever stands in the column, nobody on duty is delayed
            assert inward[c.id].not_before == 0
        if c.role not in ("residents", "organisation"):
            assert c.id not in outward
        if c.role == "organisation" and c.id in outward:
            assert outward[c.id].not_before == 0


def deliveries(d: District, *alerts: Alert) -> list[list[Delivery]]:
    stage = Address(d)
    state, found = stage.new(0), []
    for n, a in enumerate(alerts):
        state, writes = stage.step(state, [Item(0, n, "", a)])
        state = stage.load(0, stage.dump(state))
        mine = [w.record for w in writes if isinstance(w.record, Delivery)]
        found.append([x for x in mine if x.recipient == "R-1"])
    return found


NIGHT = T0 + 3 * HOUR  # 23:00
MORNING = T0 + 10 * HOUR + 30 * MIN  # 06:30
SLEEPER = resident(quiet="22:00-06:30", category="school")


def test_yellow_waits_for_the_morning_and_red_does_not() -> None:
    yellow = alert(Level.YELLOW, at=NIGHT, version=1, msg_type="alert")
    red = alert(Level.RED, at=NIGHT + HOUR, version=2, msg_type="update")
    down = alert(Level.YELLOW, at=NIGHT + 2 * HOUR, version=3, msg_type="update")
    (first,), (second,), (third,) = deliveries(district(SLEEPER), yellow, red, down)
    assert first.not_before == MORNING
    assert first.category == "school"
    assert first.deadline_at <= first.expires_at
    assert second.not_before == 0
    # the yellow was never heard: to this person red is the first word, not a step up
    assert second.msg_type == "alert"
    assert "升级" not in second.routes[0].text
    # who was woken is told what follows
    assert third.not_before == 0
    assert third.msg_type == "update"


def test_the_words_of_the_morning_follow_what_was_heard() -> None:
    blue = alert(Level.BLUE, at=T0, version=1, msg_type="alert")
    yellow = alert(Level.YELLOW, at=NIGHT, version=2, msg_type="update")
    noon = T0 + 16 * HOUR
    orange = alert(Level.ORANGE, at=noon, version=3, msg_type="update")
    first, second, third = deliveries(district(SLEEPER), blue, yellow, orange)
    assert [d.not_before for d in (*first, *second, *third)] == [0, MORNING, 0]
    assert third[0].msg_type == "update"


RULES = Rules(False, (5,), 180, 300, {"A01": "香屯村"})


def _attempts(box: Box) -> list[str]:
    from dispatch.send.outbox.attempts import Agenda

    agenda = Agenda()
    agenda.follow(box)
    found = []
    while (a := agenda.take("sms", box.clock_at)) is not None:
        found.append(a.delivery.id)
    return found


def test_the_outbox_holds_it_until_the_hour_and_a_red_overtakes_it() -> None:
    yellow = alert(Level.YELLOW, at=NIGHT, version=1, msg_type="alert")
    yellow = msgspec.structs.replace(yellow, expires_at=MORNING + HOUR)
    red = alert(Level.RED, at=NIGHT + HOUR, version=2, msg_type="update")
    (held,), (loud,) = deliveries(district(SLEEPER), yellow, red)
    box = Box()
    apply(RULES, box, held)
    apply(RULES, box, Tick(clock_at=MORNING - 1))
    assert _attempts(box) == []
    apply(RULES, box, Tick(clock_at=MORNING))
    assert _attempts(box) == [held.id]
    box = Box()
    apply(RULES, box, held)
    out = apply(RULES, box, loud)
    assert [w.state for w in out if isinstance(w, Receipt)] == ["superseded"]
    apply(RULES, box, Tick(clock_at=NIGHT + HOUR))
    assert _attempts(box) == [loud.id]


def test_what_was_over_before_morning_alarms_no_duty_room() -> None:
    yellow = alert(Level.YELLOW, at=NIGHT, version=1, msg_type="alert")
    ((held,),) = deliveries(district(SLEEPER), yellow)
    assert held.not_before > held.expires_at
    box = Box()
    apply(RULES, box, held)
    out = apply(RULES, box, Tick(clock_at=held.expires_at))
    assert [type(w) for w in out] == [Receipt]
    assert box.open == {}
