"""What a release platform 12379 answers: a file whose name begins with the identifier of ours, and whose
rows say 0 for taken, or another status with an error code and a note. Pure.

Known from one public implementation: its certainty is `check`."""

import re
from collections.abc import Container
from typing import NamedTuple

from lxml import etree

from config.language import Said, Text
from stream.limits import Unreadable

_LONGEST = 100_000
_ROWS = 1000
_TAKEN = "0"
_TIME, _NUMBERED = 29, 31  # characters of a sender's code, _ and a second; and of one with _N


class Answer(NamedTuple):
    """taken: by every row. said: the code and note of the first row that is not."""

    taken: bool
    said: str = ""


def whose(name: str, identifiers: Container[str]) -> str:
    """Which of our identifiers a file of this name answers; "" for none. A name was seen in which zeros follow
    upon the second."""
    for size in (_NUMBERED, _TIME):
        if name[:size] in identifiers and not re.match(r"\d", name[size:]):
            return name[:size]
    return name[:_TIME] if name[:_TIME] in identifiers else ""


def read_answer(body: bytes) -> Answer:
    """Raises `stream.limits.Unreadable` for what is no such answer."""
    if len(body) > _LONGEST or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Unreadable("bad_payload", _NO_ANSWER)
    try:
        root = etree.fromstring(
            body, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        )
    except (etree.XMLSyntaxError, ValueError) as e:
        raise Unreadable("bad_payload", _NO_ANSWER) from e
    rows = [r for r in root.iter("rows", "row") if r.find("status") is not None][:_ROWS]
    if not rows:
        raise Unreadable("bad_payload", _NO_ANSWER)
    for row in rows:
        if _text(row, "status") != _TAKEN:
            words = (_text(row, "status"), _text(row, "error_code"), _text(row, "note"))
            return Answer(False, " ".join(filter(None, words)))
    return Answer(True)


def _text(row: etree._Element, name: str) -> str:
    return " ".join((row.findtext(name) or "").split())[:200]


_NO_ANSWER: Said = Text("不是 12379 的回执", "is no acknowledgement of 12379")
