"""One contract for every log: the embedded one and real Kafka."""

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stream.log.memory import MemoryLog
from stream.log.port import Corrupt, Entry, Fenced, Log, Out, Owners
from stream.log.unread import unread, unread_by_partition
from stream.metrics import LAG_RECORDS, lags
from tests.support import log_worker
from tests.support.log_adapters import Open, cut_short, opening, put, take, texts

WORKER = Path(__file__).parents[1] / "support" / "log_worker.py"
__all__ = ["opening"]


def there(log: Log, want: int, topic: str = "cases", partitions: int = 1) -> list[Entry]:
    """What can be read, once so much can: Kafka ends a transaction, and only then shows what was in it."""
    deadline = time.monotonic() + 120
    while True:
        found = [e for p in range(partitions) for e in log.read(topic, p, 0)]
        if len(found) >= want or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_records_of_a_key_keep_their_order_and_their_partition(opening: Open) -> None:
    log = opening()
    for n in range(0, 60, 20):
        log.append([Out("observations", f"k{i % 5}", f"{i}".encode()) for i in range(n, n + 20)])
    by_key: dict[str, list[int]] = {}
    where: dict[str, set[int]] = {}
    for e in there(log, 60, "observations", 2):
        by_key.setdefault(e.key, []).append(int(e.value))
        where.setdefault(e.key, set()).add(e.partition)
    assert {k: sorted(v) for k, v in by_key.items()} == by_key
    assert sum(map(len, by_key.values())) == 60
    assert all(len(parts) == 1 for parts in where.values())


def test_what_was_appended_is_there_for_another_who_opens_it(opening: Open) -> None:
    put(opening(), ["a", "b"])
    other = opening()
    assert texts(there(other, 2)) == ["a", "b"]
    assert other.ends("cases")[0] >= 2


def test_replay_from_any_position(opening: Open) -> None:
    log = opening()
    put(log, [str(n) for n in range(20)])
    whole = there(log, 20)
    for entry in (whole[0], whole[7], whole[19]):
        assert log.read("cases", 0, entry.offset, 3)[0] == entry
    assert log.read("cases", 0, whole[-1].offset + 1) == []
    assert len(log.read("cases", 0, 0, 7)) == 7


def test_poll_returns_as_soon_as_anything_is_there(opening: Open) -> None:
    log = opening()
    consumer = log.join("cases", "g", "m")
    put(log, ["first"])
    assert texts(take(consumer, 1)) == ["first"]
    threading.Timer(0.3, put, (log, ["second"])).start()
    began = time.monotonic()
    found = consumer.poll(240.0)
    assert texts(found) == ["second"]
    assert time.monotonic() - began < 120.0  # far below the time-out, whatever the machine's load
    consumer.close()


def test_a_group_that_has_read_all_there_is_has_nothing_unread(opening: Open) -> None:
    """Also where the log's end has no record before it, as behind Kafka's transactions."""
    log = opening()
    put(log, ["a", "b", "c"])
    assert unread(log, "cases", "g") >= 3
    first = log.join("cases", "g", "m")
    found = take(first, 3)
    first.commit(0, found[-1].offset + 1, [Out("alerts", "k", b"out")])
    second = log.join("alerts", "h", "m")
    (only,) = take(second, 1)
    second.commit(0, only.offset + 1, [])
    assert (unread(log, "cases", "g"), unread(log, "alerts", "h")) == (0, 0)
    lags("g", "cases", unread_by_partition(log, "cases", "g"))
    assert LAG_RECORDS.labels("g", "cases", "0")._value.get() == 0
    put(log, ["d"])
    assert unread(log, "cases", "g") >= 1
    first.close()
    second.close()


def test_outputs_position_and_snapshot_are_one_step(opening: Open) -> None:
    log = opening()
    put(log, ["a", "b", "c"])
    consumer = log.join("cases", "g", "m")
    found = take(consumer, 3)
    consumer.commit(0, found[1].offset + 1, [Out("alerts", "k", b"out")], b"memory")
    assert texts(there(log, 1, "alerts")) == ["out"]
    assert log.positions("cases", "g") == [found[1].offset + 1]
    assert consumer.owned() == {0: found[1].offset + 1}
    consumer.close()
    again = opening().join("cases", "g", "m2")
    assert texts(take(again, 1)) == ["c"]
    snapshot = again.snapshot(0)
    assert snapshot is not None
    assert (snapshot.position, snapshot.body) == (found[1].offset + 1, b"memory")
    again.close()


def test_the_newest_snapshot_counts(opening: Open) -> None:
    log = opening()
    put(log, ["a", "b", "c", "d"])
    consumer = log.join("cases", "g", "m")
    assert consumer.snapshot(0) is None
    for e in take(consumer, 4):
        consumer.commit(0, e.offset + 1, [], f"after {e.value.decode()}".encode() * 1000)
    snapshot = consumer.snapshot(0)
    assert snapshot is not None
    assert snapshot.body == b"after d" * 1000
    consumer.close()


def test_a_damaged_snapshot_is_left_aside_and_told(
    opening: Open, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = opening()
    put(log, ["a", "b", "c"])
    consumer = log.join("cases", "g", "m")
    found = take(consumer, 3)
    consumer.commit(0, found[0].offset + 1, [], b"after a" * 100)
    cut_short(log, monkeypatch)
    consumer.commit(0, found[1].offset + 1, [], b"after b" * 100)
    snapshot = consumer.snapshot(0)
    assert snapshot is not None
    assert snapshot.body == b"after a" * 100
    consumer.commit(0, found[2].offset + 1, [], b"after c" * 100)
    assert consumer.snapshot(0) is None
    consumer.close()
    said = capfd.readouterr().err
    assert "损坏，不用" in said
    assert "请检查磁盘" in said
    assert log.positions("cases", "g") == [found[2].offset + 1]


def test_another_number_of_partitions_is_refused(opening: Open) -> None:
    put(opening(), ["a"], topic="observations")
    for partitions in (1, 4):
        with pytest.raises(Corrupt, match=rf"observations.*2.*{partitions}"):
            opening(partitions)


def test_what_was_not_committed_is_read_again(opening: Open) -> None:
    log = opening()
    put(log, ["a", "b"])
    first = log.join("cases", "g", "m")
    assert texts(take(first, 2)) == ["a", "b"]
    first.close()
    second = opening().join("cases", "g", "m2")
    assert texts(take(second, 2)) == ["a", "b"]
    second.close()


def test_a_second_member_stands_by_and_takes_over(opening: Open) -> None:
    log, other = opening(), opening()
    put(log, ["a"])
    first = log.join("cases", "g", "m1")
    found = take(first, 1)
    second = other.join("cases", "g", "m2")
    for _ in range(4):  # whoever owns the one partition, only one of them does
        second.poll(0.2)
        first.poll(0.2)
        assert len(first.owned()) + len(second.owned()) <= 1
    owner = owner_commits(first, second, found[0].offset + 1)
    owner.close()
    rest = second if owner is first else first
    put(log, ["b"])
    assert texts(take(rest, 1))[-1:] == ["b"]
    rest.close()


def test_who_has_a_partition_who_stands_by_and_what_is_nobodys_is_told(opening: Open) -> None:
    log, other = opening(), opening()
    put(log, ["a"], topic="observations")
    before = log.owners("observations", "g")
    assert before == Owners(("", ""), gone_at=before.gone_at)
    first = log.join("observations", "g", "m1")
    take(first, 1)
    whole = settled(log, first, lambda o: all(o.held))
    assert {who.split("/")[0] for who in whole.held} == {"m1"}
    assert whole.standby == ()
    more = [other.join("observations", "g", f"m{n}") for n in (2, 3)]
    crowd = settled(
        log, [first, *more], lambda o: all(o.held) and o.standby
    )  # two have room, at most
    names = {who.split("/")[0] for who in (*crowd.held, *crowd.standby)}
    assert names == {"m1", "m2", "m3"}
    assert not set(crowd.held) & set(crowd.standby)
    for consumer in (first, *more):
        consumer.close()
    alone = settled(log, [], lambda o: not any(o.held))
    assert (alone.held, alone.standby) == (("", ""), ())
    assert log.owners("observations", "another").held == ("", "")


def settled(log: Log, consumers, done):  # type: ignore[no-untyped-def]
    """Who has what, once that is so; meanwhile the members live."""
    deadline = time.monotonic() + 120
    while True:
        for consumer in consumers if isinstance(consumers, list) else [consumers]:
            consumer.poll(0.2)
        found = log.owners("observations", "g")
        if (done(found) and not found.moving) or time.monotonic() > deadline:
            return found


def owner_commits(first, second, position: int):  # type: ignore[no-untyped-def]
    """Whoever owns the partition. While a rebalance is under way nobody does, or is fenced."""
    deadline = time.monotonic() + 120
    while True:
        owner = first if first.owned() else second
        try:
            owner.commit(0, position, [])
            return owner
        except Fenced:
            assert time.monotonic() < deadline
        second.poll(0.2)
        first.poll(0.2)


def test_a_member_that_lost_its_partition_is_fenced(opening: Open) -> None:
    log, other = opening(), opening()
    put(log, ["a"])
    asleep = log.join("cases", "g", "m1")
    found = take(asleep, 1)
    lose(asleep)
    awake = other.join("cases", "g", "m2")
    assert texts(take(awake, 1)) == ["a"]
    with pytest.raises(Fenced):
        asleep.commit(0, found[0].offset + 1, [Out("alerts", "k", b"zombie")])
    awake.commit(0, found[0].offset + 1, [Out("alerts", "k", b"owner")])
    assert texts(there(other, 1, "alerts")) == ["owner"]
    awake.close()
    asleep.close()


def lose(consumer) -> None:  # type: ignore[no-untyped-def]
    """As if the process had slept past its session."""
    if hasattr(consumer, "_consumer"):
        consumer._consumer.close(autocommit=False)  # leaves the group, keeps its producer
    elif isinstance(consumer._log, MemoryLog):
        consumer._log.disk.expire()
    else:
        log = consumer._log
        with log.transaction() as db:
            db.execute("UPDATE leases SET until=0")


def test_poison_passes_through_unharmed(opening: Open) -> None:
    log = opening()
    odd = [b"", b"\x00\xff\xfe", b"{", "泥石流".encode(), b"x" * 200_000]
    log.append([Out("cases", "键", v) for v in odd])
    assert [e.value for e in there(log, len(odd))] == odd
    assert {e.key for e in log.read("cases", 0, 0)} == {"键"}


def test_edges(opening: Open) -> None:
    log = opening()
    assert log.starts("observations") == [0, 0]
    assert log.ends("observations") == [0, 0]
    assert log.positions("observations", "nobody") == [0, 0]
    assert log.read("observations", 1, 0) == []


def test_killed_at_any_line_nothing_is_lost_or_doubled(opening: Open) -> None:
    """A worker copies `cases` to `alerts` with a running count; it is killed at a line of the
    adapter drawn at random, again and again, until it is through."""
    log = opening()
    put(log, [str(n) for n in range(40)])
    url, run = opening.url, opening.run  # type: ignore[attr-defined]
    rng = random.Random(3)
    if isinstance(log, MemoryLog):
        killed_in_memory(opening, rng)
        return
    fast = url.startswith("sqlite")
    killed = 0
    for limit in [rng.randrange(20, 900 if fast else 500) for _ in range(14 if fast else 4)]:
        killed += worker(url, run, limit).returncode == -9
    done = worker(url, run, 0)
    assert done.returncode == 0, done.stderr
    assert killed >= 3
    assert texts(there(log, 40, "alerts")) == [f"{n + 1}:{n}" for n in range(40)]


class Killed(BaseException):
    """Whoever works dies here; what it wrote is left."""


def killed_in_memory(opening: Open, rng: random.Random) -> None:
    """The same with a log that dies with its process: the worker dies, and not the process."""
    limit = count = killed = 0

    def trace(frame, event, arg):  # type: ignore[no-untyped-def]
        nonlocal count
        if not frame.f_code.co_filename.endswith("stream/log/memory.py"):
            return None
        count += event == "line"
        if event == "line" and count == limit:
            raise Killed
        return trace

    before = sys.gettrace()
    for _ in range(60):
        limit, count, log = rng.randrange(20, 1500), 0, opening()
        sys.settrace(trace)
        try:
            log_worker.copy(log, 0.0)
        except Killed:
            killed += 1
        finally:
            sys.settrace(before)
        log.disk.expire()  # type: ignore[attr-defined]
    log_worker.copy(opening(), 0.0)
    assert killed >= 3
    assert texts(there(opening(), 40, "alerts")) == [f"{n + 1}:{n}" for n in range(40)]


def worker(url: str, run: str, limit: int) -> "subprocess.CompletedProcess[str]":
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, str(WORKER), url, run, str(limit)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=root,
        env=None,
    )


def retention(log: Log) -> set[str]:
    """Of a log on Kafka, what its broker says of each of its topics."""
    from kafka.admin import ConfigResource, ConfigResourceType

    from stream.log.kafka import KafkaLog
    from stream.log.kafka_clients import Admin

    assert isinstance(log, KafkaLog)
    names = [log.topic(name) for name in log.topics]
    admin = Admin(**log.servers)
    asked = [ConfigResource(ConfigResourceType.TOPIC, n, {"retention.ms": None}) for n in names]
    found = admin.describe_configs(asked, config_filter="all")["topic"]
    admin.close()
    return {found[n]["retention.ms"]["value"] for n in names}


def test_a_log_that_is_held_drops_nothing_by_itself_until_it_is_let_go(opening: Open) -> None:
    log = opening()
    put(log, ["a"])
    log.hold(True)
    if opening.url.startswith("kafka:"):  # type: ignore[attr-defined]
        assert retention(log) == {"-1"}
    log.hold(False)
    if opening.url.startswith("kafka:"):  # type: ignore[attr-defined]
        assert retention(log) == {str(t.retention_h * 3_600_000) for t in log.topics.values()}
    assert texts(there(log, 1)) == ["a"]
