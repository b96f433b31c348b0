"""Where carriers post delivery receipts by HTTP: /receipt/CARRIER?token=…, fields in the query, a
form or JSON. It answers 2xx only when the log has the receipt; otherwise the carrier says it again.
"""

import hmac
import queue
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from config.carriers import Carrier
from dispatch.channels import Heard
from ingest.decode.outside import Unreadable, number, read_json

_LONGEST = 65_536
_PATIENCE_S = 40.0  # longer than a word on an unknown message waits
_ROWS = 1000
_FIELDS = 100
_BOM = b"\xef\xbb\xbf"
_any = msgspec.json.Decoder()


class ReceiptServer:
    """carriers: those that post. listen: HOST:PORT (port 0: any). token: what they must know."""

    def __init__(
        self,
        listen: str,
        token: str,
        carriers: Mapping[str, Carrier],
        hear: Callable[[Heard], None],
    ) -> None:
        self._token, self._carriers, self._hear = token, carriers, hear
        host, _, port = listen.rpartition(":")
        server = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                self._reply(server.take(self.path, b""))

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not (length.isascii() and length.isdigit()) or int(length) > _LONGEST:
                    self._reply((413, "too long"))
                    return
                self._reply(server.take(self.path, self.rfile.read(int(length))))

            def _reply(self, answer: tuple[int, str]) -> None:
                body = answer[1].encode()
                self.send_response(answer[0])
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Silent: its lines would name telephone numbers."""

        self._server = ThreadingHTTPServer((host, int(port)), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, name="receipts-http").start()

    def take(self, path: str, body: bytes) -> tuple[int, str]:
        """HTTP status and words for one request."""
        parts = urlsplit(path)
        query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        name = parts.path.removeprefix("/receipt/")
        carrier = self._carriers.get(name)
        if not hmac.compare_digest(query.get("token", "").encode(), self._token.encode()):
            return 403, "token?"
        if carrier is None or not (carrier.receipt.status or carrier.receipt.sender):
            return 404, "no carrier of this name has receipts in channels.toml"
        told, rows = carrier.receipt, fields_of(body) or [{}]
        if len(rows) > _ROWS:
            return 413, f"at most {_ROWS} receipts at once"
        answers: queue.Queue[bool] = queue.Queue()
        for row in rows:
            fields = {**query, **row}
            status = fields.get(told.status, "")
            sender = fields.get(told.sender, "") if told.sender else ""
            ident = fields.get(told.id, "") if told.id else ""
            self._hear(
                Heard(
                    carrier.channel,
                    name,
                    fields.get(told.key, "") if told.key else "",
                    (f"{name}|{ident}",) if ident else (),
                    told.words.get(status, status),
                    "",
                    answers.put,
                    sender,
                    fields.get(told.text, "") if sender and told.text else "",
                )
            )
        try:
            kept = [answers.get(timeout=_PATIENCE_S) for _ in rows]
        except queue.Empty:
            kept = [False]
        return (200, told.reply) if all(kept) else (503, "say it again")

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def fields_of(body: bytes) -> list[dict[str, str]]:
    """The rows of a JSON object or list, or of a form; nothing where it is neither."""
    try:
        found: Any = read_json(body.removeprefix(_BOM), _any, _LONGEST) if body else []
    except Unreadable:
        try:
            form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_FIELDS)
        except ValueError:
            return []
        return [{k: v[-1] for k, v in form.items()}] if form else []
    rows = found if isinstance(found, list) else [found]
    return [
        {k: str(v) for k, v in row.items() if type(v) is not int or number(v) is not None}
        for row in rows
        if isinstance(row, dict)
    ]
