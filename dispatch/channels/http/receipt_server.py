"""Where carriers post delivery receipts by HTTP: /receipt/CARRIER, fields in the query, a form or JSON.
It answers 2xx only when the log has the receipt; otherwise the carrier says it again.

Each carrier has a token of its own (docs/channels.md), in `Authorization: Bearer TOKEN` where it can
send a header, in `?token=` where it cannot; one carrier's token opens no other's place. A GET counts
like a POST, though it changes something: many gateways can do nothing else. Nothing comes of saying the
same twice, and nothing of a browser that is led here without the token.
"""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from config.language import Text
from config.records.channels import Carrier
from dispatch.channels import CarrierWord
from stream.http.asked import TooLarge, in_words, whole
from stream.http.openapi import FORM, JSON, PLAIN, STRING, Door, Parameter, Says
from stream.http.server import HttpDoor
from stream.limits import Unreadable, clean, number, read_json

_LONGEST = 65_536
_PATIENCE_S = 40.0  # longer than a word on an unknown message waits
_ROWS = 1000
_FIELDS = 100
_BOM = b"\xef\xbb\xbf"
_AGAIN = Text("请再说一次", "say it again")
PLACES = (("/receipt/{name}", ("GET", "POST")),)
_ROW = {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}}
_RECEIPT = Says(
    Text("运营商的回执；各项的名字见 channels.toml", "a carrier's receipt; channels.toml has the fields"),
    query=(Parameter("token"),),
    takes={FORM: _ROW, JSON: {"anyOf": [_ROW, {"type": "array", "items": _ROW}]}},
    media=PLAIN,
    refusals=(403, 408, 413, 503),
    missing=False,
)
DOOR = Door(
    Text("烽燧：运营商回执的入口", "Fengsui: the door for carriers' receipts"),
    "1",
    {"/receipt/{name}": _RECEIPT},
    refusal={PLAIN: STRING},
    security={"token": {"type": "http", "scheme": "bearer"}},
)
_any = msgspec.json.Decoder()


class ReceiptServer:
    """carriers: those that post. listen: HOST:PORT (port 0: any). tokens: what each must know, by
    name; a carrier without one is not heard. Whether it is open says `HttpDoor.trouble`."""

    def __init__(
        self,
        listen: str,
        tokens: Mapping[str, str],
        carriers: Mapping[str, Carrier],
        hear: Callable[[CarrierWord], None],
    ) -> None:
        self._tokens, self._carriers, self._hear = tokens, carriers, hear
        app = Starlette(routes=[Route("/receipt/{name}", self._take, methods=["GET", "POST"])])
        self._http = HttpDoor(app, listen, "receipts-http", patient=True)
        self.url = self._http.url

    def close(self) -> None:
        """Stop listening."""
        self._http.close()

    async def _take(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            asked = parse_qs(request.url.query, max_num_fields=_FIELDS)
        except ValueError:
            return in_words(413, request, Text(f"最多 {_FIELDS} 项", f"at most {_FIELDS} fields"))
        query = {k: v[-1] for k, v in asked.items()}
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        given = bearer or query.pop("token", "")
        token, carrier = self._tokens.get(name, ""), self._carriers.get(name)
        # the same answer for a name that nobody has, so that names cannot be tried
        if not token or carrier is None or not hmac.compare_digest(given.encode(), token.encode()):
            return in_words(403, request, Text("令牌不对", "token?"))
        try:
            body = await whole(request, _LONGEST)
        except TooLarge:
            return in_words(
                413, request, Text(f"上限 {_LONGEST} 字节", f"at most {_LONGEST} bytes")
            )
        except ClientDisconnect:
            return in_words(408, request, _AGAIN)
        rows = fields_of(body) or [{}]
        if len(rows) > _ROWS:
            words = Text(f"一次最多 {_ROWS} 条回执", f"at most {_ROWS} receipts at once")
            return in_words(413, request, words)
        kept = await self._kept(carrier, [{**query, **row} for row in rows])
        if not kept:
            return in_words(503, request, _AGAIN)
        return PlainTextResponse(carrier.receipt.reply, 200, {"Connection": "close"})

    async def _kept(self, carrier: Carrier, rows: list[dict[str, str]]) -> bool:
        """Whether the log has them all."""
        loop, answers = asyncio.get_running_loop(), asyncio.Queue[bool]()

        def done(kept: bool) -> None:
            # from the thread that writes; whoever has stopped listening asks again
            if not loop.is_closed():
                loop.call_soon_threadsafe(answers.put_nowait, kept)

        for row in rows:
            self._hear(heard(carrier, row, done))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return all([await answers.get() for _ in rows])
        except TimeoutError:
            return False


def heard(carrier: Carrier, fields: Mapping[str, str], done: Callable[[bool], None]) -> CarrierWord:
    """A row as a carrier's word. Raises nothing: what it lacks is empty."""
    told = carrier.receipt
    status = fields.get(told.status, "")
    sender = fields.get(told.sender, "") if told.sender else ""
    ident = fields.get(told.id, "") if told.id else ""
    return CarrierWord(
        carrier.channel,
        carrier.name,
        fields.get(told.key, "") if told.key else "",
        (f"{carrier.name}|{ident}",) if ident else (),
        told.words.get(status, status),
        "",
        done,
        sender,
        fields.get(told.text, "") if sender and told.text else "",
    )


def fields_of(body: bytes) -> list[dict[str, str]]:
    """The rows of a JSON object or list, or of a form; nothing where it is neither."""
    try:
        found: Any = read_json(body.removeprefix(_BOM), _any, _LONGEST) if body else []
    except Unreadable:
        try:
            form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_FIELDS)
        except ValueError:
            return []
        return [{k: v[-1] for k, v in form.items()}] if form else []
    rows = found if isinstance(found, list) else [found]
    return [
        {k: clean(str(v)) for k, v in row.items() if type(v) is not int or number(v) is not None}
        for row in rows
        if isinstance(row, dict)
    ]
