"""Who was never told of a warning is not told of its end, unless a loudspeaker told the village or it
is not sure that nothing went out; either way the record says what became of both."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.load import load
from config.records.level import Action, Level
from dispatch.channels import SendError, SendResult
from dispatch.records import Delivery, Receipt, Route
from dispatch.send.outbox.attempts import Agenda
from dispatch.send.outbox.never_sent import UNSAID, is_unsaid, perhaps_begun
from dispatch.send.outbox.state import Box, aloud
from dispatch.send.stage import Send
from dispatch.send.workers import Clock, Sender
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.records import Record, Tick, encode
from stream.stages.stage import Item
from tests.support.decide_district import MIN, OTHER, T0, Line, mark, seen, small
from tests.support.examples import examples
from tests.support.outbox import World, due
from tests.support.send import until

ROOT = Path(__file__).parents[3]


def told(recipient: str = "C-1", version: int = 1, channel: str = "sms", **more: Any) -> Delivery:
    fields: dict[str, Any] = {
        "id": f"{recipient}/{version}",
        "alert": "x",
        "version": version,
        "area": "A01",
        "hazard": "flash_flood",
        "level": Level.YELLOW,
        "action": Action.NONE,
        "msg_type": "alert",
        "status": "exercise",
        "recipient": recipient,
        "audience": "public",
        "routes": (Route(channel=channel, text="t"),),
        "queued_at": T0,
        "deadline_at": T0 + 15 * MIN,
        "expires_at": T0 + 600 * MIN,
    }
    return Delivery(**{**fields, **more})


def end(recipient: str = "C-1", version: int = 9, channel: str = "sms", **more: Any) -> Delivery:
    none = {"level": Level.NONE, "msg_type": "cancel"}
    return told(recipient, version, channel, **{**none, **more})


class Way:
    """A carrier that is there or not, and keeps what it took."""

    def __init__(self) -> None:
        self.took, self.there, self.ends = list[str](), True, threading.Event()
        self.ends.set()
        self.trying = threading.Event()

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        if not self.there:
            raise SendError("断 down", down=True)
        self.trying.set()
        assert self.ends.wait(90)
        self.took.append(delivery.id)
        return SendResult("played" if route.channel == "broadcast" else "accepted")


class Hands:
    """A sender over a log; `again` starts it anew on what the log has, as after a crash."""

    def __init__(self, log: Log, *ways: str) -> None:
        self.log, self.clock = log, Clock(False, lambda: 0)
        self.ways = {name: Way() for name in ways}
        self.stage = Send(load(ROOT / "config" / "yanqing"), live=False)
        self.box, self.read = self.stage.new(0), 0
        self.sender = Sender(log, self.ways, self.clock, ())
        self.pump()

    def again(self) -> None:
        self.box = self.stage.load(0, self.stage.dump(self.box))
        self.sender.after(self.box)

    def pump(self, *records: Record) -> None:
        if records:
            self.log.append([Out("deliveries", "k", encode(r)) for r in records])
        while entries := self.log.read("deliveries", 0, self.read):
            self.read = entries[-1].offset + 1
            items = [Item(0, e.offset, e.key, self.stage.decode(e.value)) for e in entries]
            _, writes = self.stage.step(self.box, items)
            self.log.append([Out(w.topic, w.key, encode(w.record)) for w in writes])
        self.sender.after(self.box)

    def over(self, entry: str) -> None:
        until(lambda: self.pump() or self.box.entries[entry].done, f"{entry} ends")

    def words(self, entry: str) -> list[tuple[str, str]]:
        records = [self.stage.decode(e.value) for e in self.log.read("deliveries", 0, 0)]
        return [
            (r.state, r.detail) for r in records if isinstance(r, Receipt) and r.delivery == entry
        ]


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "yanqing", 4)
    found = Hands(log, "sms", "broadcast")
    yield found
    for way in found.ways.values():
        way.ends.set()
    found.sender.close()
    log.close()


def later(hands: Hands, minutes: int) -> None:
    hands.pump(Tick(clock_at=T0 + minutes * MIN))


def test_what_was_queued_and_its_end_annihilate(hands: Hands) -> None:
    later(hands, 1)
    hands.pump(told(not_before=T0 + 300 * MIN))  # quiet hours
    later(hands, 60)
    hands.pump(end(not_before=T0 + 300 * MIN))
    later(hands, 301)
    hands.over("C-1/9")
    assert hands.ways["sms"].took == []
    assert hands.words("C-1/1")[-1][0] == "superseded"
    assert hands.words("C-1/9") == [("superseded", UNSAID)]


def test_what_ran_out_unsent_has_no_end_either(hands: Hands) -> None:
    hands.ways["sms"].there = False
    later(hands, 1)
    hands.pump(told(not_before=T0 + 9 * MIN, expires_at=T0 + 10 * MIN))
    later(hands, 10)
    assert hands.box.entries["C-1/1"].state == "expired"
    hands.ways["sms"].there = True
    hands.pump(end())
    hands.over("C-1/9")
    assert hands.ways["sms"].took == []


def test_who_was_told_is_told_of_the_end(hands: Hands) -> None:
    later(hands, 1)
    hands.pump(told())
    hands.over("C-1/1")
    hands.pump(end())
    hands.over("C-1/9")
    assert hands.ways["sms"].took == ["C-1/1", "C-1/9"]


def test_an_earlier_version_that_went_out_is_enough(hands: Hands) -> None:
    later(hands, 1)
    hands.pump(told())
    hands.over("C-1/1")
    hands.pump(told(version=2, not_before=T0 + 300 * MIN), end())
    hands.over("C-1/9")
    assert hands.ways["sms"].took == ["C-1/1", "C-1/9"]


def test_the_village_was_told_by_its_loudspeaker(hands: Hands) -> None:
    later(hands, 1)
    hands.pump(told(not_before=T0 + 300 * MIN), told("N1", 1, "broadcast"))
    hands.over("N1/1")
    hands.pump(end())
    hands.over("C-1/9")
    assert hands.ways["sms"].took == ["C-1/9"]


def test_an_attempt_under_way_is_not_nothing(hands: Hands) -> None:
    """The carrier has the warning in its hands while the end comes: it may be out."""
    way = hands.ways["sms"]
    way.ends.clear()
    later(hands, 1)
    hands.pump(told())
    assert way.trying.wait(90)
    hands.pump(end())
    way.ends.set()
    hands.over("C-1/9")
    assert way.took[-1] == "C-1/9"


def test_after_a_crash_it_is_not_known_and_so_it_is_said(hands: Hands) -> None:
    """What was due before the restart may be out; what waited for the morning is not."""
    hands.ways["sms"].ends.clear()
    later(hands, 1)
    hands.pump(told(), told("C-2", not_before=T0 + 300 * MIN))
    assert hands.ways["sms"].trying.wait(90)
    old = hands.sender
    hands.sender = Sender(hands.log, {"sms": (new := Way())}, hands.clock, ())
    hands.again()
    hands.pump(end(), end("C-2"))
    hands.over("C-1/9")
    hands.over("C-2/9")
    assert new.took[-1] == "C-1/9"
    assert hands.words("C-2/9") == [("superseded", UNSAID)]
    hands.ways["sms"].ends.set()
    old.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.sampled_from(["C-1", "N1"]), st.booleans()),
        st.tuples(st.just("try"), st.sampled_from(["accepted", "failed", "none", "lost"])),
        st.tuples(st.just("restart")),
    ),
    max_size=10,
)


@examples(300)
@given(STEPS)
def test_whatever_happened_the_end_is_left_out_only_for_whom_nothing_was_begun(
    steps: list[tuple[Any, ...]],
) -> None:
    """lost: an attempt whose receipt never came, as a crash makes them."""
    w, at, begun = World(), T0, set[str]()
    known: set[str] = set()
    w.put(Tick(clock_at=at))
    for n, step in enumerate(steps, 1):
        match step:
            case ("tell", who, quiet):
                channel = "sms" if who == "C-1" else "broadcast"
                later_at = T0 + 500 * MIN if quiet else 0
                w.put(told(who, n, channel, not_before=later_at))
            case ("try", state):
                for a in due(w.box, (), at):
                    if state == "none" or a.delivery.recipient not in ("C-1", "N1"):
                        continue
                    begun.add(a.delivery.recipient)
                    known.add(a.delivery.id)
                    if state != "lost":
                        sounded = a.delivery.recipient == "N1" and state == "accepted"
                        w.put(
                            Receipt(
                                delivery=a.delivery.id,
                                route=0,
                                state="played" if sounded else state,
                                receipt_at=at,
                                attempt=a.attempt,
                                permanent=True,
                            )
                        )
            case _:
                body = msgspec.msgpack.encode(msgspec.structs.replace(w.box, touched={}))
                w.box = msgspec.msgpack.decode(body, type=Box)
                w.box.aloud = aloud(w.box)
                known = perhaps_begun(w.box)
    first = any(s[0] == "tell" and s[1] == "C-1" for s in steps)
    w.put(end())
    unsaid = is_unsaid(w.box, w.box.entries["C-1/9"].delivery, known.__contains__)
    if begun & {"C-1", "N1"}:
        assert not unsaid
    elif first and ("restart",) not in steps:
        assert unsaid
    Agenda().follow(w.box)


def test_who_is_on_no_list_yet_when_a_warning_ends_is_told_nothing() -> None:
    """A contact that was added after the last version, inside and outside."""
    from dispatch.address.stage import Address

    district = small()
    line, less = Line(district, kind="exercise"), dict(district.contacts)
    new = {i for i in less if i == "C-0001" or less[i].role == "responsible"}
    before = msgspec.structs.replace(
        district, contacts={i: c for i, c in less.items() if i not in new}
    )
    line.feed(seen(0, Level.YELLOW), seen(1), mark(60), mark(60, group=OTHER))
    address, full = Address(before), Address(district)
    state, done = address.new(0), []
    for n, w in enumerate(line.writes):
        over = getattr(w.record, "msg_type", "") == "cancel"
        state, writes = (full if over else address).step(state, [Item(0, n, w.key, w.record)])
        done += [x.record for x in writes if isinstance(x.record, Delivery)]
    ended = {d.recipient for d in done if d.msg_type == "cancel"}
    assert ended
    assert not ended & new
