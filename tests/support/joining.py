"""What several tests use of somebody who subscribes while address runs."""

from typing import Any

import msgspec

from config.records.level import Action, Level
from dispatch.address.stage import Address
from dispatch.people.signed_choices import public_of, signed
from dispatch.records import Alert, Delivery
from ingest.people.subscriber import Subscriber
from stream.records import DeadLetter, Record
from stream.stages.stage import Item
from tests.support.decide_district import MIN, T0, run, seen, small
from tests.support.target import Both

HOUR = 60 * MIN
KEY = bytes(range(32))  # of the contact store


def alert(level: Level = Level.YELLOW, action: Action = Action.NONE, **more: Any) -> Alert:
    found = next(a for a in Both("exercise").line.feed(seen(1, Level.RED)) if isinstance(a, Alert))
    return msgspec.structs.replace(
        found, level=level, action=action, sent_at=T0, expires_at=T0 + 6 * HOUR, public=True, **more
    )


def joins(at: int = T0 + MIN, **more: Any) -> Subscriber:
    return Subscriber(**{"id": "S-1", "said_at": at, "way": "sms", "areas": ("A01",), **more})


def in_store(choice: Subscriber) -> Subscriber:
    """As whoever holds the store writes it."""
    return signed(choice, KEY, small().id)


class Room:
    """address, record by record."""

    def __init__(self, *people: Any) -> None:
        self.letters: list[DeadLetter] = []
        self.district = msgspec.structs.replace(
            small(), contacts={c.id: c for c in people}, subscriber_key=public_of(KEY)
        )
        self.stage = Address(self.district)
        self.state = self.stage.new(0)
        self.feed(run("exercise"))

    def feed(self, *records: Record) -> list[Delivery]:
        said = [r if not isinstance(r, Subscriber) or r.signature else in_store(r) for r in records]
        items = [Item(0, n, "", r) for n, r in enumerate(said)]
        return self.take(items)

    def take(self, items: list[Item]) -> list[Delivery]:
        """The same as they stand, nothing signed."""
        self.state, writes = self.stage.step(self.state, items)
        self.letters += [w.record for w in writes if isinstance(w.record, DeadLetter)]
        found = (w.record for w in writes)
        return [d for d in found if isinstance(d, Delivery) and d.recipient.startswith("S-")]

    def restart(self, *people: Any) -> None:
        body = self.stage.dump(self.state)
        district = msgspec.structs.replace(self.district, contacts={c.id: c for c in people})
        self.stage = Address(district)
        self.state = self.stage.load(0, body)
