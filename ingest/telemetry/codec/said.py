"""What a reader of frames says: a name in both languages, a fault with its place, a line of the table that a
field worker reads."""

from typing import NamedTuple


class Pair(NamedTuple):
    """The same in Chinese and in English."""

    zh: str
    en: str


class Fault(NamedTuple):
    """What is wrong. at: the byte, from the first of the frame. code: one of FAULTS."""

    at: int
    code: str
    zh: str
    en: str


# noise: bytes of no frame; bad_head, bad_crc, cut: no frame; the others leave the rest of it readable
FAULTS = (
    *("noise", "bad_head", "bad_crc", "cut", "bad_value", "bad_time", "unknown_element"),
    "oversize",
)


class Broken(NamedTuple):
    """Bytes that are no frame, and why."""

    raw: bytes
    fault: Fault


class Row(NamedTuple):
    """One field of a frame. raw: its bytes in hex, cut where they are many."""

    at: int
    raw: str
    name: Pair
    value: Pair
    unit: str = ""
    wrong: Pair = Pair("", "")


def same(text: object) -> Pair:
    """What reads the same in both: a number, a code."""
    return Pair(str(text), str(text))


def shown(raw: bytes, most: int = 24) -> str:
    """Bytes as hex, the middle of many left out."""
    text = raw.hex(" ").upper()
    return text if len(raw) <= most else f"{text[: 3 * most - 1]} … ({len(raw)})"
