"""A subscriber's record counts when whoever holds the contact store signed it, and once: nobody else adds
people to a list or takes them from it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.records.level import Action, Level
from detectors.detection import Mark
from dispatch.address.stage import Address
from dispatch.people.contact_store import ContactStore
from dispatch.people.erase import word_of
from dispatch.people.residents.desk import Wish
from dispatch.people.signed_choices import REASON, STALE_MS, public_of, signed, verified
from ingest.people.subscriber import Subscriber
from stream.log.port import Out
from stream.stages.stage import Item
from tests.support.choices import resident
from tests.support.decide_district import MIN, T0, small, yanqing
from tests.support.joining import KEY, Room, alert, in_store, joins
from tests.support.residents import NUMBER, Clock, choices, code_of, desk, with_store

LEFT = joins(T0 + 5 * MIN, areas=())


def put(room: Room, choice: Subscriber, offset: int = 7) -> list[str]:
    """As it stands, into `alerts`. What was said of it in dead letters."""
    before = len(room.letters)
    room.take([Item(0, offset, "", choice)])
    return [str(x.detail) for x in room.letters[before:]]


def told(room: Room, **more: Any) -> set[str]:
    warning = msgspec.structs.replace(alert(Level.RED, Action.MOVE), **more)
    return {d.recipient for d in room.feed(warning)}


FORGED = {
    "unsigned": joins(areas=()),
    "another_key": signed(joins(areas=()), bytes(32), small().id),
    "no_hex": joins(areas=(), signature="zz"),
    "short": joins(areas=(), signature="00"),
    "another_district": signed(joins(areas=()), KEY, "elsewhere"),
    "changed": msgspec.structs.replace(in_store(joins()), areas=()),
    "another_village": msgspec.structs.replace(in_store(joins()), areas=("A02",)),
    "another_person": msgspec.structs.replace(in_store(joins(id="S-2", areas=())), id="S-1"),
    "another_time": msgspec.structs.replace(in_store(LEFT), said_at=T0 + 9 * MIN),
    "least_level": msgspec.structs.replace(in_store(joins()), min_level=int(Level.RED)),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_nobody_signed_takes_nobody_from_the_list_and_stops_nothing(name: str) -> None:
    room = Room(resident("S-1"))
    (detail,) = put(room, FORGED[name])
    assert "S-1" in detail
    (letter,) = room.letters
    assert (letter.reason, letter.source) == (REASON, "alerts/0/7")
    assert told(room) == {"S-1"}
    other = in_store(joins(T0 + 6 * MIN, id="S-3"))
    assert put(room, other) == []  # the next one counts
    assert "S-3" in room.state.joined


@pytest.mark.parametrize("name", FORGED)
def test_what_nobody_signed_adds_nobody(name: str) -> None:
    room = Room()
    put(room, msgspec.structs.replace(FORGED[name], areas=("A01",), signature=""))
    assert told(room) == set()


def test_an_old_subscription_brings_nobody_back_also_after_a_restart() -> None:
    room = Room()
    old = in_store(joins())
    assert put(room, old) == [] == put(room, in_store(LEFT))
    assert len(put(room, old)) == 1
    room.restart()  # the store has nobody of this id any more, and the memory of it need not say so
    assert room.state.joined == {}
    assert len(put(room, old)) == 1
    assert told(room) == set()


def test_an_old_leave_takes_nobody_away() -> None:
    room, leave = Room(), in_store(joins(areas=()))
    back = in_store(joins(T0 + 5 * MIN))
    assert put(room, leave) == [] == put(room, back)
    assert len(put(room, leave)) == 1
    room.restart(joins().contact())
    assert len(put(room, leave)) == 1
    assert told(room) == {"S-1"}


def test_what_is_too_old_to_be_remembered_is_too_old_to_count() -> None:
    room = Room()
    old = in_store(joins())
    put(room, old)
    put(room, in_store(LEFT))
    late = LEFT.said_at + STALE_MS + MIN
    room.feed(Mark(group=next(iter(small().groups)), clock_at=late, complete_at=late))
    put(room, in_store(joins(LEFT.said_at + STALE_MS, id="S-2")))
    assert set(room.state.newest) == {"S-2"}
    assert "S-1" in put(room, old)[0] and "S-1" in put(room, in_store(LEFT))[0]


def test_the_same_record_again_is_no_news() -> None:
    """A stage that begins again reads what it read."""
    room = Room()
    once = in_store(joins())
    assert put(room, once) == [] == put(room, once)


def test_what_an_older_version_believed_unsigned_is_not_believed_after_a_restart() -> None:
    """The store has what was said before it, and is read then."""
    room = Room(resident("S-1"))
    room.state.joined["S-1"] = joins(areas=())
    room.restart(resident("S-1"))
    assert told(room) == {"S-1"}


def test_without_a_store_no_record_counts() -> None:
    room = Room()
    room.stage = Address(small())
    assert len(put(room, in_store(joins()))) == 1


def test_who_subscribes_and_leaves_at_the_desk_is_believed(tmp_path: Path) -> None:
    """Through a real store, and with the key that a process of the line reads from it."""
    district, clock = with_store(tmp_path), Clock()
    counter = desk(district, clock)
    with ContactStore(tmp_path) as store:
        key = public_of(store.signing_key)
    outs: list[Out] = []
    for wish in (Wish(("A01",), "zh"), Wish((), "zh", leave=True)):
        ident, asked = counter.ask(NUMBER, wish, "10.0.0.1")
        done = counter.confirm(ident, code_of(district, asked), "10.0.0.1")
        counter.finish(ident, done)
        outs += done.outs
    came, left = choices(outs)
    for said in (came, left, choices([word_of(tmp_path, "S-9", yanqing().id, T0)])[0]):
        assert verified(said, key, yanqing().id) and not verified(said, key, "elsewhere")
    stage = Address(msgspec.structs.replace(district, subscriber_key=key), live=False)
    state, writes = stage.step(
        stage.new(0), [Item(0, n, "", s) for n, s in enumerate((came, left))]
    )
    assert writes == [] and state.joined == {came.id: left}


def test_a_key_is_of_one_store_and_stays_through_a_new_master_key(tmp_path: Path) -> None:
    with ContactStore(tmp_path / "a") as a, ContactStore(tmp_path / "b") as b:
        key = a.signing_key
        assert len(key) == 32 and key != b.signing_key
        a.put([resident("S-1")])
        assert a.rotate() == 1
    with ContactStore(tmp_path / "a") as again:
        assert again.signing_key == key
    stands = b"".join(f.read_bytes() for f in tmp_path.rglob("*.db"))
    assert key not in stands and len(public_of(key)) == 64


def test_a_key_that_cannot_be_read_is_made_anew_and_keeps_nobody_from_the_list(
    tmp_path: Path,
) -> None:
    with ContactStore(tmp_path) as store:
        store.put([resident("S-1")])
        key = store.signing_key
        store._db.execute("UPDATE keys.signer SET wrapped = ?", (bytes(60),))
    with ContactStore(tmp_path) as store:
        assert store.signing_key != key and set(store.load()) == {"S-1"}
        made = store.signing_key
    with ContactStore(tmp_path) as store:
        assert store.signing_key == made
