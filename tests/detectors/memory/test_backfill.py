"""Live readings go before backfill: of what comes late only so much is taken from tick to tick, and what
waits is a matter of the log alone: the same whatever the batches and whoever takes over in between."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.detection import Detection
from detectors.memory import backfill
from detectors.memory.backfill import Backfill, Late
from detectors.memory.state import DetectState
from detectors.quality.station_memory import Batch
from detectors.stage import Detect
from ingest.observation import Flag, Observation, Observations
from stream.log.port import partition_of
from stream.records import Record, Run, Tick
from stream.stages.stage import Item, Write
from tests.support.examples import examples
from tests.support.orders import DISTRICT, GAUGES, GROUP

MINUTE = 60_000
NOW = 1_753_617_600_000
PARTITION = partition_of(GROUP, DISTRICT.partitions)
FEW = 20


@pytest.fixture(autouse=True)
def few_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backfill, "AT_ONCE", FEW)
        patch.setattr(backfill, "SOON", FEW)
        yield


def reading(station: str, at: int, value: int, flag: Flag = Flag.GOOD) -> Observation:
    test = "rate" if flag == Flag.SUSPECT else ""
    return Observation(
        station=station, quantity="rain", observed_at=at, value=value, flag=flag, test=test
    )


class Line:
    detect = Detect(DISTRICT, lambda _: None)  # one for all: to make it takes longer than a test

    def __init__(self) -> None:
        self.state = self.detect.new(PARTITION)
        assert self.state.backfill.room == FEW
        run = Run(name="live", kind="live", district="yanqing", config="c", start_at=NOW - 1)
        self.step([run, Tick(clock_at=NOW)])

    def step(self, records: list[Record]) -> list[Write]:
        items = [Item(0, n, "k", r) for n, r in enumerate(records)]
        self.state, writes = self.detect.step(self.state, items)
        return writes


def day(station: str, many: int, value: int = 0) -> Observations:
    """A gauge's newest reading, then its day, newest first."""
    items = [reading(station, NOW - n * 5 * MINUTE, value if n else 0) for n in range(many)]
    return Observations.of(GROUP, NOW, items)


def warnings(writes: list[Write]) -> list[Detection]:
    found = [w.record for w in writes if isinstance(w.record, Detection)]
    return [d for d in found if d.hazard != "evidence" and d.level]


def test_a_warning_does_not_wait_for_the_backfill_before_it() -> None:
    line = Line()
    for gauge in GAUGES:
        line.step([day(gauge, 280)])
    waits = line.state.backfill.many
    assert waits == len(GAUGES) * 280 - len(GAUGES) * 7 - FEW  # the newest half hour is live
    storm = [reading(g, NOW + m * MINUTE, 40) for m in range(1, 11) for g in GAUGES]
    assert warnings(line.step([Observations.of(GROUP, NOW + 10 * MINUTE, storm)]))
    assert line.state.backfill.many == waits
    ticks = 0
    while line.state.backfill.many:
        line.step([Tick(clock_at=NOW + 11 * MINUTE + ticks)])
        ticks += 1
    assert ticks < 30  # a share of what waits, not a number a tick
    row = line.detect.part(PARTITION).names.index(f"{GROUP}|{GAUGES[0]}")
    assert (line.state.heard.keys[row] >= 0).sum() >= 100


def test_what_order_is_to_be_is_kept() -> None:
    """A revision waits behind what it revises, and what is in order of its gauge never waits."""
    line, gauge = Line(), GAUGES[0]
    line.step([day(gauge, 200)])
    old = NOW - 997 * MINUTE
    for value in (3, 7):
        line.step([Observations.of(GROUP, NOW, [reading(gauge, old, value)])])
    other = [reading(GAUGES[1], NOW - m * MINUTE, 1) for m in range(600, 100, -5)]
    held = line.state.backfill.many
    line.step([Observations.of(GROUP, NOW, other)])
    assert line.state.backfill.many == held
    for n in range(30):
        line.step([Tick(clock_at=NOW + 1 + n)])
    assert line.state.backfill.many == 0
    row = line.detect.part(PARTITION).names.index(f"{GROUP}|{gauge}")
    held_of_it = line.state.heard.values[row].tolist()
    assert 7 in held_of_it and 3 not in held_of_it


def records(seed: int) -> list[Record]:
    rng, found, now = Random(seed), [], NOW
    for _ in range(rng.randrange(4, 10)):
        now += rng.choice([0, 1, 5]) * MINUTE
        if rng.random() < 0.3:
            found.append(Tick(clock_at=now))
            continue
        items = [
            reading(
                rng.choice(GAUGES),
                now - rng.choice([0, 0, 1, 20, 45, 200, 900]) * MINUTE,
                rng.choice([0, 0, 1, 30, 90]),
                rng.choice([Flag.GOOD, Flag.GOOD, Flag.SUSPECT]),
            )
            for _ in range(rng.randrange(1, 40))
        ]
        found.append(Observations.of(GROUP, now, items))
    return [*found, *(Tick(clock_at=now + 1 + n) for n in range(15))]


@examples(10)
@given(st.integers(0, 10**6), st.sampled_from([3, 1000]))
def test_batches_and_owners_do_not_show(seed: int, cut: int) -> None:
    def told(cut: int, *, again: bool) -> tuple[list[Write], DetectState]:
        line, out = Line(), []
        every = records(seed)
        for n in range(0, len(every), cut):
            out += line.step(every[n : n + cut])
            if again and n in (2 * cut, 5 * cut):
                line.state = line.detect.load(PARTITION, line.detect.dump(line.state))
        assert line.state.backfill.many == 0
        return out, line.state

    one, state = told(1, again=False)
    for other in (told(cut, again=False), told(cut, again=True)):
        assert other[0] == one
        assert (other[1].heard.head == state.heard.head).all()
        assert (other[1].rain.window.counts() == state.rain.window.counts()).all()


def test_what_waits_outlives_a_restart_by_name() -> None:
    held = Backfill()
    for n in range(2):
        batch = Batch(*(np.array([1, 3, 0]) * (k == 0) + 10 * k + n * (k > 0) for k in range(5)))
        held.put(Late(batch, np.array([7, 8, 9]), {1: f"t{n}"}))
    packed = held.pack(["a", "b", "c", "d"])
    found = Backfill.of(packed, {"d": 0, "b": 5}).next()
    assert found is not None
    assert found.batch.row.tolist() == [5, 0, 5, 0]  # "a" is no longer declared
    assert found.received.tolist() == [7, 8, 7, 8]
    assert found.batch.at.tolist() == [10, 10, 11, 11]
    assert found.tests == {1: "t0", 3: "t1"}
