"""What a stage asks of the log before it is at work: a log that does not answer, or that another process has
fenced at that moment, is asked again, and ends no process."""

import threading
from collections.abc import Callable
from typing import TypeVar

from config.language import text_of
from stream.log.port import Unavailable
from stream.metrics import PULSES
from stream.pace.retry import Retry

_T = TypeVar("_T")


def answered(name: str, stop: threading.Event, ask: Callable[[], _T]) -> _T | None:
    """What `ask` gives, once it does not raise `Unavailable`; None where `stop` came first. ask: is begun anew
    from its beginning, so it may not do twice what it has done. name: who waits."""
    retry, pulse = Retry(name, stop, 0.5), PULSES.of(name)
    while not stop.is_set():
        try:
            return ask()
        except Unavailable as e:
            pulse.beat(text_of(e))
            retry.wait(text_of(e))
    return None
