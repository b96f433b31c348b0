"""What `fengsui status` says of LoRaWAN devices, from what ingest made of their uplinks."""

from pathlib import Path

import msgspec
import pytest

from config.language import en, zh
from console.model.view import View
from fengsui.status.links import link_lines
from ingest.observation import Observations
from simulators.telemetry.lorawan import Radioed, Reception
from stream.mqtt.access import rights
from stream.records import decode
from tests.support.lorawan import BUCKET, LEVEL, RADAR, by, district, intake

MINUTE = 60_000


def seen(folder: Path) -> View:
    """A level sensor that loses two of six frames, a bucket with an empty battery, a radar that is well."""
    door, view = intake(folder), View()
    at = door.clock_at - 60 * MINUTE
    weak = (Reception(rssi=-121, snr=-17.5),)
    level = bytes.fromhex("0175600382461E")
    messages = by(
        "chirpstack",
        *(Radioed(LEVEL, level, at + n * MINUTE, n, 85, weak) for n in (0, 1, 4, 5)),
        Radioed(BUCKET, bytes.fromhex("0202f8000300040258409a00000c54"), at, 7),
        *(Radioed(RADAR, bytes.fromhex("01750904822C01"), at + n * MINUTE, n, 85) for n in (0, 1)),
    )
    reader = msgspec.json.Decoder(Observations)
    for out in door.records(messages):
        record = decode(reader.decode, out.value)
        assert record is not None
        view.take(record)
    return view


def test_what_is_lost_and_what_runs_low_is_said_first(tmp_path: Path) -> None:
    lines = list(link_lines(seen(tmp_path), district()))
    assert zh(lines[0]).startswith("LoRaWAN 设备：3/5 听到过，2 台要去看")
    assert "loss 33 %, signal -121 dBm / -17.5 dB, battery 96 %" in en(lines[1])
    assert en(lines[1]).startswith("  ! S01")
    assert en(lines[2]).startswith("  ! S02")  # a battery of 9 %
    assert "battery 3.16 V" in en(lines[3])
    assert len(lines) == 4


def test_a_district_without_devices_says_nothing(tmp_path: Path) -> None:
    assert list(link_lines(View(), district(()))) == []


def test_a_radio_that_is_heard_is_no_reading(tmp_path: Path) -> None:
    """A sensor whose level is missing is not there, however well its radio is heard."""
    view = View()
    station = ("S03", "S03")
    view.take(
        Observations(
            group="g", received_at=9, station=station, quantity=("rssi", "snr"),
            observed_at=(9, 9), value=(-900, 70),
        )
    )  # fmt: skip
    assert view.last_seen == {}
    assert view.links["S03"]["rssi"] == (9, -900)


@pytest.mark.parametrize("run", ["live", "exercise-1"])
def test_a_network_server_writes_its_own_topics(run: str) -> None:
    table = rights(district(), run)
    if run != "live":
        assert not [name for name in table if name.startswith("lorawan-")]
        return
    own = table["lorawan-chirpstack"]
    assert own.write[0] == "application/+/device/+/event/+"
    assert "v3/+/devices/+/#" in table["lorawan-things-stack"].write
    assert set(own.write) <= set(table["fengsui-ingest"].read)
    assert not [n for n in rights(district(()), run) if n.startswith("lorawan-")]
