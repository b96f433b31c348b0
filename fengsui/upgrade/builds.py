"""The stages of a run as processes, each of the one build or the other."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from config.language import Text
from fengsui.run.setup import free_port
from stream.environment import Usage

STAGES = ("ingest", "detect", "decide", "address", "send", "archive")
_READY_S = 300.0
_LEAVES_S = 120.0
_ASIDE = re.compile(r"快照|snapshot")


class Build(NamedTuple):
    """A version of Fengsui on this machine: what starts it, and the district's folder as it reads it."""

    name: str
    words: tuple[str, ...]
    config: Path
    folder: Path | None = None  # its source tree

    def env(self) -> dict[str, str]:
        """Of its processes."""
        found = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        return found | ({"PYTHONPATH": str(self.folder)} if self.folder else {})


def this_build(config: Path) -> Build:
    """The one that is asked."""
    tree = Path(__file__).parents[2]
    return Build("new", (sys.executable, "-m", "fengsui"), config.resolve(), tree)


def older_build(place: Path, config: Path) -> Build:
    """place: a source tree, for which this environment has the libraries; or the `python` of an environment in
    which the older build is installed. Raises Usage: it is neither."""
    if (place / "fengsui" / "__main__.py").is_file():
        return Build("old", (sys.executable, "-m", "fengsui"), config.resolve(), place.resolve())
    if place.is_file() and os.access(place, os.X_OK):
        # not resolved: it is a link, as in any environment
        return Build("old", (str(place.absolute()), "-m", "fengsui"), config.resolve())
    raise Usage(
        Text(
            f"{place}：应为旧版的源码目录，或装了旧版的环境里的 python",
            f"{place}: name the older version's source tree, or the python of its environment",
        )
    )


class Stopped(NamedTuple):
    """A process that has ended. code: 0 as it should be."""

    stage: str
    build: str
    code: int


class Processes:
    """where: variables that name the run's folder and servers; an address may hold a password, which no list of
    processes is to show."""

    def __init__(
        self, folder: Path, where: Mapping[str, str], run: str, start: str, carrier: str
    ) -> None:
        self._folder, self._where, self._carrier = folder, where, carrier
        self._more = ("--run", run, "--start", start)
        self._at: dict[str, tuple[Build, subprocess.Popen[bytes]]] = {}
        self.stopped: list[Stopped] = []

    def start(self, stage: str, build: Build) -> int:
        """Start it, and return the port at which it says how it is."""
        port = free_port()
        extra = ("--carrier", self._carrier) if stage == "send" else ()
        with self._notes(stage, build).open("ab") as out:
            process = subprocess.Popen(  # noqa: S603  # the two builds that were named
                [*build.words, "--config", str(build.config), stage, *self._more, *extra],
                env={
                    **build.env(), **self._where,
                    "FENGSUI_HTTP": f"127.0.0.1:{port}", "FENGSUI_LANG": "en",
                },
                cwd=build.folder or self._folder,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        self._at[stage] = build, process
        return port

    def stop(self, stage: str) -> None:
        """As an operator stops it, and wait; killed when it does not go."""
        build, process = self._at.pop(stage)
        process.terminate()
        try:
            code = process.wait(_LEAVES_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        self.stopped.append(Stopped(stage, build.name, code))

    def change(self, stage: str, build: Build) -> None:
        """Its process ends, and one of this build takes its place. Raises RuntimeError with its last words."""
        self.stop(stage)
        self.wait_ready(stage, self.start(stage, build))

    def wait_ready(self, stage: str, port: int) -> None:
        """Until it works. Raises RuntimeError."""
        build, process = self._at[stage]
        until = time.monotonic() + _READY_S
        while process.poll() is None and time.monotonic() < until:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"{stage} ({build.name}): {self.last_words(stage, build)}")

    def close(self) -> None:
        """Those that read first, so that what is under way is still read."""
        for stage in [s for s in STAGES if s in self._at]:
            self.stop(stage)

    def _notes(self, stage: str, build: Build) -> Path:
        return self._folder / f"{stage}.{build.name}.journal"

    def last_words(self, stage: str, build: Build) -> str:
        """Of its journal."""
        file = self._notes(stage, build)
        return file.read_text("utf-8", "replace")[-1500:].strip() if file.exists() else ""

    def of_snapshots(self) -> list[str]:
        """What stages said of snapshots of the other build, once each."""
        found: dict[str, None] = {}
        for file in sorted(self._folder.glob("*.journal")):
            for line in file.read_text("utf-8", "replace").splitlines():
                if _ASIDE.search(line):
                    found[f"{file.name.removesuffix('.journal')}: {line.strip()}"] = None
        return list(found)
