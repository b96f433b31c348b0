"""Every log, opened again and again, for tests that ask the same of all of them."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream.log.memory import Disk, MemoryLog
from stream.log.open import open_log
from stream.log.port import Log, Out, topics
from stream.log.snapshots import kafka_records, kafka_whole
from stream.log.sqlite import SqliteLog

Open = Callable[..., Log]


@pytest.fixture(params=["sqlite", "memory", pytest.param("kafka", marks=pytest.mark.servers)])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same log again and again; each test has a log of its own."""
    if request.param == "memory":
        disk = Disk()

        def in_memory(partitions: int = 2) -> Log:
            return MemoryLog(disk, topics(partitions))

        in_memory.url, in_memory.run = "memory:", ""  # type: ignore[attr-defined]
        yield in_memory
        return
    if request.param == "kafka":
        url = f"kafka://{request.getfixturevalue('kafka_server')}"
    else:
        url = f"sqlite:///{tmp_path}"
    run = f"exercise-{uuid.uuid4().hex[:8]}"
    opened: list[Log] = []

    def open_it(partitions: int = 2) -> Log:
        log = open_log(url, run, "toy", partitions)
        opened.append(log)
        return log

    open_it.url, open_it.run = url, run  # type: ignore[attr-defined]
    yield open_it
    for log in opened:
        log.close()


def put(log: Log, values: list[str], key: str = "k", topic: str = "cases") -> None:
    log.append([Out(topic, key, v.encode()) for v in values])


def texts(entries: list) -> list[str]:  # type: ignore[type-arg]
    return [e.value.decode() for e in entries]


def take(consumer, want: int, timeout_s: float = 120) -> list:  # type: ignore[no-untyped-def,type-arg]
    found: list = []  # type: ignore[type-arg]
    deadline = time.monotonic() + timeout_s
    while len(found) < want and time.monotonic() < deadline:
        found += consumer.poll(0.5)
    return found


def cut_short(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on only half of each snapshot comes to the disk."""
    if isinstance(log, SqliteLog):
        with log.transaction() as db:
            db.execute(
                "CREATE TRIGGER half AFTER INSERT ON snapshots BEGIN UPDATE snapshots SET "
                "body=substr(body,1,length(body)/2) WHERE pos=new.pos AND grp=new.grp; END"
            )
            db.execute(
                "CREATE TRIGGER part AFTER INSERT ON pieces BEGIN UPDATE pieces SET "
                "body=substr(body,1,length(body)/2) WHERE nth=new.nth AND grp=new.grp; END"
            )
    elif isinstance(log, MemoryLog):
        log.disk.torn = True
    else:
        whole = kafka_whole.packed
        monkeypatch.setattr(
            kafka_whole, "packed", lambda at, b: [p[: len(p) // 2] for p in whole(at, b)]
        )
        records = kafka_records.records
        monkeypatch.setattr(
            kafka_records, "records", lambda k, one: [(a, b[:-2]) for a, b in records(k, one)]
        )
