"""A rain nowcast as lines of CSV: one place, one time of issue and one piece of time a row.

    place,issued,from,to,mm[,probability][,members]
    W1,2026-08-26T10:00:00+08:00,2026-08-26T10:00:00+08:00,2026-08-26T10:30:00+08:00,12.5,,
    W1,2026-08-26T10:00:00+08:00,2026-08-26T10:30:00+08:00,2026-08-26T11:00:00+08:00,,,8;15;0;22

mm: what falls at the place between `from` and `to`, evenly. With `probability` (0 … 1) so likely, and
nothing otherwise: their product is expected; with `members` of an ensemble, parted by ";", their mean.
From the pieces of one issue come readings of what is expected in the 30, 60 and 180 minutes after it, at
the stations PLACE-30, PLACE-60 and PLACE-180 with the quantities of `AHEAD`, observed at the time of issue.
Of what the pieces do not cover from the issue to the end of that time (5 minutes may be missing) there is
no reading: not to know is no dry forecast. A row that cannot be read is rejected alone, with its number.
"""

import csv
import io
from bisect import bisect_left
from typing import NamedTuple

from config.language import Text
from config.records.quantity import AHEAD
from ingest.decode.reading import JSON_BYTES, MOST_ITEMS, Reading
from stream.limits import moment
from stream.records import Rejected

_NEEDS = ("place", "issued", "from", "to", "mm")
_KNOWN = (*_NEEDS, "probability", "members")
_GAP_MS = 5 * 60_000
_LONGEST_MS = 24 * 3_600_000
_MOST_MM = 2_000.0
_MINUTE_MS = 60_000


class _Piece(NamedTuple):
    """ms UTC; mm expected; row of the file."""

    place: str
    issued: int
    begin: int
    end: int
    mm: float


class _Wrong(ValueError):
    """A row that cannot be used; the text says why."""

    def __init__(self, reason: str, words: Text) -> None:
        super().__init__(words)
        self.reason, self.words = reason, words


def decode_nowcast(payload: bytes, _: int) -> list[Reading | Rejected]:
    """A file as readings and what of it cannot be read."""
    if len(payload) > JSON_BYTES:
        words = Text(
            f"{len(payload)} 字节：上限 {JSON_BYTES}；请分批",
            f"{len(payload)} bytes: at most {JSON_BYTES}; send less",
        )
        return [Rejected("oversize", words)]
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [Rejected("bad_payload", Text("不是 UTF-8 文本", "is no UTF-8 text"))]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as e:
        return [Rejected("bad_payload", Text(f"不是 CSV：{e}", f"is no CSV: {e}"))]
    names = [x.strip().lower() for x in rows[0]] if rows else []
    lacks = [c for c in _NEEDS if c not in names]
    if lacks or len(set(names)) < len(names):
        form = ",".join(_KNOWN)
        words = Text(
            f"第 1 行应为列名 {form}，缺 {' '.join(lacks) or '–'}",
            f"row 1 must be the header {form}; lacks {' '.join(lacks) or '–'}",
        )
        return [Rejected("bad_payload", words)]
    if len(rows) > MOST_ITEMS:
        words = Text(
            f"{len(rows)} 行：上限 {MOST_ITEMS}；请分批",
            f"{len(rows)} rows: at most {MOST_ITEMS}; send less",
        )
        return [Rejected("oversize", words)]
    return _readings(names, rows[1:])


def _readings(names: list[str], rows: list[list[str]]) -> list[Reading | Rejected]:
    out: list[Reading | Rejected] = []
    issues: dict[tuple[str, int], list[_Piece]] = {}
    for line, row in enumerate(rows, 2):
        if not any(x.strip() for x in row):
            continue
        try:
            piece = _piece(names, row)
            _put(issues.setdefault((piece.place, piece.issued), []), piece)
        except _Wrong as e:
            out.append(Rejected(e.reason, Text(f"第 {line} 行：", f"row {line}: ") + e.words))
    for (place, issued), pieces in sorted(issues.items()):
        out += _of_issue(place, issued, pieces)
    return out


def _put(held: list[_Piece], piece: _Piece) -> None:
    """Into the pieces of its issue, in order of time, of which no two overlap."""
    n = bisect_left(held, piece.begin, key=lambda p: p.begin)
    if any(p.begin < piece.end and piece.begin < p.end for p in held[max(0, n - 1) : n + 1]):
        overlaps = Text("与同一次发布的另一行重叠", "overlaps another row of its issue")
        raise _Wrong("bad_time", overlaps)
    held.insert(n, piece)


def _of_issue(place: str, issued: int, pieces: list[_Piece]) -> list[Reading | Rejected]:
    found: list[Reading | Rejected] = []
    for minutes, quantity in AHEAD.items():
        until = issued + minutes * _MINUTE_MS
        mm, covered = 0.0, 0
        for p in pieces:
            inside = max(0, min(p.end, until) - max(p.begin, issued))
            mm, covered = mm + p.mm * inside / (p.end - p.begin), covered + inside
        if covered >= minutes * _MINUTE_MS - _GAP_MS:
            value = round(mm, 1)
            found.append(Reading(value, issued / 1000, "mm", None, f"{place}-{minutes}", quantity))
    return found


def _piece(names: list[str], row: list[str]) -> _Piece:
    if len(row) != len(names):
        many = Text(f"{len(row)} 列，应为 {len(names)}", f"{len(row)} fields, not {len(names)}")
        raise _Wrong("bad_payload", many)
    field = {n: x.strip() for n, x in zip(names, row, strict=True)}
    if not field["place"]:
        raise _Wrong("bad_payload", Text("没有 place", "has no place"))
    issued, begin, end = (_moment(c, field[c]) for c in ("issued", "from", "to"))
    if not begin < end <= begin + _LONGEST_MS:
        wrong = Text("to 应在 from 之后，至多一天", "to must come after from, by a day at most")
        raise _Wrong("bad_time", wrong)
    return _Piece(field["place"], issued, begin, end, _mm(field))


def _mm(field: dict[str, str]) -> float:
    """What is expected."""
    if members := field.get("members", ""):
        each = [_number("members", x) for x in members.split(";")]
        return sum(each) / len(each)
    mm = _number("mm", field["mm"])
    likely = field.get("probability", "")
    return mm * (_number("probability", likely, 1.0) if likely else 1.0)


def _number(column: str, text: str, most: float = _MOST_MM) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        shown = text.strip()[:20]
        raise _Wrong(
            "bad_value",
            Text(f"{column} {shown!r} 应为 0 … {most:g}", f"{column} {shown!r}: 0 … {most:g}"),
        )
    return value


def _moment(column: str, text: str) -> int:
    found = moment(text)
    if found is None:
        shown = text[:30]
        words = Text(
            f"{column} {shown!r} 应为 2026-08-26T10:00:00+08:00",
            f"{column} {shown!r}: write 2026-08-26T10:00:00+08:00",
        )
        raise _Wrong("bad_time", words)
    return found
