"""One SMPP 3.4 session over TCP or TLS: bound as transceiver, many requests under way at once.

Requests are made by smpplib. The session is ours, because smpplib's client has one request under way
and loses its place in the stream when a read times out; so is the reading (`smpp_pdu`), because its
parser cuts the last character off an id without a NUL and gives up on a length that is one off. A
request that nobody knows is answered by generic_nack, and the session stands. One that broke, or that
the other side ended, stays so: the carrier opens another.
"""

import itertools
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, NamedTuple

from smpplib.consts import DESCRIPTIONS
from smpplib.smpp import make_pdu

from config.language import Said, Text, text_of
from dispatch.channels import SendError
from dispatch.channels.smpp import pdu as smpp_pdu
from dispatch.channels.smpp.pdu import GENERIC_NACK, RESPONSE, Pdu
from dispatch.channels.status_words import SMPP_BUSY, SMPP_PERMANENT, SMPP_ROUTE
from stream.guard import fault

# its lines may hold numbers
for _name in ("smpplib", "smpp.Client"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

_LONGEST = 65_536  # of a PDU; longer means that we lost our place in the stream
_SEQUENCES = 0x7FFFFFFF
_UNBOUND = Text("对方解绑", "the other side unbound")
_BROKE = Text("连接中断：", "the connection broke: ")
_WITH_ID = (smpp_pdu.DELIVER_SM, smpp_pdu.DATA_SM)  # a response to these has a message_id
_UNKNOWN_COMMAND, _UNKNOWN_ERROR = 0x03, 0xFF  # ESME_RINVCMDID, ESME_RUNKNOWNERR
# smpplib asks a client for the number of each PDU; ours come from the session
_NUMBERS = SimpleNamespace(sequence=0, next_sequence=lambda: 0)


_COMMANDS = {
    "bind_transceiver": smpp_pdu.BIND_TRANSCEIVER,
    "submit_sm": smpp_pdu.SUBMIT_SM,
    "enquire_link": smpp_pdu.ENQUIRE_LINK,
    "unbind": smpp_pdu.UNBIND,
}


class Bind(NamedTuple):
    """Where and as whom. password: never shown."""

    host: str
    port: int
    tls: bool
    system_id: str
    password: str
    system_type: str


class _Asked:
    """A request that waits for its response."""

    def __init__(self, name: str) -> None:
        self.command = _COMMANDS[name]
        self.done = threading.Event()
        self.response: Pdu | None = None


class Link:
    """on_deliver(link, pdu): a deliver_sm or data_sm came; it is answered by `answer`. on_late(link, pdu):
    the response to a submit_sm that had been given up. Raises SendError where the session cannot be had."""

    def __init__(
        self,
        bind: Bind,
        timeout_s: float,
        quiet_s: float,
        on_deliver: Callable[["Link", Pdu], None],
        on_late: Callable[["Link", Pdu], None],
    ) -> None:
        self._timeout_s = timeout_s
        self._on_deliver, self._on_late = on_deliver, on_late
        self._sequence = itertools.count(1)
        self._lock = threading.Lock()
        self._asked: dict[int, _Asked] = {}
        self._broken: Said = ""
        self._leaving: int | None = None  # the sequence of their unbind, until it is answered
        self._quiet = 0
        try:
            self._socket = socket.create_connection((bind.host, bind.port), timeout_s)
            if bind.tls:
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=bind.host)
        except OSError as e:
            why = e.strerror or type(e).__name__
            raise SendError(Text("连不上：", "no connection: ") + why) from e
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(quiet_s)
        self._reader = threading.Thread(target=self._read, name="smpp", daemon=True)
        self._reader.start()
        try:
            self.ask(
                "bind_transceiver",
                system_id=bind.system_id,
                password=bind.password,
                system_type=bind.system_type,
                interface_version=0x34,
            )
        except SendError:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Can it still be used?"""
        return not self._broken and self._leaving is None

    def begin(self, name: str, **fields: Any) -> tuple[int, _Asked]:
        """Send a request; `finish` waits for its response."""
        sequence = next(self._sequence) % _SEQUENCES + 1
        asked = _Asked(name)
        with self._lock:
            if self._broken or self._leaving is not None:
                raise SendError(self._broken or _UNBOUND)
            self._asked[sequence] = asked
        self._write(name, sequence, fields)
        return sequence, asked

    def finish(self, sequence: int, asked: _Asked) -> Pdu:
        """The response. Raises SendError if it is an error, or none comes in time."""
        if not asked.done.wait(self._timeout_s):
            with self._lock:
                if not asked.done.is_set():
                    self._asked.pop(sequence, None)
            if not asked.done.is_set():
                self._part()
                within = f"{self._timeout_s:g}"
                raise SendError(
                    Text(f"短信中心 {within} 秒内没有回答", f"no answer within {within} s")
                )
        found = asked.response
        if found is None:
            raise SendError(self._broken or Text("会话已断", "the session ended"))
        if found.status or found.command == GENERIC_NACK:
            raise refusal(found.status or _UNKNOWN_ERROR)
        return found

    def ask(self, name: str, **fields: Any) -> Pdu:
        """A request and its response."""
        return self.finish(*self.begin(name, **fields))

    def answer(self, pdu: Pdu, status: int = 0) -> None:
        """Respond to the other side's request; a session that broke meanwhile hears it again."""
        if not self._broken:
            message_id = b"\0" if pdu.command in _WITH_ID else b""
            self._put(_packed(pdu.command | RESPONSE, status, pdu.sequence, message_id))

    def close(self) -> None:
        """End the session politely if it lives."""
        if self.alive:
            with suppress(SendError):
                self._write("unbind", next(self._sequence) % _SEQUENCES + 1, {})
        self._break(Text("会话已关", "the session was closed"))
        self._reader.join(2.0)

    def _write(self, name: str, sequence: int, fields: dict[str, Any]) -> None:
        pdu = make_pdu(name, client=_NUMBERS, **fields)
        pdu.sequence = sequence
        self._put(pdu.generate())

    def _put(self, octets: bytes) -> None:
        with self._lock:
            try:
                self._socket.sendall(octets)
                return
            except OSError as e:
                words = _BROKE + (e.strerror or type(e).__name__)
        self._break(words)
        raise SendError(words)

    def _break(self, words: Said) -> None:
        with self._lock:
            self._broken = self._broken or words
            asked, self._asked = self._asked, {}
        with suppress(OSError):  # it was gone
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for a in asked.values():
            a.done.set()

    def _read(self) -> None:
        buffer = b""
        try:
            while not self._broken:
                try:
                    got = self._socket.recv(65_536)
                except TimeoutError:
                    self._enquire()
                    continue
                if not got:
                    raise OSError(Text("对方断开", "the other side ended the session"))
                self._quiet = 0
                buffer = self._take(buffer + got)
        except SendError as e:
            self._break(e.detail)
        except (OSError, ValueError) as e:
            system = isinstance(e, OSError) and e.strerror  # its words, not ours
            self._break(_BROKE + str(e) if system else text_of(e) if str(e) else type(e).__name__)
        except Exception as e:  # noqa: BLE001  # a session whose reader is dead must not look alive
            self._break(Text("会话读取出错：", "the session's reader failed: ") + fault(e))

    def _enquire(self) -> None:
        """The line was quiet: is anybody there?"""
        self._quiet += 1
        if self._quiet > 2:
            raise OSError(Text("对方无应答", "no answer to enquire_link"))
        self._write("enquire_link", next(self._sequence) % _SEQUENCES + 1, {})

    def _take(self, buffer: bytes) -> bytes:
        """Act on each whole PDU; return what is left."""
        while len(buffer) >= 4:
            (length,) = struct.unpack(">L", buffer[:4])
            if not 16 <= length <= _LONGEST:
                raise ValueError(Text("对方不是 SMPP", "the other side does not speak SMPP"))
            if len(buffer) < length:
                break
            octets, buffer = buffer[:length], buffer[length:]
            self._act(smpp_pdu.read(octets))
        return buffer

    def _act(self, pdu: Pdu) -> None:
        match pdu.command:
            case smpp_pdu.ENQUIRE_LINK:
                self.answer(pdu)
            case smpp_pdu.DELIVER_SM | smpp_pdu.DATA_SM:
                self._on_deliver(self, pdu)
            case smpp_pdu.UNBIND:
                self._leaving = pdu.sequence
                self._part()
            case command if command & RESPONSE:
                self._came(pdu)
            case command if command not in smpp_pdu.UNANSWERED:
                self._put(_packed(GENERIC_NACK, _UNKNOWN_COMMAND, pdu.sequence))

    def _came(self, pdu: Pdu) -> None:
        """A response: of the kind that was asked for, or the other side's no to any."""
        with self._lock:
            asked = self._asked.get(pdu.sequence)
            mine = asked is not None and pdu.command in (asked.command | RESPONSE, GENERIC_NACK)
            if mine:
                del self._asked[pdu.sequence]
        if asked is not None and mine:
            asked.response = pdu
            asked.done.set()
            self._part()
        elif asked is None and pdu.command == smpp_pdu.SUBMIT_SM | RESPONSE:
            self._on_late(self, pdu)

    def _part(self) -> None:
        """The other side unbinds: once it has answered what it was asked, it gets its own answer. What
        it has taken would be sent twice otherwise."""
        with self._lock:
            sequence = self._leaving
            if sequence is None or self._asked or self._broken:
                return
        with suppress(SendError):
            self._put(_packed(smpp_pdu.UNBIND | RESPONSE, 0, sequence))
        self._break(_UNBOUND)


def _packed(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return struct.pack(">LLLL", 16 + len(body), command, status, sequence) + body


def refusal(status: int) -> SendError:
    """What an SMPP command_status means (SMPP 3.4, 5.1.3)."""
    words = f"SMPP 0x{status:08X} {DESCRIPTIONS.get(status, '')}".strip()
    if status in SMPP_BUSY:
        return SendError(Text("短信中心忙：", "busy: ") + words, wait_s=1.0)
    told = Text("短信中心未收：", "not taken: ") + words
    if status in SMPP_ROUTE:
        return SendError(told, blames_route=True)
    return SendError(told, permanent=status in SMPP_PERMANENT, blames_route=False)
