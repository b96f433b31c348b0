"""Who is inside: sessions of pages, links that let in once, and browsers that are known. Only hashes
of tokens are kept: a stolen file opens nothing.

A session may be half open: the password was right and something is still asked for (`step`). Such a
one lets into nothing.
"""

import hashlib
import secrets
import sqlite3
import threading
from pathlib import Path
from typing import NamedTuple

from console.auth.record import column

IDLE_MS = 12 * 3_600_000  # a shift
HALF_MS = 10 * 60_000  # between the password and whatever is asked for next
LINK_MS = 15 * 60_000
KNOWN_MS = 180 * 24 * 3_600_000
BROWSERS = 20  # of one user that are known
DAY_MS = 24 * 3_600_000
SCREEN_MS = 30 * DAY_MS  # of a viewer: a screen on the wall that asks nobody for weeks
_TABLES = """
CREATE TABLE IF NOT EXISTS sessions(token TEXT PRIMARY KEY, name TEXT NOT NULL, csrf TEXT NOT NULL,
  seen_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS links(token TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS known(token TEXT NOT NULL, name TEXT NOT NULL, seen_at INTEGER NOT NULL,
  PRIMARY KEY(token, name));
"""


class Session(NamedTuple):
    """One that is open. step: what is still asked for, "" when all is given. ends_at: however it is
    used."""

    name: str
    csrf: str
    step: str
    ends_at: int


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class Sessions:
    """Every method may be called from any thread. longest_ms: a session's end, however it is used; a
    viewer's is SCREEN_MS. Reads have a connection of their own, so no page waits for a log-in."""

    def __init__(self, file: Path, longest_ms: int = DAY_MS) -> None:
        self._longest = longest_ms
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)
        column(self._db, "sessions", "begun_at", "INTEGER NOT NULL DEFAULT 0")
        column(self._db, "sessions", "longest", "INTEGER NOT NULL DEFAULT 0")
        column(self._db, "sessions", "step", "TEXT NOT NULL DEFAULT ''")
        column(self._db, "links", "until", "INTEGER NOT NULL DEFAULT 0")
        self._reads = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._lock, self._reading = threading.Lock(), threading.Lock()

    def close(self) -> None:
        self._db.close()
        self._reads.close()

    def begin(self, name: str, role: str, now: int, step: str = "") -> str:
        """A new session's token."""
        token = secrets.token_urlsafe(32)
        longest = SCREEN_MS if role == "viewer" else self._longest
        with self._lock:
            self._db.execute(
                "DELETE FROM sessions WHERE seen_at<? OR begun_at+longest<?", (now - IDLE_MS, now)
            )
            self._db.execute(
                "INSERT INTO sessions(token, name, csrf, seen_at, begun_at, longest, step)"
                " VALUES(?,?,?,?,?,?,?)",
                (digest(token), name, secrets.token_urlsafe(24), now, now, longest, step),
            )
        return token

    def of(self, token: str, now: int) -> Session | None:
        """The session of that token; using it keeps it alive."""
        if not token:
            return None
        key = digest(token)
        with self._reading:
            row = self._reads.execute(
                "SELECT name, csrf, step, begun_at+longest, seen_at FROM sessions WHERE token=?",
                (key,),
            ).fetchone()
        if row is None:
            return None
        seen_at, found = row[4], Session(*row[:4])
        if seen_at < now - (HALF_MS if found.step else IDLE_MS) or found.ends_at <= now:
            return None
        if not found.step and now - seen_at > 60_000:
            with self._lock:
                self._db.execute("UPDATE sessions SET seen_at=? WHERE token=?", (now, key))
        return found

    def go_on(self, token: str, step: str) -> None:
        """What is asked for next; "": nothing more."""
        with self._lock:
            self._db.execute("UPDATE sessions SET step=? WHERE token=?", (step, digest(token)))

    def leave(self, token: str) -> None:
        """End one."""
        with self._lock:
            self._db.execute("DELETE FROM sessions WHERE token=?", (digest(token),))

    def end(self, name: str, but: str = "") -> None:
        """End all of one user, but this one."""
        with self._lock:
            self._db.execute(
                "DELETE FROM sessions WHERE name=? AND token<>?", (name, digest(but) if but else "")
            )

    def forget(self, name: str) -> None:
        """End all, and know none of this user's browsers and links any more."""
        self.end(name)
        with self._lock:
            self._db.execute("DELETE FROM links WHERE name=?", (name,))
            self._db.execute("DELETE FROM known WHERE name=?", (name,))

    def link(self, name: str, now: int, lasts_ms: int = LINK_MS) -> str:
        """A token that lets this user in once, until then."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._db.execute("DELETE FROM links WHERE until<?", (now,))
            self._db.execute(
                "INSERT INTO links(token, name, until) VALUES(?,?,?)",
                (digest(token), name, now + lasts_ms),
            )
        return token

    def of_link(self, token: str, now: int) -> str:
        """Whose link that is, used up with this; "" when it was used before, is over, or never was."""
        with self._lock:
            row = self._db.execute(
                "DELETE FROM links WHERE token=? RETURNING name, until", (digest(token),)
            ).fetchone()
        return row[0] if row and row[1] > now else ""

    def remember(self, name: str, token: str, now: int) -> str:
        """A token for a browser that this user has entered from: `token`, if others who sit there
        have it already, or a new one."""
        with self._lock:
            if not self._db.execute(
                "SELECT 1 FROM known WHERE token=?", (digest(token),)
            ).fetchone():
                token = secrets.token_urlsafe(24)
            self._db.execute(
                "INSERT OR REPLACE INTO known VALUES(?,?,?)", (digest(token), name, now)
            )
            self._db.execute(
                "DELETE FROM known WHERE seen_at<? OR (name=? AND token NOT IN (SELECT token FROM"
                " known WHERE name=? ORDER BY seen_at DESC, rowid DESC LIMIT ?))",
                (now - KNOWN_MS, name, name, BROWSERS),
            )
        return token

    def known(self, name: str, token: str, now: int) -> str:
        """The browser of that token, by a name of its own, if this user has entered from it; else
        ""."""
        if not token:
            return ""
        key = digest(token)
        with self._reading:
            row = self._reads.execute(
                "SELECT seen_at FROM known WHERE token=? AND name=?", (key, name)
            ).fetchone()
        if row is None or row[0] < now - KNOWN_MS:
            return ""
        if now - row[0] > DAY_MS:
            with self._lock:
                self._db.execute(
                    "UPDATE known SET seen_at=? WHERE token=? AND name=?", (now, key, name)
                )
        return f"browser {key[:12]}"
