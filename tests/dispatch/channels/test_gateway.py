"""HTTP gateways that are configuration: fields, signatures, what an answer means, receipts that come
back; and mails and webhooks in what only they have."""

import base64
import hashlib
import hmac
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from config.load import load
from config.records.channels import Carrier, Channels, Words
from config.records.district import District
from dispatch.channels import CarrierWord, SendError
from dispatch.channels.declared import channel_of, problems
from dispatch.channels.email import Email
from dispatch.channels.http.gateway import Gateway, fill
from dispatch.channels.http.receipt_server import ReceiptServer, fields_of
from dispatch.channels.http.webhook import Webhook, key_of
from dispatch.send.channels import channels_of
from ingest.observation import PersonSays
from stream.environment import secret_at
from stream.mqtt.broker import start_broker
from tests.support.gateway import TEXT, Far, parcel, row
from tests.support.send import Stage, delivery, run_of, until
from tests.support.servers import free_port
from tests.support.servers_carriers import Kannel, Mail
from tests.support.smpp import live, real

ROOT = Path(__file__).parents[3]
NOW = 1_753_567_800.5

HANDS: Any = {"publish": print, "clock": lambda: 0, "private_key": lambda: bytes(32)}


@pytest.fixture(scope="module")
def district() -> District:
    loaded = load(ROOT / "config" / "yanqing")
    return msgspec.structs.replace(loaded, channels=Channels(attempt_timeout_s=60))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = start_broker(tmp_path_factory.mktemp("broker"), free_port())
    yield found.url
    found.stop()


OK: dict[str, Any] = {
    "fields": {"m": "{to}", "c": "{text}"},
    "ok_field": "code",
    "ok_values": ("0",),
}


# --- what is sent


def test_a_registered_template_with_its_parameters(far: Far, district: District) -> None:
    fields = {
        "PhoneNumbers": "{to}",
        "SignName": "{sign}",
        "TemplateCode": "SMS_1",
        "TemplateParam": "{params}",
        "OutId": "{key}",
    }
    params = {"place": "{place}", "what": "{hazard}{level}预警，{action}", "tel": "{phone}"}
    Gateway(district, row(far.url, fields=fields, params=params), "").send(parcel())
    body = json.loads(far.got[0][3])
    assert body["PhoneNumbers"] == "19900000001"
    assert body["SignName"] == district.signature
    assert body["OutId"] == "k1"
    said = json.loads(body["TemplateParam"])
    assert said["what"] == "山洪红色预警，立即转移"
    assert said["place"].endswith(district.areas["A01"].name)
    assert said["tel"]


def test_a_mas_signature_and_body(far: Far, district: District) -> None:
    """The form of China Mobile's cloud MAS: base64 of a JSON, with an MD5 over its fields."""
    r = row(
        far.url,
        form="base64-json",
        user="ap",
        fields={"apId": "{user}", "mobiles": "{to}", "content": "{text}", "mac": "{signature}"},
        sign_with="md5",
        sign_text="ec{user}{secret}{to}{text}",
    )
    Gateway(district, r, "s3cret").send(parcel())
    body = json.loads(base64.b64decode(far.got[0][3]))
    assert body["mac"] == hashlib.md5(f"ecaps3cret19900000001{TEXT}".encode()).hexdigest()
    assert b"s3cret" not in base64.b64decode(far.got[0][3])


def test_an_access_key_signature_over_the_sorted_fields(far: Far, district: District) -> None:
    r = row(
        far.url,
        form="form",
        user="AK",
        fields={"z": "{to}", "a": "{text}", "t": "{time_iso}"},
        headers={"X-Signature": "{user}:{signature}"},
        sign_with="hmac-sha256",
        sign_text="POST&{sorted}",
        sign_as="base64",
    )
    Gateway(district, r, "key", now=lambda: NOW).send(parcel(text="a b+中"))
    _, _, headers, body = far.got[0]
    assert {k: v[0] for k, v in parse_qs(body.decode()).items()} == {
        "z": "19900000001",
        "a": "a b+中",
        "t": "2025-07-26T22:10:00Z",
    }
    text = "POST&a=a%20b%2B%E4%B8%AD&t=2025-07-26T22%3A10%3A00Z&z=19900000001"
    wanted = base64.b64encode(hmac.digest(b"key", text.encode(), "sha256")).decode()
    assert headers["X-Signature"] == f"AK:{wanted}"


def test_what_is_filled_in_is_no_template() -> None:
    words = {"text": "{secret}", "secret": "s", "to": "1"}
    assert fill("{text} {to} {unknown} {", words) == "{secret} 1 {unknown} {"


# --- what an answer means


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"code": 0, "id": "m1"}', "accepted"),
        (200, b'{"code": "0"}', "accepted"),
        (200, b'{"code": 17}', "again"),
        (200, b'{"code": 404}', "never"),
        (200, b'{"code": 88}', "busy"),
        (200, b"<html>please log in</html>", "again"),
        (200, b'{"code": 0', "again"),
        (200, b"", "again"),
        (200, b"[]", "again"),
        (200, b"\xff\xfe", "again"),
        (200, b"[" * 20_000, "again"),
        (200, b"x" * 200_000, "again"),
        (429, b"", "busy"),
        (500, b'{"code": 0}', "again"),
        (302, b'{"code": 0}', "again"),
        (400, b'{"code": 0}', "never"),
    ],
)
def test_answers(far: Far, district: District, status: int, body: bytes, outcome: str) -> None:
    far.status, far.body = status, body
    r = row(far.url, **OK, permanent_values=("404",), busy_values=("88",), id_field="id")
    gateway = Gateway(district, r, "")
    if outcome == "accepted":
        told = gateway.send(parcel())
        assert told.state == "accepted"
        assert told.refs == (("gw|m1",) if b"m1" in body else ())
        return
    with pytest.raises(SendError) as e:
        gateway.send(parcel())
    assert (e.value.permanent, e.value.wait_s > 0) == (outcome == "never", outcome == "busy")
    assert "199" not in e.value.detail
    assert len(far.got) == 1


def test_an_answer_that_drips_is_given_up(far: Far, district: District) -> None:
    """Whoever heard it to its end, two minutes, would take it for a yes."""
    far.body, far.drip = b'{"code":' + b" " * 1200 + b"0}", True
    hasty = msgspec.structs.replace(district, channels=Channels(attempt_timeout_s=1))
    with pytest.raises(SendError) as e:
        Gateway(hasty, row(far.url, **OK), "").send(parcel())
    assert not e.value.permanent


def test_words_of_a_gateway_do_not_carry_a_number_into_the_log(
    far: Far, district: District
) -> None:
    far.body = b'{"code": "17", "message": "19900000001 is blocked"}'
    with pytest.raises(SendError) as e:
        Gateway(district, row(far.url, **OK), "").send(parcel())
    assert "199" not in e.value.detail


# --- receipts by HTTP


class Ear:
    """Takes what is heard; keeps it or not."""

    def __init__(self, keep: bool = True) -> None:
        self.heard: list[CarrierWord] = []
        self.keep = keep

    def __call__(self, heard: CarrierWord) -> None:
        self.heard.append(heard)
        heard.done(self.keep)


def ask(url: str, body: bytes | None = None) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=90) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, ""


@pytest.fixture
def posted() -> Iterator[tuple[ReceiptServer, Ear]]:
    ear = Ear()
    told = Words(key="out", id="mid", status="st", words={"1": "delivered"}, reply="0")
    server = ReceiptServer("127.0.0.1:0", {"gw": "tok"}, {"gw": row("http://x", receipt=told)}, ear)
    yield server, ear
    server.close()


def test_receipts_in_chunks_are_heard_too(posted: tuple[ReceiptServer, Ear]) -> None:
    server, ear = posted
    there = http.client.HTTPConnection(server.url.split("/")[2], timeout=60)
    there.request("POST", "/receipt/gw?token=tok", iter([b"out=k1", b"&st=1"]))
    assert there.getresponse().status == 200
    there.close()
    assert [h.key for h in ear.heard] == ["k1"]


def test_receipts_in_a_query_a_form_and_json(posted: tuple[ReceiptServer, Ear]) -> None:
    server, ear = posted
    at = f"{server.url}/receipt/gw?token=tok"
    assert ask(f"{at}&out=k1&st=1") == (200, "0")
    assert ask(at, b"out=k2&st=2") == (200, "0")
    assert ask(at, b'[{"mid": 7, "st": 1}, {"mid": 8, "st": "1"}, 5]') == (200, "0")
    assert [(h.key, h.refs, h.status) for h in ear.heard] == [
        ("k1", (), "delivered"),
        ("k2", (), "2"),
        ("", ("gw|7",), "delivered"),
        ("", ("gw|8",), "delivered"),
    ]


@pytest.mark.parametrize(
    "path", ["/receipt/gw", "/receipt/gw?token=wrong", "/receipt/no?token=tok"]
)
def test_strangers_are_not_heard(posted: tuple[ReceiptServer, Ear], path: str) -> None:
    server, ear = posted
    assert ask(server.url + path, b"out=k&st=1")[0] in (403, 404)
    assert ear.heard == []


def test_a_carriers_token_opens_its_own_place_alone_and_may_stand_in_a_header() -> None:
    ear, told = Ear(), Words(key="out", status="st")
    rows = {n: row("http://x", name=n, receipt=told) for n in ("a", "b", "c")}
    server = ReceiptServer("127.0.0.1:0", {"a": "for-a", "b": "for-b", "c": ""}, rows, ear)

    def status(name: str, token: str = "", **headers: str) -> int:
        at = f"{server.url}/receipt/{name}?out=k&st=1" + f"&token={token}" * bool(token)
        request = urllib.request.Request(at, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as e:
            return e.code

    try:
        assert status("a", "for-a") == 200
        assert status("a", Authorization="Bearer for-a") == 200
        assert [h.carrier for h in ear.heard] == ["a", "a"]
        for name, token in (("b", "for-a"), ("c", ""), ("c", "for-a"), ("d", "for-a"), ("a", "")):
            assert status(name, token) == 403, (name, token)
            assert status(name, Authorization=f"Bearer {token}") == 403, (name, token)
        assert len(ear.heard) == 2
    finally:
        server.close()


@pytest.mark.parametrize("value", ['"\\ud800"', "1" * 400, "[[1]]", "null", "true", "1e400"])
def test_an_absurd_value_is_a_word_nobody_knows_and_can_be_written_down(value: str) -> None:
    for fields in fields_of(b'{"out": "k", "st": ' + value.encode() + b"}"):
        assert fields["out"] == "k"
        assert fields.get("st", "").encode() is not None


def test_what_the_log_does_not_have_is_to_be_said_again() -> None:
    told = Words(key="out", status="st")
    server = ReceiptServer(
        "127.0.0.1:0", {"gw": "t"}, {"gw": row("http://x", receipt=told)}, Ear(keep=False)
    )
    assert ask(f"{server.url}/receipt/gw?token=t&out=k&st=1")[0] == 503
    server.close()


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"\xff\xfe", b"null", b"5"])
def test_rubbish_has_no_fields(body: bytes) -> None:
    assert all(isinstance(r, dict) for r in fields_of(body))


@pytest.mark.servers
def test_kannel_from_the_outbox_to_the_receipt(
    tmp_path: Path, district: District, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kannel, port = Kannel(tmp_path).start(), free_port()
    monkeypatch.setenv("KANNEL", kannel.password)
    monkeypatch.setenv("TOKEN", "tok")
    back = f"http://127.0.0.1:{port}/receipt/gw?token=tok&key={{key}}&status=%d"
    r = row(
        kannel.url,
        form="query",
        user=kannel.user,
        secret="env:KANNEL",
        fields={
            "username": "{user}",
            "password": "{secret}",
            "to": "{to}",
            "from": "1069",
            "text": "{text}",
            "coding": "2",
            "charset": "UTF-8",
            "dlr-mask": "31",
            "dlr-url": back,
        },
        receipt=Words(
            key="key", status="status", words={"1": "delivered", "2": "failed", "8": "accepted"}
        ),
    )
    settings = {"receipt_listen": f"127.0.0.1:{port}", "receipt_secret": "env:TOKEN"}
    stage = Stage(tmp_path / "s", live(district, r, **settings), broker, run_of("live"))
    try:
        stage.put(real(1, "C-0001", "sms"))
        until(lambda: "delivered" in stage.states("d1"), "delivered", 90)
        until(kannel.taken, "its far end, which prints when it likes", 90)
        assert [t.to for t in kannel.taken()] == ["19900000001"]
        assert stage.letters() == []
    finally:
        stage.close()
        kannel.stop()


def test_a_receipt_for_what_nobody_sent_is_a_dead_letter(
    tmp_path: Path, district: District, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "tok")
    monkeypatch.setattr("dispatch.send.receipt_writer._PATIENCE_S", 0.5)
    port = free_port()
    told = Words(key="k", status="s")
    settings = {"receipt_listen": f"127.0.0.1:{port}", "receipt_secret": "env:TOKEN"}
    far = live(district, row("http://127.0.0.1:1", receipt=told), **settings)
    stage = Stage(tmp_path / "s", far, broker, run_of("live"))
    try:
        at = f"http://127.0.0.1:{port}/receipt/gw?token=tok"
        assert ask(f"{at}&k=nobody&s=delivered")[0] == 200
        assert ask(f"{at}&k=nobody&s=19900000001")[0] == 200
        assert stage.letters() == ["unknown_delivery", "unknown_status"]
        stored = b"".join(e.value for e in stage.log.read("dead-letters", 0, 0))
        assert b"19900000001" not in stored
    finally:
        stage.close()


def test_an_sms_from_a_telephone_is_its_owners_word(
    tmp_path: Path, district: District, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "tok")
    port = free_port()
    told = Words(id="mid", sender="from", text="words", reply="OK")
    settings = {"receipt_listen": f"127.0.0.1:{port}", "receipt_secret": "env:TOKEN"}
    far = live(district, row("http://127.0.0.1:1", receipt=told), **settings)
    stage = Stage(tmp_path / "s", far, broker, run_of("live"))
    at = f"http://127.0.0.1:{port}/receipt/gw?token=tok"
    phone = district.contacts["C-0004"].phone.replace("-", "")
    try:
        for form in (
            {"from": f"+86{phone}", "words": "水涨了", "mid": "m1"},
            {"from": phone, "words": "水涨了", "mid": "m1"},  # the carrier says it again
            {"from": phone, "words": f"我是张三 {phone}", "mid": "m2"},
            {"from": phone, "words": "", "mid": "m3"},
            {"from": "13800138000", "words": "水涨了", "mid": "m4"},
        ):
            assert ask(at, json.dumps(form).encode()) == (200, "OK")
        entries = [e for p in range(4) for e in stage.log.read("observations", p, 0)]
        found = [msgspec.json.decode(e.value, type=PersonSays) for e in entries]
        (stranger,) = [s for s in found if s.role == "stranger"]
        found = [s for s in found if s is not stranger]
        assert (stranger.role, stranger.what, stranger.area) == ("stranger", "words", "")
        assert [(s.person, s.what) for s in found] == [
            ("C-0004", "report_flood"),
            ("C-0004", "report_flood"),
            ("C-0004", "words"),
            ("C-0004", "unclear"),
            ("C-0004", "words"),
            ("C-0004", "unclear"),
        ]
        assert found[0].id == found[1].id, "so that detect takes it once"
        assert stage.letters() == ["unclear", "unclear", "unknown_person"]
        letters = stage.log.read("dead-letters", 0, 0)
        stored = b"".join(e.value + e.key.encode() for e in (*entries, *letters))
        for secret_ in (phone, "13800138000", "张三"):
            assert secret_.encode() not in stored
    finally:
        stage.close()


# --- webhooks and mails


def test_a_webhook_is_signed_as_others_check_it(far: Far) -> None:
    key = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
    Webhook("w", far.url, key, 60.0).send(parcel())
    _, _, headers, body = far.got[0]
    headers = {k.lower(): v for k, v in headers.items()}
    assert headers["webhook-id"] == "k1"
    found = Verifier(key).verify(body, headers)
    assert found["text"] == TEXT
    words = {k: v for k, v in found.items() if not k.endswith("_at")}  # a time has any digits
    assert "199" not in str(words)
    with pytest.raises(WebhookVerificationError):
        Verifier(key).verify(body.replace(b"A01", b"A02"), headers)
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 3600)}
    with pytest.raises(WebhookVerificationError):
        Verifier(key).verify(body, old)
    with pytest.raises(ValueError, match="base64"):
        key_of("whsec_???")


def test_a_webhook_reaches_only_its_own_contact(far: Far, district: District) -> None:
    rows = (
        row(far.url, channel="webhook", kind="webhook", contact="C-0188", name="huailai"),
        row(
            "http://127.0.0.1:1/", channel="webhook", kind="webhook", contact="C-0189", name="other"
        ),
    )
    way = channel_of(district, "webhook", rows, print, lambda: 0)
    d = real(1, "C-0188", "webhook")
    assert way.send(d, d.routes[0], "k").detail == "huailai"
    with pytest.raises(SendError) as e:
        way.send(msgspec.structs.replace(d, recipient="C-0001"), d.routes[0], "k")
    assert e.value.permanent


def test_a_mail_says_what_it_is(tmp_path: Path) -> None:
    server = Mail(tmp_path).start()
    way = Email("m", f"smtp://127.0.0.1:{server.port}", "", "", "flood@yanqing.example", 60.0)
    try:
        way.send(parcel(to="li@example.cn", title="山洪\r\nBcc: everybody@example.cn"))
        (m,) = server.mails()
        assert m["Message-ID"] == "<k1@yanqing.example>"
        assert m["Auto-Submitted"] == "auto-generated"
        assert m["Bcc"] is None
        assert m["To"] == "li@example.cn"
        assert m.get_content().rstrip("\n") == TEXT
        with pytest.raises(SendError) as e:
            way.send(parcel(to="li@example.cn\r\nBcc: everybody@example.cn"))
        assert e.value.permanent
        assert len(server.mails()) == 1
    finally:
        server.stop()


# --- what a config may say


def refused(district: District, *rows: Carrier, **more: Any) -> list[str]:
    channels = Channels(carrier=rows, **more)
    return [p.column for p in problems(msgspec.structs.replace(district, channels=channels))]


GOOD = row("https://gw.example/send", fields={"to": "{to}"}, secret="env:X")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"secret": "s3cret"}, "secret"),
        ({"url": "https://user:s3cret@gw.example/send"}, "url"),
        ({"url": "ftp://gw.example"}, "url"),
        ({"url": "https://gw.example:99999/"}, "url"),
        ({"kind": "smtp"}, "kind"),
        ({"name": "两个"}, "name"),
        ({"rate_per_s": -1.0}, "rate_per_s"),
        ({"sign_with": "md5"}, "sign_text"),
        ({"ok_field": "code"}, "ok_values"),
        ({"fields": {}}, "fields"),
        ({"receipt": Words(key="k", status="s", words={"1": "gut"})}, "receipt.words.1"),
        ({"receipt": Words(status="s")}, "receipt.key"),
        ({"kind": "smpp", "url": "smpp://10.0.0.1"}, "url"),
        ({"kind": "apprise", "url": "smsgate://x"}, "url"),
        ({"channel": "email", "kind": "smtp", "url": "smtp://mx", "sender": "nobody"}, "sender"),
        ({"channel": "webhook", "kind": "webhook", "contact": "C-9999"}, "contact"),
        ({"channel": "webhook", "kind": "webhook", "contact": "C-0188", "secret": ""}, "secret"),
        (
            {"channel": "webhook", "kind": "webhook", "contact": "C-0188", "url": "http://a.cn/"},
            "url",
        ),
    ],
)
def test_a_wrong_carrier_is_named(district: District, change: dict[str, Any], key: str) -> None:
    assert refused(district, GOOD) == []
    found = refused(district, msgspec.structs.replace(GOOD, **change))
    assert f"carrier {change.get('name', 'gw')}.{key}" in found


def test_other_wrong_settings_are_named(district: District) -> None:
    assert "carrier gw" in refused(district, GOOD, GOOD)
    assert "not_woken_to" in refused(district, not_woken_to=("C-9999",))
    assert "receipt_secret" in refused(district, receipt_listen="127.0.0.1:80")
    assert "receipt_secret" in refused(district, receipt_secret="plain")
    assert "receipt_listen" in refused(district, receipt_listen="nowhere")
    told = msgspec.structs.replace(GOOD, receipt=Words(key="k", status="s"))
    other = msgspec.structs.replace(told, name="other", url="https://other.example/send")
    here = {"receipt_listen": "127.0.0.1:80", "receipt_secret": "env:X"}
    assert refused(district, told, **here) == []
    assert "carrier other.receipt.secret" in refused(district, told, other, **here)
    own = [
        msgspec.structs.replace(r, receipt=Words(key="k", status="s", secret=f"env:{r.name}"))
        for r in (told, other)
    ]
    assert refused(district, *own, receipt_listen="127.0.0.1:80") == []
    plain = msgspec.structs.replace(GOOD, receipt=Words(secret="plain"))
    assert "carrier gw.receipt.secret" in refused(district, plain)


def test_an_unknown_key_of_a_carrier_is_named(tmp_path: Path) -> None:
    from config.read.tables import read_toml
    from config.records.district import Channels as Kind

    path = tmp_path / "channels.toml"
    path.write_text('[[carrier]]\nname = "a"\nchanel = "sms"\n')
    found: list[Any] = []
    assert read_toml(path, Kind, found) is None
    assert found[0].column == "carrier[0].chanel"


def test_secrets_come_from_where_the_config_says(tmp_path: Path) -> None:
    file = tmp_path / "pw"
    file.write_text("s3cret\n")
    assert secret_at("") == ""
    assert secret_at("env:A", {"A": "x"}) == "x"
    assert secret_at(f"file:{file}") == "s3cret"
    file.write_text("")
    for where in ("env:MISSING", f"file:{tmp_path}/none", f"file:{file}", "s3cret"):
        with pytest.raises(ValueError) as e:
            secret_at(where, {})
        assert "s3cret" not in str(e.value)


def test_a_live_run_does_not_start_without_its_secrets(tmp_path: Path, district: District) -> None:
    armed = live(district, msgspec.structs.replace(GOOD, secret="env:NOT_THERE"))
    with pytest.raises(ValueError, match="carrier gw.*NOT_THERE"):
        channels_of(armed, run_of("live"), tmp_path, carrier_url="", **HANDS)


# --- an exercise


def test_an_exercise_builds_nothing_of_the_districts_carriers(
    tmp_path: Path, district: District, broker: str, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of carrier is armed, with secrets that are there and addresses that answer."""
    monkeypatch.setenv("X", "x")
    contact = msgspec.structs.replace(
        district.contacts["C-0188"], email="a@b.cn", app="x", phone="199-0000-0188"
    )
    port = far.server.server_port
    rows = (
        row(far.url, fields={"to": "{to}"}, secret="env:X"),
        row(f"smpp://127.0.0.1:{port}", name="s", kind="smpp", secret="env:X"),
        row(f"json://127.0.0.1:{port}/app", name="a", channel="app", kind="apprise"),
        row(far.url, name="v", channel="voice", fields={"to": "{to}"}),
        row(f"smtp://127.0.0.1:{port}", name="m", channel="email", kind="smtp", sender="a@b.cn"),
        row(far.url, name="w", channel="webhook", kind="webhook", contact="C-0188", secret="env:X"),
    )
    armed = live(
        msgspec.structs.replace(district, contacts={**district.contacts, "C-0188": contact}), *rows,
        receipt_listen=f"127.0.0.1:{free_port()}", receipt_secret="env:X",
        sms_url=f"json://127.0.0.1:{port}/sms", app_url=f"json://127.0.0.1:{port}/app",
    )  # fmt: skip
    stage = Stage(tmp_path / "s", armed, broker, run_of())
    try:
        ways = ("sms", "app", "voice", "email", "webhook")
        stage.put(*(delivery(n, "C-0188", way, alert=way) for n, way in enumerate(ways)))
        for n in range(len(ways)):
            until(lambda n=n: "failed" in stage.states(f"d{n}"), "no carrier in an exercise", 90)
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://{armed.channels.receipt_listen}/receipt/gw", timeout=1)
    finally:
        stage.close()
    assert far.got == []


@pytest.mark.parametrize("url", ["http://10.0.0.1:80", "http://localhost:1", "https://127.0.0.1:1"])
def test_an_exercises_carrier_is_on_this_machine(
    tmp_path: Path, district: District, url: str
) -> None:
    with pytest.raises(ValueError, match="this machine"):
        channels_of(district, run_of(), tmp_path, carrier_url=url, **HANDS)


def test_every_way_of_an_exercise_leads_to_its_carrier(
    tmp_path: Path, district: District, far: Far
) -> None:
    base = far.url.removesuffix("/send")
    ways = channels_of(district, run_of(), tmp_path, carrier_url=base, **HANDS)
    d = delivery(1, "C-0001", "sms")
    for name in ("sms", "app", "voice"):
        ways[name].send(d, d.routes[0], "k")
    assert [urlsplit(path).path for _, path, _, _ in far.got] == ["/sms", "/app", "/voice"]
