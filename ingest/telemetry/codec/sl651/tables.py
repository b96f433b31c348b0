"""The tables of SL 651-2014: elements with units, function codes, classes of stations, the bits of the status
word, what is configured. Source: the standard's text; what it has beyond these is not known here."""

from typing import NamedTuple

from ingest.telemetry.codec.said import Pair


class Meaning651(NamedTuple):
    """An element. symbol: its name in ASCII frames, "" where none is known."""

    zh: str
    en: str
    unit: str = ""
    symbol: str = ""


STEP, STATUS = 0x04, 0x45
OBSERVED, ADDRESS, MANUAL, PICTURE, RAIN_12 = 0xF0, 0xF1, 0xF2, 0xF3, 0xF4
LEVELS_12 = range(0xF5, 0xFD)  # twelve relative levels of one gauge each

_RAIN = {
    0x1A: ("1 小时", "1 h"), 0x1B: ("2 小时", "2 h"), 0x1C: ("3 小时", "3 h"),
    0x1D: ("6 小时", "6 h"), 0x1E: ("12 小时", "12 h"), 0x21: ("1 分钟", "1 min"),
    0x22: ("5 分钟", "5 min"), 0x23: ("10 分钟", "10 min"), 0x24: ("30 分钟", "30 min"),
}  # fmt: skip
ELEMENTS: dict[int, Meaning651] = {
    0x02: Meaning651("气温", "air temperature", "°C"),
    0x03: Meaning651("水温", "water temperature", "°C"),
    0x04: Meaning651("时间步长", "step of time", "", ""),
    0x05: Meaning651("时段长", "interval", "", "DT"),
    0x08: Meaning651("气压", "air pressure"),
    0x0E: Meaning651("地下水埋深", "depth of groundwater"),
    **{
        0x10 + n: Meaning651(f"第 {n + 1} 层土壤含水量", f"soil moisture, layer {n + 1}")
        for n in range(8)
    },
    **{
        n: Meaning651(f"{zh}时段降水量", f"rain of the last {en}", "mm")
        for n, (zh, en) in _RAIN.items()
    },
    0x1F: Meaning651("日降水量", "rain of the day", "mm", "PD"),
    0x20: Meaning651("当前降水量", "rain since the day began (8:00)", "mm", "PJ"),
    0x25: Meaning651("本次降水量", "rain of this storm", "mm", "PR"),
    0x26: Meaning651("降水量累计值", "rain, total of the counter", "mm", "PT"),
    0x27: Meaning651("瞬时流量", "discharge", "m³/s", "Q"),
    **{
        0x28 + n: Meaning651(f"取水口 {n + 1} 流量", f"flow of intake {n + 1}", "m³/s")
        for n in range(8)
    },
    0x30: Meaning651("总出库流量", "total outflow", "m³/s"),
    0x33: Meaning651("风向", "wind direction (1 is north, 16 points)"),
    0x34: Meaning651("风力", "wind force"),
    0x35: Meaning651("风速", "wind speed", "m/s"),
    0x36: Meaning651("断面平均流速", "mean velocity of the section", "m/s"),
    0x37: Meaning651("瞬时流速", "velocity now", "m/s"),
    0x38: Meaning651("电源电压", "supply voltage", "V", "VT"),
    0x39: Meaning651("瞬时水位", "water level", "m", "Z"),
    0x3A: Meaning651("闸坝站下水位", "level below the dam or gate", "m", "ZB"),
    0x3B: Meaning651("库上、闸坝上水位", "level above the dam or gate", "m", "ZU"),
    **{
        0x3C + n: Meaning651(f"取水口 {n + 1} 水位", f"level of intake {n + 1}", "m")
        for n in range(8)
    },
    0x45: Meaning651("状态和报警", "state and alarms"),
    0xF2: Meaning651("人工置数", "entered by hand"),
    0xF3: Meaning651("图片", "picture"),
    0xF4: Meaning651("1 小时内每 5 分钟降水量", "rain of one hour, five minutes each", "mm", "DRP"),
    **{
        0xF5 + n: Meaning651(
            f"1 小时内每 5 分钟相对水位 {n + 1}",
            f"levels of one hour above the base, five minutes each, gauge {n + 1}",
            "m",
        )
        for n in range(8)
    },
}
SYMBOLS = {e.symbol: n for n, e in ELEMENTS.items() if e.symbol}

FUNCTIONS: dict[int, Pair] = {
    0x2F: Pair("链路维持报", "keep-alive"),
    0x30: Pair("测试报", "test report"),
    0x31: Pair("均匀时段报", "report of uniform intervals"),
    0x32: Pair("定时报", "timed report"),
    0x33: Pair("加报", "add-on report"),
    0x34: Pair("小时报", "hourly report"),
    0x35: Pair("人工置数报", "report entered by hand"),
    0x36: Pair("图片报", "picture"),
    0x37: Pair("查询实时数据", "values now"),
    0x38: Pair("查询时段数据", "values of a period"),
    0x39: Pair("查询人工置数", "what was entered by hand"),
    0x3A: Pair("查询指定要素", "chosen elements"),
    0x40: Pair("修改基本配置", "set the basic configuration"),
    0x41: Pair("读取基本配置", "read the basic configuration"),
    0x42: Pair("修改运行参数", "set the parameters"),
    0x43: Pair("读取运行参数", "read the parameters"),
    0x44: Pair("查询水泵电机", "pumps"),
    0x45: Pair("查询软件版本", "software version"),
    0x46: Pair("查询状态和报警", "state and alarms"),
    0x47: Pair("清除历史数据", "clear the memory"),
    0x48: Pair("恢复出厂设置", "factory settings"),
    0x49: Pair("修改密码", "change the password"),
    0x4A: Pair("设置时钟", "set the clock"),
    0x4B: Pair("设置 IC 卡", "IC card"),
    0x4C: Pair("控制水泵", "control a pump"),
    0x4D: Pair("控制阀门", "control a valve"),
    0x4E: Pair("控制闸门", "control a gate"),
    0x4F: Pair("水量定值控制", "fixed amount of water"),
    0x50: Pair("查询事件记录", "counts of events"),
    0x51: Pair("查询时钟", "ask the clock"),
}
REPORTS = range(0x30, 0x37)  # what a station sends by itself and waits to be answered
KEEP_ALIVE, TEST, UNIFORM, TIMED, ADD_ON, HOURLY = 0x2F, 0x30, 0x31, 0x32, 0x33, 0x34
PICTURES, NOW, PERIOD, SET_CLOCK = 0x36, 0x37, 0x38, 0x4A
OWN = range(0xE0, 0x100)  # left to makers

CLASSES: dict[int, Pair] = {
    0x50: Pair("降水站", "rain"), 0x48: Pair("河道站", "river"), 0x4B: Pair("水库站", "reservoir"),
    0x5A: Pair("闸坝站", "gate or dam"), 0x44: Pair("泵站", "pumps"), 0x54: Pair("潮汐站", "tide"),
    0x4D: Pair("墒情站", "soil moisture"), 0x47: Pair("地下水站", "groundwater"),
    0x51: Pair("水质站", "water quality"), 0x49: Pair("取水口", "intake"),
    0x4F: Pair("排水口", "outfall"),
}  # fmt: skip

# bit -> what is wrong while it is set; of the door while it is not
STATUS_BITS: tuple[Pair, ...] = (
    Pair("交流电断", "mains off"),
    Pair("电池电压低", "battery low"),
    Pair("水位超限", "level over its limit"),
    Pair("流量超限", "flow over its limit"),
    Pair("水质超限", "water quality over its limit"),
    Pair("流量仪表故障", "flow meter broken"),
    Pair("水位仪表故障", "level gauge broken"),
    Pair("箱门开", "door open"),
    Pair("存储器异常", "memory broken"),
    Pair("IC 卡", "IC card"),
    Pair("水泵", "pump"),
    Pair("剩余水量超限", "remaining water over its limit"),
)
DOOR_BIT = 7

BASIC: dict[int, Pair] = {
    0x01: Pair("中心站地址", "centres"),
    0x02: Pair("遥测站地址", "station"),
    0x03: Pair("密码", "password"),
    **{
        0x04 + n: Pair(
            f"中心站 {n // 2 + 1} {'备用' if n % 2 else '主'}信道",
            f"centre {n // 2 + 1}, {'spare' if n % 2 else 'main'} channel",
        )
        for n in range(8)
    },
    0x0C: Pair("工作方式", "mode, 1 to 4"),
    0x0D: Pair("采集要素", "elements"),
    0x0F: Pair("通信设备识别号", "card"),
}
PARAMETERS: dict[int, Pair] = {
    0x20: Pair("定时报间隔（小时）", "timed report every … h"),
    0x21: Pair("加报间隔（分钟）", "add-on report every … min"),
    0x22: Pair("降水量日起始（时）", "the day begins at … h"),
    0x23: Pair("采样间隔（秒）", "sampled every … s"),
    0x24: Pair("水位存储间隔（分钟）", "level kept every … min"),
    0x25: Pair("雨量计分辨力（mm）", "resolution of the rain gauge, mm"),
    0x26: Pair("水位计分辨力（cm）", "resolution of the level gauge, cm"),
    0x27: Pair("加报雨量（mm）", "rain that makes an add-on report, mm"),
    **{0x28 + n: Pair(f"水位基值 {n + 1}（m）", f"base of level {n + 1}, m") for n in range(8)},
    **{
        0x30 + n: Pair(f"水位修正 {n + 1}（m）", f"correction of level {n + 1}, m")
        for n in range(8)
    },
    **{
        0x38 + n: Pair(f"加报水位 {n + 1}（m）", f"add-on report at level {n + 1}, m")
        for n in range(8)
    },
    0x40: Pair("加报水位以上（m）", "add-on step above it, m"),
    0x41: Pair("加报水位以下（m）", "add-on step below it, m"),
    0x42: Pair("加报流量", "add-on report at this flow"),
}

# characters of control
STX, SYN = 0x02, 0x16
ETX, ETB = 0x03, 0x17
ENQ, ACK, NAK, EOT, ESC = 0x05, 0x06, 0x15, 0x04, 0x1B
ENDS: dict[int, Pair] = {
    ETX: Pair("ETX 报文结束", "ETX: nothing follows"),
    ETB: Pair("ETB 还有后续包", "ETB: more follows"),
    ENQ: Pair("ENQ 询问", "ENQ: asks"),
    ACK: Pair("ACK 肯定", "ACK: yes"),
    NAK: Pair("NAK 否定，重发", "NAK: send it again"),
    EOT: Pair("EOT 可以退出", "EOT: may leave the line"),
    ESC: Pair("ESC 保持在线", "ESC: stay on the line"),
}
