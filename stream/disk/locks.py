"""Retention locks: what must not be deleted for now, by whose word, why and until when. A file beside what
it locks (`retention-locks.json`); it only grows, and a lock that was let go says who let it go and why.

Whoever deletes in a folder asks `in_force` first. A file that cannot be read locks everything: what was
deleted by mistake does not come back.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from config.language import Text
from stream.disk.files import make_folder, write_file

FILE = "retention-locks.json"


class Lock(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """name: of what is locked. people: opaque ids of those who stand in it. Moments: the wall clock, ms."""

    name: str
    by: str
    reason: str
    locked_at: int
    until_at: int
    people: tuple[str, ...] = ()
    released_at: int = 0
    released_by: str = ""
    release_reason: str = ""

    def holds(self, now: int) -> bool:
        """Is it in force?"""
        return not self.released_at and now < self.until_at


_decoder = msgspec.json.Decoder(list[Lock])


def read(folder: Path) -> list[Lock]:
    """All that there ever were, oldest first. Raises ValueError naming the file."""
    file = folder / FILE
    try:
        return _decoder.decode(file.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise ValueError(
            f"{file}: "
            + Text(
                f"读不懂（{e}）：修好以前什么都不删",
                f"cannot be read ({e}): nothing is deleted until it is mended",
            )
        ) from e


def in_force(folder: Path, now: int) -> list[Lock]:
    """Those that hold at `now` (ms). Raises ValueError naming the file."""
    return [lock for lock in read(folder) if lock.holds(now)]


def holding(locks: list[Lock], person: str) -> Lock | None:
    """The lock that holds this person longest."""
    mine = [lock for lock in locks if person in lock.people]
    return max(mine, key=lambda lock: lock.until_at, default=None)


def add(folder: Path, lock: Lock) -> None:
    """Raises ValueError, OSError."""
    with _changing(folder) as file:
        _write(file, [*read(folder), lock])


def release(folder: Path, name: str, by: str, reason: str, at: int) -> int:
    """Let go of every lock of that name; how many there were. Raises ValueError, OSError."""
    with _changing(folder) as file:
        found = read(folder)
        gone = [lock for lock in found if lock.name == name and lock.holds(at)]
        changed = [
            msgspec.structs.replace(lock, released_at=at, released_by=by, release_reason=reason)
            if lock in gone
            else lock
            for lock in found
        ]
        if gone:
            _write(file, changed)
    return len(gone)


@contextmanager
def _changing(folder: Path) -> Iterator[Path]:
    """One who changes the file at a time."""
    make_folder(folder)
    with (folder / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / FILE


def _write(file: Path, locks: list[Lock]) -> None:
    write_file(file, msgspec.json.format(msgspec.json.encode(locks), indent=1) + b"\n")
