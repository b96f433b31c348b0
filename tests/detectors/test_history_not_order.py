"""What happened hours ago is history, not an order: a backlog in any order, from a gauge that was not
heard meanwhile or whose clock is slow, raises nothing that is over. What still counts does, and an
upload in a storm is judged."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.detection import Detection
from detectors.rain.limit_table import RainRow
from detectors.rain.rain_threshold import RainThreshold
from detectors.stage import Detect
from ingest.observation import Flag, Observation, Observations
from stream.log.port import partition_of
from stream.records import Record, Run, Tick
from stream.stages.stage import Item
from tests.support.examples import examples
from tests.support.orders import DISTRICT, GAUGES, GROUP, LATE_MIN

MINUTE = 60_000
NOW = 1_753_617_600_000  # noon, UTC
STAGE = next(
    s for s, groups in DISTRICT.groups_of_station.items()
    if GROUP in groups and s in DISTRICT.stations and DISTRICT.stations[s].quantity == "stage"
)  # fmt: skip
Reading = tuple[int, float]  # minutes before now, value


class Line:
    """Detect with a clock: readings come now, whatever their own time."""

    def __init__(self) -> None:
        partition = partition_of(GROUP, DISTRICT.partitions)
        self._detect = Detect(DISTRICT, lambda _: None)
        self._state = self._detect.new(partition)
        self._nth = 0
        self.now = NOW
        self.said: list[Detection] = []
        run = Run(name="live", kind="live", district="yanqing", config="c", start_at=NOW - 1)
        self._step([run, Tick(clock_at=NOW)])

    def _step(self, records: list[Record]) -> None:
        items = [Item(0, self._nth + n, "k", r) for n, r in enumerate(records)]
        self._nth += len(items)
        self._state, writes = self._detect.step(self._state, items)
        self.said += [w.record for w in writes if isinstance(w.record, Detection)]

    def upload(self, station: str, readings: list[Reading], each: bool, cut: int = 1) -> None:
        """As one record, or one each; in `cut` batches."""
        quantity = DISTRICT.stations[station].quantity
        per_unit = 10 if quantity == "rain" else 1000
        items = [
            Observation(
                station=station, quantity=quantity, observed_at=self.now - age * MINUTE,
                value=round(value * per_unit), flag=Flag.GOOD,
            )
            for age, value in readings
        ]  # fmt: skip
        size = 1 if each else max(1, len(items))
        records: list[Record] = [
            Observations.of(GROUP, self.now, items[n : n + size])
            for n in range(0, len(items), size)
        ]
        step = -(-len(records) // cut)
        for n in range(0, len(records), step):
            self._step(records[n : n + step])

    def worst(self) -> tuple[int, int]:
        """Of what may order somebody to do something."""
        warned = [d for d in self.said if d.hazard != "evidence"]
        return (
            max((int(d.level) for d in warned), default=0),
            max((int(d.action) for d in warned), default=0),
        )


OLD_RAIN: list[Reading] = [(m, 16.5 if m in (4310, 4305) else 0.0) for m in range(4320, 1440, -5)]
OLD_FLOOD: list[Reading] = [
    (1200 - 5 * n, v) for n, v in enumerate((0.7, 0.9, 1.3, 1.8, 2.3, 2.7, 2.8, 2.5, 1.5, 0.7))
]
LATER: list[Reading] = [(m, 0.0) for m in range(1435, -1, -5)]


@examples(25)
@given(st.sampled_from(["oldest", "newest", "any"]), st.booleans(), st.integers(1, 7),
       st.integers(0, 99))  # fmt: skip
def test_a_backlog_raises_nothing_that_is_over(order: str, each: bool, cut: int, seed: int) -> None:
    said = []
    for pieces in (cut, 1):
        line = Line()
        for station, readings in (
            (GAUGES[0], OLD_RAIN + LATER),
            (STAGE, [*OLD_FLOOD, *((m, 0.7) for m in range(1150, -1, -5))]),
        ):
            sent = list(readings)
            if order == "newest":
                sent.reverse()
            elif order == "any":
                Random(seed).shuffle(sent)
            line.upload(station, sent, each, pieces)
        assert line.worst() == (0, 0)
        said.append([d.id for d in line.said])
    assert said[0] == said[1], "batches show"


@pytest.mark.parametrize("slow_min", [LATE_MIN + 1, 90, 1440])
def test_a_clock_that_is_slow_from_the_first_reading(slow_min: int) -> None:
    """What it says of a flood it says of the past."""
    line = Line()
    for value in (0.7, 1.3, 2.3, 2.8, 3.2, 3.2):
        line.upload(STAGE, [(slow_min, value)], each=True)
        line.now += 5 * MINUTE
    assert line.worst() == (0, 0)
    line.upload(STAGE, [(0, 3.2)], each=True)
    assert line.worst()[0] > 0, "set right, it is believed again"


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("fresh", [True, False])
def test_what_still_counts_counts(order: int, fresh: bool) -> None:
    """180 mm twelve to two hours ago: the sums of a day say so now, also without a reading of now."""
    rain: list[Reading] = [(m, 1.5) for m in range(720, 120, -5)]
    line = Line()
    line.upload(GAUGES[0], [*rain, *([(0, 0.0)] if fresh else [])][::order], each=True)
    if fresh and order < 0:
        line.now += 5 * MINUTE
        line.upload(GAUGES[0], [(0, 0.0)], each=True)
    assert line.worst()[0] >= 3


def test_an_upload_in_a_storm_is_judged() -> None:
    """An hour of it, oldest first: the level of now, and the rain of the last half hour."""
    line = Line()
    line.upload(STAGE, [(60 - 5 * n, 0.7 + 0.2 * n) for n in range(13)], each=False)
    assert line.worst()[0] > 0
    line = Line()
    line.upload(GAUGES[0], [(60 - 5 * n, 0.0 if n < 7 else 8.0) for n in range(13)], each=False)
    assert line.worst()[0] >= 3


def test_history_lowers_nothing() -> None:
    """A level is held over whatever comes of the past."""
    line = Line()
    line.upload(STAGE, [(0, 3.2)], each=True)
    before = line.worst()
    said = len(line.said)
    line.now += 240 * MINUTE
    line.upload(STAGE, [(200 - n, 0.2) for n in range(120)], each=True)
    assert before[0] > 0
    assert not [d for d in line.said[said:] if d.hazard != "evidence"]


@examples(60)
@given(
    st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 90)), min_size=1, max_size=60),
    st.integers(31, 700),
)
def test_history_raises_what_its_windows_hold_now(rain: list[tuple[int, int]], quiet: int) -> None:
    """Against a plain sum: nothing of the last `quiet` minutes is known, the rest came all at once."""
    now, windows = 30_000_000, (10, 60, 360, 1440)
    limits = dict.fromkeys(windows, ((100, 300, 600, 900), (None, 800)))
    rule = RainThreshold([RainRow("a", "flash_flood", "s", {"normal": limits})])
    state = rule.new()
    ages = sorted({quiet + a for a, _ in rain}, reverse=True)
    fell = dict(zip(ages, (c for _, c in rain), strict=False))
    minutes = np.array([now - a for a in fell])
    counts = np.array(list(fell.values()))
    zero = np.zeros(minutes.size, np.int64)
    rule.judge(state, zero, minutes, counts, clock=np.full(minutes.size, now))
    most = 0  # as it was known after each
    for n in range(len(minutes)):
        for w in windows:
            inside = minutes[: n + 1] > now - w
            total = int(counts[: n + 1][inside].sum()) if counts[n] else 0
            most = max(most, sum(total >= x for x in (100, 300, 600, 900)))
    assert int(state.machines.level.level[0]) == most


@pytest.mark.parametrize("gap", [50, 120])
def test_rain_over_a_gap_is_as_old_as_its_reading_whatever_comes_with_it(gap: int) -> None:
    """Its gauge was not heard, so it fell in any minute of the gap: a batch with a reading of another gauge
    that is history must not make history of it."""

    def said(step: int) -> list[Detection]:
        line = Line()
        told = [
            (GAUGES[0], "rain", 28 + gap, 0),
            (GAUGES[0], "rain", 28, 10 * gap),
            (STAGE, "stage", 40, 600),
        ]
        records: list[Record] = [
            Observations.of(
                GROUP,
                NOW,
                [Observation(station=s, quantity=q, observed_at=NOW - age * MINUTE, value=value)],
            )
            for s, q, age, value in told
        ]
        for n in range(0, len(records), step):
            line._step(records[n : n + step])
        return line.said

    assert len(said(1)) > 1
    assert said(1) == said(3)
