"""The form in which every codec hands over what it found, and JSON: one reading or a list.

A reading: {"time": "2025-07-26T22:10:00+08:00", "value": 3.2, "unit": "mm", "seq": 7}; `time` is
RFC 3339 with its offset, or seconds since 1970, or missing. From a gateway each reading also names
its `station` and `quantity`.
"""

from typing import Any

import msgspec

from config.language import Text
from stream.limits import Unreadable, read_json
from stream.records import Rejected

JSON_BYTES = 256_000
MOST_ITEMS = 20_000  # of a list: more are no readings, they would be too short


class Reading(msgspec.Struct):
    """Fields as they came; `ingest.identify` judges them. `time` None: not given."""

    value: Any = None
    time: Any = None
    unit: Any = None
    seq: Any = None
    station: Any = None
    quantity: Any = None


class Relative(Reading):
    """Its time was reckoned from its receipt: it is ours, not the device's."""


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
    "no_room",
    "retained",
    # gateways
    "unknown_gateway",
    "not_its_station",
    # telemetry stations (docs/devices/sl651.md)
    "bad_crc",
    "cut_frame",
    "no_frame",
    "unknown_element",
    "bad_password",
    "address_twice",
    "unasked",
    # cameras that are asked (docs/devices/camera.md)
    "no_picture",
    "other_size",
    # files of a weather office (docs/devices/weather-office.md)
    "unknown_file",
    # LoRaWAN devices (docs/devices/lorawan.md)
    "network_error",
    "other_port",
    "simulated",
    # edge nodes of Sparkplug (docs/devices/sparkplug.md)
    "no_birth",
    "sequence_gap",
    "unknown_alias",
    "alias_twice",
    "unknown_metric",
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

_one = msgspec.json.Decoder(Reading)
_many = msgspec.json.Decoder(list[Reading])
_any = msgspec.json.Decoder()


def decode_json(payload: bytes) -> list[Reading | Rejected]:
    """A payload as readings; a bad one in a list is rejected alone."""
    try:
        if payload[:1] == b"[" or payload.lstrip()[:1] == b"[":
            many = read_json(payload, _many, JSON_BYTES)
            return [*many]
        found = read_json(payload, _one, JSON_BYTES)
        if found.value is not None or b'"readings"' not in payload:
            return [found]
    except Unreadable as e:
        if not isinstance(e.__cause__, msgspec.ValidationError):
            return [Rejected(e.reason, e.words)]
    return _one_by_one(payload)


def _one_by_one(payload: bytes) -> list[Reading | Rejected]:
    try:
        found = read_json(payload, _any, JSON_BYTES)
    except Unreadable as e:
        return [Rejected(e.reason, e.words)]
    if isinstance(found, dict) and found.get("value") is None and "readings" in found:
        found = found["readings"]
    if isinstance(found, list):
        return _each(found)
    words = Text("应为一条读数 {…} 或其列表", "send a reading {…} or a list of them")
    return [Rejected("bad_payload", words)]


def too_many(items: list[Any]) -> Rejected | None:
    if len(items) <= MOST_ITEMS:
        return None
    words = Text(
        f"{len(items)} 条：上限 {MOST_ITEMS}；请分批",
        f"{len(items)} items: at most {MOST_ITEMS}; send less",
    )
    return Rejected("oversize", words)


def _each(items: list[Any]) -> list[Reading | Rejected]:
    if (wrong := too_many(items)) is not None:
        return [wrong]
    out: list[Reading | Rejected] = []
    for n, item in enumerate(items):
        try:
            out.append(msgspec.convert(item, Reading))
        except msgspec.ValidationError as e:
            words = Text(f"第 {n + 1} 条不是读数：{e}", f"item {n + 1} is no reading: {e}")
            out.append(Rejected("bad_payload", words))
    return out
