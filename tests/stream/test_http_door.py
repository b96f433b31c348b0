"""The bounds of every HTTP door, against real sockets that say nothing, little, or too slowly; and the
people's door, at which one person's cry for help must get through whatever others do."""

import ast
import asyncio
import contextlib
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.cap.http_server import CapServer
from ingest.cap.intake import CapDoor
from ingest.people.links import Links
from ingest.people.web import people_ways
from stream.disk.blobs import FrameStore
from stream.http.exporter import serve
from stream.http.server import Bounds, HttpDoor
from stream.log.open import open_log
from stream.oplog import Seldom
from tests.support.cap_world import hearing
from tests.support.decide_district import T0, yanqing
from tests.support.people_door import (
    LONG_AFTER,
    Place,
    call,
    kept,
    multipart,
    picture,
    post,
    sending,
)
from tests.support.send import until

ROOT = Path(__file__).parents[2]
LONG = 600.0
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def answering(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, and answers with as much as is asked for."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
    size = int(scope["path"].strip("/") or 2)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * size})


@contextlib.contextmanager
def door(**bounds: Any) -> Iterator[int]:
    found = HttpDoor(answering, "127.0.0.1:0", "test", Bounds(**{"head_s": LONG, **bounds}))
    try:
        yield found.port
    finally:
        found.close()


def connect(port: int, source: str = "127.0.0.1") -> socket.socket:
    s = socket.create_connection(("127.0.0.1", port), timeout=120, source_address=(source, 0))
    s.settimeout(120)
    return s


def is_cut(s: socket.socket) -> bool:
    """Waits for it."""
    try:
        return s.recv(1) == b""
    except ConnectionError:
        return True


def asked(port: int, source: str = "127.0.0.1") -> bytes:
    """The answer; nothing where it was cut."""
    with connect(port, source) as s, contextlib.suppress(ConnectionError):
        s.sendall(ASK)
        return s.recv(1000)
    return b""


def drips(s: socket.socket) -> bool:
    """A byte at a time, until it is cut."""
    with contextlib.suppress(OSError):
        for _ in range(2000):
            s.sendall(b"a")
            s.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                if s.recv(1) == b"":
                    return True
        return False
    return True


def test_silence_a_dripping_head_and_a_dripping_body_are_cut() -> None:
    with door(head_s=1.0, body_s=1.0) as port:
        with connect(port) as s:
            assert is_cut(s)
        with connect(port) as s:
            s.sendall(b"GET / HTTP/1.1\r\nX: ")
            assert drips(s)
        with connect(port) as s:
            s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n")
            assert drips(s)
        # a busy machine may stand still for a second between the connection and the first word
        until(lambda: b"200" in asked(port), "it answers whoever speaks", 90)


def test_who_does_not_read_the_answer_is_cut() -> None:
    found = HttpDoor(answering, "127.0.0.1:0", "test", Bounds(head_s=LONG, answer_s=1.0))
    try:
        with connect(found.port) as s:
            peer = s.getsockname()
            s.sendall(b"GET /90000000 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert s.recv(1)  # the answer has begun
            until(lambda: not _there(found, peer), "not a byte is read meanwhile", 90)
            got = 1
            with contextlib.suppress(ConnectionError):
                while chunk := s.recv(1_000_000):
                    got += len(chunk)
            assert got < 90_000_000
    finally:
        found.close()


async def flowing(scope: Any, receive: Any, send: Any) -> None:
    """Goes on for ever, a line or a megabyte at a time."""
    line = b"x" * int(scope["path"].rpartition("/")[2])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": line, "more_body": True})
        await asyncio.sleep(0.1)


def test_an_answer_without_an_end_goes_on_for_who_reads_it_and_no_other() -> None:
    bounds = Bounds(head_s=LONG, answer_s=1.0, endless=("/stream/9", "/stream/9000000"))
    found = HttpDoor(flowing, "127.0.0.1:0", "test", bounds)
    try:
        with connect(found.port) as s:
            s.sendall(b"GET /stream/9 HTTP/1.1\r\nHost: x\r\n\r\n")
            got = b""
            while got.count(b"x" * 9) < 40:  # four seconds and more
                chunk = s.recv(1000)
                assert chunk, "it was cut"
                got += chunk
        for path in (b"/stream/9000000", b"/other/9000000"):
            with connect(found.port) as s:
                s.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                peer = s.getsockname()
                until(lambda peer=peer: not _there(found, peer), "who reads nothing is cut", 90)  # type: ignore[misc]
    finally:
        found.close()


def _there(door: HttpDoor, peer: tuple[str, int]) -> bool:
    return any(c.client == peer for c in list(door._server.server_state.connections))


def test_a_full_door_lets_in_whoever_speaks() -> None:
    with door(connections=8) as port:
        silent = [connect(port) for _ in range(20)]
        assert b"200" in asked(port)
        assert is_cut(silent[0])
        begun = connect(port)
        begun.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
        silent += [connect(port) for _ in range(20)]
        assert b"200" in asked(port)
        begun.sendall(b"b")
        assert b"200" in begun.recv(1000), "who has begun to say something goes before the silent"
        for s in (*silent, begun):
            s.close()


def test_one_address_has_half_and_costs_another_nothing() -> None:
    with door(connections=8) as port:
        quiet = connect(port, "127.0.0.2")
        until(lambda: b"200" in asked(port, "127.0.0.3"), "the loop has seen the first", 90)
        flood = [connect(port) for _ in range(40)]
        assert b"200" in asked(port)
        assert is_cut(flood[0])
        quiet.sendall(ASK)
        assert b"200" in quiet.recv(1000), "it was there first, and silent longest"
        for s in (*flood, quiet):
            s.close()


def test_the_same_words_are_said_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    seldom = Seldom(60.0, lambda: now[0])
    for n in range(1000):
        now[0] = n / 10
        seldom("ingest", "a")
    seldom("ingest", "b")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["fengsui ingest: a", "fengsui ingest: a (+599)", "fengsui ingest: b"]
    for n in range(100_000):
        seldom.lets(str(n))
    assert len(seldom._said) <= 1000


FILES = """
import resource, sys
from stream.http.server import Bounds, HttpDoor

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})

resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))
door = HttpDoor(app, "127.0.0.1:0", "test", Bounds(1000, head_s=600.0))
print(door.port, flush=True)
sys.stdin.readline()
door.close()
"""


def test_a_process_without_files_left_fills_no_disk_and_comes_back(tmp_path: Path) -> None:
    """As the loop of the library is, 420 connections were 293,000 lines in 20 seconds."""
    with (tmp_path / "err").open("w+b") as err:
        child = subprocess.Popen(
            [sys.executable, "-c", FILES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err,
            cwd=ROOT, text=True,
        )  # fmt: skip
        assert child.stdout is not None
        try:
            port = int(child.stdout.readline())
            silent = [connect(port) for _ in range(110)]
            until(lambda: (tmp_path / "err").stat().st_size, "told", 120)
            for s in silent:
                s.close()
            assert b"200" in asked(port)
            child.communicate("\n", timeout=120)
        finally:
            child.kill()
            child.wait()
    lines = (tmp_path / "err").read_text().splitlines()
    assert any("out of system resource" in x for x in lines)
    assert len(lines) < 20, lines[:5]


# --- the people's door


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    log = open_log(f"sqlite:///{tmp_path}", "exercise-a", "yanqing", 4, {})
    links, frames = Links(tmp_path), FrameStore(tmp_path / "frames")
    token = links.make("C-0004", LONG_AFTER, 1)
    with people_ways(yanqing(), False, log, frames, tmp_path, lambda: T0, lambda: T0 / 1000):
        url = (tmp_path / "people.url").read_text().strip()
        yield Place(url, log, links, frames, token)
    log.close()


def test_another_persons_cry_for_help_gets_through(place: Place) -> None:
    """Past strangers that are silent, and a link holder who holds all that one can hold."""
    bad = place._replace(token=place.links.make("C-0001", LONG_AFTER, 1))
    port = int(place.url.rpartition(":")[2])
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(connect(port))
        for n in range(8):
            fields = {"what": "report_flood", "id": f"u{n}"}
            stack.enter_context(sending(bad, fields, picture()[:100]))
        until(lambda: len(kept(place.log)) == 8, "all words are in, though no photograph is", 90)
        assert post(bad, {"what": "safe"})[0] == 429, "that one has enough under way"
        status, page = post(place, {"what": "help", "id": "h"}, picture())
        assert status == 200, page
        assert "照片" not in page, "with a photograph of its own"
    assert [x.photo != "" for x in kept(place.log) if x.what == "help"] == [False, True]


def test_one_person_sends_one_photograph_at_a_time(place: Place) -> None:
    with sending(place, {"what": "damage", "id": "a"}, picture()[:100]):
        until(lambda: kept(place.log), "its words", 90)
        status, page = post(place, {"what": "help", "id": "b"}, picture())
        assert status == 200
        assert "稍后再发" in page
        assert [x.what for x in kept(place.log)] == ["damage", "help"]
    until(
        lambda: "谢谢" in post(place, {"what": "help", "id": "c"}, picture())[1], "free again", 90
    )


def test_a_photograph_before_its_words_and_a_form_that_is_none(place: Place) -> None:
    """The order of the page is not everybody's."""
    mark, kind = "m", {"Content-Type": "multipart/form-data; boundary=m"}
    body = multipart({}, picture(), mark, {"what": "damage", "id": "z"})
    at = f"{place.url}/r/{place.token}"
    with urllib.request.urlopen(urllib.request.Request(at, body, kind), timeout=90) as answer:
        assert answer.status == 200
    assert [bool(x.photo) for x in kept(place.log)] == [False, True]
    for wrong in ({"Content-Type": "multipart/form-data"}, kind):
        assert call(at, b"--x\r\nwhat=help", **wrong)[0] == 400
    many = multipart({f"f{n}": "x" for n in range(40)}, None, mark, {})
    assert call(at, many, **kind)[0] == 400
    assert call(at, multipart({"what": "x" * 9000}, None, mark, {}), **kind)[0] == 400


def test_no_other_server_stands_in_the_line() -> None:
    """What is not this door has none of its bounds."""
    others = {"http.server", "wsgiref", "wsgiref.simple_server", "uvicorn", "socketserver"}
    found = set()
    for package in ("stream", "ingest", "detectors", "dispatch", "console", "fengsui"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if others & set(names):
                    found.add(file.relative_to(ROOT).as_posix())
    # and the keeper of subscribers, on a Unix socket of this machine that the one public page calls
    assert found == {"stream/http/server.py", "dispatch/people/residents/keeper.py"}


@pytest.mark.parametrize("which", ["metrics", "people", "cap"])
def test_no_door_of_the_line_keeps_its_stage_from_starting(which: str, tmp_path: Path) -> None:
    """The place is taken when it begins, and free a moment later."""
    taken = socket.create_server(("127.0.0.1", 0))
    host, port = taken.getsockname()
    listen, log = f"{host}:{port}", open_log(f"sqlite:///{tmp_path}", "live", "yanqing", 4, {})
    district = yanqing()
    with contextlib.ExitStack() as stack:
        stack.callback(log.close)
        stack.callback(taken.close)
        if which == "metrics":
            assert stack.enter_context(serve(listen)) == 0, "not open yet"
        elif which == "people":
            channels = msgspec.structs.replace(district.channels, people_listen=listen)
            frames = FrameStore(tmp_path / "frames")
            of = msgspec.structs.replace(district, channels=channels)
            stack.enter_context(people_ways(of, True, log, frames, tmp_path, lambda: T0))
        else:
            cap = CapServer(
                CapDoor(hearing(), True, tmp_path), log, host, port, "a-token-of-length", lambda: T0
            )
            stack.callback(cap.close)
        taken.close()
        until(lambda: _opens(port), "the door opens")


def _opens(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30):
            return True
    except urllib.error.HTTPError:
        return True  # another door answers in its own words
    except OSError:
        return False


def test_a_place_that_cannot_be_had_yet_is_had_later_by_who_is_patient() -> None:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    listen = f"127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(OSError):
        HttpDoor(answering, listen, "test")
    found, never = (HttpDoor(answering, listen, "test", patient=True) for _ in "ab")
    try:
        never.close()
        assert listen in found.trouble and found.url == f"http://{listen}"
        taken.close()
        until(lambda: not found.trouble, "the door opens")
        with urllib.request.urlopen(found.url + "/3", timeout=90) as told:
            assert told.read() == b"xxx"
    finally:
        found.close()
        taken.close()
    again = socket.create_server(("127.0.0.1", found.port))
    again.close()
