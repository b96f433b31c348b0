"""A death certificate: its stations are silent at once, until they say something newer; and what a device says
that it had stored is history however young it is."""

import pytest

from detectors.detection import Detection
from ingest.observation import HISTORICAL, Away
from stream.records import Record
from tests.support.decide_district import MIN, T0
from tests.support.detect_room import Room


def away(*stations: str, minute: float) -> Away:
    at = T0 + round(minute * MIN)
    return Away(stations=stations, by="Valley/Edge-1", away_at=at, received_at=at)


def silent(found: list[Record]) -> set[str] | None:
    """Who is told to be silent; None: nothing is said of it."""
    said = [d for d in found if isinstance(d, Detection) and d.rule == "silence"]
    if not said or said[-1].coverage is None:
        return None if not said else set()
    return set(said[-1].coverage.silent)


def orders(found: list[Record]) -> list[int]:
    return [int(d.action) for d in found if isinstance(d, Detection) and d.action]


def spoken(room: Room, station: str, minute: float) -> list[Record]:
    return room.feed(room.readings(station, {minute: 0.0}))


@pytest.mark.parametrize("restart", [False, True])
def test_a_death_is_silence_at_once_and_lasts(restart: bool) -> None:
    room = Room()
    spoken(room, "R28", 0)
    room.tick(1)
    told = silent(room.feed(away("R28", minute=1)))
    assert told is not None and "R28" in told, "without waiting for silent_after_s"
    if restart:
        room.again()
    assert silent(room.tick(2)) is None, "told once"
    assert silent(room.feed(away("R28", minute=3))) is None, "a second certificate says nothing new"
    assert "R28" in room.state.silence.silent


def test_a_newer_reading_ends_it_and_an_old_one_does_not() -> None:
    room = Room()
    spoken(room, "R28", 5)
    room.tick(6)
    room.feed(away("R28", minute=6))
    assert silent(spoken(room, "R28", 4)) is None, "said before it went away"
    room.tick(7)
    assert "R28" in room.state.silence.silent
    back = silent(spoken(room, "R28", 7))
    assert back is not None and "R28" not in back
    assert silent(room.tick(8)) is None
    assert "R28" not in room.state.silence.silent


def test_a_device_whose_clock_is_slow_comes_back_too() -> None:
    """Its next reading is older than the certificate and newer than its last."""
    room = Room()
    spoken(room, "R28", 0)
    room.tick(10)
    room.feed(away("R28", minute=10))
    spoken(room, "R28", 1)
    room.tick(11)
    assert "R28" not in room.state.silence.silent


def test_one_never_heard_and_one_nobody_watches() -> None:
    room = Room()
    room.tick(0)
    told = silent(room.feed(away("R28", "nobody", minute=0)))
    assert told is not None and "R28" in told
    assert room.state.silence.gone.keys() == {"R28"}


def test_what_was_stored_is_no_order_though_it_is_young() -> None:
    """A stage over its highest threshold, measured a minute ago: an order; the same, stored: none."""
    for test, ordered in (("", True), (HISTORICAL, False)):
        room = Room("A04")
        station, row = next(
            (r.station, r) for r in room.district.stage if r.area == "A04" and r.move_m is not None
        )
        assert row.move_m is not None
        room.tick(60)
        values = {58 + n / 2: row.move_m + 0.5 for n in range(4)}
        found = [*room.feed(room.readings(station, values, test)), *room.tick(61)]
        assert bool(orders(found)) == ordered
