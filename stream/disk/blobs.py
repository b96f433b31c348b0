"""Pictures and CAP messages by their hash: a folder of files named for what is in them."""

import hashlib
from pathlib import Path

from config.language import Said, Text, text_of
from stream.disk.files import SHARED, make_folder, sync_folder, write_file


def no_room(what: Said, e: OSError) -> Text:
    """What is said while the volume takes nothing."""
    why = e.strerror or type(e).__name__
    return text_of(what) + Text(f"存不下：{why}；请腾出空间", f" cannot be kept: {why}; make room")


class FrameStore:
    """The same picture twice is one file; a picture is there whole or not at all."""

    def __init__(self, folder: Path, suffix: str = ".jpg") -> None:
        self._folder = folder
        self._suffix = suffix

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}{self._suffix}"

    def put(self, body: bytes) -> str:
        """Durable on return; the SHA-256 of the bytes in hex. Raises OSError, for want of room."""
        digest = hashlib.sha256(body).hexdigest()
        path = self._path(digest)
        if path.exists():
            sync_folder(path.parent)  # whoever wrote it may not have come to that
        else:
            make_folder(path.parent)
            write_file(path, body, SHARED)
        return digest

    def get(self, digest: str) -> bytes | None:
        """The bytes, or None if there is no such picture, or none that can be read."""
        if not digest.isalnum():
            return None
        try:
            return self._path(digest).read_bytes()
        except OSError:
            return None
