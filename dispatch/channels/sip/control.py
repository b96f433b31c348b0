"""What baresip says by its control socket (module ctrl_tcp), and how it is told: netstrings of JSON. Pure.

What a far end may put into it (a reason phrase, a display name) is read within limits and never acted on.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from dispatch.channels.sip.call import LineEvent
from stream.limits import Unreadable, clean, read_json

_LONGEST = 65_536
_any = msgspec.json.Decoder()
_STATUS = re.compile(r"([1-6]\d\d)(?: |$)")
# the tokens of commands whose answers are read: that begins the text, and that asks whether it leaves
PLAY, MEDIA = "play", "media"
_WAY = re.compile(r"audio dir=(\w+)")
_REMOTE = re.compile(r"remote: ([\d.]+):(\d+)")


class BrokenControl(ValueError):
    """No netstring: the rest cannot be found."""


def command(name: str, params: str = "", token: str = "") -> bytes:
    """As ctrl_tcp takes it."""
    body = msgspec.json.encode({"command": name, "params": params, "token": token})
    return b"%d:%s," % (len(body), body)


class ControlReader:
    """Bytes as they come, JSON objects as they are whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Raises BrokenControl."""
        self._rest += data
        while b":" in self._rest[:6] or len(self._rest) > 5:
            head, colon, after = self._rest.partition(b":")
            if not colon or not head.isdigit() or int(head) > _LONGEST:
                raise BrokenControl
            size = int(head)
            if len(after) <= size:
                return
            if after[size : size + 1] != b",":
                raise BrokenControl
            body, self._rest = after[:size], after[size + 1 :]
            try:
                found = read_json(body, _any, _LONGEST)
            except Unreadable:
                continue  # of one event: a reason phrase in no known coding
            if isinstance(found, dict):
                yield found


def event_of(told: dict[str, Any]) -> LineEvent | None:
    """None for what says nothing about our call; a call from outside is not ours."""
    if told.get("response"):
        if told.get("token") == MEDIA:
            return LineEvent("held") if _held(str(told.get("data") or "")) else None
        if told.get("token") != PLAY:
            return None
        return LineEvent("sounding" if told.get("ok") else "mute", words=_words(told.get("data")))
    if told.get("direction") != "outgoing":
        return None
    param = _words(told.get("param"))
    match told.get("type"):
        case "CALL_RINGING" | "CALL_PROGRESS":
            return LineEvent("ringing")
        case "CALL_ESTABLISHED":
            return LineEvent("up")
        case "CALL_REMOTE_SDP":  # the first comes before the call is up
            return LineEvent("offer")
        case "CALL_DTMF_START" if len(param) == 1 and param in "0123456789*#ABCD":
            return LineEvent("key", digit=param)
        case "CALL_RTCP":
            return _carried(told.get("rtcp_stats"))
        case "CALL_CLOSED":
            status = _STATUS.match(param)
            return LineEvent("closed", status=int(status[1]) if status else 0, words=param)
    return None


def _held(words: str) -> bool:
    """By the way that both ends agreed on (RFC 3264, 8.4), or by no address, as telephones of RFC 2543 do."""
    way, to = _WAY.search(words), _REMOTE.search(words)
    nowhere = to is not None and (to[1] == "0.0.0.0" or to[2] == "0")  # noqa: S104  # compared, not bound
    return nowhere or (way is not None and way[1] in ("inactive", "recvonly"))


def _carried(stats: object) -> LineEvent | None:
    sent = stats.get("tx") if isinstance(stats, dict) else None
    if not isinstance(sent, dict):
        return None
    counts = [sent.get(k) for k in ("sent", "lost")]
    whole = [c if type(c) is int and 0 <= c < 10**9 else 0 for c in counts]
    return LineEvent("carried", sent=whole[0], lost=whole[1])


def _words(given: object) -> str:
    return clean(str(given or ""))[:80]
