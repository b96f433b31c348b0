"""Whatever order readings come in, within the allowed lateness: through the whole of detect no rise
is missed, none is later than the value that completes it, and none is told that no value calls for.

What is called for is reckoned here a second way, from the sums of the readings that have come and
the district's own table."""

from collections.abc import Iterator
from random import Random

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from detectors.detection import Detection
from detectors.stage import Detect
from ingest.observation import Flag, Observation, Observations
from stream.log.port import partition_of
from stream.records import Record, Run
from stream.stages.stage import Item
from tests.support.examples import examples
from tests.support.orders import AREAS, DISTRICT, GAUGES, GROUP, LATE_MIN

START = 1_753_574_400_000  # a UTC day's beginning: no rain of an earlier day, the ground is normal
MINUTE = 60_000
LENGTH = 50

Row = tuple[int, np.ndarray, np.ndarray]  # window, limits of levels and of actions in 0.1 mm


def _tables() -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for t in DISTRICT.rain:
        if t.area in AREAS and t.wetness == "normal":
            levels = (t.blue_mm, t.yellow_mm, t.orange_mm, t.red_mm)
            actions = (t.prepare_mm, t.move_mm)
            row = [
                np.array([np.inf if x is None else x * 10 for x in c]) for c in (levels, actions)
            ]
            found.setdefault((t.area, t.hazard), []).append((t.window_min, row[0], row[1]))
    return found


TABLES = _tables()
# what a sum of one gauge calls for hangs on no rule of another kind
_OF_SUMS = msgspec.structs.replace(DISTRICT, rules=msgspec.structs.replace(DISTRICT.rules, rule=()))


WINDOWS = sorted({window for rows in TABLES.values() for window, _, _ in rows})


def fallen(heard: dict[int, int]) -> dict[int, int]:
    """The most that fell in any window that ends at a reading, of one gauge; 0.1 mm."""
    rain = np.zeros(LENGTH, np.int64)
    ends = np.array(list(heard))
    rain[ends] = list(heard.values())
    total = np.concatenate([[0], np.cumsum(rain)])
    return {w: int((total[ends + 1] - total[np.maximum(ends + 1 - w, 0)]).max()) for w in WINDOWS}


def called_for(fell: dict[int, int], rows: list[Row]) -> tuple[int, int]:
    """The highest level and action over all windows."""
    return (
        max(int((fell[w] >= levels).sum()) for w, levels, _ in rows),
        max(int((fell[w] >= actions).sum()) for w, _, actions in rows),
    )


class Line:
    """Detect over the group's partition, and the highest that it has said of each area."""

    def __init__(self) -> None:
        self._partition = partition_of(GROUP, DISTRICT.partitions)
        self._stage = Detect(_OF_SUMS, lambda _: None)
        self._state = self._stage.new(self._partition)
        self.said: dict[tuple[str, str], tuple[int, int]] = {}
        self.capped: set[tuple[str, str]] = (
            set()
        )  # 准备转移 at most, for it rests on suspect values
        self.step(
            Run(name="t", kind="exercise", district="yanqing", config="c", start_at=START - MINUTE)
        )

    def step(self, record: Record) -> None:
        self._state, writes = self._stage.step(
            self._state, [Item(self._partition, 0, "", record)]
        )  # fmt: skip
        for d in (w.record for w in writes):
            if isinstance(d, Detection) and d.rule == "rain_threshold":
                level, action = self.said.get((d.area, d.hazard), (0, 0))
                self.said[d.area, d.hazard] = max(level, d.level), max(action, d.action)
                if d.suspect:
                    self.capped.add((d.area, d.hazard))


def _arrivals(rates: list[int], delays: list[int], rng: Random) -> Iterator[tuple[str, int, int]]:
    """Gauge, minute, count (0.1 mm) by time of arrival; a tenth of them come twice."""
    sent = []
    for n, gauge in enumerate(GAUGES):
        for minute in range(LENGTH):
            rate = rates[(minute // 5 + 2 * n) % len(rates)]
            delay = delays[(minute * 7 + n) % len(delays)]
            row = (gauge, minute, rate + rng.randrange(3))
            sent.append((minute + delay + rng.random() / 2, row))
            if rng.random() < 0.1:
                sent.append((minute + rng.randrange(LATE_MIN), row))
    return (row for _, row in sorted(sent))


@examples(40)
@given(
    st.lists(st.integers(0, 30), min_size=3, max_size=10),
    st.lists(st.integers(0, LATE_MIN - 1), min_size=1, max_size=40),
    st.integers(0, 2**32),
)
def test_no_rise_is_missed_or_later_than_the_value_that_completes_it(
    rates: list[int], delays: list[int], seed: int
) -> None:
    rng = Random(seed)
    line = Line()
    heard: dict[str, dict[int, int]] = {g: {} for g in GAUGES}
    called: dict[tuple[str, str], tuple[int, int]] = dict.fromkeys(TABLES, (0, 0))
    batch: list[Observation] = []
    for gauge, minute, count in _arrivals(rates, delays, rng):
        at = START + minute * MINUTE
        batch.append(
            Observation(station=gauge, quantity="rain", observed_at=at, value=count, flag=Flag.GOOD)
        )
        heard[gauge][minute] = count
        fell = fallen(heard[gauge])
        for (area, hazard), rows in TABLES.items():
            if gauge in DISTRICT.stations_of_area[area]:
                level, action = called_for(fell, rows)
                before = called[area, hazard]
                called[area, hazard] = max(before[0], level), max(before[1], action)
        if rng.random() < 0.4:
            continue  # with the next, in one record
        line.step(Observations.of(GROUP, 0, batch))
        batch = []
        for place, (level, action) in called.items():
            said_level, said_action = line.said.get(place, (0, 0))
            assert said_level == level, (place, Level(level))
            if place in line.capped and action > Action.PREPARE:
                assert said_action >= Action.PREPARE
            else:
                assert said_action == action, (place, Action(action))


def test_the_storms_tried_reach_every_level() -> None:
    """The test above can fail: storms of its kind call for red and for 立即转移."""
    assert len(GAUGES) == 4
    reached = [called_for(fallen(dict.fromkeys(range(LENGTH), r)), rows)
               for r in (2, 8, 14, 20, 30) for rows in TABLES.values()]  # fmt: skip
    assert {level for level, _ in reached} == {0, 1, 2, 3, 4}
    assert {action for _, action in reached} == {0, 1, 2}
