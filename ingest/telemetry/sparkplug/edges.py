"""Edge nodes of sparkplug.csv: what they publish as readings of stations, their deaths as silence, and the
requests that go back to them."""

from collections import Counter
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from config.language import Said, Text
from config.records.district import District, SparkplugRow
from ingest.decode.reading import Reading
from ingest.identify import Register, identify
from ingest.observation import HISTORICAL, Away, Flag, Observation
from ingest.telemetry.codec.sparkplug.wire import BAD, GOOD, STALE, rebirth
from ingest.telemetry.sparkplug.host import FromEdge, Host, Value
from stream.log.port import Out
from stream.mqtt.client import Mqtt
from stream.mqtt.sparkplug import EdgeTopic, command, read_topic, said, state
from stream.oplog import say
from stream.records import Rejected, encode

Found = Observation | Rejected | Out
_UNKNOWN = Text(
    "主题不是 sparkplug.csv 里的边缘节点", "this topic is of no edge node of sparkplug.csv"
)
_TOLD = 10_000
_GOODBYE_S = 5.0


class OfEdges:
    """live: an exercise hears no edge node and commands none."""

    def __init__(self, district: District, register: Register, *, live: bool) -> None:
        self._register = register
        self._partitions = range(district.partitions)
        self._rows: dict[tuple[str, str], dict[tuple[str, str], list[SparkplugRow]]] = {}
        for row in district.sparkplug if live else ():
            mine = self._rows.setdefault((row.group, row.edge), {})
            mine.setdefault((row.device, row.metric), []).append(row)
        wanted = {key: frozenset(device for device, _ in of) for key, of in self._rows.items()}
        self._host = Host(self._rows, wanted)
        self._state = state(district.sparkplug_host) if live and district.sparkplug_host else ""
        self._began, self._session = (
            0,
            0,
        )  # since when we are there; the connection that was told so
        self._told: set[tuple[str, ...]] = set()
        self._counted: Counter[str] = Counter()

    @property
    def filters(self) -> list[str]:
        """What to subscribe to. Where several ingests share the readings each hears all of these: the aliases
        of a node stand in its birth, and whoever reads its data must have read that. What comes twice counts
        once."""
        found = [topic for key in self._rows for topic in said(*key)]
        return found + [self._state] * bool(self._state)

    def will(self, now: int, *, shared: bool) -> tuple[str, bytes] | None:
        """What the broker is to say of us as a primary host when we are lost. Of several ingests that share the
        readings none is one: each would take back what the others say."""
        if shared:
            self._state = ""
        self._began = now
        return (self._state, self._says(online=False)) if self._state else None

    def _says(self, *, online: bool) -> bytes:
        """The state of a host, with the same time in the will and in what it takes back."""
        return msgspec.json.encode({"online": online, "timestamp": self._began})

    def leave(self, mqtt: Mqtt) -> None:
        """A wanted end: a broker forgets the will of who says goodbye."""
        if self._state and self._session:
            mqtt.publish(self._state, self._says(online=False), retain=True)
            mqtt.flush(_GOODBYE_S)

    def take(self, name: str, payload: bytes, now: int) -> list[Found]:
        """One message. now: of its receipt, ms."""
        if name == self._state:  # an old will, or ourselves
            if payload != self._says(online=True):
                self._session = 0
            return []
        topic = read_topic(name)
        if topic is None or (topic.group, topic.edge) not in self._rows:
            return [Rejected("unknown_topic", _UNKNOWN)]
        heard = self._host.hear(topic, payload, now)
        rows = self._rows[topic.group, topic.edge]
        found: list[Found] = [*heard.letters, *self._absent(topic, heard, rows)]
        for value in heard.values:
            for row in rows.get((value.device, value.metric), ()):
                one = self._reading(topic, row, value, now)
                if one is not None:
                    found.append(one)
        if heard.gone is not None:
            found += self._away(topic, heard.gone, rows, now)
        return found

    def ask(self, mqtt: Mqtt, now: int) -> None:
        """That we are there, in each connection once; and requests for a rebirth that are due. These are
        commands: QoS 0, as the specification has them."""
        if self._state and self._session != mqtt.session:
            self._session = mqtt.session
            mqtt.publish(self._state, self._says(online=True), retain=True)
        for key in self._host.due(now):
            mqtt.publish(command(*key), rebirth(now), qos=0)
            who = "/".join(key)
            say(
                "ingest",
                Text(f"{who}：请求重生（Sparkplug）", f"{who}: a rebirth is asked for (Sparkplug)"),
            )

    def told_less(self) -> dict[str, int]:
        """Since the last time: what was only counted, by reason."""
        found = self._counted + Counter(self._host.counted)
        self._counted.clear()
        self._host.counted.clear()
        return dict(found)

    def _once(self, *what: str) -> bool:
        """The first time since this process began?"""
        first = what not in self._told and len(self._told) < _TOLD
        if first:
            self._told.add(what)
        return first

    def _absent(
        self, topic: EdgeTopic, heard: FromEdge, rows: dict[tuple[str, str], list[SparkplugRow]]
    ) -> Iterable[Rejected]:
        """Metrics of the table that a birth has not: told once."""
        if heard.named is None:
            return
        device, names = heard.named
        for of, metric in rows:
            if of == device and metric not in names and self._once(topic.who, metric):
                some = ", ".join(sorted(names)[:8])
                words = Text(
                    f"出生证书里没有 {metric}，有：{some}",
                    f"its birth has no metric {metric}; it has {some}",
                )
                yield Rejected("unknown_metric", f"{topic.who}: " + words)

    def _reading(
        self, topic: EdgeTopic, row: SparkplugRow, value: Value, now: int
    ) -> Observation | Rejected | None:
        quantity = row.quantity or self._register.measures.get(row.station, "")
        where = Text(
            f"{topic.who} 第 {value.place} 字节 {value.metric}：",
            f"{topic.who} at byte {value.place}, {value.metric}: ",
        )
        if value.wrong:
            if self._once(topic.who, value.metric, "wrong"):
                return Rejected("bad_value", where + value.wrong)
            self._counted["bad_value"] += 1
            return None
        if value.value is None:
            self._counted["missing"] += 1
            return None
        if value.quality == STALE:  # a value of before, said again: it is no reading of now
            self._counted["stale"] += 1
            return None
        if value.historical and value.at is None:
            words = Text(
                "补发的值没有自己的时间，不知道是什么时候的",
                "a stored value without a time of its own: nobody knows of when it is",
            )
            return Rejected("bad_time", where + words)
        known = self._register.quantity.get((row.station, quantity))
        if value.birth and known is not None and known.kind == "interval":
            # a birth repeats what was last known, often with a new time: an amount would count twice
            self._counted["amount_of_birth"] += 1
            return None
        amount = value.value * row.scale + row.offset
        reading = Reading(value=amount, time=None if value.at is None else value.at / 1000)
        found = identify(self._register, reading, row.station, quantity, now)
        if isinstance(found, Rejected):
            return Rejected(found.reason, where + found.detail)
        if value.quality not in (None, GOOD) and found.flag < Flag.FAIL:
            bad = Flag.FAIL if value.quality == BAD else Flag.SUSPECT
            return replace(found, flag=bad, test=HISTORICAL if value.historical else "quality")
        if value.historical and found.flag < Flag.FAIL:
            return replace(found, test=HISTORICAL)
        return found

    def _away(
        self,
        topic: EdgeTopic,
        gone: str,
        rows: dict[tuple[str, str], list[SparkplugRow]],
        now: int,
    ) -> list[Out]:
        """A death: every station of the device, or of the node with all its devices."""
        stations = dict.fromkeys(
            row.station
            for (device, _), many in rows.items()
            for row in many
            # the level of a station whose battery hangs on another device is still there
            if (not gone or device == gone)
            and row.quantity in ("", self._register.measures.get(row.station))
        )
        if not stations:
            return []
        names = ", ".join(stations)
        words: Said = Text(
            f"{topic.who}：死亡证书，{names} 断报",
            f"{topic.who}: death certificate, {names} silent",
        )
        say("ingest", words)
        record = Away(stations=tuple(stations), by=topic.who, away_at=now, received_at=now)
        value = encode(record)
        return [Out("observations", "away", value, p) for p in self._partitions]
