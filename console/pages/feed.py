"""Follows the log and tells every open page what changed: folded and encoded once a look, whoever
listens. A page that does not keep up is let go; it comes back and reads the whole anew."""

import asyncio
import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

import msgspec

from config.language import Text, text_of
from config.records.district import District
from console.model.consistency import Audit, Finding
from console.model.follow import Follower
from console.model.picture import Picture, changes
from console.model.trail import Trail
from console.model.view import View
from console.pages import (
    channels,
    delivery,
    handover,
    on_duty,
    resources,
    situation,
    stations,
    storm,
    warnings,
)
from stream import metrics
from stream.guard import fault, once
from stream.log.port import Log, Unavailable
from stream.records import Run

T = TypeVar("T")
EVERY_S = 0.15
IDLE_S = 1.0  # so often what has only grown older is drawn anew
QUEUE = 100
BATCH = 5000  # records folded before whoever reads has a turn
# a page: one module that makes parts of the picture, (part -> key -> value), from the folded log
PAGES = (
    situation.parts,
    warnings.parts,
    delivery.parts,
    handover.parts,
    stations.parts,
    resources.parts,
    on_duty.parts,
    channels.parts,
)
_encoder = msgspec.json.Encoder()


class Listener:
    """One open stream. `None` in its queue ends it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
        self._loop = loop
        self.late = False

    def tell(self, event: bytes) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._put, event)

    def _put(self, event: bytes) -> None:
        if self.late:
            return
        if self.queue.full():
            self.late = True
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)
        else:
            self.queue.put_nowait(event)


class Feed:
    """The picture now, its revision, and who listens. One thread looks, any thread reads."""

    def __init__(
        self,
        open_log: Callable[[], Log],
        district: District,
        run: Run,
        now: Callable[[], int],
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self.district, self.run = district, run
        self.view, self.trail = View(ours=run), Trail()
        self.audit = Audit(self.view)
        self.rev, self.looked, self._drawn = 0, 0.0, 0.0
        self._open_log, self._now, self._tick = open_log, now, tick
        self._picture: Picture = {}
        self.unread = 0  # records and pages at which the program failed
        self._pages = (*PAGES, storm.NextHour().parts)
        self._parts: dict[Callable[..., Picture], Picture] = {}
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()
        # parts that come from beside the log: what happens at the door
        self.beside: Callable[[], Picture] = Picture

    def follow(self, stop: threading.Event) -> None:
        """Look until `stop`; a log that cannot be reached is tried again, and `age_ms` tells."""
        log: Log | None = None
        follower: Follower | None = None
        with metrics.pulse("console") as pulse:
            while not stop.is_set():
                try:
                    log = log or self._open_log()
                    follower = follower or Follower(log)
                    self.look(follower)
                    pulse.beat()
                except Unavailable as e:  # its place is kept, and the beat tells how old it is
                    pulse.beat(text_of(e))
                stop.wait(EVERY_S)
        if log is not None:
            log.close()
        with self._lock:
            for listener in self._listeners:
                listener.tell(b"")

    def look(self, follower: Follower) -> None:
        """Fold what is new, and tell the difference."""
        news, folded = follower.take(), False
        while some := list(islice(news, BATCH)):
            with self._lock:
                for _, record in some:
                    self._fold(record)
            folded = True
        with self._lock:
            self.looked = self._tick()
            if not folded and self.looked - self._drawn < IDLE_S:
                return
            picture = self._draw()
            difference = changes(self._picture, picture)
            self._picture, self._drawn = picture, self.looked
            if not difference:
                return
            self.rev += 1
            event = _event("change", {"rev": self.rev, "parts": difference}, self.rev)
            for listener in self._listeners:
                listener.tell(event)

    def _fold(self, record: Any) -> None:
        """One record into all that is kept. One that cannot be is told, counted and passed over: the
        pages would stand still for its sake."""
        try:
            self.view.take(record)
            self.trail.take(record, self.view)
            self.audit.take(record)
        except Exception as e:  # noqa: BLE001  # see above
            self._odd(type(record).__name__, e)

    def _odd(self, what: str, error: Exception) -> None:
        self.unread += 1
        why = fault(error)
        words = Text(f"程序出错，略过：{why}", f"a program error, passed over: {why}")
        once("console", f"{what}: " + words)

    def clock(self) -> int:
        """The run's own clock (ms)."""
        return self._now() if self.run.kind == "live" else self.view.clock_at

    def _draw(self) -> Picture:
        clock = self.clock()
        picture: Picture = {
            "line": {
                "clock": self.view.clock_at,
                "readings": self.view.readings,
                "dead": sum(self.view.dead.values()),
            }
        }
        for parts in self._pages:
            try:
                self._parts[parts] = parts(self.district, self.view, self.trail, clock)
            except Exception as e:  # noqa: BLE001  # this page shows what it last could
                self._odd(parts.__module__, e)
            picture.update(self._parts.get(parts, {}))
        picture.update(self.beside())
        picture["line"]["unread"] = self.unread
        return picture

    def snapshot(self) -> bytes:
        """The whole picture, as JSON."""
        with self._lock:
            run = {"name": self.run.name, "kind": self.run.kind}
            return _encoder.encode(
                {
                    "rev": self.rev,
                    "run": run,
                    "age_ms": self.age_ms(),
                    "now": _wall(),
                    "parts": self._picture,
                }
            )

    def read(self, ask: Callable[[View, Trail], T]) -> T:
        """What `ask` makes of the folded log, while nothing moves in it."""
        with self._lock:
            return ask(self.view, self.trail)

    def at(self) -> int:
        """The run's own clock; before its first record, the wall's."""
        return self.clock() or int(time.time() * 1000)

    def findings(self) -> list[Finding]:
        """What the auditor cannot explain now."""
        now = self.clock()
        with self._lock:
            return list(self.audit.findings(now))

    def age_ms(self) -> int:
        """How long ago the log was last looked at."""
        return int((self._tick() - self.looked) * 1000) if self.looked else 10**9

    def beat(self) -> bytes:
        """The heartbeat says when the log was last read, a server without a log is no news; and what
        time it is here, for browsers whose clock is wrong."""
        found = {"rev": self.rev, "age_ms": self.age_ms(), "now": _wall()}
        return _event("beat", found, self.rev)

    def past(self) -> bytes:
        """What the map looked like, every ten minutes of the last hours."""
        with self._lock:
            return _encoder.encode(list(self.trail.frames))

    def series(self, station: str) -> bytes:
        """One station's values of the last hours."""
        with self._lock:
            return _encoder.encode(self.trail.series(station))

    def listen(self, listener: Listener) -> None:
        """Tell it everything from now on."""
        with self._lock:
            self._listeners.add(listener)

    def leave(self, listener: Listener) -> None:
        """Tell it nothing more."""
        with self._lock:
            self._listeners.discard(listener)


def _wall() -> int:
    return int(time.time() * 1000)


def _event(name: str, data: Any, rev: int) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (rev, name.encode(), _encoder.encode(data))
