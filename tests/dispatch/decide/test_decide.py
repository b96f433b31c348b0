"""What decide does with one area's evidence, with people and with time, told as short stories."""

import msgspec
import pytest

from config.language import en, zh
from config.records.authority import Authority
from config.records.level import Action, Level
from detectors.detection import Coverage, Mark
from dispatch.ledger.decisions import broken
from dispatch.records import Alert, Decision
from dispatch.words.local_time import local
from stream.records import Run
from tests.support.decide_district import (
    GROUP,
    MIN,
    OTHER,
    T0,
    Line,
    act,
    mark,
    real,
    run,
    seen,
    silence,
    small,
    tick,
    with_authority,
    yanqing,
)

BLUE, YELLOW, ORANGE, RED = Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED
PREPARE, MOVE = Action.PREPARE, Action.MOVE


def face(a: Alert) -> tuple[int, int, bool, str]:
    return a.level, a.action, a.public, a.state


def test_a_rise_is_a_version_in_the_same_step() -> None:
    line = Line()
    (first,) = line.feed(seen(3, YELLOW))
    assert face(first) == (YELLOW, Action.NONE, True, "released")
    assert first.id == "yanqing-A01-flash_flood-20250726T120300"
    assert (first.version, first.msg_type, first.status) == (1, "alert", "actual")
    assert first.sent_at == T0 + 3 * MIN
    assert local(first.expires_at, "Asia/Shanghai", "%H:%M") == "06:30"  # six hours end at night
    assert first.evidence[0].value == 52.3
    assert "standing authorisation" in first.reason
    assert [d.act for d in line.decisions] == ["release"]
    assert line.decisions[0].by == "policy"


def test_sent_at_is_the_clock_not_the_readings_own_time_when_it_is_late() -> None:
    line = Line()
    line.feed(mark(20))
    (late,) = line.feed(seen(3, YELLOW))
    assert late.sent_at == T0 + 20 * MIN
    assert late.onset_at == T0 + 3 * MIN


def test_live_orange_waits_for_the_city_while_yellow_and_the_order_go_out() -> None:
    line = Line()
    (a,) = line.feed(seen(3, ORANGE, PREPARE))
    assert face(a) == (YELLOW, PREPARE, True, "proposed")
    assert (a.proposed_level, a.proposed_action) == (ORANGE, PREPARE)
    assert a.authority == "市防汛指挥部"
    assert a.deadline_at == a.sent_at + 600_000
    # nobody answers: escalated, still not public
    assert line.feed(mark(12)) == []
    (b,) = line.feed(mark(13))
    assert face(b) == (YELLOW, PREPARE, True, "proposed")
    assert b.authority == "市防汛指挥部值班领导"
    assert b.deadline_at == b.sent_at + 600_000
    assert line.decisions[-1].act == "escalate"
    (c,) = line.feed(act("release"))
    assert face(c) == (ORANGE, PREPARE, True, "released")
    assert c.by == "P-7"


def test_an_exercise_releases_at_once_if_the_policy_says_so() -> None:
    line = Line(kind="exercise")
    (a,) = line.feed(seen(3, RED, MOVE))
    assert face(a) == (RED, MOVE, True, "released")
    assert a.status == "exercise"
    strict = small(msgspec.structs.replace(yanqing().policy, exercise_releases=False))
    (a,) = Line(strict, "exercise").feed(seen(3, RED, MOVE))
    assert face(a) == (YELLOW, MOVE, True, "proposed")


@pytest.mark.parametrize(
    ("default", "after"),
    [
        ("release", (ORANGE, Action.NONE, True, "released")),
        ("hold", (YELLOW, Action.NONE, True, "held")),
        ("repeat", (YELLOW, Action.NONE, True, "proposed")),
    ],
)
def test_the_default_at_the_deadline(default: str, after: tuple[int, int, bool, str]) -> None:
    city = Authority(by=("city",), deadline_s=600, default=default)  # type: ignore[arg-type]
    line = Line(with_authority(orange=city))
    line.feed(seen(0, ORANGE))
    (a,) = line.feed(tick(10))
    assert face(a) == after
    assert line.decisions[-1].act == {"repeat": "escalate"}.get(default, default)
    assert line.decisions[-1].level == ORANGE
    again = line.feed(tick(19), tick(20), tick(30))
    assert len(again) == (2 if default == "repeat" else 0)


def test_an_end_after_a_question_that_was_put_anew_is_everybodys() -> None:
    line = Line()
    (first,) = line.feed(seen(0, ORANGE))
    (anew,) = line.feed(tick(31))
    assert (anew.version, anew.again) == (first.version, 1)  # who is asked hears of it, nobody else
    (end,) = line.feed(act("cancel"))
    assert (end.version, end.again, end.msg_type) == (2, 0, "cancel")


def test_a_further_rise_does_not_put_off_the_first_deadline() -> None:
    city = Authority(by=("city",), deadline_s=600, default="release")
    line = Line(with_authority(orange=city, red=msgspec.structs.replace(city, default="hold")))
    line.feed(seen(0, ORANGE))
    line.feed(seen(9, RED))
    (a,) = line.feed(tick(10))
    assert (a.level, a.proposed_level, a.state) == (ORANGE, RED, "proposed")


def test_a_colour_that_nobody_may_release_is_held() -> None:
    policy = msgspec.structs.replace(yanqing().policy, authority={})
    line = Line(small(policy))
    (a,) = line.feed(seen(0, RED, MOVE))
    assert face(a) == (Level.NONE, Action.NONE, False, "proposed")
    assert [x.state for x in line.feed(tick(60))] == ["held"]
    assert line.feed(act("release")) == []
    assert line.decisions[-1].outcome == "refused"


def test_rules_combine_by_the_highest_of_each_scale() -> None:
    line = Line(kind="exercise")
    line.feed(seen(1, ORANGE))
    (a,) = line.feed(seen(2, BLUE, MOVE, rule="stage_trend"))
    assert (a.level, a.action) == (ORANGE, MOVE)
    assert len(a.detections) == 2


def test_what_changes_nothing_makes_no_version() -> None:
    line = Line()
    d = seen(1, YELLOW)
    assert len(line.feed(d)) == 1
    assert line.feed(d) == []  # the same record again
    assert line.feed(seen(2, YELLOW)) == []
    assert line.feed(seen(3, BLUE, rule="stage_trend")) == []


def test_a_duplicate_does_not_undo_what_came_after_it() -> None:
    line = Line()
    low = seen(1, BLUE)
    line.feed(low, seen(2, YELLOW))
    assert line.feed(low) == []
    assert line.quiet(5, 60) == []


def test_down_needs_the_hold_and_the_mark() -> None:
    line = Line()
    line.feed(seen(0, YELLOW, PREPARE), seen(10, BLUE))
    assert line.feed(mark(45, complete=39)) == []  # the clock is past the hold, the data not
    (a,) = line.feed(mark(46, complete=40))
    assert face(a) == (BLUE, Action.NONE, True, "released")
    assert a.msg_type == "update"
    assert line.decisions[-1].act == "lower"
    line.feed(seen(50))
    assert line.feed(mark(79)) == []
    (b,) = line.feed(mark(80))
    assert (b.msg_type, b.state, b.level) == ("cancel", "cancelled", Level.NONE)
    (c,) = line.feed(seen(90, BLUE))
    assert c.version == 1
    assert c.id != a.id


def test_down_to_the_highest_that_was_needed_in_the_hold() -> None:
    line = Line()
    line.feed(seen(0, YELLOW), seen(10), seen(20, BLUE), seen(25))
    (a,) = line.feed(mark(40))
    assert a.level == BLUE
    assert line.feed(mark(54)) == []
    (b,) = line.feed(mark(55))
    assert b.msg_type == "cancel"


def test_a_rise_within_the_hold_keeps_the_level() -> None:
    line = Line()
    line.feed(seen(0, YELLOW), seen(10), seen(39, YELLOW), seen(41))
    assert line.feed(mark(45), mark(60), mark(70)) == []
    assert [a.msg_type for a in line.feed(mark(71))] == ["cancel"]


def test_a_tick_never_lowers() -> None:
    line = Line()
    line.feed(seen(0, YELLOW), seen(5))
    versions = line.feed(*(tick(m) for m in range(6, 3000, 10)))
    assert versions  # it is renewed
    assert {a.level for a in versions} == {YELLOW}
    assert all(a.state == "released" for a in versions)


def test_of_two_rules_the_later_clear_counts() -> None:
    line = Line()
    line.feed(seen(0, YELLOW), seen(1, YELLOW, rule="stage_trend"))
    line.feed(seen(20), seen(12, rule="stage_trend"))  # this rule's stations lag
    assert line.feed(mark(49)) == []
    assert [a.msg_type for a in line.feed(mark(50))] == ["cancel"]


def test_what_the_city_released_must_be_asked_anew_after_a_fall() -> None:
    line = Line()
    line.feed(seen(0, ORANGE))
    (a,) = line.feed(act("release"))
    assert a.level == ORANGE
    line.feed(seen(5, YELLOW))
    (b,) = line.feed(mark(35))
    assert face(b) == (YELLOW, Action.NONE, True, "released")
    (c,) = line.feed(seen(40, ORANGE))
    assert face(c) == (YELLOW, Action.NONE, True, "proposed")


def test_what_is_out_stays_out_when_the_second_sign_goes() -> None:
    line = Line(kind="exercise")
    line.feed(seen(0, RED, PREPARE, suspect=True), seen(1, YELLOW, rule="stage_trend"))
    assert line.alerts[-1].level == RED
    line.feed(seen(2, rule="stage_trend"))
    line.quiet(5, 90)
    assert {a.level for a in line.alerts[1:]} == {RED}
    assert line.alerts[-1].msg_type == "update"


def test_thin_evidence_is_not_quiet() -> None:
    line = Line()
    line.feed(seen(0, YELLOW))
    (thin,) = line.feed(silence(1, True))
    assert thin.thin
    assert thin.coverage is not None
    line.feed(seen(10))
    assert line.feed(mark(60), mark(120)) == []
    (back,) = line.feed(silence(121, False))
    assert not back.thin
    # the hold counts from when the area was heard again
    assert line.feed(mark(150)) == []
    assert [a.msg_type for a in line.feed(mark(151))] == ["cancel"]


@pytest.mark.parametrize("left", [Level.NONE, BLUE])
def test_a_fall_says_on_whose_word(left: Level) -> None:
    """Of stations that were not heard, or show nothing, it never says that they were."""
    whole, partly = Line(), Line()
    for line in (whole, partly):
        line.feed(seen(0, YELLOW))
    lost = silence(1, False)
    assert lost.coverage is not None
    partly.feed(
        msgspec.structs.replace(lost, coverage=Coverage(live=4, expected=5, silent=("R01",)))
    )
    said = []
    for line in (whole, partly):
        line.feed(seen(10, left))
        said.append(line.feed(mark(60))[0].reason)
    assert "数据齐全" in said[0] and "every station" in said[0]
    assert "数据齐全" not in said[1] and "every station" not in said[1]
    assert "5站中4站有数据，未计R01" in said[1]


def test_silence_alone_opens_nothing() -> None:
    line = Line()
    assert line.feed(silence(1, True), mark(5), silence(9, False)) == []


def test_an_open_warning_is_renewed_before_it_expires() -> None:
    line = Line()
    (a,) = line.feed(seen(0, YELLOW))
    found = line.quiet(5, 1440)
    assert len(found) >= 3  # in the morning, then every five and a half hours
    ends = a.expires_at
    for b in found:
        assert b.msg_type == "update"
        assert b.level == YELLOW
        assert a.sent_at < b.sent_at < ends
        ends = b.expires_at
    # also when the clock jumps over the end, the evidence being what it was
    (late,) = line.feed(mark(5000))
    assert late.msg_type == "update"


def test_suspect_evidence_prepares_and_waits_for_a_second_sign() -> None:
    line = Line(kind="exercise")
    (a,) = line.feed(seen(0, RED, PREPARE, suspect=True))
    assert face(a) == (Level.NONE, PREPARE, True, "proposed")
    assert a.suspect
    assert a.proposed_level == RED
    # no deadline releases it: somebody is called
    (called,) = line.feed(tick(10))
    assert face(called) == (Level.NONE, PREPARE, True, "proposed")
    assert {d.act for d in line.decisions[1:]} == {"escalate"}
    (b,) = line.feed(seen(11, YELLOW, MOVE, rule="stage_trend"))
    assert face(b) == (RED, MOVE, True, "released")
    assert not b.suspect


def test_a_person_confirms_suspect_evidence() -> None:
    line = Line(kind="exercise")
    line.feed(seen(0, RED, PREPARE, suspect=True))
    (a,) = line.feed(act("release"))
    assert face(a) == (RED, PREPARE, True, "released")


def test_doubt_takes_nothing_away() -> None:
    line = Line(kind="exercise")
    line.feed(seen(0, ORANGE, PREPARE))
    (a,) = line.feed(seen(1, RED, PREPARE, suspect=True))
    assert face(a) == (ORANGE, PREPARE, True, "proposed")


def test_hold_and_reject_stop_what_waits_until_there_is_more() -> None:
    for what in ("hold", "reject"):
        line = Line()
        line.feed(seen(0, ORANGE))
        (a,) = line.feed(act(what))
        assert face(a) == (YELLOW, Action.NONE, True, {"hold": "held", "reject": "rejected"}[what])
        assert line.feed(tick(60)) == []
        (b,) = line.feed(seen(61, RED))
        assert b.state == "proposed"
        (c,) = line.feed(act("release"))
        assert face(c) == (RED, Action.NONE, True, "released")


def test_a_held_warning_can_be_released() -> None:
    line = Line()
    line.feed(seen(0, ORANGE), act("hold"))
    (a,) = line.feed(act("release"))
    assert face(a) == (ORANGE, Action.NONE, True, "released")


def test_a_person_raises_with_and_without_evidence() -> None:
    line = Line()
    (a,) = line.feed(act("raise", YELLOW, MOVE))
    assert face(a) == (YELLOW, MOVE, True, "released")
    assert a.by == "P-7"
    assert a.proposed_level == Level.NONE
    assert line.feed(seen(1, BLUE))[0].level == YELLOW
    (b,) = line.feed(act("raise", RED))
    assert (b.level, b.action) == (RED, MOVE)


def test_an_order_without_evidence_lapses_when_it_said_it_would() -> None:
    line = Line()
    (a,) = line.feed(act("raise", YELLOW))
    versions = line.quiet(5, 400)
    assert [v.state for v in versions] == ["expired"]
    assert versions[0].msg_type == "cancel"
    assert versions[0].sent_at >= a.expires_at


def test_an_order_does_not_lapse_where_nobody_can_see() -> None:
    line = Line()
    line.feed(act("raise", YELLOW), silence(1, True))
    versions = line.quiet(5, 400)
    assert versions
    assert {v.msg_type for v in versions} == {"update"}
    (late,) = line.feed(mark(5000))  # also when the clock jumps over its end
    assert late.msg_type == "update"


def test_a_person_lowers_and_the_same_evidence_does_not_undo_it() -> None:
    line = Line(kind="exercise")
    line.feed(seen(0, RED, MOVE))
    (a,) = line.feed(act("lower", YELLOW))
    assert face(a) == (YELLOW, MOVE, True, "released")
    assert line.feed(seen(1, RED, MOVE, tag="again"), tick(5), mark(6)) == []
    line.feed(seen(7, ORANGE, MOVE))
    (b,) = line.feed(seen(8, RED, MOVE))  # it came back: that is new
    assert b.level == RED


def test_a_cancel_ends_it_and_only_more_evidence_opens_another() -> None:
    line = Line(kind="exercise")
    (a,) = line.feed(seen(0, ORANGE))
    (b,) = line.feed(act("cancel"))
    assert (b.id, b.msg_type, b.state, b.by) == (a.id, "cancel", "cancelled", "P-7")
    assert line.feed(seen(1, ORANGE, tag="x"), mark(2), tick(3)) == []
    (c,) = line.feed(seen(4, RED))
    assert (c.version, c.level) == (1, RED)
    assert line.feed(mark(5), tick(6)) == []


def test_after_a_cancel_evidence_that_went_and_came_back_opens_another() -> None:
    line = Line(kind="exercise")
    line.feed(seen(0, ORANGE), act("cancel"), seen(5))
    (a,) = line.feed(seen(6, ORANGE))
    assert a.version == 1
    line = Line(kind="exercise")
    line.feed(seen(0, ORANGE, suspect=True), act("cancel"), seen(5))
    (b,) = line.feed(seen(6, ORANGE, suspect=True))
    assert b.version == 1
    assert b.state == "proposed"


def test_closed_and_opened_in_one_second_has_another_id() -> None:
    line = Line(kind="exercise")
    (a,) = line.feed(act("raise", YELLOW))
    line.feed(act("cancel"))
    (b,) = line.feed(act("raise", YELLOW))
    assert a.id != b.id
    assert b.version == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        act("release"),
        act("hold"),
        act("reject"),
        act("lower", BLUE),
        act("cancel"),
        act("escalate"),
        act("raise"),
        act("raise", RED, area="Z99"),
        act("raise", RED, hazard="earthquake"),
        act("raise", RED, by=""),
        act("raise", RED, by="policy"),
    ],
)
def test_an_act_that_makes_no_sense_is_refused_with_its_reason(nonsense: object) -> None:
    line = Line()
    assert line.feed(nonsense) == []  # type: ignore[arg-type]
    (refusal,) = line.decisions
    assert isinstance(nonsense, Decision)
    assert (refusal.act, refusal.by, refusal.reason) == (nonsense.act, nonsense.by, nonsense.reason)
    assert refusal.outcome == "refused"
    assert refusal.answer


def test_refusals_over_an_open_warning() -> None:
    line = Line()
    (a,) = line.feed(seen(0, YELLOW))
    for nonsense in (
        act("release"),
        act("hold"),
        act("raise", BLUE),
        act("lower", YELLOW),
        act("lower", RED),
        act("lower"),
        act("cancel", alert="another"),
        act("cancel", alert=a.id, version=7),
    ):
        assert line.feed(nonsense) == [], nonsense
        assert line.decisions[-1].outcome != "done"
    assert line.feed(act("cancel", alert=a.id, version=1))[0].msg_type == "cancel"


def test_the_ledger_shows_every_tampering() -> None:
    line = Line()
    line.feed(seen(0, ORANGE), act("hold"), act("release"), act("release"), act("cancel"))
    chain = line.decisions
    assert len(chain) == 5
    assert broken(chain) is None
    for n, one in enumerate(chain):
        forged = [*chain]
        forged[n] = msgspec.structs.replace(one, by="P-8")
        assert broken(forged) == n
        if n + 1 < len(chain):
            assert broken(chain[:n] + chain[n + 1 :]) == n


def test_run_and_marks_go_on_once_and_after_what_they_caused() -> None:
    line = Line()
    line.feed(run(), mark(5), mark(5), mark(4), seen(6, YELLOW), seen(7), tick(8))
    line.feed(mark(40))
    kinds = [type(w.record).__name__ for w in line.writes]
    assert kinds.count("Run") == 1
    assert kinds.count("Tick") == 0
    marks = [w.record for w in line.writes if isinstance(w.record, Mark)]
    assert [m.clock_at for m in marks] == [T0 + 5 * MIN, T0 + 40 * MIN]
    assert isinstance(line.writes[0].record, Run)
    assert isinstance(line.writes[-1].record, Mark)
    assert any(a.msg_type == "cancel" for a in line.alerts)


def test_an_area_that_the_config_no_longer_has_is_passed_over() -> None:
    line = Line()
    assert line.feed(seen(0, RED, area="A51"), mark(1, group="g-A46")) == []


def test_a_report_tells_apart_what_is_in_force_and_what_was_only_asked_for() -> None:
    """Yellow is in force, red is asked for and never let out: the highest is yellow."""
    line = Line(real())
    line.feed(mark(0.5), mark(0.5, group=OTHER))
    line.feed(seen(1, RED), seen(1, RED, area="A06"), mark(2), mark(2, group=OTHER))
    assert line.reports == [], "they are told who are asked, for ten minutes"
    line.feed(mark(13), mark(13, group=OTHER))
    first = zh(line.reports[0].text)
    assert "生效预警2个。黄色2个。" in first
    assert "待审批2个。" in first
    line.feed(act("approve", by="K-01", area="A06"), act("release", by="D-01", area="A06"))
    line.feed(mark(14), mark(14, group=OTHER))
    assert [r.kind for r in line.reports] == ["初报", "续报"], "a red that is let out is news"
    assert "红色1个。黄色1个。待审批1个。" in zh(line.reports[1].text)
    line.feed(mark(15), mark(15, group=OTHER))
    assert len(line.reports) == 2
    line.feed(seen(16), seen(16, area="A06"))
    line.quiet(20, 600)
    assert line.reports[-1].kind == "终报"
    assert "涉及2个预警区" in zh(line.reports[-1].text)
    assert "最高红色，预警已全部解除" in zh(line.reports[-1].text)
    assert "未发布" not in zh(line.reports[-1].text)


def test_what_was_never_let_out_is_no_highest_of_the_final_report() -> None:
    line = Line(real())
    line.feed(mark(0.5), mark(0.5, group=OTHER), seen(1, RED), mark(2), mark(2, group=OTHER))
    line.feed(seen(5))
    line.quiet(10, 600)
    assert "最高黄色，预警已全部解除。研判曾到红色，未发布。" in zh(line.reports[-1].text)
    assert "at most yellow" in en(line.reports[-1].text)
    line = Line(with_authority(yellow=by_people(), blue=by_people()))
    line.feed(mark(0.5), mark(0.5, group=OTHER), seen(1, YELLOW), mark(2), mark(2, group=OTHER))
    assert line.reports == [], "nobody above the district has to act on a yellow"
    line.feed(seen(5))
    line.quiet(10, 600)
    assert [(r.kind, r.number) for r in line.reports] == [("终报", 1)]
    assert "没有发布预警；研判最高黄色，未发布" in zh(line.reports[-1].text)


def by_people() -> Authority:
    return Authority(by=("district", "chief"), deadline_s=3600, default="repeat")


def test_a_report_counts_each_person_once_and_calls_an_order_as_its_hazard_does() -> None:
    line = Line()
    line.feed(mark(0.5), mark(0.5, group=OTHER))
    line.feed(
        seen(1, ORANGE, MOVE), seen(1, YELLOW, PREPARE, hazard="debris_flow"),
        seen(1, YELLOW, PREPARE, area="A06"), seen(1, YELLOW, MOVE, hazard="traffic", area="A02"),
        mark(2), mark(2, group=OTHER),
    )  # fmt: skip
    text = zh(line.reports[0].text)
    here = {a: line.district.areas[a].population for a in ("A01", "A02", "A06")}
    assert f"立即转移1个预警区{here['A01']}人：香屯村。" in text
    assert f"立即撤离1个预警区{here['A02']}人：沙门村。" in text
    assert f"准备转移1个预警区{here['A06']}人" in text
    assert text.count("香屯村") == 1


def test_reports_of_an_incident() -> None:
    line = Line(kind="exercise")
    line.feed(mark(0.5), mark(0.5, group=OTHER))
    (a,) = line.feed(seen(1, BLUE))
    assert a.incident == "yanqing-20250726T1200"
    assert line.reports == []  # not before the slot is over for every group
    line.feed(mark(1))
    assert line.reports == []
    line.feed(mark(1, group=OTHER))
    assert line.reports == []  # a blue is the district's own
    line.feed(seen(1.5, BLUE, PREPARE), mark(2), mark(2, group=OTHER))
    assert [(r.kind, r.number) for r in line.reports] == [("初报", 1)], "the first order"
    assert line.reports[0].alerts == (f"{a.id}/2",)
    assert zh(line.reports[0].text).startswith("（演练）延庆区汛情初报（第1报）")
    assert "EXERCISE." in en(line.reports[0].text)
    line.feed(seen(3, YELLOW, PREPARE), mark(4), mark(4, group=OTHER))
    line.quiet(5, 55)
    assert len(line.reports) == 1, "a yellow is no news for a superior"
    line.quiet(60, 65)
    assert [r.kind for r in line.reports] == ["初报", "续报"]
    line.feed(seen(66, ORANGE, PREPARE), mark(67), mark(67, group=OTHER))
    assert [r.kind for r in line.reports] == ["初报", "续报", "续报"]
    assert "准备转移1个预警区602人：香屯村" in line.reports[-1].text
    line.feed(seen(70))
    line.quiet(75, 600)
    assert line.reports[-1].kind == "终报"
    assert [r.number for r in line.reports] == list(range(1, len(line.reports) + 1))
    assert "最高橙色、准备转移" in line.reports[-1].text
    n = len(line.reports)
    line.quiet(605, 1000)
    assert len(line.reports) == n
    (b,) = line.feed(seen(1001, BLUE))
    assert b.incident != a.incident


def test_which_group_comes_first_in_a_slot_does_not_show() -> None:
    def play(swap: bool) -> list[object]:
        line = Line(kind="exercise")
        for minute in range(0, 900, 5):
            one = [mark(minute)]
            two = [mark(minute, group=OTHER)]
            if minute == 10:
                one = [seen(9, RED, MOVE), *one]
                two = [seen(8, BLUE, area="A06"), *two]
            if minute == 60:
                one = [seen(58), *one]
                two = [seen(59, area="A06"), *two]
            line.feed(*(two + one if swap else one + two))
        found = [*line.alerts, *line.reports]
        return sorted(found, key=lambda r: (type(r).__name__, msgspec.json.encode(r)))

    assert play(False) == play(True)


def test_the_groups_clocks_are_their_own() -> None:
    line = Line()
    line.feed(seen(0, YELLOW), seen(0, YELLOW, area="A06"), seen(1), seen(1, area="A06"))
    found = line.feed(mark(40))
    assert [a.area for a in found] == ["A01"]
    assert line.feed(mark(40, group=OTHER))[0].area == "A06"
    assert GROUP in line.state.groups
