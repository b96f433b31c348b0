"""The whole line on real servers: every stage a process of its own, Kafka, mosquitto and InfluxDB, and a proxy
for each way from a stage to a server."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bench.kills.plan import LINKS, SERVERS, STAGES
from bench.kills.volumes import Volumes
from bench.servers.influx import InfluxServer
from bench.servers.kafka import Kafka
from bench.servers.mosquitto import Mosquitto
from bench.servers.process import ServerProcess
from bench.servers.tcp_proxy import Proxy
from config.load import load
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, default_config, free_port, make_setup
from stream.log.port import Log

# what a stage counts each time that something of it is in the log, or in history
_COUNTS = {
    "ingest": 'fengsui_records_in_total{stage="ingest"',
    "archive": 'fengsui_records_in_total{stage="archive"',
}
_READY_S = 300.0


def district_of_ours(folder: Path) -> Path:
    """The shipped district, in which people release: a warning waits for them, or for its deadline."""
    shutil.copytree(default_config(), folder)
    policy = folder / "policy.toml"
    text = policy.read_text("utf-8")
    assert "exercise_releases = true" in text
    policy.write_text(
        text.replace("exercise_releases = true", "exercise_releases = false"), "utf-8"
    )
    return folder


class Stage:
    """One stage as a process; it answers for its health on a port of its own."""

    def __init__(self, name: str, words: list[str], env: dict[str, str], notes: Path) -> None:
        self.name, self.notes = name, notes
        self._words = words
        self._port = free_port()
        self._env = {**os.environ, **env, "FENGSUI_HTTP": f"127.0.0.1:{self._port}"}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns at once."""
        with self.notes.open("ab") as out:
            self.process = subprocess.Popen(self._words, stdout=out, stderr=out, env=self._env)

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self.process is not None
        return self.process.pid

    def ended(self) -> bool:
        """By itself, or killed."""
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """At once (SIGKILL)."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As systemd ends it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def commits(self) -> int:
        """How often something of it came into the log since this process began; -1: it does not answer."""
        head = _COUNTS.get(self.name, f'fengsui_commit_seconds_count{{stage="{self.name}"')
        lines = self._ask("metrics").splitlines()
        if not lines:
            return -1
        return sum(int(float(x.rpartition(" ")[2])) for x in lines if x.startswith(head))

    def ready(self) -> bool:
        """It says that it works."""
        return bool(self._ask("readyz"))

    def _ask(self, page: str) -> str:
        at = f"http://127.0.0.1:{self._port}/{page}"
        try:
            with urllib.request.urlopen(at, timeout=2.0) as r:
                return str(r.read().decode())
        except (OSError, ValueError):
            return ""


class RealLine:
    """Everything that one campaign runs on. `begin` starts the stages of one storm, `end` ends them; the
    servers stay until `close`."""

    def __init__(self, folder: Path, heap_mb: int = 512) -> None:
        self.folder = folder
        self.volumes = Volumes(folder)
        self.district_folder = district_of_ours(folder / "district")
        self.proxies = {link: Proxy(free_port()) for link in LINKS}
        at = self.volumes.at
        names = {stage: self.proxies[stage, "kafka"].port for stage in STAGES}
        self.kafka = Kafka(
            at["kafka"], proxied={s.upper(): p for s, p in names.items()}, heap_mb=heap_mb
        )
        self.mosquitto, self.influxdb = Mosquitto(at["mosquitto"]), InfluxServer(at["influxdb"])
        self.servers: dict[str, ServerProcess] = dict(
            zip(SERVERS, (self.kafka, self.mosquitto, self.influxdb), strict=True)
        )
        for server in (self.kafka, self.mosquitto, self.influxdb):
            server.start()
        for (stage, server_name), proxy in self.proxies.items():
            proxy.target = {
                "kafka": self.kafka.ports[stage.upper()],
                "mosquitto": self.mosquitto.port,
                "influxdb": int(self.influxdb.place.host.rpartition(":")[2]),
            }[server_name]
        self.stages: dict[str, Stage] = {}

    def process(self, name: str) -> Stage | ServerProcess:
        """A stage or a server."""
        return self.stages[name] if name in self.stages else self.servers[name]

    def setup(self, run: str, start_at: int) -> Setup:
        """As a command beside the line has it: straight to the servers."""
        return make_setup(
            load(self.district_folder),
            run,
            self.volumes.at["run"],
            broker=self.mosquitto.url,
            log=f"kafka://{self.kafka.address()}",
            history=self.influxdb.place.url,
            start_at=start_at,
        )

    def begin(self, run: str, start: str, carrier_url: str) -> None:
        """Start every stage, and wait until each says that it works. Raises RuntimeError."""
        for name in STAGES:
            words = [sys.executable, "-m", "fengsui", "--config", str(self.district_folder)]
            words += ["--state", str(self.volumes.at["run"]), name, "--run", run, "--start", start]
            words += ["--carrier", carrier_url] if name == "send" else []
            self.stages[name] = Stage(name, words, self._env(name), self.folder / f"{name}.log")
        for name in reversed(STAGES):
            self.stages[name].start()
        if not self.wait(lambda: all(s.ready() for s in self.stages.values()), _READY_S):
            late = [s.name for s in self.stages.values() if not s.ready()]
            said = self.stages[late[0]].notes.read_text(errors="replace")[-2000:] if late else ""
            raise RuntimeError(f"not ready after {_READY_S:.0f} s: {late}: {said}")

    def _env(self, name: str) -> dict[str, str]:
        place = self.influxdb.place

        def port(server: str, otherwise: int) -> int:
            proxy = self.proxies.get((name, server))
            return proxy.port if proxy is not None else otherwise

        broker = self.mosquitto.url.rpartition(":")[0]
        return {
            "FENGSUI_LOG": f"kafka://127.0.0.1:{port('kafka', 0)}",
            "FENGSUI_BROKER": f"{broker}:{port('mosquitto', self.mosquitto.port)}",
            "FENGSUI_HISTORY": f"influx://127.0.0.1:{port('influxdb', 0)}/{place.org}/{place.bucket}",
            "FENGSUI_INFLUX_TOKEN": place.token,
            "FENGSUI_LOG_FORMAT": "json",  # with the time of each word
        }

    def log(self, run: str, start_at: int) -> Log:
        """Of a run, straight on the broker."""
        return open_run_log(self.setup(run, start_at))

    def commits(self) -> dict[str, int]:
        """Stage -> how often something of it came into the log."""
        return {name: stage.commits() for name, stage in self.stages.items()}

    @staticmethod
    def wait(there: Callable[[], bool], within_s: float) -> bool:
        """Does it come to be so?"""
        until = time.monotonic() + within_s
        while not (found := there()) and time.monotonic() < until:
            time.sleep(0.1)
        return found

    def end(self) -> None:
        """Every stage."""
        for stage in self.stages.values():
            stage.stop()
        self.stages = {}

    def close(self) -> None:
        """Everything."""
        self.end()
        for server in self.servers.values():
            with suppress(OSError, AssertionError):
                if not server.ended():
                    os.kill(server.pid, signal.SIGCONT)
                server.stop()
        for proxy in self.proxies.values():
            proxy.close()
        self.volumes.close()
