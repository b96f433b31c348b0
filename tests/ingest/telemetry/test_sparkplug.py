"""Sparkplug B: payloads, numbers, and the host that follows births, sequence numbers and deaths."""

import base64
import gzip
import json
import math
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.language import en, zh
from config.records.district import SparkplugRow
from ingest.decode.reading import REASONS
from ingest.observation import HISTORICAL, Away, Flag, Observation
from ingest.stage import Intake
from ingest.telemetry.codec.sparkplug import datatypes, wire
from ingest.telemetry.codec.sparkplug.wire import Metric, read
from ingest.telemetry.sparkplug.host import AGAIN_MS, REORDER_MS, FromEdge, Host
from stream.disk.blobs import FrameStore
from stream.mqtt.access import INGEST, rights
from stream.mqtt.client import Message
from stream.mqtt.sparkplug import EdgeTopic, read_topic
from tests.support.examples import examples
from tests.support.sparkplug import DEVICE, EDGE, GROUP, RUN, district, records_of
from tests.support.sparkplug_bytes import field, metric, payload

NOW = 1_780_000_000_000
KEY = GROUP, EDGE
DOUBLE, INT16, INT32, STRING, UINT64 = 10, 2, 3, 12, 8
NODE = {kind: EdgeTopic(GROUP, kind, EDGE) for kind in ("NBIRTH", "NDATA", "NDEATH")} | {
    kind: EdgeTopic(GROUP, kind, EDGE, DEVICE) for kind in ("DBIRTH", "DDATA", "DDEATH")
}


def nbirth(bd_seq: int = 0, seq: int = 0) -> bytes:
    return payload(
        metric("long", bd_seq, name="bdSeq", timestamp=NOW, datatype=UINT64),
        metric("boolean", False, name=wire.REBIRTH, timestamp=NOW, datatype=11),
        at=NOW, seq=seq,
    )  # fmt: skip


def dbirth(seq: int = 1, **more: Any) -> bytes:
    return payload(
        metric("double", 1.25, name="Level", alias=11, timestamp=NOW, datatype=DOUBLE, **more),
        metric("int", 2**32 - 7, name="Temperature", alias=13, timestamp=NOW, datatype=INT16),
        metric("int", 120, name="Rain Total", alias=12, timestamp=NOW, datatype=INT32),
        metric("float", 88.5, name="Battery", alias=14, timestamp=NOW, datatype=9),
        metric("string", "ok", name="Note", alias=15, timestamp=NOW, datatype=STRING),
        at=NOW, seq=seq,
    )  # fmt: skip


def ddata(seq: int | None, value: float = 2.5, at: int = NOW, **more: Any) -> bytes:
    return payload(metric("double", value, alias=11, timestamp=at, **more), at=at, seq=seq)


def born(now: int = NOW) -> Host:
    """A host that has heard both births."""
    host = Host([KEY])
    host.hear(NODE["NBIRTH"], nbirth(), now)
    host.hear(NODE["DBIRTH"], dbirth(), now)
    return host


def told(heard: FromEdge) -> list[str]:
    return [letter.reason for letter in heard.letters]


# --- payloads


def test_published_payloads(data: Path) -> None:
    vectors = json.loads((data / "sparkplug-b" / "vectors.json").read_text())
    for vector in vectors:
        found, want = read(base64.b64decode(vector["base64"])), vector["decoded"]
        assert not found.faults, vector["name"]
        assert len(found.metrics) == vector["metric_count"]
        assert found.timestamp == int(want["timestamp"])
        assert found.seq == (None if "seq" not in want else int(want["seq"]))
        for m, w in zip(found.metrics, want["metrics"], strict=False):
            assert (m.name, m.datatype) == (w.get("name"), w.get("datatype"))
            assert m.alias == (None if "alias" not in w else int(w["alias"]))
            (value,) = [v for k, v in w.items() if k.endswith("_value")]
            assert datatypes.number(m, None) == pytest.approx(float(value))


@pytest.mark.parametrize(
    ("kind", "value", "datatype", "expected"),
    [
        ("int", 2**32 - 7, 1, -7),
        ("int", 0xF9, 1, -7),
        ("int", 127, 1, 127),
        ("int", 2**32 - 32768, 2, -32768),
        ("int", 0x8000, 2, -32768),
        ("int", 2**32 - 1, 3, -1),
        ("long", 2**64 - 1, 3, -1),  # carried on to 64 bits
        ("long", 2**64 - 2**40, 4, -(2**40)),
        ("int", 255, 5, 255),
        ("long", 2**64 - 1, 8, 2**64 - 1),
        ("int", 5, 10, 5.0),  # a whole number for a Double
        ("double", 2.5, 9, 2.5),
        ("float", 2.5, None, 2.5),
        ("boolean", 1, None, 1),
        ("int", 1, 11, 1),
        ("int", 7, None, 7),
        ("double", math.nan, 10, None),
        ("float", math.inf, 9, None),
        ("", None, 10, None),
    ],
)
def test_numbers(kind: str, value: Any, datatype: int | None, expected: float | None) -> None:
    (m,) = read(payload(metric(kind, value, name="x"))).metrics
    assert datatypes.number(m, datatype) == expected


@pytest.mark.parametrize(
    ("kind", "value", "datatype", "words"),
    [
        ("int", 300, 5, "beyond UInt8"),
        ("int", 70_000, 2, "beyond Int16"),
        ("int", 2**32 - 5, None, "not its sign"),
        ("string", "1.5", 12, "String is no number"),
        ("long", NOW, 13, "DateTime is no number"),
    ],
)
def test_what_is_no_number_says_why(kind: str, value: Any, datatype: int, words: str) -> None:
    (m,) = read(payload(metric(kind, value, name="x"))).metrics
    found = datatypes.number(m, datatype)
    assert isinstance(found, datatypes.NoNumber) and words in found.why.en and found.why.zh


@examples(300)
@given(st.sampled_from([(1, 8), (2, 16), (3, 32), (4, 64)]), st.data())
def test_negative_numbers_travel_in_unsigned_fields(of: tuple[int, int], data: Any) -> None:
    datatype, width = of
    value = data.draw(st.integers(-(2 ** (width - 1)), 2 ** (width - 1) - 1))
    for bits in {width, max(width, 32), 64}:
        kind = "long" if bits == 64 else "int"
        (m,) = read(payload(metric(kind, value % 2**bits, name="x"))).metrics
        found = datatypes.number(m, datatype)
        # a positive number beyond half of its width is another one's two's complement: nobody sends it
        assert found == value


def test_a_payload_cut_anywhere_keeps_the_metrics_before_the_cut() -> None:
    whole = dbirth()
    ends = [m.end for m in read(whole).metrics]
    for size in range(len(whole)):
        found = read(whole[:size])
        assert len(found.metrics) == sum(end <= size for end in ends)
        assert all(0 <= f.at <= size for f in found.faults)
        if size not in (0, *ends, len(read(whole[:7]).metrics) + 7):
            assert found.faults or found.seq is None


def test_a_damaged_metric_costs_itself_alone() -> None:
    good = metric("double", 1.5, name="Level")
    bad = b"\x0a\x7fLevel"  # a name longer than its metric
    found = read(payload(good, bad, good, seq=3))
    assert [m.value for m in found.metrics] == [1.5, 1.5]
    assert found.seq == 3
    (fault,) = found.faults
    assert fault.at == len(field(2, good)) + 2
    assert "metric 2" in fault.en


@examples(500)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    found = read(raw)
    for m in found.metrics:
        datatypes.number(m, None)
    host = born()
    for topic in NODE.values():
        for letter in host.hear(topic, raw, NOW).letters:
            assert letter.reason in REASONS
            assert en(letter.detail) and zh(letter.detail)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_packed_payloads(pack: Any) -> None:
    inner = dbirth(seq=9)
    outer = field(4, "SPBV1.0_COMPRESSED") + field(5, pack(inner))
    found = read(outer)
    assert (found.seq, found.metrics) == (9, read(inner).metrics)
    cut = read(field(4, "SPBV1.0_COMPRESSED") + field(5, pack(inner)[:-9]))
    assert "compressed" in cut.faults[-1].en
    bomb = field(4, "SPBV1.0_COMPRESSED") + field(5, pack(bytes(3_000_000)))
    assert [f.code for f in read(bomb).faults] == ["oversize"]


def test_the_request_for_a_rebirth_as_it_is_read() -> None:
    found = read(wire.rebirth(NOW))
    assert (found.timestamp, found.seq) == (NOW, None)
    (m,) = found.metrics
    assert m == Metric(
        m.at, m.end, wire.REBIRTH, None, NOW, wire.BOOLEAN, False, False, "boolean", 1
    )


# --- the host


def test_topics() -> None:
    assert read_topic("spBv1.0/G/NDATA/E") == EdgeTopic("G", "NDATA", "E")
    assert read_topic("spBv1.0/G/DDATA/E/D") == EdgeTopic("G", "DDATA", "E", "D")
    for other in (
        "spBv1.0/G/NCMD/E",
        "spBv1.0/STATE/H",
        "spBv1.0/G/DDATA/E",
        "spBv1.0/G/NDATA/E/D",
    ):
        assert read_topic(other) is None


def test_aliases_are_learnt_from_births() -> None:
    heard = born().hear(NODE["DDATA"], ddata(2), NOW)
    (value,) = heard.values
    assert (value.device, value.metric, value.value, value.at) == (DEVICE, "Level", 2.5, NOW)
    assert not heard.letters


def test_the_time_is_the_metrics_own_and_else_the_payloads() -> None:
    host = born()
    one = metric("double", 1.0, alias=11)
    (value,) = host.hear(NODE["DDATA"], payload(one, at=NOW + 5, seq=2), NOW).values
    assert value.at == NOW + 5
    (value,) = host.hear(NODE["DDATA"], payload(one, seq=3), NOW).values
    assert value.at is None


def test_data_without_a_birth_asks_for_one_and_what_names_itself_counts() -> None:
    host = Host([KEY])
    assert host.due(NOW) == [KEY], "it begins by asking"
    heard = host.hear(NODE["DDATA"], ddata(5), NOW)
    assert (heard.values, told(heard)) == ([], ["no_birth", "unknown_alias"])
    assert "alias 11 at byte" in en(heard.letters[1].detail)
    named = payload(metric("double", 3.5, name="Level", timestamp=NOW), at=NOW, seq=6)
    heard = host.hear(NODE["DDATA"], named, NOW)
    assert [v.value for v in heard.values] == [3.5]
    assert not heard.letters, "told once between two births"
    assert host.counted["no_birth"] == 1
    assert host.due(NOW + AGAIN_MS) == [KEY]


def test_a_gap_waits_for_what_may_still_come() -> None:
    host = born()
    assert host.due(NOW + AGAIN_MS) == []
    at = NOW + 60_000
    heard = host.hear(NODE["DDATA"], ddata(3), at)
    assert [v.value for v in heard.values] == [2.5], "what came counts"
    assert told(heard) == ["sequence_gap"]
    assert host.due(at + REORDER_MS - 1) == []
    late = host.hear(NODE["DDATA"], ddata(2, 2.4), at + REORDER_MS - 1)
    assert [v.value for v in late.values] == [2.4]
    assert host.due(at + AGAIN_MS) == []
    host.hear(NODE["DDATA"], ddata(6), at + 30_000)
    assert host.due(at + 30_000 + REORDER_MS) == [KEY]
    host.hear(NODE["NBIRTH"], nbirth(), at + 31_000)
    assert host.due(at + 90_000) == []


def test_a_sequence_that_goes_back_asks_at_once_and_a_repetition_does_not() -> None:
    host = born()
    host.hear(NODE["DDATA"], ddata(2), NOW)
    heard = host.hear(NODE["DDATA"], ddata(2), NOW)
    assert (heard.values, heard.letters) == ([], [])
    assert host.due(NOW + AGAIN_MS) == []
    host.hear(NODE["DDATA"], ddata(250, 2.6), NOW)
    assert host.due(NOW + AGAIN_MS) == [KEY]


def test_deaths() -> None:
    host = born()
    will = payload(metric("long", 0, name="bdSeq", datatype=UINT64), at=NOW)
    assert host.hear(NODE["DDEATH"], payload(at=NOW, seq=2), NOW).gone == DEVICE
    assert host.hear(NODE["NDEATH"], will, NOW).gone == ""
    host.hear(NODE["NBIRTH"], nbirth(bd_seq=7), NOW)
    old = payload(metric("long", 6, name="bdSeq", datatype=UINT64), at=NOW)
    assert host.hear(NODE["NDEATH"], old, NOW).gone is None, "the will of the connection before"
    assert host.counted["old_death"] == 1
    newer = payload(metric("long", 8, name="bdSeq", datatype=UINT64), at=NOW)
    assert host.hear(NODE["NDEATH"], newer, NOW).gone == ""
    host.hear(NODE["NBIRTH"], nbirth(bd_seq=0), NOW)
    before = payload(metric("long", 255, name="bdSeq", datatype=UINT64), at=NOW)
    assert host.hear(NODE["NDEATH"], before, NOW).gone is None, "it goes round"
    assert Host([KEY]).hear(NODE["NDEATH"], old, NOW).gone == "", "no birth is known"


def test_what_an_alias_meant_before_a_death_is_not_believed_after_it() -> None:
    """Its next birth was lost on the way, and may have named others."""
    host = born()
    host.hear(NODE["NDEATH"], payload(metric("long", 0, name="bdSeq"), at=NOW), NOW)
    heard = host.hear(NODE["DDATA"], ddata(2), NOW)
    assert (heard.values, told(heard)) == ([], ["no_birth", "unknown_alias"])
    assert host.due(NOW + AGAIN_MS) == [KEY]


def test_an_alias_that_stands_twice_is_nobodys() -> None:
    host = born()
    twice = payload(
        metric("double", 1.0, name="A", alias=5, datatype=DOUBLE),
        metric("double", 2.0, name="B", alias=5, datatype=DOUBLE),
        at=NOW, seq=2,
    )  # fmt: skip
    heard = host.hear(NODE["DBIRTH"], twice, NOW)
    assert told(heard) == ["alias_twice"]
    assert [v.value for v in heard.values] == [1.0, 2.0]
    data = payload(metric("double", 3.0, alias=5), at=NOW, seq=3)
    assert told(host.hear(NODE["DDATA"], data, NOW)) == ["unknown_alias"]


def test_a_node_that_says_nothing_is_not_asked_for_ever() -> None:
    host, asked = Host([KEY]), 0
    for n in range(1000):
        asked += len(host.due(NOW + n * 10_000))
    assert asked == 3


# what an edge node may do, and what the network may do to it
step = st.sampled_from(["data", "data", "data", "lost", "swap", "twice", "birth", "death", "wait"])


@examples(300)
@given(st.lists(step, max_size=60))
def test_every_loss_is_asked_about_and_nothing_else(steps: list[str]) -> None:
    """The sequence as the specification has it: a message that never comes is asked about when the time to
    reorder is over; one that comes late within it, or twice, is not; and requests keep their distance."""
    host, now, seq = Host([KEY]), NOW, 0
    asked: list[int] = []
    lost = False
    value = 0.0

    def due() -> bool:
        found = host.due(now)
        asked.extend([now] * len(found))
        return bool(found)

    def birth() -> None:
        nonlocal seq, lost
        host.hear(NODE["NBIRTH"], nbirth(), now)
        host.hear(NODE["DBIRTH"], dbirth(1), now)
        seq, lost = 2, False

    def send(n: int) -> None:
        nonlocal value
        value += 1
        heard = host.hear(NODE["DDATA"], ddata(n % 256, value), now)
        assert [v.value for v in heard.values] == [value], "no reading is lost for the sequence"

    birth()
    for what in steps:
        now += 700
        if what == "data":
            send(seq)
            seq += 1
        elif what == "lost":
            seq += 1
            send(seq)
            seq += 1
            lost = True
        elif what == "swap":
            send(seq + 1)
            now += 200
            send(seq)
            seq += 2
        elif what == "twice":
            raw = ddata(seq % 256, value := value + 1)
            host.hear(NODE["DDATA"], raw, now)
            host.hear(NODE["DDATA"], raw, now)
            seq += 1
        elif what == "birth":
            birth()
        elif what == "death":
            host.hear(NODE["NDEATH"], payload(metric("long", 0, name="bdSeq"), at=now), now)
            birth()
        else:
            now += 700_000  # every limit is over
            host.due(now)
            now += REORDER_MS + AGAIN_MS
            send(seq)
            seq += 1
            assert due() == lost
        if not lost:
            assert not due() or what == "wait"
    for before, after in pairwise(asked):
        assert after - before >= AGAIN_MS
    for n, at in enumerate(asked):
        assert sum(at <= other < at + 600_000 for other in asked[n:]) <= 6


def test_a_real_nodes_capture_is_bounded_in_its_requests(data: Path) -> None:
    """509 messages of a node that nobody asked for a rebirth, with gaps in between: each counts."""
    capture = json.loads((data / "sparkplug-b" / "pcap_analysis.json").read_text())
    host, asked, read_ = born(), 0, 0
    for n, seq in enumerate(capture["nodes"]["702"]["sequence_numbers"]):
        at = NOW + n * 1000
        read_ += len(host.hear(NODE["DDATA"], ddata(seq, float(n)), at).values)
        asked += len(host.due(at))
    assert read_ == len(capture["nodes"]["702"]["sequence_numbers"])
    assert 1 <= asked <= 6


# --- as ingest hears it


def intake(tmp_path: Path, *rows: SparkplugRow, kind: str = "live") -> Intake:
    of = district(rows) if rows else district()
    run = replace(RUN, name=kind, kind=kind)  # type: ignore[arg-type]
    found = Intake(of, run, FrameStore(tmp_path / "frames"))
    found.clock_at = NOW
    return found


def message(kind: str, body: bytes) -> Message:
    device = f"/{DEVICE}" if kind.startswith("D") else ""
    return Message(f"spBv1.0/{GROUP}/{kind}/{EDGE}{device}", body, 0, 1)


def hear(found: Intake, *said: tuple[str, bytes]) -> tuple[list[Observation], list[Any], list[Any]]:
    """Readings, deaths, dead letters."""
    return records_of(found.records([message(*one) for one in said]))


BIRTHS = ("NBIRTH", nbirth()), ("DBIRTH", dbirth())


def test_metrics_are_readings_of_stations(tmp_path: Path) -> None:
    good, gone, dead = hear(intake(tmp_path), *BIRTHS, ("DDATA", ddata(2, 2.5, NOW - 1)))
    by = {(o.station, o.quantity, o.observed_at): (o.value, o.flag, o.test) for o in good}
    assert by["S01", "stage", NOW] == (1250, Flag.GOOD, "")
    assert by["S01", "stage", NOW - 1] == (2500, Flag.GOOD, "")
    assert by["S01", "battery", NOW][0] == 885
    assert by["S02", "stage", NOW][0] == -700
    assert by["R03", "rain_counter", NOW][0] == 1200
    assert not gone
    (note,) = dead
    assert note.reason == "bad_value"
    assert note.source == f"spBv1.0/{GROUP}/DBIRTH/{EDGE}/{DEVICE}"
    assert "Note: String is no number" in en(note.detail) and "at byte" in en(note.detail)


def test_null_is_no_zero_and_stored_values_are_marked(tmp_path: Path) -> None:
    found = intake(tmp_path)
    hear(found, *BIRTHS)
    null = payload(metric(alias=11, timestamp=NOW, null=True), at=NOW, seq=2)
    stored = ddata(3, 3.0, NOW - 60_000, historical=True)
    good, _, dead = hear(found, ("DDATA", null), ("DDATA", stored))
    assert [(o.value, o.observed_at, o.test) for o in good] == [(3000, NOW - 60_000, HISTORICAL)]
    assert not dead
    assert found._rejected["missing"] == 0  # told when it is in the log
    found.edges.told_less()


def test_an_amount_that_a_birth_repeats_is_not_counted(tmp_path: Path) -> None:
    row = SparkplugRow(group=GROUP, edge=EDGE, device=DEVICE, metric="Level", station="R01")
    found = intake(tmp_path, row)
    good, _, _ = hear(found, *BIRTHS)
    assert good == []
    good, _, _ = hear(found, ("DDATA", ddata(2, 0.4)))
    assert [(o.station, o.value) for o in good] == [("R01", 4)]


def test_a_metric_of_the_table_that_no_birth_has_is_told_once(tmp_path: Path) -> None:
    row = SparkplugRow(group=GROUP, edge=EDGE, device=DEVICE, metric="Levl", station="S01")
    found = intake(tmp_path, row)
    _, _, dead = hear(found, *BIRTHS)
    assert [x.reason for x in dead] == ["unknown_metric"]
    assert "Level" in en(dead[0].detail)
    assert hear(found, *BIRTHS)[2] == []


def test_a_death_is_in_every_partition_and_after_what_came_before_it(tmp_path: Path) -> None:
    found = intake(tmp_path)
    hear(found, *BIRTHS)
    outs = found.records(
        [message("DDATA", ddata(2)), message("NDEATH", payload(metric("long", 0, name="bdSeq")))]
    )
    kinds = [(o.topic, o.key, o.partition) for o in outs]
    parts = range(district().partitions)
    assert kinds[-len(parts) :] == [("observations", "away", p) for p in parts]
    assert len(kinds) > len(parts), "the reading stands before it"
    _, gone, _ = records_of(outs)
    assert isinstance(gone[0], Away)
    assert set(gone[0].stations) == {"S01", "S02", "S03", "R03"}
    assert gone[0].away_at == NOW


def test_bad_input_names_its_place_and_nothing_else_stops(tmp_path: Path) -> None:
    found = intake(tmp_path)
    good, _, dead = hear(
        found, ("NBIRTH", nbirth()), ("DBIRTH", dbirth()[:-20]), ("DDATA", b"{}"),
        ("DDATA", ddata(4, at=NOW + 3_600_000)), ("DDATA", ddata(5, 1e18)), ("DDATA", ddata(6)),
    )  # fmt: skip
    reasons = [x.reason for x in dead]
    assert {"cut_frame", "clock_ahead", "bad_value"} <= set(reasons)
    assert (2500, NOW) in [(o.value, o.observed_at) for o in good]
    cut = next(x for x in dead if x.reason == "cut_frame")
    assert f"{GROUP}/{EDGE}/{DEVICE}: at byte" in en(cut.detail)
    assert all(x.reason in REASONS for x in dead)


def test_an_exercise_hears_no_edge_node_and_has_no_right_to_command_one(tmp_path: Path) -> None:
    found = intake(tmp_path, kind="exercise")
    assert not [f for f in found.filters() if f.startswith("spBv1.0")]
    assert not [f for f in rights(district(), "exercise")[INGEST].write if "spBv1.0" in f]
    live = rights(district(), "live")
    assert f"spBv1.0/{GROUP}/NCMD/{EDGE}" in live[INGEST].write
    assert set(intake(tmp_path).edges.filters) <= set(live[INGEST].read)
    assert f"spBv1.0/{GROUP}/NDATA/{EDGE}" in live[EDGE].write
    assert f"spBv1.0/{GROUP}/NCMD/{EDGE}/#" in live[EDGE].read


def test_a_node_that_the_table_has_not_is_told(tmp_path: Path) -> None:
    (dead,) = intake(tmp_path).records([Message("spBv1.0/Other/NDATA/Edge", nbirth(), 0, 1)])
    assert b"unknown_topic" in dead.value


def test_floats_of_single_precision_are_rounded_to_the_resolution(tmp_path: Path) -> None:
    found = intake(tmp_path)
    hear(found, *BIRTHS)
    single = struct.unpack("<f", struct.pack("<f", 1.234))[0]
    body = payload(metric("float", single, alias=11, timestamp=NOW - 9), at=NOW, seq=2)
    good, _, _ = hear(found, ("DDATA", body))
    assert good[0].value == 1234


def test_devices_that_nobody_wants_cost_no_memory() -> None:
    """However many births a node makes up: their numbers count in its sequence, and that is all."""
    wanted = Host([KEY], {KEY: {DEVICE}})
    anybody = Host([KEY])
    for host, most in ((wanted, 1), (anybody, 1000)):
        host.hear(NODE["NBIRTH"], nbirth(), NOW)
        host.hear(NODE["DBIRTH"], dbirth(1), NOW)
        for n in range(1500):
            topic = EdgeTopic(GROUP, "DBIRTH", EDGE, f"made-up-{n}")
            letters = host.hear(topic, dbirth((n + 2) % 256), NOW).letters
            assert "no_birth" not in {x.reason for x in letters}
            data = EdgeTopic(GROUP, "DDATA", EDGE, f"made-up-{n}")
            if n == 1499:
                assert host.hear(data, dbirth((n + 3) % 256), NOW).letters == []
        edge = host._edges[KEY]
        assert len(edge.devices) == most
        assert len(edge.names) <= 5 * most + 2
    found = wanted.hear(NODE["DDATA"], dbirth((1499 + 4) % 256), NOW)
    assert {v.metric for v in found.values} >= {"Level"}
    assert found.letters == []
