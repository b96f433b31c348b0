"""Who is responsible for many places is told by rounds at night: one message with all that is new, worst first,
at once what is worse than all before, never more than the rounds allow; and no order waits for anybody else."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.records.authority import Policy
from config.records.level import Action, Level
from dispatch.address.night import (
    NightOf,
    Told,
    has_rounds,
    is_urgent,
    is_worse,
    most_in_rounds,
    rises,
    round_until,
)
from dispatch.grade import Grade
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.examples import examples

NIGHT = T0 + 4 * 3_600_000  # midnight in Beijing
POLICY = Policy(authority={}, night_gather_s=1800, night_round_s=300)
ZONE = "Asia/Shanghai"
BOTH = Grade(Level.RED, Action.MOVE)
GRADES = [Grade(level, action) for level in Level for action in Action if level or action]


def test_an_order_that_the_place_was_not_told_of_never_waits() -> None:
    prepare, move = Action.PREPARE, Action.MOVE
    orange = Grade(Level.ORANGE)
    assert rises(Grade(Level.YELLOW, prepare), Told(None, orange)), (
        "as bad, and it asks for something"
    )
    assert rises(Grade(Level.NONE, move), Told(None, Grade(Level.RED)))
    # what may wait asks for nothing that is not being done
    standing = Grade(Level.YELLOW, move)
    assert not rises(Grade(Level.ORANGE, move), Told(standing, standing)), (
        "a colour below the order"
    )
    assert not rises(Grade(Level.YELLOW, prepare), Told(None, standing)), (
        "a lower one of another hazard"
    )
    assert not rises(Grade(Level.BLUE), Told(orange, orange)), "a fall"
    assert rises(Grade(Level.RED, move), Told(standing, standing)), "the first red"


def test_rounds_are_for_who_is_responsible_for_many_places() -> None:
    d = yanqing()
    own = {c.id for c in d.contacts.values() if has_rounds(d, c.id, "internal")}
    assert "C-0190" in own, "the district's duty"
    assert "C-0001" not in own, "a village's head"
    assert not has_rounds(d, "C-0190", "public")
    offices = [c for c in d.contacts.values() if c.role == "organisation"]
    assert not own & {c.id for c in offices}
    assert has_rounds(d, "C-0189", "public"), "another county's duty room, of 16 places"
    machine = msgspec.structs.replace(d.contacts["C-0189"], channels=("broadcast_platform",))
    with_machine = msgspec.structs.replace(d, contacts={"C-0189": machine})
    assert not has_rounds(with_machine, "C-0189", "public"), "it gets each warning by itself"
    plain = msgspec.structs.replace(d, policy=msgspec.structs.replace(d.policy, night_round_s=0))
    assert not any(has_rounds(plain, c, "internal") for c in d.contacts)


def test_what_comes_within_a_round_is_one_message_and_the_worst_takes_it_along() -> None:
    nights: dict[str, NightOf] = {}

    def at(minute: float, grade: Grade, told: Grade = BOTH, ends: float = 600) -> float:
        known, now = Told(told, told), NIGHT + round(minute * MIN)
        due = round_until(POLICY, ZONE, nights, ("C", "A01"), now, grade, known, NIGHT + round(ends * MIN))
        return (due - NIGHT) / MIN if due else 0

    yellow, prepare = Grade(Level.YELLOW), Grade(Level.YELLOW, Action.PREPARE)
    assert at(0, yellow) == 0, "the first of the night"
    assert [at(m, yellow) for m in (0, 1, 4.9)] == [5, 5, 5]
    assert at(4.95, prepare) == 0, "worse than all before"
    assert at(5, prepare) == 9.95 == at(9, yellow)
    assert at(60, yellow) == 61, "after a quiet hour what comes in one minute is one"
    assert nights["C"].made == 5
    red = Grade(Level.RED, Action.MOVE)
    assert at(70, red) == 0, "the night's first order to move"
    assert at(70.5, yellow) == 75
    assert at(71, red, yellow) == 72 == at(71.5, prepare), "of one place more: a minute, with what waits"
    assert at(71.5, red, BOTH) == 72, "what was told of it does not hurry"
    assert at(73, Grade(Level.RED), prepare) == 74, "a place's first red"
    assert at(75, red) == 79
    # nothing waits until it has run out itself
    assert at(80, yellow, ends=82) == 81
    assert at(90, yellow, ends=90.5) == 90


STEP = st.tuples(st.integers(0, 20 * MIN), st.sampled_from(GRADES), st.sampled_from(GRADES))


@given(st.lists(STEP, min_size=1, max_size=60))
@examples(60)
def test_nothing_waits_longer_than_a_round_and_the_rounds_bound_the_messages(
    steps: list[tuple[int, Grade, Grade]],
) -> None:
    nights: dict[str, NightOf] = {}
    now, known, sent, hurries = NIGHT, Grade(), set[int](), 0
    for wait, grade, here in steps:
        now = min(now + wait, NIGHT + 6 * 3_600_000 - 1)
        told, ends = Told(here, here), NIGHT + 12 * 3_600_000
        due = round_until(POLICY, ZONE, nights, ("C", "A01"), now, grade, told, ends)
        urgent = is_urgent(grade, here)
        hurries += urgent
        most = 60_000 if urgent else 300_000
        assert due == 0 if is_worse(grade, known) else now < due <= now + most
        known |= grade
        if due:  # an earlier one takes along what waits
            sent = {min(t, due) if t > now else t for t in sent}
        sent = {t for t in sent if t <= now or due} | {
            due or now
        }  # what waits goes with the worse one
    assert len(sent) <= most_in_rounds(POLICY, max(sent) - min(sent), hurries)
