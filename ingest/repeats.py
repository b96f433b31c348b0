"""Readings whose time is ours to give: each is one reading, and none is taken twice.

What a device says without a time gets that of its receipt, and two of one millisecond get two. When
the broker says a message again (QoS 1: the acknowledgement was lost, or this process ended between
the log's commit and it), its DUP flag says so, and what has been taken is known by the message's
topic, payload and packet number; MQTT 3.1.1 keeps the number over a new connection (section 4.4),
and where a broker does not, each of the equal messages of the connections before counts once. The
marks of what was taken stand in the log, in the record that holds the readings.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from ingest.observation import Flag, Observation, Observations
from stream import metrics
from stream.clock import last_tick
from stream.log.port import Log, Out
from stream.mqtt.client import Message, digest
from stream.records import Rejected, Run
from stream.stages.run_identity import begin

Found = Observation | Rejected | Out

_FORMER = 1000  # messages that may not have been acknowledged when a connection ended
_KEPT_MS = 120_000
_FEW, _FAR = 64, 200_000  # records of readings that are looked for, and how far back

_decoder = msgspec.json.Decoder(Observations)


class Again:
    """What was taken; `marks` of the runs before, the oldest first. shared: another ingest may have
    taken what the broker says again."""

    def __init__(
        self, marks: Iterable[str] = (), *, live: bool = True, shared: bool = False
    ) -> None:
        self._live, self.shared = live, shared
        self._session = 0
        self._recent: deque[str] = deque(maxlen=_FORMER)
        self._last: dict[int, str] = {}  # packet number -> what it last carried
        self._former: Counter[str] = Counter()
        self._used: set[tuple[str, str, int]] = set()
        self._next: dict[tuple[str, str, int], int] = {}
        self._swept_at = 0
        for mark in marks:
            name, _, mid = mark.partition(":")
            self._keep(name, int(mid, 16))

    def once(self, message: Message, found: Sequence[Found], clock_at: int) -> Sequence[Found]:
        """Of what a message means, the readings without a time of their own: each once, at a moment of
        its own; in doubt where nobody can know how long they waited, or whether they are new."""
        ours = sum(isinstance(one, Observation) and bool(one.mark) for one in found)
        if not ours:
            return found
        if self.known(message):
            metrics.REPEATED.inc(ours)
            return [one for one in found if not (isinstance(one, Observation) and one.mark)]
        mark = self.take(message)
        doubt = self._live and (message.waited or (message.dup and self.shared))
        made: list[Found] = []
        for one in found:
            if isinstance(one, Observation) and one.mark:
                one = replace(self.stamp(one, clock_at), mark=mark)
                if doubt and one.flag != Flag.FAIL:
                    one = replace(one, flag=Flag.SUSPECT, test="waited")
            made.append(one)
        return made

    def known(self, message: Message) -> bool:
        """It is said again, and was taken."""
        if message.session != self._session:
            self._session, self._former = message.session, Counter(self._recent)
        if not message.dup:
            return False
        name = digest(message.topic, message.payload)
        held = self._former[name] > 0
        self._former[name] -= held
        return held or self._last.get(message.mid) == name

    def take(self, message: Message) -> str:
        """Its mark."""
        name = digest(message.topic, message.payload)
        self._keep(name, message.mid)
        return f"{name}:{message.mid:x}"

    def _keep(self, name: str, mid: int) -> None:
        self._recent.append(name)
        self._last[mid] = name

    def stamp(self, o: Observation, clock_at: int) -> Observation:
        """With a moment of its own: no other reading of its station that we stamped has it."""
        if abs(clock_at - self._swept_at) > _KEPT_MS:
            self._used = {k for k in self._used if k[2] > clock_at - _KEPT_MS}
            self._next.clear()
            self._swept_at = clock_at
        first = (o.station, o.quantity, o.observed_at)
        at = self._next.get(first, o.observed_at)
        while (o.station, o.quantity, at) in self._used:
            at += 1
        self._used.add((o.station, o.quantity, at))
        self._next[first] = at + 1
        return o if at == o.observed_at else replace(o, observed_at=at)

    def stamped(self, items: Iterable[Observation]) -> None:
        """These stand in the log."""
        self._used |= {(o.station, o.quantity, o.observed_at) for o in items}


class Newest(NamedTuple):
    """What the newest records of the log say. heard_at: when the newest reading came, ms; 0: there is none."""

    again: Again
    heard_at: int
    records: list[Observations]


def begun(log: Log, run: Run, *, shared: bool) -> tuple[Newest, int]:
    """The run stands in the log; what was taken before, and the newest clock of an exercise."""
    begin(log, run)
    live = run.kind == "live"
    return of_log(log, live=live, shared=shared), 0 if live else last_tick(log)


def of_log(log: Log, *, live: bool = True, shared: bool = False) -> Newest:
    """What was taken before this process began."""
    found: list[Observations] = []
    for partition in range(log.topics["observations"].partitions):
        found += _newest(log, partition)
    found.sort(key=lambda r: r.received_at)
    marks = dict.fromkeys(m for r in found for m in r.marks)  # a message may be of several groups
    again = Again(marks, live=live, shared=shared)
    for record in found:
        if record.marks:
            again.stamped(record.items)
    return Newest(again, found[-1].received_at if found else 0, found)


def _newest(log: Log, partition: int) -> list[Observations]:
    """The newest records of readings of a partition, the oldest of them first."""
    oldest, end = log.starts("observations")[partition], log.ends("observations")[partition]
    back = 256
    while True:
        found = []
        begin = max(oldest, end - back)
        at = begin
        while at < end:
            entries = log.read("observations", partition, at)
            if not entries:
                break
            at = entries[-1].offset + 1
            found += [r for e in entries if (r := _readings(e.value)) is not None]
        if len(found) >= _FEW or begin == oldest or back >= _FAR:
            return found[-_FEW:]
        back *= 8


def _readings(value: bytes) -> Observations | None:
    if b'"type":"observations"' not in value[:40]:
        return None
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
