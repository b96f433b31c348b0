"""`fengsui broker-config mosquitto`, tried on a real mosquitto: who may say and hear what, over TLS,
by password and by certificate; an hour's backlog outlives the broker."""

import base64
import datetime
import hashlib
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from config.language import zh
from config.load import ConfigError, load
from fengsui.files.mosquitto import Given, hashed, hour_of_messages, settings, write_mosquitto
from fengsui.run.setup import default_config, make_setup
from ingest.decode.frame import MAX_BYTES
from stream.environment import Usage, secret
from stream.mqtt.access import INGEST, SEND, rights
from stream.mqtt.client import Mqtt
from tests.support.brokers import Broker
from tests.support.districts import yanqing
from tests.support.servers import absent

ROOT = Path(__file__).parents[3]
DISTRICT = yanqing()
AT = f"fengsui/live/{DISTRICT.id}"
RAIN = [s.id for s in DISTRICT.stations.values() if s.quantity == "rain"]
NODE = next(iter(DISTRICT.nodes))
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(params=[False, True], ids=["passwords", "certificates"])
def broker(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Broker]:
    found = Broker(tmp_path, certificates=request.param).start()
    yield found
    found.stop()


@pytest.fixture
def client() -> Iterator[Callable[[str, str], Mqtt]]:
    made: list[Mqtt] = []

    def make(url: str, name: str) -> Mqtt:
        made.append(Mqtt(url, name))
        made[-1].wait_connected(60)
        return made[-1]

    yield make
    for one in made:
        one.close()


LAST = b"the last"


def heard(mqtt: Mqtt) -> set[str]:
    """What came before the last word, which may come: the broker keeps the order."""
    until, topics = time.monotonic() + 60, set()
    while time.monotonic() < until:
        batch = mqtt.get_batch(0.2)
        mqtt.ack(batch)
        topics |= {m.topic for m in batch if m.payload != LAST}
        if any(m.payload == LAST for m in batch):
            return topics
    raise AssertionError(f"the last word did not come; came: {topics}")


@pytest.mark.servers
def test_a_device_speaks_for_itself_alone(
    broker: Broker, client: Callable[[str, str], Mqtt]
) -> None:
    one, other = RAIN[:2]
    ingest = client(broker.url(INGEST), "i")
    ingest.subscribe(
        [
            f"$share/ingest/{AT}/station/#",
            f"$share/ingest/{AT}/gateway/#",
            f"$share/ingest/{AT}/node/+/status",
        ],
        60,
    )
    node = client(broker.url(NODE), "n")
    nodes = list(DISTRICT.nodes)
    node.subscribe(
        [f"{AT}/node/{n}/command" for n in nodes[:3]] + [f"{AT}/beacon", f"{AT}/keys"], 60
    )
    sender = client(broker.url(SEND), "s")
    sender.subscribe([f"{AT}/node/+/{t}" for t in ("ack", "hello", "report")], 60)

    device = client(broker.url(one), "d")
    for topic in (
        f"station/{one}/rain",
        f"station/{one}/battery",
        f"station/{one}/stage",
        f"station/{other}/rain",
        f"node/{NODE}/command",
        f"receipt/{NODE}",
        "gateway/G1/json",
    ):
        device.publish(f"{AT}/{topic}", b"1")
    gateway = client(broker.url("G1"), "g")
    gateway.publish(f"{AT}/gateway/G1/json", b"1")
    gateway.publish(f"{AT}/station/{one}/rain", b"1")
    for n in nodes[:3]:
        sender.publish(f"{AT}/node/{n}/command", b"1")
    for topic in ("beacon", "keys"):
        sender.publish(f"{AT}/{topic}", b"1")
        for stranger in (node, device, gateway):
            stranger.publish(f"{AT}/{topic}", b"2")
    for topic in ("ack", "hello", "report", "status"):
        for of in (NODE, nodes[1]):
            node.publish(f"{AT}/node/{of}/{topic}", b"1")
    for one_of_them in (device, gateway, sender, node):
        assert one_of_them.flush(60), "the broker has all of it"
    for who, topic in ((device, f"station/{one}/rain"), (sender, f"node/{NODE}/command"),
                       (node, f"node/{NODE}/ack")):  # fmt: skip
        who.publish(f"{AT}/{topic}", LAST)
    assert heard(ingest) == {
        f"{AT}/station/{one}/rain", f"{AT}/station/{one}/battery", f"{AT}/gateway/G1/json",
        f"{AT}/node/{NODE}/status",
    }  # fmt: skip
    assert heard(node) == {f"{AT}/node/{NODE}/command", f"{AT}/beacon", f"{AT}/keys"}
    assert heard(sender) == {f"{AT}/node/{NODE}/{t}" for t in ("ack", "hello", "report")}


@pytest.mark.servers
def test_a_stranger_is_refused_and_told(broker: Broker, tmp_path: Path) -> None:
    strangers = [f"mqtts://127.0.0.1:{broker.port}?ca={broker.folder}/ca.crt"]
    if not broker.certificates:
        wrong = tmp_path / "wrong"
        wrong.write_text("not-it\n")
        at = f"127.0.0.1:{broker.port}?ca={broker.folder}/ca.crt"
        strangers.append(f"mqtts://{INGEST}@{at}&password_file={wrong}")
    other = tmp_path / "other"
    write_mosquitto(DISTRICT, other, "live", Given(), NOW)
    good = broker.url(INGEST)
    strangers.append(good.replace(f"{broker.folder}/ca.crt", f"{other}/ca.crt"))
    for url in strangers:
        mqtt = Mqtt(url, "x")
        with pytest.raises(ConnectionError, match=str(broker.port)):
            mqtt.wait_connected(2.0)
        mqtt.close()
    with pytest.raises(ValueError, match="no such file"):
        Mqtt(f"mqtts://127.0.0.1:{broker.port}?ca={tmp_path}/none.crt", "x")


@pytest.mark.servers
def test_an_hours_backlog_outlives_the_broker(
    tmp_path: Path, client: Callable[[str, str], Mqtt]
) -> None:
    """Ingest is away for an hour of the district's messages, and the broker is restarted."""
    broker = Broker(tmp_path, certificates=False).start()
    try:
        ingest = Mqtt(broker.url(INGEST), "i")
        ingest.subscribe([f"{AT}/station/#"], 60)
        assert ingest.subscribed()
        ingest.close()
        count = hour_of_messages(DISTRICT) // 2
        assert count >= 25_000
        device = client(broker.url(RAIN[0]), "d")
        for n in range(count):
            device.publish(f"{AT}/station/{RAIN[0]}/rain", b'{"value": %d}' % n)
        assert device.flush(600.0)
        broker.stop()
        broker.start()
        ingest = client(broker.url(INGEST), "i")
        ingest.subscribe([f"{AT}/station/#"], 60)
        got: list[bytes] = []
        until = time.monotonic() + 600
        while len(got) < count and time.monotonic() < until:
            batch = ingest.get_batch(1.0)
            ingest.ack(batch)
            got += [m.payload for m in batch]
        assert got == [b'{"value": %d}' % n for n in range(count)]
    finally:
        broker.stop()


def test_a_store_in_sqlite_is_synced_each_second_and_stands_alone() -> None:
    """2.1.2 does not start with `persistence true` beside it, and keeps five seconds back unless it is told."""
    lines = list(settings(DISTRICT, "/etc/broker", Given(data="/var/x", sqlite="/usr/lib/p.so")))
    assert "plugin /usr/lib/p.so" in lines
    assert {"plugin_opt_sync full", "plugin_opt_flush_period 1"} <= set(lines)
    assert not any(line.startswith(("persistence true", "autosave")) for line in lines)
    assert not any(line.startswith("plugin") for line in settings(DISTRICT, "/etc/broker", Given()))


@pytest.mark.servers
def test_the_largest_picture_passes(tmp_path: Path, client: Callable[[str, str], Mqtt]) -> None:
    """mosquitto 2.1 ends the connection above 2,000,000 bytes of a packet, unless its settings say more."""
    camera = next(s.id for s in DISTRICT.stations.values() if s.quantity == "frame")
    broker = Broker(tmp_path, certificates=False).start()
    try:
        ingest = client(broker.url(INGEST), "i")
        ingest.subscribe([f"{AT}/station/#"], 60)
        device = client(broker.url(camera), "d")
        device.publish(f"{AT}/station/{camera}/frame/1", bytes(MAX_BYTES))
        device.publish(f"{AT}/station/{camera}/frame/1", LAST)
        assert heard(ingest) == {f"{AT}/station/{camera}/frame/1"}
    finally:
        broker.stop()


@pytest.mark.servers
def test_again_after_the_tables_changed(tmp_path: Path) -> None:
    """Passwords stay, strangers go, and nobody else can read them."""
    two = msgspec.structs.replace(DISTRICT, gateways={"G1": ("R01",), "G2": ("R02",)})
    write_mosquitto(two, tmp_path, "live", Given(gateways=("G1",)), NOW)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in tmp_path.iterdir() if p.is_file())
    write_mosquitto(DISTRICT, tmp_path, "live", Given(), NOW)
    after = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    for name in ("ca.crt", "ca.key", "server.crt", "server.key", "mosquitto.conf"):
        assert before[name] == after[name]
    kept = [x for x in before["passwords"].splitlines() if not x.startswith(b"G2:")]
    assert after["passwords"].splitlines() == kept
    assert b"\nG2," not in after["devices.csv"]
    assert b"user G2\n" not in after["acl"]
    later = NOW + datetime.timedelta(days=800)  # its server certificate ends in 25 days
    write_mosquitto(DISTRICT, tmp_path, "live", Given(), later)
    assert (tmp_path / "server.crt").read_bytes() != after["server.crt"]
    assert (tmp_path / "ca.crt").read_bytes() == after["ca.crt"]
    for wrong in (
        Given(gateways=("G2",)),  # of a former version: it stands in gateways.csv now
        Given(members=("a/#",)),
        Given(adapters=("",)),
    ):
        with pytest.raises(ValueError, match="--(gateway|member|adapter)"):
            write_mosquitto(DISTRICT, tmp_path, "live", wrong, NOW)


@pytest.mark.servers
def test_a_certificate_counts_while_it_should(tmp_path: Path) -> None:
    """A device that left, and one whose key was lost, are revoked; one renewed near its end is not,
    for it must go on until it has been given the new one."""

    def serial(name: str) -> int:
        cert = (tmp_path / "clients" / f"{name}.crt").read_bytes()
        return x509.load_pem_x509_certificate(cert).serial_number

    def revoked() -> set[int]:
        crl = x509.load_pem_x509_crl((tmp_path / "revoked.crl").read_bytes())
        assert crl.next_update_utc is not None
        assert crl.next_update_utc > NOW + datetime.timedelta(days=3000), "or nobody gets in"
        return {one.serial_number for one in crl}

    given = Given(certificates=True)
    write_mosquitto(DISTRICT, tmp_path, "live", given, NOW)
    first = {name: serial(name) for name in ("G1", RAIN[0], RAIN[1])}
    assert not revoked()
    (tmp_path / "clients" / f"{RAIN[1]}.crt").unlink()  # its key was lost
    without = msgspec.structs.replace(DISTRICT, gateways={})
    write_mosquitto(without, tmp_path, "live", given, NOW)
    assert revoked() == {first["G1"], first[RAIN[1]]}
    assert not list((tmp_path / "clients").glob("G1.*"))
    assert serial(RAIN[0]) == first[RAIN[0]]
    later = NOW + datetime.timedelta(days=800)
    write_mosquitto(without, tmp_path, "live", given, later)
    assert serial(RAIN[0]) != first[RAIN[0]]
    assert revoked() == {first["G1"], first[RAIN[1]]}


def test_no_device_is_called_as_a_user_of_ours(tmp_path: Path) -> None:
    config = tmp_path / "yanqing"
    shutil.copytree(default_config(), config)
    for file, old, new in (
        ("stations.csv", "R51,", "fengsui-send,"),
        ("gateways.csv", "G1,R52", "carrier,R52"),
        ("gateways.csv", "G1,R49", "G1,R49\nG1,R49"),
        ("gateways.csv", "G1,R50", "G/1,R50"),
        ("gateways.csv", "G1,R48", "G1,V01"),
    ):
        text = (config / file).read_text()
        (config / file).write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as e:
        load(config)
    found = {(p.file, p.column, zh(p.message).split()[0]) for p in e.value.problems}
    assert {("stations.csv", "id", "'fengsui-send'"), ("gateways.csv", "station", "V01"),
            ("gateways.csv", "gateway", "'G/1'"), ("gateways.csv", "station", "重复"),
            ("gateways.csv", "station", "'R51'")} <= found  # fmt: skip


def test_a_live_broker_knows_no_exercise_and_an_exercise_nothing_live() -> None:
    for run, other in (("live", "exercise"), ("exercise-x", "fengsui/live")):
        table = rights(DISTRICT, run, ["a"], ["b"]).values()
        topics = [t for one in table for t in (*one.write, *one.read)]
        assert all(t.startswith(f"fengsui/{run}/") for t in topics)
        assert not any(other in t for t in topics)


@pytest.mark.servers
def test_the_hash_is_mosquittos_own(tmp_path: Path) -> None:
    """The same salt and password give what mosquitto_passwd makes."""
    tool = shutil.which("mosquitto_passwd", path=f"{os.environ['PATH']}:/usr/sbin")
    if tool is None:
        absent("mosquitto")
    place = tmp_path / "p"
    place.touch(0o600)
    subprocess.run([str(tool), "-b", str(place), "u", "pass word"], check=True)
    _, form, rounds, salt, found = place.read_text().strip().removeprefix("u:").split("$")
    assert form == "7"

    ours = hashlib.pbkdf2_hmac("sha512", b"pass word", base64.b64decode(salt), int(rounds))
    assert base64.b64encode(ours).decode() == found
    assert hashed("pass word", base64.b64decode(salt)).split("$")[1:2] == ["7"]


def test_secrets_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "url"
    place.write_text("mqtt://u:p@h:1\n")
    monkeypatch.setenv("FENGSUI_BROKER_FILE", str(place))
    assert make_setup(DISTRICT, "live", tmp_path).broker == "mqtt://u:p@h:1"
    place.write_text("")
    with pytest.raises(Usage, match="is empty"):
        secret("FENGSUI_BROKER")
    monkeypatch.setenv("FENGSUI_BROKER_FILE", str(tmp_path / "none"))
    with pytest.raises(Usage, match="none"):
        secret("FENGSUI_BROKER")
