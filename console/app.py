"""The console's HTTP side: pages, the picture, the stream, and the acts. The door: console/auth/entrance.py.

GET  /  /wall                the page (no data in it)
GET  /api/ground /api/terrain /api/map.pmtiles /api/snapshot /api/stream /api/past /api/series/STATION
     /api/texts/ALERT /api/resources /api/downstream/AREA
POST /api/acts               a person's act upon warnings, through `cases`

Programs bring a token instead of a cookie, and may do what its role may (docs/api.md; console/api/routes.py).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.language import Text, en, text_of, zh
from config.records.level import Action, Level
from console.acts.submit import QUEUED, Place, Saying, decisions, submit
from console.api.routes import Act, Api, Asked
from console.auth.accounts import ACTS_OF, User, Users
from console.auth.entrance import Entrance
from console.auth.record import End
from console.auth.record_end import ends
from console.auth.requests import REFUSALS, Rate, Refused, raw, read_body, to_json
from console.model.answers import Acted, Before
from console.model.trail import Trail
from console.model.view import View
from console.pages.feed import Feed, Listener
from console.pages.precedents import similar
from console.pages.resources import base, below
from console.pages.warnings import texts
from console.routes.accounts import AccountDesk
from console.routes.assets import Files, keep
from console.routes.delivery import DeliveryDesk
from console.routes.desk import Tools
from console.routes.people import PersonDesk
from console.routes.shift import ShiftDesk
from console.routes.sources import People, Sources
from console.routes.stations import StationDesk
from console.routes.things import ThingsDesk
from dispatch.decide.plan.stock import HeldSupply
from dispatch.decide.plan.tasks import Course
from dispatch.records import Alert, Decision
from ingest.decode.fact_time import fact_time
from stream.log.port import Log, Unavailable

STATIC = Path(__file__).parent / "static"
BEAT_S = 5.0
WAIT_S = 10.0
_ACTS_A_MINUTE = 60
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guarded:
    """Every answer carries the headers that keep foreign code and frames out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/static/vendor/"):
                    headers["Cache-Control"] = "max-age=86400"
                elif scope["path"].startswith("/api/frame/"):  # each look is on record, a copy's is not
                    headers["Cache-Control"] = "no-store"
                else:
                    headers["Cache-Control"] = "no-cache"
            await send(message)

        await self._app(scope, receive, sending)


class Console:
    """The routes of one run's console."""

    def __init__(
        self,
        feed: Feed,
        users: Users,
        open_log: Callable[[], Log],
        ground: bytes,
        sources: Sources,
        *,
        asked: Asked,
        secure: bool,
    ) -> None:
        self._feed, self._users, self._open_log = feed, users, open_log
        self._files, self._ground = Files(STATIC), keep(ground, "application/json")
        relief = feed.district.backdrop.terrain
        self._terrain = keep(relief.png, "image/png") if relief else None
        self._door = door = Entrance(feed, users, secure=secure)
        feed.beside = door.guessed
        self._people, self._sign = People(feed.district, sources.contacts), sources.sign
        feed.view.wishes.proves = self._people.proves
        tools = Tools(feed, users, open_log, door.user, door.sure)
        self._desks = (
            AccountDesk(tools, self._ends, _wall),
            DeliveryDesk(tools, self._people),
            PersonDesk(tools, self._people),
            ShiftDesk(tools, sources),
            StationDesk(tools, sources),
            ThingsDesk(tools, sources, door.reader, secure=secure),
        )
        self._api = Api(feed, users.folder / "cap", asked)
        self._acts = Rate(_ACTS_A_MINUTE)

    def app(self, hosts: list[str]) -> Starlette:
        """hosts: names by which browsers may call it."""
        get, post = ["GET"], ["POST"]
        return Starlette(
            routes=[
                Route("/", self._page, methods=get),
                Route("/wall", self._page, methods=get),
                *self._door.routes(),
                Route("/api/ground", self._read(self._ground.answer), methods=get),
                Route("/api/terrain", self._read(self._relief), methods=get),
                Route("/api/map.pmtiles", self._read(self._tiles), methods=get),
                Route("/api/snapshot", self._get(self._snapshot), methods=get),
                Route("/api/past", self._get(lambda _: self._feed.past()), methods=get),
                Route("/api/series/{station}", self._get(self._series), methods=get),
                Route("/api/texts/{alert}", self._get(self._texts), methods=get),
                Route(
                    "/api/resources", self._get(lambda _: base(self._feed.district)), methods=get
                ),
                Route("/api/downstream/{area}", self._get(self._below), methods=get),
                Route("/api/stream", self._stream, methods=get),
                Route("/api/acts", self._act, methods=post),
                *(route for desk in self._desks for route in desk.routes()),
                Route("/api/openapi.json", self._document, methods=get),
                Route(
                    "/api/warnings.geojson", self._read(lambda _: self._api.warnings()), methods=get
                ),
                Route("/api/findings", self._read(lambda _: self._api.findings()), methods=get),
                Route("/api/asked/{name}", self._read(self._api.asked), methods=get),
                Route("/api/cap/{name}", self._read(self._api.message), methods=get),
                Route("/static/{path:path}", self._file, methods=get),
            ],
            middleware=[
                Middleware(Guarded),
                Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
                Middleware(GZipMiddleware, minimum_size=500, compresslevel=5),
            ],
            exception_handlers={**REFUSALS},
        )

    def _ends(self) -> list[End]:
        """Where the ledger saw the record end. Raises Refused."""
        try:
            log = self._open_log()
            try:
                return list(ends(log))
            finally:
                log.close()
        except Unavailable as e:
            raise Refused(
                503,
                Text(
                    f"日志连不上，记录无从核对：{zh(e)}",
                    f"the log is away, the record cannot be checked: {en(e)}",
                ),
            ) from e

    def close(self) -> None:
        """Whoever waits at the door is let go."""
        self._door.close()

    async def _page(self, request: Request) -> Response:
        return self._files.answer(request, "index.html")

    async def _file(self, request: Request) -> Response:
        return self._files.answer(request, request.path_params["path"])

    # ---- what pages read

    def _read(self, make: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            self._door.user(request)
            return make(request)

        return endpoint

    def _get(self, make: Callable[[Request], bytes]) -> Callable[[Request], Response]:
        return self._read(lambda request: raw(make(request)))

    def _document(self, request: Request) -> Response:
        return self._api.document(request)

    def _relief(self, request: Request) -> Response:
        if self._terrain is None:
            raise Refused(404, Text("本区没有地形图", "this district has no relief"))
        return self._terrain.answer(request)

    def _tiles(self, _: Request) -> Response:
        """The operator's base map, in the parts that the browser asks for (RFC 9110, 14: Range)."""
        tiles = self._feed.district.backdrop.tiles
        if tiles is None or tiles.fault is not None or not Path(tiles.path).exists():
            raise Refused(404, Text("本区没有底图", "this district has no base map"))
        # a part of a file is sent as it is: packed once more its bytes would stand elsewhere
        as_it_is = {"Content-Encoding": "identity"}
        return FileResponse(tiles.path, media_type="application/octet-stream", headers=as_it_is)

    def _snapshot(self, _request: Request) -> bytes:
        if not self._feed.looked:  # an empty picture would look like a quiet night
            raise Refused(503, Text("正在读取日志，请稍候", "still reading the log, please wait"))
        return self._feed.snapshot()

    def _series(self, request: Request) -> bytes:
        return self._feed.series(request.path_params["station"])

    def _texts(self, request: Request) -> bytes:
        name = request.path_params["alert"]
        seen = self._feed.read(lambda view, trail: _with_before(view, trail, name))
        if seen is None:
            raise Refused(404, Text("没有这份预警", "there is no such warning"))
        try:
            alert, before, stock, courses = seen
            now = self._feed.at()
            found = texts(self._people.district(), alert, now, before, stock, courses)
            return msgspec.json.encode(found)
        except ValueError as e:  # the store of contacts cannot be opened
            raise Refused(503, text_of(e)) from e

    def _below(self, request: Request) -> bytes:
        return below(self._feed.district, request.path_params["area"])

    async def _stream(self, request: Request) -> Response:
        await run_in_threadpool(self._door.user, request)
        return StreamingResponse(
            self._events(request),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    async def _events(self, request: Request) -> AsyncIterator[bytes]:
        """Changes as they come and a beat when none does, until the session ends."""
        listener = Listener(asyncio.get_running_loop())
        self._feed.listen(listener)
        beaten = 0.0
        try:
            yield b"retry: 1000\n\n"
            while True:
                if time.monotonic() - beaten >= BEAT_S:
                    if await run_in_threadpool(self._door.who, request) is None:
                        return
                    yield self._feed.beat()
                    beaten = time.monotonic()
                try:
                    event = await asyncio.wait_for(listener.queue.get(), BEAT_S)
                except TimeoutError:
                    continue
                if not event:
                    return
                yield event
        finally:
            self._feed.leave(listener)

    # ---- what people do

    async def _act(self, request: Request) -> Response:
        user = await run_in_threadpool(self._door.sure, request)
        self._acts.take(user.name)
        return await run_in_threadpool(self._carry_out, user, await read_body(request, Act))

    def _carry_out(self, user: User, act: Act) -> Response:
        if act.act not in ACTS_OF[user.role] or not user.officer:
            self._users.note(self._feed.at(), user.name, f"refused {act.act}", user.role)
            raise Refused(
                403, Text(f"角色 {user.role} 不能做此操作", f"the role {user.role} has no such act")
            )
        seen = act.act in ("approve", "release", "lower")
        places = [
            Place(
                s.area,
                s.hazard,
                s.alert,
                s.version,
                s.level if seen else Level.NONE,
                s.action if seen else Action.NONE,
                s.task,
            )
            for s in act.places
        ]
        now = self._feed.clock()
        try:
            happened_at = fact_time(act.happened, now, self._feed.district.timezone)
        except ValueError as e:
            raise Refused(422, text_of(e)) from e
        said = Saying(
            act.act,
            user.officer,
            act.reason,
            act.level,
            act.action,
            act.approver,
            act.reference,
            act.task,
            happened_at,
            act.supply,
            act.count,
            act.incident,
        )
        wanted = decisions(said, places, now, act.key)
        where = " ".join(f"{p.area}/{p.hazard}/{p.version}" for p in places)
        self._users.note(self._feed.at(), user.name, act.act, f"{act.key} {user.officer} {where}")
        log = self._open_log()
        try:
            answers = submit(log, wanted, WAIT_S, self._sign)
        except ValueError as e:
            raise Refused(
                503,
                Text(f"未能签名，没有记录：{zh(e)}", f"not signed, nothing was recorded: {en(e)}"),
            ) from e
        finally:
            log.close()
        return to_json([_answer(d, answers.get((d.area, d.hazard, d.task))) for d in wanted])


def _wall() -> int:
    return int(time.time() * 1000)


def _with_before(
    view: View, trail: Trail, name: str
) -> tuple[Alert, Before, dict[str, dict[str, HeldSupply]], dict[str, Course]] | None:
    """What the page says of a warning, taken out of what goes on changing."""
    alert = view.alerts.get(name)
    if alert is None:
        return None
    course = {k: deepcopy(c) for k, c in view.courses.items() if k == name}
    return alert, similar(view, trail.outcomes, alert), deepcopy(view.stock), course


def _answer(asked: Decision, answer: Decision | None) -> Acted:
    """What came of it; `queued`: it stands in the log and decide has not come to it."""
    return {
        "area": asked.area,
        "hazard": asked.hazard,
        "outcome": answer.outcome if answer else "queued",
        "words": answer.answer if answer else QUEUED,
    }
