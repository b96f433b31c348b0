"""Edge nodes of two implementations that are not ours publish over a real mosquitto to our ingest: births, data
by name and by alias, gaps, rebirths, deaths, packed payloads."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.language import en
from ingest.observation import HISTORICAL
from stream.log.port import Log
from stream.mqtt.client import Mqtt
from tests.support.servers import Mosquitto
from tests.support.sparkplug import (
    DEVICE,
    EDGE,
    GROUP,
    WAIT_S,
    EdgeNode,
    away,
    district,
    hearing,
    letters,
    observed,
    values,
    wait,
)

ROOT = Path(__file__).parents[2]
BOTH = pytest.mark.parametrize("which", ["pysparkplug", "sparkplug-client"])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    folder = tmp_path / "broker"
    folder.mkdir()
    found = Mosquitto(folder).start()
    yield found
    found.stop()


@pytest.fixture
def edge(which: str, broker: Mosquitto) -> Iterator[EdgeNode]:
    found = EdgeNode(which, broker)
    yield found
    found.close()


def told(log: Log, station: str, quantity: str = "") -> list[int]:
    """Values one after another, each once: on a slow machine a node is born twice before it is heard, once by
    itself and once because it was asked."""
    return [v for v, _ in groupby(values(log, station, quantity))]


@BOTH
def test_births_data_and_what_is_no_number(
    tmp_path: Path, broker: Mosquitto, edge: EdgeNode
) -> None:
    """The node was there first: the ingest asks for its births, and then knows what its aliases are."""
    edge.hear("started")
    with hearing(tmp_path / "run", broker) as log:
        wait(lambda: told(log, "S01", "stage") == [1250], "the level of the birth")
        assert told(log, "S01", "battery") == [885]
        assert told(log, "S02") == [-700]  # Int16 -7 in an unsigned field, times 0.1
        edge.do("data", name="Level", value=2.5)
        edge.do("data", name="Level")  # null: no reading, and no zero
        edge.do("data", name="Temperature", value=-32768)
        edge.do("data", name="Rain Total", value=123)
        wait(lambda: values(log, "R03")[-1:] == [1230], "the last of the data")
        assert told(log, "S01", "stage") == [1250, 2500]
        assert told(log, "S02") == [-700, -3_276_800] or len(told(log, "S02")) == 1
        note, *_ = [x for x in letters(log) if "Note" in en(x.detail)]
        assert note.reason == "bad_value" and "String is no number" in en(note.detail)
        assert f"{GROUP}/{EDGE}/{DEVICE} at byte " in en(note.detail)
        assert note.source == f"spBv1.0/{GROUP}/DBIRTH/{EDGE}/{DEVICE}"


@BOTH
def test_stored_values_are_history(tmp_path: Path, broker: Mosquitto, edge: EdgeNode) -> None:
    edge.hear("started")
    with hearing(tmp_path / "run", broker) as log:
        wait(lambda: values(log, "S01", "stage"), "the birth")
        at = time.time_ns() // 1_000_000 - 120_000
        edge.do("data", name="Level", value=3.0, at=at, historical=True)
        wait(lambda: 3000 in values(log, "S01", "stage"), "what was stored")
        (stored,) = [o for o in observed(log) if o.station == "S01" and o.value == 3000]
        assert (stored.observed_at, stored.test) == (at, HISTORICAL)


@BOTH
def test_a_gap_in_the_sequence_brings_a_rebirth(
    tmp_path: Path, broker: Mosquitto, edge: EdgeNode
) -> None:
    edge.hear("started")
    with hearing(tmp_path / "run", broker) as log:
        edge.hear("born again")  # the ingest has asked at its start
        edge.do("data", name="Level", value=1.5)
        wait(lambda: 1500 in values(log, "S01", "stage"), "data before the gap")
        edge.do("skip")
        edge.do("data", name="Level", value=1.6)
        wait(lambda: 1600 in values(log, "S01", "stage"), "data after the gap counts")
        edge.hear("rebirth asked")
        edge.hear("born again")
        edge.do("data", name="Level", value=1.7)
        wait(lambda: 1700 in values(log, "S01", "stage"), "data after the rebirth")
        assert {x.reason for x in letters(log)} >= {"sequence_gap"}


@BOTH
def test_a_new_ingest_asks_for_the_births_that_it_has_not_read(
    tmp_path: Path, broker: Mosquitto, edge: EdgeNode
) -> None:
    """What aliases mean stands in no file of ours: it is asked for again."""
    edge.hear("started")
    with hearing(tmp_path / "run", broker) as log:
        wait(lambda: values(log, "S01", "stage"), "the birth")
        edge.hear("born again")
        edge.do("data", name="Level", value=1.5)
        wait(lambda: 1500 in values(log, "S01", "stage"), "data")
    edge.do("data", name="Level", value=1.6)  # nobody hears it: QoS 0
    with hearing(tmp_path / "run", broker) as log:
        edge.hear("born again")
        edge.do("data", name="Level", value=1.7)
        wait(lambda: 1700 in values(log, "S01", "stage"), "data, by an alias that was asked for")


@BOTH
def test_deaths_are_silence(tmp_path: Path, broker: Mosquitto, edge: EdgeNode) -> None:
    """Of a device, and of a node whose power is cut: its will."""
    edge.hear("started")
    with hearing(tmp_path / "run", broker) as log:
        edge.hear("born again")
        wait(lambda: values(log, "S01", "stage"), "the birth")
        before = len(away(log))
        edge.do("lose")
        told = wait(lambda: away(log)[before:], "the death of the device")
        assert set(told[0].stations) == {"S01", "S02", "S03", "R03"}
        edge.kill()
        wait(lambda: any(a.by == f"{GROUP}/{EDGE}" for a in away(log)), "the will of the node")


@BOTH
def test_a_wanted_end_is_silence(tmp_path: Path, broker: Mosquitto, edge: EdgeNode) -> None:
    edge.hear("started")
    with hearing(tmp_path / "run", broker) as log:
        edge.hear("born again")
        wait(lambda: values(log, "S01", "stage"), "the birth")
        had = len(away(log))
        edge.do("stop")
        wait(lambda: away(log)[had:], "the death certificate")


@pytest.mark.parametrize("which", ["sparkplug-client"])
@pytest.mark.parametrize("algorithm", ["GZIP", "DEFLATE"])
def test_packed_payloads(tmp_path: Path, broker: Mosquitto, edge: EdgeNode, algorithm: str) -> None:
    edge.hear("started")
    edge.do("pack", algorithm=algorithm)
    with hearing(tmp_path / "run", broker) as log:
        edge.hear("born again")
        edge.do("data", name="Level", value=1.5)
        wait(lambda: 1500 in values(log, "S01", "stage"), "data")
        assert not [x for x in letters(log) if x.reason != "bad_value"]


class _Watcher:
    """What a node that waits for its primary host sees."""

    def __init__(self, broker: Mosquitto) -> None:
        self._mqtt = Mqtt(broker.url, "watcher")
        self._mqtt.subscribe(["spBv1.0/STATE/fengsui"], WAIT_S)
        self.states: list[dict[str, object]] = []

    def sees(self, online: bool) -> bool:
        found = self._mqtt.get_batch(0.2)
        self._mqtt.ack(found)
        self.states += [json.loads(m.payload) for m in found]
        return bool(self.states) and self.states[-1]["online"] is online

    def close(self) -> None:
        self._mqtt.close()


def test_a_primary_host_says_that_it_is_there_and_takes_it_back(
    tmp_path: Path, broker: Mosquitto
) -> None:
    of = replace(district(), sparkplug_host="fengsui")
    watcher = _Watcher(broker)
    try:
        with hearing(tmp_path / "run", broker, of):
            wait(lambda: watcher.sees(online=True), "the host is there")
            # the will of a connection before, late: the host is there all the same
            broker.publish("spBv1.0/STATE/fengsui", '{"online":false,"timestamp":1}')
            wait(lambda: watcher.sees(online=True) and len(watcher.states) > 2, "it says so again")
        wait(lambda: watcher.sees(online=False), "the host is gone")
        times = {s["timestamp"] for s in watcher.states if s["timestamp"] != 1}
        assert len(times) == 1, "the will and what it takes back have one time"
    finally:
        watcher.close()


def test_the_broker_says_it_of_a_host_that_is_killed(tmp_path: Path, broker: Mosquitto) -> None:
    watcher = _Watcher(broker)
    code = (
        "import sys, time; from stream.mqtt.client import Mqtt\n"
        "m = Mqtt(sys.argv[1], 'host', 0.0, ('spBv1.0/STATE/fengsui', b'{\"online\": false}'))\n"
        "m.wait_connected(90); m.publish('spBv1.0/STATE/fengsui', b'{\"online\": true}', retain=True)\n"
        "time.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, broker.url], cwd=ROOT)
    try:
        wait(lambda: watcher.sees(online=True), "the host is there")
        child.kill()
        child.wait()
        wait(lambda: watcher.sees(online=False), "its will")
    finally:
        child.kill()
        child.wait()
        watcher.close()
