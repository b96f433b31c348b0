"""Messages of telemetry stations into the log, many at once, and a word to whoever waits when the log has
them."""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from config.language import Text
from ingest.batches import append, batches, by_group
from ingest.identify import Register
from ingest.telemetry.desk import Heard
from stream import metrics
from stream.guard import letter
from stream.log.port import Log, Out

NAME = "telemetry"
_LINGER_S = 0.01  # what comes within it shares one write
_MOST = 2000  # messages of one write
_UNTIL_KEPT = Text("；记下之前不应答", "; no station is answered until it can be kept")


class Entry(NamedTuple):
    """A message. source: of its dead letters; raw: its bytes; way: tcp or udp; kept: called when the log has
    it, by the writer's thread."""

    heard: Heard
    source: str
    raw: bytes
    way: str
    kept: Callable[[], None]


class Writer:
    """clock: the line's, ms; a pulse beats while it works. Ends with `stop`: what is not written by then
    nobody is answered for."""

    def __init__(
        self, log: Log, register: Register, clock: Callable[[], int], stop: threading.Event
    ) -> None:
        self._log, self._register, self._clock, self._stop = log, register, clock, stop
        self._waiting: queue.SimpleQueue[Entry] = queue.SimpleQueue()
        self.failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="telemetry-log", daemon=True)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(timeout=60)

    def put(self, entry: Entry) -> None:
        """Returns at once."""
        self._waiting.put(entry)

    def pending(self) -> int:
        """Messages that the log has not got."""
        return self._waiting.qsize()

    def _work(self) -> None:
        try:
            with metrics.pulse(NAME) as pulse:
                while not self._stop.is_set():
                    pulse.beat()
                    if found := self._batch():
                        self._write(found, pulse)
        except BaseException as e:  # noqa: BLE001  # whoever serves ends with it
            self.failed = e
            self._stop.set()

    def _batch(self) -> list[Entry]:
        found: list[Entry] = []
        with suppress(queue.Empty):
            found.append(self._waiting.get(timeout=0.25))
            if self._waiting.empty():
                self._stop.wait(_LINGER_S)
            while len(found) < _MOST:
                found.append(self._waiting.get_nowait())
        return found

    def _write(self, found: Sequence[Entry], pulse: metrics.Pulse) -> None:
        now = self._clock()
        outs = batches(by_group(self._register, (o for e in found for o in e.heard.found)), now)
        for entry in found:
            outs += [letter(now, entry.source, why, entry.raw) for why in entry.heard.letters]
        if not append(self._log, outs, self._stop, pulse, NAME, _UNTIL_KEPT):
            return
        _count(found, outs)
        for entry in found:
            entry.kept()


def _count(found: Sequence[Entry], outs: Sequence[Out]) -> None:
    for way, many in Counter(e.way for e in found).items():
        metrics.RECORDS_IN.labels(NAME, way).inc(many)
    for quantity, many in Counter(o.quantity for e in found for o in e.heard.found).items():
        metrics.READINGS.labels(NAME, quantity).inc(many)
    for reason, many in Counter(w.reason for e in found for w in e.heard.letters).items():
        metrics.DEAD_LETTERS.labels(NAME, reason).inc(many)
    metrics.count_out(NAME, (out.topic for out in outs))
