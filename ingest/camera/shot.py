"""What a camera that is asked gives: pictures with the time at which they came, or why there are none."""

import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol
from urllib.parse import quote

from config.language import Text
from ingest.camera.jpeg import Jpeg
from stream.records import Rejected


class Shot(NamedTuple):
    """at: ms, by the line's clock; the camera's own is not believed. raw: what came, of one that is no
    picture. away_s: how far the camera's clock is ahead of ours, where it says its time."""

    at: int
    picture: Jpeg | Rejected
    raw: bytes = b""
    away_s: float | None = None


class NoPicture(Exception):
    """The camera gives none. reason: of a dead letter's; words: what to look at, and no password."""

    def __init__(self, reason: str, words: Text) -> None:
        super().__init__(words)
        self.reason, self.words = reason, words


class Source(Protocol):
    """One camera, however it is asked. Used by one thread."""

    def take(self, due: Callable[[], bool], stop: threading.Event) -> list[Shot]:
        """As soon as a picture is due: that one, or a burst; [] at `stop`. Raises NoPicture."""
        ...

    def close(self) -> None:
        """Let the camera go."""
        ...


def filled(url: str, user: str, password: str) -> str:
    """An address with user and password where it has places for them."""
    return url.replace("{user}", quote(user, safe="")).replace(
        "{password}", quote(password, safe="")
    )
