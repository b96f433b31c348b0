"""Which file for the release platform is of which message of ours, and which answers were read: one JSON
file in the run's folder, written whole. An identifier is written down before its file goes out, so that a
message tried again, or after a crash, keeps the one it has. A file that says nothing any more is set aside:
a warning must not wait for whoever mends it."""

import threading
from datetime import datetime
from pathlib import Path

import msgspec

from config.records.channels import Release
from dispatch.cap.national.message import identifiers
from dispatch.channels import damaged
from stream.disk.files import set_aside, write_file
from stream.oplog import say

_KEPT = 5000  # messages
_READ = 4 * _KEPT  # names of answers: more than one to a message


class Released(msgspec.Struct, frozen=True):
    """identifier: the platform's. key: of the attempt, by which an answer finds its delivery. chain: of
    all versions of one warning. colour: what stands in <severity>. laid: its file lay there whole once."""

    identifier: str
    key: str
    chain: str
    version: int
    colour: str
    laid: bool = True  # an older build did not say


class _Book(msgspec.Struct):
    messages: dict[str, Released] = {}
    read: list[str] = []


class ReleaseRegister:
    """file: made at the first entry. Raises OSError where it can be neither read nor written. Any thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._loaded: _Book | None = None

    @property
    def _book(self) -> _Book:
        if self._loaded is None:
            self._loaded = self._read()
        return self._loaded

    def _read(self) -> _Book:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Book)
        except FileNotFoundError:
            return _Book()
        except (msgspec.DecodeError, UnicodeDecodeError):
            say("send", damaged(self._file.name, set_aside(self._file).name))
            return _Book()

    def entry(
        self,
        release: Release,
        name: str,
        key: str,
        chain: str,
        version: int,
        colour: str,
        at: datetime,
    ) -> Released:
        """Of our message `name`; the one it has, or a new one."""
        with self._lock:
            if (known := self._book.messages.get(name)) is not None:
                return known
            used = frozenset(e.identifier for e in self._book.messages.values())
            made = Released(identifiers(release, at, used), key, chain, version, colour, laid=False)
            self._book.messages[name] = made
            while len(self._book.messages) > _KEPT:
                del self._book.messages[next(iter(self._book.messages))]
            self._write()
            return made

    def note_laid(self, name: str) -> None:
        """The file of our message `name` lies there."""
        with self._lock:
            entry = self._book.messages.get(name)
            if entry is not None and not entry.laid:
                self._book.messages[name] = msgspec.structs.replace(entry, laid=True)
                self._write()

    def chain(self, chain: str) -> list[Released]:
        """All versions of a warning, the first one first."""
        with self._lock:
            found = [e for e in self._book.messages.values() if e.chain == chain]
        return sorted(found, key=lambda e: e.version)

    def by_identifier(self) -> dict[str, Released]:
        with self._lock:
            return {e.identifier: e for e in self._book.messages.values()}

    def unread(self, names: list[str]) -> list[str]:
        """Of the names of answers those that were not read yet."""
        with self._lock:
            known = set(self._book.read)
        return [n for n in names if n not in known]

    def note_read(self, name: str) -> None:
        with self._lock:
            self._book.read = [*self._book.read[-_READ:], name]
            self._write()

    def _write(self) -> None:
        write_file(self._file, msgspec.json.encode(self._book))
