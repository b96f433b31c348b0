"""The stage ingest: MQTT to observations. It has no memory: decode, identify, check, append, and
only then acknowledge."""

import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from config.language import Said, Text
from config.records.district import District
from ingest.batches import MOST, append, batches
from ingest.cap.listeners import cap_door, cap_ways
from ingest.decode.dialects import DECODERS
from ingest.decode.node_status import decode_status
from ingest.decode.reading import Reading, decode_json
from ingest.identify import Register, identify, not_its_own, stranger
from ingest.observation import Observation, Service
from ingest.people.kept_words import Keeper
from ingest.people.reports import People, outs_of
from ingest.pictures import keep_picture
from ingest.repeats import Again, begun
from ingest.telemetry.gateway import DIALECTS as FRAMES
from ingest.telemetry.gateway import OfGateways
from ingest.telemetry.lorawan.network import OfNetworks, newest_counters
from ingest.telemetry.sparkplug.edges import OfEdges
from ingest.telemetry.things.streams import OfDatastreams
from stream import metrics
from stream.disk.blobs import FrameStore
from stream.guard import OF_THE_LOG, letter, unread
from stream.limits import LAST_AT, Unreadable, read_json
from stream.log.port import Log, Out
from stream.mqtt.access import SIMULATED
from stream.mqtt.client import Message, Mqtt, digest, shared_group
from stream.mqtt.sparkplug import SPACE
from stream.oplog import say
from stream.records import Rejected, Run, Tick, encode
from stream.stages.answered import answered

if TYPE_CHECKING:  # loaded where a source says something
    from ingest.cap.intake import CapDoor

_READINGS = ("station/#", "gateway/#", "node/+/status", "person/#")
_CLOCK_BYTES = 256
_TOLD = 10_000
_LETTERS = 50  # of one message
_LINGER_S = 0.01  # so many seconds of what comes all the time share one fsync


class _Clock(msgspec.Struct):
    clock_at: int


_clock = msgspec.json.Decoder(_Clock)
_NO_MOMENT = Text("clock_at 不是 1970 年起的毫秒", "clock_at is no moment, ms since 1970")
_UNKNOWN = Text(
    "主题不认识：见 docs/architecture.md 的“MQTT 主题”",
    "this topic is not known: see docs/en/architecture.md, MQTT topics",
)
_OF_A_SOURCE = Text("应为 source/SOURCE/cap", "write source/SOURCE/cap")
_OF_A_PERSON = Text("应为 person/PERSON/{sms,report}", "write person/PERSON/{sms,report}")
_UNTIL_KEPT = Text("；记下之前不应答", "; nothing is acknowledged until it can be kept")
_NAMELESS = Text("每条读数应有 station 和 quantity", "name station and quantity in each reading")


class Intake:
    """Messages of one run into records. `clock_at` is the time of receipt: in an exercise the
    scenario's, so that two runs are equal."""

    def __init__(
        self,
        district: District,
        run: Run,
        frames: FrameStore,
        cap: "CapDoor | None" = None,
        again: Again | None = None,
        counters: Mapping[str, int] | None = None,
    ) -> None:
        self._prefix = f"fengsui/{run.name}/{district.id}/"
        self._again = Again() if again is None else again
        self._register = Register(district)
        self._frames = frames
        self._cap = cap  # None: this run hears no other authority
        self.stations = OfGateways(district, self._register, frames, self._prefix)
        self.networks = OfNetworks(
            district,
            self._register,
            live=run.kind != "exercise",
            counts=not self._again.shared,
            last=counters,
        )
        self.things = OfDatastreams(district, self._register, live=run.kind == "live")
        self.edges = OfEdges(district, self._register, live=run.kind == "live")
        self.keeper = Keeper(district.vault)
        self.people = People(district, exercise=run.kind == "exercise", keep=self.keeper.put)
        self._partitions = range(district.partitions)
        self._exercise = run.kind == "exercise"
        self.clock_at = run.start_at
        self.no_room: Said = ""  # why pictures are lost now, "" if they are not
        self._read: Counter[str] = Counter()  # since `counted`
        self._flags: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._told: set[str] = set()  # topics of which something retained was seen

    def filters(self, share: str = "") -> list[str]:
        """What to subscribe to; a live run never hears an exercise's topics. The members of a group
        share the readings, and each hears the clock."""
        shared = f"$share/{share}/" if share else ""
        doors = _READINGS + ("source/#",) * (self._cap is not None)
        topics = [f"{shared}{self._prefix}{t}" for t in doors + self.networks.filters]
        if not self._exercise:  # as network servers publish them; a live run alone hears those
            topics += [shared + t for t in (*self.networks.filters, *self.things.filters)]
        return topics + [self._prefix + "clock"] * self._exercise + self.edges.filters

    def records(self, messages: Sequence[Message]) -> list[Out]:
        """What these messages mean, in their order. One that nobody can read is a dead letter, and
        nothing of it counts; the others do not notice."""
        outs: list[Out] = []
        groups: dict[str, list[Observation]] = {}
        for message in messages:
            try:
                found = self._again.once(message, self._meant(message), self.clock_at)
            except OF_THE_LOG:
                raise
            except Exception as e:  # noqa: BLE001  # one message must not end the line
                found = [unread("ingest", e)]
            if any(isinstance(one, Out) and one.topic == "observations" for one in found):
                outs += self._flush(groups)  # what came before it stands before it
            outs += self._put_aside(message, [one for one in found if isinstance(one, Rejected)])
            for one in found:
                if isinstance(one, Out):
                    outs.append(one)
                elif isinstance(one, Observation):
                    self._read[one.quantity] += 1
                    self._flags[one.flag.name.lower()] += 1
                    for group in self._register.groups.get(one.station, ()):
                        groups.setdefault(group, []).append(one)
            if any(len(items) >= MOST for items in groups.values()):
                outs += self._flush(groups)
        return outs + self._flush(groups)

    def _meant(self, message: Message) -> Sequence[Observation | Rejected | Out]:
        """One message: readings, records of its own, or why not."""
        suffix = message.topic.removeprefix(self._prefix)
        # CAP has ids, and an end; the state of a host is what it is
        if message.retain and not suffix.startswith(("source/", f"{SPACE}/STATE/")):
            return self._retained(message)
        if suffix == "clock" and self._exercise:
            return self._clock(message.payload)
        if self.things.takes(suffix):
            return self.things.take(suffix, message.payload, self.clock_at)
        if suffix.startswith(SPACE + "/"):
            return self.edges.take(suffix, message.payload, self.clock_at)
        if self._cap is not None and suffix.startswith("source/"):
            return self._of_others(self._cap, message, suffix)
        if suffix.startswith("person/"):
            return self._of_person(message, suffix)
        return self._decode(suffix, message.payload)

    def _retained(self, message: Message) -> list[Rejected]:
        """It comes at each new subscription, and says nothing about now: counted each time, kept as
        a dead letter once a topic."""
        topic = self._where(message.topic)
        if topic in self._told or len(self._told) >= _TOLD:
            self._rejected["retained"] += 1
            return []
        self._told.add(topic)
        say("ingest", f"{topic}: " + Text("保留消息，不计", "retained, not taken"))
        text = Text(
            "保留消息不是新数据：在设备上关闭 retain",
            "a retained message is no news: switch retain off on the device",
        )
        return [Rejected("retained", text)]

    def _of_others(
        self, cap: "CapDoor", message: Message, suffix: str
    ) -> Sequence[Observation | Rejected | Out]:
        """A CAP message of the source whose topic it is. A volume without room costs the bytes, which
        prove it; the word counts, and the log says so."""
        match suffix.split("/"):
            case ["source", source, "cap"]:
                taken = cap.take_now(message.payload, self.clock_at, message.topic, source)
                for one in taken.told:
                    self._rejected[one.reason] += 1
                self._read["cap"] += len(taken.good)
                cap.count(taken)
                return taken.outs
        return [Rejected("unknown_topic", _OF_A_SOURCE)]

    def _of_person(self, message: Message, suffix: str) -> list[Out]:
        """What a person says, after what came before it. A stranger's topic may hold a number: it is
        not written down."""
        match suffix.split("/"):
            case ["person", person, "sms"]:
                found = self.people.sms(person, message.payload, self.clock_at)
            case ["person", person, "report"]:
                found = self.people.report(person, message.payload, self.clock_at)
            case _:
                found = [Rejected("unknown_topic", _OF_A_PERSON)]
        for one in found:
            if isinstance(one, Rejected):
                self._rejected[one.reason] += 1
            else:
                self._read["service" if isinstance(one, Service) else one.what] += 1
        return outs_of(found, self.people, self._where(message.topic), self.clock_at)

    def _where(self, topic: str) -> str:
        """The topic, for a dead letter; of a person whom nobody knows, no more than that."""
        match topic.removeprefix(self._prefix).split("/"):
            case ["person", person, "sms" | "report"] if self.people.areas_of(person):
                return topic
            case ["person", *_]:
                return self._prefix + "person/?"
        return topic

    def _flush(self, groups: dict[str, list[Observation]]) -> list[Out]:
        outs = batches(groups, self.clock_at)
        groups.clear()
        return outs

    def _clock(self, payload: bytes) -> list[Rejected] | list[Out]:
        """The exercise's clock, in every partition."""
        try:
            clock_at = read_json(payload, _clock, _CLOCK_BYTES).clock_at
        except Unreadable as e:
            wanted = Text("应为 clock_at: 毫秒：", "write clock_at: ms: ")
            return [Rejected("bad_payload", wanted + e.words)]
        if not 0 <= clock_at <= LAST_AT:
            return [Rejected("bad_time", _NO_MOMENT)]
        self.clock_at = max(self.clock_at, clock_at)
        tick = encode(Tick(clock_at=clock_at))
        return [Out("observations", "tick", tick, p) for p in self._partitions]

    def _decode(self, suffix: str, payload: bytes) -> list[Observation | Rejected]:
        """By the topic: see docs/architecture.md."""
        match suffix.split("/"):
            case ["station", station, "frame", stamp]:
                return [self._frame(station, stamp, payload)]
            case ["station", station, quantity]:
                return [self._one(f, station, quantity) for f in decode_json(payload)]
            case ["node", node, "status"]:
                return [self._one(f) for f in decode_status(node, payload)]
            case ["gateway", gateway, dialect] if dialect in (*DECODERS, *FRAMES):
                return self._of_gateway(gateway, dialect, payload)
        of_network = self.networks.take(suffix.split("/"), payload, self.clock_at)
        return [Rejected("unknown_topic", _UNKNOWN)] if of_network is None else of_network

    def _of_gateway(
        self, gateway: str, dialect: str, payload: bytes
    ) -> list[Observation | Rejected]:
        """Readings of its own stations; the simulator's, in an exercise, of any."""
        simulated = self._exercise and gateway == SIMULATED
        wrong = None if simulated else stranger(self._register, gateway)
        if wrong is not None:
            return [wrong]
        if dialect in FRAMES:
            return self.stations.take(gateway, payload, self.clock_at)
        read = DECODERS[dialect](payload, self.clock_at)
        return [self._one(f, of="" if simulated else gateway) for f in read]

    def _one(
        self, found: Reading | Rejected, station: str = "", quantity: str = "", of: str = ""
    ) -> Observation | Rejected:
        """of: the gateway that brings it, which must be one of the station's."""
        if isinstance(found, Rejected):
            return found
        if not station:
            station, quantity = found.station, found.quantity
            if not isinstance(station, str) or not isinstance(quantity, str):
                return Rejected("bad_payload", _NAMELESS)
        if of and (wrong := not_its_own(self._register, of, station)) is not None:
            return wrong
        return identify(self._register, found, station, quantity, self.clock_at)

    def _frame(self, station: str, stamp: str, payload: bytes) -> Observation | Rejected:
        found = keep_picture(self._register, self._frames, station, stamp, payload, self.clock_at)
        lost = isinstance(found, Rejected) and found.reason == "no_room"
        if lost or isinstance(found, Observation):
            self.no_room = found.detail if isinstance(found, Rejected) else ""
        return found

    def _put_aside(self, message: Message, bad: Sequence[Rejected]) -> list[Out]:
        """Dead letters of one message. A long list of nothing must not fill the disk: beyond the first
        ones the others are one letter, and still counted."""
        outs = [self._dead(message, one) for one in bad[:_LETTERS]]
        if more := bad[_LETTERS:]:
            words = Text(
                f"同一报文另有 {len(more)} 条坏的：", f"{len(more)} more of the same message: "
            )
            outs.append(self._dead(message, Rejected(more[0].reason, words + more[0].detail)))
            self._rejected.update(one.reason for one in more[1:])
        return outs

    def _dead(self, message: Message, why: Rejected) -> Out:
        self._rejected[why.reason] += 1
        where = self._where(message.topic)
        of_person = message.topic.startswith(self._prefix + "person/")  # their words are not kept
        return letter(self.clock_at, where, why, b"" if of_person else message.payload)

    def tell_taken(self, mqtt: Mqtt, batch: Sequence[Message]) -> None:
        """These are in the log: an exercise in lockstep waits for it before its clock goes on, for
        another member's clock may be quicker than this one's readings."""
        mqtt.publish(self._prefix + "taken", msgspec.json.encode([digest(*m[:2]) for m in batch]))
        mqtt.flush()

    def counted(self) -> None:
        """What was taken in since the last time is in the log: tell the operators."""
        for desk in (self.stations, self.networks, self.things, self.edges):
            self._rejected.update(desk.told_less())
        for quantity, n in self._read.items():
            metrics.READINGS.labels("ingest", quantity).inc(n)
        for flag, n in self._flags.items():
            metrics.FLAGS.labels(flag).inc(n)
        for reason, n in self._rejected.items():
            metrics.DEAD_LETTERS.labels("ingest", reason).inc(n)
        for counter in (self._read, self._flags, self._rejected):
            counter.clear()


def run_ingest(
    district: District,
    run: Run,
    log: Log,
    broker_url: str,
    frames: FrameStore,
    stop: threading.Event,
    *,
    now: Callable[[], int],
    ready: threading.Event | None = None,
    limit: int = 1000,
    folder: Path | None = None,
    links: Path | None = None,
) -> None:
    """Until `stop`. A batch is acknowledged after the log has it; while the log is away nothing is
    taken and the broker keeps what comes. folder: the run's own; without it no CAP is heard. links:
    where people's personal links stand; without it they have no page."""
    live = run.kind == "live"
    cap = cap_door(district, live, folder)
    if serves := links is not None and bool(district.channels.people_listen or not live):
        from ingest.people.web import people_ways
    share = shared_group(broker_url)
    found = answered("ingest", stop, lambda: begun(log, run, shared=bool(share)))
    if found is None:
        return
    newest, told_at = found
    intake = Intake(district, run, frames, cap, newest.again, newest_counters(newest.records))
    intake.clock_at = max(run.start_at, told_at)

    def clock() -> int:
        return now() if live else intake.clock_at

    # each member of a group has a session of its own: its name must be the same after a restart
    name = os.environ.get("FENGSUI_MEMBER", "") or socket.gethostname()
    client_id = f"fengsui-ingest-{district.id}-{run.name}" + f"-{name}" * bool(share)
    away_s = (now() - newest.heard_at) / 1000 if live and newest.heard_at else 0.0
    mqtt = Mqtt(broker_url, client_id, away_s, intake.edges.will(clock(), shared=bool(share)))
    mqtt.subscribe(intake.filters(share))
    try:
        with (
            metrics.pulse("ingest") as pulse,
            cap_ways(district, live, log, cap, folder, clock) as ways,
            people_ways(district, live, log, frames, links, clock) if serves else nullcontext(),
        ):
            while not stop.is_set():
                intake.keeper.look(clock())
                pulse.beat(mqtt.waits_for() or intake.no_room)
                if ways.failed is not None:  # deaf to an authority is not alive
                    raise ways.failed
                if mqtt.subscribed():
                    intake.edges.ask(mqtt, clock())
                    if ready is not None:
                        ready.set()
                batch = mqtt.get_batch(0.25, limit, _LINGER_S)
                if not batch:
                    continue
                if run.kind == "live":
                    intake.clock_at = now()
                outs = intake.records(batch)
                if append(log, outs, stop, pulse, "ingest", _UNTIL_KEPT):
                    if share and run.kind == "exercise":
                        intake.tell_taken(mqtt, batch)
                    intake.stations.answer(mqtt)
                    mqtt.ack(batch)
                    metrics.RECORDS_IN.labels("ingest", "mqtt").inc(len(batch))
                    metrics.count_out("ingest", (out.topic for out in outs))
                    intake.counted()
    finally:
        intake.edges.leave(mqtt)
        mqtt.close()
