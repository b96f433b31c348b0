"""A desk of one channel: a few attempts ahead, the most urgent first, and threads that take from it when
the channel has room. Whoever has no threads makes them one by one (`turn`)."""

import heapq
import itertools
import threading
from collections.abc import Callable

from config.records.level import Level
from dispatch.channels import Channel
from dispatch.channels.failover import Carriers
from dispatch.send.outbox.state import Attempt, urgency

PER_CHANNEL = 12  # threads: a dead carrier holds only its own
RESERVE = 2  # more, free for red and 立即转移
AHEAD = 200  # attempts on a desk: enough to keep its threads busy until the next pass
_AGAIN_S = 0.2  # nobody waits longer for a room without looking again


class Try:
    """An attempt on a desk. taken: a thread has it. told: its receipt is on the way to the log."""

    def __init__(self, attempt: Attempt, begun_at: int) -> None:
        self.attempt, self.begun_at = attempt, begun_at
        self.taken = self.told = False
        self.urgent = -urgency(attempt.delivery)[0] >= Level.RED


class ChannelDesk:
    """Attempts of one channel, and the threads that make them. make: one attempt; False: nothing was taken.
    died: told what ended a thread. steady: seconds, of a clock that never goes back."""

    def __init__(
        self,
        name: str,
        channel: Channel | None,
        make: Callable[[Try], bool],
        died: Callable[[BaseException], None],
        threads: int,
        steady: Callable[[], float],
    ) -> None:
        self._channel, self._make, self._died, self._steady = channel, make, died, steady
        self._heap: list[tuple[tuple[int, ...], int, Try]] = []
        self._count = itertools.count()
        lock = threading.Lock()
        self._change, self._urgent = threading.Condition(lock), threading.Condition(lock)
        self._pause_until = 0.0
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, args=(n < RESERVE,), name=f"{name}-{n}")
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def room(self) -> int:
        """How many more it takes."""
        with self._change:
            return AHEAD - len(self._heap)

    def down(self) -> bool:
        """No carrier of the channel works."""
        return isinstance(self._channel, Carriers) and self._channel.down()

    def put(self, one: Try) -> None:
        with self._change:
            heapq.heappush(self._heap, (urgency(one.attempt.delivery), next(self._count), one))
            self._change.notify()
            if one.urgent:
                self._urgent.notify()

    def withdraw(self, one: Try) -> bool:
        """Take it off; False if a thread has it."""
        with self._change:
            if one.taken:
                return False
            self._heap = [x for x in self._heap if x[2] is not one]
            heapq.heapify(self._heap)
            return True

    def pause(self, wait_s: float) -> None:
        """The carriers are busy."""
        with self._change:
            self._pause_until = self._steady() + wait_s

    def close(self) -> None:
        """Waits for attempts under way; what nobody took stays undone."""
        with self._change:
            self._closing = True
            self._change.notify_all()
            self._urgent.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, only_urgent: bool) -> None:
        try:
            while (one := self._next(only_urgent)) is not None:
                self._try(one)
        except BaseException as e:  # noqa: BLE001  # the stage ends with it: mute is not alive
            self._died(e)

    def _next(self, only_urgent: bool) -> Try | None:
        with self._change:
            while not self._closing:
                if not self._heap or (only_urgent and not self._heap[0][2].urgent):
                    (self._urgent if only_urgent else self._change).wait()
                    continue
                wait_s = self._wait_s()
                if wait_s > 0:
                    self._change.wait(min(wait_s, _AGAIN_S))
                    continue
                return self._take()
        return None

    def turn(self) -> bool:
        """One attempt, for whoever has no threads. False: none may be made now."""
        with self._change:
            one = self._take() if self._heap and self._wait_s() <= 0 else None
        return one is not None and self._try(one)

    def _wait_s(self) -> float:
        wait_s = self._pause_until - self._steady()
        return (
            max(wait_s, self._channel.wait_s()) if isinstance(self._channel, Carriers) else wait_s
        )

    def _take(self) -> Try:
        one = heapq.heappop(self._heap)[2]
        one.taken = True
        return one

    def _try(self, one: Try) -> bool:
        if self._make(one):
            return True
        with self._change:  # nothing was taken: it stands in line again
            one.taken = False
        self.put(one)
        return False
