"""The stage rule: thresholds, margin, trend, late and suspect values."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.window_rows import Change
from detectors.water.stage_trend import StageRow, StageTrend
from tests.support.by_scipy import stats
from tests.support.examples import examples

LAW = examples(50)
T0 = 28_000_000  # a minute


def ints(values: Sequence[int]) -> np.ndarray:
    return np.array(values, np.int64)


def rule_of(rows: int = 1, rise: int = 500, ahead: int = 30, **more: int) -> StageTrend:
    table = [
        StageRow(
            f"a{n}", "flash_flood", f"s{n}", (1000, 1500, 2000, 2600), (1500, 2500), rise, ahead
        )
        for n in range(rows)
    ]
    return StageTrend(table, **more)


def feed(
    rule: StageTrend,
    stream: Sequence[tuple[int, int, int]],
    cuts: Sequence[int] = (),
    suspect: Sequence[bool] | None = None,
    dump: bool = False,
) -> list[Change]:
    """(row, minute, mm) through the rule in batches, with a dump and load at each cut if asked."""
    state, found = rule.new(), []
    doubt = np.array(suspect if suspect is not None else [False] * len(stream), np.bool_)
    edges = [0, *sorted({c for c in cuts if 0 < c < len(stream)}), len(stream)]
    for low, high in pairwise(edges):
        part = stream[low:high]
        columns = [ints([x[k] for x in part]) for k in range(3)]
        found += [c._replace(nth=c.nth + low) for c in rule.judge(state, *columns, doubt[low:high])]
        if dump:
            state = rule.load(rule.dump(state))
    return found


@pytest.mark.parametrize(
    ("stage", "level", "action"),
    [
        (999, 0, 0),
        (1000, 1, 0),
        (1499, 1, 0),
        (1500, 2, 1),
        (2000, 3, 1),
        (2500, 3, 2),
        (2600, 4, 2),
    ],
)
def test_thresholds(stage: int, level: int, action: int) -> None:
    found = feed(rule_of(), [(0, T0, stage)])
    assert [(c.level, c.action) for c in found] == ([(level, action)] if level else [])


def test_falls_only_a_margin_below_and_after_the_hold() -> None:
    rule = rule_of(clear_margin=200, hold_min=60)
    near = [(0, T0 + 5 * n, 850) for n in range(1, 40)]  # not a margin below 1000
    assert [c.level for c in feed(rule, [(0, T0, 1010), *near])] == [1]
    below = [(0, T0 + 5 * n, 799) for n in range(1, 40)]
    found = feed(rule, [(0, T0, 1010), *below])
    assert [(c.minute - T0, c.level) for c in found] == [(0, 1), (65, 0)]


def test_falls_step_by_step_to_what_was_seen_in_the_hold() -> None:
    falling = [(0, T0 + 10 * n, max(500, 2100 - 100 * n)) for n in range(60)]
    levels = [c.level for c in feed(rule_of(hold_min=30, clear_margin=0), falling)]
    assert levels == [3, 2, 1, 0]


def _rising(step: int, points: int, start: int = 700) -> list[tuple[int, int, int]]:
    return [(0, T0 + 5 * n, start + step * n) for n in range(points)]


def test_a_rise_raises_one_step_before_the_threshold() -> None:
    # 0.6 m/h: 5 points reach 900 mm; 1000 is 10 min away
    (change,) = feed(rule_of(min_points=5), _rising(50, 5))
    assert (change.nth, change.level, change.action, change.wait_min) == (4, 1, 0, 10.0)
    assert feed(rule_of(min_points=6), _rising(50, 5)) == []  # too few points
    assert feed(rule_of(rise=601), _rising(50, 5)) == []  # not fast enough
    assert feed(rule_of(ahead=9), _rising(50, 5)) == []  # not soon enough
    assert len(feed(rule_of(rise=600, ahead=10), _rising(50, 5))) == 1


def test_a_rise_never_raises_two_steps_nor_orders_anything() -> None:
    found = feed(rule_of(ahead=600), _rising(60, 6, start=1010))
    assert {c.level for c in found} == {1, 2}
    assert {c.action for c in found} == {0}


def test_a_rise_raises_no_higher_than_a_level_that_is_declared() -> None:
    rule = StageTrend([StageRow("a", "f", "s", (1000, 1500, None, None), (), 100, 600)])
    assert max(c.level for c in feed(rule, _rising(100, 20))) == 2


@LAW
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3000)), min_size=1, max_size=40),
    st.integers(2, 8),
)
def test_the_slope_is_theil_and_sens(steps: list[tuple[int, int]], least: int) -> None:
    rule = rule_of(min_points=least, window_min=30)
    state = rule.new()
    minute, points = T0, []
    for ahead, stage in steps:
        minute += ahead
        points.append((minute, stage))
        rule.judge(state, ints([0]), ints([minute]), ints([stage]))
    inside = [(m, y) for m, y in points if m > minute - 30]
    slope, wait = rule.outlook(state, 0)
    if len(inside) < least:
        assert slope == 0 and wait == float("inf")
        return
    expect = stats().theilslopes([y for _, y in inside], [m for m, _ in inside])[0]
    assert slope == pytest.approx(float(expect))
    now = points[-1][1]
    above = [t for t in (1000, 1500, 2000, 2600) if t > now]
    if expect > 0 and above:
        assert wait == pytest.approx((above[0] - now) / float(expect))
    else:
        assert wait == float("inf")


def test_a_late_value_raises_if_it_is_not_too_late() -> None:
    stream = [(0, T0, 500), (0, T0 + 40, 600), (0, T0 + 15, 2050)]
    (change,) = feed(rule_of(late_min=30), stream)
    assert (change.nth, change.level, change.value, change.minute) == (2, 3, 2050, T0 + 40)
    assert feed(rule_of(late_min=20), stream) == []


def test_the_same_minute_again_replaces_its_value() -> None:
    rule = rule_of()
    state = rule.new()
    rising = [(0, m, 700 + 50 * n) for n, m in enumerate(range(T0, T0 + 16, 5))]
    columns = [ints([x[k] for x in rising]) for k in range(3)]
    rule.judge(state, *columns)
    # a revision of the newest value: four points stay four
    rule.judge(state, ints([0]), ints([T0 + 15]), ints([860]))
    assert rule.outlook(state, 0) == (0.0, float("inf"))
    rule.judge(state, ints([0]), ints([T0 + 20]), ints([900]))
    expect = stats().theilslopes([700, 750, 800, 860, 900], [0, 5, 10, 15, 20])[0]
    assert rule.outlook(state, 0)[0] == pytest.approx(float(expect))


_WALK = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-40, 12), st.integers(0, 3000), st.booleans()),
    max_size=60,
)


@LAW
@given(_WALK, st.lists(st.integers(1, 60), max_size=6))
def test_batches_and_dumps_do_not_show(
    walk: list[tuple[int, int, int, bool]], cuts: list[int]
) -> None:
    stream, heads = [], [T0, T0, T0]
    for row, ahead, stage, _ in walk:
        stream.append((row, heads[row] + ahead, stage))
        heads[row] = max(heads[row], heads[row] + ahead)
    suspect = [w[3] for w in walk]
    whole = feed(rule_of(3), stream, suspect=suspect)
    assert feed(rule_of(3), stream, cuts, suspect) == whole
    assert feed(rule_of(3), stream, cuts, suspect, dump=True) == whole


def test_after_a_very_long_gap_nothing_old_is_left() -> None:
    rule = rule_of()
    state = rule.new()
    rule.judge(state, *[ints(x) for x in zip(*_rising(50, 5, start=100), strict=True)])
    assert rule.outlook(state, 0)[0] > 0
    for gap in (512, 1024, 5000):
        rule.judge(state, ints([0]), ints([T0 + 20 + gap]), ints([300]))
        assert rule.outlook(state, 0)[0] == 0.0


def test_a_spike_is_never_made_sure_by_the_low_values_after_it() -> None:
    stream = [(0, T0 + 5 * n, v) for n, v in enumerate((500, 2700, 500, 500, 500))]
    found = feed(rule_of(), stream, suspect=(False, True, True, False, False))
    assert [(c.level, c.action, c.sure_level, c.sure_action) for c in found] == [(4, 2, 0, 0)]


def test_a_surge_is_made_sure_by_the_next_high_value() -> None:
    stream = [(0, T0 + 5 * n, v) for n, v in enumerate((500, 2700, 2100))]
    found = feed(rule_of(), stream, suspect=(False, True, False))
    assert [(c.level, c.sure_level, c.sure_action) for c in found] == [(4, 0, 0), (4, 3, 1)]


def test_an_order_that_only_a_suspect_level_reached_is_not_sure_because_it_grows_old() -> None:
    """Within the margin it is held for ten hours, beyond every window."""
    values = (2300, 2300, 2700, *[2400] * 120, 2510)
    stream = [(0, T0 + 5 * n, v) for n, v in enumerate(values)]
    found = feed(rule_of(), stream, suspect=[v == 2700 for v in values])
    assert [(c.nth, c.action, c.sure_action) for c in found] == [(0, 1, 1), (2, 2, 1), (123, 2, 2)]


def test_a_suspect_value_takes_nothing_from_what_was_sure() -> None:
    stream = [(0, T0 + 5 * n, v) for n, v in enumerate((2650, 100, 2650))]
    found = feed(rule_of(), stream, suspect=(False, True, False))
    assert [(c.level, c.sure_level) for c in found] == [(4, 4)]
