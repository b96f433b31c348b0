"""What must be true of lorawan.csv: which field of which device is whose reading."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches

from config.checks.devices.station_row import NO_ZERO, Fault, not_declared
from config.language import Text
from config.read.problem import Problem, problem, unknown_name
from config.records.devices.lorawan import (
    DISTANCE,
    DOWNWARD,
    OBJECT,
    TIPS,
    Codec,
    CodecField,
    LorawanRow,
    field_of,
)
from config.records.district import Station, TelemetryRow
from config.records.quantity import QUANTITIES

FILE = "lorawan.csv"
_EUI = re.compile(r"[0-9A-F]{16}")
_ANSWERS = {DISTANCE: tuple(DOWNWARD), TIPS: ("rain_counter",)}  # what else a field may be given to


def check_lorawan(
    problems: list[Problem],
    rows: Sequence[tuple[int, LorawanRow]],
    stations: Mapping[str, Station],
    codecs: Mapping[str, Codec],
    names: Collection[str],
    telemetry: Sequence[TelemetryRow] = (),
) -> None:
    """Every row, and the rows of one device and of one station together. codecs: those that could be read;
    names: of all that there are."""
    heads: dict[str, LorawanRow] = {}
    seen: dict[tuple[str, str], LorawanRow] = {}
    fed = {row.station for row in telemetry if not row.quantity}
    for n, row in rows:
        faults = [*_of_row(row, names), *_of_field(row, stations, codecs)]
        station = stations.get(row.station)
        head = heads.setdefault(row.eui, row)
        if head.codec != row.codec:
            words = Text("同一设备的另一行写的是", "another row of this device says ") + head.codec
            faults.append(("codec", words, Text("一台设备一种编码", "one codec a device")))
        codec = codecs.get(row.codec)
        field = None if station is None or codec is None else _field(codec, row, station)
        other = seen.setdefault((row.eui, field.name if field else row.field), row)
        if other is not row:
            words = Text(
                f"这个 DevEUI 已给 {other.station}",
                f"this DevEUI already stands for {other.station}",
            )
            hint = Text("一台设备的一个字段一行", "one row a field of a device")
            faults.append(("dev_eui", words, hint))
        if row.station in fed:
            words = Text(f"{row.station} 已有数据来源", f"{row.station} already has its readings")
            faults.append(("station", words, Text("一站一个来源", "one source a station")))
        fed.add(row.station)
        problems += [problem(FILE, n, column, words, hint) for column, words, hint in faults]


def _field(codec: Codec, row: LorawanRow, station: Station) -> CodecField | None:
    return field_of(codec, row, station.quantity)


def _of_row(row: LorawanRow, names: Collection[str]) -> Iterator[Fault]:
    if not _EUI.fullmatch(row.eui):
        yield "dev_eui", f"{row.dev_eui!r}", Text("16 位十六进制", "16 hex digits")
    if row.codec not in names:
        near = get_close_matches(row.codec[:40], names, 1)
        hint = Text(f"是 {near[0]} 吗？", f"did you mean {near[0]}? ") if near else Text("", "")
        known = ", ".join(sorted(names))
        more = Text(
            f"可用：{known}；自己的写成 codecs/名字.toml",
            f"known: {known}; your own: codecs/NAME.toml",
        )
        yield "codec", unknown_name(row.codec), hint + more
    if row.scale == 0:
        yield NO_ZERO


def _of_field(
    row: LorawanRow, stations: Mapping[str, Station], codecs: Mapping[str, Codec]
) -> Iterator[Fault]:
    station, codec = stations.get(row.station), codecs.get(row.codec)
    if station is None:
        yield not_declared(row.station)
        return
    if station.quantity == "frame":
        words = Text(f"{station.id} 是摄像机", f"{station.id} is a camera")
        yield "station", words, Text("另写一站", "name another station")
        return
    if codec is None:
        return
    field = _field(codec, row, station)
    if field is None:
        yield _never(row, station, codec)
        return
    allowed = ("", station.quantity)
    if field.gives not in allowed and station.quantity not in _ANSWERS.get(field.gives, ()):
        words = Text(f"{field.name} 是 {field.gives}", f"{field.name} is {field.gives}")
        yield "field", words, f"{station.id}: {station.quantity}"
        return
    yield from _of_scale(row, station, codec, field)


def _never(row: LorawanRow, station: Station, codec: Codec) -> Fault:
    """The codec has not what is asked for."""
    if codec.name == OBJECT:
        words = Text("object 要写字段的路径", "object wants the path of the field")
        return "field", words, Text("如 level 或 data.level", "for example level, or data.level")
    known = ", ".join(dict.fromkeys(f.name for f in codec.fields))
    hint = Text(f"它的字段：{known}", f"its fields: {known}")
    if row.field:
        return "field", unknown_name(row.field), hint
    words = Text(
        f"{codec.name} 不给 {station.quantity}", f"{codec.name} never gives {station.quantity}"
    )
    return "codec", words, hint + Text("；写 field 和 scale", "; name the field, and its scale")


def _of_scale(
    row: LorawanRow, station: Station, codec: Codec, field: CodecField
) -> Iterator[Fault]:
    """A distance falls where water rises; a tip is so many mm; a unit that is another's wants its scale."""
    if field.gives == DISTANCE:
        if row.scale is not None and row.scale > 0:
            words = Text("距离越大水位越低", "a longer distance is a lower level")
            yield "scale", words, Text("空着，或写负数", "leave it empty, or make it negative")
        if row.offset is None:
            words = Text("缺传感器高出站零点的高度", "the sensor's height above the station's zero")
            yield "offset", words, QUANTITIES[station.quantity].unit
    elif field.gives == TIPS:
        if row.scale is None or row.scale < 0:
            words = Text("缺每斗的雨量", "how much rain a tip is")
            yield "scale", words, Text("mm，如 0.2", "mm, for example 0.2")
    elif row.scale is None and codec.name != OBJECT:
        unit = QUANTITIES[station.quantity].unit
        if field.unit != unit:
            words = Text(
                f"{field.name} 的单位是 {field.unit or '?'}",
                f"{field.name} is in {field.unit or '?'}",
            )
            hint = Text(
                f"{station.quantity} 用 {unit}：写换算 scale",
                f"{station.quantity} is in {unit}: say its scale",
            )
            yield "scale", words, hint
