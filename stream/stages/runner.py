"""The one runner: drives any stage over any log.

For every partition it owns it loads the newest snapshot, steps silently from there to the
committed position (what that writes was written before), and then steps over what comes and
commits outputs, position and, now and then, a snapshot in one transaction. While one commit is
under way the next records are stepped; while anything is coming, a batch that wrote nothing waits for
the next commit, for stepping it again writes nothing again, and a commit of its own would stand in
the way of one that warns. If a commit fails, the memory is thrown
away and rebuilt, so what is written never rests on memory that the log does not have.
"""

import gc
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.language import Said, Text, text_of
from stream import metrics
from stream.guard import fault
from stream.log.port import Consumer, Entry, Fenced, Log, Out, Step, Unavailable
from stream.oplog import say
from stream.pace.retry import Retry
from stream.records import Run, Tick, encode
from stream.stages.run_identity import heal
from stream.stages.stage import InPieces, Item, Stage
from stream.stages.stage_memory import (
    NOT_THE_RECORD,
    Hand,
    rebuild,
    snapshot_body,
    snapshot_piece,
)
from stream.stages.stage_metrics import Meter

SNAPSHOT_S = 60.0
_POLL_S = 0.25
_IDLE_S = 0.005  # while a commit is under way: is there more?
_STOOD_S = 5.0  # no pass takes so long but where the machine or the log stood still
_LONG = 2  # times the time between snapshots
_COMMIT_S = 1.0  # so long a batch that wrote nothing may wait
_LIMIT = 20_000


@dataclass
class _Held:
    """The memory of one partition."""

    state: Any
    position: int  # all before it is in the state
    fresh: bool = False  # nothing new since the last snapshot
    snapshot_at: float = 0.0
    committed: int = 0  # position of the last commit begun
    committed_at: float = 0.0
    until: int = 0  # where the log ended when the partition came to us
    begun: bool = False  # of a snapshot in pieces some are written, not all


def _snapshot_at(held: _Held) -> float:
    return held.snapshot_at


class Runner:
    """One member of one stage. `after` is called on each pass with the state of every owned
    partition, for a stage that acts on the world (send). run: what the process was started for; a
    partition of another run is refused, see `stream.stages.run_identity`. steady: seconds, of a clock
    that never goes back.

    `after` is not called before everything has been read that stood in the log when a partition came to us,
    or when this process last stood still: a log hands a backlog out in pieces, and what stands in the last of
    them may replace what would go out for the first. On Kafka a send that had been killed began with warnings
    of which newer versions had stood in the log for ten seconds (fengsui bench kills)."""

    def __init__(
        self,
        stage: Stage,
        log: Log,
        *,
        member: str,
        live: bool,
        now: Callable[[], int],
        run: Run | None = None,
        after: Callable[[Mapping[int, Any]], None] | None = None,
        count: Callable[[Any, Sequence[Item]], None] | None = None,
        snapshot_s: float = SNAPSHOT_S,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage = stage
        self._hand = Hand(stage, run)
        self._log = log
        self._member = member
        self._now = now
        self._after = after
        self._meter = Meter(stage, now if live else None, count)
        self._snapshot_s, self._steady = snapshot_s, steady
        self._tick_ms = int(stage.ticks * 1000) if live else 0
        self._ticked_at = 0
        self._held: dict[int, _Held] = {}
        self._consumer: Consumer | None = None
        self._settle: Callable[[], None] | None = None  # waits for the commit under way
        self._passed_at = steady()
        self._acts = after is None  # from its first `after` on a stage can be spoken to

    def run(self, stop: threading.Event, ready: threading.Event | None = None) -> None:
        """Until `stop`. ready: set once it has a partition and, where it acts on the world, has begun to. A
        record at which the stage fails is left out, a log that is away is waited for. Raises
        `stream.stages.run_identity.WrongRun`."""
        with metrics.pulse(self._stage.name) as pulse:
            self._run(stop, ready, pulse)

    def _run(
        self, stop: threading.Event, ready: threading.Event | None, pulse: metrics.Pulse
    ) -> None:
        retry = Retry(self._stage.name, stop, 0.5)
        try:
            while not stop.is_set():
                why = self.turn(stop, pulse.beat)
                if why is None:
                    retry.answered()
                    pulse.beat("" if self._held else metrics.NONE_HELD)
                    if ready is not None and self._held and self._acts:
                        ready.set()
                elif why:
                    pulse.beat(why)
                    retry.wait(why)
            if self._consumer is not None:
                self._snapshot_all(self._consumer)
        finally:
            if self._consumer is not None:
                self._consumer.close()
                self._consumer = None

    def turn(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> Said | None:
        """One pass: take what is there, step it, begin to commit it. None: it was made. "": another
        member has a partition of ours. Else why the log is away: come again after a while."""
        try:
            if self._consumer is None:
                self._consumer = self._log.join(self._stage.reads, self._stage.name, self._member)
            self._pass(self._consumer, stop, beat)
            return None
        except Fenced as e:
            self._forget(self._consumer)
            metrics.COMMIT_FAILURES.labels(self._stage.name).inc()
            say(self._stage.name, text_of(e) + Text("；重新加入", "; joining again"))
            return ""
        except Unavailable as e:
            self._forget(self._consumer)
            metrics.COMMIT_FAILURES.labels(self._stage.name).inc()
            return text_of(e)

    def _forget(self, consumer: Consumer | None) -> None:
        """Throw the memory away; it is rebuilt from what is committed. With it goes what stands in circles, as
        the clients of a log that failed do, with their sockets: the collector comes by itself only after hours
        (`fengsui.run.service.calm_collector`)."""
        had, self._settle = bool(self._held), None
        self._held.clear()
        if had:
            gc.collect()
        if consumer is not None:
            consumer.rewind()

    def _pass(
        self, consumer: Consumer, stop: threading.Event, beat: Callable[[], None] = lambda: None
    ) -> None:
        entries = consumer.poll(_IDLE_S if self._settle else _POLL_S, _LIMIT)
        owned = consumer.owned()
        for partition in [p for p in self._held if p not in owned]:
            del self._held[partition]
        self._look_how_far(self._steady())
        self._meter.owns(owned)
        for partition, position in owned.items():
            if partition not in self._held:
                self._wait()  # a commit under way may move the position
                position = consumer.owned().get(partition, position)
                state = rebuild(self._hand, self._log, consumer, partition, position, beat)
                self._told(partition, position, state)
                now = self._steady()
                held = self._held[partition] = _Held(state, position, True, now, position, now)
                if self._after is not None:
                    held.until = self._log.ends(self._stage.reads)[partition]
        outs: dict[int, list[Out]] = {p: [] for p in self._held}
        by_partition: dict[int, list[Entry]] = {}
        for entry in entries:
            by_partition.setdefault(entry.partition, []).append(entry)
        for partition in sorted(by_partition):
            if stop.is_set():
                break
            outs[partition] = self._step(consumer, partition, by_partition[partition], beat)
        self._commit(consumer, outs, idle=not entries)
        self._tick()
        if self._after is not None:
            self._wait()
            if all(self._up_to_date(p, h, idle=not entries) for p, h in self._held.items()):
                self._after({p: held.state for p, held in self._held.items()})
                self._acts = True

    def _look_how_far(self, now: float) -> None:
        """After this process has stood still there is a backlog again."""
        passed_at, self._passed_at = self._passed_at, now
        if self._after is not None and self._held and now - passed_at > _STOOD_S:
            ends = self._log.ends(self._stage.reads)
            for partition, held in self._held.items():
                held.until = ends[partition]

    def _up_to_date(self, partition: int, held: _Held, *, idle: bool) -> bool:
        """Has it read what stood in the log when it came to us? A log's end may have no record before it
        (Kafka's markers of transactions): where nothing comes any more, the log says whether there is one."""
        behind = held.position < held.until
        if behind and idle and not self._log.read(self._stage.reads, partition, held.position, 1):
            held.until = held.position
        return held.position >= held.until

    def _told(self, partition: int, position: int, state: Any) -> None:
        """The partition's memory knows what the run is, or the log is told."""
        if self._hand.run is not None:
            found, reads = self._stage.begun(state), self._stage.reads
            heal(self._log, self._hand.run, reads, partition, position, found, self._hand.read)

    def _step(
        self, consumer: Consumer, partition: int, entries: list[Entry], beat: Callable[[], None]
    ) -> list[Out]:
        held = self._held[partition]
        entries = [e for e in entries if e.offset >= held.position]
        if not entries:
            return []

        def before() -> Any:
            self._wait()  # what is being committed is in the log then
            return rebuild(self._hand, self._log, consumer, partition, entries[0].offset, beat)

        taken = self._hand.take(partition, held.state, entries, before)
        held.state, held.position, held.fresh = taken.state, entries[-1].offset + 1, False
        if any(b.reason == "failed_record" for b in taken.bad):
            held.snapshot_at = -self._snapshot_s  # whoever rebuilds begins behind it
        self._meter.stepped(partition, held.state, taken.items, taken.bad)
        return taken.outs + [self._hand.dead(b, self._now()) for b in taken.bad]

    def _commit(self, consumer: Consumer, outs: Mapping[int, list[Out]], *, idle: bool) -> None:
        """Begin to commit what has to be; the commit before it is over then."""
        now, steps = self._steady(), []
        turn = self._whose_turn(now)
        for partition, held in self._held.items():
            goes_on = held is turn and held.begun
            if held.committed == held.position and not goes_on:
                continue
            due = now - held.committed_at >= _COMMIT_S or goes_on
            if not (outs[partition] or idle or due or self._after is not None):
                continue
            step = Step(partition, held.position, outputs=outs[partition])
            steps.append(self._with_snapshot(step, held, now) if held is turn else step)
        if steps or idle:
            self._wait()
        if steps:
            self._settle = self._meter.timed(consumer.commit_all(steps), steps)
            for step in steps:
                held = self._held[step.partition]
                held.committed, held.committed_at = step.position, now

    def _whose_turn(self, now: float) -> _Held | None:
        """One partition's snapshot, or a piece of it, a commit, the most overdue first: nothing waits for all
        of them. One in pieces goes on until it is whole, and begins sooner where much has changed."""
        old = [h for h in self._held.values() if h.begun or self._is_due(h, now)]
        return min(old, key=_snapshot_at, default=None)

    def _is_due(self, held: _Held, now: float) -> bool:
        if held.committed == held.position:
            return False
        stage = self._stage
        much = isinstance(stage, InPieces) and stage.full(held.state)
        return much or now - held.snapshot_at >= self._snapshot_s

    def _with_snapshot(self, step: Step, held: _Held, now: float) -> Step:
        """The step with the next piece of the memory, or with all of it."""
        # what never comes to rest is written at once in the end
        long_ago = now - held.snapshot_at >= _LONG * self._snapshot_s
        step = self._noted(step, held, whole=long_ago)
        held.begun = step.piece is not None and not step.piece.point
        if not held.begun:
            held.snapshot_at, held.fresh = now, True
        return step

    def _noted(self, step: Step, held: _Held, *, whole: bool) -> Step:
        """As it was where the memory cannot be written down: it is rebuilt from an older snapshot then."""
        try:
            piece = snapshot_piece(self._stage, held.state, whole=whole)
            if piece is not None:
                return step._replace(piece=piece)
            return step._replace(snapshot=snapshot_body(self._stage, held.state))
        except NOT_THE_RECORD:
            raise
        except Exception as e:  # noqa: BLE001  # a fault of the stage; the line goes on
            say(
                self._stage.name,
                Text(
                    f"快照写不出：{fault(e)}；请报告",
                    f"no snapshot can be made: {fault(e)}; report it",
                ),
            )
            return step

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
                if held.begun or not held.fresh:
                    step = Step(partition, held.position, [])
                    consumer.commit_all([self._noted(step, held, whole=True)])()
        except (Fenced, Unavailable):
            return  # the next owner re-steps instead
