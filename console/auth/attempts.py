"""Log-ins that were refused, counted by name and place, so that guessing is slow and nobody's guesses
shut another out.

A place is a browser that this user has entered from before (its cookie), or else a network address.
After FREE wrong log-ins of one name from one place that place waits, longer each time; the same name
enters from every other place as before. So there is no lock that a stranger could put on an officer.
"""

import sqlite3
import threading
from pathlib import Path
from typing import NamedTuple

FREE = 5
FIRST_WAIT_MS, LONGEST_WAIT_MS = 30_000, 15 * 60_000
FORGOTTEN_MS = 24 * 3_600_000
MANY, MANY_MS = 10, 10 * 60_000  # so many of one name within it: the duty room is told
KEPT = 20_000  # rows; strangers can invent names and places
_SWEPT = 200  # refusals between two looks for rows to forget
_TABLE = """
CREATE TABLE IF NOT EXISTS tries(name TEXT NOT NULL, place TEXT NOT NULL, failed INTEGER NOT NULL,
  last_at INTEGER NOT NULL, PRIMARY KEY(name, place));
"""


class Guessed(NamedTuple):
    """Of one name, lately: how often it was refused, from how many places, and when last."""

    name: str
    failed: int
    places: int
    last_at: int


class Attempts:
    """Every method may be called from any thread; another process may take waits away (`free`)."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        # a count that a power cut takes back is no loss, and no log-in waits for the disk
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLE)
        self._lock = threading.Lock()
        self._counted = 0

    def close(self) -> None:
        self._db.close()

    def wait_ms(self, name: str, where: str, now: int) -> int:
        """How long this name must not be tried from there; 0: it may be."""
        with self._lock:
            row = self._db.execute(
                "SELECT failed, last_at FROM tries WHERE name=? AND place=?", (name, where)
            ).fetchone()
        if row is None or row[0] < FREE:
            return 0
        wait = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(row[0] - FREE, 16))
        return int(max(0, min(wait, row[1] + wait - now)))  # whatever the clock did meanwhile

    def refused(self, name: str, where: str, now: int) -> int:
        """Count one. How often it has been refused there."""
        with self._lock:
            if self._counted % _SWEPT == 0:
                self._db.execute(
                    "DELETE FROM tries WHERE last_at<? OR rowid IN (SELECT rowid FROM tries"
                    " ORDER BY last_at DESC LIMIT -1 OFFSET ?)",
                    (now - FORGOTTEN_MS, KEPT),
                )
            self._counted += 1
            row = self._db.execute(
                "INSERT INTO tries VALUES(?,?,1,?) ON CONFLICT(name, place) DO UPDATE SET"
                " failed=failed+1, last_at=excluded.last_at RETURNING failed",
                (name, where, now),
            ).fetchone()
        return int(row[0])

    def passed(self, name: str, where: str) -> None:
        """The right person was there: that place begins anew."""
        with self._lock:
            self._db.execute("DELETE FROM tries WHERE name=? AND place=?", (name, where))

    def free(self, name: str) -> int:
        """Let this name be tried from everywhere again; how many places had refused it."""
        with self._lock:
            return self._db.execute("DELETE FROM tries WHERE name=?", (name,)).rowcount

    def held(self, name: str, now: int) -> int:
        """In how many places this name has to wait now."""
        with self._lock:
            places = self._db.execute(
                "SELECT place FROM tries WHERE name=? AND failed>=?", (name, FREE)
            ).fetchall()
        return sum(self.wait_ms(name, where, now) > 0 for (where,) in places)

    def guessed(self, now: int) -> list[Guessed]:
        """Names refused MANY times lately, the most refused first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT name, sum(failed), count(*), max(last_at) FROM tries WHERE last_at>?"
                " GROUP BY name HAVING sum(failed)>=? ORDER BY 2 DESC LIMIT 20",
                (now - MANY_MS, MANY),
            ).fetchall()
        return [Guessed(*row) for row in rows]
