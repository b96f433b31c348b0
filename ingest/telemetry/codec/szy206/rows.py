"""A frame of SZY 206-2016 as the table that a field worker reads."""

from collections.abc import Callable, Iterator

from ingest.telemetry.codec.said import Broken, Pair, Row, same, shown
from ingest.telemetry.codec.szy206.data import (
    ALARMS,
    FLOW,
    FUNCTIONS_206,
    KINDS,
    Data206,
    link_word,
    read_data,
)
from ingest.telemetry.codec.szy206.frame import LINK, Finder206, Frame206

_NONE = Pair("", "")
_VOLUME = Pair("水量（小数位不详）", "volume (its decimals are not known)")


def rows(data: bytes) -> list[Row]:
    """Every frame in these bytes, and what is no frame."""
    finder = Finder206()
    found: list[Row] = []
    at = 0
    for one in [*finder.feed(data), *finder.rest()]:
        at = max(at, data.find(one.raw, at))
        if isinstance(one, Broken):
            f = one.fault
            name = Pair("不成帧", "no frame")
            found.append(Row(at + f.at, shown(one.raw), name, _NONE, "", Pair(f.zh, f.en)))
        else:
            found += [r._replace(at=r.at + at) for r in of(one)]
        at += 1
    return found


def of(frame: Frame206) -> list[Row]:
    """One frame."""
    read = read_data(frame)
    faults = {f.at: Pair(f.zh, f.en) for f in read.faults}
    found = [r._replace(wrong=faults.pop(r.at, r.wrong)) for r in _rows(frame, read)]
    return found + [Row(at, "", _NONE, _NONE, "", words) for at, words in faults.items()]


def _rows(f: Frame206, read: Data206) -> Iterator[Row]:
    def row(at: int, size: int, name: Pair, value: object, unit: str = "") -> Row:
        said = value if isinstance(value, Pair) else same(value)
        return Row(at, shown(f.raw[at : at + size]), name, said, unit)

    kind = KINDS[f.kind]
    yield row(
        0,
        3,
        Pair("帧起始和长度", "start, length"),
        Pair("图像帧", "a picture's piece") if f.raw[1] == 1 else f.raw[1],
    )
    way = Pair("上行", "up") if f.up else Pair("下行", "down")
    yield row(3, 1, Pair("控制域", "control"), Pair(f"{way.zh}，{kind.zh}", f"{way.en}, {kind.en}"))
    if f.control & 0x40:
        yield row(4, 1, Pair("拆分计数", "split, down to 1"), f.left)
    division, number = f.station[:6], f.station[6:]
    where = Pair(
        f"政区 {division}，编号 {number}（字节顺序不详）",
        f"division {division}, number {number} (which byte is first is not known)",
    )
    yield row(f.data_at - 6, 5, Pair("地址", "address"), where)
    name = FUNCTIONS_206.get(f.function, Pair("不认识", "not known"))
    code = f"{f.function:02X}"
    yield row(
        f.data_at - 1, 1, Pair("功能码", "function"), Pair(f"{code} {name.zh}", f"{code} {name.en}")
    )
    for v in read.values:
        missing = Pair("无法读", "not readable") if v.wrong else Pair("缺测", "missing")
        said = missing if v.value is None else f"{v.value:.12g}"
        k = KINDS[v.kind]
        if v.kind == FLOW and v is not read.values[0]:
            yield row(v.at, v.size, _VOLUME, said)
        else:
            yield row(v.at, v.size, Pair(k.zh, k.en), said, "" if v.value is None else k.unit)
    yield from _rest(f, read, row)
    yield row(f.data_end, 1, Pair("校验码", "CRC"), Pair("正确", "right"))
    yield row(f.data_end + 1, 1, Pair("结束", "end"), "")


def _rest(f: Frame206, read: Data206, row: Callable[..., Row]) -> Iterator[Row]:
    at = read.values[-1].at + read.values[-1].size if read.values else f.data_at
    if at < read.tail_at:
        word = link_word(f) if f.function == LINK else None
        yield row(at, read.tail_at - at, Pair("数据", "data"), word or "")
    if read.alarms < 0:
        return
    at = read.tail_at
    wrong = [name for bit, name in ALARMS.items() if read.alarms >> bit & 1]
    said = Pair("、".join(n.zh for n in wrong), ", ".join(n.en for n in wrong))
    yield row(at, 2, Pair("报警", "alarms"), said if wrong else Pair("无", "none"))
    yield row(at + 2, 2, Pair("状态", "state"), f"{read.state:016b}")
    if read.time is not None:
        day, hour, minute, second = read.time
        clock = f"{hour:02d}:{minute:02d}:{second:02d}"
        yield row(
            at + 4,
            4,
            Pair("时间（无年月）", "time, without year and month"),
            Pair(f"{day} 日 {clock}", f"day {day}, {clock}"),
        )
    else:
        yield row(at + 4, 4, Pair("时间（无年月）", "time, without year and month"), "")
    yield row(at + 8, 1, Pair("允许时延", "permitted delay"), f.raw[at + 8])
