"""Who may enter: users with their passwords (console/auth/hashing.py, password_rules.py) and second factors
(console/auth/factors.py), sessions (console/auth/sessions.py), programs with tokens, refused log-ins
(console/auth/attempts.py), and the record of all of it (console/auth/record.py). One SQLite file in the run's
folder.

A user acts upon warnings as an officer of officers.csv; which acts that officer may do is decide's
to say. The role only says which buttons there are.
"""

import re
import secrets
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from config.language import Text
from config.records.door import OPEN, Door
from console.auth.attempts import Attempts
from console.auth.factors import Factors
from console.auth.hashing import fits, hashed, outdated
from console.auth.password_rules import wrong
from console.auth.record import End, Noted, Record, column
from console.auth.sessions import DAY_MS, IDLE_MS, LINK_MS, Sessions, digest
from dispatch.nodes.keys import pair_of
from stream.disk.files import make_folder

__all__ = ["ACTS_OF", "IDLE_MS", "ROLES", "User", "Users"]

ROLES = ("viewer", "duty", "approver", "administrator", "security", "auditor")
_PREPARE = ("propose", "approve", "return", "hold", "escalate", "raise", "task", "instruct",
            "reserve", "issue", "restore", "recheck")  # fmt: skip
ACTS_OF: dict[str, tuple[str, ...]] = {
    "viewer": (),
    "duty": _PREPARE,
    "approver": (*_PREPARE, "release", "reject", "lower", "cancel", "override"),
    "administrator": (),
    "security": (),
    "auditor": (),
}
# what is asked for at the door, in this order
STEPS = ("password", "code", "change", "factor")
LATER = 3  # times that whoever is asked for a second factor may enter without making one
HOUR_MS = 3_600_000
_NAME = re.compile(r"[^\s|\x00-\x1f\ud800-\udfff]{1,40}")
_TABLES = """
CREATE TABLE IF NOT EXISTS users(name TEXT PRIMARY KEY, role TEXT NOT NULL, officer TEXT NOT NULL,
  hash TEXT NOT NULL, failed INTEGER NOT NULL DEFAULT 0, locked_until INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS tokens(name TEXT PRIMARY KEY, token TEXT UNIQUE NOT NULL,
  role TEXT NOT NULL, officer TEXT NOT NULL, seen_at INTEGER NOT NULL DEFAULT 0);
"""


class User(NamedTuple):
    """Somebody who has entered. csrf: what each of their requests that changes anything names.
    ends_at: of the session, however it is used (ms)."""

    name: str
    role: str
    officer: str
    csrf: str = ""
    ends_at: int = 0


class Tried(NamedTuple):
    """What came of a name and a password. wait_ms: how long none is looked at from there."""

    right: bool
    wait_ms: int = 0


class Users:
    """The door. Every method may be called from any thread. No lock is held while a password is
    hashed, and who asks whose session that is (`of`) waits for no writer."""

    def __init__(self, folder: Path, door: Door = OPEN) -> None:
        self.folder, self.door = folder, door
        make_folder(folder)
        path = folder / "console.db"
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_TABLES)
        column(self._db, "users", "set_at", "INTEGER NOT NULL DEFAULT 0")
        column(self._db, "users", "change", "INTEGER NOT NULL DEFAULT 0")
        column(self._db, "users", "later", "INTEGER NOT NULL DEFAULT 0")
        self._reads = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._lock, self._reading = threading.RLock(), threading.Lock()
        private = pair_of(folder, "console").private
        self.record = Record(path, private)
        self.factors = Factors(path, private)
        self.sessions = Sessions(path, door.session_h * HOUR_MS)
        self.attempts = Attempts(path)

    def close(self) -> None:
        for part in (
            self.record,
            self.factors,
            self.sessions,
            self.attempts,
            self._reads,
            self._db,
        ):
            part.close()

    # ---- accounts

    def add(
        self,
        name: str,
        role: str,
        officer: str,
        password: str,
        *,
        now: int = 0,
        change: bool = False,
        kept: str = "",
    ) -> None:
        """A new user, or a new role and password of an old one, whose sessions end; a second factor
        stays. change: somebody else knows the password, they choose another when they enter. kept:
        what `hashed` has made of the password already, where several have the same. Raises ValueError
        with what is wrong."""
        if not _NAME.fullmatch(name):
            raise ValueError(
                Text(
                    f"用户名 {name[:40]!r}: 1–40 个字，无空格",
                    f"the name {name[:40]!r}: 1–40 characters, no blanks",
                )
            )
        if role not in ROLES:
            raise ValueError(Text(f"角色：{', '.join(ROLES)}", f"role: {', '.join(ROLES)}"))
        if words := wrong(password, name):
            raise ValueError(words)
        kept = kept or hashed(password)
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO users(name, role, officer, hash, set_at, change)"
                " VALUES(?,?,?,?,?,?)",
                (name, role, officer, kept, now, change),
            )
        self.sessions.forget(name)
        self.attempts.free(name)

    def give(self, name: str, role: str, officer: str) -> None:
        """Another role and officer; the sessions end. Raises ValueError."""
        if role not in ROLES:
            raise ValueError(Text(f"角色：{', '.join(ROLES)}", f"role: {', '.join(ROLES)}"))
        with self._lock:
            self._db.execute(
                "UPDATE users SET role=?, officer=? WHERE name=?", (role, officer, name)
            )
        self.sessions.end(name)

    def choose(self, name: str, password: str, now: int, but: str = "") -> None:
        """A password of their own, other than the one before; their other sessions end. Raises
        ValueError."""
        with self._reading:
            row = self._reads.execute("SELECT hash FROM users WHERE name=?", (name,)).fetchone()
        words = wrong(password, name)
        if not words and (row is None or fits(row[0], password)):
            words = Text("新口令须与旧的不同", "take another than the one before")
        if words:
            raise ValueError(words)
        kept = hashed(password)
        with self._lock:
            self._db.execute(
                "UPDATE users SET hash=?, set_at=?, change=0 WHERE name=?", (kept, now, name)
            )
        self.sessions.end(name, but)

    def remove(self, name: str) -> bool:
        """Away, with their sessions. False: there was no such user."""
        with self._lock:
            gone = self._db.execute("DELETE FROM users WHERE name=?", (name,)).rowcount > 0
        self.sessions.forget(name)
        self.factors.forget(name)
        return gone

    def everybody(self) -> list[User]:
        """All users by name."""
        with self._reading:
            rows = self._reads.execute("SELECT name, role, officer FROM users ORDER BY name")
            return [User(*row) for row in rows]

    def known(self, name: str) -> User | None:
        """That user, if there is one."""
        with self._reading:
            row = self._reads.execute(
                "SELECT name, role, officer FROM users WHERE name=?", (name,)
            ).fetchone()
        return User(*row) if row else None

    # ---- the door

    def check(self, name: str, password: str, where: str, now: int) -> Tried:
        """Is that this user's password? where: a place of console/auth/attempts.py. Wrong and unknown
        names take as long. Hashes in the caller's thread."""
        if wait := self.attempts.wait_ms(name, where, now):
            return Tried(False, wait)
        with self._reading:
            row = self._reads.execute("SELECT hash FROM users WHERE name=?", (name,)).fetchone()
        if not fits(row[0] if row else "", password) or row is None:
            self.attempts.refused(name, where, now)
            return Tried(False, self.attempts.wait_ms(name, where, now))
        self.attempts.passed(name, where)
        if outdated(row[0]):
            anew = hashed(password)
            with self._lock:
                self._db.execute(
                    "UPDATE users SET hash=? WHERE name=? AND hash=?", (anew, name, row[0])
                )
        return Tried(True)

    def step(self, user: User, now: int, given: str) -> str:
        """What is asked for next, when `given` of STEPS and all before it was given; "": nothing."""
        left = STEPS[STEPS.index(given) + 1 :]
        if "code" in left and self.factors.kind(user.name):
            return "code"
        with self._reading:
            row = self._reads.execute(
                "SELECT set_at, change FROM users WHERE name=?", (user.name,)
            ).fetchone()
        days = self.door.password_days
        old = bool(days) and row is not None and row[0] + days * DAY_MS <= now
        if "change" in left and row is not None and (row[1] or old):
            return "change"
        wants = user.role in self.door.second_factor and not self.factors.kind(user.name)
        return "factor" if "factor" in left and wants else ""

    def must_change(self, name: str) -> bool:
        """Do they choose another password when they enter?"""
        with self._reading:
            row = self._reads.execute("SELECT change FROM users WHERE name=?", (name,)).fetchone()
        return bool(row and row[0])

    def later(self, name: str, *, take: bool = False) -> int:
        """How often they may still enter without making a second factor; take: this is one time."""
        with self._lock:
            if take:
                self._db.execute("UPDATE users SET later=later+1 WHERE name=?", (name,))
            row = self._db.execute("SELECT later FROM users WHERE name=?", (name,)).fetchone()
        return max(0, LATER - row[0]) if row else 0

    def enter(self, name: str, password: str, now: int, where: str = "here") -> str:
        """A session's token, which may be half open; "" when the password is not right or that place
        has to wait."""
        user = self.known(name)
        if not self.check(name, password, where, now).right or user is None:
            return ""
        return self.sessions.begin(name, user.role, now, self.step(user, now, "password"))

    def link(self, name: str, now: int, lasts_ms: int = LINK_MS) -> str:
        """A token that lets this user in once, until then."""
        return self.sessions.link(name, now, lasts_ms)

    def enter_by_link(self, token: str, now: int) -> str:
        """A session's token; "" when the link was used before, is over, or never was. Whoever made
        the link answers for who it is: no code is asked for."""
        user = self.known(self.sessions.of_link(token, now))
        if user is None:
            return ""
        return self.sessions.begin(user.name, user.role, now, self.step(user, now, "code"))

    def of(self, token: str, now: int) -> User | None:
        """Whose session that is; using it keeps it alive."""
        session = self.sessions.of(token, now)
        if session is None or session.step:
            return None
        user = self.known(session.name)
        return user._replace(csrf=session.csrf, ends_at=session.ends_at) if user else None

    def leave(self, token: str) -> None:
        """End a session."""
        self.sessions.leave(token)

    # ---- programs

    def issue(self, name: str, role: str, officer: str) -> str:
        """A token for a program, shown this once: only its hash is kept. Raises ValueError."""
        if role not in ROLES:
            raise ValueError(Text(f"角色：{', '.join(ROLES)}", f"role: {', '.join(ROLES)}"))
        token = secrets.token_urlsafe(32)
        with self._lock:
            try:
                self._db.execute(
                    "INSERT INTO tokens(name, token, role, officer) VALUES(?,?,?,?)",
                    (name, digest(token), role, officer),
                )
            except sqlite3.IntegrityError as e:
                raise ValueError(
                    Text(f"已有令牌 {name}，先撤销", f"there is a token {name}: revoke it first")
                ) from e
        return token

    def revoke(self, name: str) -> bool:
        """It opens nothing from now on. False: there was no such token."""
        with self._lock:
            return self._db.execute("DELETE FROM tokens WHERE name=?", (name,)).rowcount > 0

    def issued(self) -> list[tuple[str, str, str, int]]:
        """(name, role, officer, when it was last used) of all tokens."""
        with self._reading:
            return self._reads.execute(
                "SELECT name, role, officer, seen_at FROM tokens ORDER BY name"
            ).fetchall()

    def of_token(self, token: str, now: int) -> User | None:
        """Whose token that is. On record a program is `api:NAME`."""
        with self._reading:
            row = self._reads.execute(
                "SELECT name, role, officer, seen_at FROM tokens WHERE token=?", (digest(token),)
            ).fetchone()
        if row is None:
            return None
        if now - row[3] > 60_000:
            with self._lock:
                self._db.execute("UPDATE tokens SET seen_at=? WHERE name=?", (now, row[0]))
        return User(f"api:{row[0]}", row[1], row[2])

    # ---- the record

    def note(self, at: int, who: str, what: str, detail: str) -> None:
        """Write down what somebody did."""
        self.record.note(at, who, what, detail)

    def newest(self, count: int, without: str = "") -> list[tuple[int, int, str, str, str]]:
        """The last lines of the record, newest first: (number, at, who, what, detail)."""
        return self.record.newest(count, without)

    def noted(self, ends: Iterable[End] = ()) -> list[Noted]:
        """The record, oldest first; see `Record.noted`. Raises ValueError."""
        return self.record.noted(ends)


_ALL = ("add", "role", "password", "unlock", "factor", "link", "remove", "record")
_SEPARATE = {
    "administrator": ("add", "password", "unlock", "remove"),
    "security": ("role", "unlock", "factor"),
    "auditor": ("record",),
}
_TOGETHER = {
    "administrator": _ALL,
    "security": ("role", "unlock", "factor"),
    "auditor": ("record",),
}


def may(user: User, door: Door) -> tuple[str, ...]:
    """What this user may do about others' accounts."""
    return (_SEPARATE if door.separate_administrators else _TOGETHER).get(user.role, ())
