"""Nobody is woken to hear that all is as it was: what goes on unchanged is said again before it runs
out, at the end of the night, and everything of a village together. What rises, an order and what
changes wait for nothing."""

from collections import Counter
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from dispatch.decide.validity import ahead_ms, valid_until
from dispatch.grade import Grade
from dispatch.records import Delivery
from dispatch.words.local_time import local, quiet_until
from tests.support.decide_district import (
    MIN,
    OTHER,
    T0,
    act,
    mark,
    seen,
    silence,
    yanqing,
)
from tests.support.examples import examples
from tests.support.night import NODE, RESIDENT, Night

YELLOW, ORANGE, RED = Level.YELLOW, Level.ORANGE, Level.RED
ZONE = "Asia/Shanghai"
HAZARDS = ("flash_flood", "debris_flow", "river_flood")


def hour(d: Delivery) -> str:
    return local(d.queued_at, ZONE, "%H:%M")


def storm(night: Night) -> None:
    """Three hazards of one village within 80 minutes, and gauges that fall silent and come back."""
    for n, hazard in enumerate(HAZARDS):
        night.feed(seen(40 * n, ORANGE, hazard=hazard))
    for minute in range(90, 660, 10):
        if minute % 50 == 0:
            night.feed(silence(minute, minute % 100 == 0))
        night.feed(mark(minute), mark(minute, group=OTHER))


def test_a_night_without_news_wakes_nobody() -> None:
    night = Night()
    storm(night)
    for who in (NODE, RESIDENT, "cap-feed"):
        found = night.told[who]
        assert len(found) == 6, [hour(d) for d in found]  # three at 20:00, three in the morning
        # one waking for the whole village
        assert {hour(d) for d in found[3:]} == {"06:00"}
        assert {d.hazard for d in found[3:]} == set(HAZARDS)


def test_a_district_may_have_no_night_and_is_told_together_all_the_same() -> None:
    night = Night("")
    storm(night)
    hours = Counter(hour(d) for d in night.told[RESIDENT][3:])
    assert set(hours.values()) == {3}
    assert len(hours) <= 2


@pytest.mark.parametrize("step", [10, 7])
def test_what_a_village_was_told_never_runs_out_while_it_is_in_force(step: int) -> None:
    """Also when versions for the duty room alone come between: they are no word to the village."""
    night = Night()
    storm(night)
    night.until(660, 2880, step)
    for who in (NODE, "cap-feed"):
        for hazard in HAZARDS:
            mine = [d for d in night.told[who] if d.hazard == hazard]
            for a, b in pairwise(mine):
                assert b.queued_at < a.expires_at, (hour(a), hour(b))
            assert mine[-1].expires_at > T0 + 2880 * MIN


def test_at_night_what_rises_what_orders_and_what_changes_goes_out_at_once() -> None:
    night = Night()
    night.feed(seen(0, YELLOW))
    for minute, grade in (
        (180, Grade(ORANGE)),
        (200, Grade(RED, Action.PREPARE)),
        (220, Grade(RED, Action.MOVE)),
    ):
        before = len(night.told[RESIDENT])
        night.feed(seen(minute, grade.level, grade.action))
        new = night.told[RESIDENT][before:]
        assert [(d.level, d.action) for d in new] == [(grade.level, grade.action)]
        assert len(night.told[NODE]) == before + 1
    night.feed(seen(240, YELLOW))  # what to do changes: told after its hold, and at night
    night.until(240, 300)
    last = night.told[RESIDENT][-1]
    assert (last.level, last.action) == (YELLOW, Action.NONE)
    assert hour(last) > "22:00" or hour(last) < "06:00"


def test_an_order_without_evidence_ends_when_it_said() -> None:
    """Six hours after it was given, also at night: only what evidence holds is made longer."""
    night = Night()
    night.feed(mark(0), act("raise", RED, Action.MOVE))
    (ordered,) = night.told[RESIDENT]
    night.until(5, 460)
    (last,) = night.told[RESIDENT][1:]
    assert last.msg_type == "cancel"
    assert ordered.expires_at == T0 + 6 * 60 * MIN
    assert ordered.expires_at <= last.queued_at < ordered.expires_at + 20 * MIN


def test_an_order_that_outlives_its_evidence_is_said_once_more_with_the_end_that_it_has() -> None:
    night = Night("")
    night.feed(seen(0, YELLOW))
    night.feed(act("raise", YELLOW, Action.PREPARE), mark(1))
    night.feed(seen(200), mark(200))
    night.until(205, 700, 5)
    first, ordered, again, last = night.told[RESIDENT]
    assert (first.action, ordered.action, again.action) == (0, Action.PREPARE, Action.PREPARE)
    assert again.queued_at < ordered.expires_at < again.expires_at
    assert last.msg_type == "cancel"
    assert again.expires_at <= last.queued_at < again.expires_at + 10 * MIN


@examples()
@given(
    st.integers(0, 2 * 86_400_000),
    st.integers(0, 3_600_000),
    st.integers(600, 86_400),
    st.sampled_from(["", "22:00-06:00", "00:00-07:30", "13:00-14:00", "23:59-00:01"]),
)
def test_no_renewal_falls_into_the_night_and_none_is_earlier_than_before(
    at: int, later: int, valid_s: int, night: str
) -> None:
    policy = msgspec.structs.replace(yanqing().policy, night=night, valid_s=valid_s)
    at += T0
    end = valid_until(policy, ZONE, at)
    assert end >= at + valid_s * 1000
    assert valid_until(policy, ZONE, at + later) >= end
    assert not quiet_until(night, end - ahead_ms(policy), ZONE) if night else True


def test_old_memory_goes_on() -> None:
    """A case of a version without `told_until` renews by its newest version."""
    night = Night("")
    night.feed(seen(0, YELLOW))
    cases = night.line.state.cases["A01"]
    cases["flash_flood"] = msgspec.structs.replace(cases["flash_flood"], told_until=0)
    night.until(300, 340)
    assert len(night.told[RESIDENT]) == 2
