"""An SMS text as SMPP carries it, cut where `dispatch.sms_length` says. Pure.

GSM 7-bit one septet an octet (data_coding 0, the SMSC's default alphabet), else UCS-2 big-endian
(data_coding 8). Several parts carry the 6-byte concatenation header of 3GPP TS 23.040, 9.2.3.24.1.
"""

import hashlib
from typing import NamedTuple

from dispatch.sms_length import measure, split

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
        raise ValueError(f"{len(bodies)} 段 parts; 至多 a message has at most 255")
    coding, whole = (8 if ucs2 else 0), b"".join(bodies)
    if len(bodies) == 1:
        return Coded(coding, (whole,), whole)
    reference = hashlib.sha256(key.encode()).digest()[0]
    head = bytes([5, 0, 3, reference, len(bodies)])
    return Coded(coding, tuple(head + bytes([n]) + b for n, b in enumerate(bodies, 1)), whole)


def _octets(text: str, ucs2: bool) -> bytes:
    return text.encode("utf-16-be") if ucs2 else b"".join(_CODES[c] for c in text)


def decode(octets: bytes, data_coding: int) -> str:
    """The text of one part without its header, for receipts."""
    if data_coding == 8:
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")
