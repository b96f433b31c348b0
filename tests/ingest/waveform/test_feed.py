"""From packets to readings, and from where to go on: no second twice, none lost."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.waveform.feed import Feed, Geophone, Message, Place, topics
from ingest.waveform.seconds import STEP_S, Piece
from tests.support.examples import examples

NS, RATE, PACKET = 1_000_000_000, 100.0, 250
START = 1_753_524_000 * NS
ROWS = [
    Geophone(station="G1", channel="FS.G1..EHZ", sensitivity=4e8),
    Geophone(station="I1", channel="FS.G1..HDF", sensitivity=2.0, quantity="infrasound"),
]
NOISE = np.random.default_rng(1).normal(0, 4000, (2, 20_000))


def packets(channels: int = 1) -> list[tuple[int, Piece]]:
    """Of one station, in turn of its channels, as a server numbers them."""
    found, seq = [], 10
    for n in range(0, NOISE.shape[1], PACKET):
        for k, row in enumerate(ROWS[:channels]):
            start = START + round(n * NS / RATE)
            found.append((seq, Piece(row.channel, start, RATE, NOISE[k, n : n + PACKET])))
            seq += 1
    return found


def fed(feed: Feed, sent: list[tuple[int, Piece]]) -> dict[tuple[str, int], float]:
    out: dict[tuple[str, int], float] = {}
    for seq, piece in sent:
        for m in feed.take("FS.G1", seq, piece).messages:
            for r in m.readings:
                key = (m.station, round(r["time"] * 1000))
                assert key not in out, "told twice"
                out[key] = r["value"]
    return out


@examples(40)
@given(at=st.integers(0, 159), channels=st.sampled_from([1, 2]))
def test_after_a_break_it_goes_on_as_if_there_had_been_none(at: int, channels: int) -> None:
    """The process dies after any packet, and asks for those behind the one that was kept."""
    sent = packets(channels)
    at = min(at, len(sent) - 1)
    whole = fed(Feed(ROWS, {}), sent)
    first = Feed(ROWS, {})
    before = fed(first, sent[:at])
    kept = msgspec.json.decode(msgspec.json.encode(first.places), type=dict[str, Place])
    resume = kept["FS.G1"].seq if kept else 9
    after = fed(Feed(ROWS, kept), [p for p in sent if p[0] > resume])
    assert not before.keys() & after.keys()
    assert before.keys() | after.keys() == whole.keys()
    for key, value in after.items():
        assert value == pytest.approx(whole[key], rel=0.02, abs=0.002)
    assert at - (resume - 9) < 12 * channels  # it asks for little that it had


def test_values_are_in_the_unit_of_the_quantity() -> None:
    """4e8 counts are 1 m/s, so 4000 counts of noise are 10 um/s, less what the band leaves out."""
    readings = fed(Feed(ROWS, {}), packets(2))
    ground = [v for (s, _), v in readings.items() if s == "G1"]
    air = [v for (s, _), v in readings.items() if s == "I1"]
    assert 7 < np.median(ground) < 10
    assert 1400 < np.median(air) < 2000


def test_oddities_are_told_once() -> None:
    sent = [p for _, p in packets()]
    feed = Feed(ROWS, {})
    said = []
    doubted = [p._replace(clock="timing quality 10 %") for p in sent[10:14]]
    for n, piece in enumerate([*sent[:4], *sent[6:10], *doubted, sent[14], sent[14]]):
        said += [t.zh for t in feed.take("FS.G1", n, piece).told]
    assert said == [
        "G1: 缺口 5.0 秒",
        "G1: 存疑：timing quality 10 %",
        "G1: 时钟恢复可信",
        "G1: 重叠，已略去 2.5 秒",
    ]


def test_a_clock_that_ran_far_ahead_does_not_silence_the_station_for_ever() -> None:
    """What was kept speaks of next year; the clock has been set since."""
    kept = {"FS.G1": Place(seq=4, told={"FS.G1..EHZ": START // 1_000_000 + 365 * 86_400_000})}
    assert fed(Feed(ROWS, kept), packets())
    feed = Feed(ROWS, {})
    ahead = [(n, p._replace(start_ns=p.start_ns + 2 * STEP_S * NS)) for n, p in packets()[:20]]
    fed(feed, ahead)
    assert len(fed(feed, packets())) > 150


def test_what_nobody_asked_for_is_nothing() -> None:
    other = packets()[0][1]._replace(channel="FS.G1..HHZ")
    assert Feed(ROWS, {}).take("FS.G1", 3, other).messages == []


def test_a_rate_that_cannot_carry_the_band_is_told_and_stops_nothing() -> None:
    feed = Feed(ROWS, {})
    (said,) = feed.take("FS.G1", 1, packets()[0][1]._replace(rate=4.0)).told
    assert "G1" in said.zh
    assert fed(feed, packets())


def test_they_go_out_as_stations_or_together_as_a_gateway() -> None:
    m = Message("G1", "ground_velocity", [{"time": 1.0, "value": 2.0, "unit": "um/s"}])
    ((topic, body),) = topics("fengsui/live/y", "", [m])
    assert topic == "fengsui/live/y/station/G1/ground_velocity"
    assert msgspec.json.decode(body) == m.readings
    ((topic, body),) = topics("fengsui/live/y", "W1", [m])
    assert topic == "fengsui/live/y/gateway/W1/json"
    assert msgspec.json.decode(body)[0]["station"] == "G1"
