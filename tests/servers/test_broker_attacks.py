"""What a device with its own right password could try at the broker, from each kind of device: on a
real mosquitto by password and by certificate, and on the embedded broker. The names are those of
the tables, the payloads harmless."""

import re
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from config.load import load
from fengsui.run.setup import default_config
from stream.mqtt.access import CARRIER, INGEST, SELF_TEST, SEND, SIMULATOR, member
from stream.mqtt.client import Mqtt
from tests.support.brokers import Broker, Embedded
from tests.support.cap_world import pem_of

ROOT = Path(__file__).parents[2]
EXAMPLE = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "cap.md").read_text("utf-8"), re.DOTALL)
GAUGE, OTHER, CAMERA, NODE, GATEWAY, SOURCE = "R03", "R02", "V01", "N001", "G1", "source-weather"
KINDS = (GAUGE, CAMERA, NODE, GATEWAY, CARRIER, SOURCE)
AT = "fengsui/live/yanqing"
WAIT_S = 90.0


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Yanqing with a gateway of two stations, and with sources."""
    assert EXAMPLE is not None
    found = tmp_path_factory.mktemp("config") / "yanqing"
    shutil.copytree(default_config(), found)
    (found / "gateways.csv").write_text("gateway,station\nG1,R10\nG1,R11\n")
    (found / "sources.toml").write_text(EXAMPLE[1], "utf-8")
    for name in ("weather", "huailai", "chicheng"):
        (found / f"{name}.pem").write_text(pem_of(name))
    return found


@pytest.fixture(scope="module")
def mosquittos(
    tmp_path_factory: pytest.TempPathFactory, config: Path
) -> Iterator[Callable[[bool], Broker]]:
    """One by password, one by certificate, when they are asked for."""
    made: dict[bool, Broker] = {}

    def get(certificates: bool) -> Broker:
        if certificates not in made:
            folder = tmp_path_factory.mktemp("broker")
            made[certificates] = Broker(
                folder, certificates=certificates, config=config,
                more=("--member", "a", "--member", "b"),
            ).start()  # fmt: skip
        return made[certificates]

    yield get
    for one in made.values():
        one.stop()


@pytest.fixture(params=["passwords", "certificates", "embedded"])
def broker(
    tmp_path: Path, request: pytest.FixtureRequest, config: Path,
    mosquittos: Callable[[bool], Broker],
) -> Iterator[Broker | Embedded]:  # fmt: skip
    if request.param != "embedded":
        yield mosquittos(request.param == "certificates")
        return
    # a new one each time: who comes back to amqtt while it still ends his last connection may be
    # taken for away
    found = Embedded(tmp_path / "embedded", load(config)).start()
    yield found
    found.stop()


@pytest.fixture
def client() -> Iterator[Callable[[str, str], Mqtt]]:
    made: list[Mqtt] = []

    def make(url: str, name: str) -> Mqtt:
        made.append(Mqtt(url, name))
        made[-1].wait_connected(WAIT_S)
        return made[-1]

    yield make
    for one in made:
        one.close()


class Raw:
    """A client that may do what ours never does: take a name, begin clean, leave a will."""

    def __init__(
        self, url: str, name: str, *, clean: bool = True, will: tuple[str, bool] | None = None
    ) -> None:
        parts, query = urlsplit(url), {k: v[-1] for k, v in parse_qs(urlsplit(url).query).items()}
        self.answer = ""
        self.heard: set[str] = set()
        self._word, self._gone = threading.Event(), threading.Event()
        self._client = c = paho.Client(CallbackAPIVersion.VERSION2, name, clean_session=clean)
        if parts.username:
            c.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            c.tls_set(query["ca"], query.get("cert"), query.get("key"), ssl.CERT_REQUIRED)
        if will:
            c.will_set(will[0], b"will", qos=1, retain=will[1])
        c.on_connect = lambda _c, _u, _f, reason, _p: self._told(str(reason))
        c.on_disconnect = lambda *_: self._gone.set()
        c.on_message = lambda _c, _u, m: self.heard.add(m.topic)
        c.connect_async(parts.hostname or "", parts.port or 0)
        c.loop_start()

    def _told(self, reason: str) -> None:
        self.answer = reason
        self._word.set()

    def entered(self) -> bool:
        """The broker has answered, or shut the door: is it in?"""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and not self._word.wait(0.1) and not self._gone.is_set():
            pass
        return self.answer == "Success"

    def publish(self, topic: str, *, retain: bool = False) -> None:
        self._client.publish(topic, b"1", qos=1, retain=retain)

    def subscribe(self, topic: str) -> None:
        self._client.subscribe(topic, 1)

    def settle(self) -> None:
        """Everything sent is through, or the connection is gone: the broker keeps the order."""
        done = self._client.publish("settle", b"", qos=1)
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and done.rc == 0 and not self._gone.is_set():
            if done.is_published():
                return
            time.sleep(0.02)

    def die(self) -> None:
        """Without a word, so that the will is said."""
        self._client.loop_stop()
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def payloads(mqtt: Mqtt, last: bytes) -> list[bytes]:
    """What comes up to the last word."""
    until, found = time.monotonic() + WAIT_S, []
    while time.monotonic() < until:
        batch = mqtt.get_batch(0.2)
        mqtt.ack(batch)
        found += [m.payload for m in batch]
        if last in found:
            return found[:-1]
    raise AssertionError(f"the last word did not come; came: {found}")


def say(mqtt: Mqtt, topic: str, bodies: list[bytes]) -> None:
    for body in bodies:
        mqtt.publish(topic, body)
    assert mqtt.flush(WAIT_S)


@pytest.mark.parametrize("clean", [True, False])
def test_nobody_takes_the_session_of_ingest(
    broker: Broker | Embedded, client: Callable[[str, str], Mqtt], clean: bool
) -> None:
    """Readings wait for an ingest that is away; strangers call themselves as it does."""
    mine = f"{AT}/station/{OTHER}/rain"
    waits = [str(n).encode() for n in range(20)]
    first = Mqtt(broker.url(INGEST), "fengsui-ingest-yanqing-live")
    first.subscribe([f"{AT}/station/#"], WAIT_S)
    first.close()
    say(client(broker.url(OTHER), "d"), mine, waits)
    for kind in KINDS:
        for name in (INGEST, "fengsui-ingest-yanqing-live"):
            thief = Raw(broker.url(kind), name, clean=clean)
            assert thief.entered()
            thief.subscribe(f"{AT}/station/#")
            thief.settle()
            thief.close()
            assert not thief.heard
    again = client(broker.url(INGEST), "fengsui-ingest-yanqing-live")
    again.subscribe([f"{AT}/station/#"], WAIT_S)
    say(client(broker.url(OTHER), "d"), mine, [b"last"])
    assert payloads(again, b"last") == waits


def test_nobody_throws_ingest_off(
    broker: Broker | Embedded, client: Callable[[str, str], Mqtt]
) -> None:
    ingest = client(broker.url(INGEST), "fengsui-ingest-yanqing-live")
    ingest.subscribe([f"{AT}/station/#"], WAIT_S)
    device = client(broker.url(OTHER), "d")
    bodies = []
    for kind in KINDS:
        thief = Raw(broker.url(kind), "fengsui-ingest-yanqing-live")
        assert thief.entered()
        bodies.append(kind.encode())
        say(device, f"{AT}/station/{OTHER}/rain", bodies[-1:])
        thief.settle()
        thief.close()
    device.publish(f"{AT}/station/{OTHER}/rain", b"last")
    batch, until = [], time.monotonic() + WAIT_S
    while b"last" not in [m.payload for m in batch] and time.monotonic() < until:
        batch += ingest.get_batch(0.2)
    ingest.ack(batch)
    assert [m.payload for m in batch] == [*bodies, b"last"]
    assert {m.session for m in batch} == {1}, "it was thrown off"


FOREIGN = (
    f"station/{OTHER}/rain", f"station/{OTHER}/battery", "station/V03/frame/1", f"gateway/{GAUGE}/json",
    f"gateway/{CAMERA}/json", f"gateway/{NODE}/senml", "gateway/G2/json", "gateway/simulator/json",
    "node/N002/status", "node/N002/ack", "node/N002/hello", "node/N002/report",
    "node/N002/command", "person/C-0001/report", "person/C-0001/sms", "receipt/sms",
    "source/weather/cap", "source/huailai/cap", "beacon", "keys", "cap/A01/flash_flood", "clock",
    "clock/passed", "taken",
)  # fmt: skip
OWN = {
    GAUGE: {f"station/{GAUGE}/rain", f"station/{GAUGE}/battery"},
    CAMERA: {f"station/{CAMERA}/frame/7", f"station/{CAMERA}/battery"},
    NODE: {*(f"node/{NODE}/{t}" for t in ("status", "ack", "hello", "report")),
           f"station/{NODE}/battery"},
    GATEWAY: {
        f"gateway/{GATEWAY}/{d}" for d in ("json", "senml", "sl651", "szy206", "nowcast")
    },
    CARRIER: {"receipt/sms", "person/C-0001/report", "person/C-0001/sms"},
    SOURCE: {"source/weather/cap"},
}  # fmt: skip
EVERYTHING = (*FOREIGN, *(t for own in OWN.values() for t in own), f"node/{NODE}/command")


class Ears:
    """Whoever may hear anything listens."""

    # each ear's last word comes from one who may say it
    LAST: ClassVar = {
        INGEST: (OTHER, f"station/{OTHER}/battery"),
        SEND: (CARRIER, "receipt/last"),
        "N002": (SELF_TEST, "node/N002/command"),
    }

    def __init__(self, broker: Broker | Embedded, client: Callable[[str, str], Mqtt]) -> None:
        self._broker, self._client = broker, client
        self._ears = {name: client(broker.url(name), name) for name in self.LAST}
        tells = [f"node/+/{w}" for w in ("ack", "hello", "report")]
        for name, topics in {
            INGEST: ["station/#", "gateway/#", "node/+/status", "person/#", "source/#"],
            SEND: ["receipt/#", *tells],
            "N002": ["node/N002/command", "beacon", "keys"],
        }.items():
            self._ears[name].subscribe([f"{AT}/{t}" for t in topics], WAIT_S)
        self.heard: set[str] = set()

    def _for(self, topic: str) -> str:
        tells = topic.startswith("node/") and not topic.endswith("/status")
        return SEND if tells or topic.startswith("receipt/") else INGEST

    def _listen(self, name: str) -> bool:
        """A batch; was the last word among it?"""
        batch = self._ears[name].get_batch(0.1)
        self._ears[name].ack(batch)
        self.heard |= {m.topic.removeprefix(f"{AT}/") for m in batch if m.payload != b"last"}
        return any(m.payload == b"last" for m in batch)

    def all(self, own: set[str]) -> set[str]:
        """Every word that was said before now, of which `own` will be heard (the embedded broker
        confirms what it has not yet handed on)."""
        ends = time.monotonic() + WAIT_S
        for name in self._ears:
            while not {t for t in own if self._for(t) == name} <= self.heard:
                self._listen(name)
                assert time.monotonic() < ends, f"{name} heard {self.heard}"
        for name, (who, topic) in self.LAST.items():
            talker = self._client(self._broker.url(who), who)
            talker.publish(f"{AT}/{topic}", b"last")
            assert talker.flush(WAIT_S)
            while not self._listen(name):
                assert time.monotonic() < ends, f"{name} heard {self.heard}"
            talker.close()
        return self.heard


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_speaks_for_another(
    broker: Broker | Embedded, client: Callable[[str, str], Mqtt], kind: str
) -> None:
    ears = Ears(broker, client)
    speaker = client(broker.url(kind), kind)
    for topic in EVERYTHING:
        speaker.publish(f"{AT}/{topic}", b"said")
    assert speaker.flush(WAIT_S)
    assert ears.all(OWN[kind]) == OWN[kind]


def test_a_will_is_a_way_of_speaking_too(
    broker: Broker | Embedded, client: Callable[[str, str], Mqtt]
) -> None:
    ears = Ears(broker, client)
    for kind in KINDS:
        foreign = [t for t in FOREIGN if t not in OWN[kind]]
        for topic in (foreign[0], next(t for t in reversed(foreign) if t.startswith("person"))
                      if kind != CARRIER else "gateway/G1/json"):  # fmt: skip
            liar = Raw(broker.url(kind), "", will=(f"{AT}/{topic}", False))
            if liar.entered():  # mosquitto refuses such a one
                liar.settle()
            liar.die()
    honest = Raw(broker.url(GAUGE), "", will=(f"{AT}/station/{GAUGE}/rain", False))
    assert honest.entered()
    honest.settle()
    honest.die()
    own = {f"station/{GAUGE}/rain"}
    assert ears.all(own) == own


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_hears_what_is_not_for_him(
    broker: Broker | Embedded, client: Callable[[str, str], Mqtt], kind: str
) -> None:
    spy = Raw(broker.url(kind), "spy")
    assert spy.entered()
    for topic in ("#", "fengsui/#", f"{AT}/#", "+/+/+/station/+/+", f"{AT}/node/+/command",
                  f"{AT}/node/{NODE}/command", f"{AT}/person/#", f"$share/x/{AT}/#"):  # fmt: skip
        spy.subscribe(topic)
    spy.settle()
    gauge, carrier = client(broker.url(OTHER), "d"), client(broker.url(CARRIER), "c")
    sender = client(broker.url(SEND), "s")
    gauge.publish(f"{AT}/station/{OTHER}/rain", b"1")
    carrier.publish(f"{AT}/person/C-0001/sms", b"1")
    for node in (NODE, "N002"):
        sender.publish(f"{AT}/node/{node}/command", b"1")
    assert all(m.flush(WAIT_S) for m in (gauge, carrier, sender))
    spy.settle()
    spy.settle()
    spy.close()
    assert spy.heard <= ({f"{AT}/node/{NODE}/command"} if kind == NODE else set())


def test_two_ingests_of_a_group_have_each_their_own_session(
    broker: Broker | Embedded, client: Callable[[str, str], Mqtt]
) -> None:
    if isinstance(broker, Embedded):
        pytest.skip("it serves one ingest")
    a, b = (client(broker.url(member(n)), "x") for n in "ab")
    for one in (a, b):
        one.subscribe([f"$share/ingest/{AT}/station/#"], WAIT_S)
    bodies = {str(n).encode() for n in range(50)}
    say(client(broker.url(OTHER), "d"), f"{AT}/station/{OTHER}/rain", sorted(bodies))
    got: list[bytes] = []
    until = time.monotonic() + WAIT_S
    while len(got) < len(bodies) and time.monotonic() < until:
        for one in (a, b):
            batch = one.get_batch(0.1)
            one.ack(batch)
            assert {m.session for m in batch} <= {1}
            got += [m.payload for m in batch]
    assert sorted(got) == sorted(bodies)


def test_nothing_is_retained(broker: Broker | Embedded, client: Callable[[str, str], Mqtt]) -> None:
    """A reading, and a will, that should greet whoever subscribes later."""
    topic = f"{AT}/station/{GAUGE}/rain"
    keeper = Raw(broker.url(GAUGE), "")
    assert keeper.entered()
    keeper.publish(topic, retain=True)
    keeper.settle()
    keeper.close()
    dead = Raw(broker.url(GAUGE), "", will=(topic, True))
    if dead.entered():
        dead.settle()
    dead.die()
    late = Raw(broker.url(INGEST), "")
    assert late.entered()
    late.subscribe(f"{AT}/station/#")
    late.settle()
    late.settle()
    late.close()
    assert not late.heard


def test_what_waited_for_somebody_is_no_retained_message(
    broker: Broker | Embedded, client: Callable[[str, str], Mqtt]
) -> None:
    ingest = Mqtt(broker.url(INGEST), "i")
    ingest.subscribe([f"{AT}/station/#"], WAIT_S)
    ingest.close()
    say(client(broker.url(OTHER), "d"), f"{AT}/station/{OTHER}/rain", [b"1", b"2", b"last"])
    again = client(broker.url(INGEST), "i")
    again.subscribe([f"{AT}/station/#"], WAIT_S)
    got, until = [], time.monotonic() + WAIT_S
    while len({m.payload for m in got}) < 3 and time.monotonic() < until:
        batch = again.get_batch(0.2)
        again.ack(batch)
        got += batch
    # each at least once: what was not acknowledged in time comes again
    said = list(dict.fromkeys(m.payload for m in got))
    # amqtt sends what waited side by side: on a busy machine in another order
    assert (sorted(said) if isinstance(broker, Embedded) else said) == [b"1", b"2", b"last"]
    assert not any(m.retain for m in got)


@pytest.mark.parametrize("certificates", [False, True], ids=["passwords", "certificates"])
def test_who_left_the_tables_is_shut_out(tmp_path: Path, config: Path, certificates: bool) -> None:
    folder = tmp_path / "district" / "yanqing"
    shutil.copytree(config, folder)
    broker = Broker(tmp_path, certificates=certificates, config=folder).start()
    try:
        gone, stays = broker.url(GATEWAY), broker.url(GAUGE)
        if certificates:  # it keeps what it was given
            kept = tmp_path / "kept"
            shutil.copytree(broker.folder / "clients", kept)
            gone = gone.replace(f"{broker.folder}/clients", str(kept))
        for url in (gone, stays):
            before = Raw(url, "")
            assert before.entered()
            before.close()
        (folder / "gateways.csv").unlink()
        broker.make(folder)
        broker.stop()
        broker.start()
        for url, enters in ((gone, False), (stays, True)):
            after = Raw(url, "")
            assert after.entered() == enters
            after.close()
    finally:
        broker.stop()


@pytest.mark.parametrize("embedded", [False, True])
def test_an_exercise_knows_its_simulator_and_nothing_live(
    tmp_path: Path, config: Path, embedded: bool, client: Callable[[str, str], Mqtt]
) -> None:
    run = "exercise-x"
    broker = (
        Embedded(tmp_path, load(config), run)
        if embedded
        else Broker(tmp_path, certificates=False, config=config, run=run)
    )
    broker.start()
    try:
        ingest = Raw(broker.url(INGEST), "")
        assert ingest.entered()
        ingest.subscribe("fengsui/#")
        ingest.subscribe(f"fengsui/{run}/yanqing/clock")
        ingest.subscribe(f"fengsui/{run}/yanqing/station/#")
        ingest.settle()
        simulator = client(broker.url(SIMULATOR), "s")
        for at in (f"fengsui/{run}/yanqing", AT):
            for suffix in ("clock", f"station/{GAUGE}/rain"):
                simulator.publish(f"{at}/{suffix}", b"1")
        assert simulator.flush(WAIT_S)
        gauge = client(broker.url(GAUGE), "g")
        gauge.publish(f"fengsui/{run}/yanqing/clock", b"1")
        gauge.publish(f"fengsui/{run}/yanqing/station/{GAUGE}/battery", b"1")
        assert gauge.flush(WAIT_S)
        own = {f"fengsui/{run}/yanqing/{t}"
               for t in ("clock", f"station/{GAUGE}/rain", f"station/{GAUGE}/battery")}  # fmt: skip
        until = time.monotonic() + WAIT_S
        while ingest.heard < own and time.monotonic() < until:
            ingest.settle()
        ingest.close()
        assert ingest.heard == own
    finally:
        broker.stop()
