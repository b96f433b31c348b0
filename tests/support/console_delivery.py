"""What several tests use, by the one it was written for: console_delivery."""

import time

from config.records.level import Action, Level
from console.model.follow import Follower
from dispatch.records import Alert, Delivery, Receipt
from stream.log.port import Log, Out
from stream.records import Record, encode
from tests.support.decide_district import MIN, T0
from tests.support.send import delivery

NOW = T0 + 41 * MIN


def sent(alert: Alert, n: int, who_: str, *channels: str, **more: object) -> Delivery:
    times = {"queued_at": NOW, "deadline_at": NOW + 3 * MIN, "expires_at": NOW + 300 * MIN}
    named = {"alert": alert.id, "version": alert.version, "area": alert.area}
    return delivery(n, who_, *channels, **{**times, **named, **more})


def came(n: int, state: str, minute: int = 42, **more: object) -> Receipt:
    return Receipt(delivery=f"d{n}", route=0, state=state, receipt_at=T0 + minute * MIN, **more)  # type: ignore[arg-type]


def alert_of(area: str = "A01", version: int = 1) -> Alert:
    return Alert(
        id=f"al-{area}", version=version, area=area, hazard="flash_flood", status="exercise",
        msg_type="alert", level=Level.RED, action=Action.MOVE, proposed_level=Level.RED,
        proposed_action=Action.MOVE, public=True, state="released", incident="i", sent_at=NOW,
        onset_at=NOW, expires_at=NOW + 300 * MIN, reason="x",
    )  # fmt: skip


def wait_for_alert(log: Log, area: str = "A01") -> Alert:
    """What decide made of the evidence."""
    follower, found = Follower(log, ("alerts",)), []
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found += [r for _, r in follower.take() if isinstance(r, Alert) and r.area == area]
        if found:
            return found[-1]
        time.sleep(0.03)
    raise AssertionError("decide made no warning")


def tell(log: Log, *records: Record) -> None:
    log.append([Out("deliveries", "x", encode(r)) for r in records])
