"""What several tests use of somebody who subscribes while address runs."""

from typing import Any

import msgspec

from config.records.level import Action, Level
from dispatch.address.stage import Address
from dispatch.records import Alert, Delivery
from ingest.people.subscriber import Subscriber
from stream.records import Record
from stream.stages.stage import Item
from tests.support.decide_district import MIN, T0, run, seen, small
from tests.support.target import Both

HOUR = 60 * MIN


def alert(level: Level = Level.YELLOW, action: Action = Action.NONE, **more: Any) -> Alert:
    found = next(a for a in Both("exercise").line.feed(seen(1, Level.RED)) if isinstance(a, Alert))
    return msgspec.structs.replace(
        found, level=level, action=action, sent_at=T0, expires_at=T0 + 6 * HOUR, public=True, **more
    )


def joins(at: int = T0 + MIN, **more: Any) -> Subscriber:
    return Subscriber(id="S-1", said_at=at, way="sms", **{"areas": ("A01",), **more})


class Room:
    """address, record by record."""

    def __init__(self, *people: Any) -> None:
        self.district = msgspec.structs.replace(small(), contacts={c.id: c for c in people})
        self.stage = Address(self.district)
        self.state = self.stage.new(0)
        self.feed(run("exercise"))

    def feed(self, *records: Record) -> list[Delivery]:
        items = [Item(0, n, "", r) for n, r in enumerate(records)]
        self.state, writes = self.stage.step(self.state, items)
        found = (w.record for w in writes)
        return [d for d in found if isinstance(d, Delivery) and d.recipient.startswith("S-")]

    def restart(self, *people: Any) -> None:
        body = self.stage.dump(self.state)
        district = msgspec.structs.replace(self.district, contacts={c.id: c for c in people})
        self.stage = Address(district)
        self.state = self.stage.load(0, body)
