"""What every process of the line does round its work: it ends on a signal and answers for its health."""

import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from config.language import Text, text_of
from fengsui.run.terminal import echo
from stream.environment import Usage
from stream.http.exporter import serve
from stream.metrics import watchdog
from stream.pace.stop_signals import stopping_on_signals

_HAND_OVER_S = 0.001


def hand_over_soon() -> None:
    """Whoever waits for the interpreter in this process has it after 1 ms, where Python's own interval is 5. A
    commit gives it away for the disk or the broker and has to get it back, several times on each hop of a
    warning; beside a detect that computes, an interval went by each time (docs/performance.md)."""
    sys.setswitchinterval(_HAND_OVER_S)


def calm_collector() -> None:
    """What is loaded by now stays, and a batch's records die by themselves: let the collector of
    cycles not walk them all again and again (a third of a detector's time on Kafka otherwise)."""
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)


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


@contextmanager
def working(stop: threading.Event) -> Iterator[None]:
    """A signal sets `stop`, metrics and health are answered for, and systemd hears that it lives. Raises
    Usage."""
    with stopping_on_signals(stop), answering():
        threading.Thread(target=watchdog, args=(stop,), name="watchdog", daemon=True).start()
        yield
