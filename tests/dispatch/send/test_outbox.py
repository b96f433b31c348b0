"""The outbox: whatever is delivered, lost, repeated or killed in whatever order, every recipient
ends reached or somebody is told, versions only rise, and nothing goes out after its expiry."""

import random
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from detectors.detection import Mark
from dispatch.channels.status_words import FINAL
from dispatch.notices import DUTY
from dispatch.records import (
    Delivery,
    Receipt,
    RouteHealth,
    State,
    attempt_key,
)
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.state import (
    RANK,
    Attempt,
    Box,
    key_of,
)
from dispatch.send.outbox.state import passed as passed_if
from stream.records import DeadLetter, Run, Tick, encode
from tests.support.examples import examples
from tests.support.outbox import MIN, RULES, T0, World, delivery, due, receipt, routes


def passed(box: Box, groups: Collection[str], in_flight: Collection[str]) -> int:
    return passed_if(box, groups, bool(in_flight or due(box, in_flight, box.clock_at)))


def test_a_delivery_is_due_at_once_and_done_when_the_carrier_has_it() -> None:
    w = World()
    w.put(delivery())
    a = w.one()
    assert (a.route, a.attempt, a.key) == (0, 1, attempt_key("x", 1, "sms", "r1"))
    w.put(receipt(a, "accepted"))
    assert due(w.box, (), T0 + 10 * MIN) == []
    assert not w.box.open
    w.put(receipt(a, "delivered"), receipt(a, "accepted"))
    assert w.box.entries["d1"].state == "delivered"  # forward only


def test_each_notice_about_one_version_and_person_is_a_message_of_its_own() -> None:
    """Asked, and asked anew: neither arrived, and the duty room is told of both."""
    w = World()
    w.put(delivery())
    w.put(receipt(w.one(), "failed", permanent=True))
    w.put(delivery(2, recipient="r1", again=1))
    again = next(a for a in due(w.box, (), T0) if a.delivery.id == "d2")
    w.put(receipt(again, "failed", permanent=True))
    first, second = w.notices()
    assert (first.alert, first.version, first.recipient) == (
        second.alert,
        second.version,
        second.recipient,
    )
    keys = {key_of(d, "console") for d in (first, second)}
    assert len(keys) == 2
    assert {w.box.keys[k][0] for k in keys} == {first.id, second.id}


def test_red_and_orders_to_move_overtake() -> None:
    w = World()
    w.put(
        delivery(1, level=Level.BLUE),
        delivery(2, level=Level.YELLOW, deadline_at=T0),
        delivery(3, level=Level.YELLOW, deadline_at=T0 - 1),
        delivery(4, level=Level.RED),
        delivery(5, level=Level.NONE, action=Action.MOVE),
        delivery(6, level=Level.BLUE, action=Action.PREPARE),
        delivery(7, level=Level.ORANGE),
        delivery(8, level=Level.RED, action=Action.MOVE),
    )
    order = [a.delivery.id for a in due(w.box, (), T0)]
    assert order == ["d8", "d5", "d4", "d6", "d7", "d3", "d2", "d1"]


def test_retries_back_off_then_the_next_route_then_the_duty_room() -> None:
    w = World()
    w.put(delivery(routes=routes("sms", "app"), deadline_at=T0 + 60 * MIN))
    at, seen = T0, []
    while w.box.open and any(not i.startswith("d") or i == "d1" for i in w.box.open):
        found = [a for a in due(w.box, (), at) if a.delivery.id == "d1"]
        if not found:
            if "d1" not in w.box.open:
                break
            at += 1000
            w.put(Tick(clock_at=at))
            continue
        seen.append((found[0].route, found[0].attempt, (at - T0) // 1000))
        if found[0].route == 1:
            w.put(receipt(found[0], "failed", at, permanent=True, detail="HTTP 400"))
        else:
            w.put(receipt(found[0], "failed", at))
    assert seen == [(0, 1, 0), (0, 2, 5), (0, 3, 20), (1, 1, 20)]
    assert w.receipts()[-1] == "failed"
    (notice,) = w.notices()
    assert notice.recipient == "duty:r1"
    assert "香屯村" in notice.routes[0].text
    assert "HTTP 400" in notice.routes[0].text
    assert "演练" in notice.routes[0].text


def test_the_last_route_is_tried_until_the_deadline() -> None:
    w = World()
    w.put(delivery(deadline_at=T0 + 2 * MIN))
    tries = 0
    for at in range(T0, T0 + 10 * MIN, 1000):
        w.put(Tick(clock_at=at))
        for a in due(w.box, (), at):
            if a.delivery.id == "d1":
                tries += 1
                w.put(receipt(a, "failed", at))
    assert 3 < tries <= 3 + 2 * 60 // 15
    assert w.box.entries["d1"].state == "failed"


@pytest.mark.parametrize("last", ["sent", "accepted", "failed"])
def test_a_silent_loudspeaker_is_told_at_its_deadline_and_tried_on(last: State) -> None:
    w = World()
    w.put(delivery(routes=routes("broadcast"), deadline_at=T0 + 4 * MIN, expires_at=T0 + 90 * MIN))
    tries, told_at = [], 0
    for at in range(T0, T0 + 80 * MIN, 5000):
        w.put(Tick(clock_at=at))
        for a in due(w.box, (), at):
            if a.delivery.id == "d1":
                tries.append(at)
                w.put(receipt(a, last, at))
        told_at = told_at or (at if w.notices() else 0)
    assert told_at == T0 + 4 * MIN
    (told,) = w.notices()  # once
    assert told.recipient == "duty:r1"
    assert "到期未播出" in told.routes[0].text
    assert tries[-1] > T0 + 70 * MIN
    w.put(receipt(Attempt(w.box.entries["d1"].delivery, 0, len(tries), ""), "played", at))
    assert w.box.entries["d1"].state == "played"  # the link came back
    assert not w.box.open.keys() - {told.id}


def test_a_loudspeaker_that_sounds_or_never_will_is_not_told_of_twice() -> None:
    w = World()
    w.put(delivery(1, routes=routes("broadcast")), delivery(2, routes=routes("broadcast")))
    one, two = due(w.box, (), T0)
    w.put(receipt(one, "playing", T0 + 5 * MIN - 1000))
    w.put(receipt(two, "failed", permanent=True, detail="no such node"))
    assert [d.recipient for d in w.notices()] == ["duty:r2"]
    w.put(Tick(clock_at=T0 + 5 * MIN + 30_000))
    assert [d.recipient for d in w.notices()] == ["duty:r2"]
    w.put(Tick(clock_at=T0 + 61 * MIN))
    assert sorted(d.recipient for d in w.notices()) == ["duty:r1", "duty:r2"]


def test_whoever_is_not_a_loudspeaker_is_told_of_as_before() -> None:
    w = World()
    w.put(delivery(1, routes=routes("sms")), delivery(2, routes=routes("broadcast", "sms")))
    w.put(Tick(clock_at=T0 + 6 * MIN))
    assert w.notices() == []


def test_a_newer_version_replaces_an_unsent_older_one() -> None:
    w = World()
    w.put(delivery(1), delivery(2, recipient="r1", version=2))
    assert w.receipts("d1") == ["superseded"]
    assert w.one().delivery.id == "d2"
    w.put(delivery(3, recipient="r1", version=1))  # late and old
    assert w.receipts("d3") == ["superseded"]
    assert w.notices() == []


def test_a_newer_version_waits_while_the_older_one_is_under_way() -> None:
    w = World()
    w.put(
        delivery(1), delivery(2, recipient="r1", version=2), delivery(3, recipient="r1", alert="y")
    )
    assert [a.delivery.id for a in due(w.box, {"d1"}, T0)] == ["d3"]
    assert [a.delivery.id for a in due(w.box, (), T0)] == ["d2", "d3"]


def test_an_older_version_under_way_is_not_repeated_after_a_newer_one() -> None:
    w = World()
    w.put(delivery(1, routes=routes("broadcast")))
    w.put(receipt(w.one(), "sent"))
    w.put(delivery(2, recipient="r1", version=2, routes=routes("broadcast")))
    assert w.receipts("d1") == ["sent"]  # it may still play
    w.put(Tick(clock_at=T0 + 2 * MIN))
    assert w.receipts("d1") == ["sent", "failed", "superseded"]


@pytest.mark.parametrize("already", [True, False])
def test_nothing_is_sent_after_its_expiry_and_somebody_is_told(already: bool) -> None:
    w = World()
    if already:
        w.put(Tick(clock_at=T0 + 60 * MIN))
    w.put(delivery())
    if not already:
        assert due(w.box, (), T0 + 60 * MIN) == []  # the clock of a live run may be ahead of ticks
        w.put(Tick(clock_at=T0 + 60 * MIN))
    assert [a.delivery.recipient for a in due(w.box, (), T0 + 60 * MIN)] == ["duty:r1"]
    assert w.receipts() == ["expired"]


def test_a_loudspeaker_counts_only_when_it_played() -> None:
    w = World()
    w.put(delivery(routes=routes("broadcast")))
    a = w.one()
    w.put(receipt(a, "sent"), receipt(a, "accepted"), receipt(a, "playing"))
    assert "d1" in w.box.open
    w.put(Tick(clock_at=T0 + MIN))
    assert w.receipts()[-1] == "failed"
    again = w.one(T0 + MIN + 5000)
    assert (again.attempt, again.key) == (2, a.key)
    w.put(receipt(again, "sent", T0 + MIN + 5000), receipt(a, "played", T0 + MIN + 6000))
    assert w.box.entries["d1"].state == "played"
    assert not w.box.open


def test_a_node_that_speaks_again_gets_its_time_again() -> None:
    w = World()
    w.put(delivery(routes=routes("broadcast")))
    a = w.one()
    w.put(receipt(a, "sent"), Tick(clock_at=T0 + MIN), receipt(a, "playing", T0 + MIN))
    assert due(w.box, (), T0 + 2 * MIN - 1) == []
    w.put(Tick(clock_at=T0 + 2 * MIN))
    assert w.receipts() == ["sent", "failed", "playing", "failed"]


def test_the_same_word_again_buys_a_node_no_more_time() -> None:
    w = World()
    w.put(delivery(routes=routes("broadcast")))
    a = w.one()
    w.put(receipt(a, "playing"), Tick(clock_at=T0 + MIN), receipt(a, "playing", T0 + MIN))
    assert w.one(T0 + MIN + 5000).attempt == 2


def test_an_older_tick_is_ignored() -> None:
    w = World()
    w.put(Tick(clock_at=T0), Tick(clock_at=T0 - MIN), Mark(group="g", clock_at=1, complete_at=1))
    assert w.box.clock_at == T0
    w.put(Mark(group="g", clock_at=T0, complete_at=1), Mark(group="g", clock_at=5, complete_at=1))
    assert w.box.marks == {"g": T0}


def test_our_own_word_read_back_late_changes_nothing() -> None:
    rules, box = RULES, Box()
    apply(rules, box, delivery(routes=routes("broadcast")))
    a = due(box, (), T0)[0]
    apply(rules, box, receipt(a, "sent"))
    (failed,) = apply(rules, box, Tick(clock_at=T0 + MIN))
    apply(rules, box, receipt(a, "playing", T0 + MIN))  # stands before it in the log
    before = msgspec.msgpack.encode(box)
    assert isinstance(failed, Receipt)
    assert apply(rules, box, failed) == []
    assert box.entries["d1"].state == "playing"
    assert msgspec.msgpack.encode(box) == before


def test_must_answer_is_reached_only_by_an_answer() -> None:
    w = World()
    w.put(delivery(routes=routes("sms", "app"), must_answer=True))
    a = w.one()
    w.put(receipt(a, "accepted"), receipt(a, "delivered"), Tick(clock_at=T0 + 90_000))
    b = w.one(T0 + 90_000)
    assert b.delivery.routes[b.route].channel == "app"
    w.put(receipt(b, "accepted", T0 + 90_000), Tick(clock_at=T0 + 180_000))
    assert w.receipts()[-2:] == ["failed", "failed"]
    assert "not answered" in w.notices()[0].routes[0].text
    w.put(receipt(a, "answered", T0 + 200_000))  # late, by the first route: a fact all the same
    assert w.box.entries["d1"].state == "answered"


def test_an_accepted_sms_that_is_undeliverable_goes_on_by_the_next_route() -> None:
    w = World()
    w.put(delivery(routes=routes("sms", "app")))
    a = w.one()
    w.put(receipt(a, "accepted"))
    assert not w.box.open
    w.put(receipt(a, "failed", permanent=True))
    assert w.one().route == 1
    w.put(receipt(a, "failed", permanent=True), receipt(w.one(), "accepted"))
    assert w.box.entries["d1"].state == "accepted"


def test_a_phone_that_has_the_message_still_has_time_to_answer() -> None:
    w = World()
    w.put(delivery(routes=routes("sms", "app"), must_answer=True))
    a = w.one()
    w.put(receipt(a, "delivered"), receipt(a, "failed", permanent=True))
    assert due(w.box, (), T0 + 80_000) == []
    w.put(Tick(clock_at=T0 + 90_000), receipt(a, "delivered", T0 + 90_000))  # of the first route
    assert w.one(T0 + 90_000).route == 1


def test_a_delivered_message_is_not_taken_back() -> None:
    w = World()
    w.put(delivery())
    a = w.one()
    w.put(receipt(a, "delivered"), receipt(a, "failed", permanent=True))
    assert w.box.entries["d1"].state == "delivered"


@pytest.mark.parametrize(
    ("live", "status"), [(True, "exercise"), (True, "test"), (False, "actual")]
)
def test_a_record_of_the_other_kind_of_run_is_refused(live: bool, status: str) -> None:
    rules, box = RULES._replace(live=live), Box()
    ended, letter = apply(rules, box, delivery(status=status))
    assert isinstance(ended, Receipt)
    assert ended.state == "failed"
    assert isinstance(letter, DeadLetter)
    assert due(box, (), T0) == []
    assert box == Box()


def test_a_run_record_of_the_other_kind_is_a_dead_letter() -> None:
    run = Run(name="exercise", kind="exercise", district="x", config="c", start_at=0)
    assert apply(RULES, Box(), run) == []
    (letter,) = apply(RULES._replace(live=True), Box(), run)
    assert isinstance(letter, DeadLetter)


def test_the_clock_passes_when_all_groups_are_heard_and_nothing_is_undone() -> None:
    w = World()
    w.put(Mark(group="g1", clock_at=T0, complete_at=T0))
    assert passed(w.box, ["g1", "g2"], ()) == 0
    w.put(delivery(), Mark(group="g2", clock_at=T0 - 5, complete_at=T0))
    assert passed(w.box, ["g1", "g2"], ()) == 0  # due
    assert passed(w.box, ["g1", "g2"], {"d1"}) == 0  # begun
    w.put(receipt(w.one(), "failed"))
    assert passed(w.box, ["g1", "g2"], ()) == T0 - 5  # the retry is due later


def test_what_ended_long_ago_is_forgotten_but_not_the_newest_version_of_a_line() -> None:
    w = World()
    w.put(delivery(1), delivery(2, recipient="r1", version=2, expires_at=T0 + 40 * 3_600_000))
    w.put(receipt(w.one(), "accepted"))
    w.put(Tick(clock_at=T0 + 30 * 3_600_000))
    assert set(w.box.entries) == {"d1", "d2"}
    w.put(Tick(clock_at=T0 + 70 * 3_600_000))
    assert w.box.entries == {} and w.box.keys == {} and w.box.lines == {}


# --- anything in any order

CHANNELS = ("broadcast", "sms", "app", "cap", "console")
OUTCOMES: tuple[State, ...] = ("sent", "accepted", "delivered", "playing", "played", "answered")


@st.composite
def storms(draw: st.DrawFn) -> tuple[list[Delivery], int]:
    count = draw(st.integers(1, 7))
    found = []
    for n in range(count):
        queued = T0 + draw(st.integers(0, 30)) * 10_000
        found.append(
            delivery(
                n,
                alert=draw(st.sampled_from("xy")),
                version=draw(st.integers(1, 3)),
                recipient=draw(st.sampled_from(["r1", "r2"])),
                level=draw(st.sampled_from(Level)),
                action=draw(st.sampled_from(Action)),
                routes=routes(*draw(st.lists(st.sampled_from(CHANNELS), max_size=3))),
                must_answer=draw(st.booleans()),
                queued_at=queued,
                deadline_at=queued + draw(st.integers(0, 30)) * 10_000,
                expires_at=queued + draw(st.integers(0, 60)) * 10_000,
            )
        )
    return found, draw(st.integers(0, 2**32))


class Carrier:
    """The world outside: loses, repeats, delays, fails; everything it saw stays seen."""

    def __init__(self, rnd: random.Random) -> None:
        self.rnd = rnd
        self.seen: dict[str, list[tuple[int, int]]] = defaultdict(list)  # line -> (version, at)
        self.keys: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.tries: dict[tuple[str, int], int] = defaultdict(int)
        self.later: list[Receipt] = []

    def take(self, a: Attempt, at: int) -> Receipt:
        d = a.delivery
        assert at < d.expires_at
        self.seen[f"{d.alert}|{d.recipient}"].append((d.version, at))
        self.keys[d.id, a.route].add(a.key)
        self.tries[d.id, a.route] += 1
        for state in OUTCOMES:
            if self.rnd.random() < 0.15:
                self.later.append(receipt(a, state, at))
        if self.rnd.random() < 0.1:
            self.later.append(receipt(a, "failed", at, permanent=self.rnd.random() < 0.5))
        roll = self.rnd.random()
        if roll < 0.4:
            return receipt(a, "failed", at, permanent=roll < 0.1)
        return receipt(a, "sent" if roll < 0.6 else "accepted", at)


@examples(250)
@given(storms())
def test_any_interleaving_with_crashes(storm: tuple[list[Delivery], int]) -> None:
    rnd = random.Random(storm[1])
    waiting = sorted(storm[0], key=lambda d: d.queued_at)
    w, carrier, at = World(), Carrier(rnd), T0
    # id -> (attempt, result or None while the carrier has not taken it)
    flying: dict[str, tuple[Attempt, Receipt | None]] = {}
    while waiting or w.box.open or flying:
        at += 5_000
        while waiting and waiting[0].queued_at <= at:
            w.put(waiting.pop(0))
        w.put(Tick(clock_at=at))
        for a in due(w.box, set(flying), at)[: rnd.randrange(4)]:
            flying[a.delivery.id] = (a, None)
        for i, (a, result) in list(flying.items()):
            roll = rnd.random()
            if result is None and roll < 0.7:
                # a thread that was slow: the channel itself does not look at the clock again
                if at < a.delivery.expires_at:
                    flying[i] = (a, carrier.take(a, at))
                else:
                    del flying[i]
            elif result is not None and roll < 0.7:
                del flying[i]
                w.put(result)
                if rnd.random() < 0.1:
                    w.put(result)
        if carrier.later and rnd.random() < 0.5:
            w.put(carrier.later.pop(rnd.randrange(len(carrier.later))))
        if rnd.random() < 0.05:  # killed: attempts and their results are gone, the log is not
            flying.clear()
            again = World()
            again.log, logged = list(w.log), len(w.log)
            while again.read < logged:
                apply(again.rules, again.box, again.log[again.read])
                again.read += 1
            assert msgspec.msgpack.encode(again.box) == msgspec.msgpack.encode(w.box)
            w.box = again.box
        assert at < T0 + 24 * 60 * MIN, "does not come to rest"
    check_ends(w)
    for key, versions in carrier.seen.items():
        numbers = [v for v, _ in versions]
        assert numbers == sorted(numbers), f"{key}: versions fell"
    assert all(len(keys) == 1 for keys in carrier.keys.values())


def check_ends(w: World) -> None:
    told = {d.recipient for d in w.notices()}
    for e in w.box.entries.values():
        assert e.done
        d = e.delivery
        if e.state in ("failed", "expired"):
            assert d.recipient.startswith(DUTY) or DUTY + d.recipient in told
        elif e.state != "superseded":
            final = {"answered"} if d.must_answer else FINAL[d.routes[e.route].channel]
            assert e.state in final
            said = {r.state for r in w.log if isinstance(r, Receipt) and r.delivery == d.id}
            assert e.state in said, "a state nobody reported"


@examples(250)
@given(
    st.lists(
        st.one_of(
            st.builds(
                delivery,
                st.integers(1, 4),
                version=st.integers(1, 3),
                recipient=st.sampled_from(["r1", "r2"]),
                must_answer=st.booleans(),
                routes=st.sampled_from([routes(), routes("sms"), routes("broadcast", "app")]),
            ),
            st.builds(lambda m: Tick(clock_at=T0 + m * MIN), st.integers(0, 90)),
            st.builds(
                Receipt,
                delivery=st.sampled_from(["d1", "d2", "d3", "d9"]),
                route=st.integers(-1, 3),
                attempt=st.integers(-1, 4),
                permanent=st.booleans(),
                state=st.sampled_from([*RANK, "failed", "expired", "superseded"]),
                receipt_at=st.just(T0 + MIN),
            ),
        ),
        max_size=40,
    )
)
def test_snapshots_carry_the_whole_memory_and_repeated_records_change_nothing(
    records: list[Any],
) -> None:
    one, two = Box(), Box()
    for r in records:
        first = [encode(x) for x in apply(RULES, one, r)]
        two = msgspec.msgpack.decode(msgspec.msgpack.encode(two), type=Box)
        assert [encode(x) for x in apply(RULES, two, r)] == first
        assert all(one.entries[i].done is False for i in one.open)
        if isinstance(r, (Tick, Delivery)):
            assert apply(RULES, one, r) == []
            two = msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Box)


def test_the_number_of_attempts_is_bounded() -> None:
    bound = len(RULES.retry_s) + 1 + 20 * 60 // RULES.retry_s[-1] + 100 * 60 // 300 + 1
    fails: list[Callable[[Attempt, int], list[Receipt]]] = [
        lambda a, at: [receipt(a, "failed", at)],
        lambda a, at: [receipt(a, "sent", at), receipt(a, "accepted", at)],
    ]
    for fail in fails:
        w = World()
        w.put(
            delivery(
                routes=routes("broadcast", "broadcast"),
                deadline_at=T0 + 20 * MIN,
                expires_at=T0 + 600 * MIN,
            )
        )
        tries = 0
        for at in range(T0, T0 + 120 * MIN, 1000):
            w.put(Tick(clock_at=at))
            for a in due(w.box, (), at):
                if a.delivery.id == "d1":
                    tries += 1
                    w.put(*fail(a, at))
        assert 2 < tries <= 2 * bound
        assert w.box.entries["d1"].state == "failed"


# --- call-outs, ways out, parts of a message

CALLS = RULES._replace(
    voice_retry_s=(40, 40), call_within_s=60, not_woken_to=(("boss", ("voice", "sms")),),
    signature="延庆防汛",
)  # fmt: skip


def call(w: World, at: int, *states: State) -> Attempt:
    a = w.one(at)
    for state in states:
        w.put(receipt(a, state, at))
    return a


def test_three_calls_in_five_minutes_and_then_the_duty_room_and_the_superior() -> None:
    w = World(CALLS)
    w.put(delivery(routes=routes("voice"), must_answer=True, deadline_at=T0 + 30 * MIN))
    begun = []
    for at in range(T0, T0 + 10 * MIN, 1000):
        w.put(Tick(clock_at=at))
        for a in due(w.box, (), at):
            if a.delivery.id == "d1":
                begun.append(at - T0)
                w.put(receipt(a, "accepted", at), receipt(a, "playing", at))  # hangs up unheard
    assert begun == [0, 100_000, 200_000]
    assert max(begun) + 60_000 <= 5 * MIN
    (told,) = w.notices()
    assert "not answered" in told.routes[0].text
    (boss,) = [d for d in w.log if isinstance(d, Delivery) and d.recipient == "boss"]
    assert "香屯村 r1" in boss.routes[0].text
    assert boss.routes[1].text.startswith("【延庆防汛】（演练）未叫应")
    assert boss.routes[1].segments >= 1
    assert not boss.must_answer


def test_only_the_key_after_the_whole_text_counts_as_answered() -> None:
    w = World(CALLS)
    w.put(delivery(routes=routes("voice"), must_answer=True))
    call(w, T0, "accepted", "playing")
    assert "d1" in w.box.open
    w.put(receipt(Attempt(w.box.entries["d1"].delivery, 0, 1, ""), "failed", T0))  # no key
    second = call(w, T0 + 40_000, "accepted", "playing", "answered")
    assert second.attempt == 2
    assert w.box.entries["d1"].state == "answered"
    assert w.notices() == []


def test_who_does_not_answer_stands_on_one_list() -> None:
    w = World(CALLS)
    for n in range(1, 20):
        w.put(delivery(n, routes=routes("voice"), must_answer=True))
    for n, a in enumerate(due(w.box, (), T0)):
        w.put(receipt(a, "failed", T0 + n * 1000, permanent=True))
    w.put(Tick(clock_at=T0 + 50_000))
    assert [d for d in w.log if isinstance(d, Delivery) and d.recipient == "boss"] == []
    w.put(Tick(clock_at=T0 + MIN))
    (boss,) = [d for d in w.log if isinstance(d, Delivery) and d.recipient == "boss"]
    assert "等共 19 人" in boss.routes[0].text
    assert w.box.missed == []


def health(up: bool, at: int) -> RouteHealth:
    return RouteHealth(
        channel="sms", carrier="m", up=up, checked_at=at, by="probe", detail="no connection"
    )


def test_a_way_that_dies_is_news_once_and_its_return_too() -> None:
    w = World()
    w.put(health(True, T0), health(False, T0 + 1), health(False, T0 + 2), health(True, T0 + 9000))
    told = [d.routes[0].text for d in w.notices()]
    assert len(told) == 2
    assert "IS DOWN" in told[0]
    assert "no connection" in told[0]
    assert "is back" in told[1]
    assert w.box.health["sms/m"].up


def test_a_message_of_parts_is_delivered_with_its_last_part() -> None:
    w = World()
    w.put(delivery())
    a = w.one()
    w.put(receipt(a, "accepted", refs=("m|1", "m|2", "m|3")))
    assert w.box.refs["m|2"] == ("d1", 0)
    for ref in ("m|2", "m|2", "m|1"):
        w.put(receipt(a, "delivered", refs=(ref,)))
        assert w.box.entries["d1"].state == "accepted"
    w.put(receipt(a, "delivered", refs=("m|3",)))
    assert w.box.entries["d1"].state == "delivered"


def test_a_repetition_by_hand_has_a_key_of_its_own() -> None:
    w = World()
    w.put(delivery())
    a = w.one()
    w.put(receipt(a, "accepted"))
    w.put(msgspec.structs.replace(delivery(), id="d1-again", again=1, asked_by="zhang"))
    b = w.one()
    assert b.delivery.id == "d1-again"
    assert b.key != a.key
    assert w.receipts("d1-again") == []
