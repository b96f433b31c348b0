"""A rain nowcast from its CSV to the chance: rows that can be read, rows that cannot with their number, what a
forecast makes of it, and the program that hands it in."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.load import load
from console.model.follow import DECODERS
from detectors.engine.window_rule import View
from detectors.water.level_forecast import LevelForecast, score, tells
from detectors.water.runoff.unit_hydrograph import UnitHydrograph
from ingest.decode.nowcast import decode_nowcast
from ingest.decode.reading import REASONS, Reading
from ingest.observation import Observations
from ingest.stage import Intake
from ingest.weather.nowcast_feed import NowcastFeed
from stream.disk.blobs import FrameStore
from stream.mqtt.broker import start_broker
from stream.mqtt.client import Message, Mqtt
from stream.records import DeadLetter, Rejected, Run
from tests.support.examples import examples
from tests.support.servers import free_port

HEAD = "place,issued,from,to,mm,probability,members\n"
FOLDER = Path(__file__).parents[2] / "config" / "examples" / "forecast"


def moment(minute: int) -> str:
    return f"2026-08-26T{10 + minute // 60:02d}:{minute % 60:02d}:00+08:00"


def row(begin: int, end: int, mm: object, more: str = ",", place: str = "W1") -> str:
    return f"{place},{moment(0)},{moment(begin)},{moment(end)},{mm},{more}\n"


def read(text: str) -> tuple[dict[str, float], list[Rejected]]:
    found = decode_nowcast(text.encode(), 0)
    good = {f.station: f.value for f in found if isinstance(f, Reading)}
    return good, [f for f in found if isinstance(f, Rejected)]


def test_pieces_become_what_is_expected_after_the_issue() -> None:
    good, bad = read(HEAD + row(0, 30, 12) + row(30, 60, 8) + row(60, 180, 10))
    assert good == {"W1-30": 12, "W1-60": 20, "W1-180": 30}
    assert not bad
    whole = decode_nowcast((HEAD + row(0, 60, 20)).encode(), 0)
    assert [(r.station, r.quantity, r.unit, r.value) for r in whole if isinstance(r, Reading)] == [
        ("W1-30", "rain_ahead_30min", "mm", 10),
        ("W1-60", "rain_ahead_60min", "mm", 20),
    ]
    assert {r.time for r in whole if isinstance(r, Reading)} == {1_787_709_600}


def test_a_chance_and_an_ensemble_are_what_is_expected_of_them() -> None:
    assert read(HEAD + row(0, 60, 20, "0.25,"))[0]["W1-60"] == 5
    assert read(HEAD + row(0, 60, "", ",0;4;20;0"))[0]["W1-60"] == 6


def test_what_is_not_covered_is_not_dry() -> None:
    assert read(HEAD + row(20, 60, 9))[0] == {}  # the first twenty minutes are not known
    assert read(HEAD + row(5, 30, 9))[0] == {"W1-30": 9}  # five may be missing
    assert set(read(HEAD + row(0, 30, 9) + row(40, 60, 9))[0]) == {"W1-30"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (row(0, 60, "much"), "mm"),
        (row(0, 60, -1), "mm"),
        (row(0, 60, "nan"), "mm"),
        (row(0, 60, 5, "1.5,"), "probability"),
        (row(0, 60, "", ",3;x"), "members"),
        (row(60, 60, 5), "to"),
        (row(0, 60, 5, place=""), "place"),
        ("W1,yesterday,now,then,5,,\n", "issued"),
        ("W1,5\n", "2"),
        (row(10, 40, 5), "overlaps"),
    ],
)
def test_a_bad_row_is_told_by_its_number_and_the_others_count(wrong: str, says: str) -> None:
    good, bad = read(HEAD + row(0, 30, 4) + wrong + row(0, 30, 7, place="W2"))
    assert good == {"W1-30": 4, "W2-30": 7}
    (one,) = bad
    assert one.reason in REASONS
    assert "row 3" in str(one.detail)
    assert says in str(one.detail)


@examples(80)
@given(st.lists(st.tuples(st.integers(0, 170), st.integers(1, 20)), max_size=20))
def test_rows_in_any_order_overlap_as_a_plain_look_says(spans: list[tuple[int, int]]) -> None:
    kept: list[tuple[int, int]] = []
    told: list[str] = []
    for line, (begin, length) in enumerate(spans, 2):
        end = begin + length
        if any(b < end and begin < e for b, e in kept):
            told.append(f"row {line}")
        else:
            kept.append((begin, end))
    _, bad = read(HEAD + "".join(row(b, b + length, 1) for b, length in spans))
    assert [str(r.detail).partition("row")[2].partition(":")[0] for r in bad] == [
        t.removeprefix("row") for t in told
    ]


@pytest.mark.parametrize("body", [b"", b"a,b\n", b"\xff\xfe\x00", b"x" * 300_000, b'"', b"place\n"])
def test_what_is_no_nowcast_is_refused_whole(body: bytes) -> None:
    (found,) = decode_nowcast(body, 0)
    assert isinstance(found, Rejected)


@examples(80)
@given(cuts=st.lists(st.integers(1, 179), max_size=6, unique=True), mm=st.floats(0, 100))
def test_how_an_even_rain_is_cut_does_not_show(cuts: list[int], mm: float) -> None:
    edges = [0, *sorted(cuts), 180]
    parts = [row(a, b, mm * (b - a) / 180) for a, b in pairwise(edges)]
    good, bad = read(HEAD + "".join(parts[::-1]))
    assert not bad
    for minutes in (30, 60, 180):
        assert good[f"W1-{minutes}"] == pytest.approx(mm * minutes / 180, abs=0.06)


# --- the rule


P = LevelForecast(
    reach=3.0,
    trend_min=20,
    runoff=UnitHydrograph(
        area_km2=20.0, loss="coefficient", coefficient=0.4, n=2, k_h=0.3, memory_h=24, slot_min=10
    ),
    runoff_gain=0.05,
    memory_h=8,
    slot_min=10,
    nowcast_min=30,
)
ROW = ("stage", "rain", "rain_ahead_60min")


def at(
    issued: int | None, mm: float, fallen: float = 0.0, p: LevelForecast = P
) -> tuple[float, str]:
    """The chance in %, and the note, with an issue so many slots ago and rain since."""
    values = np.zeros((1, 3, 48))
    values[0, 0], values[0, 2] = 2.0, np.nan
    if issued is not None:
        values[0, 2, -1 - issued] = mm
    values[0, 1, -1] = fallen
    view = View(values, np.zeros(1, np.int64), 600, np.ones((1, 3)), ROW)
    return float(score(p, view).value[0]), str(tells(p, view, "A").note)


def test_rain_that_is_expected_raises_the_chance_and_a_stale_issue_is_told_and_not_used() -> None:
    none, note = at(None, 0)
    assert "nowcast" in note
    dry, note = at(0, 0.0)
    assert dry == none
    assert "nowcast" not in note
    some, much = at(0, 20.0)[0], at(0, 60.0)[0]
    assert none < some < much
    assert at(3, 60.0)[0] == much  # as old as may be
    stale, note = at(4, 60.0)
    assert stale == none
    assert "not used" in note
    scs = msgspec.structs.replace(P, runoff=msgspec.structs.replace(P.runoff, loss="scs", cn=85.0))
    assert at(0, 60.0, p=scs)[0] > at(0, 0.0, p=scs)[0]


def test_what_has_fallen_since_the_issue_is_not_expected_again() -> None:
    fell_after = at(1, 30.0, fallen=30.0)[0]
    fell_alone = at(None, 0.0, fallen=30.0)[0]
    assert fell_after == fell_alone
    assert at(0, 30.0, fallen=30.0)[0] > fell_alone  # issued as it fell: it is still to come


# --- the way in


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = start_broker(tmp_path_factory.mktemp("broker"), free_port())
    yield server.url
    server.stop()


def heard(ear: Mqtt) -> list[bytes]:
    batch = []
    while not batch:
        batch = ear.get_batch(90.0)
    ear.ack(batch)
    return [m.payload for m in batch]


@pytest.mark.servers
def test_a_file_and_a_server_are_handed_in_once_as_they_are(broker: str, tmp_path: Path) -> None:
    topic = "fengsui/live/forecast/gateway/W/nowcast"
    ear, mouth = Mqtt(broker, "ear"), Mqtt(broker, "mouth")
    ear.subscribe([topic], 90)
    body = [(HEAD + row(0, 60, 5)).encode()]
    status = [200]

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status[0])
            self.end_headers()
            self.wfile.write(body[0])

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        feed = NowcastFeed(f"http://127.0.0.1:{server.server_port}/n.csv", mouth, topic)
        assert feed.once() == ""
        assert heard(ear) == body
        assert feed.once() == ""  # as it was: nothing goes out
        body[0] = (HEAD + row(0, 60, 7)).encode()
        assert feed.once() == ""
        assert heard(ear) == body
        status[0] = 503
        assert "503" in str(feed.once())
        file = tmp_path / "n.csv"
        lost = NowcastFeed(str(file), mouth, topic)
        assert str(lost.once())
        file.write_bytes(body[0])
        assert lost.once() == ""
        assert heard(ear) == body
    finally:
        server.shutdown()
        server.server_close()
        ear.close()
        mouth.close()


def test_the_example_district_hears_a_nowcast_by_its_gateway_alone(tmp_path: Path) -> None:
    district = load(FOLDER)
    now = 1_787_709_660_000
    run = Run(name="live", kind="live", district=district.id, config="c", start_at=now)
    intake = Intake(district, run, FrameStore(tmp_path), None)
    intake.clock_at = now
    rows = row(0, 60, 9) + row(60, 60, 5) + row(60, 180, 3) + row(0, 60, 4, place="W9")
    body = (HEAD + rows).encode()
    found = []
    for gateway in ("W", "other"):
        topic = f"fengsui/live/{district.id}/gateway/{gateway}/nowcast"
        outs = intake.records([Message(topic, body, 1, 1)])
        records = [DECODERS[o.topic].decode(o.value) for o in outs]
        items = [o for r in records if isinstance(r, Observations) for o in r.items]
        found.append((items, [r for r in records if isinstance(r, DeadLetter)]))
    (good, dead), (none, refused) = found
    issued = 1_787_709_600_000
    assert {(o.station, o.value, o.observed_at) for o in good} == {
        ("W1-30", 45, issued),
        ("W1-60", 90, issued),
        ("W1-180", 120, issued),
    }
    assert {d.reason for d in dead} == {"bad_time", "not_its_station"}
    assert any("row 3" in str(d.detail) for d in dead)
    assert not none
    assert {d.reason for d in refused} == {"unknown_gateway"}
