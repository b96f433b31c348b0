"""What a request brings, and how it is answered or refused in words."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Annotated, Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from config.language import Said, Text, choose, en, text_of, zh
from stream.http.asked import language_of
from stream.log.port import Unavailable
from stream.pace.rate_limit import RateLimit

BODY = 65_536  # bytes of a request
_HEARD_OUT = 64_000_000
_PAIR = "in the language of `lang` or Accept-Language, else Chinese"
REFUSAL = {  # JSON Schema of every refusal of this door
    "type": "object",
    "required": ["words", "zh", "en"],
    "properties": {
        "words": {"type": "string", "description": _PAIR},
        "zh": {"type": "string"},
        "en": {"type": "string"},
    },
}
_T = TypeVar("_T")


class Refused(Exception):
    """An answer other than 200, with words for the person."""

    def __init__(self, status: int, words: Said) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Once:
    """The same press sent twice is one act: the answers of the last ones, by the page's key."""

    def __init__(self, kept: int = 500) -> None:
        self._kept, self._lock = kept, threading.Lock()
        self._done: dict[str, tuple[object, Future[Any]]] = {}

    def do(self, key: str, asked: object, act: Callable[[], Any]) -> Any:
        """What `act` returned when this key came first; whoever brings it meanwhile waits. What was
        refused may be tried again. asked: what the key stands for. Raises Refused (409): it stood
        for something else, and an answer to that would say that this was done."""
        with self._lock:
            first = key not in self._done
            of, answer = self._done.setdefault(key, (asked, Future()))
            if len(self._done) > self._kept:
                del self._done[next(iter(self._done))]
        if of != asked:
            raise Refused(
                409,
                Text(
                    "这个 key 已用于另一个操作，没有执行：每次操作用新的 key",
                    "this key was used for another act; nothing was done: one new key an act",
                ),
            )
        if first:
            try:
                answer.set_result(act())
            except BaseException as e:  # noqa: BLE001  # whoever waits hears it too
                with self._lock:
                    self._done.pop(key, None)
                answer.set_exception(e)
        return answer.result()


class Rate:
    """So many a minute for each name."""

    def __init__(self, a_minute: int) -> None:
        self._most, self._limit = a_minute, RateLimit(60.0)

    def take(self, name: str) -> None:
        """Raises Refused (429)."""
        if not self._limit.lets(name, monotonic(), self._most):
            raise Refused(429, Text("太频繁，请一分钟后再试", "too often: wait a minute"))


def to_json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def raw(body: bytes) -> Response:
    return Response(body, media_type="application/json")


async def read_body(request: Request, kind: type[_T]) -> _T:
    """What was sent, checked. What is too long is read on and dropped up to _HEARD_OUT bytes: a
    browser that is cut off while it sends does not hear why. Raises Refused (413, 422)."""
    data, size = b"", 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= BODY:
            data += chunk
        elif size > _HEARD_OUT:
            break
    if size > BODY:
        raise Refused(
            413,
            Text(
                f"内容太长，最多 {BODY} 字节，未保存", f"too long, {BODY} bytes at most; not kept"
            ),
        )
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as e:
        raise Refused(
            422, Text(f"请求不完整：{zh(e)}", f"the request is not what it should be: {en(e)}")
        ) from e


def refused(request: Request, status: int, words: Said) -> Response:
    """Words for the person, in what they read, and in each of both languages."""
    said = text_of(words)
    shown = choose(said, language_of(request))
    return to_json({"words": shown, "zh": said.zh, "en": said.en}, status)


async def refusal(request: Request, error: Exception) -> Response:
    """Every answer that is no answer, in one form: what a desk refuses, a log that is away, and what there
    is no route or no method for."""
    match error:
        case Refused():
            return refused(request, error.status, error.words)
        case Unavailable():
            words = Text(
                f"日志连不上，没有记入：{zh(error)}",
                f"the log is away, nothing was kept: {en(error)}",
            )
            return refused(request, 503, words)
        case HTTPException(status_code=405):
            answer = refused(request, 405, Text("这里不能这样请求", "no such method here"))
        case HTTPException(status_code=404):
            answer = refused(request, 404, Text("没有这个地址", "there is no such address"))
        case HTTPException():
            answer = refused(request, error.status_code, error.detail)
        case _:
            raise error
    answer.headers.update(error.headers or {})
    return answer


REFUSALS = dict.fromkeys((Refused, Unavailable, HTTPException), refusal)


class Login(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=80)]
    password: Annotated[str, msgspec.Meta(max_length=1000)]
