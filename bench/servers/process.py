"""A server as a process: where its program lies, when it answers, how it ends."""

import math
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
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


def wait_for(
    port: int, process: "subprocess.Popen[bytes]", notes: Path, timeout_s: float = math.inf
) -> None:
    """Until it answers, however slow the machine is. Raises RuntimeError with its last words where it ended
    instead, or took longer than `timeout_s`."""
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


class OwnProcess:
    """What may be killed, stopped and started again on what it left. notes: where its words go."""

    def __init__(self, notes: Path) -> None:
        self.notes = notes
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, words: list[str], env: Mapping[str, str] | None = None) -> None:
        """Returns at once."""
        with self.notes.open("ab") as out:
            self.process = subprocess.Popen(words, stdout=out, stderr=out, env=env)

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self.process is not None
        return self.process.pid

    def ended(self) -> bool:
        """It is not there: nobody started it, or it ended by itself."""
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """At once (SIGKILL)."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        """As it wishes to be ended; one that stands still goes on for it."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGCONT)
            end(self.process)
            self.process = None


class ServerProcess(OwnProcess):
    """One that answers on a port."""

    def _begin(self, words: list[str], port: int) -> None:
        self.run(words)
        assert self.process is not None
        wait_for(port, self.process, self.notes)

    def start(self) -> Self:
        """Returns when it answers. Raises RuntimeError with its last words."""
        raise NotImplementedError
