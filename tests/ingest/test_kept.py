"""Ingest: whatever arrives is an observation or a dead letter, and what was acknowledged is kept."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from console.model.follow import DECODERS
from ingest.decode.frame import check_frame
from ingest.decode.reading import REASONS, Reading, decode_json
from ingest.decode.senml import decode_senml, resolve
from ingest.observation import Observations
from ingest.stage import Intake, run_ingest
from stream.clock import last_tick
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Out, Unavailable
from stream.mqtt.broker import start_broker
from stream.mqtt.client import Message, Mqtt
from stream.records import Rejected, Run, Tick
from stream.stages.run_identity import begin
from tests.support.districts import yanqing
from tests.support.examples import examples
from tests.support.servers import Mosquitto, free_port

ROOT = Path(__file__).parents[2]
DISTRICT = yanqing()
NOW = 1_753_524_000_000
PREFIX = "fengsui/exercise/yanqing/"
RUN = Run(name="exercise", kind="exercise", district="yanqing", config="c", start_at=NOW)


def intake(tmp_path: Path) -> Intake:
    return Intake(DISTRICT, RUN, FrameStore(tmp_path / "frames"))


def message(suffix: str, payload: bytes) -> Message:
    return Message(PREFIX + suffix, payload, 1, 1)


def split(outs: list[Out]) -> tuple[list, list, list]:  # type: ignore[type-arg]
    """Observations, dead letters, ticks."""
    records = [DECODERS[o.topic].decode(o.value) for o in outs]
    return (
        [o for r in records if isinstance(r, Observations) for o in r.items],
        [r for o, r in zip(outs, records, strict=True) if o.topic == "dead-letters"],
        [r for r in records if isinstance(r, Tick)],
    )


GOOD = {"time": NOW / 1000, "value": 1.2, "unit": "mm", "seq": 7}
FIELDS = [
    ("value", None, "bad_value"),
    ("value", "1.2", "bad_value"),
    ("value", True, "bad_value"),
    ("value", [1], "bad_value"),
    ("value", 1e300, "bad_value"),
    ("value", {}, "bad_value"),
    ("time", "yesterday", "bad_time"),
    ("time", "2025-07-26T10:00:00", "bad_time"),
    ("time", True, "bad_time"),
    ("time", -5, "bad_time"),
    ("time", 1e15, "bad_time"),
    ("time", [], "bad_time"),
    ("time", NOW / 1000 + 3600, "clock_ahead"),
    ("time", NOW / 1000 - 40 * 86_400, "too_old"),
    ("unit", "inch", "wrong_unit"),
    ("unit", 5, "wrong_unit"),
    ("seq", -1, "bad_seq"),
    ("seq", 1.5, "bad_seq"),
    ("seq", "7", "bad_seq"),
    ("seq", True, "bad_seq"),
]


@pytest.mark.parametrize(("field", "value", "reason"), FIELDS)
def test_a_wrong_field_is_a_dead_letter_and_the_rest_goes_on(
    field: str, value: object, reason: str, tmp_path: Path
) -> None:
    bad = {**GOOD, field: value}
    body = json.dumps([GOOD, bad, {**GOOD, "seq": 8}]).encode()
    good, dead, _ = split(intake(tmp_path).records([message("station/R01/rain", body)]))
    assert [o.seq for o in good] == [7, 8]
    assert [d.reason for d in dead] == [reason]
    assert dead[0].source.endswith("station/R01/rain")
    assert "R01" in dead[0].detail


def test_the_largest_that_is_taken_can_be_read_again(tmp_path: Path) -> None:
    """One gauge's nonsense must not make the record unreadable that holds its neighbours' readings."""
    far = {"time": NOW / 1000, "unit": "m", "seq": 2**53 - 1}
    messages = [message("station/R01/rain", json.dumps(GOOD).encode())] + [
        message("station/S01/stage", json.dumps({**far, "value": v}).encode())
        for v in (9.99e11, -9.99e11)
    ]
    good, dead, _ = split(intake(tmp_path).records(messages))
    assert {o.station for o in good} == {"R01", "S01"}
    assert not dead


@pytest.mark.parametrize(
    ("suffix", "payload", "reason"),
    [
        ("station/R99/rain", b'{"value": 1}', "unknown_station"),
        ("station/R01/stage", b'{"value": 1}', "wrong_quantity"),
        ("station/R01/rain", b"\xff\xfe", "bad_payload"),
        ("station/R01/rain", b'{"value": NaN}', "bad_value"),
        ("station/R01/rain", b"7", "bad_payload"),
        ("station/R01/rain", b"", "bad_payload"),
        ("station/R01/rain", b" " * 300_000, "oversize"),
        ("gateway/G1/json", b'[{"value": 1}]', "bad_payload"),
        ("gateway/G1/senml", b"{}", "bad_payload"),
        ("gateway/G2/json", b'[{"value": 1}]', "unknown_gateway"),
        ("gateway/G1/xml", b"{}", "unknown_topic"),
        ("station/R01", b"{}", "unknown_topic"),
        ("station/V01/frame/12", b"GIF89a", "bad_frame"),
        ("station/V01/frame/12", b"x" * 2_100_000, "oversize"),
        ("clock", b'{"clock_at": "noon"}', "bad_payload"),
    ],
)
def test_a_wrong_message(suffix: str, payload: bytes, reason: str, tmp_path: Path) -> None:
    good, dead, _ = split(intake(tmp_path).records([message(suffix, payload)]))
    assert good == []
    assert [d.reason for d in dead] == [reason]
    assert reason in REASONS


@examples(300)
@given(
    payload=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
            lambda x: (
                st.lists(x, max_size=4)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "value",
                            "time",
                            "unit",
                            "seq",
                            "station",
                            "quantity",
                            "readings",
                            "bn",
                            "bt",
                            "bv",
                            "n",
                            "v",
                            "t",
                            "u",
                            "x_",
                        ]
                    ),
                    x,
                    max_size=5,
                )
            ),
            max_leaves=12,
        ).map(lambda x: json.dumps(x).encode()),
    )
)
def test_no_payload_breaks_a_codec(payload: bytes) -> None:
    for found in (decode_json(payload), decode_senml(payload, NOW)):
        assert all(isinstance(x, Reading | Rejected) for x in found)
    check_frame(payload)
    outs = Intake(DISTRICT, RUN, FrameStore(Path("unused"))).records(
        [message(s, payload) for s in ("station/R01/rain", "gateway/G1/json", "gateway/G1/senml")]
    )
    for out in outs:
        DECODERS[out.topic].decode(out.value)


def test_senml_base_values_and_relative_time() -> None:
    pack = [
        {"bn": "R01:", "bt": NOW / 1000, "bu": "mm", "bv": 1, "n": "rain", "v": 0.5},
        {"n": "rain", "t": -60, "v": 0.25},
        {"n": "rain", "vs": "text"},
    ]
    found = decode_senml(json.dumps(pack).encode(), NOW)
    assert [(x.station, x.quantity, x.value, x.time) for x in found[:2]] == [
        ("R01", "rain", 1.5, NOW / 1000),
        ("R01", "rain", 1.25, NOW / 1000 - 60),
    ]
    assert isinstance(found[2], Rejected)
    recent = decode_senml(b'[{"n":"R01:rain","v":1,"t":-10}]', NOW)
    assert recent[0].time == NOW / 1000 - 10


def test_senml_of_another_implementation(data: Path) -> None:
    vectors = json.loads((data / "senml" / "wakaama_json.json").read_text())
    read = 0
    for vector in vectors:
        try:
            pack = json.loads(vector["buffer"])
        except ValueError:
            continue
        if isinstance(pack, list):
            read += sum(not isinstance(x, Rejected) for x in resolve(pack))
    assert read > 20


def test_units_time_of_receipt_and_ranges(tmp_path: Path) -> None:
    bodies = [
        ("station/S01/stage", {"value": 123, "unit": "cm"}),
        ("station/R01/rain", {"value": -1, "unit": "mm"}),
        ("station/R01/rain", {"value": 201.9, "time": NOW / 1000}),
        ("station/N001/battery", {"value": 80}),
    ]
    good, dead, _ = split(
        intake(tmp_path).records([message(s, json.dumps(b).encode()) for s, b in bodies])
    )
    assert dead == []
    by = {(o.station, o.quantity, o.value): o for o in good}
    assert by["S01", "stage", 1230].test == "time_of_receipt"
    assert by["R01", "rain", -10].test == "gross_range"
    assert int(by["R01", "rain", 2019].flag) == 3  # an extreme is suspect, never thrown away
    assert ("N001", "battery", 800) in by


def test_a_frame_lies_in_the_store_under_its_hash(tmp_path: Path) -> None:
    body = io.BytesIO()
    Image.new("L", (64, 48), 90).save(body, "JPEG")
    good, _, _ = split(
        intake(tmp_path).records([message(f"station/V01/frame/{NOW}", body.getvalue())])
    )
    assert good[0].observed_at == NOW
    assert FrameStore(tmp_path / "frames").get(good[0].ref) == body.getvalue()
    assert FrameStore(tmp_path / "frames").get("../../etc/passwd") is None


def test_the_clock_stands_between_what_came_before_and_after(tmp_path: Path) -> None:
    outs = intake(tmp_path).records(
        [
            message("station/R01/rain", json.dumps(GOOD).encode()),
            message("clock", json.dumps({"clock_at": NOW + 60_000}).encode()),
            message("station/R01/rain", json.dumps({**GOOD, "seq": 8}).encode()),
        ]
    )
    kinds = [type(DECODERS[o.topic].decode(o.value)).__name__ for o in outs]
    assert kinds == ["Observations", *["Tick"] * DISTRICT.partitions, "Observations"]
    assert {o.partition for o in outs if o.key == "tick"} == set(range(DISTRICT.partitions))
    live = Intake(
        DISTRICT,
        Run(name="live", kind="live", district="yanqing", config="c", start_at=NOW),
        FrameStore(tmp_path),
    )
    assert not any("clock" in f or "exercise" in f for f in live.filters())


@pytest.mark.parametrize("readings", [0, 3, 300, 9000])
def test_an_ingest_that_starts_again_goes_on_at_the_clock_of_the_log(
    tmp_path: Path, readings: int
) -> None:
    """Otherwise what waits for it at the broker would seem to come from the future."""
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", DISTRICT.partitions)
    begin(log, RUN)
    assert last_tick(log) == 0
    later = NOW + 40 * 60_000
    first = intake(tmp_path)
    log.append(first.records([message("clock", json.dumps({"clock_at": later}).encode())]))
    log.append([Out("observations", "G01", b"{}", 0)] * readings)
    assert last_tick(log) == later

    again = intake(tmp_path)
    reading = {**GOOD, "time": (later + 60_000) / 1000}
    waiting = [message("station/R01/rain", json.dumps(reading).encode())]
    assert split(again.records(waiting))[1][0].reason == "clock_ahead"
    again.clock_at = last_tick(log)
    assert len(split(again.records(waiting))[0]) >= 1
    log.close()


class Failing:
    """A log whose disk is full for a while."""

    def __init__(self, inner: object, times: int) -> None:
        self._inner, self.times = inner, times

    def append(self, outs: list[Out]) -> None:
        if self.times > 0 and len(outs) > 0 and outs[0].key != "run":
            self.times -= 1
            raise Unavailable("disk full")
        self._inner.append(outs)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


def kept(log: object) -> set[int]:
    seqs = set()
    for part in range(DISTRICT.partitions):
        at = 0
        while entries := log.read("observations", part, at):  # type: ignore[attr-defined]
            at = entries[-1].offset + 1
            for e in entries:
                record = DECODERS["observations"].decode(e.value)
                if isinstance(record, Observations):
                    seqs |= {o.seq for o in record.items}
    return seqs


def wait_kept(log: object, want: set[int], timeout_s: float = 180) -> None:
    until = time.monotonic() + timeout_s
    while not want <= kept(log) and time.monotonic() < until:
        time.sleep(0.1)
    assert want <= kept(log), f"lost {len(want - kept(log))}"


@pytest.mark.parametrize("protocol", ["", "?v=5"])
def test_a_log_that_is_full_for_a_while_loses_nothing(
    mosquitto: Mosquitto, tmp_path: Path, protocol: str
) -> None:
    log = Failing(open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", DISTRICT.partitions), 3)
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=run_ingest,
        args=(DISTRICT, RUN, log, mosquitto.url + protocol, FrameStore(tmp_path / "f"), stop),
        kwargs={"now": lambda: NOW, "ready": ready},
    )
    thread.start()
    assert ready.wait(90)
    sender = Mqtt(mosquitto.url, "sender")
    sender.wait_connected(90)
    for n in range(50):
        sender.publish(f"{PREFIX}station/R01/rain", json.dumps({**GOOD, "seq": n}).encode())
    assert sender.flush(120)
    wait_kept(log, set(range(50)))
    stop.set()
    thread.join()
    sender.close()
    begin(log, RUN)  # a second time writes nothing
    firsts = [log.read("observations", p, 0, 1)[0].key for p in range(DISTRICT.partitions)]  # type: ignore[operator]
    assert firsts == ["run"] * DISTRICT.partitions


CHILD = """
import sys, threading
sys.path.insert(0, sys.argv[3])
from tests.ingest.test_kept import *

class Told(threading.Event):
    def set(self):
        super().set()
        Path(sys.argv[1], "subscribed").touch()

log = open_log(f"sqlite:///{sys.argv[1]}", "exercise", "yanqing", DISTRICT.partitions)
run_ingest(DISTRICT, RUN, log, sys.argv[2], FrameStore(Path(sys.argv[1]) / "f"),
           threading.Event(), now=lambda: NOW, ready=Told())
"""


def test_ingest_killed_and_broker_restarted_under_load_loses_nothing(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", DISTRICT.partitions)
    rng = random.Random(5)

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), mosquitto.url, str(ROOT)], cwd=ROOT
        )

    child = start()
    until = time.monotonic() + 90
    while not (tmp_path / "subscribed").exists():  # from then on the broker keeps a session for it
        assert time.monotonic() < until, "the ingest does not come up"
        assert child.poll() is None, "the ingest ended"
        time.sleep(0.05)
    sender = Mqtt(mosquitto.url, "sender")
    sender.wait_connected(90)
    sent = 0
    for turn in range(4):
        for _ in range(400):
            sender.publish(f"{PREFIX}station/R01/rain", json.dumps({**GOOD, "seq": sent}).encode())
            sent += 1
        time.sleep(rng.uniform(0.0, 0.25))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert sender.flush(120)
        if turn == 2:  # the broker comes back with its backlog from disk
            mosquitto.stop()
            mosquitto.start()
        child = start()
    wait_kept(log, set(range(sent)))
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    sender.close()


def test_the_embedded_broker_keeps_what_comes_while_ingest_is_away(tmp_path: Path) -> None:
    broker = start_broker(tmp_path / "broker", free_port())
    try:
        log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", DISTRICT.partitions)
        sender = Mqtt(broker.url, "sender")
        sender.wait_connected(90)

        def run_until(want: set[int], publish: range) -> None:
            stop, ready = threading.Event(), threading.Event()
            thread = threading.Thread(
                target=run_ingest,
                args=(DISTRICT, RUN, log, broker.url, FrameStore(tmp_path / "f"), stop),
                kwargs={"now": lambda: NOW, "ready": ready},
            )
            thread.start()
            assert ready.wait(90)
            for n in publish:
                sender.publish(f"{PREFIX}station/R01/rain", json.dumps({**GOOD, "seq": n}).encode())
            assert sender.flush(120)
            wait_kept(log, want)
            stop.set()
            thread.join()

        run_until(set(range(20)), range(20))
        for n in range(20, 60):  # nobody is there
            sender.publish(f"{PREFIX}station/R01/rain", json.dumps({**GOOD, "seq": n}).encode())
        assert sender.flush(120)
        run_until(set(range(80)), range(60, 80))
        sender.close()
    finally:
        broker.stop()
    with pytest.raises(ConnectionError, match="MQTT"):
        stranger = Mqtt(f"mqtt://127.0.0.1:{free_port()}", "x")
        try:
            stranger.wait_connected(1.0)
        finally:
            stranger.close()
