"""A file, plain or gzip, as blocks of whole lines; and the rows of such blocks by the library's reader of CSV,
for what is not in the form that `lines` reads."""

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path

from skill.series.csv_text import damaged, missing, plain_rows

_BYTES = 4 << 20
_MARK = b"\xef\xbb\xbf"  # of UTF-8


def blocks(path: Path) -> Iterator[bytes]:
    """Each ends with a line; the last line is ended if the file does not."""
    if not path.exists():
        raise missing(path)
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    rest = b""
    with gzip.open(path) if packed else path.open("rb") as file:
        first = True
        while True:
            try:
                more = file.read(_BYTES)
            except (EOFError, OSError, zlib.error) as e:
                if not packed:
                    raise
                raise damaged(path, e) from e
            if not more:
                break
            more = rest + (more.removeprefix(_MARK) if first else more)
            cut, first = more.rfind(b"\n") + 1, False
            rest = more[cut:]
            if cut:
                yield more[:cut]
    if rest:
        yield rest + b"\n"


def header(block: bytes, path: Path) -> tuple[list[str], bytes]:
    """The names in the first line, and the block without it."""
    ends = [n for n in (block.find(b"\n"), block.find(b"\r")) if n >= 0]
    cut = min(ends, default=len(block)) + 1
    cut += block[cut - 1 : cut + 1] == b"\r\n"
    names = next(csv_rows([block[:cut]], path), [])
    return [x.strip().lower() for x in names], block[cut:]


def csv_rows(some: Iterable[bytes], path: Path) -> Iterator[list[str]]:
    """Of blocks that follow one another."""

    def texts() -> Iterator[str]:
        for block in some:
            yield from StringIO(block.decode("utf-8"), newline="")

    yield from plain_rows(csv.reader(texts()), path)
