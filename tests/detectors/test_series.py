"""The engine of the window rules: exact, whatever the order, the batches or a restart."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.owed_ends import Owed
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesChange, SeriesRow
from detectors.engine.window_rule import Kind, Parameters, Scored, View, scored
from tests.support.examples import examples

START = 29_000_000  # minutes
Reading = tuple[int, int, int, int]  # row, input, minute, count


class Plain(Parameters):
    span: int = 12


def total(p: Plain, view: View) -> Scored:
    return scored(np.nansum(view.values, axis=(1, 2)), p.span * 5)


def newest(p: Plain, view: View) -> Scored:
    return scored(view.values[:, 0, -1])


def kind(**more: Any) -> Kind:
    usual: dict[str, Any] = {
        "name": "total",
        "inputs": ("rain",),
        "parameters": Plain,
        "slot_s": lambda p: 300,
        "span": lambda p: p.span,
        "score": total,
        "quiet": 0.0,
    }
    return Kind(**(usual | more))


def rule(rows: int = 3, inputs: int = 1, of: Kind | None = None, **more: Any) -> SeriesRule:
    names = [tuple(f"s{n}{k}" for k in range(inputs)) for n in range(rows)]
    quantity = (of or kind()).inputs[0]
    found = [
        SeriesRow(f"a{n}", "flash_flood", s, (1.0,) * inputs, quantity) for n, s in enumerate(names)
    ]
    usual: dict[str, Any] = {"hold_min": 10, "clear": 0.7, "late_min": 30}
    limits = more.pop("limits", ((3.0, 6.0, 9.0, 12.0), (5.0, 10.0)))
    return SeriesRule("r", of or kind(), Plain(), found, *limits, **(usual | more))


def feed(
    r: SeriesRule, readings: list[Reading], cut: int, *, again: bool = False
) -> list[SeriesChange]:
    state, out = r.new(), []
    for at in range(0, len(readings), cut):
        columns = np.array(readings[at : at + cut], np.int64).T
        found = r.judge(state, columns[0], columns[1], columns[2] * 60_000, columns[3])
        out += [c._replace(nth=c.nth + at) for c in found]
        if again:
            state = r.load(r.dump(state))
    return out


def by_hand(
    r: SeriesRule, readings: list[Reading], late: int = 6
) -> list[tuple[int, int, int, int]]:
    """The sum rule as a plain loop over every reading: (nth, row, level, action) where they change."""
    held: dict[int, dict[int, int]] = {}
    head: dict[int, int] = {}
    level, since, peak = ({}, {}, {}), ({}, {}, {}), ({}, {}, {})  # type: Any
    out = []
    for nth, (row, _, minute, count) in enumerate(readings):
        slot = -(-minute // 5)
        head[row] = max(head.get(row, slot), slot)
        h = head[row]
        if slot <= h - 12:
            continue
        held.setdefault(row, {})
        held[row][slot] = held[row].get(slot, 0) + count
        if h - slot > late:
            continue
        best = max(
            sum(held[row].get(s, 0) for s in range(e - 11, e + 1)) for e in range(slot, h + 1)
        )
        now = []
        for which, limits in ((0, (3, 6, 9, 12)), (1, (5, 10))):
            raw = sum(best >= 10 * x for x in limits)
            keep = sum(best >= 7 * x for x in limits)
            old = level[which].get(row, 0)
            new = old
            if raw > old:
                new, since[which][row] = raw, -1
            elif keep < old:
                if since[which].get(row, -1) < 0:
                    since[which][row], peak[which][row] = h * 5, keep
                else:
                    peak[which][row] = max(peak[which][row], keep)
                    if h * 5 - since[which][row] >= 10:
                        new = peak[which][row]
                        again = keep < new
                        since[which][row] = h * 5 if again else -1
                        peak[which][row] = keep if again else peak[which][row]
            else:
                since[which][row] = -1
            level[which][row] = new
            now.append((old, new))
        if any(a != b for a, b in now):
            out.append((nth, row, now[0][1], now[1][1]))
    return out


def readings() -> st.SearchStrategy[list[Reading]]:
    step = st.tuples(
        st.integers(0, 2),
        st.sampled_from([0, 0, 1, 5, 5, 5, 10, 45, 400, 2000, -3, -10, -20, -50, -90]),
        st.sampled_from([0, 0, 0, 1, 4, 12, 30, 70]),
    )

    def walk(steps: list[tuple[int, int, int]]) -> list[Reading]:
        now = {0: START, 1: START, 2: START}
        out = []
        for row, forward, count in steps:
            minute = now[row] + forward
            now[row] = max(now[row], minute)
            out.append((row, 0, minute, count))
        return out

    return st.lists(step, min_size=1, max_size=120).map(walk)


@examples(150)
@given(readings(), st.integers(1, 130), st.booleans())
def test_the_engine_gives_what_a_plain_loop_gives(
    given_: list[Reading], cut: int, again: bool
) -> None:
    r = rule()
    found = [(c.nth, c.row, c.level, c.action) for c in feed(r, given_, cut, again=again)]
    assert found == by_hand(r, given_)


@examples(100)
@given(readings(), st.integers(1, 130))
def test_batches_do_not_show_in_anything_it_says(given_: list[Reading], cut: int) -> None:
    for of, limits in (
        (kind(), ((3.0, 6.0, 9.0, 12.0), (5.0, 10.0))),
        (kind(gather="max", score=newest, quiet=None), ((0.4, 1.0, 3.0, 7.0), (None, None))),
        (
            kind(gather="min", score=newest, quiet=None, falling=True),
            ((6.0, 3.0, 1.0, 0.1), (None, None)),
        ),
    ):
        r = rule(of=of, limits=limits)
        assert repr(feed(r, given_, cut)) == repr(feed(r, given_, 1))


def test_a_joint_row_sees_all_its_stations() -> None:
    r = rule(rows=1, inputs=3, of=kind(joint=True))
    given_ = [(0, k, START + 5 * n, 10) for n in range(2) for k in range(3)]
    assert [(c.nth, c.level) for c in feed(r, given_, 9)] == [(2, 1), (4, 1), (5, 2)]  # 4: 准备转移


def test_what_it_cannot_see_is_no_all_clear() -> None:
    def blind(p: Plain, view: View) -> Scored:
        last = view.values[:, 0, -1]
        return scored(np.where(last == 0.5, np.nan, last))

    r = rule(
        rows=1, of=kind(gather="max", score=blind, quiet=None), limits=((3, 6, 9, 12), (None, None))
    )
    high = [(0, 0, START, 70)]
    unseen = [(0, 0, START + 5 * n, 5) for n in range(1, 30)]
    low = [(0, 0, START + 5 * n, 10) for n in range(30, 34)]
    assert [c.level for c in feed(r, high + unseen, 7)] == [2]
    assert [(c.nth, c.level) for c in feed(r, high + unseen + low, 7)] == [(0, 2), (32, 0)]


def test_suspect_values_raise_but_not_surely() -> None:
    r = rule(rows=1)
    state = r.new()

    def one(minute: int, count: int, suspect: bool) -> Iterator[tuple[int, int, int, int]]:
        args = (np.array([0]), np.array([0]), np.array([minute * 60_000]), np.array([count]))
        for c in r.judge(state, *args, suspect=np.array([suspect])):
            yield c.level, c.action, c.sure_level, c.sure_action

    assert list(one(START, 100, True)) == [(3, 2, 0, 0)]
    assert list(one(START + 5, 35, False)) == [(4, 2, 1, 0)]
    state = r.load(r.dump(state))
    assert list(one(START + 10, 70, False)) == [(4, 2, 3, 2)]


def test_a_level_that_only_suspect_values_reached_is_not_sure_because_they_grow_old() -> None:
    """They leave the window while good values below the order still hold what they reached."""
    r = rule(rows=1)
    state = r.new()

    def one(slot: int, count: int, suspect: bool = False) -> list[tuple[int, int, int, int]]:
        columns = [np.array([x]) for x in (0, 0, (START + 5 * slot) * 60_000, count)]
        said = r.judge(state, *columns, suspect=np.array([suspect]))
        return [(c.level, c.action, c.sure_level, c.sure_action) for c in said]

    assert one(0, 100, suspect=True) == [(3, 2, 0, 0)]
    assert one(6, 75) == [(4, 2, 2, 1)]
    state = r.load(r.dump(state))
    assert one(12, 0) == one(13, 0) == []  # nothing suspect is left: 7.5 mm hold the order of 10
    state = r.load(r.dump(state))
    assert one(14, 0) == [(3, 2, 2, 1)]
    assert one(16, 30) == [(3, 2, 3, 2)]  # 10.5 mm, all of it good


def test_a_late_good_value_makes_sure_what_it_reached_beside_a_suspect_one() -> None:
    r = rule(rows=1)
    state = r.new()
    for slot, count, suspect in ((0, 100, False), (13, 1, True), (12, 0, False), (11, 35, False)):
        columns = [np.array([x]) for x in (0, 0, (START + 5 * slot) * 60_000, count)]
        said = r.judge(state, *columns, suspect=np.array([suspect]))
    assert [(c.level, c.action, c.sure_level, c.sure_action) for c in said] == [(4, 2, 4, 2)]


def test_of_a_value_of_which_a_share_is_in_doubt_the_rest_is_sure() -> None:
    r = rule(rows=1)
    state = r.new()

    def one(slot: int, count: int, share: float) -> list[tuple[int, int, int, int]]:
        columns = [np.array([x]) for x in (0, 0, (START + 5 * slot) * 60_000, count)]
        said = r.judge(state, *columns, suspect=np.array([share]))
        return [(c.level, c.action, c.sure_level, c.sure_action) for c in said]

    assert one(0, 100, 0.1) == [(3, 2, 3, 1)]  # 9 mm are sure, 10 order
    assert one(1, 5, 0.0) == []
    state = r.load(r.dump(state))
    assert one(2, 6, 0.0) == [(3, 2, 3, 2)]  # 10.1


def test_what_proved_true_is_sure_with_the_next_value() -> None:
    r = rule(rows=1)
    state = r.new()
    row, at = np.array([0]), np.array([START * 60_000])
    r.judge(state, row, row, at, np.array([100]), suspect=np.array([True]))
    state.trust(0, 0, 300_000, {START: 100})
    state = r.load(r.dump(state))
    (change,) = r.judge(state, row, row, at + 13 * 300_000, np.array([0]))
    assert (change.level, change.action, change.sure_level, change.sure_action) == (3, 2, 3, 2)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_sums_of_tenths_reach_their_threshold(count: int) -> None:
    r = rule(rows=1, limits=((count * 12 / 10, None, None, None), (None, None)))
    given_ = [(0, 0, START + 5 * n, count) for n in range(12)]
    assert [(c.nth, c.level) for c in feed(r, given_, 5)] == [(11, 1)]


def test_a_change_tells_value_threshold_and_the_time_to_the_next() -> None:
    def rising(p: Plain, view: View) -> Scored:
        return scored(view.values[:, 0, -1], 30, 2.0)

    r = rule(rows=1, of=kind(gather="max", score=rising, quiet=None))
    (change,) = feed(r, [(0, 0, START, 70)], 1)
    assert (change.value, change.limit, change.window_min, change.wait_min) == (7.0, 6.0, 30, 60.0)


@pytest.mark.parametrize("waited", [0, 1, 31])
def test_what_came_late_is_judged_at_the_ends_within_the_lateness_though_it_waited(
    waited: int,
) -> None:
    """An hour's rain that ended when what may be an order began; since it came the clock has gone on."""
    r, first = rule(), START + 5
    state = r.new()
    one, head = np.array([0]), first + 30 + 5 * waited
    at = np.array([head]) * 60_000
    assert not r.judge(state, one, one, at, np.array([0]))
    wet = np.arange(first - 55, first, 5)
    rows = np.zeros(wet.size, np.int64)
    old, counts = np.ones(wet.size, np.bool_), np.full(wet.size, 10)
    assert not r.judge(state, rows, rows, wet * 60_000, counts, old=old)
    (said,) = r.judge_back(state, Owed(one, np.array([first]), wet[-1:]))
    assert (said.level, said.action, said.value) == (3, 2, 11.0)
    assert not r.judge_back(state, Owed(one, np.array([first]), wet[-1:])), "once"
