"""The code of an answer: whose it is, what an answer without it is worth, how wrong ones are counted, and that
no order or repetition of words makes a weak answer strong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.notices import DUTY
from dispatch.proving.codes import AnswerCodes, blank
from dispatch.proving.judged import JudgedAnswer
from dispatch.records import Delivery, Receipt, Route
from dispatch.send.answer_codes import with_figures
from dispatch.send.outbox.state import Rules
from ingest.observation import PersonSays
from ingest.people.words.answer_code import answer_code
from stream.records import Tick
from tests.support.examples import examples
from tests.support.outbox import MIN, RULES, T0, World, delivery, routes

CODES = AnswerCodes(b"k" * 32, "live", live=True, valid_ms=60 * MIN, wrong_most=3)
CODED: Rules = RULES._replace(codes=CODES)
NONE = blank(4)


def must(n: int = 1, **more: Any) -> Delivery:
    text = Route(channel="sms", text=f"请到岗。收到请回复确认码{NONE}。")
    return delivery(
        n, recipient="C-1", must_answer=True, code=NONE, routes=(text, *routes("voice")), **more
    )


def word(n: int, what: str = "received", code: str = "", **more: Any) -> PersonSays:
    fields: dict[str, Any] = {
        "id": f"w{n}", "person": "C-1", "role": "responsible", "area": "A01", "what": what,
        "said_at": T0 + MIN, "received_at": T0 + MIN, "way": "sms", "code": code, **more,
    }  # fmt: skip
    return PersonSays(**fields)


def asked(*records: Delivery) -> World:
    """Each went out by SMS, and the telephone has it."""
    w = World(CODED)
    for d in records or (must(),):
        w.put(d)
        for state in ("sent", "delivered"):
            a = Receipt(delivery=d.id, route=0, state=state, receipt_at=T0, attempt=1)
            w.put(a)
        w.box.entries[d.id].begun_at = T0
    return w


def judged(w: World) -> list[JudgedAnswer]:
    return [r for r in w.log if isinstance(r, JudgedAnswer)]


def test_only_the_right_code_ends_the_calling() -> None:
    w = asked()
    w.put(word(1))
    assert not w.box.entries["d1"].done
    assert [(j.strength, j.verdict) for j in judged(w)] == [("read", "none")]
    w.put(word(2, code=CODES.code("x", "C-1")))
    assert w.box.entries["d1"].state == "answered"
    assert [(j.strength, j.verdict) for j in judged(w)][1:] == [("code", "right")]


def test_who_left_it_out_is_told_once_and_then_called() -> None:
    w = asked()
    w.put(word(1), word(2), word(3))
    (reminder,) = (d for d in w.log if isinstance(d, Delivery) and d.alert.startswith("code:"))
    assert "4 位" in str(reminder.routes[0].text)
    assert not reminder.must_answer
    w.put(Tick(clock_at=T0 + 3 * MIN))
    assert w.box.entries["d1"].route == 1, "the next way, as for somebody silent"


def test_a_code_is_of_one_person_and_one_warning() -> None:
    w = asked(must(), must(2, alert="y"))
    w.put(word(1, code=CODES.code("y", "C-1")))
    assert (w.box.entries["d1"].done, w.box.entries["d2"].done) == (False, True)
    w.put(word(2, code=CODES.code("x", "C-2")))
    assert not w.box.entries["d1"].done
    assert judged(w)[-1].verdict == "wrong"


def test_codes_are_spread_and_no_exercise_code_is_a_live_one() -> None:
    people = [f"C-{n}" for n in range(500)]
    live = {CODES.code("x", p) for p in people}
    drill = {CODES._replace(live=False, run="exercise-a").code("x", p) for p in people}
    assert len(live) > 450
    assert not live & drill
    assert all(len(c) == 4 for c in live | drill)


def test_a_code_is_over_after_its_time_and_a_cry_for_help_needs_none() -> None:
    w = asked(must(expires_at=T0 + 600 * MIN))
    late: dict[str, Any] = {"said_at": T0 + 61 * MIN, "received_at": T0 + 61 * MIN}
    w.put(word(1, code=CODES.code("x", "C-1"), **late))
    assert judged(w)[-1].verdict == "late"
    assert not w.box.entries["d1"].done
    w.put(word(2, "help", **late))
    assert w.box.entries["d1"].done, "somebody is there, and the duty room has it"
    assert judged(w)[-1].strength == "read"


def test_a_clock_that_is_slow_takes_nothing_from_a_right_code() -> None:
    """Who has the code has had the message; a word without it may have been said before."""
    w = asked()
    slow = {"said_at": T0 - 5 * MIN, "received_at": T0 + MIN}
    w.put(word(1, **slow))
    assert not judged(w)
    w.put(word(2, code="0000", **slow))
    assert judged(w)[-1].verdict == "wrong", "and nobody guesses uncounted by a clock of their own"
    w.put(word(3, code=CODES.code("x", "C-1"), **slow))
    assert w.box.entries["d1"].state == "answered"
    early = {"said_at": T0 - 5 * MIN, "received_at": T0 - 4 * MIN}
    w = asked()
    w.put(word(4, code=CODES.code("x", "C-1"), **early))
    assert not w.box.entries["d1"].done, "nobody has it before it went out"


def test_wrong_codes_are_counted_and_then_no_more_are_taken() -> None:
    w = asked()
    for n in range(3):
        w.put(word(n, code="0000"))
    assert [j.wrong for j in judged(w)] == [1, 2, 3]
    (told,) = (d for d in w.log if isinstance(d, Delivery) and d.recipient == DUTY + "C-1")
    assert "3" in str(told.routes[0].text)
    w.put(word(9, code=CODES.code("x", "C-1")))
    assert judged(w)[-1].verdict == "locked"
    assert not w.box.entries["d1"].done
    told = [d for d in w.log if isinstance(d, Delivery) and d.recipient == DUTY + "C-1"]
    assert len(told) == 2 and "多半是本人" in str(told[1].routes[0].text), "the duty room calls"


def test_a_warning_of_which_no_more_are_taken_leaves_no_free_guess_at_the_next() -> None:
    w = asked()
    w.put(*(word(n, code="0000") for n in range(3)))
    second = must(2, alert="y")
    w.put(second, Receipt(delivery="d2", route=0, state="sent", receipt_at=T0, attempt=1))
    w.box.entries["d2"].begun_at = T0
    w.put(*(word(n, code="0000") for n in range(10, 13)))
    assert [j.verdict for j in judged(w)][-1] == "wrong"
    told = [d for d in w.log if isinstance(d, Delivery) and d.recipient == DUTY + "C-1"]
    assert [d.alert for d in told] == ["x", "y"], "the duty room hears of each"
    w.put(word(13, code=CODES.code("y", "C-1")))
    assert judged(w)[-1].verdict == "locked"
    assert not w.box.entries["d2"].done


def test_who_forges_the_sender_of_an_sms_keeps_nobody_from_answering_by_the_page_or_a_call() -> None:
    w = asked()
    w.put(*(word(n, code="0000") for n in range(9)))
    assert judged(w)[-1].verdict == "locked"
    w.put(word(20, code="0000", way="form"))
    (wrong,) = (d for d in w.log if isinstance(d, Delivery) and d.alert.startswith("code:wrong"))
    assert "确认码不对" in str(wrong.routes[0].text), "once, whichever way it came"
    w.put(word(21, code=CODES.code("x", "C-1"), way="form"))
    assert judged(w)[-1].verdict == "right"
    assert w.box.entries["d1"].state == "answered"


def test_a_call_counts_by_the_code_and_a_word_read_again_changes_nothing() -> None:
    w = asked()
    call = Receipt(
        delivery="d1", route=1, state="failed", receipt_at=T0, attempt=1, answered_by="bare"
    )
    w.put(call, call)
    assert [(j.way, j.strength) for j in judged(w)] == [("voice", "read")]
    w.put(word(1), word(1))
    assert len(judged(w)) == 2


def test_the_log_never_holds_the_figures() -> None:
    d = must()
    sent, route = with_figures(CODES, d, d.routes[0])
    code = CODES.code("x", "C-1")
    assert (sent.code, code in str(route.text)) == (code, True)
    _, aloud = with_figures(CODES, d, Route(channel="voice", text=f"请按确认码{NONE}。"))
    assert not set("0123456789") & set(str(aloud.text))
    w = asked()
    w.put(word(1, code=code))
    assert code not in str([r for r in w.log if not isinstance(r, PersonSays)])


_SAID = st.lists(
    st.tuples(st.sampled_from(["", "0000", "right", "other"]), st.integers(1, 90)), max_size=8
)


@given(_SAID)
@examples(60)
def test_nothing_but_the_right_code_in_its_time_makes_an_answer_strong(
    said: list[tuple[str, int]],
) -> None:
    """The state machine against its definition, word by word."""
    w, wrong, strong = asked(must(expires_at=T0 + 900 * MIN)), 0, False
    for n, (code, minute) in enumerate(sorted(said, key=lambda s: s[1])):
        given_ = {"right": CODES.code("x", "C-1"), "other": CODES.code("x", "C-9")}.get(code, code)
        at = T0 + minute * MIN
        w.put(word(n, code=given_, said_at=at, received_at=at))
        fits = given_ == CODES.code("x", "C-1")
        ok = fits and wrong < CODES.wrong_most and minute < 60
        strong = strong or ok
        wrong += bool(given_) and not fits and wrong < CODES.wrong_most
        assert (judged(w)[-1].strength == "code") == ok
        assert w.box.entries["d1"].done == strong


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4821", "4821"), ("收到，4821", "4821"), ("4821收到", "4821"), ("确认码 4821", "4821"),
        ("已转移12人到村委会，4821", "4821"), ("received 4821", "4821"), ("48 21", ""),
        ("确认码是不是4821", ""), ("听说确认码是4821", ""), ("1", ""), ("收到", ""),
        ("2025年7月", ""), ("已转移4821人", ""), ("水位4821", ""), ("", ""), ("收到123", "123"),
        ("收到4821，正在转移", "4821"), ("4821 已转移12人", "4821"), ("4821，收到，马上组织", "4821"),
        ("好的4821", "4821"), ("收到4821谢谢", "4821"), ("4821 香屯村", "4821"), ("香屯村4821", "4821"),
        ("收到，1430开始转移的，12人已转移", ""), ("收到 20人已转移", ""), ("4821 路断了", ""),
        ("水涨了 4821", ""),
        ("今天来了4821", ""), ("收到 2026-07-20", ""), ("收到 1250 毫米", ""), ("收到 12:30", ""),
    ],
)  # fmt: skip
def test_what_is_a_code_in_a_text(text: str, code: str) -> None:
    assert answer_code(text, ("香屯村",)) == code
