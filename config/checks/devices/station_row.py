"""What is asked of a row of any table of devices about its station. Pure."""

from collections.abc import Hashable
from typing import NamedTuple

from config.language import Said, Text
from config.read.problem import unknown_name
from config.records.district import Station
from config.records.quantity import QUANTITIES

Fault = tuple[str, Said, Said]  # column, what is wrong, what to do
_ONE_VALUE = ("interval", "counter")  # of two fields the same rain would count twice
NO_ZERO: Fault = ("scale", "0", Text("不能为 0", "must not be 0"))


def not_declared(station: str) -> Fault:
    """A row of a station that stations.csv lacks."""
    return (
        "station",
        unknown_name(station),
        Text("先在 stations.csv 登记", "declare it in stations.csv"),
    )


class FedBy(NamedTuple):
    """Who brings a station's quantity. device: what tells it from others; named: to a person; part: the column
    of what it is of the device's message; one_device, one_part: what to do where there are two."""

    device: Hashable
    named: str
    part: str
    one_device: Text
    one_part: Text


def fed_twice(
    fed: dict[tuple[str, str], FedBy], station: Station | None, quantity: str, source: FedBy
) -> list[Fault]:
    """A station is of one device; and what is a sum, of one part of its message. fed: what rows before said."""
    if station is None:
        return []
    quantity = quantity or station.quantity
    other = fed.setdefault((station.id, quantity), source)
    if other is source:
        return []
    if other.device != source.device:
        words = Text(f"{station.id} 已属于 {other.named}", f"{station.id} is of {other.named}")
        return [("station", words, source.one_device)]
    if quantity in QUANTITIES and QUANTITIES[quantity].kind in _ONE_VALUE:
        words = Text("同一雨量会计两次", "the same rain would count twice")
        return [(source.part, words, source.one_part)]
    return []
