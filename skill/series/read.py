"""A record and its events as CSV, for tune and hindcast.

Observations: `station,quantity,time,value`, plain or gzip; time in ISO 8601 (UTC where it names no
offset), value in the quantity's unit. Nothing odd is passed over in silence: every note says what
was found, how often, where first, and what was done about it.

- unsorted rows: put in order. Equal rows of one station and time: one is kept. Different values at
  one time: the last row of the file is kept, since a correction follows what it corrects.
- rows that cannot be read (fields, time, value), of unknown quantity, or empty: set aside and
  counted; more than one in twenty, and the file is refused.
- a run of rows that jumps half a day or more away while the rows before and after it go on without
  a break: a clock that was off; and a few rows half a year away from all others: set aside.
- values outside the physical range of the quantity: kept, flagged by the quality tests as live.

Events: `area,start,end[,kind]`; without an end an event is a moment. A row that cannot be read is
an error, since every event counts; overlapping events of one area are one, with a note.
"""

import csv
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config.language import Said, Text, joined
from config.records.quantity import QUANTITIES
from detectors.engine.window_rule import Floats, Ints
from skill.series.clock import iso
from skill.series.csv_text import SeriesFault, lacks, moment, plain_rows, row_of, unpacked_text
from skill.series.record.blocks import blocks, csv_rows, header
from skill.series.record.gather import Gathered
from skill.series.record.lines import Lines, Plain
from skill.series.record.order import in_order
from skill.verify.hindcast import Readings
from skill.verify.match import Event

_COLUMNS = ("station", "quantity", "time", "value")
_BLOCK = 100_000
_MOST_BAD = 0.05
_ODD = 4  # one line in so many that is odd, and all of a block are looked at one by one
_EMPTY = {"", "nan", "na", "null", "none"}
_NEXT = Text("；", "; ")


class _Aside:
    """Rows that were set aside: how many for each reason, and the first of them."""

    def __init__(self) -> None:
        self.many: dict[Text, int] = {}
        self.first: dict[Text, Text] = {}

    def add(self, why: Text, row: int, text: str) -> None:
        self.many[why] = self.many.get(why, 0) + 1
        self.first.setdefault(why, row_of(row) + f": {text[:80]!r}")

    def notes(self) -> list[Said]:
        return [
            Text(
                f"{why.zh}：{n} 行已剔除，首例{self.first[why].zh}",
                f"{why.en}: {n} rows set aside, first {self.first[why].en}",
            )
            for why, n in self.many.items()
        ]


class _Columns(NamedTuple):
    """which: index of the pair; at: ms; value: in the unit."""

    which: Ints
    at: Ints
    value: Floats


def read_observations(path: Path) -> tuple[Readings, list[Said]]:
    """The record in order of time, and everything odd about it."""
    aside, lines = _Aside(), Lines(lambda _, quantity: quantity in QUANTITIES)
    gathered, some = Gathered(lines.pairs), blocks(path)
    names, first = header(next(some, b""), path)
    place = _header(names, path)
    feed, total, naive = chain([first], some), 0, 0
    for block in feed:
        plain = lines.read(block) if names == list(_COLUMNS) else None
        if plain is not None and plain.odd.size * _ODD < plain.which.size:
            columns, without = _corrected(plain, block, path, total + 2, lines, aside)
            gathered.add(*columns)
            total, naive = total + plain.which.size, naive + without
            continue
        whole = chain([block], feed) if b'"' in block else [block]  # quotes may span lines
        for batch in _batches(csv_rows(whole, path)):
            columns, without = _block(batch, place, total + 2, lines, aside)
            gathered.add(*columns)
            total, naive = total + len(batch), naive + without
    notes = _refused(path, aside, total)
    if naive:
        notes.append(
            Text(
                f"{naive} 行的时刻未注明时区，按 UTC 计",
                f"{naive} times name no offset: taken as UTC",
            )
        )
    if not gathered.size:
        nothing = Text(f"{path.name}：没有可用的行", f"{path.name}: has no usable row")
        raise SeriesFault(joined((nothing, *notes), _NEXT))
    found = in_order(gathered.rows(), lines.pairs, notes)
    notes += gathered.notes(found)
    return Readings(lines.pairs, found.which, found.at, found.counts), notes


def _refused(path: Path, aside: _Aside, total: int) -> list[Said]:
    """What was set aside; SeriesFault where that is too much."""
    bad, notes = sum(aside.many.values()), aside.notes()
    if total and bad > _MOST_BAD * total:
        raise SeriesFault(
            Text(
                f"{path.name}：{total} 行中有 {bad} 行读不了；请先改正：",
                f"{path.name}: {bad} of {total} rows cannot be read; correct the file first: ",
            )
            + joined(notes, _NEXT)
        )
    return notes


# --- text


def _header(names: list[str], path: Path) -> list[int]:
    missing = [c for c in _COLUMNS if c not in names]
    if missing:
        raise lacks(path, missing, ",".join(_COLUMNS))
    return [names.index(c) for c in _COLUMNS]


def _batches(some: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while batch := list(islice(some, _BLOCK)):
        yield batch


# --- rows


def _corrected(
    plain: Plain, block: bytes, path: Path, line: int, lines: Lines, aside: _Aside
) -> tuple[_Columns, int]:
    """A plain block whose odd lines are looked at one by one. Also how many of these name no offset."""
    columns = _Columns(plain.which, plain.at, plain.value)
    use, naive = np.ones(plain.which.size, np.bool_), 0
    for n in plain.odd.tolist():
        fields = next(csv_rows([block[plain.begin[n] : plain.end[n]]], path), [])
        found = _row(fields, [0, 1, 2, 3])
        if isinstance(found, Text):
            aside.add(found, line + n, ",".join(fields))
            use[n] = False
            continue
        station, quantity, columns.at[n], columns.value[n], without = found
        columns.which[n], naive = lines.number(station, quantity), naive + without
    if not use.all():
        columns = _Columns(columns.which[use], columns.at[use], columns.value[use])
    return columns, naive


def _block(
    block: list[list[str]],
    place: list[int],
    line: int,
    lines: Lines,
    aside: _Aside,
) -> tuple[_Columns, int]:
    """A block at once where every row is plain, else row by row. Also how many name no offset."""
    if min(map(len, block)) > max(place):
        all_ = list(zip(*block, strict=False))
        station, quantity, time, value = (all_[p] for p in place)
        try:
            values = np.array(list(map(float, value)))
            at = _plain_times(time)
        except ValueError:
            pass
        else:
            keys = list(zip(station, quantity, strict=True))
            fine = all(q in QUANTITIES and s and s == s.strip() for s, q in set(keys))
            if fine and np.isfinite(values).all():
                numbers = {key: lines.number(*key) for key in dict.fromkeys(keys)}
                which = np.array([numbers[k] for k in keys], np.int64)
                return _Columns(which, at, values), 0
    return _one_by_one(block, place, line, lines, aside)


def _plain_times(times: tuple[str, ...]) -> Ints:
    """2016-01-01T05:00:00Z of all; ValueError of anything else."""
    if set(map(len, times)) != {20} or {t[19] for t in times} != {"Z"}:
        raise ValueError("another form")
    seconds = np.array([t[:19] for t in times], "datetime64[s]")
    if np.isnat(seconds).any():
        raise ValueError("no time")
    ms: Ints = seconds.astype(np.int64) * 1000
    return ms


def _one_by_one(
    block: list[list[str]],
    place: list[int],
    line: int,
    lines: Lines,
    aside: _Aside,
) -> tuple[_Columns, int]:
    which, at, values = [], [], []
    naive = 0
    for n, row in enumerate(block):
        found = _row(row, place)
        if isinstance(found, Text):
            aside.add(found, line + n, ",".join(row))
            continue
        station, quantity, time, value, without = found
        naive += without
        which.append(lines.number(station, quantity))
        at.append(time)
        values.append(value)
    return _Columns(np.array(which, np.int64), np.array(at, np.int64), np.array(values)), naive


def _row(row: list[str], place: list[int]) -> tuple[str, str, int, float, bool] | Text:
    """Its fields, or why it cannot be used."""
    if not any(x.strip() for x in row):
        return Text("空行", "empty row")
    if len(row) <= max(place):
        return Text("列数不足", "too few fields")
    station, quantity, time, value = (row[p].strip() for p in place)
    if not station:
        return Text("无测站", "no station")
    if quantity not in QUANTITIES:
        return Text(f"未知要素 {quantity[:20]!r}", f"unknown quantity {quantity[:20]!r}")
    try:
        at, without = moment(time)
    except ValueError:
        return Text("时刻读不了", "unreadable time")
    if value.lower() in _EMPTY:
        return Text("无数值", "no value")
    try:
        number = float(value)
    except ValueError:
        return Text("数值读不了", "unreadable value")
    if not abs(number) < 1e12:
        return Text("数值无穷或过大", "value infinite or too large")
    return station, quantity, at, number, without


# --- events


def read_events(path: Path) -> list[Event]:
    """The events in order of area and time."""
    return events_and_notes(path)[0]


def events_and_notes(path: Path) -> tuple[list[Event], list[Said]]:
    """The same with what was odd."""
    with unpacked_text(path) as text:
        rows = list(plain_rows(csv.reader(text), path))
    names = [x.strip().lower() for x in rows[0]] if rows else []
    missing = [c for c in ("area", "start") if c not in names]
    if missing:
        raise lacks(path, missing, "area,start,end,kind")
    notes: list[Said] = []
    found = []
    for number, row in enumerate(rows[1:], 2):
        if any(x.strip() for x in row):
            cells = {n: x.strip() for n, x in zip(names, row, strict=False)}
            found.append(_event(cells, path, number))
    out: list[Event] = []
    for event in sorted(found):
        if out and out[-1].area == event.area and event.start_at <= out[-1].end_at:
            both = f"{iso(out[-1].start_at)} / {iso(event.start_at)}"
            notes.append(
                Text(
                    f"{event.area}：事件重叠，合为一次：{both}",
                    f"{event.area}: overlapping events are taken as one: {both}",
                )
            )
            out[-1] = out[-1]._replace(end_at=max(out[-1].end_at, event.end_at))
        else:
            out.append(event)
    return out, notes


def _event(cells: dict[str, str], path: Path, number: int) -> Event:
    where = f"{path.name} " + row_of(number)
    if not cells.get("area"):
        raise SeriesFault(where + Text("：缺区域", ": no area"))
    try:
        start = moment(cells.get("start", ""))[0]
        end = moment(cells["end"])[0] if cells.get("end") else start
    except ValueError as e:
        wrong = Text(
            "：时刻读不了，应如 2016-01-10T10:00:00Z",
            ": the time cannot be read, write 2016-01-10T10:00:00Z",
        )
        raise SeriesFault(where + wrong) from e
    if end < start:
        raise SeriesFault(where + Text("：结束早于开始", ": the end lies before the start"))
    return Event(cells["area"], start, end, cells.get("kind", ""))
