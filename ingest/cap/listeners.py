"""The ways by which CAP messages of others come in beside MQTT, open while ingest runs: the HTTP
endpoint, and feeds that are asked. In an exercise both stay on this machine.

A live run's token is in the environment (FENGSUI_CAP_TOKEN, or a file that FENGSUI_CAP_TOKEN_FILE
names), else in the run's own folder, `keys/cap-in.token`, made when it is not there. Its address is
left in `cap-in.url`.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from config.language import Text
from config.records.district import District
from stream.disk.files import create_file, make_folder
from stream.log.port import Log

if TYPE_CHECKING:  # loaded where a source says something
    from ingest.cap.intake import CapDoor

_LEAST = 16  # characters of a token


def cap_door(district: District, live: bool, folder: Path | None) -> "CapDoor | None":
    """The door of a run that hears others; folder: the run's own, None: it hears nobody."""
    if folder is None or not district.sources.source:
        return None
    from ingest.cap.intake import CapDoor

    return CapDoor(district, live, folder)


class Ways:
    """failed: why a thread of one of them ended, if it did."""

    failed: BaseException | None = None


@contextmanager
def cap_ways(
    district: District,
    live: bool,
    log: Log,
    door: "CapDoor | None",
    folder: Path | None,
    now: Callable[[], int],
) -> Iterator[Ways]:
    """Open as long as this lasts. Raises ValueError for a token that cannot be."""
    ways = Ways()
    if door is None or folder is None:
        yield ways
        return
    from ingest.cap.feed_poller import Poller
    from ingest.cap.http_server import CapServer

    def asking(poller: Poller) -> None:
        try:
            poller.run(stop)
        except BaseException as e:  # noqa: BLE001  # the stage ends with it
            ways.failed = e

    stop = threading.Event()
    with ExitStack() as stack:
        sources = district.sources
        listen = sources.listen if live else sources.exercise_listen
        if listen:
            host, _, port = listen.rpartition(":")
            server = CapServer(door, log, host, int(port), endpoint_token(folder, live), now)
            stack.callback(server.close)
            (folder / "cap-in.url").write_text(server.url + "\n")
        for source in sources.source.values():
            if source.feed if live else source.exercise_feed:
                poller = Poller(source, live, door, log, now)
                thread = threading.Thread(
                    target=asking, args=(poller,), name=f"feed-{source.id}", daemon=True
                )
                thread.start()
                stack.callback(thread.join, 20)
        stack.callback(stop.set)
        yield ways


def endpoint_token(folder: Path, live: bool) -> str:
    """The token of the run whose folder this is; an exercise has its own and no other."""
    named = os.environ.get("FENGSUI_CAP_TOKEN_FILE", "") if live else ""
    file = Path(named) if named else folder / "keys" / "cap-in.token"
    given = os.environ.get("FENGSUI_CAP_TOKEN", "") if live else ""
    if given and not named:
        return _long(given, "FENGSUI_CAP_TOKEN")
    if not named and not file.exists():
        make_folder(file.parent, 0o700)
        create_file(file, secrets.token_urlsafe(24).encode() + b"\n")
    try:
        return _long(file.read_text().strip(), str(file))
    except OSError as e:
        raise ValueError(
            Text(f"{file}: 读不到：{e.strerror}", f"{file}: cannot be read: {e.strerror}")
        ) from e


def _long(token: str, where: str) -> str:
    if len(token) < _LEAST:
        raise ValueError(
            Text(
                f"{where}: 令牌太短：至少 {_LEAST} 个字符",
                f"{where}: the token is too short: at least {_LEAST} characters",
            )
        )
    return token
