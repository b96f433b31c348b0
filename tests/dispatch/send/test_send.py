"""The stage send with real hands: a real log, a real MQTT broker, a real HTTP carrier, loudspeakers
that verify signatures."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import load
from config.records.channels import Channels
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Mark
from dispatch.cap.message import check
from dispatch.channels import SendError, SendResult
from dispatch.nodes.keys import sender_keys
from dispatch.nodes.protocol import CarrierReceipt, NodeAck
from dispatch.records import Delivery, Receipt, Route, attempt_key
from dispatch.send.desk import PER_CHANNEL, RESERVE
from dispatch.send.outbox.state import Box
from dispatch.send.receipts import Receipts
from dispatch.send.stage import MqttSide, Send, run_send
from dispatch.send.workers import Clock, Sender
from simulators.carriers.phones import Carrier
from simulators.nodes import Nodes
from stream.log.open import open_log
from stream.log.port import Log, Out, Unavailable
from stream.mqtt.client import Message, Mqtt
from stream.records import Record, Tick, encode
from stream.stages.stage import Item
from tests.support.send import ROOT, T0, Stage, delivery, now_ms, run_of, until
from tests.support.servers import Mosquitto

PREFIX = "fengsui/exercise/yanqing"


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    found = Carrier()
    yield found
    found.close()


class Village:
    """Loudspeakers and phones on MQTT, in the exercise's time."""

    def __init__(
        self, district: District, broker: str, folder: Path, name: str = "village"
    ) -> None:
        public = sender_keys(folder).public
        self.nodes = Nodes(list(district.nodes), public, "exercise")
        self.mqtt = Mqtt(broker, name)
        self.mqtt.wait_connected(90)
        self.mqtt.subscribe([f"{PREFIX}/node/+/command", f"{PREFIX}/clock/passed"], 90)
        self.passed: list[int] = []

    def listen(self, now_at: int) -> None:
        batch = self.mqtt.get_batch(0.05)
        for m in batch:
            if m.topic.endswith("clock/passed"):
                self.passed.append(json.loads(m.payload)["clock_at"])
                continue
            name = m.topic.split("/")[4]
            for ack in self.nodes.hear(name, m.payload, now_at):
                self.say(f"node/{name}/ack", msgspec.json.encode(ack))
        self.mqtt.ack(batch)

    def advance(self, now_at: int) -> None:
        for ack in self.nodes.advance(now_at):
            self.say(f"node/{ack.node}/ack", msgspec.json.encode(ack))

    def say(self, suffix: str, payload: bytes) -> None:
        self.mqtt.publish(f"{PREFIX}/{suffix}", payload)


def test_the_whole_way_out_and_back(
    tmp_path: Path, district: District, broker: str, carrier: Carrier
) -> None:
    stage = Stage(tmp_path, district, broker, run_of(), carrier.url)
    village = Village(district, broker, tmp_path)
    try:
        stage.put(
            run_of(),
            delivery(1, "N001", "broadcast"),
            delivery(2, "C-0001", "sms", "app", must_answer=True),
            delivery(3, "C-0002", "app"),
            delivery(4, "cap", "cap"),
            delivery(5, "duty", "console"),
        )
        stage.marks(T0)
        until(lambda: village.listen(T0) or T0 in village.passed, "clock/passed at T0")
        until(lambda: "playing" in stage.states("d1"), "playing")
        assert stage.states("d3") == ["accepted"]
        assert stage.states("d4") == ["accepted"]
        assert stage.states("d5") == ["delivered"]
        assert "立即转移" in stage.console[0]
        village.advance(T0 + 120_000)
        for d, channel in ((2, "sms"), (3, "app")):
            key = attempt_key("x", 1, channel, f"C-000{d - 1}")
            assert key in carrier.taken
            status = "answered" if channel == "sms" else "delivered"
            body = CarrierReceipt(key=key, status=status, at=T0 + 60_000)
            village.say(f"receipt/{channel}", msgspec.json.encode(body))
        until(lambda: "played" in stage.states("d1"), "played")
        assert stage.states("d1") == ["sent", "accepted", "playing", "played"] or sorted(
            stage.states("d1")
        ) == ["accepted", "played", "playing", "sent"]
        until(lambda: "answered" in stage.states("d2"), "answered")
        until(lambda: "delivered" in stage.states("d3"), "delivered")
        answered = next(
            r for r in stage.records() if isinstance(r, Receipt) and r.state == "answered"
        )
        assert answered.receipt_at == T0 + 60_000  # the scenario's clock, which the phone shares
        (message,) = (tmp_path / "cap").glob("*.xml")
        check(message.read_bytes())
        with urllib.request.urlopen(
            (tmp_path / "cap-feed.url").read_text().strip(), timeout=60
        ) as r:
            assert message.stem in r.read().decode()
        stage.marks(T0 + 600_000)
        until(lambda: village.listen(T0) or T0 + 600_000 in village.passed, "clock moves on")
        assert village.passed == sorted(set(village.passed))
        assert "failed" not in stage.states("d1") + stage.states("d2") + stage.states("d3")
        text = b"".join(e.value for e in stage.log.read("deliveries", 0, 0))
        assert district.contacts["C-0001"].phone.encode() not in text
    finally:
        village.mqtt.close()
        stage.close()


def test_strange_words_are_dead_letters_and_the_rest_goes_on(
    tmp_path: Path, district: District, broker: str
) -> None:
    stage = Stage(tmp_path, district, broker, run_of())
    village = Village(district, broker, tmp_path, "strangers")
    try:
        stage.put(delivery(1, "N001", "broadcast"), delivery(2, "N002", "broadcast"))
        until(lambda: stage.states("d1") and stage.states("d2"), "sent")
        key = attempt_key("x", 1, "broadcast", "N001")
        played = NodeAck(node="N002", id=key, state="played", at=T0)
        village.say("node/N002/ack", msgspec.json.encode(played))  # for another's command
        village.say("node/N001/ack", msgspec.json.encode(played))  # in another's name
        village.say("node/N001/ack", b"\xff\xfe")
        village.say("node/N001/ack", b'{"node":"N001","id":"?","state":"played","at":1}')
        body = CarrierReceipt(key=key, status="DELIVRD", at=T0)
        village.say("receipt/sms", msgspec.json.encode(body))
        village.say("receipt/sms", b'{"key":"k","status":"bravo +86 199-0000-0001","at":1}')
        good = NodeAck(node="N001", id=key, state="played", at=T0, battery=80.5)
        village.say("node/N001/ack", msgspec.json.encode(good))
        until(lambda: "played" in stage.states("d1"), "the good one")
        assert stage.letters() == [
            "wrong_node",
            "wrong_node",
            "bad_payload",
            "unknown_delivery",
            "wrong_channel",
            "unknown_status",
        ]
        last = msgspec.json.decode(stage.log.read("dead-letters", 0, 0)[-1].value)
        assert b"bravo #" in b64decode(last["payload"])
        assert "played" not in stage.states("d2")
    finally:
        village.mqtt.close()
        stage.close()


def test_without_a_carrier_the_duty_room_is_told(
    tmp_path: Path, district: District, broker: str
) -> None:
    stage = Stage(tmp_path, district, broker, run_of())
    try:
        stage.put(delivery(1, "C-0001", "sms", "app"))
        until(lambda: stage.console, "told")
        assert stage.states("d1") == ["failed", "failed", "failed"]
        assert "C-0001" in stage.console[0]
        assert "no carrier configured" in stage.console[0]
    finally:
        stage.close()


def test_a_live_run_sends_real_records_only(
    tmp_path: Path, district: District, broker: str, carrier: Carrier
) -> None:
    url = f"json://{carrier.url.removeprefix('http://')}/sms?:to={{to}}&:key={{key}}"
    live = msgspec.structs.replace(
        district, channels=Channels(sms_url=url, cap_feed_port=0, attempt_timeout_s=60)
    )
    stage = Stage(tmp_path, live, broker, run_of("live"))
    try:
        at = now_ms()
        more: dict[str, Any] = {"queued_at": at, "deadline_at": at, "expires_at": at + 600_000}
        stage.put(
            run_of("exercise"),
            delivery(1, "C-0001", "sms", **more),
            delivery(2, "C-0001", "sms", status="actual", alert="y", **more),
            delivery(
                3,
                "C-0001",
                "sms",
                status="actual",
                alert="z",
                queued_at=at - 9000,
                deadline_at=at,
                expires_at=at - 1,
            ),
        )
        until(lambda: stage.states("d2") == ["accepted"], "the real one")
        until(lambda: stage.states("d3") == ["expired"], "too late")
        assert stage.states("d1") == ["failed"]
        assert [m.key for m in carrier.taken.values()] == [attempt_key("y", 1, "sms", "C-0001")]
        assert sorted(stage.letters()) == ["exercise_record_in_live_run", "wrong_run"]
        ticks = [r for r in stage.records() if isinstance(r, Tick)]
        assert ticks
        assert not list(tmp_path.glob("cap/*.xml"))
    finally:
        stage.close()


@pytest.mark.parametrize(
    ("kind", "carrier_url"), [("live", "http://127.0.0.1:1"), ("exercise", "http://192.0.2.1:1")]
)
def test_a_run_that_could_reach_what_it_must_not_does_not_start(
    tmp_path: Path, district: District, kind: str, carrier_url: str
) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", district.partitions)
    with pytest.raises(ValueError):
        run_send(
            district,
            run_of(kind),
            log,
            "mqtt://127.0.0.1:1",
            tmp_path,
            threading.Event(),
            carrier_url=carrier_url,
            now=now_ms,
        )
    log.close()


def test_an_exercise_uses_nothing_of_the_districts_channels(
    tmp_path: Path, district: District, broker: str, carrier: Carrier
) -> None:
    url = f"json://{carrier.url.removeprefix('http://')}/sms?:to={{to}}&:key={{key}}"
    armed = msgspec.structs.replace(
        district,
        channels=Channels(
            sms_url=url, app_url=url, cap_dir=str(tmp_path / "real"), attempt_timeout_s=60
        ),
    )
    stage = Stage(tmp_path, armed, broker, run_of())
    try:
        stage.put(delivery(1, "C-0001", "sms", "app"), delivery(2, "cap", "cap"))
        until(lambda: stage.console and stage.states("d2"), "ended")
        assert carrier.posts == 0
        assert not (tmp_path / "real").exists()
    finally:
        stage.close()


def test_a_broker_that_comes_back_is_used_again(
    tmp_path: Path, district: District, mosquitto: Mosquitto
) -> None:
    url = mosquitto.url
    folder = tmp_path / "state"
    # an attempt waits so long for the broker that is away
    impatient = msgspec.structs.replace(district, channels=Channels(attempt_timeout_s=3))
    stage = Stage(folder, impatient, url, run_of())
    village = Village(district, url, folder)
    try:
        mosquitto.stop()
        stage.put(delivery(1, "N001", "broadcast"))
        until(lambda: "failed" in stage.states("d1"), "the broker is away")
        mosquitto.start()
        clock = [T0]
        stage.marks(T0)

        def plays() -> bool:
            village.listen(T0)
            if clock[0] in village.passed:  # both are back, nothing is under way: the next attempt
                clock[0] += 5000
                stage.marks(clock[0])
            return "playing" in stage.states("d1")

        until(plays, "playing")
        assert clock[0] < T0 + 300_000, "before the deadline"
        village.advance(T0 + 600_000)
        until(lambda: "played" in stage.states("d1"), "played")
        assert len(village.nodes.nodes["N001"].heard) == 1
    finally:
        village.mqtt.close()
        stage.close()
    again = Stage(tmp_path / "other", district, url, run_of())
    try:
        mosquitto.publish(f"{PREFIX}/node/N001/ack", "rubbish")
        until(again.letters, "the newest word")
        # everything heard was acknowledged: nothing comes again before it
        assert again.letters() == ["bad_payload"]
    finally:
        again.close()


def test_what_is_heard_is_acknowledged_only_when_the_log_has_it(
    tmp_path: Path, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", 4)
    sender, pump, _ = hands(log, sms=Slow())
    happened: list[str] = []
    stop = threading.Event()

    class Wire:
        def __init__(self, *_: Any) -> None:
            self.batches = [[Message("p/node/N001/ack", b"rubbish", 1, 1)]]

        def subscribe(self, filters: Any, timeout_s: float) -> None: ...

        def get_batch(self, timeout_s: float, limit: int) -> list[Message]:
            time.sleep(0.01)
            return self.batches.pop() if self.batches else []

        def ack(self, messages: Any) -> None:
            happened.append("ack")
            stop.set()

        def close(self) -> None: ...

    real = log.append

    def away(outs: Any) -> None:
        happened.append("append")
        if len(happened) < 3:
            raise Unavailable("away")
        real(outs)

    pump()
    monkeypatch.setattr("dispatch.send.stage.Mqtt", Wire)
    monkeypatch.setattr(log, "append", away)
    line = MqttSide("mqtt://x", "c", "p", 1.0)
    line.open(Receipts("p", False, lambda: 0), sender, log, stop)
    assert stop.wait(120)
    assert happened == ["append", "append", "append", "ack"]
    line.close()
    sender.close()
    log.close()


CHILD = """
import json, os, signal, sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[4])
import msgspec
from config.load import load
from config.records.channels import Channels
from dispatch.send.stage import run_send
from stream.log.open import open_log
from stream.records import Run
folder, broker, carrier = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
district = load(Path(sys.argv[4]) / "config" / "yanqing")
log = open_log(f"sqlite:///{folder}", "exercise", "yanqing", district.partitions)
real = log.append
def dying(outs):
    if any(b'"receipt"' in o.value for o in outs):
        os.kill(os.getpid(), signal.SIGKILL)
    real(outs)
log.append = dying
run = Run(name="exercise", kind="exercise", district="yanqing", config="c", start_at=0)
run_send(district, run, log, broker, folder, threading.Event(), carrier_url=carrier, now=lambda: 0)
"""


def test_killed_between_attempt_and_receipt_it_sends_again_with_the_same_key(
    tmp_path: Path, district: District, broker: str, carrier: Carrier
) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", district.partitions)
    log.append([Out("deliveries", "k", encode(delivery(1, "C-0001", "sms")))])
    log.close()
    args = [sys.executable, "-c", CHILD, str(tmp_path), broker, carrier.url, str(ROOT)]
    for posts in (1, 2):
        child = subprocess.run(args, capture_output=True, timeout=300)
        assert child.returncode == -signal.SIGKILL, child.stderr.decode()
        assert carrier.posts == posts
    stage = Stage(tmp_path, district, broker, run_of(), carrier.url)
    try:
        until(lambda: stage.states("d1") == ["accepted"], "sent at last")
        assert carrier.posts == 3
        assert list(carrier.taken) == [attempt_key("x", 1, "sms", "C-0001")]
    finally:
        stage.close()


# --- the hands alone


class Slow:
    """A channel that lets an attempt go only when told."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.go = threading.Semaphore(0)

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        self.began.append(delivery.id)
        assert self.go.acquire(timeout=120)
        return SendResult("accepted")


class Faulty:
    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        raise KeyError("199-0000-0001")


_hands: list[Sender] = []


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    """A test that failed must not leave threads behind."""
    yield
    while _hands:
        _hands.pop().close()


def hands(log: Log, **channels: Any) -> tuple[Sender, Callable[..., None], Box]:
    """A sender, and a pump that carries the log's records into its box."""
    stage = Send(load(ROOT / "config" / "yanqing"), live=False)
    box, read = stage.new(0), 0
    sender = Sender(log, channels, Clock(False, lambda: 0), ())
    _hands.append(sender)

    def pump(*records: Record) -> None:
        nonlocal read
        log.append([Out("deliveries", "k", encode(r)) for r in records])
        while entries := log.read("deliveries", 0, read):
            read = entries[-1].offset + 1
            items = [Item(0, e.offset, e.key, stage.decode(e.value)) for e in entries]
            _, writes = stage.step(box, items)
            log.append([Out(w.topic, w.key, encode(w.record)) for w in writes])
        sender.after(box)

    return sender, pump, box


def test_red_overtakes_a_queue_and_finds_a_thread_free(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", 4)
    sms, app = Slow(), Slow()
    sender, pump, box = hands(log, sms=sms, app=app)
    blue: dict[str, Any] = {"level": Level.BLUE, "action": Action.NONE}
    pump(*(delivery(n, f"r{n}", "sms" if n % 2 else "app", **blue) for n in range(100)))
    pump()
    until(lambda: len(sms.began) == len(app.began) == PER_CHANNEL, "the ordinary threads are busy")
    pump(delivery(200, "red", "sms"))
    until(lambda: "d200" in sms.began, "red has a thread of its own")
    assert len(sms.began) == PER_CHANNEL + 1
    for _ in range(300):
        sms.go.release()
        app.go.release()
    until(lambda: pump() or not box.open, "all are sent")
    assert len(sms.began) + len(app.began) == 101
    sender.close()
    log.close()


class Busy:
    """A channel that has no room, and then has."""

    def __init__(self) -> None:
        self.room, self.sent = False, list[str]()

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        if not self.room:
            raise SendError("busy", wait_s=5.0)
        self.sent.append(delivery.id)
        return SendResult("accepted")


def test_who_has_lost_the_outbox_sends_nothing_more_of_it(tmp_path: Path) -> None:
    """What lay on its desks is the other member's now: it may have sent it, and newer versions."""
    log, now, sms = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", 4), [0.0], Busy()
    sender = Sender(
        log, {"sms": sms}, Clock(False, lambda: T0), ("g",), threads=0, steady=lambda: now[0]
    )
    box = Box()
    items = [Item(0, n, "k", delivery(n, f"r{n}", "sms")) for n in range(3)]
    stage = Send(load(ROOT / "config" / "yanqing"), live=False)
    stage.step(box, items)
    sender.after(box)
    sender.work()
    sms.room, now[0] = True, 60.0
    sender.after(None)
    sender.work()
    assert sms.sent == []
    again = Box()
    stage.step(again, items)
    sender.after(again)  # it has it again: as whoever reads the log anew
    sender.work()
    assert sorted(sms.sent) == ["d0", "d1", "d2"]
    log.close()


def test_one_dead_carrier_does_not_hold_every_thread(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", 4)
    sms, app = Slow(), Slow()
    app.go.release()
    sender, pump, box = hands(log, sms=sms, app=app)
    pump(*(delivery(n, f"r{n}", "sms") for n in range(50)), delivery(99, "r", "app"))
    until(lambda: pump() or box.entries["d99"].done, "the app's turn")
    until(lambda: len(sms.began) >= PER_CHANNEL + RESERVE, "every thread of the other is held")
    assert len(sms.began) == PER_CHANNEL + RESERVE
    for _ in range(100):
        sms.go.release()
    until(lambda: pump() or not box.open, "all are sent")
    sender.close()
    log.close()


def test_a_fault_in_one_channel_does_not_silence_the_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", 4)
    app = Slow()
    app.go.release()
    sender, pump, box = hands(log, sms=Faulty(), app=app)
    pump(delivery(1, "r", "sms", "app"), delivery(2, "r2", "nothing", "sms"))
    until(lambda: pump() or (box.entries["d1"].done and box.entries["d2"].done), "ended")
    assert box.entries["d1"].state == "accepted"
    assert box.entries["d2"].state == "failed"
    sender.close()
    told = b"".join(e.value for e in log.read("deliveries", 0, 0)).decode() + capfd.readouterr().err
    assert "program error KeyError" in told
    assert "199-0000-0001" not in told
    log.close()


def test_a_log_that_fails_stops_the_stage(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", 4)
    app = Slow()
    sender, pump, _ = hands(log, app=app)
    pump(delivery(1, "r", "app"))

    class Broken(Exception): ...

    real = log.append

    def broken(outs: Any) -> None:
        raise Broken

    log.append = broken  # type: ignore[method-assign]
    app.go.release()
    until(lambda: sender.failed is not None, "it is noticed")
    log.append = real  # type: ignore[method-assign]
    with pytest.raises(Broken):
        pump()
    sender.close()
    log.close()


@pytest.mark.parametrize("seed", range(6))
def test_batches_do_not_show(district: District, seed: int) -> None:
    rnd = random.Random(seed)
    records: list[Record] = [run_of()]
    for n in range(60):
        at = T0 + n * 20_000
        d = delivery(
            n,
            f"r{n % 5}",
            *rnd.choice([("sms",), ("broadcast", "app"), ()]),
            version=n // 5 + 1,
            queued_at=at,
            expires_at=at + rnd.randrange(600_000),
            must_answer=rnd.random() < 0.3,
        )
        records.append(d)
        for i in range(rnd.randrange(4)):
            state = rnd.choice(["sent", "accepted", "failed", "playing", "played", "answered"])
            records.append(
                Receipt(
                    delivery=f"d{rnd.randrange(n + 1)}",
                    route=rnd.randrange(2),
                    state=state,
                    attempt=i,
                    receipt_at=at,
                )
            )
        records.append(Mark(group=rnd.choice(list(district.groups)), clock_at=at, complete_at=at))
    items = [Item(0, n, "k", r) for n, r in enumerate(records)]
    stage = Send(district, live=False)
    whole_state, whole = stage.step(stage.new(0), items)
    state, parts = stage.new(0), []
    while items:
        size = rnd.randrange(1, 9)
        state, writes = stage.step(stage.load(0, stage.dump(state)), items[:size])
        parts += writes
        items = items[size:]
    assert parts == whole
    assert len(whole) > 20
    assert stage.dump(state) == stage.dump(whole_state)
    # what it wrote, read back, makes it write nothing more
    back = [Item(0, n, w.key, w.record) for n, w in enumerate(whole) if w.topic == "deliveries"]
    before = stage.dump(state)
    _, again = stage.step(state, back)
    assert again == []
    assert stage.dump(state) == before or [e.state for e in whole_state.entries.values()] == [
        e.state for e in state.entries.values()
    ]
