"""What broken gauges do to the warnings: the faults of the field, and how two plays are compared."""

from collections import Counter
from itertools import pairwise

import pytest

from config.load import load
from fengsui.play.fault_scores import Amiss, Figures, Played, amiss_told, compare, counting
from simulators.faults import (
    BURSTS_A_YEAR,
    CLOGGED,
    COUNTED,
    DATUM,
    Fault,
    Reading,
    Total,
    of_the_field,
    suffer,
    totalled,
)
from simulators.scenario import storm_set
from simulators.world import World
from tests.support.config import YANQING

GAUGES = [f"R{n}" for n in range(60)]
STAGES = [f"S{n}" for n in range(12)]
MINUTE = 60_000


def test_faults_come_at_the_rates_of_the_field() -> None:
    storms = [of_the_field(GAUGES, STAGES, 480, seed) for seed in range(60)]
    many = Counter(f.kind for s in storms for f in s)
    hours = 60 * 8 * len(GAUGES)
    assert 0.07 < many["clogged"] / hours < 0.09
    bursts = BURSTS_A_YEAR * len(GAUGES) * 60 * 480 / 525_600
    assert bursts / 2 < many["burst"] < bursts * 2
    assert 0.01 < (many["code"] + many["zero"]) / (60 * 8 * len(STAGES)) < 0.03
    assert many["backlog"] > 0
    assert of_the_field(GAUGES, STAGES, 480, 7) == storms[7]
    assert CLOGGED == 0.08


def test_what_a_broken_device_says() -> None:
    held: dict[str, list[Reading]] = {}
    faults = (Fault("burst", "R1", 0, 2), Fault("zero", "S1", 0, 2), Fault("backlog", "R2", 0, 2))
    said = []
    for minute in range(3):
        readings = [Reading(s, "rain", minute * MINUTE, 3) for s in ("R1", "R2")]
        readings.append(Reading("S1", "stage", minute * MINUTE, 900))
        said.append([(r.station, r.value) for r in suffer(faults, minute, readings, held)])
    assert said[0] == said[1] == [("R1", 42), ("S1", 0)]
    assert said[2] == [("R1", 3), ("R2", 3), ("R2", 3), ("R2", 3), ("S1", 900)]


def test_counters_and_datums_break_at_the_rates_that_are_assumed() -> None:
    plain = [of_the_field(GAUGES, STAGES, 480, seed) for seed in range(200)]
    storms = [of_the_field(GAUGES, STAGES, 480, seed, GAUGES) for seed in range(200)]
    many = Counter(f.kind for s in storms for f in s)
    for kind, share in COUNTED.items():
        assert 0.7 < many[kind] / (200 * len(GAUGES) * share) < 1.3
    assert 0.5 < many["datum"] / (200 * len(STAGES) * DATUM) < 1.5
    others = [tuple(f for f in s if f.kind not in COUNTED) for s in storms]
    assert others == plain  # no counter, no fault of one; the rest is the same


@pytest.mark.parametrize(
    ("kind", "shown"),  # of minutes 0 … 5, 3 counts each; the fault lasts from 2 to 4
    [
        ("counter_zero", [3, 6, 0, 0, 15, 18]),
        ("counter_low", [3, 6, -1, -1, 15, 18]),
        ("counter_tick", [3, 6, 7, 10, 15, 18]),
        ("counter_rolling", [3, 6, 6, 9, 15, 18]),
        ("counter_restart", [3, 6, 3, 6, 9, 12]),
    ],
)
def test_what_a_running_total_shows(kind: str, shown: list[int]) -> None:
    kept = {"R1": Total()}
    fault = Fault(kind, "R1", 2, 4)  # type: ignore[arg-type]
    said = []
    for minute in range(6):
        readings = [Reading(s, "rain", minute * MINUTE, 3) for s in ("R1", "R2")]
        one, two = totalled((fault,), minute, readings, kept)
        assert (one.quantity, two) == ("rain_counter", readings[1])
        said.append(one.value)
    begun = said[0] - 3
    assert begun > 100
    beside = {"counter_zero": (2, 3), "counter_low": (2, 3), "counter_rolling": (2, 3)}
    plain = beside.get(kind, (2, 3, 4, 5) if kind == "counter_restart" else ())
    found = [v if n in plain else v - begun for n, v in enumerate(said)]
    assert [-1 if x == -1 else v for v, x in zip(found, shown, strict=True)] == shown
    assert kind != "counter_low" or max(said[2:4]) < 10


def test_a_total_that_wraps_does_so_within_the_first_rain() -> None:
    kept, fault = {"R1": Total()}, Fault("counter_wrap", "R1", 0, 100)
    said = [
        totalled((fault,), m, [Reading("R1", "rain", m * MINUTE, 10)], kept)[0].value
        for m in range(12)
    ]
    assert said[0] > 65_000 and said[-1] < 200
    assert {(b - a) % 65_536 for a, b in pairwise(said)} == {10}


def test_a_quarter_of_the_gauges_sends_totals_of_the_same_rain() -> None:
    plain = load(YANQING)
    storm = storm_set(1)[0]
    one, two = World(plain, storm), World(counting(plain), storm)
    assert (one.rain == two.rain).all()
    last: dict[str, int] = {}
    fell: Counter[str] = Counter()
    for minute in range(90):
        for r in one.arrivals(minute, frames=False):
            fell[r.station] += r.value if r.quantity == "rain" else 0
        for r in two.arrivals(minute, frames=False):
            if r.quantity == "rain_counter":
                first = last.setdefault(r.station, r.value - fell[r.station])
                assert r.value - first == fell[r.station]
    assert 13 <= len(last) <= 17


def test_two_plays_beside_one_another() -> None:
    a, b, c, d = (("A1", "f"), ("A2", "f"), ("A3", "f"), ("A4", "f"))
    whole = Played({a: 1000, b: 2000}, 0)
    broken = Played({a: 4000, c: 3000, d: 5000}, 2)
    caused = Amiss(d, None, 5000, None)
    lost = Amiss(b, 2000, None, 7000)
    told = compare(whole, broken, {b: 7000, c: 9000})
    assert told == Figures(1, 2, 2, 1, 1, [3000], (caused, lost))
    later = compare(whole, Played({a: 7 * MINUTE, b: 2000}, 0), {})
    assert later.amiss == (Amiss(a, 1000, 7 * MINUTE, None),)


def test_an_order_that_is_another_is_told_by_place_and_minute() -> None:
    district = load(YANQING)
    at = Amiss(("A01", "debris_flow"), 30 * MINUTE, None, 45 * MINUTE)
    said = amiss_told(district, 10 * MINUTE, at)
    assert said.zh.endswith("泥石流：无故障 20 min，有故障 不令，成灾 35 min")
    assert said.en.endswith("debris flow: without faults 20 min, with them none, floods 35 min")
    assert "A01" in said.zh and "A01" in said.en
