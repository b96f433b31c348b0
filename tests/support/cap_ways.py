"""What several tests use, by the one it was written for: cap_ways."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from ingest.cap.feed_poller import Poller
from ingest.cap.intake import CapDoor
from ingest.observation import CapIn
from stream.log.open import open_log
from stream.log.port import Log
from stream.records import DeadLetter
from tests.support.cap_world import WEATHER, hearing, sources
from tests.support.decide_district import T0


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    found = open_log(f"sqlite:///{tmp_path}", "live", "yanqing", hearing().partitions)
    yield found
    found.close()


def taken(log: Log) -> list[CapIn]:
    """Of each partition."""
    found = []
    for partition in range(log.topics["observations"].partitions):
        for entry in log.read("observations", partition, 0):
            found.append(msgspec.json.decode(entry.value, type=CapIn))
    return found


def letters(log: Log) -> list[str]:
    entries = [
        e
        for p in range(log.topics["dead-letters"].partitions)
        for e in log.read("dead-letters", p, 0)
    ]
    return [msgspec.json.decode(e.value, type=DeadLetter).reason for e in entries]


class Feed:
    """A feed that says what it is told to; `asked` holds the requests."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, bytes]] = {}
        self.asked: list[tuple[str, str]] = []
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                feed.asked.append((self.path, self.headers.get("If-None-Match", "")))
                status, body = feed.pages.get(self.path, (404, b""))
                tag = f'"{hash(body)}"'
                if status == 200 and self.headers.get("If-None-Match") == tag:
                    status, body = 304, b""
                self.send_response(status)
                if status == 200:
                    self.send_header("ETag", tag)
                if status == 302:
                    self.send_header("Location", body.decode())
                    body = b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def feed() -> Iterator[Feed]:
    found = Feed()
    yield found
    found.close()


def listed(*hrefs: str) -> bytes:
    rows = "".join(
        f"<entry><id>{n} {h}</id><updated>2025-07-26T20:00:00+08:00</updated><title>t</title>"
        f'<link rel="alternate" type="text/html" href="/page.html"/>'
        f'<link type="application/cap+xml" href="{h}"/></entry>'
        for n, h in enumerate(hrefs)
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{rows}</feed>'.encode()


def poller(feed: Feed, log: Log, tmp_path: Path, path: str = "/feed") -> Poller:
    weather = msgspec.structs.replace(sources().source[WEATHER], feed=feed.url + path)
    return Poller(weather, True, CapDoor(hearing(), True, tmp_path), log, lambda: T0)


def names(log: Log) -> set[str]:
    return {m.identifier for m in taken(log)}
