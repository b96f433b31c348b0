"""`fengsui bench --only kafka`, from sensor to channel: every stage a process of its own, as in
production, around one broker: mosquitto where there is one."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from bench.load.broker import bench_broker
from bench.load.publisher import START
from config.records.district import District
from fengsui.run.run_log import STAGES, open_run_log
from fengsui.run.setup import make_setup
from simulators.carriers.phones import Carrier

_STAGE_S = 60.0


class Processes:
    """The line of a fresh exercise; `broker_url`, `prefix`, `gauges` and `setup` are what the load
    and the watcher need; `broker`: what serves it."""

    def __init__(self, district: District, url: str, folder: Path) -> None:
        run = f"exercise-bench{time.time_ns():x}"
        self.setup = make_setup(district, run, folder, log=url, start_at=START * 1000)
        self.setup.folder.mkdir(parents=True, exist_ok=True)
        self._stages: list[subprocess.Popen[bytes]] = []
        with ExitStack() as begun:  # what has begun ends if the rest cannot
            self._open = begun
            self._begin(folder, url, run, district)
            self._open = begun.pop_all()

    def _begin(self, folder: Path, url: str, run: str, district: District) -> None:
        self.broker_url, self.broker = self._open.enter_context(bench_broker(folder, ""))
        self.carrier = Carrier()
        self._open.callback(self.carrier.close)
        self.prefix = f"fengsui/{run}/{district.id}"
        self.gauges = [s.id for s in district.stations.values() if s.quantity == "rain"]
        self.log = open_run_log(self.setup)
        self._open.callback(self.log.close)
        self._open.callback(self._end)
        for name in STAGES:
            self._stages.append(self._start(name, folder))
        until = time.monotonic() + _STAGE_S
        # the run record passes down the line when every stage is there
        while not self.log.ends("alerts")[0] and time.monotonic() < until:
            self._all_up(folder)
            time.sleep(0.1)
        time.sleep(5)
        self._all_up(folder)

    def _all_up(self, folder: Path) -> None:
        """Raises RuntimeError with what a stage said that has ended: without it nothing is measured."""
        for name, stage in zip(STAGES, self._stages, strict=True):
            if stage.poll() is not None:
                said = (folder / f"{name}.log").read_text("utf-8", "replace")
                raise RuntimeError(f"{name}: {said[-1500:]}")

    def _start(self, name: str, folder: Path) -> "subprocess.Popen[bytes]":
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START))
        words = [sys.executable, "-m", "fengsui", "--state", str(folder), name]
        words += ["--run", self.setup.run.name, "--start", start]
        if name == "send":
            words += ["--carrier", self.carrier.url]
        with (folder / f"{name}.log").open("wb") as out:
            env = {**os.environ, "FENGSUI_LOG": self.setup.log, "FENGSUI_HISTORY": ""}
            env["FENGSUI_BROKER"] = self.broker_url
            return subprocess.Popen(words, stdout=out, stderr=out, env=env)

    def _end(self) -> None:
        for stage in self._stages:
            stage.terminate()
        for stage in self._stages:
            try:
                stage.wait(timeout=60)
            except subprocess.TimeoutExpired:
                stage.kill()
                stage.wait()

    def close(self) -> None:
        self._open.close()
