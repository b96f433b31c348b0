"""The hands of send: begins attempts in threads, and writes what became of them to the log.

The runner calls `after` on each pass. An attempt is begun when the outbox says that it is due, its
result becomes a `Receipt` in `deliveries`, and only when that receipt has been read back is the
delivery free for another attempt. A crash loses results, never intentions.
"""

import queue
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from config.level import Level
from dispatch.alert import Receipt, State
from dispatch.channels import Channel, SendError
from dispatch.outbox import Attempt, Box, due, passed, urgency
from ingest.journal import say
from ingest.log import Log, Out, Unavailable
from ingest.observation import encode

WORKERS = 24
PER_CHANNEL = 12  # one dead carrier does not hold all threads
RESERVE = 4  # kept free for red and 立即转移
_BATCH = 500


class _Begun(NamedTuple):
    attempt: Attempt
    work: Future[None]


class Outcome(NamedTuple):
    """What became of one attempt."""

    state: State
    permanent: bool
    detail: str


class Clock:
    """The run's clock, epoch ms. Live it is the wall clock `now`, in an exercise the scenario's:
    what the outbox has heard."""

    def __init__(self, live: bool, now: Callable[[], int]) -> None:
        self.live = live
        self.heard_at = 0
        self._now = now

    def read(self) -> int:
        return max(self.heard_at, self._now()) if self.live else self.heard_at


class Sender:
    """channels: by name. groups: the watch groups whose marks count for `passed_at`."""

    def __init__(
        self,
        log: Log,
        channels: Mapping[str, Channel],
        clock: Clock,
        groups: Sequence[str],
    ) -> None:
        self._log = log
        self._channels = channels
        self._clock = clock
        self._groups = groups
        self._pool = ThreadPoolExecutor(WORKERS, "attempt")
        self._begun: dict[str, _Begun] = {}
        self._results: queue.Queue[Receipt] = queue.Queue()
        self._closing = threading.Event()
        self.failed: BaseException | None = None  # of a thread; `after` raises it
        self._writer = threading.Thread(target=self._write_all, name="receipts")
        self._writer.start()
        self.box: Box | None = None  # None: another member sends
        self.passed_at = 0  # every group's marks up to here are handled, nothing due is undone

    def after(self, box: Box | None) -> None:
        """One pass: let go of what has been answered, begin what is due. Runner's thread only."""
        if self.failed is not None:
            raise self.failed
        self.box = box
        if box is None:
            return
        self._clock.heard_at = box.clock_at
        for delivery, begun in list(self._begun.items()):
            a, e = begun.attempt, box.entries.get(delivery)
            if begun.work.done() and (e is None or e.heard >= (a.route, a.attempt)):
                del self._begun[delivery]
        self._begin(box)
        self.passed_at = max(self.passed_at, passed(box, self._groups, self._begun))

    def _begin(self, box: Box) -> None:
        running = Counter(
            b.attempt.delivery.routes[b.attempt.route].channel
            for b in self._begun.values()
            if not b.work.done()
        )
        at = self._clock.read()
        for attempt in due(box, self._begun, at):
            channel = attempt.delivery.routes[attempt.route].channel
            urgent = -urgency(attempt.delivery)[0] >= Level.RED
            if running.total() >= (WORKERS if urgent else WORKERS - RESERVE):
                return  # the most urgent stand first: what follows has no thread either
            if running[channel] >= PER_CHANNEL:
                continue
            running[channel] += 1
            work = self._pool.submit(self._try, attempt, at)
            self._begun[attempt.delivery.id] = _Begun(attempt, work)

    def _try(self, attempt: Attempt, begun_at: int) -> None:
        receipt = self.tried(attempt)
        at = self._clock.read() if self._clock.live else begun_at
        self._results.put(
            Receipt(
                delivery=attempt.delivery.id,
                route=attempt.route,
                state=receipt.state,
                receipt_at=at,
                attempt=attempt.attempt,
                permanent=receipt.permanent,
                detail=receipt.detail,
            )
        )

    def tried(self, attempt: Attempt) -> Outcome:
        """One attempt on its channel, as data."""
        route = attempt.delivery.routes[attempt.route]
        channel = self._channels.get(route.channel)
        if channel is None:
            return Outcome("failed", True, f"no channel {route.channel}")
        try:
            told = channel.send(attempt.delivery, route, attempt.key)
        except SendError as e:
            return Outcome("failed", e.permanent, e.detail)
        except Exception as e:  # noqa: BLE001  # a fault in one channel must not silence the others
            # the words of an unknown error may hold a number: only its kind and place are kept
            place = traceback.extract_tb(e.__traceback__)[-1]
            detail = f"program error {type(e).__name__} in {place.name}, line {place.lineno}"
            say("send", f"{route.channel}: {detail}; please report it")
            return Outcome("failed", True, detail)
        return Outcome(told.state, False, told.detail)

    def _write_all(self) -> None:
        while True:
            try:
                batch = [self._results.get(timeout=0.2)]
            except queue.Empty:
                if self._closing.is_set():
                    return
                continue
            while len(batch) < _BATCH and not self._results.empty():
                batch.append(self._results.get())
            outs = [Out("deliveries", r.delivery, encode(r)) for r in batch]
            try:
                append(self._log, outs, self._closing)
            except BaseException as e:  # noqa: BLE001  # the stage ends with it, see `after`
                self.failed = e
                return

    def close(self) -> None:
        """Waits for attempts under way, and writes their receipts."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._closing.set()
        self._writer.join()


def append(log: Log, outs: Sequence[Out], stop: threading.Event) -> bool:
    """Until the log has them: True. While it is away, try again; False once `stop` is set."""
    wait_s = 0.5
    while True:
        try:
            log.append(outs)
            return True
        except Unavailable as e:
            say("send", f"{e}; trying again in {wait_s:.0f} s")
            if stop.wait(wait_s):
                return False  # what is not written is tried again after the start
            wait_s = min(2 * wait_s, 30.0)
