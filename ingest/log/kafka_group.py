"""One member of a consumer group on Kafka: what `ingest.log.kafka` hands out by `join`."""

import json
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka import errors as ke
from kafka.structs import OffsetAndMetadata, TopicPartition

from ingest.log import Entry, Fenced, Out, Snapshot, Topic

if TYPE_CHECKING:
    from ingest.log.kafka import KafkaLog

SNAPSHOTS = "snapshots"
_FENCED = (
    ke.ProducerFencedError,
    ke.InvalidProducerEpochError,
    ke.IllegalGenerationError,
    ke.UnknownMemberIdError,
    ke.RebalanceInProgressError,
    ke.CommitFailedError,
    ke.FencedInstanceIdError,
)


def discard(producer: Any) -> None:
    """Abort what is open and close; the broker forgets the rest after the time-out."""
    # nothing was open, or we are fenced: both leave nothing behind
    with suppress(ke.KafkaError, AssertionError):
        producer.abort_transaction()
    producer.close(timeout=1)


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes what was assigned; the consumer acts on it inside `poll`."""

    def __init__(self) -> None:
        self.changed = True

    def on_partitions_revoked(self, revoked: Any) -> None:
        self.changed = True

    def on_partitions_assigned(self, assigned: Any) -> None:
        self.changed = True


class KafkaGroupConsumer:
    """See `ingest.log.Consumer`."""

    def __init__(self, log: "KafkaLog", topic: Topic, group: str, member: str) -> None:
        self._log = log
        self._topic = topic
        self._name = log.topic(topic.name)
        self._group = f"{log.prefix}.{group}.{topic.name}"
        self._producers: dict[int, Any] = {}
        self._committed: dict[int, int] = {}
        self._slots: dict[int, int] = {}
        self._listener = _Assigned()
        try:
            self._consumer = KafkaConsumer(
                **log.servers,
                client_id=member,
                group_id=self._group,
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=10_000,
                heartbeat_interval_ms=2_000,
                fetch_max_wait_ms=50,
                max_partition_fetch_bytes=4_000_000,
            )
            self._consumer.subscribe([self._name], listener=self._listener)
        except ke.KafkaError as e:
            raise log.unavailable(e) from e

    def poll(self, timeout_s: float, limit: int = 5000) -> list[Entry]:
        try:
            found = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=limit)
            if self._listener.changed:
                before = set(self._committed)
                self._assign()
                # of a partition that is new, what came with the assignment comes again, from the
                # committed position
                found = {p: r for p, r in found.items() if p.partition in before}
        except ke.KafkaError as e:
            raise self._log.unavailable(e) from e
        return [
            Entry(r.partition, r.offset, (r.key or b"").decode("utf-8", "replace"), r.value or b"")
            for records in found.values()
            for r in records
            if r.partition in self._committed
        ]

    def _assign(self) -> None:
        """Fence the former owner of what is new, then look where it had come to."""
        self._listener.changed = False
        owned = {p.partition for p in self._consumer.assignment()}
        for partition in [p for p in self._committed if p not in owned]:
            self._lose(partition)
        for partition in sorted(owned - self._committed.keys()):
            if partition not in self._producers:
                self._producers[partition] = self._log.producer(f"{self._group}.{partition}")
            where = TopicPartition(self._name, partition)
            position = self._consumer.committed(where)
            self._committed[partition] = int(position or 0)
            if position is None:
                self._consumer.seek_to_beginning(where)
            else:
                self._consumer.seek(where, int(position))

    def _lose(self, partition: int) -> None:
        self._committed.pop(partition, None)
        self._slots.pop(partition, None)
        producer = self._producers.pop(partition, None)
        if producer is not None:
            discard(producer)

    def owned(self) -> dict[int, int]:
        return dict(self._committed)

    def snapshot(self, partition: int) -> Snapshot | None:
        prefix = f"{self._group}/{partition}/"
        best: Snapshot | None = None
        aside, at = self._log.topic(SNAPSHOTS), 0
        while entries := self._log.read_topic(aside, 0, at, 100):
            at = entries[-1].offset + 1
            for e in entries:
                if not e.key.startswith(prefix):
                    continue
                found = _unpacked(e.value)
                if found is not None and (best is None or found.position >= best.position):
                    best = found
        return best

    def commit(
        self,
        partition: int,
        position: int,
        outputs: Sequence[Out],
        snapshot: bytes | None = None,
    ) -> None:
        if partition not in self._committed:
            raise Fenced(f"{self._group}: partition {partition} is not ours")
        producer = self._producers[partition]
        try:
            producer.begin_transaction()
            sent = self._log.send(producer, outputs)
            if snapshot is not None:
                sent.append(self._send_snapshot(producer, partition, position, snapshot))
            producer.flush()
            for one in sent:
                one.get(timeout=15)
            where = TopicPartition(self._name, partition)
            producer.send_offsets_to_transaction(
                {where: OffsetAndMetadata(position, "", -1)}, self._consumer.group_metadata()
            )
            producer.commit_transaction()
        except (ke.KafkaError, AssertionError) as e:
            self._lose(partition)
            self._listener.changed = True  # a new producer, and the batch again
            if isinstance(e, _FENCED):
                raise Fenced(f"{self._group}: partition {partition}: {type(e).__name__}") from e
            raise self._log.unavailable(e) from e
        self._committed[partition] = position

    def _send_snapshot(self, producer: Any, partition: int, position: int, body: bytes) -> Any:
        """Into the slot that does not hold the newest one."""
        slot = self._slots[partition] = 1 - self._slots.get(partition, 0)
        return producer.send(
            self._log.topic(SNAPSHOTS),
            value=_packed(position, body),
            key=f"{self._group}/{partition}/{slot}".encode(),
            partition=0,
        )

    def close(self) -> None:
        for partition in list(self._producers):
            self._lose(partition)
        self._consumer.close(autocommit=False)


def _packed(position: int, body: bytes) -> bytes:
    """A line of JSON with the checksum, then the compressed body."""
    head = {"position": position, "crc32": zlib.crc32(body)}
    return json.dumps(head).encode() + b"\n" + zlib.compress(body, 1)


def _unpacked(value: bytes) -> Snapshot | None:
    head, _, packed = value.partition(b"\n")
    try:
        found = json.loads(head)
        body = zlib.decompress(packed)
        if zlib.crc32(body) != found["crc32"]:
            return None
        return Snapshot(int(found["position"]), body)
    except (ValueError, KeyError, TypeError, zlib.error):
        return None
