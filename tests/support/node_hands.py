"""A centre and two kinds of loudspeaker for the contract suite: both speak through a real broker."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.records.level import Action, Level
from dispatch.nodes.judgement import Node as Judgement
from dispatch.nodes.memory import Greet, Kept, PublishState, Setup
from dispatch.nodes.protocol import (
    Beacon,
    Clause,
    Command,
    KeySet,
    Mandate,
    Message,
    NodeReport,
    Noted,
    TrustedKey,
    opened,
    sign,
)
from dispatch.nodes.trust import Moment
from simulators.nodes import Nodes
from stream.mqtt.client import Mqtt

ROOT_DIR = Path(__file__).parents[2]
_districts = itertools.count()  # one for each test: sessions stay at the broker
DAY = 86_400_000
_NEVER = 2**53


def public_of(private: bytes) -> str:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Centre:
    """Signs, publishes, hears. `answers`: does it answer hellos? ahead: its clock, against ours."""

    root, sender = b"r" * 32, b"s" * 32

    def __init__(self, url: str) -> None:
        self.ahead, self.answers = 0, True
        self.district = f"d{os.getpid()}-{next(_districts)}"
        self.prefix = f"fengsui/live/{self.district}"
        self.keys = KeySet(
            kind="live", version=1, issued_at=0, keys=(TrustedKey(public=public_of(self.sender)),)
        )
        self.acks: list[dict[str, Any]] = []
        self.hellos: list[dict[str, Any]] = []
        self.reports: list[bytes] = []
        self.status: list[dict[str, Any]] = []
        self.mqtt = Mqtt(url, f"centre-{self.district}")
        self.mqtt.wait_connected(90)
        self.mqtt.subscribe(
            [f"{self.prefix}/node/+/{t}" for t in ("ack", "hello", "report", "status")], 90
        )
        self._count = 0

    def now(self) -> int:
        return now_ms() + self.ahead

    def say(self, topic: str, payload: bytes) -> None:
        self.mqtt.publish(f"{self.prefix}/{topic}", payload)

    def to(self, message: Message, key: bytes = b"", node: str = "N001") -> bytes:
        payload = sign(key or self.sender, message)
        self.say(f"node/{node}/command", payload)
        return payload

    def beacon(self, at: int = 0, key: bytes = b"", nonce: str = "") -> bytes:
        payload = sign(
            key or self.sender, Beacon(kind="live", beacon_at=at or self.now(), nonce=nonce)
        )
        self.say("beacon", payload)
        return payload

    def set_keys(self, *keys: TrustedKey, version: int, root: bytes = b"") -> bytes:
        made = KeySet(kind="live", version=version, issued_at=self.now(), keys=keys)
        payload = sign(root or self.root, made)
        if not root:
            self.keys = made
        self.say("keys", payload)
        return payload

    def command(self, **more: Any) -> Command:
        self._count += 1
        fields: dict[str, Any] = {
            "id": f"c{self._count}",
            "node": "N001",
            "alert": f"a{self._count}",
            "version": 1,
            "area": "A01",
            "level": Level.RED,
            "action": Action.MOVE,
            "msg_type": "alert",
            "kind": "live",
            "text": "立即转移",
            "repeat": 1,
            "volume": 90,
            "issued_at": self.now(),
            "expires_at": self.now() + 600_000,
        }
        return Command(**{**fields, **more})

    def order(self, **more: Any) -> Command:
        found = self.command(**more)
        self.to(found)
        return found

    def mandate(self, **more: Any) -> Mandate:
        at = self.now()
        fields: dict[str, Any] = {
            "node": "N001",
            "kind": "live",
            "area": "A01",
            "hazard": "flash_flood",
            "issued_at": at,
            "valid_from_at": at - 1000,
            "valid_until_at": at + DAY,
            "after_s": 1,
            "plays": 1,
            "gap_s": 60,
            "repeat": 1,
            "volume": 100,
            "clauses": (
                Clause(quantity="rain", window_min=10, count=100, action=Action.PREPARE),
                Clause(quantity="rain", window_min=10, count=300, action=Action.MOVE),
            ),
            "prepare_text": "准备转移",
            "move_text": "立即转移",
        }
        return Mandate(**{**fields, **more})

    def listen(self) -> None:
        batch = self.mqtt.get_batch(0.05)
        for m in batch:
            what = m.topic.rsplit("/", 1)[1]
            if what == "ack":
                self.acks.append(json.loads(m.payload))
            elif what == "status":
                self.status.append(json.loads(m.payload))
            elif what == "report":
                self.reports.append(m.payload)
            else:
                self.hellos.append(json.loads(m.payload))
                if self.answers:
                    self.answer(self.hellos[-1])
        self.mqtt.ack(batch)

    def answer(self, hello: dict[str, Any]) -> None:
        if hello["keys"] < self.keys.version:
            self.say("keys", sign(self.root, self.keys))
        beacon = Beacon(kind="live", beacon_at=self.now(), nonce=hello["nonce"])
        self.to(beacon)

    def until(self, check: Callable[[], Any], what: str, timeout_s: float = 90.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not check():
            assert time.monotonic() < deadline, (what, self.acks)
            self.listen()

    def rest(self, seconds: float) -> None:
        """Hear for a while: for what must not come."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.listen()

    def states(self, command: str) -> list[str]:
        """Of a command, with the reason where it was refused."""
        return [
            f"refused {a['detail']}" if a["state"] == "refused" else a["state"]
            for a in self.acks
            if a["id"] == command
        ]

    def played(self, command: Command) -> None:
        self.until(lambda: "played" in self.states(command.id), f"{command.id} played")

    def read(self, sign_key: str) -> list[NodeReport]:
        found = [opened(p, NodeReport, "live", [bytes.fromhex(sign_key)]) for p in self.reports]
        return [r for r in found if isinstance(r, NodeReport)]

    def note(self, *reports: NodeReport) -> None:
        acts = tuple(f"{r.act}/{r.state}" for r in reports)
        self.to(Noted(node="N001", kind="live", acts=acts))


class Simulated:
    """The simulator's loudspeaker, with hands for the whole protocol."""

    sign_private, box_private = b"n" * 32, b"x" * 32

    def __init__(self, url: str, folder: Path, district: str, calendar: bool) -> None:
        self._url, self._calendar, self._district = url, calendar, district
        self._prefix = f"fengsui/live/{district}"
        self._kept: bytes = b""
        self._stop = threading.Event()
        self.sign_key = public_of(self.sign_private)
        self.started: list[str] = []
        self._rain: list[tuple[str, int]] = []

    def start(self) -> None:
        box = {"N001": self.box_private}
        nodes = Nodes(["N001"], bytes(32), "live", bytes.fromhex(public_of(Centre.root)), box)
        node = nodes.nodes["N001"]
        kept = node.rules.kept
        if self._kept:
            kept = msgspec.json.decode(self._kept, type=Kept)
        else:
            kept.trust.keys = KeySet(kind="live", version=0, issued_at=0, keys=())
        at = now_ms()
        setup = Setup("N001", "live", self.box_private)
        node.rules = Judgement(setup, kept, Moment(at, at if self._calendar else None))
        self._stop = threading.Event()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(nodes, ready, self._stop))
        self._thread.start()
        assert ready.wait(90)

    def _work(self, nodes: Nodes, ready: threading.Event, stop: threading.Event) -> None:
        node = nodes.nodes["N001"]
        mqtt = Mqtt(self._url, f"sim-{self._district}")
        mqtt.wait_connected(60)
        topics = ("node/N001/command", "beacon", "keys")
        mqtt.subscribe([f"{self._prefix}/{t}" for t in topics], 60)
        node.out.append(Greet())
        ready.set()
        told = now_ms()
        while not stop.is_set():
            batch = mqtt.get_batch(0.02)
            acks = []
            for m in batch:
                acks += nodes.hear("N001", m.payload, now_ms(), self._calendar)
            while self._rain:
                node.rules.measured(*self._rain.pop(0), self._moment())
            acks += nodes.advance(now_ms(), self._calendar)
            self._kept = msgspec.json.encode(node.rules.kept)
            self.started += [j.id for j in node.heard]
            node.heard.clear()
            for ack in acks:
                mqtt.publish(f"{self._prefix}/node/N001/ack", msgspec.json.encode(ack))
            effects, node.out = node.out, []
            for effect in effects:
                if isinstance(effect, PublishState):
                    body = sign(self.sign_private, effect.report)
                    mqtt.publish(f"{self._prefix}/node/N001/report", body)
                elif isinstance(effect, Greet):
                    hello = node.rules.hello(os.urandom(8).hex())
                    mqtt.publish(f"{self._prefix}/node/N001/hello", msgspec.json.encode(hello))
            if now_ms() > told + 500:
                told = now_ms()
                body = msgspec.json.encode(node.rules.status())
                mqtt.publish(f"{self._prefix}/node/N001/status", body)
            mqtt.ack(batch)
        mqtt.flush(2.0)
        mqtt.close()

    def _moment(self) -> Moment:
        return Moment(now_ms(), now_ms() if self._calendar else None)

    def rain(self, mm: float) -> None:
        self._rain.append(("rain", round(mm * 10)))

    def sounds(self) -> list[str]:
        """Ids of what it began to say, one for each time."""
        return list(self.started)

    def box_key(self) -> str:
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        private = X25519PrivateKey.from_private_bytes(self.box_private)
        return private.public_key().public_bytes_raw().hex()

    def kill(self) -> None:
        self._stop.set()
        self._thread.join()


class AgentProcess:
    """`fengsui node` as a child; its player notes what it is given and waits a moment."""

    def __init__(self, url: str, folder: Path, district: str, calendar: bool) -> None:
        self._url, self._folder, self._calendar = url, folder, calendar
        self._district = district
        self._gauge = folder / "gauge"
        self._gauge.touch()
        self._log = folder / "sounds"
        self._player = folder / "player.py"
        self._player.write_text(
            "import sys, time, pathlib\n"
            "body = sys.stdin.buffer.read()\n"
            f"with pathlib.Path({str(self._log)!r}).open('a') as f: f.write(f'{{len(body)}}\\n')\n"
            "time.sleep(0.3)\n"
        )
        self._out = folder / "out"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._out.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "loudspeaker.command", "--broker", self._url, "--id", "N001",
                 "--district", self._district, "--root", public_of(Centre.root),
                 "--folder", str(self._folder / "node"), "--gauge", str(self._gauge),
                 "--player", f"{sys.executable} {self._player}", "--status-every", "1",
                 *(["--no-calendar"] * (not self._calendar))],
                cwd=ROOT_DIR, stdout=out, stderr=out,
            )  # fmt: skip

    def _told(self, name: str) -> str:
        until = time.monotonic() + 120
        while True:
            whole, _, _ = self._out.read_bytes().rpartition(b"\n")  # lines written to their end
            text = whole.decode("utf-8", "replace")
            if f"{name}=" in text:
                return text.split(f"{name}=")[1].split()[0]
            assert time.monotonic() < until, text
            time.sleep(0.05)

    @property
    def sign_key(self) -> str:
        return self._told("sign_key")

    def box_key(self) -> str:
        return self._told("box_key")

    def rain(self, mm: float) -> None:
        with self._gauge.open("a") as f:
            f.write(f"{mm}\n")

    def sounds(self) -> list[str]:
        return self._log.read_text().split() if self._log.exists() else []

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


Terminal = Simulated | AgentProcess
