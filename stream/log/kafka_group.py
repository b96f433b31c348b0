"""One member of a consumer group on Kafka: what `stream.log.kafka` hands out by `join`."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

from kafka import ConsumerRebalanceListener
from kafka import errors as ke
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.protocol.consumer import HeartbeatRequest
from kafka.structs import MemberState, OffsetAndMetadata, TopicPartition

from config.language import Text
from stream.log.kafka_clients import Reader
from stream.log.kafka_producer import Patience, Producer
from stream.log.port import Entry, Fenced, Out, Snapshot, Step, Topic, Unavailable, damaged
from stream.log.snapshots import kafka_records, kafka_whole
from stream.log.snapshots.kafka_records import NOTHING, Noted, noted
from stream.log.snapshots.pieces import Laid, assembled, newer
from stream.oplog import say

SNAPSHOTS = "snapshots"
_PIECES = 4  # of one read
_SESSION_MS = 6_000  # the least a broker allows: so long nobody knows that a member is dead
_NOTHING_MS = 250  # the broker answers as soon as there is something, else after this
_JOIN_S = 0.5  # a member that joins is polled no shorter
_NO_MEMBER = (ke.UnknownMemberIdError, ke.IllegalGenerationError, ke.FencedInstanceIdError)
_FENCED = (
    ke.ProducerFencedError,
    ke.InvalidProducerEpochError,
    ke.IllegalGenerationError,
    ke.UnknownMemberIdError,
    ke.RebalanceInProgressError,
    ke.CommitFailedError,
    ke.FencedInstanceIdError,
)


class KafkaLogOfMember(Protocol):
    """What a member asks of the log that it belongs to (`stream.log.kafka`)."""

    prefix: str
    servers: dict[str, Any]

    def topic(self, name: str) -> str: ...

    def unavailable(self, e: BaseException) -> Unavailable: ...

    def producer(self, transactional_id: str, limit_ms: int | None = None) -> Producer: ...

    def send(self, producer: Any, outputs: Sequence[Out]) -> list[Any]: ...

    def read_topic(self, name: str, partition: int, offset: int, limit: int) -> list[Entry]: ...


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes what was assigned, and what was taken away or lost; the consumer acts on it inside `poll`."""

    def __init__(self) -> None:
        self.changed = True
        self.gone: set[int] = set()

    def on_partitions_revoked(self, revoked: Any) -> None:
        self.changed = True
        self.gone.update(p.partition for p in revoked)

    def on_partitions_lost(self, lost: Any) -> None:
        self.on_partitions_revoked(lost)

    def on_partitions_assigned(self, assigned: Any) -> None:
        self.changed = True


class KafkaGroupConsumer:
    """See `stream.log.Consumer`. Membership is cooperative: in a rebalance a member keeps what stays
    with it, and its memory."""

    def __init__(self, log: KafkaLogOfMember, topic: Topic, group: str, member: str) -> None:
        self._log = log
        self._topic = topic
        self._name = log.topic(topic.name)
        self._group = f"{log.prefix}.{group}.{topic.name}"
        self._producers: dict[int, Producer] = {}
        self._limits = defaultdict[int, Patience](lambda: Patience(self._group))
        self._committed: dict[int, int] = {}
        self._kept: dict[int, Noted] = {}
        self._slots: dict[int, int] = {}
        self._listener = _Assigned()
        # one thread a partition: their transactions know nothing of each other
        self._pool = ThreadPoolExecutor(topic.partitions, thread_name_prefix=f"{group}-commit")
        self._pending: list[tuple[Step, Future[Noted]]] = []
        self._failed: BaseException | None = None
        try:
            self._consumer = Reader(
                **log.servers,
                client_id=member,
                group_id=self._group,
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=_SESSION_MS,
                heartbeat_interval_ms=1_500,
                fetch_max_wait_ms=_NOTHING_MS,
                max_partition_fetch_bytes=4_000_000,
                partition_assignment_strategy=[CooperativeStickyAssignor],
            )
            self._consumer.subscribe([self._name], listener=self._listener)
        except ke.KafkaError as e:
            raise log.unavailable(e) from e

    def poll(self, timeout_s: float, limit: int = 5000) -> list[Entry]:
        try:
            wait_ms = int(self._patience(timeout_s) * 1000)
            found = self._consumer.poll(timeout_ms=wait_ms, max_records=limit)
            if self._listener.changed:
                self._finish()
                before = set(self._committed)
                try:
                    self._assign()
                except ke.KafkaError:
                    self._listener.changed = True  # what was not begun is begun again
                    raise
                # of a partition that is new, what came with the assignment comes again, from the
                # committed position
                found = {p: r for p, r in found.items() if p.partition in before}
        except ke.KafkaError as e:
            raise self._log.unavailable(e) from e
        return [
            Entry(p.partition, r.offset, (r.key or b"").decode("utf-8", "replace"), r.value or b"")
            for p, records in found.items()
            if p.partition in self._committed
            for r in records
        ]

    def _patience(self, timeout_s: float) -> float:
        """How long to poll. kafka-python (3.0.12) forgets a join that outlasts the poll which began
        it: one that ends between two polls is begun again, and of a leader's second one, for which
        its snapshot of the metadata is new already, `need_rejoin` says no. The member would have no
        partition and no heartbeat until the broker drops it after minutes."""
        state = self._consumer.group_metadata().state
        if state == MemberState.REBALANCING:
            self._consumer._coordinator.request_rejoin()
        return timeout_s if state == MemberState.STABLE else max(timeout_s, _JOIN_S)

    def _assign(self) -> None:
        """Fence the former owner of what is new, then look where it had come to. What was lost is not taken
        again before the next poll, so that whoever remembers something of it hears that another may have had
        it: one poll may lose a partition and be given it again."""
        self._listener.changed = False
        gone, self._listener.gone = self._listener.gone & self._committed.keys(), set()
        owned = {p.partition for p in self._consumer.assignment()} - gone
        for partition in [p for p in self._committed if p not in owned]:
            self._lose(partition)
        if gone:
            self._listener.changed = True
        new = sorted(owned - self._committed.keys())
        if new and not self._is_member():
            self._listener.changed = True  # the next poll joins again
            return
        for partition in new:
            if partition not in self._producers:
                limit_ms = self._limits[partition].limit_ms
                name = f"{self._group}.{partition}"
                self._producers[partition] = self._log.producer(name, limit_ms)
            where = TopicPartition(self._name, partition)
            found = self._consumer.committed(where, metadata=True)
            self._committed[partition] = 0 if found is None else int(found.offset)
            self._kept[partition] = noted(None if found is None else found.metadata)
            self._seek(partition)

    def _is_member(self) -> bool:
        """Does the group still know us in this generation? The client learns that it was put out by
        its next heartbeat: one that slept meanwhile would fence the owner that came after it. The
        answer is read here and not by the client, which forgets its generation at a no: where a join
        is under way it could then never read how that ended (kafka-python 3.0.12, InconsistentGroupProtocol).
        Raises KafkaError."""
        coordinator = self._consumer._coordinator
        if coordinator.coordinator_unknown():
            raise ke.CoordinatorNotAvailableError
        request = HeartbeatRequest(
            group_id=self._group,
            generation_id=coordinator._generation.generation_id,
            member_id=coordinator._generation.member_id,
            group_instance_id=coordinator.group_instance_id,
        )

        async def ask() -> Any:
            return await coordinator._manager.send(request, node_id=coordinator.coordinator_id)

        # who is asked to join again is a member as yet
        return ke.for_code(self._consumer._net.run(ask).error_code) not in _NO_MEMBER

    def _seek(self, partition: int) -> None:
        where, position = TopicPartition(self._name, partition), self._committed[partition]
        if position:
            self._consumer.seek(where, position)
        else:
            self._consumer.seek_to_beginning(where)

    def rewind(self) -> None:
        self._finish()
        self._failed = None
        for partition in self._committed:
            # what is not assigned any more is noticed by the next poll
            with suppress(AssertionError, ke.IllegalStateError):
                self._seek(partition)

    def _lose(self, partition: int) -> None:
        self._committed.pop(partition, None)
        self._kept.pop(partition, None)
        self._slots.pop(partition, None)
        producer = self._producers.pop(partition, None)
        if producer is not None:
            producer.abandon()  # nothing is open, or it failed

    def owned(self) -> dict[int, int]:
        return dict(self._committed)

    def snapshot(self, partition: int) -> Snapshot | None:
        aside = self._log.topic(SNAPSHOTS)
        kept, whole = self._kept.get(partition, NOTHING), None
        for offset in kept.whole:
            whole = self._read_snapshot(f"{self._group}/{partition}/", offset)
            if whole is not None:
                break
            say(self._group, damaged(f"{aside}/0/{offset}"))

        def ask(at: int, most: int) -> Sequence[Entry]:
            return self._log.read_topic(aside, 0, at, most)

        laid, bad = kafka_records.read(ask, self._pieces_of(partition), kept.pieces)
        for offset in bad:
            say(self._group, damaged(f"{aside}/0/{offset}"))
        return newer(whole, assembled(laid))

    def _pieces_of(self, partition: int) -> str:
        """How keys of pieces begin."""
        return f"{self._group}/{partition}+/"

    def _read_snapshot(self, prefix: str, offset: int) -> Snapshot | None:
        """The one whose first piece stands at `offset`; None if it is not whole. No more is asked for than it
        has: behind it stand those of other stages, many times as large, and what one of them needs for an
        instant a process keeps."""
        aside, at, wanted = self._log.topic(SNAPSHOTS), offset, 1
        pieces: list[bytes] = []
        while entries := self._log.read_topic(aside, 0, at, wanted):
            at = entries[-1].offset + 1
            mine = [e for e in entries if e.key.startswith(prefix)]
            for e in mine:
                if not pieces and e.offset != offset:
                    return None
                pieces.append(e.value)
                whole = (kafka_whole.head(pieces[0]) or {}).get("pieces")
                if not isinstance(whole, int) or len(pieces) >= whole:
                    return kafka_whole.unpacked(pieces)
                wanted = min(_PIECES, whole - len(pieces))
        return None

    def commit(
        self,
        partition: int,
        position: int,
        outputs: Sequence[Out],
        snapshot: bytes | None = None,
    ) -> None:
        self.commit_all([Step(partition, position, outputs, snapshot)])()

    def commit_all(self, steps: Sequence[Step]) -> Callable[[], None]:
        for step in steps:
            if step.partition not in self._committed:
                raise Fenced(
                    Text(
                        f"{self._group}: 分区 {step.partition} 不归本进程",
                        f"{self._group}: partition {step.partition} is not ours",
                    )
                )
        member = self._consumer.group_metadata()
        for step in steps:
            done = self._pool.submit(self._transact, step, self._producers[step.partition], member)
            self._pending.append((step, done))
        return self._settle

    def _transact(self, step: Step, producer: Producer, member: Any) -> "Noted":
        """One partition's transaction; where its newest snapshots begin now."""
        began = time.monotonic()
        try:
            return self._transacted(step, producer, member)
        except ke.KafkaError as e:
            self._limits[step.partition].failed(e, time.monotonic() - began)
            raise

    def _transacted(self, step: Step, producer: Producer, member: Any) -> "Noted":
        producer.begin_transaction()
        sent = self._log.send(producer, step.outputs)
        kept = self._kept.get(step.partition, NOTHING)
        if step.snapshot is not None:
            pieces = self._send_snapshot(producer, step.partition, step.position, step.snapshot)
            producer.delivered(pieces)
            whole = [int(pieces[0].get(timeout=0).offset), *kept.whole][:2]
            kept = kept._replace(whole=whole)
            sent += pieces
        if step.piece is not None:
            laid = kafka_records.put(kept.pieces, step.position, step.piece)
            pieces = self._send_piece(producer, step.partition, laid)
            producer.delivered(pieces)
            offset = int(pieces[0].get(timeout=0).offset)
            kept = kept._replace(pieces=kept.pieces.with_(laid._replace(body=None), offset))
            sent += pieces
        where = TopicPartition(self._name, step.partition)
        note = kept.note()
        producer.send_offsets_to_transaction(
            {where: OffsetAndMetadata(step.position, note, -1)}, member
        )
        producer.commit_transaction()  # raises if the broker has not got all of `sent`
        producer.delivered(sent)
        return kept

    def _finish(self) -> None:
        """Wait for what was begun, and note how it went."""
        pending, self._pending = self._pending, []
        for step, done in pending:
            try:
                kept = done.result()
            except (ke.KafkaError, AssertionError) as e:
                self._lose(step.partition)
                self._listener.changed = True  # a new producer, and the batch again
                if self._failed is None or not isinstance(self._failed, _FENCED):
                    # its traceback holds this frame, this frame the future, and that the error: in such a
                    # circle the whole commit stayed until the collector came by, which takes hours
                    self._failed = e.with_traceback(None)
                else:
                    e.with_traceback(None)
            else:
                if step.partition in self._committed:
                    self._committed[step.partition] = step.position
                    self._kept[step.partition] = kept

    def _settle(self) -> None:
        self._finish()
        failed, self._failed = self._failed, None
        if failed is None:
            return
        if isinstance(failed, _FENCED):
            raise Fenced(f"{self._group}: {type(failed).__name__}") from failed
        raise self._log.unavailable(failed) from failed

    def _send_snapshot(
        self, producer: Any, partition: int, position: int, body: bytes
    ) -> list[Any]:
        """In pieces, into the slot that does not hold the newest one."""
        slot = self._slots[partition] = 1 - self._slots.get(partition, 0)
        return [
            producer.send(
                self._log.topic(SNAPSHOTS),
                value=piece,
                key=f"{self._group}/{partition}/{slot}/{n}".encode(),
                partition=0,
            )
            for n, piece in enumerate(kafka_whole.packed(position, body))
        ]

    def _send_piece(self, producer: Any, partition: int, laid: Laid) -> list[Any]:
        aside = self._log.topic(SNAPSHOTS)
        return [
            producer.send(aside, value=value, key=key, partition=0)
            for key, value in kafka_records.records(self._pieces_of(partition), laid)
        ]

    def close(self) -> None:
        self._finish()
        self._pool.shutdown()
        for partition in list(self._producers):
            self._lose(partition)
        with suppress(ke.KafkaError):  # the broker notices by itself that the member is gone
            self._consumer.close(autocommit=False)
