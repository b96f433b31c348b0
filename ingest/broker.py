"""The embedded MQTT broker of a laptop run: amqtt in a child process, on loopback, with a user.

Always with a user: amqtt drops the persistent session of an anonymous client, and its messages
with it. It keeps sessions in memory, speaks MQTT 3.1.1 and carries about 3,000 messages a second;
a district uses mosquitto or EMQX. It ends with its parent.
"""

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

USER = "fengsui"
_START_S = 60.0  # a loaded machine takes its time over the imports


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


def start_broker(folder: Path, port: int) -> Broker:
    """Start on 127.0.0.1:`port` and wait until it answers. The password is made at the first start
    and kept in `folder`. Raises RuntimeError naming the broker's own log."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = folder / "broker.password"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(12))
    password = secret.read_text()
    notes = folder / "broker.log"
    with notes.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-m", "ingest.broker", str(folder), str(port)],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C is the parent's: the broker goes last
        )
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return Broker(f"mqtt://{USER}:{password}@127.0.0.1:{port}", process)
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"{port}: 内置 MQTT 没起来 the embedded broker did not start: see {notes}")


def _password_file(folder: Path) -> Path:
    """In the form that amqtt reads."""
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    path = folder / "broker.users"
    hashed = PasswordHash((Argon2Hasher(),)).hash((folder / "broker.password").read_text())
    path.touch(mode=0o600)
    path.write_text(f"{USER}:{hashed}\n")
    return path


async def _serve(folder: Path, port: int) -> None:
    from amqtt.broker import Broker as Amqtt

    broker = Amqtt(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.FileAuthPlugin": {
                    "password_file": str(_password_file(folder))
                },
            },
        }
    )
    await broker.start()
    await asyncio.Event().wait()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
