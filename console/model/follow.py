"""Reads every topic of a log from any position and hands the records out, decoded."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from dispatch.records import AlertRecord, CaseRecord, Decision, DeliveryRecord
from dispatch.signatures.asked import asked
from ingest.observation import ObservationRecord
from stream.log.port import Log
from stream.records import DeadLetter, decode

DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "observations": msgspec.json.Decoder(ObservationRecord),
    "cases": msgspec.json.Decoder(CaseRecord),
    "alerts": msgspec.json.Decoder(AlertRecord),
    "deliveries": msgspec.json.Decoder(DeliveryRecord),
    "dead-letters": msgspec.json.Decoder(DeadLetter),
}


Place = tuple[str, int]  # topic, partition


class Follower:
    """Remembers how far it has read; `take` yields what is new, topic by topic."""

    def __init__(
        self,
        log: Log,
        topics: tuple[str, ...] = tuple(DECODERS),
        since: int | Mapping[Place, int] = 0,
    ) -> None:
        """since: the offset to begin at, one for all or one a place (0 where none is named)."""
        self._log = log
        places = [(t, p) for t in topics for p in range(log.topics[t].partitions)]
        self._next = {x: since if isinstance(since, int) else since.get(x, 0) for x in places}

    @property
    def places(self) -> dict[Place, int]:
        """How far it has read: the offset of the next record of each place. Whole once `take` has ended."""
        return dict(self._next)

    def take(self) -> Iterator[tuple[str, Any]]:
        """(topic, record) of everything committed since the last call. Records that are not of
        their topic are passed over: the stage that reads the topic makes them dead letters."""
        for (topic, part), position in list(self._next.items()):
            while True:
                entries = self._log.read(topic, part, position)
                if not entries:
                    break
                for entry in entries:
                    record = decode(DECODERS[topic].decode, entry.value)
                    if isinstance(record, Decision) and topic == "cases":
                        record = asked(record)  # whoever writes there does not say what came of it
                    if record is not None:
                        yield topic, record
                position = self._next[topic, part] = entries[-1].offset + 1


# the field of a record that says when it came to us, or was made here
_CAME = (
    "received_at",
    "clock_at",
    "start_at",
    "detected_at",
    "said_at",
    "decided_at",
    "sent_at",
    "at",
)


def came(record: Any) -> int:
    """When a record came, ms; 0: it does not say, or there is none."""
    return next((at for name in _CAME if (at := getattr(record, name, 0))), 0)
