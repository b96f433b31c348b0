"""The listener for telemetry stations: TCP sessions and UDP datagrams of one event loop. It asks the desk what
a message means and answers when the writer says that the log has it.

Bounds: sessions (when full, the longest silent of the host that has most is cut), bytes of half a frame, time
without a word, broken frames in a row, messages that wait for the log. Nothing that a peer sends ends it.
"""

import asyncio
import resource
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, cast

from config.language import Text
from ingest.telemetry.codec.said import Broken
from ingest.telemetry.codec.sl651 import encode
from ingest.telemetry.codec.sl651.frame import Finder, Frame651
from ingest.telemetry.codec.sl651.tables import NOW
from ingest.telemetry.codec.szy206.frame import Finder206, Frame206
from ingest.telemetry.desk import Desk, Heard, finder_of
from ingest.telemetry.writer import NAME, Entry, Writer
from stream import metrics
from stream.guard import OF_THE_LOG, unread
from stream.oplog import Seldom
from stream.pace.rate_limit import RateLimit

_SWEEP_S = 1.0
_PENDING = 16  # messages of one session that wait for the log
_ALL_PENDING = 20_000  # of all; a datagram beyond is left: its station sends it again
_STRIKES = 20  # broken frames in a row, after which a session is cut
_LETTERS, _LETTERS_MS = 200, 3_600_000  # of one host in an hour; the others are counted
_SPARE_FILES = 200


class Bounds(NamedTuple):
    """sessions at once; seconds without a word, until the first whole frame, and for half a frame."""

    sessions: int = 20_000
    idle_s: float = 600.0
    first_s: float = 60.0
    half_s: float = 30.0


USUAL = Bounds()


class Server:
    """clock: the line's, ms. Everything but `kept` of an entry runs in the loop."""

    def __init__(
        self, desk: Desk, writer: Writer, clock: Callable[[], int], bounds: Bounds = USUAL
    ) -> None:
        self.desk, self.writer, self.clock, self.bounds = desk, writer, clock, bounds
        self.sessions: set[Session] = set()
        self.speaks: dict[str, Session] = {}  # SL 651 address -> the session that it last spoke on
        self._asked: dict[str, float] = {}
        self._limit = RateLimit(_LETTERS_MS)
        self._seldom = Seldom()
        self._done: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(
        self,
        tcp: Iterable[tuple[str, int]],
        udp: Iterable[tuple[str, int]],
        stop: threading.Event,
        ready: Callable[[list[int]], None] = lambda _: None,
    ) -> None:
        """Until `stop`. ready: is told the ports, TCP first. Raises OSError where a place is taken."""
        self._loop = loop = asyncio.get_running_loop()
        _files(self.bounds.sessions)
        servers, transports, ports = [], [], []
        try:
            for host, port in tcp:
                server = await loop.create_server(lambda: Session(self), host, port, backlog=1024)
                servers.append(server)
                ports.append(server.sockets[0].getsockname()[1])
            for host, port in udp:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=(host, port)
                )
                transports.append(transport)
                ports.append(transport.get_extra_info("sockname")[1])
            ready(ports)
            swept = loop.time()
            while not stop.is_set():
                await asyncio.sleep(0.1)
                if loop.time() - swept > _SWEEP_S:
                    swept = loop.time()
                    self._sweep(swept)
        finally:
            for server in servers:
                server.close()
            for transport in transports:
                transport.close()
            for session in list(self.sessions):
                session.cut()

    def take(
        self,
        found: Frame651 | Frame206 | Broken,
        way: str,
        host: str,
        peer: str,
        answer: Callable[[bytes], None],
    ) -> None:
        """One message. answer: called once, when the log has it, with what its sender waits for."""
        try:
            if isinstance(found, Broken):
                heard = self.desk.broken(found)
            else:
                heard = self.desk.hear(found, peer, self.clock())
        except OF_THE_LOG:
            raise
        except Exception as e:  # noqa: BLE001  # one message must not end the listener
            heard = Heard("?", [], [unread(NAME, e)])
        self.put(heard, found.raw, way, host, peer, answer)

    def put(
        self,
        heard: Heard,
        raw: bytes,
        way: str,
        host: str,
        peer: str,
        answer: Callable[[bytes], None],
    ) -> None:
        """What a message means, on its way to the log."""
        if heard.letters and not self._limit.lets(host, self.clock(), _LETTERS):
            for why in heard.letters:
                metrics.DEAD_LETTERS.labels(NAME, why.reason).inc()
            heard = heard._replace(letters=[])
            words = Text(
                f"{host} 坏报文太多，只计数", f"{host}: too many bad messages, only counted"
            )
            self._seldom(NAME, words)
        source = f"telemetry {heard.address} {peer}"
        self.writer.put(
            Entry(heard, source, raw, way, lambda: self._kept(lambda: answer(heard.reply)))
        )

    def _kept(self, done: Callable[[], None]) -> None:
        """By the writer's thread: many at once wake the loop once."""
        with self._lock:
            first = not self._done
            self._done.append(done)
        if first and self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        with self._lock:
            done, self._done = self._done, []
        for one in done:
            one()

    def came(self, session: "Session") -> None:
        """A new session; where there are too many, one makes room."""
        self.sessions.add(session)
        if len(self.sessions) <= self.bounds.sessions:
            return
        host = Counter(s.host for s in self.sessions).most_common(1)[0][0]
        oldest = min((s for s in self.sessions if s.host == host), key=lambda s: s.heard_s)
        self._seldom(
            NAME, Text(f"连接已满，断开 {host} 的一个", f"too many sessions: one of {host} is cut")
        )
        metrics.CUT.labels(NAME, "full").inc()
        oldest.cut()

    def _sweep(self, now_s: float) -> None:
        """What has been silent for too long; what is due to be asked."""
        b = self.bounds
        for session in list(self.sessions):
            silent = now_s - session.heard_s
            if session.finder is not None and session.finder.waits and silent > b.half_s:
                session.half()
            if silent > b.idle_s or (not session.good and now_s - session.since_s > b.first_s):
                metrics.CUT.labels(NAME, "silent").inc()
                session.cut()
        for reason, many in self.desk.told_less():
            metrics.DEAD_LETTERS.labels(NAME, reason).inc(many)
        for heard in self.desk.late(self.clock()):
            self.put(heard, b"", "tcp", heard.address, "", lambda _: None)
        for (protocol, address), mine in self.desk.book.items():
            every = mine.head.ask_min * 60
            if (
                protocol == "sl651"
                and every
                and now_s - self._asked.get(address, now_s - every) >= every
            ):
                self._ask(address, mine.head.password or "0000", now_s)

    def _ask(self, address: str, password: str, now_s: float) -> None:
        """M4: the centre asks for the values of now, while the station is on line."""
        session = self.speaks.get(address)
        if session is not None and session in self.sessions:
            self._asked[address] = now_s
            session.send(encode.question(address, NOW, self.clock(), password=password))


def _files(sessions: int) -> None:
    """So many files may be open; as many as the system lets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sessions + _SPARE_FILES
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class Session(asyncio.Protocol):
    """One TCP connection: of a station, or of a box that brings many."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._pending = self._broken = 0
        self._paused = False
        self.finder: Finder | Finder206 | None = None
        self.host = self.peer = ""
        self.good = False
        self.since_s = self.heard_s = asyncio.get_running_loop().time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        where = transport.get_extra_info("peername") or ("?", 0)
        self.host, self.peer = str(where[0]), f"tcp {where[0]}:{where[1]}"
        self._server.came(self)

    def data_received(self, data: bytes) -> None:
        self.heard_s = asyncio.get_running_loop().time()
        if self.finder is None or not (self.good or self.finder.waits):
            self.finder = finder_of(data)
        for found in self.finder.feed(data):
            self._take(found)

    def _take(self, found: Frame651 | Frame206 | Broken) -> None:
        if isinstance(found, Broken):
            self._broken += 1
        else:
            self._broken, self.good = 0, True
        if isinstance(found, Frame651):
            self._server.speaks[found.station] = self
        self._pending += 1
        self._server.take(found, "tcp", self.host, self.peer, self._answered)
        if self._broken >= _STRIKES:
            metrics.CUT.labels(NAME, "broken").inc()
            self.cut()
        elif self._pending >= _PENDING and self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _answered(self, reply: bytes) -> None:
        self._pending -= 1
        self.send(reply)
        if self._paused and self._pending < _PENDING // 2 and self._transport is not None:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def send(self, reply: bytes) -> None:
        if reply and self._transport is not None and not self._transport.is_closing():
            self._transport.write(reply)

    def half(self) -> None:
        """The rest of a frame did not come."""
        for found in self.finder.rest() if self.finder is not None else ():
            self._take(found)

    def eof_received(self) -> bool:
        """A station may end its side when it has sent all, and still read the answer."""
        self.half()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.half()
        self._server.sessions.discard(self)

    def cut(self) -> None:
        self._server.sessions.discard(self)
        if self._transport is not None:
            self._transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    """Frames by UDP: each datagram stands alone."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # the event loop's own class is none of asyncio.DatagramTransport (Python 3.11)
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._server.writer.pending() > _ALL_PENDING:
            metrics.CUT.labels(NAME, "full").inc()
            return
        finder = finder_of(data)
        peer = f"udp {addr[0]}:{addr[1]}"
        for found in [*finder.feed(data), *finder.rest()]:
            self._server.take(found, "udp", addr[0], peer, lambda reply: self._send(reply, addr))

    def _send(self, reply: bytes, addr: tuple[str, int]) -> None:
        if reply and self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(reply, addr)
