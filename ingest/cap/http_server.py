"""The HTTP endpoint at which other authorities hand in CAP messages: `POST /cap` with a bearer token.

202: kept, and what it was taken for (of several messages in one document each, and at least one is
taken); 400: kept as a dead letter, and why; 401, 408, 413: not read;
503: cannot be kept now, send it again. Whoever sends may repeat: the same message counts once. What is for a
person in an answer (`detail`, `deviations`) is in what `Accept-Language` asks for, Chinese without.
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

from config.language import Language, Text, choose, text_of
from ingest.cap.decode import MAX_BYTES
from ingest.cap.intake import CapDoor
from ingest.observation import CapIn
from stream.http.asked import TooLarge, language_of, whole
from stream.http.openapi import JSON, STRING, Door, Says
from stream.http.server import HttpDoor
from stream.log.port import Log
from stream.oplog import Seldom
from stream.records import Rejected

PATH = "/cap"
_SOME = {True: "taken", False: "rejected"}
_BROKEN_OFF = Text("没有收全", "the message did not come whole")
_EMPTY = Text("没有内容", "there is no message")
_AGAIN = Text("请稍后再发", "send it again later")
_TOKEN = Text("令牌不对：Authorization: Bearer TOKEN", "wrong token: Authorization: Bearer TOKEN")
_TOO_LARGE = Text(f"上限 {MAX_BYTES} 字节", f"at most {MAX_BYTES} bytes")
PLACES = ((PATH, ("POST",)),)
_ANSWER = {"type": "object", "required": ["state"], "properties": {"state": STRING}}
_XML = ("application/xml", "application/cap+xml", "text/xml")
_CAP_IN = Says(
    Text("交来 CAP 1.2 报文", "hands in a CAP 1.2 message"),
    takes=dict.fromkeys(_XML, STRING),
    status=202,
    refusals=(400, 401, 408, 413, 503),
)
DOOR = Door(
    Text("烽燧：外来 CAP 报文的入口", "Fengsui: the door for CAP messages of others"),
    "1",
    {PATH: _CAP_IN},
    refusal={JSON: _ANSWER},
    security={"token": {"type": "http", "scheme": "bearer"}},
)
_AT_ONCE = 8  # parsing and checking a signature is work: more than this wait outside


class CapServer:
    """Serves until `close`. now: the run's clock, epoch ms. port 0: any free one. A place that
    cannot be had yet, which is taken or of a network that is not there, keeps nothing else from starting."""

    def __init__(
        self, door: CapDoor, log: Log, host: str, port: int, token: str, now: Callable[[], int]
    ) -> None:
        self._door, self._log, self._token, self._now = door, log, token, now
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._seldom = Seldom()
        app = Starlette(routes=[Route(PATH, self._post, methods=["POST"])])
        self._http = HttpDoor(app, f"{host}:{port}", "cap-http", patient=True)
        self.url = self._http.url + PATH

    def close(self) -> None:
        self._http.close()

    async def _post(self, request: Request) -> Response:
        language = language_of(request)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return _said(401, language, "refused", _TOKEN)
        try:
            body = await whole(request, MAX_BYTES)
        except TooLarge:
            return _said(413, language, "refused", _TOO_LARGE)
        except ClientDisconnect:
            return _said(408, language, "refused", _BROKEN_OFF)
        if not body:
            return _said(400, language, "refused", _EMPTY)
        if not self._slots.acquire(blocking=False):
            return _said(503, language, "busy", _AGAIN)
        where = f"http:{request.client.host if request.client else ''}"
        try:
            taken = await run_in_threadpool(self._door.enter, self._log, body, self._now, where)
        except OSError as e:
            lost = Text("HTTP 来的 CAP 存不下：", "CAP by HTTP cannot be kept: ")
            self._seldom("ingest", lost + text_of(e))
            return _said(503, language, "not_kept", _AGAIN)
        finally:
            self._slots.release()
        said = [_what(found, language) for found in taken.each]
        every = {"state": _SOME[bool(taken.good)], "messages": said}
        return _answer(202 if taken.good else 400, said[0] if len(said) == 1 else every)


def _what(found: CapIn | Rejected, language: Language) -> dict[str, Any]:
    """What became of a message, for whoever sent it."""
    if isinstance(found, Rejected):
        detail = choose(found.detail, language)
        return {"state": "rejected", "reason": found.reason, "detail": detail}
    areas = sorted({s.area for s in found.says})
    said: dict[str, Any] = {"state": "taken", "source": found.source, "areas": areas}
    deviations = [choose(d, language) for d in found.deviations]
    return {**said, "deviations": deviations} if deviations else said


def _said(status: int, language: Language, state: str, detail: Text) -> Response:
    return _answer(status, {"state": state, "detail": choose(detail, language)})


def _answer(status: int, words: dict[str, Any]) -> Response:
    # what is not read of a body would be taken for the next request
    return Response(
        msgspec.json.encode(words), status, {"Connection": "close"}, media_type="application/json"
    )
