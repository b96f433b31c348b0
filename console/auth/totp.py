"""Codes that a second device shows, and codes on a card. Pure.

The device: time-based one-time passwords, RFC 6238 over RFC 4226: HMAC-SHA-1, 30 seconds, six digits,
as every authenticator app has them; a step before and after counts, for telephones' clocks differ.
The card: codes of 40 bits for people without such a device, and for the night when it is lost; each
counts once.
"""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Iterable
from urllib.parse import quote

STEP_MS = 30_000
DIGITS = 6
SECRET_BYTES = 20  # RFC 4226, section 4, R6
CARD = 10  # codes on a card
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_AROUND = (0, -1, 1)


def code(secret: bytes, step: int) -> str:
    """The code of a step of 30 s since 1970 (RFC 4226, section 5.3)."""
    digest = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(secret: bytes, given: str, now: int, used: int) -> int | None:
    """The step whose code that is, of those around `now` (ms) and after `used`; None: of none. A code
    that was used counts no more, nor does one before it."""
    found = None
    for around in _AROUND:
        step = now // STEP_MS + around
        same = hmac.compare_digest(code(secret, step).encode(), given.encode("utf-8", "replace"))
        if same and step > used:
            found = step
    return found


def uri(secret: bytes, name: str, issuer: str) -> str:
    """What an authenticator app takes, as text or as the content of a picture."""
    label = quote(f"{issuer}:{name}", safe=":")
    return f"otpauth://totp/{label}?secret={shown(secret)}&issuer={quote(issuer)}"


def shown(secret: bytes) -> str:
    """A secret as apps take it by hand."""
    return b32encode(secret).decode().rstrip("=")


def card(random: Iterable[bytes]) -> list[str]:
    """Codes of a card, each of eight random bytes: two groups of four characters that are not taken
    for each other."""
    return [_word(b[:4]) + "-" + _word(b[4:8]) for b in random]


def _word(four: bytes) -> str:
    return "".join(_ALPHABET[b % len(_ALPHABET)] for b in four)


def bare(given: str) -> str:
    """A code as it counts: without blanks and hyphens, full-width figures as figures, lower case."""
    figures = str.maketrans("０１２３４５６７８９", "0123456789")
    return "".join(c for c in given.translate(figures).lower() if c.isalnum())[:40]


def kept(name: str, given: str) -> str:
    """What is kept of a card's code: 39 random bits and the door's limits need no slow hash."""
    return hashlib.sha256(f"card|{name}|{bare(given)}".encode("utf-8", "replace")).hexdigest()
