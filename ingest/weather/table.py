"""A weather office's CSV, as weather.toml and weather.csv say how it is read. Pure.

One line is one row: a cell in quotes holds no line break. A line that cannot be read is bad alone.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.language import Text
from config.records.devices.weather import WeatherForm, WeatherRow
from ingest.weather.value import BadCell, CellCodes, CellValue, FileSays, refused, shown
from stream.limits import LAST_AT, moment
from stream.records import Rejected

MOST_BYTES = 16_000_000
MOST_ROWS = 200_000
_LINES = re.compile(rb"\r\n|\n|\r")
_PART = {"Y": "year", "m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second"}
_DIRECTIVE = re.compile(r"%([YmdHMS])")


class _Header(NamedTuple):
    """Where things stand in a row."""

    many: int
    station: int
    time: tuple[int, ...]
    column: dict[str, int]


def read_table(
    body: bytes, form: WeatherForm, rows: Sequence[WeatherRow], quantities: Mapping[str, str]
) -> FileSays:
    """What a file says. rows: those of the form; quantities: what their stations measure."""
    if len(body) > MOST_BYTES:
        return refused("oversize", _most(len(body), MOST_BYTES, "字节", "bytes"))
    lines = _LINES.split(body.removeprefix(b"\xef\xbb\xbf"))
    if len(lines) > MOST_ROWS:
        return refused("oversize", _most(len(lines), MOST_ROWS, "行", "rows"))
    header = _header(_cells(lines[0], form), form, rows)
    if isinstance(header, Rejected):
        return FileSays([], [BadCell(header, lines[0])], refused=True)
    wanted: dict[str, list[tuple[WeatherRow, CellCodes]]] = {}
    for row in rows:
        codes = CellCodes(row, form, quantities[row.station])
        wanted.setdefault(row.id, []).append((row, codes))
    return _said(lines, form, header, wanted)


def _said(
    lines: Sequence[bytes],
    form: WeatherForm,
    header: _Header,
    wanted: Mapping[str, list[tuple[WeatherRow, CellCodes]]],
) -> FileSays:
    found = FileSays([], list(_lacking(lines[0], header, wanted)))
    others = 0
    for n, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = _cells(line, form)
        if isinstance(cells, Rejected):
            found.bad.append(BadCell(_at(n, "", cells), line))
            continue
        if len(cells) != header.many:
            words = Text(
                f"有 {len(cells)} 格，应为 {header.many} 格",
                f"{len(cells)} cells, expected {header.many}",
            )
            found.bad.append(BadCell(_at(n, "", Rejected("bad_payload", words)), line))
            continue
        mine = wanted.get(cells[header.station].strip())
        if mine is None:
            others += 1
            continue
        for one in _of_line(n, cells, form, header, mine):
            if isinstance(one, CellValue):
                found.values.append(one._replace(raw=line))
            else:
                found.bad.append(BadCell(one, line))
    if others and not found.values and not found.bad:
        words = Text(
            f"{others} 行，没有一个站号在 weather.csv 里",
            f"{others} rows, and weather.csv has the id of none of their stations",
        )
        return refused("unknown_station", words, lines[0])
    return found._replace(others=others)


def _of_line(
    n: int,
    cells: Sequence[str],
    form: WeatherForm,
    header: _Header,
    mine: Sequence[tuple[WeatherRow, CellCodes]],
) -> Iterator[CellValue | Rejected]:
    said = " ".join(cells[k].strip() for k in header.time)
    at = moment_of(said, form.time_form, form.zone)
    if at is None:
        expected = form.time_form or "2026-07-26T22:10:00+08:00"
        words = Text(f"{shown(said)} 应为 {expected}", f"{shown(said)}: expected {expected}")
        yield _at(n, " ".join(form.time), Rejected("bad_time", words))
        return
    for row, codes in mine:
        if row.column not in header.column:
            continue
        text = cells[header.column[row.column]]
        read = codes.read(text)
        if read is None:
            words = Text(
                f"{row.station}: {shown(text)} 不是数，也不是表里的代码",
                f"{row.station}: {shown(text)} is neither a number nor a code of the tables",
            )
            yield _at(n, row.column, Rejected("bad_value", words))
            continue
        value, trace = read
        doubt = bool(
            row.quality in header.column
            and form.good
            and cells[header.column[row.quality]].strip() not in form.good
        )
        yield CellValue(row, _place(n, row.column), value, at, trace, doubt)


def _header(
    names: list[str] | Rejected, form: WeatherForm, rows: Sequence[WeatherRow]
) -> _Header | Rejected:
    if isinstance(names, Rejected):
        return _at(1, "", names)
    names = [c.strip() for c in names]
    wanted = {row.column for row in rows} | {row.quality for row in rows if row.quality}
    for column in (form.station, *form.time):
        if names.count(column) != 1:
            return _at(1, column, Rejected("bad_payload", _ONCE))
    if twice := sorted(c for c in wanted if names.count(c) > 1):
        return _at(1, twice[0], Rejected("bad_payload", _ONCE))
    place = {c: names.index(c) for c in wanted if c in names}
    time = tuple(names.index(c) for c in form.time)
    return _Header(len(names), names.index(form.station), time, place)


_ONCE = Text("这一列应在表头里出现一次", "this column must stand in the header once")


def _lacking(
    line: bytes,
    header: _Header,
    wanted: Mapping[str, list[tuple[WeatherRow, CellCodes]]],
) -> Iterator[BadCell]:
    """Columns that weather.csv asks for and this file has not: its other columns count."""
    asked = {
        c for mine in wanted.values() for row, _ in mine for c in (row.column, row.quality) if c
    }
    for column in sorted(asked - header.column.keys()):
        words = Text("文件里没有 weather.csv 要的这一列", "weather.csv asks for this column")
        yield BadCell(_at(1, column, Rejected("bad_payload", words)), line)


def _cells(line: bytes, form: WeatherForm) -> list[str] | Rejected:
    try:
        text = line.decode(form.encoding)
    except UnicodeDecodeError as e:
        words = Text(
            f"第 {e.start} 字节不是 {form.encoding}", f"byte {e.start} is no {form.encoding}"
        )
        return Rejected("bad_payload", words)
    if form.separator == "space":
        return text.split()
    try:
        return next(csv.reader([text], delimiter=form.separator, strict=True), [])
    except csv.Error as e:
        return Rejected("bad_payload", Text(f"不是 CSV：{e}", f"is no CSV: {e}"))


def _place(n: int, column: str) -> Text:
    return Text(f"第 {n} 行 {column}".rstrip(), f"row {n} {column}".rstrip())


def _at(n: int, column: str, why: Rejected) -> Rejected:
    return Rejected(why.reason, _place(n, column) + ": " + why.detail)


def _most(many: int, most: int, zh: str, en: str) -> Text:
    return Text(f"{many} {zh}：上限 {most}；请分开", f"{many} {en}: at most {most}; divide it")


def moment_of(text: str, form: str, zone: str) -> int | None:
    """ms since 1970, or None. 24 o'clock is the end of its day. A moment that its zone has twice is the
    first."""
    if not form:
        at = moment(text)
        if at is not None or not zone:
            return at
        form = "%Y-%m-%dT%H:%M:%S" if "T" in text else "%Y-%m-%d %H:%M:%S"
        form = form[:-3] if text.count(":") == 1 else form
    match = _pattern(form).fullmatch(text) if len(text) <= 64 else None
    if match is None:
        return None
    part = {"hour": 0, "minute": 0, "second": 0} | {k: int(v) for k, v in match.groupdict().items()}
    midnight = part["hour"] == 24 and not part["minute"] and not part["second"]
    if midnight:
        part["hour"] = 0
    try:
        when = datetime(**part, tzinfo=UTC)
        local = when.replace(tzinfo=None) + timedelta(days=midnight)
        at = round(local.replace(tzinfo=_zone(zone)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return at if 0 <= at <= LAST_AT else None


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@cache
def _pattern(form: str) -> "re.Pattern[str]":
    """Of a form as weather.toml has it."""
    out, at = "", 0
    found = list(_DIRECTIVE.finditer(form))
    ends, begins = {m.end() for m in found}, {m.start() for m in found}
    for match in found:
        # with nothing between two numbers only their lengths say which digit is whose
        close = match.start() in ends or match.end() in begins
        digits = r"\d{4}" if match[1] == "Y" else r"\d{2}" if close else r"\d{1,2}"
        out += re.escape(form[at : match.start()]) + f"(?P<{_PART[match[1]]}>{digits})"
        at = match.end()
    return re.compile(out + re.escape(form[at:]), re.ASCII)
