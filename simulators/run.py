"""Plays a scenario to an MQTT broker: sensors, loudspeakers, phones, and the scenario's clock."""

import json
import threading
import time
from collections.abc import Callable

import msgspec

from config.language import Text
from config.records.district import District
from simulators.carriers.phones import Carrier, encoded
from simulators.nodes import Nodes
from simulators.people import Heads, Shown
from simulators.world import World
from stream.mqtt.access import SIMULATED
from stream.mqtt.client import Mqtt, digest, shared_group

_DRAIN_MIN = 5
_BROKER_S = 60.0  # a busy machine takes its time; what the line says before we are heard is lost
_READ = ("answered", "confirmed")
_GATHERED = 500  # readings of one message: far below its largest size


class Stuck(Exception):
    """The line does not pass the scenario's clock on; the text says what to look at."""


class Clock:
    """The scenario's clock on MQTT: says the time, and waits until the line has passed it."""

    def __init__(self, mqtt: Mqtt, prefix: str, stop: threading.Event) -> None:
        self._mqtt = mqtt
        self._prefix = prefix
        self._stop = stop
        self.passed_at = 0

    def say(self, clock_at: int) -> None:
        body = json.dumps({"clock_at": clock_at}).encode()
        self._mqtt.publish(f"{self._prefix}/clock", body)

    def heard(self, payload: bytes) -> None:
        self.passed_at = max(self.passed_at, int(json.loads(payload)["clock_at"]))

    def waiting(self, clock_at: int) -> bool:
        return self.passed_at < clock_at and not self._stop.is_set()


def _reading(suffix: str, payload: bytes) -> dict[str, object] | None:
    """A sensor's message as an item of a gateway's; None if it is something else."""
    match suffix.split("/"):
        case ["station", station, quantity]:
            try:
                found = json.loads(payload)
            except ValueError:
                return None
            if isinstance(found, dict):
                return {**found, "station": station, "quantity": quantity}
    return None


def prefix_of(run_name: str, district: District) -> str:
    """The first three levels of every topic of a run."""
    return f"fengsui/{run_name}/{district.id}"


class Player:
    """One play. pages: takes a report with a photograph; without it there are only short messages."""

    def __init__(
        self,
        district: District,
        broker_url: str,
        run_name: str,
        stop: threading.Event,
        *,
        nodes: Nodes | None,
        carrier: Carrier | None,
        speed: float,
        lockstep: bool,
        patience_s: float = 300.0,
        pages: Callable[[Shown], object] | None = None,
    ) -> None:
        if run_name == "live":
            raise ValueError(Text("模拟器不进实战", "a simulator never speaks into a live run"))
        self.prefix = prefix_of(run_name, district)
        self.mqtt = Mqtt(broker_url, f"fengsui-simulator-{district.id}-{run_name}")
        self.mqtt.wait_connected(_BROKER_S)
        self._stop = stop
        self.clock = Clock(self.mqtt, self.prefix, stop)
        self.nodes = nodes
        self.carrier = carrier
        self._heads = Heads(district)
        self._pages = pages
        self._shown: list[Shown] = []  # with a photograph, to be posted
        self._speed = speed
        self._lockstep = lockstep
        self._patience_s = patience_s
        self._taken = lockstep and bool(shared_group(broker_url))  # several ingests tell us
        self._waits_for: set[str] = set()  # digests of what none of them has in the log
        self._gathered: list[dict[str, object]] = []  # readings of this slot, not yet sent
        self._now_at = 0
        topics = ["clock/passed", "node/+/command"] + ["taken"] * self._taken
        self.mqtt.subscribe([f"{self.prefix}/{t}" for t in topics], _BROKER_S)

    def publish(self, suffix: str, payload: bytes) -> None:
        """A reading, or a picture. Several ingests in lockstep: as a gateway would send it, many
        readings at once and one message after the other, for their order must not be lost between
        the ingests."""
        if not self._taken:
            self.mqtt.publish(f"{self.prefix}/{suffix}", payload)
            return
        reading = _reading(suffix, payload)
        if reading is None:
            self._send_gathered()
            self._send_and_wait(suffix, payload)
        else:
            self._gathered.append(reading)
            if len(self._gathered) >= _GATHERED:
                self._send_gathered()

    def _send_gathered(self) -> None:
        if self._gathered:
            body, self._gathered = json.dumps(self._gathered).encode(), []
            self._send_and_wait(f"gateway/{SIMULATED}/json", body)

    def _send_and_wait(self, suffix: str, payload: bytes) -> None:
        topic, patience = f"{self.prefix}/{suffix}", time.monotonic() + self._patience_s
        self._waits_for.add(digest(topic, payload))
        self.mqtt.publish(topic, payload)
        while self._waits_for and not self._stop.is_set():
            if time.monotonic() > patience:
                raise Stuck(
                    Text(
                        f"{topic} 过了 {self._patience_s:.0f} 秒还没进日志：是不是有一个接入进程不在？",
                        f"{topic} is in no log after {self._patience_s:.0f} s: is an ingest of the "
                        "group away?",
                    )
                )
            self.listen(self._now_at, 0.05)

    def listen(self, now_at: int, timeout_s: float) -> None:
        """Take what the line says: time passed, commands to loudspeakers."""
        batch = self.mqtt.get_batch(timeout_s)
        for message in batch:
            tail = message.topic.removeprefix(self.prefix + "/")
            if tail == "clock/passed":
                self.clock.heard(message.payload)
            elif tail == "taken":
                self._waits_for.difference_update(json.loads(message.payload))
            elif self.nodes is not None and tail.endswith("/command"):
                name = tail.split("/")[1]
                for ack in self.nodes.hear(name, message.payload, now_at):
                    self.mqtt.publish(f"{self.prefix}/node/{name}/ack", msgspec.json.encode(ack))
        self.mqtt.ack(batch)

    def people(self, now_at: int) -> None:
        """Loudspeakers that have finished, phones that received, people who answered."""
        if self.nodes is not None:
            for ack in self.nodes.advance(now_at):
                self.mqtt.publish(f"{self.prefix}/node/{ack.node}/ack", msgspec.json.encode(ack))
        if self.carrier is not None:
            for channel, receipt in self.carrier.advance(now_at):
                self.mqtt.publish(f"{self.prefix}/receipt/{channel}", encoded(receipt))
                if receipt.status in _READ:
                    self._heads.hear(self.carrier.taken[receipt.key], receipt.at)
        for said in self._heads.advance(now_at):
            if isinstance(said, Shown) and self._pages is not None:
                self._shown.append(said)
                continue
            spoken = said.spoken() if isinstance(said, Shown) else said
            self.publish(spoken.suffix, spoken.payload)

    def photographs(self) -> None:
        """Reports with a photograph, by the personal page. Only while nothing of MQTT is on its way: the page
        has a way into the log of its own, and two plays must have the same order."""
        while self._shown and self._pages is not None and not self._stop.is_set():
            self._pages(self._shown.pop(0))

    def begin(self, start_at: int) -> None:
        """Say when it begins; in lockstep go on saying so until the line has heard it: what is
        published before ingest has a session at the broker is lost."""
        patience = time.monotonic() + self._patience_s
        self.clock.say(start_at)
        while self._lockstep and self.clock.waiting(start_at + 1):
            if time.monotonic() > patience:
                raise Stuck(
                    Text(
                        f"全线 {self._patience_s:.0f} 秒无应答：各环节都在运行吗，运行名和 MQTT 服务器相"
                        "同吗？见 `fengsui status`",
                        f"the line does not answer within {self._patience_s:.0f} s: are all its stages "
                        "running, with the same run name and broker? see `fengsui status`",
                    )
                )
            self.clock.say(start_at + 1)  # later than the run's start, so that it is passed on
            self.mqtt.flush()
            self.listen(start_at, 1.0)

    def slot(self, clock_at: int, length_s: float) -> None:
        """Say the time and let it pass: at the chosen speed, and with the line."""
        began = time.monotonic()
        self._send_gathered()
        self._now_at = clock_at
        self.people(clock_at)
        self.clock.say(clock_at)
        self.mqtt.flush()
        until = began + (length_s / self._speed if self._speed > 0 else 0.0)
        patience = began + self._patience_s
        while not self._stop.is_set():
            left = until - time.monotonic()
            waiting = self._lockstep and self.clock.waiting(clock_at)
            if left <= 0 and not waiting:
                return
            if waiting and time.monotonic() > patience:
                raise Stuck(
                    Text(
                        f"全线卡住：{self._patience_s:.0f} 秒没走完时段 {clock_at}（在 "
                        f"{self.clock.passed_at}）：`fengsui status` 指出落后的环节",
                        f"the line has not passed slot {clock_at} in {self._patience_s:.0f} s (it is at "
                        f"{self.clock.passed_at}): `fengsui status` names the stage that lags",
                    )
                )
            self.listen(clock_at, 0.05 if left <= 0 else min(left, 0.05))

    def close(self) -> None:
        self.mqtt.flush(5.0)
        self.mqtt.close()


def play(
    player: Player,
    world: World,
    stop: threading.Event,
    *,
    drain_h: float = 0.0,
    settled: Callable[[], bool] = lambda: False,
    on_slot: Callable[[int], None] = lambda _: None,
) -> None:
    """Every minute of the scenario, then empty minutes until `settled` or for `drain_h` hours; no
    further than where the scenario is broken off."""
    player.begin(world.scenario.start_at)
    last = world.minutes + int(drain_h * 60)
    for minute in range(last):
        after = (
            minute - world.minutes
        )  # the storm is over: five minutes at once, unhurried by speed
        if stop.is_set() or (after >= 0 and after % _DRAIN_MIN == 0 and settled()):
            return
        if minute == world.scenario.broken_off_min:
            return  # as it stands: nobody finishes a drill when the real thing comes
        if player.nodes is not None:
            player.nodes.offline = world.offline_nodes(minute)
        if player.carrier is not None:
            player.carrier.no_network = world.phones_off(minute)
        player.photographs()
        for publication in world.publications(minute):
            player.publish(publication.suffix, publication.payload)
        if after >= 0 and after % _DRAIN_MIN != _DRAIN_MIN - 1:
            continue
        player.slot(world.at(minute), 60.0 if after < 0 else 0.0)
        on_slot(world.at(minute))
