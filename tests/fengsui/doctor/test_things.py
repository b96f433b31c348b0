"""Stations that come as SensorThings or Sparkplug, and cameras that are fetched: where `fengsui doctor` looks
for them."""

from pathlib import Path

from msgspec.structs import replace

from config.language import zh
from config.records.devices.things import ThingRow
from config.records.district import CameraSource, District, SparkplugRow
from fengsui.doctor.case import Weight
from fengsui.doctor.page import layers
from tests.support.districts import yanqing
from tests.support.doctor import Played


def district() -> District:
    return replace(
        yanqing(),
        things=(ThingRow(datastream="12", station="S01", unit="cm"),),
        sparkplug=(SparkplugRow(group="g", edge="E1", metric="Level", station="S02"),),
        camera_sources={"V01": CameraSource(station="V01", url="http://127.0.0.1:9/x.jpg")},
    )


def test_a_datastream_is_looked_for_where_it_speaks(tmp_path: Path) -> None:
    journal = tmp_path / "mosquitto.log"
    journal.write_text("1787759003: Client things disconnected, not authorised.\n")
    played = Played(tmp_path, district())
    played.tick(40)
    found = played.found("S01", journal=journal)
    todo = found["never_heard"].todo
    assert "v1.1/Datastreams(12)/Observations" in todo.zh
    assert "user things" in todo.en
    assert "wrong_password" in found
    shown = [zh(words) for _, words in layers(played.examined().case, "S01")]
    assert any("Datastream 12 (things)" in x for x in shown)


def test_an_observation_that_is_refused_is_its_stations(tmp_path: Path) -> None:
    played = Played(tmp_path, district())
    for body in ({"phenomenonTime": "now", "result": 1}, {"result": "wet"}):
        played.say("v1.1/Datastreams(12)/Observations", body, below="")
    found = played.found("S01")
    assert found["refused_bad_time"].weight == Weight.BLIND
    assert "result 'wet'" in found["refused_bad_value"].what.en


def test_an_edge_node_is_named(tmp_path: Path) -> None:
    played = Played(tmp_path, district())
    played.tick(40)
    assert "g/E1 (E1)" in played.found("S02")["never_heard"].todo.en


def test_a_camera_is_fetched_by_a_process_of_its_own(tmp_path: Path) -> None:
    played = Played(tmp_path, district())
    played.tick(40)
    assert "fengsui camera" in played.found("V01")["never_heard"].todo.en
