"""The runner over the embedded log: whatever is killed whenever, the outputs are those of a run
that nothing disturbed."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.observation import Observation, Observations
from stream.log.port import Out, Unavailable
from stream.log.sqlite import SqliteLog
from stream.records import Tick, encode
from stream.stages.runner import Runner
from tests.support.adder import Adder, N, open_here, outputs, put, until_read


def adder(log: Any, **kw: Any) -> Runner:
    return Runner(Adder(), log, member="m", live=False, now=lambda: 0, **kw)


class Piecemeal:
    """A log that hands out a record at a time, and whose end has no record before it, as Kafka's may."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def ends(self, topic: str) -> list[int]:
        return [end + 1 for end in self._log.ends(topic)]

    def join(self, topic: str, group: str, member: str) -> Any:
        consumer = self._log.join(topic, group, member)
        poll = consumer.poll
        consumer.poll = lambda timeout_s, limit=1: poll(timeout_s, 1)  # type: ignore[method-assign]
        return consumer


@pytest.mark.parametrize("killed", [False, True])
def test_nothing_is_done_in_the_world_before_the_backlog_has_been_read(
    tmp_path: Path, killed: bool
) -> None:
    """Whoever sends must know the newest version: it may stand in the last record of the backlog."""
    log, seen = Piecemeal(open_here(tmp_path)), list[int]()
    if killed:  # and has a position to go on from
        put(log, 0, 5)
        until_read(log, adder(log), 5)
    put(log, 5, 20)

    def after(states: Any) -> None:
        seen.append(sum(state["n"] for state in states.values()))

    stop, runner = threading.Event(), adder(log, after=after)
    deadline = time.monotonic() + 240
    while not seen and time.monotonic() < deadline:
        assert runner.turn(stop) is None
    whole = 25 if killed else 20
    assert seen == [whole]
    log.close()


def test_it_is_ready_when_it_has_begun_to_act(tmp_path: Path) -> None:
    """Whoever waits for a stage speaks to it then: it must know what it has read."""
    log, told = Piecemeal(open_here(tmp_path)), list[bool]()
    put(log, 0, 20)
    stop, ready = threading.Event(), threading.Event()
    runner = adder(log, after=lambda _: told.append(ready.is_set()))
    thread = threading.Thread(target=runner.run, args=(stop, ready))
    thread.start()
    assert ready.wait(90)
    stop.set()
    thread.join(90)
    assert told[0] is False
    log.close()


def test_nor_after_it_has_stood_still(tmp_path: Path) -> None:
    """A process that was stopped, or whose machine was, wakes to a backlog."""
    log, seen, passed = Piecemeal(open_here(tmp_path)), list[int](), [0.0]

    def after(states: Any) -> None:
        seen.append(sum(state["n"] for state in states.values()))

    stop, runner = threading.Event(), adder(log, after=after, steady=lambda: passed[0])
    deadline = time.monotonic() + 240

    def until_seen(n: int) -> None:
        while (not seen or seen[-1] < n) and time.monotonic() < deadline:
            assert runner.turn(stop) is None

    put(log, 0, 3)
    until_seen(3)
    put(log, 3, 2)
    until_seen(5)
    assert set(seen) >= {3, 4, 5}  # at work it does not wait for the last
    put(log, 5, 10)
    passed[0] += 60
    until_seen(15)
    assert set(range(6, 15)).isdisjoint(seen)
    log.close()


CHILD = """
import os, signal, sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
import importlib.util
spec = importlib.util.spec_from_file_location("toy", sys.argv[4])
toy = importlib.util.module_from_spec(spec); sys.modules["toy"] = toy
spec.loader.exec_module(toy)
limit, count, work = int(sys.argv[2]), 0, 0
WATCHED = ("stream/stages/runner.py", "stream/log/sqlite.py", "stream/log/sqlite_group.py")
def trace(frame, event, arg):
    global count, work
    if not frame.f_code.co_filename.endswith(WATCHED):
        return None
    if event == "line":
        count += 1
        if frame.f_code.co_name == "_write":  # of a commit; how many idle looks follow is chance
            work = count
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace
log = toy.open_here(Path(sys.argv[1]))
import threading
threading.settrace(trace)
toy.until_read(log, toy.adder(log, snapshot_s=0.0), toy.N)
log.close()
print(work)
"""


def child(folder: Path, limit: int) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(limit), root, __file__],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=root,
    )


def test_killed_at_any_line_the_outputs_are_those_of_an_undisturbed_run(tmp_path: Path) -> None:
    def prepared(name: str) -> Path:
        folder = tmp_path / name
        log = open_here(folder)
        put(log, 0, N)
        log.close()
        return folder

    calm = prepared("calm")
    done = child(calm, 0)
    assert done.returncode == 0, done.stderr
    lines = int(done.stdout)
    want = outputs(calm)
    assert len(want) == N

    rng = random.Random(7)
    killed = 0
    for trial in range(8):
        folder = prepared(f"t{trial}")
        for _ in range(3):  # some are killed again while they recover
            killed += child(folder, rng.randrange(1, lines)).returncode == -9
        assert child(folder, 0).returncode == 0
        assert outputs(folder) == want
    assert killed > 8


def test_a_snapshot_of_another_form_is_not_loaded(tmp_path: Path) -> None:
    log = open_here(tmp_path)
    put(log, 0, 10)
    until_read(log, adder(log, snapshot_s=0.0), 10)

    class Newer(Adder):
        format = 2

        def load(self, partition: int, body: bytes) -> Any:
            raise AssertionError("this form is not ours")

    put(log, 10, 10)
    until_read(log, Runner(Newer(), log, member="m", live=False, now=lambda: 0), 20)
    assert [msgspec.json.decode(v)["value"] for _, v in outputs(tmp_path)][-1] == 210
    log.close()


def test_poison_is_a_dead_letter_and_the_rest_goes_on(tmp_path: Path) -> None:
    log = open_here(tmp_path)
    put(log, 0, 3)
    log.append(
        [Out("observations", "g", b"\xff not json"), Out("observations", "g", b'{"type":1}')]
    )
    put(log, 3, 3)
    until_read(log, adder(log), 8)
    assert len(outputs(tmp_path)) == 6
    letters = [json.loads(e.value) for e in log.read("dead-letters", 0, 0)]
    assert [x["reason"] for x in letters] == ["undecodable_record"] * 2
    assert letters[0]["source"].startswith("observations/")
    log.close()


def test_a_full_disk_loses_nothing_and_work_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_here(tmp_path)
    assert isinstance(log, SqliteLog)
    put(log, 0, 5)
    pages = log._writer.execute("PRAGMA page_count").fetchone()[0]
    log._writer.execute(f"PRAGMA max_page_count={pages}")
    accepted = 5
    with pytest.raises(Unavailable, match="full"):
        for _ in range(10_000):
            put(log, accepted, 1)
            accepted += 1
    stop = threading.Event()
    runner, refused = adder(log), threading.Event()
    turn = runner.turn

    def noticed(*given: Any) -> Any:
        if why := turn(*given):
            refused.set()
        return why

    monkeypatch.setattr(runner, "turn", noticed)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    assert refused.wait(90)
    log._writer.execute("PRAGMA max_page_count=1000000")
    put(log, accepted, 5)
    deadline = time.monotonic() + 120
    while sum(log.positions("observations", "adder")) < accepted + 5:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stop.set()
    thread.join()
    values = [msgspec.json.decode(v)["value"] for _, v in outputs(tmp_path)]
    want, total = [], 0
    for n in range(accepted + 5):
        total += n + 1
        want.append(total)
    assert values == want
    log.close()


def test_live_ticks_are_recorded_with_the_rest(tmp_path: Path) -> None:
    class Timed(Adder):
        ticks = 0.05

    log = open_here(tmp_path)
    clock = iter(range(1_000, 10_000_000, 60))
    stop = threading.Event()
    runner = Runner(Timed(), log, member="m", live=True, now=lambda: next(clock))
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 120
    while min(log.ends("observations")) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    thread.join()
    for part in (0, 1):
        times = [
            msgspec.json.decode(e.value, type=Tick).clock_at
            for e in log.read("observations", part, 0)
        ]
        assert len(times) >= 3
        assert times == sorted(set(times))
    log.close()


if __name__ == "__main__":
    os._exit(0)


def test_partitions_take_turns_with_their_snapshots(tmp_path: Path) -> None:
    """What waits for a snapshot waits for one partition's, and each has its turn."""
    log = open_here(tmp_path)
    runner, stop = adder(log, snapshot_s=0.0), threading.Event()
    consumer = log.join("observations", "adder", "m")
    while len(consumer.owned()) < 2:
        consumer.poll(0.1, 1)
    positions = []
    for n in range(2):
        value = encode(
            Observations.of(
                "g", n, (Observation(station="s", quantity="rain", observed_at=n, value=1),)
            )
        )
        log.append([Out("observations", "g", value, p) for p in range(2)])
        while list(log.positions("observations", "adder")) != [n + 1, n + 1]:
            runner._pass(consumer, stop)
        positions.append([s.position if (s := consumer.snapshot(p)) else 0 for p in range(2)])
    assert sorted(positions[0]) == [0, 1]
    assert sorted(positions[1]) == [1, 2]
    consumer.close()
    log.close()
