"""The level machine that all rules share, against the same said of one row at a time, on random series."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.engine.hysteresis import Called, Machines, without
from detectors.engine.minute_ring import rounds
from detectors.engine.thresholds import highest

HOLD = 30


@dataclass
class Plain:
    """One scale of one row: up at once; down to the highest that was still held in all of the hold."""

    level: int = 0
    since: int = -1
    peak: int = 0

    def judge(self, minute: int, raw: int, keep: int) -> None:
        if raw > self.level:
            self.level, self.since = raw, -1
        elif keep >= self.level:
            self.since = -1
        elif self.since < 0:
            self.since, self.peak = minute, keep
        else:
            self.peak = max(self.peak, keep)
            if minute - self.since >= HOLD:
                self.level = self.peak
                again = keep < self.level
                self.since, self.peak = (minute, keep) if again else (-1, self.peak)


judgement = st.tuples(
    st.integers(0, 2), st.integers(0, 20), st.integers(0, 4), st.integers(0, 4), st.integers(0, 2),
    st.integers(0, 2),
)  # fmt: skip


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(judgement, max_size=60), st.sets(st.integers(0, 60)), st.booleans())
def test_batches_of_rows_as_each_row_alone(
    steps: list[tuple[int, int, int, int, int, int]], cuts: set[int], skips: bool
) -> None:
    """skips: what `unsteady` says to be at rest is not judged at all, as the rules do it."""
    rows, clock = 3, [0, 0, 0]
    plain = [(Plain(), Plain()) for _ in range(rows)]
    machines, batch = Machines(rows), []
    for n, (row, passed, raw, more, raw_action, more_action) in enumerate(steps):
        clock[row] += passed
        called = (raw, min(4, raw + more), raw_action, min(2, raw_action + more_action))
        plain[row][0].judge(clock[row], *called[:2])
        plain[row][1].judge(clock[row], *called[2:])
        batch.append((row, clock[row], *called))
        if n in cuts or n == len(steps) - 1:
            _judge(machines, np.array(batch, np.int64), skips)
            batch = []
            for r, (level, action) in enumerate(plain):
                assert machines.of(r) == (level.level, action.level)
                assert machines.level.since[r] == level.since
                assert machines.action.since[r] == action.since


def _judge(machines: Machines, batch: np.ndarray, skips: bool) -> None:  # type: ignore[type-arg]
    r, minute, called = batch[:, 0], batch[:, 1], Called(*batch[:, 2:].T)
    busy = np.arange(r.size)
    if skips:
        busy = np.nonzero(machines.unsteady(r, called, ())[r])[0]
    for part in rounds(r[busy]):
        some = busy[part]
        before = [machines.of(int(x)) for x in r[some]]
        moved = machines.judge(r[some], minute[some], called.of(some), HOLD)
        after = [machines.of(int(x)) for x in r[some]]
        assert moved.tolist() == [n for n in range(some.size) if before[n] != after[n]]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.integers(0, 10**6))
def test_the_highest_level_that_any_window_reaches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, limits = rng.integers(0, 9, (6, 3)), rng.integers(0, 12, (6, 3, 4))
    found = [
        max(
            (k + 1 for w in range(3) for k in range(4) if values[n, w] >= limits[n, w, k]),
            default=0,
        )
        for n in range(6)
    ]
    assert highest(values, limits).tolist() == found
    many = np.tile(values, (12, 1)), np.tile(limits, (12, 1, 1))
    assert highest(*many).tolist() == found * 12


def test_suspect_values_raise_what_is_sure_by_nothing() -> None:
    assert without(4, 1, 0) == 1  # what was sure stays
    assert without(4, 1, 3) == 3  # good values make sure what they reach
    assert without(2, 4, 4) == 2  # and never more than there is
