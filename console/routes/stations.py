"""What the page Stations and nodes asks for beside the picture.

GET  /api/history/PLACE?hours=   a station's measurements, or a node's battery, over hours to years
GET  /api/frame/SHA256           a camera's picture, as pictures.csv lets it be seen
GET  /api/frame/SHA256?as_taken=REASON   as it was taken, for who decides, with the reason on record
GET  /api/dead                   the newest dead letters
POST /api/service                a station or loudspeaker out of judgement, or back in it
"""

import threading
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text, en, text_of, zh
from config.records.devices.pictures import PEOPLE
from console.acts.service import LONGEST_MIN, put, service
from console.auth.accounts import User
from console.auth.looks import Looks
from console.auth.requests import Refused, to_json
from console.model.cap_sources import outside
from console.pages.stations import chart, letters, shown_of
from console.routes.desk import Desk, Key, Tools
from console.routes.sources import Sources
from stream.history.port import History
from stream.log.port import Unavailable

LONGEST_H = 10 * 366 * 24


_A_MINUTE = 30
_LONGEST_WHY = 200
_FOR_DECIDERS = Text(
    "原图和群众的照片只给有决定权的人看", "pictures as taken, and people's photographs, are for who decides"
)


class Serviced(msgspec.Struct, forbid_unknown_fields=True):
    """thing: a station's or loudspeaker's id. minutes: from now on; 0 puts it back."""

    thing: str
    minutes: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_MIN)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    key: Key


class StationDesk(Desk):
    """sources: of measurements of years, and of pictures."""

    def __init__(self, tools: Tools, sources: Sources) -> None:
        super().__init__(tools, _A_MINUTE)
        self._sources = sources
        self._looks = Looks(tools.users)
        self._history: History | None = None
        self._lock = threading.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("/api/history/{place}", self._series, methods=["GET"]),
            Route("/api/frame/{digest}", self._frame, methods=["GET"]),
            Route("/api/dead", self._dead, methods=["GET"]),
            Route("/api/outside", self._outside, methods=["GET"]),
            Route("/api/service", self._serve, methods=["POST"]),
        ]

    async def _serve(self, request: Request) -> Response:
        return await self._take(request, self._acting, Serviced, self._out_or_back)

    def _out_or_back(self, user: User, asked: Serviced) -> dict[str, int]:
        """Whoever may act upon a warning may say so."""
        if not self._decides(user):
            words = Text(f"角色 {user.role} 不能安排维护", f"the role {user.role} may not do this")
            self._refuse(user, "refused service", user.role, words)
        log = self._open_log()
        try:
            record = service(
                self._feed.district,
                asked.thing,
                asked.minutes,
                by=user.officer,
                reason=asked.reason,
                now=self._feed.at(),
                way="console",
            )
            where = f"{asked.thing} {asked.minutes} min {user.officer} {record.reason}"
            self._users.note(self._feed.at(), user.name, "service", where)
            put(log, record)
        except ValueError as e:
            raise Refused(422, text_of(e)) from e
        except Unavailable as e:
            raise Refused(
                503,
                Text(
                    f"日志连不上，没有记入：{zh(e)}", f"the log is away, nothing was kept: {en(e)}"
                ),
            ) from e
        finally:
            log.close()
        return {"until": record.until_at}

    def _frame(self, request: Request) -> Response:
        """On record: who looked at it, and when; as it was taken, also why, or it is not shown."""
        user = self._user(request)
        why = request.query_params.get("as_taken", "").strip()
        digest, get = request.path_params["digest"], self._sources.frame
        body = photo = self._sources.photograph(digest)
        if body is None and get is not None:
            body = get(digest)
        if body is None:
            raise Refused(404, Text("没有这张图像", "there is no such picture"))
        zone = self._feed.district.timezone
        camera, of = self._feed.read(lambda view, _: shown_of(view, digest, zone))
        at = self._feed.at()
        # one of before there were keys lies as any picture does: the log knows whose it is
        if photo is not None or self._feed.read(lambda _, trail: digest in trail.rolled.roll.transfers.photos):
            camera, of = PEOPLE, PEOPLE
            if not self._decides(user):
                self._refuse(user, "refused a photograph", digest, _FOR_DECIDERS)
        if "as_taken" in request.query_params:
            if not self._decides(user):
                raise Refused(403, _FOR_DECIDERS)
            if not 2 <= len(why) <= _LONGEST_WHY:
                raise Refused(422, Text("写明看原图的理由", "say why, in 2 to 200 characters"))
            if not self._looks.must_note(at, user.name, digest, f"{of} as taken: {why}".strip()):
                raise Refused(
                    503, Text("记不下，原图不给看", "it cannot be put on record and is not shown")
                )
            return _jpeg(body)
        seen, how = self._sources.hide(camera, body)
        if seen is None:
            raise Refused(415, how)
        self._looks.note(at, user.name, digest, f"{of} {zh(how)}".strip())
        return _jpeg(seen, hidden=seen != body)

    def _dead(self, request: Request) -> Response:
        self._user(request)
        return to_json(self._feed.read(lambda _, trail: letters(trail.health)))

    def _outside(self, request: Request) -> Response:
        self._user(request)
        district = self._feed.district
        return to_json(self._feed.read(lambda _, trail: outside(district, trail.outside)))

    def _series(self, request: Request) -> Response:
        self._user(request)
        place, district = request.path_params["place"], self._feed.district
        if place in district.stations:
            quantity = district.stations[place].quantity
        elif place in district.nodes:
            quantity = "battery"
        else:
            raise Refused(
                404, Text(f"没有这个站点 {place[:20]!r}", f"there is no station {place[:20]!r}")
            )
        text = request.query_params.get("hours", "24")
        if not text.isdecimal() or not 1 <= int(text) <= LONGEST_H:
            raise Refused(422, f"hours: 1–{LONGEST_H}")
        end = self._feed.at() + 1
        start = end - int(text) * 3_600_000
        try:
            points = self._open().series(place, quantity, start, end)
        except Unavailable as e:
            raise Refused(
                503,
                Text(f"历史库连不上，稍后再试：{zh(e)}", f"history is away, try later: {en(e)}"),
            ) from e
        return to_json(chart(points, quantity, start, end))

    def _open(self) -> History:
        with self._lock:
            if self._sources.history is None:
                raise Refused(404, Text("没有历史库", "there is no history"))
            if self._history is None:
                self._history = self._sources.history()
            return self._history


def _jpeg(body: bytes, *, hidden: bool = False) -> Response:
    """hidden: something in it was made unrecognisable; a page says so."""
    headers = {"Fengsui-Persons": "hidden"} if hidden else {}
    return Response(body, media_type="image/jpeg", headers=headers)
