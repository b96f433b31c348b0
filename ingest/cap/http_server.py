"""The HTTP endpoint at which other authorities hand in CAP messages: `POST /cap` with a bearer token.

202: kept, and what it was taken for (of several messages in one document each, and at least one is
taken); 400: kept as a dead letter, and why; 401, 408, 411, 413: not read;
503: cannot be kept now, send it again. Whoever sends may repeat: the same message counts once.
"""

import hmac
import threading
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text, choose, text_of
from ingest.cap.decode import MAX_BYTES
from ingest.cap.intake import CapDoor
from ingest.observation import CapIn
from stream.http.server import HttpDoor
from stream.log.port import Log
from stream.oplog import Seldom
from stream.records import Rejected

PATH = "/cap"
_SOME = {True: "taken", False: "rejected"}
_BROKEN_OFF = Text("没有收全", "the message did not come whole")
_AGAIN = Text("请稍后再发", "send it again later")
_TOKEN = Text("令牌不对：Authorization: Bearer TOKEN", "wrong token: Authorization: Bearer TOKEN")
_TOO_LARGE = Text(f"上限 {MAX_BYTES} 字节", f"at most {MAX_BYTES} bytes")
_AT_ONCE = 8  # parsing and checking a signature is work: more than this wait outside


class CapServer:
    """Serves until `close`. now: the run's clock, epoch ms. port 0: any free one. Raises OSError when
    the place is taken."""

    def __init__(
        self, door: CapDoor, log: Log, host: str, port: int, token: str, now: Callable[[], int]
    ) -> None:
        self._door, self._log, self._token, self._now = door, log, token, now
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._seldom = Seldom()
        app = Starlette(routes=[Route(PATH, self._post, methods=["POST"])])
        self._http = HttpDoor(app, f"{host}:{port}", "cap-http")
        self.url = self._http.url + PATH

    def close(self) -> None:
        self._http.close()

    async def _post(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            body = await request.body()
        except ClientDisconnect:
            return _said(408, state="refused", detail=_BROKEN_OFF)
        if not self._slots.acquire(blocking=False):
            return _said(503, state="busy", detail=_AGAIN)
        where = f"http:{request.client.host if request.client else ''}"
        try:
            taken = await run_in_threadpool(self._door.enter, self._log, body, self._now, where)
        except OSError as e:
            lost = Text("HTTP 来的 CAP 存不下：", "CAP by HTTP cannot be kept: ")
            self._seldom("ingest", lost + text_of(e))
            return _said(503, state="not_kept", detail=_AGAIN)
        finally:
            self._slots.release()
        said = [_what(found) for found in taken.each]
        whole = said[0] if len(said) == 1 else {"state": _SOME[bool(taken.good)], "messages": said}
        return _said(202 if taken.good else 400, **whole)

    def _refusal(self, request: Request) -> Response | None:
        """From the head alone."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        size = request.headers.get("content-length", "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return _said(401, state="refused", detail=_TOKEN)
        if not (size.isascii() and size.isdigit()):
            return _said(411, state="refused", detail="Content-Length")
        if int(size[:12]) > MAX_BYTES:
            return _said(413, state="refused", detail=_TOO_LARGE)
        return None


def _what(found: CapIn | Rejected) -> dict[str, Any]:
    """What became of a message, for whoever sent it."""
    if isinstance(found, Rejected):
        return {"state": "rejected", "reason": found.reason, "detail": str(found.detail)}
    areas = sorted({s.area for s in found.says})
    said: dict[str, Any] = {"state": "taken", "source": found.source, "areas": areas}
    deviations = [choose(d, "both") for d in found.deviations]
    return {**said, "deviations": deviations} if deviations else said


def _said(status: int, **words: Any) -> Response:
    """In both languages: nobody knows who reads the other end's journal."""
    if isinstance(words.get("detail"), Text):
        words["detail"] = str(words["detail"])
    # what is not read of a body would be taken for the next request
    return Response(
        msgspec.json.encode(words), status, {"Connection": "close"}, media_type="application/json"
    )
