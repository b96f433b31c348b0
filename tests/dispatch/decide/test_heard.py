"""What a message says of the one before it is true for whoever gets it: 继续有效, 仍为, 升级, 降级 are said
only where the earlier version went out."""

import re

from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from console.acts.resend import again
from dispatch.grade import Grade
from dispatch.records import Receipt
from stream.records import Tick
from tests.support.decide_district import mark, seen
from tests.support.examples import examples
from tests.support.heard import NODE, RESIDENT, Village, at

COMPARES = re.compile(
    r"继续有效|仍为|升级|降级|降为|调整为|指令解除|still|raised|lowered|\bnow\b|order to move lifted"
)
SAME = re.compile(r"继续有效|仍为|\bstill\b")
RISES, FALLS = re.compile(r"升级|raised"), re.compile(r"降级|降为|lowered")
YELLOW, ORANGE, RED = Level.YELLOW, Level.ORANGE, Level.RED


def test_a_first_message_does_not_go_on_with_one_that_was_never_sent() -> None:
    """Version 1 waits (a carrier is down); version 2 replaces it: for the village it is the first."""
    v = Village()
    v.feed(seen(1, YELLOW))
    v.feed(mark(600))  # renewed
    v.send(at(601))
    for who in (NODE, RESIDENT, "cap-feed"):
        (text,) = v.said[who]
        assert not COMPARES.search(text), text
        assert who == "cap-feed" or "黄色预警" in text


def test_who_was_told_before_hears_that_it_goes_on() -> None:
    v = Village()
    v.feed(seen(1, YELLOW))
    v.send(at(2))
    v.feed(mark(600))
    v.send(at(601))
    assert "黄色预警继续有效" in v.said[RESIDENT][-1]
    assert "仍为黄色" in v.said[NODE][-1]


def test_a_loudspeaker_that_was_off_begins_anew_while_phones_go_on() -> None:
    v = Village()
    v.feed(seen(1, ORANGE))
    v.send(at(2), only=RESIDENT)
    v.send(at(2), lost=True, only=NODE)
    v.feed(mark(600))
    v.send(at(601))
    assert "继续有效" in v.said[RESIDENT][-1]
    (loud,) = v.said[NODE]
    assert not COMPARES.search(loud), loud
    assert "橙色预警" in loud


def test_a_later_word_that_it_was_not_delivered_counts() -> None:
    v = Village()
    v.feed(seen(1, YELLOW))
    (a,) = [x for x in v.attempts(at(2)) if x.delivery.recipient == RESIDENT]
    fields = {"delivery": a.delivery.id, "route": 0, "attempt": 1}
    v.put(Receipt(**fields, state="accepted", receipt_at=at(2)))  # type: ignore[arg-type]
    ways = len(a.delivery.routes)
    v.put(Receipt(**fields, state="failed", permanent=True, receipt_at=at(3)))  # type: ignore[arg-type]
    for _ in range(ways):
        v.send(at(4), lost=True, only=RESIDENT)
    v.feed(mark(600))
    v.send(at(601), only=RESIDENT)
    assert not COMPARES.search(v.said[RESIDENT][-1])


def test_who_missed_the_version_between_is_told_only_what_is_in_force() -> None:
    """Yellow came, orange did not, orange is renewed: neither 继续有效 nor a wrong colour."""
    v = Village()
    v.feed(seen(1, YELLOW))
    v.send(at(2))
    v.feed(seen(3, ORANGE))
    v.feed(mark(600))
    v.send(at(601))
    text = v.said[RESIDENT][-1]
    assert "橙色预警" in text
    assert not COMPARES.search(text)


def test_who_was_told_to_move_is_told_not_to_return_though_a_version_was_missed() -> None:
    v = Village()
    v.feed(seen(1, RED, Action.MOVE))
    v.send(at(2))
    v.feed(seen(3, RED, Action.PREPARE))
    v.feed(mark(40))  # the fall after its hold: not sent
    v.feed(seen(41, ORANGE))
    v.feed(mark(80))
    v.send(at(81))
    assert "不得返回" in v.said[RESIDENT][-1]
    assert "不要返回" in v.said[NODE][-1]


def test_a_repetition_by_hand_is_true_too() -> None:
    v = Village()
    v.feed(seen(1, YELLOW))
    v.feed(mark(600))
    last = next(
        e.delivery
        for e in v.box.entries.values()
        if e.delivery.recipient == RESIDENT and not e.done
    )
    v.put(again(last, "sms", "P-1", at(601), 1))
    v.send(at(602), only=RESIDENT)
    v.send(at(603), only=RESIDENT)  # two of one line are never under way together
    assert len(v.said[RESIDENT]) == 2
    assert not any(COMPARES.search(t) for t in v.said[RESIDENT])


@examples(25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([Grade(lv, a) for lv in (YELLOW, ORANGE, RED) for a in Action]),
            st.sampled_from(["reached", "lost", "waits"]),
            st.integers(1, 700),
        ),
        min_size=1,
        max_size=7,
    )
)
def test_nobody_is_ever_told_that_what_they_did_not_hear_goes_on(
    story: list[tuple[Grade, str, int]],
) -> None:
    v, minute = Village(), 1
    heard: dict[str, Grade] = {}
    for grade, fate, later in story:
        v.feed(seen(minute, grade.level, grade.action), mark(minute))
        minute += later
        v.feed(mark(minute))
        now = at(minute)
        v.put(Tick(clock_at=now))
        if fate == "waits":
            continue
        for a in v.attempts(now):
            d = a.delivery
            text = d.routes[a.route].text
            if d.recipient not in heard:
                assert not COMPARES.search(text) or d.msg_type == "cancel", text
                assert d.msg_type != "update"
            elif SAME.search(text):
                before = heard[d.recipient]
                assert d.level == before.level, text
            elif RISES.search(text):
                assert d.level > heard[d.recipient].level, text
            elif FALLS.search(text):
                assert d.level < heard[d.recipient].level, text
            if fate == "reached" and d.msg_type != "cancel":
                heard[d.recipient] = Grade(d.level, d.action)
            if d.msg_type == "cancel":
                heard.pop(d.recipient, None)
        v.send(now, lost=fate == "lost")
