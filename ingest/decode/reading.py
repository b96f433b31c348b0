"""The form in which every codec hands over what it found, and JSON: one reading or a list.

A reading: {"time": "2025-07-26T22:10:00+08:00", "value": 3.2, "unit": "mm", "seq": 7}; `time` is
RFC 3339 with its offset, or seconds since 1970, or missing. From a gateway each reading also names
its `station` and `quantity`.
"""

from typing import Any, NamedTuple

import msgspec


class Reading(msgspec.Struct):
    """Fields as they came; `ingest.identify` judges them. `time` None: not given."""

    value: Any = None
    time: Any = None
    unit: Any = None
    seq: Any = None
    station: Any = None
    quantity: Any = None


class Rejected(NamedTuple):
    """Bad input: a code of the closed list REASONS, and in words where it is and what to do."""

    reason: str
    detail: str


REASONS = (
    "bad_payload",
    "oversize",
    "unknown_topic",
    "unknown_station",
    "wrong_quantity",
    "wrong_unit",
    "bad_value",
    "bad_time",
    "clock_ahead",
    "too_old",
    "bad_seq",
    "bad_frame",
    # CAP messages of others
    "unknown_source",
    "unsigned",
    "bad_signature",
    "wrong_status",
    "expired",
    "bad_reference",
    "not_for_us",
    # people
    "unknown_person",
    "not_their_area",
    "unclear",
    "too_many",
)

_decoder = msgspec.json.Decoder(Reading | list[Any])


class _Wrapped(msgspec.Struct):
    readings: list[Any]


_wrapped = msgspec.json.Decoder(_Wrapped)
_many = msgspec.json.Decoder(list[Reading])


def decode_json(payload: bytes) -> list[Reading | Rejected]:
    """A payload as readings; a bad one in a list is rejected alone."""
    try:
        if payload[:1] == b"[" or payload.lstrip()[:1] == b"[":
            return list(_many.decode(payload))
        found = _decoder.decode(payload)
        if isinstance(found, Reading) and found.value is None and b'"readings"' in payload:
            return _each(_wrapped.decode(payload).readings)
        assert isinstance(found, Reading)
        return [found]
    except msgspec.ValidationError:
        return _one_by_one(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        return [
            Rejected("bad_payload", f"不是 JSON not JSON ({e}); send a reading or a list of them")
        ]


def _one_by_one(payload: bytes) -> list[Reading | Rejected]:
    try:
        found = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        return [Rejected("bad_payload", f"不是 JSON not JSON ({e})")]
    if isinstance(found, list):
        return _each(found)
    return [Rejected("bad_payload", "应为对象或列表 send a reading {…} or a list of them")]


def _each(items: list[Any]) -> list[Reading | Rejected]:
    out: list[Reading | Rejected] = []
    for n, item in enumerate(items):
        try:
            out.append(msgspec.convert(item, Reading))
        except msgspec.ValidationError as e:
            out.append(Rejected("bad_payload", f"第 {n + 1} 条不是读数 item {n + 1}: {e}"))
    return out
