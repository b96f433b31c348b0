"""What stands in a frame of SZY 206-2016: values in BCD with the lowest byte first, a word of alarms, a word of
state, the time of day.

Known from one implementation and checked on messages where that could be: rain (3 bytes, 0.1 mm) and flow
(5 bytes, 0.001 m³/s). A level's decimals are not known: its value is the whole number, and the station's row
in telemetry.csv says what one is. Of kind 14 the order of the values is not known: nothing is read of it.
"""

from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from ingest.telemetry.codec.said import Fault, Pair
from ingest.telemetry.codec.szy206.frame import ALARM, REPORT, Frame206

_BEIJING = timezone(timedelta(hours=8))
FLOW = 3
_TAIL = 9  # alarms 2, state 2, second, minute, hour, day, permitted delay
_LINKS = {
    0xF0: Pair("登录", "log in"),
    0xF1: Pair("退出登录", "log out"),
    0xF2: Pair("在线保持", "stay on line"),
}


class Kind206(NamedTuple):
    """A kind of value: its bytes, and how many of the resolution make one unit. size 0: not read here."""

    zh: str
    en: str
    size: int = 0
    decimals: int = 0
    unit: str = ""


KINDS: dict[int, Kind206] = {
    0: Kind206("确认", "acknowledged"),
    1: Kind206("雨量", "rain", 3, 1, "mm"),
    2: Kind206("水位", "level (whole number, its decimals are not known)", 4),
    3: Kind206("流量", "flow", 5, 3, "m³/s"),
    4: Kind206("流速", "velocity"),
    5: Kind206("闸位", "gate"),
    6: Kind206("功率", "power"),
    7: Kind206("气压", "air pressure"),
    8: Kind206("风", "wind"),
    9: Kind206("水温", "water temperature"),
    10: Kind206("水质", "water quality"),
    11: Kind206("土壤含水率", "soil moisture"),
    12: Kind206("蒸发量", "evaporation"),
    13: Kind206("报警、状态", "alarms, state"),
    14: Kind206("综合参数", "combined"),
    15: Kind206("水压", "pressure"),
}
FUNCTIONS_206: dict[int, Pair] = {
    0x02: Pair("链路检测", "link check"),
    0xC0: Pair("自报", "report"),
    0x81: Pair("随机自报报警", "alarm report"),
    0x82: Pair("人工置数", "entered by hand"),
    0xB0: Pair("查询实时值", "values now"),
    0xB1: Pair("查询固态存储", "values kept"),
    0x61: Pair("图像", "picture"),
}
ALARMS: dict[int, Pair] = {
    0: Pair("交流电断", "mains off"), 1: Pair("电池电压低", "battery low"),
    2: Pair("水位超限", "level over its limit"), 3: Pair("流量超限", "flow over its limit"),
    4: Pair("水质超限", "water quality over its limit"), 5: Pair("流量仪表故障", "flow meter broken"),
    6: Pair("水泵", "pump"), 7: Pair("水位仪表故障", "level gauge broken"),
    8: Pair("水压超限", "pressure over its limit"), 10: Pair("IC 卡", "IC card"),
    11: Pair("定值控制", "fixed value"), 12: Pair("剩余水量", "remaining water"),
    13: Pair("箱门", "door"),
}  # fmt: skip


class Value206(NamedTuple):
    """A value. value None: missing, or damaged (wrong)."""

    at: int
    size: int
    kind: int
    value: float | None
    wrong: str = ""


class Data206(NamedTuple):
    """alarms, state: the two words, -1 where there are none. time: day, hour, minute, second; None: none."""

    values: list[Value206]
    alarms: int
    state: int
    time: tuple[int, int, int, int] | None
    tail_at: int
    faults: list[Fault]


def link_word(frame: Frame206) -> Pair | None:
    """Of a link check what it says."""
    return _LINKS.get(frame.data[0]) if frame.data else None


def read_data(frame: Frame206) -> Data206:
    """The data of a report; of other functions nothing is read."""
    nothing = Data206([], -1, -1, None, frame.data_end, [])
    if frame.function not in (REPORT, ALARM) or not frame.up:
        return nothing
    end = frame.data_end - _TAIL
    if end < frame.data_at:
        short = Fault(
            frame.data_end, "cut", "缺报警、状态和时间", "alarms, state and time are missing"
        )
        return nothing._replace(faults=[short])
    faults: list[Fault] = []
    kind = KINDS[frame.kind]
    values: list[Value206] = []
    at = frame.data_at
    while kind.size and at + kind.size <= end:
        # behind a flow stands the volume of water, whose decimals are not known
        decimals = 0 if frame.kind == FLOW and values else kind.decimals
        value, wrong = number(frame.raw[at : at + kind.size], decimals)
        if wrong:
            text = frame.raw[at : at + kind.size].hex().upper()
            faults.append(Fault(at, wrong, f"不是 BCD：{text}", f"no BCD: {text}"))
        values.append(Value206(at, kind.size, frame.kind, value, wrong))
        at += kind.size
    if at < end:
        code = "cut" if kind.size else "unknown_element"
        zh, en = f"{end - at} 字节未解（{kind.zh}）", f"{end - at} bytes are not read ({kind.en})"
        faults.append(Fault(at, code, zh, en))
    raw = frame.raw[end : frame.data_end]
    time = _time(raw[4:8])
    if time is None:
        text = raw[4:8].hex().upper()
        faults.append(Fault(end + 4, "bad_time", f"时间 {text} 不对", f"no time: {text}"))
    alarms, state = int.from_bytes(raw[:2], "big"), int.from_bytes(raw[2:4], "big")
    return Data206(values, alarms, state, time, end, faults)


def number(data: bytes, decimals: int) -> tuple[float | None, str]:
    """BCD, the lowest byte first; its highest nibble is the sign (F: minus). All AA: missing. More than that
    the facts do not say."""
    text = data[::-1].hex()
    if not text.strip("a"):
        return None, ""
    sign = -1 if text[0] == "f" else 1
    digits = text[1:] if sign < 0 else text
    if not digits.isdigit():
        return None, "bad_value"
    return sign * int(digits) / 10**decimals, ""


def _time(raw: bytes) -> tuple[int, int, int, int] | None:
    text = raw.hex()
    if not text.isdigit():
        return None
    second, minute, hour, day = (int(text[n : n + 2]) for n in (0, 2, 4, 6))
    right = second < 60 and minute < 60 and hour < 24 and 1 <= day <= 31
    return (day, hour, minute, second) if right else None


def moment(time: tuple[int, int, int, int], now_ms: int) -> int | None:
    """Day and time of day -> ms since 1970: of this month, the one before or the next the moment that lies
    nearest to `now_ms`, for no year or month is told. None where none of the three has that day."""
    day, hour, minute, second = time
    now = datetime.fromtimestamp(now_ms / 1000, _BEIJING)
    found = []
    for months in (-1, 0, 1):
        count = now.year * 12 + now.month - 1 + months
        try:
            when = datetime(count // 12, count % 12 + 1, day, hour, minute, second, tzinfo=_BEIJING)
        except ValueError:
            continue
        found.append(int(when.timestamp()) * 1000)
    return min(found, key=lambda at: abs(at - now_ms), default=None)


def encode_number(value: float | None, size: int, decimals: int) -> bytes:
    """The other way round. Raises ValueError where the digits do not fit."""
    if value is None:
        return b"\xaa" * size
    text = f"{round(abs(value) * 10**decimals):0{2 * size}d}"
    if len(text) > 2 * size or (value < 0 and text[0] != "0"):
        raise ValueError(f"{value} in {size} bytes")
    return bytes.fromhex("f" + text[1:] if value < 0 else text)[::-1]


def encode_tail(at_ms: int, alarms: int = 0, state: int = 0) -> bytes:
    """Alarms, state and the time tag, without a permitted delay."""
    when = datetime.fromtimestamp(at_ms / 1000, _BEIJING)
    tag = bytes.fromhex(when.strftime("%S%M%H%d") + "00")
    return alarms.to_bytes(2, "big") + state.to_bytes(2, "big") + tag
