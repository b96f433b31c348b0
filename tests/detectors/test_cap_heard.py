"""The memory of other authorities' messages: twice, late, in any order, over, forgotten; and the way
through the stage detect."""

import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Level
from detectors.detection import Acknowledgement, Detection
from detectors.memory.cap import CapState, forget, take
from detectors.stage import Detect
from ingest.observation import CapIn, CapRef
from stream.records import DeadLetter, Record, Run, Tick
from stream.stages.stage import Item
from tests.support.cap_heard import VALID, cap, level
from tests.support.cap_world import HUAILAI, MIN, WEATHER, hearing
from tests.support.decide_district import T0, yanqing
from tests.support.examples import examples


def heard(*messages: CapIn) -> tuple[CapState, list[str]]:
    state = CapState()
    return state, [take(state, m, VALID) for m in messages]


def test_a_message_counts_once_and_until_it_ends() -> None:
    state, wrong = heard(cap("W1"), cap("W1"))
    assert wrong == ["", ""]
    assert level(state, 1) == Level.RED
    assert level(state, 359) == Level.RED
    assert level(state, 360) == Level.NONE


def test_an_id_that_comes_again_with_other_words_is_not_taken() -> None:
    state, wrong = heard(cap("W1", Level.BLUE), cap("W1", Level.RED))
    assert wrong == ["", "identifier_reused"]
    assert level(state) == Level.BLUE


def test_an_update_takes_the_place_of_what_it_names_in_either_order() -> None:
    first, then = cap("W1", Level.RED), cap("W2", Level.BLUE, kind="update", minute=1, refs=("W1",))
    for order in ((first, then), (then, first)):
        state, wrong = heard(*order)
        assert wrong == ["", ""]
        assert level(state, 2) == Level.BLUE


def test_a_cancel_ends_what_it_names_in_either_order_and_tells_of_what_never_came() -> None:
    first, then = cap("W1"), cap("W2", kind="cancel", minute=1, refs=("W1",))
    assert heard(first, then)[1] == ["", ""]
    state, wrong = heard(then, first)
    assert wrong == ["unknown_reference", ""]
    assert level(state) == Level.NONE
    assert heard(then, then)[1] == ["unknown_reference", ""]


def test_nobody_takes_back_anothers_words() -> None:
    theirs = cap("X", kind="cancel", minute=1, source=HUAILAI)
    forged = msgspec.structs.replace(
        theirs, references=(CapRef(sender=f"{WEATHER}@x", identifier="W1", sent_at=T0),)
    )
    state, _ = heard(cap("W1"), forged)
    assert level(state) == Level.RED


def test_a_replay_after_its_end_counts_for_nothing_as_long_as_the_door_would_take_it() -> None:
    state, _ = heard(cap("W1"), cap("W2", kind="cancel", minute=1, refs=("W1",)))
    for hour in range(24):
        forget(state, T0 + hour * 3_600_000)
        take(state, cap("W1"), VALID)
        assert level(state, hour * 60 + 1) == Level.NONE
    forget(state, T0 + 25 * 3_600_000)
    assert not state.held[WEATHER]  # by now `ingest.cap.interpret` says `expired`


def test_a_flood_of_ids_is_bounded_and_told() -> None:
    from detectors.memory import cap as cap_heard

    state = CapState()
    wrong = [take(state, cap(f"W{n}"), VALID) for n in range(cap_heard.MOST + 2)]
    assert wrong[-2:] == ["too_many", "too_many"]
    assert len(state.held[WEATHER]) == cap_heard.MOST


@st.composite
def chains(draw: Any) -> tuple[list[CapIn], Level]:
    """A warning, its updates, perhaps its end; each names all before it, as ours do."""
    levels = draw(st.lists(st.sampled_from(list(Level)[1:]), min_size=1, max_size=5))
    made = []
    for n, lv in enumerate(levels):
        refs = tuple(f"W{k}" for k in range(n))
        made.append(cap(f"W{n}", lv, kind="update" if n else "alert", minute=n, refs=refs))
    if draw(st.booleans()):
        refs = tuple(f"W{k}" for k in range(len(levels)))
        made.append(cap("C", kind="cancel", minute=len(levels), refs=refs))
        return made, Level.NONE
    return made, levels[-1]


@examples(200)
@given(chains(), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_show_in_the_end(
    chain: tuple[list[CapIn], Level], rng: random.Random
) -> None:
    messages, last = chain
    shuffled = messages + [rng.choice(messages) for _ in range(3)]
    rng.shuffle(shuffled)
    state, _ = heard(*shuffled)
    assert level(state, 10) == last


class Stage:
    """detect for one partition."""

    def __init__(self, partition: int = 0) -> None:
        self.stage = Detect(hearing(), lambda ref: None)
        self.partition = partition
        self.state = self.stage.new(partition)
        self.n = 0
        self.feed(Run(name="live", kind="live", district="yanqing", config="c", start_at=T0))

    def feed(self, *records: Record) -> list[Record]:
        items = [Item(self.partition, self.n + k, "", r) for k, r in enumerate(records)]
        self.n += len(records)
        self.state, writes = self.stage.step(self.state, items)
        return [w.record for w in writes]

    def cap(self, *records: Record) -> list[Detection]:
        return [d for d in self.feed(*records) if isinstance(d, Detection) and d.rule == "cap"]


def tick(minute: int) -> Tick:
    return Tick(clock_at=T0 + minute * MIN)


AREAS = ("A01", "A06", "A20")


def test_the_stage_speaks_once_for_each_area_in_its_partition_and_ends_by_time() -> None:
    areas = tuple(yanqing().areas)
    spoken: list[str] = []
    for partition in range(yanqing().partitions):
        stage = Stage(partition)
        found = stage.cap(cap("W1", areas=areas))
        spoken += [d.area for d in found]
        assert all((d.outside, d.level, d.action) == (True, Level.RED, 0) for d in found)
        assert stage.cap(cap("W1", areas=areas), tick(1)) == []
        assert [d.level for d in stage.cap(tick(360))] == [Level.NONE] * len(found)
    assert sorted(spoken) == sorted(areas)


def test_a_second_source_is_shown_beside_the_first() -> None:
    stages = [Stage(p) for p in range(yanqing().partitions)]
    stage = next(s for s in stages if s.cap(cap("W1", Level.YELLOW)))
    (both,) = stage.cap(cap("H1", Level.ORANGE, source=HUAILAI, minute=1))
    assert both.level == Level.ORANGE
    assert [e.station for e in both.evidence] == [HUAILAI, WEATHER]
    (one,) = stage.cap(cap("H2", kind="cancel", source=HUAILAI, minute=2, refs=("H1",)))
    assert one.level == Level.YELLOW


def test_a_snapshot_and_a_cut_anywhere_change_nothing() -> None:
    records: list[Record] = [
        cap("W1", Level.YELLOW),
        tick(1),
        cap("W2", Level.RED, kind="update", minute=2, refs=("W1",)),
        cap("H1", Level.BLUE, source=HUAILAI, minute=3, minutes=10),
        tick(5),
        tick(14),
        cap("W3", kind="cancel", minute=15, refs=("W1", "W2")),
        tick(20),
    ]
    for partition in range(yanqing().partitions):
        whole = Stage(partition).feed(*records)
        for cut in range(len(records) + 1):
            stage = Stage(partition)
            first = stage.feed(*records[:cut])
            stage.state = stage.stage.load(partition, stage.stage.dump(stage.state))
            assert first + stage.feed(*records[cut:]) == whole


def test_an_answer_goes_down_the_line_once_and_a_lone_cancel_is_told_once() -> None:
    ack = msgspec.structs.replace(cap("H9", kind="ack", source=HUAILAI, refs=("ours",)), says=())
    lone = cap("W9", kind="cancel", refs=("W8",))
    found = [
        r
        for p in range(yanqing().partitions)
        for r in Stage(p).feed(ack, ack, lone, lone)
        if isinstance(r, Acknowledgement | DeadLetter)
    ]
    assert [type(r) for r in found] == [Acknowledgement, DeadLetter]
