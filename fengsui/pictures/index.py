"""What is known of the pictures of a run: of which camera and time each is, which evidence names it, which
warnings are open. Beside the log, for the log forgets sooner."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from config.records.devices.pictures import PEOPLE
from console.model.follow import Follower, Place
from detectors.detection import Detection, Evidence, Mark
from dispatch.records import Alert, Custody
from fengsui.pictures.keeping import DAY_MS, Named, Shown
from ingest.observation import Observations, PersonSays
from stream.disk.files import make_folder
from stream.log.port import Log
from stream.records import Tick

FILE = "pictures.db"  # in the run's folder
_TOPICS = ("observations", "cases", "alerts")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pictures (
  station TEXT, at INTEGER, digest TEXT, PRIMARY KEY (station, at, digest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS of_digest ON pictures (digest);
CREATE TABLE IF NOT EXISTS evidence (
  digest TEXT, area TEXT, hazard TEXT, at INTEGER,
  PRIMARY KEY (digest, area, hazard)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS warnings (
  alert TEXT PRIMARY KEY, area TEXT, hazard TEXT, version INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (
  topic TEXT, part INTEGER, next INTEGER, PRIMARY KEY (topic, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
"""
_ENDED = ("cancelled", "expired")
_A_PAGE = 1000


class Deleted(NamedTuple):
    """So far. at: of the last look, ms; 0: there was none."""

    many: int
    bytes: int
    at: int
    held: int  # past their time, kept for evidence or an open warning
    blind: int  # of what was taken before, ms, nobody knows which evidence names it: it stays


class PictureIndex:
    """One thread's. Raises sqlite3.Error where its file cannot be read or written. custody: how often it has
    read that records were locked, or let go."""

    def __init__(self, file: Path) -> None:
        make_folder(file.parent)
        self.custody = 0
        self._db = sqlite3.connect(file, timeout=30.0, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _together(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # ---- what the log says

    def follow(self, log: Log) -> None:
        """All that is new, with how far that is, or nothing of it. Raises Unavailable."""
        since = {(t, p): n for t, p, n in self._db.execute("SELECT * FROM places")}
        lost = {
            t
            for t in _TOPICS
            for p, oldest in enumerate(log.starts(t))
            if oldest > since.get((t, p), 0)
        }
        follower = Follower(log, _TOPICS, since)
        with self._together():
            for topic, record in follower.take():
                if topic in lost and (at := _time_of(record)):
                    lost.discard(topic)
                    # evidence comes behind its pictures, by minutes
                    self._fact("blind", max(self._told("blind"), at + DAY_MS))
                self._take(record)
            self._far(follower.places)

    def _far(self, places: Mapping[Place, int]) -> None:
        rows = [(t, p, n) for (t, p), n in places.items()]
        self._db.executemany("INSERT OR REPLACE INTO places VALUES (?, ?, ?)", rows)

    def _take(self, record: Any) -> None:
        match record:
            case Observations() if record.ref:
                rows = [(o.station, o.observed_at, o.ref) for o in record.items if o.ref]
                self._db.executemany("INSERT OR IGNORE INTO pictures VALUES (?, ?, ?)", rows)
            case Custody():
                self.custody += 1
            case PersonSays() if record.photo:
                row = (PEOPLE, record.said_at, record.photo)
                self._db.execute("INSERT OR IGNORE INTO pictures VALUES (?, ?, ?)", row)
            case Detection():
                self._evidence(record.area, record.hazard, record.detected_at, record.evidence)
            case Alert():
                self._evidence(record.area, record.hazard, record.sent_at, record.evidence)
                self._warning(record)

    def _evidence(self, area: str, hazard: str, at: int, evidence: Sequence[Evidence]) -> None:
        rows = [(digest, area, hazard, at) for e in evidence for digest in e.frames]
        self._db.executemany(
            "INSERT INTO evidence VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
            rows,
        )

    def _warning(self, alert: Alert) -> None:
        if alert.state in _ENDED or alert.msg_type == "cancel":
            self._db.execute("DELETE FROM warnings WHERE alert = ?", (alert.id,))
            return
        row = (alert.id, alert.area, alert.hazard, alert.version)
        self._db.execute("INSERT OR REPLACE INTO warnings VALUES (?, ?, ?, ?)", row)

    # ---- what is asked

    def past(self, station: str, before: int, after: tuple[int, str]) -> list[tuple[int, str]]:
        """(at, digest) of a camera's pictures before a moment, the oldest first, behind `after`: a page of
        them."""
        sql = (
            "SELECT at, digest FROM pictures WHERE station = ? AND at < ? AND (at, digest) > (?, ?) "
            "ORDER BY at, digest LIMIT ?"
        )
        return self._db.execute(sql, (station, before, *after, _A_PAGE)).fetchall()

    def shown(self, digest: str) -> list[Shown]:
        """Every camera and time of it."""
        sql = "SELECT station, at FROM pictures WHERE digest = ?"
        return [Shown(*row) for row in self._db.execute(sql, (digest,))]

    def named(self, digest: str) -> list[Named]:
        """The evidence that names it."""
        sql = "SELECT area, hazard, at FROM evidence WHERE digest = ?"
        return [Named(*row) for row in self._db.execute(sql, (digest,))]

    def open_warnings(self) -> frozenset[tuple[str, str]]:
        """(area, hazard) of those that have not ended."""
        return frozenset(self._db.execute("SELECT area, hazard FROM warnings").fetchall())

    def deleted(self) -> Deleted:
        """So far."""
        return Deleted(*(self._told(x) for x in ("many", "bytes", "looked_at", "held", "blind")))

    # ---- what is written

    def gone(self, digests: Iterable[tuple[str, int]]) -> None:
        """These were deleted: (digest, bytes)."""
        found = list(digests)
        with self._together():
            for digest, size in found:
                self._db.execute("DELETE FROM pictures WHERE digest = ?", (digest,))
                self._db.execute("DELETE FROM evidence WHERE digest = ?", (digest,))
                self._fact("many", self._told("many") + 1)
                self._fact("bytes", self._told("bytes") + size)

    def looked(self, at: int, held: int) -> None:
        with self._together():
            self._fact("looked_at", at)
            self._fact("held", held)

    def _told(self, name: str) -> int:
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def _fact(self, name: str, value: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def _time_of(record: Any) -> int:
    """ms; 0: it has none."""
    match record:
        case Observations() | PersonSays():
            return record.received_at
        case Tick() | Mark():
            return record.clock_at
        case Detection():
            return record.detected_at
        case Alert():
            return record.sent_at
    return 0
