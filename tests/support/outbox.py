"""What several tests use, by the one it was written for: outbox."""

from collections.abc import Collection
from typing import Any

from config.records.level import Action, Level
from dispatch.notices import DUTY
from dispatch.records import Delivery, DeliveryRecord, Receipt, Route, State
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.state import Attempt, Box, Rules, attempt_of, is_ready, line_of, urgency
from stream.records import DeadLetter

RULES = Rules(
    live=False, retry_s=(5, 15), played_within_s=60, answer_within_s=90, areas={"A01": "香屯村"}
)
T0 = 1_000_000
MIN = 60_000


def due(box: Box, in_flight: Collection[str], at: int) -> list[Attempt]:
    """The order of attempts, as it is defined: what the agenda must hand out."""
    busy = {line_of(box.entries[i].delivery) for i in in_flight if i in box.entries}
    found = [
        e
        for i, e in box.entries.items()
        if is_ready(e, at) and i not in in_flight and line_of(e.delivery) not in busy
    ]
    found.sort(key=lambda e: (*urgency(e.delivery), e.delivery.queued_at, e.delivery.id))
    return [attempt_of(box, e) for e in found]


def delivery(n: int = 1, **changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "id": f"d{n}",
        "alert": "x",
        "version": 1,
        "area": "A01",
        "hazard": "flash_flood",
        "level": Level.YELLOW,
        "action": Action.NONE,
        "msg_type": "alert",
        "status": "exercise",
        "recipient": f"r{n}",
        "audience": "public",
        "routes": (Route(channel="sms", text="t"),),
        "queued_at": T0,
        "deadline_at": T0 + 5 * MIN,
        "expires_at": T0 + 60 * MIN,
    }
    return Delivery(**{**fields, **changes})


def routes(*channels: str) -> tuple[Route, ...]:
    return tuple(Route(channel=c, text="t") for c in channels)


def receipt(a: Attempt, state: State, at: int = T0, **more: Any) -> Receipt:
    return Receipt(
        delivery=a.delivery.id, route=a.route, state=state, receipt_at=at, attempt=a.attempt, **more
    )


class World:
    """A log of one partition and an outbox over it."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules, self.log, self.box, self.read = rules, list[Any](), Box(), 0

    def put(self, *records: DeliveryRecord) -> None:
        for record in records:
            self.log.append(record)
            self.catch_up()

    def catch_up(self) -> None:
        while self.read < len(self.log):
            record = self.log[self.read]
            self.read += 1
            self.log += [
                w for w in apply(self.rules, self.box, record) if not isinstance(w, DeadLetter)
            ]

    def one(self, at: int = T0) -> Attempt:
        (attempt,) = due(self.box, (), at)
        return attempt

    def receipts(self, of: str = "d1") -> list[str]:
        return [r.state for r in self.log if isinstance(r, Receipt) and r.delivery == of]

    def notices(self) -> list[Delivery]:
        return [d for d in self.log if isinstance(d, Delivery) and d.recipient.startswith(DUTY)]
