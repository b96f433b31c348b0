"""`fengsui weather` as the process that it is: killed at many instants while files come in, started again."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from config.load import load
from console.model.follow import DECODERS
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from ingest.observation import Observations
from stream.records import DeadLetter
from stream.wall_clock import now_ms

pytestmark = pytest.mark.servers
ROOT = Path(__file__).parents[2]
FILES, ROWS, WAIT_S = 30, 20, 90.0
FORMS = """
[form.five]
files = "*.csv"
station = "id"
time = ["time"]
"""


def district(folder: Path) -> Path:
    config = folder / "yanqing"
    shutil.copytree(ROOT / "config" / "yanqing", config)
    (config / "weather.toml").write_text(FORMS)
    (config / "weather.csv").write_text("form,id,column,station\nfive,54406,PRE,R01\n")
    return config


def words(config: Path, state: Path, drop: Path, *more: str) -> list[str]:
    found = (sys.executable, "-m", "fengsui", "--config", str(config), "--state", str(state))
    return [*found, "weather", str(drop), "--every", "0.05", *more]


ENV = os.environ | {"FENGSUI_LANG": "en"}


def kept(config: Path, state: Path) -> tuple[list[int], int]:
    """Times of the readings of one group, in order, and how many letters."""
    log = open_run_log(make_setup(load(config), "live", state))
    times: dict[str, list[int]] = {}
    letters = 0
    for topic in ("observations", "dead-letters"):
        for partition, end in enumerate(log.ends(topic)):
            for entry in log.read(topic, partition, 0, max(1, end)):
                record = DECODERS[topic].decode(entry.value)
                if isinstance(record, Observations):
                    times.setdefault(record.group, []).extend(record.observed_at)
                letters += isinstance(record, DeadLetter)
    log.close()
    (found,) = {tuple(sorted(t)) for t in times.values()}
    return list(found), letters


def test_killed_again_and_again_it_brings_each_reading_once(tmp_path: Path) -> None:
    config, state, drop = district(tmp_path), tmp_path / "var", tmp_path / "drop"
    drop.mkdir()
    begin = now_ms() // 1000 - 86_400
    expected = []
    for n in range(FILES):
        times = [begin + (n * ROWS + k) * 60 for k in range(ROWS)]
        expected += [t * 1000 for t in times]
        text = "".join(f"54406,{_utc(t)},0.{k % 5}\n" for k, t in enumerate(times))
        (drop / f"{n:02}.csv").write_text("id,time,PRE\n" + text + f"54406,{_utc(begin)},x\n")
    waited = threading.Event()
    for n in range(8):  # each lives a little longer
        with subprocess.Popen(
            words(config, state, drop), stderr=subprocess.PIPE, env=ENV, cwd=ROOT
        ) as p:
            assert p.stderr is not None
            p.stderr.readline()  # it is up
            waited.wait(n * 0.04)
            p.kill()
    done = subprocess.run(
        words(config, state, drop, "--once"), capture_output=True, env=ENV, cwd=ROOT, timeout=WAIT_S,
        check=False,
    )  # fmt: skip
    left = [p.name for p in drop.iterdir() if p.is_file()]
    assert not left, done.stderr
    assert len(list((drop / "done").iterdir())) == FILES
    times, letters = kept(config, state)
    assert times == expected
    assert letters == FILES


def _utc(at: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_district_without_such_files_is_told_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        words(ROOT / "config" / "yanqing", tmp_path / "var", tmp_path),
        capture_output=True,
        text=True,
        check=False,
        env=ENV,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert "weather.toml" in done.stderr
