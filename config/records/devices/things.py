"""OGC SensorThings: the rows of things.csv, which say whose reading the Observations of a Datastream are."""

from typing import Literal

from config.records.row import Row


class ThingRow(Row, frozen=True, kw_only=True):
    """One Datastream as the readings of one station of stations.csv.

    A result counts as `result * scale + offset`, in `unit`. quality: what `resultQuality` is read as; qartod:
    the flag 1, 2, 3, 4 or 9, as a number or a text, alone or as `code` of an object. user: of whoever
    publishes at the broker.
    """

    datastream: str  # its @iot.id, without quotes
    station: str
    quantity: Literal["", "battery"] = ""  # "": what the station measures
    unit: str = ""  # of the result; "": that of the quantity
    scale: float = 1.0
    offset: float = 0.0
    missing: tuple[float, ...] = ()  # results that say that there is none
    trace: tuple[float, ...] = ()  # results that say that it rained, too little to measure
    quality: Literal["", "qartod"] = ""
    user: str = "things"
