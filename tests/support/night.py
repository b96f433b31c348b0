"""What several tests use, by the one it was written for: night."""

from collections import defaultdict

import msgspec

from dispatch.address.stage import Address
from dispatch.records import Delivery
from stream.records import Record
from stream.stages.stage import Item
from tests.support.decide_district import OTHER, Line, easy, mark, small, yanqing

NODE = next(n.id for n in yanqing().nodes.values() if n.area == "A01")
RESIDENT = next(
    c.id for c in yanqing().contacts.values() if c.role == "residents" and "A01" in c.areas
)


class Night:
    """decide and address from 20:00 on; `told`: what each public recipient got, in order."""

    def __init__(self, night: str = "22:00-06:00") -> None:
        policy = msgspec.structs.replace(easy(yanqing().policy), night=night)
        district = small(policy)
        self.line, self.stage = Line(district, kind="exercise"), Address(district)
        self.state, self.done = self.stage.new(0), 0
        self.told: dict[str, list[Delivery]] = defaultdict(list)

    def feed(self, *records: Record) -> list[Delivery]:
        self.line.feed(*records)
        new = self.line.writes[self.done :]
        self.done += len(new)
        items = [Item(0, n, w.key, w.record) for n, w in enumerate(new)]
        self.state, writes = self.stage.step(self.state, items)
        made = [w.record for w in writes if isinstance(w.record, Delivery)]
        for d in made:
            if d.audience == "public":
                self.told[d.recipient].append(d)
        return made

    def until(self, start: int, end: int, step: int = 10) -> None:
        for minute in range(start, end + 1, step):
            self.feed(mark(minute), mark(minute, group=OTHER))
