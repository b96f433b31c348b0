"""What several tests use, by the one it was written for: smpp."""

import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import load
from config.records.channels import Carrier, Channels
from config.records.district import District
from dispatch.channels import CarrierWord, Parcel
from dispatch.channels.smpp.carrier import Smpp
from dispatch.channels.smpp.session import Bind
from dispatch.words.sms_length import segments
from tests.support.send import delivery, now_ms
from tests.support.servers_carriers import JSmpp, NpmSmsc

ROOT = Path(__file__).parents[2]
ZH = "【延庆防汛】香屯村山洪红色预警，立即转移！"


@pytest.fixture(scope="module")
def loaded() -> District:
    return load(ROOT / "config" / "yanqing")


def row(server: NpmSmsc | JSmpp, name: str = "one", **more: Any) -> Carrier:
    kind = "npm" if isinstance(server, NpmSmsc) else "jsmpp"
    fields = {"user": server.user, "secret": f"env:{kind}", **more}
    return Carrier(
        name=name, channel="sms", kind="smpp", url=f"smpp://127.0.0.1:{server.port}", **fields
    )


def live(loaded: District, *rows: Carrier, **more: Any) -> District:
    settings: dict[str, Any] = {"attempt_timeout_s": 60, "retry_s": (1, 1, 2), **more}
    return msgspec.structs.replace(loaded, channels=Channels(carrier=rows, **settings))


def real(n: int, who: str, *channels: str, text: str = ZH, **more: Any) -> Any:
    at = now_ms()
    times = {"queued_at": at, "deadline_at": at + 300_000, "expires_at": at + 3_600_000}
    d = delivery(n, who, *channels, status="actual", **times, **more)
    routes = tuple(msgspec.structs.replace(r, text=text, segments=segments(text)) for r in d.routes)
    return msgspec.structs.replace(d, routes=routes)


def parcel(text: str = ZH, key: str = "k") -> Parcel:
    return Parcel("199-0000-0001", "", text, key, segments(text), 600.0, real(1, "C-0001", "sms"))


def smpp(port: int, heard: Callable[[CarrierWord], None] = print, **more: Any) -> Smpp:
    bind = Bind("127.0.0.1", port, False, "fengsui", more.pop("password", "secret"), "")
    return Smpp("one", bind, heard, **{"timeout_s": 60.0, **more})


class Raw:
    """A TCP server that answers every PDU with what `answer` makes of its command and sequence."""

    def __init__(self, answer: Callable[[int, int], bytes | None]) -> None:
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            self.open.append(peer)
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        try:
            while head := peer.recv(16, socket.MSG_WAITALL):
                length, command, _, sequence = struct.unpack(">LLLL", head)
                if length > 16:
                    peer.recv(length - 16, socket.MSG_WAITALL)
                if (octets := self._answer(command, sequence)) is not None:
                    peer.sendall(octets)
        except (OSError, struct.error):
            pass

    def close(self) -> None:
        self._server.close()
        for peer in self.open:
            peer.close()


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return struct.pack(">LLLL", 16 + len(body), command, status, sequence) + body


BIND, SUBMIT = 0x00000009, 0x00000004
CONGESTION = struct.pack(">HHB", 0x0428, 1, 80)  # congestion_state of SMPP 5.0


def well(command: int, sequence: int) -> bytes | None:
    """Bound, and every message taken, with a field of SMPP 5.0 in both answers."""
    if command == BIND:
        return pdu(0x80000009, sequence, b"smsc\0" + CONGESTION)
    if command == SUBMIT:
        return pdu(0x80000004, sequence, b"id%d\0" % sequence + CONGESTION)
    return pdu(command | 0x80000000, sequence)
