"""The body of an ASCII frame: `NAME value NAME value `, each with the blank behind it. `M` is missing. The
names that the facts hold are those of `tables.SYMBOLS`; another one is told and left out."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ingest.telemetry.codec.said import Fault
from ingest.telemetry.codec.sl651.tables import SYMBOLS

_NUMBER = re.compile(rb"-?[0-9]{1,12}(?:\.[0-9]{1,6})?")
_MISSING = b"M"


class AsciiWord(NamedTuple):
    """id None: the name is not known."""

    at: int
    size: int
    id: int | None
    value: float | None
    fault: Fault | None


def words(raw: bytes, at: int, end: int) -> Iterator[AsciiWord]:
    """Pairs of a name and a value from `at` to `end`."""
    found = [(m.start(), m[0]) for m in re.finditer(rb"[^ ]+", raw[at:end])]
    for n in range(0, len(found) - 1, 2):
        (begin, name), (where, text) = found[n], found[n + 1]
        size = where + len(text) - begin
        shown = name.decode("ascii", "replace")
        element = SYMBOLS.get(shown)
        fault, value = None, None
        if element is None:
            zh, en = f"要素 {shown} 不认识", f"element {shown} is not known"
            fault = Fault(at + begin, "unknown_element", zh, en)
        elif _NUMBER.fullmatch(text):
            value = float(text)
        elif text != _MISSING:
            bad = text.decode("ascii", "replace")
            fault = Fault(
                at + where, "bad_value", f"{shown} 不是数字：{bad}", f"{shown}: no number: {bad}"
            )
        yield AsciiWord(at + begin, size, element, value, fault)
    if len(found) % 2:
        begin, name = found[-1]
        shown = name.decode("ascii", "replace")
        fault = Fault(at + begin, "cut", f"{shown} 后面没有值", f"no value behind {shown}")
        yield AsciiWord(at + begin, len(name), None, None, fault)
