"""An archive whose history is away for a moment stays a member: whoever leaves and joins again at each error
has the work of the group divided anew each time."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.archive import run_archive
from stream.history.open import open_history
from stream.history.port import Fact, History, Point
from stream.log.open import open_log
from stream.log.port import Out, Unavailable

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
