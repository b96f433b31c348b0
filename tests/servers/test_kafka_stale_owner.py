"""An owner that slept while another took over hurts nobody when it goes on: what the other has under way
is committed, wherever the one had been stopped."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import MemberToRemove

from stream.log import kafka_producer
from stream.log.kafka import KafkaLog
from stream.log.kafka_clients import Admin
from stream.log.open import open_log
from stream.log.port import Out

CHILD = Path(__file__).parents[1] / "support" / "stale_owner.py"
PATIENCE_S = 180
# where in a commit it may have been stopped
COMMIT = (
    "producer.begin_transaction()",
    "sent = self._log.send(",
    "batches = batches_by_node[node_id]",  # begun at the broker, and no record on its way yet
    "producer.delivered(pieces)",  # a part of it may be on its way
    "sent += pieces",  # the broker has a part of it
    "producer.send_offsets_to_transaction(",
    "producer.commit_transaction()",
)


class Stale:
    """The process that is stopped."""

    def __init__(self, url: str, run: str, line: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD), url, run, line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def sleeps(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "sleeps\n"
        assert os.WIFSTOPPED(os.waitpid(self._process.pid, os.WUNTRACED)[1])

    def wakes(self) -> str:
        """What it says of how it went, and ends."""
        self._process.send_signal(signal.SIGCONT)
        return self._process.communicate("go on\n", timeout=PATIENCE_S)[0].strip()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def place(
    kafka_server: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str, KafkaLog, list[Stale]]]:
    """URL, run, a log of its own with something to read, and whom to end afterwards."""
    # what is open while we wait for the other process must not end by itself
    monkeypatch.setattr(kafka_producer, "_TRANSACTION_MS", 1000 * PATIENCE_S)
    url, run = f"kafka://{kafka_server}", f"exercise-{uuid.uuid4().hex[:8]}"
    log = open_log(url, run, "toy", 2)
    assert isinstance(log, KafkaLog)
    log.append([Out("cases", "k", b"something")])
    started: list[Stale] = []
    yield url, run, log, started
    for one in started:
        one.end()
    log.close()


def alerts(log: KafkaLog) -> list[bytes]:
    """Kafka ends a transaction, and only then shows what was in it."""
    until = time.monotonic() + PATIENCE_S
    while not (found := log.read("alerts", 0, 0)) and time.monotonic() < until:
        time.sleep(0.05)
    return [e.value for e in found]


@pytest.mark.parametrize("line", COMMIT)
def test_a_stale_commit_leaves_the_open_one_alone(
    place: tuple[str, str, KafkaLog, list[Stale]], line: str
) -> None:
    """The two know nothing of the group here: the transactional id alone says who owns what."""
    url, run, log, started = place
    stale = Stale(url, run, line)
    started.append(stale)
    stale.sleeps()
    live = log.producer(f"{log.prefix}.worker.cases.0")
    live.begin_transaction()
    live.delivered(log.send(live, [Out("alerts", "k", b"of the live one")]))
    assert stale.wakes().startswith("fenced: ")
    live.delivered(log.send(live, [Out("alerts", "k", b"of the live one, too")]))
    live.commit_transaction()
    assert alerts(log) == [b"of the live one", b"of the live one, too"]
    live.abandon()


@pytest.mark.parametrize(
    ("line", "said"),
    [("new = sorted(", "owns []"), ("sent = self._log.send(", "fenced: ")],
)
def test_one_that_the_group_has_put_out_fences_nobody(
    place: tuple[str, str, KafkaLog, list[Stale]], line: str, said: str
) -> None:
    """Stopped after it was given the partition, or within a commit, until the group gave it away."""
    url, run, log, started = place
    stale = Stale(url, run, line)
    started.append(stale)
    stale.sleeps()
    live = log.join("cases", "worker", "live")
    until = time.monotonic() + PATIENCE_S
    while not (found := live.poll(0.5)) and time.monotonic() < until:
        pass
    assert live.owned() == {0: 0}
    # a busy Kafka may have no coordinator for it at that moment: it ends there, and fences nobody either
    assert stale.wakes().startswith((said, "unavailable: "))
    live.commit(0, found[-1].offset + 1, [Out("alerts", "k", b"of the live one")])
    assert alerts(log) == [b"of the live one"]
    live.close()


def test_what_is_lost_and_given_back_within_one_poll_is_begun_anew(
    place: tuple[str, str, KafkaLog, list[Stale]],
) -> None:
    """The group puts the member out while it does not poll, another works meanwhile and leaves. Whoever
    remembers something of the partition hears that it was gone, before anything of it is handed out."""
    _, _, log, _ = place
    one = log.join("cases", "worker", "one")
    until = time.monotonic() + PATIENCE_S
    while not one.poll(0.5) and time.monotonic() < until:
        pass
    assert one.owned() == {0: 0}
    admin = Admin(**log.servers)
    group = f"{log.prefix}.worker.cases"
    admin.remove_group_members(
        group, [MemberToRemove(member_id=one._consumer.group_metadata().member_id)]
    )
    admin.close()
    while not one._consumer._coordinator._generation.is_lost() and time.monotonic() < until:
        time.sleep(0.05)  # its own heartbeat tells it, between two polls
    other = log.join("cases", "worker", "other")
    while not (found := other.poll(0.5)) and time.monotonic() < until:
        pass
    other.commit(0, found[-1].offset + 1, [])
    other.close()
    log.append([Out("cases", "k", b"something else")])
    gone = False
    while not (found := one.poll(5.0)) and time.monotonic() < until:
        gone |= not one.owned()
    assert gone
    assert [e.value for e in found] == [b"something else"]
    assert one.owned()[0] > 0
    one.close()
