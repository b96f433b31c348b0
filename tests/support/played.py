"""A storm that was played to its end by the command, once for all tests that look at one, and its
backup. Whoever asks for them reads them and changes nothing."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = "exercise-a"
NOW = 1_753_524_000_000


def fengsui(state: Path, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "fengsui", "--state", str(state), *words],
        capture_output=True, text=True, timeout=600, cwd=ROOT, env={**os.environ, **env},
    )  # fmt: skip


def once(place: Path, make: Callable[[], None]) -> None:
    """Makes what is not made: by the first of all the processes that ask, and the others wait."""
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made := place.with_suffix(".made")).exists():
            make()
            made.touch()


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all processes of this test run keep what they share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def storm(played: Path) -> Path:
    """The state folder of the run RUN."""
    state = played / "storm"

    def play() -> None:
        done = fengsui(
            state, "run", "--scenario", "cloudburst", "--until-done", "--speed", "0", "--plain",
            "--run", RUN, "--port", "0", "--out", str(played / "storm-out"),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        assert "总结 summary" in done.stdout

    once(state, play)
    return state


@pytest.fixture(scope="session")
def storm_out(played: Path, storm: Path) -> Path:
    """What it wrote with --out."""
    return played / "storm-out"


@pytest.fixture(scope="session")
def whole(played: Path, storm: Path) -> Path:
    """The backup of the storm."""
    from config.load import load
    from fengsui.files.backup import take
    from fengsui.run.setup import make_setup

    file, config = storm / "a.tar.gz", ROOT / "config" / "yanqing"
    once(played / "whole", lambda: take(make_setup(load(config), RUN, storm), config, file, NOW))
    return file
