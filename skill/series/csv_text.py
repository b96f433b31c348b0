"""Text files of a record, plain or gzip: their rows, and the words for what cannot be used."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import IO

from config.language import Text


class SeriesFault(ValueError):
    """A file that cannot be used; the text says why and what to do."""


def unpacked_text(path: Path) -> IO[str]:
    if not path.exists():
        raise missing(path)
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    raw: IO[bytes] = BytesIO(_unpacked(path)) if packed else path.open("rb")
    return TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _unpacked(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except (EOFError, OSError, zlib.error) as e:
        raise damaged(path, e) from e


def missing(path: Path) -> SeriesFault:
    """There is no such file."""
    return SeriesFault(Text(f"{path}：文件不存在", f"{path}: no such file"))


def damaged(path: Path, e: Exception) -> SeriesFault:
    """A packed file that cannot be unpacked."""
    return SeriesFault(
        Text(f"{path.name}：压缩包不完整：{e}", f"{path.name}: the archive is damaged: {e}")
    )


def plain_rows(rows: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from rows
    except UnicodeDecodeError as e:
        raise SeriesFault(
            Text(
                f"{path.name}：不是 UTF-8，请另存为 UTF-8：{e.reason}",
                f"{path.name}: is not UTF-8, save it as such: {e.reason}",
            )
        ) from e
    except csv.Error as e:
        raise SeriesFault(
            Text(f"{path.name}：不是 CSV 文本：{e}", f"{path.name}: is no CSV text: {e}")
        ) from e


def lacks(path: Path, missing: list[str], wanted: str) -> SeriesFault:
    """The first row has not all columns that it needs."""
    return SeriesFault(
        Text(
            f"{path.name}：首行缺列 {'、'.join(missing)}；应为 {wanted}",
            f"{path.name}: the first row lacks {', '.join(missing)}; it should be {wanted}",
        )
    )


def row_of(number: int) -> Text:
    """A row of a file, by its number there."""
    return Text(f"第 {number} 行", f"row {number}")


def moment(text: str) -> tuple[int, bool]:
    """ISO 8601 -> ms UTC, and whether it names no offset; ValueError if it is none."""
    at = datetime.fromisoformat(text)
    without = at.tzinfo is None
    return round((at.replace(tzinfo=UTC) if without else at).timestamp() * 1000), without
