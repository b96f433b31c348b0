"""An SMS text as SMPP carries it, cut where `dispatch.words.sms_length` says. Pure.

GSM 7-bit one septet an octet (data_coding 0, the SMSC's default alphabet), else UCS-2 big-endian
(data_coding 8). Several parts carry the 6-byte concatenation header of 3GPP TS 23.040, 9.2.3.24.1.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from config.language import Text
from dispatch.words.sms_length import measure, split

# 3GPP TS 23.038, 6.2.1: the place in the string is the code; 0x1B is the escape
ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_CODES = {c: bytes([n]) for n, c in enumerate(ALPHABET) if c != "\x1b"} | {
    c: bytes([0x1B, n]) for c, n in EXTENDED.items()
}


class Coded(NamedTuple):
    """parts: the octets of each part, with its header if there are several; whole: without any."""

    data_coding: int
    parts: tuple[bytes, ...]
    whole: bytes


def code(text: str, key: str) -> Coded:
    """key: the same key gives the same concatenation reference, so that a repetition fits together
    with what a phone has already."""
    ucs2 = measure(text).encoding == "UCS-2"
    bodies = [_octets(part, ucs2) for part in split(text)]
    if len(bodies) > 255:
        raise ValueError(
            Text(
                f"{len(bodies)} 段，至多 255 段", f"{len(bodies)} parts; a message has at most 255"
            )
        )
    coding, whole = (8 if ucs2 else 0), b"".join(bodies)
    if len(bodies) == 1:
        return Coded(coding, (whole,), whole)
    reference = hashlib.sha256(key.encode()).digest()[0]
    head = bytes([5, 0, 3, reference, len(bodies)])
    return Coded(coding, tuple(head + bytes([n]) + b for n, b in enumerate(bodies, 1)), whole)


def _octets(text: str, ucs2: bool) -> bytes:
    return text.encode("utf-16-be") if ucs2 else b"".join(_CODES[c] for c in text)


def decodings(octets: bytes, data_coding: int) -> list[str]:
    """What the text of one part may say, the likeliest first: never empty. What `data_coding` declares
    comes before what is as likely, for letters of one coding are often words of another (收到 is
    "e6R0" in UCS-2)."""
    found = tried(octets, data_coding)
    worth = {text: _likely(text) + (_DECLARED if n == 0 else 0.0) for n, text in enumerate(found)}
    best = max(worth.values())
    likely = sorted(found, key=lambda text: -worth[text])
    return [text for text in likely if worth[text] >= best - _AS_GOOD]


def tried(octets: bytes, data_coding: int) -> list[str]:
    """Every reading, the declared one first. Many SMSCs repeat the coding of our message, or none."""
    declared = next((name for test, name in _DECLARES if test(data_coding)), "latin-1")
    found: dict[str, None] = {}
    for name in (declared, *_CODINGS):
        if name.startswith("utf-16") and octets.startswith((b"\xfe\xff", b"\xff\xfe")):
            name = "utf-16"
        # one NUL too many
        odd = name.startswith("utf-16") and len(octets) % 2 and octets.endswith(b"\0")
        found.setdefault((octets[:-1] if odd else octets).decode(name, "replace").strip("\0"))
    return list(found)


_DECLARED, _AS_GOOD = 0.2, 0.3
_CODINGS = ("latin-1", "utf-8", "gb18030", "utf-16-be", "utf-16-le")
# SMPP 3.4, 5.2.19, and 3GPP TS 23.038, 4: UCS-2 with or without a class; 15 is GBK in China (CMPP)
_DECLARES: tuple[tuple[Callable[[int], bool], str], ...] = (
    (lambda n: n == 8 or n & 0xDC == 0x18 or n & 0xF0 == 0xE0, "utf-16-be"),
    (lambda n: n == 15, "gb18030"),
)


def _likely(text: str) -> float:
    """1 for a text of letters that people write, less for others."""
    return sum(_worth(c) for c in text) / len(text) if text else 0.0


def _worth(c: str) -> float:
    if " " <= c <= "~" or c in "\r\n\t，。！？、：；“”‘’（）《》【】…—·\u3000" or "！" <= c <= "～":
        return 1.0
    try:
        row = c.encode("gb2312")[0]
    except UnicodeEncodeError:
        return 0.1 if c.isprintable() and c.isalpha() else -2.0
    # level 1 of GB 2312 are the 3,755 characters in common use, level 2 the rest
    return 1.0 if 0xB0 <= row <= 0xD7 else 0.5
