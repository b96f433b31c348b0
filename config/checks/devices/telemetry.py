"""What must be true of telemetry.csv: whose message is whose reading."""

import re
from collections.abc import Mapping, Sequence

from config.checks.devices.station_row import NO_ZERO, Fault, FedBy, fed_twice, not_declared
from config.language import Text
from config.read.problem import Problem, problem
from config.records.district import Station, TelemetryRow, address_of

FILE = "telemetry.csv"
_ADDRESS = re.compile(r"[0-9A-F]{10}")
_CODE = {"sl651": re.compile(r"(?:FF)?[0-9A-Fa-f]{2}"), "szy206": re.compile(r"1[0-5]|[1-9]")}
_PASSWORD = re.compile(r"[0-9A-Fa-f]{4}")
_STATIONS = range(1, 60_001)
_PICTURE = {"sl651": 0xF3, "szy206": -1}
# seconds over which an element of rain sums, where its id says it
_SUMS = {
    0x1A: 3600, 0x1B: 7200, 0x1C: 10_800, 0x1D: 21_600, 0x1E: 43_200, 0x1F: 86_400, 0x21: 60, 0x22: 300,
    0x23: 600, 0x24: 1800, 0xF4: 300,
}  # fmt: skip
_NO_ADDRESS = Text(
    "8 位站号，或 10 位十六进制", "8 digits of a hydrological station, or 10 hex digits"
)


def check_telemetry(
    problems: list[Problem],
    rows: Sequence[tuple[int, TelemetryRow]],
    stations: Mapping[str, Station],
) -> None:
    """Every row, and the rows of one address together."""
    seen: set[tuple[str, str, str]] = set()
    fed: dict[tuple[str, str], FedBy] = {}
    heads: dict[tuple[str, str], TelemetryRow] = {}
    for n, row in rows:
        for column, words, hint in [*_of_row(row), *_of_station(row, stations)]:
            problems.append(problem(FILE, n, column, words, hint))
        what = (*row.key, row.element.upper())
        if what in seen:
            words = Text("这个地址的这个要素已有一行", "this element of this address stands twice")
            problems.append(problem(FILE, n, "element", words, Text("删去一行", "remove one")))
        seen.add(what)
        for fault in fed_twice(fed, stations.get(row.station), row.quantity, _source(row)):
            problems.append(problem(FILE, n, *fault))
        head = heads.setdefault(row.key, row)
        for column in ("password", "mode", "end", "ask_min", "clock"):
            if getattr(head, column) != getattr(row, column):
                words = Text("与同一地址的另一行不同", "not as in another row of the same address")
                problems.append(problem(FILE, n, column, words, f"{getattr(head, column)}"))


def _of_row(row: TelemetryRow) -> list[Fault]:
    found: list[Fault] = []
    address = address_of(row.address)
    if not _ADDRESS.fullmatch(address):
        found.append(("address", f"{row.address!r}", _NO_ADDRESS))
    elif row.protocol == "sl651" and not address.startswith("00"):
        number = int(address[6:], 16)
        if number not in _STATIONS or not address[:6].isdigit():
            words = Text(f"站号 {number} 不是站", f"number {number} is no station")
            found.append(
                ("address", words, Text("政区 6 位 + 站号 1–60000", "division, 1 to 60000"))
            )
    if not _CODE[row.protocol].fullmatch(row.element):
        words = Text("不是要素", "is no element")
        found.append(("element", f"{row.element!r} " + words, "26, 39, F4, FF12 | 1, 2, 3"))
    if row.password and not _PASSWORD.fullmatch(row.password):
        found.append(("password", f"{row.password!r}", Text("4 位十六进制", "four hex digits")))
    if not row.scale:
        found.append(NO_ZERO)
    if not 0 <= row.ask_min <= 1440:
        found.append(("ask_min", f"{row.ask_min}", "0 … 1440"))
    if (row.ask_min > 0) != (row.mode == "M4") or (row.ask_min and row.protocol != "sl651"):
        words = Text("M4 要写 ask_min，别的不写", "ask_min goes with M4, and with nothing else")
        found.append(("ask_min", words, "sl651"))
    return found


def _of_station(row: TelemetryRow, stations: Mapping[str, Station]) -> list[Fault]:
    station = stations.get(row.station)
    if station is None:
        return [not_declared(row.station)]
    if not _CODE[row.protocol].fullmatch(row.element):
        return []
    found: list[Fault] = []
    picture = row.code == _PICTURE[row.protocol]
    if picture != (station.quantity == "frame" and not row.quantity):
        words = Text("图片（F3）只给摄像机", "pictures (F3) and cameras go together")
        found.append(("element", words, f"{station.id}: {station.quantity}"))
    sums = _SUMS.get(row.code, 0) if row.protocol == "sl651" else 0
    if station.quantity == "rain" and not row.quantity and sums != station.sum_interval_s:
        words = Text(
            f"要素 {row.element} 累计 {sums or '?'} 秒",
            f"element {row.element} sums {sums or '?'} s",
        )
        hint = Text(
            f"stations.csv 写的是 {station.sum_interval_s}；累计值（20、26）要 quantity=rain_counter",
            f"stations.csv says {station.sum_interval_s}; totals (20, 26) want quantity rain_counter",
        )
        found.append(("element", words, hint))
    return found


def _source(row: TelemetryRow) -> FedBy:
    one = Text("一站一个地址", "one address a station")
    return FedBy(row.key, row.address, "element", one, Text("只留一个要素", "keep one element"))
