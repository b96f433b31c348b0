"""A frame of SL 651-2014 as the table that a field worker reads: each field with its place, bytes, meaning,
value, unit, and what is wrong with it."""

from collections.abc import Iterable, Iterator

from ingest.telemetry.codec.said import Broken, Fault, Pair, Row, same, shown
from ingest.telemetry.codec.sl651.body import Body651, Item, moment, number, read
from ingest.telemetry.codec.sl651.encode import digits
from ingest.telemetry.codec.sl651.frame import Finder, Frame651
from ingest.telemetry.codec.sl651.tables import (
    ADDRESS,
    BASIC,
    CLASSES,
    DOOR_BIT,
    ELEMENTS,
    ENDS,
    FUNCTIONS,
    OBSERVED,
    OWN,
    PARAMETERS,
    PICTURE,
    RAIN_12,
    STATUS,
    STATUS_BITS,
)

_NONE = Pair("", "")
_MISSING = Pair("缺测", "missing")
_UNKNOWN = Pair("不认识", "not known")
_WITHOUT_A_WORD = (0xF0, 0xF1, 0xF2, 0xF3)  # ids that stand twice
_PLAIN = {0x40: BASIC, 0x41: BASIC, 0x42: PARAMETERS, 0x43: PARAMETERS}
_EVENTS = 0x50


def rows(data: bytes) -> list[Row]:
    """Every frame in these bytes, and what is no frame."""
    finder = Finder()
    found: list[Row] = []
    at = 0
    for one in [*finder.feed(data), *finder.rest()]:
        at = max(at, data.find(one.raw, at))
        mine = of_broken(one) if isinstance(one, Broken) else of(one)
        found += [r._replace(at=r.at + at) for r in mine]
        at += 1
    return found


def of_broken(broken: Broken) -> list[Row]:
    """One row for bytes that are no frame; the head, if it can be told, before it."""
    f = broken.fault
    raw = shown(broken.raw)
    return [Row(f.at, raw, Pair("不成帧", "no frame"), _NONE, "", Pair(f.zh, f.en))]


def of(frame: Frame651) -> list[Row]:
    """One frame."""
    body = read(frame)
    found = [*_head(frame), *_body(frame, body), *_tail(frame)]
    told = {(f.at, f.code) for f in body.faults}
    placed = [_with_faults(row, body.faults, told) for row in found]
    return placed + [
        Row(f.at, "", _NONE, _NONE, "", Pair(f.zh, f.en))
        for f in body.faults
        if (f.at, f.code) in told
    ]


def _with_faults(row: Row, faults: Iterable[Fault], told: set[tuple[int, str]]) -> Row:
    """What is wrong stands in the row in which it begins."""
    size = len(row.raw.replace(" ", "")) // 2
    mine = [f for f in faults if row.at <= f.at < row.at + max(1, size) and (f.at, f.code) in told]
    told -= {(f.at, f.code) for f in mine}
    if not mine:
        return row
    zh, en = "；".join(f.zh for f in mine), "; ".join(f.en for f in mine)
    return row._replace(wrong=Pair(zh, en))


def _row(
    frame: Frame651, at: int, size: int, name: Pair, value: Pair | object, unit: str = ""
) -> Row:
    said = value if isinstance(value, Pair) else same(value)
    return Row(at, shown(frame.raw[at : at + size]), name, said, unit)


def _head(f: Frame651) -> Iterator[Row]:
    wide = 2 if f.ascii else 1
    at = 1 if f.ascii else 2
    yield _row(
        f, 0, at, Pair("帧起始", "start"), Pair("ASCII 帧", "ASCII frame") if f.ascii else ""
    )
    centre, station = (Pair("中心站", "centre"), f"{f.centre:02X}", 1), (
        Pair("遥测站地址", "station"), _address(f.station), 5
    )  # fmt: skip
    for name, value, size in (station, centre) if f.down else (centre, station):
        yield _row(f, at, size * wide, name, value)
        at += size * wide
    yield _row(f, at, 2 * wide, Pair("密码", "password"), f.password)
    at += 2 * wide
    own = Pair("厂家自定义", "of the maker") if f.function in OWN else _UNKNOWN
    name = FUNCTIONS.get(f.function, own)
    yield _row(
        f,
        at,
        wide,
        Pair("功能码", "function"),
        Pair(f"{f.function:02X} {name.zh}", f"{f.function:02X} {name.en}"),
    )
    at += wide
    way = Pair("下行", "down") if f.down else Pair("上行", "up")
    size = f.body_end - f.body_at + (3 * wide if f.packets else 0)
    yield _row(
        f,
        at,
        2 * wide,
        Pair("方向和长度", "direction, length"),
        Pair(f"{way.zh}，{size} 字节", f"{way.en}, {size} bytes"),
    )
    at += 2 * wide
    yield _row(f, at, 1, Pair("报文起始", "start of the body"), "SYN" if f.packets else "STX")
    if f.packets:
        told = Pair(f"第 {f.packet} 包，共 {f.packets} 包", f"packet {f.packet} of {f.packets}")
        yield _row(f, at + 1, 3 * wide, Pair("包号", "packet"), told)


def _address(station: str) -> Pair | str:
    """As people write it: eight digits of a hydrological station, or division and number."""
    if station.startswith("00") and station.isdigit():
        return Pair(f"水文站 {station[2:]}", f"hydrological station {station[2:]}")
    number = int(station[6:], 16)
    return Pair(f"政区 {station[:6]}，站号 {number}", f"division {station[:6]}, number {number}")


def _body(f: Frame651, body: Body651) -> Iterator[Row]:
    if body.serial < 0:
        name = Pair("报文（续）", "body, going on") if f.packet > 1 else Pair("报文", "body")
        yield _row(f, f.body_at, f.body_end - f.body_at, name, "")
        return
    wide = 2 if f.ascii else 1
    yield _row(f, f.body_at, 2 * wide, Pair("流水号", "serial"), body.serial)
    yield _row(f, f.body_at + 2 * wide, 6 * wide, Pair("发报时间", "sent at"), _clock(body.sent))
    if body.address:
        differs = body.address != f.station
        words = Pair("与报头的地址不同", "not the address of the head") if differs else _NONE
        yield _row(
            f, f.body_at + 8, 7, Pair("遥测站地址", "station"), _address(body.address)
        )._replace(wrong=words)
    if body.kind:
        kind = CLASSES.get(body.kind, _UNKNOWN)
        yield _row(f, f.body_at + 15, 1, Pair("站类", "class"), kind)
    for item in body.items:
        yield from _item(f, item)
    if body.rest_at < f.body_end:
        yield from _rest(f, body.rest_at)


def _clock(text: str) -> str:
    """Digits as a time; as they are where they are none."""
    if moment(text) is None:
        return text
    parts = [text[n : n + 2] for n in range(0, len(text), 2)]
    return f"20{parts[0]}-{parts[1]}-{parts[2]} {':'.join(parts[3:])}"


def _item(f: Frame651, item: Item) -> Iterator[Row]:
    known = ELEMENTS.get(item.id)
    code = f"{item.id:02X}"
    if item.id == OBSERVED:
        yield _row(f, item.at, item.size, Pair("观测时间", "observed at"), _clock(str(item.value)))
        return
    if item.id == ADDRESS:
        yield _row(f, item.at, item.size, Pair("遥测站地址", "station"), _address(str(item.value)))
        return
    name = (
        Pair(f"{code} {known.zh}", f"{code} {known.en}")
        if known
        else Pair(f"{code} 未知要素", f"{code} unknown element")
    )
    unit = known.unit if known else ""
    if isinstance(item.value, tuple):
        yield from _series(f, item, name, unit)
        return
    yield _row(f, item.at, item.size, name, _value(item), "" if item.value is None else unit)
    if item.id == STATUS and isinstance(item.value, float):
        yield from _bits(item, int(item.value))


def _value(item: Item) -> Pair:
    if item.value is None:
        return Pair("无法读", "not readable") if item.wrong == "bad_value" else _MISSING
    if item.id == PICTURE and isinstance(item.value, bytes):
        return Pair(f"{len(item.value)} 字节", f"{len(item.value)} bytes")
    if item.id == STATUS and isinstance(item.value, float):
        return same(f"{int(item.value):032b}")
    return same(f"{item.value:.12g}" if isinstance(item.value, float) else item.value)


def _series(f: Frame651, item: Item, name: Pair, unit: str) -> Iterator[Row]:
    """The element, then each of its values with the time that it ends."""
    values = item.value if isinstance(item.value, tuple) else ()
    head = item.at + 2
    width = (item.at + item.size - head) // max(1, len(values))
    yield _row(f, item.at, 2, name, Pair(f"{len(values)} 个值", f"{len(values)} values"))
    first = moment(item.seen) if item.seen else None
    for n, value in enumerate(values):
        when = "" if first is None else _clock(digits(first + n * item.step_ms, 10))[-5:]
        at = head + n * width
        label = Pair(f"  第 {n + 1} 个 {when}", f"  no. {n + 1} {when}")
        raw = f.raw[at : at + width]
        bad = number(raw, 0)[1] if item.id < RAIN_12 else ""
        said = Pair("无法读", "not readable") if bad else _MISSING
        yield _row(
            f,
            at,
            width,
            label,
            said if value is None else f"{value:.12g}",
            "" if value is None else unit,
        )


def _bits(item: Item, word: int) -> Iterator[Row]:
    """What the status word says is wrong."""
    for n, name in enumerate(STATUS_BITS):
        is_set = bool(word >> n & 1)
        if is_set != (n == DOOR_BIT):
            yield Row(item.at + 2, "", Pair(f"  位 {n}", f"  bit {n}"), name)


def _rest(f: Frame651, at: int) -> Iterator[Row]:
    """What is no element: configuration, counts of events, whatever a maker has."""
    table = _PLAIN.get(f.function)
    if f.function == _EVENTS:
        for n in range((f.body_end - at) // 2):
            place = at + 2 * n
            yield _row(
                f,
                place,
                2,
                Pair(f"事件 {n + 1}", f"event {n + 1}"),
                int.from_bytes(f.raw[place : place + 2], "big"),
            )
        return
    while table is not None and at + 2 <= f.body_end:
        size = f.raw[at + 1] >> 3
        if not size or at + 2 + size > f.body_end:
            break
        data = f.raw[at + 2 : at + 2 + size]
        value, wrong = number(data, f.raw[at + 1] & 7)
        said = (
            f"{value:.12g}"
            if table is PARAMETERS and value is not None and not wrong
            else data.hex().upper()
        )
        name = table.get(f.raw[at], _UNKNOWN)
        code = f"{f.raw[at]:02X}"
        yield _row(f, at, 2 + size, Pair(f"{code} {name.zh}", f"{code} {name.en}"), said)
        at += 2 + size
    if at < f.body_end:
        yield _row(f, at, f.body_end - at, Pair("未解的内容", "what is not read here"), "")


def _tail(f: Frame651) -> Iterator[Row]:
    yield _row(f, f.body_end, 1, Pair("结束符", "end"), ENDS[f.end])
    right = Pair("正确", "right")
    order = Pair("正确，低字节在前", "right, low byte first") if f.swapped else right
    yield _row(f, f.body_end + 1, 4 if f.ascii else 2, Pair("校验码", "CRC"), order)
