"""The contact store: people's names and numbers, encrypted at rest, a key for each row.

Two SQLite files of a run's folder, changed in one transaction:

- `contacts.db`: opaque id, choices (role, areas, channels …: no personal data) and the personal
  columns (`config.records.district.PERSONAL`) as AES-256-GCM under the row's own key;
- `keys/contacts-keys.db`: the row keys, each wrapped by AES-256-GCM under the master key, which
  stands in `keys/contacts.key` or in the file that FENGSUI_CONTACTS_KEY_FILE names.

To erase a person is to overwrite the row and its key: a copy of `contacts.db` alone then holds
nothing that can be read. A copy of the keys dies with the master key that `rotate` replaces. The
id is bound to both as associated data, so that rows cannot be exchanged. NIST SP 800-38D: a key
here encrypts one message, and the master key far fewer than 2**32 with random nonces.

Beside each row stands a mark of its number, an HMAC under a key that lies with the row keys: so whose a
number is can be looked up without opening every row, and `contacts.db` alone tells no number. An id that
begins with `ASKED` is a number to which a code went, and nobody yet (dispatch/people/residents).

With the row keys lies one more, wrapped like them, with which whoever holds the store signs what
subscribers chose (dispatch/people/signed_choices.py).
"""

import hashlib
import hmac
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.language import Text
from config.records.district import PERSONAL, Contact
from dispatch.nodes.keys import read_secret
from stream.disk.files import make_folder, write_file

MASTER = "FENGSUI_CONTACTS_KEY_FILE"
ASKED = "asked:"
_SIGNER = "signing key"  # what it is wrapped as
CODE = "{code}"  # in the words of a message to such a one: its code, which stands as its name
_NONCE = 12
_TABLES = """
CREATE TABLE IF NOT EXISTS main.contact (id TEXT PRIMARY KEY, choices BLOB, private BLOB);
CREATE TABLE IF NOT EXISTS main.erased (id TEXT PRIMARY KEY, at INTEGER);
CREATE TABLE IF NOT EXISTS main.fact (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS main.number (id TEXT PRIMARY KEY, mark TEXT);
CREATE INDEX IF NOT EXISTS main.by_mark ON number (mark);
CREATE TABLE IF NOT EXISTS keys.row (id TEXT PRIMARY KEY, wrapped BLOB);
CREATE TABLE IF NOT EXISTS keys.pepper (one INTEGER PRIMARY KEY, key BLOB);
CREATE TABLE IF NOT EXISTS keys.signer (one INTEGER PRIMARY KEY, wrapped BLOB);
CREATE TABLE IF NOT EXISTS keys.master (one INTEGER PRIMARY KEY, fingerprint TEXT);
"""
_EMPTY = dict.fromkeys(PERSONAL, "")
_decoder = msgspec.json.Decoder(Contact)
_private = msgspec.json.Decoder(list[str])


class Erased(Exception):
    """The id belongs to somebody who was erased; it is never given again."""


def master_file(folder: Path) -> Path:
    """Where the master key of this run stands."""
    return Path(os.environ.get(MASTER, "") or folder / "keys" / "contacts.key")


class ContactStore:
    """The store of the run whose state folder this is. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Opens it; it is made when it is not there. Raises ValueError naming the file when the
        master key is missing, is another one, or may be read by others."""
        make_folder(folder / "keys", 0o700)
        self._folder = folder
        self._lock = threading.RLock()
        self.file, keys = folder / "contacts.db", folder / "keys" / "contacts-keys.db"
        for path in (self.file, keys):
            path.touch(mode=0o600)
        self._db = sqlite3.connect(
            self.file, timeout=60, isolation_level=None, check_same_thread=False
        )
        self._db.execute("ATTACH ? AS keys", (str(keys),))
        for name in ("main", "keys"):  # a rollback journal: one commit over both files is atomic
            self._db.execute(f"PRAGMA {name}.journal_mode=DELETE")
            self._db.execute(f"PRAGMA {name}.synchronous=EXTRA")
            self._db.execute(f"PRAGMA {name}.secure_delete=ON")
        with self.change():
            for statement in filter(str.strip, _TABLES.split(";")):
                self._db.execute(statement)
            self._seal = AESGCM(self._master())
            fresh = os.urandom(32)
            self._db.execute("INSERT OR IGNORE INTO keys.pepper VALUES (1, ?)", (fresh,))
            self.signing_key = self._signer()  # 32 raw bytes, Ed25519
            (self._pepper,) = self._db.execute("SELECT key FROM keys.pepper").fetchone()

    def _signer(self) -> bytes:
        """Made where there is none, and anew where it cannot be read: a list of people that does not open
        for its sake would leave a valley unwarned. Inside a transaction."""
        row = self._db.execute("SELECT wrapped FROM keys.signer").fetchone()
        if row is not None:
            with suppress(InvalidTag):
                return _decrypt(self._seal, row[0], _SIGNER)
        key = os.urandom(32)
        self._keep_signer(self._seal, key)
        return key

    def _keep_signer(self, seal: AESGCM, key: bytes) -> None:
        wrapped = _encrypt(seal, key, _SIGNER.encode())
        self._db.execute("INSERT OR REPLACE INTO keys.signer VALUES (1, ?)", (wrapped,))

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """All of it or nothing; others wait. Inside another it is part of that one."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def put(self, contacts: Iterable[Contact]) -> int:
        """Take these, in place of what stands under the same ids. Raises Erased."""
        gone, count = self.erased(), 0
        rows, keys, marks = [], [], []
        for c in contacts:
            if c.id in gone:
                raise Erased(c.id)
            key, name = AESGCM.generate_key(256), c.id.encode()
            private = msgspec.json.encode([getattr(c, column) for column in PERSONAL])
            choices = msgspec.json.encode(msgspec.structs.replace(c, **_EMPTY))
            rows.append((c.id, choices, _encrypt(AESGCM(key), private, name)))
            keys.append((c.id, _encrypt(self._seal, key, name)))
            marks.append((c.id, self.mark(c.phone)))
            count += 1
        with self.change():
            self._db.executemany("INSERT OR REPLACE INTO contact VALUES (?, ?, ?)", rows)
            self._db.executemany("INSERT OR REPLACE INTO keys.row VALUES (?, ?)", keys)
            self._db.executemany("INSERT OR REPLACE INTO number VALUES (?, ?)", marks)
        return count

    def load(self) -> dict[str, Contact]:
        """Everybody by id, in order, without names and numbers. Decrypts nothing."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT choices FROM contact WHERE id NOT LIKE '{ASKED}%' ORDER BY id"  # noqa: S608
            ).fetchall()
        return {c.id: c for c in (_decoder.decode(choices) for (choices,) in rows)}

    def whole(self, contact_id: str) -> Contact | None:
        """One contact with name and numbers. Raises ValueError if it cannot be decrypted."""
        with self._lock:
            row = self._db.execute(
                "SELECT choices, private, wrapped FROM contact JOIN keys.row USING (id)"
                " WHERE id = ?",
                (contact_id,),
            ).fetchone()
            if row is None:
                return None
            choices, private, wrapped = row
            seal = self._seal
            try:
                key = _decrypt(seal, wrapped, contact_id)
            except InvalidTag:  # another process may have changed the master key
                with self.change():
                    seal = self._seal = AESGCM(self._master())
                try:
                    key = _decrypt(seal, wrapped, contact_id)
                except InvalidTag as e:
                    raise ValueError(self._sealed(contact_id)) from e
        try:
            values = _private.decode(_decrypt(AESGCM(key), private, contact_id))
        except InvalidTag as e:
            raise ValueError(self._sealed(contact_id)) from e
        return msgspec.structs.replace(
            _decoder.decode(choices), **dict(zip(PERSONAL, values, strict=True))
        )

    def ids(self) -> list[str]:
        with self._lock:
            found = self._db.execute("SELECT id FROM contact ORDER BY id")
            return [i for (i,) in found if not i.startswith(ASKED)]

    def asked(self) -> list[str]:
        """Ids of numbers to which a code or an answer went, and which are nobody's yet."""
        with self._lock:
            found = self._db.execute("SELECT id FROM contact ORDER BY id")
            return [i for (i,) in found if i.startswith(ASKED)]

    def mark(self, number: str) -> str:
        """What stands for a number here; "" for none."""
        digits = digits_of(number)
        return self.mark_of(digits) if digits else ""

    def mark_of(self, text: str) -> str:
        """What stands for a text that is not to be written down."""
        return hmac.digest(self._pepper, text.encode(), "sha256").hex()[:32]

    def with_number(self, number: str) -> list[str]:
        """Ids of everybody with this number, and of what was asked of it. A store of before numbers had
        marks is marked the first time; a damaged row is nobody's."""
        with self.change():
            self._mark_all()
            found = self._db.execute(
                "SELECT id FROM number WHERE mark = ? AND mark <> '' ORDER BY id",
                (self.mark(number),),
            ).fetchall()
        return [i for (i,) in found]

    def _mark_all(self) -> None:
        bare = self._db.execute(
            "SELECT contact.id FROM contact LEFT JOIN number USING (id) WHERE mark IS NULL"
        ).fetchall()
        for (name,) in bare:
            try:
                whole = self.whole(name)
            except (ValueError, msgspec.MsgspecError):
                whole = None
            mark = self.mark(whole.phone) if whole else ""
            self._db.execute("INSERT OR REPLACE INTO number VALUES (?, ?)", (name, mark))

    def drop(self, names: Iterable[str]) -> None:
        """Overwrite these rows and keys; unlike `erase` it keeps no note that they were here."""
        with self.change():
            for name in names:
                self._forget(name)

    def _forget(self, name: str) -> None:
        for table in ("contact", "number", "keys.row"):
            self._db.execute(f"DELETE FROM {table} WHERE id = ?", (name,))  # noqa: S608  # ours

    def erased(self) -> set[str]:
        """Ids that were erased: nobody gets them again."""
        with self._lock:
            return {i for (i,) in self._db.execute("SELECT id FROM erased")}

    def erase(self, ids: Sequence[str], at: int) -> list[str]:
        """Overwrite rows and keys; the ids that were here. at: epoch ms."""
        known = set(self.ids())
        found = [i for i in ids if i in known]
        with self.change():
            self._mark_all()
            for name in found:
                # what was asked of the same number goes too
                same = self._db.execute(
                    "SELECT b.id FROM number a JOIN number b USING (mark) WHERE a.id = ?"
                    " AND mark <> ''",
                    (name,),
                ).fetchall()
                self.drop(i for (i,) in same if i.startswith(ASKED))
                self._forget(name)
                self._db.execute("INSERT OR IGNORE INTO erased VALUES (?, ?)", (name, at))
        return found

    def fact(self, name: str, value: str | None = None) -> str:
        """A note of the store about itself; set it when a value is given."""
        with self._lock:
            if value is not None:
                self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))
            row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def rotate(self) -> int:
        """A new master key: every row key is wrapped anew, the old master key is overwritten. A
        crash at any instant leaves one of the two keys, and the store under it."""
        file = master_file(self._folder)
        fresh = AESGCM.generate_key(256)
        with self.change():
            old = AESGCM(self._master())
            following = file.with_name(file.name + ".next")
            write_file(following, _as_text(fresh))
            rows = self._db.execute("SELECT id, wrapped FROM keys.row").fetchall()
            seal = AESGCM(fresh)
            wrapped = [(_encrypt(seal, _decrypt(old, w, i), i.encode()), i) for i, w in rows]
            self._db.executemany("UPDATE keys.row SET wrapped = ? WHERE id = ?", wrapped)
            self._keep_signer(seal, self.signing_key)
            self._db.execute("UPDATE keys.master SET fingerprint = ?", (_fingerprint(fresh),))
        self._seal = seal
        with self.change():  # others that look for the key wait
            _replace(following, file)
        return len(rows)

    def _sealed(self, contact_id: str) -> Text:
        return f"{self.file}: {contact_id} " + Text("解不开", "cannot be decrypted")

    def _master(self) -> bytes:
        """The key that the store is under; made with it. Inside a transaction."""
        file = master_file(self._folder)
        following = file.with_name(file.name + ".next")
        row = self._db.execute("SELECT fingerprint FROM keys.master").fetchone()
        if row is None:
            if not file.exists():
                write_file(file, _as_text(AESGCM.generate_key(256)))
            key = read_secret(file)
            self._db.execute("INSERT INTO keys.master VALUES (1, ?)", (_fingerprint(key),))
            return key
        if following.exists():  # `rotate` was cut off
            key = read_secret(following)
            if _fingerprint(key) == row[0]:
                _replace(following, file)
                return key
        key = read_secret(file)
        if _fingerprint(key) != row[0]:
            raise ValueError(
                Text(
                    f"{file}: 不是联系人库 {self.file} 的主密钥：放回原密钥，或用 {MASTER} 指明",
                    f"{file}: is not the master key of {self.file}: put the right one back, or "
                    f"name it with {MASTER}",
                )
            )
        return key


def digits_of(number: str) -> str:
    """+86 138-0013-8000, 008613800138000, 13800138000: the last eleven figures; shorter: all."""
    return "".join(c for c in number if c.isascii() and c.isdigit())[-11:]


def _encrypt(seal: AESGCM, plain: bytes, name: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + seal.encrypt(nonce, plain, name)


def _decrypt(seal: AESGCM, sealed: bytes, name: str) -> bytes:
    return seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(b"fengsui contacts master" + key).hexdigest()[:16]


def _as_text(key: bytes) -> bytes:
    return key.hex().encode() + b"\n"


def _replace(following: Path, file: Path) -> None:
    """The new key in place of the old one, whose bytes are overwritten first."""
    if file.exists():
        with file.open("r+b") as f:
            f.write(b"0" * file.stat().st_size)
            f.flush()
            os.fsync(f.fileno())
    following.replace(file)
