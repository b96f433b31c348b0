"""Where a broadcast platform posts: states of what it was sent, its record of broadcasts, its terminals and
their states, heart-beats. Each packet is answered at once, and with a yes only when the log has what it
said; otherwise the platform says it again.

Whoever is not that platform, by its signature, says nothing here. A packet that came before is answered as it
was then and counts once; one that is older than the clocks may differ is refused, so a recording of
yesterday is nothing. What is behind the signature is judged as strictly as before it: a platform that is
broken must not break us.
"""

import asyncio
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Said, Text, choose, text_of
from dispatch.channels import CarrierWord, SendError
from dispatch.channels.platform.ebd.packet import tar_name
from dispatch.channels.platform.ebd.records import (
    BroadcastState,
    BroadcastStates,
    ConnectionCheck,
    Ebd,
    EbdResponse,
    EquipmentList,
    EquipmentStates,
)
from dispatch.channels.platform.later import Known, word_of
from dispatch.channels.platform.link import CORRECT, OTHER, RESULT, PlatformLink, RefusedPacket
from dispatch.channels.platform.register import Sent
from dispatch.channels.platform.signer import SignerError
from dispatch.channels.platform.strangers import Strangers
from dispatch.channels.status_words import PLATFORM
from dispatch.records import Terminals
from stream.guard import fault
from stream.http.asked import TooLarge, in_words, whole
from stream.http.server import Bounds, HttpDoor
from stream.oplog import Seldom
from stream.pace.rate_limit import network_of

LARGEST = 8_000_000  # bytes of a request: a list of 20,000 terminals
_BOUNDS = Bounds(connections=16, of_one=16, answer_s=90.0)  # a platform has one address
_PATIENCE_S = 40.0  # longer than a word on an unknown message waits
_SEEN = 5000
_AT_ONCE = 4  # packets that are opened at a time: each may be large
_PARTS, _HEADERS, _HEADER_BYTES = 16, 64, 16_384  # of a form
_TOO_MANY = Text("假包太多，过一分钟再来", "too many that are not the platform's: come in a minute")
_AGAIN = Text("请再发一次", "send it again")
_NO_PACKET = Text("没有 .tar 文件", "no file .tar")
_UNKNOWN_EBM = Text("说的是一条没有发过的消息", "speaks of a message that was not sent")
_seldom = Seldom(60.0)


class _Answered(NamedTuple):
    """digest: of the packet's main file."""

    digest: bytes
    code: str
    words: Said


class PlatformDoor:
    """hear: takes a word on a message, for the log. keep: writes terminals into the log; False: it is to
    be told again. A place that cannot be had is had later: no warning waits for it."""

    def __init__(
        self,
        link: PlatformLink,
        hear: Callable[[CarrierWord], None],
        keep: Callable[[Sequence[Terminals]], bool],
    ) -> None:
        self.link, self._hear, self._keep = link, hear, keep
        self._known = Known(link.name)
        self._strangers = Strangers(link.row.url)
        self._beat_at = 0  # of the last heart-beat, by the platform's clock
        self._seen: OrderedDict[str, _Answered] = OrderedDict()
        self._lock, self._lists = threading.Lock(), threading.Lock()
        self._room = asyncio.Semaphore(_AT_ONCE)
        app = Starlette(routes=[Route(link.platform.path, self._take, methods=["POST"])])
        self._http = HttpDoor(
            app, link.platform.listen, f"platform-{link.name}", _BOUNDS, patient=True
        )

    @property
    def url(self) -> str:
        return self._http.url + self.link.platform.path

    def close(self) -> None:
        """Stop listening."""
        self._http.close()

    def probe(self) -> list[tuple[str, bool, Said]]:
        """Whether the platform's heart-beats come; nothing where it sends none."""
        silent_s = self.link.platform.silent_s
        if self._http.trouble:
            why = Text("接收口没有开：", "the door is not open: ") + self._http.trouble
            return [(f"{self.link.name}-back", False, why)]
        if not silent_s:
            return []
        now = self.link.now()
        if now < max(self.link.heard_at, self.link.since):  # our clock was put back
            self.link.heard_at = self.link.since = now
        since = max(self.link.heard_at, self.link.since)
        up = now - since <= silent_s * 1000
        words: Said = ""
        if not up:
            words = Text(f"{silent_s} 秒没有心跳", f"no heart-beat for {silent_s} s")
        return [(f"{self.link.name}-back", up, words)]

    async def _take(self, request: Request) -> Response:
        who = network_of(request.client.host if request.client else "")
        if not self._strangers.may(who, time.monotonic()):
            _seldom("send", self.link.name + " " + _TOO_MANY)
            return in_words(429, request, _TOO_MANY)
        try:
            body = await whole(request, LARGEST)
        except TooLarge:
            return in_words(413, request, Text(f"上限 {LARGEST} 字节", f"at most {LARGEST} bytes"))
        except ClientDisconnect:
            return in_words(408, request, _AGAIN)
        kind = request.headers.get("content-type", "")
        async with self._room:
            tar = await asyncio.to_thread(tar_in, kind, body)
        if tar is None:
            self._strangers.bad(who, time.monotonic())
            return in_words(400, request, _NO_PACKET)
        packet, code, words = await self._packet(tar, who)
        if not code:
            return in_words(503, request, _AGAIN)
        try:
            return await asyncio.to_thread(self._answer, packet, code, words)
        except SignerError as e:
            _seldom("send", self.link.name + ": " + text_of(e))
            return in_words(503, request, _AGAIN)

    async def _packet(self, tar: bytes, who: str) -> tuple[str, str, Said]:
        """EBDID, ResultCode and why; without a code it is to come again."""
        try:
            async with self._room:
                opened = await asyncio.to_thread(self.link.open, tar)
            if opened.signature:
                self._strangers.good(who)
            digest = hashlib.sha256(opened.main).digest()
            ebd = opened.ebd
            if (before := self._before(ebd, digest)) is not None:
                return ebd.id, before.code, before.words
            self._timely(ebd)
            code, words = await self._do(ebd)
        except RefusedPacket as e:
            if e.stranger:
                self._strangers.bad(who, time.monotonic())
            _seldom(
                "send", self.link.name + Text(" 来包不收：", ": a packet is refused: ") + e.words
            )
            return e.packet, e.code, e.words
        except SendError as e:  # which message is meant cannot be looked up now
            _seldom("send", self.link.name + ": " + e.detail)
            return "", "", ""
        except Exception as e:  # noqa: BLE001  # one packet must not deafen the door
            _seldom("send", self.link.name + Text(" 来包出错：", ": a packet failed: ") + fault(e))
            return "", OTHER, RESULT[OTHER]
        if code and not isinstance(ebd.body, ConnectionCheck):
            with self._lock:
                self._seen[ebd.id] = _Answered(digest, code, words)
                while len(self._seen) > _SEEN:
                    self._seen.popitem(last=False)
        return ebd.id, code, words

    def _before(self, ebd: Ebd, digest: bytes) -> _Answered | None:
        """How the same packet was answered. Raises RefusedPacket where another had its number."""
        if isinstance(ebd.body, ConnectionCheck):
            return None  # all have sixteen zeros
        with self._lock:
            found = self._seen.get(ebd.id)
        if found is not None and found.digest != digest:
            raise RefusedPacket(OTHER, Text("EBDID 用过了", "the EBDID stands for another packet"))
        return found

    def _timely(self, ebd: Ebd) -> None:
        """Raises RefusedPacket."""
        if ebd.sent_at is None or not self.link.is_now(ebd.sent_at):
            raise RefusedPacket(OTHER, Text("时间不符", "its time is not now"))

    async def _do(self, ebd: Ebd) -> tuple[str, Said]:
        match ebd.body:
            case ConnectionCheck():
                # by its own clock later than the last: played again it says nothing new
                if (ebd.sent_at or 0) > self._beat_at:
                    self._beat_at, self.link.heard_at = ebd.sent_at or 0, self.link.now()
                return CORRECT, RESULT[CORRECT]
            case BroadcastStates() as told:
                return await self._states(told, ebd)
            case EquipmentList() | EquipmentStates() as told:
                return await asyncio.to_thread(self._terminals, told)
            case EbdResponse():
                return CORRECT, RESULT[CORRECT]
        return OTHER, Text("我方不收这种包", "no packet that is taken here")

    def _terminals(self, told: EquipmentList | EquipmentStates) -> tuple[str, Said]:
        with self._lists:
            records = self._known.news(told, self.link.now())
            if records and not self._keep(records):
                return "", ""
            self._known.keep(records)
        return CORRECT, RESULT[CORRECT]

    async def _states(self, told: BroadcastStates, ebd: Ebd) -> tuple[str, Said]:
        loop, answers = asyncio.get_running_loop(), asyncio.Queue[bool]()

        def done(kept: bool) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(answers.put_nowait, kept)

        words, wrong = await asyncio.to_thread(self._words, told, ebd.sent_at or 0, done)
        for word in words:
            self._hear(word)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                if not all([await answers.get() for _ in words]):
                    return "", ""
        except TimeoutError:
            return "", ""
        if words:
            with suppress(SendError):  # it is known here, if not on the disk
                await asyncio.to_thread(self.link.register.save)
        return (OTHER, wrong) if wrong else (CORRECT, RESULT[CORRECT])

    def _words(
        self, told: BroadcastStates, sent_at: int, done: Callable[[bool], None]
    ) -> tuple[list[CarrierWord], Said]:
        """States as the outbox is told them, and what is wrong with any. In a record of the platform's
        broadcasts those of others are nobody's fault."""
        words: list[CarrierWord] = []
        wrong: Said = ""
        strange = 0
        for state in told.states:
            # a clock that is ahead must not silence what comes after
            at = min(sent_at if state.told_at is None else state.told_at, self.link.now())
            sent = self.link.register.known(state.message, at)
            if sent is not None:
                word, why = self._word(state, sent, at, done)
                wrong = wrong or why
                words += [word] if word is not None else []
            elif not told.log or state.message.startswith(self.link.platform.ours):
                wrong, strange = wrong or _UNKNOWN_EBM, strange + 1
        if strange:
            name, channel = self.link.name, self.link.row.channel
            fault = _UNKNOWN_EBM + (f" ({strange})" if strange > 1 else "")
            words.append(CarrierWord(channel, name, "", (), "", done=done, fault=fault))
        return words, wrong

    def _word(
        self, state: BroadcastState, sent: Sent, at: int, done: Callable[[bool], None]
    ) -> tuple[CarrierWord | None, Said]:
        """A state as the outbox is told it, and what is wrong with it. Of what was told before the last
        word on its message nothing is said any more."""
        if not self.link.register.is_news(sent, at):
            return None, ""
        word, detail = word_of(state, self.link.word_of)
        if word == "cancelled" and sent.withdrawal:
            word = "withdrawn"
        if word == "failed":
            with suppress(SendError):  # it is known here, if not on the disk
                self.link.register.note(sent, failed=True)
        wrong: Said = (
            "" if word in PLATFORM else Text("BrdStateCode 不认识", "an unknown BrdStateCode")
        )
        name, channel = self.link.name, self.link.row.channel
        return CarrierWord(channel, name, sent.key, (), word, detail, done), wrong

    def _answer(self, packet: str, code: str, words: Said) -> Response:
        """A signed EBDResponse. Raises SignerError."""
        link, at = self.link, self.link.now()
        told = EbdResponse(code, choose(words, "zh")[:100])
        ident = link.any_packet()
        tar = link.seal(link.envelope(ident, told, at, related=packet))
        name = f"attachment;filename={tar_name(ident)}"
        return Response(tar, 200, {"Content-Disposition": name}, "application/x-tar")


def tar_in(kind: str, body: bytes) -> bytes | None:
    """The first file of a form whose name ends in .tar, whatever the field is called; a body that is the
    tar itself, too. None: there is none."""
    named, options = parse_options_header(kind)
    if named != b"multipart/form-data":
        return body if named in (b"application/x-tar", b"application/octet-stream") else None
    boundary = options.get(b"boundary", b"")
    if not boundary:
        return None
    found: list[bytes] = []
    head, value, header, part = bytearray(), bytearray(), dict[bytes, bytes](), bytearray()
    parts = headers = 0

    def header_end() -> None:
        nonlocal headers
        headers += 1
        if headers > _HEADERS or len(head) + len(value) > _HEADER_BYTES:
            raise FormParserError
        header[bytes(head).lower()] = bytes(value)
        head.clear()
        value.clear()

    def begin() -> None:
        nonlocal parts
        parts += 1
        if parts > _PARTS:
            raise FormParserError
        header.clear()
        part.clear()

    def end() -> None:
        file = parse_options_header(header.get(b"content-disposition", b""))[1].get(
            b"filename", b""
        )
        if file.lower().endswith(b".tar") and not found:
            found.append(bytes(part))

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": begin,
                "on_header_field": lambda d, a, b: head.extend(d[a:b]),
                "on_header_value": lambda d, a, b: value.extend(d[a:b]),
                "on_header_end": header_end,
                "on_part_data": lambda d, a, b: part.extend(d[a:b]),
                "on_part_end": end,
            },
        )
        parser.write(body)
    except FormParserError:
        return None
    return found[0] if found else None
