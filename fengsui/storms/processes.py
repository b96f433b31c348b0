"""The processes of the line, as the storm machine drives them: one turn at a time. What they do in it is
done by the code of a real line; only the loop round it, the threads and the wait are the machine's."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from config.language import Said
from dispatch.ledger.writer import Writer
from dispatch.ledger.writer import group as ledger_group
from dispatch.send.node_supervisor import Caretaker
from dispatch.send.outbox.state import Box
from dispatch.send.receipts import Receipts
from dispatch.send.workers import Clock, Sender
from fengsui.storms import ground
from fengsui.storms.far_ends import FarEnds
from fengsui.storms.ground import PREFIX, RUN
from fengsui.storms.next_version import NextVersion
from fengsui.storms.post import Post
from ingest.repeats import of_log
from ingest.stage import Intake
from stream.clock import LineClock, last_tick
from stream.log.memory import MemoryLog
from stream.log.port import Fenced, Out, Unavailable
from stream.mqtt.client import Message
from stream.stages.run_identity import begin
from stream.stages.runner import Runner

READS = {
    "ingest": "observations",
    "detect": "observations",
    "decide": "cases",
    "address": "alerts",
    "send": "deliveries",
    "ledger-alerts": "alerts",
    "ledger-deliveries": "deliveries",
}
SNAPSHOT_S = 420.0
_NEVER = threading.Event()


class Edition(NamedTuple):
    """With what a process comes up: the changed configuration, or a later version of the program."""

    changed: bool = False
    newer: bool = False


class Surroundings(NamedTuple):
    """What a process stands in: the log, the broker, the far ends, the machine's wall clock (ms) and its
    steady one (seconds), how a boundary is passed and a state noted as reached."""

    log: MemoryLog
    post: Post
    ends: FarEnds
    wall: Callable[[], int]
    steady: Callable[[], float]
    boundary: Callable[[str], None]
    reached: Callable[[str], None]


class Process(Protocol):
    """One of them. clock: its own, which nobody can set back."""

    clock: Callable[[], int]

    def turn(self) -> Said | None:
        """Do what is to be done now. None: it was done; else why it could not."""
        ...


def _clock(name: str, around: Surroundings) -> Callable[[], int]:
    floor = last_tick(around.log, READS[name])
    clock = LineClock(around.wall, lambda: int(around.steady() * 1000), floor=floor, name=name)
    return clock.read


class Ingest:
    """From the broker into the log; acknowledged when it is there."""

    def __init__(self, around: Surroundings, member: str, edition: Edition) -> None:
        self._around, log = around, around.log
        self.clock = _clock("ingest", around)
        begin(log, RUN)
        self._intake = Intake(
            ground.ground(edition.changed).district,
            RUN,
            ground.frames(),
            again=of_log(log, live=True, shared=False).again,
        )
        self._held: tuple[list[Message], list[Out]] | None = None  # what the log did not take yet
        self.acked: list[Message] = []

    def turn(self) -> Said | None:
        post = self._around.post
        if self._held is None:
            batch = post.batch("ingest")
            if not batch:
                return None
            self._intake.clock_at = self.clock()
            self._held = batch, self._intake.records(batch)
        batch, outs = self._held
        try:
            self._around.log.append(outs)
        except Unavailable as e:
            return str(e)
        self._held = None
        self._around.boundary("acknowledge")
        post.ack("ingest", batch)
        self.acked += batch
        return None


class Staged:
    """detect, decide or address: the runner and its stage."""

    def __init__(self, name: str, around: Surroundings, member: str, edition: Edition) -> None:
        self._around = around
        self.clock = _clock(name, around)
        self.runner = self._runner(name, around, member, edition)

    def _runner(
        self,
        name: str,
        around: Surroundings,
        member: str,
        edition: Edition,
        after: Callable[[Mapping[int, Any]], None] | None = None,
    ) -> Runner:
        stage = ground.ground(edition.changed).stages[name]
        if edition.newer:
            stage = NextVersion(stage, lambda of_ours: around.reached("upgraded") if of_ours else None)
        return Runner(
            stage,
            around.log,
            member=member,
            live=True,
            now=self.clock,
            run=RUN,
            after=after,
            snapshot_s=SNAPSHOT_S,
            steady=around.steady,
        )

    def turn(self) -> Said | None:
        return self._told(self.runner.turn(_NEVER))

    def _told(self, why: Said | None) -> Said | None:
        if why == "":
            self._around.reached("fenced")
        return why


class Sending(Staged):
    """send, with its hands: attempts, receipts, loudspeakers."""

    def __init__(self, around: Surroundings, member: str, edition: Edition) -> None:
        self._around = around
        self.clock = _clock("send", around)
        district, ring = ground.ground(edition.changed).district, ground.ring()
        clock = self._runs = Clock(True, self.clock)
        self._caretaker = Caretaker(district, PREFIX, "live", ground.folder(), ring, self._tell)
        channels = around.ends.channels(
            district, PREFIX, self._caretaker.private, self._publish, clock.read, around.steady
        )
        self._sender = Sender(
            around.log, channels, clock, tuple(district.groups), threads=0, steady=around.steady
        )
        self._receipts = Receipts(PREFIX, True, clock.read, district.nodes, self._caretaker)
        self.runner = self._runner("send", around, member, edition, self._after)
        self.acked: list[Message] = []

    def read(self) -> int:
        """The clock by which it sends."""
        return self._runs.read()

    def _publish(self, topic: str, payload: bytes) -> None:
        self._around.boundary("publish")
        if "send" in self._around.post.unplugged:
            raise ConnectionError("no broker")
        self._around.post.publish(topic, payload)

    def _tell(self, topic: str, payload: bytes) -> bool:
        if "send" in self._around.post.unplugged:
            return False
        self._around.post.publish(topic, payload)
        return True

    def _after(self, states: Mapping[int, Box]) -> None:
        self._sender.after(states.get(0))
        if self._sender.box is not None:
            self._caretaker.look(self._runs.read())

    def turn(self) -> Said | None:
        why: Said | None = None
        try:
            self._hear()
        except Unavailable as e:
            why = str(e)
        why = self._told(self.runner.turn(_NEVER)) or why
        try:
            self._sender.work()
        except Unavailable as e:
            why = str(e)
        return why

    def _hear(self) -> None:
        """Acknowledgements and receipts, into the log and then acknowledged."""
        box, post = self._sender.box, self._around.post
        batch = post.batch("send") if box is not None else []
        if box is not None and batch:
            self._around.log.append(self._receipts.records(box, batch))
            self._around.boundary("acknowledge")
            post.ack("send", batch)
            self.acked += batch


class Entering:
    """One chain of the ledger."""

    def __init__(self, chain: str, around: Surroundings, member: str) -> None:
        self.clock = around.wall
        self._around = around
        self._writer = Writer(around.log, chain, member, ground.LEDGER, around.wall, around.steady)

    def turn(self) -> Said | None:
        try:
            self._writer.turn(0.0)
            return None
        except Fenced:
            self._around.reached("fenced")
            self._writer.forget()
            return ""
        except Unavailable as e:
            self._writer.forget()
            return str(e)


def started(name: str, around: Surroundings, member: str, edition: Edition) -> Process:
    """A process of a stage, as it comes up."""
    if name == "ingest":
        return Ingest(around, member, edition)
    if name == "send":
        return Sending(around, member, edition)
    if name.startswith("ledger-"):
        return Entering(name.removeprefix("ledger-"), around, member)
    return Staged(name, around, member, edition)


def group_of(name: str) -> str:
    """The group in which it reads its topic."""
    return ledger_group(name.removeprefix("ledger-")) if name.startswith("ledger-") else name
