"""The pure core of deciding, function by function."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import Text
from config.records.authority import Authority, Policy
from config.records.level import Action, Level
from dispatch.decide.policy import (
    Hold,
    Need,
    Saying,
    Standing,
    at_once,
    authority,
    in_force,
    needed,
    say,
    settle,
    waiting,
)
from dispatch.grade import TOP, Grade, grade_of, sentence
from tests.support.decide_district import seen, yanqing
from tests.support.examples import examples

grades = st.builds(Grade, st.sampled_from(Level), st.sampled_from(Action))
NOBODY = Policy(authority={})


def test_grades_combine_scale_by_scale() -> None:
    a, b = Grade(Level.RED), Grade(Level.BLUE, Action.MOVE)
    assert a | b == Grade(Level.RED, Action.MOVE)
    assert a & b == Grade(Level.BLUE)
    assert a.exceeds(b)
    assert b.exceeds(a)
    assert not Grade()
    assert Grade(action=Action.PREPARE).words() == Text("准备转移", "prepare to move")


def test_authority_of_a_hazard_goes_before_that_of_any() -> None:
    policy = yanqing().policy
    assert authority(policy, "debris_flow", "blue").by == ("resources", "weather")
    assert authority(policy, "debris_flow", "orange").by == ("city",)
    assert authority(policy, "flash_flood", "blue").by == ("district",)
    assert authority(NOBODY, "flash_flood", "blue").default == "hold"


def test_what_goes_out_at_once() -> None:
    policy = yanqing().policy
    assert at_once(policy, False, "flash_flood", TOP) == Grade(Level.YELLOW, Action.MOVE)
    assert at_once(policy, True, "flash_flood", TOP) == TOP
    assert at_once(NOBODY, False, "flash_flood", TOP) == Grade()


def sayings(*records: object) -> list[Saying]:
    table: dict[str, Saying] = {}
    for r in records:
        made = say(table.get(r.rule), r)  # type: ignore[attr-defined,arg-type]
        if made is not None:
            table[r.rule] = made  # type: ignore[attr-defined]
    return list(table.values())


def test_a_second_sign_makes_suspect_evidence_count() -> None:
    doubt = seen(0, Level.RED, Action.PREPARE, suspect=True)
    assert needed(sayings(doubt)).sure == Grade(Level.NONE, Action.PREPARE)
    weak = seen(1, Level.BLUE, rule="stage_trend")
    assert needed(sayings(doubt, weak)).sure == Grade(Level.BLUE, Action.PREPARE)
    sign = seen(1, Level.YELLOW, rule="stage_trend")
    assert needed(sayings(doubt, sign)).sure == Grade(Level.RED, Action.PREPARE)
    other_doubt = seen(1, Level.YELLOW, rule="stage_trend", suspect=True)
    assert needed(sayings(doubt, other_doubt)).sure.level == Level.NONE


def test_a_statement_heard_before_says_nothing_new() -> None:
    first = seen(0, Level.BLUE)
    kept = say(None, first)
    assert kept is not None
    assert say(kept, first) is None
    later = say(kept, seen(1, Level.RED))
    assert later is not None
    assert say(later, first) is None


@examples(200)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 4), st.booleans()), max_size=30))
def test_a_hold_goes_up_at_once_and_down_only_after_it(steps: list[tuple[int, int, bool]]) -> None:
    """Against the plain definition: the highest value asked for in the last `hold` minutes."""
    hold, now, heard = Hold(), 0, [(0, 0)]
    for passed, raw, complete in steps:
        now += passed
        before = hold.value
        hold = hold.hear(raw, now)
        heard.append((now, raw))
        assert hold.value == max(before, raw)
        if complete:
            hold = hold.fall(now, 30)
            # what was asked for at any moment of the closed window (now - 30, now]
            inside = [v for at, v in heard if at > now - 30]
            at_start = [v for at, v in heard if at <= now - 30]
            assert hold.value >= max([*inside, *at_start[-1:]], default=0)
    hold = hold.fall(now + 30, 30)
    assert hold.value == heard[-1][1]  # one hold after the last change only that is left


@examples(300)
@given(grades, grades, grades, st.booleans())
def test_the_law_of_what_is_in_force(
    whole: Grade, sure: Grade, granted: Grade, rehearsed: bool
) -> None:
    policy = yanqing().policy
    need = Need(whole, sure & whole)
    plain = in_force(policy, rehearsed, "flash_flood", need, Standing(granted=granted))
    assert not plain.exceeds(whole)  # nothing without evidence
    allowed = at_once(policy, rehearsed, "flash_flood", need.sure) | granted
    assert not plain.exceeds(allowed)  # nothing without authority
    assert plain.action >= need.sure.action  # an order never waits
    wait = waiting(whole, plain, Standing())
    assert bool(wait) == whole.exceeds(plain)
    for what in wait:
        assert grade_of(what).exceeds(plain)
    stopped = Standing(granted=granted).capped(plain, need, "hold")
    assert in_force(policy, rehearsed, "flash_flood", need, stopped) == plain & stopped.cap
    if stopped.cap != TOP:
        kept = settle(stopped, need, need)
        assert kept.cap == stopped.cap  # the same evidence does not end it


def test_more_evidence_ends_a_cap_on_its_scale_only() -> None:
    need = Need(Grade(Level.YELLOW, Action.PREPARE), Grade(Level.YELLOW, Action.PREPARE))
    capped = Standing().capped(Grade(Level.BLUE), need, "lower")
    more = Need(Grade(Level.ORANGE, Action.PREPARE), Grade(Level.ORANGE, Action.PREPARE))
    after = settle(capped, more, more)
    assert after.cap == Grade(Level.RED, Action.NONE)


def test_a_second_sign_ends_a_cap_on_suspect_evidence() -> None:
    doubt = Need(Grade(Level.RED, Action.PREPARE), Grade(Level.NONE, Action.PREPARE))
    capped = Standing().capped(Grade(), doubt, "cancel")
    assert settle(capped, doubt, doubt).cap == Grade()
    sure = Need(doubt.whole, doubt.whole)
    assert settle(capped, sure, sure).cap.level == Level.RED
    # capped when it was sure; the second sign went, and came back
    capped = settle(Standing().capped(Grade(), sure, "cancel"), doubt, doubt)
    assert capped.cap == Grade()
    assert settle(capped, sure, sure).cap.level == Level.RED


def test_grade_of_names_only_what_exists() -> None:
    assert grade_of("orange") == Grade(Level.ORANGE)
    assert grade_of("move") == Grade(action=Action.MOVE)
    with pytest.raises(ValueError, match="purple"):
        grade_of("purple")


def test_reasons_are_a_sentence_in_each_language() -> None:
    assert sentence([Text("甲", "one"), Text("乙", "two")]) == Text("甲；乙。", "one; two.")


def test_authority_is_read_back_from_json() -> None:
    who = Authority(by=("city",), deadline_s=5)
    assert msgspec.json.decode(msgspec.json.encode(who), type=Authority) == who
