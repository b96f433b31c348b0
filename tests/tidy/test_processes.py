"""How several processes share the tests, and what a test leaves behind."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import leftovers
from tests.support.examples import examples
from tests.support.order import HEAVY, SLOW, dealt

ROOT = Path(__file__).parents[2]
FILES = st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0, 0, 2, 60])), max_size=20)


def made(files: list[tuple[int, int]]) -> list[tuple[list[tuple[int, int]], int]]:
    return [([(n, k) for k in range(size)], weight) for n, (size, weight) in enumerate(files)]


@examples(200)
@given(FILES, st.integers(1, 5))
def test_every_test_is_dealt_once(files: list[tuple[int, int]], workers: int) -> None:
    given = made(files)
    found = dealt(given, workers)
    assert sorted(found) == sorted(test for tests, _ in given for test in tests)
    for tests, weight in given:  # a file that takes long stays together, and in its order
        if weight:
            at = found.index(tests[0])
            assert found[at : at + len(tests)] == tests


def test_each_share_begins_with_what_takes_long() -> None:
    given = made([(90, 0), (2, 40), (30, 0), (3, 60), (1, 20), (74, 0)])
    found = dealt(given, 2)
    assert len(found) == 200
    assert [n for n, _ in found[:3]] == [3, 3, 3]
    assert [n for n, _ in found[100:103]] == [1, 1, 4]  # as long as the one file of the first share
    assert {n for n, _ in found[3:100]} == {0, 2}


def test_what_is_said_to_take_long_is_there() -> None:
    assert [name for name in (*HEAVY, *SLOW) if not (ROOT / name).exists()] == []


def test_what_a_test_leaves_is_told() -> None:
    go_on = threading.Event()
    threads = [threading.Thread(target=go_on.wait, args=(90,), name=n) for n in ("a", "b")]
    threads[1].start()
    wait = "import sys; sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", wait], stdin=subprocess.PIPE)
    try:
        assert child.pid in leftovers.alive()
        leftovers.threads.update(threads[1:])
        leftovers.children.add(child.pid)
        assert leftovers.told(0.1) == ["the thread b", f"the process {child.pid}"]
        assert leftovers.told() == []
    finally:
        go_on.set()
        child.communicate(timeout=90)
    leftovers.children.add(child.pid)
    assert leftovers.told() == []


_LEAVES = """
import threading

def test_it():
    threading.Thread(target=threading.Event().wait, name="left").start()
"""


@pytest.mark.parametrize("ci", ["true", ""])
def test_what_a_test_leaves_is_an_error_in_ci(ci: str, tmp_path: Path) -> None:
    (tmp_path / "test_leaves.py").write_text(_LEAVES)
    soon = "from tests.support.leftovers import told; told.__defaults__ = (0.05,)"
    run = f"import os, sys, pytest; {soon}; code = pytest.main(sys.argv[1:])"
    run += "; sys.stdout.flush(); os._exit(code)"  # the thread would hold it up
    done = subprocess.run(
        [sys.executable, "-c", run, "-q", "-p", "tests.support.leftovers", "-c", os.devnull,
         "--rootdir", str(tmp_path), str(tmp_path / "test_leaves.py")],
        capture_output=True, text=True, timeout=300, cwd=ROOT, env={**os.environ, "CI": ci},
    )  # fmt: skip
    assert "test_it left the thread left" in done.stdout
    assert done.returncode == (1 if ci else 0), done.stdout
