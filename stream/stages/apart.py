"""Work in a copy of this process, so that one that stays does not keep what the work takes."""

import os
import threading
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def apart(work: Callable[[A], B], of: A) -> B:
    """What `work` makes of `of`, which must be such as can be pickled. Where no copy can be made (no room, no
    process more), or it would not be safe because this process has threads, it works here. Raises RuntimeError
    if the copy ends without an answer: it has said why on stderr."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return work(of)
    split = get_context("fork")
    here, there = split.Pipe(duplex=False)
    process = split.Process(target=_tell, args=(work, of, there), daemon=True)
    try:
        process.start()
    except OSError:
        here.close()
        there.close()
        return work(of)
    there.close()
    try:
        found: B = here.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"{work.__module__}: exit {process.exitcode}") from None
    process.join()
    return found


def _tell(work: Callable[[A], B], of: A, there: Connection) -> None:
    there.send(work(of))
