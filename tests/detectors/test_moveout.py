"""Shaking that comes down a gully: what is a flow's pace, what is not, and what is said of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.baseline.window_rules import PLAIN
from config.load import load
from config.records.district import District
from config.records.level import Action
from detectors.detection import Detection
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesRow
from detectors.engine.window_rule import Floats, Kind, Tells, View
from detectors.setup.declared import problems
from detectors.statistics.moveout import KIND, Moveout, score, span, tells
from detectors.statistics.sta_lta import StaLta
from detectors.statistics.sta_lta import score as sta_lta
from dispatch.words.evidence import evidence
from tests.support.config import folder
from tests.support.detect_faults import START, Line, reading
from tests.support.examples import examples

__all__ = ["folder"]
GULLY = Moveout(distance_m=(0, 500, 1100), lta_s=600, within_s=900, village_m={"A40": 3100})


def view(*stations: Floats, p: Moveout = GULLY) -> View:
    """The newest window of these records."""
    values = np.array([[x[-span(p) :] for x in stations]])
    return View(values, np.array([START]), p.slot_s, np.ones((1, len(stations))))


def noise(seconds: int, seed: int) -> Floats:
    found: Floats = np.random.default_rng(seed).lognormal(0, 0.3, seconds)
    return found


def quiet() -> list[Floats]:
    return [noise(span(GULLY), seed) for seed in range(3)]


def shaken(begins: dict[int, int], lasts: int = 400, by: float = 10.0) -> list[Floats]:
    """Noise at three stations; each of `begins` shakes from that second before now on."""
    found = quiet()
    for k, before in begins.items():
        found[k][span(GULLY) - before :][:lasts] *= by
    return found


@pytest.mark.parametrize(
    ("begins", "stations"),
    [
        ({}, 0),
        ({1: 300}, 1),  # one station's noise
        ({0: 700, 1: 600}, 2),  # 5 m/s, not yet at the third
        ({0: 700, 1: 600, 2: 480}, 3),
        ({0: 700, 2: 480}, 2),  # the second is deaf
        ({0: 400, 1: 400, 2: 400}, 0),  # all at once
        ({0: 400, 1: 399, 2: 397}, 0),  # an earthquake at 300 m/s
        ({0: 480, 1: 600, 2: 700}, 1),  # upward
        ({0: 420, 1: 405, 2: 386}, 1),  # a train at 32 m/s
        ({0: 850, 1: 300}, 1),  # half a metre a second
    ],
)
def test_only_what_comes_down_at_a_flow_s_pace_counts(
    begins: dict[int, int], stations: int
) -> None:
    assert float(score(GULLY, view(*shaken(begins))).value[0]) == stations


def test_its_speed_and_its_arrival_are_told() -> None:
    """500 m in 100 s; the village lies 2,600 m below the second station, which it passed 600 s ago."""
    said = tells(GULLY, view(*shaken({0: 700, 1: 600})), "A40")
    assert said.note.endswith(" m/s")
    assert float(said.note.split()[0]) == pytest.approx(5, rel=0.2)
    passed = START - 600_000
    assert passed + 2600 / 20 * 1000 <= said.early_at <= passed + 2600 / 5 * 1000 <= said.late_at
    assert said.inputs == (0, 1)
    elsewhere = tells(GULLY, view(*shaken({0: 700, 1: 600})), "A41")
    assert elsewhere == Tells(note=said.note, inputs=(0, 1))
    assert tells(GULLY, view(*shaken({0: 700, 2: 480})), "A40").inputs == (0, 2)
    assert tells(GULLY, view(*shaken({0: 700})), "A40") == Tells()


def test_a_station_that_is_swept_away_still_counts() -> None:
    records = shaken({0: 700, 1: 600})
    records[0][span(GULLY) - 690 :] = np.nan
    assert float(score(GULLY, view(*records)).value[0]) == 2


def test_an_earthquake_before_the_flow_hides_nothing_of_it() -> None:
    """All shake at once for ten seconds, and two minutes later the flow comes."""
    records = shaken({0: 700, 1: 600, 2: 480})
    for x in records:
        x[span(GULLY) - 830 :][:10] *= 30
    assert float(score(GULLY, view(*records)).value[0]) == 3


SMALL = Moveout(
    distance_m=(0, 40, 90), slow_m_s=1, fast_m_s=5, sta_s=3, lta_s=20, within_s=60,
    tolerance_s=2, together_s=2, min_share=0.4,
)  # fmt: skip


@examples(150)
@given(data=st.data(), before=st.sampled_from(["median", "mean"]))
def test_it_is_what_a_plain_loop_over_every_pair_says(data: st.DataObject, before: Any) -> None:
    p = Moveout(**{f: getattr(SMALL, f) for f in SMALL.__struct_fields__} | {"before": before})
    width = span(p)
    bursts = st.lists(st.tuples(st.integers(0, 2), st.integers(0, width - 1)), max_size=8)
    values = np.ones((3, width))
    for k, at in data.draw(bursts):
        values[k, at : at + 6] = 9.0
    for k, at in data.draw(bursts):
        values[k, at : at + 4] = np.nan
    slots = [[None if np.isnan(v) else float(v) for v in row] for row in values]
    found = float(score(p, View(values[None], np.array([0]), 1, np.ones((1, 3)))).value[0])
    plain = PLAIN["moveout"](p, slots, 1, (1.0,) * 3)
    assert plain == found if plain is not None else np.isnan(found)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"distance_m": (0,)}, "distance_m"),
        ({"distance_m": (0, 600, 500)}, "distance_m"),
        ({"distance_m": (0, 100)}, "220 m"),  # at 20 m/s five seconds: an earthquake's
        ({"distance_m": (0, 3000)}, "within_s"),
        ({"slow_m_s": 20.0}, "slow_m_s"),
        ({"on": 1.0}, "on"),
        ({"village_m": {"A01": -1.0}}, "A01"),
    ],
)
def test_a_gully_that_cannot_be_is_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Moveout(**({"distance_m": (0, 500, 1100)} | wrong))


# --- real shaking


def rms_of(path: Path) -> Floats:
    """The RMS of each second."""
    held = np.load(path)
    fs = int(held["fs"])
    seconds = held["v"].astype(np.float64)[: held["v"].size // fs * fs].reshape(-1, fs)
    found: Floats = np.sqrt(((seconds - seconds.mean(axis=1, keepdims=True)) ** 2).mean(axis=1))
    return found


def test_a_real_debris_flow_at_three_stations_is_one_that_comes_down(data: Path) -> None:
    """Illgraben, 7 May 2014, recorded at one station: as three would have had it at 4 m/s. The other order
    and the same moment are none."""
    rms = rms_of(data / "illgraben-seismic" / "2014-05-07.npz")
    p = Moveout(distance_m=(0, 500, 1100), within_s=600, lta_s=600)

    def heard(*delays: int) -> float:
        background = rms[:20].mean() * noise(2_000, 5)
        records = []
        for delay in delays:
            x = np.concatenate((background[: 1_500 + delay], rms))[: 1_500 + 600]
            records.append(x)
        return float(score(p, view(*records, p=p)).value[0])

    assert heard(0, 125, 275) == 3
    assert heard(275, 125, 0) <= 1
    assert heard(100, 100, 100) <= 1


@pytest.mark.servers  # importing ObsPy starts git
def test_real_earthquakes_at_four_stations_are_no_flow() -> None:
    """Local earthquakes of 27 May 2010 at four stations in Bavaria, as they lie in ObsPy. Distances of
    a gully are assumed between them."""
    obspy = pytest.importorskip("obspy", reason="needs ObsPy: pip install 'fengsui[seismic]'")
    folder = Path(obspy.__file__).parent / "signal" / "tests" / "data"
    files = [folder / f"BW.UH{n}._.{c}.D.2010.147.cut.slist.gz" for n, c in
             ((1, "SHZ"), (2, "SHZ"), (3, "SHZ"), (4, "EHZ"))]  # fmt: skip
    if not all(f.exists() for f in files):
        pytest.skip(f"this ObsPy has no such records: {folder}")
    records = []
    for f in files:
        (trace,) = obspy.read(str(f))
        trace.filter("bandpass", freqmin=5, freqmax=20)
        fs = round(trace.stats.sampling_rate)
        x = trace.data[: trace.data.size // fs * fs].reshape(-1, fs)
        records.append(np.sqrt((x**2).mean(axis=1)))
    seconds = min(x.size for x in records)
    lta, within = 60, 150
    p = Moveout(distance_m=(0, 250, 500, 750), sta_s=5, lta_s=lta, within_s=within, slow_m_s=2)
    alone = StaLta(sta_s=5, lta_s=lta)
    shook = [
        max(float(sta_lta(alone, view_of(x[n : n + 65])).value[0]) for n in range(seconds - 65))
        for x in records
    ]
    assert min(shook) >= 3  # each station by itself cries
    for before in ("median", "mean"):
        q = Moveout(**{f: getattr(p, f) for f in p.__struct_fields__} | {"before": before})
        for end in range(span(q), seconds + 1):
            found = score(q, view(*[x[:end] for x in records], p=q))
            assert not found.value[0] >= 2


def view_of(x: Floats) -> View:
    return View(x[None, None], np.array([0]), 1, np.ones((1, 1)))


def test_a_threshold_over_hours_follows_the_station_and_is_held_while_it_shakes() -> None:
    """Noise that is three times as loud by day is no alarm; what swells over a quarter of an hour is one
    against the median of hours, and none against the mean of minutes."""
    slot, hours = 10, 6
    p = StaLta(slot_s=slot, sta_s=20, lta_s=hours * 3600, before="median")
    short = StaLta(sta_s=20, lta_s=300, slot_s=slot)
    rng = np.random.default_rng(3)
    n = (hours * 3600 + 20) // slot
    day = rng.lognormal(0, 0.2, n) * np.linspace(1, 3, n)
    assert float(sta_lta(p, view_of(day)).value[0]) < 2
    swelling = rng.lognormal(0, 0.2, n)
    swelling[-90:] *= np.linspace(1, 8, 90)
    assert float(sta_lta(p, view_of(swelling)).value[0]) > 5
    assert float(sta_lta(short, view_of(swelling[-32:])).value[0]) < 2
    lasting = rng.lognormal(0, 0.2, n)
    lasting[-900:] *= 8  # two and a half hours
    assert float(sta_lta(p, view_of(lasting)).value[0]) > 5


def counted(passed: list[int]) -> Kind:
    """The kind, counting what it is asked to judge."""

    def count(p: Any, view: View) -> Any:
        passed.append(len(view.values))
        return KIND.score(p, view)

    return KIND._replace(score=count)


def test_a_backlog_of_one_station_completes_the_chain_and_costs_a_judgement_a_reading() -> None:
    """The upper station's line was down for ten minutes while the flow passed it."""
    judged: list[int] = []
    row = SeriesRow("A40", "debris_flow", ("G1", "G2", "G3"), (1.0,) * 3, "ground_velocity")
    rule = SeriesRule("r", counted(judged), GULLY, [row], (None, 2.0, 3.0, None))
    records = shaken({0: 700, 1: 600, 2: 480})
    width = span(GULLY)

    def readings(stations: tuple[int, ...], low: int, high: int) -> np.ndarray:  # type: ignore[type-arg]
        found = [
            (0, k, START + s * 1000, round(records[k][s] * 1000))
            for s in range(low, high)
            for k in stations
        ]
        return np.array(found, np.int64).T

    state = rule.new()
    on = rule.judge(state, *readings((0, 1, 2), 0, width - 800))
    on += rule.judge(state, *readings((1, 2), width - 800, width))
    assert [c.level for c in on] == [2]  # the two that were heard
    judged.clear()
    backlog = readings((0,), width - 800, width)
    (change,) = rule.judge(state, *backlog)
    assert change.level == 3
    assert change.tells.note.endswith("m/s")
    assert sum(judged) <= 2 * backlog.shape[1]


# --- the line


def gully(folder: Path, rule: str = "") -> None:
    """Yanqing with three geophones above Jianganling."""
    with (folder / "stations.csv").open("a", encoding="utf-8") as f:
        for n in (1, 2, 3):
            f.write(
                f"G{n},沟道地声站{n},Gully geophone {n},ground_velocity,B09,116.08{n},40.43,600,"
            )
            f.write("1,60,1,,,,365\n")
    with (folder / "watch.csv").open("a", encoding="utf-8") as f:
        f.writelines(f"A40,G{n}\n" for n in (1, 2, 3))
    with (folder / "rules.toml").open("a", encoding="utf-8") as f:
        f.write(rule or RULE)


RULE = """
[[rule]]
id = "flow_front"
kind = "moveout"
quantity = "ground_velocity"
hazard = "debris_flow"
areas = ["A40"]
stations = ["G1", "G2", "G3"]
orange = 2
prepare = 2
move = 3
source = "t"
parameters = { distance_m = [0, 500, 1100], lta_s = 600, within_s = 900, village_m = { A40 = 3100 } }
"""


def played(district: District, delays: tuple[int, ...], seconds: int = 400) -> list[Detection]:
    """So many seconds of each station from the start on, shaking from its delay on."""
    line, said = Line(district, "A40", {}), []
    before = span(GULLY)
    records = [noise(before + seconds, k) * 1000 for k in range(3)]
    for k, delay in enumerate(delays):
        records[k][before + delay :] *= 10
    step = 20
    for n in range(0, before + seconds, step):
        items = [
            reading(f"G{k + 1}", "ground_velocity", START + s * 1000, round(records[k][s]))
            for s in range(n, min(n + step, before + seconds))
            for k in range(3)
        ]
        said += line.hear(*items)
    return [d for d in said if d.rule == "flow_front"]


def test_the_line_says_the_speed_and_when_it_may_arrive(folder: Path) -> None:
    gully(folder)
    district = load(folder)
    assert problems(district) == []
    said = played(district, (50, 150, 270))
    first, last = said[0], said[-1]
    assert (first.level.name, first.action) == ("ORANGE", Action.PREPARE)
    assert last.action == Action.MOVE
    passed = START + (span(GULLY) + 150) * 1000
    assert first.earliest_at is not None
    assert first.latest_at is not None
    assert passed < first.earliest_at < passed + 2600 / 5 * 1000 < first.latest_at
    words = evidence(district, first.evidence[0], "zh")
    assert "m/s" in words
    assert "沟道地声站1、沟道地声站2沿沟" in words  # who shook, and not who may
    assert last.evidence[0].station == "G1+G2+G3"
    assert "m/s" in evidence(district, first.evidence[0], "en")


def test_the_line_says_nothing_of_what_shakes_all_at_once(folder: Path) -> None:
    gully(folder)
    assert played(load(folder), (150, 151, 152)) == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ('stations = ["G1", "G2"]', "distance_m"),
        ('stations = ["G1", "G2", "G3"]\nquantity = "rain"', "quantity"),
        ("village_m = { A99 = 3100 }", "A99"),
    ],
)
def test_a_row_that_cannot_be_is_refused(folder: Path, wrong: str, named: str) -> None:
    text = RULE
    if wrong.startswith("stations"):
        text = text.replace('stations = ["G1", "G2", "G3"]', wrong.split("\n")[0])
        if "quantity" in wrong:
            text = text.replace('quantity = "ground_velocity"', 'quantity = "rain"')
    else:
        text = text.replace("village_m = { A40 = 3100 }", wrong)
    gully(folder, text)
    found = problems(load(folder))
    assert any(named in str(p) for p in found), found
