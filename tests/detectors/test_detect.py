"""The stage detect over the district yanqing and a simulated hour."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from detectors.detection import Detection, Mark
from detectors.memory.state import Said
from detectors.stage import Detect
from ingest.observation import Flag, Observation, Observations
from simulators.views.camera import render
from stream.log.port import partition_of
from stream.records import Record, Run, Tick, encode
from stream.stages.stage import Item, Write
from tests.support.detect_hour import MINUTE, RUN, SPELL, START, detect, hour, items, yanqing
from tests.support.examples import examples


def play(
    stage: Detect, stream: Sequence[Item], cuts: Sequence[int] = (), dump: bool = False
) -> list[Write]:
    partition = stream[0].partition
    state, writes = stage.new(partition), []
    edges = [0, *sorted({c for c in cuts if 0 < c < len(stream)}), len(stream)]
    for low, high in pairwise(edges):
        state, found = stage.step(state, stream[low:high])
        writes += found
        if dump:
            state = stage.load(partition, stage.dump(state))
    return writes


@cache
def whole(partition: int) -> tuple[Write, ...]:
    return tuple(play(detect(), hour(partition)))


def detections(writes: Sequence[Write], rule: str = "") -> list[Detection]:
    found = [w.record for w in writes if isinstance(w.record, Detection)]
    return [d for d in found if rule in ("", d.rule)]


# --- laws

_CUTS = st.lists(st.integers(1, 2000), max_size=40)


@pytest.mark.parametrize("partition", [0, 1])
@examples(6)
@given(_CUTS)
def test_batches_do_not_show(partition: int, cuts: list[int]) -> None:
    assert play(detect(), hour(partition), cuts) == list(whole(partition))


def test_what_is_written_down_has_no_order_of_a_process_s_own() -> None:
    """A set is iterated in another order in every process: the same memory must be the same bytes."""
    names = {f"R{n:02d}" for n in range(40)}
    stage = detect()
    state = stage.new(0)
    state.silence.silent, state.silence.blind = set(names), set(names)
    state.silence.caught_days.less, state.service.now = set(names), set(names)
    state.heard.awaited[0] = set(range(60, 0, -1))
    found: list[list[Any]] = []

    def look(part: Any) -> None:
        if isinstance(part, dict):
            part = list(part.values())
        if isinstance(part, list):
            found.append(part)
            for one in part:
                look(one)

    look(msgspec.msgpack.decode(stage.dump(state)))
    assert found.count(sorted(names)) == 4
    assert list(range(1, 61)) in found
    again = stage.load(0, stage.dump(state))
    assert again.silence.silent == names
    assert again.heard.awaited == {0: set(range(1, 61))}


@examples(5)
@given(st.lists(st.integers(1, 1500), min_size=1, max_size=5))
def test_memory_survives_a_dump_anywhere(cuts: list[int]) -> None:
    assert play(detect(), hour(0), cuts, dump=True) == list(whole(0))


def test_the_hour_tries_everything() -> None:
    found = detections([*whole(0), *whole(1)])
    assert {"rain_threshold", "quality"} <= {d.rule for d in found}
    assert max(d.level for d in found) == Level.RED
    assert max(d.action for d in found) == Action.MOVE
    assert any(d.suspect for d in found if d.rule == "rain_threshold")


def test_every_record_can_be_read_back() -> None:
    for w in whole(0):
        assert w.topic == "cases"
        assert msgspec.json.decode(encode(w.record), type=Run | Detection | Mark) == w.record


def test_a_detection_is_written_only_when_it_changes_and_has_its_own_id() -> None:
    found = detections([*whole(0), *whole(1)])
    assert len({d.id for d in found}) == len(found)
    last: dict[tuple[str, str, str], tuple[int, int, bool]] = {}
    for d in found:
        if d.rule not in ("rain_threshold", "stage_trend"):
            continue
        key, now = (d.area, d.hazard, d.rule), (d.level, d.action, d.suspect)
        assert last.get(key, (0, 0, False)) != now
        last[key] = now
        assert d.evidence and d.since_at <= d.detected_at


def test_the_run_is_passed_on_once() -> None:
    again = [Item(0, 0, "", RUN), *hour(0)[:40], Item(0, 0, "", RUN)]
    writes = play(detect(), again)
    assert [w for w in writes if isinstance(w.record, Run)] == [Write("cases", "run", RUN)]


# --- marks


def test_each_tick_gives_each_group_its_mark() -> None:
    for partition in (0, 1):
        groups = [
            g
            for g in sorted(yanqing().groups)
            if partition_of(g, yanqing().partitions) == partition
        ]
        marks = [w for w in whole(partition) if isinstance(w.record, Mark)]
        assert [w.key for w in marks] == groups * SPELL
        clocks = [w.record.clock_at for w in marks if w.key == groups[0]]
        assert clocks == [START + MINUTE * (n + 1) for n in range(SPELL)]
        for group in groups:
            complete = [w.record.complete_at for w in marks if w.key == group]
            assert complete == sorted(complete)
            assert all(c <= k for c, k in zip(complete, clocks, strict=True))
    both = {partition_of(g, yanqing().partitions) for g in yanqing().groups}
    assert both == {0, 1}


def test_a_tick_that_is_not_later_is_ignored() -> None:
    stage = detect()
    state = stage.new(0)
    state, first = stage.step(state, items([RUN, Tick(clock_at=START + MINUTE)]))
    assert any(isinstance(w.record, Mark) for w in first)
    state, again = stage.step(
        state, items([Tick(clock_at=START + MINUTE), Tick(clock_at=START - 1)])
    )
    assert again == []


def _group() -> tuple[str, list[str]]:
    """A group of partition 0 and its gauges."""
    district = yanqing()
    group = next(g for g in sorted(district.groups) if partition_of(g, district.partitions) == 0)
    members = [s for s, of in district.groups_of_station.items() if group in of]
    return group, [s for s in members if s in district.stations]


def _rain(station: str, minute: int, value: int = 0, **more: object) -> Observation:
    return Observation(
        station=station,
        quantity=yanqing().stations[station].quantity,
        observed_at=START + minute * MINUTE,
        value=value,
        **{"flag": Flag.GOOD, **more},  # type: ignore[arg-type]
    )


def _batch(group: str, *found: Observation) -> Observations:
    return Observations.of(group, START, found)


def test_a_mark_is_complete_up_to_the_slowest_that_reports() -> None:
    group, members = _group()
    stage = detect()
    state = stage.new(0)
    told = [_rain(s, 10 if n else 4) for n, s in enumerate(members)]
    _, writes = stage.step(
        state, items([RUN, _batch(group, *told), Tick(clock_at=START + 11 * MINUTE)])
    )
    (mark,) = [w.record for w in writes if isinstance(w.record, Mark) and w.key == group]
    assert mark.complete_at == START + 4 * MINUTE
    # a clock of the future makes nothing complete that has not been
    state = stage.new(0)
    ahead = [_rain(s, 500) for s in members]
    _, writes = stage.step(
        state, items([RUN, _batch(group, *ahead), Tick(clock_at=START + 11 * MINUTE)])
    )
    (mark,) = [w.record for w in writes if isinstance(w.record, Mark) and w.key == group]
    assert mark.complete_at == START + 11 * MINUTE


# --- silence


def _said_of(writes: Sequence[Write], station: str) -> list[tuple[int, bool]]:
    """When what is known of a station changed: (minute, silent)."""
    area = next(a for a, of in yanqing().stations_of_area.items() if station in of)
    found, was = [], False
    for d in detections(writes, "silence"):
        if d.area == area and d.coverage is not None and (station in d.coverage.silent) != was:
            was = not was
            found.append(((d.detected_at - START) // MINUTE, was))
    return found


def test_a_gauge_never_heard_is_silent_after_its_plan() -> None:
    _, members = _group()
    gauge = members[0]
    plan = yanqing().stations[gauge].silent_after_s // 60
    ticks = [Tick(clock_at=START + n * MINUTE) for n in range(1, plan + 30)]
    writes = play(detect(), items([RUN, *ticks]))
    assert _said_of(writes, gauge) == [(plan + 1, True)]
    assert any(d.thin for d in detections(writes, "silence"))
    assert all(d.level == 0 and d.action == 0 for d in detections(writes, "silence"))


def test_silence_ends_with_the_next_reading_and_not_with_an_old_one() -> None:
    group, members = _group()
    gauge = members[0]
    plan = yanqing().stations[gauge].silent_after_s // 60
    records: list[Record] = [RUN, _batch(group, _rain(gauge, 1))]
    for n in range(2, plan + 40):
        if n == plan + 10:
            records.append(_batch(group, _rain(gauge, 2)))  # late by more than the plan
        if n == plan + 20:
            records.append(_batch(group, _rain(gauge, n)))
        records.append(Tick(clock_at=START + n * MINUTE))
    found = _said_of(play(detect(), items(records)), gauge)
    assert found == [(plan + 2, True), (plan + 20, False)]


def test_a_silent_gauge_does_not_hold_the_mark_back() -> None:
    group, members = _group()
    slow, *others = members
    records: list[Record] = [RUN, _batch(group, *(_rain(s, 1) for s in members))]
    for n in range(2, 200):
        records.append(_batch(group, *(_rain(s, n) for s in others)))
        records.append(Tick(clock_at=START + n * MINUTE))
    marks = [
        w.record
        for w in play(detect(), items(records))
        if isinstance(w.record, Mark) and w.key == group
    ]
    plan = yanqing().stations[slow].silent_after_s // 60
    held = [(m.clock_at - m.complete_at) // MINUTE for m in marks]
    assert held[: plan - 1] == list(range(1, plan))
    assert held[plan + 2 :] == [0] * (len(held) - plan - 2)


def test_a_dead_loudspeaker_is_told_and_makes_nothing_thin() -> None:
    district = yanqing()
    node = next(
        n
        for n in district.nodes.values()
        if partition_of(district.group_of_area[n.area], district.partitions) == 0
    )
    group = district.group_of_area[node.area]
    gauges = district.stations_of_area[node.area]
    records: list[Record] = [RUN]
    for n in range(1, node.silent_after_s // 60 + 5):
        records.append(_batch(group, *(_rain(s, n) for s in gauges)))
        records.append(Tick(clock_at=START + n * MINUTE))
    found = [
        d for d in detections(play(detect(), items(records)), "silence") if d.area == node.area
    ]
    assert found and node.id in found[-1].coverage.silent  # type: ignore[union-attr]
    assert not found[-1].thin
    assert found[-1].coverage.live == found[-1].coverage.expected == len(gauges)  # type: ignore[union-attr]


# --- what a district no longer has, and what nothing confirms


def test_a_station_or_group_that_is_gone_is_passed_over() -> None:
    group, _ = _group()
    gone = Observation(station="R-gone", quantity="rain", observed_at=START, value=999)
    of_nobody = Observations.of("no-such-group", START, (gone,))
    writes = play(detect(), items([RUN, of_nobody, _batch(group, gone)]))
    assert [w.record for w in writes] == [RUN]


def _gauge_of_an_area() -> tuple[str, str, str]:
    group, members = _group()
    district = yanqing()
    gauge = next(s for s in members if district.stations[s].quantity == "rain")
    area = next(a for a, of in district.stations_of_area.items() if gauge in of)
    return group, gauge, area


def test_a_suspect_value_orders_preparation_and_no_more() -> None:
    group, gauge, area = _gauge_of_an_area()
    wild = _rain(gauge, 5, 310, flag=Flag.SUSPECT, test="range")
    found = detections(play(detect(), items([RUN, _batch(group, wild)])), "rain_threshold")
    assert found
    assert all((d.level, d.action, d.suspect) == (4, Action.PREPARE, True) for d in found)
    good = [_rain(gauge, 16 + n, 60) for n in range(6)]
    stream = items([RUN, _batch(group, wild, *good)])
    sure = detections(play(detect(), stream), "rain_threshold")
    last = [d for d in sure if d.area == area][-1]
    assert (last.action, last.suspect) == (Action.MOVE, False)


def test_an_order_of_a_rule_without_levels_has_a_beginning() -> None:
    found = [d for d in detections([*whole(0), *whole(1)]) if d.action and not d.level]
    assert found and all(d.since_at > START - 86_400_000 for d in found)
    said = Said()
    assert said.begins(0, 1) and not Said(0, 1).begins(0, 1) and Said(0, 1).begins(0, 2)
    assert not Said(2, 1).begins(2, 2) and Said(1, 2).begins(2, 2) and Said(2, 2).begins(0, 0)


def test_statements_of_one_time_are_told_apart() -> None:
    said = Said()
    assert [said.again(at) for at in (5, 5, 5, 6, 5)] == ["", "+1", "+2", "", ""]


def test_a_suspect_value_takes_back_no_order() -> None:
    group, gauge, area = _gauge_of_an_area()
    good = [_rain(gauge, n, 35) for n in range(1, 11)]  # 35 mm in ten minutes
    later = _rain(gauge, 20, 3, flag=Flag.SUSPECT, test="range")
    found = detections(play(detect(), items([RUN, _batch(group, *good, later)])), "rain_threshold")
    mine = [d for d in found if d.area == area and d.hazard == "flash_flood"]
    assert mine[-1].action == Action.MOVE and not mine[-1].suspect


def test_the_flag_of_a_station_is_told_when_it_changes() -> None:
    group, gauge, area = _gauge_of_an_area()
    found = [
        _rain(gauge, 1, 2),
        _rain(gauge, 2, 2, flag=Flag.SUSPECT, test="range"),
        _rain(gauge, 3, 2, flag=Flag.SUSPECT, test="range"),
        _rain(gauge, 4, 2),
    ]
    said = detections(play(detect(), items([RUN, _batch(group, *found)])), "quality")
    notes = [d.note.split(": ")[1] for d in said if d.area == area]
    assert notes == ["range", "good"]


def test_a_surge_in_the_picture_is_a_detection_of_its_areas() -> None:
    district = yanqing()
    camera = next(
        s
        for s in district.stations.values()
        if s.quantity == "frame"
        and any(partition_of(g, district.partitions) == 0 for g in district.groups_of_station[s.id])
    )
    group = next(
        g
        for g in district.groups_of_station[camera.id]
        if partition_of(g, district.partitions) == 0
    )
    frames = {f"f{n}": render(3, n, 0.3, n >= 3, 12.0) for n in range(6)}
    shown = [_rain(camera.id, n, 9000, ref=f"f{n}") for n in range(6)]
    stream = items([RUN, _batch(group, *shown)])
    found = detections(play(detect(frames=frames), stream), "camera_motion")
    rule = district.rules.camera
    areas = {
        a
        for a, of in district.stations_of_area.items()
        if camera.id in of and rule.hazard in district.areas[a].hazards
    }
    assert areas and {d.area for d in found} == areas
    assert {(d.level, d.action, d.detected_at) for d in found} == {
        (rule.level, rule.action, START + 4 * MINUTE)
    }
    # a picture that is not to be had is told, and is no surge
    writes = play(detect(), stream)
    assert detections(writes, "camera_motion") == []
    blind = detections(writes, "camera_sight")
    assert {(d.level, d.note) for d in blind} == {(0, f"{camera.id}: no picture")}
