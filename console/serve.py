"""Runs the console: the feed's thread and the HTTP server, beside a line or as a process of its
own."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import uvicorn

from config.district import District
from console.api import Asked
from console.feed import Feed
from console.situation import ground
from console.sources import NOTHING, Sources
from console.users import Users
from console.web import STATIC, Console
from ingest.log import Log
from ingest.observation import Run


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


def lacks() -> str:
    """What is missing before pages can be shown; "" for nothing."""
    if (STATIC / "vendor" / "leaflet.js").exists():
        return ""
    return "网页的 JavaScript 未取得 its JavaScript is not here: bash deploy/console.sh (needs npm)"


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
    """The console's address, for as long as this lasts. asked: see console/api.py."""
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
    server = uvicorn.Server(
        uvicorn.Config(
            console.app(hosts),
            log_level="warning",
            access_log=False,
            lifespan="off",
            ssl_certfile=listen.cert or None,
            ssl_keyfile=listen.key or None,
            proxy_headers=bool(listen.proxies),
            forwarded_allow_ips=list(listen.proxies),
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((listen.host, listen.port))
        s.listen(128)  # whoever calls before the server runs waits
        port = s.getsockname()[1]
        stop = threading.Event()
        following = threading.Thread(target=feed.follow, args=(stop,), name="console-feed")
        answering = threading.Thread(target=server.run, args=([s],), name="console-http")
        following.start()
        answering.start()
        try:
            yield f"{'https' if listen.cert else 'http'}://{listen.host}:{port}"
        finally:
            stop.set()
            following.join()
            server.should_exit = True
            answering.join()
            console.close()
