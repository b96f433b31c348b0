"""The embedded history: one SQLite file a run, points clustered by station and time.

URL: sqlite:///FOLDER; about 25 bytes a point. Points are upserted by (station, quantity,
observed_at, seq), facts by (topic, partition, offset).
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.language import Text
from stream.disk.files import make_folder
from stream.history.port import Fact, Point
from stream.log.port import Unavailable
from stream.log.sqlite import folder_of, is_damaged

_SCHEMA = """
CREATE TABLE IF NOT EXISTS points (
  station TEXT, quantity TEXT, observed_at INTEGER, seq INTEGER, value INTEGER, flag INTEGER,
  PRIMARY KEY (station, quantity, observed_at, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (
  topic TEXT, part INTEGER, pos INTEGER, kind TEXT, area TEXT, fact_at INTEGER, body TEXT,
  PRIMARY KEY (topic, part, pos)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS facts_by_time ON facts (kind, fact_at);
"""


class SqliteHistory:
    """See `stream.history.History`."""

    def __init__(self, url: str, run: str, district: str) -> None:
        folder = folder_of(url)
        make_folder(folder)
        self.path: Path = (folder / f"{district}.{run}.history.db").resolve()
        self._lock = threading.Lock()
        with self._told():
            self._db = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)

    def write(self, points: Sequence[Point], facts: Sequence[Fact]) -> None:
        with self._lock:
            try:
                with self._told():
                    self._db.execute("BEGIN IMMEDIATE")
                    self._db.executemany(
                        "INSERT OR REPLACE INTO points VALUES (?,?,?,?,?,?)", points
                    )
                    self._db.executemany(
                        "INSERT OR REPLACE INTO facts VALUES (?,?,?,?,?,?,?)", facts
                    )
                    self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    with self._told():
                        self._db.execute("ROLLBACK")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors in our words: the line goes on without a history."""
        try:
            yield
        except sqlite3.DatabaseError as e:
            if is_damaged(e):
                raise Unavailable(
                    Text(
                        f"{self.path}: 历史库损坏，主线照常：{e}。停下 archive，移走此文件再启动；原有内"
                        "容用 fengsui restore --new-history 恢复（docs/backup.md）",
                        f"{self.path}: the history is damaged, the line goes on: {e}. Stop archive, "
                        "move the file away and start it; what it held comes back with fengsui restore "
                        "--new-history (docs/en/backup.md)",
                    )
                ) from e
            if isinstance(e, sqlite3.OperationalError):
                raise Unavailable(
                    Text(
                        f"{self.path}: 历史库写不了：{e}；清理磁盘后补齐",
                        f"{self.path}: the history cannot be written: {e}; free the disk, it catches up",
                    )
                ) from e
            raise

    def series(self, station: str, quantity: str, start_at: int, end_at: int) -> list[Point]:
        with self._lock, self._told():
            rows = self._db.execute(
                "SELECT station, quantity, observed_at, seq, value, flag FROM points WHERE "
                "station=? AND quantity=? AND observed_at>=? AND observed_at<? "
                "ORDER BY observed_at, seq",
                (station, quantity, start_at, end_at),
            ).fetchall()
        return [Point(*row) for row in rows]

    def facts(self, kind: str, start_at: int, end_at: int) -> list[Fact]:
        with self._lock, self._told():
            rows = self._db.execute(
                "SELECT topic, part, pos, kind, area, fact_at, body FROM facts WHERE kind=? AND "
                "fact_at>=? AND fact_at<? ORDER BY fact_at, topic, part, pos",
                (kind, start_at, end_at),
            ).fetchall()
        return [Fact(*row) for row in rows]

    def close(self) -> None:
        self._db.close()
