"""The Datastreams of things.csv at the broker: which topics they speak on, and what a message means."""

import re

from msgspec.structs import replace

from config.language import Said, Text, text_of
from config.records.devices.things import ThingRow
from config.records.district import District
from config.records.quantity import QUANTITIES
from ingest.identify import Register, identify
from ingest.observation import Flag, Observation
from ingest.telemetry.things.decode import Result, observations, read, stream_of
from stream.mqtt.access import THINGS, things_common, things_topic
from stream.records import Rejected

_TOPIC = re.compile(re.escape(THINGS) + r"Datastreams\((?:'([^']*)'|([^'()]*))\)/Observations")

_ITS_OWN = Text(
    "发到 v1.1/Datastreams(ID)/Observations：v1.1/Observations 只给唯一的发布者",
    "publish to v1.1/Datastreams(ID)/Observations: v1.1/Observations is for a single publisher",
)


class OfDatastreams:
    """live: an exercise hears no server of others."""

    def __init__(self, district: District, register: Register, *, live: bool) -> None:
        self._register = register
        self._rows = {row.datastream: row for row in district.things} if live else {}
        self._sums = {s.id: s.sum_interval_s for s in district.stations.values()}
        self.missing = 0
        self.filters = [t for name in self._rows for t in things_topic(name)]
        self._common = things_common(tuple(self._rows.values()))
        self.filters += self._common

    def takes(self, topic: str) -> bool:
        """Is it one of ours?"""
        return bool(self._rows) and topic.startswith(THINGS)

    def take(self, topic: str, payload: bytes, now: int) -> list[Observation | Rejected]:
        """One message, whole entities or what a device hands in. now: of receipt, ms."""
        match = _TOPIC.fullmatch(topic)
        named = None if match is None else match[1] or match[2]
        if named is None and topic not in self._common:
            return [Rejected("unknown_topic", _ITS_OWN)]
        found: list[Observation | Rejected] = []
        for item in observations(payload):
            one: Result | Rejected
            if isinstance(item, Rejected):
                one = item
            else:
                name = named or stream_of(item)
                row = None if isinstance(name, Rejected) else self._rows.get(name)
                one = _unknown(name) if row is None else read(item, row)
                if row is not None and isinstance(one, Rejected):
                    one = Rejected(one.reason, f"{row.station}: " + text_of(one.detail))
            if isinstance(one, Rejected):
                found.append(one)
            elif one.reading is None:
                self.missing += 1
            else:
                found.append(self._observation(one, self._rows[one.datastream], now))
        return found

    def told_less(self) -> dict[str, int]:
        """Results that said that there was no value, since the last time."""
        many, self.missing = self.missing, 0
        return {"missing": many} if many else {}

    def _observation(self, one: Result, row: ThingRow, now: int) -> Observation | Rejected:
        quantity = row.quantity or self._register.measures.get(row.station, "")
        assert one.reading is not None
        found = identify(self._register, one.reading, row.station, quantity, now)
        if isinstance(found, Rejected):
            return found
        flag, test = one.flag, one.test
        summed = QUANTITIES[quantity].kind == "interval"
        if summed and one.ms and one.ms != self._sums[row.station] * 1000 and flag == Flag.GOOD:
            flag, test = Flag.SUSPECT, "other_interval"
        if found.flag == Flag.FAIL or not (flag != Flag.GOOD or test):
            return found
        if flag == Flag.NOT_EVALUATED:
            flag = Flag.GOOD  # ours has been: that of the range
        worse = flag if flag in (Flag.SUSPECT, Flag.FAIL) else found.flag
        return replace(found, flag=worse, test=test or found.test)


def _unknown(name: str | Rejected) -> Rejected:
    if isinstance(name, Rejected):
        return name
    shown: Said = repr(name)[:60]
    words = Text(
        f"{shown} 未登记：请把这个 Datastream 加进 things.csv",
        f"{shown} is not registered: add this Datastream to things.csv",
    )
    return Rejected("unknown_station", words)
