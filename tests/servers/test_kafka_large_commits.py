"""A commit that is large, or slow, on a real Kafka."""

import gc
import time
import uuid
import weakref
from collections.abc import Iterator, Sequence
from typing import overload

import pytest
from kafka import KafkaProducer

from stream.log import kafka_producer
from stream.log.kafka import KafkaLog
from stream.log.kafka_clients import Admin
from stream.log.kafka_group import KafkaGroupConsumer
from stream.log.open import open_log
from stream.log.port import Fenced, Out, Step

PATIENCE_S = 180


@pytest.fixture
def log(kafka_server: str) -> Iterator[KafkaLog]:
    found = open_log(f"kafka://{kafka_server}", f"exercise-{uuid.uuid4().hex[:8]}", "toy", 2)
    assert isinstance(found, KafkaLog)
    found.append([Out("cases", "k", b"something")])
    yield found
    found.close()


@pytest.fixture
def member(log: KafkaLog) -> Iterator[KafkaGroupConsumer]:
    found = log.join("cases", "worker", "one")
    assert isinstance(found, KafkaGroupConsumer)
    owning(found)
    yield found
    found.close()


def owning(member: KafkaGroupConsumer) -> None:
    until = time.monotonic() + PATIENCE_S
    while not member.owned() and time.monotonic() < until:
        member.poll(0.5)
    assert member.owned()


class Slow(Sequence[Out]):
    """Outputs of which the second comes only when the broker has ended the transaction of the first."""

    def __init__(self, log: KafkaLog, transactional_id: str) -> None:
        self._log, self._id = log, transactional_id

    def __len__(self) -> int:
        return 2

    @overload
    def __getitem__(self, n: int) -> Out: ...
    @overload
    def __getitem__(self, n: slice) -> Sequence[Out]: ...
    def __getitem__(self, n: int | slice) -> Out | Sequence[Out]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Out]:
        yield Out("alerts", "k", b"first")
        admin, until = Admin(**self._log.servers), time.monotonic() + PATIENCE_S
        began = False
        while time.monotonic() < until:
            state = admin.describe_transactions([self._id])[self._id].state
            began |= state == "Ongoing"
            if began and state != "Ongoing":
                break
            time.sleep(0.1)
        admin.close()
        yield Out("alerts", "k", b"second")


def test_a_commit_that_took_too_long_has_twice_the_time_the_next_time(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_producer, "_TRANSACTION_MS", 1000)
    member = log.join("cases", "worker", "one")
    assert isinstance(member, KafkaGroupConsumer)
    owning(member)
    name = f"{log.prefix}.worker.cases.0"
    gc.disable()  # whatever is left then stands in a circle
    try:
        slow = Slow(log, name)
        left = weakref.ref(slow)
        with pytest.raises(Fenced):
            member.commit_all([Step(0, 1, slow)])()
        del slow
        assert left() is None
    finally:
        gc.enable()
    member.rewind()
    owning(member)
    member.commit(0, 1, [Out("alerts", "k", b"first"), Out("alerts", "k", b"second")])
    admin = Admin(**log.servers)
    assert admin.describe_transactions([name])[name].transaction_timeout_ms == 2000
    admin.close()
    assert [e.value for e in log.read("alerts", 0, 0)] == [b"first", b"second"]
    member.close()


def test_a_large_commit_is_few_requests(log: KafkaLog, member: KafkaGroupConsumer) -> None:
    """Each waits for the broker's disk, and 150 of them took longer than a transaction may."""
    outs = [Out("alerts", "k", b"x" * 1200) for _ in range(2000)]
    member.commit(0, 1, outs)
    told = member._producers[0].metrics()["producer-metrics"]
    # how full a batch is when it leaves depends on the machine; with the client's default none is so large
    assert told["batch-size-max"] > 2 * KafkaProducer.DEFAULT_CONFIG["batch_size"]
    assert len(log.read("alerts", 0, 0)) == 2000
