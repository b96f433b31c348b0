"""The page's own files and whatever else does not change while it runs: read and packed once, so that a
page that opens waits for no disk and no compressor, and sees files of one version to the end."""

import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_SMALL = 500  # bytes that are not worth packing


class Asset(NamedTuple):
    """A body in both forms. tag: its ETag (RFC 9110, 8.8.3), weak as both forms have the same."""

    body: bytes
    packed: bytes
    media: str
    tag: str

    def answer(self, request: Request) -> Response:
        """In the form that the browser takes; 304 for one that has it."""
        headers = {"ETag": self.tag, "Vary": "Accept-Encoding"}
        if self.tag in (t.strip() for t in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        if self.packed and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(self.packed, media_type=self.media, headers=headers)
        return Response(self.body, media_type=self.media, headers=headers)


def keep(body: bytes, media: str) -> Asset:
    """`body`, ready to be sent."""
    packed = gzip.compress(body, 9, mtime=0)
    if len(body) < _SMALL or len(packed) > 0.9 * len(body):  # a picture is packed already
        packed = b""
    return Asset(body, packed, media, f'W/"{hashlib.sha256(body).hexdigest()[:32]}"')


class Files:
    """Every file below `folder`, by its path there."""

    def __init__(self, folder: Path) -> None:
        self._kept = {
            file.relative_to(folder).as_posix(): keep(
                file.read_bytes(), mimetypes.guess_type(file.name)[0] or "text/plain"
            )
            for file in folder.rglob("*")
            if file.is_file()
        }

    def answer(self, request: Request, path: str) -> Response:
        """404 for what was not there at the start."""
        if path not in self._kept:
            raise HTTPException(404)
        return self._kept[path].answer(request)
