"""Who may enter: users with their passwords (argon2id), their sessions, programs with tokens, and a
chained record of what they did at the door and at the desk. One SQLite file in the run's folder.

A user acts upon warnings as an officer of officers.csv; which acts that officer may do is decide's
to say. The role only says which buttons there are.
"""

import hashlib
import secrets
import sqlite3
import threading
from pathlib import Path
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

ROLES = ("viewer", "duty", "approver", "administrator")
_PREPARE = ("propose", "approve", "return", "hold", "escalate", "raise", "task")
ACTS_OF: dict[str, tuple[str, ...]] = {
    "viewer": (),
    "duty": _PREPARE,
    "approver": (*_PREPARE, "release", "reject", "lower", "cancel", "override"),
    "administrator": (),
}
IDLE_MS = 12 * 3_600_000  # a shift
LOCK_AFTER, LOCK_MS = 5, 5 * 60_000
SHORTEST = 10  # characters of a password
_TABLES = """
CREATE TABLE IF NOT EXISTS users(name TEXT PRIMARY KEY, role TEXT NOT NULL, officer TEXT NOT NULL,
  hash TEXT NOT NULL, failed INTEGER NOT NULL DEFAULT 0, locked_until INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS sessions(token TEXT PRIMARY KEY, name TEXT NOT NULL, csrf TEXT NOT NULL,
  seen_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS links(token TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens(name TEXT PRIMARY KEY, token TEXT UNIQUE NOT NULL,
  role TEXT NOT NULL, officer TEXT NOT NULL, seen_at INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS audit(n INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL,
  what TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL);
"""


class User(NamedTuple):
    """Somebody who has entered. csrf: what each of their requests that changes anything names."""

    name: str
    role: str
    officer: str
    csrf: str = ""


def _digest(token: str) -> str:
    """What is kept of a token: a stolen file opens no session."""
    return hashlib.sha256(token.encode()).hexdigest()


class Users:
    """The door. Every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "console.db"
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_TABLES)
        self._lock = threading.RLock()
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def close(self) -> None:
        self._db.close()

    def add(self, name: str, role: str, officer: str, password: str) -> None:
        """A new user, or a new role and password of an old one, whose sessions end. Raises
        ValueError with what is wrong."""
        if role not in ROLES:
            raise ValueError(f"角色 role: {', '.join(ROLES)}")
        if len(password) < SHORTEST:
            raise ValueError(
                f"口令至少{SHORTEST}个字符 a password has {SHORTEST} characters or more"
            )
        hashed = self._hasher.hash(password)
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO users(name, role, officer, hash) VALUES(?,?,?,?)",
                (name, role, officer, hashed),
            )
            self._db.execute("DELETE FROM sessions WHERE name=?", (name,))

    def remove(self, name: str) -> bool:
        """Away, with their sessions. False: there was no such user."""
        with self._lock:
            self._db.execute("DELETE FROM sessions WHERE name=?", (name,))
            return self._db.execute("DELETE FROM users WHERE name=?", (name,)).rowcount > 0

    def everybody(self) -> list[User]:
        """All users by name."""
        with self._lock:
            rows = self._db.execute("SELECT name, role, officer FROM users ORDER BY name")
            return [User(*row) for row in rows]

    def link(self, name: str) -> str:
        """A token that lets this user in once."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._db.execute("INSERT INTO links VALUES(?,?)", (_digest(token), name))
        return token

    def enter_by_link(self, token: str, now: int) -> str:
        """A session's token; "" when the link was used before or never was."""
        with self._lock:
            row = self._db.execute(
                "DELETE FROM links WHERE token=? RETURNING name", (_digest(token),)
            ).fetchone()
        return self._begin(row[0], now) if row else ""

    def enter(self, name: str, password: str, now: int) -> str:
        """A session's token; "" when it is not right or the user is locked. Both take as long."""
        with self._lock:
            row = self._db.execute(
                "SELECT hash, failed, locked_until FROM users WHERE name=?", (name,)
            ).fetchone()
            try:
                self._hasher.verify(row[0] if row else self._nobody, password)
                right = True
            except (VerificationError, InvalidHashError):
                right = False
            if row is None or row[2] > now:
                return ""
            failed = 0 if right else row[1] + 1
            until = now + LOCK_MS if failed >= LOCK_AFTER else 0
            self._db.execute(
                "UPDATE users SET failed=?, locked_until=? WHERE name=?",
                (0 if until else failed, until, name),
            )
        return self._begin(name, now) if right else ""

    def _begin(self, name: str, now: int) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._db.execute("DELETE FROM sessions WHERE seen_at<?", (now - IDLE_MS,))
            self._db.execute(
                "INSERT INTO sessions VALUES(?,?,?,?)",
                (_digest(token), name, secrets.token_urlsafe(24), now),
            )
        return token

    def of(self, token: str, now: int) -> User | None:
        """Whose session that is; using it keeps it alive."""
        if not token:
            return None
        with self._lock:
            row = self._db.execute(
                "SELECT u.name, u.role, u.officer, s.csrf, s.seen_at FROM sessions s"
                " JOIN users u ON u.name=s.name WHERE s.token=?",
                (_digest(token),),
            ).fetchone()
            if row is None or row[4] < now - IDLE_MS:
                return None
            if now - row[4] > 60_000:
                self._db.execute(
                    "UPDATE sessions SET seen_at=? WHERE token=?", (now, _digest(token))
                )
        return User(*row[:4])

    def issue(self, name: str, role: str, officer: str) -> str:
        """A token for a program, shown this once: only its hash is kept. Raises ValueError."""
        if role not in ROLES:
            raise ValueError(f"角色 role: {', '.join(ROLES)}")
        token = secrets.token_urlsafe(32)
        with self._lock:
            try:
                self._db.execute(
                    "INSERT INTO tokens(name, token, role, officer) VALUES(?,?,?,?)",
                    (name, _digest(token), role, officer),
                )
            except sqlite3.IntegrityError as e:
                raise ValueError(f"已有令牌 {name}，先撤销 revoke it first: token remove") from e
        return token

    def revoke(self, name: str) -> bool:
        """It opens nothing from now on. False: there was no such token."""
        with self._lock:
            return self._db.execute("DELETE FROM tokens WHERE name=?", (name,)).rowcount > 0

    def issued(self) -> list[tuple[str, str, str, int]]:
        """(name, role, officer, when it was last used) of all tokens."""
        with self._lock:
            rows = self._db.execute("SELECT name, role, officer, seen_at FROM tokens ORDER BY name")
            return list(rows)

    def of_token(self, token: str, now: int) -> User | None:
        """Whose token that is. On record a program is `api:NAME`."""
        with self._lock:
            row = self._db.execute(
                "SELECT name, role, officer, seen_at FROM tokens WHERE token=?", (_digest(token),)
            ).fetchone()
            if row is None:
                return None
            if now - row[3] > 60_000:
                self._db.execute("UPDATE tokens SET seen_at=? WHERE name=?", (now, row[0]))
        return User(f"api:{row[0]}", row[1], row[2])

    def leave(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._db.execute("DELETE FROM sessions WHERE token=?", (_digest(token),))

    def note(self, at: int, who: str, what: str, detail: str) -> None:
        """Write down what somebody did, chained to what stands before it."""
        with self._lock:
            last = self._db.execute("SELECT hash FROM audit ORDER BY n DESC LIMIT 1").fetchone()
            text = "|".join((last[0] if last else "", str(at), who, what, detail))
            self._db.execute(
                "INSERT INTO audit(at, who, what, detail, hash) VALUES(?,?,?,?,?)",
                (at, who, what, detail, hashlib.sha256(text.encode()).hexdigest()),
            )

    def newest(self, count: int) -> list[tuple[int, int, str, str, str]]:
        """The last lines of the record, newest first: (number, at, who, what, detail)."""
        with self._lock:
            return self._db.execute(
                "SELECT n, at, who, what, detail FROM audit ORDER BY n DESC LIMIT ?", (count,)
            ).fetchall()

    def noted(self) -> list[tuple[int, str, str, str]]:
        """The record, oldest first. Raises ValueError where it was changed by another hand."""
        before, found = "", []
        with self._lock:
            rows = self._db.execute("SELECT at, who, what, detail, hash FROM audit ORDER BY n")
            for at, who, what, detail, seal in rows:
                text = "|".join((before, str(at), who, what, detail))
                if hashlib.sha256(text.encode()).hexdigest() != seal:
                    raise ValueError(f"操作记录被改动 the record was changed at {at} {who} {what}")
                before = seal
                found.append((at, who, what, detail))
        return found
