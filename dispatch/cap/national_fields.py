"""A CAP message by the element names of a national format: the tables `schema/gbt35965.csv` and
`schema/national12379.csv`, of which each row says how sure it is. For a person to compare with the
bought standard, and for whoever builds the way to the platform. Pure."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from dispatch.cap.national.message import COLOUR_OF, events
from ingest.cap.decode import NAMESPACE, parse_cap

FORMATS = {"gbt35965": "gbt35965.csv", "12379": "national12379.csv"}
CERTAINTY = ("certain", "likely", "check")
_FOLDER = Path(__file__).parent / "schema"


class Row(NamedTuple):
    """cap: a path in our message; rule: copy, time, colour, event, first, present, none,
    constant:VALUE."""

    element: str
    name_zh: str
    cap: str
    rule: str
    certainty: str
    note: str


class Field(NamedTuple):
    """value: "" where our message has nothing for it."""

    row: Row
    value: str


@cache
def rows(name: str) -> tuple[Row, ...]:
    """The table of a format of FORMATS."""
    with (_FOLDER / FORMATS[name]).open(encoding="utf-8", newline="") as f:
        return tuple(Row(**line) for line in csv.DictReader(f))


def fields(body: bytes, name: str) -> list[Field]:
    """Raises `ingest.cap.decode.Wrong` for what is not CAP 1.2."""
    root = parse_cap(body)
    return [Field(row, _value(root, row)) for row in rows(name)]


def _value(root: etree._Element, row: Row) -> str:
    kind, _, given = row.rule.partition(":")
    if kind == "constant":
        return given
    if not row.cap:
        return ""
    found = root.find(row.cap, {"": NAMESPACE})
    if found is None:
        return ""
    text = (found.text or "").strip()
    if kind == "present":
        return "有"
    if kind == "time":
        return text.replace("T", " ")
    if kind == "event":
        return events()[text].code if text in events() else ""
    if kind == "first":  # the identifier of the first of the triples
        return text.split(" ")[0].split(",")[1] if text.count(",") >= 2 else ""
    return COLOUR_OF.get(text, text) if kind == "colour" else text
