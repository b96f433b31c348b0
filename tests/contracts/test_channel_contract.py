"""What every channel promises (dispatch/channels/__init__.py), over every kind of carrier: against
programs that are not ours where there are any, else against a simulated far end.

`PROOFS` of dispatch/channels/status_words.py says which those are; the last test here keeps it honest.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from config.language import zh
from config.load import load
from config.records.channels import Carrier
from config.records.devices.broadcast import Platform
from config.records.devices.trunk import Trunk
from config.records.district import District
from config.records.level import Action, Level
from dispatch.cap.publish import Cap
from dispatch.channels import CarrierWord, SendError, SendResult
from dispatch.channels.declared import channel_of, problems
from dispatch.channels.direct.duty_room import Console
from dispatch.channels.direct.loudspeaker import Broadcast
from dispatch.channels.failover import Carriers
from dispatch.channels.status_words import PROOFS, proof
from dispatch.nodes.keys import sender_keys
from dispatch.records import Delivery, Route
from simulators.carriers.phones import Carrier as SimulatedCarrier
from simulators.carriers.platform import OURS, THEIRS, CipherDevice
from simulators.carriers.platform import Platform as SimulatedPlatform
from simulators.carriers.platform import keys as platform_keys
from stream.mqtt.client import Mqtt
from tests.support.modem import Smsd
from tests.support.servers import Mosquitto, free_port
from tests.support.servers_carriers import Taken
from tests.support.sip import PASSWORD, USER, Kamailio, Phone

ROOT = Path(__file__).parents[2]
WHO = "C-0188"
SECRET = "do-not-tell-anybody"
T0 = 1_753_567_800_000
TEXT = "【延庆防汛】（演练）香屯村山洪红色预警，立即转移！路线：沿村东坡道 {to} & <100%> “是” +1"
LONG = TEXT + "收到请回复。" * 12


@pytest.fixture(scope="module")
def district() -> District:
    loaded = load(ROOT / "config" / "yanqing")
    one = msgspec.structs.replace(
        loaded.contacts[WHO],
        channels=("sms", "voice", "app", "email", "webhook", "broadcast_platform"),
        phone="199-0000-0188",
        app="demo-0188",
        email="duty@huailai.example",
    )
    channels = msgspec.structs.replace(loaded.channels, attempt_timeout_s=60)
    return msgspec.structs.replace(
        loaded, contacts={**loaded.contacts, WHO: one}, channels=channels
    )


def delivery(channel: str, text: str, n: int = 1) -> Delivery:
    segments = 1 + len(text) // 67
    return Delivery(
        id=f"d{n}",
        alert=f"yanqing-A01-flash_flood-{n}",
        version=1,
        area="A01",
        hazard="flash_flood",
        level=Level.RED,
        action=Action.MOVE,
        msg_type="alert",
        status="exercise",
        recipient=WHO,
        audience="public",
        routes=(Route(channel=channel, text=text, title="（演练）山洪预警", segments=segments),),
        queued_at=T0,
        deadline_at=T0 + 60_000,
        expires_at=T0 + 600_000,
    )


class Far(NamedTuple):
    """A row of channels.toml and what stands at its other end. text: what of a text is to be seen
    there."""

    row: Carrier
    taken: Callable[[], list[Taken]]
    to: str
    text: Callable[[str], str] = lambda text: text


SMS = {"name": "one", "channel": "sms"}
FORM = {"to": "{to}", "message": "{text}", "key": "{key}"}


def npm(get: Any) -> Far:
    s = get("npm_smsc")
    url, user = f"smpp://127.0.0.1:{s.port}", {"user": s.user, "secret": f"env:{s.password}"}
    return Far(Carrier(**SMS, kind="smpp", url=url, **user), s.taken, "19900000188")


def npm_payload(get: Any) -> Far:
    far = npm(get)
    return far._replace(row=msgspec.structs.replace(far.row, long="payload"))


def jsmpp(get: Any) -> Far:
    s = get("jsmpp")
    row = Carrier(**SMS, kind="smpp", url=f"smpp://127.0.0.1:{s.port}", user="j", secret="env:jpwd")
    return Far(row, s.taken, "", lambda text: "")  # it prints octets


def modem(get: Any) -> Far:
    s: Smsd = get("smsd")
    row = Carrier(**SMS, kind="smsd", url=s.url)
    return Far(row, lambda: [Taken(*t) for t in s.modem.texts()], "8619900000188")


def kannel(get: Any) -> Far:
    s = get("kannel")
    fields = {
        "username": "{user}",
        "password": "{secret}",
        "to": "{to}",
        "from": "1069",
        "text": "{text}",
        "coding": "2",
        "charset": "UTF-8",
    }
    row = Carrier(
        **SMS, kind="http", url=s.url, form="query", fields=fields, user=s.user,
        secret=f"env:{s.password}",
    )  # fmt: skip
    return Far(row, s.taken, "19900000188")


def mail(get: Any) -> Far:
    s = get("mail")
    row = Carrier(
        name="one", channel="email", kind="smtp", url=f"smtp://127.0.0.1:{s.port}",
        sender="flood@yanqing.example",
    )  # fmt: skip
    return Far(row, s.taken, "duty@huailai.example")


def gotify(get: Any) -> Far:
    s = get("gotify")
    row = Carrier(
        name="one", channel="app", kind="apprise", secret="env:GOTIFY_TOKEN",
        url=f"gotify://127.0.0.1:{s.port}/{{secret}}",
    )  # fmt: skip
    os.environ["GOTIFY_TOKEN"] = s.token
    return Far(row, s.taken, "")


def hooks(get: Any) -> Far:
    s = get("hooks")
    row = Carrier(
        name="one", channel="webhook", kind="webhook", url=s.url, secret="env:hook", contact=WHO
    )
    return Far(row, s.taken, "")


def simulated(channel: str, kind: str) -> Callable[[Any], Far]:
    def make(get: Any) -> Far:
        s: SimulatedCarrier = get("simulated_carrier")
        place = f"{s.url.removeprefix('http://')}/{channel}"
        url = f"json://{place}?:to={{to}}&:key={{key}}" if kind == "apprise" else f"http://{place}"
        row = Carrier(name="one", channel=channel, kind=kind, url=url, fields=FORM)  # type: ignore[arg-type]
        to = {"app": "demo-0188"}.get(channel, "19900000188")
        return Far(
            row,
            lambda: [Taken(m.to.replace("-", "") if channel != "app" else m.to, m.text)
                     for m in list(s.taken.values()) if m.channel == channel],
            to,
        )  # fmt: skip

    return make


def platform(get: Any) -> Far:
    far, device = get("simulated_platform")
    ours, theirs = platform_keys(1), platform_keys(2)
    agreed = Platform(
        ours=OURS, theirs=THEIRS, signer=device.place, serial="3363", issuer="75",
        their_public=theirs.public, public=ours.public, sender_code="110119", drill_type="5",
        order_severity={"prepare": "2", "move": "1"}, listen="127.0.0.1:0", heartbeat_s=3600,
    )  # fmt: skip
    row = Carrier(
        name="one", channel="broadcast_platform", kind="ebd", url=far.at, contact=WHO,
        secret="env:secret", platform=agreed,
    )  # fmt: skip
    return Far(row, lambda: [Taken("", far.messages[m].text) for m in far.played], "")


def trunk(get: Any) -> Far:
    phone: Phone = get("phone")
    place: Kamailio = get("trunk_to_phone")
    os.environ["TRUNK"] = PASSWORD
    row = Carrier(
        name="one", channel="voice", kind="sip", url=place.url, user=USER, secret="env:TRUNK",
        trunk=Trunk(),
    )  # fmt: skip
    return Far(row, lambda: [Taken("", "")] * phone.calls(), "", lambda text: "")


CASES: dict[str, Callable[[Any], Far]] = {
    "sms-smpp-npm": npm,
    "sms-smpp-npm-payload": npm_payload,
    "sms-smpp-jsmpp": jsmpp,
    "sms-http-kannel": kannel,
    "sms-smsd": modem,
    "sms-http-simulated": simulated("sms", "http"),
    "sms-apprise-simulated": simulated("sms", "apprise"),
    "app-apprise-simulated": simulated("app", "apprise"),
    "app-apprise-gotify": gotify,
    "voice-http-simulated": simulated("voice", "http"),
    "voice-sip-kamailio": trunk,
    "email-smtp": mail,
    "webhook": hooks,
    "broadcast_platform-ebd-simulated": platform,
}


@pytest.fixture(scope="module")
def simulated_platform() -> Any:
    found = SimulatedPlatform(platform_keys(2), platform_keys(1).public)
    device = CipherDevice(platform_keys(1))
    yield found, device
    device.close()
    found.close()


@pytest.fixture(scope="module")
def simulated_carrier() -> Any:
    found = SimulatedCarrier()
    yield found
    found.close()


@pytest.fixture
def far(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Far:
    for name in ("secret", "jpwd", "hook"):
        monkeypatch.setenv(name, name)
    return CASES[request.param](request.getfixturevalue)


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> str:
    """A far end drops a key that it has seen."""
    return str(request.node.name)


def channel(
    district: District, row: Carrier, hear: Callable[[CarrierWord], None] = print
) -> Carriers:
    return channel_of(district, row.channel, (row,), hear, lambda: T0)


def until(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 90
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


PYTHON = ("sms-http-simulated", "sms-apprise-simulated", "app-apprise-simulated",
          "voice-http-simulated", "email-smtp", "broadcast_platform-ebd-simulated")  # fmt: skip
every = pytest.mark.parametrize(
    "far",
    [pytest.param(c, marks=() if c in PYTHON else pytest.mark.servers) for c in CASES],
    indirect=True,
)


@every
@pytest.mark.parametrize(
    "text", ["EXERCISE. Move now {x} €", TEXT, LONG], ids=["gsm", "zh", "long"]
)
def test_a_message_arrives_whole(district: District, far: Far, text: str, unique: str) -> None:
    way = channel(district, far.row)
    before = len(far.taken())
    d = delivery(far.row.channel, text, len(text))
    try:
        told = way.send(d, d.routes[0], f"{unique}-{len(text)}")
        assert told.state == "accepted"
        until(lambda: len(far.taken()) > before, "taken")
        last = far.taken()[-1]
        assert far.to in ("", last.to)
        if far.row.channel == "email" or far.text(text):
            assert last.text == text
        for number in ("19900000188", "199-0000-0188", "huailai", "demo-0188"):
            assert number not in told.detail
    finally:
        way.close()


@every
def test_a_probe_asks_and_sends_nothing(district: District, far: Far) -> None:
    way = channel(district, far.row)
    before = len(far.taken())
    try:
        assert way.probe() == [("one", True, "")]
        assert len(far.taken()) == before
    finally:
        way.close()


def moved(url: str, port: int) -> str:
    """Where nothing is: a port, or a folder, that is not there."""
    if url.startswith("file:"):
        folder, _, last = url.rpartition("/")
        return f"{folder}/gone/{last}"
    head, _, rest = url.partition("127.0.0.1:")
    return f"{head}127.0.0.1:{port}{rest.lstrip('0123456789')}"


@every
def test_a_far_end_that_is_gone_is_no_permanent_failure_and_tells_nothing(
    district: District, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("hidden", SECRET)
    row = msgspec.structs.replace(
        far.row, url=moved(far.row.url, free_port()), secret="env:hidden", user="somebody"
    )
    way = channel(district, row)
    d = delivery(row.channel, TEXT)
    try:
        with pytest.raises(SendError) as e:
            way.send(d, d.routes[0], "k")
        assert not e.value.permanent
        assert not e.value.wait_s
        (found,) = way.probe()
        assert found[1] is False
        for words in (e.value.detail, repr(e.value), found[2]):
            for hidden in (SECRET, "19900000188", "0188", "huailai"):
                assert hidden not in words
    finally:
        way.close()


@every
def test_a_breaker_opens_and_a_probe_closes_it(district: District, far: Far) -> None:
    dead = msgspec.structs.replace(far.row, url=moved(far.row.url, free_port()))
    ways = channel(district, dead)
    said: list[tuple[str, str]] = []
    ways.told = lambda name, health, words: said.append((name, health))
    d = delivery(dead.channel, TEXT)
    try:
        ways.probe()
        assert ways.down()
        with pytest.raises(SendError) as e:
            ways.send(d, d.routes[0], "k")
        assert e.value.down
        assert said == [("one", "down")]
    finally:
        ways.close()


def _sent(way: Carriers, d: Delivery, key: str) -> SendResult:
    """As send does it: what is busy, as a telephone is with the call before, is asked again."""
    deadline = time.monotonic() + 90
    while True:
        try:
            return way.send(d, d.routes[0], key)
        except SendError as e:
            if e.permanent or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@every
def test_the_next_carrier_stands_in(district: District, far: Far, unique: str) -> None:
    dead = msgspec.structs.replace(far.row, name="dead", url=moved(far.row.url, free_port()))
    way = channel_of(district, far.row.channel, (dead, far.row), print, lambda: T0)
    before = len(far.taken())
    d = delivery(far.row.channel, "EXERCISE. second carrier")
    try:
        assert zh(_sent(way, d, f"{unique}-stands-in").detail).startswith("one")
        until(lambda: len(far.taken()) > before, "taken")
    finally:
        way.close()


@every
def test_without_an_address_it_fails_for_good(district: District, far: Far) -> None:
    way = channel(district, far.row)
    d = msgspec.structs.replace(delivery(far.row.channel, TEXT), recipient="C-9999")
    with pytest.raises(SendError) as e:
        way.send(d, d.routes[0], "k")
    assert e.value.permanent
    way.close()


@every
def test_the_row_is_one_that_a_config_may_hold(district: District, far: Far) -> None:
    row = msgspec.structs.replace(far.row, secret="env:X" if far.row.secret else "")
    channels = msgspec.structs.replace(district.channels, carrier=(row,))
    assert problems(msgspec.structs.replace(district, channels=channels)) == []


# --- channels that are not carriers


def test_a_command_goes_over_a_broker_that_is_not_ours(
    district: District, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    mqtt = Mqtt(mosquitto.url, "sender")
    mqtt.wait_connected(60)
    heard = Mqtt(mosquitto.url, "node")
    heard.wait_connected(60)
    heard.subscribe(["p/node/+/command"], 60)
    assert heard.subscribed(), "what is sent before that is sent to nobody"

    def publish(topic: str, payload: bytes) -> None:
        mqtt.publish(topic, payload)
        assert mqtt.flush(60)

    key = sender_keys(tmp_path).private
    way = Broadcast(district.nodes, "p", "exercise", lambda: key, publish, lambda: T0)
    d = msgspec.structs.replace(delivery("broadcast", TEXT), recipient="N001")
    assert way.send(d, d.routes[0], "k").state == "sent"
    got: list[Any] = []
    until(lambda: bool(got.extend(heard.get_batch(0.05)) or got), "the node's command")
    assert TEXT in got[0].payload.decode()
    mqtt.close()
    heard.close()


def test_files_say_what_they_are(district: District, tmp_path: Path) -> None:
    d = msgspec.structs.replace(delivery("cap", TEXT), recipient="cap-feed")
    assert Cap(district, tmp_path / "cap").send(d, d.routes[0], "k").state == "accepted"
    assert Console(tmp_path / "c.jsonl").send(d, d.routes[0], "k").state == "delivered"


def test_what_counts_as_proven_is_what_a_foreign_program_received() -> None:
    foreign = {"sms-smpp-npm", "sms-smpp-jsmpp", "sms-http-kannel", "email-smtp", "webhook"}
    foreign |= {"app-apprise-gotify", "voice-sip-kamailio", "sms-smsd"}
    proven = {(p.channel, p.kind) for p in PROOFS if p.by}
    kinds = {("sms", "smpp"), ("sms", "http"), ("email", "smtp"), ("webhook", "webhook")}
    kinds |= {("app", "apprise"), ("voice", "sip"), ("sms", "smsd")}
    assert foreign <= CASES.keys()
    assert proven == kinds | {("broadcast", "mqtt")}
    assert proof("voice", "http") == proof("sms", "apprise") == proof("no", "such") == ""
