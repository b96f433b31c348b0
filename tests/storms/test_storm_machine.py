"""The storm machine: the same seed is the same storm to the byte, each promise can be seen to break, and a few
storms of every night's kind break none."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from dispatch.channels.failover import Carriers
from dispatch.decide import stage as decide_stage
from dispatch.ledger import writer
from dispatch.records import Receipt
from dispatch.send.outbox import apply as outbox
from dispatch.send.receipts import Receipts
from dispatch.send.stage import Send
from fengsui.cli.operate.storms import storms
from fengsui.storms.campaign import (
    Campaign,
    Outcome,
    again,
    campaign,
    fewer,
    smallest,
    weathered,
)
from fengsui.storms.ground import ground
from fengsui.storms.invariants import PROMISES
from fengsui.storms.machine import Machine
from fengsui.storms.plan import KINDS, RUNNERS, Burst, Fault, Storm, draw
from ingest.stage import Intake
from stream.log.memory import MemoryConsumer
from stream.log.port import Step
from stream.stages import stage_memory

Patch = pytest.MonkeyPatch


def storm(*faults: Fault, act: str = "release", steps: int = 34, late: bool = False) -> Storm:
    """Heavy rain over both villages, and what befalls the line in it."""
    rain = (Burst("V01", 2, 14, 2.4), Burst("V02", 4, 10, 1.6))
    habits = {"O-01": (2, act), "O-02": (2, act), "O-03": (3, act)}
    return Storm(6, steps, rain, habits, late, tuple(faults))  # one that is replayed


def test_a_storm_without_a_fault_breaks_nothing_and_warns() -> None:
    found = weathered(storm())
    assert found.broken == {}
    for state in ("asked", "two persons", "moved", "played", "answered"):
        assert found.reached[state], state


@pytest.mark.parametrize("seed", [3, 8, 46])
def test_the_same_seed_is_the_same_storm_to_the_byte(seed: int) -> None:
    first = weathered(draw(seed))
    assert weathered(draw(seed)).digest == first.digest
    code = f"from fengsui.storms.campaign import *; print(weathered(draw({seed})).digest)"
    other = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert other.stdout.strip() == first.digest, other.stderr


def test_every_fault_can_strike_and_breaks_nothing() -> None:
    for kind, row in KINDS.items():
        for who in row.whom[:2]:
            nth = 2 if row.deep else 1
            found = weathered(storm(Fault(8, kind, who, nth, min(row.most, 6)), late=True))
            assert found.injected[kind] == 1, (kind, who)
            assert found.broken == {}, (kind, who)


@pytest.mark.parametrize(("step", "late"), [(4, False), (5, True), (9, False)])
def test_a_sender_that_stood_still_while_another_took_over_sends_nothing_old(
    step: int, late: bool
) -> None:
    """It wakes with attempts that waited for a carrier; the other member has sent them, or newer ones."""
    out, still = Fault(step, "down", "", 1, 6), Fault(step + 2, "freeze", "send", 1, 7)
    found = weathered(storm(out, still, late=late))
    assert found.reached["woke"]
    assert found.broken == {}


def test_a_later_version_comes_stage_by_stage_in_a_storm_and_this_one_comes_back(
    monkeypatch: Patch,
) -> None:
    """It takes over what this one remembers; what it remembers itself this one refuses in words, reads the log
    anew, and nothing is lost, doubled or other than it was."""
    monkeypatch.setenv("FENGSUI_LANG", "en")
    upgraded, said = storm(Fault(10, "upgrade", "", 1, 20)), io.StringIO()
    found = weathered(upgraded)
    assert found.broken == {}
    assert found.reached["upgraded"] >= len(RUNNERS)
    assert found.reached["gone back"] >= len(RUNNERS)
    with redirect_stderr(said):
        Machine(upgraded).run()
    for name in RUNNERS:
        mine = ground(False).stages[name].format
        words = f"snapshot of format {mine + 1}, mine is {mine}: left aside, rebuilt from the log"
        assert any(name in row and words in row for row in said.getvalue().splitlines()), name
    assert "newer version wrote" not in said.getvalue()  # as an older one of the same form says


def test_a_version_that_takes_a_form_that_it_cannot_read_for_nothing_is_seen(
    monkeypatch: Patch,
) -> None:
    remembered = stage_memory._remembered

    def blank(stage: Any, partition: int, snapshot: Any) -> Any:
        form = msgspec.msgpack.decode(snapshot.body, type=tuple[int, bytes])[0]
        if form > stage.format:
            return stage.new(partition), snapshot.position
        return remembered(stage, partition, snapshot)

    monkeypatch.setattr(stage_memory, "_remembered", blank)
    assert weathered(storm(Fault(10, "upgrade", "", 1, 20))).broken


# --- each promise, broken on purpose


def _lying_disk(patch: Patch) -> Storm:
    made = Machine.__init__

    def lazy(self: Machine, of: Storm) -> None:
        made(self, of)
        self.disk.lazy = True

    patch.setattr(Machine, "__init__", lazy)
    return storm(Fault(9, "power", "", 3, 2))


def _forgetful_outbox(patch: Patch) -> Storm:
    step = Send.step

    def deaf(self: Send, state: Any, items: Sequence[Any]) -> Any:
        return step(self, state, [i for i in items if not isinstance(i.record, Receipt)])

    patch.setattr(Send, "step", deaf)
    return storm(Fault(12, "crash", "send", 2))


def _old_versions(patch: Patch) -> Storm:
    patch.setattr(outbox, "outdated", lambda *_: False)
    patch.setattr(outbox, "not_over", lambda *_: [])
    return storm(Fault(5, "down", "sms-1", 1, 10), Fault(5, "down", "sms-2", 1, 10))


def _ordered_by_nobody(patch: Patch) -> Storm:
    from dispatch.decide import policy

    patch.setattr(policy, "at_once", lambda _policy, _rehearsed, _hazard, need: need)
    return storm(act="nothing")


def _deadlines_ignored(patch: Patch) -> Storm:
    patch.setattr(decide_stage, "due", lambda *_: [])
    return storm(act="nothing")


def _drill_taken_for_real(patch: Patch) -> Storm:
    decode = Send.decode

    def actual(self: Send, value: bytes) -> Any:
        record = decode(self, value)
        if getattr(record, "status", "") == "exercise":
            return msgspec.structs.replace(record, status="actual")
        return record

    patch.setattr(Send, "decode", actual)
    return storm(Fault(6, "drill", "deliveries"))


def _entries_left_out(patch: Patch) -> Storm:
    entered, count = writer.entered, iter(range(10**9))
    patch.setattr(writer, "entered", lambda *a: None if next(count) % 9 == 8 else entered(*a))
    return storm()


def _position_before_output(patch: Patch) -> Storm:
    whole = MemoryConsumer.commit_all

    def halves(self: MemoryConsumer, steps: Sequence[Step]) -> Callable[[], None]:
        whole(self, [s._replace(outputs=[]) for s in steps])()
        return whole(self, steps)

    patch.setattr(MemoryConsumer, "commit_all", halves)
    return storm(*(Fault(n, "crash", "decide", 4) for n in range(4, 14)))


def _other_words(patch: Patch) -> Storm:
    send = Carriers.send

    def wrong(self: Carriers, delivery: Any, route: Any, key: str) -> Any:
        return send(self, delivery, msgspec.structs.replace(route, text="平安无事"), key)

    patch.setattr(Carriers, "send", wrong)
    return storm()


def _stage_that_dies(patch: Patch) -> Storm:
    records, count = Intake.records, iter(range(10**9))

    def now_and_then(self: Intake, messages: Any) -> Any:
        if next(count) % 9 == 8:
            raise RuntimeError("planted")
        return records(self, messages)

    patch.setattr(Intake, "records", now_and_then)
    return storm()


PLANTED: dict[str, Callable[[Patch], Storm]] = {
    "acknowledged": _lying_disk,
    "once": _forgetful_outbox,
    "fresh": _old_versions,
    "grounds": _ordered_by_nobody,
    "answered": _deadlines_ignored,
    "drilled": _drill_taken_for_real,
    "ledger": _entries_left_out,
    "replayed": _position_before_output,
    "shown": _other_words,
    "alive": _stage_that_dies,
}


def test_there_is_a_planted_bug_for_each_promise() -> None:
    assert PLANTED.keys() == PROMISES.keys()


@pytest.mark.parametrize("promise", PLANTED)
def test_each_promise_is_seen_to_break(promise: str, monkeypatch: Patch) -> None:
    broken = weathered(PLANTED[promise](monkeypatch)).broken
    assert promise in broken
    assert broken[promise][0]


@pytest.mark.parametrize("lost", ["/receipt/sms", '"state":"played"'])
def test_a_receipt_that_is_lost_beside_a_stray_one_is_seen(lost: str, monkeypatch: Patch) -> None:
    """Neither a dead letter on the same way, nor an earlier word on the same message, excuses it."""
    records = Receipts.records

    def deaf(self: Receipts, box: Any, messages: Any) -> Any:
        def mine(m: Any) -> bool:
            return lost in m.topic + m.payload.decode() and b"0000000000000000" not in m.payload

        return records(self, box, [m for m in messages if not mine(m)])

    monkeypatch.setattr(Receipts, "records", deaf)
    found = weathered(storm(Fault(2, "drill", "carrier"))).broken
    assert "acknowledged" in found
    assert any(lost in row for row in found["acknowledged"])


def test_a_failing_storm_is_made_small(monkeypatch: Patch) -> None:
    _forgetful_outbox(monkeypatch)
    seed = next(s for s in range(200) if "once" in weathered(draw(s)).broken)
    keep, steps = smallest(seed, "once")
    whole = draw(seed)
    assert len(keep) <= len(whole.faults)
    assert "once" in weathered(fewer(whole, keep, steps)).broken
    for left in keep:  # none of them can be left out
        rest = [k for k in keep if k != left]
        assert "once" not in weathered(fewer(whole, rest, steps)).broken
    command = again(seed, keep, steps).split()[2:]
    said = CliRunner().invoke(storms, command)
    assert said.exit_code == 1
    assert str(seed) in said.output


def test_storms_of_many_seeds_break_no_promise() -> None:
    found = campaign(range(1000, 1040), 1)
    assert found.failed == {}
    assert found.storms == 40


def test_a_campaign_that_is_broken_off_tells_what_it_has_played() -> None:
    stop, seen = threading.Event(), []

    def each(outcome: Outcome, until_now: Campaign) -> None:
        seen.append(outcome.seed)
        if until_now.storms == 3:
            stop.set()

    found = campaign(range(1000, 1400), 1, each, stop)
    assert seen == [1000, 1001, 1002]
    assert found.storms == 3
    assert found.cpu_s > 0


def test_the_command_that_is_ended_reports_and_does_not_succeed(tmp_path: Path) -> None:
    told = tmp_path / "told.txt"
    with told.open("wb") as out:
        ran = subprocess.Popen(
            [sys.executable, "-m", "fengsui", "storms", "--seeds", "100000"],
            stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "FENGSUI_LANG": "en", "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    try:
        while b"20 of 100000 storms played" not in told.read_bytes():
            assert ran.poll() is None, told.read_text()
            time.sleep(0.1)
        os.killpg(ran.pid, signal.SIGTERM)  # as a service manager does, to all its processes
        assert ran.wait(120) == 1
    finally:
        if ran.poll() is None:
            os.killpg(ran.pid, signal.SIGKILL)
            ran.wait()
    said = told.read_text()
    assert "broken off: " in said
    assert "broke a promise" in said
    assert "Traceback" not in said
