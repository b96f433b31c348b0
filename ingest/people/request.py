"""A request of the people's door as it is read: so many bytes, in so much time, and what it says."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request

from config.language import Said
from ingest.people.reports import JSON_BYTES
from stream.http.asked import TooLarge, whole
from stream.http.public_page import form_fields
from stream.limits import deep, number

WORDS_S, PHOTO_S = 20.0, 60.0  # from the head: until the words are there, until the photograph is
_BODY = 60_000_000  # what a telephone may go on sending while it is passed over


class Given(NamedTuple):
    """The fields as they came."""

    fields: dict[str, str]
    at: Any = None


class Refused(Exception):
    """An HTTP status and the key of its words."""

    def __init__(self, status: int, words: str, detail: Said = "") -> None:
        super().__init__(words)
        self.status, self.words, self.detail = status, words, detail


class Body:
    """within_s: seconds from its beginning to its end; may be made longer while it comes."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.within_s = WORDS_S

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises TimeoutError, ClientDisconnect, and Refused for what does not end."""
        stream, size = self._request.stream(), 0
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            left = max(0.0, began + self.within_s - loop.time())
            chunk = await asyncio.wait_for(anext(stream, None), left)
            if chunk is None:
                return
            size += len(chunk)
            if size > _BODY:
                raise Refused(413, "large")
            yield chunk


async def small(request: Request, kind: str) -> Given:
    """JSON, or a form without files. Raises as `Body`, and Refused."""
    try:
        body = await whole(request, JSON_BYTES, Body(request).chunks())
        if not kind.startswith("application/json"):
            return Given(form_fields(body))
    except TooLarge as e:
        raise Refused(413, "large") from e
    if deep(body):
        raise Refused(400, "wrong", "JSON")
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise Refused(400, "wrong", "JSON") from e
    if not isinstance(found, dict) or not all(_sound(v) for v in found.values()):
        raise Refused(400, "wrong", "JSON")
    fields = {k: str(v) for k, v in found.items() if v is not None}
    return Given(fields, at=found.get("time"))


def _sound(value: Any) -> bool:
    """A short text, a number that a moment or a count could be, or nothing."""
    if isinstance(value, str):
        return len(value) <= 1000
    return value is None or number(value) is not None
