"""What several tests use, by the one it was written for: gateway."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from config.records.channels import Carrier
from dispatch.channels import Parcel
from tests.support.smpp import real

TEXT = "【延庆防汛】香屯村山洪红色预警，立即转移！{key} & {secret}"


class Far:
    """An HTTP server that answers with `status` and `body`; `drip`: a byte a tenth of a second."""

    def __init__(self) -> None:
        self.status, self.body, self.drip = 200, b'{"code": 0}', False
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []
        far = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_HEAD(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                far.got.append((self.command, self.path, dict(self.headers), body))
                self.send_response(far.status)
                self.send_header("Content-Length", str(len(far.body)))
                self.end_headers()
                try:
                    for n in range(len(far.body)):
                        self.wfile.write(far.body[n : n + 1])
                        if far.drip:
                            time.sleep(0.1)
                except OSError:
                    pass

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/send"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def far() -> Iterator[Far]:
    found = Far()
    yield found
    found.server.shutdown()
    found.server.server_close()


def parcel(**more: Any) -> Parcel:
    fields: dict[str, Any] = {"to": "199-0000-0001", "title": "t", "text": TEXT, "key": "k1"}
    return Parcel(
        **{**fields, "cost": 1, "valid_s": 600.0, "delivery": real(1, "C-0001", "sms"), **more}
    )


def row(url: str, **more: Any) -> Carrier:
    return Carrier(**{"name": "gw", "channel": "sms", "kind": "http", "url": url, **more})
