"""SenML packs in JSON (RFC 8428): base values, relative times, sums.

The name of a record is `station:quantity` or `station/quantity` (base name and name joined).
Values that are not numbers are rejected alone.
"""

from typing import Any

import msgspec

from config.language import Said, Text
from ingest.decode.reading import JSON_BYTES, Reading, Relative, too_many
from stream.limits import Unreadable, number, read_json
from stream.records import Rejected

_RELATIVE_BELOW = 2**28  # RFC 8428 section 4.5.3: smaller times are relative to now
_VERSION = 10
_any = msgspec.json.Decoder()


def resolve(pack: list[Any]) -> list[dict[str, Any] | Rejected]:
    """Base fields applied (section 4.6): each record with its whole name, time, value, unit."""
    base: dict[str, Any] = {}
    out: list[dict[str, Any] | Rejected] = []
    for n, record in enumerate(pack):
        if not isinstance(record, dict):
            words = Text(f"第 {n + 1} 条不是对象", f"record {n + 1} is not an object")
            out.append(Rejected("bad_payload", words))
            continue
        base.update({k: v for k, v in record.items() if k.startswith("b")})
        fault = _fault(record, base)
        if fault:
            out.append(
                Rejected("bad_payload", Text(f"第 {n + 1} 条：", f"record {n + 1}: ") + fault)
            )
            continue
        if not any(k in record for k in ("v", "vs", "vb", "vd", "s")):
            continue  # only base values
        name = f"{base.get('bn', '')}{record.get('n', '')}"
        out.append(
            {
                "n": name,
                "u": record.get("u", base.get("bu")),
                "t": base.get("bt", 0) + record.get("t", 0),
                **({"v": base.get("bv", 0) + record["v"]} if "v" in record else {}),
                **({"s": base.get("bs", 0) + record["s"]} if "s" in record else {}),
                **{k: record[k] for k in ("vs", "vb", "vd") if k in record},
            }
        )
    return out


def _fault(record: dict[str, Any], base: dict[str, Any]) -> Said:
    for key in ("bt", "bv", "bs", "t", "v", "s", "ut"):
        held = record if key in record else base
        if key in held and number(held[key]) is None:
            return Text(f"{key} 不是数字", f"{key} is not a number")
    for key in ("bn", "bu", "n", "u"):
        held = record if key in record else base
        if key in held and not isinstance(held[key], str):
            return Text(f"{key} 不是文本", f"{key} is not a text")
    version = base.get("bver", _VERSION)
    if not isinstance(version, int) or version > _VERSION:
        return Text(f"bver {version} 不支持", f"bver {version} is not supported")
    unknown = [k for k in record if k.endswith("_")]
    if not unknown:
        return ""
    return Text(f"必须理解的字段 {unknown[0]}", f"must-understand field {unknown[0]}")


def decode_senml(payload: bytes, received_at: int) -> list[Reading | Rejected]:
    """A pack as readings; times relative to `received_at` (ms) are made absolute."""
    try:
        pack = read_json(payload, _any, JSON_BYTES)
    except Unreadable as e:
        return [Rejected(e.reason, e.words)]
    if not isinstance(pack, list):
        words = Text("SenML 应为记录的列表", "a SenML pack is a list of records")
        return [Rejected("bad_payload", words)]
    if (wrong := too_many(pack)) is not None:
        return [wrong]
    out: list[Reading | Rejected] = []
    for record in resolve(pack):
        if isinstance(record, Rejected):
            out.append(record)
            continue
        name = record["n"]
        station, _, quantity = name.replace("/", ":").rpartition(":")
        if "v" not in record:
            words = Text(f"{name}: 不是数值", f"{name}: has no numeric value")
            out.append(Rejected("bad_value", words))
            continue
        seconds = record["t"]
        kind = Reading
        if abs(seconds) < _RELATIVE_BELOW:
            kind, seconds = Relative, received_at / 1000 + seconds
        out.append(
            kind(
                value=record["v"],
                time=seconds,
                unit=record["u"],
                station=station.strip(":"),
                quantity=quantity,
            )
        )
    return out
