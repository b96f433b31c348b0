"""From readings to observations: which station, is the unit right, can the time be true.

Pure: the register of stations and the time of receipt are arguments.
"""

import re
from typing import Any

from config.checks.gateways import NONE as NO_GATEWAYS
from config.language import Text
from config.records.devices.lorawan import OF_LINKS
from config.records.district import District
from config.records.quantity import OF_NODES, QUANTITIES, Quantity
from ingest.decode.reading import Reading, Relative
from ingest.gross_range import gross_range
from ingest.observation import Flag, Observation
from stream.limits import moment, number
from stream.records import Rejected

AHEAD_MS = 5 * 60_000
OURS = "?"  # the mark of a reading whose message has none yet
OLD_MS = 30 * 86_400_000
_LARGEST = 1e12
_TOO_OLD = Text("超过 30 天", "is over 30 days old")
_A_TIME = Text(
    "；应写 2025-07-26T22:10:00+08:00 或 1970 年起的秒",
    "; write 2025-07-26T22:10:00+08:00 or seconds since 1970",
)
_AHEAD = re.compile(r"(\S+): 时钟超前 \D*(\d+) ")  # older builds say both
# exact factors into the quantity's own unit
_UNITS: dict[str, dict[str, float]] = {
    "mm": {"mm": 1.0, "cm": 10.0, "m": 1000.0},
    "m": {"m": 1.0, "cm": 0.01, "mm": 0.001},
    "m3/s": {"m3/s": 1.0, "m³/s": 1.0},
    "%": {"%": 1.0, "%RH": 1.0, "/": 100.0, "%EL": 1.0},
}


class Register:
    """What may report: station or node -> quantity; a node reports on itself."""

    def __init__(self, district: District) -> None:
        self.quantity: dict[tuple[str, str], Quantity] = {
            (s.id, s.quantity): QUANTITIES[s.quantity] for s in district.stations.values()
        }
        self.measures = {s.id: s.quantity for s in district.stations.values()}
        for name in district.stations:
            self.quantity[name, "battery"] = QUANTITIES["battery"]
        for row in district.lorawan:
            self.quantity.update({(row.station, q): QUANTITIES[q] for q in OF_LINKS})
        for name in district.nodes:
            self.quantity.update({(name, q): QUANTITIES[q] for q in OF_NODES})
        # gateway -> whose readings it may bring; None: no table
        self.gateways = (
            None
            if district.gateways is None
            else {g: frozenset(s) for g, s in district.gateways.items()}
        )
        self.names = district.stations.keys() | district.nodes.keys()
        self.groups = district.groups_of_station


def identify(
    register: Register, reading: Reading, station: str, quantity: str, received_at: int
) -> Observation | Rejected:
    """One reading of `station` and `quantity` received at `received_at` (ms)."""
    row = register.quantity.get((station, quantity))
    if row is None:
        return _unknown(register, station, quantity)
    value = number(reading.value)
    if value is None:
        shown = _short(reading.value)
        words = Text(
            f"{station}: value {shown} 不是有限的数",
            f"{station}: value {shown} is not a finite number",
        )
        return Rejected("bad_value", words)
    if reading.unit is not None and reading.unit != row.unit:
        factor = _UNITS.get(row.unit, {}).get(reading.unit) if _text(reading.unit) else None
        if factor is None:
            unit = _short(reading.unit)
            words = Text(
                f"{station}: unit {unit}，应为 {row.unit}",
                f"{station}: unit {unit}, expected {row.unit}",
            )
            return Rejected("wrong_unit", words)
        value *= factor
    if not -_LARGEST < value < _LARGEST:
        shown = _short(value)
        words = Text(f"{station}: value {shown} 太大", f"{station}: value {shown} is too large")
        return Rejected("bad_value", words)
    observed_at, test = received_at, "time_of_receipt"
    if reading.time is not None:
        when = moment(reading.time)
        if when is None:
            shown = f"{station}: time {_short(reading.time)}"
            return Rejected("bad_time", shown + _A_TIME)
        observed_at, test = when, ""
        if when > received_at + AHEAD_MS:
            return _ahead(station, when - received_at)
        if when < received_at - OLD_MS:
            return Rejected("too_old", f"{station}: {_short(reading.time)} " + _TOO_OLD)
    seq = reading.seq
    if seq is not None and (type(seq) is not int or not 0 <= seq < 2**53):
        shown = _short(seq)
        words = Text(
            f"{station}: seq {shown} 不是非负整数", f"{station}: seq {shown} is no whole number"
        )
        return Rejected("bad_seq", words)
    count = row.count(value)
    flag, found = gross_range(row, count)
    return Observation(
        station=station,
        quantity=quantity,
        observed_at=observed_at,
        value=count,
        seq=seq,
        flag=flag,
        test=found or test,
        mark=OURS if reading.time is None or isinstance(reading, Relative) else "",
    )


def _ahead(station: str, ms: int) -> Rejected:
    minutes = round(ms / 60_000)
    words = Text(
        f"{station}: 时钟超前 {minutes} 分钟：请校时",
        f"{station}: its clock is ahead by {minutes} min: set it right",
    )
    return Rejected("clock_ahead", words)


def ahead_of(detail: str) -> tuple[str, int] | None:
    """The station and the minutes of what `clock_ahead` says of a reading."""
    found = _AHEAD.match(detail)
    return (found[1], int(found[2])) if found else None


def stranger(register: Register, gateway: str) -> Rejected | None:
    """None if this gateway is known."""
    if register.gateways is None:
        return Rejected("unknown_gateway", NO_GATEWAYS)
    if gateway not in register.gateways:
        text = Text(
            f"{_short(gateway)} 未登记：请加进 gateways.csv",
            f"{_short(gateway)} is not registered: add it to gateways.csv",
        )
        return Rejected("unknown_gateway", text)
    return None


def not_its_own(register: Register, gateway: str, station: str) -> Rejected | None:
    """None if this gateway, a known one, may speak for the station."""
    if station in (register.gateways or {}).get(gateway, ()):
        return None
    text = Text(
        f"{_short(gateway)} 冒报 {_short(station)}：见 gateways.csv",
        f"{_short(gateway)} may not speak for {_short(station)}: see gateways.csv",
    )
    return Rejected("not_its_station", text)


def frame_observation(
    register: Register, station: str, stamp: str, size: int, digest: str, received_at: int
) -> Observation | Rejected:
    """A picture whose time, in ms since 1970, stands in the topic."""
    if (station, "frame") not in register.quantity:
        return _unknown(register, station, "frame")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 15:
        words = Text(
            f"{station}: 主题末段应为 1970 年起的毫秒",
            f"{station}: the topic ends with ms since 1970",
        )
        return Rejected("bad_time", words)
    observed_at = int(stamp)
    if observed_at > received_at + AHEAD_MS:
        return _ahead(station, observed_at - received_at)
    if observed_at < received_at - OLD_MS:
        return Rejected("too_old", f"{station}: " + _TOO_OLD)
    return Observation(
        station=station,
        quantity="frame",
        observed_at=observed_at,
        value=size,
        ref=digest,
        flag=Flag.GOOD,
    )


def _unknown(register: Register, station: str, quantity: str) -> Rejected:
    if station in register.names:
        shown = _short(quantity)
        words = Text(
            f"{station} 不测 {shown}：见 stations.csv",
            f"{station} does not measure {shown}: see stations.csv",
        )
        return Rejected("wrong_quantity", words)
    shown = _short(station)
    words = Text(
        f"{shown} 未登记：请加进 stations.csv",
        f"{shown} is not registered: add it to stations.csv",
    )
    return Rejected("unknown_station", words)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _short(value: Any) -> str:
    # an int of thousands of figures cannot even be printed
    text = "…" if type(value) is int and number(value) is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
