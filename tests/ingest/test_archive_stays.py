"""An archive whose history is away for a moment stays a member: whoever leaves and joins again at each error
has the work of the group divided anew each time. And what a history had acknowledged and lost, as InfluxDB does
after its disk was full, is there again after it was away."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.archive import run_archive
from stream.guard import letter
from stream.history.open import open_history
from stream.history.port import Fact, History, Point
from stream.log.open import open_log
from stream.log.port import Out, Unavailable
from stream.records import Rejected

WAIT_S = 240.0
REFUSALS = 2


class AwayAtFirst:
    """A history that cannot be reached so often, and then is the one it stands for."""

    def __init__(self, history: History) -> None:
        self._history, self.asked = history, 0

    def write(self, points: Sequence[Point], facts: Sequence[Fact]) -> None:
        self.asked += 1
        if self.asked <= REFUSALS:
            raise Unavailable("away")
        self._history.write(points, facts)

    def __getattr__(self, name: str) -> object:
        return getattr(self._history, name)


def soon(there: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not (found := there()) and time.monotonic() < until:
        time.sleep(0.05)
    assert found


def test_it_is_a_member_as_before_and_loses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}"
    log = open_log(url, "exercise", "toy", 1)
    history = AwayAtFirst(open_history(f"{url}/history", "exercise", "toy"))
    stop, took = threading.Event(), threading.Event()
    archive = threading.Thread(target=run_archive, args=(log, history, "m", stop))
    archive.start()
    log.append([Out("cases", "k", b"{}")])
    soon(lambda: history.asked > 0)
    other = log.join("cases", "archive", "other")

    def stand_by() -> None:
        while not stop.wait(0.05):
            other.poll(0.0)
            if other.owned():
                took.set()

    standing = threading.Thread(target=stand_by)
    standing.start()
    try:
        soon(lambda: log.positions("cases", "archive") == [1])
        assert history.asked == REFUSALS + 1
        assert not took.is_set()
    finally:
        stop.set()
        for thread in (archive, standing):
            thread.join(WAIT_S)
        other.close()
        log.close()


class Forgetful(AwayAtFirst):
    """A history that keeps nothing of what it is given at first, and says that it has it."""

    forgets, away = True, False

    def write(self, points: Sequence[Point], facts: Sequence[Fact]) -> None:
        if self.forgets:
            return
        if self.away:
            self.away = False
            raise Unavailable("it is started again")
        self._history.write(points, facts)


def test_what_history_acknowledged_and_lost_is_written_again_after_it_was_away(
    tmp_path: Path,
) -> None:
    url, stop = f"sqlite:///{tmp_path}", threading.Event()
    log = open_log(url, "exercise", "toy", 1)
    kept = open_history(f"{url}/history", "exercise", "toy")
    history = Forgetful(kept)
    archive = threading.Thread(target=run_archive, args=(log, history, "m", stop))
    archive.start()

    def told(n: int) -> None:
        log.append([letter(n, "cases", Rejected("failed_record", f"{n}"), b"")])
        soon(lambda: log.positions("dead-letters", "archive") == [n])

    try:
        for n in (1, 2, 3):
            told(n)
        assert kept.facts("dead_letter", 0, 100) == []
        history.away, history.forgets = True, False
        told(4)
        soon(lambda: [f.fact_at for f in kept.facts("dead_letter", 0, 100)] == [1, 2, 3, 4])
    finally:
        stop.set()
        archive.join(WAIT_S)
        log.close()


class Meanwhile(threading.Event):
    """A word to stop that nobody gives; whoever waits for it waits as long as `then` takes, the first time."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self._then = [then]

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is not None and self._then:
            self._then.pop()()
        return self.is_set()


def test_it_waits_before_it_writes_so_that_a_warning_on_its_way_has_the_disk_for_itself(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}"
    log = open_log(url, "exercise", "toy", 1)
    kept = open_history(f"{url}/history", "exercise", "toy")
    history, written = AwayAtFirst(kept), list[int]()
    history.asked = REFUSALS

    def say(n: int) -> None:
        log.append([letter(n, "cases", Rejected("failed_record", f"{n}"), b"")])

    def next_stage() -> None:
        written.append(history.asked - REFUSALS)
        say(2)

    say(1)
    stop = Meanwhile(next_stage)
    archive = threading.Thread(target=run_archive, args=(log, history, "m", stop))
    archive.start()
    try:
        soon(lambda: log.positions("dead-letters", "archive") == [2])
        assert written == [0]
        assert history.asked == REFUSALS + 1
        assert [f.fact_at for f in kept.facts("dead_letter", 0, 100)] == [1, 2]
    finally:
        stop.set()
        archive.join(WAIT_S)
        kept.close()
        log.close()
