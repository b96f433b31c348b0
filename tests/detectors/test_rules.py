"""The rules and the stage detect: exact, whatever the order, the batches or a restart."""

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.baseline.rain import LIMITS, WINDOWS, PlainRain
from bench.cases.rain import workload
from config.records.rules import QualityRule
from detectors.detection import Detection, Mark
from detectors.quality.level_course import Course, Range, judge
from detectors.rain.limit_table import RainRow
from detectors.rain.rain_threshold import RainThreshold
from detectors.stage import Detect
from detectors.water.stage_trend import StageRow, StageTrend
from ingest.observation import Flag, Observation, Observations
from simulators.scenario import scenario
from simulators.world import World
from stream.log.port import partition_of
from stream.records import Run, Tick
from stream.stages.stage import Item
from tests.support.by_scipy import stats
from tests.support.districts import yanqing
from tests.support.examples import examples
from tests.support.one_station import Station, take

ROOT = Path(__file__).parents[2]
DISTRICT = yanqing()
TABLE = {"normal": {w: (t, ()) for w, t in zip(WINDOWS, LIMITS, strict=True)}}


def bench_rule(stations: int) -> RainThreshold:
    rows = [RainRow(f"a{n}", "flash_flood", f"s{n}", TABLE) for n in range(stations)]
    return RainThreshold(rows, hold_min=30, clear_factor=1.0, late_min=1440, late_ends=False)


def arrays(rows: list[tuple[int, int, int]]) -> list[np.ndarray]:  # type: ignore[type-arg]
    return [np.array(x, np.int64) for x in zip(*rows, strict=True)]


def test_the_arrays_give_what_a_plain_loop_gives() -> None:
    rows = workload(None)[:120_000]
    names: dict[str, int] = {}
    number = [names.setdefault(r.station, len(names)) for r in rows]
    rule = bench_rule(len(names))
    state, ours = rule.new(), []
    minute = [r.t // 60 for r in rows]
    count = [int(r.v * 10 + 0.5) for r in rows]
    for at in range(0, len(rows), 7001):
        part = slice(at, at + 7001)
        batch = arrays(list(zip(number[part], minute[part], count[part], strict=True)))
        ours += [(at + c.nth, c.minute, c.level) for c in rule.judge(state, *batch)]
    plain = [PlainRain() for _ in names]
    theirs = []
    for n, r in enumerate(rows):
        change = plain[number[n]].step(r.t, r.v)
        if change:
            theirs.append((n, change[0] // 60, change[2]))
    assert len(theirs) > 50
    assert ours == theirs


def test_the_published_workload_and_its_answer(data: Path) -> None:
    """A rule written elsewhere, over the same records."""
    import sys

    bench = data.parent / "bench"
    if not (bench / "rules.py").exists():
        pytest.skip("the published rule is not here")
    sys.path.insert(0, str(bench))
    try:
        import rules  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(bench))
    rows = workload(None)[:60_000]
    names: dict[str, int] = {}
    theirs, held = [], {}
    for n, r in enumerate(rows):
        change = held.setdefault(r.station, rules.Rain()).step(r.t, r.v)
        if change:
            theirs.append((n, change[0] // 60, change[2]))
    batch = arrays(
        [(names.setdefault(r.station, len(names)), r.t // 60, int(r.v * 10 + 0.5)) for r in rows]
    )
    rule = bench_rule(len(names))
    assert [(c.nth, c.minute, c.level) for c in rule.judge(rule.new(), *batch)] == theirs


tips = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 400), st.integers(0, 60)), min_size=1, max_size=60
)


@examples(80)
@given(
    rows=tips, cuts=st.lists(st.integers(1, 59), max_size=4), leap=st.sampled_from([0, 200, 3000])
)
def test_rain_batches_and_restarts_do_not_show(
    rows: list[tuple[int, int, int]], cuts: list[int], leap: int
) -> None:
    rows = [(r, 30_000_000 + m + (leap if n > 30 else 0), c) for n, (r, m, c) in enumerate(rows)]
    rule = RainThreshold(
        [
            RainRow(
                f"a{n}",
                "flash_flood",
                f"s{n}",
                {
                    "dry": {10: ((100, 150, 200, 250), (120, 220))},
                    "normal": {
                        10: ((80, 120, 160, 220), (100, 200)),
                        60: ((90, None, 300, 400), ()),
                    },
                    "wet": {10: ((60, 90, 120, 170), (80, 150))},
                },
            )
            for n in range(3)
        ],
        hold_min=20,
        event_gap_min=120,
    )
    whole = rule.judge(rule.new(), *arrays(rows))
    state, parts = rule.new(), []
    edges = sorted({0, len(rows), *(c for c in cuts if c < len(rows))})
    for begin, end in pairwise(edges):
        state = rule.load(rule.dump(state))
        found = rule.judge(state, *arrays(rows[begin:end]))
        parts += [c._replace(nth=c.nth + begin) for c in found]
    assert parts == whole


@examples(80)
@given(
    rain=st.lists(st.integers(0, 40), min_size=5, max_size=50),
    delays=st.lists(st.integers(0, 29), min_size=50, max_size=50),
)
def test_no_rise_is_missed_in_any_order_within_the_lateness(
    rain: list[int], delays: list[int]
) -> None:
    """The highest level is that of the ordered run, and is there with the value that completes
    it: the first arrival after which the values heard reach it."""
    rule = RainThreshold([RainRow("a", "flash_flood", "s", TABLE)], hold_min=10_000)
    base = 30_000_000
    ordered = [(0, base + m, c) for m, c in enumerate(rain)]
    arrived = [ordered[n] for n in sorted(range(len(rain)), key=lambda n: (n + delays[n], n))]
    best = max((c.level for c in rule.judge(rule.new(), *arrays(ordered))), default=0)
    got = rule.judge(rule.new(), *arrays(arrived))
    assert max((c.level for c in got), default=0) == best
    first = {}
    for change in got:
        for level in range(1, change.level + 1):
            first.setdefault(level, change.nth)
    for level in range(1, best + 1):
        heard: dict[int, int] = {}
        for n, (_, m, c) in enumerate(arrived):
            heard[m] = c
            if any(
                sum(v for k, v in heard.items() if end - w < k <= end) >= t[level - 1]
                for end in heard
                for w, t in zip(WINDOWS, LIMITS, strict=True)
            ):
                assert first[level] <= n
                break


def test_wet_ground_needs_less_and_not_knowing_is_never_dry() -> None:
    table = {
        "dry": {60: ((500,) * 4, ())},
        "normal": {60: ((300,) * 4, ())},
        "wet": {60: ((100,) * 4, ())},
    }
    rule = RainThreshold(
        [RainRow("a", "flash_flood", "s", table)],
        antecedent_days=5,
        wet_above=500,
        dry_below=150,
        event_gap_min=240,
    )
    day = 1440 * 20_000
    fresh = rule.new()
    assert rule.judge(fresh, *arrays([(0, day, 310)]))[0].level == 4  # normal, though nothing fell
    wet = rule.new()
    assert rule.judge(wet, *arrays([(0, day - 1000 + 61 * k, 60) for k in range(15)])) == []
    found = rule.judge(wet, *arrays([(0, day, 0), (0, day + 700, 110)]))
    assert [c.level for c in found if c.level] == [4]
    dry = rule.new()
    rule.judge(dry, *arrays([(0, day + 1440 * d, 0) for d in range(8)]))
    assert rule.judge(dry, *arrays([(0, day + 1440 * 8, 400)])) == []


def test_an_unconfirmed_extreme_is_not_sure() -> None:
    rule = RainThreshold(
        [RainRow("a", "flash_flood", "s", {"normal": {10: ((80, 120, 160, 220), (100, 200))}})]
    )
    state = rule.new()
    (odd,) = rule.judge(state, *arrays([(0, 30_000_000, 400)]), doubt=np.array([True]))
    assert (odd.level, odd.sure_level) == (4, 0)
    sure = rule.judge(state, *arrays([(0, 30_000_001, 130)]), doubt=np.array([False]))
    assert (sure[-1].level, sure[-1].sure_level, sure[-1].sure_action) == (4, 2, 1)


@examples(60)
@given(values=st.lists(st.integers(-2000, 4000), min_size=5, max_size=25))
def test_the_robust_slope_is_that_of_scipy(values: list[int]) -> None:
    rule = StageTrend([StageRow("a", "flash_flood", "s", (10**6,) * 4, ())], min_points=5)
    state = rule.new()
    rule.judge(state, *arrays([(0, 30_000_000 + m, v) for m, v in enumerate(values)]))
    slope, _ = rule.outlook(state, 0)
    assert slope == pytest.approx(stats().theilslopes(values)[0])


def test_a_fast_rise_warns_before_the_threshold_and_falls_with_a_margin() -> None:
    rule = StageTrend(
        [StageRow("a", "flash_flood", "s", (1000, 1500, 2000, 2600), (), 1200, 30)],
        hold_min=10,
        clear_margin=200,
    )
    state, t = rule.new(), 30_000_000
    rising = [(0, t + 5 * k, 500 + 110 * k) for k in range(5)]  # 1,320 mm/h
    found = rule.judge(state, *arrays(rising))
    assert found[-1].level == 1
    assert found[-1].value < 1000
    top = rule.judge(state, *arrays([(0, t + 40, 1600)]))
    assert top[-1].level >= 2
    held = rule.judge(state, *arrays([(0, t + 80 + k, 1400) for k in range(30)]))
    assert [c.level for c in held] == ([2] if top[-1].level > 2 else [])  # within the margin
    calm = rule.judge(state, *arrays([(0, t + 200 + k, 500) for k in range(30)]))
    assert calm[-1].level == 0


def obs(station: str, quantity: str, minute: int, value: int, **kw: object) -> Observation:
    return Observation(
        station=station,
        quantity=quantity,
        observed_at=minute * 60_000,
        value=value,
        flag=Flag.GOOD,
        **kw,
    )  # type: ignore[arg-type]


def test_duplicates_revisions_tips_and_counters() -> None:
    memory = Station()
    first = take(memory, obs("R", "rain", 10, 5))
    assert first is not None
    assert (first.minute, first.count, first.add) == (10, 5, True)
    assert take(memory, obs("R", "rain", 10, 5)) is None
    revision = take(memory, obs("R", "rain", 10, 8))
    assert revision is not None
    assert (revision.count, revision.add) == (3, True)
    for seq in (1, 2):
        tip = take(memory, obs("R", "rain", 11, 1, seq=seq))
        assert tip is not None
        assert tip.add
    total = 0
    counter = Station()
    for minute, value in ((1, 100), (2, 130), (5, 150), (3, 140), (6, 10), (7, 12)):
        found = take(counter, obs("R", "rain_counter", minute, value))
        total += found.count if found else 0
        if minute == 6:
            assert found is not None
            assert found.test == "counter_reset"
    assert total == 30 + 20 + 10


def test_quality_tests_mean_what_qartod_means() -> None:
    def tests(given_: list[tuple[int, int]]) -> list[str]:
        m, station = Course(), Range(-5000, 9000, (), 1000)
        return [judge(QualityRule(), station, m, t * 60_000, v, bool).test for t, v in given_]

    given_ = [(0, 500), (5, 520), (10, 2600), (15, 540), (16, 4000)]
    assert tests(given_) == ["", "", "spike", "", "spike"]
    assert tests([(m, 700) for m in range(0, 900, 60)])[-1] == "flat_line"
    assert not any(tests([(m, 0) for m in range(0, 900, 60)]))


def storm_records(minutes: int) -> list[object]:
    world = World(DISTRICT, scenario("yanqing-storm"))
    records: list[object] = [
        Run(
            name="exercise",
            kind="exercise",
            district="yanqing",
            config="c",
            start_at=world.scenario.start_at,
        )
    ]
    for minute in range(60, 60 + minutes):
        groups: dict[str, list[Observation]] = {}
        for o in world.observations(minute):
            for group in DISTRICT.groups_of_station[o.station]:
                groups.setdefault(group, []).append(o)
        records += [Observations.of(g, 0, items) for g, items in groups.items()]
        records.append(Tick(clock_at=world.at(minute)))
    return records


def writes_of(
    detect: Detect, records: list[object], cuts: list[int], restart: bool
) -> list[object]:
    state, out = detect.new(0), []
    edges = sorted({0, len(records), *(c for c in cuts if c < len(records))})
    for begin, end in pairwise(edges):
        if restart:
            state = detect.load(0, detect.dump(state))
        state, writes = detect.step(state, [Item(0, n, "", records[n]) for n in range(begin, end)])
        out += [w.record for w in writes]
    return out


def test_detect_batches_and_restarts_do_not_show() -> None:
    records = [
        r
        for r in storm_records(75)
        if not isinstance(r, Observations) or partition_of(r.group, DISTRICT.partitions) == 0
    ]
    detect = Detect(DISTRICT, lambda _: None)
    whole = writes_of(detect, records, [], False)
    assert sum(isinstance(x, Detection) for x in whole) > 20
    rng = random.Random(11)
    for trial in range(4):
        cuts = [rng.randrange(len(records)) for _ in range((3, 20, 60, 400)[trial])]
        assert writes_of(detect, records, cuts, trial < 3) == whole


def test_silence_is_heard_also_of_a_station_never_seen() -> None:
    detect = Detect(DISTRICT, lambda _: None)
    part = partition_of(DISTRICT.group_of_area["A01"], DISTRICT.partitions)
    group = DISTRICT.group_of_area["A01"]
    state = detect.new(part)
    t0 = 1_753_524_000_000

    def step(*records: object) -> list[object]:
        nonlocal state
        state, writes = detect.step(state, [Item(part, 0, "", r) for r in records])
        return [w.record for w in writes]

    step(Run(name="exercise", kind="exercise", district="yanqing", config="c", start_at=t0))
    assert all(isinstance(x, Mark) for x in step(Tick(clock_at=t0 + 60_000)))
    assert step(Tick(clock_at=t0 + 60_000)) == []  # not later than the last
    silent = [x for x in step(Tick(clock_at=t0 + 4_000_000)) if isinstance(x, Detection)]
    area = next(d for d in silent if d.area == "A01")
    assert area.thin
    assert area.coverage is not None
    assert area.coverage.live == 0
    heard = Observation(
        station="R01", quantity="rain", observed_at=t0 + 3_990_000, value=0, flag=Flag.GOOD
    )
    back = step(Observations.of(group, 0, (heard,)))
    again = [x for x in back if isinstance(x, Detection) and x.area == "A01"]
    assert again[-1].coverage is not None
    assert again[-1].coverage.live == 1
    marks = [x for x in step(Tick(clock_at=t0 + 4_060_000)) if isinstance(x, Mark)]
    mine = next(m for m in marks if m.group == group)
    assert mine.complete_at == t0 + 3_990_000
