"""The embedded MQTT broker of a laptop run: amqtt in a child process, on loopback, each user with
a password and with rights of its own (`stream.mqtt.access`).

Always with users: amqtt drops the persistent session of an anonymous client, and its messages
with it. It keeps sessions in memory, speaks MQTT 3.1.1 and carries about 3,000 messages a second;
a district uses mosquitto or EMQX. It ends with its parent.
"""

import hashlib
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec

from config.language import Text
from stream.disk.files import make_folder, write_file
from stream.mqtt.access import Rights

USER = "fengsui"  # of a broker without a table
_FILE = "broker.rights"
_START_S = 180.0  # a loaded machine takes its time over the imports; one that ends is told at once


class BrokerUser(msgspec.Struct, frozen=True):
    """A user. password: SHA-256 in hex of a random one."""

    password: str
    write: tuple[str, ...]
    read: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """What the child is told. bound: a user's name is the id of its session."""

    users: dict[str, BrokerUser]
    bound: bool = True


def digest(password: str) -> str:
    """As an entry holds it."""
    return hashlib.sha256(password.encode()).hexdigest()


def table_of(folder: Path) -> Table:
    """What the parent has written for its child."""
    return msgspec.json.decode((folder / _FILE).read_bytes(), type=Table)


class Broker:
    """A running child."""

    def __init__(self, url: str, process: "subprocess.Popen[bytes]") -> None:
        self.url = url
        self.process = process

    def stop(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()  # the child ends when this pipe does
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def password_file(folder: Path, user: str) -> Path:
    """Where the password of a user of the broker of this folder stands."""
    return folder / "broker-users" / user


def as_user(url: str, folder: Path, user: str) -> str:
    """The embedded broker's URL for one of its users. Raises FileNotFoundError: it has no such."""
    parts = urlsplit(url)
    password = quote(password_file(folder, user).read_text(), safe="")
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{quote(user, safe='')}:{password}@{host}").geturl()


def start_broker(folder: Path, port: int, rights: Mapping[str, Rights] | None = None) -> Broker:
    """Start on 127.0.0.1:`port` and wait until it answers. A user's password is made at its first
    start and kept in `folder`; the URL is `as_user`'s to complete. Without `rights` there is one
    user, who may do everything and whose URL it is. Raises RuntimeError naming the broker's own
    log."""
    make_folder(folder)
    table = rights or {USER: Rights(("#",), ("#",))}
    passwords = _passwords(folder, table)
    users = {n: BrokerUser(digest(passwords[n]), r.write, r.read) for n, r in table.items()}
    write_file(folder / _FILE, msgspec.json.encode(Table(users, rights is not None)))
    notes = folder / "broker.log"
    with notes.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-m", "stream.mqtt.broker_process", str(folder), str(port)],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C is the parent's: the broker goes last
        )
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                url = f"mqtt://127.0.0.1:{port}"
                return Broker(url if rights else as_user(url, folder, USER), process)
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(
        Text(
            f"{port}: 内置 MQTT 服务器没起来，见 {notes}",
            f"{port}: the embedded broker did not start: see {notes}",
        )
    )


def _passwords(folder: Path, users: Mapping[str, Rights]) -> dict[str, str]:
    """What a user has stays; who is no longer a user is forgotten."""
    place = folder / "broker-users"
    make_folder(place, 0o700)
    for old in {p.name for p in place.iterdir()} - users.keys():
        (place / old).unlink()
    found = {}
    for name in users:
        path = password_file(folder, name)
        if not path.exists() or not path.read_text():
            write_file(path, secrets.token_urlsafe(12).encode())
        found[name] = path.read_text()
    return found
