"""What every loudspeaker must do, over a real broker: the simulator's, and `fengsui node` as a
process. A maker of terminals can run the same against theirs (docs/nodes.md)."""

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.records.level import Action, Level
from dispatch.nodes.protocol import MAX_BYTES, Beacon, Clause, SelfTest, TrustedKey, sign
from dispatch.nodes.seal import seal
from stream.mqtt.broker import Broker, start_broker
from tests.support.node_hands import (
    DAY,
    AgentProcess,
    Centre,
    Simulated,
    Terminal,
    now_ms,
    public_of,
)
from tests.support.servers import Mosquitto, free_port

pytestmark = pytest.mark.servers

OTHER = b"o" * 32


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """mosquitto where it is, else the embedded broker."""
    folder = tmp_path_factory.mktemp("broker")
    if shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin"):
        found: Mosquitto | Broker = Mosquitto(folder).start()
    else:
        found = start_broker(folder, free_port())
    yield found.url
    found.stop()


@pytest.fixture
def centre(url: str) -> Iterator[Centre]:
    found = Centre(url)
    yield found
    found.mqtt.close()


Make = Callable[..., Terminal]


@pytest.fixture(params=["simulator", "agent"])
def make(
    request: pytest.FixtureRequest, url: str, tmp_path: Path, centre: Centre
) -> Iterator[Make]:
    kind = Simulated if request.param == "simulator" else AgentProcess
    made: list[Terminal] = []

    def start(calendar: bool = True) -> Terminal:
        made.append(kind(url, tmp_path, centre.district, calendar))
        made[-1].start()
        centre.until(lambda: centre.hellos, "hello")
        first = centre.command(text="好", level=Level.YELLOW, action=Action.NONE)
        while "played" not in centre.states(first.id):  # until it has the time, as the outbox does
            centre.to(first)
            centre.rest(0.5)
        return made[-1]

    yield start
    for terminal in made:
        terminal.kill()


def again(terminal: Terminal, centre: Centre) -> None:
    """Loses its power and comes back."""
    terminal.kill()
    count = len(centre.hellos)
    terminal.start()
    centre.until(lambda: len(centre.hellos) > count, "hello after the restart")


def caught_up(centre: Centre, key: bytes = b"") -> None:
    """Until it has acted on all that was sent to it: it answers in the order in which it hears."""
    last = centre.command(kind="exercise")
    centre.to(last, key)
    centre.until(lambda: centre.states(last.id), "an answer")


def test_it_says_what_it_is_told_and_how_far_it_came(make: Make, centre: Centre) -> None:
    began_at = now_ms()
    make()
    c = centre.order()
    centre.played(c)
    assert centre.states(c.id) == ["accepted", "playing", "played"]
    assert all(began_at - 60_000 < a["at"] < now_ms() + 60_000 for a in centre.acks)


def test_what_it_refuses_and_what_it_does_not_even_answer(make: Make, centre: Centre) -> None:
    terminal = make()
    before = len(terminal.sounds())
    strange = centre.order(node="N002")
    drill = centre.command(kind="exercise")
    centre.to(drill)
    late = centre.order(expires_at=centre.now() - 60_000)
    forged = centre.command()
    true = centre.to(centre.command(id="changed"), OTHER)
    centre.to(forged, OTHER)
    for rubbish in (
        b"",
        b"{}",
        b"\xff\x00",
        true[:100],
        true[:-3] + b'"}',
        b"[" * 50_000,
        sign(centre.sender, centre.command(id="huge", text="转" * MAX_BYTES)),
        sign(centre.sender, Beacon(kind="live", beacon_at=1)).replace(b"beacon", b"command", 1),
    ):
        centre.say("node/N001/command", rubbish)
    good = centre.order()
    centre.played(good)
    assert centre.states(strange.id) == ["refused wrong_node"]
    assert centre.states(drill.id) == ["refused wrong_kind"]
    assert centre.states(late.id) == ["refused expired"]
    assert centre.states(forged.id) == centre.states("changed") == centre.states("huge") == []
    assert len(terminal.sounds()) == before + 1


def test_an_exercise_cannot_sound_on_a_live_node(make: Make, centre: Centre) -> None:
    """Not on its own topics, not on the live ones, not with the live sender's very key."""
    terminal = make()
    before = len(terminal.sounds())
    c = centre.command(kind="exercise")
    for topic in (f"fengsui/exercise/{centre.district}", centre.prefix):
        for key in (centre.sender, OTHER):
            centre.mqtt.publish(f"{topic}/node/N001/command", sign(key, c))
    body = sign(centre.sender, c)
    centre.say("node/N001/command", body.replace(b'"kind":"exercise"', b'"kind":"live"'))
    centre.played(centre.order())
    assert set(centre.states(c.id)) == {"refused wrong_kind"}
    assert len(terminal.sounds()) == before + 1


def test_a_replayed_command_is_answered_and_not_said_again(make: Make, centre: Centre) -> None:
    terminal = make()
    c = centre.command()
    payload = centre.to(c)
    centre.played(c)
    count = len(terminal.sounds())
    centre.say("node/N001/command", payload)
    centre.until(lambda: centre.states(c.id).count("played") == 2, "told again")
    again(terminal, centre)
    centre.say("node/N001/command", payload)
    centre.until(lambda: centre.states(c.id).count("played") == 3, "told after a restart")
    assert len(terminal.sounds()) == count


def test_a_lower_version_never_comes_after_a_higher(make: Make, centre: Centre) -> None:
    terminal = make()
    high = centre.order(alert="x", version=3)
    centre.played(high)
    low = centre.order(alert="x", version=2)
    centre.until(lambda: centre.states(low.id), "an answer")
    again(terminal, centre)
    lower = centre.order(alert="x", version=1)
    centre.until(lambda: centre.states(lower.id), "an answer")
    assert {*centre.states(low.id), *centre.states(lower.id)} == {"refused older_version"}


@pytest.mark.parametrize("ahead", [DAY, -DAY], ids=["a day slow", "a day fast"])
def test_a_clock_wrong_by_a_day_is_set_by_the_beacon(
    make: Make, centre: Centre, ahead: int
) -> None:
    centre.ahead = ahead
    make()
    c = centre.order()
    centre.played(c)
    assert abs(centre.acks[-1]["at"] - centre.now()) < 60_000
    stale = centre.order(expires_at=centre.now() - 60_000)
    centre.until(lambda: centre.states(stale.id), "an answer")
    assert centre.states(stale.id) == ["refused expired"]


def test_without_a_clock_only_a_fresh_beacon_counts(make: Make, centre: Centre) -> None:
    terminal = make(calendar=False)
    recorded = centre.beacon()
    centre.rest(0.3)
    centre.answers = False
    again(terminal, centre)
    for payload in (
        recorded,
        sign(OTHER, Beacon(kind="live", beacon_at=centre.now(), nonce=centre.hellos[-1]["nonce"])),
        sign(centre.sender, Beacon(kind="live", beacon_at=centre.now(), nonce="guessed")),
        sign(centre.sender, Beacon(kind="exercise", beacon_at=centre.now() + DAY)),
    ):
        centre.say("beacon", payload)
    first = centre.order()
    centre.until(lambda: centre.states(first.id), "an answer")
    assert centre.states(first.id) == ["refused no_time"]
    centre.answers = True
    centre.answer(centre.hellos[-1])
    second = centre.order()
    centre.played(second)
    centre.to(first)  # the outbox tries again
    centre.played(first)


def test_an_old_beacon_takes_no_time_back(make: Make, centre: Centre) -> None:
    make(calendar=False)
    old = sign(centre.sender, Beacon(kind="live", beacon_at=centre.now() - 400_000))
    stale = centre.command(expires_at=centre.now() - 60_000)
    centre.say("beacon", old)
    centre.to(stale)
    centre.until(lambda: centre.states(stale.id), "an answer")
    assert centre.states(stale.id) == ["refused expired"]


def test_keys_are_rotated_revoked_and_never_rolled_back(make: Make, centre: Centre) -> None:
    terminal = make()
    old, new = TrustedKey(public=public_of(centre.sender)), TrustedKey(public=public_of(OTHER))
    overlap = centre.set_keys(
        new, TrustedKey(public=old.public, until_at=centre.now() + 600_000), version=2
    )
    for key in (centre.sender, OTHER):
        c = centre.command()
        centre.to(c, key)
        centre.played(c)
    centre.set_keys(new, version=3)
    refused = [centre.command() for _ in range(3)]
    for c, attack in zip(
        refused,
        (b"", overlap, centre.set_keys(old, version=9, root=OTHER)),  # the last: not by the root
        strict=True,
    ):
        if attack:
            centre.say("keys", attack)
        centre.to(c, centre.sender)
    thief, centre.sender = centre.sender, OTHER
    good = centre.order()
    centre.played(good)
    again(terminal, centre)
    assert centre.hellos[-1]["keys"] == 3
    late = centre.command()
    centre.to(late, thief)
    good = centre.order()
    centre.played(good)
    assert [centre.states(c.id) for c in (*refused, late)] == [[]] * 4


def test_a_sealed_command_is_for_one_node_alone(make: Make, centre: Centre) -> None:
    terminal = make()
    key = bytes.fromhex(terminal.box_key())
    c, other = centre.command(), centre.command()
    sealed = seal(key, "N001", sign(centre.sender, c), b"1" * 32)
    assert c.text.encode() not in sealed
    centre.say("node/N001/command", sealed)
    centre.say("node/N001/command", seal(key, "N002", sign(centre.sender, other), b"2" * 32))
    centre.say("node/N001/command", sealed[:-40] + sealed[-38:])
    # a seal proves nothing: what is inside must be signed
    centre.say("node/N001/command", seal(key, "N001", sign(OTHER, other), b"3" * 32))
    centre.played(c)
    assert centre.states(other.id) == []


def test_cut_off_it_acts_on_its_own_gauge_as_often_as_it_may(make: Make, centre: Centre) -> None:
    terminal = make()
    before = len(terminal.sounds())
    centre.to(centre.mandate(plays=2, gap_s=3600))
    caught_up(centre)
    terminal.rain(31.0)
    centre.until(lambda: len(terminal.sounds()) == before + 1, "sounds alone")
    terminal.rain(50.0)
    centre.until(lambda: any(r.state == "played" for r in centre.read(terminal.sign_key)), "told")
    (report, *_) = [r for r in centre.read(terminal.sign_key) if r.state == "played"]
    assert (report.node, report.area, report.action) == ("N001", "A01", Action.MOVE)
    assert (report.quantity, report.window_min, report.count) == ("rain", 10, 310)
    assert report.text == "立即转移" and report.lost_at < report.began_at
    centre.rest(1.5)
    assert len(terminal.sounds()) == before + 1  # the gap
    again(terminal, centre)
    count = len(centre.reports)
    centre.until(lambda: len(centre.reports) > count, "told again after a restart")
    centre.note(report)
    caught_up(centre)
    count = len(centre.reports)
    again(terminal, centre)
    centre.rest(1.0)
    assert len(centre.reports) == count
    # the district's own order for the same: said once, as a confirmation; a lesser one from before
    # the act is not said at all
    stale = centre.order(action=Action.PREPARE, issued_at=report.began_at - 1)
    same = centre.order(repeat=5)
    centre.played(same)
    assert centre.states(stale.id) == ["refused said_more"]


@pytest.mark.parametrize(
    "flaw", ["forged", "expired", "not yet", "exercise", "another node", "no plays", "older"]
)
def test_a_mandate_that_does_not_count(make: Make, centre: Centre, flaw: str) -> None:
    terminal = make()
    before, at = len(terminal.sounds()), centre.now()
    changes = {
        "expired": {"valid_until_at": at - 60_000},
        "not yet": {"valid_from_at": at + DAY // 2},
        "exercise": {"kind": "exercise"},
        "another node": {"node": "N002"},
        "no plays": {"plays": 0},
    }.get(flaw, {})
    if flaw == "older":
        centre.to(centre.mandate(clauses=()))
        changes = {"issued_at": at - 1}
    centre.to(centre.mandate(**changes), OTHER if flaw == "forged" else b"")
    caught_up(centre)
    terminal.rain(99.0)
    centre.rest(2.5)
    assert len(terminal.sounds()) == before
    assert centre.reports == []


def test_a_mandate_ends_with_the_key_that_signed_it(make: Make, centre: Centre) -> None:
    terminal = make()
    before = len(terminal.sounds())
    centre.to(centre.mandate())
    centre.set_keys(TrustedKey(public=public_of(OTHER)), version=2)
    caught_up(centre, OTHER)
    terminal.rain(99.0)
    centre.rest(2.5)
    assert len(terminal.sounds()) == before


def test_while_the_centre_is_heard_it_does_nothing_alone(make: Make, centre: Centre) -> None:
    terminal = make()
    before = len(terminal.sounds())
    centre.beacon()
    centre.to(centre.mandate(after_s=6))  # longer than a busy machine stands still
    terminal.rain(99.0)
    for _ in range(16):
        centre.beacon()
        centre.rest(0.5)
    assert len(terminal.sounds()) == before
    centre.until(lambda: len(terminal.sounds()) == before + 1, "sounds when it is cut off")


def test_the_centres_cancel_wins(make: Make, centre: Centre) -> None:
    """What fell before the cancel raises nothing any more, though it is enough; what falls after it
    may."""
    terminal = make()
    before = len(terminal.sounds())
    clause = Clause(quantity="rain", window_min=10, count=300, action=Action.MOVE)
    centre.to(centre.mandate(plays=3, gap_s=3600, clauses=(clause,)))
    terminal.rain(40.0)
    centre.until(lambda: len(terminal.sounds()) == before + 1, "enough")
    centre.until(lambda: any(r.state == "played" for r in centre.read(terminal.sign_key)), "told")
    cancel = centre.order(msg_type="cancel", level=Level.NONE, action=Action.NONE, text="解除")
    centre.played(cancel)
    count = len(terminal.sounds())
    centre.rest(2.5)
    assert len(terminal.sounds()) == count
    terminal.rain(31.0)
    centre.until(lambda: len(terminal.sounds()) == count + 1, "new rain")


def test_a_self_test_is_short_and_its_result_is_told(make: Make, centre: Centre) -> None:
    terminal = make()
    before, at = len(terminal.sounds()), centre.now()
    test = SelfTest(id="t1", node="N001", kind="live", issued_at=at, expires_at=at + 60_000)
    payload = sign(centre.sender, test)
    centre.say("node/N001/command", payload)
    centre.until(lambda: any(s.get("self_test") == 1 for s in centre.status), "told")
    count = len(terminal.sounds())
    assert count == before + 1
    centre.say("node/N001/command", payload)
    centre.rest(1.0)
    assert len(terminal.sounds()) == count
    assert {"key_set", "refused_commands"} <= centre.status[-1].keys()


def test_no_power_at_any_moment_loses_or_repeats_anything_unsafe(
    make: Make, centre: Centre, tmp_path: Path
) -> None:
    """Killed at random moments while commands come: each is said at least once in the end, and
    none of those that must not be."""
    terminal = make()
    rng = random.Random(6)
    orders, never = [], []
    for n in range(6):
        orders.append(centre.order(alert=f"kill-{n}", version=2))
        never.append(centre.order(alert=f"kill-{n}", version=1, level=Level.BLUE))
        never.append(centre.order(kind="exercise"))
        time.sleep(rng.uniform(0.0, 0.5))
        centre.listen()
        again(terminal, centre)
    for c in orders:
        centre.to(c)  # as the outbox does when nothing was heard
        centre.played(c)
    centre.rest(1.0)
    for c in never:
        assert not {"accepted", "playing", "played"} & set(centre.states(c.id))
    count = len(terminal.sounds())
    for c in orders:
        centre.to(c)
    centre.rest(1.5)
    assert len(terminal.sounds()) == count
