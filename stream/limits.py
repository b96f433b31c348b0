"""What every door asks before it reads: is it short and shallow enough, is this a number, is this an
instant, can this text be written down. Pure.

Parsers of JSON go down one step of the stack for each bracket, and Python's numbers have no end: so
depth and size are judged on the bytes, before anything is parsed, and a number before anything is
reckoned with it.
"""

import math
import re
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from config.language import Said, Text

DEEPEST = 32  # brackets within brackets; what we define has four
LARGEST = 1e15  # of a number: times in ms stand below it, and no sum of a few overflows
LAST_AT = 253_402_128_000_000  # 9999-12-30T00:00Z in ms: every time zone can still write it
_KEPT = b'[]{}"\\'
_ALIKE = bytes.maketrans(b"{}", b"[]")  # a parser minds which closes which, depth does not
_TOO_MANY = b"[" * (DEEPEST + 1)
_DROPPED = bytes(n for n in range(256) if n not in _KEPT)
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_STRING = re.compile(rb'"[^"]*"')
# an open string is taken to its end: no byte is looked at twice
_WORD = re.compile(
    rb'"(?:[^"\\]|\\.)*"?|[+-]?\b(?:NaN|nan|NAN|Infinity|inf|Inf)\b|[+-]?\d[\d.eE+-]*', re.DOTALL
)
_DIGITS = 300  # of a number that is still one: the largest double has 309
_MIDNIGHT = re.compile(r"([Tt ])24:?00(?=$|[:Zz+.-])")
T = TypeVar("T")


class Unreadable(Exception):
    """A payload that is not read: `reason`, a code of REASONS, and why in `words`."""

    def __init__(self, reason: str, words: Said) -> None:
        super().__init__(words)
        self.reason, self.words = reason, words


def deep(payload: bytes) -> bool:
    """Are brackets nested deeper than `DEEPEST`, or left open? Of any bytes, in a time that grows as
    they do: strings are taken out, then the innermost pairs, one layer at a time."""
    if payload.count(b"[") + payload.count(b"{") <= DEEPEST:
        return False
    bare = _ESCAPED.sub(b"", payload) if b"\\" in payload else payload
    bare = _STRING.sub(b"", bare.translate(_ALIKE, _DROPPED))
    for _ in range(DEEPEST):
        if _TOO_MANY in bare:
            return True
        before, bare = len(bare), bare.replace(b"[]", b"")
        if len(bare) in (0, before):
            break
    return bool(bare)


def read_json(payload: bytes, decoder: "msgspec.json.Decoder[T]", at_most: int) -> T:
    """The value. `at_most`: bytes. NaN and Infinity, which JSON has not and devices send, are null,
    and so is a number that no double holds: what stands beside them counts.

    Raises `Unreadable`, whose words hold nothing of the payload but the names of our own fields."""
    if len(payload) > at_most:
        raise Unreadable(
            "oversize",
            Text(
                f"{len(payload)} 字节：上限 {at_most}；请分批",
                f"{len(payload)} bytes: at most {at_most}; send less",
            ),
        )
    if not payload.strip():
        raise Unreadable("bad_payload", Text("消息是空的", "the message is empty"))
    if deep(payload):
        words = Text(
            f"括号嵌套超过 {DEEPEST} 层，或未闭合",
            f"brackets nested deeper than {DEEPEST}, or left open",
        )
        raise Unreadable("bad_payload", words)
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        whole = _WORD.sub(_held, payload)
        if whole != payload:
            return read_json(whole, decoder, len(whole))
        if isinstance(e, msgspec.ValidationError):
            raise Unreadable("bad_payload", f"JSON: {e}") from e
        # of bytes that are no UTF-8 the place, and not the bytes
        why = f"UTF-8, byte {e.start}" if isinstance(e, UnicodeDecodeError) else str(e)
        raise Unreadable("bad_payload", Text(f"不是 JSON（{why}）", f"not JSON ({why})")) from e


def _held(word: "re.Match[bytes]") -> bytes:
    """A string or a number as it stands; null for what is no number that a double holds."""
    text = word[0]
    if text[:1] == b'"':
        return text
    try:
        return text if len(text) <= _DIGITS and math.isfinite(float(text)) else b"null"
    except ValueError:  # no number at all: the parser says so
        return text


def number(value: Any, most: float = LARGEST) -> int | float | None:
    """A finite number of at most `most`, or None. No bool, which is an int in Python only."""
    if type(value) is not int and type(value) is not float:
        return None
    return value if -most <= value <= most else None  # NaN is in no range


def moment(value: Any) -> int | None:
    """RFC 3339 with an offset, or seconds since 1970 -> ms, 0 … LAST_AT; None if it is neither.
    24:00 is the end of the day (ISO 8601, XML Schema), and what lies past LAST_AT is LAST_AT."""
    if type(value) is str:
        if len(value) > 64:
            return None
        text, midnights = _MIDNIGHT.subn(r"\g<1>00:00", value, count=1)
        try:
            when = datetime.fromisoformat(text)
            if when.tzinfo is None or (midnights and (when.minute or when.second)):
                return None
            at = round(when.timestamp() * 1000) + midnights * 86_400_000
        except (ValueError, OverflowError, OSError):
            return None
        return min(at, LAST_AT) if at >= 0 else None
    seconds = number(value, 1e11)
    if seconds is None or seconds < 0:
        return None
    return min(round(seconds * 1000), LAST_AT)


def clean(text: str) -> str:
    """The text as it can be written down: half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode()
