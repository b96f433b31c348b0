"""What comes late is taken in at once where nothing can come of it: the same, to the byte, as one after
another, in whatever order, with repeats, revisions and rain that warns beside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.engine.minute_ring import Ints
from detectors.quality import station_memory
from detectors.quality.station_memory import Batch, StationMemory
from detectors.rain.limit_table import RainRow
from detectors.rain.rain_threshold import RainThreshold
from detectors.rain.threshold_state import arrays_of
from detectors.water.stage_trend import StageRow, StageTrend

ROWS, DAY0 = 3, 29_225_400
NAMES = [str(n) for n in range(ROWS)]


def backlog(seed: int, spread: int) -> tuple[Ints, Ints, Ints]:
    """Row, minute and count of a few readings in order and an upload after them: newest first, oldest
    first or in any order, with repeats and other counts of the same minute."""
    rng = np.random.default_rng(seed)
    many = int(rng.integers(5, 80))
    live = np.arange(6)
    minute = np.concatenate((live, 5 - rng.integers(0, spread, many)))
    row = np.concatenate((live % ROWS, rng.integers(0, int(rng.integers(1, ROWS + 1)), many)))
    order = [np.arange(many), np.argsort(-minute[6:]), np.argsort(minute[6:])][int(rng.integers(3))]
    order = np.concatenate((live, 6 + order))
    if rng.random() < 0.3:
        order = rng.permutation(order)
    count = rng.integers(0, int(rng.choice([2, 4, 60])), many + 6) * (rng.random(many + 6) < 0.6)
    return row[order].astype(np.int64), DAY0 + minute[order], count[order].astype(np.int64)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([20, 200, 1400, 5000]), st.booleans(), st.booleans())
def test_rain_at_once_is_rain_one_after_another(
    seed: int, spread: int, add: bool, history: bool
) -> None:
    rows, minutes, counts = backlog(seed, spread)
    rng = np.random.default_rng(seed)
    also = rng.random(rows.size) < 0.5 if add else None
    doubt = rng.random(rows.size) < 0.05 if seed % 3 == 0 else None
    clock = np.full(rows.size, DAY0 + 5) if history else None
    table = {"normal": {10: ((80, 120, 160, 220), (100, 150)), 1440: ((400, 500, 600, 700), ())}}
    wet = {**table, "wet": {10: ((40, 60, 80, 90), ())}}
    rule = RainThreshold(
        [RainRow(f"a{n}", "f", n, wet) for n in NAMES], event_gap_min=60, hold_min=10, wet_above=60
    )

    def told(steps: list[slice]) -> tuple[object, ...]:
        state, found = rule.new(), []
        for cut in steps:
            more = (x if x is None else x[cut] for x in (also, doubt, clock))
            for change in rule.judge(state, rows[cut], minutes[cut], counts[cut], *more):
                found.append(change._replace(nth=cut.start + change.nth))
        held = {name: array.tolist() for name, array in arrays_of(state).items()}
        return found, held, state.doubt, state.sure

    whole = [slice(0, 3), slice(3, rows.size)]
    assert told(whole) == told([slice(n, n + 1) for n in range(rows.size)])


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([20, 200, 1400]), st.integers(0, 3))
def test_ids_at_once_are_ids_one_after_another(seed: int, spread: int, times: int) -> None:
    """`times`: how often the whole upload came before, so that ids are known or must go."""
    rows, minutes, counts = backlog(seed, spread)
    at = np.tile(minutes * 60_000, times + 1) - np.repeat(
        np.arange(times + 1), rows.size
    ) * 30_000 * (seed % 2)
    rows, counts = np.tile(rows, times + 1), np.tile(counts, times + 1)
    flag = np.where(np.random.default_rng(seed).random(rows.size) < 0.01 * (seed % 2), 4, 1)
    batch = Batch(rows, at, counts, np.full(rows.size, -1), flag)

    def taken(steps: list[slice]) -> tuple[list[tuple[int, ...]], bytes]:
        heard, found = StationMemory(ROWS), []
        for cut in steps:
            new, _ = heard.take(Batch(*(column[cut] for column in batch)))
            found += zip(
                (new.nth + cut.start).tolist(), *(c.tolist() for c in new[1:]), strict=True
            )
        return found, heard.dump(NAMES)

    whole = [slice(0, 3), slice(3, rows.size)]
    every = taken(whole)
    assert every[0] == taken([slice(n, n + 1) for n in range(rows.size)])[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(station_memory, "_MANY", 10**9)  # late ones by themselves
        assert every == taken(whole)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([20, 200, 1400]))
def test_levels_at_once_are_levels_one_after_another(seed: int, spread: int) -> None:
    rows, minutes, counts = backlog(seed, spread)
    rule = StageTrend(
        [StageRow(f"a{n}", "f", n, (20, 30, 40, 50), (35, 45), 60, 30) for n in NAMES]
    )

    def told(steps: list[slice]) -> tuple[list[object], bytes]:
        state, found = rule.new(), []
        for cut in steps:
            for change in rule.judge(state, rows[cut], minutes[cut], counts[cut]):
                found.append(change._replace(nth=cut.start + change.nth))
        return found, rule.dump(state)

    whole = [slice(0, 3), slice(3, rows.size)]
    assert told(whole) == told([slice(n, n + 1) for n in range(rows.size)])


def test_an_upload_of_a_storm_that_is_over_is_laid_in_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Far above every threshold, and none of it one after another; one that still counts is judged."""
    table = {"normal": {10: ((80, 120, 160, 220), (100, 150)), 60: ((200, 300, 400, 500), ())}}
    rule = RainThreshold([RainRow("a", "f", "0", table)], hold_min=10)
    turns: list[int] = []
    turn = rule._turn

    def counted(state: object, part: Ints, *more: object) -> None:
        turns.append(part.size)
        turn(state, part, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(rule, "_turn", counted)
    now, many = DAY0 + 1000, 40
    for back, judged in ((300, False), (20, True)):
        state, rows = rule.new(), np.zeros(many, np.int64)
        rule.judge(state, rows[:1], np.array([now]), np.array([0]))
        turns.clear()
        minutes, clock = now - back - np.arange(many), np.full(many, now)
        found = rule.judge(state, rows, minutes, np.full(many, 60), clock=clock)
        assert bool(turns) == bool(found) == judged
        assert state.window.total(0, now - back, many) == 60 * many
