"""Frames of telemetry stations over MQTT, as a gateway brings them: read by ingest, answered when the log has
them."""

import threading
from pathlib import Path

from msgspec.structs import replace

from ingest.stage import Intake, run_ingest
from ingest.telemetry.codec.sl651 import encode
from ingest.telemetry.codec.sl651.frame import Frame651
from ingest.telemetry.codec.sl651.frame import read as read_frame
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.mqtt.client import Message, Mqtt
from stream.records import Run
from stream.wall_clock import now_ms
from tests.support.servers import Mosquitto
from tests.support.telemetry import WAIT_S, A, B, district

GATEWAY, OTHER = "G1", "G2"
DISTRICT = replace(district(), gateways={GATEWAY: ("R01", "S01"), OTHER: ("R02",)})
P = f"fengsui/live/{DISTRICT.id}/"


def raw(address: str, element: bytes, at: int, serial: int = 7) -> bytes:
    body = encode.report(address, serial, at, 0x48, at, [element])
    return encode.frame(address, 0x32, body, password="1234")


def test_frames_of_a_gateway_are_readings_and_answered(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    run = Run(name="live", kind="live", district=DISTRICT.id, config="c", start_at=now_ms())
    log = open_log(f"sqlite:///{tmp_path}/log", "live", DISTRICT.id, DISTRICT.partitions)
    url = mosquitto.url
    stop, ready = threading.Event(), threading.Event()

    def work() -> None:
        frames = FrameStore(tmp_path / "frames")
        run_ingest(DISTRICT, run, log, url, frames, stop, now=now_ms, ready=ready)

    thread = threading.Thread(target=work)
    thread.start()
    modem = Mqtt(url, "modem")
    try:
        assert ready.wait(WAIT_S)
        modem.subscribe([f"{P}down/{GATEWAY}"], WAIT_S)
        at = now_ms() // 60_000 * 60_000
        level = encode.element(0x39, 2.0, 4, 3)
        modem.publish(
            f"{P}gateway/{GATEWAY}/sl651", raw(A, level, at) + raw(A, level, at - 60_000, 8)
        )
        heard: list[Message] = []
        while len(heard) < 2:
            found = modem.get_batch(WAIT_S)
            assert found
            modem.ack(found)
            heard += found
        answers = [read_frame(m.payload) for m in heard]
        assert [a.down for a in answers if isinstance(a, Frame651)] == [True, True]
        assert sum(log.ends("observations")) >= 1
    finally:
        modem.close()
        stop.set()
        thread.join(WAIT_S)
        log.close()


def test_a_gateway_speaks_for_its_own_stations_alone(tmp_path: Path) -> None:
    run = Run(name="live", kind="live", district=DISTRICT.id, config="c", start_at=now_ms())
    intake = Intake(DISTRICT, run, FrameStore(tmp_path))
    intake.clock_at = now_ms()
    at = intake.clock_at // 60_000 * 60_000
    body = raw(A, encode.element(0x39, 2.0, 4, 3), at)
    stranger = raw(B[:-1] + "9", encode.element(0x39, 2.0, 4, 3), at)
    outs = intake.records(
        [
            Message(f"{P}gateway/{OTHER}/sl651", body, 1, 1),
            Message(f"{P}gateway/{GATEWAY}/sl651", stranger + b"\x00", 2, 1),
        ]
    )
    assert {o.topic for o in outs} == {"dead-letters"}
    text = b"".join(o.value for o in outs).decode()
    assert all(reason in text for reason in ("not_its_station", "unknown_station", "no_frame"))
