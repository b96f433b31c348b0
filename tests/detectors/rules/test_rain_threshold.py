"""The rain rule against plain references: sums, levels, lateness, wetness, memory."""

import importlib.util
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.baseline.rain import LIMITS, WINDOWS, PlainRain
from detectors.engine.minute_ring import KEPT, SPAN, Window, rounds
from detectors.engine.window_rows import Change
from detectors.rain.limit_table import Limits, RainRow
from detectors.rain.rain_threshold import RainThreshold
from tests.support.examples import examples

LAW = examples(60)
DAY0 = 20_000 * 1440  # a UTC midnight, in minutes

TABLE: dict[str, dict[int, Limits]] = {
    "normal": {
        10: ((80, 120, 160, 220), (100, 180)),
        60: ((200, 300, 450, 600), (250, 500)),
        180: ((300, 500, None, 1000), (None, 800)),
    }
}


def rule_of(rows: int = 1, **more: object) -> RainThreshold:
    given_: dict[str, object] = {"hold_min": 30, "clear_factor": 0.7, "event_gap_min": 1440, **more}
    names = [RainRow(f"a{n}", "flash_flood", f"g{n}", TABLE) for n in range(rows)]
    return RainThreshold(names, **given_)  # type: ignore[arg-type]


def ints(values: Sequence[int]) -> np.ndarray:
    return np.array(values, np.int64)


def feed(
    rule: RainThreshold, stream: Sequence[tuple[int, int, int]], cuts: Sequence[int] = ()
) -> list[Change]:
    """A stream of (row, minute, count) through the rule, cut into batches; nth of the stream."""
    state, found = rule.new(), []
    edges = [0, *sorted({c for c in cuts if 0 < c < len(stream)}), len(stream)]
    for low, high in pairwise(edges):
        part = stream[low:high]
        columns = [ints([x[k] for x in part]) for k in range(3)]
        found += [c._replace(nth=c.nth + low) for c in rule.judge(state, *columns)]
    return found


# --- sums

_STEP = st.tuples(
    st.one_of(  # how the next minute lies to the head
        st.integers(-40, 12),
        st.sampled_from(
            [0, 1, 1, 1, 63, 64, 65, 66, 200, 1439, 1440, 1441, 2047, 2048, 2049, 9000]
        ),
        st.sampled_from([-1438, -1440, -1441, 1 - KEPT, -KEPT, -1 - KEPT, -2048]),
    ),
    st.integers(0, 90),
    st.booleans(),
)


@LAW
@given(st.lists(_STEP, max_size=60), st.lists(st.integers(1, SPAN), min_size=1, max_size=4))
def test_sums_are_exact_whatever_the_order(
    steps: list[tuple[int, int, bool]], windows: list[int]
) -> None:
    window = Window(3, tuple(windows))
    held: dict[int, int] = {}
    head = 40_000
    for n, (ahead, count, add) in enumerate(steps):
        minute = head + ahead
        new_head = minute if n == 0 else max(head, minute)
        expect = minute > new_head - KEPT and (add or minute not in held)
        taken, _ = window.put(ints([1]), ints([minute]), ints([count]), np.array([add]))
        assert bool(taken[0]) is expect
        if expect:
            held[minute] = held.get(minute, 0) + count
        head = new_head
        held = {m: c for m, c in held.items() if m > head - KEPT}
        brute = [sum(c for m, c in held.items() if m > head - w) for w in windows]
        assert window.sums(ints([1]), window.head[[1]])[0].tolist() == brute
    assert not window.sums(ints([0, 2]), ints([head, head])).any()  # nobody else's


@LAW
@given(st.lists(st.integers(0, 5), max_size=40))
def test_rounds_keep_the_order_of_each_row(rows: list[int]) -> None:
    parts = rounds(ints(rows))
    assert sorted(n for p in parts for n in p.tolist()) == list(range(len(rows)))
    seen: dict[int, int] = {}
    for part in parts:
        assert len({rows[n] for n in part}) == len(part)
        for n in part.tolist():
            assert seen.get(rows[n], -1) < n
            seen[rows[n]] = n


# --- levels against a plain model

_LATE = 30


class Model:
    """One row, slowly: every sum anew from a dict, the machine written out."""

    def __init__(self, hold: int, factor: float, gap: int) -> None:
        self.held: dict[int, int] = {}
        self.head = -1
        self.hold, self.factor, self.gap = hold, factor, gap
        self.at = [[0, -1, 0], [0, -1, 0]]  # level and action: value, armed, peak

    def _sum(self, end: int, window: int) -> int:
        return sum(c for m, c in self.held.items() if end - window < m <= end)

    def step(self, minute: int, count: int) -> tuple[int, int, int] | None:
        self.head = minute if self.head < 0 else max(self.head, minute)
        if minute <= self.head - KEPT or minute in self.held:
            return None
        self.held[minute] = count
        if self.head - minute > _LATE or not (count or self.at[0][0] or self.at[1][0]):
            return None
        ends = range(minute, self.head + 1)
        sums = {w: max(self._sum(e, w) for e in ends) for w in TABLE["normal"]}
        if self.gap < SPAN and max(self._sum(e, self.gap) for e in ends) == 0:
            sums = dict.fromkeys(sums, 0)
        was = [m[0] for m in self.at]
        for kind, machine in enumerate(self.at):
            self._turn(machine, self._high(sums, kind, 1.0), self._high(sums, kind, self.factor))
        now = [m[0] for m in self.at]
        return (self.head, now[0], now[1]) if now != was else None

    def _high(self, sums: dict[int, int], kind: int, factor: float) -> int:
        return max(
            (
                k
                for w, total in sums.items()
                for k, limit in enumerate(TABLE["normal"][w][kind], 1)
                if limit is not None and total >= limit * factor - 1e-9
            ),
            default=0,
        )

    def _turn(self, machine: list[int], raw: int, keep: int) -> None:
        level, armed, peak = machine
        if raw > level:
            machine[:] = [raw, -1, 0]
        elif keep >= level:
            machine[1] = -1
        elif armed < 0:
            machine[1:] = [self.head, keep]
        else:
            machine[2] = max(peak, keep)
            if self.head - armed >= self.hold:
                fallen = machine[2]
                machine[:] = [fallen, self.head if keep < fallen else -1, keep]


_WALK = st.lists(
    st.tuples(
        st.one_of(st.just(1), st.integers(-35, 15), st.sampled_from([45, 70, 300])),
        st.one_of(st.just(0), st.integers(0, 60)),
    ),
    max_size=90,
)


def _stream(walk: list[tuple[int, int]]) -> list[tuple[int, int]]:
    head, out = DAY0, []
    for ahead, count in walk:
        out.append((head + ahead, count))
        head = max(head, head + ahead)
    return out


@LAW
@given(_WALK, st.sampled_from([20, 45, 1440]), st.sampled_from([0.5, 0.7, 1.0]))
def test_levels_are_those_of_a_plain_model(
    walk: list[tuple[int, int]], gap: int, factor: float
) -> None:
    model = Model(25, factor, gap)
    rule = rule_of(hold_min=25, clear_factor=factor, event_gap_min=gap, late_min=_LATE)
    stream = _stream(walk)
    expect = [(n, *c) for n, (m, v) in enumerate(stream) if (c := model.step(m, v)) is not None]
    found = [(c.nth, c.minute, c.level, c.action) for c in feed(rule, [(0, *x) for x in stream])]
    assert found == expect


_MANY = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-20, 10), st.integers(0, 90)), max_size=80
)


@LAW
@given(_MANY, st.lists(st.integers(1, 80), max_size=6))
def test_batches_do_not_show(walk: list[tuple[int, int, int]], cuts: list[int]) -> None:
    stream = [(row, DAY0 + n // 4 + ahead, count) for n, (row, ahead, count) in enumerate(walk)]
    assert feed(rule_of(4), stream, cuts) == feed(rule_of(4), stream)


@LAW
@given(_MANY, st.integers(0, 80), st.integers(0, 2**32))
def test_memory_survives_a_dump_anywhere(
    walk: list[tuple[int, int, int]], at: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = ints([w[0] for w in walk])
    minutes = ints([DAY0 + n // 4 + w[1] for n, w in enumerate(walk)])
    counts = ints([w[2] for w in walk])
    suspect = rng.random(len(walk)) < 0.2
    wet = {"wet": {10: ((40, 60, 80, 90), ())}, **TABLE}
    rule = RainThreshold(
        [RainRow(f"a{n}", "f", f"g{n}", wet) for n in range(4)], event_gap_min=60, hold_min=10
    )

    def part(state: object, low: int, high: int) -> list[Change]:
        cut = slice(low, high)
        return rule.judge(state, rows[cut], minutes[cut], counts[cut], None, suspect[cut])  # type: ignore[arg-type]

    whole = rule.new()
    first, rest = part(whole, 0, at), part(whole, at, len(walk))
    again = rule.new()
    assert part(again, 0, at) == first
    assert part(rule.load(rule.dump(again)), at, len(walk)) == rest


def test_memory_follows_its_rows_into_a_changed_config() -> None:
    old = rule_of(3)
    state = old.new()
    old.judge(state, ints([0, 1, 2]), ints([DAY0] * 3), ints([10, 70, 30]))
    rows = [
        RainRow("a9", "flash_flood", "g9", TABLE),
        RainRow("a1", "flash_flood", "g1", {"normal": {30: ((75, None, None, None), ())}}),
    ]
    new = RainThreshold(rows)
    after = new.load(old.dump(state))
    (change,) = new.judge(after, ints([0, 1]), ints([DAY0 + 5] * 2), ints([6, 6]))
    assert (change.row, change.level, change.value, change.window_min) == (1, 1, 76, 30)


# --- the benchmark's configuration


def _bench() -> tuple[RainThreshold, list[tuple[int, int, float]]]:
    rng = np.random.default_rng(5)
    gauges, minutes = 24, 400
    rain = rng.poisson(0.05, (gauges, minutes))
    for g in range(0, gauges, 2):
        m = int(rng.integers(minutes - 150))
        rain[g, m : m + 60] += rng.poisson(rng.uniform(2, 14), 60)
    stream = []
    for m in range(minutes):
        for g in rng.permutation(gauges).tolist():
            at = m - int(rng.integers(1, 50)) if rng.random() < 0.05 and m > 60 else m
            gap = 1000 * (m > 300)  # everybody silent for most of a day
            row = (g, 1_784_600_040 + 60 * (at + gap), float(rain[g, at] / 10))
            stream += [row] * (2 if rng.random() < 0.02 else 1)
    table: dict[str, dict[int, Limits]] = {
        "normal": {w: (t, ()) for w, t in zip(WINDOWS, LIMITS, strict=True)}
    }
    rows = [RainRow(f"a{g}", "flash_flood", f"g{g}", table) for g in range(gauges)]
    rule = RainThreshold(rows, hold_min=30, clear_factor=1.0, late_min=1440, late_ends=False)
    return rule, stream


def _ours(rule: RainThreshold, stream: list[tuple[int, int, float]]) -> list[tuple[int, int, int]]:
    counts = [(g, t // 60, int(v * 10 + 0.5)) for g, t, v in stream]
    return [(c.nth, c.minute * 60, c.level) for c in feed(rule, counts, range(0, 99_999, 777))]


def test_the_plain_loop_says_the_same() -> None:
    rule, stream = _bench()
    plain = [PlainRain() for _ in rule.rows]
    theirs = [
        (n, c[0], c[2])
        for n, (g, t, v) in enumerate(stream)
        if (c := plain[g].step(t, v)) is not None
    ]
    assert _ours(rule, stream) == theirs
    assert {level for _, _, level in theirs} == {0, 1, 2, 3, 4}  # the workload tries everything


def _rules_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_rules", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_benchmarks_reference_says_the_same(data: Path) -> None:
    path = data.parent / "bench" / "rules.py"
    if not path.exists():
        pytest.skip("the benchmark's reference is not here")
    rule, stream = _bench()
    reference = [_rules_module(path).Rain() for _ in rule.rows]
    theirs = [
        (n, c[0], c[2])
        for n, (g, t, v) in enumerate(stream)
        if (c := reference[g].step(t, v)) is not None
    ]
    assert _ours(rule, stream) == theirs


# --- lateness


def _highest(rain: dict[int, int], first: int, last: int) -> int:
    """The highest level over every window and every end up to `last`."""
    best = 0
    for end in range(first, last + 1):
        for window, (levels, _) in TABLE["normal"].items():
            total = sum(c for m, c in rain.items() if end - window < m <= end)
            reached = [k for k, t in enumerate(levels, 1) if t is not None and total >= t]
            best = max(best, *reached, 0)
    return best


@examples(40)
@given(
    st.lists(st.sampled_from([0, 0, 1, 5, 12, 25, 50]), min_size=1, max_size=70),
    st.integers(0, 2**32),
)
def test_no_order_within_the_lateness_hides_or_delays_a_level(rain: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    # at most 30 min behind whatever came before it
    order = np.argsort(np.arange(len(rain)) + rng.uniform(0, 30, len(rain)))
    in_order = feed(rule_of(), [(0, DAY0 + m, c) for m, c in enumerate(rain)])
    shuffled = feed(rule_of(), [(0, DAY0 + int(m), rain[m]) for m in order])
    assert max((c.level for c in shuffled), default=0) == max(
        (c.level for c in in_order), default=0
    )
    # after each arrival: what all that has arrived adds up to, at any end, has been said
    heard: dict[int, int] = {}
    said = 0
    for n, m in enumerate(order.tolist()):
        heard[m] = rain[m]
        said = max(said, *(c.level for c in shuffled if c.nth == n), 0)
        assert said == _highest(heard, 0, max(heard))


def test_later_than_the_lateness_enters_sums_but_is_not_judged() -> None:
    rule = rule_of(late_min=30)
    stream = [(0, DAY0 + 100, 1), (0, DAY0 + 60, 79), (0, DAY0 + 60, 79), (0, DAY0 + 69, 200)]
    assert feed(rule, stream) == []  # 279 in an hour, but only 31 and more minutes too late
    (change,) = feed(rule, [*stream, (0, DAY0 + 101, 1)])
    assert (change.level, change.window_min, change.value) == (1, 60, 281)


# --- clearing


@pytest.mark.parametrize(("factor", "fallen"), [(0.7, 71), (0.0, None), (1.0, 40)])
def test_falls_only_below_the_clear_factor_for_the_whole_hold(
    factor: float, fallen: int | None
) -> None:
    table: dict[str, dict[int, Limits]] = {"normal": {10: ((80, None, None, None), ())}}
    rows = [RainRow("a", "flash_flood", "g", table)]
    rule = RainThreshold(rows, clear_factor=factor, hold_min=30)
    # from minute 10 to 40 the sum is 60, below blue; 56 is 0.7 of it
    drip = [(0, DAY0 + n, 6) for n in range(1, 41)]
    quiet = [(0, DAY0 + n, 0) for n in range(41, 120)]
    found = [(c.minute - DAY0, c.level) for c in feed(rule, [(0, DAY0, 82), *drip, *quiet])]
    assert found == [(0, 1), *([] if fallen is None else [(fallen, 0)])]


def test_the_hold_is_counted_from_the_first_quiet_minute() -> None:
    rule = rule_of(clear_factor=1.0, hold_min=30)
    stream = [(0, DAY0, 90), *((0, DAY0 + n, 0) for n in range(1, 50))]
    assert [(c.minute - DAY0, c.level, c.action) for c in feed(rule, stream)] == [
        (0, 1, 0),
        (40, 0, 0),  # below at minute 10, held for 30
    ]
    relapse = [(0, DAY0, 90), *((0, DAY0 + n, 90 if n == 35 else 0) for n in range(1, 100))]
    found = [(c.minute - DAY0, c.level) for c in feed(rule, relapse)]
    assert found == [(0, 1), (75, 0)]  # raised again at 35, quiet from 45


def test_after_the_event_gap_old_rain_holds_nothing() -> None:
    stream = [(0, DAY0, 310), *((0, DAY0 + n, 0) for n in range(1, 170))]
    with_gap = feed(rule_of(event_gap_min=60, hold_min=10), stream)
    without = feed(rule_of(hold_min=10), stream)
    assert with_gap[-1].level == 0
    assert with_gap[-1].minute == DAY0 + 70
    assert without[-1].level > 0  # the three-hour sum is still there


def test_a_gauge_that_sums_over_an_hour_says_nothing_of_ten_minutes() -> None:
    hourly = RainThreshold([RainRow("a", "flash_flood", "g", TABLE, interval_min=60)])
    assert feed(hourly, [(0, DAY0, 190)]) == []  # red in ten minutes, nothing in an hour
    assert feed(hourly, [(0, DAY0, 210)])[0].level == 1


# --- wetness

CLASSES: dict[str, dict[int, Limits]] = {
    "dry": {60: ((300, None, None, None), ())},
    "normal": {60: ((200, None, None, None), ())},
    "wet": {60: ((100, None, None, None), ())},
}


def _days(before: dict[int, int], known: int, now: int) -> tuple[int, float]:
    """Level after `now` counts, with totals of days ago, on a record of `known` days; and Pa."""
    rule = RainThreshold([RainRow("a", "flash_flood", "g", CLASSES)], event_gap_min=240)
    state = rule.new()
    today = DAY0 + 40 * 1440
    days = sorted({known, *before}, reverse=True)
    # spread over the day, so that no hour of it reaches anything
    feed_ = [(today - 1440 * d + 100 * n, before.get(d, 0) // 10) for d in days for n in range(10)]
    level = 0
    for minute, count in [*feed_, (today + 700, now)]:
        for c in rule.judge(state, ints([0]), ints([minute]), ints([count])):
            level = c.level if minute == today + 700 else level
    return level, float(rule.wetness.index(state, np.zeros(1, np.int64))[0])


@pytest.mark.parametrize(
    ("before", "known", "now", "level"),
    [
        ({}, 15, 299, 0),  # a full dry record
        ({}, 15, 300, 1),
        ({}, 14, 200, 1),  # not knowing is no proof of dryness
        ({}, 14, 199, 0),
        ({1: 300}, 15, 199, 0),  # 25.5 mm: normal
        ({1: 300}, 15, 200, 1),
        ({1: 600}, 3, 100, 1),  # 51 mm: wet, however short the record
        ({1: 600}, 15, 99, 0),
        ({2: 600}, 15, 100, 0),  # 43 mm
    ],
)
def test_wetness_chooses_the_table(
    before: dict[int, int], known: int, now: int, level: int
) -> None:
    found, index = _days(before, known, now)
    assert found == level
    assert index == pytest.approx(sum(c * 0.85**d for d, c in before.items()))


# --- suspect values


def _doubting(rows: list[tuple[int, int, bool]], **more: object) -> list[Change]:
    rule = rule_of(**more)
    state = rule.new()
    found = []
    for n, (minute, count, suspect) in enumerate(rows):
        one = rule.judge(
            state, ints([0]), ints([DAY0 + minute]), ints([count]), None, np.array([suspect])
        )
        found += [c._replace(nth=n) for c in one]
    return found


def test_a_suspect_value_raises_but_not_surely() -> None:
    (change,) = _doubting([(0, 230, True)])
    assert (change.level, change.action) == (4, 2)
    assert (change.sure_level, change.sure_action) == (0, 0)


def test_good_values_make_a_level_sure() -> None:
    found = _doubting([(0, 230, True), (3, 125, False)])
    assert (found[-1].nth, found[-1].level, found[-1].sure_level, found[-1].sure_action) == (
        1,
        4,
        2,
        1,
    )


def test_a_level_that_only_suspect_rain_reached_is_not_sure_because_it_grows_old() -> None:
    """After its time good rain below the order still holds what it reached; a snapshot does not matter."""
    rule = rule_of()
    state, said = rule.new(), []
    for minute in range(252):
        count = {0: 800, 250: 300}.get(minute, 4)  # 4: 72 mm in 180 minutes, where 80 is the order
        doubt = ints([200 if minute == 0 else 0])
        columns = [ints([x]) for x in (0, DAY0 + minute, count)]
        said += [
            (minute, c.action, c.sure_action) for c in rule.judge(state, *columns, None, doubt)
        ]
        state = rule.load(rule.dump(state))
    assert said[0] == (0, 2, 0)
    assert [sure for minute, action, sure in said if minute < 250] == [0] * (len(said) - 1)
    assert said[-1] == (250, 2, 2)  # rain that is good orders


def test_a_suspect_value_takes_nothing_from_what_was_sure() -> None:
    found = _doubting([(0, 230, False), (15, 0, False), (16, 3, True), (17, 0, False)])
    assert [(c.level, c.action, c.sure_level, c.sure_action) for c in found] == [(4, 2, 4, 2)]
