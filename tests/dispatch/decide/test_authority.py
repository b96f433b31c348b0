"""Who may decide what, told as short stories with Yanqing's own policy and officers."""

import msgspec
import pytest

from config.language import zh
from config.records.district import Contact
from config.records.level import Action, Level
from dispatch.address.recipients import internal
from dispatch.decide.authority import next_acts
from dispatch.records import Alert, Decision
from tests.support.decide_district import MIN, T0, Line, act, mark, real, seen, tick, yanqing

BLUE, YELLOW, ORANGE, RED = Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED
PREPARE, MOVE = Action.PREPARE, Action.MOVE


def last(line: Line) -> Decision:
    return line.decisions[-1]


def called(a: Alert, what: str) -> tuple[str, ...]:
    return next(q.called for q in a.questions if q.what == what)


def test_one_approves_and_another_releases() -> None:
    line = Line(real())
    (a,) = line.feed(seen(0, ORANGE))
    assert (a.level, a.state) == (YELLOW, "proposed")
    (b,) = line.feed(act("release", by="K-01"))
    assert (b.level, b.state) == (YELLOW, "proposed")
    assert b.questions[0].signed == ("K-01",)
    assert (last(line).act, last(line).outcome) == ("approve", "done")
    assert line.feed(act("release", by="K-01")) == []
    assert last(line).outcome == "refused"
    assert "nobody approves their own" in last(line).answer
    (c,) = line.feed(act("release", by="D-01"))
    assert (c.level, c.state, c.by) == (ORANGE, "released", "D-01")


def test_a_refusal_says_of_nobody_that_they_signed_who_did_not() -> None:
    line = Line(real())
    line.feed(seen(0, RED), act("approve", by="K-01"))
    assert line.feed(act("approve", by="D-01")) == []  # who may not approve, but release
    assert zh(last(line).answer) == "红色已由K-01批准，D-01现在可以发布。"
    assert line.feed(act("approve", by="K-02")) == []
    assert zh(last(line).answer) == "K-01已批准，K-02现在可以发布。"
    assert line.feed(act("release", by="K-01")) == []
    said = zh(last(line).answer)
    assert "K-01已署名，不能批准自己的；另一人可为" in said
    assert "K-01、" not in said.partition("另一人可为")[2], "who has signed is not another"
    line.feed(seen(1, RED, area="A02"))
    assert line.feed(act("release", by="D-01", area="A02")) == []
    assert "须先经" in zh(last(line).answer)
    assert "自己" not in zh(last(line).answer)


@pytest.mark.parametrize(
    ("acts", "then"),
    [
        ((), {"K-01": "approve", "K-09": "approve", "D-01": "phone"}),
        ((act("approve", by="K-01"),), {"K-01": None, "K-09": "release", "D-01": "release"}),
        (
            (act("approve", by="D-01", approver="K-01", reference="7"),),
            {"D-01": None, "D-02": "release", "K-01": "release"},
        ),
        ((act("raise", RED, by="D-01"),), {"D-01": None, "K-01": "release", "D-02": "phone"}),
    ],
)
def test_what_each_can_do_next_is_what_is_then_done(
    acts: tuple[Decision, ...], then: dict[str, str | None]
) -> None:
    district = real()
    for who, wanted in then.items():
        line = Line(district)
        line.feed(seen(0, RED), *acts)
        alert = line.alerts[-1]
        found = next_acts(district, alert, alert.questions[-1])
        assert found.get(who) == wanted, found
        assert not {"T-01", "V-01", "G-01"} & set(found)
        if wanted in ("approve", "release"):
            line.feed(act(wanted, RED, by=who))
            assert (last(line).act, last(line).outcome) == (wanted, "done")
        else:
            assert line.feed(act("release", RED, by=who)) == []


def test_what_was_not_asked_when_somebody_looked_is_not_released_with_it() -> None:
    line = Line(real())
    line.feed(seen(0, ORANGE), act("approve", ORANGE, by="K-01"), seen(1, RED, MOVE))
    (a,) = line.feed(act("release", ORANGE, by="D-01"))
    assert (a.level, a.proposed_level) == (ORANGE, RED)
    assert [(q.what, q.signed) for q in a.questions] == [("red", ())]


def test_the_second_name_under_an_end() -> None:
    district = real()
    line = Line(district)
    line.feed(seen(0, RED), act("approve", by="K-01"), act("release", by="D-01"))
    (a,) = line.feed(act("lower", YELLOW, by="K-01"))
    (q,) = (q for q in a.questions if q.what == "lower")
    assert (q.signed, q.to_level, q.to_action) == (("K-01",), YELLOW, Action.NONE)
    found = next_acts(district, a, q)
    assert (found["D-01"], found["K-09"], found.get("K-01")) == ("lower", "lower", None)
    (b,) = line.feed(act("lower", q.to_level, by="D-01"))
    assert (b.level, b.questions) == (YELLOW, ())


def test_the_second_of_two_at_once_is_told_that_it_is_done() -> None:
    line = Line(real())
    line.feed(seen(0, ORANGE), act("approve", by="K-01"))
    versions = line.feed(act("release", by="D-01"), act("release", by="D-02"))
    assert [a.level for a in versions] == [ORANGE]
    assert last(line).outcome == "already"
    assert "D-01" in last(line).answer
    line.feed(act("approve", by="K-02"))
    assert last(line).outcome == "already"


def test_an_approval_by_telephone_takes_a_second_person() -> None:
    line = Line(real())
    line.feed(seen(0, RED, MOVE))
    for wrong in (
        act("approve", by="D-01"),
        act("approve", by="D-01", approver="K-01"),  # without a number
        act("approve", by="D-01", approver="D-02", reference="7"),  # who may not approve
        act("release", by="D-01", approver="V-01", reference="7"),
    ):
        assert line.feed(wrong) == []
        assert last(line).outcome == "refused"
    assert "K-01" in last(line).answer
    (a,) = line.feed(act("approve", by="D-01", approver="K-01", reference="2025-17"))
    assert a.level == YELLOW
    assert (last(line).approver, last(line).reference) == ("K-01", "2025-17")
    assert line.feed(act("release", by="D-01")) == []
    (b,) = line.feed(act("release", by="D-02"))
    assert (b.level, b.action) == (RED, MOVE)


def test_where_one_is_enough_a_record_by_telephone_still_takes_two() -> None:
    policy = yanqing().policy
    rows = policy.authority["*"]
    rows = {**rows, "orange": msgspec.structs.replace(rows["orange"], two_persons=False)}
    easy = msgspec.structs.replace(policy, authority={**policy.authority, "*": rows})
    line = Line(real(easy))
    line.feed(seen(0, ORANGE), act("release", by="D-01", approver="K-01", reference="7"))
    assert line.alerts[-1].level == YELLOW
    assert line.feed(act("release", by="D-02"))[0].level == ORANGE
    line = Line(real(easy))
    line.feed(seen(0, ORANGE))
    assert line.feed(act("release", by="K-01"))[0].level == ORANGE


def test_who_is_not_entitled_is_told_who_is() -> None:
    line = Line(real())
    line.feed(seen(0, ORANGE))
    for by, words in (
        ("T-01", "K-01"),  # a township does not release a colour
        ("V-06", "V-01"),  # another village's head
        ("X-99", "officers.csv"),
        ("G-01", "K-01"),
    ):
        assert line.feed(act("release", by=by)) == []
        assert last(line).outcome == "refused"
        assert words in last(line).answer
    assert line.feed(act("hold", by="D-01")) == []  # only the city stops what the city is asked
    assert "K-01" in last(line).answer


def test_the_village_head_orders_at_once_and_the_township_lifts() -> None:
    line = Line(real())
    (a,) = line.feed(act("raise", action=MOVE, by="V-01"))
    assert (a.level, a.action, a.public, a.state) == (Level.NONE, MOVE, True, "released")
    assert line.feed(act("cancel", by="V-01")) == []
    assert "T-01" in last(line).answer
    assert line.feed(act("raise", action=MOVE, by="V-01", area="A02")) == []
    assert line.feed(act("cancel", by="T-01"))[0].state == "cancelled"


def test_an_order_and_a_colour_go_their_own_ways() -> None:
    line = Line(real())
    (a,) = line.feed(act("raise", ORANGE, MOVE, by="D-01"))
    assert (a.level, a.action, a.state) == (YELLOW, MOVE, "proposed")  # yellow is the district's
    assert (a.proposed_level, a.questions[0].signed) == (ORANGE, ("D-01",))
    (b,) = line.feed(act("release", by="K-01"))  # the proposer's name is the first of two
    assert (b.level, b.action, b.state) == (ORANGE, MOVE, "released")


def test_the_hazards_owner_decides_on_its_colours() -> None:
    line = Line(real())
    assert line.feed(act("raise", BLUE, hazard="debris_flow", by="D-01")) == []
    assert "G-01" in last(line).answer
    assert line.feed(act("raise", BLUE, hazard="debris_flow", by="M-01"))[0].level == Level.NONE
    assert line.feed(act("release", hazard="debris_flow", by="G-01"))[0].level == BLUE  # jointly


def test_nobody_answers_and_the_question_goes_up_and_round() -> None:
    line = Line(real())
    (a,) = line.feed(seen(0, ORANGE))
    assert called(a, "orange") == ("K-01",)
    asked = []
    for minute in range(1, 45):
        asked += [(minute, called(b, "orange"), b.deadline_at) for b in line.feed(tick(minute))]
    assert asked == [
        (m, who, T0 + (m + 10) * MIN)
        for m, who in ((10, ("K-02",)), (20, ("K-09",)), (30, ("K-01",)), (40, ("K-02",)))
    ]
    assert [d.act for d in line.decisions] == ["release"] + ["escalate"] * 4
    assert {x.level for x in line.alerts} == {YELLOW}


def test_who_cannot_be_reached_is_passed_over_at_once() -> None:
    line = Line(real())
    line.feed(seen(0, ORANGE), mark(2))
    (a,) = line.feed(act("escalate", by="D-01"))
    assert called(a, "orange") == ("K-02",)
    assert a.deadline_at == T0 + 12 * MIN
    assert called(line.feed(act("escalate", by="D-01"))[0], "orange") == ("K-09",)
    assert line.feed(act("escalate", by="D-01")) == []
    assert last(line).outcome == "refused"
    assert line.feed(act("escalate", by="V-01")) == []


def test_who_is_asked_gets_a_notice_and_must_answer() -> None:
    district = real()
    phone = Contact(id="C-K1", name="n", role="officer", areas=("A06",), lang="zh",
                    channels=("sms",), min_level=RED, phone="199-0000-0999")  # fmt: skip
    officers = {
        **district.officers,
        "K-01": msgspec.structs.replace(district.officers["K-01"], contact="C-K1"),
    }
    district = msgspec.structs.replace(
        district, officers=officers, contacts={**district.contacts, "C-K1": phone}
    )
    line = Line(district)
    (a,) = line.feed(seen(0, ORANGE))
    (told,) = [t for t in internal(district, a, ()) if t.recipient == "C-K1"]
    assert told.must_answer
    (b,) = line.feed(tick(10))  # now K-02 is asked
    assert [t.recipient for t in internal(district, b, ())].count("C-K1") == 0
    later = [t for t in internal(district, b, ("C-K1",)) if t.recipient == "C-K1"]
    assert [t.must_answer for t in later] == [False]  # what follows, without being called again


def test_a_returned_warning_is_mended_or_asked_again() -> None:
    line = Line(real())
    line.feed(seen(0, ORANGE))
    assert line.feed(act("return", by="K-01", reason=" ")) == []  # not without what to mend
    (a,) = line.feed(act("return", by="K-01", reason="补报沙门沟水位"))
    assert (a.level, a.state) == (YELLOW, "returned")
    assert "补报沙门沟水位" in a.reason
    line.feed(act("return", by="K-02"))
    assert last(line).outcome == "already"
    (b,) = line.feed(act("propose", by="D-01", reason="已补报"))
    assert b.state == "proposed"
    (c,) = line.feed(act("release", by="K-01"))
    assert (c.level, c.state) == (ORANGE, "released")
    line.feed(seen(20, RED), act("return", by="K-01"))
    assert line.alerts[-1].state == "returned"
    again = line.feed(tick(24), tick(25))
    assert [x.state for x in again] == ["proposed"]
    assert last(line).act == "propose"


def test_a_rejected_warning_must_be_proposed_anew() -> None:
    line = Line(real())
    line.feed(seen(0, ORANGE), act("reject", by="K-01"))
    assert line.alerts[-1].state == "rejected"
    for by in ("K-01", "D-01"):
        assert line.feed(act("release", by=by)) == []
    line.feed(act("propose", by="D-01"))
    assert line.feed(act("release", by="K-02"))[0].level == ORANGE


def test_a_mere_proposal_does_not_lift_a_cap() -> None:
    line = Line(real())
    line.feed(seen(0, ORANGE, MOVE), act("reject", by="K-01"), act("lower", BLUE, by="D-01"))
    assert line.alerts[-1].level == BLUE
    (a,) = line.feed(act("raise", ORANGE, by="K-02"))
    assert (a.level, a.action, a.state) == (BLUE, MOVE, "proposed")
    assert line.feed(act("release", by="D-02"))[0].level == ORANGE


def test_what_two_let_out_two_take_back() -> None:
    line = Line(real())
    line.feed(seen(0, RED, MOVE), act("approve", by="K-01"), act("release", by="D-01"))
    (a,) = line.feed(act("cancel", by="K-01"))
    assert (a.level, a.action, a.state) == (RED, MOVE, "released")
    assert [q.what for q in a.questions] == ["cancel"]
    assert line.feed(act("cancel", by="K-01")) == []
    assert line.feed(act("cancel", by="T-01", area="A06")) == []
    (b,) = line.feed(act("cancel", by="D-02"))
    assert b.state == "cancelled"


def test_more_evidence_makes_half_a_cancel_void() -> None:
    line = Line(real())
    line.feed(seen(0, ORANGE), act("approve", by="K-01"), act("release", by="D-01"))
    line.feed(act("cancel", by="K-01"), seen(1, RED))
    assert [q.what for q in line.alerts[-1].questions] == ["red"]
    line.feed(act("cancel", by="D-01"))
    assert line.alerts[-1].state != "cancelled"


def test_a_cancel_that_races_an_update_is_refused_and_may_be_given_again() -> None:
    line = Line(real())
    (a,) = line.feed(seen(0, YELLOW))
    stale = act("cancel", by="D-01", alert=a.id, version=a.version)
    (b,) = line.feed(seen(1, ORANGE))
    assert line.feed(stale) == []
    assert last(line).outcome == "refused"
    assert "version 2" in last(line).answer
    line = Line(real())
    (a,) = line.feed(seen(0, YELLOW))
    (gone,) = line.feed(act("cancel", by="D-01", alert=a.id, version=1))
    assert gone.state == "cancelled"
    assert line.feed(act("cancel", by="D-02", alert=a.id, version=1)) == []
    assert last(line).outcome == "already"
    assert line.feed(act("lower", BLUE, by="D-02", alert=a.id, version=1)) == []
    assert last(line).outcome == "refused"
    assert b.version == 2


def test_an_override_goes_up_at_once_and_tells_those_passed_over() -> None:
    line = Line(real())
    line.feed(seen(0, RED))
    assert line.feed(act("override", by="T-01")) == []
    assert "D-01" in last(line).answer
    (a,) = line.feed(act("override", by="D-01", reason="市里电话中断"))
    assert (a.level, a.public, a.state) == (RED, True, "released")
    assert set(a.notified) == {"K-01", "K-02", "K-09"}
    assert line.feed(act("override", BLUE, by="D-01")) == []  # never down
    assert last(line).outcome != "done"


def test_who_holds_holds_only_what_is_theirs() -> None:
    line = Line(real())
    line.feed(seen(0, ORANGE, PREPARE, suspect=True))
    (a,) = line.feed(act("hold", by="K-01"))
    # blue and yellow rest on suspect values: they are still the district's to decide
    assert (a.action, a.state, {q.what for q in a.questions}) == (
        PREPARE,
        "proposed",
        {"blue", "yellow"},
    )
    (b,) = line.feed(act("release", by="D-01"))
    assert (b.level, b.state) == (YELLOW, "held")


def test_without_officers_nobody_acts() -> None:
    district = msgspec.structs.replace(real(), officers={})
    for kind in ("live", "exercise"):
        line = Line(district, kind)
        line.feed(seen(0, ORANGE))
        done = line.feed(act("cancel", by="D-01"))
        assert done == []
        assert "officers.csv" in last(line).answer


def test_a_verified_report_takes_its_number() -> None:
    line = Line(real())
    line.feed(seen(0, YELLOW, PREPARE))
    one = act("verify", area="", hazard="", by="D-01", reason="实测转移312人")
    assert line.feed(one) == []
    assert last(line).outcome == "refused"  # nothing was reported yet
    line.feed(act("release", by="D-01"), tick(1), one)
    assert [(r.number, r.kind) for r in line.reports] == [(1, "初报"), (2, "核报")]
    assert "实测转移312人" in line.reports[-1].text
    assert line.reports[-1].by == "D-01"
    assert last(line).incident == line.reports[0].incident
    for wrong in (
        act("verify", area="", hazard="", by="V-01"),
        act("verify", area="", hazard="", by="X-01"),
        act("verify", area="", hazard="", by="D-01", incident="yanqing-1"),
    ):
        line.feed(wrong)
        assert last(line).outcome == "refused"


def test_the_final_report_closes_its_warnings() -> None:
    line = Line(real())
    line.feed(seen(0, YELLOW), seen(0, BLUE, area="A02"), tick(1), seen(10), seen(10, area="A02"))
    line.quiet(15, 600)
    assert line.reports[-1].kind == "终报"
    closed = [d for d in line.decisions if d.act == "close"]
    assert {d.alert for d in closed} == {a.id for a in line.alerts}
    assert all(d.incident == line.reports[-1].incident for d in closed)
    line.quiet(605, 1200)
    assert [d for d in line.decisions if d.act == "close"] == closed
