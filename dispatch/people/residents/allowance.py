"""How often a number, an address and everybody together may make us send a message: counted a day each, kept
over a restart, shared by the page and by `send`, and there to be looked at.

`residents.db` beside the contact store: no number and no address stands in it, only marks of them
(`ContactStore.mark`). What waits for its code stands here too, without number and code. Whoever is refused
costs no message and, of a day that is full, no write but a count.
"""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from stream.disk.files import make_folder

Kind = Literal["number", "host", "page", "all", "tries"]
CODE_MS = 10 * 60_000  # how long a code counts
TRIES = 5  # of one code
NUMBER_DAY = 10  # messages that a number gets in a day, codes and answers
CODES_DAY = 3  # codes that the page sends to one number in a day
HOST_DAY = 60  # codes that one address asks for: many phones of one carrier share one
_KEPT_DAYS = 30
_TABLES = """
CREATE TABLE IF NOT EXISTS tally
  (day INTEGER, kind TEXT, who TEXT, n INTEGER, refused INTEGER, PRIMARY KEY (day, kind, who));
CREATE TABLE IF NOT EXISTS waiting
  (id TEXT PRIMARY KEY, mark TEXT, wish BLOB, tries INTEGER, until_at INTEGER);
CREATE INDEX IF NOT EXISTS by_mark ON waiting (mark);
"""
_DAY_MS = 86_400_000


class Limit(NamedTuple):
    """So many a day of one."""

    kind: str
    who: str
    most: int


class Waiting(NamedTuple):
    """What waits for its code. wish: as it was encoded."""

    id: str
    mark: str
    wish: bytes
    tries: int
    until_at: int


class Tally(NamedTuple):
    """A day (days since 1970 of the wall clock, UTC) and kind: how many were let, refused, and of how many
    different ones."""

    day: int
    kind: str
    let: int
    refused: int
    who: int


class Allowance:
    """folder: of the contact store. Threads and processes may share it. Raises OSError and sqlite3.Error."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        file = folder / "residents.db"
        file.touch(mode=0o600)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, timeout=60, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def lets(self, limits: Sequence[Limit], now: int) -> str:
        """Count one more against all of these, or, where one of them is full, none: its kind; "" where it may
        be. now: wall clock, ms."""
        day = now // _DAY_MS
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                full = next((x for x in limits if self._n(day, x) >= x.most), None)
                for x in [full] if full else limits:
                    more, refused = (0, 1) if full else (1, 0)
                    self._db.execute(
                        "INSERT INTO tally VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                        " n = n + excluded.n, refused = refused + excluded.refused",
                        (day, x.kind, x.who, more, refused),
                    )
                self._db.execute("DELETE FROM tally WHERE day < ?", (day - _KEPT_DAYS,))
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        return full.kind if full else ""

    def _n(self, day: int, x: Limit) -> int:
        row = self._db.execute(
            "SELECT n FROM tally WHERE day = ? AND kind = ? AND who = ?", (day, x.kind, x.who)
        ).fetchone()
        return int(row[0]) if row else 0

    def tallies(self) -> list[Tally]:
        """By day, newest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT day, kind, SUM(n), SUM(refused), COUNT(*) FROM tally"
                " GROUP BY day, kind ORDER BY day DESC, kind"
            ).fetchall()
        return [Tally(*r) for r in rows]

    def wait(self, w: Waiting) -> bool:
        """Remember it; False: it is known already."""
        with self._lock:
            done = self._db.execute("INSERT OR IGNORE INTO waiting VALUES (?, ?, ?, ?, ?)", w)
            return done.rowcount == 1

    def waits(self, ident: str, now: int) -> Waiting | None:
        """By its id, if it is not over or tried out."""
        return next(iter(self._waiting("id", ident, now)), None)

    def of_mark(self, mark: str, now: int) -> list[Waiting]:
        """Everything of one number, newest first."""
        return self._waiting("mark", mark, now)

    def _waiting(self, column: str, value: str, now: int) -> list[Waiting]:
        with self._lock:
            rows = self._db.execute(
                f"SELECT * FROM waiting WHERE {column} = ? AND until_at > ? AND tries < {TRIES}"  # noqa: S608
                " ORDER BY until_at DESC",
                (value, now),
            ).fetchall()
        return [Waiting(*r) for r in rows]

    def tried(self, ident: str) -> None:
        """Somebody entered a wrong code."""
        with self._lock:
            self._db.execute("UPDATE waiting SET tries = tries + 1 WHERE id = ?", (ident,))

    def done(self, ident: str) -> None:
        """It waits no more."""
        with self._lock:
            self._db.execute("DELETE FROM waiting WHERE id = ?", (ident,))

    def over(self, now: int) -> list[str]:
        """Ids of what waited too long."""
        with self._lock:
            rows = self._db.execute("SELECT id FROM waiting WHERE until_at <= ?", (now,)).fetchall()
        return [i for (i,) in rows]

    def forget(self, idents: Sequence[str]) -> None:
        """These wait no more."""
        with self._lock:
            self._db.executemany("DELETE FROM waiting WHERE id = ?", [(i,) for i in idents])

    def ids(self) -> list[str]:
        """Of everything that waits, or was answered a while ago."""
        with self._lock:
            return [i for (i,) in self._db.execute("SELECT id FROM waiting").fetchall()]
