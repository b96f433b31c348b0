"""What the page Stations and nodes asks for beside the picture.

GET  /api/history/PLACE?hours=   a station's measurements, or a node's battery, over hours to years
GET  /api/frame/SHA256           a camera's picture
GET  /api/dead                   the newest dead letters
"""

import threading
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.asked import Refused, to_json
from console.feed import Feed
from console.sources import Sources
from console.stations import chart, letters
from console.users import User
from ingest.history import History
from ingest.log import Unavailable

LONGEST_H = 10 * 366 * 24


class StationDesk:
    """user: who asks (console/web.py)."""

    def __init__(self, feed: Feed, sources: Sources, user: Callable[[Request], User]) -> None:
        self._feed, self._sources, self._user = feed, sources, user
        self._history: History | None = None
        self._lock = threading.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("/api/history/{place}", self._series, methods=["GET"]),
            Route("/api/frame/{digest}", self._frame, methods=["GET"]),
            Route("/api/dead", self._dead, methods=["GET"]),
        ]

    def _frame(self, request: Request) -> Response:
        self._user(request)
        digest, get = request.path_params["digest"], self._sources.frame
        body = get(digest) if get else None
        if body is None:
            raise Refused(404, "没有这张图像 there is no such picture")
        return Response(body, media_type="image/jpeg")

    def _dead(self, request: Request) -> Response:
        self._user(request)
        return to_json(self._feed.read(lambda _, trail: letters(trail.health)))

    def _series(self, request: Request) -> Response:
        self._user(request)
        place, district = request.path_params["place"], self._feed.district
        if place in district.stations:
            quantity = district.stations[place].quantity
        elif place in district.nodes:
            quantity = "battery"
        else:
            raise Refused(404, f"没有这个站点 there is no station {place[:20]!r}")
        text = request.query_params.get("hours", "24")
        if not text.isdecimal() or not 1 <= int(text) <= LONGEST_H:
            raise Refused(422, f"hours: 1–{LONGEST_H}")
        end = self._feed.at() + 1
        start = end - int(text) * 3_600_000
        try:
            points = self._open().series(place, quantity, start, end)
        except Unavailable as e:
            raise Refused(503, f"历史库连不上，稍后再试 history is away, try later: {e}") from e
        return to_json(chart(points, quantity, start, end))

    def _open(self) -> History:
        with self._lock:
            if self._sources.history is None:
                raise Refused(404, "没有历史库 there is no history")
            if self._history is None:
                self._history = self._sources.history()
            return self._history
