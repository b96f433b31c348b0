"""Brokers with our table of rights, on loopback: mosquitto with what `fengsui broker-config` made, and
the embedded one."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

from config.records.district import District
from fengsui.run.setup import default_config
from stream.mqtt.access import rights
from stream.mqtt.broker import Broker as Child
from stream.mqtt.broker import as_user, start_broker
from tests.support.servers import absent, free_port, wait_for

ROOT = Path(__file__).parents[2]


class Broker:
    """A mosquitto with the settings that the command made."""

    def __init__(
        self,
        folder: Path,
        *,
        certificates: bool,
        config: Path | None = None,
        run: str = "live",
        more: tuple[str, ...] = (),
    ) -> None:
        path = f"{os.environ['PATH']}:/usr/sbin"
        self._binary = shutil.which("mosquitto", path=path)
        if self._binary is None:
            absent("mosquitto")
        self.folder, self.port, self.certificates = folder / "broker", free_port(), certificates
        (folder / "data").mkdir()
        self._more = (*("--certificates",) * certificates, "--run", run, *more)
        self.make(config or default_config())
        self._notes = folder / "notes"
        self._process: subprocess.Popen[bytes] | None = None

    def make(self, config: Path) -> None:
        """The settings of a district's tables; again, when they have changed."""
        done = subprocess.run(
            [sys.executable, "-m", "fengsui", "--config", str(config), "broker-config",
             "mosquitto", str(self.folder), "--port", str(self.port),
             "--data", str(self.folder.parent / "data"), *self._more],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        if os.geteuid() == 0:  # else mosquitto gives its rights up and cannot read what is ours
            with (self.folder / "mosquitto.conf").open("a") as f:
                f.write("user root\n")
        self.passwords: dict[str, str] = {}
        if not self.certificates:
            with (self.folder / "devices.csv").open(newline="") as f:
                self.passwords = {r["name"]: r["password"] for r in csv.DictReader(f)}

    def start(self) -> "Broker":
        with self._notes.open("ab") as out:
            self._process = subprocess.Popen(
                [str(self._binary), "-c", str(self.folder / "mosquitto.conf")],
                stdout=out, stderr=out,
            )  # fmt: skip
        wait_for(self.port, self._process, self._notes, 60)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(120)  # not killed: an hour's backlog is written on the way out
            self._process = None

    def url(self, name: str) -> str:
        at = f"127.0.0.1:{self.port}?ca={self.folder}/ca.crt"
        if self.certificates:
            own = self.folder / "clients" / name
            return f"mqtts://{at}&cert={own}.crt&key={own}.key"
        return f"mqtts://{name}:{self.passwords[name]}@{at}"


class Embedded:
    """The same table at the embedded broker."""

    certificates = False

    def __init__(self, folder: Path, district: District, run: str = "live") -> None:
        self.folder, self.port = folder, free_port()
        self._district, self._run = district, run
        self._child: Child | None = None

    def start(self) -> "Embedded":
        self._child = start_broker(self.folder, self.port, rights(self._district, self._run))
        return self

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None

    def url(self, name: str) -> str:
        return as_user(f"mqtt://127.0.0.1:{self.port}", self.folder, name)
