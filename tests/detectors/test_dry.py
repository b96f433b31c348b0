"""Readings of quiet days taken one by one, held against the way through arrays."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.memory.state import DetectState
from detectors.screening import dry
from detectors.stage import Detect
from ingest.observation import Observations
from stream.records import Record
from stream.stages.stage import Item
from tests.support.dry_days import day, one_partition
from tests.support.examples import examples


def played(records: Sequence[Record], each: int) -> tuple[object, bytes]:
    """What is said and what is remembered, so many records a step."""
    stage = Detect(one_partition(), {}.get)
    state, said = stage.new(0), []
    for first in range(0, len(records), each):
        items = [Item(0, first + n, "", r) for n, r in enumerate(records[first : first + each])]
        state, writes = stage.step(state, items)
        said += writes
    return said, stage.dump(state)


@pytest.mark.parametrize("each", [1, 3])
@examples(4)
@given(st.integers(0, 10**6), st.sampled_from([1, 4, 20]))
def test_dry_readings_one_by_one_are_those_in_arrays(each: int, seed: int, step: int) -> None:
    records = day(seed, 16, step)
    found = played(records, each)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dry, "MOST", -1)
        assert found == played(records, each)


def test_most_of_a_dry_day_goes_that_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the tests above would hold nothing against nothing."""
    went: list[tuple[bool, bool]] = []  # that way, and a level
    take = dry.Dry.take

    def told(self: dry.Dry, state: DetectState, records: Sequence[Observations]) -> bool:
        found = take(self, state, records)
        went.append((found, "stage" in records[0].quantity))
        return found

    monkeypatch.setattr(dry.Dry, "take", told)
    played(day(1, 16, 1), 1)
    for level, share in ((False, 0.2), (True, 0.1)):
        some = [found for found, of in went if of == level]
        assert sum(some) > share * len(some) > 10
