"""How this line answers HTTP, whatever it answers: people's reports, CAP of others, receipts, metrics.

One event loop a door, with bounds that hold against whoever connects and says nothing, little or
slowly. The head of a request must be there within `head_s`, its body within `body_s` of that, the
answer be read within `answer_s`. So many connections are open at once, and half of them from one
address. When all are taken, whoever comes is let in and one that has not said what it wants is cut: of
the address with the most, the one that has waited longest. So a door that is full of silence stays
open to everybody who speaks, and nobody who is being answered is sent away for it.

What it says of this in the journal is said once a minute, with how often.
"""

import asyncio
import logging
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from config.language import Text
from stream import metrics
from stream.oplog import Seldom
from stream.pace.rate_limit import network_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_HEAD_BYTES = 16_384
_QUEUE = 128
_LOOK_S = 0.5
AGAIN_S = 2.0  # until a place that could not be had is tried again
_seldom = Seldom(600.0)
_NOTHING_LINGERS = struct.pack("ii", 1, 0)


class Bounds(NamedTuple):
    """connections: at once; half of them from one address, or `of_one`. Seconds: of the head, from the
    head to the end of the body, and of the answer; an answer at a path of `endless` goes on as long as
    it is read."""

    connections: int = 64
    head_s: float = 10.0
    body_s: float = 20.0
    answer_s: float = 60.0
    of_one: int = 0
    endless: tuple[str, ...] = ()


class Front(NamedTuple):
    """What stands before the door. cert, key: PEM files of its own TLS. proxies: whose X-Forwarded-For
    counts."""

    cert: str = ""
    key: str = ""
    proxies: tuple[str, ...] = ()


class HttpDoor:
    """`app` at `listen` (HOST:PORT; port 0: any free one), open until `close`. name: in the journal and
    the metrics. Raises OSError when the place cannot be had: it is taken, or of a network that is not there
    yet; for who is patient it is opened as soon as it can be, and `trouble` says why it is not."""

    def __init__(
        self,
        app: "ASGIApp",
        listen: str,
        name: str,
        bounds: Bounds = Bounds(),  # noqa: B008  # frozen
        front: Front = Front(),  # noqa: B008  # frozen
        *,
        patient: bool = False,
    ) -> None:
        host, _, port = listen.rpartition(":")
        host = host.strip("[]")
        scheme = "https" if front.cert else "http"
        self._at = f"{scheme}://{f'[{host}]' if ':' in host else host}"
        self._app, self._name, self._bounds, self._front = app, name, bounds, front
        self._closing = threading.Event()
        self._server: _Server | None = None
        self.port, self.trouble = int(port), ""
        try:
            self._bind(host, int(port))
        except OSError as e:
            if not patient:
                raise
            self._wait(e, listen)
            later = (host, int(port), listen)
            self._thread = threading.Thread(target=self._later, args=later, name=name, daemon=True)
        else:
            self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._at}:{self.port}"

    def _bind(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, int(port)))
            self._socket.listen(_QUEUE)
        except OSError:
            self._socket.close()
            raise
        self.port = int(self._socket.getsockname()[1])
        self._server = _Server(self._app, self._name, self._bounds, self._front)

    def _serve(self) -> None:
        if self._server is not None:
            self._server.run([self._socket])

    def _wait(self, e: OSError, listen: str) -> None:
        self.trouble = f"{listen}: {e.strerror or type(e).__name__}"
        words = Text(" 开不了，再试：", " cannot be opened, is tried again: ")
        _seldom("http", self._name + words + self.trouble)

    def _later(self, host: str, port: int, listen: str) -> None:
        while not self._closing.wait(AGAIN_S):
            try:
                self._bind(host, port)
            except OSError as e:
                self._wait(e, listen)
                continue
            self.trouble = ""
            if not self._closing.is_set():
                self._serve()
            return

    def close(self) -> None:
        """Answer what is being answered, a few seconds at most, and stop."""
        self._closing.set()
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()


class _Server(uvicorn.Server):
    def __init__(self, app: "ASGIApp", name: str, bounds: Bounds, front: Front) -> None:
        guard = self._guard = _Guard(name, bounds)

        class Guarded(_Protocol):
            """Knows its guard: the server makes one for each connection."""

            door = guard

        config = uvicorn.Config(
            app,
            http=Guarded,
            backlog=1,  # accepts a turn of the loop; see `startup`
            h11_max_incomplete_event_size=_HEAD_BYTES,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
            lifespan="off",
            access_log=False,  # its lines would name tokens
            log_config=None,
            server_header=False,
            proxy_headers=bool(front.proxies),
            forwarded_allow_ips=list(front.proxies),
            ssl_certfile=front.cert or None,
            ssl_keyfile=front.key or None,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._guard.trouble)
        await super().startup(sockets)
        # with more than one accept a turn the loop says "out of system resource" that often, and
        # starts as many turns a second later: the journal fills up. Who waits, waits in the queue
        for s in sockets or ():
            s.listen(_QUEUE)

    async def on_tick(self, counter: int) -> bool:
        if counter % round(_LOOK_S / 0.1) == 0:
            self._guard.look(asyncio.get_running_loop().time(), self.server_state.connections)
        return await super().on_tick(counter)


class _Protocol(H11Protocol):
    """A connection that knows what it waits for, and since when."""

    door: "_Guard"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.cut = False
        self.host = network_of(self.client[0]) if self.client else ""
        self._place: tuple[Any, ...] = ()
        self.since = self.loop.time()
        self.door.enter(self, self.connections)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def _look(self) -> None:
        place = (self.conn.their_state, self.cycle)
        if place != self._place:
            self._place, self.since = place, self.loop.time()

    def waits_for(self) -> str:
        """head: nothing that anybody works on; body; answer."""
        if self.transport.get_write_buffer_size():
            return "answer"
        if self.conn.their_state is h11.IDLE:
            return "head"
        if self.conn.their_state is h11.SEND_BODY:
            # a request that has its answer already is only still talking
            return "head" if self.cycle is None or self.cycle.response_complete else "body"
        return "answer"

    def flows(self, endless: Iterable[str]) -> bool:
        """Is this an answer without an end, that is read?"""
        if self.cycle is None or self.cycle.response_complete or self.scope["path"] not in endless:
            return False
        return not self.transport.get_write_buffer_size()

    def end(self) -> None:
        """At once, whatever stands in its buffers, the kernel's too."""
        self.cut = True
        s = self.transport.get_extra_info("socket")
        if s is not None:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOTHING_LINGERS)
        self.transport.abort()


class _Guard:
    """Who is cut, and why; runs in the door's loop alone."""

    def __init__(self, name: str, bounds: Bounds) -> None:
        self._name, self._bounds = name, bounds
        self._seldom = Seldom()
        logging.getLogger("uvicorn.error").addFilter(_seldom_logged)

    def enter(self, new: _Protocol, connections: Iterable[Any]) -> None:
        """Make room for a new connection."""
        here = [c for c in connections if isinstance(c, _Protocol) and not c.cut]
        of_host = sum(c.host == new.host for c in here)
        of_one = self._bounds.of_one or self._bounds.connections // 2
        if len(here) <= self._bounds.connections and of_host <= of_one:
            return
        if of_host > of_one:
            here = [c for c in here if c.host == new.host]
        counts = Counter(c.host for c in here)
        waiting = [c for c in here if c is not new and c.waits_for() != "answer"]
        waiting.sort(key=lambda c: (c.waits_for() != "head", -counts[c.host], c.since))
        self._end(waiting[0] if waiting else new, "full")

    def look(self, now: float, connections: Iterable[Any]) -> None:
        """Cut whoever has taken too long."""
        limits = {
            "head": self._bounds.head_s,
            "body": self._bounds.body_s,
            "answer": self._bounds.answer_s,
        }
        for c in list(connections):
            if not isinstance(c, _Protocol) or c.cut:
                continue
            if c.flows(self._bounds.endless):
                c.since = now
            if now > c.since + limits[c.waits_for()]:
                self._end(c, c.waits_for())

    def _end(self, c: _Protocol, why: str) -> None:
        metrics.CUT.labels(self._name, why).inc()
        words = {
            "full": Text(
                "连接已满，断开最久没说话的", "full: whoever has been silent longest is cut"
            ),
            "head": Text(
                "不说话的连接，断开", "a connection that does not say what it wants is cut"
            ),
            "body": Text("来得太慢的内容，断开", "a body that comes too slowly is cut"),
            "answer": Text(
                "不收答复的连接，断开", "a connection that does not read its answer is cut"
            ),
        }[why]
        self._seldom(self._name, words)
        c.end()

    def trouble(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What goes wrong in the loop itself: no file for a connection, above all."""
        error = context.get("exception")
        self._seldom(self._name, f"{context.get('message', '')}: {error or ''}")


_journal = Seldom()


def _seldom_logged(record: logging.LogRecord) -> bool:
    """Each of the server's own sentences once a minute: anybody can bring them about."""
    return _journal.lets(str(record.msg))
