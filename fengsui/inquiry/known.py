"""The log as it was read at the time: each record with its place and the moment at which the line had it.

A reading is known when it was received and not when it was measured, a detection when the clock of its
partition had come to it, an act or a warning at its own time. In an exercise the clock moves a minute a
step, readings are handed in before it, and receipts bear the step before: there nothing is known before it
was measured, nor before what stands ahead of it in its partition.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from console.model.follow import DECODERS
from detectors.detection import Acknowledgement, Detection, Mark
from dispatch.proving.judged import JudgedAnswer
from dispatch.records import (
    Alert,
    Custody,
    Decision,
    Delivery,
    Outcome,
    Receipt,
    RecordEnd,
    Report,
    RouteHealth,
    Terminals,
)
from dispatch.signatures.asked import asked
from ingest.observation import Away, CapIn, Observations, PersonSays, Service
from ingest.people.subscriber import Subscriber
from stream.log.port import Log
from stream.records import DeadLetter, Run, Tick, decode

TOPICS = tuple(DECODERS)


class Known(NamedTuple):
    """A record at its place of the log. value: its bytes; record: None where nobody can read them; at:
    when the line had it, ms since 1970 UTC."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    record: Any
    at: int


def known(log: Log, topics: tuple[str, ...] = TOPICS) -> Iterator[Known]:
    """Everything committed, topic by topic and partition by partition, each in its order."""
    for topic in topics:
        for part in range(log.topics[topic].partitions):
            yield from _partition(log, topic, part)


def _partition(log: Log, topic: str, part: int) -> Iterator[Known]:
    at, clock, ahead, played = 0, 0, 0, False
    while entries := log.read(topic, part, at):
        for e in entries:
            record = record_of(topic, e.value)
            if isinstance(record, Mark | Tick):
                clock = max(clock, record.clock_at)
            if isinstance(record, Run):
                played = played or record.kind == "exercise"
            when = known_at(record, clock)
            if played and isinstance(record, Observations):
                when = max((when, *record.observed_at))
            if played and not isinstance(record, _WALL):
                when = ahead = max(when, ahead)
            yield Known(topic, part, e.offset, e.key, e.value, record, when)
        at = entries[-1].offset + 1


def record_of(topic: str, value: bytes) -> Any:
    """A record as it stands in a topic; None where nobody can read it."""
    record = decode(DECODERS[topic].decode, value)
    if isinstance(record, Decision) and topic == "cases":
        return asked(record)  # whoever writes there does not say what came of it
    return record


def known_at(record: object, clock: int) -> int:
    """When the line had it (ms). clock: of its partition, as far as that had come."""
    if isinstance(record, Detection):
        return max(record.detected_at, clock)
    name = _MOMENT.get(type(record))
    return clock if name is None else int(getattr(record, name))


_WALL = (Custody, RecordEnd)  # whose times are the wall clock's, in an exercise too
_MOMENT: dict[type, str] = {
    **dict.fromkeys((Observations, PersonSays, CapIn, DeadLetter, Away), "received_at"),
    **dict.fromkeys((Mark, Tick), "clock_at"),
    Alert: "sent_at",
    Decision: "decided_at",
    Report: "reported_at",
    Delivery: "queued_at",
    Receipt: "receipt_at",
    RouteHealth: "checked_at",
    Terminals: "heard_at",
    Outcome: "told_at",
    **dict.fromkeys((Service, Custody, Subscriber), "said_at"),
    **dict.fromkeys((Acknowledgement, JudgedAnswer), "answered_at"),
    RecordEnd: "noted_at",
    Run: "start_at",
}
