"""Reads the tables of a district: CSV as a spreadsheet writes it, TOML, GeoJSON; every fault is
kept with its file, row and column."""

import csv
import io
import math
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from config.language import Said, Text, text_of
from config.read.problem import Problem
from config.records.level import Level

T = TypeVar("T", bound=msgspec.Struct)


class Table(NamedTuple):
    """The rows of one file that could be read, each with the number of its line."""

    file: str
    rows: list[tuple[int, Any]]


def read_text(path: Path, problems: list[Problem]) -> str | None:
    """The text of a file, or None and a problem."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        problems.append(
            Problem(
                path.name,
                0,
                "",
                Text("缺少文件", "the file is missing"),
                Text("照 config/README.md 建立", "create it as config/README.en.md says"),
            )
        )
    except OSError as e:
        problems.append(
            Problem(
                path.name,
                0,
                "",
                Text(f"读不了：{e.strerror}", f"cannot be read: {e.strerror}"),
                Text("应为文件", "expected a file"),
            )
        )
    except UnicodeDecodeError as e:
        problems.append(
            Problem(
                path.name,
                0,
                "",
                Text(f"不是 UTF-8 文本（第 {e.start} 字节）", f"not UTF-8 text (byte {e.start})"),
                Text("另存为“CSV UTF-8”", "save it as CSV UTF-8"),
            )
        )
    return None


def read_table(path: Path, kind: type[T], problems: list[Problem]) -> list[tuple[int, T]]:
    """A CSV file as records of `kind`, whose field names are the header.

    A list in a cell is separated by `;`; an empty cell is the field's default, or None where the
    field allows it."""
    text = read_text(path, problems)
    if text is None:
        return []
    columns = _columns(kind)
    fields = {n: c for n, c in columns.items() if n != "polygon"}  # from the GeoJSON
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as e:
        problems.append(
            Problem(
                path.name,
                0,
                "",
                Text(f"不是 CSV：{e}", f"not a CSV file: {e}"),
                Text("检查引号", "look for a lone quotation mark"),
            )
        )
        return []
    header = [c.strip() for c in lines[0]] if lines else []
    if not _header(path.name, header, fields, problems):
        return []
    found = []
    for number, cells in enumerate(lines[1:], 2):
        if not any(c.strip() for c in cells):
            continue
        if len(cells) != len(header):
            problems.append(
                Problem(
                    path.name,
                    number,
                    "",
                    Text(
                        f"有 {len(cells)} 格，应为 {len(header)} 格",
                        f"{len(cells)} cells, expected {len(header)}",
                    ),
                    Text("补齐或加引号", "add the missing cells, quote a text with a comma"),
                )
            )
            continue
        row = _row(
            path.name, number, dict(zip(header, cells, strict=True)), kind, columns, problems
        )
        if row is not None:
            found.append((number, row))
    return found


def read_row(
    file: str, number: int, cells: dict[str, str], kind: type[T], problems: list[Problem]
) -> T | None:
    """One row by column; None and its problems."""
    return _row(file, number, cells, kind, _columns(kind), problems)


def check_columns(
    file: str, header: list[str], kind: type[msgspec.Struct], problems: list[Problem]
) -> bool:
    """Is this header that of `kind`?"""
    return _header(file, header, _columns(kind), problems)


def _header(file: str, header: list[str], fields: dict[str, Any], problems: list[Problem]) -> bool:
    bad = len(problems)
    for name, field in fields.items():
        if name not in header and field.required:
            problems.append(
                Problem(
                    file,
                    1,
                    name,
                    Text("缺少列", "this column is missing"),
                    Text("在表头加上", "add it to the header"),
                )
            )
    for name in header:
        if name not in fields:
            problems.append(
                Problem(
                    file,
                    1,
                    name,
                    Text("不认识的列", "this column is not known"),
                    Text(f"可用的列：{', '.join(fields)}", f"columns: {', '.join(fields)}"),
                )
            )
        elif header.count(name) > 1:
            problems.append(
                Problem(file, 1, name, Text("列重复", "this column stands twice"), "删去一列")
            )
    return len(problems) == bad


def _row(
    file: str,
    number: int,
    cells: dict[str, str],
    kind: type[T],
    columns: dict[str, "_Column"],
    problems: list[Problem],
) -> T | None:
    values: dict[str, Any] = {}
    bad = len(problems)
    for name, text in cells.items():
        text = text.strip()
        column = columns[name]
        if text == "":
            if column.optional:
                values[name] = None
            elif column.required:
                problems.append(
                    Problem(
                        file,
                        number,
                        name,
                        Text("不能为空", "must not be empty"),
                        Text("填写", "fill it in"),
                    )
                )
            continue
        try:
            values[name] = text if column.value is None else column.value(text)
        except (ValueError, KeyError) as e:
            problems.append(
                Problem(file, number, name, f"{text!r} " + text_of(e), _expected(column.hint))
            )
    if len(problems) > bad:
        return None
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as e:
        name = str(e).rpartition("`$.")[2].rstrip("`").partition("[")[0] if "`$." in str(e) else ""
        hint = columns[name].hint if name in columns else None
        words = f"{cells.get(name, '')!r}: " + text_of(e)
        problems.append(Problem(file, number, name, words, _expected(hint)))
        return None


class _Column(NamedTuple):
    """What the type of a field asks of its cells. value: of a cell that is not empty, None: its text; raises
    ValueError in words."""

    hint: Any
    required: bool
    optional: bool
    value: Callable[[str], Any] | None


@cache
def _columns(kind: type[msgspec.Struct]) -> dict[str, _Column]:
    """By field, in their order; worked out once a kind of row."""
    hints, found = get_type_hints(kind), {}
    for field in msgspec.structs.fields(kind):
        hint = hints[field.name]
        optional = type(None) in get_args(hint)
        meant = next(a for a in get_args(hint) if a is not type(None)) if optional else hint
        found[field.name] = _Column(hint, field.required, optional, _reader(meant))
    return found


def _reader(kind: Any) -> Callable[[str], Any] | None:
    if get_origin(kind) is tuple:
        of = get_args(kind)[0]
        if of is float:
            return lambda text: tuple(_number(part) for part in _parts(text))
        if get_origin(of) is tuple:  # points: numbers with spaces between them
            return lambda text: tuple(
                tuple(_number(x) for x in part.split()) for part in _parts(text)
            )
        return lambda text: tuple(_parts(text))
    readers: dict[Any, Callable[[str], Any]] = {int: _whole, float: _number, Level: _level}
    return readers.get(kind)


def _parts(text: str) -> list[str]:
    return [stripped for part in text.split(";") if (stripped := part.strip())]


def _whole(text: str) -> int:
    digits = text.lstrip("+-")
    if not digits.isascii() or not digits.isdigit() or len(text) > 12:
        raise ValueError(Text("不是整数", "is not a whole number"))
    return int(text)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(Text("不是数字", "is not a number")) from None
    if not math.isfinite(value) or abs(value) > 1e9:
        raise ValueError(Text("不是有限数", "is not a number that can be"))
    return value


def _level(text: str) -> int:
    if text.lower() not in (n.name.lower() for n in Level):
        raise ValueError(Text("不是等级", "is not a level"))
    return int(Level[text.upper()])


def _expected(hint: Any) -> Said:
    names: dict[type, Said] = {
        int: Text("整数", "a whole number"),
        float: Text("数字", "a number"),
        Level: "none, blue, yellow, orange, red",
    }
    for kind, text in names.items():
        if hint is kind or kind in get_args(hint):
            return Text("应为", "expected ") + text
    if any(get_origin(a) is tuple for a in get_args(hint)):
        return Text("应为数字，点以分号隔开", "expected numbers: x y;x y")
    options = [a for a in get_args(hint) if isinstance(a, str)]
    return Text("应为 ", "expected ") + ", ".join(options) if options else ""


def read_toml(path: Path, kind: type[T], problems: list[Problem]) -> T | None:
    """A TOML file as a record; unknown keys are refused."""
    text = read_text(path, problems)
    if text is None:
        return None
    try:
        found = tomllib.loads(text)
        leaves = _leaves(found, "")
    except (ValueError, RecursionError) as e:  # a TOMLDecodeError is a ValueError
        problems.append(
            Problem(
                path.name,
                0,
                "",
                Text(f"不是 TOML：{e}", f"not TOML: {e}"),
                Text("改正该行", "mend that line"),
            )
        )
        return None
    for place, value in leaves:
        if isinstance(value, float) and not math.isfinite(value):
            problems.append(
                Problem(
                    path.name,
                    0,
                    place,
                    Text(f"{value} 不是有限数", f"{value} is not a number that can be"),
                    Text("改成数字", "write a number"),
                )
            )
            return None
    for place in _unknown(found, kind, ""):
        problems.append(
            Problem(
                path.name,
                0,
                place,
                Text("不认识的键", "this key is not known"),
                Text("删去或改名", "remove it or mend its name"),
            )
        )
    levels = {lv.name.lower(): int(lv) for lv in Level}
    try:
        return msgspec.convert(_named(found, levels, kind), kind, strict=True)
    except msgspec.ValidationError as e:
        at = " - at `$."  # how msgspec parts what is wrong from where
        told, place = text_of(e), str(e).partition(at)[2]
        words = Text(told.zh.partition(at)[0], told.en.partition(at)[0])
        problems.append(
            Problem(
                path.name,
                0,
                place.rstrip("`"),
                words,
                Text("见 config/README.md", "see config/README.en.md"),
            )
        )
        return None


def _named(value: Any, levels: dict[str, int], kind: Any) -> Any:
    """Levels and actions are written by name; records hold the number."""
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = _hints(kind)
        return {k: _named(v, levels, hints.get(k)) for k, v in value.items()}
    if isinstance(value, str) and getattr(kind, "__name__", "") == "Level":
        return levels.get(value, value)
    if isinstance(value, str) and getattr(kind, "__name__", "") == "Action":
        return {"none": 0, "prepare": 1, "move": 2}.get(value, value)
    return value


@cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The type of each field, worked out once a kind: a table of rules asks a hundred times."""
    return get_type_hints(kind)


def _leaves(value: Any, place: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [x for k, v in value.items() for x in _leaves(v, f"{place}.{k}".lstrip("."))]
    if isinstance(value, list):
        return [x for v in value for x in _leaves(v, place)]
    return [(place, value)]


def _unknown(value: Any, kind: Any, place: str) -> list[str]:
    if isinstance(value, list) and get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        return [x for n, v in enumerate(value) for x in _unknown(v, inner, f"{place[:-1]}[{n}].")]
    if not isinstance(value, dict):
        return []
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = _hints(kind)
        out = [f"{place}{k}" for k in value if k not in hints]
        for k, v in value.items():
            if k in hints:
                out += _unknown(v, hints[k], f"{place}{k}.")
        return out
    if get_origin(kind) is dict:
        inner = get_args(kind)[1]
        return [x for k, v in value.items() for x in _unknown(v, inner, f"{place}{k}.")]
    return []
