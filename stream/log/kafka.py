"""The log on Apache Kafka 4.x, by kafka-python: one topic each, `fengsui.{district}.{run}.{topic}`.

A stage's outputs, its position and its snapshot are one Kafka transaction; readers see committed
records only. Each input partition has its own transactional id with a time-out of 5 s, so that a
new owner fences the old one at once and a dead one's open transaction blocks nobody for long.
Snapshots stand in a compacted topic, two slots a partition in turn, in pieces with a checksum;
where the newest begins stands beside the committed position, so that nobody has to search.
"""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from kafka import errors as ke
from kafka.admin import NewTopic
from kafka.structs import OffsetAndMetadata, TopicPartition

from config.language import Text, en, zh
from stream.environment import Usage
from stream.log.kafka_clients import Admin, Reader
from stream.log.kafka_group import SNAPSHOTS, KafkaGroupConsumer
from stream.log.kafka_kept import COPIES, SYNCED, kept, set_configs, sync, unset
from stream.log.kafka_producer import Patience, Producer
from stream.log.kafka_url import kafka_place
from stream.log.port import (
    Consumer,
    Corrupt,
    Entry,
    Kept,
    Out,
    Owners,
    Topic,
    Unavailable,
    partition_of,
)

_RECORD_BYTES = 4_000_000
Told = TypeVar("Told")


class KafkaLog:
    """See `stream.log.Log`; URL: see `stream.log.kafka_url`."""

    def __init__(
        self, url: str, run: str, district: str, topics: dict[str, Topic], *, make: bool = True
    ) -> None:
        place = kafka_place(url)
        self.topics = topics
        self.prefix = f"fengsui.{district}.{run}"
        self.servers = place.options
        # one each: two ingest processes must not fence each other, but one fences what it gave up
        # under the user's name, so that no other user's right covers it
        whose = f"{user}." if (user := self.servers.get("sasl_plain_username", "")) else ""
        self._append_id = f"{self.prefix}.append.{whose}{time.time_ns():x}.{id(self):x}"
        self._lock = threading.Lock()
        self._appender: Any = None
        self._patience = Patience(self.prefix)
        self._reader: Any = None
        self._where = place.where
        self._flush = place.flush
        self._create(place.replication, make=make)

    def topic(self, name: str) -> str:
        """Kafka's name of one of our topics."""
        return f"{self.prefix}.{name}"

    def _create(self, replication: int, *, make: bool) -> None:
        """Topics with the partitions and retention that `stream.log.topics` states. make: where there are
        none."""
        try:
            admin = Admin(**self.servers)
        except (ke.KafkaError, OSError) as e:
            raise self.unavailable(e) from e
        try:
            have = set(admin.list_topics())
            copies = replication or min(3, len(admin.describe_cluster()["brokers"]))
            wanted = self._wanted(copies)
            missing = [t for t in wanted if t.name not in have]
            if len(missing) == len(wanted) and not make:
                raise Usage(self._no_run(have))
            if missing:
                with suppress(ke.TopicAlreadyExistsError):  # another process was quicker
                    admin.create_topics(missing)
                if self._synced(copies):
                    sync(admin, ())
            deadline = time.monotonic() + 20
            while not {t.name for t in wanted} <= set(admin.list_topics()):
                if time.monotonic() > deadline:
                    raise Unavailable(
                        Text(
                            f"Kafka {self._where} 不建我们的主题",
                            f"Kafka {self._where} does not create our topics",
                        )
                    )
                time.sleep(0.05)
            if not missing:
                self._compare(admin.describe_topics([t.name for t in wanted]))
        except ke.KafkaError as e:
            raise self.unavailable(e) from e
        finally:
            admin.close()

    def _no_run(self, have: Collection[str]) -> Text:
        """have: the names of all topics."""
        before, _, run = self.prefix.rpartition(".")
        ours = (name.removeprefix(f"{before}.") for name in have if name.startswith(f"{before}."))
        runs = sorted({name.partition(".")[0] for name in ours})
        return Text(
            f"Kafka {self._where} 上没有运行 {run}，有：{'、'.join(runs) or '没有'}",
            f"no run {run} on Kafka {self._where}, there are: {', '.join(runs) or 'none'}",
        )

    def _synced(self, copies: int) -> bool:
        """Is each append to be on a disk before it is acknowledged?"""
        return self._flush == "1" or (copies < COPIES and self._flush != "0")

    def _names(self) -> list[str]:
        """Kafka's names of all our topics."""
        return [self.topic(name) for name in (*self.topics, SNAPSHOTS)]

    def kept(self) -> Kept:
        try:
            admin = Admin(**self.servers)
            try:
                return kept(admin, self._names())
            finally:
                admin.close()
        except (ke.KafkaError, OSError) as e:
            raise self.unavailable(e) from e

    def sync(self) -> bool:
        """For the topics of an older build, or of Kafka itself, that do not sync yet and should; False where
        they need not. An administrator may."""
        try:
            admin = Admin(**self.servers)
            try:
                if wanted := self._synced(kept(admin, self._names()).copies):
                    sync(admin, self._names())
                return wanted
            finally:
                admin.close()
        except (ke.KafkaError, OSError) as e:
            raise self.unavailable(e) from e

    def _wanted(self, copies: int) -> list[NewTopic]:
        common = {"min.insync.replicas": "2" if copies >= COPIES else "1"}
        if self._synced(copies):
            common |= SYNCED
        wanted = [
            NewTopic(
                self.topic(t.name),
                t.partitions,
                copies,
                topic_configs={
                    **common,
                    "retention.ms": str(t.retention_h * 3_600_000),
                    "max.message.bytes": str(_RECORD_BYTES),
                },
            )
            for t in self.topics.values()
        ]
        kept = {
            **common,
            "cleanup.policy": "compact",
            "segment.ms": "3600000",  # the newest segment is never cleaned
            "max.message.bytes": str(_RECORD_BYTES),
        }
        return [*wanted, NewTopic(self.topic(SNAPSHOTS), 1, copies, topic_configs=kept)]

    def _compare(self, found: Any) -> None:
        """Keys would stand in other partitions: a run keeps the number it began with."""
        have = {t["name"]: len(t["partitions"]) for t in found}
        for t in self.topics.values():
            if have.get(self.topic(t.name), t.partitions) != t.partitions:
                raise Corrupt(
                    Text(
                        f"Kafka {self._where}: 主题 {self.topic(t.name)} 有 {have[self.topic(t.name)]} "
                        f"个分区，配置为 {t.partitions} 个：改回配置，或换一个运行名",
                        f"Kafka {self._where}: topic {self.topic(t.name)} has "
                        f"{have[self.topic(t.name)]} partitions, the config says {t.partitions}: put "
                        "the old number back, or begin a new run",
                    )
                )

    def unavailable(self, e: BaseException) -> Unavailable:
        """A Kafka error in our words."""
        return Unavailable(
            Text(
                f"Kafka {self._where} 连不上或被拒：{type(e).__name__}: {zh(e)}；没有丢失",
                f"Kafka {self._where} is not reachable or refuses: {type(e).__name__}: {en(e)}; "
                "nothing was lost",
            )
        )

    def producer(self, transactional_id: str, limit_ms: int | None = None) -> Producer:
        """A producer whose transactions fence those of the last one with this id."""
        return Producer.begin(self.servers, transactional_id, limit_ms)

    def send(self, producer: Any, outputs: Sequence[Out]) -> list[Any]:
        """Put records into the open transaction."""
        sent = []
        for out in outputs:
            part = out.partition
            if part is None:
                part = partition_of(out.key, self.topics[out.topic].partitions)
            sent.append(
                producer.send(
                    self.topic(out.topic), value=out.value, key=out.key.encode(), partition=part
                )
            )
        return sent

    def append(self, outputs: Sequence[Out]) -> None:
        if not outputs:
            return
        with self._lock:
            began = time.monotonic()
            try:
                if self._appender is None:
                    self._appender = self.producer(self._append_id, self._patience.limit_ms)
                    began = time.monotonic()
                self._appender.begin_transaction()
                self._appender.delivered(self.send(self._appender, outputs))
                self._appender.commit_transaction()
            except (ke.KafkaError, AssertionError) as e:
                self._drop_appender()
                self._patience.failed(e, time.monotonic() - began)
                raise self.unavailable(e) from e

    def _drop_appender(self) -> None:
        if self._appender is not None:
            self._appender.abandon()
            self._appender = None

    def join(self, topic: str, group: str, member: str) -> Consumer:
        return KafkaGroupConsumer(self, self.topics[topic], group, member)

    def _reading(self) -> Any:
        if self._reader is None:
            self._reader = Reader(
                **self.servers,
                isolation_level="read_committed",
                enable_auto_commit=False,
                fetch_max_wait_ms=50,
                max_partition_fetch_bytes=_RECORD_BYTES,
            )
        return self._reader

    def read(self, topic: str, partition: int, offset: int, limit: int = 5000) -> list[Entry]:
        return self.read_topic(self.topic(topic), partition, offset, limit)

    def read_topic(self, name: str, partition: int, offset: int, limit: int) -> list[Entry]:
        """`read`, by Kafka's own name of the topic."""
        where = TopicPartition(name, partition)
        with self._lock:
            try:
                reader = self._reading()
                if reader.assignment() != {where}:
                    reader.assign([where])
                end = reader.end_offsets([where])[where]
                start = max(offset, reader.beginning_offsets([where])[where])
                if start >= end:
                    return []
                reader.seek(where, start)
                found: list[Entry] = []
                deadline = time.monotonic() + 15
                # transaction markers take offsets too: the end may have no record before it
                while len(found) < limit and reader.position(where) < end:
                    if time.monotonic() > deadline:
                        words = Text(
                            f"Kafka {self._where}: 读 {name} 太慢",
                            f"Kafka {self._where}: reading {name} takes too long",
                        )
                        raise Unavailable(words)
                    for record in reader.poll(timeout_ms=100, max_records=limit).get(where, ()):
                        key = (record.key or b"").decode("utf-8", "replace")
                        found.append(Entry(partition, record.offset, key, record.value or b""))
                return found[:limit]
            except ke.KafkaError as e:
                self._drop_reader()
                raise self.unavailable(e) from e

    def _drop_reader(self) -> None:
        if self._reader is not None:
            self._reader.close(autocommit=False)
            self._reader = None

    def _edges(self, topic: str, which: str) -> list[int]:
        name = self.topic(topic)
        places = [TopicPartition(name, p) for p in range(self.topics[topic].partitions)]
        with self._lock:
            try:
                found = getattr(self._reading(), which)(places)
            except ke.KafkaError as e:
                self._drop_reader()
                raise self.unavailable(e) from e
        return [int(found[p]) for p in places]

    def ends(self, topic: str) -> list[int]:
        return self._edges(topic, "end_offsets")

    def starts(self, topic: str) -> list[int]:
        return self._edges(topic, "beginning_offsets")

    def positions(self, topic: str, group: str) -> list[int]:
        name, partitions = self.topic(topic), self.topics[topic].partitions
        found = self._committed(f"{self.prefix}.{group}.{topic}")
        return [
            int(found[where].offset) if (where := TopicPartition(name, p)) in found else 0
            for p in range(partitions)
        ]

    def owners(self, topic: str, group: str) -> Owners:
        name, partitions = self.topic(topic), self.topics[topic].partitions
        whole = f"{self.prefix}.{group}.{topic}"
        return self._of_group(lambda admin: admin.owners(whole, name, partitions))

    def _committed(self, group_id: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """The offsets of a group."""

        def ask(admin: Admin) -> dict[TopicPartition, OffsetAndMetadata]:
            try:
                return _offsets(admin.list_group_offsets(group_id), group_id)
            except ke.GroupIdNotFoundError:
                return {}

        return self._of_group(ask)

    def _of_group(self, ask: Callable[[Admin], Told]) -> Told:
        """What is asked of a group's coordinator. A broker that has had no group yet makes room for them, and
        meanwhile says that it has no coordinator."""
        deadline = time.monotonic() + 15
        while True:
            try:
                admin = Admin(**self.servers)
                try:
                    return ask(admin)
                finally:
                    admin.close()
            except (ke.CoordinatorNotAvailableError, ke.CoordinatorLoadInProgressError) as e:
                if time.monotonic() > deadline:
                    raise self.unavailable(e) from e
                time.sleep(0.2)
            except ke.KafkaError as e:
                raise self.unavailable(e) from e

    def trim(self, now_ms: int) -> None:
        """The broker does it, by each topic's retention."""

    def hold(self, held: bool) -> None:
        wanted = {
            self.topic(t.name): "-1" if held else str(t.retention_h * 3_600_000)
            for t in self.topics.values()
        }
        try:
            admin = Admin(**self.servers)
            try:
                set_configs(admin, "retention.ms", wanted)
                left = unset(admin, "retention.ms", wanted)
            finally:
                admin.close()
        except (ke.KafkaError, OSError) as e:
            raise self.unavailable(e) from e
        if left:
            names = ", ".join(left)
            raise Unavailable(
                Text(
                    f"Kafka {self._where}: {names} 的 retention.ms 没有改成：本用户无权",
                    f"Kafka {self._where}: retention.ms of {names} was not changed: this user may not",
                )
            )

    def close(self) -> None:
        with self._lock:
            self._drop_appender()
            self._drop_reader()


def _offsets(found: Any, group_id: str) -> dict[TopicPartition, OffsetAndMetadata]:
    """Committed offsets; some versions wrap them by group."""
    if group_id in found:
        found = found[group_id]
    return {k: v for k, v in found.items() if isinstance(k, TopicPartition) and v.offset >= 0}
