"""Ctrl-C and SIGTERM end a process whenever they come."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stream.log.kafka_clients import Admin, Reader
from stream.log.kafka_producer import Producer
from stream.pace.stop_signals import stopping_on_signals

ROOT = Path(__file__).parents[2]

# The signal comes at the nth step that Python takes inside its own wait for the event.
AT_EACH_STEP = """
import signal, sys, threading
from stream.pace.stop_signals import stopping_on_signals

came, n = True, 0
while came:
    n, came, seen = n + 1, False, 0
    stop = threading.Event()

    def step(frame, event, argument):
        global seen, came
        if frame.f_code.co_filename == threading.__file__:
            seen += 1
            if seen == n:
                came = True
                signal.raise_signal(signal.SIGTERM)

    with stopping_on_signals(stop):
        sys.setprofile(step)
        for _ in range(3):
            if stop.wait(0.001):
                break
        sys.setprofile(None)
        assert not came or stop.wait(90)
print(n)
"""


def test_a_signal_ends_the_wait_at_whatever_step_it_comes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EACH_STEP],
        capture_output=True, text=True, timeout=300, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20  # a wait has more steps than that


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_each_signal_is_heard_and_afterwards_things_are_as_before(number: signal.Signals) -> None:
    before, stop = signal.getsignal(number), threading.Event()
    with stopping_on_signals(stop):
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.wait(90)
    assert signal.getsignal(number) == before
    assert "stop-signals" not in {t.name for t in threading.enumerate()}


def test_a_kafka_client_that_cannot_begin_leaves_no_thread() -> None:
    """Nobody listens there; a stage that waits for its server tries again and again."""
    nowhere = {"bootstrap_servers": "127.0.0.1:1", "bootstrap_timeout_ms": 200}
    before = set(threading.enumerate())
    for begin in (
        lambda: Admin(**nowhere),
        lambda: Reader(**nowhere),
        lambda: Producer.begin(nowhere, "t"),
    ):
        with pytest.raises(Exception, match=r"127\.0\.0\.1:1|bootstrap"):
            begin()
    for left in set(threading.enumerate()) - before:
        left.join(90)
        assert not left.is_alive(), left.name


def test_no_program_hears_signals_in_its_own_way() -> None:
    files = [
        p for p in ROOT.glob("*/**/*.py") if p.parts[len(ROOT.parts)] not in ("tests", ".venv")
    ]
    heard = {p.name for p in files if "signal.signal(" in p.read_text("utf-8")}
    assert heard == {"stop_signals.py"}
