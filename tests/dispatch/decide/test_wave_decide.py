"""What is concluded from gauges that fell silent proposes, and never goes out by itself; what nobody let out
is withdrawn as soon as it no longer holds, what somebody let out falls as any warning does."""

import msgspec
import pytest

from config.records.authority import Authority
from config.records.level import Action, Level
from detectors.detection import Detection, Evidence
from dispatch.records import Alert
from dispatch.words.compose import Message, write
from tests.support.decide_district import MIN, T0, Line, act, mark, seen, with_authority

AT_ONCE = Authority(by=("chief",), deadline_s=0)
BY_DEADLINE = Authority(by=("chief",), deadline_s=60, default="release")
ALL = ("blue", "yellow", "orange", "red", "prepare", "move")


def wave(minute: float, level: Level, action: Action = Action.NONE) -> Detection:
    d = seen(minute, level, action, rule="wave")
    at = d.detected_at
    silent = tuple(
        Evidence(station=s, quantity="stage", value=2, threshold=2, observed_at=at - n * MIN,
                 kind="cascade", note=note)
        for s, n, note in (("S01", 40, "断报 silent"), ("S02", 20, "突涨后断报 silent after a jump"))
    ) if level else ()  # fmt: skip
    times = {"earliest_at": at + 30 * MIN, "latest_at": at + 90 * MIN} if level else {}
    return msgspec.structs.replace(d, inferred=True, evidence=silent, **times)


def line(kind: str = "live", who: Authority = AT_ONCE) -> Line:
    return Line(with_authority(**dict.fromkeys(ALL, who)), kind)


def force(made: Line) -> tuple[Level, Action]:
    return (
        (made.alerts[-1].level, made.alerts[-1].action)
        if made.alerts
        else (Level.NONE, Action.NONE)
    )


@pytest.mark.parametrize("kind", ["live", "exercise"])
@pytest.mark.parametrize("who", [AT_ONCE, BY_DEADLINE])
def test_a_red_and_an_order_from_silence_wait_for_a_person(kind: str, who: Authority) -> None:
    made = line(kind, who)
    (alert,) = made.feed(wave(0, Level.RED, Action.MOVE))
    assert (alert.level, alert.action, alert.public) == (Level.NONE, Action.NONE, False)
    assert (alert.proposed_level, alert.proposed_action) == (Level.RED, Action.MOVE)
    assert (alert.state, alert.suspect) == ("proposed", False)
    assert (alert.earliest_at, alert.latest_at) == (T0 + 30 * MIN, T0 + 90 * MIN)
    assert "不自动发布" in alert.reason
    made.quiet(1, 200)
    assert not any(a.public for a in made.alerts)
    assert {d.act for d in made.decisions} == {"escalate"}
    made.feed(act("release", Level.ORANGE, Action.PREPARE))
    assert force(made) == (Level.ORANGE, Action.PREPARE)


def test_our_own_gauges_beside_it_go_out_as_far_as_they_speak() -> None:
    made = line()
    made.feed(wave(0, Level.RED, Action.MOVE), seen(1, Level.YELLOW, Action.PREPARE))
    assert force(made) == (Level.YELLOW, Action.PREPARE)
    assert made.alerts[-1].proposed_level == Level.RED


def test_it_is_no_second_sign_for_a_suspect_value() -> None:
    made = line()
    made.feed(seen(0, Level.RED, Action.PREPARE, suspect=True), wave(1, Level.RED))
    assert force(made) == (Level.NONE, Action.PREPARE)


def test_what_no_longer_holds_is_withdrawn_at_once() -> None:
    made = line()
    made.feed(wave(0, Level.YELLOW, Action.PREPARE), wave(5, Level.ORANGE, Action.PREPARE), mark(6))
    (end,) = made.feed(wave(7, Level.NONE))
    assert (end.state, end.msg_type, end.public) == ("cancelled", "cancel", False)
    assert (end.proposed_level, end.proposed_action) == (Level.NONE, Action.NONE)
    assert "推断不再成立" in end.reason
    (again,) = made.feed(wave(30, Level.YELLOW))
    assert again.state == "proposed"


def test_of_what_stays_only_the_rest_is_withdrawn() -> None:
    made = line()
    made.feed(wave(0, Level.RED), mark(1), wave(2, Level.YELLOW))
    assert made.alerts[-1].proposed_level == Level.YELLOW
    made = line()
    made.feed(seen(0, Level.YELLOW), wave(1, Level.RED), wave(2, Level.NONE))
    assert (force(made)[0], made.alerts[-1].proposed_level) == (Level.YELLOW, Level.YELLOW)


def test_our_own_evidence_keeps_its_hold_when_the_wave_is_withdrawn() -> None:
    made = line(who=BY_DEADLINE)
    made.feed(seen(0, Level.ORANGE), wave(1, Level.RED), mark(1.5))
    made.feed(seen(2, Level.NONE), wave(3, Level.NONE))
    assert made.alerts[-1].proposed_level == Level.ORANGE


def test_what_a_person_let_out_falls_by_the_hold() -> None:
    made = line()
    made.feed(wave(0, Level.RED, Action.MOVE), act("release", Level.RED, Action.MOVE))
    assert force(made) == (Level.RED, Action.MOVE)
    made.feed(wave(10, Level.NONE), mark(11))
    assert force(made) == (Level.RED, Action.MOVE)
    made.quiet(15, 60)
    assert made.alerts[-1].msg_type == "cancel"


def test_more_of_it_ends_a_person_s_hold() -> None:
    made = line()
    made.feed(wave(0, Level.YELLOW), act("hold"))
    assert made.alerts[-1].state == "held"
    made.feed(wave(5, Level.ORANGE))
    assert made.alerts[-1].state == "proposed"


def alert() -> tuple[Line, Alert]:
    made = line()
    (found,) = made.feed(wave(0, Level.ORANGE, Action.PREPARE))
    return made, found


def test_the_notice_names_the_gauges_and_when_it_may_be_here() -> None:
    made, found = alert()
    text = write(made.district, Message(found, "notice", "zh"), "app").text
    assert "预计20:30–21:30到达" in text
    assert "19:20后断报" in text
    assert "19:40后断报（此前突涨）" in text
    assert "不自动发布" in text
    assert "补报" not in text  # a silence is told once it has lasted
    text = write(made.district, Message(found, "notice", "en"), "app").text
    assert "Expected 20:30-21:30" in text
    assert "silent since 19:40 (after a jump)" in text


@pytest.mark.parametrize("channel", ["sms", "app"])
def test_the_village_hears_when_it_may_be_here(channel: str) -> None:
    made, _ = alert()
    (out,) = made.feed(act("release", Level.ORANGE, Action.PREPARE))
    told = write(made.district, Message(out, "public", "zh"), channel).text
    assert "洪水预计约20点30分到21点30分到达。" in told
    told = write(made.district, Message(out, "public", "en"), channel).text
    assert "Flood expected about 20:30-21:30." in told
    later = msgspec.structs.replace(out, sent_at=T0 + 40 * MIN)
    told = write(made.district, Message(later, "public", "zh"), channel).text
    assert "洪水随时可能到达，最晚约21点30分。" in told
    later = msgspec.structs.replace(out, sent_at=T0 + 100 * MIN)
    assert "可能已到" in write(made.district, Message(later, "public", "zh"), channel).text
