"""The record of the duty room's door and desk: who entered, what they did, and what was done to
accounts. Each entry holds the hash of the one before it and is signed with the console's own key
(`keys/console.key` of the run's folder), so an entry that is changed, put in or taken out of the middle
is found by this file alone; one taken from the end, by the ends that stand in the ledger
(console/auth/record_end.py).
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.language import Text

_DOMAIN = b"fengsui console record\0"
_A_MINUTE = 20  # refusals written one by one; the others of that minute become one line
_MINUTE_MS = 60_000
_TABLE = """
CREATE TABLE IF NOT EXISTS audit(n INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL,
  what TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL, signature TEXT NOT NULL DEFAULT '');
"""


class End(NamedTuple):
    """Where the record ends: how many entries, and the hash of the last."""

    n: int
    hash: str


class Noted(NamedTuple):
    """One entry."""

    at: int
    who: str
    what: str
    detail: str


def column(db: sqlite3.Connection, table: str, name: str, declared: str) -> None:
    """Put a column into a table that an older version made without it."""
    if name not in {row[1] for row in db.execute(f"PRAGMA table_info({table})")}:
        db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {declared}")


class Record:
    """Every method may be called from any thread. private: 32 bytes."""

    def __init__(self, file: Path, private: bytes) -> None:
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_TABLE)
        column(self._db, "audit", "signature", "TEXT NOT NULL DEFAULT ''")
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self._lock = threading.RLock()
        self._minute, self._refused = 0, 0

    def close(self) -> None:
        self._db.close()

    def note(self, at: int, who: str, what: str, detail: str) -> int:
        """Write down what somebody did, chained to what stands before it; the entry's number."""
        who, detail = _text(who), _text(detail)
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")  # the command line writes here too
            try:
                n = self._append(at, who, what, detail)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
        return n

    def _append(self, at: int, who: str, what: str, detail: str) -> int:
        last = self._db.execute("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1").fetchone()
        n, before = last or (0, "")
        seal = _hash(before, at, who, what, detail)
        signature = self._key.sign(_message(n + 1, at, who, what, detail, seal)).hex()
        self._db.execute(
            "INSERT INTO audit VALUES(?,?,?,?,?,?,?)",
            (n + 1, at, who, what, detail, seal, signature),
        )
        return int(n) + 1

    def refused(self, at: int, who: str, detail: str) -> None:
        """Write down a log-in that was refused. Whoever tries thousands does not fill the disk: of
        those of one minute the first stand here, of the others their number."""
        with self._lock:
            if at // _MINUTE_MS != self._minute:
                if self._refused > _A_MINUTE:
                    more = str(self._refused - _A_MINUTE)
                    self.note(at, "", "refused at the door, more", more)
                self._minute, self._refused = at // _MINUTE_MS, 0
            self._refused += 1
            if self._refused <= _A_MINUTE:
                self.note(at, who, "refused at the door", detail)

    def newest(self, count: int, without: str = "") -> list[tuple[int, int, str, str, str]]:
        """The last lines, newest first: (number, at, who, what, detail). without: what is left out."""
        with self._lock:
            return self._db.execute(
                "SELECT n, at, who, what, detail FROM audit WHERE what != ? ORDER BY n DESC LIMIT ?",
                (without, count),
            ).fetchall()

    def end(self) -> End:
        """Where it ends now."""
        with self._lock:
            row = self._db.execute("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1").fetchone()
        return End(*row) if row else End(0, "")

    def noted(self, ends: Iterable[End] = ()) -> list[Noted]:
        """The record, oldest first. ends: where it was seen to end before. Raises ValueError where it
        was changed, put in or taken away by another hand."""
        before, found, seals, signed = "", list[Noted](), [""], False
        public = self._key.public_key()
        with self._lock:
            rows = self._db.execute(
                "SELECT n, at, who, what, detail, hash, signature FROM audit ORDER BY n"
            ).fetchall()
        for n, at, who, what, detail, seal, signature in rows:
            entry = f"{n}: {at} {who} {what}"
            if n != len(seals) or _hash(before, at, who, what, detail) != seal:
                raise ValueError(
                    Text(f"操作记录第 {entry} 条被改动", f"the record was changed at {entry}")
                )
            # entries of older versions have none, and none of them comes after one that has
            signed = signed or bool(signature)
            try:
                if signed:
                    message = _message(n, at, who, what, detail, seal)
                    public.verify(bytes.fromhex(signature), message)
            except (ValueError, InvalidSignature) as e:
                raise ValueError(
                    Text(
                        f"操作记录第 {entry} 条签名不符：被改动，或 keys/console.key 不是写它的那把",
                        "the record was changed, or keys/console.key is not the one that wrote it: "
                        f"wrong signature at {entry}",
                    )
                ) from e
            before = seal
            seals.append(seal)
            found.append(Noted(at, who, what, detail))
        for end in ends:
            if end.n >= len(seals):
                raise ValueError(
                    Text(
                        f"操作记录被截短：台账知道第 {end.n} 条，这里只有 {len(seals) - 1} 条",
                        f"the record was cut off: the ledger knows entry {end.n}, {len(seals) - 1} are "
                        "here",
                    )
                )
            if seals[end.n] != end.hash:
                raise ValueError(
                    Text(
                        f"操作记录被改写：第 {end.n} 条与台账所记不同",
                        f"the record was changed: entry {end.n} is not the one of the ledger",
                    )
                )
        return found


def _text(given: str) -> str:
    """As it can be kept: JSON may hold halves of characters, which no file can."""
    return given.encode("utf-8", "replace").decode()


def _hash(before: str, at: int, who: str, what: str, detail: str) -> str:
    text = "|".join((before, str(at), who, what, detail))
    return hashlib.sha256(text.encode()).hexdigest()


def _message(n: int, *entry: object) -> bytes:
    return _DOMAIN + hashlib.sha256(json.dumps([n, *entry]).encode()).digest()
