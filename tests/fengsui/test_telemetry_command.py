"""`fengsui telemetry` as the process that it is: started on a district, killed after an answer, started
again."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.load import load
from console.model.follow import DECODERS
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from ingest.observation import Observation, Observations
from ingest.telemetry.codec.sl651 import encode
from simulators.telemetry.sl651 import Station651
from stream.wall_clock import now_ms

pytestmark = pytest.mark.servers
WAIT_S = 90.0
ROOT = Path(__file__).parents[2]


class Command:
    """One process; `port` of TCP."""

    def __init__(self, config: Path, state: Path) -> None:
        words = ("--state", str(state), "telemetry", str(config), "--tcp", "127.0.0.1:0")
        env = os.environ | {"FENGSUI_LANG": "en"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fengsui", *words],
            stderr=subprocess.PIPE,
            text=True,
            env=env,
            cwd=ROOT,
        )
        assert self._process.stderr is not None
        said = ""
        for line in self._process.stderr:
            said += line
            if found := re.search(r"ports (\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise AssertionError(said)

    def end(self, how: signal.Signals) -> int:
        self._process.send_signal(how)
        assert self._process.stderr is not None
        self._process.stderr.read()
        self._process.stderr.close()
        return self._process.wait(WAIT_S)


def kept(config: Path, state: Path) -> list[Observation]:
    log = open_run_log(make_setup(load(config), "live", state))
    found: list[Observation] = []
    for partition, end in enumerate(log.ends("observations")):
        for entry in log.read("observations", partition, 0, end):
            record = DECODERS["observations"].decode(entry.value)
            found += record.items if isinstance(record, Observations) else ()
    log.close()
    return found


def test_what_was_answered_is_kept_through_a_kill_and_said_again_it_is_the_same(
    tmp_path: Path,
) -> None:
    config, state = tmp_path / "yanqing", tmp_path / "var"
    shutil.copytree(ROOT / "config" / "yanqing", config)
    (config / "telemetry.csv").write_text("station,address,element\nS01,60321234,39\n")
    at = now_ms() // 60_000 * 60_000
    command = Command(config, state)
    station = Station651("0060321234", "127.0.0.1", command.port, wait_s=WAIT_S)
    raw = station.frame(0x32, at, at, [encode.element(0x39, 2.5, 4, 3)])
    assert station.hand_over([raw]) is not None
    assert command.end(signal.SIGKILL) == -signal.SIGKILL
    station.close()
    groups = len(kept(config, state))
    assert groups
    command = Command(config, state)
    again = Station651("0060321234", "127.0.0.1", command.port, wait_s=WAIT_S)
    assert again.hand_over([raw]) is not None
    again.close()
    assert command.end(signal.SIGTERM) == 0
    found = kept(config, state)
    assert len(found) == 2 * groups  # it did not remember; detect knows it by its id
    assert {(o.station, o.quantity, o.observed_at, o.value, o.seq) for o in found} == {
        ("S01", "stage", at, 2500, None)
    }


def test_a_district_without_addresses_is_told_what_to_do(tmp_path: Path) -> None:
    words = ("--state", str(tmp_path), "telemetry", "--tcp", "127.0.0.1:0")
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert "telemetry.csv" in done.stderr
