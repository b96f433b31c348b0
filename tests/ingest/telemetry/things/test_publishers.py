"""Who may speak for which Datastream."""

import json

from msgspec.structs import replace

from config.records.devices.things import ThingRow
from ingest.identify import Register
from ingest.observation import Observation
from ingest.telemetry.things.streams import OfDatastreams
from stream.mqtt.access import INGEST, matches, rights
from tests.support.districts import yanqing

NOW = 1_780_000_000_000
D = replace(
    yanqing(),
    things=(
        ThingRow(datastream="12", station="S01", user="vendor-a"),
        ThingRow(datastream="13", station="S02", user="vendor-b"),
    ),
)


def may(user: str, topic: str) -> bool:
    return any(matches(f, topic) for f in rights(D, "live")[user].write)


def test_one_publisher_cannot_speak_for_the_station_of_another() -> None:
    item = json.dumps({"Datastream": {"@iot.id": 13}, "result": 9.9}).encode()
    desk = OfDatastreams(D, Register(D), live=True)
    heard = "v1.1/Observations" in desk.filters and any(
        isinstance(o, Observation) for o in desk.take("v1.1/Observations", item, NOW)
    )
    assert not (may("vendor-a", "v1.1/Observations") and heard)


def test_a_single_publisher_keeps_the_common_topic() -> None:
    d = replace(D, things=tuple(replace(r, user="things") for r in D.things))
    assert "v1.1/Observations" in rights(d, "live")["things"].write
    assert "v1.1/Observations" in rights(d, "live")[INGEST].read
    assert "v1.1/Observations" in OfDatastreams(d, Register(d), live=True).filters
