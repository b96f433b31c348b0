"""What send must not have sent: judged by what it knew, and never by how slow the machine was."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest

from bench.kills.sending import Come, Past, Posted, wrongly_sent
from detectors.detection import Mark
from dispatch.records import Delivery, Receipt
from dispatch.send.outbox.ends import WITH
from dispatch.send.outbox.state import key_of
from tests.support.outbox import MIN, T0, delivery

ATTEMPT_S = 30.0
OLD = delivery(1, recipient="r")
NEW = delivery(2, recipient="r", version=2)


def mark(clock_at: int) -> Mark:
    return Mark(group="g", clock_at=clock_at, complete_at=clock_at)


def accepted(d: Delivery, at: int, attempt: int = 1) -> Receipt:
    return Receipt(delivery=d.id, route=0, state="accepted", receipt_at=at, attempt=attempt)


# offsets 10, 20, …
LOG = [
    (10 * n, record)
    for n, record in enumerate(
        (mark(T0), OLD, mark(T0 + MIN), accepted(OLD, T0 + MIN), NEW, mark(T0 + 2 * MIN)), start=1
    )
]


def past(
    *come: tuple[float, int, int],
    started: tuple[float, ...] = (0.0,),
    stood: tuple[tuple[float, float], ...] = (),
) -> Past:
    return Past([Come(*c) for c in come], started, stood, ATTEMPT_S)


def wrong(
    of: Past, *posts: tuple[Delivery, float], log: Sequence[tuple[int, object]] = LOG
) -> Counter[str]:
    counted: Counter[str] = Counter()
    posted = [Posted(key_of(d, "sms"), "", "sms", at) for d, at in posts]
    found = list(wrongly_sent(log, posted, of, counted))
    bad = Counter({k: n for k, n in counted.items() if k in ("doubled", "stale")})
    assert bool(found) == bool(bad)
    return bad


def test_an_old_version_is_nothing_wrong_as_long_as_send_had_not_come_to_the_new_one() -> None:
    """An hour after it stood in the log: the machine was slow."""
    behind = past((1.0, 25, 60), (3600.0, 25, 60))
    assert wrong(behind, (OLD, 3600.0)) == {}


def test_an_old_version_of_which_send_knew_better_is_stale_whatever_was_under_way() -> None:
    knew = past((1.0, 61, 61))
    assert wrong(knew, (OLD, 1.0 + ATTEMPT_S - 1)) == {}
    assert wrong(knew, (OLD, 1.0 + ATTEMPT_S + 1)) == {"stale": 1, "doubled": 1}


def test_what_was_under_way_when_it_stood_still_goes_on_when_it_wakes() -> None:
    slept = past((100.0, 61, 61), stood=((101.0, 500.0),))
    assert wrong(slept, (OLD, 501.0)) == {}
    assert wrong(slept, (OLD, 500.0 + ATTEMPT_S)) == {"stale": 1, "doubled": 1}


def test_a_process_that_is_started_knows_all_that_stood_there_before() -> None:
    assert wrong(past((1.0, 0, 61), started=(0.0, 2.0)), (OLD, 2.1))["stale"] == 1
    assert wrong(past((1.0, 0, 45), started=(0.0, 2.0)), (OLD, 2.1)) == {"doubled": 1}
    assert wrong(past((1.0, 0, 35), started=(0.0, 2.0)), (OLD, 2.1)) == {}
    assert wrong(past((3.0, 0, 61), started=(0.0, 2.0)), (OLD, 3.1)) == {}


def test_one_that_is_of_nothing_in_the_log_or_over_is_found() -> None:
    assert wrong(past(), (delivery(7, recipient="nobody"), 1.0)) == {"doubled": 1}
    late = [*LOG, (70, mark(NEW.expires_at))]
    assert wrong(past((1.0, 71, 71)), (NEW, 100.0), log=late) == {"stale": 1}


@pytest.mark.parametrize(
    ("receipt", "found"),
    [
        (accepted(OLD, T0 + MIN, 2), {}),  # the new one came after that clock
        (accepted(OLD, T0 + 2 * MIN, 2), {"stale": 1, "doubled": 1}),
        (accepted(OLD, T0 + 2 * MIN - 1, 2), {}),  # before that clock: it may not have read the new one
        (accepted(NEW, T0 + 2 * MIN), {}),
        (accepted(NEW, T0 + 3 * MIN), {}),  # a clock that does not stand there says nothing
    ],
)
def test_an_attempt_is_judged_by_the_clock_at_which_it_was_begun(
    receipt: Receipt, found: dict[str, int]
) -> None:
    assert wrong(past(), log=[*LOG, (70, receipt)]) == found


def test_what_failed_after_it_was_taken_may_be_tried_again() -> None:
    """Nobody spoke in time, and the carrier is given it a second time by the same key."""
    failed = Receipt(delivery=OLD.id, route=0, state="failed", receipt_at=T0 + MIN, attempt=1)
    log = [*LOG[:4], (45, failed), (60, mark(T0 + 2 * MIN)), (70, accepted(OLD, T0 + 2 * MIN, 2))]
    assert wrong(past(), log=[*LOG[:4], (45, failed), (46, accepted(OLD, T0 + MIN, 2))]) == {}
    assert wrong(past((1.0, 60, 60)), (OLD, 100.0), log=log) == {}
    assert wrong(past((1.0, 71, 71)), (OLD, 100.0), log=log) == {"doubled": 1}


def test_what_another_message_said_for_it_is_no_attempt_of_its_own() -> None:
    """An old version that waited in a message which tells of its place ends as that message does."""
    log = [*LOG[:3], (50, NEW), (60, mark(T0 + 2 * MIN))]
    spoken_for = msgspec.structs.replace(accepted(OLD, T0 + 2 * MIN, 2), detail=WITH + "another")
    assert wrong(past(), log=[*log, (70, accepted(OLD, T0 + 2 * MIN, 2))]) == {"stale": 1}
    assert wrong(past(), log=[*log, (70, spoken_for)]) == {}


def test_the_same_message_by_the_same_key_before_its_receipt_is_no_double() -> None:
    assert wrong(past((1.0, 35, 35)), (OLD, 50.0), (OLD, 51.0)) == {}
