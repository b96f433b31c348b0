"""No message ends the line: what is spoilt is a dead letter, and the neighbours count."""

import hashlib
import json
import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from console.model.follow import DECODERS
from ingest.cap.intake import CapDoor
from ingest.decode.reading import REASONS, decode_json
from ingest.observation import CapIn, Observations
from ingest.stage import Intake
from stream.disk.blobs import FrameStore
from stream.limits import DEEPEST, LAST_AT, Unreadable, deep, moment, read_json
from stream.log.port import Out, Unavailable
from stream.mqtt.client import Message
from stream.records import DeadLetter, Run
from tests.support import poison
from tests.support.cap_world import WEATHER, hearing, message, signed
from tests.support.decide_district import T0

DISTRICT = hearing()
NOW = T0
PREFIX = "fengsui/live/yanqing/"
RUN = Run(name="live", kind="live", district="yanqing", config="c", start_at=NOW)
GOOD = Message(PREFIX + "station/R06/rain", b'{"value": 1.2}', 1, 1)


def intake(folder: Path) -> Intake:
    found = Intake(DISTRICT, RUN, FrameStore(folder / "f"), CapDoor(DISTRICT, True, folder))
    found.clock_at = NOW
    return found


def read(outs: list[Out]) -> tuple[list[str], list[DeadLetter]]:
    """Stations whose readings count, and dead letters."""
    records = [DECODERS[o.topic].decode(o.value) for o in outs]
    stations = [s for r in records if isinstance(r, Observations) for s in r.station]
    return stations, [r for r in records if isinstance(r, DeadLetter)]


def test_every_poison_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    doors = intake(tmp_path)
    tried = Counter()  # type: ignore[var-annotated]
    for one in poison.of_ingest(NOW, "G1", WEATHER):
        spoilt = Message(PREFIX + one.topic, one.payload, 1, 1)
        stations, dead = read(doors.records([GOOD, spoilt, GOOD]))
        assert stations.count("R06") >= 2, one
        assert all(d.reason in REASONS for d in dead), one
        tried[one.door] += 1
    assert min(tried.values()) > 5
    assert len(tried) == 9


def test_a_program_error_in_one_message_is_a_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("13800138000 张三")

    monkeypatch.setattr("ingest.stage.decode_status", broken)
    monkeypatch.setattr("ingest.people.reports.People.report", broken)
    monkeypatch.setattr("ingest.cap.interpret.Hearing.listen", broken)
    spoilt = [
        Message(PREFIX + topic, payload, 1, 1)
        for topic, payload in (
            ("node/N001/status", b"{}"),
            ("person/C-0001/report", b"{}"),
            (f"source/{WEATHER}/cap", b"<alert/>"),
        )
    ]
    doors = intake(tmp_path)
    for _ in range(2):
        stations, dead = read(doors.records([GOOD, *spoilt, GOOD]))
        assert stations == ["R06", "R06"]
        assert [d.reason for d in dead] == ["bad_payload"] * 3
        # the kind and the place, and nothing of the content
        assert all("KeyError" in d.detail and "broken" in d.detail for d in dead)
        assert not any("138" in d.detail or "张三" in d.detail for d in dead)
        assert dead[1].payload == ""
    assert "138" not in capsys.readouterr().err


@pytest.mark.parametrize("error", [Unavailable("disk full"), RuntimeError("odd")])
def test_what_the_log_raises_is_no_fault_of_a_message(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("ingest.stage.decode_status", broken)
    batch = [GOOD, Message(PREFIX + "node/N001/status", b"{}", 1, 1)]
    if isinstance(error, Unavailable):
        with pytest.raises(Unavailable):
            intake(tmp_path).records(batch)
    else:
        assert len(read(intake(tmp_path).records(batch))[1]) == 1


def test_a_long_list_of_nothing_fills_no_disk(tmp_path: Path) -> None:
    endless = b"[" + b"1," * 120_000 + b"1]"
    body = b"[" + b"1," * 19_000 + b'{"value": 0.5}]'
    for topic in ("station/R01/rain", "gateway/G1/senml", "gateway/G1/json"):
        outs = intake(tmp_path).records([Message(PREFIX + topic, body, 1, 1), GOOD])
        assert sum(len(o.value) for o in outs) < 1_000_000
        stations, dead = read(outs)
        assert "R06" in stations
        assert "more of the same message" in dead[-1].detail
        outs = intake(tmp_path).records([Message(PREFIX + topic, endless, 1, 1), GOOD])
        stations, dead = read(outs)
        assert "R06" in stations
        assert [d.reason for d in dead] == ["oversize"]


def test_a_backlog_of_gateways_outgrows_no_record(tmp_path: Path) -> None:
    reading = {"station": "R01", "quantity": "rain", "value": 0.1, "seq": 2**52}
    rows = [{**reading, "time": NOW / 1000 - n} for n in range(2400)]
    message = Message(PREFIX + "gateway/G1/json", json.dumps(rows).encode(), 1, 1)
    outs = intake(tmp_path).records([message] * 40)
    assert max(len(o.value) for o in outs) < 4_000_000  # what Kafka is told to take
    assert read(outs)[0].count("R01") == 2400 * 40 * len(DISTRICT.groups_of_station["R01"])


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow past 100 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_volume_without_room_for_pictures_stops_no_gauge_and_comes_back(tmp_path: Path) -> None:
    doors, body = intake(tmp_path), poison.picture()
    picture = Message(PREFIX + f"station/V01/frame/{NOW}", body, 1, 1)
    with no_room():
        outs = doors.records([GOOD, picture, GOOD])
    stations, dead = read(outs)
    assert stations == ["R06", "R06"]
    assert [d.reason for d in dead] == ["no_room"]
    assert hashlib.sha256(body).hexdigest() in dead[0].detail
    assert "File too large" in doors.no_room  # /readyz and the status of the service say so
    assert not [f for f in (tmp_path / "f").rglob("*") if f.is_file()]  # nor is half of it kept
    stations, dead = read(doors.records([picture]))
    assert (stations, dead, doors.no_room) == (["V01"], [], "")


def test_a_warning_of_another_authority_counts_without_room_for_its_bytes(tmp_path: Path) -> None:
    body, doors = signed(message(sent_at=NOW)), intake(tmp_path)
    with no_room():
        outs = doors.records([GOOD, Message(PREFIX + f"source/{WEATHER}/cap", body, 1, 1)])
    records = [DECODERS[o.topic].decode(o.value) for o in outs]
    assert [r.msg_type for r in records if isinstance(r, CapIn)] == ["alert"] * DISTRICT.partitions
    assert [r.reason for r in records if isinstance(r, DeadLetter)] == ["no_room"]


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b"[" * DEEPEST + b"]" * DEEPEST, False),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), True),
        (b'["' + b"[" * 5000 + b'"]', False),
        (b'["\\"' + b"[" * 5000 + b'"]', False),
        (b'["\\\\"' + b"[" * 5000 + b"]", True),
        (b"[]," * 5000, False),
        (b'{"a":[' * DEEPEST, True),
    ],
)
def test_depth_is_judged_on_the_bytes(payload: bytes, answer: bool) -> None:
    assert deep(payload) is answer


def test_one_bad_number_of_a_list_costs_no_other() -> None:
    for bad in ("NaN", "-nan", "Infinity", "-inf", "1e999", "9" * 5000):
        found = decode_json(f'[{{"value": 1}}, {{"value": {bad}}}, {{"value": 3}}]'.encode())
        assert [getattr(x, "value", x) for x in found] == [1, None, 3], bad


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2025-07-26T24:00:00+08:00", 1_753_545_600_000),
        ("2025-07-26T24:00:00.000Z", 1_753_574_400_000),
        ("2025-07-26T24:01:00Z", None),
        ("9999-12-31T23:59:59-14:00", LAST_AT),
        ("9999-12-31T24:00:00Z", LAST_AT),
        ("0001-01-01T00:00:00+14:00", None),
        ("1" * 5000, None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
        (-1, None),
        (True, None),
    ],
)
def test_an_instant_from_outside(value: object, at: int | None) -> None:
    assert moment(value) == at


def test_what_is_refused_quotes_nothing() -> None:
    for payload in (b'{"text": 13800138000', b'"13800138000', b"\xff13800138000"):
        with pytest.raises(Unreadable) as e:
            read_json(payload, msgspec.json.Decoder(), 1000)
        assert "138" not in e.value.words
