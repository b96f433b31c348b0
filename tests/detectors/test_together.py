"""Window rules that are alike are asked together which readings change nothing: the same, to the byte, said
and remembered, as rule after rule, in storms, uploads and doubt, however it is cut and after a restart."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.against import Mode, workload
from config.language import Text
from detectors.engine.calm_together import form
from detectors.engine.slot_ring import arrays_of
from detectors.memory.state import DetectState
from detectors.stage import Detect
from ingest.observation import ObservationRecord
from stream.records import Record
from stream.stages.stage import Item, Write
from tests.support.dry_days import day, one_partition
from tests.support.examples import examples

NOTHING = Text("", "")
STORMS = {
    "slots": Mode(NOTHING, 1, 30, 0),
    "ten": Mode(NOTHING, 1, 12, 10),
    "doubtful": Mode(NOTHING, 1, 24, 0, doubtful=True),
    "late": Mode(NOTHING, 1, 40, 20, late=True),
}


def storm(name: str) -> list[Record]:
    """As the bench has it, of the stations of the district."""
    one = msgspec.json.Decoder(ObservationRecord)
    body = workload(one_partition(), STORMS[name]).replace(b'-0"', b'"')
    lines = (msgspec.json.decode(x, type=list[msgspec.Raw]) for x in body.splitlines())
    return [one.decode(record) for line in lines for record in line]


def played(
    records: list[Record], each: int, *, apart: bool = False, again: bool = False
) -> tuple[list[Write], bytes, DetectState]:
    """So many records a step. apart: each rule is asked by itself; again: with a restart in the midst."""
    stage = Detect(one_partition(), {}.get)
    part = stage.part(0)
    if apart:
        part.together, part.apart = [], list(range(len(part.series)))
    state, said = stage.new(0), []
    for first in range(0, len(records), each):
        items = [Item(0, first + n, "", r) for n, r in enumerate(records[first : first + each])]
        state, writes = stage.step(state, items)
        said += writes
        if again and first == len(records) // each // 2 * each:
            state = stage.load(0, stage.dump(state))
    return said, stage.dump(state), state


@pytest.mark.parametrize("name", STORMS)
def test_a_storm_is_the_same(name: str) -> None:
    records = storm(name)
    together, apart = played(records, 7), played(records, 7, apart=True)
    assert together[:2] == apart[:2]
    assert played(records, 7, again=True)[:2] == apart[:2]
    assert len(together[0]) > 20


@examples(4)
@given(st.integers(0, 10**6), st.sampled_from([4, 20, 1000]), st.sampled_from([2, 9]))
def test_dry_days_with_repeats_gaps_and_flags_are_the_same(seed: int, step: int, each: int) -> None:
    records = day(seed, 14, step)
    assert played(records, each)[:2] == played(records, each, apart=True)[:2]


def test_a_rule_s_memory_is_a_part_of_that_of_all() -> None:
    """And goes on being so: what one writes the other reads, also after a snapshot was read."""
    stage = Detect(one_partition(), {}.get)
    part = stage.part(0)
    gullies = [r for r in (f.rule for f in part.series) if r.kind.name == "flood_score"]
    assert len(gullies) > 8
    assert sum(len(t.numbers) for t in part.together) >= len(gullies)
    state = played(storm("ten"), 7, again=True)[2]
    assert state.joined
    for t, whole in zip(part.together, state.joined, strict=True):
        assert len({form(r) for r in t.calm.rules}) == 1
        for rule, begin in zip(t.calm.rules, t.calm.begin.tolist(), strict=True):
            own = arrays_of(state.series[rule.name])
            for key, array in arrays_of(whole).items():
                assert np.shares_memory(array, own[key])
                assert (array[begin : begin + len(rule.rows)] == own[key])[~_nan(own[key])].all()


def _nan(array: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return array != array
