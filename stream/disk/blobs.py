"""Pictures and CAP messages by their hash: a folder of files named for what is in them."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from config.language import Said, Text, text_of
from stream.disk.files import SHARED, make_folder, sync_folder, write_file


def no_room(what: Said, e: OSError) -> Text:
    """What is said while the volume takes nothing."""
    why = e.strerror or type(e).__name__
    return text_of(what) + Text(f"存不下：{why}；请腾出空间", f" cannot be kept: {why}; make room")


_LEAVING = ".leaving"  # about to be deleted


def _again(path: Path) -> bool:
    """Is it there? Then its time is that of now, so that nobody takes it for an old one."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    except PermissionError:  # another user's, who keeps it
        return path.exists()
    return True


class FrameStore:
    """The same picture twice is one file; a picture is there whole or not at all."""

    def __init__(self, folder: Path, suffix: str = ".jpg") -> None:
        self._folder = folder
        self._suffix = suffix
        # of pictures as it always was: one that a crash left is found
        self._leaving = _LEAVING if suffix == ".jpg" else suffix + _LEAVING

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}{self._suffix}"

    def put(self, body: bytes) -> str:
        """Durable on return; the SHA-256 of the bytes in hex. Raises OSError, for want of room."""
        digest = hashlib.sha256(body).hexdigest()
        self.keep(digest, body)
        return digest

    def beside(self, suffix: str) -> "FrameStore":
        """A store of the same folder, whose files are named so."""
        return FrameStore(self._folder, suffix)

    def keep(self, digest: str, body: bytes, *, anew: bool = False) -> None:
        """As `put`, under a name that stands already: of what is encrypted, that of what is in it. anew: in
        place of what is there."""
        path = self._path(digest)
        if not anew and _again(path):
            sync_folder(path.parent)  # whoever wrote it may not have come to that
        else:
            make_folder(path.parent)
            write_file(path, body, SHARED)

    def get(self, digest: str) -> bytes | None:
        """The bytes, or None if there is no such picture, or none that can be read."""
        if not digest.isalnum():
            return None
        path = self._path(digest)
        for place in (path, path.with_suffix(self._leaving)):
            with suppress(OSError):
                return place.read_bytes()
        return None

    def drop(self, digest: str, before: int) -> int | None:
        """Its bytes are deleted: how many there were, 0 where there is no such picture. None: it was put again
        at `before` (ms) or later, and stays; so does one that is put while this goes on. Raises OSError."""
        path = self._path(digest)
        leaving = path.with_suffix(self._leaving)
        with suppress(FileNotFoundError):
            path.rename(leaving)  # from here on `put` finds none, and writes it anew
        try:
            stat = leaving.stat()
        except FileNotFoundError:
            return 0
        if stat.st_mtime_ns >= before * 1_000_000:
            with suppress(FileExistsError):
                os.link(leaving, path)
            leaving.unlink()
            return None
        leaving.unlink()
        sync_folder(path.parent)
        return stat.st_size
