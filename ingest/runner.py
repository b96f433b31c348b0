"""The one runner: drives any stage over any log.

For every partition it owns it loads the newest snapshot, steps silently from there to the
committed position (what that writes was written before), and then steps over what comes and
commits outputs, position and, now and then, a snapshot in one transaction. While one commit is
under way the next records are stepped; while much is coming, a batch that wrote nothing waits for
the next commit, for stepping it again writes nothing again. If a commit fails, the memory is thrown
away and rebuilt, so what is written never rests on memory that the log does not have.
"""

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ingest import meters
from ingest.journal import say
from ingest.log import Consumer, Entry, Fenced, Log, Out, Step, Unavailable
from ingest.meter import Meter
from ingest.observation import DeadLetter, Tick, encode
from ingest.stage import Item, Stage, Write

SNAPSHOT_S = 60.0
_POLL_S = 0.25
_IDLE_S = 0.005  # with something to commit: is there more?
_COMMIT_S = 1.0  # so long a batch that wrote nothing may wait
_LIMIT = 20_000
_PAYLOAD_KEPT = 4096


@dataclass
class _Held:
    """The memory of one partition."""

    state: Any
    position: int  # all before it is in the state
    fresh: bool = False  # nothing new since the last snapshot
    snapshot_at: float = 0.0
    committed: int = 0  # position of the last commit begun
    committed_at: float = 0.0


def decoded(stage: Stage, entries: Sequence[Entry]) -> tuple[list[Item], list[Entry]]:
    """Entries as records, and those that are not of the topic."""
    items, poison = [], []
    for entry in entries:
        try:
            items.append(Item(entry.partition, entry.offset, entry.key, stage.decode(entry.value)))
        except msgspec.MsgspecError:
            poison.append(entry)
    return items, poison


def _dead(stage: Stage, entry: Entry, received_at: int) -> Out:
    letter = DeadLetter(
        received_at=received_at,
        source=f"{stage.reads}/{entry.partition}/{entry.offset}",
        reason="undecodable_record",
        detail=f"{stage.name} 读不懂这条记录 cannot read this record: another program or a newer version "
        "wrote it",
        payload=b64encode(entry.value[:_PAYLOAD_KEPT]).decode(),
    )
    return Out("dead-letters", entry.key, encode(letter))


def _outs(writes: Sequence[Write]) -> list[Out]:
    return [Out(w.topic, w.key, encode(w.record), w.partition) for w in writes]


def rebuild(
    stage: Stage,
    log: Log,
    consumer: Consumer,
    partition: int,
    until: int,
    beat: Callable[[], None] = lambda: None,
) -> Any:
    """The state after every record before `until`, from the newest snapshot that is not newer.
    `beat` is called now and then: it may take minutes."""
    state, position = stage.new(partition), 0
    snapshot = consumer.snapshot(partition)
    if snapshot is not None and snapshot.position <= until:
        form, body = msgspec.msgpack.decode(snapshot.body, type=tuple[int, bytes])
        if form == stage.format:
            state, position = stage.load(partition, body), snapshot.position
        else:
            say(
                stage.name,
                f"快照格式 snapshot of format {form}, mine is {stage.format}: left aside",
            )
    oldest = log.starts(stage.reads)[partition]
    if position < min(oldest, until):
        say(
            stage.name,
            f"{stage.reads}/{partition}: 没有快照 no snapshot, and the log begins at {oldest}: what was "
            "before it is not remembered (rain of earlier days, open warnings); compare by hand",
        )
    while position < until:
        beat()
        entries = [e for e in log.read(stage.reads, partition, position) if e.offset < until]
        if not entries:
            break
        state, _ = stage.step(state, decoded(stage, entries)[0])
        position = entries[-1].offset + 1
    return state


def snapshot_body(stage: Stage, state: Any) -> bytes:
    """A snapshot as `rebuild` reads it."""
    return msgspec.msgpack.encode((stage.format, stage.dump(state)))


class Runner:
    """One member of one stage. `after` is called on each pass with the state of every owned
    partition, for a stage that acts on the world (send)."""

    def __init__(
        self,
        stage: Stage,
        log: Log,
        *,
        member: str,
        live: bool,
        now: Callable[[], int],
        after: Callable[[Mapping[int, Any]], None] | None = None,
        count: Callable[[Any, Sequence[Item]], None] | None = None,
        snapshot_s: float = SNAPSHOT_S,
    ) -> None:
        self._stage = stage
        self._log = log
        self._member = member
        self._now = now
        self._after = after
        self._meter = Meter(stage, now if live else None, count)
        self._snapshot_s = snapshot_s
        self._tick_ms = int(stage.ticks * 1000) if live else 0
        self._ticked_at = 0
        self._held: dict[int, _Held] = {}
        self._settle: Callable[[], None] | None = None  # waits for the commit under way

    def run(self, stop: threading.Event, ready: threading.Event | None = None) -> None:
        """Until `stop`. A bug in the stage is raised; a log that is away is waited for."""
        with meters.pulse(self._stage.name) as pulse:
            self._run(stop, ready, pulse)

    def _run(
        self, stop: threading.Event, ready: threading.Event | None, pulse: meters.Pulse
    ) -> None:
        consumer: Consumer | None = None
        wait_s = 0.5
        try:
            while not stop.is_set():
                try:
                    if consumer is None:
                        consumer = self._log.join(self._stage.reads, self._stage.name, self._member)
                    self._pass(consumer, stop, pulse.beat)
                    wait_s = 0.5
                    pulse.beat("" if self._held else "没有分区, 待命 no partition: stands by")
                    if ready is not None and self._held:
                        ready.set()
                except Fenced as e:
                    self._forget(consumer)
                    meters.COMMIT_FAILURES.labels(self._stage.name).inc()
                    say(self._stage.name, f"{e}; joining again")
                except Unavailable as e:
                    self._forget(consumer)
                    meters.COMMIT_FAILURES.labels(self._stage.name).inc()
                    say(self._stage.name, f"{e}; trying again in {wait_s:.0f} s")
                    pulse.beat(str(e))
                    stop.wait(wait_s)
                    wait_s = min(wait_s * 2, 30.0)
            if consumer is not None:
                self._snapshot_all(consumer)
        finally:
            if consumer is not None:
                consumer.close()

    def _forget(self, consumer: Consumer | None) -> None:
        """Throw the memory away; it is rebuilt from what is committed."""
        self._held.clear()
        self._settle = None
        if consumer is not None:
            consumer.rewind()

    def _pass(
        self, consumer: Consumer, stop: threading.Event, beat: Callable[[], None] = lambda: None
    ) -> None:
        waiting = any(h.committed < h.position for h in self._held.values())
        entries = consumer.poll(_IDLE_S if waiting or self._settle else _POLL_S, _LIMIT)
        owned = consumer.owned()
        for partition in [p for p in self._held if p not in owned]:
            del self._held[partition]
        self._meter.owns(owned)
        for partition, position in owned.items():
            if partition not in self._held:
                self._wait()  # a commit under way may move the position
                position = consumer.owned().get(partition, position)
                state = rebuild(self._stage, self._log, consumer, partition, position, beat)
                now = time.monotonic()
                self._held[partition] = _Held(state, position, True, now, position, now)
        outs: dict[int, list[Out]] = {p: [] for p in self._held}
        by_partition: dict[int, list[Entry]] = {}
        for entry in entries:
            by_partition.setdefault(entry.partition, []).append(entry)
        for partition in sorted(by_partition):
            if stop.is_set():
                break
            outs[partition] = self._step(partition, by_partition[partition])
        self._commit(consumer, outs, idle=not entries)
        self._tick()
        if self._after is not None:
            self._wait()
            self._after({p: held.state for p, held in self._held.items()})

    def _step(self, partition: int, entries: list[Entry]) -> list[Out]:
        held = self._held[partition]
        entries = [e for e in entries if e.offset >= held.position]
        if not entries:
            return []
        items, poison = decoded(self._stage, entries)
        held.state, writes = self._stage.step(held.state, items)
        held.position = entries[-1].offset + 1
        held.fresh = False
        self._meter.stepped(partition, held.state, items, poison)
        return _outs(writes) + [_dead(self._stage, e, self._now()) for e in poison]

    def _commit(self, consumer: Consumer, outs: Mapping[int, list[Out]], *, idle: bool) -> None:
        """Begin to commit what has to be; the commit before it is over then."""
        now, steps = time.monotonic(), []
        for partition, held in self._held.items():
            if held.committed == held.position:
                continue
            due = now - held.committed_at >= _COMMIT_S
            if not (outs[partition] or idle or due or self._after is not None):
                continue
            body = None
            if now - held.snapshot_at >= self._snapshot_s:
                body, held.snapshot_at, held.fresh = (
                    snapshot_body(self._stage, held.state),
                    now,
                    True,
                )
            steps.append(Step(partition, held.position, outs[partition], body))
        if steps or idle:
            self._wait()
        if steps:
            self._settle = self._meter.timed(consumer.commit_all(steps), steps)
            for step in steps:
                held = self._held[step.partition]
                held.committed, held.committed_at = step.position, now

    def _wait(self) -> None:
        settle, self._settle = self._settle, None
        if settle is not None:
            settle()

    def _tick(self) -> None:
        """Time for our own partitions, in a live run: recorded with the rest, so that a replay of
        the partition is exact."""
        now = self._now()
        if self._tick_ms and self._held and now - self._ticked_at >= self._tick_ms:
            self._ticked_at = now
            value = encode(Tick(clock_at=now))
            self._log.append([Out(self._stage.reads, "tick", value, p) for p in self._held])

    def _snapshot_all(self, consumer: Consumer) -> None:
        """On a clean stop, so that the next start is quick."""
        try:
            self._wait()
            for partition, held in self._held.items():
                if not held.fresh:
                    consumer.commit(
                        partition, held.position, [], snapshot_body(self._stage, held.state)
                    )
        except (Fenced, Unavailable):
            return  # the next owner re-steps instead
