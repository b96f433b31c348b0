"""The whole line on real servers: every stage a process of its own, Kafka, mosquitto and InfluxDB, and a proxy
for each way from a stage to a server."""

import os
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from bench.kills.plan import LINKS, SERVERS, STAGES
from bench.kills.volumes import Volumes
from bench.servers.influx import InfluxServer
from bench.servers.kafka import Kafka
from bench.servers.mosquitto import Mosquitto
from bench.servers.process import OwnProcess, ServerProcess
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


class Stage(OwnProcess):
    """One stage as a process; it answers for its health on a port of its own."""

    def __init__(self, name: str, words: list[str], env: Mapping[str, str], notes: Path) -> None:
        super().__init__(notes)
        self.name, self._words = name, words
        self._port = free_port()
        self._env = {**os.environ, **env, "FENGSUI_HTTP": f"127.0.0.1:{self._port}"}

    def start(self) -> None:
        """Returns at once."""
        self.run(self._words, self._env)

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


class Place(NamedTuple):
    """Where the servers of a line are, for a command beside it."""

    log: str
    broker: str
    history: str
    token: str


class StageLine:
    """The stages of one storm after another, each a process of its own. `begin` starts them, `end` ends them.
    way: of a stage to servers, where it does not go straight: stage -> its environment."""

    servers: Mapping[str, ServerProcess] = MappingProxyType({})  # of ours, that may be struck
    proxies: Mapping[tuple[str, str], Proxy] = MappingProxyType({})
    volumes: Volumes | None = None

    def __init__(
        self,
        folder: Path,
        state: Path,
        place: Place,
        way: Callable[[str], Mapping[str, str]] = lambda _: {},
    ) -> None:
        self.folder, self.place = folder, place
        self.district_folder = district_of_ours(folder / "district")
        self._state, self._way = state, way
        self.stages: dict[str, Stage] = {}

    def process(self, name: str) -> OwnProcess:
        """A stage or a server."""
        return self.stages[name] if name in self.stages else self.servers[name]

    def setup(self, run: str, start_at: int) -> Setup:
        """As a command beside the line has it: straight to the servers."""
        return make_setup(
            load(self.district_folder),
            run,
            self._state,
            broker=self.place.broker,
            log=self.place.log,
            history=self.place.history,
            start_at=start_at,
        )

    def begin(self, run: str, start: str, carrier_url: str) -> None:
        """Start every stage, and wait until each says that it works, however long that takes. Raises
        RuntimeError where one ends instead."""
        for name in STAGES:
            words = [sys.executable, "-m", "fengsui", "--config", str(self.district_folder)]
            words += ["--state", str(self._state), name, "--run", run, "--start", start]
            words += ["--carrier", carrier_url] if name == "send" else []
            env = {
                "FENGSUI_LOG": self.place.log,
                "FENGSUI_BROKER": self.place.broker,
                "FENGSUI_HISTORY": self.place.history,
                "FENGSUI_INFLUX_TOKEN": self.place.token,
                "FENGSUI_LOG_FORMAT": "json",  # with the time of each word
                **self._way(name),
            }
            self.stages[name] = Stage(name, words, env, self.folder / f"{name}.log")
        for name in reversed(STAGES):
            self.stages[name].start()
        self.wait(lambda: all(s.ready() for s in self.stages.values()))

    def log(self, run: str, start_at: int) -> Log:
        """Of a run, straight on the broker."""
        return open_run_log(self.setup(run, start_at))

    def commits(self) -> dict[str, int]:
        """Stage -> how often something of it came into the log."""
        return {name: stage.commits() for name, stage in self.stages.items()}

    def wait(self, there: Callable[[], bool]) -> None:
        """Until it is so. Raises RuntimeError with the last words of a stage that ended instead."""
        while not there():
            for stage in self.stages.values():
                if stage.ended():
                    said = stage.notes.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{stage.name} ended: {said}")
            time.sleep(0.1)

    def end(self) -> None:
        """Every stage."""
        for stage in self.stages.values():
            stage.stop()
        self.stages = {}


class RealLine(StageLine):
    """A line with servers of its own, each on a disk that can be filled, and a proxy before each way to them.
    The servers stay until `close`."""

    def __init__(self, folder: Path, heap_mb: int = 512) -> None:
        volumes = self.volumes = Volumes(folder)
        proxies = self.proxies = {link: Proxy(free_port()) for link in LINKS}
        at = volumes.at
        names = {stage: proxies[stage, "kafka"].port for stage in STAGES}
        kafka = Kafka(
            at["kafka"], proxied={s.upper(): p for s, p in names.items()}, heap_mb=heap_mb
        )
        mosquitto, influxdb = Mosquitto(at["mosquitto"]), InfluxServer(at["influxdb"])
        self.servers = dict(zip(SERVERS, (kafka, mosquitto, influxdb), strict=True))
        for server in self.servers.values():
            server.start()
        for (stage, server_name), proxy in proxies.items():
            proxy.target = {
                "kafka": kafka.ports[stage.upper()],
                "mosquitto": mosquitto.port,
                "influxdb": int(influxdb.place.host.rpartition(":")[2]),
            }[server_name]
        of = influxdb.place
        place = Place(f"kafka://{kafka.address()}", mosquitto.url, of.url, of.token)
        super().__init__(folder, at["run"], place, self._proxied)

    def _proxied(self, name: str) -> dict[str, str]:
        broker, history = self.place.broker.rpartition(":")[0], self.place.history.split("/", 3)[3]
        urls = {
            "kafka": ("FENGSUI_LOG", "kafka://127.0.0.1:{}"),
            "mosquitto": ("FENGSUI_BROKER", broker + ":{}"),
            "influxdb": ("FENGSUI_HISTORY", "influx://127.0.0.1:{}/" + history),
        }
        return {
            urls[server][0]: urls[server][1].format(proxy.port)
            for (stage, server), proxy in self.proxies.items()
            if stage == name
        }

    def close(self) -> None:
        """Everything."""
        self.end()
        for server in self.servers.values():
            with suppress(OSError, AssertionError):
                server.stop()
        for proxy in self.proxies.values():
            proxy.close()
        if self.volumes is not None:
            self.volumes.close()
