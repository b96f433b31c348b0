"""Files that are there whole or not at all, at whatever instant the machine goes down."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRIVATE = 0o600  # for its owner alone
SHARED = 0o666  # for whomever the process's umask lets
_NOT_HERE = (errno.EINVAL, errno.ENOTSUP)  # a volume that syncs no folders


def write_file(file: Path, body: bytes, mode: int = PRIVATE) -> None:
    """In place of what was there; on disk on return. Raises OSError: then what was there still is."""
    with _fresh(file, body, mode) as fresh:
        fresh.replace(file)
    sync_folder(file.parent)


def create_file(file: Path, body: bytes) -> None:
    """For its owner alone, and the first of two processes wins: what is there stays. Raises OSError."""
    with _fresh(file, body, PRIVATE) as fresh, suppress(FileExistsError):
        os.link(fresh, file)
    sync_folder(file.parent)


def set_aside(file: Path) -> Path:
    """Under a name of its own beside it, so that a new one can be begun; nothing of it is lost. Raises
    OSError."""
    goal, n = file.with_name(f"{file.name}.damaged"), 1
    while goal.exists():
        goal, n = file.with_name(f"{file.name}.damaged{n}"), n + 1
    file.rename(goal)
    sync_folder(file.parent)
    return goal


def append(file: Path, body: bytes) -> None:
    """Behind what is there; on disk on return. Raises OSError."""
    fresh = not file.exists()
    with file.open("ab") as f:
        f.write(body)
        f.flush()
        os.fsync(f.fileno())
    if fresh:
        sync_folder(file.parent)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """It and those above it, where they are missing; on disk on return. mode: its own. Raises OSError."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent)
    folder.mkdir(mode=mode, exist_ok=True)
    with suppress(PermissionError):  # one in which we may make folders and not look
        sync_folder(folder.parent)


@contextmanager
def _fresh(file: Path, body: bytes, mode: int) -> Iterator[Path]:
    """A file beside it that nobody else knows, gone when this is over."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    fresh.unlink(missing_ok=True)  # of a process that had our number and went down
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as f:
            f.write(body)
            f.flush()
            os.fsync(f.fileno())
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)  # half a file must not take the room of a whole one


def sync_folder(folder: Path) -> None:
    """That a name stands in it, or stands for another file now, is on disk on return."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as e:
        if e.errno not in _NOT_HERE:
            raise
    finally:
        os.close(handle)
