"""JPEG snapshots by HTTP: asked for when one is due, with Digest or Basic where the camera wants it."""

import secrets
import threading
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from config.language import Text
from config.records.district import CameraSource
from ingest.camera.digest import answer
from ingest.camera.jpeg import of_jpeg
from ingest.camera.shot import NoPicture, Shot, filled
from stream.http.client import Answer, ask

_MAX_BYTES = 8_000_000  # a camera of many pixels; what is kept is smaller
_TIMEOUT_S, _WHOLE_S = 10.0, 20.0
_LOOK_S = 0.05


class Snapshot:
    """clock: the line's, ms. find: asks the camera where its snapshot is, before the first and after each
    failure; None: the table says so."""

    def __init__(
        self,
        row: CameraSource,
        password: str,
        clock: Callable[[], int],
        find: Callable[[], str] | None = None,
    ) -> None:
        self._row, self._password, self._clock, self._find = row, password, clock, find
        self._url = "" if find else filled(row.url, row.user, password)
        self._challenge = ""

    def close(self) -> None:
        """Nothing is held; where it is may have changed."""
        if self._find is not None:
            self._url = ""

    def take(self, due: Callable[[], bool], stop: threading.Event) -> list[Shot]:
        """See `Source`."""
        while not due():
            if stop.wait(_LOOK_S):
                return []
        shots = [self._shot()]
        while len(shots) < self._row.burst and not stop.wait(self._row.burst_ms / 1000):
            shots.append(self._shot())
        return shots

    def _shot(self) -> Shot:
        found = self._asked()
        at = self._clock()
        if found.status in (401, 403):
            words = Text("摄像机不认用户或密码", "the camera refuses user or password")
            raise NoPicture("bad_password", words)
        if found.status != 200:
            raise NoPicture("no_picture", Text(f"HTTP {found.status}", f"HTTP {found.status}"))
        picture = of_jpeg(found.body, self._row.width, self._row.quality)
        return Shot(at, picture, found.body[:4096], _away_s(found, at))

    def _asked(self) -> Answer:
        """With an answer to the camera's challenge, if it makes one."""
        if self._find is not None and not self._url:
            self._url = self._find()
        found = self._once()
        if found.status == 401 and self._row.user:
            self._challenge = found.headers.get("WWW-Authenticate", "")
            found = self._once()
        return found

    def _once(self) -> Answer:
        headers = {"Accept": "image/jpeg"}
        basic = self._challenge.lstrip().lower().startswith("basic")
        if self._challenge:
            row, cnonce = self._row, secrets.token_hex(8)
            parts = urlsplit(self._url)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            made = answer(self._challenge, "GET", target, row.user, self._password, cnonce)
            headers |= {"Authorization": made} if made else {}
        if not basic:
            self._challenge = ""  # a nonce is used once
        try:
            found = ask(
                "GET",
                self._url,
                headers,
                limit=_MAX_BYTES,
                timeout_s=_TIMEOUT_S,
                whole_s=_WHOLE_S,
                ca=self._row.ca,
            )
        except OSError as e:  # its words may hold the address
            kind = str(e) if str(e).isidentifier() else type(e).__name__
            raise NoPicture("no_picture", Text(f"连不上：{kind}", f"no answer: {kind}")) from None
        if len(found.body) > _MAX_BYTES:
            raise NoPicture("oversize", Text(f"超过 {_MAX_BYTES} 字节", f"over {_MAX_BYTES} bytes"))
        return found


def _away_s(found: Answer, at: int) -> float | None:
    """By the header Date, which has whole seconds."""
    try:
        told = parsedate_to_datetime(found.headers.get("Date", ""))
        return told.timestamp() - at / 1000
    except (TypeError, ValueError, OverflowError):
        return None
