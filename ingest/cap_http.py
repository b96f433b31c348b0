"""The HTTP endpoint at which other authorities hand in CAP messages: `POST /cap` with a bearer token.

202: kept, and what it was taken for; 400: kept as a dead letter, and why; 401, 411, 413: not read;
503: cannot be kept now, send it again. Whoever sends may repeat: the same message counts once.
"""

import hmac
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ingest.cap_door import CapDoor
from ingest.decode.cap import MAX_BYTES
from ingest.decode.reading import Rejected
from ingest.journal import say
from ingest.log import Log

PATH = "/cap"
_AT_ONCE = 8  # parsing and checking a signature is work: more than this wait outside


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, at: tuple[str, int], door: CapDoor, log: Log, token: str, now: Callable[[], int]
    ) -> None:
        self.door, self.log, self.token, self.now = door, log, token, now
        self.slots = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(at, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # seconds; a silent client does not hold a thread
    server_version, sys_version = "fengsui", ""

    def do_POST(self) -> None:  # the library's name
        body = self._body()
        if body is None:
            return
        if not self.server.slots.acquire(blocking=False):
            self._say(503, state="busy", detail="稍后再发 send it again")
            return
        where = f"http:{self.client_address[0]}"
        try:
            found = self.server.door.enter(self.server.log, body, self.server.now, where)
        except OSError as e:
            say("ingest", f"CAP by HTTP cannot be kept: {e}")
            self._say(503, state="not_kept", detail="稍后再发 send it again")
            return
        finally:
            self.server.slots.release()
        if isinstance(found, Rejected):
            self._say(400, state="rejected", reason=found.reason, detail=found.detail)
        else:
            areas = sorted({s.area for s in found.says})
            self._say(202, state="taken", source=found.source, areas=areas)

    def _body(self) -> bytes | None:
        """None when the answer has been given."""
        self.close_connection = True  # what is not read would be taken for the next request
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        size = self.headers.get("Content-Length", "")
        wrong = 0
        if not hmac.compare_digest(given.encode(), self.server.token.encode()):
            wrong, detail = 401, "令牌不对 Authorization: Bearer TOKEN"
        elif self.path.split("?")[0] != PATH:
            wrong, detail = 404, f"POST {PATH}"
        elif not (size.isascii() and size.isdigit()):
            wrong, detail = 411, "Content-Length"
        elif int(size) > MAX_BYTES:
            wrong, detail = 413, f"上限 at most {MAX_BYTES} bytes"
        if wrong:
            self._say(wrong, state="refused", detail=detail)
            return None
        try:
            body = self.rfile.read(int(size))
        except OSError:
            return None
        return body if len(body) == int(size) else None

    def _say(self, status: int, **words: Any) -> None:
        answer = json.dumps(words, ensure_ascii=False).encode()
        # who has gone will send again, and counts once
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        """Silent: what matters stands in the log."""


class CapServer:
    """Serves until `close`. now: the run's clock, epoch ms. port 0: any free one."""

    def __init__(
        self, door: CapDoor, log: Log, host: str, port: int, token: str, now: Callable[[], int]
    ) -> None:
        self._server = _Server((host, port), door, log, token, now)
        self.url = f"http://{host}:{self._server.server_address[1]}{PATH}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="cap-http", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)
