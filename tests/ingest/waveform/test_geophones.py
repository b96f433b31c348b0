"""The edge program with the real things: miniSEED as ObsPy writes it, ObsPy's SeedLink client at a server that
was written from the protocol, and a broker."""

import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from fengsui.cli.root import cli
from ingest.waveform.agent import Agent, Way
from ingest.waveform.command import read_geophones
from ingest.waveform.records import Unreadable, clock_of, pieces_of, record_length
from ingest.waveform.seconds import Band, Seconds
from simulators.seedlink import RECORD, SeedLinkServer
from stream.environment import Usage
from stream.mqtt.broker import start_broker
from stream.mqtt.client import Mqtt
from tests.support.servers import free_port

obspy = pytest.importorskip("obspy", reason="needs ObsPy: pip install 'fengsui[seismic]'")
pytestmark = pytest.mark.servers  # ObsPy starts git when it is imported
RATE, SECONDS = 100, 120
BEGIN = int(time.time()) - 600  # whatever the day is, ingest would take it
SAMPLES = np.random.default_rng(3).normal(0, 4000, RATE * SECONDS).astype(np.int32)
TABLE = "station,channel,sensitivity\nG1,FS.G1..EHZ,4e8\n"


def mseed(low: int, high: int, **more: Any) -> bytes:
    """These samples as miniSEED."""
    trace = obspy.Trace(SAMPLES[low:high])
    trace.stats.update({"network": "FS", "station": "G1", "channel": "EHZ", "sampling_rate": RATE})
    trace.stats.starttime = obspy.UTCDateTime(BEGIN + low / RATE)
    body = io.BytesIO()
    trace.write(body, format="MSEED", **({"reclen": RECORD, "encoding": "STEIM2"} | more))
    return body.getvalue()


def records(low: int, high: int) -> list[bytes]:
    body = mseed(low, high)
    return [body[n : n + RECORD] for n in range(0, len(body), RECORD)]


def expected() -> dict[float, float]:
    """Every second of all samples, by the pure part."""
    (piece,) = pieces_of(mseed(0, SAMPLES.size), "all")
    seconds = Seconds(Band(), 400.0).feed(piece).seconds
    return {s.at / 1000: s.value for s in seconds}


class Listener:
    """What arrives at the broker."""

    def __init__(self, url: str) -> None:
        self.mqtt = Mqtt(url, "listener")
        self.mqtt.subscribe(["fengsui/live/yanqing/station/#"], 90)
        self.heard: Counter[float] = Counter()
        self.values: dict[float, float] = {}

    def wait(self, done: Callable[[], bool], within_s: float = 120) -> bool:
        until = time.monotonic() + within_s
        while not done() and time.monotonic() < until:
            batch = self.mqtt.get_batch(0.5)
            for m in batch:
                assert m.topic == "fengsui/live/yanqing/station/G1/ground_velocity"
                for r in json.loads(m.payload):
                    assert r["unit"] == "um/s"
                    self.heard[r["time"]] += 1
                    self.values[r["time"]] = r["value"]
            self.mqtt.ack(batch)
        return done()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "broker"
    folder.mkdir()
    child = start_broker(folder, free_port())
    yield child.url
    child.stop()


@pytest.fixture
def listener(broker: str) -> Iterator[Listener]:
    found = Listener(broker)
    yield found
    found.mqtt.close()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "geophones.csv"
    path.write_text(TABLE)
    return path


def agreed(listener: Listener) -> None:
    """Each second once, as the whole would have given it."""
    whole = expected()
    assert set(listener.heard) == set(whole)
    assert set(listener.heard.values()) == {1}
    for at, value in listener.values.items():
        assert value == pytest.approx(whole[at], rel=0.02, abs=0.01)


def test_files_that_obspy_wrote_come_once_and_what_they_grow_by(
    broker: str, listener: Listener, table: Path, tmp_path: Path
) -> None:
    file, kept = tmp_path / "a.mseed", tmp_path / "kept.json"
    body = mseed(0, SAMPLES.size)
    half = len(body) // 2 + 77  # within a record
    words = ["geophones", str(file), "--stations", str(table), "--broker", broker]
    words += ["--kept", str(kept)]
    for part in (body[:half], body[:half], body):
        file.write_bytes(part)
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, done.output
    assert listener.wait(lambda: len(listener.heard) >= len(expected()))
    agreed(listener)


def test_a_file_that_is_no_waveform_is_named_and_stops_no_other(
    broker: str, listener: Listener, table: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.mseed").write_bytes(b"not a waveform" * 100)
    (folder / "b.mseed").write_bytes(mseed(0, 1000))
    words = ["geophones", str(folder), "--stations", str(table), "--broker", broker]
    done = CliRunner().invoke(cli, [*words, "--kept", str(tmp_path / "kept.json")])
    assert done.exit_code == 1
    assert "a.mseed" in done.output
    assert "b.mseed" not in done.output
    assert listener.wait(lambda: len(listener.heard) >= 9)


def follow(
    broker: str, table: Path, kept: Path, port: int
) -> tuple[threading.Event, threading.Thread]:
    stop = threading.Event()

    def work() -> None:
        way = Way(broker, "fengsui/live/yanqing", "", "geophones-test")
        agent = Agent(read_geophones(table), kept, way)
        try:
            agent.follow_server(f"127.0.0.1:{port}", stop)
        finally:
            agent.close()

    thread = threading.Thread(target=work)
    thread.start()
    return stop, thread


def test_seedlink_goes_on_after_a_broken_line_and_after_a_new_start(
    broker: str, listener: Listener, table: Path, tmp_path: Path
) -> None:
    """Records that came while nobody was connected are asked for by their number; no second is lost or told
    twice."""
    server, kept = SeedLinkServer(first=0xFFFFF0), tmp_path / "kept.json"  # its numbers run over
    all_ = records(0, SAMPLES.size)
    thirds = len(all_) // 3
    server.add(all_[0])  # a station must be known before it can be asked for
    stop, thread = follow(broker, table, kept, server.port)
    try:
        assert listener.wait(lambda: "END" in server.commands)
        server.cut()  # before anything came: it asks for the next, and the server has had none since
        assert listener.wait(lambda: server.commands.count("END") == 2)
        for record in all_[:thirds]:
            server.add(record)
        assert listener.wait(lambda: len(listener.heard) > SECONDS // 4)
        server.cut()
        for record in all_[thirds : 2 * thirds]:
            server.add(record)
        assert listener.wait(lambda: len(listener.heard) > SECONDS // 2)
        assert listener.wait(lambda: json.loads(kept.read_bytes())["places"]["FS.G1"]["seq"] > 0)
    finally:
        stop.set()
        thread.join(90)
    for record in all_[2 * thirds :]:
        server.add(record)
    stop, thread = follow(broker, table, kept, server.port)
    try:
        assert listener.wait(lambda: len(listener.heard) >= len(expected()))
    finally:
        stop.set()
        thread.join(90)
        server.close()
    agreed(listener)
    numbered = [c for c in server.commands if c.startswith("DATA ")]
    assert len(numbered) >= 2


def test_a_server_that_is_not_there_is_waited_for(
    broker: str, listener: Listener, table: Path, tmp_path: Path
) -> None:
    port = free_port()
    stop, thread = follow(broker, table, tmp_path / "kept.json", port)
    server = None
    try:
        time.sleep(0)  # it may have tried already, or not
        server = SeedLinkServer(port)
        all_ = records(0, 3000)
        server.add(all_[0])
        assert listener.wait(lambda: "END" in server.commands)
        for record in all_:
            server.add(record)
        assert listener.wait(lambda: len(listener.heard) > 15)
    finally:
        stop.set()
        thread.join(90)
        if server is not None:
            server.close()


def test_a_clock_in_doubt_is_read_from_the_header() -> None:
    good = records(0, 300)[0]
    assert clock_of(good) == ""
    assert record_length(good) == RECORD
    flagged = bytearray(good)
    flagged[38] |= 0x80
    assert clock_of(bytes(flagged)) == "time tag questionable"
    trace = obspy.read(io.BytesIO(good))[0]
    trace.stats.mseed.blkt1001 = {"timing_quality": 20}
    body = io.BytesIO()
    trace.write(body, format="MSEED", reclen=RECORD)
    assert clock_of(body.getvalue()) == "timing quality 20 %"
    assert pieces_of(body.getvalue(), "x")[0].clock == "timing quality 20 %"
    for spoilt in (b"", b"x" * 600, good[:40], good[:46] + b"\xff" * 60):
        assert clock_of(spoilt) == ""
        assert record_length(spoilt) in (0, RECORD)
    with pytest.raises(Unreadable, match="x.mseed"):
        pieces_of(b"x" * 600, "x.mseed")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("G1,FS.G1.EHZ,4e8", "channel"),
        ("G1,FS.G1..EHZ,0", "sensitivity"),
        ("G1,FS.G1..EHZ,4e8\nG1,FS.G1..EHN,4e8", "channel"),
        ("G1,FS.G1..EHZ,much", "sensitivity"),
    ],
)
def test_a_table_that_cannot_be_says_where(tmp_path: Path, row: str, column: str) -> None:
    path = tmp_path / "geophones.csv"
    path.write_text(f"station,channel,sensitivity\n{row}\n")
    with pytest.raises(Usage) as caught:
        read_geophones(path)
    assert "geophones.csv" in str(caught.value)
    assert column in str(caught.value)
