"""The district's stations for programs that read OGC SensorThings 1.1 (docs/devices/sensorthings.md).

GET  /sta/v1.1 and all below it
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text, en, zh
from console.auth.accounts import User
from console.auth.requests import Rate, Refused
from console.routes.desk import Desk, Tools
from console.routes.sources import Sources
from console.things.model import Model
from console.things.query import Unanswered, query
from console.things.reader import Reader
from console.things.readings import Readings
from stream.history.port import History
from stream.log.port import Unavailable
from stream.pace.rate_limit import network_of

ROOT = "/sta/v1.1"
_A_MINUTE = 120  # of one address, where everybody may read
_AT_ONCE = 2  # a long answer must not take the duty room's threads
_WAIT_S = 20.0
_LONGEST_S = 15.0  # of one answer
_WAITING = 4  # whoever waits holds a thread of the duty room: more are told to come again
_BUSY = Text("正忙，请稍候", "busy, please wait")


class ThingsDesk(Desk):
    """reader: who reads; raises Refused. secure: browsers come by https."""

    def __init__(
        self, tools: Tools, sources: Sources, reader: Callable[[Request], User], *, secure: bool
    ) -> None:
        super().__init__(tools, _A_MINUTE)
        self._reader, self._sources, self._secure = reader, sources, secure
        self._public = self._feed.district.console.sensorthings == "public"
        self._model = Model(self._feed.district)
        self._history: History | None = None
        self._lock = threading.Lock()
        self._turn = threading.BoundedSemaphore(_AT_ONCE)
        self._here = threading.BoundedSemaphore(_AT_ONCE + _WAITING)
        self._strangers = Rate(_A_MINUTE)

    def routes(self) -> list[Route]:
        return [
            Route(ROOT, self._answer, methods=["GET"]),
            Route(ROOT + "/{path:path}", self._answer, methods=["GET"]),
        ]

    def _answer(self, request: Request) -> Response:
        if self._public and "authorization" not in request.headers:
            self._strangers.take(network_of(request.client.host if request.client else ""))
        else:
            self._reader(request)
        if not self._here.acquire(blocking=False):
            raise Refused(503, _BUSY)
        try:
            return self._in_turn(request)
        finally:
            self._here.release()

    def _in_turn(self, request: Request) -> Response:
        if not self._turn.acquire(timeout=_WAIT_S):
            raise Refused(503, _BUSY)
        try:
            found = self._found(request)
        except Unanswered as e:
            raise Refused(e.status, e.words) from e
        except Unavailable as e:
            words = f"历史库连不上，稍后再试：{zh(e)}", f"history is away, try later: {en(e)}"
            raise Refused(503, Text(*words)) from e
        finally:
            self._turn.release()
        if isinstance(found, str):
            return Response(found, media_type="text/plain")
        return Response(msgspec.json.encode(found), media_type="application/json")

    def _found(self, request: Request) -> Any:
        path = request.path_params.get("path", "").strip("/")
        text = request.scope.get("query_string", b"").decode("latin-1")
        try:
            options = parse_qsl(text, keep_blank_values=True, max_num_fields=20)
        except ValueError as e:
            raise Unanswered(400, Text("选项太多", "too many options")) from e
        asked = query(options)
        scheme = "https" if self._secure else request.url.scheme
        base = f"{scheme}://{request.url.netloc}{ROOT}"
        until = monotonic() + _LONGEST_S
        readings = Readings(self._open(), self._feed.at())
        reader = Reader(self._model, readings, base, lambda: monotonic() > until)
        if not path:
            return reader.root()
        found = reader.answer(path, asked)
        raw = path.endswith("/$value") and not isinstance(found, dict | list)
        return str(found) if raw else found

    def _open(self) -> History:
        with self._lock:
            if self._sources.history is None:
                raise Refused(404, Text("没有历史库", "there is no history"))
            if self._history is None:
                self._history = self._sources.history()
            return self._history
