"""What of a folder's files is in the log: a file and each of its readings once, whatever instant a crash comes
at.

Before its records are appended a file is noted with the ends of the log; after a start whatever was noted is
looked for behind those ends: the log has all of it or nothing.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from ingest.observation import Observation, Observations
from stream.disk.files import make_folder
from stream.log.port import Log
from stream.records import DeadLetter

_SCHEMA = """
CREATE TABLE IF NOT EXISTS taken (digest TEXT PRIMARY KEY, at INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (
  station TEXT, quantity TEXT, at INTEGER, value INTEGER, flag INTEGER,
  PRIMARY KEY (station, quantity, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (digest TEXT PRIMARY KEY, source TEXT, ends BLOB) WITHOUT ROWID;
"""
_TOPICS = ("observations", "dead-letters")
KEPT_MS = 40 * 86_400_000  # longer than ingest takes a reading for (30 days)


class _Pending(NamedTuple):
    source: str
    ends: dict[str, list[int]]


def digest_of(body: bytes) -> str:
    """Of a file's bytes; the mark of its readings is made of it."""
    return hashlib.sha256(body).hexdigest()


def mark_of(digest: str) -> str:
    """As `Observations.marks` has it."""
    return f"{digest[:32]}:0"


class FileMemory:
    """One thread's. Raises sqlite3.Error where its file cannot be read or written."""

    def __init__(self, file: Path) -> None:
        make_folder(file.parent)
        self._db = sqlite3.connect(file, timeout=5.0, isolation_level=None)
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")  # a folder is one process's
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._db.execute(
            "DELETE FROM taken WHERE digest = ''"
        )  # so that the lock is held from now on

    def close(self) -> None:
        self._db.close()

    def taken(self, digest: str) -> bool:
        """Is this file in the log?"""
        row = self._db.execute("SELECT 1 FROM taken WHERE digest = ?", (digest,)).fetchone()
        return row is not None

    def news(self, found: Sequence[Observation]) -> list[Observation]:
        """Those that no file has said before, or that now say something else; of one moment the last."""
        last = {(o.station, o.quantity, o.observed_at): o for o in found}
        sql = "SELECT value, flag FROM seen WHERE station = ? AND quantity = ? AND at = ?"
        with closing(self._db.cursor()) as cursor:
            return [
                o
                for key, o in last.items()
                if cursor.execute(sql, key).fetchone() != (o.value, int(o.flag))
            ]

    def note(self, digest: str, source: str, log: Log) -> None:
        """It is about to be appended."""
        ends = msgspec.json.encode({t: log.ends(t) for t in _TOPICS})
        # of a file of that name that is there no more: its letters would be taken for this one's
        self._db.execute("DELETE FROM pending WHERE source = ?", (source,))
        self._db.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?)", (digest, source, ends))

    def noted(self, digest: str) -> bool:
        """Was it, before this process began?"""
        return self._pending(digest) is not None

    def in_log(self, digest: str, log: Log) -> bool:
        """Does the log have what was noted of it?"""
        noted = self._pending(digest)
        return noted is not None and _stands(log, noted, mark_of(digest))

    def done(self, digest: str, found: Sequence[Observation], now: int) -> None:
        """The log has it. found: its readings."""
        rows = [(o.station, o.quantity, o.observed_at, o.value, int(o.flag)) for o in found]
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO taken VALUES (?, ?)", (digest, now))
            self._db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)", rows)
            self._db.execute("DELETE FROM pending WHERE digest = ?", (digest,))

    def forget(self, now: int) -> None:
        """What is so old that ingest would not take it either."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM taken WHERE at < ?", (now - KEPT_MS,))
            self._db.execute("DELETE FROM seen WHERE at < ?", (now - KEPT_MS,))

    def _pending(self, digest: str) -> _Pending | None:
        sql = "SELECT source, ends FROM pending WHERE digest = ?"
        row = self._db.execute(sql, (digest,)).fetchone()
        return None if row is None else _Pending(row[0], msgspec.json.decode(row[1]))


_readings = msgspec.json.Decoder(Observations)
_letters = msgspec.json.Decoder(DeadLetter)


def _stands(log: Log, noted: _Pending, mark: str) -> bool:
    """One record of it stands in the log, so all do."""
    for topic in _TOPICS:
        starts, before = log.starts(topic), noted.ends.get(topic, [])
        for part, end in enumerate(log.ends(topic)):
            at = max(starts[part], before[part] if part < len(before) else 0)
            while at < end and (entries := log.read(topic, part, at)):
                at = entries[-1].offset + 1
                if any(_of_it(topic, e.value, noted.source, mark) for e in entries):
                    return True
    return False


def _of_it(topic: str, value: bytes, source: str, mark: str) -> bool:
    try:
        if topic == "observations":
            return mark.encode() in value and mark in _readings.decode(value).marks
        return _letters.decode(value).source == source
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
