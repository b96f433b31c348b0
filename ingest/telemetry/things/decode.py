"""An Observation of OGC SensorThings as a reading.

SensorThings 1.1 (OGC 18-088): `phenomenonTime` is an instant or an interval `A/B` (ISO 8601), `resultTime` an
instant, `result` anything, `resultQuality` anything. In 2.0 `phenomenonTime` is an object with `start` and
perhaps `end`: read alike. A sum over an interval counts at its end, as every other sum here.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from config.language import Said, Text
from config.records.devices.things import ThingRow
from ingest.decode.reading import JSON_BYTES, Reading, too_many
from ingest.observation import Flag
from stream.limits import Unreadable, moment, read_json
from stream.records import Rejected

_any = msgspec.json.Decoder()
_NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\s*")
_OF_LINK = re.compile(r"Datastreams\((?:'([^'/+#]{1,100})'|([^'/()]{1,100}))\)")
_LONGEST = 128  # of a time or a number written as text
_NONE = ("", "nan", "null", "none", "n/a", "-", "---", "///")
_OBJECT = Text("应为一个 Observation 对象或它们的列表", "write an Observation, or a list of them")
_NO_STREAM = Text(
    "没有 Datastream 的 @iot.id：发到 v1.1/Datastreams(ID)/Observations",
    "names no Datastream by its @iot.id: publish to v1.1/Datastreams(ID)/Observations",
)
_A_TIME = Text(
    "phenomenonTime 应为 RFC 3339 时刻，或 A/B 且 A 不晚于 B",
    "phenomenonTime must be an RFC 3339 instant, or A/B with A not after B",
)

_A_RESULT_TIME = Text(
    "resultTime 应为带时区的 RFC 3339 时刻", "resultTime must be an RFC 3339 instant with its zone"
)


class Result(NamedTuple):
    """An Observation. datastream: its id where the payload names one. reading: None where it says that there is
    no value. ms: over how long it was observed, 0 for an instant. flag, test: what resultQuality and the
    result itself say of it; GOOD: nothing."""

    datastream: str
    reading: Reading | None
    ms: int = 0
    flag: Flag = Flag.GOOD
    test: str = ""


def observations(payload: bytes) -> Sequence[dict[str, Any] | Rejected]:
    """The Observations of a payload."""
    try:
        found = read_json(payload, _any, JSON_BYTES)
    except Unreadable as e:
        return [Rejected(e.reason, e.words)]
    items = found if isinstance(found, list) else [found]
    if (most := too_many(items)) is not None:
        return [most]
    return [x if isinstance(x, dict) else Rejected("bad_payload", _OBJECT) for x in items]


def stream_of(found: dict[str, Any]) -> str | Rejected:
    """The id of its Datastream, by the entity it links or by the link's address."""
    linked = found.get("Datastream")
    if isinstance(linked, dict):
        name = linked.get("@iot.id", linked.get("id"))
        if type(name) in (int, str) and len(shown := str(name)) <= _LONGEST:
            return shown
    for key in ("Datastream@iot.navigationLink", "Datastream@iot.associationLink"):
        link = found.get(key)
        if isinstance(link, str) and (match := _OF_LINK.search(link[:1000])):
            return match[1] or match[2]
    return Rejected("bad_payload", _NO_STREAM)


def read(found: dict[str, Any], row: ThingRow) -> Result | Rejected:
    """What it says, by the row of its Datastream."""
    when = _when(found)
    if isinstance(when, Rejected):
        return when
    at, ms, marked = when
    value = _value(found.get("result"), row)
    if isinstance(value, Rejected):
        return value
    flag, test = _quality(found.get("resultQuality"), row)
    if value is None or flag == Flag.MISSING:
        return Result(row.datastream, None)
    if value in row.trace:
        value, flag, test = 0.0, flag, test or "trace"
    else:
        value = value * row.scale + row.offset
    seconds = None if at is None else at / 1000
    reading = Reading(value=value, time=seconds, unit=row.unit or None)
    return Result(row.datastream, reading, ms, flag, test or marked)


def _when(found: dict[str, Any]) -> tuple[int | None, int, str] | Rejected:
    """When it was observed (ms; None: nobody says), over how long, and the test that marks a time that is not
    that of the phenomenon."""
    given = found.get("phenomenonTime")
    if isinstance(given, dict):
        given = "/".join(str(given[k]) for k in ("start", "end") if given.get(k) is not None)
    if given is None:
        late = found.get("resultTime")
        if late is None:
            return None, 0, ""
        at = moment(late) if isinstance(late, str) else None
        if at is None:  # it says when, and nobody can read it: it may be of long ago
            return Rejected("bad_time", _A_RESULT_TIME)
        return at, 0, "time_of_result"
    if not isinstance(given, str) or len(given) > _LONGEST:
        return Rejected("bad_time", _A_TIME)
    begin, slash, end = given.partition("/")
    first, last = moment(begin.strip()), moment((end if slash else begin).strip())
    if first is None or last is None or last < first:
        return Rejected("bad_time", f"{given[:60]!r}: " + _A_TIME)
    return last, last - first, ""


def _value(result: Any, row: ThingRow) -> float | Rejected | None:
    """The number; None where it says that there is none."""
    if isinstance(result, str) and len(result) <= _LONGEST:
        if result.strip().lower() in _NONE:
            return None
        if _NUMBER.fullmatch(result):
            result = float(result)
    if result is None:
        return None
    if type(result) is bool:
        result = int(result)
    if type(result) not in (int, float):
        return Rejected("bad_value", _no_number(result))
    return None if result in row.missing else result


def _no_number(result: Any) -> Said:
    shown = repr(result)
    shown = shown if len(shown) <= 60 else shown[:57] + "…"
    return Text(f"result {shown} 不是数", f"result {shown} is no number")


def _quality(given: Any, row: ThingRow) -> tuple[Flag, str]:
    """What resultQuality says, where the row has its scale; what is not on it is in doubt."""
    if not row.quality or given is None:
        return Flag.GOOD, ""
    while isinstance(given, list | dict):
        inner = given[:1] if isinstance(given, list) else [given.get("code")]
        given = inner[0] if inner else None
    if type(given) is float and given.is_integer():  # JSON has one kind of number
        given = int(given)
    text = str(given).strip()[:20]
    for flag in Flag:
        if text == str(int(flag)):
            return flag, "" if flag in (Flag.GOOD, Flag.NOT_EVALUATED) else "result_quality"
    return Flag.SUSPECT, "result_quality"
