"""A mosquitto with one user, that keeps its sessions over a restart."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

from bench.servers.process import Absent, ServerProcess
from fengsui.files.mosquitto import Given, stored
from fengsui.run.setup import free_port

SQLITE = "mosquitto_persist_sqlite.so"


def sqlite_plugin() -> Path | None:
    """The plugin of mosquitto 2.1 that keeps its store in SQLite, where it lies beside the broker that the path
    has; 2.0 has none."""
    binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        return None
    lib = Path(binary).resolve().parents[1] / "lib"  # never looked through: it may be all of /usr/lib
    places = (p for place in ("", "*/", "*/mosquitto/") for p in lib.glob(f"{place}{SQLITE}"))
    return next(iter(sorted(places)), None)


class Mosquitto(ServerProcess):
    """A broker with one user, that keeps its sessions over a restart."""

    user, password = "fengsui", "secret"

    def __init__(self, folder: Path, sqlite: Path | None = None) -> None:
        """sqlite: of `sqlite_plugin`; None: a file that it writes each second. Raises Absent."""
        path = f"{os.environ['PATH']}:/usr/sbin"
        self._binary = shutil.which("mosquitto", path=path)
        if self._binary is None or shutil.which("mosquitto_pub") is None:
            raise Absent("mosquitto")
        super().__init__(folder / "mosquitto.log")
        self.folder, self.sqlite = folder, sqlite
        self.port = free_port()
        secret = folder / "users"
        secret.write_text(f"{self.user}:{self.password}\n")
        secret.chmod(0o600)
        subprocess.run(
            [str(shutil.which("mosquitto_passwd", path=path)), "-U", str(secret)], check=True
        )
        store = "\n".join(stored(Given(data=str(folder), sqlite=str(sqlite or ""))))
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {secret}\n{store}\n"
            "max_queued_messages 0\nmax_inflight_messages 200\nuser root\n"
        )

    @property
    def url(self) -> str:
        """With its user and password."""
        return f"mqtt://{self.user}:{self.password}@127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Returns when it answers."""
        self._begin([str(self._binary), "-c", str(self.folder / "mosquitto.conf")], self.port)
        return self

    def publish(self, topic: str, payload: str, version: str = "311") -> None:
        """By the client that is not ours."""
        subprocess.run(
            [
                "mosquitto_pub",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-u",
                self.user,
                "-P",
                self.password,
                "-V",
                version,
                "-q",
                "1",
                "-t",
                topic,
                "-m",
                payload,
            ],
            check=True,
            timeout=90,
        )
