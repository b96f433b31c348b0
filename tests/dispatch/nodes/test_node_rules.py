"""A loudspeaker's judgement in memory: the watchdog, urgency, mandates, time, and any order of
anything."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import Text
from config.records.level import Action, Level
from dispatch.nodes.judgement import PLAY_MS, TEST_EVERY_MS, TRIES, Node
from dispatch.nodes.memory import RED_FLOOR, Effect, Kept, Play, PublishState, Setup, Stop
from dispatch.nodes.protocol import (
    Beacon,
    Clause,
    Command,
    KeySet,
    Kind,
    Mandate,
    NodeAck,
    Noted,
    TrustedKey,
    sign,
)
from dispatch.nodes.trust import Moment, NodeTrust
from tests.support.examples import examples
from tests.support.node_hands import public_of

ROOT, SENDER, OTHER = b"r" * 32, b"s" * 32, b"o" * 32
T0 = 1_784_635_200_000  # 2026-07-21T12:00Z: no hour for self-tests
MIN = 60_000


def keys(*private: bytes, version: int = 1, **more: Any) -> KeySet:
    trusted = tuple(TrustedKey(public=public_of(p)) for p in private)
    return KeySet(kind="live", version=version, issued_at=T0 - MIN, keys=trusted, **more)


class Bench:
    """A node on the table, with a clock that the test turns."""

    def __init__(self, kind: Kind = "live", calendar: bool = True) -> None:
        trust = NodeTrust(
            root=public_of(ROOT), keys=msgspec.structs.replace(keys(SENDER), kind=kind)
        )
        self.kept, self.calendar, self.kind = Kept(trust=trust, tested_at=T0), calendar, kind
        self.run, self.skew = 1_000, 0
        self.effects: list[Effect] = []
        self.restart()

    @property
    def at(self) -> int:
        return T0 + self.run

    def moment(self) -> Moment:
        return Moment(self.run, self.at + self.skew if self.calendar else None)

    def restart(self) -> None:
        self.kept = msgspec.json.decode(msgspec.json.encode(self.kept), type=Kept)
        self.node = Node(Setup("N001", self.kind), self.kept, self.moment())

    def hear(self, message: Any, key: bytes = SENDER) -> list[Effect]:
        payload = message if isinstance(message, bytes) else sign(key, message)
        return self._did(self.node.hear(payload, self.moment()) + self.node.advance(self.moment()))

    def wait(self, ms: int) -> list[Effect]:
        self.run += ms
        return self._did(self.node.advance(self.moment()))

    def done(self, sounded: bool = True, detail: str = "") -> list[Effect]:
        assert self.node.playing is not None
        job = self.node.playing[0]
        found = self.node.finished(job, sounded, Text(detail, detail), self.moment())
        return self._did(found + self.node.advance(self.moment()))

    def _did(self, effects: list[Effect]) -> list[Effect]:
        self.effects += effects
        return effects

    def plays(self) -> list[Any]:
        return [e.job for e in self.effects if isinstance(e, Play)]


def acks(effects: list[Effect]) -> list[str]:
    return [
        f"{e.id} {e.state}{' ' + e.detail if e.state == 'refused' else ''}"
        for e in effects
        if isinstance(e, NodeAck)
    ]


def command(**more: Any) -> Command:
    fields: dict[str, Any] = {
        "id": "c1", "node": "N001", "alert": "a1", "version": 1, "area": "A01",
        "level": Level.YELLOW, "action": Action.NONE, "msg_type": "alert", "kind": "live",
        "text": "注意", "repeat": 2, "volume": 40, "issued_at": T0, "expires_at": T0 + 60 * MIN,
    }  # fmt: skip
    return Command(**{**fields, **more})


def mandate(**more: Any) -> Mandate:
    fields: dict[str, Any] = {
        "node": "N001", "kind": "live", "area": "A01", "hazard": "flash_flood", "issued_at": T0,
        "valid_from_at": T0, "valid_until_at": T0 + 86_400_000, "after_s": 600, "plays": 2,
        "gap_s": 1800, "repeat": 3, "volume": 50,
        "clauses": (
            Clause(quantity="rain", window_min=60, count=200, action=Action.PREPARE),
            Clause(quantity="rain", window_min=60, count=400, action=Action.MOVE),
            Clause(quantity="stage", window_min=0, count=2400, action=Action.MOVE),
        ),
        "prepare_text": "准备转移", "move_text": "立即转移",
    }  # fmt: skip
    return Mandate(**{**fields, **more})


def test_the_watchdog_ends_what_does_not_end() -> None:
    b = Bench()
    b.hear(command())
    assert b.wait(PLAY_MS) == []
    effects = b.wait(1)
    assert Stop("c1") in effects and acks(effects) == ["c1 failed"]
    assert acks(b.hear(command())) == ["c1 failed"]  # it has sounded long enough
    assert len(b.plays()) == 1


def test_a_text_that_could_not_be_said_may_be_tried_again() -> None:
    b = Bench()
    b.hear(command())
    assert acks(b.done(sounded=False, detail="player ended with 1")) == ["c1 failed"]
    assert acks(b.hear(command())) == ["c1 accepted", "c1 playing"]
    assert acks(b.done()) == ["c1 played"]
    assert acks(b.hear(command())) == ["c1 played"]


def test_the_more_urgent_interrupts_and_the_other_begins_anew() -> None:
    b = Bench()
    b.hear(command())
    effects = b.hear(command(id="c2", alert="a2", action=Action.MOVE))
    assert Stop("c1") in effects and acks(effects) == ["c2 accepted", "c2 playing"]
    assert acks(b.hear(command(id="c3", alert="a3", level=Level.BLUE))) == ["c3 accepted"]
    assert acks(b.done()) == ["c2 played", "c1 playing"]
    assert acks(b.done()) == ["c1 played", "c3 playing"]


@pytest.mark.parametrize(
    ("more", "floor"),
    [({"level": Level.RED}, RED_FLOOR), ({"action": Action.MOVE}, RED_FLOOR), ({}, 40)],
)
def test_red_is_never_quiet(more: dict[str, Any], floor: int) -> None:
    b = Bench()
    b.hear(command(**more))
    assert b.plays()[0].volume == floor


def test_a_newer_version_takes_the_place_of_the_older() -> None:
    b = Bench()
    b.hear(command())
    effects = b.hear(command(id="c2", version=2))
    assert Stop("c1") in effects
    assert acks(effects) == ["c1 failed", "c2 accepted", "c2 playing"]
    assert [j.id for j in b.kept.jobs] == ["c2"]


def test_power_lost_again_and_again_ends_somewhere() -> None:
    b = Bench()
    b.hear(command())
    for _ in range(TRIES - 1):
        b.restart()
        assert acks(b.wait(1)) == ["c1 playing"]
    b.restart()
    assert acks(b.wait(1)) == ["c1 failed"] and b.kept.jobs == []


def test_what_waited_too_long_is_not_said() -> None:
    b = Bench()
    b.hear(command(action=Action.MOVE))
    b.hear(command(id="c2", alert="a2", expires_at=T0 + 2 * MIN))
    assert "c2 failed" in acks(b.wait(2 * MIN))
    assert acks(b.done()) == ["c1 played"]


def test_alone_only_after_the_silence_and_within_the_plays() -> None:
    b = Bench()
    b.hear(mandate())
    b.node.measured("rain", 250, b.moment())
    assert b.wait(599_000) == [] and b.plays() == []
    effects = b.wait(2_000)
    (told,) = [e for e in effects if isinstance(e, PublishState)]
    assert (told.report.state, told.report.action) == ("playing", Action.PREPARE)
    assert b.plays()[-1].text == "准备转移" and b.plays()[-1].volume == RED_FLOOR
    b.done()
    b.node.measured("rain", 10, b.moment())
    assert not [e for e in b.wait(MIN) if isinstance(e, Play)]  # the gap
    b.node.measured("rain", 200, b.moment())
    b.wait(1)
    assert b.plays()[-1].text == "立即转移"  # a higher order waits for no gap
    b.done()
    for _ in range(100):
        b.node.measured("rain", 100, b.moment())
        b.wait(MIN)
    assert len(b.plays()) == 2


def test_a_stage_counts_while_it_is_fresh_and_the_impossible_never() -> None:
    b = Bench()
    b.hear(mandate())
    assert not b.node.measured("rain", -1, b.moment())
    assert not b.node.measured("rain", 10**6, b.moment())
    assert not b.node.measured("anger", 1, b.moment())
    b.node.measured("stage", 2500, b.moment())
    b.wait(31 * MIN)
    assert b.plays() == []
    b.node.measured("stage", 2399, b.moment())
    b.wait(1)
    assert b.plays() == []
    b.node.measured("stage", 2400, b.moment())
    b.wait(1)
    assert [j.text for j in b.plays()] == ["立即转移"]


def test_a_loss_of_power_in_an_act_neither_forgets_nor_multiplies_it() -> None:
    b = Bench()
    b.hear(mandate(plays=1))
    b.node.measured("rain", 500, b.moment())
    b.wait(601_000)
    b.restart()
    b.wait(1)
    assert [j.id for j in b.plays()] == [f"N001-{T0}-1"] * 2
    b.done()
    for _ in range(3):
        b.restart()
        b.wait(20 * MIN)
    assert len(b.plays()) == 2
    assert [r.state for r in b.kept.alone.reports] == ["played"]
    b.hear(Noted(node="N001", kind="live", acts=(f"N001-{T0}-1/playing",)))
    assert len(b.kept.alone.reports) == 1
    b.hear(Noted(node="N001", kind="live", acts=(f"N001-{T0}-1/played",)))
    assert b.kept.alone.reports == []


def test_after_an_act_the_centre_confirms_corrects_or_cancels() -> None:
    def acted() -> Bench:
        b = Bench()
        b.hear(mandate())
        b.node.measured("rain", 500, b.moment())
        b.wait(601_000)
        b.done()
        return b

    b = acted()
    b.hear(command(action=Action.MOVE, repeat=5))
    last = b.plays()[-1]
    assert (
        (last.repeat, last.siren) == (1, False)
        and last.text.endswith("注意")
        and len(last.text) > 2
    )
    b = acted()
    effects = b.hear(command(action=Action.PREPARE))
    assert acks(effects) == ["c1 refused said_more"]
    b.wait(1000)
    assert acks(b.hear(command(id="c2", action=Action.PREPARE, issued_at=b.at))) == [
        "c2 accepted",
        "c2 playing",
    ]
    b = acted()
    effects = b.hear(command(msg_type="cancel", level=Level.NONE, issued_at=b.at))
    assert acks(effects) == ["c1 accepted", "c1 playing"]
    b.done()
    b.wait(60 * MIN)
    assert len(b.plays()) == 2


def test_a_cancel_silences_an_act_that_sounds() -> None:
    b = Bench()
    b.hear(mandate())
    b.node.measured("rain", 500, b.moment())
    b.wait(601_000)
    effects = b.hear(command(msg_type="cancel", level=Level.NONE, issued_at=b.at))
    assert isinstance(effects[0], Stop)
    assert [r.state for r in b.kept.alone.reports] == ["failed"]


def test_rain_before_a_cancel_raises_nothing_after_it() -> None:
    b = Bench()
    b.hear(mandate())
    b.node.measured("rain", 500, b.moment())
    b.wait(MIN)
    b.hear(command(msg_type="cancel", level=Level.NONE, issued_at=b.at))
    b.done()
    b.wait(11 * MIN)
    assert len(b.plays()) == 1
    b.node.measured("rain", 400, b.moment())
    b.wait(1)
    assert [j.source for j in b.plays()] == ["command", "mandate"]


def test_a_key_set_is_never_rolled_back() -> None:
    b = Bench()
    b.hear(sign(ROOT, keys(OTHER, version=3)))
    for version in (2, 3):
        b.hear(sign(ROOT, keys(SENDER, version=version)))
        assert acks(b.hear(command())) == []
    broken = KeySet(kind="live", version=4, issued_at=T0, keys=(TrustedKey(public="abc"),))
    b.hear(sign(ROOT, broken))
    assert b.kept.trust.keys.version == 3


def test_a_recorded_beacon_moves_nothing() -> None:
    b = Bench(calendar=False)
    b.hear(Beacon(kind="live", beacon_at=b.at))
    assert acks(b.hear(command())) == ["c1 refused no_time"]
    b.hear(Beacon(kind="live", beacon_at=b.at, nonce=b.node.hello("n").nonce))
    b.wait(20 * MIN)
    b.hear(Beacon(kind="live", beacon_at=b.at - 10 * MIN))
    assert b.node.now(b.moment())[0] == b.at


def test_it_tests_itself_once_a_week_by_day() -> None:
    b = Bench()
    b.wait(TEST_EVERY_MS)  # noon UTC is evening in China
    assert b.plays() == []
    b.wait(14 * 60 * MIN)  # 02:00 UTC
    assert [j.source for j in b.plays()] == ["self_test"]
    b.done()
    assert b.node.status()["self_test"] == 1
    b.wait(60 * MIN)
    assert len(b.plays()) == 1


def test_a_centre_whose_clock_ran_ahead_is_heard_again_by_a_new_key_set() -> None:
    b = Bench()
    ahead = Beacon(kind="live", beacon_at=b.at + 365 * 86_400_000)
    b.hear(ahead)
    assert acks(b.hear(command())) == ["c1 refused expired"]
    b.hear(sign(ROOT, keys(SENDER, version=2)))
    nonce = b.node.hello("n1").nonce
    b.hear(Beacon(kind="live", beacon_at=b.at, nonce=nonce))
    assert acks(b.hear(command())) == ["c1 accepted", "c1 playing"]


def test_the_root_key_changes_by_its_own_word() -> None:
    b = Bench()
    b.hear(sign(ROOT, keys(SENDER, version=2, root=public_of(OTHER))))
    b.hear(sign(ROOT, keys(OTHER, version=3)))
    assert b.kept.trust.keys.version == 2
    b.hear(sign(OTHER, keys(OTHER, version=3)))
    assert b.kept.trust.keys.version == 3
    assert acks(b.hear(command())) == []
    assert acks(b.hear(command(), OTHER)) == ["c1 accepted", "c1 playing"]


def test_the_floor_of_the_time_outlives_the_power() -> None:
    b = Bench(calendar=False)
    b.hear(Beacon(kind="live", beacon_at=b.at, nonce=b.node.hello("n").nonce))
    recorded = Beacon(kind="live", beacon_at=b.at - 1, nonce="m")
    b.restart()
    b.node.hello("m")
    b.hear(recorded)
    assert acks(b.hear(command())) == ["c1 refused no_time"]


WORDS = st.one_of(
    st.builds(
        command,
        id=st.sampled_from(["c1", "c2", "c3", "c4"]),
        alert=st.sampled_from(["a1", "a2"]),
        version=st.integers(1, 3),
        node=st.sampled_from(["N001", "N001", "N001", "N002"]),
        kind=st.sampled_from(["live", "live", "live", "exercise"]),
        level=st.sampled_from(list(Level)),
        action=st.sampled_from(list(Action)),
        msg_type=st.sampled_from(["alert", "update", "cancel"]),
        issued_at=st.integers(T0, T0 + 30 * MIN),
        expires_at=st.sampled_from([T0 + 5 * MIN, T0 + 60 * MIN]),
    ),
    st.builds(mandate, issued_at=st.integers(T0, T0 + 5), plays=st.integers(0, 2)),
    st.builds(lambda at: Beacon(kind="live", beacon_at=at), st.integers(T0 - MIN, T0 + 90 * MIN)),
    st.just(b"{}"),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), st.tuples(WORDS, st.sampled_from([SENDER, SENDER, OTHER]))),
        st.tuples(st.just("wait"), st.integers(1, 15 * MIN)),
        st.tuples(st.just("done"), st.booleans()),
        st.tuples(st.just("rain"), st.integers(0, 500)),
        st.tuples(st.just("restart"), st.none()),
    ),
    max_size=40,
)


@examples(300)
@given(STEPS)
def test_whatever_comes_in_whatever_order(steps: list[tuple[str, Any]]) -> None:
    """Only what the sender signed for this node in time is said, each alert's versions only rise,
    an act stays within its mandate, and nothing is ever said twice but for a loss of power."""
    b = Bench()
    good: dict[tuple[str, str], Command] = {}
    restarts = 0
    mandates: dict[int, Mandate] = {}
    acted: set[str] = set()
    highest: dict[str, int] = {}
    ended: set[str] = set()
    for what, arg in steps:
        before = len(b.effects)
        if what == "hear":
            message, key = arg
            if key == SENDER and isinstance(message, Command):
                good[message.id, message.text] = message
            if key == SENDER and isinstance(message, Mandate):
                mandates[message.issued_at] = message
            b.hear(message, key)
        elif what == "wait":
            b.wait(arg)
        elif what == "done" and b.node.playing is not None:
            b.done(sounded=arg)
        elif what == "rain":
            b.node.measured("rain", arg, b.moment())
        elif what == "restart":
            restarts += 1
            b.restart()
        for e in b.effects[before:]:
            if isinstance(e, Play) and e.job.source == "mandate":
                acted.add(e.job.id)
            elif isinstance(e, Play):
                assert e.job.id in {i for i, _ in good} and e.job.id not in ended
                assert e.job.version >= highest.get(e.job.alert, 0)
            if isinstance(e, NodeAck) and e.state == "accepted":
                c = next(j for j in [*b.kept.jobs, *b.plays()] if j.id == e.id)
                assert c.version >= highest.get(c.alert, 0)
                highest[c.alert] = c.version
            if isinstance(e, NodeAck) and e.state == "played":
                ended.add(e.id)
    by_mandate: dict[int, set[str]] = {}
    for act in acted:
        by_mandate.setdefault(int(act.split("-")[1]), set()).add(act)
    for issued, acts in by_mandate.items():
        assert len(acts) <= mandates[issued].plays
    assert len(b.kept.jobs) <= len(good) + 1
