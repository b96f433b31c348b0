"""What several tests use, by the one it was written for: people_door."""

import contextlib
import io
import socket
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from PIL import Image

from ingest.observation import PersonSays
from ingest.people import web
from ingest.people.links import Links
from ingest.people.web import people_ways
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Log
from tests.support.decide_district import T0, yanqing

OBSERVER = "C-0004"
LONG_AFTER = 4_000_000_000_000  # ms, the real calendar


class Place(NamedTuple):
    url: str
    log: Log
    links: Links
    frames: FrameStore
    token: str


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(web, "_A_MINUTE", 1000)
    log = open_log(f"sqlite:///{tmp_path}", "exercise-a", "yanqing", 4, {})
    links, frames = Links(tmp_path), FrameStore(tmp_path / "frames")
    token = links.make(OBSERVER, LONG_AFTER, 1)
    wall = T0 / 1000  # it stands still: all that a test asks comes within one minute
    with people_ways(yanqing(), False, log, frames, tmp_path, lambda: T0, lambda: wall):
        url = (tmp_path / "people.url").read_text().strip()
        yield Place(url, log, links, frames, token)
    log.close()


def call(url: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def post(
    place: Place, fields: dict[str, str], photo: bytes | None = None, token: str = ""
) -> tuple[int, str]:
    """As a browser posts the form."""
    mark = uuid.uuid4().hex
    body = multipart(fields, photo, mark, {})
    kind = f"multipart/form-data; boundary={mark}"
    return call(f"{place.url}/r/{token or place.token}", body, **{"Content-Type": kind})


def multipart(
    fields: dict[str, str], photo: bytes | None, mark: str, behind: dict[str, str]
) -> bytes:
    """behind: fields that come after the photograph."""

    def lines(fields: dict[str, str]) -> list[bytes]:
        return [
            f'--{mark}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode()
            for k, v in fields.items()
        ]

    parts = lines(fields)
    if photo is not None:
        head = 'Content-Disposition: form-data; name="photo"; filename="张三.jpg"\r\n'
        parts.append(
            f"--{mark}\r\n{head}Content-Type: image/jpeg\r\n\r\n".encode() + photo + b"\r\n"
        )
    return b"".join([*parts, *lines(behind)]) + f"--{mark}--\r\n".encode()


@contextlib.contextmanager
def sending(place: Place, fields: dict[str, str], begun: bytes) -> Iterator[socket.socket]:
    """A form whose photograph has begun to come and goes no further."""
    host, port = place.url.removeprefix("http://").split(":")
    body = multipart(fields, begun, "m", {}).removesuffix(b"\r\n--m--\r\n")
    head = (
        f"POST /r/{place.token} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n"
        "Content-Type: multipart/form-data; boundary=m\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=90) as s:
        s.sendall(head.encode() + body)
        yield s


def kept(log: Log) -> list[PersonSays]:
    found = []
    for partition in range(4):
        for entry in log.read("observations", partition, 0):
            found.append(msgspec.json.decode(entry.value, type=PersonSays))
    return found


def picture(kind: str = "JPEG", size: tuple[int, int] = (400, 300), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (90, 60, 30)).save(out, kind, **more)
    return out.getvalue()
