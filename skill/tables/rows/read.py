"""A one-row-a-storm table as CSV, and the MAP.toml that says which column is which quantity.

Nothing odd is passed over in silence:

- a column that the map or the command names and the table lacks: the response and the group are
  needed, so the file is refused; a quantity is missing in every row, with a note.
- an empty cell, NaN, NA, or one that the map names as missing: missing; the row is kept.
- a cell that is no number: refused, with row and column. A response other than 0 or 1: likewise.
- a value that cannot be (negative rain, 1e9 mm/h): missing, with a note; more than one in twenty of a
  column, and the file is refused, since a unit is likely wrong.
- equal rows: kept, with a note, since one storm may have sent several flows; they weigh as they stand.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from config.language import Said, Text
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES, convert, units
from skill.series.csv_text import SeriesFault, plain_rows, row_of, unpacked_text

_EMPTY = {"", "nan", "na", "n/a", "null", "none"}
_MOST_WILD = 0.05


class TableFault(SeriesFault):
    """A table or map that cannot be used; the text says why and what to do."""


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One quantity's place. missing: cells that stand for nothing measured."""

    column: str
    unit: str
    missing: tuple[str, ...] = ()


class Times(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns of the storm's time. start and end only bound it; peak: of the highest intensity;
    response: when the flow came. Lead time needs the last two."""

    start: str = ""
    end: str = ""
    peak: str = ""
    response: str = ""


class Map(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """MAP.toml. region: a column of wider regions, each left out once by tune."""

    quantity: dict[str, Column]
    region: str = ""
    time: Times = Times()


class Storms(NamedTuple):
    """value: (n, k) in the quantities' own units, NaN where missing; quantities: their names.

    group, region: (n,) names, of one letter where the table has none.
    """

    quantities: tuple[str, ...]
    value: Floats
    yes: Bools
    group: tuple[str, ...]
    region: tuple[str, ...]
    notes: list[Said]


def read_map(path: Path) -> Map:
    """Which column is what; TableFault with the place of what is wrong."""
    try:
        found: Map = msgspec.toml.decode(path.read_bytes(), type=Map)
    except FileNotFoundError as e:
        raise TableFault(Text(f"{path}：文件不存在", f"{path}: no such file")) from e
    except (msgspec.DecodeError, ValueError) as e:
        raise TableFault(
            Text(f"{path.name}：读不了：{e}", f"{path.name}: cannot be read: {e}")
        ) from e
    if not found.quantity:
        raise TableFault(f"{path.name}: [quantity] " + Text("为空", "is empty"))
    for name, column in found.quantity.items():
        if name not in TABLE_QUANTITIES:
            wrong = Text(f"[quantity] 未知 {name!r}：", f"[quantity] unknown {name!r}: ")
            raise TableFault(f"{path.name}: " + wrong + ", ".join(TABLE_QUANTITIES))
        if column.unit not in units(name):
            wrong = Text(
                f"{name} 的单位 {column.unit!r} 未知：", f"{name}: unknown unit {column.unit!r}: "
            )
            raise TableFault(f"{path.name}: " + wrong + ", ".join(units(name)))
    columns = [c.column for c in found.quantity.values()]
    twice = {c for c in columns if columns.count(c) > 1}
    if twice:
        wrong = Text("一列两用：", "a column stands twice: ")
        raise TableFault(f"{path.name}: " + wrong + ", ".join(sorted(twice)))
    return found


def read_storms(path: Path, map_: Map, response: str, group: str | None) -> Storms:
    """The table; TableFault names file, row and column."""
    with unpacked_text(path) as text:
        rows = list(plain_rows(csv.reader(text), path))
    if not rows or not any(x.strip() for x in rows[0]):
        raise TableFault(Text(f"{path.name}：文件为空", f"{path.name}: the file is empty"))
    names = [x.strip() for x in rows[0]]
    place = {name: k for k, name in enumerate(names)}
    for what, name in (("--response", response), ("--group", group)):
        if name is not None and name not in place:
            wrong = Text(
                f"{what} {name!r}：没有此列；有：", f"{what} {name!r} is no column; there are: "
            )
            raise TableFault(f"{path.name}: " + wrong + ", ".join(names))
    notes: list[Said] = []
    kept = _rows(rows, path, notes)
    if not kept:
        raise TableFault(
            Text(f"{path.name}：没有数据行", f"{path.name}: has no row below its first")
        )
    yes = np.array([_yes(row[place[response]], n, response, path) for n, row in kept], np.bool_)
    values, quantities = [], []
    for quantity, column in map_.quantity.items():
        if column.column not in place:
            notes.append(
                Text(
                    f"{path.name}：没有列 {column.column!r}（{quantity}），按缺测",
                    f"{path.name}: no column {column.column!r} ({quantity}), taken as missing",
                )
            )
            continue
        cells = [(n, row[place[column.column]]) for n, row in kept]
        values.append(_values(cells, quantity, column, path, notes))
        quantities.append(quantity)
    if not values:
        raise TableFault(
            Text(
                f"{path.name}：对照表所列各列都没有",
                f"{path.name}: has none of the columns of the map",
            )
        )
    return Storms(
        tuple(quantities),
        np.column_stack(values),
        yes,
        _names(kept, place, group or "", path),
        _names(kept, place, map_.region, path) if map_.region in place else ("",) * len(kept),
        notes,
    )


def _rows(rows: list[list[str]], path: Path, notes: list[Said]) -> list[tuple[int, list[str]]]:
    """(number in the file, cells) of each row that is not empty."""
    kept = []
    for number, row in enumerate(rows[1:], 2):
        if not any(x.strip() for x in row):
            continue
        if len(row) != len(rows[0]):
            wrong = Text(
                f"：{len(row)} 列，表头 {len(rows[0])} 列",
                f": {len(row)} cells, and the first row has {len(rows[0])}",
            )
            raise TableFault(f"{path.name} " + row_of(number) + wrong)
        kept.append((number, row))
    again = len(kept) - len({tuple(row) for _, row in kept})
    if again:
        notes.append(
            Text(
                f"{path.name}：{again} 行与他行全同，仍计",
                f"{path.name}: {again} rows equal another: they are counted",
            )
        )
    return kept


def _names(
    kept: Iterable[tuple[int, list[str]]], place: dict[str, int], column: str, path: Path
) -> tuple[str, ...]:
    if not column:
        return tuple("" for _ in kept)
    found = []
    for n, row in kept:
        name = row[place[column]].strip()
        if not name:
            wrong = Text(f"，{column}：为空", f", {column}: is empty")
            raise TableFault(f"{path.name} " + row_of(n) + wrong)
        found.append(name)
    return tuple(found)


def _yes(cell: str, row: int, column: str, path: Path) -> bool:
    try:
        number = float(cell)
    except ValueError:
        number = -1
    if number not in (0, 1):
        wrong = Text(f"，{column}：{cell!r} 应为 0 或 1", f", {column}: {cell!r} must be 0 or 1")
        raise TableFault(f"{path.name} " + row_of(row) + wrong)
    return number == 1


def _values(
    cells: list[tuple[int, str]], quantity: str, column: Column, path: Path, notes: list[Said]
) -> Floats:
    q, into = TABLE_QUANTITIES[quantity], convert(quantity, column.unit)
    out = np.full(len(cells), np.nan)
    wild = []
    for k, (row, cell) in enumerate(cells):
        text = cell.strip()
        if text.lower() in _EMPTY or text in column.missing:
            continue
        try:
            value = into(float(text))
        except ValueError as e:
            wrong = Text(
                f"，{column.column}：{cell!r} 不是数", f", {column.column}: {cell!r} is no number"
            )
            raise TableFault(f"{path.name} " + row_of(row) + wrong) from e
        if q.low <= value <= q.high:
            out[k] = value
        else:
            wild.append((row, cell))
    if wild:
        row, cell = wild[0]
        between, first = f"{q.low:g} … {q.high:g} {q.unit}", f"{column.column} {cell!r}"
        said = Text(
            f"{quantity} 有 {len(wild)} 处越出 {between}，首例{row_of(row).zh} {first}",
            f"{quantity} lies outside {between} {len(wild)} times, first {row_of(row).en}, {first}",
        )
        if len(wild) > max(_MOST_WILD * len(cells), 1):
            doubt = Text("；单位可能有误", "; is the unit right?")
            raise TableFault(f"{path.name}: " + said + doubt)
        notes.append(said + Text("；按缺测", "; taken as missing"))
    return out
