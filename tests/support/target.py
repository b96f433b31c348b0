"""What several tests use, by the one it was written for: target."""

from dispatch.address.stage import Address
from dispatch.records import Delivery
from stream.records import Record
from stream.stages.stage import Item, Write
from tests.support.decide_district import Line, small


class Both:
    """decide and address, one behind the other."""

    def __init__(self, kind: str = "live") -> None:
        self.line = Line(kind=kind)
        self.stage = Address(small())
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
