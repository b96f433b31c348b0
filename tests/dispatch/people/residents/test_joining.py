"""A new subscriber counts at once, without a restart, and hears what is in force where they are."""

from typing import Any

import msgspec
import pytest

from config.records.level import Action, Level
from dispatch.address.coverage import coverage
from dispatch.records import AlertRecord
from ingest.people.subscriber import Subscriber
from tests.support.choices import resident
from tests.support.decide_district import MIN, T0, small
from tests.support.joining import HOUR, Room, alert, in_store, joins


def test_who_joins_gets_the_next_warning() -> None:
    room = Room()
    assert room.feed(joins()) == []
    (d,) = room.feed(alert())
    assert (d.recipient, d.msg_type, d.routes[0].channel) == ("S-1", "alert", "sms")


def test_who_joins_during_an_order_is_told_at_once_and_once() -> None:
    room = Room()
    room.feed(alert(Level.RED, Action.MOVE))
    late = T0 + 30 * MIN
    (d,) = room.feed(joins(late, quiet="00:00-23:59", min_level=Level.RED))
    assert d.action == Action.MOVE
    assert (d.queued_at, d.not_before, d.msg_type) == (late, 0, "alert")
    assert late < d.deadline_at <= late + 3 * MIN
    assert "立即转移" in str(d.routes[0].text)
    assert room.feed(joins(late + MIN, lang="en")) == []
    (end,) = room.feed(
        msgspec.structs.replace(alert(), version=2, msg_type="cancel", sent_at=late + HOUR)
    )
    assert end.msg_type == "cancel"  # whoever heard of it hears of its end


@pytest.mark.parametrize(
    "more",
    [
        {"areas": ("A02",)},
        {"hazards": ("debris_flow",)},
        {"min_level": Level.ORANGE},
        {"areas": ()},
    ],
)
def test_what_does_not_concern_them_is_not_told(more: dict[str, Any]) -> None:
    room = Room()
    room.feed(alert())
    assert room.feed(joins(**more)) == []


def test_what_is_over_is_not_told() -> None:
    room = Room()
    room.feed(alert())
    assert room.feed(joins(T0 + 7 * HOUR)) == []


def test_quiet_hours_hold_for_who_joins_too() -> None:
    room = Room()
    room.feed(alert())
    (d,) = room.feed(joins(quiet="00:00-23:59"))
    assert d.not_before > T0


def test_who_left_gets_nothing_more() -> None:
    room = Room(resident("S-1"))
    assert len(room.feed(alert())) == 1
    room.feed(joins(areas=()))
    assert room.feed(msgspec.structs.replace(alert(Level.ORANGE), version=2)) == []


def test_an_older_word_changes_nothing() -> None:
    room = Room()
    room.feed(joins(T0 + 5 * MIN, areas=()))
    room.feed(joins(T0 + MIN))
    assert room.feed(alert()) == []


@pytest.mark.parametrize("stored", [True, False])
def test_a_restart_forgets_nobody(stored: bool) -> None:
    """With the store that has them; and from the log's memory alone, where it was away."""
    room = Room()
    room.feed(joins())
    own = joins().contact()
    room.restart(*([own] if stored else []))
    assert room.state.joined == ({} if stored else {"S-1": in_store(joins())})
    assert len(room.feed(alert())) == 1


def test_a_restart_does_not_bring_back_who_left() -> None:
    room = Room(resident("S-1"))
    room.feed(joins(areas=()))
    room.restart(resident("S-1"))  # erased too late, or restored from an old copy
    assert room.feed(alert()) == []
    room.restart()
    assert room.state.joined == {}


def test_a_visitor_hears_nothing_after_the_last_day() -> None:
    room = Room()
    room.feed(joins(until="2025-07-25", category="tourist"))
    assert room.feed(alert()) == []
    room.feed(joins(T0 + 2 * MIN, until="2025-07-26", category="tourist"))
    (d,) = room.feed(msgspec.structs.replace(alert(Level.ORANGE), version=2))
    assert d.category == "tourist"


def test_coverage_counts_them() -> None:
    def missing(*people: Any) -> int:
        d = msgspec.structs.replace(small(), contacts={c.id: c for c in people})
        return sum(g.people for g in coverage(d) if g.check == "no_list" and g.area == "A01")

    assert missing(joins().contact()) == missing() - 1


WRONG = (
    {"quiet": "99:99-88:88"}, {"quiet": "zz"}, {"min_level": 77}, {"min_level": -3}, {"channels": ["pigeon"]},
    {"category": "boss"}, {"until": "2024-99"}, {"until": "tomorrow"}, {"people": -5}, {"id": ""},
    {"id": "x" * 99},
)  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_record_that_is_nobodys_choice_is_not_read(wrong: dict[str, Any]) -> None:
    """Read, it would stop the next warning of the place."""
    fields = {"type": "subscriber", "id": "S-1", "said_at": T0, "way": "page", "areas": ["A01"]}
    assert isinstance(msgspec.json.decode(msgspec.json.encode(fields), type=AlertRecord), Subscriber)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({**fields, **wrong}), type=AlertRecord)


def test_nobody_who_answers_for_a_place_leaves_by_a_wish() -> None:
    """Whatever a record says in their name, the order reaches them; erased by the duty room they are gone."""
    keeper = msgspec.structs.replace(resident("S-9"), role="responsible", areas=("A01",))
    school = msgspec.structs.replace(resident("S-8"), category="school", areas=("A01",))
    room = Room(keeper, school)
    for n, name in enumerate(("S-9", "S-8")):
        for way in ("page", "sms", "time"):
            room.feed(Subscriber(id=name, said_at=T0 + n, way=way, areas=()))
        room.feed(Subscriber(id=name, said_at=T0 + n, way="command", areas=("A02",)))
    told = {d.recipient for d in room.feed(alert(Level.RED, Action.MOVE))}
    assert {"S-8", "S-9"} <= told
    later = Room(keeper, school)
    later.feed(*(Subscriber(id=i, said_at=T0, way="command", areas=()) for i in ("S-8", "S-9")))
    assert later.feed(alert(Level.RED, Action.MOVE)) == []
