"""Second factors: what a user has beside the password. A telephone's authenticator app (console/auth/totp.py)
or a card of codes; whoever has the app gets a card too, for the night when the telephone is lost.

An app's secret is needed to check its codes, so it is kept encrypted (AES-256-GCM, with a key derived
from `keys/console.key`): the file alone, as a backup holds it, opens nothing. Of a card only hashes are.
"""

import secrets
import sqlite3
import threading
from pathlib import Path
from typing import Literal, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from console.auth.totp import CARD, DIGITS, SECRET_BYTES, bare, card, kept, step_of

Kind = Literal["app", "card"]
_PENDING_MS = 30 * 60_000
_TABLES = """
CREATE TABLE IF NOT EXISTS factors(name TEXT PRIMARY KEY, kind TEXT NOT NULL, secret BLOB NOT NULL,
  used INTEGER NOT NULL DEFAULT 0, made_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cards(code TEXT PRIMARY KEY, name TEXT NOT NULL);
"""


class Offered(NamedTuple):
    """What a user is shown once, before they prove that they have it."""

    kind: Kind
    secret: bytes
    codes: tuple[str, ...]
    until: int


class Factors:
    """Every method may be called from any thread. private: 32 bytes."""

    def __init__(self, file: Path, private: bytes) -> None:
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_TABLES)
        key = HKDF(SHA256(), 32, salt=None, info=b"fengsui console factors").derive(private)
        self._cipher = AESGCM(key)
        self._lock = threading.RLock()
        self._offered: dict[str, Offered] = {}

    def close(self) -> None:
        self._db.close()

    def kind(self, name: str) -> str:
        """app, card, or "" where there is none, or none that can be read any more."""
        with self._lock:
            row = self._db.execute("SELECT kind FROM factors WHERE name=?", (name,)).fetchone()
        if row is None or (row[0] == "card" and not self.left(name)):
            return ""
        if row[0] == "app" and self._secret(name) is None and not self.left(name):
            return ""
        return str(row[0])

    def left(self, name: str) -> int:
        """Codes on the card that were not used yet."""
        with self._lock:
            return int(
                self._db.execute("SELECT count(*) FROM cards WHERE name=?", (name,)).fetchone()[0]
            )

    def offer(self, name: str, kind: Kind, now: int) -> Offered:
        """A new secret and card for this user; it counts once they have shown a code of it."""
        found = Offered(
            kind,
            secrets.token_bytes(SECRET_BYTES),
            tuple(card(secrets.token_bytes(8) for _ in range(CARD))),
            now + _PENDING_MS,
        )
        with self._lock:
            self._offered = {n: o for n, o in self._offered.items() if o.until > now}
            self._offered[name] = found
        return found

    def confirm(self, name: str, given: str, now: int) -> bool:
        """Was a code of what was offered shown? Then it takes the place of what was before; of a card
        the code that was shown is used up."""
        with self._lock:
            offered = self._offered.get(name)
            if offered is None or offered.until <= now:
                return False
            codes, used = [kept(name, c) for c in offered.codes], 0
            if offered.kind == "app":
                step = step_of(offered.secret, bare(given), now, 0)
                if step is None:
                    return False
                used = step
            else:
                shown = kept(name, given)
                if shown not in codes:
                    return False
                codes.remove(shown)
            nonce = secrets.token_bytes(12)
            sealed = nonce + self._cipher.encrypt(nonce, offered.secret, name.encode())
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM cards WHERE name=?", (name,))
            self._db.executemany("INSERT INTO cards VALUES(?,?)", [(c, name) for c in codes])
            self._db.execute(
                "INSERT OR REPLACE INTO factors VALUES(?,?,?,?,?)",
                (name, offered.kind, sealed, used, now),
            )
            self._db.execute("COMMIT")
            del self._offered[name]
        return True

    def check(self, name: str, given: str, now: int) -> str:
        """How that code was right: `app`, `card`; "": it was not. Each counts once."""
        plain = bare(given)
        with self._lock:
            row = self._db.execute(
                "SELECT kind, used FROM factors WHERE name=?", (name,)
            ).fetchone()
            if row is None:
                return ""
            secret = self._secret(name) if row[0] == "app" and len(plain) == DIGITS else None
            if secret is not None and (step := step_of(secret, plain, now, row[1])) is not None:
                self._db.execute("UPDATE factors SET used=? WHERE name=?", (step, name))
                return "app"
            gone = self._db.execute(
                "DELETE FROM cards WHERE code=? AND name=?", (kept(name, given), name)
            ).rowcount
            return "card" if gone else ""

    def forget(self, name: str) -> bool:
        """Take it away. False: there was none."""
        with self._lock:
            self._db.execute("DELETE FROM cards WHERE name=?", (name,))
            return self._db.execute("DELETE FROM factors WHERE name=?", (name,)).rowcount > 0

    def _secret(self, name: str) -> bytes | None:
        row = self._db.execute("SELECT secret FROM factors WHERE name=?", (name,)).fetchone()
        try:
            return self._cipher.decrypt(row[0][:12], row[0][12:], name.encode()) if row else None
        except InvalidTag:  # restored beside another key: the card still counts
            return None
