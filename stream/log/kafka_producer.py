"""A transactional producer that never waits for ever.

kafka-python bounds `init_transactions` by `max_block_ms`, but `commit_transaction`, `abort_transaction`
and `send_offsets_to_transaction` wait until the broker answers: with the broker dead, until it
comes back (3.0.12). Here each waits at most `WAIT_S`. What is given up is fenced by the next
producer with the same transactional id, so it was either committed before or never.

Nor does it go on under an epoch that is not its own. Told that its epoch is old, kafka-python
(3.0.12) asks for the next one by itself; the broker (4.1.1) aborts the transaction that is open under
this id before it finds that whoever asks is stale, and that is the transaction of the new owner,
which has done nothing wrong. Here such an answer ends the producer, as it does on brokers that know
no such question; whoever owns the partition makes a new one.

And it asks again soon. A broker that is still closing one transaction refuses to begin the next
(CONCURRENT_TRANSACTIONS). kafka-python means to ask again after 20 ms then, but its sender sleeps
`retry_backoff_ms`, 100 by itself (3.0.12), and does so for the partitions and for the offsets: commits one
after another took 250 ms, nearly all of it asleep.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from kafka import KafkaProducer
from kafka import errors as ke

from config.language import Text
from stream.oplog import say

WAIT_S = 15.0
# Records of a partition go out in batches of so many bytes, one request after the other. By kafka-python's own
# 16 kB a commit of 2 MB was 150 requests, each of which waits for the broker's disk where there is one copy.
_BATCH_BYTES = 1_000_000
_TRANSACTION_MS = 5_000  # so long a dead owner's open transaction may hold up the readers
_AGAIN_MS = 5  # a broker is done with a transaction after a few milliseconds
_LONGEST_MS = 60_000
_NEARLY = 0.8  # of the limit: the broker counts from the first record, and looks every 10 s


class Patience:
    """How long the transactions of one id may be open. A commit that the broker ended because it took longer
    would take as long the next time: it gets twice the time then. who: as the journal names it."""

    def __init__(self, who: str) -> None:
        self._who = who
        self.limit_ms = _TRANSACTION_MS

    def failed(self, e: BaseException, took_s: float) -> None:
        """A transaction that took so long ended with this."""
        if not isinstance(e, ke.InvalidProducerEpochError | ke.ProducerFencedError):
            return
        if took_s * 1000 >= _NEARLY * self.limit_ms and self.limit_ms < _LONGEST_MS:
            before, self.limit_ms = self.limit_ms, min(2 * self.limit_ms, _LONGEST_MS)
            say(
                self._who,
                Text(
                    f"一次提交用了 {took_s:.0f} 秒，超过 Kafka 上的时限 {before / 1000:.0f} 秒；放宽到 "
                    f"{self.limit_ms / 1000:.0f} 秒再提交",
                    f"a commit took {took_s:.0f} s, longer than its limit of {before / 1000:.0f} s on Kafka: "
                    f"again with {self.limit_ms / 1000:.0f} s",
                ),
            )


class Producer(KafkaProducer):  # type: ignore[misc]
    """One transactional id; made by `begin`."""

    @classmethod
    def begin(
        cls, servers: dict[str, Any], transactional_id: str, limit_ms: int | None = None
    ) -> "Producer":
        """Fences the last one with this id, and ends what it had open. limit_ms: so long its transactions
        may be open. Raises KafkaError."""
        found = cls(
            **servers,
            acks="all",
            transactional_id=transactional_id,
            transaction_timeout_ms=limit_ms or _TRANSACTION_MS,
            linger_ms=0,
            retry_backoff_ms=_AGAIN_MS,
            batch_size=_BATCH_BYTES,
            max_request_size=32_000_000,
            max_block_ms=int(WAIT_S * 1000),
            request_timeout_ms=int(WAIT_S * 1000) - 3_000,
            delivery_timeout_ms=int(WAIT_S * 1000),
        )
        found._transaction_manager._supports_epoch_bump = _never
        try:
            found.init_transactions()
        except BaseException:
            found.abandon()
            raise
        return found

    def _bounded(self, result: Any, what: str) -> None:
        self._sender.wakeup()
        if not result.wait(timeout_ms=WAIT_S * 1000):
            raise ke.KafkaTimeoutError(
                Text(f"{what}: {WAIT_S:.0f} 秒无应答", f"{what}: no answer in {WAIT_S:.0f} s")
            )

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What ended this producer, where the library only says that something did."""
        try:
            yield
        except ke.KafkaError as e:
            why = self._transaction_manager.last_error
            if type(e) is ke.KafkaError and isinstance(why, ke.KafkaError):
                raise why from e
            raise

    def begin_transaction(self) -> None:
        with self._told():
            super().begin_transaction()

    def send(self, *words: Any, **more: Any) -> Any:
        with self._told():
            return super().send(*words, **more)

    def commit_transaction(self) -> None:
        with self._told():
            self._bounded(self._transaction_manager.begin_commit(), "commit")

    def abort_transaction(self) -> None:
        with self._told():
            self._bounded(self._transaction_manager.begin_abort(), "abort")

    def send_offsets_to_transaction(self, offsets: Any, group_metadata: Any) -> None:
        manager = self._transaction_manager
        with self._told():
            self._bounded(manager.send_offsets_to_transaction(offsets, group_metadata), "offsets")

    def delivered(self, sent: list[Any]) -> None:
        """Wait until the broker has these records. Raises KafkaError."""
        self._sender.wakeup()
        for one in sent:
            one.get(timeout=WAIT_S)

    def abandon(self) -> None:
        """End without waiting: what is open is aborted by the broker, after the time-out or when
        the next producer with this id begins."""
        self._sender.force_close()
        self._sender.join(1.0)
        # what it had not sent is done with now, so that this does not wait
        with contextlib.suppress(ke.KafkaError):
            self.close(timeout=0)


def _never() -> bool:
    """May a producer ask for another epoch by itself?"""
    return False
