"""Runs the console: the feed's thread and the HTTP server, beside a line or as a process of its
own."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from config.language import Said, Text
from config.records.district import District
from console.api.routes import Asked
from console.app import STATIC, Console
from console.auth.accounts import Users
from console.auth.record_end import telling
from console.pages.feed import Feed
from console.pages.situation import ground
from console.routes.sources import NOTHING, Sources
from stream.http.server import Bounds, Front, HttpDoor
from stream.log.port import Log
from stream.records import Run

CONNECTIONS = 400  # at once; a page has two or three, one of them its stream


class Listen(NamedTuple):
    """Where browsers find it. cert, key: PEM files. proxy: something in front speaks TLS. proxies:
    addresses and networks of what stands in front; of X-Forwarded-For only their word counts, and
    there the last address that is not one of them."""

    host: str = "127.0.0.1"
    port: int = 0
    names: tuple[str, ...] = ()  # by which browsers may call it
    cert: str = ""
    key: str = ""
    proxy: bool = False
    proxies: tuple[str, ...] = ()

    @property
    def secure(self) -> bool:
        return bool(self.cert) or self.proxy


def lacks() -> Said:
    """What is missing before pages can be shown; "" for nothing."""
    if (STATIC / "vendor" / "leaflet.js").exists():
        return ""
    return Text(
        "网页的 JavaScript 未取得：bash deploy/console.sh（需要 npm）",
        "the pages' JavaScript is not here: bash deploy/console.sh (needs npm)",
    )


@contextlib.contextmanager
def serving(
    district: District,
    run: Run,
    open_log: Callable[[], Log],
    users: Users,
    listen: Listen,
    *,
    now: Callable[[], int],
    sources: Sources = NOTHING,
    asked: Asked = MappingProxyType({}),
) -> Iterator[str]:
    """The console's address, for as long as this lasts. asked: see console/api/routes.py."""
    feed = Feed(open_log, district, run, now)
    console = Console(
        feed,
        users,
        open_log,
        msgspec.json.encode(ground(district)),
        sources,
        asked=asked,
        secure=listen.secure,
    )
    hosts = list({"127.0.0.1", "localhost", listen.host, *listen.names})
    door = HttpDoor(
        console.app(hosts),
        f"{listen.host}:{listen.port}",
        "console",
        Bounds(
            CONNECTIONS,
            # a proxy brings everybody
            of_one=CONNECTIONS if listen.proxy or listen.proxies else CONNECTIONS // 2,
            endless=("/api/stream",),
        ),
        Front(listen.cert, listen.key, listen.proxies),
    )
    stop = threading.Event()
    following = threading.Thread(target=feed.follow, args=(stop,), name="console-feed")
    ending = threading.Thread(
        target=telling, args=(open_log, users, feed.at, stop), name="console-record"
    )
    following.start()
    ending.start()
    try:
        yield door.url
    finally:
        stop.set()
        following.join()
        ending.join()
        door.close()
        console.close()
