"""The records of a pack as a chain: one line each, which names the hash of the line before it. Pure.

    hash     = SHA-256(the line as it is written, without `hash`)
    previous = the hash of the line before it, "" at first
    digest   = SHA-256 of the record as it stood in the log, whatever was left out here

A line has one way to be written; any other bytes are no line.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from config.language import Text
from console.model.follow import DECODERS
from dispatch.ledger.chain import CHAINS, Entered, Tail, entered
from fengsui.inquiry.left_out import may_be


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


_TOPICS = {topic: n for n, topic in enumerate(DECODERS)}
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


class Judged(NamedTuple):
    """What the records say of themselves against the ledger. proven: whose bytes fit the digest that they
    had in the log; vouched: with fields left out, whose other fields fit their entry; alone: numbers of
    those that the ledger enters and had not."""

    faults: tuple[Text, ...]
    proven: int
    vouched: int
    alone: tuple[int, ...]


def judged(
    lines: Iterable[Chained], entries: Mapping[tuple[str, int], Entered], whole: bool
) -> Judged:
    """Each record of a whole chain. entries: of the ledger, by chain and number; whole: are they all?"""
    faults: list[Text] = []
    known = {(e.chain, e.digest) for e in entries.values() if e.of != "head"}
    proven, vouched, alone, before = 0, 0, list[int](), (-1, 0, 0)
    for line in lines:
        name = Text(f"records.jsonl 第 {line.n} 条", f"records.jsonl record {line.n}")
        value, wrong = bytes(line.value), None
        place = (_TOPICS.get(line.topic, -1), line.partition, line.offset)
        if place <= before:
            wrong = _PLACE
        before = place
        if not line.left_out:
            fits = hashlib.sha256(value).hexdigest() == line.digest
            proven += fits
            wrong = wrong if fits else _OTHER
        elif not may_be(value, line.left_out):
            wrong = _LEFT_OUT
        if line.ledger is None:
            if line.topic in CHAINS and (line.topic, line.digest) in known:
                wrong = _UNNAMED
            elif line.topic in CHAINS and entered(Tail(line.topic), value) is not None:
                alone.append(line.n)
        else:
            entry = entries.get(line.ledger)
            if entry is None or (entry.chain, entry.digest) != (line.topic, line.digest):
                wrong = _NO_ENTRY if whole or entry is not None else wrong
            elif line.left_out:
                vouched += 1
                wrong = wrong if _fits(entry, value, line.left_out) else _NOT_SAID
        if wrong is not None:
            faults.append(name + wrong)
    return Judged(tuple(faults), proven, vouched, tuple(alone))


_OTHER = Text("：与它在日志里的 SHA-256 不符", ": does not fit the SHA-256 that it had in the log")
_NO_ENTRY = Text("：台账没有它所指的条目", ": the ledger has no such entry as it names")
_NOT_SAID = Text("：与台账条目所记不符", ": does not say what its entry of the ledger says")
_UNNAMED = Text("：台账有它的条目，它却不指", ": the ledger has its entry, and it names none")
_PLACE = Text(
    "：在日志里的位置不在上一条之后，重复或移动过",
    ": stands in the log not behind the one before it: it is here twice, or was moved",
)
_LEFT_OUT = Text(
    "：有一个写作未附的字段不是可以不附的，或者还有字",
    ": a field that is said to be left out is none that may be, or holds words",
)


def plain(value: msgspec.Raw) -> Any:
    """What a field of an entry says; None where it cannot be read."""
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeError):
        return None


def _fits(entry: Entered, value: bytes, left_out: tuple[str, ...]) -> bool:
    """Do the fields that stand in both say the same?"""
    try:
        fields = msgspec.json.decode(value, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    kept = {k: v for k, v in entry.what.items() if k not in ("channels", *left_out)}
    return fields.get("type") == entry.of and all(
        fields.get(k) == plain(v) for k, v in kept.items()
    )
