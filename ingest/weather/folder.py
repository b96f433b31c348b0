"""A folder into which files are dropped: which of them are whole, and what was done with them.

A file is taken when it has not changed since the last look and nobody on this machine has it open for writing
(a lease, fcntl(2), tells); one whose last line or message is not ended waits longer, for its writer may be on
another machine. Such a writer, or another user's, may go on in a file that was taken already: what changes
after it was moved is brought back and read again.
"""

import fcntl
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stream.disk.files import make_folder, sync_folder

DONE, REFUSED = "done", "refused"
WATCHED_S, _WATCHED = (
    86_400.0,
    5000,
)  # so long, and so many, files are looked at after they were moved
_UNFINISHED = (".tmp", ".part", ".filepart", ".crdownload", ".swp", "~")


class Mark(NamedTuple):
    """What changes when a file does."""

    inode: int
    size: int
    mtime_ns: int


class Dropped(NamedTuple):
    """A file that may be read."""

    path: Path
    mark: Mark
    since: float  # it has not changed, s of the given clock

    @property
    def name(self) -> str:
        """As it can be written down."""
        return self.path.name.encode("utf-8", "replace").decode()


class _Moved(NamedTuple):
    """Where it came from, what it was, and when it was moved, s."""

    origin: Path
    mark: Mark
    at: float


class DropFolder:
    """clock: monotonic, s."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self.path, self._clock = folder, clock
        self._seen: dict[str, tuple[Mark, float]] = {}
        self._left: dict[str, Mark] = {}  # taken, and could not be moved
        self._moved: dict[Path, _Moved] = {}  # the oldest first

    def ready(self) -> list[Dropped]:
        """The oldest first. Raises OSError where the folder cannot be read."""
        now, seen = self._clock(), {}
        self._bring_back(now)
        found = []
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.endswith(_UNFINISHED):
                    continue
                with suppress(OSError):  # gone meanwhile
                    if not entry.is_file(follow_symlinks=False):
                        continue
                    mark = _mark(entry.stat(follow_symlinks=False))
                    before, since = self._seen.get(entry.name, (None, now))
                    same = before == mark
                    seen[entry.name] = (mark, since if same else now)
                    if same and self._left.get(entry.name) != mark:
                        found.append(Dropped(Path(entry.path), mark, since))
        self._seen = seen
        self._left = {n: m for n, m in self._left.items() if n in seen}
        return sorted(found, key=lambda d: (d.mark.mtime_ns, d.path.name))

    def unchanged_s(self, one: Dropped) -> float:
        """So long it has been as it is."""
        return self._clock() - one.since

    def read(self, one: Dropped, most: int) -> bytes | None:
        """Its bytes, `most` and one more at most; None while somebody writes it. Raises OSError."""
        handle = os.open(one.path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as f:
            if written(handle):
                return None
            body = f.read(most + 1)
            return body if _mark(os.fstat(handle)) == one.mark else None

    def put(self, one: Dropped, place: str, digest: str) -> bool:
        """Into `done` or `refused`, under its own name, with a piece of its digest where another has that name.
        False where it has changed: it is to be read again. Where it cannot be moved it is left, and is not
        read again; raises OSError."""
        if not self._still(one.path, one.mark):
            return False
        target = self.path / place
        try:
            make_folder(target)
            goal = target / one.path.name
            if goal.exists():
                goal = target / f"{goal.stem}.{digest[:12]}{goal.suffix}"
            one.path.rename(goal)
            if not self._still(goal, one.mark):  # written in between
                goal.rename(one.path)
                return False
            self._watch(goal, one)
            sync_folder(target)
            sync_folder(self.path)
        except OSError:
            self._left[one.path.name] = one.mark
            raise
        return True

    def _watch(self, goal: Path, one: Dropped) -> None:
        self._moved.pop(goal, None)
        self._moved[goal] = _Moved(one.path, one.mark, self._clock())
        while len(self._moved) > _WATCHED:
            del self._moved[next(iter(self._moved))]

    def _bring_back(self, now: float) -> None:
        """What was written after it was moved, unless another has its name: then when that is gone."""
        for goal, moved in list(self._moved.items()):
            if self._still(goal, moved.mark) and now - moved.at < WATCHED_S:
                continue
            try:
                if goal.is_file() and now - moved.at < WATCHED_S:
                    if moved.origin.exists():
                        continue
                    goal.rename(moved.origin)
                del self._moved[goal]
            except OSError:  # asked again at the next look
                continue

    @staticmethod
    def _still(path: Path, mark: Mark) -> bool:
        with suppress(OSError):
            return _mark(path.stat(follow_symlinks=False)) == mark
        return False


def _mark(stat: os.stat_result) -> Mark:
    return Mark(stat.st_ino, stat.st_size, stat.st_mtime_ns)


def written(handle: int) -> bool:
    """Has anybody on this machine this file open for writing? Where the system does not say (another's file, a
    volume without leases), no."""
    try:
        # whoever opens it for writing in this instant has us told: by a signal that nobody minds, not by SIGIO,
        # which ends a process
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
