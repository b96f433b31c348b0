"""`fengsui broker-config mosquitto DIR`: a broker's settings from the district's own tables.

Who may speak is who stands in stations.csv, nodes.csv and gateways.csv (`stream.mqtt.access`): each has a
name (its id), a password or a certificate, and may write its own topics and no others. Run again
after the tables have changed: what a device already has stays, who is no longer in the tables is
shut out.
"""

import base64
import csv
import datetime
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from config.checks.gateways import FILE as GATEWAYS
from config.language import Text
from config.records.district import District
from fengsui.files.mqtt_certificates import authority_of, clients, server
from stream.disk.files import write_file
from stream.environment import spoken
from stream.mqtt.access import Rights, rights

# our passwords are random, 144 bits: more rounds would only slow the broker when all devices come back
_ROUNDS = 1_000
_LEAST_QUEUED = 50_000
_PAYLOAD = 512  # bytes of a message with what the broker keeps beside it
_FRAME = 2_200_000  # ingest.decode.frame.MAX_BYTES and the head
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
# what the broker reads; the rest of the folder is for whoever sets devices up
_READ = ("mosquitto.conf", "acl", "passwords", "ca.crt", "server.crt", "server.key", "revoked.crl")


class Given(NamedTuple):
    """What the command is told beside the district."""

    hosts: Sequence[str] = ()  # names of the broker, for its certificate
    members: Sequence[str] = ()  # of a group of ingests that share the readings
    adapters: Sequence[str] = ()  # of carriers and apps, beside the one called `carrier`
    gateways: Sequence[str] = ()  # of former versions: they stand in gateways.csv now
    port: int = 8883
    data: str = "/var/lib/mosquitto"  # where the broker keeps the backlog
    at: str = ""  # where the broker finds the folder, if not where it is made: in a container
    owner: int | None = None  # user id of the broker, where it is not ours
    certificates: bool = False  # a certificate a device instead of a password
    retain: bool = False  # devices that set the retain flag are let in
    sqlite: str = ""  # mosquitto 2.1's plugin that keeps the backlog; none: a file a second


def acl(table: Mapping[str, Rights]) -> Iterator[str]:
    """Lines of an ACL file of mosquitto (mosquitto.conf(5), acl_file). No pattern: each user by
    name."""
    for name, one in table.items():
        yield f"user {name}"
        both = set(one.write) & set(one.read)
        yield from (f"topic readwrite {t}" for t in one.write if t in both)
        yield from (f"topic write {t}" for t in one.write if t not in both)
        yield from (f"topic read {t}" for t in one.read if t not in both)
        yield ""


def hour_of_messages(district: District) -> int:
    """What the district's devices send in an hour, by their intervals; twice, for repeats."""
    plans = [s.interval_s for s in district.stations.values()]
    plans += [n.interval_s for n in district.nodes.values()]
    return max(_LEAST_QUEUED, 2 * sum(3600 // max(1, s) for s in plans))


def hour_of_bytes(district: District) -> int:
    """The same in bytes; a camera's picture is counted at its largest."""
    frames = [s for s in district.stations.values() if s.quantity == "frame"]
    pictures = sum(3600 // max(1, s.interval_s) for s in frames) * _FRAME
    return hour_of_messages(district) * _PAYLOAD + pictures


def hashed(password: str, salt: bytes) -> str:
    """As mosquitto_passwd(1) writes it: PBKDF2-HMAC-SHA512, `$7$ROUNDS$SALT$HASH`."""
    found = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    words = (base64.b64encode(x).decode() for x in (salt, found))
    return f"$7${_ROUNDS}${'$'.join(words)}"


def settings(district: District, folder: str, given: Given) -> Iterator[str]:
    """mosquitto.conf. folder: where the broker finds the files."""
    yield _comment(
        f"烽燧，{district.id}：由 `fengsui broker-config mosquitto` 生成",
        f"Fengsui, {district.id}: made by `fengsui broker-config mosquitto`",
    )
    yield f"listener {given.port}"
    yield from (f"cafile {folder}/ca.crt", f"certfile {folder}/server.crt")
    yield from (f"keyfile {folder}/server.key", "tls_version tlsv1.2")
    yield from ("allow_anonymous false", f"acl_file {folder}/acl")
    if given.certificates:
        yield from ("require_certificate true", "use_identity_as_username true")
        yield _comment("表里已经没有的设备", "devices that are no longer in the tables")
        yield f"crlfile {folder}/revoked.crl"
    else:
        yield f"password_file {folder}/passwords"
    yield _comment(
        "会话属于用户，不管客户端自称什么",
        "a session is its user's, whatever id a client gives itself",
    )
    yield "use_username_as_clientid true"
    if not given.retain:
        yield _comment(
            "不留保留消息：后来的订阅者不该先收到旧读数",
            "an old reading must not greet who subscribes later",
        )
        yield "retain_available false"
    yield from stored(given)
    yield f"max_queued_messages {hour_of_messages(district)}"
    yield f"max_queued_bytes {hour_of_bytes(district)}"
    yield from ("max_inflight_messages 200", "persistent_client_expiration 7d")
    # mosquitto 2.1 ends the connection of whoever sends a packet above 2,000,000 bytes, unless it is told more
    yield from (f"message_size_limit {_FRAME}", f"max_packet_size {_FRAME + _PAYLOAD}")
    yield "set_tcp_nodelay true"
    yield from ("log_dest stdout", "log_type error", "log_type warning", "log_type notice")


def _comment(chinese: str, english: str) -> str:
    """In the language of whoever runs the command."""
    return f"# {spoken(Text(chinese, english))}"


def stored(given: Given) -> Iterator[str]:
    """Where the backlog is kept over a restart. mosquitto 2.1's store in SQLite keeps a transaction open for
    five seconds and does not sync it, unless it is told otherwise, and refuses to start beside `persistence
    true`. With a period of 0 it drops
    most of a burst for good: one second is the least (2.1.2, measured: docs/mqtt.md)."""
    if given.sqlite:
        yield _comment(
            "一小时的积压在重启后仍在：每秒提交并落盘",
            "an hour's backlog survives a restart of the broker: committed and synced each second",
        )
        yield from (f"persistence_location {given.data}", f"plugin {given.sqlite}")
        yield from ("plugin_opt_sync full", "plugin_opt_flush_period 1")
        return
    yield _comment("一小时的积压在重启后仍在", "an hour's backlog survives a restart of the broker")
    yield from ("persistence true", f"persistence_location {given.data}/")
    yield from ("autosave_interval 1", "autosave_on_changes false")


def write_mosquitto(
    district: District, folder: Path, run: str, given: Given, now: datetime.datetime
) -> int:
    """Everything into `folder`; how many users there are. Raises ValueError for a wrong name."""
    for option, name in [
        *(("--member", n) for n in given.members),
        *(("--adapter", n) for n in given.adapters),
    ]:
        if not _NAME.fullmatch(name):
            raise ValueError(
                Text(
                    f"{option} {name!r}: 字母、数字、-、_（1–40）",
                    f"{option} {name!r}: letters, digits, - and _ (1–40)",
                )
            )
    for name in given.gateways:
        if name not in (district.gateways or {}):
            raise ValueError(
                Text(
                    f"--gateway {name!r}: 网关和它的站写进 {GATEWAYS}，见 config/README.md",
                    f"--gateway {name!r}: a gateway stands in {GATEWAYS} with its stations, see "
                    "config/README.en.md",
                )
            )
    hosts = tuple(given.hosts) or ("localhost", "127.0.0.1")
    table = rights(district, run, given.members, given.adapters)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_file(folder / "acl", "\n".join(acl(table)).encode())
    text = "\n".join(settings(district, given.at or str(folder), given)) + "\n"
    write_file(folder / "mosquitto.conf", text.encode())
    authority = authority_of(folder, district.id, now)
    server(folder, authority, hosts, now)
    if given.certificates:
        clients(folder, authority, list(table), now)
    else:
        _passwords(folder, list(table))
    if given.owner is not None:
        for path in (folder, *(folder / name for name in _READ if (folder / name).exists())):
            os.chown(path, given.owner, -1)
    return len(table)


def _passwords(folder: Path, names: list[str]) -> None:
    """`devices.csv` in the clear for whoever sets devices up, `passwords` hashed for the broker."""
    clear, hidden = folder / "devices.csv", folder / "passwords"
    known: dict[str, str] = {}
    if clear.exists():
        with clear.open(newline="") as f:
            known = {row["name"]: row["password"] for row in csv.DictReader(f)}
    old = dict(x.split(":", 1) for x in hidden.read_text().split()) if hidden.exists() else {}
    made = {name: known.get(name) or secrets.token_urlsafe(18) for name in names}
    rows = "".join(f"{name},{password}\n" for name, password in made.items())
    write_file(clear, f"name,password\n{rows}".encode())
    lines = [
        f"{name}:{old[name] if name in known and name in old else hashed(p, os.urandom(12))}\n"
        for name, p in made.items()
    ]
    write_file(hidden, "".join(lines).encode())
