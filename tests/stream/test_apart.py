"""Work in a copy of a process: the answer comes back, and nothing that the work took stays."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stream.stages.apart import apart

ROOT = Path(__file__).parents[2]


def python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=ROOT
    )


def test_the_answer_comes_back_and_what_it_took_does_not_stay() -> None:
    code = """
import sys
from stream.stages.apart import apart
def work(n):
    import lxml.etree
    return [n, "lxml" in sys.modules]
print(apart(work, 7), "lxml" in sys.modules)
"""
    assert python(code).stdout.strip() == "[7, True] False"


def test_work_that_fails_fails_here_and_says_why() -> None:
    code = """
from stream.stages.apart import apart
def work(n):
    raise ValueError("no such thing")
apart(work, 7)
"""
    done = python(code)
    assert done.returncode == 1
    assert "no such thing" in done.stderr
    assert "RuntimeError: __main__: exit 1" in done.stderr


def test_where_the_machine_allows_no_process_more_it_works_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("os.fork", refused)
    monkeypatch.setattr("threading.active_count", lambda: 1)
    seen = list[int]()
    apart(seen.append, 1)
    assert seen == [1]


def test_beside_threads_nothing_is_copied() -> None:
    """A lock that another thread holds would stay locked in the copy for ever."""
    stop, seen = threading.Event(), list[int]()
    beside = threading.Thread(target=stop.wait)
    beside.start()
    try:
        apart(seen.append, 1)
    finally:
        stop.set()
        beside.join()
    assert seen == [1]


@pytest.mark.parametrize("wrong", [False, True])
def test_a_stage_refuses_a_district_that_is_wrong(wrong: bool, tmp_path: Path) -> None:
    """As `fengsui run` does, with the same words, though a copy judges it."""
    folder = tmp_path / "d"
    shutil.copytree(ROOT / "config" / "yanqing", folder)
    rules = folder / "rules.toml"
    if wrong:
        rules.write_text(rules.read_text().replace('kind = "flood_score"', 'kind = "x"'))
    words = ["--config", str(folder), "--state", str(tmp_path), "archive", "--run", "exercise-a"]
    code = f"""
import sys
from fengsui.cli.operate import stages
stages.run_stage = lambda *words, **more: None
sys.argv = ["fengsui", *{words!r}]
from fengsui.cli.root import main
main()
"""
    done = python(code)
    assert (done.returncode == 0) != wrong, done.stderr
    assert ("rules.toml" in done.stderr) == wrong
    assert "Traceback" not in done.stderr
