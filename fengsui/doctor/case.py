"""What the judgement of a thing rests on, and what it says. Pure."""

from enum import IntEnum
from typing import NamedTuple

from config.language import Text
from config.records.devices.things import ThingRow
from config.records.devices.weather import WeatherRow
from config.records.district import District, Node, SparkplugRow, Station, address_of
from console.model.view import View
from dispatch.words.local_time import local
from fengsui.doctor.broker import Broker
from fengsui.doctor.heard import Last, LastDay
from stream.mqtt.access import things_topic

MINUTE = 60_000


class Weight(IntEnum):
    """How bad it is. BLIND: nothing of it is judged. DOUBT: it counts, and less. NOTE: to be known."""

    WELL = 0
    NOTE = 1
    DOUBT = 2
    BLIND = 3


LAYERS = ("line", "link", "message", "reading", "quality", "rule")


class Finding(NamedTuple):
    """One thing that is wrong: where on the way, what, and what to do."""

    code: str
    layer: str  # of LAYERS
    weight: Weight
    what: Text
    todo: Text


class Case(NamedTuple):
    """now: the run's clock; of a line that has stopped when it did. prefix: of the run's topics. listens: does
    the port for telemetry stations answer on this machine?"""

    district: District
    view: View
    heard: LastDay
    now: int
    started_at: int
    prefix: str
    broker: Broker
    listens: bool

    def plan(self, name: str) -> Station | Node:
        return self.district.stations.get(name) or self.district.nodes[name]

    def when(self, at: int, form: str = "%m-%d %H:%M:%S") -> str:
        """A moment as it is written in the district."""
        return local(at, self.district.timezone, form)

    def addresses(self, name: str) -> list[str]:
        """Of the telemetry station that brings it."""
        rows = self.district.telemetry
        return list(dict.fromkeys(address_of(r.address) for r in rows if r.station == name))

    def euis(self, name: str) -> list[str]:
        """Of the LoRaWAN device that brings it."""
        return list(dict.fromkeys(r.eui for r in self.district.lorawan if r.station == name))

    def things(self, name: str) -> list[ThingRow]:
        """The SensorThings Datastreams that bring it."""
        return [r for r in self.district.things if r.station == name]

    def files(self, name: str) -> list[WeatherRow]:
        """The columns of the weather office's files that bring it."""
        return [r for r in self.district.weather.rows if r.station == name]

    def edges(self, name: str) -> list[SparkplugRow]:
        """The metrics of Sparkplug edge nodes that bring it."""
        return [r for r in self.district.sparkplug if r.station == name]

    def gateways(self, name: str) -> list[str]:
        return [g for g, of in (self.district.gateways or {}).items() if name in of]

    def last(self, name: str) -> Last | None:
        """The newest arrival of the last day, of a node whatever it said."""
        thing = self.heard.of(name)
        if name in self.district.stations:
            return thing.last
        return max(thing.newest.values(), key=lambda r: r.received_at, default=None)

    def users(self, name: str) -> list[str]:
        """As whom it may come to the broker."""
        edges = (r.who for r in self.edges(name))
        return list(dict.fromkeys((name, *(r.user for r in self.things(name)), *edges)))

    def topic(self, name: str) -> str:
        """On which it should speak."""
        if rows := self.things(name):
            return things_topic(rows[0].datastream)[0]
        station = self.district.stations.get(name)
        if station is None:
            return f"{self.prefix}node/{name}/status"
        last = "frame/{ms}" if station.quantity == "frame" else station.quantity
        return f"{self.prefix}station/{name}/{last}"


def span(ms: float) -> Text:
    """A length of time as a person says it."""
    s = abs(ms) / 1000
    if s < 120:
        return Text(f"{s:.3g} 秒", f"{s:.3g} s")
    if s < 7200:
        return Text(f"{s / 60:.3g} 分钟", f"{s / 60:.3g} min")
    if s < 2 * 86_400:
        return Text(f"{s / 3600:.3g} 小时", f"{s / 3600:.3g} h")
    return Text(f"{s / 86_400:.3g} 天", f"{s / 86_400:.3g} days")
