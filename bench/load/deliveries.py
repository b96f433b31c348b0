"""The topic `deliveries` of a bench: written in batches, and read as it grows."""

from collections.abc import Iterator

from console.model.follow import DECODERS
from dispatch.records import Delivery, Receipt
from stream.log.port import Log, Out
from stream.records import encode

_BATCH = 5_000


def put(log: Log, deliveries: Iterator[Delivery]) -> None:
    """All of them into the log."""
    batch: list[Out] = []
    for d in deliveries:
        batch.append(Out("deliveries", d.area, encode(d)))
        if len(batch) == _BATCH:
            log.append(batch)
            batch = []
    if batch:
        log.append(batch)


class Reader:
    """What the topic `deliveries` says, read as it grows."""

    def __init__(self, log: Log) -> None:
        self._log, self._next = log, 0
        self.states: dict[str, str] = {}
        self.receipts = 0

    def read(self) -> None:
        while entries := self._log.read("deliveries", 0, self._next):
            self._next = entries[-1].offset + 1
            for entry in entries:
                record = DECODERS["deliveries"].decode(entry.value)
                if isinstance(record, Receipt):
                    self.receipts += 1
                    self.states[record.delivery] = record.state

    def accepted(self) -> int:
        self.read()
        return sum(s in ("accepted", "delivered") for s in self.states.values())
