"""No two rows of channels.toml have a folder, a port, an account or a key in common: alone each works, together
they lose or double what people should hear."""

from typing import Any

import msgspec
import pytest

from config.checks.channels.shared import shared_problems
from config.records.channels import Carrier, Channels, Release, Words
from config.records.devices.broadcast import Platform
from config.records.sources import NONE, Sources

POSTED = Words(status="s", key="k", secret="env:A")


def rows(first: dict[str, Any], second: dict[str, Any], **more: Any) -> list[str]:
    """The places that are refused of two rows, the second of which differs in what it says."""
    pair = (Carrier(name="a", **first), Carrier(name="b", **{**first, **second}))
    return [p.column for p in shared_problems(Channels(carrier=pair, **more), NONE)]


SMSD = {"channel": "sms", "kind": "smsd", "url": "file://localhost/var/spool/sms"}
SMPP = {
    "channel": "sms",
    "kind": "smpp",
    "url": "smpp://10.1.2.3:2775",
    "user": "yq",
    "secret": "env:P",
}
SIP = {"channel": "voice", "kind": "sip", "url": "sip://10.1.2.4", "user": "yq", "secret": "env:P"}
EBD = {
    "channel": "broadcast_platform", "kind": "ebd", "url": "http://10.1.2.5/ebd", "secret": "env:K",
    "platform": Platform(ours="1" * 23, theirs="2" * 23, listen="0.0.0.0:8700"),
}  # fmt: skip


def other(listen: str) -> Platform:
    return Platform(ours="1" * 23, theirs="3" * 23, listen=listen)


HOOK = {"channel": "webhook", "kind": "webhook", "url": "https://a.example/in", "secret": "env:K"}
HTTP = {"channel": "sms", "kind": "http", "url": "https://a.example/sms", "fields": {"to": "{to}"}}
BOT = {"channel": "app", "kind": "apprise", "url": "wecombot://{secret}", "secret": "env:B"}
MAIL = {"channel": "email", "kind": "smtp", "url": "smtp://mail.example", "sender": "a@b.example"}


@pytest.mark.parametrize(
    ("row", "second", "refused"),
    [
        (SMSD, {}, ["url"]),
        (SMSD, {"url": "file://localhost/var/spool//sms/"}, ["url"]),
        (SMSD, {"url": "file://localhost/var/spool/sms2"}, []),
        (SMPP, {}, ["user"]),
        (SMPP, {"user": "other"}, []),
        (SMPP, {"url": "smpp://10.1.2.9:2775"}, []),
        (SIP, {"url": "sip+tcp://10.1.2.4:5060"}, ["user"]),
        (SIP, {"user": "other"}, []),
        (EBD, {"url": "http://10.1.2.6/ebd"}, ["platform.listen", "platform.theirs"]),
        (EBD, {"platform": other(listen="10.0.0.5:8700")}, ["platform.listen"]),
        (EBD, {"platform": other(listen="10.0.0.5:8701")}, []),
        (HOOK, {"url": "https://b.example/in"}, ["secret"]),
        (HOOK, {"secret": "env:L"}, ["url"]),
        (HOOK, {"url": "https://b.example/in", "secret": "env:L"}, []),
        (HTTP, {}, ["url"]),
        (HTTP, {"fields": {"to": "{to}", "x": "1"}}, []),
        ({**HTTP, "receipt": POSTED}, {"url": "https://b.example/sms"}, ["receipt.secret"]),
        (BOT, {}, ["url"]),
        (BOT, {"secret": "env:C"}, []),
        (MAIL, {}, ["url"]),
        (MAIL, {"url": "smtp://two.example"}, []),
    ],
)  # fmt: skip
def test_two_rows_that_share_are_refused_at_the_second(
    row: dict[str, Any], second: dict[str, Any], refused: list[str]
) -> None:
    assert rows(row, second) == [f"carrier b.{key}" for key in refused]


def test_the_doors_of_the_district_are_apart_too() -> None:
    def found(sources: Sources = NONE, **settings: Any) -> list[str]:
        return [p.column for p in shared_problems(Channels(**settings), sources)]

    assert found() == [] == found(receipt_listen="127.0.0.1:0", people_listen="127.0.0.1:0")
    assert found(receipt_listen="10.0.0.5:8090", people_listen="10.0.0.6:8090") == []
    assert found(receipt_listen="10.0.0.5:8090", residents_listen="0.0.0.0:8090") == [
        "residents_listen"
    ]
    assert found(people_listen="127.0.0.1:8090", cap_feed_port=8090) == ["cap_feed_port"]
    cap = Sources("127.0.0.1:8090", {}, {}, {})
    assert found(cap, people_listen="127.0.0.1:8090") == ["sources.toml listen"]
    platform = Carrier(name="a", **EBD)
    assert found(receipt_listen="127.0.0.1:8700", carrier=(platform,)) == [
        "carrier a.platform.listen"
    ]
    modem = msgspec.structs.replace(Carrier(name="m", **SMSD), url="file://localhost/srv/out")
    sheet = Release(sender_code="1" * 14, url="file:///srv/out", answers="/srv/in")
    assert found(carrier=(modem,), release=sheet) == ["release.url"]
