"""A process that works until it is told to end, and answers for its health meanwhile."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from config.language import Text, text_of
from fengsui.run.terminal import echo
from stream.environment import Usage
from stream.http.exporter import serve

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`, so that every stage ends with a commit and a snapshot."""
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in _STOP_SIGNALS}
    try:
        yield
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


@contextmanager
def answering() -> Iterator[None]:
    """Metrics and health at the address of FENGSUI_HTTP; none is named: nowhere. Raises Usage."""
    address = os.environ.get("FENGSUI_HTTP", "")
    try:
        with serve(address) as port:
            if port:
                echo(
                    Text(
                        f"fengsui: /metrics /healthz /readyz 在端口 {port}",
                        f"fengsui: /metrics /healthz /readyz on port {port}",
                    ),
                    err=True,
                )
            yield
    except ValueError as e:
        raise Usage(text_of(e)) from e
