"""The stage archive: every topic into history, for charts, hindcast and the after-action report.

At-least-once onto an idempotent port: the position is committed after history has the batch. When
history is away only archive waits.

After an error a topic is read on from its committed position; the member stays in its group, for each that
leaves and joins again has the work of the whole group divided anew. Only where history stays away it
leaves meanwhile: another process may reach it.

Once history was away, the newest records are written to it once more: a server may have lost what it had
acknowledged. InfluxDB (2) whose disk was full had half an entry in its write-ahead log, cut it off at its next
start, wrote on behind the gap that this left, and read no further than the gap at every start from then on
(docs/history.md).
"""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial

import msgspec

from config.language import Said, Text, text_of
from config.records.quantity import OF_PEOPLE
from ingest.observation import Flag, Observations, PersonSays
from stream import metrics
from stream.guard import letter
from stream.history.port import Fact, History, Point
from stream.history.refusing import Refusing
from stream.limits import LAST_AT
from stream.log.port import Consumer, Entry, Fenced, Log, Out, Unavailable
from stream.oplog import say
from stream.pace.retry import Retry
from stream.records import Rejected, decode

# History is in no hurry: larger batches, fewer fsyncs. It waits before it writes and not after: what it has
# just heard of may be a warning, which the next stage waits for the same disk to pass on.
_LINGER_S = 1.0
_LONGEST_S = 60.0  # of one wait for what is away
_AT_ONCE = 2000  # records
_AGAIN = 100_000  # of a partition; InfluxDB moves what it holds in memory to its files at 25 MB
_REWRITES = Text(
    "历史库断开过：把最新的记录再写一遍",
    "history was away: the newest records are written once more",
)
# type of record -> the field that says when it was
_FACTS = {
    "detection": "detected_at",
    "alert": "sent_at",
    "decision": "decided_at",
    "report": "reported_at",
    "outcome": "told_at",
    "delivery": "queued_at",
    "receipt": "receipt_at",
    "dead_letter": "received_at",
    "person_says": "said_at",
    "service": "said_at",
}
_json = msgspec.json.Decoder()
_observations = msgspec.json.Decoder(Observations | PersonSays)


def points_and_facts(topic: str, entries: list[Entry]) -> tuple[list[Point], list[Fact]]:
    """What history keeps of these records. An undecodable one is a dead letter of the stage that
    reads the topic; archive passes over it."""
    points: dict[tuple[str, str, int, int], Point] = {}
    facts = []
    for entry in entries:
        kept = decode(partial(_kept, topic, entry), entry.value)
        if isinstance(kept, Fact):
            facts.append(kept)
        else:
            points.update({p[:4]: p for p in kept or ()})
    return list(points.values()), facts


def _kept(topic: str, entry: Entry, value: bytes) -> list[Point] | Fact | None:
    """Of one record; Run and Tick carry nothing for history."""
    if topic == "observations":
        found = _observations.decode(value)
        if isinstance(found, PersonSays):
            at = (found.person, found.what, found.said_at, 0)
            return [Point(*at, 1, Flag.NOT_EVALUATED)] if found.what in OF_PEOPLE else None
        return [
            Point(o.station, o.quantity, o.observed_at, o.seq or 0, o.value, int(o.flag))
            for o in found.items
        ]
    record = _json.decode(value)
    kind = record.get("type", "") if isinstance(record, dict) else ""
    if kind not in _FACTS:
        return None
    at, area = record.get(_FACTS[kind]), str(record.get("area", ""))
    if type(at) is not int or not 0 <= at <= LAST_AT:
        return None
    area.encode()  # what cannot be written down is no record
    return Fact(topic, entry.partition, entry.offset, kind, area, at, value.decode())


def _refused(topic: str, history: History) -> list[Out]:
    """Dead letters of what history does not take; a dead letter's own refusal is only counted."""
    refused = history.refused() if isinstance(history, Refusing) else []
    metrics.REFUSED.labels("point" if topic == "observations" else "fact").inc(len(refused))
    for words in refused[:3]:
        say("archive", Text(f"历史拒收 {words}", f"history refuses {words}"), topic=topic)
    if topic == "dead-letters":
        return []
    why = Text("历史库拒收，主线不受影响", "InfluxDB refuses it; the line itself has it")
    at = int(time.time() * 1000)
    return [letter(at, topic, Rejected("history_refused", why), w.encode()) for w in refused]


def run_archive(log: Log, history: History, member: str, stop: threading.Event) -> None:
    """Archive every topic until `stop`; one thread a topic, so that a slow one holds up none. Ready while it
    has a partition of any."""
    with ThreadPoolExecutor(len(log.topics), thread_name_prefix="archive") as pool:
        waits: dict[str, Said] = dict.fromkeys(log.topics, "")
        shared = _Shared(history)
        work = [
            pool.submit(_archive_topic, log, shared, t, member, stop, waits) for t in log.topics
        ]
        with metrics.pulse("archive") as pulse:
            while not stop.is_set():
                done, _ = wait(work, timeout=0.5, return_when=FIRST_COMPLETED)
                if done:
                    break
                away = next((w for w in waits.values() if w and w is not metrics.NONE_HELD), "")
                pulse.beat(away or (metrics.NONE_HELD if all(waits.values()) else ""))
        stop.set()
    for one in work:
        one.result()


class _Shared:
    """What the threads of all topics have together: history, and when it was last away."""

    def __init__(self, history: History) -> None:
        self._history, self._lock = history, threading.Lock()
        self.away = 0  # so often; whoever finds it says so

    def write(self, topic: str, entries: list[Entry]) -> list[Out]:
        """The dead letters of what was refused. Raises OSError: history is away."""
        with self._lock:  # so that what was refused is this topic's
            try:
                self._history.write(*points_and_facts(topic, entries))
            except OSError:
                self.away += 1
                raise
            return _refused(topic, self._history)


class _Again:
    """A topic's newest records, which are written once more after history was away, some at a time beside those
    that are new."""

    def __init__(self, log: Log, topic: str, shared: _Shared) -> None:
        self._log, self._topic, self._shared = log, topic, shared
        self._seen = shared.away
        self._left: dict[int, tuple[int, int]] = {}  # partition -> from where, until where

    def some(self, owned: Mapping[int, int]) -> None:
        """owned: partition -> position. Raises OSError."""
        if self._shared.away != self._seen:
            self._seen = self._shared.away
            self._left = {p: (max(0, at - _AGAIN), at) for p, at in owned.items() if at}
        for partition, (at, until) in list(self._left.items()):
            entries = self._log.read(self._topic, partition, at, _AT_ONCE) if at < until else []
            if not entries or partition not in owned:
                del self._left[partition]
                continue
            self._shared.write(self._topic, entries)  # what it refuses was refused before
            self._left[partition] = entries[-1].offset + 1, until

    @property
    def goes_on(self) -> bool:
        return bool(self._left)


def _archive_topic(
    log: Log,
    shared: _Shared,
    topic: str,
    member: str,
    stop: threading.Event,
    waits: dict[str, Said],
) -> None:
    consumer: Consumer | None = None
    retry, again = Retry("archive", stop, most_s=_LONGEST_S), _Again(log, topic, shared)
    try:
        while not stop.is_set():
            kept = True  # did history have it
            try:
                if consumer is None:
                    consumer = log.join(topic, "archive", member)
                entries = consumer.poll(0.0 if again.goes_on else 0.5, _AT_ONCE)
                if entries and not stop.wait(_LINGER_S):  # see `_LINGER_S`
                    entries += consumer.poll(0.0, _AT_ONCE)
                kept = False
                again.some(consumer.owned())
                if entries:
                    letters = shared.write(topic, entries)
                    kept = True
                    for partition in sorted({e.partition for e in entries}):
                        last = max(e.offset for e in entries if e.partition == partition)
                        consumer.commit(partition, last + 1, letters)
                        letters = []
                    metrics.RECORDS_IN.labels("archive", topic).inc(len(entries))
                held = "" if consumer.owned() else metrics.NONE_HELD
                waits[topic] = _REWRITES if again.goes_on else held
                retry.answered()
            except Fenced:
                assert consumer is not None
                consumer.rewind()
            except (Unavailable, OSError) as e:
                lags = Text("；历史滞后，其余不受影响", "; history lags, nothing else does")
                why = f"{topic}: " + text_of(e) + lags
                waits[topic] = why
                if consumer is not None and not kept and retry.next_s >= _LONGEST_S:
                    consumer.close()
                    consumer = None
                elif consumer is not None:
                    consumer.rewind()
                retry.wait(why)
    finally:
        if consumer is not None:
            consumer.close()
