"""The rows of telemetry.csv by address, and elements as readings of stations. Pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from config.language import Text
from config.records.district import TelemetryRow
from ingest.decode.reading import Reading
from ingest.identify import Register, identify
from ingest.observation import Flag, Observation
from ingest.telemetry.codec.said import Fault
from ingest.telemetry.codec.sl651.body import Item, moment, times
from ingest.telemetry.codec.sl651.tables import PICTURE
from ingest.telemetry.codec.szy206.data import Data206
from ingest.telemetry.codec.szy206.data import moment as moment_206
from stream.records import Rejected

# a fault of the codec as a reason of dead letters
REASON = {
    "noise": "no_frame",
    "bad_head": "no_frame",
    "bad_crc": "bad_crc",
    "cut": "cut_frame",
    "bad_value": "bad_value",
    "bad_time": "bad_time",
    "unknown_element": "unknown_element",
}


class Picture(NamedTuple):
    """A picture that a message holds, with its time in ms since 1970."""

    station: str
    at_ms: int
    body: bytes


class Meant(NamedTuple):
    """What a message means. missing: values that the device says it has not."""

    found: list[Observation | Rejected]
    pictures: list[Picture]
    missing: int


class Address:
    """The rows of one address."""

    def __init__(self, rows: list[TelemetryRow]) -> None:
        self.head = rows[0]
        self.of: dict[int, list[TelemetryRow]] = {}
        for row in rows:
            self.of.setdefault(row.code, []).append(row)


def book(rows: Iterable[TelemetryRow]) -> dict[tuple[str, str], Address]:
    """(protocol, address) -> its rows."""
    found: dict[tuple[str, str], list[TelemetryRow]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row)
    return {key: Address(mine) for key, mine in found.items()}


def rejected(address: str, fault: Fault) -> Rejected:
    """A fault as a dead letter: whose message, at which byte, what is wrong."""
    zh = f"{address} 第 {fault.at} 字节：{fault.zh}"
    return Rejected(REASON[fault.code], Text(zh, f"{address} at byte {fault.at}: {fault.en}"))


def of_651(
    register: Register, mine: Address, items: Iterable[Item], sent: str, received_at: int
) -> Meant:
    """Elements of SL 651 as readings. Without a time of observation that of sending counts, and is marked;
    none is made up."""
    meant = Meant([], [], 0)
    for item in items:
        for row in mine.of.get(item.id, ()):
            if item.id == PICTURE:
                meant = _picture(meant, row, item, sent)
                continue
            when, marked = times(item, row.slots == "last"), ""
            if not when:
                at = moment(sent) if not item.seen else None
                if at is None:
                    meant.found.append(_no_time(row, item))
                    continue
                when, marked = [at], "time_of_sending"
            values = item.value if isinstance(item.value, tuple) else (item.value,)
            lost = 0
            for at, value in zip(when, values, strict=False):
                if isinstance(value, float):
                    meant.found.append(_reading(register, row, value, at, marked, received_at))
                else:
                    lost += 1
            meant = meant._replace(missing=meant.missing + lost)
    return meant


def of_206(register: Register, mine: Address, data: Data206, received_at: int) -> Meant:
    """Values of SZY 206 as readings; of several of one message the first counts. The year and month are
    those that lie nearest to the receipt: nothing tells them."""
    meant = Meant([], [], 0)
    at = None if data.time is None else moment_206(data.time, received_at)
    for value in data.values[:1]:
        for row in mine.of.get(value.kind, ()):
            if value.value is None:
                meant = meant._replace(missing=meant.missing + 1)
            elif at is not None:
                meant.found.append(_reading(register, row, value.value, at, "", received_at))
    return meant


def _quantity(register: Register, row: TelemetryRow) -> str:
    return row.quantity or register.measures.get(row.station, "")


def _reading(
    register: Register, row: TelemetryRow, value: float, at: int, marked: str, received_at: int
) -> Observation | Rejected:
    value = value * row.scale + row.offset
    reading = Reading(value=value, time=at / 1000)
    found = identify(register, reading, row.station, _quantity(register, row), received_at)
    if marked and isinstance(found, Observation) and not found.test:
        return replace(found, test=marked)
    return found


def _picture(meant: Meant, row: TelemetryRow, item: Item, sent: str) -> Meant:
    at = moment(item.seen or sent)
    if at is None:
        meant.found.append(_no_time(row, item))
    elif isinstance(item.value, bytes):
        meant.pictures.append(Picture(row.station, at, item.value))
    return meant


def _no_time(row: TelemetryRow, item: Item) -> Rejected:
    zh = f"{row.station} 第 {item.at} 字节：要素 {item.id:02X} 没有能用的时间"
    return Rejected(
        "bad_time", Text(zh, f"{row.station} at byte {item.at}: no time for {item.id:02X}")
    )


def doubted(found: Iterable[Observation | Rejected], test: str) -> Iterator[Observation | Rejected]:
    """The same as suspect: it counts, but not alone."""
    for one in found:
        if isinstance(one, Observation) and one.flag < Flag.FAIL:
            yield replace(one, flag=Flag.SUSPECT, test=test)
        else:
            yield one
