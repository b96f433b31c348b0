"""The best that orders could be, and how near rain comes to the table of rain sums."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action
from skill.verify.foresight import Foreseen, least
from skill.verify.hindcast import Readings
from skill.verify.rain_table import shares
from tests.support.districts import yanqing
from tests.support.examples import examples

AT, MIN = 1_753_531_200_000, 60_000
ONE = st.builds(
    Foreseen, slope=st.booleans(), worst=st.integers(0, 6).map(float), flooded=st.booleans()
)


def by_hand(every: list[Foreseen], most_never: float) -> float:
    """The least share over every pair of thresholds."""
    floods = sum(x.flooded for x in every)
    shares = []
    for water in range(8):
        for slope in range(8):
            told = [x for x in every if x.worst >= (slope if x.slope else water)]
            hit = sum(x.flooded for x in told)
            if floods - hit <= most_never * floods + 1e-9:
                shares.append((len(told) - hit) / max(1, len(told)))
    return min(shares)


@examples(60)
@given(st.lists(ONE, max_size=12), st.sampled_from([0.0, 0.2, 0.5]))
def test_no_pair_of_thresholds_orders_fewer_for_nothing(
    every: list[Foreseen], most_never: float
) -> None:
    best = least(every, most_never)
    share = best.false / max(1, best.false + best.ordered)
    assert share == pytest.approx(by_hand(every, most_never))


def test_the_table_counts_the_sum_of_any_gauge_that_watches() -> None:
    """R01 has 2 mm a minute for half an hour, R01H nothing: both watch A01."""
    district = yanqing()
    at = AT + np.arange(60) * MIN
    pairs = [("R01", "rain"), ("R01H", "rain")]
    which, times = np.repeat([0, 1], 60), np.concatenate([at, at])
    counts = np.concatenate([np.where(np.arange(60) < 30, 20, 0), np.zeros(60, np.int64)])
    order = np.argsort(times, kind="stable")
    record = Readings(pairs, which[order], times[order], counts[order])
    found = shares(district, record, Action.MOVE)
    limits = {
        t.window_min: t.move_mm
        for t in district.rain
        if (t.area, t.hazard, t.wetness) == ("A01", "flash_flood", "normal") and t.move_mm
    }
    of = found.share["A01", "flash_flood"]
    for minutes in (5, 10, 30, 45, 60):
        fell = {w: 2.0 * (min(minutes, 30) - min(max(minutes - w, 0), 30)) for w in limits}
        (now,) = np.nonzero(found.at == AT + minutes * MIN)[0]
        assert of[now] == pytest.approx(max(fell[w] / limits[w] for w in limits))
    assert ("A51", "flash_flood") not in found.share  # no gauge of its own was heard
    assert not shares(district, Readings([], *[np.zeros(0, np.int64)] * 3), Action.MOVE).share
