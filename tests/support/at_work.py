"""The work of a process in a thread of the test, and what it has put into the log."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from console.model.follow import DECODERS
from stream.log.port import Log

WAIT_S = 90.0  # for what must come


@contextmanager
def at_work(
    name: str, work: Callable[[threading.Event, Callable[[], None]], None]
) -> Iterator[None]:
    """From when it is up, as long as this lasts. work: is given what stops it, and what it calls once it is up.
    What it raises is raised here."""
    stop, up = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work(stop, up.set)
        except BaseException as e:  # noqa: BLE001  # raised below
            failed.append(e)
            up.set()

    thread = threading.Thread(target=run, name=name)
    thread.start()
    try:
        assert up.wait(WAIT_S)
        if failed:
            raise failed[0]
        yield
    finally:
        stop.set()
        thread.join(WAIT_S)
    if failed:
        raise failed[0]


def stands_in(log: Log, topic: str) -> Iterator[object]:
    """Every record of a topic, in order of each partition."""
    starts, ends = log.starts(topic), log.ends(topic)
    for partition, (at, end) in enumerate(zip(starts, ends, strict=True)):
        while at < end and (entries := log.read(topic, partition, at)):
            at = entries[-1].offset + 1
            for entry in entries:
                yield DECODERS[topic].decode(entry.value)
