"""The duty room of any revision of this source tree, for `fengsui bench console --against`: a program that is
started with that tree's folder as its path, and names no module that an older tree has elsewhere.

usage: python -P bench/load/duty_room_of.py load STATIONS AREAS
       python -P bench/load/duty_room_of.py peak
It answers each line that it reads with a line of JSON, the first one unasked: where the duty room listens.
load: "second N AT" writes that moment (bench.load.console), "spent" tells what the server took.
peak: Yanqing with decide at work; "ask N M FROM" puts a red to N areas of FROM on, and a second one to M."""

import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import msgspec

from bench.load.console import bench_setup, console, second
from config.records.level import Action, Level
from console.auth.accounts import Users
from console.serve import Listen, serving
from detectors.detection import Detection, Evidence, detection_id
from fengsui.play.console import sources
from fengsui.run.processes import run_stage
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import default_config, make_setup
from fengsui.status.checked_district import load_district
from stream.log.port import Log, Out
from stream.records import Run, Tick, encode
from stream.wall_clock import now_ms

SHARE = 5  # every station reports once in so many seconds
PASSWORD = "a long enough one"
OFFICERS = (("wang", "K-01"), ("li", "D-01"))
_RUN, _START, _MINUTE = "exercise-peak", 1_753_520_400_000, 60_000


def say(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


def load(stations: int, areas: int, folder: Path) -> None:
    """A made district, an update at each "second"."""
    shape = (stations, areas)
    setup = bench_setup(load_district(default_config()), folder, now_ms(), shape)
    setup.folder.mkdir(parents=True)
    log = open_run_log(setup)
    log.append([Out("observations", "", encode(setup.run))])
    for n in range(areas + SHARE):  # so that all have said something
        log.append(second(setup.district, n, setup.run.start_at + n, SHARE))
    with console(setup, shape, whole=False) as server:
        say({"address": server.address, "cookie": server.cookie})
        for line in sys.stdin:
            match line.split():
                case ["second", nth, at]:
                    log.append(second(setup.district, int(nth), int(at), SHARE))
                    say({})
                case ["spent"]:
                    say(server.spent()._asdict())
    log.close()


def peak(folder: Path) -> None:
    """Yanqing's own villages, officers and policy, with every red put to people."""
    district = load_district(default_config())
    strict = msgspec.structs.replace(district.policy, exercise_releases=False)
    district = msgspec.structs.replace(district, policy=strict)
    setup = make_setup(district, _RUN, folder, start_at=_START)
    setup.folder.mkdir(parents=True)
    users = Users(setup.folder)
    for name, officer in OFFICERS:
        users.add(name, "approver", officer, PASSWORD)
    log = open_run_log(setup)
    begin = Run(name="exercise", kind="exercise", district=district.id, config="c", start_at=_START)
    clock = Tick(clock_at=_START + 40 * _MINUTE)
    log.append(
        [Out(topic, "", encode(r)) for topic in ("cases", "observations") for r in (begin, clock)]
    )
    stop, ready = threading.Event(), threading.Event()
    deciding = threading.Thread(target=run_stage, args=("decide", setup, stop, ready))
    deciding.start()
    with serving(
        district,
        setup.run,
        lambda: open_run_log(setup),
        users,
        Listen(),
        now=now_ms,
        sources=sources(setup),
    ) as address:
        say({"address": address})
        for line in sys.stdin:
            match line.split():
                case ["ask", n, m, since]:
                    _ask(log, list(district.areas)[int(since) :], int(n), int(m))
                    say({})
    stop.set()
    deciding.join()
    users.close()
    log.close()


def _ask(log: Log, areas: list[str], first: int, both: int) -> None:
    asked = [
        *((a, "flash_flood") for a in areas[:first]),
        *((a, "debris_flow") for a in areas[:both]),
    ]
    log.append([Out("cases", a, encode(_red(a, hazard))) for a, hazard in asked])


def _red(area: str, hazard: str) -> Detection:
    at = _START + 40 * _MINUTE
    why = Evidence(
        station="R01", quantity="rain", value=78.0, threshold=60.0, window_min=30, observed_at=at
    )
    return Detection(
        id=detection_id(area, hazard, "rain_threshold", at, "red"),
        area=area,
        hazard=hazard,
        rule="rain_threshold",
        level=Level.RED,
        action=Action.NONE,
        detected_at=at,
        since_at=at,
        evidence=(why,),
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as at:
        if sys.argv[1] == "load":
            load(int(sys.argv[2]), int(sys.argv[3]), Path(at))
        else:
            peak(Path(at))
