"""Two processes for residents who subscribe: the page, which everybody on the internet may speak to, and the
keeper, which alone holds the contact store, its keys and the log. Between them a Unix socket, on it one line of
JSON each way: so whoever takes over the page can do what a visitor can, and read nobody's number.

What a page says is not believed: the keeper checks number and choices again, and counts every limit. The
network address is the page's word: one that lies gets round the limits of an address, not those of a number
nor the day's total.
"""

import contextlib
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from config.language import Text, text_of
from config.records.district import District
from dispatch.people.residents.desk import FAULTS, Done, Often, ResidentDesk, Wish
from dispatch.people.residents.page import HOURS
from dispatch.people.residents.places import Places
from dispatch.people.residents.words import is_mobile
from dispatch.words.local_time import day
from stream import metrics
from stream.log.port import Log, Out, Unavailable
from stream.oplog import Seldom

_BYTES = 8192  # of a line
_FIRST = 3  # what sd_listen_fds(3) begins with
_NOT_HANDED = Text(
    "systemd 没有交来套接字：用 fengsui-residents-keeper.socket 启动，或写 --socket PATH",
    "systemd handed over no socket: start it by fengsui-residents-keeper.socket, or say --socket PATH",
)
_WAIT_S = 30.0
_AT_ONCE = 64
_LOOKS_EVERY_S = 0.1  # whether it is to end; by itself socketserver looks every half second
_DAYS = 7  # the longest that a page offers
_HOUR_S = 3600.0


class CodeAsked(msgspec.Struct, tag="ask", forbid_unknown_fields=True):
    """A code to this number, for this wish."""

    number: str
    wish: Wish
    host: str


class CodeBack(msgspec.Struct, tag="confirm", forbid_unknown_fields=True):
    """The code that came back."""

    ident: str
    code: str
    host: str


class NotesAsked(msgspec.Struct, tag="notes", forbid_unknown_fields=True):
    """What everybody may know of a place."""

    area: str


class KeeperSays(msgspec.Struct):
    """state: what came of it; often: this address has asked too much; not_kept: nothing was done."""

    state: Literal["asked", "wrong", "subscribed", "left", "notes", "often", "not_kept"]
    ident: str = ""
    areas: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


Question = CodeAsked | CodeBack | NotesAsked
_questions: msgspec.json.Decoder[Question] = msgspec.json.Decoder(Question)
_replies = msgspec.json.Decoder(KeeperSays)


class Keeper:
    """What the socket asks, of the desk. clock: of the run, ms."""

    def __init__(
        self,
        district: District,
        log: Log,
        desk: ResidentDesk,
        notes: Callable[[str], list[Text]],
        wall: Callable[[], int],
    ) -> None:
        self._district, self._log, self._desk, self._notes = district, log, desk, notes
        self._wall = wall
        self._seldom = Seldom()

    def answer(self, line: bytes) -> KeeperSays:
        """Never raises: what is wrong is answered as nothing done."""
        try:
            return self._answer(_questions.decode(line))
        except Often:
            return KeeperSays("often")
        except (msgspec.MsgspecError, *FAULTS) as e:
            self._seldom("residents", Text("订阅存不下：", "a wish cannot be kept: ") + text_of(e))
            return KeeperSays("not_kept")

    def _answer(self, said: CodeAsked | CodeBack | NotesAsked) -> KeeperSays:
        match said:
            case NotesAsked():
                return KeeperSays("notes", notes=tuple((t.zh, t.en) for t in self._notes(said.area)))
            case CodeAsked():
                if not is_mobile(said.number) or not self._offered(said.wish):
                    raise ValueError("not what the page offers")
                ident, outs = self._desk.ask(said.number, said.wish, said.host[:64])
                self._keep(outs)
                return KeeperSays("asked", ident)
            case CodeBack():
                done = self._desk.confirm(said.ident[:64], said.code[:64], said.host[:64])
                if done.state != "wrong":
                    self._keep([*done.outs])
                    self._desk.finish(said.ident[:64], done)
                return KeeperSays(done.state, areas=done.areas)

    def _offered(self, wish: Wish) -> bool:
        """Is it a wish that the form has?"""
        if wish.leave:
            return wish == Wish((), wish.lang, leave=True)
        last = day(self._wall() + _DAYS * 86_400_000, self._district.timezone).isoformat()
        return (
            len(wish.areas) == 1
            and wish.areas[0] in self._district.areas
            and wish.quiet in HOURS
            and (not wish.until or (len(wish.until) == len(last) and wish.until <= last))
        )

    def _keep(self, outs: list[Out]) -> None:
        if outs:
            self._log.append(outs)


class SocketDesk:
    """The keeper's desk, for the page (`dispatch.people.residents.door`). Raises what a desk raises."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, number: str, wish: Wish, host: str) -> tuple[str, list[Out]]:
        return self._asked(CodeAsked(number, wish, host)).ident, []

    def confirm(self, ident: str, code: str, host: str) -> Done:
        reply = self._asked(CodeBack(ident, code, host))
        if reply.state not in ("wrong", "subscribed", "left"):
            raise OSError(f"{self._path}: {reply.state}")
        return Done(reply.state, areas=reply.areas)

    def finish(self, ident: str, done: Done) -> None:
        """The keeper has done it."""

    def notes(self, area: str) -> list[Text]:
        """Nothing where the keeper cannot be asked: the form is there all the same."""
        with contextlib.suppress(*FAULTS):
            return [Text(zh, en) for zh, en in self._asked(NotesAsked(area)).notes]
        return []

    def _asked(self, what: CodeAsked | CodeBack | NotesAsked) -> KeeperSays:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(_WAIT_S)
            s.connect(str(self._path))
            s.sendall(msgspec.json.encode(what) + b"\n")
            with s.makefile("rb") as f:
                reply = _replies.decode(f.readline(_BYTES))
        if reply.state == "often":
            raise Often
        if reply.state == "not_kept":
            raise OSError(f"{self._path}: not kept")
        return reply


def handed_over() -> socket.socket:
    """The Unix socket that systemd listens on for us and hands over as the first. Raises OSError where it
    handed over none, or one that is not such a socket."""
    mine = os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1"
    try:
        held = socket.socket(fileno=_FIRST) if mine else None
    except OSError:
        held = None
    if held is None or held.family != socket.AF_UNIX or held.type != socket.SOCK_STREAM:
        raise OSError(_NOT_HANDED)
    return held


class _Ear(socketserver.StreamRequestHandler):
    timeout = _WAIT_S
    server: "_Door"

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            line = self.rfile.readline(_BYTES)
            self.wfile.write(msgspec.json.encode(self.server.keeper.answer(line)) + b"\n")


class _Door(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = _AT_ONCE

    def __init__(self, path: Path | None, keeper: Keeper) -> None:
        """path: None: the socket that systemd holds for us, the first (sd_listen_fds(3))."""
        self.keeper, self._slots = keeper, threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(str(path or ""), _Ear, bind_and_activate=False)
        if path is None:
            self.socket.close()
            self.socket = handed_over()
            return
        path.unlink(missing_ok=True)
        before = os.umask(0o117)  # of its group and nobody else, from the first moment
        try:
            self.server_bind()
        finally:
            os.umask(before)
        self.server_activate()

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._slots.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A page that went away is none of ours."""


def tend(desk: ResidentDesk, places: Places, log: Log, stop: threading.Event) -> None:
    """Until `stop`: a beat and a look at what has come to places each second, and once an hour whoever's
    last day is over leaves the list. Of whichever process holds the desk."""
    pulse, seldom, last = metrics.PULSES.of("residents"), Seldom(), 0.0
    while not stop.wait(1.0):
        pulse.beat()
        places.look()
        last -= 1.0
        if last > 0:
            continue
        last = _HOUR_S
        try:
            if outs := desk.ended():
                log.append(outs)
        except (*FAULTS, Unavailable) as e:
            seldom("residents", text_of(e))


def run_keeper(
    district: District,
    live: bool,
    log: Log,
    path: Path | None,
    clock: Callable[[], int],
    wall: Callable[[], int],
    stop: threading.Event,
    ready: Callable[[], None],
) -> None:
    """Open until `stop`; once an hour whoever's last day is over leaves the list. path: of the socket; None:
    the one that systemd hands over. Raises OSError when it cannot be had."""
    desk, places = ResidentDesk(district, live, clock, wall), Places(district, log, clock)
    door = _Door(path, Keeper(district, log, desk, places.notes, wall))
    ear = threading.Thread(target=door.serve_forever, args=(_LOOKS_EVERY_S,), name="keeper", daemon=True)
    ear.start()
    ready()
    try:
        tend(desk, places, log, stop)
    finally:
        door.shutdown()
        door.server_close()
        if path is not None:
            path.unlink(missing_ok=True)
