"""Joint release: offices that must all agree before a colour or an order goes out, who is waited for, what
each officer can do next, and what comes when the second office does not answer."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import zh
from config.records.authority import Authority, Escalation, Office, Officer
from config.records.district import District
from config.records.level import Action, Level
from dispatch.decide.authority import next_acts
from dispatch.records import Alert, Decision
from tests.support.decide_district import MIN, T0, Line, act, real, seen, tick, yanqing
from tests.support.districts import as_it_stands
from tests.support.examples import examples

BLUE, YELLOW, RED = Level.BLUE, Level.YELLOW, Level.RED
MOVE = Action.MOVE
WATER = Office(name="水务局", name_en="water office")
PEOPLE = (
    Officer(id="W-01", office="water", areas=("*",), duty=1, contact="C-0190"),
    Officer(id="W-02", office="water", areas=("*",), duty=2),
)


def jointly(what: str = "yellow", **more: object) -> District:
    """Water and weather release one colour or order of flash floods together; the rest is the district's."""
    d = real()
    who = Authority(by=("water", "weather"), joint=True, deadline_s=600, second_s=300)
    who = msgspec.structs.replace(who, **more)
    flash = {"blue": Authority(by=("district",)), what: who}
    table = {**d.policy.authority, "flash_flood": flash}
    office = {**d.policy.office, "water": WATER}
    policy = msgspec.structs.replace(d.policy, authority=table, office=office)
    alone = {k: o for k, o in d.officers.items() if k != "M-02"}  # one of the weather office
    return msgspec.structs.replace(
        d, policy=policy, officers={**alone, **{o.id: o for o in PEOPLE}}
    )


def last(line: Line) -> Decision:
    return line.decisions[-1]


def nexts(line: Line) -> dict[str, str]:
    alert: Alert = line.alerts[-1]
    return next_acts(line.stage._district, alert, alert.questions[-1])


def test_both_offices_must_agree_and_both_names_stand_in_the_ledger() -> None:
    line = Line(jointly())
    (a,) = line.feed(seen(0, YELLOW))
    assert (a.level, a.state) == (BLUE, "proposed")
    (q,) = a.questions
    assert (q.agreed, q.awaited) == ((), ("water", "weather"))
    assert set(q.called) == {"W-01", "M-01"}
    assert nexts(line) == {"W-01": "approve", "W-02": "approve", "M-01": "approve"}
    (b,) = line.feed(act("release", by="W-01"))
    (q,) = b.questions
    assert (b.level, q.agreed, q.awaited, q.called) == (BLUE, ("water",), ("weather",), ("M-01",))
    assert nexts(line) == {"M-01": "release"}
    assert "待气象局（M-01）同意" in zh(last(line).answer)
    (c,) = line.feed(act("release", by="M-01"))
    assert (c.level, c.state, c.questions) == (YELLOW, "released", ())
    assert c.issuers == ("water", "weather")
    persons = [(d.act, d.by, d.outcome) for d in line.decisions if d.by != "policy"]
    assert persons == [("approve", "W-01", "done"), ("release", "M-01", "done")]


def test_the_example_district_releases_flash_floods_by_water_and_weather() -> None:
    whole = as_it_stands()
    line = Line(msgspec.structs.replace(real(whole.policy), officers=whole.officers))
    line.feed(seen(0, BLUE))
    assert line.alerts[-1].questions[0].awaited == ("water", "weather")
    line.feed(act("release", by="W-01"))
    (a,) = line.feed(act("release", by="M-01"))
    assert (a.level, a.issuers) == (BLUE, ("water", "weather"))
    deaf = Line(msgspec.structs.replace(real(whole.policy), officers=whole.officers))
    deaf.feed(seen(0, BLUE), tick(2), act("release", by="W-02"))
    (b,) = deaf.feed(tick(12))
    assert (b.level, b.issuers) == (BLUE, ("water",)), "the weather office did not answer in 10 minutes"


def test_the_second_office_may_press_either_button() -> None:
    line = Line(jointly())
    line.feed(seen(0, YELLOW), act("approve", by="M-01"))
    (c,) = line.feed(act("approve", by="W-02"))
    assert (c.level, c.state, last(line).act) == (YELLOW, "released", "release")


def test_a_second_name_of_the_same_office_is_refused_with_who_is_waited_for() -> None:
    line = Line(jointly())
    line.feed(seen(0, YELLOW), act("release", by="W-01"))
    for what in ("release", "approve"):
        for by in ("W-01", "W-02"):
            assert line.feed(act(what, by=by)) == []
            assert last(line).outcome == "refused"
            said = zh(last(line).answer)
            assert "水务局已同意（W-01），待气象局（M-01）" in said
    assert line.feed(act("release", by="D-01")) == []  # who decides on blue, not on this
    assert "无权决定黄色" in zh(last(line).answer)
    assert line.feed(act("raise", YELLOW, by="W-02")) == []
    assert "待气象局（M-01）" in zh(last(line).answer)


def test_what_one_office_raises_waits_for_the_other() -> None:
    line = Line(jointly())
    (a,) = line.feed(act("raise", YELLOW, by="M-01"))
    assert (a.level, a.state, a.questions[-1].agreed) == (Level.NONE, "proposed", ("weather",))
    (b,) = line.feed(act("release", by="W-01"))
    assert (b.level, b.issuers) == (YELLOW, ("water", "weather"))


def test_each_office_may_be_asked_by_telephone_and_counts_for_itself() -> None:
    line = Line(jointly(through=("district",)))
    line.feed(seen(0, YELLOW))
    assert nexts(line)["D-01"] == "phone"
    (a,) = line.feed(act("approve", by="D-01", approver="W-01", reference="水电7"))
    (q,) = a.questions
    assert (q.agreed, q.awaited, q.signed, q.phoned) == (
        ("water",),
        ("weather",),
        ("D-01",),
        ("D-01",),
    )
    assert nexts(line)["D-01"] == "phone"  # for the other office
    assert nexts(line)["M-01"] == "release"
    assert line.feed(act("approve", by="D-01", approver="W-02", reference="水电8")) == []
    line.feed(act("approve", by="D-01", approver="M-01", reference="气电3"))
    assert line.alerts[-1].questions[0].awaited == ()
    assert line.alerts[-1].level == BLUE, "what was approved by telephone takes a second person"
    (c,) = line.feed(act("release", by="D-02"))
    assert (c.level, c.issuers) == (YELLOW, ("water", "weather"))


@pytest.mark.parametrize("alone", ["release", "repeat"])
def test_the_rule_of_the_district_decides_when_the_second_does_not_answer(alone: str) -> None:
    line = Line(jointly(alone=alone))
    line.feed(seen(0, YELLOW), tick(2), act("release", by="W-01"))
    assert line.alerts[-1].questions[0].deadline_at == T0 + 7 * MIN
    assert line.feed(tick(6.9)) == []
    (a,) = line.feed(tick(7))
    said = zh(last(line).reason)
    assert "水务局已同意，气象局5分钟内未答复" in said
    if alone == "release":
        assert (a.level, a.issuers, last(line).act, last(line).by) == (
            YELLOW, ("water",), "release", "policy",
        )  # fmt: skip
        assert "不是联合发布" in said
    else:
        assert (a.level, last(line).act) == (BLUE, "escalate")
        assert (a.questions[0].agreed, a.questions[0].called) == (("water",), ("M-01",))
        line.feed(act("release", by="M-01"))
        assert line.alerts[-1].level == YELLOW


def test_an_order_to_move_is_never_held_for_want_of_the_second_office() -> None:
    """Whatever the rule says, it goes out when the second has had its time, on record."""
    line = Line(jointly("move", alone="repeat", default="repeat"))
    (a,) = line.feed(seen(0, BLUE, MOVE))
    assert a.action == Action.PREPARE
    line.feed(act("release", by="M-01"))
    assert line.feed(tick(4.9)) == []
    (b,) = line.feed(tick(5))
    assert b.action == MOVE
    said = zh(last(line).reason)
    assert "立即转移不因第二家未答复而压下" in said
    assert "由气象局单独发布，不是联合发布" in said


def test_an_office_above_them_decides_in_their_place() -> None:
    line = Line(jointly(chain=(Escalation(office="city", within_s=300),)))
    line.feed(seen(0, YELLOW))
    assert nexts(line)["K-01"] == "release"
    (a,) = line.feed(act("release", by="K-01"))
    assert (a.level, a.issuers) == (YELLOW, ())


def test_the_end_of_what_was_released_jointly_takes_both_but_where_others_may_end_it() -> None:
    line = Line(jointly())
    line.feed(seen(0, YELLOW), act("release", by="W-01"), act("release", by="M-01"))
    (a,) = line.feed(act("lower", BLUE, by="W-01"))
    assert a.level == YELLOW
    assert nexts(line) == {"M-01": "lower"}
    assert line.feed(act("lower", BLUE, by="M-01"))[0].level == BLUE
    for by in ("W-01", "M-01"):  # the same two, or who stands above them
        named = Line(jointly(ends=("water", "weather", "city")))
        named.feed(seen(0, YELLOW), act("release", by="W-01"), act("release", by="M-01"))
        assert named.alerts[-1].level == YELLOW
        named.feed(act("cancel", by=by))
        assert named.alerts[-1].level == YELLOW, "one of two takes nothing back"
        named.feed(act("cancel", by="K-01"))
        assert named.alerts[-1].state == "cancelled"
    other = Line(jointly(ends=("weather",)))
    other.feed(seen(0, YELLOW), act("release", by="W-01"), act("release", by="M-01"))
    assert other.feed(act("lower", BLUE, by="M-01"))[0].level == BLUE


def test_a_higher_colour_that_came_otherwise_is_not_said_to_be_theirs() -> None:
    line = Line(jointly())
    line.feed(seen(0, YELLOW), act("release", by="W-01"), act("release", by="M-01"))
    line.feed(seen(1, RED), act("approve", by="K-01"), act("release", by="D-01"))
    assert (line.alerts[-1].level, line.alerts[-1].issuers) == (RED, ())


WHO = st.sampled_from(["W-01", "W-02", "M-01", "D-01"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["release", "approve", "raise", "wait", "hold"]), WHO), max_size=8
)


@examples(40)
@given(STEPS, st.sampled_from(["release", "repeat"]), st.booleans())
def test_out_only_with_both_or_after_the_second_had_its_time(
    steps: list[tuple[str, str]], alone: str, order: bool
) -> None:
    """Never out in silence; and an order to move is out at latest when its time is over after the first
    office agreed and none has held it."""
    what, grade = ("move", (BLUE, MOVE)) if order else ("yellow", (YELLOW, Action.NONE))
    line = Line(jointly(what, alone=alone, default="repeat"))
    line.feed(seen(0, *grade))
    minute, agreed, held = 0.0, set[str](), False
    first: float | None = None
    for what_now, by in steps:
        if what_now == "wait":
            minute += 2
            line.feed(tick(minute))
        else:
            told = (Level.NONE, MOVE) if order else (YELLOW, Action.NONE)
            line.feed(act(what_now, *(told if what_now == "raise" else ()), by=by))
            done = last(line).outcome == "done"
            held = held or (done and what_now == "hold")
            if done and what_now != "hold" and by != "D-01":
                agreed.add(by[0])
                first = minute if first is None else first
        a = line.alerts[-1]
        out = a.action == MOVE if order else a.level == YELLOW
        late = first is not None and minute >= first + 5
        if out:
            assert agreed == {"W", "M"} or (late and agreed and (alone == "release" or order))
        elif order and not held:
            assert not late
        assert {"W": "water", "M": "weather"}.keys() >= agreed


def test_yanqings_debris_flow_is_released_jointly() -> None:
    table = yanqing().policy.authority["debris_flow"]
    assert all(table[c].joint and table[c].by == ("resources", "weather") for c in ("blue", "yellow"))
    line = Line(real())
    (a,) = line.feed(seen(0, YELLOW, hazard="debris_flow"))
    assert (a.level, a.state) == (Level.NONE, "proposed")
    line.feed(act("release", hazard="debris_flow", by="G-01"))
    (b,) = line.feed(act("release", hazard="debris_flow", by="M-01"))
    assert (b.level, b.issuers) == (YELLOW, ("resources", "weather"))


@pytest.mark.parametrize("what", ["move", "prepare"])
def test_asking_more_people_makes_no_order_later(what: str) -> None:
    """Whoever has not agreed, or anybody else, may pass the question up: the time goes on."""
    chain = (Escalation(office="city", within_s=3600),)
    line = Line(jointly(what, alone="repeat", default="repeat", chain=chain))
    order = MOVE if what == "move" else Action.PREPARE
    line.feed(seen(0, BLUE, order), act("release", by="M-01"))
    for n, asked in enumerate((("K-01",), ("K-02",))):
        line.feed(tick(1 + n), act("escalate", by="W-01"))
        (q,) = line.alerts[-1].questions
        assert (q.called, q.deadline_at) == (asked, T0 + 5 * MIN)
    line.feed(tick(5))
    assert line.alerts[-1].action == order
    assert "不因第二家未答复而压下" in zh(last(line).reason)


@pytest.mark.parametrize("what", ["move", "prepare"])
def test_one_office_that_agrees_makes_no_order_later_than_silence_would(what: str) -> None:
    at: dict[bool, int] = {}
    for agrees in (False, True):
        line = Line(jointly(what, second_s=1800))  # default: released where nobody answers
        order = MOVE if what == "move" else Action.PREPARE
        line.feed(seen(0, BLUE, order), tick(9))
        if agrees:
            line.feed(act("release", by="M-01"))
        for minute in range(10, 60):
            line.feed(tick(minute))
            if line.alerts[-1].action == order:
                at[agrees] = minute
                break
    assert at[True] <= at[False]


def test_a_version_says_that_all_are_asked_again_where_one_has_agreed() -> None:
    line = Line(jointly())  # default: released where nobody answers; alone: not so
    line.feed(seen(0, YELLOW), act("release", by="M-01"))
    assert "逾期从头再报" in zh(line.alerts[-1].reason)
    assert "逾期发布" not in zh(line.alerts[-1].reason)


def test_a_third_office_that_agrees_gives_the_last_no_more_time() -> None:
    d = jointly("move", by=("water", "weather", "district"), alone="repeat", default="repeat")
    line = Line(d)
    line.feed(seen(0, BLUE, MOVE), act("release", by="M-01"), tick(4), act("release", by="W-01"))
    assert line.alerts[-1].questions[0].deadline_at == T0 + 5 * MIN
    line.feed(tick(5))
    assert line.alerts[-1].action == MOVE


def test_who_proposes_anew_what_was_returned_has_agreed_and_the_second_has_its_time() -> None:
    line = Line(jointly("move", alone="repeat", default="repeat", deadline_s=3600))
    line.feed(seen(0, BLUE, MOVE), act("return", by="W-01"), act("propose", by="M-01"))
    (q,) = line.alerts[-1].questions
    assert (q.agreed, q.deadline_at) == (("weather",), T0 + 5 * MIN)


def test_the_page_still_says_what_can_be_done_when_an_office_that_agreed_has_nobody_left() -> None:
    d = jointly(through=("district",))
    line = Line(d)
    line.feed(seen(0, YELLOW), act("approve", by="D-01", approver="W-01", reference="水电7"))
    alert = line.alerts[-1]
    left = {k: o for k, o in d.officers.items() if o.office != "water"}
    assert "M-01" not in next_acts(msgspec.structs.replace(d, officers=left), alert, alert.questions[0])
