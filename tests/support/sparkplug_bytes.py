"""Payloads of Sparkplug B for the tests, written field by field: another hand than the reader's."""

import struct
from typing import Any

KINDS = {
    "int": (10, 0),
    "long": (11, 0),
    "float": (12, 5),
    "double": (13, 1),
    "boolean": (14, 0),
    "string": (15, 2),
}
PARTS = {"name": 1, "alias": 2, "timestamp": 3, "datatype": 4, "historical": 5, "null": 7}


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def field(number: int, value: Any) -> bytes:
    """By the value's type: bytes and text with their length, numbers as they are."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return varint(number * 8 + 2) + varint(len(value)) + value
    return varint(number * 8) + varint(int(value))


def metric(kind: str = "", value: Any = None, **parts: Any) -> bytes:
    """One metric; parts: of PARTS."""
    body = b"".join(field(PARTS[name], part) for name, part in parts.items())
    if not kind:
        return body
    number, wire = KINDS[kind]
    if wire == 5:
        return body + varint(number * 8 + 5) + struct.pack("<f", value)
    if wire == 1:
        return body + varint(number * 8 + 1) + struct.pack("<d", value)
    return body + field(number, value)


def payload(*metrics: bytes, at: int | None = None, seq: int | None = None) -> bytes:
    head = b"" if at is None else field(1, at)
    tail = b"" if seq is None else field(3, seq)
    return head + b"".join(field(2, m) for m in metrics) + tail
