"""`fengsui camera` as the process that it is: it fetches, turns faster by what stands in the line's log, and
ends when it is told."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.load import load
from config.records.level import Action, Level
from console.model.follow import DECODERS
from detectors.detection import Detection
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from ingest.observation import Flag, Observation, Observations
from stream.log.port import Log, Out
from stream.records import encode
from stream.wall_clock import now_ms
from tests.support.watching import camera, jpeg, until

pytestmark = pytest.mark.servers
ROOT = Path(__file__).parents[2]
WAIT_S = 90.0
BODY = jpeg()
ROW = "station,url,user,secret,fast_s,changed\nV01,{url}/s.jpg,eye,env:EYE,0.2,1\n"


def district(folder: Path, url: str) -> Path:
    """Yanqing, whose cameras send a picture an hour."""
    config = folder / "yanqing"
    shutil.copytree(ROOT / "config" / "yanqing", config)
    (config / "camera_sources.csv").write_text(ROW.format(url=url))
    file = config / "stations.csv"
    file.write_text(
        file.read_text("utf-8").replace(",700,300,1800,300,", ",700,3600,9000,300,"), "utf-8"
    )
    return config


@contextmanager
def process(config: Path, state: Path, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    words = ("--state", str(state), "camera", str(config))
    env = os.environ | {"FENGSUI_LANG": "en", **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "fengsui", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        cwd=ROOT,
    ) as found:
        try:
            yield found
        finally:
            if found.poll() is None:
                found.kill()


def pictures(log: Log) -> int:
    """So many stand in the log."""
    at = set()
    for partition, end in enumerate(log.ends("observations")):
        for entry in log.read("observations", partition, 0, max(1, end)):
            record = DECODERS["observations"].decode(entry.value)
            items = record.items if isinstance(record, Observations) else ()
            at |= {o.observed_at for o in items if o.quantity == "frame"}
    return len(at)


@pytest.mark.parametrize("what", ["rain", "a rule"])
def test_it_turns_faster_by_what_stands_in_the_log(what: str, tmp_path: Path) -> None:
    with camera(lambda _: (200, {"Content-Type": "image/jpeg"}, BODY)) as url:
        config, state = district(tmp_path, url), tmp_path / "var"
        setup = make_setup(load(config), "live", state)
        with process(config, state, EYE="s3cret-of-the-eye") as found:
            said: list[str] = []
            assert found.stderr is not None
            reader = threading.Thread(target=said.extend, args=(found.stderr,), name="its words")
            reader.start()
            log = open_run_log(setup)
            try:
                assert until(lambda: pictures(log) == 1)
                now, d = now_ms(), setup.district
                if what == "rain":
                    fell = Observation(
                        station="R01", quantity="rain", observed_at=now, value=80, flag=Flag.GOOD
                    )
                    group = d.groups_of_station["R01"][0]
                    record: object = Observations.of(group, now, [fell])
                    log.append([Out("observations", group, encode(record))])  # type: ignore[arg-type]
                else:
                    area = next(w.area for w in d.watches if w.station == "V01")
                    told = Detection(
                        id="d1", area=area, hazard="debris_flow", rule="ground_shakes",
                        level=Level.YELLOW, action=Action.NONE, detected_at=now, since_at=now,
                    )  # fmt: skip
                    log.append([Out("cases", area, encode(told))])
                assert until(lambda: pictures(log) >= 4)
                found.send_signal(signal.SIGTERM)
                assert found.wait(WAIT_S) == 0
            finally:
                log.close()
            reader.join(WAIT_S)
    assert "a picture every 0.2 s" in "".join(said)
    assert "s3cret-of-the-eye" not in "".join(said)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("", "camera_sources.csv"),
        ("station,url,user,secret\nV01,http://127.0.0.1:9/s,eye,env:NO_EYE\n", "NO_EYE"),
    ],
)
def test_what_it_cannot_begin_with_is_told(row: str, says: str, tmp_path: Path) -> None:
    config = district(tmp_path, "http://127.0.0.1:9")
    file = config / "camera_sources.csv"
    if row:
        file.write_text(row)
    else:
        file.unlink()
    with process(config, tmp_path / "var") as found:
        _, words = found.communicate(timeout=WAIT_S)
    assert found.returncode == 2
    assert says in words
