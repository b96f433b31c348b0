"""Observations on a real broker with the rights of the tables: by the user of things.csv, by a bridge from
another's server, and by nobody else."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.load import load
from config.records.district import District
from console.model.follow import DECODERS
from ingest.observation import Observations
from ingest.stage import run_ingest
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Log
from stream.mqtt.access import INGEST
from stream.mqtt.client import Mqtt
from stream.records import Run
from stream.wall_clock import now_ms
from tests.support.brokers import Broker, Embedded
from tests.support.servers import free_port, wait_for

WAIT_S = 90.0
ROOT = Path(__file__).parents[4]
TOPIC = "v1.1/Datastreams(12)/Observations"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    made = shutil.copytree(ROOT / "config" / "yanqing", tmp_path / "yanqing")
    (made / "things.csv").write_text("datastream,station,unit\n12,S01,cm\nx,S02,m\n")
    return made


@contextmanager
def heard(district: District, folder: Path, url: str) -> Iterator[Log]:
    """A live ingest at the broker."""
    log = open_log(f"sqlite:///{folder}", "live", "yanqing", district.partitions)
    run = Run(name="live", kind="live", district="yanqing", config="c", start_at=now_ms())
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=run_ingest,
        args=(district, run, log, url, FrameStore(folder / "f"), stop),
        kwargs={"now": now_ms, "ready": ready},
    )
    thread.start()
    try:
        assert ready.wait(WAIT_S)
        yield log
    finally:
        stop.set()
        thread.join(WAIT_S)
        log.close()


def levels(log: Log) -> dict[tuple[str, int], int]:
    found = {}
    for part in range(len(log.ends("observations"))):
        for entry in log.read("observations", part, 0):
            record = DECODERS["observations"].decode(entry.value)
            if isinstance(record, Observations):
                found |= {(o.station, o.observed_at): o.value for o in record.items}
    return found


def awaited(log: Log, station: str) -> dict[tuple[str, int], int]:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        found = levels(log)
        if any(name == station for name, _ in found):
            return levels(log)  # again: a partition read before this one's had not all of it yet
        time.sleep(0.05)
    raise AssertionError(levels(log))


def body(at: int, result: float) -> bytes:
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at / 1000))
    return json.dumps({"phenomenonTime": when, "result": result}).encode()


def test_the_embedded_broker_lets_the_tables_user_speak_and_no_other(
    tmp_path: Path, config: Path
) -> None:
    district, at = load(config), now_ms() // 1000 * 1000
    broker = Embedded(tmp_path / "broker", district).start()
    try:
        with heard(district, tmp_path / "run", broker.url(INGEST)) as log:
            other = Mqtt(broker.url("R01"), "R01")
            other.publish(TOPIC, body(at - 60_000, 999))
            mine = Mqtt(broker.url("things"), "things")
            mine.publish(TOPIC, body(at, 123))
            mine.publish("v1.1/Datastreams('x')/Observations", body(at, 2.5))
            mine.flush(WAIT_S)
            found = awaited(log, "S02")
            assert found == {("S01", at): 1230, ("S02", at): 2500}
            other.close()
            mine.close()
    finally:
        broker.stop()


@pytest.mark.servers
def test_a_bridge_brings_what_another_server_publishes(tmp_path: Path, config: Path) -> None:
    """mosquitto with our rights, and the lines of docs/devices/sensorthings.md beside them."""
    district, at = load(config), now_ms() // 1000 * 1000
    far, notes = free_port(), tmp_path / "far.log"
    broker = Broker(tmp_path, certificates=False, config=config)
    with (broker.folder / "mosquitto.conf").open("a") as f:
        f.write(
            f"connection province\naddress 127.0.0.1:{far}\ntopic {TOPIC} in 1\n"
            "remote_clientid fengsui-yanqing\ncleansession false\n"
        )
    (tmp_path / "far.conf").write_text(f"listener {far} 127.0.0.1\nallow_anonymous true\n")
    with notes.open("wb") as out:
        binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        server = subprocess.Popen(
            [str(binary), "-c", str(tmp_path / "far.conf")], stdout=out, stderr=out
        )
    try:
        wait_for(far, server, notes, WAIT_S)
        broker.start()
        with heard(district, tmp_path / "run", broker.url(INGEST)) as log:
            province = Mqtt(f"mqtt://127.0.0.1:{far}", "frost")
            until = time.monotonic() + WAIT_S
            while not levels(log) and time.monotonic() < until:  # until the bridge has come up
                province.publish(TOPIC, body(at, 123))
                province.flush(WAIT_S)
                time.sleep(0.5)
            province.close()
            assert levels(log) == {("S01", at): 1230}
    finally:
        broker.stop()
        server.terminate()
        server.wait(WAIT_S)
