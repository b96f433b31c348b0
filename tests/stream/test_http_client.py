"""What asks by HTTP: bounds of size and time, no way but the one that was named."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from stream.http.client import BrokenOff, ask


class Place:
    """A server that answers by the path, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.from_: list[int] = []  # ports of whoever asked
        self.stop = threading.Event()
        place = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                place.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                place.from_.append(self.client_address[1])
                kind = self.path.rpartition("/")[2]
                if kind == "slow-head":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                    for n in range(2000):  # no piece of it is late
                        place.stop.wait(0.05)
                        self.wfile.write(b"X-%d: x\r\n" % n if n % 20 == 0 else b"")
                        self.wfile.flush()
                    return
                self.send_response(302 if kind == "elsewhere" else 200)
                if kind == "elsewhere":
                    self.send_header("Location", "/here")
                self.send_header(
                    "Content-Length", {"large": "5000", "cut": "900", "drip": "1000"}.get(kind, "4")
                )
                self.end_headers()
                if kind == "silent":
                    place.stop.wait(120)
                elif kind == "drip":
                    for _ in range(1000):
                        place.stop.wait(0.05)
                        self.wfile.write(b"x")
                else:
                    self.wfile.write(b"x" * 5000 if kind == "large" else b"here")
                self.close_connection = kind == "cut"

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.stop.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def place() -> Iterator[Place]:
    found = Place()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def get(url: str, **more: Any) -> Any:
    return ask("GET", url, {}, **{"limit": 4096, "timeout_s": 60.0, "whole_s": 60.0, **more})


def test_an_answer_is_its_status_body_and_headers(place: Place) -> None:
    found = get(f"{place.url}/here")
    assert (found.status, found.body, found.headers["content-length"]) == (200, b"here", "4")


@pytest.mark.parametrize(("limit", "read"), [(4999, 5000), (10, 11), (5000, 5000), (9000, 5000)])
def test_no_more_is_read_than_a_byte_beyond_the_limit(place: Place, limit: int, read: int) -> None:
    assert len(get(f"{place.url}/large", limit=limit).body) == read


def test_a_redirect_is_followed_only_where_that_was_asked(place: Place) -> None:
    assert get(f"{place.url}/elsewhere").status == 302
    assert [path for path, _ in place.asked] == ["/elsewhere"]
    assert get(f"{place.url}/elsewhere", redirects=3).body == b"here"


def test_what_does_not_come_in_time_is_no_answer(place: Place) -> None:
    with pytest.raises(OSError):
        get(f"{place.url}/silent", timeout_s=0.3)
    with pytest.raises(TimeoutError, match="no whole answer"):
        get(f"{place.url}/drip", whole_s=0.3)


def test_a_connection_serves_again_unless_an_answer_was_not_read_to_its_end(place: Place) -> None:
    for _ in range(3):
        assert get(f"{place.url}/here").body == b"here"
    assert len(set(place.from_)) == 1
    assert len(get(f"{place.url}/large", limit=10).body) == 11
    with pytest.raises(TimeoutError):
        get(f"{place.url}/drip", whole_s=0.3)
    assert get(f"{place.url}/here").body == b"here"


def test_an_answer_that_is_cut_is_none(place: Place) -> None:
    with pytest.raises(BrokenOff):
        get(f"{place.url}/cut")


def test_only_http_and_https_are_asked(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    for url in (f"file://{tmp_path}/secret", "ftp://127.0.0.1/x", "http://", "http://127.0.0.1:1/"):
        with pytest.raises(ConnectionError):
            get(url)


def test_a_proxy_of_the_environment_is_used_only_where_that_was_asked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", place.url.replace("http://", "http://u%40x:p@"))
    with pytest.raises(OSError):
        get("http://warnings.invalid/here")
    assert place.asked == []
    assert get("http://warnings.invalid/here", proxies=True).body == b"here"
    path, headers = place.asked.pop()
    assert path == "http://warnings.invalid/here"
    assert base64.b64decode(headers["proxy-authorization"].removeprefix("Basic ")) == b"u@x:p"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert get(f"{place.url}/here", proxies=True).body == b"here"
    assert place.asked.pop()[0] == "/here"


def test_a_head_that_drips_ends_with_the_time_of_the_whole(place: Place) -> None:
    """Each of its pieces comes in time."""
    with pytest.raises(TimeoutError, match="0.5"):
        ask("GET", place.url + "/slow-head", {}, limit=100, timeout_s=90, whole_s=0.5)
    assert ask("GET", place.url + "/", {}, limit=100, timeout_s=90, whole_s=90).body == b"here"


def test_a_connection_serves_again_with_its_own_time(place: Place) -> None:
    """What was left of one request's time is none of the next one's."""
    for _ in range(3):
        assert ask("GET", place.url + "/", {}, limit=100, timeout_s=90, whole_s=90).body == b"here"
    assert len(set(place.from_)) == 1
