"""What several tests use, by the one it was written for: people."""

from typing import Any

import msgspec

from config.records.district import District
from detectors.detection import Detection
from detectors.stage import Detect
from dispatch.address.stage import Address
from ingest.observation import PersonSays
from stream.records import Record, Rejected, Tick
from stream.stages.stage import Item
from tests.support.decide_district import MIN, T0, run, yanqing

OBSERVER, HEAD, OTHER = "C-0004", "C-0001", "C-0011"  # of A01, A01 and A03


def sms(text: str, **more: Any) -> bytes:
    return msgspec.json.encode({"text": text, **more})


def one(found: list[PersonSays | Rejected]) -> PersonSays:
    (says,) = found
    assert isinstance(says, PersonSays), says
    return says


def says(
    minute: float, what: Any = "report_flood", person: str = OBSERVER, **more: Any
) -> PersonSays:
    at = T0 + round(minute * MIN)
    fields: dict[str, Any] = {
        "id": f"{person}-{what}-{minute}", "person": person, "role": "observer", "area": "A01",
        "what": what, "said_at": at, "received_at": at, "way": "sms", **more,
    }  # fmt: skip
    return PersonSays(**fields)


class Watch:
    """detect of one partition, record by record."""

    def __init__(self, district: District | None = None) -> None:
        self.stage = Detect(district or yanqing(), lambda _: None)
        group = self.stage._district.group_of_area["A01"]
        parts = range(self.stage._district.partitions)
        self.partition = next(p for p in parts if group in self.stage.part(p).groups)
        self.state = self.stage.new(self.partition)
        self.feed(run("live"))

    def feed(self, *records: Record) -> list[Record]:
        items = [Item(self.partition, 0, "", r) for r in records]
        self.state, writes = self.stage.step(self.state, items)
        return [w.record for w in writes if isinstance(w.record, Detection | PersonSays)]

    def reports(self, *records: Record) -> list[Detection]:
        found = [r for r in self.feed(*records) if isinstance(r, Detection)]
        return [d for d in found if d.rule == "observer"]


def minute(n: float) -> Tick:
    return Tick(clock_at=T0 + round(n * MIN))


def sent(*records: Record, kind: str = "live", district: District | None = None) -> list[Record]:
    stage = Address(district or yanqing())
    _, writes = stage.step(
        stage.new(0), [Item(0, n, "", r) for n, r in enumerate((run(kind), *records))]
    )
    return [w.record for w in writes]
