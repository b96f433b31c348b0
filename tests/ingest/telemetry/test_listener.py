"""The listener for telemetry stations over real sockets, with a simulated station on the other side and a real
log behind it: what it takes, when it answers, what it refuses."""

import io
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from config.records.district import TelemetryRow
from ingest.observation import Flag
from ingest.telemetry.codec.sl651 import encode
from ingest.telemetry.codec.sl651.body import moment, read
from ingest.telemetry.codec.sl651.tables import EOT, ESC, HOURLY
from ingest.telemetry.codec.szy206.data import encode_number, encode_tail
from ingest.telemetry.codec.szy206.frame import Finder206, Frame206, frame
from ingest.telemetry.server import Bounds
from simulators.telemetry.sl651 import Station651
from stream.wall_clock import now_ms
from tests.support.telemetry import WAIT_S, A, B, C, Listening, district, fresh, listening, until

MINUTE = 60_000
RAIN = [0.5, 0, 0, 0, 2.0, None, None, None, None, None, 0, 0]
LEVELS = [0.12, 0.12, 0.28, 0.49, 0.49, None, None, None, None, None, 0.49, 0.49]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Listening]:
    with listening(tmp_path) as found:
        yield found


def station(line: Listening, address: str = A, way: str = "tcp") -> Station651:
    return Station651(
        address, "127.0.0.1", line.udp if way == "udp" else line.tcp, way, wait_s=WAIT_S
    )


def whole_hour() -> int:
    return now_ms() // 3_600_000 * 3_600_000


def reasons(line: Listening) -> list[str]:
    return sorted(one.reason for one in line.letters())


def jpeg(side: int = 160) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((side, side), 80).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.servers)])
def log_url(request: pytest.FixtureRequest) -> str:
    """The embedded log, and Kafka."""
    if request.param == "sqlite":
        return ""
    return f"kafka://{request.getfixturevalue('kafka_server')}"


@pytest.mark.parametrize("way", ["tcp", "udp"])
def test_an_hourly_report_is_in_the_log_when_its_answer_comes(
    log_url: str, way: str, tmp_path: Path
) -> None:
    with listening(tmp_path, log=log_url, run=fresh() if log_url else "live") as line:
        end = line.setup.run.start_at // MINUTE * MINUTE
        one = station(line, way=way)
        elements = one.hourly(end, RAIN, LEVELS, total=4.0, level=10.49, volts=12.0)
        answer = one.hour(end, end, elements)
        found = {(o.station, o.quantity, o.observed_at): o.value for o in line.observations()}
        one.close()
        assert answer is not None
        assert (answer.function, answer.serial, answer.end) == (HOURLY, 1, EOT)
        rain = {k[2]: v for k, v in found.items() if k[1] == "rain"}
        assert rain == {
            end - 55 * MINUTE + n * 5 * MINUTE: round(v * 10)
            for n, v in enumerate(RAIN)
            if v is not None
        }
        stage = [found["S01", "stage", end - 55 * MINUTE + n * 5 * MINUTE] for n in (0, 2)]
        assert stage == [1120, 1280]  # above the base of 1 m
        assert found["S01", "stage", end] in (10_490, 1490)
        assert found["R01", "battery", end] == 500
        assert not line.letters()


def test_a_report_said_again_is_answered_again_and_counts_once(line: Listening) -> None:
    one, at = station(line), now_ms() // MINUTE * MINUTE
    raw = one.frame(0x33, at, at, [encode.element(0x39, 2.0, 4, 3)])
    first, second = one.hand_over([raw]), one.hand_over([raw])
    one.connect()
    third = one.hand_over([raw])
    one.close()
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.serial == second.serial == third.serial == 1
    assert len(line.observations()) == 1  # `stored twice` fails in there
    assert not line.letters()


def test_nobody_is_answered_before_the_log_has_it(line: Listening) -> None:
    """While another program holds the log no answer can come; it comes after."""
    one, at = station(line), now_ms() // MINUTE * MINUTE
    file = next(line.setup.folder.glob("*.log.db"))
    held = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    held.execute("BEGIN IMMEDIATE")
    let_go = threading.Event()
    in_time: list[bool] = []

    def say() -> None:
        answered = one.timed(at, [encode.element(0x39, 2.0, 4, 3)])
        in_time.append(answered is not None and let_go.is_set())

    thread = threading.Thread(target=say)
    thread.start()
    until(lambda: one.said)
    let_go.wait(0.3)  # an answer that does not wait for the log would be there by now
    let_go.set()
    held.execute("COMMIT")
    held.close()
    thread.join(WAIT_S)
    one.close()
    assert in_time == [True]
    assert len(line.observations()) == 1


def test_what_is_wrong_is_a_dead_letter_with_its_byte_and_the_session_stands(
    line: Listening,
) -> None:
    one, at = station(line), now_ms() // MINUTE * MINUTE
    good = one.frame(0x33, at, at, [encode.element(0x39, 2.0, 4, 3)])
    spoilt = good[:-1] + bytes([good[-1] ^ 1])
    stranger = Station651("0099999999", "127.0.0.1", line.tcp)
    other = Station651(B, "127.0.0.1", line.tcp, password="9999")
    for raw in (
        b"\x00\x11rubbish",
        spoilt,
        stranger.frame(0x33, at, at, ()),
        other.frame(0x33, at, at, ()),
        encode.frame(A, 0x47, bytes(2) + bytes.fromhex(encode.digits(at))),
        encode.frame(A, 0x32, bytes(2000))[:40],
    ):
        one.send(raw)
    answer = one.add_on(
        at,
        [
            b"\x7b\x19\x00\x00\x12",
            b"\x39\x23\x00\x0b\x12\x34",
            encode.observed(at - MINUTE),
            encode.element(0x39, 3.0, 4, 3),
        ],
    )
    one.close()
    assert answer is not None
    assert reasons(line) == sorted(
        ["no_frame", "bad_crc", "unknown_station", "bad_password", "unasked", "cut_frame", "unknown_element",
         "bad_value"]
    )  # fmt: skip
    assert all("at byte" in str(one.detail) for one in line.letters())
    assert [o.value for o in line.observations()] == [3000]


def test_an_unknown_element_is_told_once_an_address(line: Listening) -> None:
    one, at = station(line), now_ms() // MINUTE * MINUTE
    for n in range(3):
        assert one.add_on(at, [b"\x7b\x19\x00\x00\x12", encode.element(0x39, float(n), 4, 3)])
    one.close()
    assert reasons(line) == ["unknown_element"]


def test_two_stations_with_one_address_are_told_and_their_readings_suspect(line: Listening) -> None:
    at = whole_hour()
    first, second = station(line), station(line)
    for one, level in ((first, 2.0), (second, 7.0)):
        assert one.hour(at, at, one.hourly(at, [], level=level, volts=11 + level / 10))
    assert first.timed(at + MINUTE, [encode.element(0x39, 2.1, 4, 3)])
    first.close()
    second.close()
    assert "address_twice" in reasons(line)
    flags = {
        (o.observed_at, o.value): (o.flag, o.test)
        for o in line.observations()
        if o.station == "S01"
    }
    assert flags[at, 2000][0] == Flag.GOOD
    assert flags[at, 7000] == (Flag.SUSPECT, "address_twice")
    assert flags[at + MINUTE, 2100] == (Flag.SUSPECT, "address_twice")


def test_a_station_that_comes_back_on_a_new_connection_is_one_station(line: Listening) -> None:
    one, at = station(line), whole_hour()
    for n in range(4):
        one.connect()
        assert one.timed(at - n * MINUTE, [encode.element(0x39, 2.0 + n, 4, 3)])
    one.close()
    assert not line.letters()
    assert {o.flag for o in line.observations()} == {Flag.GOOD}


def test_a_picture_whose_packet_was_lost_is_asked_for_and_kept_once(line: Listening) -> None:
    one, at = station(line, B), now_ms() // MINUTE * MINUTE
    body = jpeg()
    one.lose = lambda n: n == 2
    answer = one.picture(at, body)
    one.lose = lambda _: False
    assert answer is not None
    assert (answer.function, answer.serial) == (0x36, 1)
    one.close()
    (found,) = line.observations()
    assert (found.station, found.quantity, found.observed_at) == ("V01", "frame", at)
    assert (line.setup.folder / "frames" / found.ref[:2] / f"{found.ref}.jpg").read_bytes() == body


def test_a_keep_alive_is_not_answered(line: Listening) -> None:
    one, at = station(line), now_ms() // MINUTE * MINUTE
    one.keep_alive(at)
    answer = one.timed(at, [encode.element(0x39, 2.0, 4, 3)])
    one.close()
    assert answer is not None
    assert answer.function == 0x32
    assert not line.letters()


def test_a_test_report_is_answered_and_counts_as_suspect(line: Listening) -> None:
    one, at = station(line), now_ms() // MINUTE * MINUTE
    assert one.test(at, [encode.element(0x39, 6.5, 4, 3)])
    one.close()
    (found,) = line.observations()
    assert (found.flag, found.test) == (Flag.SUSPECT, "test_report")


def test_a_station_whose_clock_is_wrong_is_answered_and_its_times_are_not_made_up(
    line: Listening,
) -> None:
    one, at = station(line), now_ms() // MINUTE * MINUTE
    for wrong in (at + 60 * MINUTE, encode_day(2000)):
        assert one.timed(wrong, [encode.element(0x39, 2.0, 4, 3)])
    body = encode.report(A, 77, at, 0x48, at, ())[
        :16
    ]  # no time of observation: that of sending counts
    assert one.hand_over([encode.frame(A, 0x33, body + encode.element(0x39, 1.0, 4, 3))])
    one.close()
    assert reasons(line) == ["clock_ahead", "too_old"]
    (found,) = line.observations()
    assert (found.test, found.observed_at) == ("time_of_sending", at)


def encode_day(year: int) -> int:
    from datetime import UTC, datetime

    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)


def test_a_clock_that_is_off_is_set_where_the_district_wants_it_so(tmp_path: Path) -> None:
    rows = (TelemetryRow(station="S01", address=A, element="39", clock="set"),)
    with listening(tmp_path, of=district(rows)) as line:
        one, at = station(line), now_ms() // MINUTE * MINUTE
        level = [encode.element(0x39, 2.0, 4, 3)]
        answer = one.timed(at - 20 * MINUTE, level)
        told = [one.listen(), one.listen()]
        assert answer is not None
        assert answer.end == ESC  # it must stay to hear it
        assert [f.function for f in told if f is not None] == [0x4A, 0x4A]
        times = [moment(read(f).sent) for f in told if f is not None]
        assert all(t is not None and abs(t - at) < 10 * MINUTE for t in times)
        one.send(encode.frame(A, 0x4A, bytes(2) + bytes.fromhex(encode.digits(at))))
        for n in (19, 0):
            answer = one.timed(at - n * MINUTE, level)
            assert answer is not None
            assert answer.end == EOT  # once an hour
        one.close()
        assert not line.letters()


def test_a_station_that_waits_to_be_asked_is_asked(line: Listening) -> None:
    one, at = station(line, C), now_ms() // MINUTE * MINUTE
    answer = one.timed(at - MINUTE, [encode.element(0x39, 1.0, 4, 3)])
    assert answer is not None
    assert answer.end == ESC  # it is to stay on line
    assert one.answer_question(at, [encode.element(0x39, 2.0, 4, 3)])
    until(lambda: len(line.observations()) == 2)
    one.close()
    assert not line.letters()


def test_a_report_in_packets_is_acknowledged_one_by_one(line: Listening) -> None:
    one, at = station(line), now_ms() // MINUTE * MINUTE
    body = encode.report(
        A, 5, at, 0x48, at, [encode.element(0x39, n / 10, 4, 3) for n in range(50)]
    )
    packets = encode.in_packets(A, 0x32, body)
    assert len(packets) == 2
    acknowledged = one.hand_over(packets[:1])
    answer = one.hand_over(packets[1:])
    one.close()
    assert acknowledged is not None
    assert answer is not None
    assert (acknowledged.end, answer.end, answer.serial) == (0x06, EOT, 5)


def test_szy206_on_the_same_port(line: Listening) -> None:
    at = now_ms() // 1000 * 1000
    raw = frame(0xB1, "5303810D00", 0xC0, encode_number(12.5, 3, 1) + encode_tail(at))
    with socket.create_connection(("127.0.0.1", line.tcp), timeout=WAIT_S) as peer:
        peer.sendall(raw[:9])
        peer.sendall(raw[9:])
        finder, heard = Finder206(), []
        while not heard:
            heard = finder.feed(peer.recv(1000))
    (answer,) = heard
    assert isinstance(answer, Frame206)
    assert (answer.up, answer.function, answer.data) == (False, 0xC0, b"\x00")
    (found,) = line.observations()
    assert (found.station, found.value, found.observed_at) == ("R03", 125, at)


def test_one_bad_peer_costs_itself_and_nobody_else(tmp_path: Path) -> None:
    at = now_ms() // MINUTE * MINUTE
    with listening(tmp_path, bounds=Bounds(sessions=8)) as line:
        bad = [socket.create_connection(("127.0.0.1", line.tcp), timeout=WAIT_S) for _ in range(12)]
        good = station(line)
        assert good.timed(at, [encode.element(0x39, 2.0, 4, 3)])
        noise = encode.frame(A, 0x32, bytes(60))[:-1] + b"\x00"
        for peer in bad:
            try:
                peer.sendall(noise * 40)
                while peer.recv(1000):
                    pass
            except OSError:
                pass  # cut
            peer.close()
        assert good.timed(at + 1, [encode.element(0x39, 2.0, 4, 3)])
        good.close()
        assert len(line.letters()) <= 200


def test_what_is_half_when_the_connection_ends_is_told(line: Listening) -> None:
    one, at = station(line), now_ms() // MINUTE * MINUTE
    raw = one.frame(0x33, at, at, [encode.element(0x39, 2.0, 4, 3)])
    one.send(raw[:25])
    one.close()
    until(line.letters)
    assert reasons(line) == ["cut_frame"]


def test_a_station_keeps_what_nobody_answered_and_says_it_again(tmp_path: Path) -> None:
    at = now_ms() // MINUTE * MINUTE
    with listening(tmp_path) as line:
        one = station(line)
        assert one.timed(at - MINUTE, [encode.element(0x39, 1.0, 4, 3)])
    one.wait_s = 1.0
    assert one.timed(at, [encode.element(0x39, 2.0, 4, 3)]) is None
    assert len(one.kept) == 1
    with listening(tmp_path) as line:
        one._where, one.wait_s = ("127.0.0.1", line.tcp), WAIT_S
        one.connect()
        assert one.catch_up() == 1
        one.close()
        assert sorted(o.value for o in line.observations()) == [1000, 2000]


def test_a_district_without_the_table_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="telemetry.csv"), listening(tmp_path, of=district(())):
        pass
