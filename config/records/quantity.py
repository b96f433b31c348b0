"""What can be measured: one row a quantity, with its unit, resolution, range and kind.

A value travels as an integer count of the resolution (0.1 mm, 1 mm), so that sums are exact and the
order of arrival never shows in a result. A new sensor is a new row here, not code.
"""

from difflib import get_close_matches
from typing import Literal, NamedTuple

from config.language import Text

Kind = Literal["interval", "counter", "instant", "state", "frame"]


class Quantity(NamedTuple):
    """One row of the table.

    kind: `interval` a sum over the interval that ends at the observation's time; `counter` a total
    that only rises and may reset; `instant` a value at a moment; `state` a coded state; `frame` a
    picture, whose value is its size in bytes and whose bytes lie in the frame store under `ref`.
    low, high: the physical range in units of the resolution; outside it the value is flagged fail.
    suspect_above: above it the value is flagged suspect (a true extreme is rare but real).
    """

    name: str
    unit: str
    per_unit: int  # counts of the resolution in one unit: 10 for 0.1 mm
    kind: Kind
    low: int
    high: int
    suspect_above: int
    zh: str

    def count(self, value: float) -> int:
        """Value in the unit -> integer count of the resolution, half away from zero."""
        scaled = value * self.per_unit
        return int(scaled + 0.5) if scaled >= 0 else -int(-scaled + 0.5)

    def amount(self, count: int) -> float:
        """Integer count of the resolution -> value in the unit."""
        return count / self.per_unit


# Ranges. Rain: the highest one-minute rain on record is 31.2 mm (Unionville, USA, 1956; WMO World
# Weather & Climate Extremes Archive); an interval may be up to a day long (1,825 mm in 24 h,
# Foc-Foc, Réunion, 1966, same source). Stage: metres above the station's own datum.
_ROWS = (
    Quantity("rain", "mm", 10, "interval", 0, 18_250, 1_000, "降雨量"),
    Quantity("rain_counter", "mm", 10, "counter", 0, 10_000_000, 10_000_000, "累计雨量"),
    Quantity("stage", "m", 1000, "instant", -10_000, 2_000_000, 2_000_000, "水位"),
    Quantity("discharge", "m3/s", 1000, "instant", 0, 200_000_000, 200_000_000, "流量"),
    Quantity("depth", "mm", 1, "instant", -500, 20_000, 20_000, "积水深度"),
    Quantity("frame", "byte", 1, "frame", 1, 8_000_000, 8_000_000, "图像"),
    # what detect itself makes of a picture (detectors/camera/watch.py)
    Quantity("moving_share", "%", 10, "instant", 0, 1_000, 1_000, "画面变动"),
    Quantity("surface_speed", "m/s", 1000, "instant", -50_000, 50_000, 15_000, "表面流速"),
    Quantity("image_speed", "px/s", 10, "instant", -100_000, 100_000, 100_000, "画面流速"),
    Quantity("front_speed", "m/s", 1000, "instant", 0, 50_000, 30_000, "龙头推进速度"),
    Quantity("image_front", "px/s", 10, "instant", 0, 100_000, 100_000, "龙头画面速度"),
    Quantity("colour_shift", "1", 10, "instant", 0, 3_000, 3_000, "水色变化"),
    Quantity("water_line", "m", 1000, "instant", -10_000, 2_000_000, 2_000_000, "图像水位"),
    Quantity("battery", "%", 10, "instant", 0, 1_000, 1_000, "电量"),
    # of a station's radio link (docs/devices/lorawan.md)
    Quantity("battery_voltage", "V", 1000, "instant", 0, 60_000, 60_000, "电池电压"),
    Quantity("rssi", "dBm", 10, "instant", -2_000, 300, 300, "接收信号强度"),
    Quantity("snr", "dB", 10, "instant", -500, 500, 500, "信噪比"),
    Quantity("frame_loss", "%", 10, "instant", 0, 1_000, 1_000, "丢帧比例"),
    Quantity("soil_moisture", "%", 10, "instant", 0, 1_000, 1_000, "土壤含水率"),
    Quantity("ground_velocity", "um/s", 1000, "instant", -(10**12), 10**12, 10**12, "地声"),
    Quantity("infrasound", "Pa", 1000, "instant", -(10**9), 10**9, 10**9, "次声"),
    # what a nowcast expects to fall in so many minutes after its issue (ingest/decode/nowcast.py)
    Quantity("rain_ahead_30min", "mm", 10, "instant", 0, 20_000, 3_000, "未来30分钟预报雨量"),
    Quantity("rain_ahead_60min", "mm", 10, "instant", 0, 20_000, 3_000, "未来60分钟预报雨量"),
    Quantity("rain_ahead_180min", "mm", 10, "instant", 0, 20_000, 6_000, "未来180分钟预报雨量"),
    # strikes within a catchment in the last 15 minutes, as a network for locating them counts
    Quantity("lightning", "1", 1, "instant", 0, 100_000, 100_000, "近15分钟闪电次数"),
    Quantity("gas", "ppm", 100, "instant", 0, 100_000_000, 100_000_000, "气体浓度"),
    Quantity("crowd_density", "person/m2", 100, "instant", 0, 2_000, 2_000, "人群密度"),
    Quantity("traffic_flow", "veh/h", 1, "instant", 0, 100_000, 100_000, "车流量"),
    # what a loudspeaker says of itself (docs/nodes.md); states: 1 yes, 0 no
    Quantity("mains", "1", 1, "state", 0, 1, 1, "市电"),
    Quantity("door", "1", 1, "state", 0, 1, 1, "箱门打开"),
    Quantity("volume", "%", 10, "instant", 0, 1_000, 1_000, "音量"),
    Quantity("self_test", "1", 1, "state", 0, 1, 1, "自检"),
    Quantity("voice", "1", 1, "state", 0, 1, 1, "能播普通话"),
    Quantity("key_set", "1", 1, "instant", 0, 10**9, 10**9, "密钥集版本"),
    Quantity("refused_commands", "1", 1, "counter", 0, 10**9, 10**9, "拒绝的指令"),
    Quantity("humidity", "%", 10, "instant", 0, 1_000, 1_000, "空气相对湿度"),
    # fire radiative power, as thermal cameras and satellites give it; the largest fires: 10^5 MW
    Quantity("fire", "MW", 10, "instant", 0, 10_000_000, 10_000_000, "火点辐射功率"),
    Quantity("pump_state", "1", 1, "state", 0, 9, 9, "泵站状态"),
    # what a person reports having seen; the person is the station (docs/people.md)
    Quantity("report_flood", "1", 1, "state", 0, 1, 1, "报告水涨"),
    Quantity("report_debris_flow", "1", 1, "state", 0, 1, 1, "报告泥石流"),
    Quantity("report_landslide", "1", 1, "state", 0, 1, 1, "报告塌方滑坡"),
    Quantity("damage", "1", 1, "state", 0, 1, 1, "报告受损"),
)

QUANTITIES: dict[str, Quantity] = {row.name: row for row in _ROWS}
AHEAD = {30: "rain_ahead_30min", 60: "rain_ahead_60min", 180: "rain_ahead_180min"}


def unknown(name: str) -> Text:
    """What to do about a name that is no quantity: the nearest there is, and where they stand."""
    near = get_close_matches(name[:40], QUANTITIES, 1)
    meant_zh = f"是 {near[0]} 吗？" if near else ""
    meant_en = f"did you mean {near[0]}? " if near else ""
    known = ", ".join(QUANTITIES)
    return Text(
        f"{meant_zh}要素有：{known}；新的要素在 config/records/quantity.py 加一行",
        f"{meant_en}known: {known}; a new one is a row of config/records/quantity.py",
    )


# what a node may report of itself
OF_NODES = (
    "battery",
    "mains",
    "door",
    "volume",
    "self_test",
    "voice",
    "key_set",
    "refused_commands",
)
# what a person may report (ingest.observation.PersonSays)
OF_PEOPLE = ("report_flood", "report_debris_flow", "report_landslide", "damage")
# how a person reads a unit; the others as they stand
_READ = {
    "1": ("", ""),
    "person/m2": ("人/m²", "persons/m²"),
    "veh/h": ("辆/h", "vehicles/h"),
    "m3/s": ("m³/s", "m³/s"),
    "um/s": ("μm/s", "μm/s"),
}


def unit_words(unit: str, lang: str) -> str:
    """A unit as it stands behind a number: in English with the space between."""
    zh, en = _READ.get(unit, (unit, unit))
    if lang == "zh":
        return zh
    return f" {en}" if en else ""
