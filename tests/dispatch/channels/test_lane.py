"""The pace and the breaker of one carrier, in time that the test makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from config.load import load
from dispatch.channels import Parcel, SendError, SendResult
from dispatch.channels.failover import Carriers, Leg
from dispatch.channels.rate_and_breaker import Lane
from tests.support.channels import ROOT, ROUTE, delivery
from tests.support.examples import examples, tried


@examples()
@given(
    st.floats(0.5, 500),
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 3), st.integers(1, 5)), max_size=80),
)
def test_no_more_than_the_rate_goes_out(
    rate: float, burst: int, asks: list[tuple[float, int]]
) -> None:
    lane, now, sent = Lane(rate, burst), 0.0, list[tuple[float, int]]()
    for pause, cost in asks:
        now += pause
        if lane.wait_s(now) <= 0:
            lane.begin(now, cost)
            sent.append((now, cost))
    for n, (start, _) in enumerate(sent):
        for m in range(n, len(sent)):
            out = sum(cost for _, cost in sent[n : m + 1])
            assert out <= rate * (sent[m][0] - start) + burst + sent[m][1] + 1e-6


@examples()
@given(st.floats(0.5, 500), st.integers(1, 9))
def test_who_waits_as_long_as_said_is_served(rate: float, cost: int) -> None:
    lane = Lane(rate)
    lane.begin(0.0, cost)
    wait_s = lane.wait_s(0.0)
    assert lane.wait_s(wait_s + 1e-6) <= 1e-6


def test_a_lane_without_a_rate_never_waits() -> None:
    lane = Lane()
    for _ in range(1000):
        assert lane.wait_s(5.0) == 0
        lane.begin(5.0, 3)


def test_busy_is_waited_out_twice_as_long_each_time() -> None:
    lane = Lane()
    waits = []
    now = 0.0
    for _ in range(7):
        lane.busy(now)
        lane.busy(now)  # the others that were under way
        waits.append(lane.wait_s(now))
        now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    lane.succeeded()
    lane.busy(now + 100)
    assert lane.wait_s(now + 100) == 1


class Breaker(RuleBasedStateMachine):
    """Whatever happens: open after enough failures in a row, one trial at a time after a pause."""

    def __init__(self) -> None:
        super().__init__()
        self.lane, self.now = Lane(fails=3, cool_s=10), 0.0
        self.in_a_row, self.opened, self.trying = 0, -1.0, False

    @rule(s=st.floats(0, 15))
    def wait(self, s: float) -> None:
        self.now += s

    @precondition(lambda self: self.lane.health(self.now) != "down")
    @rule()
    def begin(self) -> None:
        self.trying = self.opened >= 0
        self.lane.begin(self.now)

    @rule(probe=st.booleans())
    def fails(self, probe: bool) -> None:
        self.in_a_row += 1
        if probe or self.opened >= 0 or self.in_a_row >= 3:
            self.opened, self.trying = self.now, False
        self.lane.failed(self.now, probe=probe)

    @rule()
    def succeeds(self) -> None:
        self.in_a_row, self.opened, self.trying = 0, -1.0, False
        self.lane.succeeded()

    @invariant()
    def health(self) -> None:
        if self.opened < 0:
            assert self.lane.health(self.now) == "up"
        elif self.trying or self.now < self.opened + 10:
            assert self.lane.health(self.now) == "down"
        else:
            assert self.lane.health(self.now) == "trial"


TestBreaker = Breaker.TestCase
TestBreaker.settings = tried(100)


class Takes:
    """A carrier that takes everything, or fails as told."""

    def __init__(self, name: str, error: SendError | None = None) -> None:
        self.name, self.error, self.taken = name, error, list[str]()

    def send(self, parcel: Parcel) -> SendResult:
        if self.error is not None:
            raise self.error
        self.taken.append(parcel.key)
        return SendResult("accepted")

    def probe(self) -> bool:
        return False

    def close(self) -> None: ...


def test_a_channel_keeps_the_rate_and_says_how_long_to_wait() -> None:
    now = 100.0
    one = Takes("one")
    way = Carriers(
        load(ROOT / "config" / "yanqing"), "sms", [Leg(one, Lane(20.0))], lambda: 1, lambda: now
    )
    while len(one.taken) < 30:
        try:
            way.send(delivery("C-0001"), ROUTE, str(len(one.taken)))
        except SendError as e:
            assert e.wait_s == pytest.approx(way.wait_s())
            now += e.wait_s
    assert now - 100.0 == pytest.approx(29 / 20)


def test_a_busy_carrier_is_passed_over_and_a_dead_one_is_given_a_rest() -> None:
    now = 100.0
    busy = Takes("busy", SendError("slower", wait_s=1.0))
    dead = Takes("dead", SendError("no answer"))
    good = Takes("good")
    legs = [Leg(busy, Lane()), Leg(dead, Lane(fails=2)), Leg(good, Lane())]
    way = Carriers(load(ROOT / "config" / "yanqing"), "sms", legs, lambda: 1, lambda: now)
    said: list[tuple[str, str]] = []
    way.told = lambda name, health, words: said.append((name, health))
    for n in range(5):
        assert way.send(delivery("C-0001"), ROUTE, str(n)).detail == "good"
    assert said == [("dead", "down")]
    dead.error, now = None, now + 31
    way.send(delivery("C-0001"), ROUTE, "again")
    assert said[-1] == ("dead", "up") or dead.taken == []
    good.error = SendError("gone")
    for n in range(10):
        way.send(delivery("C-0001"), ROUTE, f"x{n}")
    assert dead.taken
