"""A host of Sparkplug B 3.0: what each edge node has said of its metrics, and whether anything is missing.

Pure: payloads and times come in. What it knows stands in memory only: after a restart every edge node of the
table is asked for its births again, which is the protocol's own way and needs no second copy of their tables.

One rule for data that comes without its birth or with a gap: a metric that names itself and whose value is
clear is taken all the same, for a warning must not wait for a certificate; one that only has an alias cannot be
known, and is told. Both times the node is asked for a rebirth.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from config.language import Said, Text
from ingest.telemetry.codec.sparkplug import datatypes, wire
from ingest.telemetry.codec.sparkplug.wire import Metric, Payload
from stream.mqtt.sparkplug import EdgeTopic
from stream.pace.rate_limit import RateLimit
from stream.records import Rejected

REORDER_MS = 3_000  # so long a number that was passed over may still come (Reorder Timeout)
AGAIN_MS = 20_000  # so long a node has for its births before it is asked again
_WHILE_MS, _MOST = 600_000, 6  # a node is asked so often in ten minutes at most
_DEAF = 3  # so often one is asked that says nothing: it is not there, and comes with its birth
_ROUND = 256  # sequence numbers go round
_JUMP = 128  # what is farther ahead is taken for behind
_TOLD = 500  # of a node between two births
_DEVICES = 1000  # of a node, where nobody says which are wanted
_BEFORE = Text("没有出生证书，已请求重生", "no birth is known, a rebirth is asked for")


class Value(NamedTuple):
    """One metric. value None: the device has none, or it is no number: then `wrong` says why. at: ms since
    1970, None: not given. place: its byte."""

    device: str
    metric: str
    value: int | float | None
    at: int | None
    historical: bool
    birth: bool
    place: int
    wrong: Said = ""
    quality: int | None = None


class FromEdge(NamedTuple):
    """What a message means. gone: a device, or "" for the node with all its devices. named: metrics of a birth,
    and of which device; None: it is none."""

    values: list[Value]
    letters: list[Rejected]
    gone: str | None = None
    named: tuple[str, frozenset[str]] | None = None


class _Edge:
    """Of one edge node. names: (device, metric) -> its datatype; alias -> (device, metric)."""

    def __init__(self) -> None:
        self.born = False
        self.bd_seq: int | None = None
        self.expected = 0
        self.missing: dict[int, int] = {}  # sequence number -> when it was passed over
        # the message before, for one that comes twice
        self.last: tuple[EdgeTopic, bytes] | None = None
        self.names: dict[tuple[str, str], int | None] = {}
        self.aliases: dict[int, tuple[str, str]] = {}
        self.devices: set[str] = set()
        self.broken: int | None = None  # since when something is missing that only a rebirth brings
        self.asked = -AGAIN_MS
        self.unanswered = 0  # requests since something was heard
        self.told: set[object] = set()

    def forget(self, device: str) -> None:
        """What is known of a device's metrics."""
        self.names = {m: kind for m, kind in self.names.items() if m[0] != device}
        self.aliases = {a: m for a, m in self.aliases.items() if m[0] != device}

    def once(self, what: object) -> bool:
        """The first time since the birth?"""
        first = what not in self.told and len(self.told) < _TOLD
        if first:
            self.told.add(what)
        return first


def _born(payload: Payload, now: int) -> _Edge:
    """A birth of the node: all before it is over."""
    edge = _Edge()
    edge.born = True
    bd_seq = next((m.value for m in payload.metrics if m.name == wire.BD_SEQ), None)
    edge.bd_seq = bd_seq if isinstance(bd_seq, int) else None
    edge.expected = ((payload.seq or 0) + 1) % _ROUND
    edge.asked = now  # the births of its devices come now
    return edge


class Host:
    """edges: (group, edge node) that are known; each is asked for its births when the host begins. devices: of
    each the devices that are wanted; of another nothing is held, however many it bears. None: any, up to
    _DEVICES."""

    def __init__(
        self,
        edges: Iterable[tuple[str, str]],
        devices: Mapping[tuple[str, str], Collection[str]] | None = None,
    ) -> None:
        self._devices = devices
        self._edges = {key: _Edge() for key in sorted(edges)}
        for edge in self._edges.values():
            edge.broken = 0
        self._limit = RateLimit(_WHILE_MS)
        self.counted: dict[str, int] = {}  # what is told once and counted each time

    def due(self, now: int) -> list[tuple[str, str]]:
        """Edge nodes to ask for a rebirth, which count as asked."""
        found = []
        for key, edge in self._edges.items():
            late = [at for at in edge.missing.values() if now - at >= REORDER_MS]
            if late and edge.broken is None:
                edge.broken = now
            if edge.broken is None or now - edge.asked < AGAIN_MS or edge.unanswered >= _DEAF:
                continue
            if self._limit.lets("/".join(key), now, _MOST):
                edge.asked, edge.unanswered = now, edge.unanswered + 1
                found.append(key)
        return found

    def hear(self, topic: EdgeTopic, raw: bytes, now: int) -> FromEdge:
        """One message of a known edge node. now: of its receipt, ms."""
        edge = self._edges[topic.group, topic.edge]
        edge.unanswered = 0
        payload = wire.read(raw)
        letters = [_fault(topic, f.code, f.at, f.zh, f.en) for f in payload.faults]
        if topic.kind in ("NDEATH", "DDEATH"):
            return self._death(edge, topic, payload, letters, now)
        if (topic, raw) == edge.last and topic.kind.endswith("DATA") and payload.seq is not None:
            self._count("repeated")
            return FromEdge([], [])
        edge.last = topic, raw
        wanted = self._wanted(edge, topic)
        if topic.kind == "NBIRTH":
            edge = self._edges[topic.group, topic.edge] = _born(payload, now)
        else:
            self._order(edge, topic, payload, letters, now, wanted=wanted)
        if not wanted:  # its number counts in the node's sequence, and that is all
            return FromEdge([], letters)
        birth = topic.kind.endswith("BIRTH")
        if topic.kind == "DBIRTH":
            edge.devices.add(topic.device)
        if birth:
            self._names(edge, topic, payload, letters)
        values = [
            v
            for m in payload.metrics
            if (v := self._value(edge, topic, payload, m, letters, now)) is not None
        ]
        of = frozenset(m.name for m in payload.metrics if m.name) if birth else None
        return FromEdge(values, letters, None, None if of is None else (topic.device, of))

    def _wanted(self, edge: _Edge, topic: EdgeTopic) -> bool:
        """Is it of the node itself, or of a device whose readings somebody wants?"""
        if not topic.device:
            return True
        if self._devices is not None:
            return topic.device in self._devices.get((topic.group, topic.edge), ())
        return topic.device in edge.devices or len(edge.devices) < _DEVICES

    def _order(
        self,
        edge: _Edge,
        topic: EdgeTopic,
        payload: Payload,
        letters: list[Rejected],
        now: int,
        *,
        wanted: bool = True,
    ) -> None:
        """Its sequence number; whether its births are known."""
        unborn = topic.kind == "DDATA" and wanted and topic.device not in edge.devices
        if not edge.born or unborn:
            edge.broken = edge.broken or now
            if edge.once(("birth", topic.device)):
                letters.append(_rejected(topic, "no_birth", _BEFORE))
            else:
                self._count("no_birth")
        if not edge.born:
            return
        seq = payload.seq
        if seq is None or seq >= _ROUND:
            self._gap(edge, topic, letters, Text("没有序号", "has no sequence number"))
            edge.broken = edge.broken or now
        elif seq in edge.missing:
            del edge.missing[seq]
        elif (ahead := (seq - edge.expected) % _ROUND) < _JUMP:
            for n in range(ahead):
                edge.missing[(edge.expected + n) % _ROUND] = now
            if ahead:
                words = Text(
                    f"序号 {edge.expected} 之后是 {seq}，缺 {ahead} 条",
                    f"sequence number {seq} where {edge.expected} was next: {ahead} are missing",
                )
                self._gap(edge, topic, letters, words)
            edge.expected = (seq + 1) % _ROUND
        else:
            words = Text(
                f"序号退回：{seq}，应为 {edge.expected}",
                f"the sequence went back: {seq} where {edge.expected} was next",
            )
            self._gap(edge, topic, letters, words)
            edge.broken = edge.broken or now

    def _gap(self, edge: _Edge, topic: EdgeTopic, letters: list[Rejected], words: Said) -> None:
        """Once between two births; the readings of the message count."""
        if edge.once("gap"):
            letters.append(_rejected(topic, "sequence_gap", words))
        else:
            self._count("sequence_gap")

    def _death(
        self, edge: _Edge, topic: EdgeTopic, payload: Payload, letters: list[Rejected], now: int
    ) -> FromEdge:
        """Of a node none of a connection before the one whose birth is known: its will may come after the next
        birth. The specification wants the very number of the birth; a newer one is believed as well, for it
        is of a connection that ended before its birth came, or of a node that counts on too early (as
        pysparkplug 0.6.1 does at a wanted end), and so is any where no birth is known: silence that was said
        once too often ends with the next reading."""
        if topic.kind == "DDEATH":
            self._order(edge, topic, payload, letters, now)
            edge.devices.discard(topic.device)
            edge.forget(topic.device)
            return FromEdge([], letters, topic.device)
        of = next((m.value for m in payload.metrics if m.name == wire.BD_SEQ), None)
        known = edge.bd_seq if edge.born else None
        if isinstance(of, int) and known is not None and 0 < (known - of) % _ROUND < _JUMP:
            self._count("old_death")
            return FromEdge([], letters)
        edge.born, edge.broken, edge.missing = False, None, {}
        for held in (edge.devices, edge.aliases, edge.names):  # the next birth may name others
            held.clear()
        return FromEdge([], letters, "")

    def _names(
        self, edge: _Edge, topic: EdgeTopic, payload: Payload, letters: list[Rejected]
    ) -> None:
        """What a birth says of its metrics: the device's former ones are over. An alias that stands twice is
        nobody's."""
        edge.forget(topic.device)
        for m in payload.metrics:
            if m.name is None:
                continue
            mine = topic.device, m.name
            edge.names[mine] = m.datatype
            if m.alias is None:
                continue
            if edge.aliases.get(m.alias, mine) != mine:
                words = Text(f"别名 {m.alias} 有两个量", f"alias {m.alias} stands for two metrics")
                letters.append(_metric(topic, "alias_twice", m, m.name, words))
                edge.aliases[m.alias] = "", ""
                continue
            edge.aliases[m.alias] = mine

    def _value(
        self,
        edge: _Edge,
        topic: EdgeTopic,
        payload: Payload,
        m: Metric,
        letters: list[Rejected],
        now: int,
    ) -> Value | None:
        """One metric by its name, or by the name that its alias has had since the birth."""
        device, name = topic.device, m.name
        if name is None:
            device, name = edge.aliases.get(-1 if m.alias is None else m.alias, ("", ""))
            if not name or device != topic.device:
                edge.broken = edge.broken or now
                if edge.once(("alias", m.alias)):
                    words = Text("别名不认识，已请求重生", "is not known, a rebirth is asked for")
                    letters.append(_metric(topic, "unknown_alias", m, f"alias {m.alias}", words))
                else:
                    self._count("unknown_alias")
                return None
        found = datatypes.number(m, edge.names.get((device, name)))
        # when it was sent is not when a stored value was measured
        at = payload.timestamp if m.timestamp is None and not m.historical else m.timestamp
        birth = topic.kind.endswith("BIRTH")
        if isinstance(found, datatypes.NoNumber):
            self._count(
                "not_a_number"
            )  # texts, data sets, templates: told where the table wants them
            wrong = Text(found.why.zh, found.why.en)
            return Value(device, name, None, at, m.historical, birth, m.at, wrong)
        return Value(device, name, found, at, m.historical, birth, m.at, "", m.quality)

    def _count(self, what: str) -> None:
        self.counted[what] = self.counted.get(what, 0) + 1


def _rejected(topic: EdgeTopic, reason: str, words: Said) -> Rejected:
    return Rejected(reason, f"{topic.who}: " + words)


def _fault(topic: EdgeTopic, code: str, at: int, zh: str, en: str) -> Rejected:
    reason = "oversize" if code == "oversize" else "cut_frame"
    return _rejected(topic, reason, Text(f"第 {at} 字节：{zh}", f"at byte {at}: {en}"))


def _metric(topic: EdgeTopic, reason: str, m: Metric, name: str, words: Said) -> Rejected:
    where = Text(f"第 {m.at} 字节 {name[:60]}：", f"{name[:60]} at byte {m.at} ")
    return _rejected(topic, reason, where + words)
