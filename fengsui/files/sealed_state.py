"""What of a run's folder a district cannot do without, sealed by a passphrase: the duty room's accounts
and record (`console.db`), people's links, and their names and numbers as they stand encrypted
(`contacts.db`), with the keys of its rows, which are wrapped under the master key (`contacts-keys.db`; who
subscribed today has one, too). The master key is kept apart. Without a passphrase none of them is in a
backup, and it says so.

A sealed file is `FSEAL1\\n`, 16 bytes of salt, 12 of nonce, then AES-256-GCM under the key that scrypt
(RFC 7914; n = 2^15, r = 8, p = 1) makes of the passphrase; the file's name is bound in.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from config.language import Text
from fengsui.run.recipients import place
from fengsui.run.setup import Setup
from ingest.people.links import FILE as LINKS
from stream.disk.files import create_file
from stream.environment import Usage

PASSPHRASE = "FENGSUI_BACKUP_PASSPHRASE"  # noqa: S105  # a variable, no password
CONTACTS, KEYS = "contacts.db", "contacts-keys.db"  # of one moment
_MARK = b"FSEAL1\n"
_LEAST = 12  # characters of a passphrase


def places(setup: Setup) -> dict[str, Path]:
    """Name -> where it lies in a run."""
    return {
        "console.db": setup.folder / "console.db",
        LINKS: place(setup) / LINKS,
        CONTACTS: place(setup) / CONTACTS,
        KEYS: place(setup) / "keys" / KEYS,
    }


def held(setup: Setup) -> dict[str, bytes]:
    """What there is now; a database as it stands at one moment, though others write."""
    found = {}
    there = {name: path for name, path in places(setup).items() if path.exists()}
    with _nobody_writes(there):
        for name, path in there.items():
            if path.suffix != ".db":
                found[name] = path.read_bytes()
                continue
            with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(":memory:")) as copy:
                db.backup(copy)
                found[name] = copy.serialize()
    return found


@contextmanager
def _nobody_writes(there: Mapping[str, Path]) -> Iterator[None]:
    """A row of the contact store and its key are of one moment: others may read on."""
    if not {CONTACTS, KEYS} <= there.keys():
        yield
        return
    with closing(sqlite3.connect(there[CONTACTS], timeout=60, isolation_level=None)) as db:
        db.execute("ATTACH ? AS keys", (str(there[KEYS]),))
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            db.execute("ROLLBACK")


def sealed(name: str, body: bytes, passphrase: str) -> bytes:
    """Raises `Usage` for a passphrase that is too short."""
    if len(passphrase) < _LEAST:
        raise Usage(
            Text(
                f"{PASSPHRASE}: 太短，至少 {_LEAST} 个字符",
                f"{PASSPHRASE}: too short, at least {_LEAST} characters",
            )
        )
    salt, nonce = os.urandom(16), os.urandom(12)
    return _MARK + salt + nonce + AESGCM(_key(salt, passphrase)).encrypt(nonce, body, name.encode())


def opened(name: str, body: bytes, passphrase: str) -> bytes:
    """Raises `Usage` for another passphrase, or a file that was changed."""
    at = len(_MARK)
    try:
        if not body.startswith(_MARK):
            raise InvalidTag
        nonce = body[at + 16 : at + 28]
        key = AESGCM(_key(body[at : at + 16], passphrase))
        return key.decrypt(nonce, body[at + 28 :], name.encode())
    except (InvalidTag, ValueError) as e:
        raise Usage(
            Text(
                f"{name}: {PASSPHRASE} 不对，或文件被改",
                f"{name}: {PASSPHRASE} is wrong, or it was changed",
            )
        ) from e


def _key(salt: bytes, passphrase: str) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())


def put_back(setup: Setup, found: dict[str, bytes]) -> list[str]:
    """Write what is not there yet, for its owner alone; the names written."""
    written = []
    there = {name for name, path in places(setup).items() if path.exists()}
    if there & {CONTACTS, KEYS}:  # one without its other opens nothing
        there |= {CONTACTS, KEYS}
    for name, path in places(setup).items():
        if name in found and name not in there:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            create_file(path, found[name])
            written.append(name)
    return written
