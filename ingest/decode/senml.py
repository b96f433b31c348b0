"""SenML packs (RFC 8428) in JSON and CBOR: base values, relative times, sums, units.

The name of a record is `station:quantity` or `station/quantity` (base name and name joined). What is bad in a
pack is rejected alone, with the number of its record; a pack of a version that we do not know is not used at
all (section 4.4).
"""

from typing import Any

import msgspec

from config.language import Said, Text
from config.records.quantity import QUANTITIES, Quantity
from ingest.decode.reading import JSON_BYTES, Reading, Relative, too_many
from ingest.decode.senml_cbor import is_cbor, read_pack
from ingest.decode.senml_units import RATIO, into
from stream.limits import Unreadable, number, read_json
from stream.records import Rejected

_RELATIVE_BELOW = 2**28  # RFC 8428 section 4.5.3: smaller times are relative to now
_VERSION = 10
# RFC 9100: a version above 10 is 10 and a bit for each feature; this is 4's
_SECONDARY_UNITS = 2**4
_VALUES = ("v", "vs", "vb", "vd")
_BASE = ("bn", "bt", "bu", "bv", "bs")
# signs of half a name: one longer is none of ours, and must not be held for each record
_LONGEST = 200
_any = msgspec.json.Decoder()


def resolve(pack: list[Any]) -> list[dict[str, Any] | Rejected]:
    """Base fields applied (section 4.6): each record with its whole name, time, value, unit."""
    if (wrong := _version(pack)) is not None:
        return [wrong]
    base: dict[str, Any] = {}
    out: list[dict[str, Any] | Rejected] = []
    for n, record in enumerate(pack):
        if not isinstance(record, dict):
            out.append(_bad(n, Text("不是对象", "is not an object")))
            continue
        base.update({k: v for k, v in record.items() if k in _BASE or _must(k)})
        if fault := _fault(record, base):
            out.append(_bad(n, fault))
        elif (found := _resolved(record, base)) is not None:
            out.append(found)
        elif not all(k.startswith("b") for k in record):
            out.append(_bad(n, Text("没有值", "has no value")))
    return out


def _must(key: str) -> bool:
    """A base field that nobody knows, and that must be understood."""
    return key.startswith("b") and key.endswith("_")


def _resolved(record: dict[str, Any], base: dict[str, Any]) -> dict[str, Any] | None:
    """None: there is no value in it. A missing one of the two is zero (section 4.5.4)."""
    name = base.get("bn", "")[:_LONGEST] + record.get("n", "")[:_LONGEST]
    values: dict[str, Any] = {k: record[k] for k in ("vs", "vb", "vd") if k in record}
    alone = not any(not k.startswith("b") for k in record)  # base fields for those behind it
    if "v" in record or ("bv" in base and not values and "s" not in record and not alone):
        values["v"] = base.get("bv", 0) + record.get("v", 0)
    if "s" in record or ("bs" in base and not alone):
        values["s"] = base.get("bs", 0) + record.get("s", 0)
    if not values:
        return None
    time = base.get("bt", 0) + record.get("t", 0)
    return {"n": name, "u": record.get("u", base.get("bu")), "t": time, **values}


def _bad(n: int, why: Said) -> Rejected:
    return Rejected("bad_payload", Text(f"第 {n + 1} 条：", f"record {n + 1}: ") + why)


def _version(pack: list[Any]) -> Rejected | None:
    """All records of a pack have one version (section 4.4), 10 where none is written; 26 is 10 with secondary
    units (RFC 9100), which we take in any version, for devices write them in any."""
    known = _VERSION
    for n, record in enumerate(pack):
        if not isinstance(record, dict) or "bver" not in record:
            continue
        version = record["bver"]
        if type(version) is float and version.is_integer():  # JSON has one kind of number
            version = int(version)
        newer = type(version) is int and version == _VERSION | _SECONDARY_UNITS
        if not newer and (type(version) is not int or not 1 <= version <= _VERSION):
            shown = str(record["bver"])[:20]
            return _bad(n, Text(f"bver {shown} 不支持", f"bver {shown} is not supported"))
        if n and version != known:
            words = Text(
                f"bver {version}，前面是 {known}", f"bver {version}, before it was {known}"
            )
            return _bad(n, words)
        known = version
    return None


def _fault(record: dict[str, Any], base: dict[str, Any]) -> Said:
    for key in ("bt", "bv", "bs", "t", "v", "s", "ut"):
        held = record if key in record else base
        if key in held and number(held[key]) is None:
            return Text(f"{key} 不是数字", f"{key} is not a number")
    for key in ("bn", "bu", "n", "u"):
        held = record if key in record else base
        if key in held and not isinstance(held[key], str):
            return Text(f"{key} 不是文本", f"{key} is not a text")
    # a base field is of its own record and of all behind it
    unknown = next((k for k in (*record, *base) if k.endswith("_")), "")
    if unknown:
        label = unknown[:40]
        return Text(f"必须理解的字段 {label}", f"must-understand field {label}")
    several = [k for k in _VALUES if k in record]
    if len(several) > 1:
        both = ", ".join(several)
        return Text(f"一条只能有一个值：{both}", f"more than one value: {both}")
    return ""


def decode_senml(payload: bytes, received_at: int) -> list[Reading | Rejected]:
    """A pack as readings; times relative to `received_at` (ms) are made absolute."""
    told: list[Rejected] = []
    try:
        if is_cbor(payload):
            pack, told = read_pack(payload, JSON_BYTES)
        else:
            pack = read_json(payload, _any, JSON_BYTES)
    except Unreadable as e:
        return [Rejected(e.reason, e.words)]
    if not isinstance(pack, list):
        words = Text("SenML 应为记录的列表", "a SenML pack is a list of records")
        return [Rejected("bad_payload", words)]
    if (wrong := too_many(pack)) is not None:
        return [wrong]
    found = resolve(pack)
    read = [one if isinstance(one, Rejected) else _reading(one, received_at) for one in found]
    return [*read, *told]


def _reading(record: dict[str, Any], received_at: int) -> Reading | Rejected:
    station, _, quantity = record["n"].replace("/", ":").rpartition(":")
    value = _measured(record, QUANTITIES.get(quantity))
    if isinstance(value, Rejected):
        return Rejected(value.reason, f"{record['n'][:60]}: " + value.detail)
    seconds, kind = record["t"], Reading
    if seconds < _RELATIVE_BELOW:
        kind, seconds = Relative, received_at / 1000 + seconds
    return kind(
        value=value[0], time=seconds, unit=value[1], station=station.strip(":"), quantity=quantity
    )


def _measured(record: dict[str, Any], row: Quantity | None) -> tuple[Any, Any] | Rejected:
    """The value and its unit: ours where SenML's can be turned into it. row: of its quantity, if it is ours."""
    unit, ours = record["u"], row.unit if row else ""
    if row is not None and row.kind == "state" and type(record.get("vb")) is bool:
        return int(record["vb"]), None
    value = record.get("v")
    if value is not None and unit is not None:
        if unit == RATIO and ours == "%" and not -1 <= value <= 1:
            words = Text(
                f"{value} %：SenML 的 % 是比值（0–1），百分数写 /100、%RH 或 %EL",
                f"{value} %: in SenML % is a ratio (0 to 1); write /100, %RH or %EL for a percentage",
            )
            return Rejected("wrong_unit", words)
        turned = into(value, unit, ours)
        if turned is not None:
            return turned, ours
    if "s" in record and row is not None and row.kind == "counter" and unit is not None:
        total = into(record["s"], unit, ours, over_time=True)
        if total is not None:
            return total, ours
    if value is not None:
        return value, unit
    if "s" in record:
        words = Text(
            "只有累计和 s：只用于累计量（rain_counter 的 u 写 m/s 或 mm/h）",
            "has a sum alone (s): that is read for totals only (rain_counter with u m/s or mm/h)",
        )
        return Rejected("bad_value", words)
    return Rejected("bad_value", Text("不是数值", "has no numeric value"))
