"""The small door at which people report: `/r/TOKEN`, one page and its answer; an app posts the same
fields, or JSON, and reads JSON. An answer of 200 means that the log has it.

200 taken; 400 not understood, and what to do; 403 no such link, or it is over; 408 too slow; 413 too
large; 429 too often; 503 cannot be kept now. A photograph that cannot be used never costs the report.
"""

import asyncio
import contextlib
import secrets
import socket
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from config.district import District
from ingest import meters
from ingest.decode.outside import Unreadable, number, read_json
from ingest.decode.reading import Rejected
from ingest.decode.said import Meaning, plain
from ingest.frames import FrameStore
from ingest.journal import say
from ingest.log import Log, Out
from ingest.observation import DeadLetter, encode
from ingest.people import JSON_BYTES, People, Sent, outs_of
from ingest.people_links import Links
from ingest.people_page import answer, form
from ingest.photo import MAX_BYTES, remade

_BODY = 12_000_000
_FORM_S = 60.0
_AT_ONCE = 4  # a picture is work: more wait outside
_A_MINUTE = 30
_NAMES = 10_000
WHERE = "people-http"
_any = msgspec.json.Decoder()
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_WORDS = {
    "taken": "已收到，谢谢。注意安全。 Received, thank you. Stay safe.",
    "no_photo": "已收到，但照片用不了（只收 JPEG、PNG、WEBP，8 MB 以内）。 Received, without the photo.",
    "bad_link": "链接无效或已停用，请联系值班室。 This link is not valid: call the duty room.",
    "over": "链接已过期，请联系值班室换新的。 This link is over: ask the duty room for a new one.",
    "often": "太频繁，请一分钟后再报；紧急请打电话。 Too often: wait a minute, or call.",
    "large": "太大，请不带照片先报。 Too large: report without the photo first.",
    "slow": "网络太慢，请不带照片先报。 Too slow: report without the photo first.",
    "not_kept": "现在存不下，请重发或打电话。 Cannot be kept now: send again, or call.",
    "wrong": "没看懂，请返回重选。 Not understood: go back and choose.",
}


class _Given(NamedTuple):
    """The fields as they came."""

    fields: dict[str, str]
    photo: bytes = b""
    at: Any = None


class _Refused(Exception):
    """An HTTP status and the key of its words."""

    def __init__(self, status: int, words: str, detail: str = "") -> None:
        super().__init__(words)
        self.status, self.words, self.detail = status, words, detail


class _Rate:
    """So many a minute for each name, in real time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._times = now, dict[str, deque[float]]()

    def take(self, name: str) -> None:
        now = self._now()
        if len(self._times) > _NAMES:
            self._times.clear()
        times = self._times.setdefault(name, deque())
        while times and times[0] < now - 60:
            times.popleft()
        if len(times) >= _A_MINUTE:
            raise _Refused(429, "often")
        times.append(now)


class Door:
    """now: the run's clock, epoch ms. wall: the real one, epoch s."""

    def __init__(
        self,
        district: District,
        live: bool,
        log: Log,
        frames: FrameStore,
        links: Links,
        now: Callable[[], int],
        wall: Callable[[], float],
    ) -> None:
        self._district, self._live, self._log = district, live, log
        self._frames, self._links, self._now = frames, links, now
        self._wall = wall
        self._people = People(district)
        self._lock = threading.Lock()
        self._rate = _Rate(wall)
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def app(self) -> Starlette:
        """The routes."""
        return Starlette(
            routes=[
                Route("/r/{token}", self._page, methods=["GET"]),
                Route("/r/{token}", self._post, methods=["POST"]),
            ],
            exception_handlers={_Refused: self._refusal},
        )

    async def _page(self, request: Request) -> Response:
        person = await run_in_threadpool(self._person, request)
        areas = [self._district.areas[a] for a in self._people.areas_of(person)]
        drill, hotline = not self._live, self._district.hotline
        return self._html(form(areas, secrets.token_hex(8), drill=drill, hotline=hotline), 200)

    async def _post(self, request: Request) -> Response:
        person = await run_in_threadpool(self._person, request)
        size = request.headers.get("content-length", "")
        if not (size.isascii() and size.isdigit()) or int(size) > 5 * _BODY:
            raise _Refused(413, "large")
        if not self._slots.acquire(blocking=False):
            raise _Refused(503, "not_kept")
        try:
            reading = _given(request) if int(size) <= _BODY else _passed_over(request)
            given = await asyncio.wait_for(reading, _FORM_S)
            used = await run_in_threadpool(self._take, person, given)
        except TimeoutError as e:
            raise _Refused(408, "slow") from e
        finally:
            self._slots.release()
        words = _WORDS["taken" if used else "no_photo"]
        if _wants_json(request):
            return _json({"state": "taken", "photo": used and bool(given.photo)}, 200)
        return self._html(answer(words, back=True, hotline=self._district.hotline), 200)

    def _person(self, request: Request) -> str:
        """Whose link it is. Raises _Refused."""
        host = request.client.host if request.client else ""
        token = request.path_params["token"]
        try:
            # a link's end is a matter of days of the real calendar, in an exercise too
            person = self._links.holder(token[:64], int(self._wall() * 1000))
        except (OSError, ValueError) as e:
            say("ingest", f"个人链接读不到 personal links: {e}")
            raise _Refused(503, "not_kept") from e
        self._rate.take(person or f"stranger {host}")
        if not person or not self._people.areas_of(person):
            meters.DEAD_LETTERS.labels("ingest", "bad_link").inc()
            raise _Refused(403, "over" if person == "" else "bad_link")
        return person

    def _take(self, person: str, given: _Given) -> bool:
        """Into the log; False when it is there without its photograph."""
        f, now = given.fields, self._now()
        people = plain(f.get("people", "")[:20])
        if people and not (people.isascii() and people.isdigit() and len(people) < 9):
            raise _Refused(400, "wrong", "people")
        count = int(people) if people and f.get("what") == "moved" else None
        outs: list[Out] = []
        photo = ""
        if given.photo:
            made = remade(given.photo)
            if isinstance(made, Rejected):
                outs.append(_letter(made, now, given.photo))
            else:
                photo = self._put(made)
        sent = Sent(
            person, "form", (Meaning(f.get("what", ""), count),), f.get("area", ""),
            f.get("id", ""), given.at, photo,
        )  # fmt: skip
        with self._lock:
            found = self._people.judge(sent, now)
        try:
            self._log.append(outs + outs_of(found, self._people, WHERE, now))
        except OSError as e:
            say("ingest", f"表单报告存不下 a report by form cannot be kept: {e}")
            raise _Refused(503, "not_kept") from e
        for one in found:
            if isinstance(one, Rejected):
                meters.DEAD_LETTERS.labels("ingest", one.reason).inc()
                often = one.reason == "too_many"
                raise _Refused(429 if often else 400, "often" if often else "wrong", one.detail)
            meters.READINGS.labels("ingest", one.what).inc()
        return bool(photo) or not given.photo

    def _put(self, made: bytes) -> str:
        try:
            return self._frames.put(made)
        except OSError as e:  # the report is worth more than its picture
            say("ingest", f"照片存不下 a photograph cannot be kept: {e}")
            return ""

    def _html(self, text: str, status: int) -> Response:
        return HTMLResponse(text, status, headers=_HEADERS)

    async def _refusal(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, _Refused)
        words = _WORDS[error.words]
        if _wants_json(request):
            return _json({"state": "refused", "words": words, "detail": error.detail}, error.status)
        back = error.status in (400, 413, 429)
        return self._html(answer(words, back=back, hotline=self._district.hotline), error.status)


def _letter(why: Rejected, now: int, photo: bytes) -> Out:
    """Of a file that is no picture: its first bytes, which name its kind and nobody."""
    letter = DeadLetter(
        received_at=now,
        source=WHERE,
        reason=why.reason,
        detail=why.detail,
        payload=b64encode(photo[:16]).decode(),
    )
    return Out("dead-letters", WHERE, encode(letter))


async def _passed_over(request: Request) -> _Given:
    """A browser shows an answer only when it could send all it had."""
    async for _ in request.stream():
        pass
    raise _Refused(413, "large")


async def _given(request: Request) -> _Given:
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            found: Any = read_json(await request.body(), _any, JSON_BYTES)
        except (Unreadable, ClientDisconnect) as e:
            raise _Refused(400, "wrong", "JSON") from e
        if not isinstance(found, dict):
            raise _Refused(400, "wrong", "JSON")
        fields = {k: str(v) for k, v in found.items() if type(v) is str or number(v) is not None}
        return _Given(fields, at=found.get("time"))
    try:
        async with request.form(max_files=1, max_fields=16, max_part_size=4096) as parts:
            fields = {k: v for k, v in parts.items() if isinstance(v, str)}
            file = parts.get("photo")
            photo = await file.read(MAX_BYTES + 1) if isinstance(file, UploadFile) else b""
            return _Given(fields, photo)
    except (MultiPartException, ClientDisconnect) as e:
        raise _Refused(400, "wrong", "form") from e


def _wants_json(request: Request) -> bool:
    return "application/json" in (
        request.headers.get("accept", "") + request.headers.get("content-type", "")
    )


def _json(value: dict[str, Any], status: int) -> Response:
    return Response(
        msgspec.json.encode(value), status, headers=_HEADERS, media_type="application/json"
    )


@contextlib.contextmanager
def people_ways(
    district: District,
    live: bool,
    log: Log,
    frames: FrameStore,
    folder: Path | None,
    now: Callable[[], int],
    wall: Callable[[], float] = time.time,
) -> Iterator[None]:
    """The door, open as long as this lasts; its address is left in `people.url` of the folder, where
    the links stand. None: no door. Raises OSError when the place is taken. now, wall: see `Door`."""
    listen = district.channels.people_listen if live else "127.0.0.1:0"
    if folder is None or not listen:
        yield
        return
    door = Door(district, live, log, frames, Links(folder), now, wall)
    host, _, port = listen.rpartition(":")
    server = uvicorn.Server(
        uvicorn.Config(
            door.app(),
            log_level="warning",
            access_log=False,  # its lines would name tokens
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
        )
    )
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((host, int(port)))
        s.listen(128)
        thread = threading.Thread(target=server.run, args=([s],), name="people-http")
        thread.start()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "people.url").write_text(f"http://{host}:{s.getsockname()[1]}\n")
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()
