"""The public door at which people subscribe, a process of its own with a port of its own: nobody logs in, and
nothing of anybody is shown. `/` the form (`?v=A01` as the code at a village door has it), `/ask` a code to the
number, `/confirm` the code.

200 an answer, whether or not a message went out; 400 wrong, and what to do; 404; 413 too large; 429 this
address has asked too much; 503 cannot be kept now: nothing was done, or the same code may be tried again.
"""

import asyncio
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from config.language import Text, text_of
from config.records.district import District
from dispatch.people.residents.desk import FAULTS, Often, ResidentDesk, Wish
from dispatch.people.residents.keeper import SocketDesk, tend
from dispatch.people.residents.page import DAYS, HOURS, LANGS, Lang, Shown, answer, code, form
from dispatch.people.residents.places import Places
from dispatch.people.residents.words import is_mobile
from dispatch.words.local_time import day
from stream import metrics
from stream.http.asked import TooLarge, whole
from stream.http.openapi import FORM, HTML, PLAIN, STRING, Door, Parameter, Says
from stream.http.public_page import form_fields, page_headers, page_language
from stream.http.server import Bounds, Front, HttpDoor
from stream.log.port import Log, Out
from stream.oplog import Seldom
from stream.pace.rate_limit import RateLimit, network_of

WHERE = "residents-http"
_A_MINUTE = 60  # requests of one address: many telephones of one carrier share one
_BYTES = 4096
_EVEN_S = (
    0.5  # answers come at such steps: how long our disk took would tell whether a number is known
)
_BOUNDS = Bounds(connections=256, head_s=10.0, body_s=10.0, answer_s=30.0, of_one=64)
PLACES = (
    ("/", ("GET",)), ("/ask", ("GET", "POST")), ("/confirm", ("GET", "POST")), ("/robots.txt", ("GET",)),
)  # fmt: skip
_LANG = Parameter("lang")  # en; anything else is Chinese


def _fields(**names: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "object", "properties": names}


_ASK = _fields(
    area=STRING, phone=STRING, quiet={"enum": [*HOURS]}, days={"enum": [*DAYS]},
    language={"enum": [*LANGS]}, leave=STRING,
)  # fmt: skip
_PAGE_REFUSES = (400, 413, 429, 503)
DOOR = Door(
    Text("烽燧：居民订阅的网页", "Fengsui: the page where residents subscribe"),
    "1",
    {
        "/": Says(
            Text("表格", "the form"), query=(Parameter("v"), _LANG), media=HTML, refusals=(429,)
        ),
        "/ask": Says(
            Text("向号码发验证码；GET 又是表格", "a code to the number; GET: the form again"),
            query=(_LANG,), takes={FORM: _ASK}, media=HTML, refusals=_PAGE_REFUSES,
        ),
        "/confirm": Says(
            Text("验证码；GET 又是表格", "the code; GET: the form again"),
            query=(_LANG,), takes={FORM: _fields(id=STRING, code=STRING)}, media=HTML,
            refusals=_PAGE_REFUSES,
        ),
        "/robots.txt": Says(Text("不给搜索引擎", "no search engines"), media=PLAIN),
    },
    refusal={HTML: STRING},
)  # fmt: skip
_HEADERS = page_headers()


class _Bad(Exception):
    """status, and what of `page.SAID` to say."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status, self.what = status, what


class ResidentDoor:
    """wall: epoch ms. log: None where a keeper writes it. notes: what everybody may know of a place, by its
    id. even_s: answers about a number come so many seconds after they were asked for, or a multiple of it."""

    def __init__(
        self,
        district: District,
        live: bool,
        log: Log | None,
        desk: ResidentDesk | SocketDesk,
        wall: Callable[[], int],
        notes: Callable[[str], list[Text]] = lambda _: [],
        even_s: float = _EVEN_S,
    ) -> None:
        self._district, self._live, self._log, self._desk = district, live, log, desk
        self._wall, self._notes, self._even_s = wall, notes, even_s
        self._rate = RateLimit(60_000)
        self._seldom = Seldom()

    def app(self) -> Starlette:
        """The routes."""
        return Starlette(
            routes=[
                Route("/", self._first, methods=["GET"]),
                Route("/ask", self._ask, methods=["POST"]),
                Route("/confirm", self._confirm, methods=["POST"]),
                Route("/ask", self._back, methods=["GET"]),
                Route("/confirm", self._back, methods=["GET"]),
                Route("/robots.txt", _robots, methods=["GET"]),
            ],
            exception_handlers={_Bad: self._refusal},
        )

    def _frame(self, request: Request) -> Shown:
        return Shown(self._district, self._live, page_language(request.query_params.get("lang")))

    async def _first(self, request: Request) -> Response:
        self._paced(request)
        area = request.query_params.get("v", "")
        area = area if area in self._district.areas else ""
        return _html(form(self._frame(request), area, self._notes(area) if area else ()))

    async def _back(self, request: Request) -> Response:
        self._paced(request)
        return _html(form(self._frame(request), ""))

    async def _ask(self, request: Request) -> Response:
        host, began = self._paced(request), time.monotonic()
        given = await _given(request)
        number = unicodedata.normalize("NFKC", given.get("phone", ""))
        if not is_mobile(number):
            raise _Bad(400, "number")
        wish = self._wish(given)
        ident = await run_in_threadpool(self._asked, number, wish, host)
        await self._evenly(began)
        return _html(code(self._frame(request), ident))

    def _wish(self, given: dict[str, str]) -> Wish:
        lang: Lang = "en" if given.get("language") == "en" else "zh"
        if given.get("leave"):
            return Wish((), lang, leave=True)
        area, days = given.get("area", ""), given.get("days", "")
        if area not in self._district.areas:
            raise _Bad(400, "village")
        quiet = given.get("quiet", "")
        if quiet not in HOURS or days not in DAYS or given.get("language", "zh") not in LANGS:
            raise _Bad(400, "village")
        last = day(self._wall(), self._district.timezone) + timedelta(days=int(days or 0))
        return Wish((area,), lang, quiet, last.isoformat() if days else "")

    def _asked(self, number: str, wish: Wish, host: str) -> str:
        try:
            ident, outs = self._desk.ask(number, wish, host)
            self._keep(outs)
        except Often as e:
            raise _Bad(429, "often") from e
        except FAULTS as e:
            raise self._not_kept(e) from e
        return ident

    async def _confirm(self, request: Request) -> Response:
        host, began = self._paced(request), time.monotonic()
        given = await _given(request)
        ident = given.get("id", "")[:64]
        figures = unicodedata.normalize("NFKC", given.get("code", ""))
        what, areas = await run_in_threadpool(self._confirmed, ident, figures, host)
        await self._evenly(began)
        named = [self._district.areas[a] for a in areas if a in self._district.areas]
        status = 400 if what == "wrong" else 200
        return _html(answer(self._frame(request), what, named), status)

    def _confirmed(self, ident: str, figures: str, host: str) -> tuple[str, tuple[str, ...]]:
        try:
            done = self._desk.confirm(ident, figures, host)
            if done.state == "wrong":
                return "wrong", ()
            self._keep([*done.outs])
            self._desk.finish(ident, done)
        except Often as e:
            raise _Bad(429, "often") from e
        except FAULTS as e:
            raise self._not_kept(e) from e
        return done.state, done.areas if done.state == "subscribed" else ()

    async def _evenly(self, began: float) -> None:
        """Until the next step after `began` (seconds of the monotonic clock)."""
        if self._even_s:
            await asyncio.sleep(self._even_s - (time.monotonic() - began) % self._even_s)

    def _keep(self, outs: list[Out]) -> None:
        """Raises OSError: nobody is told that it is kept before the log has it."""
        if outs and self._log is not None:
            self._log.append(outs)

    def _not_kept(self, e: Exception) -> _Bad:
        self._seldom("residents", Text("订阅存不下：", "a wish cannot be kept: ") + text_of(e))
        return _Bad(503, "not_kept")

    def _paced(self, request: Request) -> str:
        """The address that asks. Raises _Bad."""
        host = network_of(request.client.host if request.client else "")
        if not self._rate.lets(host, self._wall(), _A_MINUTE):
            metrics.RESIDENTS.labels("page", "paced").inc()
            raise _Bad(429, "often")
        return host

    async def _refusal(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, _Bad)
        return _html(answer(self._frame(request), error.what), error.status)


async def _given(request: Request) -> dict[str, str]:
    """The fields of a form. Raises _Bad."""
    try:
        return form_fields(await whole(request, _BYTES))
    except TooLarge as e:
        raise _Bad(413, "large") from e


async def _robots(_: Request) -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /\n", headers=_HEADERS)


def run_door(
    district: District,
    live: bool,
    log: Log,
    listen: str,
    clock: Callable[[], int],
    wall: Callable[[], int],
    stop: threading.Event,
    ready: Callable[[str], None],
) -> None:
    """Open until `stop`; once an hour whoever's last day is over leaves the list. ready: told the address.
    Raises OSError when the place cannot be had."""
    desk = ResidentDesk(district, live, clock, wall)
    places = Places(district, log, clock)
    app = ResidentDoor(district, live, log, desk, wall, places.notes).app()
    front = Front(proxies=district.channels.residents_proxies)
    server = HttpDoor(app, listen, WHERE, _BOUNDS, front)
    ready(server.url)
    try:
        tend(desk, places, log, stop)
    finally:
        server.close()


def run_page(
    district: District,
    live: bool,
    keeper: Path,
    listen: str,
    wall: Callable[[], int],
    stop: threading.Event,
    ready: Callable[[str], None],
) -> None:
    """The page alone, until `stop`: what it wants it asks of the keeper's socket. Raises OSError when the place
    cannot be had."""
    far = SocketDesk(keeper)
    app = ResidentDoor(district, live, None, far, wall, far.notes).app()
    server = HttpDoor(
        app, listen, WHERE, _BOUNDS, Front(proxies=district.channels.residents_proxies)
    )
    ready(server.url)
    pulse = metrics.PULSES.of("residents")
    try:
        while not stop.wait(1.0):
            pulse.beat()
    finally:
        server.close()


def _html(text: str, status: int = 200) -> Response:
    return HTMLResponse(text, status, headers=_HEADERS)
