"""The embedded log: one SQLite file a run, WAL with synchronous=FULL, one fsync a batch.

URL: sqlite:///FOLDER (relative) or sqlite:////FOLDER (absolute); the file in it is named after
the district and the run. Several threads and processes of one machine may open it. Partitions are
owned by lease: the first member of a group takes them all, others stand by until it closes, dies
(its process is gone) or has not polled for `LEASE_S`. The lease is checked in the transaction
that commits, so a member that slept past it cannot write.
"""

import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ingest.log import (
    Consumer,
    Corrupt,
    Entry,
    Fenced,
    Out,
    Snapshot,
    Step,
    Topic,
    Unavailable,
    partition_of,
)

LEASE_S = 10.0
_PEER_POLL_S = 0.02  # how often another process's writes are looked for

_SCHEMA = """
CREATE TABLE records (
  topic TEXT, part INTEGER, pos INTEGER, key TEXT, value BLOB, written_at INTEGER,
  PRIMARY KEY (topic, part, pos)) WITHOUT ROWID;
CREATE TABLE ends (topic TEXT, part INTEGER, next INTEGER, PRIMARY KEY (topic, part)) WITHOUT ROWID;
CREATE TABLE positions (
  grp TEXT, topic TEXT, part INTEGER, pos INTEGER, PRIMARY KEY (grp, topic, part)) WITHOUT ROWID;
CREATE TABLE leases (
  grp TEXT, topic TEXT, part INTEGER, member TEXT, pid INTEGER, until REAL,
  PRIMARY KEY (grp, topic, part)) WITHOUT ROWID;
CREATE TABLE snapshots (
  grp TEXT, topic TEXT, part INTEGER, pos INTEGER, crc INTEGER, body BLOB,
  PRIMARY KEY (grp, topic, part, pos)) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


class _Shared:
    """What the users of one file in this process share: one writer at a time (SQLite's own wait
    is a sleep), and a signal that something was written."""

    def __init__(self) -> None:
        self.write_lock = threading.Lock()
        self._written: dict[str, threading.Condition] = {}

    def written(self, topic: str) -> threading.Condition:
        """Signalled after something was written to the topic."""
        return self._written.setdefault(topic, threading.Condition())


_shared: dict[Path, _Shared] = {}
_shared_lock = threading.Lock()


def folder_of(url: str) -> Path:
    """The folder that a sqlite URL names."""
    return Path(unquote(urlsplit(url).path.removeprefix("/")) or ".")


class SqliteLog:
    """See `ingest.log.Log`."""

    def __init__(self, url: str, run: str, district: str, topics: dict[str, Topic]) -> None:
        folder = folder_of(url)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = (folder / f"{district}.{run}.log.db").resolve()
        self.topics = topics
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        with _shared_lock:
            self._shared = _shared.setdefault(self.path, _Shared())
        self._writer = self._connect()
        self._prepare()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous=FULL")
        self._all.append(db)
        return db

    def _prepare(self) -> None:
        try:
            self._writer.execute("PRAGMA journal_mode=WAL")
            with self._transaction() as db:
                if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                    for statement in _SCHEMA.split(";"):
                        db.execute(statement)
                for topic in self.topics.values():
                    db.executemany(
                        "INSERT OR IGNORE INTO ends VALUES (?,?,0)",
                        [(topic.name, p) for p in range(topic.partitions)],
                    )
            for topic in self.topics.values():
                have = len(self.ends(topic.name))
                if have != topic.partitions:
                    raise Corrupt(
                        f"{self.path}: topic {topic.name} has {have} partitions, the district "
                        f"asks for {topic.partitions}; start a new run, or restore the number"
                    )
        except sqlite3.DatabaseError as e:
            if isinstance(e, sqlite3.OperationalError):
                raise
            raise Corrupt(f"{self.path} is not a log: {e}; move it away to start anew") from e

    def reading(self) -> sqlite3.Connection:
        """This thread's connection for reading."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._connect()
        return db

    @contextmanager
    def _transaction(self, topics: Iterable[str] = ()) -> Iterator[sqlite3.Connection]:
        with self._shared.write_lock:
            db = self._writer
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except sqlite3.OperationalError as e:
                raise Unavailable(
                    f"the log {self.path} cannot be written: {e}; nothing was lost, free the disk "
                    "or end the process that holds the file"
                ) from e
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
        for topic in topics:
            with self._shared.written(topic):
                self._shared.written(topic).notify_all()

    def _insert(self, db: sqlite3.Connection, outputs: Sequence[Out]) -> None:
        now = int(time.time() * 1000)
        nexts: dict[tuple[str, int], int] = {}
        rows = []
        for out in outputs:
            part = out.partition
            if part is None:
                part = partition_of(out.key, self.topics[out.topic].partitions)
            place = (out.topic, part)
            pos = nexts.get(place)
            if pos is None:
                row = db.execute("SELECT next FROM ends WHERE topic=? AND part=?", place).fetchone()
                if row is None:
                    raise KeyError(f"no partition {part} in topic {out.topic}")
                pos = row[0]
            rows.append((out.topic, part, pos, out.key, out.value, now))
            nexts[place] = pos + 1
        db.executemany("INSERT INTO records VALUES (?,?,?,?,?,?)", rows)
        db.executemany(
            "UPDATE ends SET next=? WHERE topic=? AND part=?",
            [(pos, topic, part) for (topic, part), pos in nexts.items()],
        )

    def append(self, outputs: Sequence[Out]) -> None:
        if outputs:
            with self._transaction({out.topic for out in outputs}) as db:
                self._insert(db, outputs)

    def join(self, topic: str, group: str, member: str) -> Consumer:
        return SqliteConsumer(self, self.topics[topic], group, member)

    def read(self, topic: str, partition: int, offset: int, limit: int = 5000) -> list[Entry]:
        rows = self.reading().execute(
            "SELECT part, pos, key, value FROM records "
            "WHERE topic=? AND part=? AND pos>=? ORDER BY pos LIMIT ?",
            (topic, partition, offset, limit),
        )
        return [Entry(*row) for row in rows]

    def ends(self, topic: str) -> list[int]:
        rows = self.reading().execute("SELECT next FROM ends WHERE topic=? ORDER BY part", (topic,))
        return [row[0] for row in rows]

    def starts(self, topic: str) -> list[int]:
        rows = self.reading().execute(
            "SELECT COALESCE((SELECT min(pos) FROM records r WHERE r.topic=e.topic AND "
            "r.part=e.part), e.next) FROM ends e WHERE topic=? ORDER BY part",
            (topic,),
        )
        return [row[0] for row in rows]

    def positions(self, topic: str, group: str) -> list[int]:
        rows = self.reading().execute(
            "SELECT COALESCE(pos, 0) FROM ends e LEFT JOIN positions p ON p.topic=e.topic AND "
            "p.part=e.part AND p.grp=? WHERE e.topic=? ORDER BY e.part",
            (group, topic),
        )
        return [row[0] for row in rows]

    def trim(self, now_ms: int) -> None:
        for topic in self.topics.values():
            for part in range(topic.partitions):
                with self._transaction() as db:
                    keep = _keep_from(db, topic.name, part)
                    db.execute(
                        "DELETE FROM records WHERE topic=? AND part=? AND pos<? AND written_at<?",
                        (topic.name, part, keep, now_ms - topic.retention_h * 3_600_000),
                    )

    def wait(self, topic: str, timeout_s: float) -> None:
        """Until somebody in this process wrote to the topic, or for as long as another process's
        writes may go unseen."""
        with self._shared.written(topic):
            self._shared.written(topic).wait(min(timeout_s, _PEER_POLL_S))

    def close(self) -> None:
        for db in self._all:
            db.close()
        self._all.clear()


def _keep_from(db: sqlite3.Connection, topic: str, part: int) -> int:
    """The lowest position that must stay: the least that any group has read, or the older of its
    last two snapshots."""
    keep = db.execute("SELECT next FROM ends WHERE topic=? AND part=?", (topic, part)).fetchone()[0]
    for group, pos in db.execute(
        "SELECT grp, pos FROM positions WHERE topic=? AND part=?", (topic, part)
    ).fetchall():
        made = db.execute(
            "SELECT pos FROM snapshots WHERE grp=? AND topic=? AND part=? ORDER BY pos",
            (group, topic, part),
        ).fetchall()
        # with one snapshot the rebuild may still have to begin at the very start
        needed = pos if not made else (made[-2][0] if len(made) > 1 else 0)
        keep = min(keep, needed)
    return int(keep)


def _over() -> None:
    """A commit that was over when it was begun."""


class SqliteConsumer:
    """See `ingest.log.Consumer`."""

    def __init__(self, log: SqliteLog, topic: Topic, group: str, member: str) -> None:
        self._log = log
        self._topic = topic
        self._group = group
        # two members of one name must still be two
        self._member = f"{member}/{os.getpid()}/{id(self):x}"
        self._committed: dict[int, int] = {}
        self._next: dict[int, int] = {}
        self._leased_at = -LEASE_S

    def poll(self, timeout_s: float, limit: int = 5000) -> list[Entry]:
        deadline = time.monotonic() + timeout_s
        while True:
            self._lease()
            entries: list[Entry] = []
            for part in self._next:
                if len(entries) < limit:
                    entries += self._log.read(
                        self._topic.name, part, self._next[part], limit - len(entries)
                    )
            if entries:
                for entry in entries:
                    self._next[entry.partition] = entry.offset + 1
                # the partition that came first waits its turn
                if len(self._next) > 1:
                    first = next(iter(self._next))
                    self._next[first] = self._next.pop(first)
                return entries
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            self._log.wait(self._topic.name, left)

    def owned(self) -> dict[int, int]:
        return dict(self._committed)

    def _lease(self) -> None:
        """Renew what we own, take what is free."""
        now = time.monotonic()
        full = len(self._committed) == self._topic.partitions
        if now - self._leased_at < (LEASE_S / 4 if full else LEASE_S / 20):
            return
        self._leased_at = now
        with self._log._transaction() as db:
            held = {
                row[0]: (row[1], row[2], row[3])
                for row in db.execute(
                    "SELECT part, member, pid, until FROM leases WHERE grp=? AND topic=?",
                    (self._group, self._topic.name),
                )
            }
            for part in range(self._topic.partitions):
                owner, pid, until = held.get(part, ("", 0, 0.0))
                mine = owner == self._member
                if not mine and owner and until > time.time() and _alive(pid):
                    self._drop(part)
                    continue
                if mine and part not in self._committed:
                    mine = False
                db.execute(
                    "INSERT OR REPLACE INTO leases VALUES (?,?,?,?,?,?)",
                    (
                        self._group,
                        self._topic.name,
                        part,
                        self._member,
                        os.getpid(),
                        time.time() + LEASE_S,
                    ),
                )
                if not mine:
                    row = db.execute(
                        "SELECT pos FROM positions WHERE grp=? AND topic=? AND part=?",
                        (self._group, self._topic.name, part),
                    ).fetchone()
                    self._committed[part] = self._next[part] = row[0] if row else 0

    def _drop(self, part: int) -> None:
        self._committed.pop(part, None)
        self._next.pop(part, None)

    def rewind(self) -> None:
        self._next.update(self._committed)

    def snapshot(self, partition: int) -> Snapshot | None:
        rows = self._log.reading().execute(
            "SELECT pos, crc, body FROM snapshots WHERE grp=? AND topic=? AND part=? "
            "ORDER BY pos DESC",
            (self._group, self._topic.name, partition),
        )
        for pos, crc, body in rows:
            if zlib.crc32(body) == crc:
                return Snapshot(pos, body)
        return None

    def commit(
        self,
        partition: int,
        position: int,
        outputs: Sequence[Out],
        snapshot: bytes | None = None,
    ) -> None:
        self.commit_all([Step(partition, position, outputs, snapshot)])

    def commit_all(self, steps: Sequence[Step]) -> Callable[[], None]:
        """All in one transaction, thus with one fsync; over when this returns."""
        done = False
        try:
            with self._log._transaction({out.topic for s in steps for out in s.outputs}) as db:
                for step in steps:
                    self._write(db, step)
            done = True
        finally:
            for step in steps:
                if step.partition in self._committed:
                    if done:
                        self._committed[step.partition] = step.position
                    else:  # read the batch again
                        self._next[step.partition] = self._committed[step.partition]
        return _over

    def _write(self, db: sqlite3.Connection, step: Step) -> None:
        where = (self._group, self._topic.name, step.partition)
        row = db.execute(
            "SELECT member FROM leases WHERE grp=? AND topic=? AND part=?", where
        ).fetchone()
        if row is None or row[0] != self._member or step.partition not in self._committed:
            self._drop(step.partition)
            raise Fenced(f"{self._member} lost {self._topic.name}/{step.partition}")
        self._log._insert(db, step.outputs)
        db.execute("INSERT OR REPLACE INTO positions VALUES (?,?,?,?)", (*where, step.position))
        if step.snapshot is not None:
            db.execute(
                "INSERT OR REPLACE INTO snapshots VALUES (?,?,?,?,?,?)",
                (*where, step.position, zlib.crc32(step.snapshot), step.snapshot),
            )
            db.execute(
                "DELETE FROM snapshots WHERE grp=? AND topic=? AND part=? AND pos NOT IN "
                "(SELECT pos FROM snapshots WHERE grp=? AND topic=? AND part=? "
                "ORDER BY pos DESC LIMIT 2)",
                (*where, *where),
            )

    def close(self) -> None:
        with self._log._transaction() as db:
            db.execute(
                "DELETE FROM leases WHERE grp=? AND topic=? AND member=?",
                (self._group, self._topic.name, self._member),
            )
        self._committed.clear()
        self._next.clear()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
