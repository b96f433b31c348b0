"""What people wrote that nobody here could read, and what strangers wrote, with their number so that
somebody can call back: kept for the duty room as it is, apart from the log, encrypted, and erased after
three days, or when a retention lock (stream/disk/locks.py) is let go.

`people-words.db` beside the contact store: opaque ids and times in plain, the words by AES-256-GCM under
a key of the row, and that key under the master key in `keys/people-words.key` (0600), the row's id bound
to both. A deleted row is overwritten (SQLite's secure_delete).
"""

import hmac
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.language import Text, text_of
from stream.disk.files import create_file, make_folder
from stream.disk.locks import in_force
from stream.oplog import Seldom
from stream.wall_clock import now_ms

STRANGER = "X-"  # so begins what stands for a number that nobody on the list has
MASTER_KEY = "people-words.key"  # in `keys` beside the contact store
KEPT_MS = 72 * 3_600_000
_MOST = 10_000
_NONCE = 12
_LONGEST = 2_000
_HOUR_MS = 3_600_000
_TABLE = (
    "CREATE TABLE IF NOT EXISTS word (id TEXT PRIMARY KEY, person TEXT, area TEXT, at INTEGER,"
    " wrapped BLOB, sealed BLOB)"
)
Keep = Callable[[str, str, str, str, int], None]


class Kept(NamedTuple):
    """Someone's own words; at: epoch ms of the run's clock."""

    id: str
    person: str
    area: str
    at: int
    text: str


class Words:
    """folder: that of the contact store. Threads may share it. Raises OSError and sqlite3.Error."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._lock = threading.Lock()
        self.file = folder / "people-words.db"
        self.file.touch(mode=0o600)
        self._seal = AESGCM(master_key(folder))
        self._db = sqlite3.connect(
            self.file, timeout=60, isolation_level=None, check_same_thread=False
        )
        for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "secure_delete=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(_TABLE)

    def close(self) -> None:
        self._db.close()

    def put(self, ident: str, person: str, area: str, text: str, at: int) -> None:
        """Durable on return; the same id again changes nothing."""
        key, name = AESGCM.generate_key(256), ident.encode()
        row = (
            ident, person, area, at,
            _encrypt(self._seal, key, name),
            _encrypt(AESGCM(key), text[:_LONGEST].encode("utf-8", "replace"), name),
        )  # fmt: skip
        with self._lock:
            self._forget(at)
            self._db.execute("INSERT OR IGNORE INTO word VALUES (?, ?, ?, ?, ?, ?)", row)

    def read(self, now: int) -> list[Kept]:
        """Those that are not over, newest first. Raises ValueError for one that cannot be decrypted."""
        with self._lock:
            self._forget(now)
            rows = self._db.execute(
                "SELECT * FROM word WHERE at > ? ORDER BY at DESC, id", (now - KEPT_MS,)
            ).fetchall()
        found = []
        for ident, person, area, at, wrapped, sealed in rows:
            try:
                key = self._seal.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], ident.encode())
                text = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], ident.encode())
            except InvalidTag as e:
                raise ValueError(
                    Text(
                        f"{self.file}: {ident} 解不开", f"{self.file}: {ident} cannot be decrypted"
                    )
                ) from e
            found.append(Kept(ident, person, area, at, text.decode()))
        return found

    def forget(self, now: int) -> None:
        """Erase what is over."""
        with self._lock:
            self._forget(now)

    def erase(self, persons: Sequence[str]) -> None:
        """Everything that these wrote."""
        with self._lock:
            self._db.executemany("DELETE FROM word WHERE person = ?", [(p,) for p in persons])

    def _forget(self, now: int) -> None:
        try:
            if in_force(self.file.parent, now_ms()):
                return  # an investigation has locked what lies here
        except ValueError:
            return  # a lock that cannot be read is one
        self._db.execute("DELETE FROM word WHERE at <= ?", (now - KEPT_MS,))
        self._db.execute(
            "DELETE FROM word WHERE id NOT IN (SELECT id FROM word ORDER BY at DESC LIMIT ?)",
            (_MOST,),
        )


def _alias(key: bytes, number: str) -> str:
    mark = hmac.digest(key, b"number|" + number.encode(), "sha256").hex()[:12]
    return f"{STRANGER}{mark}"


class Keeper:
    """Keeps words where there is a store, and says so where it cannot: a report is never lost for it."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._words: Words | None = None
        self._seldom = Seldom()
        self._forgot_at = 0
        self._own = os.urandom(32)

    def put(self, ident: str, person: str, area: str, text: str, at: int) -> None:
        """See `Words.put`; raises nothing."""
        self._do(lambda words: words.put(ident, person, area, text, at))

    def alias(self, number: str) -> str:
        """What stands for a number that nobody on the list has: the same for the same number, and
        nobody without the store's key finds the number to it. Where no store is, one of this process."""
        key = self._own
        try:
            if self._folder is not None:
                key = master_key(self._folder)
        except (OSError, ValueError) as e:
            said = Text("来信原话的钥匙：", "the key of people's own words: ") + text_of(e)
            self._seldom("ingest", said)
        return _alias(key, number)

    def look(self, now: int) -> None:
        """Once an hour: what is over is erased, whether anybody writes or not."""
        if now >= self._forgot_at + _HOUR_MS:
            self._forgot_at = now
            if self._folder is not None and (self._folder / "people-words.db").exists():
                self._do(lambda words: words.forget(now))

    def _do(self, act: Callable[[Words], None]) -> None:
        if self._folder is None:
            return
        try:
            if self._words is None:
                self._words = Words(self._folder)
            act(self._words)
        except (OSError, sqlite3.Error, ValueError) as e:
            self._words = None
            said = Text("来信原话存不下：", "people's own words cannot be kept: ") + text_of(e)
            self._seldom("ingest", said)


def master_key(folder: Path) -> bytes:
    """The key that wraps the keys of what people wrote and of their photographs. folder: that of the contact
    store. Raises OSError and ValueError."""
    make_folder(folder / "keys", 0o700)
    return _master(folder / "keys" / MASTER_KEY)


def _encrypt(seal: AESGCM, plain: bytes, name: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + seal.encrypt(nonce, plain, name)


def _master(file: Path) -> bytes:
    """The key; made when it is not there, whole or not at all. Raises ValueError for one that others
    may read, or that is none."""
    if not file.exists():
        create_file(file, AESGCM.generate_key(256).hex().encode())
    if file.stat().st_mode & 0o077:
        raise ValueError(
            Text(f"{file}: 别人也能读：chmod 600", f"{file}: others may read it: chmod 600")
        )
    return bytes.fromhex(file.read_text())
