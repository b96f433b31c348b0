"""The life of a call, without a line: what counts as heard and confirmed, and what does not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.channels.sip.call import Call, Do, LineEvent, Plan
from dispatch.channels.status_words import CALL, SIP_ROUTE, SIP_WORD
from tests.support.examples import examples

PLAN = Plan(heard_s=10, whole_s=30, ring_s=25, most_s=57, digits="1")
UP, SOUNDING = LineEvent("up"), LineEvent("sounding")


def key(digit: str) -> LineEvent:
    return LineEvent("key", digit=digit)


def closed(status: int = 0) -> LineEvent:
    return LineEvent("closed", status=status, words="")


def played(plan: Plan, *steps: tuple[float, LineEvent | None]) -> list[Do]:
    """Everything that is done, by a clock that ticks between."""
    call, out, at = Call(plan, 0.0), [], 0.0
    for when, event in steps:
        while at < when:
            out += call.tick(at)
            at += 0.5
        out += call.tick(when) if event is None else call.heard(event, when)
    return out


def word(plan: Plan, *steps: tuple[float, LineEvent | None]) -> str:
    (final,) = [d for d in played(plan, *steps) if d.final]
    return final.word


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(15, key("1"))], "confirmed"),
        ([(14.9, key("1")), (20, closed())], "confirmed_early"),
        ([(9, key("1")), (16, key("1"))], "confirmed"),
        ([(16, key("2")), (20, closed())], "no_key"),
        ([(16, key("2")), (17, key("1"))], "confirmed"),
        ([(12, closed())], "hung_up"),
        ([(36, None)], "no_key"),
        ([(20, LineEvent("gone"))], "failed"),
        (
            [(16, LineEvent("carried", sent=700, lost=300)), (16, key("1")), (20, closed())],
            "garbled",
        ),
        ([(16, LineEvent("carried", sent=550, lost=5)), (16, key("1"))], "confirmed"),
    ],
)
def test_after_it_was_picked_up(steps: list[tuple[float, LineEvent]], expected: str) -> None:
    begin = [(2.0, LineEvent("ringing")), (5.0, UP), (5.0, SOUNDING)]
    assert word(PLAN, *begin, *steps) == expected


def test_a_hold_begins_the_text_anew_and_while_it_lasts_no_key_counts() -> None:
    offer, held = LineEvent("offer"), LineEvent("held")
    begin = [(5.0, UP), (5.0, SOUNDING), (9.0, offer), (9.0, SOUNDING)]
    assert word(PLAN, *begin, (16, key("1")), (20, closed())) == "confirmed_early"
    assert word(PLAN, *begin, (19, key("1"))) == "confirmed"
    held_then = [*begin, (9.1, held), (20, key("1"))]
    assert word(PLAN, *held_then, (21, closed())) == "garbled"
    again = [*held_then, (22, offer), (22, SOUNDING)]
    assert word(PLAN, *again, (33, key("1"))) == "confirmed"
    plays = [d for d in played(PLAN, *again) if d.what == "play"]
    assert len(plays) == 3
    assert word(PLAN, (5.0, UP), (5.0, SOUNDING), (5.1, held), (16, key("1")), (17, closed())) == (
        "garbled"
    )


def test_a_code_is_keyed_whole_and_after_the_text() -> None:
    plan = PLAN._replace(digits="47", code=True)
    begin = [(5.0, UP), (5.0, SOUNDING)]
    assert word(plan, *begin, (16, key("4")), (17, key("7"))) == "confirmed"
    assert word(plan, *begin, (16, key("7")), (17, key("4")), (18, closed())) == "wrong_code"
    assert word(plan, *begin, (16, key("4")), (18, closed())) == "no_key"
    assert word(plan, *begin, (7, key("4")), (8, key("7")), (18, closed())) == "confirmed_early"


def test_a_tune_before_the_answer_is_not_the_call() -> None:
    """Early media: what is pressed or sent while it rings is nothing."""
    found = played(PLAN, (1, LineEvent("ringing")), (2, key("1")), (8, UP), (8.1, SOUNDING))
    assert [d.what for d in found] == ["tell", "tell", "play", "ask"]
    assert not any(d.final for d in found)


def test_nobody_picks_up() -> None:
    found = played(PLAN, (1, LineEvent("ringing")), (25.5, None))
    assert [(d.what, d.word) for d in found] == [
        ("tell", "ringing"), ("tell", "no_answer"), ("hang_up", ""),
    ]  # fmt: skip


def test_every_answer_of_a_trunk_is_a_word_that_is_known() -> None:
    for status in range(300, 700):
        (do,) = played(PLAN, (1, closed(status)))
        assert do.final
        assert CALL[do.word].state == "failed"
        assert do.route == (status in SIP_ROUTE or 500 <= status < 600)
    assert {*SIP_WORD, *SIP_ROUTE} <= set(range(300, 700))
    assert not SIP_WORD.keys() & SIP_ROUTE


EVENTS = st.one_of(
    st.sampled_from(
        [
            LineEvent("ringing"),
            UP,
            SOUNDING,
            LineEvent("mute"),
            closed(),
            closed(486),
            LineEvent("offer"),
            LineEvent("held"),
        ]
    ),
    st.builds(key, st.sampled_from("0123456789*#")),
    st.builds(
        lambda s, n: LineEvent("carried", sent=s, lost=n), st.integers(0, 9999), st.integers(0, 99)
    ),
    st.none(),
)


@given(st.lists(st.tuples(st.floats(0, 5), EVENTS), max_size=40))
@examples(200)
def test_it_is_confirmed_only_after_the_whole_text_and_ends_once(
    steps: list[tuple[float, LineEvent | None]],
) -> None:
    call, at, done, began, up = Call(PLAN, 0.0), 0.0, [], math.inf, False
    for wait, event in steps:
        at += wait
        up = up or event == UP
        if event == SOUNDING and up:
            began = at  # each time it begins anew
        if event == LineEvent("offer") and up:
            began = math.inf
        for do in call.heard(event, at) if event else call.tick(at):
            done.append(do)
            if do.word == "confirmed":
                assert at >= began + PLAN.heard_s
                assert event == key("1")
    assert sum(d.final for d in done) <= 1
    assert {d.word for d in done if d.what == "tell"} <= CALL.keys()
    assert call.over == any(d.final for d in done)
    at += PLAN.most_s
    if not call.over:
        assert next(d.final for d in call.tick(at))
