"""LoRaWAN over a real mosquitto with the district's rights: what ChirpStack and The Things Stack publish is in
the log, and what either may not say is not."""

import shutil
import threading
from pathlib import Path

import msgspec
import pytest

from config.load import load
from ingest.observation import Observation, Observations
from ingest.stage import run_ingest
from simulators.telemetry.lorawan import Radioed, Reception, chirpstack, things_stack
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Log
from stream.mqtt.client import Mqtt
from stream.records import Run, decode
from stream.wall_clock import now_ms
from tests.support.brokers import Broker
from tests.support.telemetry import WAIT_S, until

pytestmark = pytest.mark.servers

A, B = "24E124126A147C32", "A84041000181C0DE"
TABLE = f"""station,dev_eui,codec,field,scale,offset
S01,{A},milesight-em500-udl,,,523.4
S02,{B},decentlab-mbx,,,7.5
"""


def config(folder: Path) -> Path:
    """Yanqing with two devices."""
    source = Path(__file__).parents[2] / "config" / "yanqing"
    made = shutil.copytree(source, folder / "yanqing")
    (made / "lorawan.csv").write_text(TABLE)
    return made


def readings(log: Log) -> dict[tuple[str, str], list[Observation]]:
    """Of whatever group once, in order of arrival."""
    found: dict[tuple[str, str], list[Observation]] = {}
    reader = msgspec.json.Decoder(Observations)
    for partition, end in enumerate(log.ends("observations")):
        at = log.starts("observations")[partition]
        while at < end and (entries := log.read("observations", partition, at)):
            at = entries[-1].offset + 1
            for entry in entries:
                if b'"type":"observations"' in entry.value[:40]:
                    record = decode(reader.decode, entry.value)
                    for o in record.items if record is not None else ():
                        mine = found.setdefault((o.station, o.quantity), [])
                        if o not in mine:
                            mine.append(o)
    return found


def test_both_servers_publish_and_the_log_has_it(tmp_path: Path) -> None:
    folder = config(tmp_path)
    broker = Broker(tmp_path, certificates=False, config=folder).start()
    district = load(folder)
    run = Run(name="live", kind="live", district=district.id, config="c", start_at=now_ms())
    own, log = (
        open_log(f"sqlite:///{tmp_path}/log", "live", district.id, district.partitions)
        for _ in range(2)
    )
    stop, ready = threading.Event(), threading.Event()

    def work() -> None:
        frames = FrameStore(tmp_path / "frames")
        url = broker.url("fengsui-ingest")
        run_ingest(district, run, own, url, frames, stop, now=now_ms, ready=ready)

    thread = threading.Thread(target=work)
    thread.start()
    servers = [
        Mqtt(broker.url(name), name) for name in ("lorawan-chirpstack", "lorawan-things-stack")
    ]
    try:
        assert ready.wait(WAIT_S)
        one, two = servers
        at = now_ms() - 60_000
        twice = (Reception(), Reception("0016c001f1000002", -120, -14))
        for n in (0, 1, 3):  # the third did not come
            data = bytes.fromhex("017564038210") + bytes([n])
            one.publish(*chirpstack(Radioed(A, data, at + n * 10_000, n, 85, twice)))
        again = Radioed(B, bytes.fromhex("02012f000304d200010bb1"), at, 0)
        two.publish(*things_stack(again))
        two.publish(*things_stack(again._replace(at_ms=at + 400, receptions=twice[1:])))
        # a server speaks under its own topics alone
        two.publish(*chirpstack(Radioed(A, bytes.fromhex("0382FFFF"), at + 40_000, 4, 85)))
        assert one.flush(WAIT_S)
        assert two.flush(WAIT_S)
        two.publish(*things_stack(again._replace(at_ms=at + 50_000, f_cnt=1)))
        assert two.flush(WAIT_S)
        until(lambda: len(readings(log).get(("S02", "stage"), ())) == 2)
        until(lambda: len(readings(log).get(("S01", "stage"), ())) == 3)
        found = readings(log)
    finally:
        for server in servers:
            server.close()
        stop.set()
        thread.join(WAIT_S)
        broker.stop()
        own.close()
    levels = [523_400 - (0x10 + 256 * n) for n in (0, 1, 3)]
    assert [o.value for o in found["S01", "stage"]] == levels
    assert [o.seq for o in found["S01", "stage"]] == [0, 1, 3]
    assert [o.observed_at for o in found["S02", "stage"]] == [at, at + 50_000]
    assert [o.value for o in found["S02", "stage"]] == [7500 - 1234] * 2
    assert [o.value for o in found["S01", "frame_loss"]] == [0, 250]
    assert {o.value for o in found["S01", "rssi"]} == {-970}
    assert {o.value for o in found["S02", "battery_voltage"]} == {2993}
    assert log.ends("dead-letters")[0] == log.starts("dead-letters")[0]
    log.close()
