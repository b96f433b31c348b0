"""What the looks of a whole partition pass over (gauges without a wet neighbour, all but the nearest)
changes nothing: against plain loops over random memories."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from config.records.rules import QualityRule
from detectors.quality.infill import infill
from detectors.quality.rain_bounds import Seasons
from detectors.quality.silence import SilenceState, late, quiet
from detectors.quality.spatial_consistency import Near, clogged, padded
from detectors.quality.station_memory import StationMemory
from detectors.quality.undercatch import undercatch
from tests.support.districts import yanqing

DISTRICT = yanqing()
RULE = QualityRule()
ROWS, MINUTE, NOW = 12, 60_000, 29_225_400


def memory(seed: int) -> tuple[StationMemory, Near, np.ndarray]:  # type: ignore[type-arg]
    """Gauges in a circle, some silent, some dry; rain, revisions among it, of the last two hours."""
    rng = np.random.default_rng(seed)
    heard = StationMemory(ROWS)
    dry = rng.random(ROWS) < 0.4
    for _ in range(int(rng.integers(0, 150))):
        row, count = int(rng.integers(ROWS)), int(rng.choice([2, 5, 30, 60, 90, -2]))
        if not dry[row] or rng.random() < 0.01:
            at = np.array([NOW - int(rng.integers(0, rng.choice([20, 60, 130])))])
            heard.remember_rain(np.array([row]), at, np.array([count]))
    heard.head[:] = (NOW - rng.integers(0, 4, ROWS)) * MINUTE
    around = {
        n: [(n + k * way) % ROWS for k in range(1, int(rng.integers(1, 5))) for way in (1, -1)]
        for n in range(ROWS - 1)
    }
    turn = 2 * np.pi * np.arange(ROWS) / ROWS
    place = 6 * np.stack((np.sin(turn), np.cos(turn)), axis=1)
    near = Near(padded(around, ROWS), (10,), np.full((ROWS, 1), 10_000), Seasons(()), place)
    return heard, near, rng.random(ROWS) < 0.85


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.sets(st.integers(0, ROWS - 1)))
def test_clogged_as_a_plain_loop_says_it(seed: int, were: set[int]) -> None:
    heard, near, reports = memory(seed)
    expected = set()
    for n in np.nonzero(reports)[0].tolist():
        end = int(heard.head[n]) // MINUTE
        live = [m for m in near.near[n].tolist() if m >= 0 and reports[m]][:3]
        fell = [heard.rain(m, end, 60) for m in live]
        if not fell or heard.rain(n, end, 60) > RULE.clog_share * min(fell):
            continue
        begins = len(fell) >= 2 and min(fell) >= RULE.clog_near_mm * 10
        if begins or (n in were and max(fell) >= RULE.clog_near_mm * 5):
            expected.add(n)
    assert clogged(RULE, near, heard, reports, frozenset(were)) == expected


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 0.3, 1.0]), st.booleans())
def test_where_too_little_fell_or_nobody_has_two_neighbours_no_look_finds_anything(
    seed: int, less: float, pairs: bool
) -> None:
    """What the look of a whole partition leaves out on most minutes of a year."""
    heard, near, reports = memory(seed)
    if pairs:
        near = near._replace(near=near.near[:, :1])
    for counts in (heard.rain_count, heard.half_count):
        counts[:] = np.round(counts * less)
    heard.seen_rain.stale[:] = True
    assert near.pairs_only == pairs
    near_mm = min(RULE.clog_near_mm, RULE.fill_near_mm)
    if not pairs and heard.has_had(near_mm * 10, RULE.undercatch_near_mm * 5):
        return
    none, able = frozenset[int](), np.ones(ROWS, np.bool_)
    assert clogged(RULE, near, heard, reports, none) == set()
    assert undercatch(RULE, near, heard, able, reports, none, NOW) == (set(), set())
    plan, begun = np.full(ROWS, 5 * MINUTE), np.full(ROWS, -1)
    rows = np.nonzero(reports)[0].tolist()
    assert infill(RULE, near, heard, reports, rows, begun, plan, NOW) is None


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_what_is_filled_in_is_the_same_whoever_else_is_looked_at(seed: int) -> None:
    """A gauge at a time, as if no other were asked: so what is passed over for all matters to none."""
    plan, begun = np.full(ROWS, 5 * MINUTE), np.full(ROWS, -1)
    heard, near, reports = memory(seed)
    rows = np.nonzero(reports)[0].tolist()
    every = infill(RULE, near, heard, reports, rows, begun, plan, NOW)
    found = [] if every is None else list(zip(*(x.tolist() for x in every), strict=True))
    alone = []
    for n in rows:
        heard, near, _ = memory(seed)
        laid = infill(RULE, near, heard, reports, [n], begun, plan, NOW)
        alone += [] if laid is None else list(zip(*(x.tolist() for x in laid), strict=True))
    assert found == alone


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.integers(0, 200_000),
    st.lists(st.one_of(st.none(), st.integers(0, 200_000)), min_size=10, max_size=10),
)
def test_who_is_silent_is_said_of_all_as_of_each(clock_s: int, seen: list[int | None]) -> None:
    things = [*DISTRICT.stations, *DISTRICT.nodes][::17][:10]
    plans = {s.id: s.silent_after_s * 1000 for s in DISTRICT.nodes.values()}
    plans |= {s.id: s.silent_after_s * 1000 for s in DISTRICT.stations.values()}
    state = SilenceState(started_at=90_000_000, clock_at=90_000_000 + clock_s * 1000)
    state.seen = {t: at * 1000 for t, at in zip(things, seen, strict=True) if at is not None}
    said = quiet(DISTRICT.rules.silence.grace_s, state, {t: plans[t] for t in things})
    assert said == {t for t in things if late(DISTRICT, state, t)}
