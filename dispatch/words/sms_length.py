"""How many segments a carrier makes of an SMS, and where it cuts.

GSM 7-bit when every character stands in the default alphabet or its extension table (an extended
character counts two septets): 160 septets in one segment, 153 in each of several. Anything else
goes as UCS-2: 70 UTF-16 code units in one, 67 in each of several. No segment ends inside a
character: neither between an escape and its character nor inside a surrogate pair, so several
segments may not all be full. 3GPP TS 23.038 (alphabets), TS 23.040 (concatenation, 6-byte header).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from jinja2 import Template

from dispatch.records import Route

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENDED = frozenset("\f^{}\\[~]|€")
BRIEFEST = 5  # the last of the steps by which a text is made shorter
# encoding -> units in a single segment, units in each of several
_ROOM = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


class Length(NamedTuple):
    """encoding; units: septets or UTF-16 code units of the whole text; segments: how many."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    segments: int


def _sizes(text: str) -> tuple[Literal["GSM-7", "UCS-2"], list[int]]:
    """The encoding, and the units that each character takes."""
    if all(c in GSM7 or c in GSM7_EXTENDED for c in text):
        return "GSM-7", [2 if c in GSM7_EXTENDED else 1 for c in text]
    if max(text) <= "\uffff":
        return "UCS-2", [1] * len(text)
    return "UCS-2", [2 if ord(c) > 0xFFFF else 1 for c in text]


def measure(text: str) -> Length:
    """Length of a text as an SMS. An empty text is one segment."""
    encoding, sizes = _sizes(text)
    return Length(encoding, sum(sizes), len(split(text)))


def split(text: str) -> list[str]:
    """The parts that the segments carry."""
    encoding, sizes = _sizes(text)
    single, several = _ROOM[encoding]
    if sum(sizes) <= single:
        return [text]
    if max(sizes) == 1:
        return [text[n : n + several] for n in range(0, len(text), several)]
    parts, start, used = [], 0, 0
    for n, size in enumerate(sizes):
        if used + size > several:
            parts.append(text[start:n])
            start, used = n, 0
        used += size
    return [*parts, text[start:]]


def segments(text: str) -> int:
    """How many segments a text takes."""
    return len(split(text))


def shorter(
    template: Template, forms: Sequence[Mapping[str, Any]], *, sms: bool, notice: bool
) -> Iterator[str]:
    """The text, then with less and less of what can best be missed. forms: its fields, whole and with less."""
    if not sms:
        yield template.render(forms[0], brief=0)
        yield template.render(forms[-1], brief=0)
        return
    for brief in range(BRIEFEST + 1):
        some = {
            **forms[min(brief // 2, len(forms) - 1)],
            "brief": brief,
            "evidence": forms[0]["evidence"][: max(0, 3 - brief)],
        }
        if brief >= 4 and notice:
            some["coverage"] = ""
        yield template.render(some)


def person_route(channel: str, signature: str, text: str, title: str = "") -> Route:
    """One way to a person: an SMS says first who sends it, and its segments are counted."""
    if channel != "sms":
        return Route(channel=channel, title=title, text=text)
    signed = f"【{signature}】{text}" if signature else text
    return Route(channel=channel, title=title, text=signed, segments=segments(signed))
