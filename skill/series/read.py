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
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config.language import Said, Text, joined
from config.records.quantity import QUANTITIES
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from skill.series.clock import astray, iso, remote
from skill.series.csv_text import SeriesFault, lacks, moment, plain_rows, row_of, unpacked_text
from skill.verify.hindcast import Readings
from skill.verify.match import Event

_COLUMNS = ("station", "quantity", "time", "value")
_BLOCK = 100_000
_MOST_BAD = 0.05
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


def _taken(c: _Columns, rows: Ints | Bools) -> _Columns:
    return _Columns(c.which[rows], c.at[rows], c.value[rows])


def read_observations(path: Path) -> tuple[Readings, list[Said]]:
    """The record in order of time, and everything odd about it."""
    aside = _Aside()
    pairs: dict[tuple[str, str], int] = {}
    parts: list[_Columns] = []
    total, naive = 0, 0
    with unpacked_text(path) as text:
        rows = csv.reader(text)
        place = _header(next(plain_rows(rows, path), None), path)
        line = 2
        for block in _blocks(plain_rows(rows, path)):
            block_part, without = _block(block, place, line, pairs, aside)
            parts.append(block_part)
            total, line, naive = total + len(block), line + len(block), naive + without
    bad = sum(aside.many.values())
    notes = aside.notes()
    if total and bad > _MOST_BAD * total:
        raise SeriesFault(
            Text(
                f"{path.name}：{total} 行中有 {bad} 行读不了；请先改正：",
                f"{path.name}: {bad} of {total} rows cannot be read; correct the file first: ",
            )
            + joined(notes, _NEXT)
        )
    if naive:
        notes.append(
            Text(
                f"{naive} 行的时刻未注明时区，按 UTC 计",
                f"{naive} times name no offset: taken as UTC",
            )
        )
    columns = _Columns(*(np.concatenate(c) for c in zip(*parts, strict=True))) if parts else None
    if columns is None or not columns.at.size:
        nothing = Text(f"{path.name}：没有可用的行", f"{path.name}: has no usable row")
        raise SeriesFault(joined((nothing, *notes), _NEXT))
    names = list(pairs)
    columns = _wrong_clock(columns, names, notes)
    columns = _once(columns, notes)
    counts = _counts(columns, names, notes)
    return Readings(names, columns.which, columns.at, counts), notes


# --- text


def _header(row: list[str] | None, path: Path) -> list[int]:
    names = [x.strip().lower() for x in row or []]
    missing = [c for c in _COLUMNS if c not in names]
    if missing:
        raise lacks(path, missing, ",".join(_COLUMNS))
    return [names.index(c) for c in _COLUMNS]


def _blocks(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while block := list(islice(rows, _BLOCK)):
        yield block


# --- rows


def _block(
    block: list[list[str]],
    place: list[int],
    line: int,
    pairs: dict[tuple[str, str], int],
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
                for key in dict.fromkeys(keys):
                    pairs.setdefault(key, len(pairs))
                which = np.array([pairs[k] for k in keys], np.int64)
                return _Columns(which, at, values), 0
    return _one_by_one(block, place, line, pairs, aside)


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
    pairs: dict[tuple[str, str], int],
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
        which.append(pairs.setdefault((station, quantity), len(pairs)))
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


# --- the whole


def _wrong_clock(c: _Columns, names: list[tuple[str, str]], notes: list[Said]) -> _Columns:
    """Without runs of rows whose clock was off."""
    good = np.ones(c.at.size, np.bool_)
    for (station, quantity), mine in zip(names, _by_pair(c, len(names)), strict=True):
        off = np.union1d(astray(c.at[mine]), remote(c.at[mine]))
        if off.size:
            good[mine[off]] = False
            first = datetime.fromtimestamp(int(c.at[mine[off[0]]]) / 1000, UTC)
            notes.append(
                Text(
                    f"{station} {quantity}：{off.size} 行的时刻脱离前后，疑为时钟错误，已剔除，"
                    f"首例 {first:%Y-%m-%dT%H:%M:%SZ}",
                    f"{station} {quantity}: {off.size} rows are out of time with those around "
                    f"them (clock?), set aside, first {first:%Y-%m-%dT%H:%M:%SZ}",
                )
            )
    return c if good.all() else _taken(c, good)


def _by_pair(c: _Columns, many: int) -> list[Ints]:
    """Where the rows of each pair stand, in their order."""
    order = np.argsort(c.which, kind="stable")
    return np.split(order, np.cumsum(np.bincount(c.which, minlength=many))[:-1])


def _once(c: _Columns, notes: list[Said]) -> _Columns:
    """In order of time, one value a station, quantity and time: the last of the file."""
    order = np.argsort(c.which, kind="stable")
    back = int(((np.diff(c.at[order]) < 0) & (np.diff(c.which[order]) == 0)).sum())
    if back:
        notes.append(
            Text(
                f"测站内时刻倒退 {back} 次，已按时间排序",
                f"times of a station go back {back} times: put in order",
            )
        )
    if (np.diff(c.at) <= 0).any():  # stable: rows of one time stay in order of the file
        c = _taken(c, np.lexsort((c.which, c.at)))
    again = (np.diff(c.at) == 0) & (np.diff(c.which) == 0)
    if not again.any():
        return c
    differ = again & (np.diff(c.value) != 0)
    equal = int(again.sum() - differ.sum())
    if equal:
        notes.append(
            Text(f"完全重复 {equal} 行，各留一行", f"{equal} equal rows: one of each is kept")
        )
    if differ.any():
        first = datetime.fromtimestamp(int(c.at[np.nonzero(differ)[0][0]]) / 1000, UTC)
        notes.append(
            Text(
                f"同站同时刻数值不同 {int(differ.sum())} 处，留文件中靠后者，首例 "
                f"{first:%Y-%m-%dT%H:%M:%SZ}",
                f"{int(differ.sum())} values differ at one station and time: the last of the file "
                f"is kept, first {first:%Y-%m-%dT%H:%M:%SZ}",
            )
        )
    return _taken(c, np.append(~again, True))


def _counts(c: _Columns, names: list[tuple[str, str]], notes: list[Said]) -> Ints:
    """Counts of the resolution, half away from zero, as a reading that comes live."""
    per_unit = np.array([QUANTITIES[q].per_unit for _, q in names], np.float64)[c.which]
    counts: Ints = (np.sign(c.value) * np.floor(np.abs(c.value) * per_unit + 0.5)).astype(np.int64)
    of = [QUANTITIES[q] for _, q in names]
    low, high = (np.array([getattr(q, x) for q in of], np.int64)[c.which] for x in ("low", "high"))
    many = len(names)
    wild = np.bincount(c.which[(counts < low) | (counts > high)], minlength=many)
    total = np.bincount(c.which, c.value, many)
    rounded = np.bincount(c.which, counts, many)
    for k, (station, quantity) in enumerate(names):
        q = of[k]
        if wild[k]:
            between = f"{q.amount(q.low):g} … {q.amount(q.high):g} {q.unit}"
            notes.append(
                Text(
                    f"{station} {quantity}：{wild[k]} 个值越出物理范围 {between}，规则不用",
                    f"{station} {quantity}: {wild[k]} values outside {between}: no rule uses them",
                )
            )
        shift = float(rounded[k]) / q.per_unit - float(total[k])
        if q.kind == "interval" and total[k] > 0 and abs(shift) > 0.01 * total[k]:
            step = f"{1 / q.per_unit:g} {q.unit}"
            notes.append(
                Text(
                    f"{station} {quantity}：按 {step} 取整使总量变化 {shift / total[k]:+.1%}",
                    f"{station} {quantity}: rounding to {step} changes the total by "
                    f"{shift / total[k]:+.1%}",
                )
            )
    return counts


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
