"""The bytes of a LoRaWAN payload by a codec: each field with its place, raw bytes, value and unit, and what is
wrong with its byte. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from config.records.devices.lorawan import TIME, WILD, Codec, CodecField, CodecPart
from ingest.telemetry.codec.said import Fault
from stream.limits import number

_VERSION = 2  # of the flagged form's head
_HEAD = 5
_STRANGE = 8  # bytes that are shown of what nobody can read


class PayloadValue(NamedTuple):
    """A field as it was sent. value: None where the device says that it has none. time_s: when its piece was
    measured, seconds since 1970, where the piece says so. name: of a wild tag with the channel's number."""

    field: CodecField
    name: str
    at: int
    raw: bytes
    value: float | None
    time_s: float | None = None
    channel: int = -1


class PayloadPiece(NamedTuple):
    """A tag, a head or a piece without fields, for whoever wants to see every byte."""

    at: int
    raw: bytes
    zh: str
    en: str


class PayloadRead(NamedTuple):
    """All of a payload. measured: no field says that it is another kind of message."""

    fields: list[PayloadValue]
    pieces: list[PayloadPiece]
    faults: list[Fault]


def read_payload(codec: Codec, data: bytes) -> PayloadRead:
    """What the codec's form finds. What stands before a fault counts; nothing of what comes after it is
    guessed."""
    read = PayloadRead([], [], [])
    if codec.form == "fixed":
        _fixed(codec, data, read)
    elif codec.form == "tagged":
        _tagged(codec, data, read)
    elif codec.form == "flagged":
        _flagged(codec, data, read)
    return read


def _fixed(codec: Codec, data: bytes, read: PayloadRead) -> None:
    if len(data) < codec.bytes:
        read.faults.append(_cut(0, codec.bytes, len(data)))
        return
    part = CodecPart(bytes=codec.bytes, field=codec.field)
    read.fields.extend(_piece(codec, part, data, 0))
    if rest := data[codec.bytes :]:
        read.pieces.append(
            PayloadPiece(codec.bytes, rest, "编码没说的字节", "bytes the codec does not name")
        )


def _tagged(codec: Codec, data: bytes, read: PayloadRead) -> None:
    tags = [(_tag(p.tag), p) for p in codec.part]
    at = 0
    while at < len(data):
        tag, part = next(((t, p) for t, p in tags if _begins(data, at, t)), (None, None))
        if tag is None or part is None:
            if shorter := [t for t, _ in tags if _begins(data, at, t[: len(data) - at])]:
                read.faults.append(_cut(at, len(shorter[0]), len(data) - at))
                return
            shown = data[at : at + _STRANGE].hex(" ").upper()
            zh = f"不认识的标签：{shown} … 其后读不了"
            en = f"a tag that is not known: {shown} … what follows cannot be read"
            read.faults.append(Fault(at, "unknown_element", zh, en))
            return
        begin = at + len(tag)
        if begin + part.bytes > len(data):
            read.faults.append(_cut(at, len(tag) + part.bytes, len(data) - at))
            return
        channel = data[at] if tag[0] is None else -1
        if not part.field:
            raw = data[at : begin + part.bytes]
            read.pieces.append(PayloadPiece(at, raw, part.zh, part.en))
        read.fields.extend(_piece(codec, part, data, begin, channel))
        at = begin + part.bytes


def _flagged(codec: Codec, data: bytes, read: PayloadRead) -> None:
    if len(data) < _HEAD:
        read.faults.append(_cut(0, _HEAD, len(data)))
        return
    if data[0] != _VERSION:
        zh = f"版本是 {data[0]}，应为 {_VERSION}"
        read.faults.append(Fault(0, "bad_head", zh, f"version {data[0]}, expected {_VERSION}"))
        return
    flags, at = int.from_bytes(data[3:_HEAD], "big"), _HEAD
    device = int.from_bytes(data[1:3], "big")
    read.pieces.append(PayloadPiece(0, data[:_HEAD], f"设备 {device}", f"device {device}"))
    for n, part in enumerate(codec.part):
        if not flags >> n & 1:
            continue
        if at + part.bytes > len(data):
            read.faults.append(_cut(at, part.bytes, len(data) - at))
            return
        read.fields.extend(_piece(codec, part, data, at))
        at += part.bytes
    if strange := flags >> len(codec.part):
        bit = len(codec.part) + (strange & -strange).bit_length() - 1
        zh = f"第 {bit} 位的那一段编码里没有，其后读不了"
        en = f"the codec has no piece for flag {bit}: what follows cannot be read"
        read.faults.append(Fault(at, "unknown_element", zh, en))


def _tag(text: str) -> tuple[int | None, ...]:
    return tuple(None if word == WILD else int(word, 16) for word in text.split())


def _begins(data: bytes, at: int, tag: tuple[int | None, ...]) -> bool:
    have = data[at : at + len(tag)]
    return len(have) == len(tag) and all(
        t is None or t == h for t, h in zip(tag, have, strict=True)
    )


def _cut(at: int, wanted: int, have: int) -> Fault:
    zh = f"应有 {wanted} 字节，只有 {have}"
    return Fault(at, "cut", zh, f"{wanted} bytes expected, {have} there")


def _piece(
    codec: Codec, part: CodecPart, data: bytes, begin: int, channel: int = -1
) -> Iterator[PayloadValue]:
    """The fields of a piece; where one says that it is no measurement the others have no value."""
    found = []
    time_s, measured = None, True
    for field in part.field:
        at = begin + field.at
        raw = data[at : at + field.bytes]
        count = whole(raw, field.order or codec.order, field.signed, field.mask)
        missing = count in field.missing
        value = None if missing else count * field.scale + field.offset
        measured = measured and (not field.only or count in field.only)
        if field.gives == TIME:
            time_s = value
        name = field.name if channel < 0 else f"{field.name}_{channel}"
        found.append(PayloadValue(field, name, at, raw, value, None, channel))
    for one in found:
        shown = one.field.gives == TIME or bool(one.field.only)
        value = one.value if measured or shown else None
        yield one._replace(value=value, time_s=time_s)


def whole(raw: bytes, order: str, signed: bool = False, mask: int = 0) -> int:
    """Bytes as a whole number. words: 16 bits each with the high byte first, the lowest word first. With a
    mask those bits alone, from the lowest that it has."""
    if order == "words":
        raw, order = b"".join(raw[n : n + 2] for n in range(len(raw) - 2, -1, -2)), "big"
    count = int.from_bytes(
        raw, "little" if order == "little" else "big", signed=signed and not mask
    )
    if not mask:
        return count
    low = (mask & -mask).bit_length() - 1
    count = (count & mask) >> low
    top = (mask >> low).bit_length()
    return count - (1 << top) if signed and count >> (top - 1) else count


def read_object(codec: Codec, asked: Mapping[str, CodecField], given: Any) -> PayloadRead:
    """The fields that the network server's own codec has read, by their paths. asked: those that rows name
    beside the codec's own. A field that is not there is not measured, unless it says what it is then."""
    read = PayloadRead([], [], [])
    for field in {**{f.name: f for f in codec.field}, **asked}.values():
        path = field.path or field.name
        found = _at(given, path)
        if found is None and field.absent is not None:
            found = field.absent
        if type(found) is bool:
            found = int(found)
        if found is None:
            continue
        value = number(found)
        if value is None:
            zh, en = f"{path} 不是数：{found!r:.40}", f"{path} is no number: {found!r:.40}"
            read.faults.append(Fault(0, "bad_value", zh, en))
            continue
        missing = value in field.missing
        reckoned = None if missing else value * field.scale + field.offset
        read.fields.append(PayloadValue(field, field.name, 0, b"", reckoned))
    times = [f for f in codec.field if f.gives == TIME]
    dated = any(_at(given, f.path or f.name) is not None for f in times)
    time_s = next((f.value for f in read.fields if f.field.gives == TIME), None)
    read.fields[:] = [f._replace(time_s=time_s) for f in read.fields]
    if dated and time_s is None:  # nobody can read it: these may be values of long ago
        read.fields[:] = [f._replace(value=None) for f in read.fields]
    return read


def _at(given: Any, path: str) -> Any:
    """What stands at a path, `data.probes.0.level`; a name with points in it as a whole too."""
    if isinstance(given, dict) and path in given:
        return given[path]
    for step in path.split("."):
        if isinstance(given, dict):
            given = given.get(step)
        elif isinstance(given, list) and step.isascii() and step.isdigit() and len(step) < 6:
            given = given[int(step)] if int(step) < len(given) else None
        else:
            return None
    return given
