"""`fengsui node`: the reference loudspeaker, for a small Linux box with a speaker.

Its judgement is dispatch.nodes.judgement; this is its hands: MQTT, the disk, the voice. What a step has
changed is on the disk before anything that follows from it is done, and a message is acknowledged
after that: a loss of power at any instruction loses no command.
"""

import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from dispatch.nodes.judgement import Node
from dispatch.nodes.memory import Effect, Greet, Play, PublishState, Setup, Stop
from dispatch.nodes.protocol import NodeAck, sign
from dispatch.nodes.trust import Moment
from loudspeaker.gauge import Gauge, sensed
from loudspeaker.store import Identity, Store
from loudspeaker.voice import Speaker, Voice
from stream.guard import unread
from stream.mqtt.client import Mqtt
from stream.wall_clock import now_ms

_WAIT_S = 0.1
_GREET_AGAIN_MS = 10_000  # while the centre has not answered


class Hands(NamedTuple):
    """What the agent is told beside its set-up. calendar: its clock keeps time without power.
    sensors: a command, see loudspeaker.gauge."""

    broker: str
    voice: Voice
    gauge: str = ""
    sensors: str = ""
    calendar: bool = True
    status_every_s: int = 600


class Agent:
    """One node. Raises ValueError if its folder is not what it should be."""

    def __init__(self, folder: Path, given: Identity | None, hands: Hands) -> None:
        self._store = Store(folder)
        self.identity = self._store.identity(given)
        self.keys = self._store.own_keys()
        self._hands = hands
        # an exercise has the scenario's clock, which no calendar knows
        self._calendar = hands.calendar and self.identity.kind == "live"
        kept = self._store.load(self.identity)
        setup = Setup(self.identity.id, self.identity.kind, self.keys.box)
        self.node = Node(setup, kept, self._moment())
        self._sensed: dict[str, float] = {}
        self._status_run = -(2**53)
        self._greeted_run = 0
        self._linked = False

    def _moment(self) -> Moment:
        return Moment(time.monotonic_ns() // 1_000_000, now_ms() if self._calendar else None)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        me = self.identity
        mqtt = Mqtt(self._hands.broker, f"{me.prefix.replace('/', '-')}-node-{me.id}")
        topics = (f"node/{me.id}/command", "beacon", "keys")
        mqtt.subscribe([f"{me.prefix}/{t}" for t in topics], timeout_s=0.0)
        gauge, speaker = Gauge(self._hands.gauge, me.id), Speaker(self._hands.voice)
        try:
            while not stop.is_set():
                self._pass(mqtt, gauge, speaker)
        finally:
            speaker.stop()
            gauge.close()
            mqtt.flush(2.0)
            mqtt.close()

    def _pass(self, mqtt: Mqtt, gauge: Gauge, speaker: Speaker) -> None:
        batch = mqtt.get_batch(_WAIT_S, 100)
        linked, moment, node = not mqtt.waits_for(), self._moment(), self.node
        effects: list[Effect] = []
        for message in batch:
            try:
                effects += node.hear(message.payload, moment)
            except Exception as e:  # noqa: BLE001  # one message must not silence the loudspeaker
                unread("node", e)
        for quantity, count in gauge.take():
            node.measured(quantity, count, moment)
        tested_at = node.kept.tested_at
        for job, sounded, detail in speaker.take():
            effects += node.finished(job, sounded, detail, moment)
        effects += node.advance(moment)
        unanswered = bool(node.time.nonce) and moment.run > self._greeted_run + _GREET_AGAIN_MS
        if linked and (not self._linked or unanswered):
            effects.append(Greet())
        self._linked = linked
        self._store.save(node.kept)
        self._do(effects, mqtt, speaker, linked, moment)
        due = moment.run >= self._status_run + self._hands.status_every_s * 1000
        if linked and (due or node.kept.tested_at != tested_at):
            self._status_run = moment.run
            self._tell_status(mqtt, moment, speaker)
        mqtt.ack(batch)
        if linked:
            mqtt.flush(0.0)

    def _do(
        self,
        effects: Sequence[Effect],
        mqtt: Mqtt,
        speaker: Speaker,
        linked: bool,
        moment: Moment,
    ) -> None:
        at = f"{self.identity.prefix}/node/{self.identity.id}"
        for effect in effects:
            match effect:
                case NodeAck():
                    mqtt.publish(f"{at}/ack", msgspec.json.encode(effect))
                case Play(job):
                    speaker.play(job)
                case Stop(job_id):
                    speaker.stop(job_id)
                case PublishState(report) if linked:
                    mqtt.publish(f"{at}/report", sign(self.keys.sign, report))
                case Greet() if linked:
                    self._greeted_run = moment.run
                    hello = self.node.hello(secrets.token_hex(8))
                    mqtt.publish(f"{at}/hello", msgspec.json.encode(hello))

    def _tell_status(self, mqtt: Mqtt, moment: Moment, speaker: Speaker) -> None:
        self._sensed = sensed(self._hands.sensors)
        self.node.battery = self._sensed.get("battery")
        at, sure = self.node.now(moment)
        body: dict[str, float] = {"time": at / 1000} if sure else {}
        body |= self._sensed | self.node.status()
        body["voice"] = float(speaker.can_say)
        topic = f"{self.identity.prefix}/node/{self.identity.id}/status"
        mqtt.publish(topic, msgspec.json.encode(body))
