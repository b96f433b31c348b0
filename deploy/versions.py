#!/usr/bin/env python3
"""The tests on the oldest and the newest version of a library that pyproject.toml allows.

    make versions                        every library, both ends: one line each, exit status 1 if any failed
    make versions ARGS="numpy scipy"     these alone

Each end is a folder in build/versions with these libraries alone, which go before those of the lock: all
else is as locked. It wants the package index, and a quarter of an hour of two cores.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "versions"
# library -> the tests that reach it
TESTS: dict[str, tuple[str, ...]] = {
    "apprise": ("tests/dispatch/channels/test_bots.py", "tests/dispatch/channels/test_channels.py"),
    "numpy": ("tests/detectors/rules/test_kinds.py", "tests/detectors/rules/test_rain_threshold.py",
              "tests/skill/test_series_skill.py", "tests/simulators"),
    "opencv-python-headless": ("tests/detectors/camera", "tests/fengsui/pictures/test_persons.py"),
    "scipy": ("tests/detectors/rules/test_kinds_runoff.py", "tests/detectors/camera/test_camera_speed.py",
              "tests/simulators/test_simulators.py"),
    "paho-mqtt": ("tests/contracts/test_node_contract.py", "tests/servers/test_broker_leaves.py",
                  "tests/servers/test_qos_0.py",
                  "tests/ingest/telemetry/things/test_at_the_broker.py"),
    "kafka-python": ("tests/contracts/test_log_contract.py", "tests/servers/test_kafka_rights.py",
                     "tests/servers/test_kafka_stale_owner.py"),
    "influxdb-client": ("tests/contracts/test_history_contract.py",
                        "tests/servers/test_history_influx.py"),
}  # fmt: skip
# what ">=4.11" means where a release has four numbers
FIRST = {"opencv-python-headless": "4.11.0.86"}


def requirements() -> dict[str, Requirement]:
    """Of these libraries, as pyproject.toml has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    found = {r.name: r for line in lines if (r := Requirement(line)).name in TESTS}
    lacking = ", ".join(TESTS.keys() - found.keys())
    assert not lacking, f"pyproject.toml does not name {lacking}"
    return found


def oldest(requirement: Requirement) -> str:
    """The first version that it allows, pinned."""
    (least,) = (s.version for s in requirement.specifier if s.operator == ">=")
    return f"{requirement.name}=={FIRST.get(requirement.name, least)}"


def newest(requirement: Requirement) -> str:
    """Whatever the index serves within the bounds."""
    return f"{requirement.name}{requirement.specifier}"


def fetch(end: str, wanted: Sequence[str]) -> Path:
    """The folder of one end, fetched anew."""
    folder = BUILD / end / "site-packages"  # as the tiers of the tests know what is a library's
    subprocess.run(  # noqa: S603  # pip, by our own interpreter
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--upgrade", "--target", folder, *wanted],
        check=True,
    )  # fmt: skip
    return folder


def version(name: str, folder: Path) -> str:
    """What lies in a folder of `fetch`."""
    pattern = re.sub(r"[-_.]", "[-_.]", name)
    (found,) = (p.name for p in folder.glob("*.dist-info") if re.match(pattern + r"-\d", p.name))
    return found.removesuffix(".dist-info").rsplit("-", 1)[1]


def tried(name: str, folder: Path) -> tuple[bool, str]:
    """Whether its tests pass there, and pytest's last line."""
    env = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", *TESTS[name]]
    done = subprocess.run(  # noqa: S603  # pytest, by our own interpreter
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    lines = done.stdout.strip().splitlines()
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print(f"    {line}", flush=True)
    return done.returncode == 0, (lines or [done.stderr[-300:]])[-1].strip("= ")


def main(names: Sequence[str]) -> int:
    """Exit status."""
    known = requirements()
    chosen = [n for n in known if not names or n in names]
    if unknown := set(names) - set(known):
        sys.exit(f"no such library here: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    failed = 0
    for end, pin in (("oldest", oldest), ("newest", newest)):
        folder = fetch(end, [pin(known[n]) for n in known])
        for name in chosen:
            passed, line = tried(name, folder)
            failed += not passed
            print(f"{end:7} {name:24} {version(name, folder):12} {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
