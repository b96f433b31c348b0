"""The embedded log: one SQLite file a run, WAL with synchronous=FULL, one fsync a batch.

URL: sqlite:///FOLDER (relative) or sqlite:////FOLDER (absolute); the file in it is named after
the district and the run. Several threads and processes of one machine may open it. Partitions are
owned by lease: the first member of a group takes them all, others stand by until it closes, dies
(its process is gone) or has not polled for a while.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from config.language import Text
from stream.disk.files import make_folder
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
from stream.log.snapshots.sqlite_rows import kept_positions
from stream.log.sqlite_group import SqliteConsumer, owners_of

_BUSY_S = 30  # so long another may hold the file
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
# since then; a build that does not know of it finds no snapshot and reads the log
_PIECES = """
CREATE TABLE IF NOT EXISTS pieces (
  grp TEXT, topic TEXT, part INTEGER, nth INTEGER, pos INTEGER, point INTEGER, back INTEGER,
  crc INTEGER, body BLOB, PRIMARY KEY (grp, topic, part, nth)) WITHOUT ROWID
"""
# since then too; a build that does not know of it leaves it alone
_IDLE = """
CREATE TABLE IF NOT EXISTS idle (
  grp TEXT, topic TEXT, member TEXT, pid INTEGER, until REAL,
  PRIMARY KEY (grp, topic, member)) WITHOUT ROWID
"""


class _Shared:
    """What the users of one file in this process share: one writer at a time (SQLite's own wait
    is a sleep), and a signal that something was written."""

    def __init__(self) -> None:
        self.write_lock = threading.Lock()
        self._written: dict[str, threading.Condition] = {}
        self.writes: dict[str, int] = {}  # to each topic, so far

    def written(self, topic: str) -> threading.Condition:
        """Signalled after something was written to the topic."""
        return self._written.setdefault(topic, threading.Condition())


_shared: dict[Path, _Shared] = {}
_shared_lock = threading.Lock()


def is_damaged(e: sqlite3.Error) -> bool:
    """Is the file itself damaged (SQLITE_CORRUPT), or none of SQLite's (SQLITE_NOTADB)?"""
    return getattr(e, "sqlite_errorcode", 0) & 0xFF in (11, 26)


def folder_of(url: str) -> Path:
    """The folder that a sqlite URL names."""
    return Path(unquote(urlsplit(url).path.removeprefix("/")) or ".")


class SqliteLog:
    """See `stream.log.Log`."""

    def __init__(self, url: str, run: str, district: str, topics: dict[str, Topic]) -> None:
        folder = folder_of(url)
        make_folder(folder)
        self.path = (folder / f"{district}.{run}.log.db").resolve()
        self.topics = topics
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        with _shared_lock:
            self._shared = _shared.setdefault(self.path, _Shared())
        self._writer = self._connect()
        self._prepare()

    def _connect(self) -> sqlite3.Connection:
        with self.told():
            db = sqlite3.connect(
                self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            db.execute("PRAGMA synchronous=FULL")
        self._all.append(db)
        return db

    def _prepare(self) -> None:
        """Raises `Corrupt` and `Unavailable`."""
        # several stages begin at once: SQLite answers "locked" without waiting to all but the one
        # that makes the file a WAL
        deadline = time.monotonic() + _BUSY_S
        while True:
            try:
                with self._shared.write_lock:
                    self._writer.execute("PRAGMA journal_mode=WAL")
                break
            except sqlite3.OperationalError as e:
                if "locked" not in str(e) or time.monotonic() > deadline:
                    raise self._unavailable(e) from e
                time.sleep(_PEER_POLL_S)
            except sqlite3.DatabaseError as e:
                with self.told():
                    raise e
        with self.transaction() as db:
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
            db.execute(_PIECES)
            db.execute(_IDLE)
            for topic in self.topics.values():
                self._partitions(db, topic)

    def _unavailable(self, e: sqlite3.Error) -> Unavailable:
        return Unavailable(
            Text(
                f"{self.path}: 日志写不了：{e}；没有丢失，清理磁盘，或结束占用文件的进程",
                f"{self.path}: the log cannot be written: {e}; nothing was lost, free the disk "
                "or end the process that holds the file",
            )
        )

    @contextmanager
    def told(self) -> Iterator[None]:
        """SQLite's errors in our words: `Corrupt` for a damaged file, `Unavailable` for the rest."""
        try:
            yield
        except sqlite3.DatabaseError as e:
            if is_damaged(e):
                raise Corrupt(
                    Text(
                        f"{self.path}: 日志文件损坏：{e}。停下各环节，移走此文件和同名 -wal、-shm，再从"
                        "备份恢复：fengsui restore FILE.tar.gz（docs/backup.md）",
                        f"{self.path}: the log is damaged: {e}. Stop the stages, move it and its -wal "
                        "and -shm away, then put the newest backup back: fengsui restore FILE.tar.gz "
                        "(docs/en/backup.md)",
                    )
                ) from e
            if isinstance(e, sqlite3.OperationalError):
                raise self._unavailable(e) from e
            raise

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a question, by this thread's connection. Raises `Corrupt`, `Unavailable`."""
        with self.told():
            return self._reading().execute(question, values).fetchall()

    def _partitions(self, db: sqlite3.Connection, topic: Topic) -> None:
        """Made where there are none; another number is refused, for keys would stand elsewhere."""
        count = db.execute("SELECT count(*) FROM ends WHERE topic=?", (topic.name,))
        have = count.fetchone()[0]
        if not have:
            rows = [(topic.name, p) for p in range(topic.partitions)]
            db.executemany("INSERT INTO ends VALUES (?,?,0)", rows)
        elif have != topic.partitions:
            raise Corrupt(
                Text(
                    f"{self.path}: 分区数不符：主题 {topic.name} 有 {have} 个，区县要 "
                    f"{topic.partitions} 个；换新的运行，或改回数目",
                    f"{self.path}: topic {topic.name} has {have} partitions, the district asks for "
                    f"{topic.partitions}; start a new run, or restore the number",
                )
            )

    def _reading(self) -> sqlite3.Connection:
        """This thread's connection for reading."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._connect()
        return db

    @contextmanager
    def transaction(self, topics: Iterable[str] = ()) -> Iterator[sqlite3.Connection]:
        with self._shared.write_lock:
            db = self._writer
            try:
                with self.told():
                    db.execute("BEGIN IMMEDIATE")
                    yield db
                    db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    with self.told():
                        db.execute("ROLLBACK")
        for topic in topics:
            with self._shared.written(topic):
                self._shared.writes[topic] = self.writes(topic) + 1
                self._shared.written(topic).notify_all()

    def insert(self, db: sqlite3.Connection, outputs: Sequence[Out]) -> None:
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
            with self.transaction({out.topic for out in outputs}) as db:
                self.insert(db, outputs)

    def join(self, topic: str, group: str, member: str) -> Consumer:
        return SqliteConsumer(self, self.topics[topic], group, member)

    def read(self, topic: str, partition: int, offset: int, limit: int = 5000) -> list[Entry]:
        rows = self.ask(
            "SELECT part, pos, key, value FROM records "
            "WHERE topic=? AND part=? AND pos>=? ORDER BY pos LIMIT ?",
            topic, partition, offset, limit,
        )  # fmt: skip
        return [Entry(*row) for row in rows]

    def ends(self, topic: str) -> list[int]:
        rows = self.ask("SELECT next FROM ends WHERE topic=? ORDER BY part", topic)
        return [row[0] for row in rows]

    def starts(self, topic: str) -> list[int]:
        rows = self.ask(
            "SELECT COALESCE((SELECT min(pos) FROM records r WHERE r.topic=e.topic AND "
            "r.part=e.part), e.next) FROM ends e WHERE topic=? ORDER BY part",
            topic,
        )
        return [row[0] for row in rows]

    def positions(self, topic: str, group: str) -> list[int]:
        rows = self.ask(
            "SELECT COALESCE(pos, 0) FROM ends e LEFT JOIN positions p ON p.topic=e.topic AND "
            "p.part=e.part AND p.grp=? WHERE e.topic=? ORDER BY e.part",
            group,
            topic,
        )
        return [row[0] for row in rows]

    def owners(self, topic: str, group: str) -> Owners:
        return owners_of(self.ask, self.topics[topic], group)

    def kept(self) -> Kept:
        with self._shared.write_lock, self.told():
            journal = self._writer.execute("PRAGMA journal_mode").fetchone()[0]
            syncs = self._writer.execute("PRAGMA synchronous").fetchone()[0]
        synced = journal == "wal" and syncs >= 2  # FULL
        return Kept(1, 1, () if synced else tuple(self.topics))

    def hold(self, held: bool) -> None:
        """Nothing is dropped here but by `trim`."""

    def trim(self, now_ms: int) -> None:
        for topic in self.topics.values():
            for part in range(topic.partitions):
                with self.transaction() as db:
                    keep = _keep_from(db, topic.name, part)
                    db.execute(
                        "DELETE FROM records WHERE topic=? AND part=? AND pos<? AND written_at<?",
                        (topic.name, part, keep, now_ms - topic.retention_h * 3_600_000),
                    )

    def writes(self, topic: str) -> int:
        """How often somebody in this process wrote to the topic."""
        return self._shared.writes.get(topic, 0)

    def wait(self, topic: str, timeout_s: float, seen: int) -> None:
        """Until somebody in this process has written to the topic more often than `seen`, as it was before it
        was read, or for as long as another process's writes may go unseen."""
        with self._shared.written(topic):
            self._shared.written(topic).wait_for(
                lambda: self.writes(topic) != seen, min(timeout_s, _PEER_POLL_S)
            )

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
        made = kept_positions(db, (group, topic, part))
        # with one snapshot the rebuild may still have to begin at the very start
        needed = pos if not made else (made[-2] if len(made) > 1 else 0)
        keep = min(keep, needed)
    return int(keep)
