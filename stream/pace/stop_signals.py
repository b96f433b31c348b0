"""Ctrl-C and SIGTERM as the event by which every wait ends, in each process of the line and at its edge."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`, so that every stage ends with a commit and a snapshot.

    A handler runs in the main thread between any two of its steps, so also inside its wait for `stop`:
    `stop.set()` would then wait for a lock that this very thread holds, for ever, and the process would
    end by SIGKILL alone. A SimpleQueue may be put into from anywhere; a thread beside sets the event.
    """
    heard: SimpleQueue[bool] = SimpleQueue()

    def listen() -> None:
        while heard.get():
            stop.set()

    listener = threading.Thread(target=listen, name="stop-signals", daemon=True)
    listener.start()
    before = {s: signal.signal(s, lambda *_: heard.put(True)) for s in _SIGNALS}
    try:
        yield
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)
        heard.put(False)
        listener.join()


def leave_signals_to_parent() -> None:
    """In a process that works for another: whoever ends the command ends it by its first process, which
    tells what was done until then. The signal of a terminal or of a service manager goes to all of them."""
    for s in _SIGNALS:
        signal.signal(s, signal.SIG_IGN)
