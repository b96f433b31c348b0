"""What the auditor asks of messages."""

from console.model.consistency import Audit
from dispatch.records import Receipt
from stream.records import Run, Tick
from tests.support.outbox import T0, delivery

RUN = Run(name="live", kind="live", district="toy", config="", start_at=T0)
NOW = T0 + 600_000


def found(audit: Audit) -> set[str]:
    return {f.subject for f in audit.findings(NOW) if f.check == "stuck"}


def test_a_message_that_another_speaks_for_waits_with_it_and_is_not_stuck() -> None:
    """An officer is asked about several villages in one message, and does not answer for ten minutes."""
    audit = Audit(ours=RUN)
    for record in (RUN, Tick(clock_at=NOW)):
        audit.take(record)
    last = NOW + 3_600_000
    audit.take(delivery(1, id="asked", status="actual", expires_at=last))
    assert found(audit) == {"asked"}
    audit.take(delivery(2, id="merged", status="actual", expires_at=last, covers=("asked",)))
    assert found(audit) == {"asked", "merged"}  # neither moves
    audit.take(Receipt(delivery="merged", route=0, state="delivered", receipt_at=T0 + 1000))
    assert found(audit) == set()


def test_a_message_that_waits_for_its_time_is_not_stuck_before_it() -> None:
    """What is gathered at night, or kept until quiet hours are over; and what goes with it."""
    audit = Audit(ours=RUN)
    for record in (RUN, Tick(clock_at=NOW)):
        audit.take(record)
    times = {"status": "actual", "expires_at": NOW + 3_600_000}
    audit.take(delivery(1, id="waits", not_before=NOW + 60_000, covers=("with it",), **times))
    audit.take(delivery(1, id="with it", **times))
    assert found(audit) == set()
    audit.take(delivery(1, id="waited", not_before=T0 + 1000, **times))
    assert found(audit) == {"waited"}
