"""What a test leaves behind: threads that hold the process up, and child processes. They would go on beside
the next test, which is then blamed for what they do; each is told in the summary of warnings, with the
test that began it.

Only what a test itself began counts, not what a fixture has set up for several of them.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from warnings import warn

import pytest

_TASKS = Path("/proc/self/task")
threads: set[threading.Thread] = set()  # begun by the test at work
children: set[int] = set()


class LeftBehind(pytest.PytestWarning):
    """A test has ended and something that it began has not."""


def alive() -> set[int]:
    """Process ids of the children of this process that have not ended; none where the system does not
    say."""
    found: set[int] = set()
    for task in _TASKS.glob("*/children"):
        try:
            pids = {int(pid) for pid in task.read_text().split()}
            found |= {pid for pid in pids if state(pid) not in "ZX"}
        except OSError:  # the thread has ended meanwhile
            continue
    return found


def state(pid: int) -> str:
    """R, S, D, Z …; X: there is none any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return "X"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    before, kids = set(threading.enumerate()), alive()
    try:
        return (yield)
    finally:
        threads.update(t for t in set(threading.enumerate()) - before if not t.daemon)
        children.update(alive() - kids)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        for left in told():
            warn(LeftBehind(f"{item.nodeid} left {left}"), stacklevel=1)


def told() -> list[str]:
    """What goes on of all that the test began; the next one begins with nothing on the list."""
    for t in threads:
        t.join(1)  # that it was told to end and is about to is no fault
    found = [f"the thread {t.name}" for t in sorted(threads, key=lambda t: t.name) if t.is_alive()]
    found += [f"the process {pid}" for pid in sorted(children & alive())]
    threads.clear()
    children.clear()
    return found
