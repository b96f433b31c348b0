"""Who does a stage's work, as `fengsui status` and `fengsui doctor` say it."""

import subprocess
import sys
from pathlib import Path

from config.language import zh
from fengsui.doctor.examine import examine
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from fengsui.status.lines import status_lines
from ingest.observation import Flag, Observation, Observations
from stream.log.port import Consumer, Log, Out
from stream.records import Tick, encode
from stream.stages.run_identity import begin
from tests.support.districts import yanqing
from tests.support.one_language import CHINESE

DISTRICT = yanqing()
PARTITIONS = DISTRICT.partitions
T0 = 1_787_760_000_000  # 2026-08-27 00:00 in Beijing
# a member of detect that ends as a process that is killed does: it lets go of nothing
_DIES = """
import os, sys
from pathlib import Path
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from tests.support.districts import yanqing
log = open_run_log(make_setup(yanqing(), "live", Path(sys.argv[1]), start_at=int(sys.argv[2])))
consumer = log.join("observations", "detect", "gone-1")
consumer.poll(0)
os._exit(0)
"""


def live(folder: Path) -> tuple[Setup, Log]:
    setup = make_setup(DISTRICT, "live", folder, start_at=T0)
    log = open_run_log(setup)
    begin(log, setup.run)
    log.append([Out("observations", "t", encode(Tick(clock_at=T0)), p) for p in range(PARTITIONS)])
    return setup, log


def said(log: Log, setup: Setup) -> list[str]:
    lines = list(status_lines(log, DISTRICT, T0 + 1000, setup.run))
    assert not any(CHINESE.search(x if isinstance(x, str) else x.en) for x in lines)
    return [x if isinstance(x, str) else x.en for x in lines]


def joined(log: Log, name: str) -> Consumer:
    consumer = log.join("observations", "detect", name)
    consumer.poll(0)
    return consumer


def test_owners_and_who_stands_by_are_named_and_nobody_is_missed_where_all_are_there(
    tmp_path: Path,
) -> None:
    setup, log = live(tmp_path)
    one, two = joined(log, "hall-7"), joined(log, "hall-8")
    (detect,) = (x for x in said(log, setup) if x.startswith("  detect"))
    assert f"{PARTITIONS} of {PARTITIONS} partitions have an owner (hall-7)" in detect
    assert "1 on standby (hall-8)" in detect
    assert not [x for x in said(log, setup) if x.startswith("! detect")]
    one.close()
    assert [x for x in said(log, setup) if x.startswith("! detect") and "1 on standby" in x]
    two.poll(0)
    two.close()
    log.close()


def test_a_stage_that_was_killed_is_missed_since_it_was_last_heard_of(tmp_path: Path) -> None:
    setup, log = live(tmp_path)
    decide = log.join("cases", "decide", "hall-9")  # somebody is at work
    decide.poll(0)
    subprocess.run([sys.executable, "-c", _DIES, str(tmp_path), str(T0)], check=True)
    one = Observation(station="R01", quantity="rain", observed_at=T0, value=1, flag=Flag.GOOD)
    log.append([Out("observations", "g", encode(Observations.of("g", T0 + 5000, (one,))))])
    (line,) = (x for x in said(log, setup) if x.startswith("! detect"))
    assert f"none of its {PARTITIONS} partitions has an owner since " in line
    assert "records unread, the oldest came at" in line
    assert line.endswith("; nobody stands by")
    found = [f for f in examine(setup, log, T0 + 1000, None).line if f.code == "no_owner"]
    assert [f.what.en for f in found if f.what.en.startswith("detect")] == [line.removeprefix("! ")]
    assert all(zh(f.todo) != f.todo.en for f in found)
    (address,) = (x for x in said(log, setup) if x.startswith("! address"))
    assert address.startswith("! address: it has no owner")
    assert address.endswith("; nobody stands by")
    decide.close()
    log.close()


def test_where_nothing_runs_one_line_says_so(tmp_path: Path) -> None:
    setup, log = live(tmp_path)
    lines = said(log, setup)
    assert "! no stage is at work: nobody judges, nobody sends" in lines
    assert not [x for x in lines if "nobody stands by" in x]
    log.close()
