"""Which file for the release platform is of which message of ours, and which answers were read: one JSON
file in the run's folder, written whole. An identifier is written down before its file goes out, so that a
message tried again, or after a crash, keeps the one it has."""

import threading
from datetime import datetime
from pathlib import Path

import msgspec

from config.records.channels import Release
from dispatch.cap.national.message import identifiers
from stream.disk.files import write_file

_KEPT = 5000  # messages, and names of answers


class Released(msgspec.Struct, frozen=True):
    """identifier: the platform's. key: of the attempt, by which an answer finds its delivery. chain: of
    all versions of one warning. colour: what stands in <severity>."""

    identifier: str
    key: str
    chain: str
    version: int
    colour: str


class _Book(msgspec.Struct):
    messages: dict[str, Released] = {}
    read: list[str] = []


class ReleaseRegister:
    """file: made at the first entry. Raises ValueError for a file that is not a register's, and OSError.
    Any thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        try:
            self._book = msgspec.json.decode(file.read_bytes(), type=_Book)
        except FileNotFoundError:
            self._book = _Book()
        except msgspec.DecodeError as e:
            raise ValueError(f"{file}: {e}") from e

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
            made = Released(identifiers(release, at, used), key, chain, version, colour)
            self._book.messages[name] = made
            while len(self._book.messages) > _KEPT:
                del self._book.messages[next(iter(self._book.messages))]
            self._write()
            return made

    def chain(self, chain: str, before: int) -> list[Released]:
        """The earlier versions of a warning, the first one first."""
        with self._lock:
            found = [e for e in self._book.messages.values() if e.chain == chain]
        return sorted((e for e in found if e.version < before), key=lambda e: e.version)

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
            self._book.read = [*self._book.read[-_KEPT:], name]
            self._write()

    def _write(self) -> None:
        write_file(self._file, msgspec.json.encode(self._book))
