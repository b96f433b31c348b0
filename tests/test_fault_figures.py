"""What broken gauges do to the warnings: the faults of the field, and how two plays are compared."""

from collections import Counter

from fengsui.fault_figures import Figures, Played, compare
from simulators.faults import BURSTS_A_YEAR, CLOGGED, Fault, Reading, of_the_field, suffer

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


def test_two_plays_beside_one_another() -> None:
    a, b, c, d = (("A1", "f"), ("A2", "f"), ("A3", "f"), ("A4", "f"))
    whole = Played({a: 1000, b: 2000}, 0)
    broken = Played({a: 4000, c: 3000, d: 5000}, 2)
    assert compare(whole, broken, {c: 9000}) == Figures(1, 2, 2, 1, [3000])
