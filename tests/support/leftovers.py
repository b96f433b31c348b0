"""What a test leaves behind: threads that hold the process up, and child processes. They would go on beside
the next test, which is then blamed for what they do. Each is an error of the test that began it where CI
is "true", and else stands in the summary of warnings.

Only what a test itself began counts, not what a fixture has set up for several of them, nor what a test begins
anew in its place and says so (`keep`).
"""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from warnings import warn

import pytest

_TASKS = "/proc/self/task"
_PATIENCE_S = 90.0  # that it was told to end and is about to is no fault
threads: set[threading.Thread] = set()  # begun by the test at work
children: set[int] = set()
kept: set[int] = set()  # of a fixture that ends them


class LeftBehind(pytest.PytestWarning):
    """A test has ended and something that it began has not."""


def alive() -> set[int]:
    """Process ids of the children of this process that have not ended; none where the system does not
    say."""
    found: set[int] = set()
    try:
        tasks = os.listdir(_TASKS)  # noqa: PTH208
    except OSError:
        return found
    for task in tasks:  # three times a test: not by pathlib, which takes five times as long
        try:
            with open(f"{_TASKS}/{task}/children", "rb") as file:  # noqa: PTH123
                pids = file.read().split()
        except OSError:  # the thread has ended meanwhile
            continue
        found |= {int(pid) for pid in pids if state(int(pid)) not in "ZX"}
    return found


def keep(pid: int) -> None:
    """A process that takes the place of one that a fixture for several tests has begun, and ends with it."""
    kept.add(pid)


def state(pid: int) -> str:
    """R, S, D, Z …; X: there is none any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return "X"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    before, kids = set(threading.enumerate()), alive()
    try:
        return (yield)
    finally:
        begun = {t for t in set(threading.enumerate()) - before if not t.daemon}
        if "browser" in getattr(item, "fixturenames", ()):
            # the driver of the browser reads and writes files by threads that stay for the next test
            begun = {t for t in begun if not t.name.startswith("asyncio_")}
        threads.update(begun)
        children.update(alive() - kids - kept)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        if left := told():
            words = f"{item.nodeid} left {', '.join(left)}"
            if os.environ.get("CI") == "true":
                pytest.fail(words, pytrace=False)
            warn(LeftBehind(words), stacklevel=1)


def told(patience_s: float = _PATIENCE_S) -> list[str]:
    """What goes on of all that the test began; the next one begins with nothing on the list."""
    deadline = time.monotonic() + patience_s
    for t in threads:
        t.join(max(0.0, deadline - time.monotonic()))
    while children & alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    found = [f"the thread {t.name}" for t in sorted(threads, key=lambda t: t.name) if t.is_alive()]
    found += [f"the process {pid}" for pid in sorted(children & alive())]
    threads.clear()
    children.clear()
    return found
