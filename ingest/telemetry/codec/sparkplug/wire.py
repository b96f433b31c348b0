"""Payloads of Sparkplug B: read with the place of every field, and the few that a host writes."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from ingest.telemetry.codec.said import Fault

MOST_BYTES = 1_000_000  # of a payload, packed or not
MOST_METRICS = 20_000
REBIRTH = "Node Control/Rebirth"
BD_SEQ = "bdSeq"
QUALITY = "Quality"  # a metric's property (specification 3.0, section 6.4.9.1)
BAD, GOOD, STALE = 0, 192, 500
BOOLEAN = 11
_COMPRESSED = "SPBV1.0_COMPRESSED"
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5  # wire types of protobuf; 3 and 4, groups, are not used
# fields of a metric that hold its value -> (name, wire type); those without a name are of no number
_VALUES = {
    10: ("int", _VARINT), 11: ("long", _VARINT), 12: ("float", _FOUR), 13: ("double", _EIGHT),
    14: ("boolean", _VARINT), 15: ("string", _BYTES), 16: ("bytes", _BYTES), 17: ("dataset", _BYTES),
    18: ("template", _BYTES), 19: ("extension", _BYTES),
}  # fmt: skip


class Field(NamedTuple):
    """One field as it stands. at: its first byte; value: a whole number, or bytes."""

    number: int
    wire: int
    value: int | bytes
    at: int
    end: int


class Metric(NamedTuple):
    """One metric. at: its first byte in the payload. kind: which field holds the value, "" for none. value: of
    whole numbers as they stand, unsigned."""

    at: int
    end: int
    name: str | None = None
    alias: int | None = None
    timestamp: int | None = None
    datatype: int | None = None
    historical: bool = False
    null: bool = False
    kind: str = ""
    value: int | float | str | bytes | None = None
    quality: int | None = None  # the property Quality, None: not given


class Payload(NamedTuple):
    """A payload. faults: what of it cannot be read; the rest stands all the same."""

    timestamp: int | None
    seq: int | None
    metrics: tuple[Metric, ...]
    faults: tuple[Fault, ...]
    packed: str = ""  # how it was compressed


class _Cut(Exception):
    def __init__(self, at: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.at, self.zh, self.en = at, zh, en

    def fault(self, which: str = "") -> Fault:
        return Fault(self.at, "cut", f"{which}{self.zh}", f"{which}{self.en}")


def _varint(raw: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for n in range(at, min(end, at + 10)):
        value |= (raw[n] & 0x7F) << shift
        if raw[n] < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, n + 1
        shift += 7
    if end - at >= 10:
        raise _Cut(at, "整数超过 10 字节", "a number of more than ten bytes")
    raise _Cut(at, "整数不完整", "a number is cut off")


def fields(raw: bytes, at: int, end: int) -> Iterator[Field]:
    """The fields between two places. Raises `_Cut` at what is none."""
    while at < end:
        begin = at
        key, at = _varint(raw, at, end)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(raw, at, end)
            yield Field(number, wire, value, begin, at)
            continue
        size = {_EIGHT: 8, _FOUR: 4}.get(wire, -1)
        if wire == _BYTES:
            size, at = _varint(raw, at, end)
        if size < 0 or number == 0:
            raise _Cut(
                begin, f"不是 protobuf 字段（类型 {wire}）", f"no field of protobuf (type {wire})"
            )
        if size > end - at:
            raise _Cut(
                begin, f"要 {size} 字节，只有 {end - at}", f"wants {size} bytes, has {end - at}"
            )
        yield Field(number, wire, raw[at : at + size], begin, at + size)
        at += size


def read(raw: bytes) -> Payload:
    """A payload, unpacked where it is compressed. Nothing raises."""
    if len(raw) > MOST_BYTES:
        return Payload(None, None, (), (_long(len(raw)),))
    plain, uuid, body = _read(raw)
    if uuid != _COMPRESSED:
        return plain
    return _unpacked(plain, body)


def _long(size: int) -> Fault:
    return Fault(
        0, "oversize", f"{size} 字节：上限 {MOST_BYTES}", f"{size} bytes: at most {MOST_BYTES}"
    )


def _read(raw: bytes) -> tuple[Payload, str, bytes]:
    head: dict[int, int] = {}
    uuid, body = "", b""
    metrics: list[Metric] = []
    faults: list[Fault] = []
    try:
        for f in fields(raw, 0, len(raw)):
            if f.number == 2 and f.wire == _BYTES:
                if len(metrics) + len(faults) >= MOST_METRICS:
                    raise _Cut(
                        f.at, f"超过 {MOST_METRICS} 个量", f"more than {MOST_METRICS} metrics"
                    )
                one = metric(raw, f, len(metrics) + len(faults))
                (faults if isinstance(one, Fault) else metrics).append(one)  # type: ignore[arg-type]
            elif f.number in (1, 3) and isinstance(f.value, int):
                head[f.number] = f.value
            elif f.number == 4 and isinstance(f.value, bytes):
                uuid = f.value.decode("utf-8", "replace")
            elif f.number == 5 and isinstance(f.value, bytes):
                body = f.value
    except _Cut as e:
        faults.append(e.fault())
    return Payload(head.get(1), head.get(3), tuple(metrics), tuple(faults)), uuid, body


def _unpacked(outer: Payload, body: bytes) -> Payload:
    """The payload in the body of a compressed one (metric `algorithm`: GZIP or DEFLATE, which is zlib's form;
    the head of the bytes tells them apart)."""
    named = next((m.value for m in outer.metrics if m.name == "algorithm"), "")
    inflate = zlib.decompressobj(47)  # a head of gzip or zlib, the largest window
    try:
        plain = inflate.decompress(body, MOST_BYTES + 1)
    except zlib.error as e:
        zh, en = f"压缩的内容损坏：{e}", f"what is compressed is damaged: {e}"
        return outer._replace(metrics=(), faults=(*outer.faults, Fault(0, "cut", zh, en)))
    if len(plain) > MOST_BYTES:
        return outer._replace(metrics=(), faults=(*outer.faults, _long(len(plain))))
    found, _, _ = _read(plain)
    lacks = (
        ()
        if inflate.eof
        else (Fault(len(plain), "cut", "压缩的内容不完整", "what is compressed is cut"),)
    )
    seq = outer.seq if found.seq is None else found.seq
    stamp = outer.timestamp if found.timestamp is None else found.timestamp
    return Payload(
        stamp, seq, found.metrics, (*outer.faults, *found.faults, *lacks), str(named) or "?"
    )


def metric(raw: bytes, whole: Field, nth: int) -> Metric | Fault:
    """The metric in a field of a payload, or what is wrong with it. nth: among them, from 0."""
    assert isinstance(whole.value, bytes)
    begin = whole.end - len(whole.value)
    found: dict[str, int | float | str | bytes | bool | None] = {}
    which = found_name = ""
    try:
        for f in fields(raw, begin, whole.end):
            if f.number == 1 and isinstance(f.value, bytes):
                found["name"] = found_name = _text(f)
            elif f.number in _NUMBERS and isinstance(f.value, int):
                name = _NUMBERS[f.number]
                found[name] = f.value != 0 if name in ("historical", "null") else f.value
            elif f.number in _VALUES:
                which, value = _value(f)
                found["kind"], found["value"] = which, value
            elif f.number == _PROPERTIES and isinstance(f.value, bytes):
                found["quality"] = _quality(raw, f)
    except _Cut as e:
        of = f"{nth + 1} {found_name[:40]}".rstrip()
        return Fault(e.at, "cut", f"第 {of} 个量：{e.zh}", f"metric {of}: {e.en}")
    return Metric(whole.at, whole.end, **found)  # type: ignore[arg-type]


_PROPERTIES = 9
_NUMBERS = {2: "alias", 3: "timestamp", 4: "datatype", 5: "historical", 7: "null"}


def _quality(raw: bytes, whole: Field) -> int | None:
    """The whole number of the property Quality in a set of properties, None where there is none. The first key
    is of the first value, and so on."""
    assert isinstance(whole.value, bytes)
    keys: list[Field] = []
    values: list[Field] = []
    for f in fields(raw, whole.end - len(whole.value), whole.end):
        if isinstance(f.value, bytes) and f.number in (1, 2):
            (keys if f.number == 1 else values).append(f)
    for key, value in zip(keys, values, strict=False):
        if key.value == QUALITY.encode() and isinstance(value.value, bytes):
            begin = value.end - len(value.value)
            numbers = {f.number: f.value for f in fields(raw, begin, value.end)}
            given = numbers.get(3, numbers.get(4))
            return given if isinstance(given, int) else None
    return None


def _text(f: Field) -> str:
    assert isinstance(f.value, bytes)
    try:
        return f.value.decode()
    except UnicodeDecodeError as e:
        raise _Cut(f.end - len(f.value) + e.start, "不是 UTF-8", "is no UTF-8") from e


def _value(f: Field) -> tuple[str, int | float | str | bytes]:
    kind, wire = _VALUES[f.number]
    if f.wire != wire:
        raise _Cut(f.at, f"{kind}_value 的类型是 {f.wire}", f"{kind}_value has the type {f.wire}")
    if isinstance(f.value, int):
        return kind, f.value
    if kind == "float":
        return kind, float(struct.unpack("<f", f.value)[0])
    if kind == "double":
        return kind, float(struct.unpack("<d", f.value)[0])
    return kind, _text(f) if kind == "string" else f.value


def _put(number: int, value: int) -> bytes:
    """A whole number as a field."""
    out = bytearray()
    for part in (number << 3, value):
        while part > 0x7F:
            out.append(part & 0x7F | 0x80)
            part >>= 7
        out.append(part)
    return bytes(out)


def _put_bytes(number: int, value: bytes) -> bytes:
    head = bytearray(_put(number, len(value)))
    head[0] |= _BYTES  # numbers below 16: the key is one byte
    return bytes(head) + value


def rebirth(now: int) -> bytes:
    """The command (NCMD) by which a host asks an edge node for its births. now: ms since 1970."""
    one = _put_bytes(1, REBIRTH.encode()) + _put(3, now) + _put(4, BOOLEAN) + _put(14, 1)
    return _put(1, now) + _put_bytes(2, one)
