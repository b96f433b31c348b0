"""Channels against a real HTTP server: what a carrier's answer means, what is sent, and that an
exercise reaches nothing outside this machine."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.language import en
from config.load import load
from config.records.channels import Channels
from config.records.district import District
from dispatch.channels import SendError, SendResult
from dispatch.channels.by_apprise.url import ByUrl, check, drill_url
from dispatch.channels.by_apprise.url import _service as by_url_service
from dispatch.channels.direct.duty_room import Console
from dispatch.channels.direct.loudspeaker import Broadcast
from dispatch.channels.failover import Carriers, Leg
from dispatch.channels.rate_and_breaker import Lane
from dispatch.channels.status_words import CALL, CARRIER, NODE
from dispatch.nodes.keys import read_key, sender_keys
from dispatch.nodes.protocol import Command, opened
from dispatch.send.outbox.state import RANK
from tests.support.channels import ROOT, ROUTE, TEXT, delivery


class Gateway:
    """A carrier that answers with `status` while it `answers`, and remembers what it was sent."""

    def __init__(self) -> None:
        self.status, self.location = 200, ""
        self.answers = threading.Event()
        self.answers.set()
        self.got: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.got.append((self.path, dict(self.headers), json.loads(body)))
                gateway.answers.wait()
                self.send_response(gateway.status)
                if gateway.location:
                    self.send_header("Location", gateway.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    found = Gateway()
    yield found
    found.answers.set()
    found.server.shutdown()
    found.server.server_close()
    found.thread.join()


@pytest.fixture(scope="module")
def district() -> District:
    loaded = load(ROOT / "config" / "yanqing")
    return msgspec.structs.replace(loaded, channels=Channels(attempt_timeout_s=60))


def by_url(district: District, channel: str, url: str, timeout_s: int = 60) -> Carriers:
    legs = [Leg(ByUrl("one", url, "", timeout_s), Lane())] if url else []
    return Carriers(district, channel, legs, lambda: 1)


def test_a_text_arrives_whole_with_its_key(gateway: Gateway, district: District) -> None:
    sms = by_url(district, "sms", drill_url(gateway.url, "sms"))
    assert sms.send(delivery("C-0001"), ROUTE, "key1") == SendResult("accepted", "one")
    ((path, headers, body),) = gateway.got
    assert path == "/sms"
    assert headers["X-Idempotency-Key"] == "key1"
    assert body["key"] == "key1"
    assert body["to"] == district.contacts["C-0001"].phone
    assert body["message"] == TEXT
    assert body["title"] == ""


def test_an_app_message_has_a_title(gateway: Gateway, district: District) -> None:
    by_url(district, "app", drill_url(gateway.url, "app")).send(delivery("C-0001"), ROUTE, "k")
    path, _, body = gateway.got[0]
    assert path == "/app"
    assert body["to"] == district.contacts["C-0001"].app
    assert body["title"] == "山洪预警"


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(500, False), (502, False), (400, True), (401, True), (404, True), (422, True)],
)
def test_what_a_refusal_means(
    gateway: Gateway, district: District, status: int, permanent: bool
) -> None:
    gateway.status = status
    with pytest.raises(SendError) as e:
        by_url(district, "sms", drill_url(gateway.url, "sms")).send(delivery("C-0001"), ROUTE, "k")
    assert e.value.permanent is permanent
    assert en(e.value.detail).endswith(f": HTTP {status}")
    assert len(gateway.got) == 1  # retry is the outbox's


def test_a_carrier_that_does_not_answer_is_given_up_in_time(
    gateway: Gateway, district: District
) -> None:
    url = drill_url(gateway.url, "sms")
    gateway.answers.clear()  # until the test is over
    with pytest.raises(SendError) as e:
        by_url(district, "sms", url, timeout_s=1).send(delivery("C-0001"), ROUTE, "k")
    assert not e.value.permanent
    service = by_url_service(url, "1", "k", 7)
    assert service is not None
    assert service.request_timeout == (7, 7), "its own time, not the library's"


def test_a_status_is_not_taken_from_an_earlier_attempt(
    gateway: Gateway, district: District
) -> None:
    gateway.status = 400
    sms = by_url(district, "sms", drill_url(gateway.url, "sms"))
    with pytest.raises(SendError):
        sms.send(delivery("C-0001"), ROUTE, "k")
    nobody = by_url(district, "sms", drill_url("http://127.0.0.1:1", "sms"))
    with pytest.raises(SendError) as e:
        nobody.send(delivery("C-0001"), ROUTE, "k")
    assert not e.value.permanent


def test_a_redirect_is_not_followed(gateway: Gateway, district: District) -> None:
    other = Gateway()
    try:
        gateway.status, gateway.location = 307, other.url + "/sms"
        with pytest.raises(SendError):
            by_url(district, "sms", drill_url(gateway.url, "sms")).send(
                delivery("C-0001"), ROUTE, "k"
            )
        assert other.got == []
    finally:
        other.server.shutdown()
        other.server.server_close()
        other.thread.join()


def test_numbers_reach_no_log_line_and_no_error(
    gateway: Gateway,
    district: District,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway.status = 500
    phone = district.contacts["C-0001"].phone
    with caplog.at_level(logging.DEBUG), pytest.raises(SendError) as e:
        by_url(district, "sms", drill_url(gateway.url, "sms")).send(delivery("C-0001"), ROUTE, "k")
    out = capfd.readouterr()
    assert gateway.got
    for text in (out.out, out.err, caplog.text, repr(e.value), e.value.detail):
        assert phone not in text
        assert phone.replace("-", "") not in text


def test_without_a_carrier_or_a_number_it_fails_for_good(district: District) -> None:
    no_app = next(c.id for c in district.contacts.values() if not c.app and c.phone)
    for channel, who in (
        (by_url(district, "sms", ""), "C-0001"),
        (by_url(district, "app", "json://127.0.0.1:1"), no_app),
        (by_url(district, "sms", "json://127.0.0.1:1"), "C-9999"),
    ):
        with pytest.raises(SendError) as e:
            channel.send(delivery(who), ROUTE, "k")
        assert e.value.permanent


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1:80",
        "http://sms.example:80",
        "https://127.0.0.1:1",
        "json://127.0.0.1:1",
        "http://localhost:80",
        "http://127.0.0.1.example:80",
        "http://127.0.0.1@192.0.2.1:80",
        "",
        "http://0.0.0.0:80",
        "file:///etc/passwd",
    ],
)
def test_an_exercise_sends_only_to_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match="this machine"):
        drill_url(url, "sms")


def test_a_url_that_apprise_does_not_know_is_found_at_the_start() -> None:
    with pytest.raises(ValueError, match="sms_url"):
        check("smsgate://x/{to}", "sms_url")
    check("jsons://gateway.example/sms?:to={to}&:key={key}", "sms_url")


def test_a_loudspeaker_gets_a_command_that_it_obeys(district: District, tmp_path: Path) -> None:
    keys = sender_keys(tmp_path)
    sent: list[tuple[str, bytes]] = []
    channel = Broadcast(
        district.nodes,
        "fengsui/exercise/yanqing",
        "exercise",
        lambda: keys.private,
        lambda t, p: sent.append((t, p)),
        lambda: 2,
    )
    assert channel.send(delivery("N001"), ROUTE, "k").state == "sent"
    ((topic, payload),) = sent
    assert topic == "fengsui/exercise/yanqing/node/N001/command"
    found = opened(payload, Command, "exercise", [read_key(keys.public_file)])
    assert isinstance(found, Command)
    assert (found.text, found.repeat, found.volume, found.id) == (TEXT, 5, 100, "k")


@pytest.mark.parametrize("node", ["N999", "N001/command", "#", "+"])
def test_a_node_that_does_not_exist_gets_nothing(
    district: District, tmp_path: Path, node: str
) -> None:
    channel = Broadcast(
        district.nodes, "p", "exercise", lambda: bytes(32), lambda t, p: pytest.fail(t), lambda: 2
    )
    with pytest.raises(SendError) as e:
        channel.send(delivery(node), ROUTE, "k")
    assert e.value.permanent


def test_a_broker_that_is_away_is_no_permanent_failure(district: District) -> None:
    def away(topic: str, payload: bytes) -> None:
        raise ConnectionError("away")

    channel = Broadcast(district.nodes, "p", "exercise", lambda: bytes(32), away, lambda: 2)
    with pytest.raises(SendError) as e:
        channel.send(delivery("N001"), ROUTE, "k")
    assert not e.value.permanent


def test_the_console_shows_and_keeps(tmp_path: Path) -> None:
    lines: list[str] = []
    console = Console(tmp_path / "console.jsonl", lines.append)
    assert console.send(delivery("duty:C-0001"), ROUTE, "k").state == "delivered"
    row = json.loads((tmp_path / "console.jsonl").read_text())
    assert row["text"] == TEXT
    assert TEXT in lines[0]
    with pytest.raises(SendError) as e:
        Console(tmp_path, None).send(delivery("duty:C-0001"), ROUTE, "k")
    assert not e.value.permanent


def test_keys_are_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    one, two = sender_keys(tmp_path / "a"), sender_keys(tmp_path / "a")
    assert one == two
    assert sender_keys(tmp_path / "b").public != one.public
    secret = tmp_path / "a" / "keys" / "sender.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    secret.chmod(0o644)
    with pytest.raises(ValueError, match="chmod 600"):
        sender_keys(tmp_path / "a")
    secret.chmod(0o600)
    secret.write_text("rubbish")
    with pytest.raises(ValueError, match=r"sender\.key"):
        sender_keys(tmp_path / "a")


def test_every_word_of_a_carrier_means_a_state() -> None:
    for meaning in (*NODE.values(), *CARRIER.values(), *CALL.values()):
        assert meaning.state in RANK or meaning.state == "failed"
        assert not meaning.permanent or meaning.state == "failed"
