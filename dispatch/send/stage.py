"""The stage send: the outbox over the topic `deliveries`, and its way out to carriers and nodes.

`Send` is the pure stage; `run_send` gives it hands. In an exercise only channels are built that
lead to simulators on this machine and to files in the run's own folder.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING

import msgspec

from config.language import Said, Text
from config.records.district import District
from dispatch.channels import Channel
from dispatch.nodes.keys import Ring
from dispatch.people.residents.desk import ResidentDesk
from dispatch.proving.codes import AnswerCodes
from dispatch.proving.judged import JudgedAnswer
from dispatch.records import Delivery, DeliveryRecord, Receipt, Terminals
from dispatch.send.answer_codes import codes_of
from dispatch.send.channels import channels_of, close, platform_doors, receipt_server
from dispatch.send.health_probe import Found, Prober
from dispatch.send.inbound_sms import Inbound
from dispatch.send.node_supervisor import Caretaker
from dispatch.send.outbox.apply import Written, apply
from dispatch.send.outbox.state import Box, Rules, reindex
from dispatch.send.receipt_writer import Hearing
from dispatch.send.receipts import Receipts
from dispatch.send.workers import Clock, Sender, append
from stream.log.port import Log, Out
from stream.metrics import DELIVERIES
from stream.mqtt.client import Mqtt
from stream.records import Record, Run, encode
from stream.stages.runner import Runner
from stream.stages.stage import Item, Write
from stream.wall_clock import now_ms

if TYPE_CHECKING:  # a door is loaded where one opens
    from dispatch.cap.feed_server import FeedServer
    from dispatch.channels.http.receipt_server import ReceiptServer
    from dispatch.channels.platform.door import PlatformDoor

_WRONG_KIND = Text("名字和类别不符：", "a run's name and kind do not fit: ")
_NO_BROKER = Text("MQTT 服务器连不上：", "no MQTT broker: ")
_CLOSE_S = 10.0  # a log that is away must not hold up whoever leaves the outbox
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(DeliveryRecord)


class Send:
    """The stage (stream.stages.stage.Stage). Its memory is an outbox; what it writes goes to its own topic
    and changes nothing when it comes back, so it comes to rest."""

    name = "send"
    reads = "deliveries"
    format = 2
    ticks = 1.0

    def __init__(self, district: District, live: bool, codes: AnswerCodes | None = None) -> None:
        """codes: of answers, as `codes_of` makes them."""
        channels = district.channels
        self.rules = Rules(
            live=live,
            retry_s=channels.retry_s,
            played_within_s=channels.played_within_s,
            answer_within_s=channels.answer_within_s,
            areas={area.id: area.name for area in district.areas.values()},
            voice_retry_s=channels.voice_retry_s,
            call_within_s=channels.call_within_s,
            not_woken_to=tuple(
                (who, district.contacts[who].channels)
                for who in channels.not_woken_to
                if who in district.contacts
            ),
            not_woken_lang={
                who: district.contacts[who].lang
                for who in channels.not_woken_to
                if who in district.contacts
            },
            signature=district.signature,
            zone=district.timezone,
            hotline=district.hotline,
            gather_ms=district.policy.gather_s * 1000,
            codes=codes,
            areas_en={area.id: area.name_en for area in district.areas.values()},
        )

    def decode(self, value: bytes) -> Record:
        return _decoder.decode(value)

    def new(self, partition: int) -> Box:
        return Box()

    def begun(self, state: Box) -> Run | None:
        return state.run

    def step(self, state: Box, items: Sequence[Item]) -> tuple[Box, list[Write]]:
        writes = [_write(w) for item in items for w in apply(self.rules, state, item.record)]
        return state, writes

    def dump(self, state: Box) -> bytes:
        return msgspec.msgpack.encode(
            msgspec.structs.replace(state, touched={}, spelled={}, aloud={}, ends={}, coded={})
        )

    def load(self, partition: int, body: bytes) -> Box:
        box = msgspec.msgpack.decode(body, type=Box)
        reindex(box)
        return box


def _write(record: Written) -> Write:
    match record:
        case Delivery():
            return Write("deliveries", record.id, record)
        case Receipt() | JudgedAnswer():
            return Write("deliveries", record.delivery, record)
    return Write("dead-letters", record.source, record)


def _count(box: Box, items: Sequence[Item]) -> None:
    """For the operators: what became of deliveries, by channel."""
    for item in items:
        record = item.record
        if isinstance(record, Delivery):
            DELIVERIES.labels(record.routes[0].channel if record.routes else "-", "queued").inc()
        elif isinstance(record, Receipt) and (entry := box.entries.get(record.delivery)):
            routes = entry.delivery.routes
            channel = routes[record.route].channel if record.route < len(routes) else "-"
            DELIVERIES.labels(channel, record.state).inc()


class MqttSide:
    """The MQTT side, open while this member owns the partition: commands and the passed clock go
    out, acknowledgements and receipts come in and are acknowledged once the log has them."""

    def __init__(self, url: str, client_id: str, prefix: str, first_wait_s: float) -> None:
        self._url = url
        self._client_id = client_id
        self._prefix = prefix
        self._first_wait_s = first_wait_s
        self._mqtt: Mqtt | None = None
        self._taking: threading.Thread | None = None
        self._met = False  # the broker has been there once
        self._clock_at = 0

    def open(self, receipts: Receipts, sender: Sender, log: Log, stop: threading.Event) -> None:
        """Does nothing when it is open."""
        if self._mqtt is None:
            self._met = False
            self._mqtt = Mqtt(self._url, self._client_id)
            self._mqtt.subscribe(receipts.filters(), timeout_s=0.0)
            taking = (self._mqtt, receipts, sender, log, stop)
            self._taking = threading.Thread(target=self._take, args=taking, name="acks")
            self._taking.start()

    def close(self) -> None:
        """What is on its way to the log is acknowledged first: else it comes again."""
        mqtt, self._mqtt = self._mqtt, None
        if mqtt is not None:
            if self._taking is not None:
                self._taking.join(_CLOSE_S)
            mqtt.close()

    def publish(self, topic: str, payload: bytes) -> None:
        """Returns when the broker has it. Raises OSError. While the broker is away it fails at
        once: what is queued in memory now would be stale when the broker comes back."""
        mqtt = self._mqtt
        if mqtt is None:
            raise ConnectionError(Text("已由别的成员接管", "another member has taken over"))
        mqtt.wait_connected(0.0 if self._met else self._first_wait_s)
        self._met = True
        if not mqtt.publish_confirmed(topic, payload, self._first_wait_s):
            within = f"{self._first_wait_s:.0f}"
            raise TimeoutError(Text(f"{within} 秒内未确认", f"not confirmed within {within} s"))

    def tell(self, topic: str, payload: bytes) -> bool:
        """Publish without waiting. False while the broker is away: it would be stale later."""
        mqtt = self._mqtt
        if mqtt is None or mqtt.waits_for():
            return False
        mqtt.publish(topic, payload)
        mqtt.flush(0.0)
        return True

    def reach(self) -> list[tuple[str, bool, Said]]:
        """Is the broker there? As a probe tells it; nothing while another member sends."""
        mqtt = self._mqtt
        if mqtt is None:
            return []
        try:
            mqtt.wait_connected(0.0 if self._met else self._first_wait_s)
        except OSError as e:
            return [("mqtt", False, _NO_BROKER + type(e).__name__)]
        self._met = True
        return [("mqtt", True, "")]

    def tell_clock(self, clock_at: int) -> None:
        """Publish `clock/passed` when it has moved. Not retained: a later play of the same storm
        must not find it, and amqtt hands retained messages to clients that never asked for them."""
        if self._mqtt is not None and clock_at > self._clock_at:
            self._clock_at = clock_at
            body = msgspec.json.encode({"clock_at": clock_at})
            self._mqtt.publish(f"{self._prefix}/clock/passed", body)

    def _take(
        self, mqtt: Mqtt, receipts: Receipts, sender: Sender, log: Log, stop: threading.Event
    ) -> None:
        try:
            while self._mqtt is mqtt and not stop.is_set():
                batch = mqtt.get_batch(0.25, 1000)
                box = sender.box
                if batch and box is not None and append(log, receipts.records(box, batch), stop):
                    mqtt.ack(batch)
        except BaseException as e:  # noqa: BLE001  # the stage ends with it: deaf is not alive
            sender.failed = e


def run_send(
    district: District,
    run: Run,
    log: Log,
    broker_url: str,
    state_dir: Path,
    stop: threading.Event,
    *,
    carrier_url: str = "",
    now: Callable[[], int],
    ready: threading.Event | None = None,
    on_console: Callable[[str], None] | None = None,
) -> None:
    """Until `stop`. state_dir: the run's own folder (keys, CAP files, console file). carrier_url:
    exercises only, the simulated SMS and app carrier, http://127.0.0.1:PORT.
    Raises ValueError before anything starts if the run could reach what it must not."""
    live, prefix = run.kind == "live", f"fengsui/{run.name}/{district.id}"
    if live != (run.name == "live"):
        raise ValueError(_WRONG_KIND + f"{run.name!r}, {run.kind!r}")
    name = f"fengsui-send-{district.id}-{run.name}"
    line = MqttSide(broker_url, name, prefix, float(district.channels.attempt_timeout_s))
    clock = Clock(live, now)
    ring = Ring(state_dir, run.kind)
    caretaker = Caretaker(district, prefix, run.kind, state_dir, ring, line.tell)
    hearing = Hearing()
    channels = channels_of(
        district,
        run,
        state_dir,
        carrier_url=carrier_url,
        publish=line.publish,
        clock=clock.read,
        private_key=caretaker.private,
        hear=hearing.hear,
        on_console=on_console,
    )
    codes = codes_of(district, state_dir, run.name, live)
    sender = Sender(log, channels, clock, tuple(district.groups), codes=codes)
    inbound = _inbound(district, live, clock)
    receipts = Receipts(prefix, live, clock.read, district.nodes, caretaker, inbound, codes)
    hearing.start(receipts, sender, log, stop)
    doors, probes = _doors(district, channels, hearing, sender, log, stop, live)
    prober = Prober(channels, line.reach, sender, clock.read, probes)

    def after(states: Mapping[int, Box]) -> None:
        sender.box = states.get(0)  # before anything can be heard
        if sender.box is not None:
            line.open(receipts, sender, log, stop)
        else:
            line.close()
        sender.after(sender.box)
        if sender.box is not None:
            caretaker.look(clock.read())
        if not live:
            line.tell_clock(sender.passed_at)

    stage, member = Send(district, live, codes), f"{gethostname()}-{os.getpid()}"
    runner = Runner(
        stage, log, member=member, live=live, now=now, run=run, after=after, count=_count
    )
    feed = _feed(district, state_dir, live)
    if live:
        prober.start(district.channels.probe_every_s)
    try:
        runner.run(stop, ready)
    finally:
        prober.close()
        for door in doors:
            door.close()
        sender.close()
        hearing.close()
        line.close()
        if feed is not None:
            feed.close()
        close(channels)


def _inbound(district: District, live: bool, clock: Clock) -> Inbound:
    """Who hears what telephones write; of subscribers where there is a store for them."""
    desk = ResidentDesk(district, live, clock.read, now_ms) if district.vault else None
    return Inbound(district, residents=desk, live=live)


def _doors(
    district: District,
    channels: Mapping[str, Channel],
    hearing: Hearing,
    sender: Sender,
    log: Log,
    stop: threading.Event,
    live: bool,
) -> tuple[list["ReceiptServer | PlatformDoor"], list[Callable[[], Found]]]:
    """Where carriers and broadcast platforms post, in a live run. What a platform tells of its terminals is
    written as it comes. The doors, and what asks after each platform's heart-beats."""
    if not live:
        return [], []

    def keep(told: Sequence[Terminals]) -> bool:
        outs = [Out("deliveries", f"terminals:{t.platform}", encode(t)) for t in told]
        return sender.box is not None and append(log, outs, stop)

    receipts = receipt_server(district, hearing.hear, live)
    platforms = platform_doors(channels, hearing.hear, keep)
    doors: list[ReceiptServer | PlatformDoor] = [*platforms]
    doors += [receipts] if receipts is not None else []
    return doors, [door.probe for door in platforms]


def _feed(district: District, folder: Path, live: bool) -> "FeedServer | None":
    """Live on the port of channels.toml, if one is set; in an exercise on any free one, whose
    address stands in `cap-feed.url`."""
    port = district.channels.cap_feed_port
    if live and not port:
        return None
    from dispatch.cap.feed_server import FeedServer

    if live:
        return FeedServer(folder / district.channels.cap_dir, port)
    server = FeedServer(folder / "cap", 0)
    (folder / "cap-feed.url").write_text(server.url + "\n")
    return server
