"""A small HTTP server on loopback for the public list of CAP messages and the messages themselves. A
district puts its own web server in front, or copies the folder to one."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text
from dispatch.cap.feed import FEED, TYPES
from stream.http.openapi import Door, Says
from stream.http.server import HttpDoor

PLACES = (("/{name:path}", ("GET",)),)
DOOR = Door(
    Text("烽燧：CAP 的公开清单和报文", "Fengsui: the public feed of CAP, and its messages"),
    "1",
    {
        "/{name:path}": Says(
            Text("feed.atom、feed.rss、一份报文", "feed.atom, feed.rss, or a message"),
            media=tuple(TYPES.values()),
        )
    },
)


class FeedServer:
    """Serves the folder's feed and messages, nothing else, on 127.0.0.1. port 0: any free one."""

    def __init__(self, folder: Path, port: int) -> None:
        def answer(request: Request) -> Response:
            name = request.url.path.removeprefix("/") or FEED
            file = folder / name
            kind = TYPES.get(file.suffix)
            if kind is None or "/" in name or name.startswith(".") or not file.is_file():
                return Response(status_code=404)
            # who reads the feed is nobody's business: nothing is written down
            headers = {"Cache-Control": "no-cache", "Content-Type": f"{kind}; charset=utf-8"}
            return Response(file.read_bytes(), headers=headers)

        app = Starlette(routes=[Route("/{name:path}", answer, methods=["GET"])])
        self._http = HttpDoor(app, f"127.0.0.1:{port}", "cap-feed", patient=True)
        self.url = f"{self._http.url}/{FEED}"

    def close(self) -> None:
        self._http.close()
