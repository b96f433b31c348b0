"""One storm: the line's processes, the world round them, and what befalls them, step by step, in one thread
and simulated time. Whatever is drawn here is drawn from the storm's seed."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from config.language import Text
from fengsui.storms import ground
from fengsui.storms.account import Account, InHand, by_topic, rows_of
from fengsui.storms.drill import stray
from fengsui.storms.far_ends import FarEnds, World
from fengsui.storms.ground import PREFIX, START_AT
from fengsui.storms.loudspeakers import Boxes
from fengsui.storms.people import Officers
from fengsui.storms.plan import KINDS, RUNNERS, STAGES, STEP_MS, Fault, Storm
from fengsui.storms.post import Post, clients
from fengsui.storms.processes import (
    READS,
    Edition,
    Ingest,
    Process,
    Sending,
    Surroundings,
    group_of,
    started,
)
from fengsui.storms.weather import Said, Weather
from stream.log.memory import Disk, MemoryLog
from stream.log.port import Unavailable, topics
from stream.mqtt.client import Message

CALM = 12  # steps after the storm, without faults
_ROUNDS = 5
_REPLAYED = 3  # one storm in so many is replayed from its beginning
_TICKING = ("detect", "decide", "send")  # they do something whenever time passes
_LEASE_A_STEP = 4.0  # seconds of a lease: one that stands still for three steps loses it
_JUMP_MS = {"ahead": 3 * 3_600_000, "back": -3 * 3_600_000}
_FULL = Text("磁盘满", "the disk is full")
_AWAY = Text("日志不在", "the log is away")


class Crash(BaseException):
    """The process at work dies here."""


class PowerCut(Crash):
    """Every process dies here."""


class _Member:
    """A process, or what stands in its place."""

    def __init__(self, name: str, member: str, process: Process, edition: Edition) -> None:
        self.name, self.member, self.process, self.edition = name, member, process, edition
        self.frozen_until = 0
        self.seen = -1  # what lay in front of it at its last turn
        self.settles = False  # a commit of its may be under way


class Machine:
    """`run` plays the storm; what came of it stands in the fields, for `invariants` and `reached`."""

    def __init__(self, storm: Storm) -> None:
        self.storm = storm._replace(
            faults=tuple(
                f._replace(steps=min(f.steps, storm.steps - f.step))
                for f in storm.faults
                if f.step < storm.steps
            )
        )
        self._come_to(0)
        self.rng = random.Random(storm.seed ^ 0x5707)  # noqa: S311  # a simulation
        self.reached: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self.said: list[Said] = []
        self.acked: list[Message] = []  # by ingest
        self.receipts: list[Message] = []  # acknowledged by send
        self.died: list[str] = []  # processes that ended by themselves
        self.disk = Disk(self.boundary, lambda: self.step * _LEASE_A_STEP)
        self.disk.late = storm.sync_late
        self.log = MemoryLog(self.disk, topics(ground.district().partitions), waits=False)
        self.post = Post(clients)
        world = World(
            self.storm, lambda: self.step, self.at, self._sends_at, lambda: self.disk.synced,
            self.boundary, self._reach,
        )  # fmt: skip
        self.ends = FarEnds(world)
        self.officers = Officers(world, self.log, self.rng)
        self.weather = Weather(self.storm, START_AT)
        self.loudspeakers = Boxes(self.post, self.at, self._reach)
        self._around = Surroundings(
            self.log, self.post, self.ends, self.wall, self.steady, self.boundary, self._reach
        )
        self._members: list[_Member] = []
        self._due: list[tuple[int, str]] = [(0, name) for name in STAGES]  # to be started
        self._current: _Member | str = ""
        self._armed: dict[Fault, int] = {}  # at how many boundaries from now
        self._changed = self._full = False
        self._names = 0
        self._seen = (-1, -1), dict[str, int]()  # a state of the disk, and how much each topic has

    # --- clocks

    def at(self) -> int:
        """The true time, ms."""
        return self._at_ms

    def steady(self) -> float:
        return self._steady_s

    def wall(self) -> int:
        """As the machine's clock says it."""
        return self._wall_ms

    def _sends_at(self) -> int:
        for m in self._members:
            if m is self._current and isinstance(m.process, Sending):
                return m.process.read()
        return self.at()

    # --- faults

    def _now(self, kind: str) -> list[Fault]:
        return self._lasting.get(kind, [])

    def _come_to(self, step: int) -> None:
        self.step = step
        self._lasting: dict[str, list[Fault]] = {}  # by kind
        for fault in self.storm.faults:
            if fault.now(step):
                self._lasting.setdefault(fault.kind, []).append(fault)
        self._at_ms = START_AT + step * STEP_MS
        self._steady_s = step * STEP_MS / 1000
        self._wall_ms = self._at_ms + sum(_JUMP_MS[f.who] for f in self._now("clock"))

    def _reach(self, what: str) -> None:
        self.reached[what] += 1

    def boundary(self, what: str) -> None:
        """Between two acts of I/O of whoever is at work."""
        if self._full and what in ("append", "commit"):
            self.reached["full"] += 1
            raise Unavailable(_FULL)
        if not self._armed or not isinstance(self._current, _Member):
            return
        for fault, left in list(self._armed.items()):
            if fault.who not in ("", self._current.name) or not _strikes(fault.kind, what):
                continue
            self._armed[fault] = left - 1
            if left == 1:
                del self._armed[fault]
                self._strike(fault, what)

    def _strike(self, fault: Fault, what: str) -> None:
        self.injected[fault.kind] += 1
        match fault.kind:
            case "crash":
                raise Crash(fault)
            case "power":
                raise PowerCut(fault)
        self.reached["took effect" if what == "synced" else "refused"] += 1
        raise Unavailable(_AWAY)

    def _befall(self) -> None:
        """What begins at this step, and what lasts."""
        for fault in self.storm.faults:
            if fault.step != self.step:
                continue
            if KINDS[fault.kind].deep:
                self._armed[fault] = fault.nth
                continue
            self.injected[fault.kind] += 1
            match fault.kind:
                case "freeze":
                    self._freeze(fault)
                case "forget":
                    self.reached["forgot"] += bool(self.post.forget())
                case "reboot":
                    self.loudspeakers.reboot(fault.who)
                case "config":
                    self._changed = True
                    self.reached["changed"] += self.officers.open_warning
                case "drill":
                    self._drill(fault.who)
        self._full, self.disk.torn = bool(self._now("full")), bool(self._now("torn"))
        unplugged = {f.who for f in self._now("unplug")}
        back, self.post.unplugged = self.post.unplugged - unplugged, unplugged
        for client in back:
            self.post.gone(client)
            self.reached["waited"] += bool(self.post.waiting(client))
        self.post.twice = {f.who for f in self._now("twice")}
        self.reached["twice"] += self.post.repeated
        self.post.repeated = 0
        self.loudspeakers.cut_off({f.who for f in self._now("tower")})

    def _freeze(self, fault: Fault) -> None:
        for m in self._members:
            if m.name == fault.who and m.frozen_until <= self.step:
                m.frozen_until = self.step + fault.steps
                if fault.steps > 3:
                    self._due.append((self.step + 3, m.name))
                return

    def _drill(self, where: str) -> None:
        outs, sent = stray(where, self.at(), self.step)
        if outs and not sum(self.log.ends(outs[0].topic)):
            self.injected["drill"] -= 1  # a stage refuses a log that begins with another run's record
            return
        for topic, payload in sent:
            self.post.publish(topic, payload)
        with suppress(Unavailable):
            self.log.append(outs)

    # --- processes

    def _start(self) -> None:
        ready = [name for at, name in self._due if at <= self.step]
        self._due = [(at, name) for at, name in self._due if at > self.step]
        for name in ready:
            self._names += 1
            member = f"{name}-{self._names}"
            try:
                process = started(name, self._around, member, self._edition(name))
            except Unavailable:
                self._due.append((self.step + 1, name))
                continue
            self.reached["taken over"] += any(m.name == name for m in self._members)
            self._members.append(_Member(name, member, process, self._edition(name)))

    def _edition(self, name: str) -> Edition:
        """A later version comes stage by stage, and goes the other way round."""
        nth = STAGES.index(name)
        spans = [(f.step + nth, f.step + f.steps - nth) for f in self._now("upgrade")]
        newer = name in RUNNERS and any(begin <= self.step < end for begin, end in spans)
        return Edition(self._changed, newer)

    def _kill(self, member: _Member) -> None:
        self._members.remove(member)
        self.disk.died(member.member)
        if isinstance(member.process, Ingest | Sending):
            self._keep(member)
            if self.post.gone(member.name):
                self.reached["unacknowledged"] += 1

    def _keep(self, member: _Member) -> None:
        if isinstance(member.process, Ingest):
            self.acked += member.process.acked
            member.process.acked = []
        if isinstance(member.process, Sending):
            self.receipts += member.process.acked
            member.process.acked = []

    def _turn(self, member: _Member) -> None:
        self._current = member
        try:
            member.process.turn()
        except PowerCut as e:
            self._power_cut(e.args[0])
        except Crash as e:
            self._kill(member)
            self._due.append((self.step + e.args[0].steps - 1, member.name))
            self.reached["restarted"] += 1
        except Exception as e:  # noqa: BLE001  # a stage that ends by itself is what is looked for
            self.died.append(f"{member.name}: {type(e).__name__}: {e}")
            self._kill(member)
            self._due.append((self.step + 1, member.name))
        finally:
            self._current = ""

    def _power_cut(self, fault: Fault) -> None:
        if len(self.disk.journal) > self.disk.synced:
            self.reached["unsynced"] += 1
        for member in list(self._members):
            self._kill(member)
        self.disk.cut()
        self.officers.power_cut()
        self._due = [(self.step + fault.steps, name) for name in STAGES]
        self.reached["powered"] += 1

    def _line(self) -> None:
        """Every process does what it has to, until there is nothing."""
        for member in list(self._members):
            if member.edition != self._edition(member.name) and member.frozen_until <= self.step:
                self._kill(member)  # its service is restarted
                self._due.append((self.step, member.name))
        self._start()
        order = sorted(self._members, key=lambda m: (STAGES.index(m.name), m.member))
        if self.rng.random() < 0.3:
            self.rng.shuffle(order)
        for nth in range(_ROUNDS):
            again = False
            self._start()  # what died in this step may be up again in it
            order += [m for m in self._members if m not in order]
            for member in order:
                if member not in self._members or member.frozen_until > self.step:
                    continue
                now = self._in_front_of(member)
                ticks = not nth and member.name in _TICKING
                if now == member.seen and not member.settles and not ticks:
                    continue
                member.settles = self.disk.late and now != member.seen
                member.seen, again = now, True
                self._awake(member)
                self._turn(member)
            self.officers.look()
            self.loudspeakers.hear()
            if not again:
                break

    def _awake(self, member: _Member) -> None:
        if member.frozen_until == self.step and self.step:
            self.reached["woke"] += 1
            member.frozen_until = 0

    def _in_front_of(self, member: _Member) -> int:
        """What there is for it: it grows when there is more."""
        name = member.name
        lies = self.post.waiting(name) if name in ("ingest", "send") else 0
        return lies if name == "ingest" else self._stands_in(READS[name]) + lies

    def _stands_in(self, topic: str) -> int:
        """So many records: asked of the log again where something came into it."""
        now = len(self.disk.journal), self.disk.cuts
        if self._seen[0] != now:
            self._seen = now, {}
        if topic not in self._seen[1]:
            self._seen[1][topic] = sum(self.log.ends(topic))
        return self._seen[1][topic]

    def _far(self) -> None:
        for carrier in self.ends.carriers.values():
            for topic, payload in carrier.receipts():
                self.post.publish(f"{PREFIX}/{topic}", payload)
        self.loudspeakers.advance()

    # --- the storm

    def run(self, each: Callable[["Machine"], None] = lambda _: None) -> None:
        """Every step of the storm, then the calm. each: called after each step."""
        for step in range(self.storm.steps + CALM):
            self._come_to(step)
            self._befall()
            for said in self.weather.said(self.step, self.at()):
                self.said.append(said)
                self.reached["uploaded"] += said.observed_at < self.at()
                self.post.publish(f"{PREFIX}/{said.suffix}", said.payload)
            self._far()
            for fault in self._now("shuffle"):  # of what is about to be handed out
                self.reached["disordered"] += self.post.shuffle(fault.who, self.rng.shuffle)
            self._line()
            each(self)
        for _ in range(3):
            for member in self._members:
                member.seen = -1
            self._line()
        for member in self._members:
            self._keep(member)

    def behind(self) -> list[str]:
        """Stages that have not read all there is, once there is calm."""
        return [
            name for name, topic in READS.items() if name != "ingest" and self._unread(name, topic)
        ]

    def _unread(self, name: str, topic: str) -> bool:
        at, ends = self.log.positions(topic, group_of(name)), self.log.ends(topic)
        return any(a < e for a, e in zip(at, ends, strict=True))

    @property
    def handed(self) -> list[InHand]:
        """What came into somebody's hands."""
        return self.ends.handed

    def account(self) -> Account:
        """What the promises are asked of."""
        changed = [False, True] if self._changed else [False]
        rows = rows_of(self.disk.journal)
        return Account(
            journal=self.disk.journal,
            handed=self.handed,
            sounded=self.loudspeakers.sounded,
            readings=[(m.topic, m.payload) for m in self.acked],
            receipts=[(m.topic, m.payload) for m in self.receipts],
            acts=self.officers.acked,
            died=self.died,
            behind=self.behind(),
            districts=[ground.ground(c).district for c in changed],
            stages=ground.ground(False).stages,
            rows=rows,
            rows_in=by_topic(rows),
            replay=self.storm.seed % _REPLAYED == 0,
        )


def _strikes(kind: str, what: str) -> bool:
    if kind == "refuse":
        return what in ("append", "commit")
    return what == "synced" if kind == "unsure" else True
