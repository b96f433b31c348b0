"""A district as the entities of SensorThings 1.1 (OGC 18-088, section 8). A station is a Thing with one
Location, a Datastream of what it measures and one of its battery; pictures are no Datastream, and people none
at all.

Ids are texts: of a station its own, of a Datastream STATION.QUANTITY, of an Observation that with the time in
ms and the device's number behind it.
"""

from typing import Any, NamedTuple

from config.records.district import District, Station
from config.records.quantity import QUANTITIES, Quantity
from dispatch.words.local_time import local
from ingest.observation import Flag
from stream.history.port import Point

Entity = dict[str, Any]
# set -> navigation -> (set, is it many)
RELATIONS: dict[str, dict[str, tuple[str, bool]]] = {
    "Things": {
        "Locations": ("Locations", True),
        "HistoricalLocations": ("HistoricalLocations", True),
        "Datastreams": ("Datastreams", True),
    },
    "Locations": {
        "Things": ("Things", True),
        "HistoricalLocations": ("HistoricalLocations", True),
    },
    "HistoricalLocations": {"Thing": ("Things", False), "Locations": ("Locations", True)},
    "Datastreams": {
        "Thing": ("Things", False),
        "Sensor": ("Sensors", False),
        "ObservedProperty": ("ObservedProperties", False),
        "Observations": ("Observations", True),
    },
    "Sensors": {"Datastreams": ("Datastreams", True)},
    "ObservedProperties": {"Datastreams": ("Datastreams", True)},
    "Observations": {
        "Datastream": ("Datastreams", False),
        "FeatureOfInterest": ("FeaturesOfInterest", False),
    },
    "FeaturesOfInterest": {"Observations": ("Observations", True)},
}
_MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
_GEOJSON = "application/geo+json"
_UCUM = "http://unitsofmeasure.org/ucum.html"
# our unit -> its name and code in UCUM
_UNITS = {
    "mm": ("millimetre", "mm"),
    "m": ("metre", "m"),
    "m3/s": ("cubic metre per second", "m3/s"),
    "%": ("percent", "%"),
    "um/s": ("micrometre per second", "um/s"),
    "Pa": ("pascal", "Pa"),
    "V": ("volt", "V"),
    "dB": ("decibel", "dB"),
    "ppm": ("parts per million", "[ppm]"),
    "MW": ("megawatt", "MW"),
    "1": ("one", "1"),
}


class Stream(NamedTuple):
    """A Datastream."""

    station: Station
    quantity: Quantity

    @property
    def id(self) -> str:
        return f"{self.station.id}.{self.quantity.name}"


class Model:
    """The entities of a district, by set and id."""

    def __init__(self, district: District) -> None:
        self._zone = district.timezone
        self.stations = {s: x for s, x in district.stations.items() if x.quantity != "frame"}
        rows = [
            Stream(s, QUANTITIES[q])
            for s in self.stations.values()
            for q in (s.quantity, "battery")
        ]
        self.streams = {row.id: row for row in rows}
        self._ids: dict[str, dict[str, None]] = {
            "Things": dict.fromkeys(self.stations),
            "Locations": dict.fromkeys(self.stations),
            "HistoricalLocations": {},
            "Datastreams": dict.fromkeys(self.streams),
            "Sensors": dict.fromkeys(self.streams),
            "ObservedProperties": dict.fromkeys(r.quantity.name for r in rows),
            "FeaturesOfInterest": dict.fromkeys(self.stations),
        }

    def ids(self, kind: str) -> list[str]:
        """All of a set but of Observations."""
        return list(self._ids[kind])

    def has(self, kind: str, name: str) -> bool:
        return name in self._ids[kind]

    def related(self, kind: str, name: str, target: str) -> list[str]:
        """The ids of a set that one entity leads to; of Observations the Datastreams that have them."""
        if target == "HistoricalLocations":
            return []
        match kind:
            case "Things" | "Locations" | "FeaturesOfInterest":
                if target in ("Datastreams", "Observations"):
                    return [s for s, row in self.streams.items() if row.station.id == name]
                return [name]
            case "Datastreams" | "Sensors":
                row = self.streams[name]
                if target == "ObservedProperties":
                    return [row.quantity.name]
                return [row.station.id if target == "Things" else name]
            case "ObservedProperties":
                return [s for s, row in self.streams.items() if row.quantity.name == name]
            case "Observations":
                stream = name.rsplit(".", 2)[0]
                return [stream if target == "Datastreams" else self.streams[stream].station.id]
        return []

    def entity(self, kind: str, name: str) -> Entity:
        """Its own properties, without links."""
        if kind in ("Things", "Locations", "FeaturesOfInterest"):
            found = self._of_station(kind, self.stations[name])
        elif kind in ("Datastreams", "Sensors"):
            found = _of_stream(kind, self.streams[name])
        else:
            q = QUANTITIES[name]
            found = {
                "name": name,
                "description": q.zh,
                "definition": f"urn:fengsui:quantity:{name}",
                "properties": {"unit": q.unit, "kind": q.kind},
            }
        return {"@iot.id": name, **found}

    def _of_station(self, kind: str, s: Station) -> Entity:
        place = {"type": "Point", "coordinates": [s.lon, s.lat, s.elevation_m]}
        names = {"name": s.name, "description": s.name_en}
        if kind == "Locations":
            return {**names, "encodingType": _GEOJSON, "location": place}
        if kind == "FeaturesOfInterest":
            return {**names, "encodingType": _GEOJSON, "feature": place}
        return {
            **names,
            "properties": {
                "basin": s.basin,
                "interval_s": s.interval_s,
                "silent_after_s": s.silent_after_s,
                "calibrated": s.calibrated,
            },
        }

    def observation(self, row: Stream, p: Point) -> Entity:
        """A reading. A sum counts at the end of its interval."""
        end = self._time(p.observed_at)
        when = end
        if row.quantity.kind == "interval":
            when = f"{self._time(p.observed_at - row.station.sum_interval_s * 1000)}/{end}"
        missing = p.flag == Flag.MISSING
        return {
            "@iot.id": f"{row.id}.{p.observed_at}.{p.seq}",
            "phenomenonTime": when,
            "resultTime": end,
            "result": None if missing else row.quantity.amount(p.value),
            "resultQuality": p.flag,
        }

    def _time(self, at: int) -> str:
        zone = local(at, self._zone, "%z")
        return f"{local(at, self._zone, '%Y-%m-%dT%H:%M:%S')}.{at % 1000:03d}{zone[:3]}:{zone[3:]}"

    def point_of(self, name: str) -> tuple[Stream, int, int] | None:
        """The Datastream, time and number that an id of an Observation names."""
        stream, _, rest = name.rpartition(".")
        stream, _, at = stream.rpartition(".")
        row = self.streams.get(stream)
        if (
            row is None
            or not at.isdecimal()
            or not rest.isdecimal()
            or len(at) > 15
            or len(rest) > 15
        ):
            return None
        return row, int(at), int(rest)


def _of_stream(kind: str, row: Stream) -> Entity:
    s, q = row.station, row.quantity
    names = {"name": f"{s.name} {q.zh}", "description": f"{s.name_en}: {q.name}"}
    if kind == "Sensors":
        told = {"quantity": q.name, "interval_s": s.interval_s, "calibrated": s.calibrated}
        return {**names, "encodingType": "application/json", "metadata": told}
    name, code = _UNITS.get(q.unit, (q.unit, q.unit))
    return {
        **names,
        "observationType": _MEASUREMENT,
        "unitOfMeasurement": {"name": name, "symbol": code, "definition": f"{_UCUM}#{code}"},
        "observedArea": {"type": "Point", "coordinates": [s.lon, s.lat]},
        "properties": {"kind": q.kind, "resolution": 1 / q.per_unit},
    }


def walk(entity: Entity, path: list[str]) -> Any:
    """A property, or one within it; None where there is none. `id` is the entity's own."""
    value: Any = entity
    for n, step in enumerate(path):
        if not isinstance(value, dict):
            return None
        value = value.get("@iot.id" if n == 0 and step in ("id", "@iot.id") else step)
    return value
