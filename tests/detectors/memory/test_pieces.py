"""A memory written in pieces while it goes on is, at each point, the memory: whatever a piece holds, wherever
it was cut, and a process that dies in between begins from the last point."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.snapshot_arrays import opened
from detectors.memory import rounds
from detectors.memory.rounds import Changed, Rounds
from detectors.stage import Detect
from ingest.observation import Away, Observation, Observations, Service
from stream.log.port import Piece
from stream.records import Tick
from stream.stages.stage import InPieces
from tests.support.decide_district import MIN, T0
from tests.support.detect_hour import detect, hour
from tests.support.detect_room import Room
from tests.support.examples import examples


def held(body: bytes) -> Any:
    """What a memory is: in whatever order the keys of its mappings stand."""

    def arrays(packed: bytes) -> Any:
        rows, found = opened(packed)
        return rows, {k: (a.dtype.str, a.tobytes()) for k, a in found.items()}

    memory = msgspec.msgpack.decode(body)
    for name in ("heard", "stage"):
        memory[name] = arrays(memory[name])
    packed, doubt = msgspec.msgpack.decode(memory["rain"])
    memory["rain"] = (arrays(packed), doubt)
    for name, body in memory["series"].items():
        packed, doubt = msgspec.msgpack.decode(body)
        each = sorted((row, sorted(values), sure) for row, values, sure in doubt)
        memory["series"][name] = (arrays(packed), each)
    return memory


def after(stage: Detect, laid: list[Piece], partition: int) -> Any:
    """The memory of the last point."""
    last = max(n for n, piece in enumerate(laid) if piece.point)
    first = last - laid[last].back
    return stage.load_pieces(partition, [p.body for p in laid[first : last + 1]])


@pytest.mark.parametrize("partition", [0, 1])
@examples(6)
@given(st.data())
def test_at_each_point_the_pieces_are_the_memory(partition: int, data: st.DataObject) -> None:
    stage, stream = detect(), hour(partition)
    assert isinstance(stage, InPieces)
    state, laid, compared = stage.new(partition), [], 0
    room = rounds.PIECE_BYTES
    try:
        for n in range(0, len(stream), 7):
            state, _ = stage.step(state, stream[n : n + 7])
            rounds.PIECE_BYTES = data.draw(st.sampled_from([0, 40_000, 400_000, room]))
            laid.append(stage.piece(state, whole=n == 0))
            if laid[-1].point and n % 5 == 0:
                assert held(stage.dump(after(stage, laid, partition))) == held(stage.dump(state))
                compared += 1
    finally:
        rounds.PIECE_BYTES = room
    assert compared


def test_who_begins_from_a_point_goes_on_as_if_nothing_had_been(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "PIECE_BYTES", 200_000)
    stage, stream = detect(), hour(0)
    state, laid, point = stage.new(0), [], 0
    half = len(stream) // 2
    for n, item in enumerate(stream[:half]):
        state, _ = stage.step(state, [item])
        laid.append(stage.piece(state, whole=False))
        point = n + 1 if laid[-1].point else point
    assert point > 0
    again, _ = stage.step(after(stage, laid, 0), stream[point:half])
    rest = [stage.step(s, stream[half:])[1] for s in (state, again)]
    assert rest[0] == rest[1]


def test_what_people_and_clocks_change_is_in_the_next_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Service, a death and silence change rows that no reading came for."""
    room = Room()
    stage, laid = room.stage, []
    gauges = [s for s in room.district.stations.values() if s.quantity in ("rain", "stage")]
    mine = [s for s in gauges if room.group in room.district.groups_of_station[s.id]]
    for minute in range(0, 300, 5):
        items = [
            Observation(station=s.id, quantity=s.quantity, observed_at=T0 + minute * MIN, value=9)
            for s in mine[minute // 60 :]
        ]
        if items:
            room.feed(Observations.of(room.group, T0 + minute * MIN, items))
        if minute == 100:
            at = T0 + minute * MIN
            room.feed(Away(stations=(mine[-1].id,), by="x", away_at=at, received_at=at))
        if minute % 90 == 40:
            room.feed(service(mine[0].id, minute, begins=minute < 90))
        room.tick(minute + 1)
        laid.append(stage.piece(room.state, whole=True))
        assert laid[-1].point
        again = after(stage, laid, room.partition)
        assert held(stage.dump(again)) == held(stage.dump(room.state))
    assert max(piece.back for piece in laid) > 3


def service(station: str, minute: int, *, begins: bool) -> Service:
    at = T0 + minute * MIN
    return Service(
        id=f"s{minute}",
        thing=station,
        by="p",
        said_at=at,
        until_at=at + 600 * MIN if begins else at,
        reason="r",
        way="command",
    )


@examples(60)
@given(st.lists(st.lists(st.integers(0, 39), max_size=30), min_size=1, max_size=60), st.data())
def test_however_long_it_goes_on_little_has_to_be_read(
    changes: list[list[int]], data: st.DataObject
) -> None:
    """Of forty rows in two parts; a piece holds five that changed, and at least as many of the others."""
    now = np.zeros(40, np.int64)
    parts = [Changed(np.ones(30, np.bool_), 1), Changed(np.ones(10, np.bool_), 1)]
    made, laid = Rounds(), []
    room, rounds.PIECE_BYTES = rounds.PIECE_BYTES, 5
    try:
        for n, rows in enumerate(changes):
            for row in rows:
                now[row] = n + 1
                parts[row >= 30].changed[row - 30 * (row >= 30)] = True
            one = made.choose(parts, whole=data.draw(st.booleans()))
            every = np.concatenate((one.rows[0], one.rows[1] + 30))
            assert np.unique(every).size == every.size
            laid.append((one, {int(r): int(now[r]) for r in every}))
            if one.point:
                found: dict[int, int] = {}
                for _, values in laid[n - one.back : n + 1]:
                    found |= values
                assert [found[r] for r in range(40)] == now.tolist()
                read = sum(len(v) for _, v in laid[n - one.back : n + 1])
                assert read <= 4 * 40 + 2 * 30
    finally:
        rounds.PIECE_BYTES = room


def test_a_row_that_is_larger_than_a_piece_is_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "PIECE_BYTES", 10)
    parts, made = [Changed(np.ones(3, np.bool_), 25), Changed(np.ones(5, np.bool_), 2)], Rounds()
    pieces = [made.choose(parts, whole=False) for _ in range(4)]
    assert [p.rows[0].tolist() for p in pieces[:3]] == [[0], [1], [2]]
    assert [p.point for p in pieces] == [False, False, False, True]


def test_what_changes_without_end_leaves_nothing_out_and_the_pieces_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a part that fills every piece, and one behind it."""
    monkeypatch.setattr(rounds, "PIECE_BYTES", 10)
    parts, made = [Changed(np.ones(30, np.bool_), 1), Changed(np.ones(10, np.bool_), 1)], Rounds()
    points, longest = 0, 0
    for n in range(2_000):
        parts[0].changed[:] = True
        parts[1].changed[n % 10] = True
        one = made.choose(parts, whole=False)
        points, longest = points + one.point, max(longest, one.back * one.point)
    assert points > 10
    assert longest < 300


def test_news_are_what_was_not_written_since_the_round_began() -> None:
    parts = [Changed(np.ones(300, np.bool_), 1)]
    made = Rounds()
    assert made.choose(parts, whole=True).point
    assert made.news("x", {"a": 1, "b": 2}) == ({"a": 1, "b": 2}, [])
    parts[0].changed[0] = True
    assert made.choose(parts, whole=True).back == 1  # a round of its own has begun
    assert made.news("x", {"a": 1, "b": 2}) == ({"a": 1, "b": 2}, [])  # all of it again
    made.choose(parts, whole=True)
    assert made.news("x", {"a": 1, "c": 3}) == ({"c": 3}, ["b"])


def test_a_piece_that_cannot_be_made_spoils_none_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, stream = detect(), hour(0)
    state, _ = stage.step(stage.new(0), stream[:40])
    stage.piece(state, whole=True)
    state, _ = stage.step(state, stream[40:80])
    with monkeypatch.context() as patched:
        patched.setattr("detectors.memory.state.DetectState.dump", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stage.piece(state, whole=True)
    one = stage.piece(state, whole=True)
    assert (one.point, one.back) == (True, 0)
    again = stage.load_pieces(0, [one.body])
    assert held(stage.dump(again)) == held(stage.dump(state))


def test_ids_that_need_more_room_are_in_the_pieces() -> None:
    """A station that sends often makes room for more ids of every station: rows grow."""
    room, laid = Room(), []
    gauge = next(
        s.id
        for s in room.district.stations.values()
        if s.quantity == "rain" and room.group in room.district.groups_of_station[s.id]
    )
    for part in range(4):
        items = [
            Observation(
                station=gauge, quantity="rain", observed_at=T0 + (part * 90 + n) * 1000, value=0
            )
            for n in range(90)
        ]
        room.feed(Observations.of(room.group, items[-1].observed_at, items), Tick(clock_at=T0))
        laid.append(room.stage.piece(room.state, whole=True))
        again = after(room.stage, laid, room.partition)
        assert held(room.stage.dump(again)) == held(room.stage.dump(room.state))
    assert room.state.heard.keys.shape[1] > 128
