"""What several tests use of residents who subscribe."""

from pathlib import Path
from typing import Any

import msgspec

from config.records.district import Contact, District
from dispatch.people.contact_store import ContactStore
from dispatch.people.residents.desk import ResidentDesk
from dispatch.records import AlertRecord, Delivery, DeliveryRecord
from ingest.people.subscriber import Subscriber
from stream.log.port import Out
from tests.support.decide_district import T0, yanqing

NUMBER, OTHER = "13800138000", "13900139000"
_records: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AlertRecord | DeliveryRecord)


class Clock:
    """A wall clock that a test sets."""

    def __init__(self, at: int = T0) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


def with_store(folder: Path, *contacts: Contact, **channels: object) -> District:
    """Yanqing with a contact store of these alone."""
    d = yanqing()
    with ContactStore(folder) as store:
        store.put(contacts)
        known = store.load()
    ways = msgspec.structs.replace(d.channels, **channels)
    return msgspec.structs.replace(d, contacts=known, vault=folder, channels=ways)


def desk(district: District, wall: Clock, live: bool = False) -> ResidentDesk:
    return ResidentDesk(district, live, lambda: T0, wall)


def sent(outs: list[Out]) -> list[Delivery]:
    return [r for o in outs if isinstance(r := _records.decode(o.value), Delivery)]


def choices(outs: list[Out]) -> list[Subscriber]:
    return [r for o in outs if isinstance(r := _records.decode(o.value), Subscriber)]


def words(outs: list[Out]) -> str:
    """Of the one message."""
    (d,) = sent(outs)
    return str(d.routes[0].text)


def code_of(district: District, outs: list[Out]) -> str:
    """What the number's owner reads in the message."""
    (d,) = sent(outs)
    assert district.vault is not None
    with ContactStore(district.vault) as store:
        row = store.whole(d.recipient)
    assert row is not None
    return row.name
