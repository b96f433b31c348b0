"""What several tests use, by the one it was written for: target."""

import msgspec

from config.records.district import Contact, District
from config.records.level import Level
from dispatch.address.stage import Address
from dispatch.records import Delivery
from stream.records import Record
from stream.stages.stage import Item, Write
from tests.support.decide_district import Line, real, small


class Both:
    """decide and address, one behind the other."""

    def __init__(self, kind: str = "live", district: District | None = None) -> None:
        district = district or small()
        self.line = Line(district, kind=kind)
        self.stage = Address(district)
        self.state = self.stage.new(0)
        self.writes: list[Write] = []
        self._done = 0
        self.feed()

    def feed(self, *records: Record) -> list[Delivery]:
        self.line.feed(*records)
        new = self.line.writes[self._done :]
        self._done += len(new)
        items = [Item(0, n, w.key, w.record) for n, w in enumerate(new)]
        self.state, writes = self.stage.step(self.state, items)
        self.writes += writes
        return [w.record for w in writes if isinstance(w.record, Delivery)]


def reached() -> District:
    """The city's K-01 and K-02 have a telephone each; the leader K-09 has none."""
    d = real()
    contacts, officers = dict(d.contacts), dict(d.officers)
    for officer, contact in (("K-01", "C-K1"), ("K-02", "C-K2")):
        contacts[contact] = Contact(
            id=contact, name=contact, role="officer", areas=(), lang="zh", channels=("sms",),
            min_level=Level.BLUE,
        )  # fmt: skip
        officers[officer] = msgspec.structs.replace(officers[officer], contact=contact)
    officers["K-09"] = msgspec.structs.replace(officers["K-09"], contact="")
    return msgspec.structs.replace(d, contacts=contacts, officers=officers)
