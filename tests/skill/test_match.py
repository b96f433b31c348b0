"""The one rule by which alarms and events are matched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill.verify.match import Alarm, Event, Outcome, match, merged
from tests.support.examples import examples

MINUTE = 60_000
ALWAYS = {"a": [(-(10**12), 10**12)], "b": [(-(10**12), 10**12)]}


def alarm(start: int, end: int | None = None, area: str = "a", rule: str = "r") -> Alarm:
    return Alarm(area, rule, start * MINUTE, (start if end is None else end) * MINUTE)


def event(start: int, end: int | None = None, area: str = "a") -> Event:
    return Event(area, start * MINUTE, (start if end is None else end) * MINUTE)


def run(
    alarms: list[Alarm],
    events: list[Event],
    record: dict[str, list[tuple[int, int]]] | None = None,
    merge: int = 0,
) -> Outcome:
    return match(alarms, events, 15 * MINUTE, 360 * MINUTE, merge * MINUTE, record or ALWAYS)


@pytest.mark.parametrize(
    ("start", "counts", "fate"),
    [
        (1000 - 361, (0, 1, 1), "miss"),  # a minute before the window: says nothing of this event
        (1000 - 360, (1, 0, 0), "hit"),
        (1000 - 15, (1, 0, 0), "hit"),
        (1000 - 14, (0, 1, 0), "late"),
        (1000, (0, 1, 0), "late"),
        (1030, (0, 1, 0), "late"),  # the event's last minute
        (1031, (0, 1, 1), "miss"),
    ],
)
def test_edges_of_the_window(start: int, counts: tuple[int, int, int], fate: str) -> None:
    o = run([alarm(start, 2000)], [event(1000, 1030)])
    assert o.counts[:3] == counts
    assert o.events[0].fate == fate


def test_an_alarm_that_always_stands_is_worth_nothing() -> None:
    o = run([alarm(0, 100_000)], [event(t) for t in (1000, 5000, 9000)])
    assert (o.hits, o.misses, o.false_alarms) == (0, 3, 1)


def test_late_alarms_count_as_false_in_the_strict_reading_only() -> None:
    o = run([alarm(995)], [event(1000)])
    assert (o.false_alarms, o.late, o.strict.false_alarms) == (0, 1, 1)
    assert o.events[0].lead_ms == 5 * MINUTE
    assert o.leads_ms == []  # the lead of an alarm that was too late is no lead


def test_the_earliest_alarm_in_time_gives_the_lead() -> None:
    o = run([alarm(900), alarm(700), alarm(990)], [event(1000)])
    assert (o.hits, o.false_alarms, o.leads_ms) == (1, 0, [300 * MINUTE])


def test_one_alarm_hits_every_event_of_its_window() -> None:
    o = run([alarm(0, 300)], [event(100), event(300)])
    assert (o.hits, o.misses, o.false_alarms) == (2, 0, 0)


def test_areas_do_not_help_one_another() -> None:
    o = run([alarm(900, area="b")], [event(1000)])
    assert (o.hits, o.misses, o.false_alarms) == (0, 1, 1)


def test_alarms_close_together_are_one_and_count_once() -> None:
    alarms = [alarm(0, 10), alarm(40, 50, rule="s"), alarm(81, 90), alarm(45, 48, area="b")]
    one = merged(alarms, 30 * MINUTE)
    assert [(a.area, a.rule, a.start_at // MINUTE, a.end_at // MINUTE) for a in one] == [
        ("a", "r+s", 0, 50),
        ("a", "r", 81, 90),
        ("b", "r", 45, 48),
    ]
    assert run(alarms, [], merge=30).false_alarms == 3


def test_an_alarm_inside_a_longer_one_does_not_shorten_it() -> None:
    one = merged([alarm(0, 100), alarm(10, 20), alarm(110, 120)], 10 * MINUTE)
    assert [(a.start_at, a.end_at) for a in one] == [(0, 120 * MINUTE)]


def test_an_event_nobody_watched_is_told_and_not_counted() -> None:
    record = {"a": [(0, 500 * MINUTE)]}
    o = run([], [event(1000), event(5000, area="b")], record)
    assert (o.misses, o.unseen, [e.fate for e in o.events]) == (0, 2, ["unseen", "unseen"])


def test_a_gauge_that_fails_before_the_flood_is_a_miss() -> None:
    record = {"a": [(0, 700 * MINUTE)]}  # heard in the first minute of the window, then dead
    assert run([], [event(1000)], record).misses == 1
    assert run([], [event(1060)], record).misses == 1
    assert run([], [event(1061)], record).misses == 0


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="lead"):
        match([], [], 10, 5, 0, {})
    with pytest.raises(ValueError, match="merge"):
        match([], [], 1, 5, -1, {})


times = st.integers(0, 3000)
alarms_ = st.lists(
    st.builds(
        lambda s, n, a: alarm(s, s + n, a), times, st.integers(0, 300), st.sampled_from("ab")
    ),
    max_size=12,
)
events_ = st.lists(
    st.builds(
        lambda s, n, a: event(s, s + n, a), times, st.integers(0, 300), st.sampled_from("ab")
    ),
    max_size=6,
)


@examples(200)
@given(alarms=alarms_, events=events_, merge=st.integers(0, 200))
def test_everything_is_counted_once(alarms: list[Alarm], events: list[Event], merge: int) -> None:
    o = run(alarms, events, merge=merge)
    assert o.hits + o.misses + o.unseen == len(events)
    assert sum(a.fate == "false" for a in o.alarms) == o.false_alarms
    assert len(o.alarms) == o.false_alarms + o.late + sum(a.fate == "hit" for a in o.alarms)
    assert len(o.leads_ms) == o.hits
    assert all(15 * MINUTE <= x <= 360 * MINUTE for x in o.leads_ms)
    assert run(alarms[::-1], events[::-1], merge=merge).counts == o.counts


@examples(100)
@given(alarms=alarms_, events=events_)
def test_a_longer_lead_is_never_easier(alarms: list[Alarm], events: list[Event]) -> None:
    short = match(alarms, events, 5 * MINUTE, 360 * MINUTE, 0, ALWAYS)
    long = match(alarms, events, 60 * MINUTE, 360 * MINUTE, 0, ALWAYS)
    assert long.hits <= short.hits
