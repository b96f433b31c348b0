"""The small door at which people report: `/r/TOKEN`, one page and its answer; an app posts the same
fields, or JSON, and reads JSON. An answer of 200 means that the log has it.

200 taken; 400 not understood, and what to do; 403 no such link, or it is over; 408 too slow; 413 too
large; 429 too often; 503 cannot be kept now. The words are in the log before their photograph has come,
and follow no fate of it: one that is bad, huge, slow or broken off costs the report nothing. Words need
no place; one person has one place for photographs, so nobody keeps another from being heard.
"""

import asyncio
import contextlib
import secrets
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from cryptography.exceptions import InvalidTag
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from config.language import Text, choose, text_of
from config.records.district import District
from config.records.evacuation import is_upstairs_unsafe
from ingest.decode.phrases import Meaning, plain
from ingest.decode.service_words import Wish
from ingest.observation import PersonSays
from ingest.people.door_words import HEADERS, WORDS
from ingest.people.form import Form, FormWrong
from ingest.people.kept_words import Keeper
from ingest.people.links import SOON_MS, Links
from ingest.people.page import PageLanguage, answer, form
from ingest.people.photos.photo import MAX_BYTES, at_browser, taken
from ingest.people.photos.sealed_photos import SealedPhotos
from ingest.people.reports import People, outs_of
from ingest.people.request import PHOTO_S, WORDS_S, Body, Given, Refused, small
from ingest.people.sent import Sent, Way
from ingest.people.words.answer_code import figures
from stream import metrics
from stream.disk.blobs import FrameStore
from stream.guard import letter
from stream.http.asked import language_of
from stream.http.public_page import page_language
from stream.http.server import Bounds, HttpDoor
from stream.log.port import Log, Out
from stream.oplog import Seldom, say
from stream.pace.rate_limit import RateLimit, network_of
from stream.records import Rejected

_PHOTOS = 6  # at once, of all; one of each person
_TALKING = 8  # requests of one person that have not come to their end
_A_MINUTE = 30
WHERE = "people-http"
_BOUNDS = Bounds(connections=128, body_s=WORDS_S + PHOTO_S)


class PeopleDoor:
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
        self._photographs = SealedPhotos(frames, district.vault)
        self._links, self._now = links, now
        self._wall, self._proving = wall, district.policy.proving
        self._keeper = Keeper(district.vault)
        self._people = People(district, exercise=not live, keep=self._keeper.put)
        self._lock = threading.Lock()
        self._rate = RateLimit(60.0)
        self._seldom = Seldom()
        # these two are of the door's loop alone
        self._talking = Counter[str]()
        self._photos = set[str]()  # whose photograph is coming
        self._reading = asyncio.Lock()  # a photograph is work: one at a time

    def app(self) -> Starlette:
        """The routes."""
        return Starlette(
            routes=[
                Route("/r/{token}", self._page, methods=["GET"]),
                Route("/r/{token}", self._post, methods=["POST"]),
                Route("/report", self._post, methods=["POST"]),
            ],
            exception_handlers={Refused: self._refusal},
        )

    async def _page(self, request: Request) -> Response:
        person = await run_in_threadpool(self._person, request)
        areas = [self._district.areas[a] for a in self._people.areas_of(person)]
        drill, hotline = not self._live, self._district.hotline
        ends = await run_in_threadpool(self._ends, person)
        serves = self._people.serves(person)
        page = form(
            areas, secrets.token_hex(8), drill=drill, hotline=hotline, ends=ends, serves=serves,
            keeps=self._people.keeps(person), coded=self._proving.code,
            goes_out=self._people.goes_out(person),
            proves=self._proving.transfer,
            language=_language(request),
        )  # fmt: skip
        return self._html(page, 200)

    async def _post(self, request: Request) -> Response:
        person = await run_in_threadpool(self._person, request)
        size = request.headers.get("content-length", "")
        if size and not (size.isascii() and size.isdigit()):
            raise Refused(400, "wrong", "Content-Length")
        if self._talking[person] >= _TALKING:
            raise Refused(429, "often")
        self._talking[person] += 1
        try:
            kind = request.headers.get("content-type", "")
            if kind.startswith("multipart/"):
                words, photo = await self._form(person, request, kind)
            else:
                given = await small(request, kind)
                service = given.fields.get("what") == "service"
                say_ = self._serve if service else self._take
                words, photo = self._taken(await run_in_threadpool(say_, person, given)), False
        except TimeoutError as e:
            raise Refused(408, "slow") from e
        except ClientDisconnect as e:
            raise Refused(400, "wrong", "broken off") from e
        finally:
            self._talking[person] -= 1
            if not self._talking[person]:
                del self._talking[person]
        if _wants_json(request):
            return _json({"state": "taken", "photo": photo}, 200)
        return self._html(self._answer(request, WORDS[words], back=True), 200)

    def _ends(self, person: str) -> str:
        """The day on which the link ends, if that is soon."""
        try:
            link = self._links.read().get(person)
        except (OSError, ValueError):
            return ""
        if link is None or link.until_at > self._wall() * 1000 + SOON_MS:
            return ""
        there = ZoneInfo(self._district.timezone)
        return datetime.fromtimestamp(link.until_at / 1000, there).strftime("%Y-%m-%d")

    def _person(self, request: Request) -> str:
        """Whose link it is. Raises Refused."""
        host = network_of(request.client.host if request.client else "")
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = str(request.path_params.get("token", bearer))
        try:
            # a link's end is a matter of days of the real calendar, in an exercise too
            person = self._links.holder(token[:64], int(self._wall() * 1000))
        except (OSError, ValueError) as e:
            said = Text("个人链接读不到：", "personal links cannot be read: ") + text_of(e)
            self._seldom("ingest", said)
            raise Refused(503, "not_kept") from e
        times = self._people.times(person) if person else 1
        if not self._rate.lets(person or f"stranger {host}", self._wall(), _A_MINUTE * times):
            raise Refused(429, "often")
        if not person or not self._people.areas_of(person):
            metrics.DEAD_LETTERS.labels("ingest", "bad_link").inc()
            raise Refused(403, "over" if person == "" else "bad_link")
        return person

    async def _form(self, person: str, request: Request, kind: str) -> tuple[str, bool]:
        """The words into the log as soon as they are there, then the photograph: what to answer, and
        whether there is one. Raises Refused, and what a request does that breaks off before its
        words."""
        try:
            form = Form(kind, MAX_BYTES)
        except FormWrong as e:
            raise Refused(400, "wrong", "form") from e
        says: list[PersonSays] = []
        place = False
        try:
            body = Body(request)
            async for chunk in body.chunks():
                form.feed(chunk)
                if not says and form.said():
                    says = await run_in_threadpool(self._take, person, Given(form.fields))
                    body.within_s = PHOTO_S
                    place = self._placed(person)
                    form.wanted = place
            if not says:
                raise Refused(400, "wrong", "form")
            photo = bytes(form.photo) if form.whole else b""
            form.photo.clear()
            if photo and place:
                used = await self._pictured(says, photo, form.fields)
                return (self._taken(says) if used else "no_photo"), used
            return ("busy" if not place and form.pictured() else self._taken(says)), False
        except (FormWrong, TimeoutError, ClientDisconnect) as e:
            if says:  # only the photograph is lost
                return "no_photo", False
            if isinstance(e, FormWrong):
                raise Refused(400, "wrong", "form") from e
            raise
        finally:
            if place:
                self._photos.discard(person)

    def _placed(self, person: str) -> bool:
        """Whether this one's photograph may come now."""
        if person in self._photos or len(self._photos) >= _PHOTOS:
            return False
        self._photos.add(person)
        return True

    def _take(self, person: str, given: Given) -> list[PersonSays]:
        """The words into the log. Raises Refused."""
        f, now = given.fields, self._now()
        people = plain(f.get("people", "")[:20])
        if people and not (people.isascii() and people.isdigit() and len(people) < 9):
            raise Refused(400, "wrong", "people")
        what = f.get("what", "")
        count = int(people) if people and what in ("moved", "staying", "witnessed") else None
        said = (Meaning(what, count, f.get("how", "") if what == "moved" else ""),)
        # a text of its own comes from a program, never from the page
        way: Way = "app" if "text" in f else "form"
        code = figures(f.get("code", "")) if self._proving.code else ""
        sent = Sent(person, way, said, f.get("area", ""), f.get("id", ""), given.at, code=code)
        with self._lock:
            words = f.get("text", "") if not f.get("what") else ""
            if words:
                found = self._people.written(sent, words, now)
            else:
                fact, happened = f.get("fact", ""), f.get("happened", "")
                found = self._people.told(sent, fact, happened, now)
        self._keep(outs_of(found, self._people, WHERE, now))
        for one in found:
            if isinstance(one, Rejected):
                metrics.DEAD_LETTERS.labels("ingest", one.reason).inc()
                often = one.reason == "too_many"
                raise Refused(429 if often else 400, "often" if often else "wrong", one.detail)
            metrics.READINGS.labels("ingest", one.what).inc()
        return [one for one in found if isinstance(one, PersonSays)]

    def _serve(self, person: str, given: Given) -> list[PersonSays]:
        """A station out of judgement, or back in it, into the log. Raises Refused."""
        f, now = given.fields, self._now()
        minutes = f.get("minutes", "")[:6]
        if not (minutes.isascii() and minutes.isdigit()):
            raise Refused(400, "wrong", "minutes")
        asked = Wish((f.get("thing", "").lower()[:40],), int(minutes), "维护")
        ident = f.get("id", "")[:64] or str(now // 60_000)
        with self._lock:
            found = self._people.service(person, asked, "form", ident, now)
        self._keep(outs_of([found], self._people, WHERE, now))
        if isinstance(found, Rejected):
            metrics.DEAD_LETTERS.labels("ingest", found.reason).inc()
            often = found.reason == "too_many"
            raise Refused(429 if often else 400, "often" if often else "wrong", found.detail)
        metrics.READINGS.labels("ingest", "service").inc()
        return []

    def _taken(self, says: Sequence[PersonSays]) -> str:
        """What is answered: upstairs may be no refuge here, 收到 without its code is no answer, and whether a
        code is right is known to send alone."""
        areas, to_m = self._district.areas, self._proving.upstairs_to_m
        unsafe = (
            is_upstairs_unsafe(areas[one.area], to_m) for one in says if one.how == "upstairs"
        )
        if self._proving.transfer and any(unsafe):
            return "unsafe"
        if not self._proving.code:
            return "taken"
        if any(one.code for one in says):
            return "coded"
        return "no_code" if any(one.what == "received" for one in says) else "taken"

    async def _pictured(
        self, says: list[PersonSays], photo: bytes, fields: Mapping[str, str]
    ) -> bool:
        """The photograph of words that the log has: they go once more, with it, under their own id.
        False when it cannot be used."""
        async with self._reading:
            made = await run_in_threadpool(taken, photo)
        try:
            if isinstance(made, Rejected):
                metrics.DEAD_LETTERS.labels("ingest", made.reason).inc()
                kind = photo[:16]  # of a file that is no picture: nothing in them names anybody
                await run_in_threadpool(self._keep, [letter(self._now(), WHERE, made, kind)])
                return False
            digest = await run_in_threadpool(self._photographs.put, says[0].person, made.jpeg)
            facts = made.facts(self._district.timezone) if self._proving.transfer else None
            facts = at_browser(facts, fields) if facts else None
            again = [
                msgspec.structs.replace(one, photo=digest, shown=facts if one.what == "moved" else None)
                for one in says
            ]
            outs = outs_of([*again], self._people, WHERE, self._now())
            await run_in_threadpool(self._keep, outs)
        except (OSError, ValueError, InvalidTag, sqlite3.Error, Refused) as e:
            # the report is worth more than its picture
            said = Text("照片存不下：", "a photograph cannot be kept: ") + text_of(e)
            self._seldom("ingest", said)
            return False
        return True

    def _keep(self, outs: list[Out]) -> None:
        try:
            self._log.append(outs)
        except OSError as e:
            said = Text("表单报告存不下：", "a report by form cannot be kept: ") + text_of(e)
            self._seldom("ingest", said)
            raise Refused(503, "not_kept") from e

    def _html(self, text: str, status: int) -> Response:
        return HTMLResponse(text, status, headers=HEADERS)

    async def _refusal(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        words = WORDS[error.words]
        if _wants_json(request):  # a program's
            language = language_of(request)
            said = {"words": choose(words, language), "zh": words.zh, "en": words.en}
            whole = {"state": "refused", **said, "detail": choose(error.detail, language)}
            return _json(whole, error.status)
        back = error.status in (400, 413, 429)
        return self._html(self._answer(request, words, back=back), error.status)

    def _answer(self, request: Request, words: Text, *, back: bool) -> str:
        hotline = self._district.hotline
        return answer(words, back=back, hotline=hotline, language=_language(request))


def _language(request: Request) -> PageLanguage:
    """What the reader chose at the head of the page; Chinese where nothing was."""
    return page_language(request.query_params.get("lang"))


def _wants_json(request: Request) -> bool:
    return "application/json" in (
        request.headers.get("accept", "") + request.headers.get("content-type", "")
    )


def _json(value: dict[str, Any], status: int) -> Response:
    return Response(
        msgspec.json.encode(value), status, headers=HEADERS, media_type="application/json"
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
    the links stand. None: no door. A place that cannot be had yet is opened as soon as it can
    be: readings do not wait for it. now, wall: see `PeopleDoor`."""
    listen = district.channels.people_listen if live else "127.0.0.1:0"
    if folder is None or not listen:
        yield
        return
    links = Links(folder)
    with contextlib.suppress(OSError, ValueError):  # said again when a link is used
        if soon := links.ending(int(wall() * 1000)):
            words = Text(
                f"{len(soon)} 个链接 14 天内到期或已过期：",
                f"{len(soon)} links end within 14 days or are over: ",
            )
            say("ingest", words + "fengsui people links --ending")
    door = PeopleDoor(district, live, log, frames, links, now, wall)
    server = HttpDoor(door.app(), listen, WHERE, _BOUNDS, patient=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "people.url").write_text(server.url + "\n")
    try:
        yield
    finally:
        server.close()
