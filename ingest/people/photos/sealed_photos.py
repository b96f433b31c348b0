"""Photographs that people sent, encrypted where they lie: `DIGEST.sealed` among the pictures, named by the
SHA-256 of the picture itself, by AES-256-GCM under a key of its own. The keys stand in `people-photos.db`
beside the contact store, wrapped under the master key of people's own words (ingest.people.kept_words), with
who sent them. To erase a person is to overwrite the keys of what nobody else sent: the file is noise from then
on, and is deleted when its time is over (pictures.csv).

A picture of before there were keys lies as it is until its time is over.
"""

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest.people.kept_words import MASTER_KEY, master_key
from stream.disk.blobs import FrameStore

FILE = "people-photos.db"
_NONCE = 12
_TABLES = (
    "CREATE TABLE IF NOT EXISTS photo (digest TEXT PRIMARY KEY, wrapped BLOB)",
    "CREATE TABLE IF NOT EXISTS sent (digest TEXT, person TEXT, PRIMARY KEY (digest, person))",
)


class SealedPhotos:
    """frames: the pictures; folder: that of the contact store, None where there is none, as in a trial with
    a plain list: then a photograph lies as any picture does. Each call opens the keys anew, so that whoever is
    erased by another process is gone for all."""

    def __init__(self, frames: FrameStore, folder: Path | None) -> None:
        self._plain, self._sealed, self._folder = frames, frames.beside(".sealed"), folder

    def put(self, person: str, jpeg: bytes) -> str:
        """Durable on return; the SHA-256 of the picture, hex. Raises OSError, ValueError and sqlite3.Error."""
        if self._folder is None:
            return self._plain.put(jpeg)
        digest = hashlib.sha256(jpeg).hexdigest()
        seal = AESGCM(master_key(self._folder))
        with closing(_open(self._folder)) as db:
            db.execute("BEGIN IMMEDIATE")  # until the file is there: nobody drops its key meanwhile
            key = _opens(seal, _wrapped(db, digest), self._sealed.get(digest), digest)
            anew = key is None
            if key is None:
                key = AESGCM.generate_key(256)
                wrapped = _encrypt(seal, key, digest)
                db.execute("INSERT OR REPLACE INTO photo VALUES (?, ?)", (digest, wrapped))
            self._sealed.keep(digest, _encrypt(AESGCM(key), jpeg, digest), anew=anew)
            db.execute("INSERT OR IGNORE INTO sent VALUES (?, ?)", (digest, person))
            db.execute("COMMIT")
        return digest

    def get(self, digest: str) -> bytes | None:
        """The picture; None if there is no such one of a person's, it was erased, or it cannot be read now."""
        body = self._sealed.get(digest)
        if body is None or self._folder is None or not (self._folder / FILE).exists():
            return None
        if not (self._folder / "keys" / MASTER_KEY).exists():
            return None  # whoever only looks makes no new one, in the place of one that is to be put back
        try:
            with closing(_open(self._folder)) as db:
                wrapped = _wrapped(db, digest)
            if wrapped is None:
                return None
            key = _decrypt(AESGCM(master_key(self._folder)), wrapped, digest)
            return _decrypt(AESGCM(key), body, digest)
        except (InvalidTag, ValueError, OSError, sqlite3.Error):
            return None

    def drop(self, digest: str, before: int) -> int | None:
        """As `FrameStore.drop`, and its key with it. Raises sqlite3.Error too: then the file is there still."""
        if self._folder is None or not (self._folder / FILE).exists():
            return self._sealed.drop(digest, before)
        with closing(_open(self._folder)) as db:
            db.execute("BEGIN IMMEDIATE")  # who sends it again meanwhile waits, and has a key of its own
            size = self._sealed.drop(digest, before)
            if size is not None:  # 0: of a file that went as the machine did
                db.execute("DELETE FROM photo WHERE digest = ?", (digest,))
                db.execute("DELETE FROM sent WHERE digest = ?", (digest,))
            db.execute("COMMIT")
        return size


class Pictures:
    """All of a run's pictures: cameras' and people's."""

    def __init__(self, frames: FrameStore, folder: Path | None) -> None:
        self._frames, self._photos = frames, SealedPhotos(frames, folder)

    def get(self, digest: str) -> bytes | None:
        """The bytes, or None if there is none that can be read."""
        found = self._frames.get(digest)
        return found if found is not None else self._photos.get(digest)

    def drop(self, digest: str, before: int) -> int | None:
        """As `FrameStore.drop`."""
        size = self._frames.drop(digest, before)
        return self._photos.drop(digest, before) if size == 0 else size


def erase_photos(folder: Path, persons: Sequence[str]) -> None:
    """The keys of all that these sent and nobody else. folder: that of the contact store. Raises OSError and
    sqlite3.Error."""
    if not (folder / FILE).exists():
        return
    with closing(_open(folder)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("DELETE FROM sent WHERE person = ?", [(p,) for p in persons])
        db.execute("DELETE FROM photo WHERE digest NOT IN (SELECT digest FROM sent)")
        db.execute("COMMIT")


def _wrapped(db: sqlite3.Connection, digest: str) -> bytes | None:
    row = db.execute("SELECT wrapped FROM photo WHERE digest = ?", (digest,)).fetchone()
    return None if row is None else bytes(row[0])


def _opens(seal: AESGCM, wrapped: bytes | None, body: bytes | None, digest: str) -> bytes | None:
    """The key, where it opens what lies there or nothing does. None of one that is gone, as whoever sent the
    picture before was erased, or that opens nothing: it is written anew under another."""
    if wrapped is None:
        return None
    try:
        key = _decrypt(seal, wrapped, digest)
        if body is not None:
            _decrypt(AESGCM(key), body, digest)
    except (InvalidTag, ValueError):
        return None
    return key


def _open(folder: Path) -> sqlite3.Connection:
    file = folder / FILE
    file.touch(mode=0o600)
    db = sqlite3.connect(file, timeout=60, isolation_level=None)
    for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "secure_delete=ON"):
        db.execute(f"PRAGMA {pragma}")
    for table in _TABLES:
        db.execute(table)
    return db


def _encrypt(seal: AESGCM, plain: bytes, digest: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + seal.encrypt(nonce, plain, digest.encode())


def _decrypt(seal: AESGCM, sealed: bytes, digest: str) -> bytes:
    return seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], digest.encode())
