"""A server as a process: where its program lies, when it answers, how it ends."""

import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from config.language import Text

SERVICES = Path(__file__).parents[2] / ".services"


class Absent(Exception):
    """A program that this machine lacks; the text says how to get it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            Text(
                f"没有 {what}：`make services` 取来",
                f"{what} is not here: `make services` fetches it",
            )
        )
        self.what = what


def wait_for(port: int, process: "subprocess.Popen[bytes]", notes: Path, timeout_s: float) -> None:
    """Until it answers. Raises RuntimeError with its last words."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"no answer on port {port}: {notes.read_text(errors='replace')[-2000:]}")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, and wait; after a minute it is killed."""
    process.terminate()
    try:
        process.wait(timeout=60)  # a broker writes down what it holds
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class ServerProcess:
    """What may be killed, stopped and started again on what it left. notes: where its words go."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self._process: subprocess.Popen[bytes] | None = None

    def _begin(self, words: list[str], port: int, timeout_s: float) -> None:
        with self._notes.open("ab") as out:
            self._process = subprocess.Popen(words, stdout=out, stderr=out)
        wait_for(port, self._process, self._notes, timeout_s)

    def start(self) -> Self:
        """Returns when it answers. Raises RuntimeError with its last words."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def ended(self) -> bool:
        """It is not there: nobody started it, or it ended by itself."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """At once (SIGKILL)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """As it wishes to be ended."""
        if self._process is not None:
            end(self._process)
            self._process = None
