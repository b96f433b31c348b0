"""The records of a pack as a chain: one line each, which names the hash of the line before it. Pure.

    hash     = SHA-256(the line as it is written, without `hash`)
    previous = the hash of the line before it, "" at first
    digest   = SHA-256 of the record as it stood in the log, whatever was left out here

A line has one way to be written; any other bytes are no line.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from config.language import Text


class Chained(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record at its place of the log. at: when the line of stages had it (ms). value: the record,
    without what `left_out` names (dotted for what stands in another). ledger: chain and number of its entry,
    none for what the ledger does not enter, or had not yet."""

    n: int  # from 1
    topic: str
    partition: int
    offset: int
    key: str
    at: int
    digest: str
    value: msgspec.Raw
    left_out: tuple[str, ...] = ()
    ledger: tuple[str, int] | None = None
    previous: str = ""
    hash: str = ""


class Damage(NamedTuple):
    """What is wrong with a chain, and at which line, counted from 1."""

    n: int
    words: Text


class Read(NamedTuple):
    """lines: how many were whole; end: the hash of the last of them; damage: what came then."""

    lines: int
    end: str
    damage: Damage | None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Chained)


def written(line: Chained, previous: str) -> tuple[bytes, str]:
    """A line after `previous`, as it is written without its line feed, and its hash."""
    body = _encoder.encode(msgspec.structs.replace(line, previous=previous, hash=""))
    found = hashlib.sha256(body).hexdigest()
    return body[:-1] + b',"hash":"' + found.encode() + b'"}', found


def read(rows: Iterable[bytes], see: Callable[[Chained], None]) -> Read:
    """Verify from the first line to the first fault, for behind it nothing is known. rows: without
    their line feeds. see: is given each whole line."""
    n, end = 0, ""
    for row in rows:
        words, line = _wrong(row, n + 1, end)
        if line is None or words is not None:
            return Read(n, end, Damage(n + 1, words or _UNREADABLE))
        see(line)
        n, end = n + 1, line.hash
    return Read(n, end, None)


_UNREADABLE = Text("不是记录：内容被改", "is no record: bytes were changed")


def _wrong(row: bytes, n: int, previous: str) -> tuple[Text | None, Chained | None]:
    try:
        line = _decoder.decode(row)
        again, found = written(line, line.previous)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _UNREADABLE, None
    if again != row or found != line.hash:
        return Text("内容被改：哈希不符", "was changed: its hash does not fit its bytes"), line
    if line.n > n:
        return Text(
            f"第 {n} 至 {line.n - 1} 条被抽去", f"records {n} to {line.n - 1} were taken out"
        ), line
    if line.n != n or line.previous != previous:
        return Text(
            f"此处应有上一条的后续，却是第 {line.n} 条",
            f"records were put in, moved or changed: found number {line.n}",
        ), line
    return None, line
