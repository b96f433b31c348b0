"""A colour that swings within minutes is told as it rises, and its fall once, when it has held."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from dispatch.grade import Grade
from tests.support.decide_district import MIN, OTHER, T0, mark, seen
from tests.support.examples import examples
from tests.support.night import NODE, RESIDENT, Night

GRADES = (
    Grade(),
    Grade(Level.BLUE),
    Grade(Level.YELLOW),
    Grade(Level.ORANGE, Action.PREPARE),
    Grade(Level.RED, Action.MOVE),
)


@examples(15)
@given(st.lists(st.tuples(st.sampled_from(GRADES), st.integers(1, 20)), min_size=2, max_size=14))
def test_a_swing_is_told_as_it_rises_and_falls_once(story: list[tuple[Grade, int]]) -> None:
    night, minute, high = Night(""), 0, Grade()
    said: list[tuple[int, Grade]] = []
    for grade, later in story:
        night.feed(seen(minute, grade.level, grade.action))
        said.append((minute, grade))
        rose, high = grade.exceeds(high), high | grade
        if rose:  # at once, by the reading itself
            assert night.told[RESIDENT][-1].queued_at == T0 + minute * MIN
        for m in range(minute, minute + later):
            night.feed(mark(m), mark(m, group=OTHER))
        minute += later
    hold = night.stage._district.policy.step_down_hold_s * 1000
    for who in (RESIDENT, NODE):
        told, before = night.told[who], Grade()
        for d in told:
            now = Grade(d.level, d.action)
            if not now.exceeds(before):  # a fall: nothing above it was seen for the hold time
                since = d.queued_at - hold
                late = [g for m, g in said if since < T0 + m * MIN <= d.queued_at]
                assert not any(g.exceeds(now) for g in late), (d.queued_at, late)
            before = now
        rises = sum(1 for a, b in pairwise(said) if b[1].exceeds(a[1]))
        assert len(told) <= 1 + rises + minute * MIN // hold
