"""What all processes of a test run share: a storm that was played to its end by the command, and its
backup, which whoever asks for them reads and does not change; servers that are started once."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.warm import command

ROOT = Path(__file__).parents[2]
RUN = "exercise-a"
NOW = 1_753_524_000_000


def fengsui(state: Path, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return command(["--state", str(state), *words], {**os.environ, **env})


def once(place: Path, make: Callable[[], object]) -> None:
    """Makes what is not made: by the first of all the processes that ask, and the others wait."""
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made := place.with_suffix(".made")).exists():
            make()
            made.touch()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def shared(place: Path, start: Callable[[], tuple[int, str]]) -> Iterator[str]:
    """A server for all processes of this test run: the first that asks starts it, the last that leaves
    ends it. start: gives its process id and what whoever uses it must know."""

    def entered(change: Callable[[set[int]], set[int]]) -> dict[str, Any]:
        with place.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            file = place.with_suffix(".json")
            found = json.loads(file.read_text()) if file.exists() else {"users": []}
            users = change({pid for pid in found["users"] if _alive(pid)})
            if not found["users"]:
                found["pid"], found["told"] = start()
            elif not users:
                os.kill(found["pid"], signal.SIGTERM)
            file.write_text(json.dumps({**found, "users": sorted(users)}))
        return found

    told = entered(lambda users: users | {os.getpid()})["told"]
    try:
        yield told
    finally:
        entered(lambda users: users - {os.getpid()})


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all processes of this test run keep what they share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def nothing_of_the_user_s(played: Path) -> Iterator[None]:
    """What lies in the home of whoever runs the tests (keys, settings, matplotlib's list of fonts) is not
    read and not written: they find what a bare machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(played / "home" / "config"))
        patch.setenv("MPLCONFIGDIR", str(played / "home" / "matplotlib"))
        yield


def _whole(state: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """A storm to its end, as the run RUN."""
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", "--state", str(state), *words, "--speed", "0", "--plain",
         "--run", RUN, "--port", "0"],
        capture_output=True, text=True, timeout=1200, cwd=ROOT, umask=0o022,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done


@pytest.fixture(scope="session")
def storm(played: Path) -> Path:
    """The state folder of the run RUN. Its folder was there as an older version made it, open to all."""
    state = played / "storm"

    def play() -> None:
        (state / RUN).mkdir(parents=True, mode=0o755)
        done = _whole(
            state,
            "run",
            "--scenario",
            "cloudburst",
            "--until-done",
            "--out",
            str(played / "storm-out"),
        )
        assert "Fengsui summary" in done.stdout
        left = [state / RUN, *(p for p in (state / RUN).rglob("*") if p.is_file())]
        modes = {str(p.relative_to(state)): p.stat().st_mode & 0o777 for p in left}
        (played / "storm-modes.json").write_text(json.dumps(modes))

    once(state, play)
    return state


@pytest.fixture(scope="session")
def storm_out(played: Path, storm: Path) -> Path:
    """What it wrote with --out."""
    return played / "storm-out"


@pytest.fixture(scope="session")
def drilled(played: Path) -> Path:
    """The state folder of the run RUN of a drill with the same storm."""
    state = played / "drilled"
    once(state, lambda: _whole(state, "drill", "cloudburst", "--out", str(played / "drilled-out")))
    return state


@pytest.fixture(scope="session")
def drilled_out(played: Path, drilled: Path) -> Path:
    """What it wrote with --out."""
    return played / "drilled-out"


@pytest.fixture(scope="session")
def storm_modes(played: Path, storm: Path) -> dict[str, int]:
    """Who may read what it left: the mode of its folder and of every file, by path."""
    found: dict[str, int] = json.loads((played / "storm-modes.json").read_text())
    return found


@pytest.fixture(scope="session")
def whole(played: Path, storm: Path) -> Path:
    """The backup of the storm."""
    from config.load import load
    from fengsui.files.backup import take
    from fengsui.run.setup import make_setup

    file, config = storm / "a.tar.gz", ROOT / "config" / "yanqing"
    once(played / "whole", lambda: take(make_setup(load(config), RUN, storm), config, file, NOW))
    return file
