"""Times that nobody can read, and gateways whose clocks are behind: a value of long ago is never one of now."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from config.records.devices.lorawan import TIME, Codec, CodecField, LorawanRow
from config.records.devices.things import ThingRow
from ingest.identify import Register
from ingest.observation import Flag, Observation
from ingest.telemetry.things.streams import OfDatastreams
from stream.records import Rejected
from stream.wall_clock import now_ms
from tests.support.districts import yanqing
from tests.support.lorawan import OWN, Came, intake, message

NOW = 1_780_000_000_000
OWN_CODEC = Codec(
    name="own",
    form="object",
    title="x",
    title_en="x",
    source="x",
    field=(
        CodecField(name="level", path="level", unit="m", gives="stage"),
        CodecField(name="time", path="time", unit="s", gives=TIME),
    ),
)


def things(item: dict[str, Any]) -> list[Any]:
    row = ThingRow(datastream="7", station="S01", quality="qartod")
    of = replace(yanqing(), things=(row,))
    desk = OfDatastreams(of, Register(of), live=True)
    return list(desk.take("v1.1/Datastreams(7)/Observations", json.dumps(item).encode(), NOW))


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def came(folder: Path, given: dict[str, Any], *heard: dict[str, Any]) -> Came:
    row = LorawanRow(station="S03", dev_eui=OWN, codec="own", field="level")
    of = replace(yanqing(), lorawan=(row,), codecs={"own": OWN_CODEC})
    body = {
        "deviceInfo": {"devEui": OWN.lower()},
        "devAddr": "01",
        "fCnt": 5,
        "fPort": 1,
        "data": "AQ==",
        "object": given,
        "rxInfo": [{**r, "rssi": -100, "snr": 5} for r in heard],
    }
    topic = f"application/a/device/{OWN.lower()}/event/up"
    return Came(intake(folder, of=of).records([message(topic, json.dumps(body).encode())]))


@pytest.mark.parametrize("late", ["2026-05-01T10:00:00", "garbage", 1_777_600_000_000, ""])
def test_a_result_time_that_nobody_can_read_is_not_now(late: object) -> None:
    (found,) = things({"resultTime": late, "result": 9.9})
    assert isinstance(found, Rejected) and found.reason == "bad_time"


def test_one_is_one_however_json_writes_it() -> None:
    (o,) = things({"result": 1.5, "resultQuality": 4.0})
    assert isinstance(o, Observation) and o.flag == Flag.FAIL
    assert things({"result": 1.5, "resultQuality": 9.0}) == []
    (o,) = things({"result": 1.5, "resultQuality": 1.0})
    assert o.flag == Flag.GOOD


def test_a_value_of_a_time_that_nobody_can_read_is_not_now(tmp_path: Path) -> None:
    now = now_ms()
    found = came(tmp_path, {"level": 9.9, "time": "2026-05-20T10:00:00Z"}, {"nsTime": iso(now)})
    assert found.of("S03", "stage") == [] and found.reasons == ["bad_value"]


def test_of_two_gateways_the_one_whose_clock_is_behind_does_not_count(tmp_path: Path) -> None:
    now = now_ms()
    gps = {"timeSinceGpsEpoch": "1370000000s"}
    found = came(
        tmp_path,
        {"level": 9.9},
        {"nsTime": iso(now), "gwTime": iso(now - 200), **gps},
        {"nsTime": iso(now), "gwTime": iso(now - 20 * 3_600_000), **gps},
    )
    assert found.of("S03", "stage")[0].observed_at == now - 200


def test_a_gateway_without_satellites_is_not_taken_for_one_with_them(tmp_path: Path) -> None:
    now = now_ms()
    found = came(tmp_path, {"level": 9.9}, {"nsTime": iso(now), "gwTime": iso(now - 240_000)})
    (o,) = found.of("S03", "stage")
    assert (o.observed_at, o.test) == (now, "network_time")
