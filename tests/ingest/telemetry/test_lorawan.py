"""LoRaWAN devices through ingest: readings, times, repeats, lost frames, what is wrong."""

import json
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import en, zh
from config.records.devices.lorawan import LorawanRow
from ingest.decode.reading import REASONS
from ingest.observation import Flag, Observations
from ingest.stage import Intake
from ingest.telemetry.lorawan.chirpstack import read_chirpstack
from ingest.telemetry.lorawan.frames import LARGEST_GAP, Counter
from ingest.telemetry.lorawan.network import newest_counters
from ingest.telemetry.lorawan.things_stack import read_things_stack
from ingest.telemetry.lorawan.uplink import GatewayClocks, Uplink, heard_at
from simulators.telemetry.lorawan import SERVERS, Radioed, Reception
from stream.disk.blobs import FrameStore
from stream.records import Rejected, Run
from tests.support.lorawan import (
    BUCKET,
    LEVEL,
    LPP,
    OWN,
    RADAR,
    Came,
    by,
    district,
    intake,
    message,
)

both = pytest.mark.parametrize("server", SERVERS)
MINUTE = 60_000
DISTANCE = "017564 038246 1E".replace(" ", "")  # 100 %, 7.750 m down to the water


def level(now: int, f_cnt: int = 0, **more: object) -> Radioed:
    return Radioed(LEVEL, bytes.fromhex(DISTANCE), now, f_cnt, 85, **more)  # type: ignore[arg-type]


@both
def test_a_level_sensor_is_read_with_its_battery_and_its_link(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    at = door.clock_at - 3000
    weak = Reception("0016c001f1000001", -120, -15)
    came = Came(door.records(by(server, level(at, receptions=(weak, Reception())))))
    assert not came.letters
    [reading] = came.of("S01", "stage")
    assert reading.value == 523_400 - 7750
    assert reading.observed_at == at
    assert (reading.flag, reading.test) == (Flag.GOOD, "network_time")
    assert came.values("S01", "battery") == [1000]
    assert came.values("S01", "rssi") == [-970]  # of the gateway that heard it best
    assert came.values("S01", "snr") == [75]
    assert came.values("S01", "frame_loss") == []  # of one frame nobody knows


@both
def test_zero_fields_that_are_left_out_are_zero(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    quiet = Reception(rssi=0, snr=0)
    data = bytes.fromhex("017500 038200 00".replace(" ", ""))
    sent = Radioed(LEVEL, data, door.clock_at, 0, 85, (quiet,))
    topic, payload = SERVERS[server](sent)
    assert b'"rssi"' not in payload
    assert not any(name in payload for name in (b'"fCnt"', b'"f_cnt"'))
    came = Came(door.records([message(topic, payload)]))
    assert came.values("S01", "battery") == [0]
    assert came.values("S01", "stage") == [523_400]
    assert came.values("S01", "rssi") == [0]
    assert came.values("S01", "snr") == [0]
    assert came.of("S01", "stage")[0].seq == 0


@both
def test_a_tipping_bucket_is_a_counter(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    data = bytes.fromhex("0202f8000300040258409a00000c54")
    came = Came(door.records(by(server, Radioed(BUCKET, data, door.clock_at, 7))))
    assert came.values("R01", "rain_counter") == [round(16538 * 0.2 * 10)]
    assert came.values("R01", "battery_voltage") == [3156]


@both
def test_what_the_servers_codec_has_read_counts_too(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    found = {"water": {"level": 0, "ok": True}, "status": "fine"}
    sent = Radioed(OWN, b"\x01", door.clock_at, 3, 9, object=found)
    came = Came(door.records(by(server, sent)))
    assert came.values("S03", "stage") == [1000]  # 0 m above a zero that lies at 1 m
    assert not came.letters


@both
def test_a_field_that_is_not_there_was_not_measured(server: str, tmp_path: Path) -> None:
    """A level of zero that nobody has measured would be a flood, or an all-clear."""
    door = intake(tmp_path)
    sent = Radioed(OWN, b"\x01", door.clock_at, 3, 9, object={"water": {"temperature": 4.0}})
    came = Came(door.records(by(server, sent)))
    assert came.values("S03", "stage") == []
    assert came.values("S03", "rssi") == [-970]


@both
def test_a_server_without_a_codec_is_told_once(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    sent = [Radioed(OWN, b"\x01", door.clock_at, n, 9) for n in range(3)]
    came = Came(door.records(by(server, *sent)))
    assert came.reasons == ["bad_payload"]
    assert "S03" in zh(came.letters[0].detail)
    assert "解码" in zh(came.letters[0].detail)


def test_cayenne_lpp_by_the_channel_of_the_row(tmp_path: Path) -> None:
    door = intake(tmp_path)
    data = bytes.fromhex("0367011003020005" + "04020064")
    came = Came(door.records(by("chirpstack", Radioed(LPP, data, door.clock_at, 1))))
    assert came.values("R02", "rain") == [1]  # 0.05 of channel 3, to a tenth of a millimetre
    assert not came.letters


# --- once


@both
def test_an_uplink_that_is_said_again_counts_once(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    at = door.clock_at - MINUTE
    first = by(server, level(at, 5))
    copy = by(server, level(at + 900, 5, receptions=(Reception("0016c001f1000002"),)))
    later = by(server, level(at + 30_000, 6))
    came = Came(door.records([*first, *copy, *first, *later]))
    assert [o.observed_at for o in came.of("S01", "stage")] == [at, at + 30_000]
    assert not came.letters


@both
def test_the_same_counter_after_a_new_start_is_another_frame(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    at = door.clock_at - 40 * MINUTE
    came = Came(
        door.records(
            by(server, level(at, 0), level(at + 20 * MINUTE, 0), level(at + 21 * MINUTE, 1))
        )
    )
    assert len(came.of("S01", "stage")) == 3
    assert came.values("S01", "frame_loss") == [0, 0]


@both
def test_a_gap_of_the_counter_is_a_share_that_was_lost(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    at = door.clock_at - 60 * MINUTE
    numbers = [0, 1, 2, 4, 5, 9]  # 3, 6, 7, 8 did not come
    sent = [level(at + n * MINUTE, n) for n in numbers]
    came = Came(door.records(by(server, *sent)))
    assert came.values("S01", "frame_loss")[-1] == 400  # 4 of 10
    joined = Radioed(LEVEL, sent[0].data, at + 20 * MINUTE, 0, 85, session="00ff0001")
    came = Came(door.records(by(server, joined)))
    assert came.values("S01", "frame_loss")[-1] < 400  # a new session lost nothing


def test_the_counter_goes_on_where_the_log_left_it(tmp_path: Path) -> None:
    door = intake(tmp_path)
    at = door.clock_at - 10 * MINUTE
    before = door.records(by("chirpstack", level(at + MINUTE, 7), level(at, 6)))
    reader = msgspec.json.Decoder(Observations)
    last = newest_counters(reader.decode(out.value) for out in before)
    assert last == {"S01": 7}
    mine = district()
    run = Run(name="live", kind="live", district=mine.id, config="c", start_at=door.clock_at)
    again = Intake(mine, run, FrameStore(tmp_path), counters=last)
    again.clock_at = door.clock_at
    came = Came(again.records(by("chirpstack", level(door.clock_at, 10))))
    assert came.values("S01", "frame_loss") == [667]  # 8 and 9 of three


# --- when


def test_a_satellite_clock_goes_before_the_servers(tmp_path: Path) -> None:
    for server in SERVERS:
        door = intake(tmp_path)
        at = door.clock_at - 50 * MINUTE
        # the gateway had no line for 45 minutes
        stored = level(door.clock_at - 5 * MINUTE, 1, receptions=(Reception(gps_ms=at),))
        came = Came(door.records(by(server, stored)))
        assert [(o.observed_at, o.test) for o in came.of("S01", "stage")] == [(at, "gateway_time")]


def test_a_gateway_without_one_counts_where_the_uplink_waited(tmp_path: Path) -> None:
    door = intake(tmp_path)
    at = door.clock_at - 50 * MINUTE
    came = Came(
        door.records(
            by(
                "things-stack",
                level(door.clock_at, 1, receptions=(Reception(clock_ms=at),)),
                # two minutes are a clock that nobody set, and one gateway of two is prompt
                level(
                    door.clock_at, 2, receptions=(Reception(clock_ms=door.clock_at - 2 * MINUTE),)
                ),
                level(
                    door.clock_at - 1,
                    3,
                    receptions=(Reception(clock_ms=at), Reception(clock_ms=door.clock_at - 1)),
                ),
            )
        )
    )
    found = [(o.observed_at, o.test) for o in came.of("S01", "stage")]
    assert found == [
        (at, "gateway_time"),
        (door.clock_at, "network_time"),
        (door.clock_at - 1, "network_time"),
    ]


def test_a_plain_gateway_whose_clock_is_slow_makes_no_live_level_late() -> None:
    now, known = 1_790_000_000_000, GatewayClocks()

    def heard(at: int, behind: int, gateway: str = "g") -> tuple[int | None, str]:
        return heard_at([at], [], known.prompt([(gateway, at - behind)], [at]))

    slow = 20 * MINUTE
    assert heard(now, slow) == (now - slow, "gateway_time")  # nobody knows yet
    assert heard(now + 5 * MINUTE, slow) == (now + 5 * MINUTE - slow, "gateway_time")
    for n in (10, 15, 20):
        at = now + n * MINUTE
        assert heard(at, slow + n * 100) == (at, "network_time")
    at = now + 25 * MINUTE
    assert heard(at, 3 * 60 * MINUTE)[1] == "gateway_time"  # this one did wait
    at += 5 * MINUTE
    assert heard(at, slow) == (at, "network_time")
    assert heard(at, slow, "another")[1] == "gateway_time"
    at += MINUTE  # somebody set it right, and then the link was away for as long
    assert heard(at, 0) == (at, "network_time")
    for n in range(3):
        assert heard(at + slow + n, slow + n - n * 5 * MINUTE)[1] == "gateway_time"


def test_what_waited_in_a_gateway_has_the_time_of_then() -> None:
    """Stored over an hour, handed over within seconds: each lies behind by less than the one before."""
    now, known = 1_790_000_000_000, GatewayClocks()
    for n in range(12):
        at, then = now + n * 1000, now - (60 - 5 * n) * MINUTE
        found = heard_at([at], [], known.prompt([("g", then)], [at]))
        assert found == (then, "gateway_time") or n == 11
    again = now + 60 * MINUTE
    assert heard_at([again], [], known.prompt([("g", again)], [again])) == (again, "network_time")


def test_a_receiver_that_lost_its_week_is_not_believed() -> None:
    now = 1_790_000_000_000
    for wrong in (now - 1024 * 7 * 86_400_000, now + 2 * MINUTE):
        assert heard_at([now], [wrong], []) == (now, "network_time")
    assert heard_at([None], [now], []) == (None, "")


def test_a_value_of_earlier_has_its_own_time(tmp_path: Path) -> None:
    door = intake(tmp_path)
    then = door.clock_at // 1000 - 7200
    data = bytes.fromhex("20CE") + then.to_bytes(4, "little") + bytes.fromhex("461E")
    came = Came(door.records(by("chirpstack", Radioed(LEVEL, data, door.clock_at, 4, 85))))
    [reading] = came.of("S01", "stage")
    assert (reading.observed_at, reading.seq, reading.test) == (then * 1000, None, "")


def test_a_simulated_uplink_is_no_measurement_of_a_live_run(tmp_path: Path) -> None:
    sim = {"simulated": True}
    came = Came(
        intake(tmp_path).records(by("things-stack", level(intake(tmp_path).clock_at, 1, more=sim)))
    )
    assert (came.reasons, came.readings) == (["simulated"], [])
    door = intake(tmp_path, run="exercise-1")
    [(topic, payload, *_)] = by("things-stack", level(door.clock_at, 1, more=sim))
    prefix = f"fengsui/exercise-1/{district().id}/"
    assert Came(door.records([message(prefix + topic, payload)])).values("S01", "stage")


# --- what is wrong


@both
def test_a_bad_payload_names_the_device_and_the_byte_and_the_others_go_on(
    server: str, tmp_path: Path
) -> None:
    door = intake(tmp_path)
    broken = Radioed(LEVEL, bytes.fromhex("0175640382"), door.clock_at, 1, 85)
    good = Radioed(RADAR, bytes.fromhex("04822C01"), door.clock_at, 1, 85)
    came = Came(door.records(by(server, broken, good)))
    assert came.reasons == ["cut_frame"]
    said = en(came.letters[0].detail)
    assert all(word in said for word in ("S01", LEVEL, "milesight-em500-udl", "at byte 3"))
    assert came.values("S01", "battery") == [1000]  # what stands before it counts
    assert came.values("S02", "stage") == [10_000 - 300]


@both
def test_a_device_that_nobody_declared_is_told_once_an_hour(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    foreign = [Radioed("FFFFFFFFFFFF0001", b"\x01", door.clock_at, n) for n in range(5)]
    came = Came(door.records(by(server, *foreign)))
    assert came.reasons == ["unknown_station"]
    door.clock_at += 61 * MINUTE
    assert Came(door.records(by(server, foreign[0]))).reasons == ["unknown_station"]


@both
def test_another_port_is_told_and_an_empty_frame_is_none(server: str, tmp_path: Path) -> None:
    door = intake(tmp_path)
    other = Radioed(LEVEL, b"\xff\x0b\xff", door.clock_at, 1, 3)
    empty = Radioed(LEVEL, b"", door.clock_at, 2, 0)
    came = Came(door.records(by(server, other, other, empty)))
    assert came.reasons == ["other_port"]
    assert came.values("S01", "frame_loss")[-1] == 0


def events(device: str, **fields: object) -> bytes:
    return json.dumps({"deviceInfo": {"devEui": device.lower()}, **fields}).encode()


def test_the_other_events_are_no_dead_letters_and_errors_are_seen(tmp_path: Path) -> None:
    door = intake(tmp_path)
    at = "2026-11-30T05:00:00Z"
    topic = f"application/a/device/{LEVEL.lower()}/event/"
    quiet = [
        message(topic + "join", events(LEVEL, time=at, devAddr="00189440")),
        message(topic + "ack", events(LEVEL, time=at, acknowledged=True)),
        message(topic + "txack", events(LEVEL, time=at, gatewayId="x")),
        message(topic + "location", events(LEVEL, location={"latitude": 40.5})),
        message(topic + "integration", events(LEVEL, integrationName="loracloud")),
        message(topic + "log", events(LEVEL, time=at, code="DOWNLINK_GATEWAY", level="WARNING")),
        message("v3/levels@ttn/devices/d/down/queued", b"{}"),
        message("v3/levels@ttn/devices/d/service/data", b"{}"),
        message("v3/levels@ttn/devices/d/location/solved", b"{}"),
    ]
    assert door.records(quiet) == []
    error = events(LEVEL, time=at, level="ERROR", code="UPLINK_CODEC", description="x is undefined")
    came = Came(door.records([message(topic + "log", error)] * 3))
    assert came.reasons == ["network_error"]
    assert "UPLINK_CODEC" in en(came.letters[0].detail)


def test_the_battery_that_the_server_asked_for(tmp_path: Path) -> None:
    door = intake(tmp_path)
    topic = f"application/a/device/{LEVEL.lower()}/event/status"
    at, before = (
        json.loads(SERVERS["chirpstack"](level(door.clock_at - ms))[1])["time"] for ms in (0, 1000)
    )
    told = [
        message(topic, events(LEVEL, time=at, margin=10, batteryLevel=88.3)),
        message(topic, events(LEVEL, time=at, margin=10, batteryLevelUnavailable=True)),
        message(topic, events(LEVEL, time=at, margin=10, externalPowerSource=True)),
    ]
    assert Came(door.records(told)).values("S01", "battery") == [883]
    assert Came(door.records([message(topic, events(LEVEL, time=before))])).values(
        "S01", "battery"
    ) == [0]
    [(topic, payload, *_)] = by("things-stack", level(door.clock_at, 1))
    up = json.loads(payload)
    up["uplink_message"]["last_battery_percentage"] = {"f_cnt": 1, "value": 71.5, "received_at": at}
    up["uplink_message"]["frm_payload"] = "A4JGHg=="
    came = Came(door.records([message(topic, json.dumps(up).encode())] * 2))
    assert came.values("S01", "battery") == [715]


@pytest.mark.parametrize(
    ("topic", "payload", "words"),
    [
        ("application/1/device/AA/event/up", b"\x0a\x24abc", "json=true"),
        (
            "application/1/device/AA/event/up",
            b'{"applicationID":"1","devEUI":"q83vEjRWeJA="}',
            "v3",
        ),
        ("application/1/device/AA/event/up", events("bb"), "the topic says 'AA'"),
        ("v3/a@t/devices/d/up", b"{}", "no dev_eui"),
        ("v3/a@t/devices/d/up", b'{"end_device_ids":{"device_id":"e","dev_eui":"AA"}}', "'d'"),
        ("v3/a@t/devices/d/up", b'{"end_device_ids":{"dev_eui":"AA"}}', "uplink_message"),
    ],
)
def test_what_is_wrong_with_a_message_is_said(
    topic: str, payload: bytes, words: str, tmp_path: Path
) -> None:
    came = Came(intake(tmp_path).records([message(topic, payload)]))
    assert came.reasons == ["bad_payload"]
    assert words in en(came.letters[0].detail)


def test_what_is_still_encrypted_is_not_read(tmp_path: Path) -> None:
    door = intake(tmp_path)
    [(topic, payload, *_)] = by("things-stack", level(door.clock_at))
    up = json.loads(payload)
    up["uplink_message"]["app_s_key"] = {"key": "AA=="}
    came = Came(door.records([message(topic, json.dumps(up).encode())]))
    assert (came.reasons, came.readings) == (["bad_payload"], [])


def test_who_has_no_devices_hears_no_network_server(tmp_path: Path) -> None:
    assert len(intake(tmp_path).filters()) == len(intake(tmp_path, of=district(())).filters()) + 4
    exercise = intake(tmp_path, run="exercise-1").filters()
    assert not [f for f in exercise if not f.startswith("fengsui/")]


# --- whatever comes


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["deviceInfo", "devEui", "data", "fCnt", "fPort", "object", "rxInfo", "nsTime", "time", "rssi",
             "end_device_ids", "dev_eui", "uplink_message", "frm_payload", "rx_metadata", "received_at",
             "last_battery_percentage", "value", "decoded_payload", "decoded_payload_warnings", "down_failed"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


@given(given_=JSON, event=st.sampled_from(["up", "status", "join", "log", "down/failed"]))
def test_any_json_is_an_event_or_says_what_is_wrong(given_: object, event: str) -> None:
    payload = json.dumps(given_).encode()
    for found in (*read_chirpstack("AA", event, payload), *read_things_stack("d", event, payload)):
        if isinstance(found, Rejected):
            assert found.reason in REASONS
            assert zh(found.detail)
            assert en(found.detail)


@given(data=st.binary(max_size=40), port=st.integers(0, 255), f_cnt=st.integers(0, 2**32 - 1))
def test_what_a_device_sends_comes_out_alike_of_both_servers(
    data: bytes, port: int, f_cnt: int
) -> None:
    now = 1_790_000_000_000
    sent = Radioed(LEVEL, data, now, f_cnt, port)
    [one] = read_chirpstack(LEVEL.lower(), "up", SERVERS["chirpstack"](sent)[1])
    topic, payload = SERVERS["things-stack"](sent)
    [two] = read_things_stack(topic.split("/")[3], "up", payload)
    assert isinstance(one, Uplink)
    assert isinstance(two, Uplink)
    assert one._replace(session="") == two._replace(session="")
    assert (one.data, one.port, one.f_cnt, one.at_ms) == (data, port, f_cnt, now)


@given(
    lost=st.lists(st.booleans(), min_size=2, max_size=250),
    start=st.integers(0, 70_000),
)
def test_the_loss_is_that_of_the_frames_on_the_air(lost: list[bool], start: int) -> None:
    """Against a plain count over the last hundred frames between the first and the last that came."""
    counter, heard = Counter(), [n for n, gone in enumerate(lost) if not gone]
    found = None
    for n in heard:
        found = counter.take("s", start + n, n, n * MINUTE).loss
    if not heard or heard[-1] == heard[0]:
        assert found is None
        return
    span = range(max(heard[0], heard[-1] - 99), heard[-1] + 1)
    plain = 100.0 * sum(lost[n] for n in span) / len(span)
    assert found is not None
    assert abs(found - plain) <= 100.0 * (1 + max(b - a for a, b in pairwise(heard))) / len(span)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2**32 - 1)), max_size=60))
def test_whatever_the_counter_does_the_loss_is_a_share(numbers: list[tuple[str, int]]) -> None:
    counter = Counter()
    for n, (session, number) in enumerate(numbers):
        loss = counter.take(session, number, n, n * 11 * MINUTE).loss
        assert loss is None or 0.0 <= loss < 100.0
    assert LARGEST_GAP == 16_384


def test_two_fields_of_a_device_are_two_stations(tmp_path: Path) -> None:
    rows = (
        LorawanRow(
            station="S01", dev_eui=LPP, codec="cayenne-lpp", field="analog_input_1", scale=1.0
        ),
        LorawanRow(
            station="R02", dev_eui=LPP, codec="cayenne-lpp", field="analog_input_2", scale=0.1
        ),
    )
    door = intake(tmp_path, of=district(rows))
    data = bytes.fromhex("010200C8" + "020200C8")
    came = Came(door.records(by("chirpstack", Radioed(LPP, data, door.clock_at, 1))))
    assert came.values("S01", "stage") == [2000]
    assert came.values("R02", "rain") == [2]
    assert came.values("S01", "rssi")
    assert not came.values("R02", "rssi")
