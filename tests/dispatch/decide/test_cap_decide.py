"""What another authority says proposes, and never goes out by itself: not by policy, not by a
deadline, not in an exercise, not beside our own evidence, not against what a person has decided."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.authority import Authority
from config.records.level import Action, Level
from detectors.detection import Detection, Evidence
from dispatch.words.compose import Message, write
from tests.support.cap_world import WEATHER, sources
from tests.support.decide_district import (
    GROUP,
    OTHER,
    Line,
    act,
    mark,
    seen,
    silence,
    tick,
    with_authority,
)
from tests.support.examples import examples

AT_ONCE = Authority(by=("chief",), deadline_s=0)
BY_DEADLINE = Authority(by=("chief",), deadline_s=60, default="release")


def outside(minute: float, level: Level, *, area: str = "A01", tag: str = "") -> Detection:
    d = seen(minute, level, area=area, rule="cap", tag=f"cap{tag}")
    word = Evidence(station=WEATHER, quantity="cap", value=float(level), observed_at=d.detected_at)
    return msgspec.structs.replace(d, outside=True, evidence=(word,))


def line(kind: str = "live", who: Authority = AT_ONCE) -> Line:
    names = ("blue", "yellow", "orange", "red", "prepare", "move")
    district = with_authority(**dict.fromkeys(names, who))
    return Line(msgspec.structs.replace(district, sources=sources()), kind)


def force(made: Line) -> tuple[Level, Action]:
    if not made.alerts:
        return Level.NONE, Action.NONE
    return made.alerts[-1].level, made.alerts[-1].action


@pytest.mark.parametrize("kind", ["live", "exercise"])
@pytest.mark.parametrize("who", [AT_ONCE, BY_DEADLINE])
def test_a_red_from_outside_waits_for_a_person(kind: str, who: Authority) -> None:
    made = line(kind, who)
    (alert,) = made.feed(outside(0, Level.RED))
    assert (alert.level, alert.proposed_level, alert.public) == (Level.NONE, Level.RED, False)
    assert alert.state == "proposed"
    assert "区气象局外部预警" in alert.reason
    assert "不自动发布" in alert.reason
    made.quiet(1, 200)
    assert not any(a.public for a in made.alerts)
    assert {d.act for d in made.decisions} == {"escalate"}  # somebody is called again
    made.feed(act("release", Level.ORANGE))
    assert force(made) == (Level.ORANGE, Action.NONE)


def test_our_own_sensors_beside_it_go_out_as_far_as_they_speak() -> None:
    made = line()
    made.feed(outside(0, Level.RED), seen(1, Level.YELLOW, Action.PREPARE))
    assert force(made) == (Level.YELLOW, Action.PREPARE)
    assert made.alerts[-1].proposed_level == Level.RED
    made.feed(seen(2, Level.RED, Action.MOVE))
    assert force(made) == (Level.RED, Action.MOVE)


def test_it_neither_shortens_nor_takes_away_the_deadline_of_our_own_evidence() -> None:
    """Somebody was asked, and called again, about a word from outside; then our own gauge says it."""
    made = line(who=BY_DEADLINE)
    made.feed(outside(0, Level.YELLOW), mark(5), seen(10, Level.YELLOW))
    assert not made.alerts[-1].public
    made.feed(mark(10.5))
    assert not made.alerts[-1].public
    made.feed(mark(11))  # 60 s after our own
    assert force(made)[0] == Level.YELLOW


def test_it_is_no_second_sign_for_a_suspect_value_of_ours() -> None:
    made = line()
    made.feed(seen(0, Level.RED, Action.PREPARE, suspect=True), outside(1, Level.RED))
    assert force(made) == (Level.NONE, Action.PREPARE)


@pytest.mark.parametrize("word", ["lower", "cancel", "hold", "reject"])
def test_it_undoes_no_decision_of_a_person_but_somebody_is_asked(word: str) -> None:
    made = line(who=BY_DEADLINE) if word in ("hold", "reject") else line()
    made.feed(seen(0, Level.YELLOW))
    if word == "lower":
        made.feed(act(word, Level.BLUE))
    else:
        made.feed(act(word))
    before = force(made)
    assert before[0] < Level.YELLOW
    made.feed(outside(2, Level.ORANGE))
    assert force(made) == before
    assert made.alerts[-1].state == "proposed"
    assert made.alerts[-1].proposed_level == Level.ORANGE
    made.quiet(3, 100)
    assert force(made) == before
    made.feed(act("release"))
    assert force(made)[0] == Level.ORANGE


def test_what_it_proposed_ends_with_it() -> None:
    made = line()
    made.feed(outside(0, Level.RED))
    made.feed(outside(1, Level.NONE))
    made.quiet(2, 60)
    assert made.alerts[-1].state == "cancelled"
    assert not any(a.public for a in made.alerts)


words = st.sampled_from(list(Level))
minutes = st.integers(1, 40)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("outside"), words, minutes),
        st.tuples(st.just("mark"), st.just(Level.NONE), minutes),
        st.tuples(st.just("tick"), st.just(Level.NONE), minutes),
        st.tuples(st.just("thin"), st.sampled_from([Level.NONE, Level.BLUE]), minutes),
        st.tuples(st.sampled_from(["hold", "reject", "escalate", "cancel"]), words, minutes),
    ),
    max_size=25,
)


def play(made: Line, kind: str, level: Level, now: int, n: int) -> None:
    if kind == "outside":
        made.feed(outside(now, level, tag=str(n)))
    elif kind == "own":
        made.feed(seen(now, level, tag=str(n)))
    elif kind == "mark":
        made.feed(mark(now, group=GROUP), mark(now, group=OTHER))
    elif kind == "tick":
        made.feed(tick(now))
    elif kind == "thin":
        made.feed(silence(now, bool(level)))
    else:
        made.feed(act(kind, level))


@examples(150)
@given(moves, st.sampled_from(["live", "exercise"]), st.sampled_from([AT_ONCE, BY_DEADLINE]))
def test_no_sequence_of_words_from_outside_makes_anything_public(
    story: list[Any], kind: str, who: Authority
) -> None:
    made, now = line(kind, who), 0
    for n, (what, level, later) in enumerate(story):
        now += later
        play(made, what, level, now, n)
    assert not any(a.public or a.level or a.action for a in made.alerts)
    assert not any(d.act in ("release", "raise") for d in made.decisions)


@examples(150)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["outside", "own"]), words, minutes),
            st.tuples(st.just("mark"), st.just(Level.NONE), minutes),
        ),
        max_size=25,
    ),
    st.sampled_from([AT_ONCE, BY_DEADLINE]),
)
def test_beside_our_own_evidence_it_never_raises_what_is_public(
    story: list[Any], who: Authority
) -> None:
    """Never above the highest that our own evidence alone had let out by then."""
    both, alone, now, most = line(who=who), line(who=who), 0, Level.NONE
    for n, (what, level, later) in enumerate(story):
        now += later
        if what != "outside":
            play(alone, what, level, now, n)
        # time alone may let something out by its deadline
        play(alone, "tick", Level.NONE, now, n)
        play(both, what, level, now, n)
        play(both, "tick", Level.NONE, now, n)
        most = max(most, force(alone)[0])
        assert force(both)[0] <= most


def test_a_word_on_a_neighbours_message_stands_in_the_ledger_and_changes_nothing() -> None:
    made = line()
    made.feed(outside(0, Level.RED))
    count = len(made.alerts)
    said = msgspec.structs.replace(act("accept"), alert="huailai a,b,c", area="", hazard="")
    made.feed(said)
    assert len(made.alerts) == count
    assert made.decisions[-1].act == "accept"
    assert made.decisions[-1].hash


def test_the_notice_names_the_source_and_says_that_it_waits() -> None:
    made = line()
    (alert,) = made.feed(outside(0, Level.RED))
    assert not alert.suspect  # no value of ours is doubtful
    district = made.stage._district
    for lang, name, words in (
        ("zh", "区气象局发布红色预警（20:00）", "不自动发布"),
        ("en", "weather office: red warning (20:00)", "nothing goes out by itself"),
    ):
        for channel in ("console", "sms"):
            text = write(district, Message(alert, "notice", lang, role="duty"), channel).text  # type: ignore[arg-type]
            if channel == "console":  # a short message may leave the evidence out
                assert name in text
            assert words in text
            assert "可疑" not in text
    both = made.feed(seen(1, Level.ORANGE, suspect=True))[-1]
    assert both.suspect
