"""What a request says of itself, for every door: which language whoever asks reads, and its body, within
bounds and however it is framed; and an answer in that language."""

from collections.abc import AsyncIterable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from config.language import Language, Text, choose


class TooLarge(Exception):
    """The body is longer than the door takes."""


async def whole(
    request: Request, most: int, chunks: AsyncIterable[bytes] | None = None
) -> bytes:
    """The body, with a Content-Length or in chunks (RFC 9112, 6 and 7.1): what is said of its length is
    believed where it is too long, and what comes is counted. How long it may take is the server's bound.
    chunks: in place of the request's own stream.

    Raises TooLarge; starlette's ClientDisconnect where it breaks off."""
    size = request.headers.get("content-length", "")
    if size.isascii() and size.isdigit() and int(size[:12]) > most:
        raise TooLarge
    body = bytearray()
    async for chunk in request.stream() if chunks is None else chunks:
        body += chunk
        if len(body) > most:
            raise TooLarge
    return bytes(body)


def language_of(request: Request) -> Language:
    """What whoever asks reads: `lang` of the address, else Accept-Language (RFC 9110, 12.5.4), as far as
    it names Chinese or English; Chinese where neither does."""
    if (wish := request.query_params.get("lang")) in ("zh", "en"):
        return wish  # type: ignore[return-value]  # one of them
    best: tuple[float, Language] = (0.0, "zh")
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, weight = part.partition(";")
        match tag.strip().lower().partition("-")[0]:
            case "zh" | "en" as found:
                if (q := _weight(weight)) > best[0]:
                    best = q, found
            case _:
                pass
    return best[1]


def in_words(status: int, request: Request, words: Text) -> Response:
    """These words in the language of whoever asks, and the connection ends."""
    return PlainTextResponse(choose(words, language_of(request)), status, {"Connection": "close"})


def _weight(text: str) -> float:
    """Of "q=0.8"; 1 where there is none, 0 for what is no number."""
    name, _, number = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(number) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
