"""Commands of fengsui as processes of their own, that find loaded what they would load: a process of the
tests that has loaded the product, and does nothing else, makes each by `fork`.

What a test sees is what `python -m fengsui` shows: arguments, environment, standard streams, exit code, and
nothing that a command before it left behind. It takes a tenth of the time. Whoever tests how a command
starts, or what it loads, starts Python itself (`tests/fengsui/test_start.py`).
"""

import atexit
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support import leftovers

ROOT = Path(__file__).parents[2]
# the heavy part of what commands load. The words of `fengsui.cli` are chosen where it is loaded, by
# FENGSUI_LANG: each command loads it itself
_LOADED = ("fengsui.run.run_log", "fengsui.inquiry.pack", "fengsui.files.export")


class _Server:
    """The process that has loaded the product; of one command at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm"],
            cwd=ROOT, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        leftovers.keep(self._process.pid)
        atexit.register(self._process.communicate)  # it ends when it can read no more

    def run(self, timeout_s: float, **asked: Any) -> int:
        """The exit code; of one that was ended by a signal, minus its number."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            pid = int(self._process.stdout.readline())
            late = threading.Timer(timeout_s, os.kill, (pid, signal.SIGKILL))
            late.start()
            try:
                code = int(self._process.stdout.readline())
            finally:
                late.cancel()
                late.join()
        return code


_servers: dict[int, _Server] = {}  # by the process whose it is


def command(
    words: list[str], env: dict[str, str], timeout_s: float = 600
) -> "subprocess.CompletedProcess[str]":
    """`python -m fengsui WORDS` in this environment, in the root of the source tree."""
    line = [sys.executable, "-m", "fengsui", *words]
    sys.audit("subprocess.Popen", sys.executable, line, str(ROOT), env)  # who listens hears it
    server = _servers.get(os.getpid()) or _servers.setdefault(os.getpid(), _Server())
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place) / "out", Path(place) / "err"
        env = {**env, "XDG_CACHE_HOME": place}  # what it remembers for its user ends with it
        code = server.run(timeout_s, words=words, env=env, out=str(out), err=str(err))
        if code == -signal.SIGKILL:
            raise subprocess.TimeoutExpired(line, timeout_s)
        return subprocess.CompletedProcess(
            line, code, out.read_text("utf-8"), err.read_text("utf-8")
        )


def _serve() -> Callable[[], None]:
    """Until nobody asks any more. Returns in each process that is made, what it is to do."""
    for name in _LOADED:
        import_module(name)
    threads = len(list(Path("/proc/self/task").glob("*")))  # none where the system does not say
    assert threads <= 1, "a process with threads cannot be copied"
    gc.freeze()  # what is loaded stays: no copy looks through it, and all copies share it
    for line in sys.stdin:
        asked = json.loads(line)
        if (pid := os.fork()) == 0:
            return lambda: _become(**asked)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    return lambda: None


def _become(words: list[str], env: dict[str, str], out: str, err: str) -> None:
    """The command, to its end."""
    import runpy

    os.environ.clear()
    os.environ.update(env)
    os.umask(0o022)
    for fd, path, how in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_WRONLY | os.O_CREAT),
                          (2, err, os.O_WRONLY | os.O_CREAT)):  # fmt: skip
        file = os.open(path, how)
        os.dup2(file, fd)
        os.close(file)
    sys.argv = ["fengsui", *words]
    runpy.run_module("fengsui", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve()()
