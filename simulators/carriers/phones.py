"""Phones: an HTTP gateway on loopback that takes texts, and people who receive and answer them.

What becomes of a message is drawn from its key, so that two runs agree: most phones are on, some
are off; those whom the text asks to answer do so after 20 s to 4 min of scenario time, a few never. Where it
asks for a code (确认码) some leave it out and some mistype it, and key it right when they are called.
"""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from dispatch.nodes.protocol import CarrierReceipt
from simulators.carriers import LOOKS_EVERY_S

_CODE = re.compile(r"确认码([零幺二三四五六七八九\d]+)")
_FIGURES = dict(zip("零幺二三四五六七八九", "0123456789", strict=True))


class Sms(NamedTuple):
    """One message as the gateway took it, at the scenario's time in ms."""

    channel: str
    to: str
    key: str
    text: str
    taken_at: int = 0


class Carrier:
    """The gateway; runs until `close`. bare_share, wrong_share: of the telephones that answer, those that leave
    a code out, or mistype it."""

    def __init__(
        self,
        port: int = 0,
        off_share: float = 0.04,
        silent_share: float = 0.06,
        bare_share: float = 0.08,
        wrong_share: float = 0.04,
    ) -> None:
        self._off, self._silent = off_share, silent_share
        self._bare, self._wrong = bare_share, wrong_share
        self.no_network = 0.0  # the share of the phones that no base station reaches now
        self._lock = threading.Lock()
        self._now_at: int | None = None  # the last that the scenario said
        self.taken: dict[str, Sms] = {}
        self.posts = 0
        self._new: list[str] = []
        self._due: list[tuple[int, str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(LOOKS_EVERY_S,), daemon=True)
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        carrier = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # the library's name
                size = int(self.headers.get("Content-Length", 0))
                try:
                    body: dict[str, Any] = json.loads(self.rfile.read(size))
                except ValueError:
                    body = {}
                query = {k: v[-1] for k, v in parse_qs(urlsplit(self.path).query).items()}
                found = carrier.take(urlsplit(self.path).path.strip("/"), {**query, **body})
                said = b'{"code": 0}' if found else b'{"code": 1}'
                self.send_response(200 if found else 400)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args: object) -> None:
                """Silent: its lines would name telephone numbers."""

        return Handler

    def take(self, channel: str, fields: dict[str, Any]) -> bool:
        """A message; the same key again is the same message."""
        key, to = str(fields.get("key", "")), str(fields.get("to", ""))
        if not key or not to:
            return False
        with self._lock:
            self.posts += 1
            if key not in self.taken:
                text = str(fields.get("message", ""))
                self.taken[key] = Sms(channel, to, key, text, self._now_at or 0)
                self._new.append(key)
        return True

    def advance(self, now_at: int) -> list[tuple[str, CarrierReceipt]]:
        """(channel, receipt) of what happened up to now, in the scenario's time. What came between two steps
        was taken at the first of them: a telephone waits for no step of the simulation."""
        with self._lock:
            new, self._new = self._new, []
            first = self._now_at is None
            self._now_at = now_at
        for key in sorted(new):
            at = now_at if first else self.taken[key].taken_at
            fate = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
            # a phone that is off stays off for every message to it
            phone = (
                int(hashlib.sha256(self.taken[key].to.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
            )
            if self.taken[key].channel == "broadcast_platform":
                self._due += [(at + 10_000, key, "playing"), (at + 40_000, key, "played")]
                continue
            if self.taken[key].channel == "voice":
                self._call(at, key, phone, fate)
                continue
            off = max(self._off, self.no_network)
            if phone < off:
                self._due.append((at + 60_000, key, "undelivered"))
                continue
            self._due.append((at + 3_000, key, "delivered"))
            if "回复" in self.taken[key].text and phone > off + self._silent:
                self._due.append((at + 20_000 + int(fate * 220_000), key, "answered"))
        ready = sorted(x for x in self._due if x[0] <= now_at)
        self._due = [x for x in self._due if x[0] > now_at]
        return [
            (
                self.taken[key].channel,
                CarrierReceipt(key=key, status=status, at=at, code=self._code(key, status)),
            )
            for at, key, status in ready
        ]

    def _call(self, now_at: int, key: str, phone: float, fate: float) -> None:
        """A call-out: the one who wakes picks up, hears the text to its end and presses the key."""
        if phone < max(self._off, self.no_network) + self._silent:
            self._due.append((now_at + 45_000, key, "no_answer"))
            return
        picked_up_at = now_at + 5_000 + int(fate * 25_000)
        self._due.append((picked_up_at, key, "picked_up"))
        self._due.append((picked_up_at + 20_000, key, "confirmed"))

    def _code(self, key: str, status: str) -> str:
        """What whoever answers sends back or keys, where the text asks for a code."""
        hit = _CODE.search(self.taken[key].text) if status in ("answered", "confirmed") else None
        if hit is None:
            return ""
        code = "".join(_FIGURES.get(c, c) for c in hit[1])
        if status == "confirmed":  # somebody else's finger, or more care
            return code
        drawn = int(hashlib.sha256(f"code {self.taken[key].to}".encode()).hexdigest()[:8], 16) / 2**32
        if drawn < self._bare:
            return ""
        return code[:-1] + str((int(code[-1]) + 1) % 10) if drawn < self._bare + self._wrong else code

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def encoded(receipt: CarrierReceipt) -> bytes:
    """As it stands on the wire."""
    return msgspec.json.encode(receipt)
