"""A storm that is over, as promises ask about it: the log's journal, record by record, and what the world
has in its hands. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from config.records.district import District
from dispatch.nodes.memory import Job
from dispatch.records import AlertRecord, CaseRecord, Decision, Delivery, DeliveryRecord, Receipt
from dispatch.send.outbox.state import key_of
from ingest.observation import ObservationRecord
from stream.log.memory import Written
from stream.records import DeadLetter, decode
from stream.stages.stage import Stage

_READERS: dict[str, msgspec.json.Decoder[Any]] = {
    "observations": msgspec.json.Decoder(ObservationRecord),
    "cases": msgspec.json.Decoder(CaseRecord),
    "alerts": msgspec.json.Decoder(AlertRecord),
    "deliveries": msgspec.json.Decoder(DeliveryRecord),
    "dead-letters": msgspec.json.Decoder(DeadLetter),
}

REACHED = ("delivered", "played", "answered")


class Logged(NamedTuple):
    """A record as it came into the log. entry: the journal's entry; by: the stage that wrote it as its
    output, "" for whoever appended; of: the partition whose step it was."""

    entry: int
    topic: str
    partition: int
    key: str
    value: bytes
    record: Any
    by: str = ""
    of: int = 0


class InHand(NamedTuple):
    """A message that came into somebody's hands. at: the true time; clock_at: send's. written: so many
    entries were durable in the log then. took: the far end has it, whatever it said."""

    at: int
    clock_at: int
    written: int
    channel: str
    by: str
    delivery: Delivery
    text: str
    key: str
    took: bool


class Sounded(NamedTuple):
    """What a loudspeaker began to say, at its clock."""

    node: str
    job: Job
    at: int


class Account(NamedTuple):
    """A storm that is over, as far as promises ask."""

    journal: Sequence[Written]
    handed: Sequence[InHand]
    sounded: Sequence[Sounded]
    readings: Sequence[tuple[str, bytes]]  # topic and payload of what ingest acknowledged
    receipts: Sequence[tuple[str, bytes]]  # … of what send acknowledged
    acts: Sequence[Decision]  # of which the log said that it has them
    died: Sequence[str]
    behind: Sequence[str]
    districts: Sequence[District]  # that were in force
    stages: dict[str, Stage]
    rows: Sequence[Logged]
    rows_in: Mapping[str, Sequence[Logged]]  # … of each topic
    replay: bool  # is the whole line to be replayed? It costs as much as the storm

    def of(self, topic: str, kind: type) -> Iterator[tuple[Logged, Any]]:
        """Records of a topic."""
        return ((r, r.record) for r in self.rows_in.get(topic, ()) if isinstance(r.record, kind))

    def places(self) -> dict[str, tuple[str, int]]:
        """The key of an attempt -> delivery and route."""
        return {
            key_of(d, r.channel): (d.id, n)
            for _, d in self.of("deliveries", Delivery)
            for n, r in enumerate(d.routes)
        }

    def ended(self) -> dict[str, list[tuple[int, bool]]]:
        """Delivery -> from which entry on it has ended, or has not any more."""
        found: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        must = {d.id: d.must_answer for _, d in self.of("deliveries", Delivery)}
        for row, r in self.of("deliveries", Receipt):
            ends = r.state in ("superseded", "expired", "answered")
            if ends or (r.state in REACHED and not must.get(r.delivery, True)):
                found[r.delivery].append((row.entry, True))
            elif r.state == "failed":
                found[r.delivery].append((row.entry, False))
        return found


def rows_of(journal: Sequence[Written]) -> list[Logged]:
    """Every record of the log, in the order in which it came there."""
    found = []
    for nth, entry in enumerate(journal):
        outs = [(m.of[0], m.of[2]) for m in entry.moved for _ in range(m.outputs)]
        for k, ((topic, partition), key, value) in enumerate(entry.records):
            reader = _READERS.get(topic)
            record = decode(reader.decode, value) if reader is not None else None
            by, of = outs[k] if k < len(outs) else ("", 0)
            found.append(Logged(nth, topic, partition, key, value, record, by, of))
    return found


def by_topic(rows: Sequence[Logged]) -> dict[str, list[Logged]]:
    """Of each topic, in the same order."""
    found: dict[str, list[Logged]] = defaultdict(list)
    for row in rows:
        found[row.topic].append(row)
    return found
