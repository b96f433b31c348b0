"""What a metric's value is as a number: by its datatype, which births tell (specification 3.0, section 6.4)."""

import math
from typing import NamedTuple

from ingest.telemetry.codec.said import Pair
from ingest.telemetry.codec.sparkplug.wire import Metric

NAMES = {
    1: "Int8", 2: "Int16", 3: "Int32", 4: "Int64", 5: "UInt8", 6: "UInt16", 7: "UInt32", 8: "UInt64",
    9: "Float", 10: "Double", 11: "Boolean", 12: "String", 13: "DateTime", 14: "Text", 15: "UUID",
    16: "DataSet", 17: "Bytes", 18: "File", 19: "Template", 20: "PropertySet", 21: "PropertySetList",
    22: "Int8Array", 23: "Int16Array", 24: "Int32Array", 25: "Int64Array", 26: "UInt8Array",
    27: "UInt16Array", 28: "UInt32Array", 29: "UInt64Array", 30: "FloatArray", 31: "DoubleArray",
    32: "BooleanArray", 33: "StringArray", 34: "DateTimeArray",
}  # fmt: skip
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
_UNSIGNED = {5: 8, 6: 16, 7: 32, 8: 64}
_REAL, _BOOLEAN = (9, 10), 11
_WHOLE = ("int", "long")


class NoNumber(NamedTuple):
    """Why a metric's value is no number."""

    why: Pair


def number(m: Metric, datatype: int | None) -> int | float | NoNumber | None:
    """The value; None: the device says it has none (is_null, or no value at all, or no number: NaN). datatype:
    of its birth where the metric has none itself. A negative whole number travels in an unsigned field, as
    its two's complement in the width of the type, or in that of the field: both are read."""
    if m.null or m.value is None:
        return None
    kind = m.datatype if m.datatype in NAMES else datatype
    if m.kind == "boolean" or (kind == _BOOLEAN and m.kind in _WHOLE):
        return int(bool(m.value))
    if m.kind in ("float", "double"):
        value = float(m.value)
        return value if math.isfinite(value) else None
    if m.kind not in _WHOLE:
        name = NAMES.get(kind or 0, m.kind)
        return NoNumber(Pair(f"{name} 不是数", f"{name} is no number"))
    return _whole(int(m.value), m.kind, kind)


def _whole(value: int, field: str, kind: int | None) -> int | float | NoNumber:
    if kind is not None and kind in _SIGNED:
        return _signed(value, _SIGNED[kind], kind)
    if kind is not None and kind in _UNSIGNED:
        if value >> _UNSIGNED[kind]:
            return NoNumber(Pair(f"{value} 超出 {NAMES[kind]}", f"{value} is beyond {NAMES[kind]}"))
        return value
    if kind in _REAL:
        return float(value)
    if kind is not None and kind in NAMES:
        return NoNumber(Pair(f"{NAMES[kind]} 不是数", f"{NAMES[kind]} is no number"))
    if value >> (31 if field == "int" else 63):
        words = Pair("类型不知道，正负不明", "its type is not known, and so not its sign")
        return NoNumber(words)
    return value


def _signed(value: int, width: int, kind: int) -> int | NoNumber:
    """Two's complement in `width` bits, or carried on to 32 or 64."""
    for bits in dict.fromkeys((width, max(width, 32), 64)):
        if value >> bits:
            continue
        found = value - (1 << bits) if value >> (bits - 1) else value
        if -(1 << (width - 1)) <= found < 1 << (width - 1):
            return found
    return NoNumber(Pair(f"{value} 超出 {NAMES[kind]}", f"{value} is beyond {NAMES[kind]}"))
