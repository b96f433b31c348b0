"""What has come in and is not yet read: bounded in number and in bytes, so that pictures that come
faster than they are kept cost the broker's memory and not ours."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """most, most_bytes: what is held; one alone is held whatever its size. steady: seconds, of a clock that
    never goes back."""

    def __init__(
        self, most: int, most_bytes: int, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._held: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._steady = steady
        self._change = threading.Condition()

    def put(self, one: T, size: int, timeout_s: float) -> bool:
        """False when there was no room for it in this time."""
        with self._change:
            if not self._change.wait_for(lambda: self._room(size), timeout_s):
                return False
            self._held.append((one, size))
            self._bytes += size
            self._change.notify_all()
            return True

    def _room(self, size: int) -> bool:
        small = len(self._held) < self._most and self._bytes + size <= self._most_bytes
        return small or not self._held

    def take(self, timeout_s: float, limit: int, linger_s: float, most_bytes: int) -> list[T]:
        """Waits for the first up to `timeout_s`, then takes what comes within `linger_s`, at most `limit`,
        and no more once they are `most_bytes` together. A first that comes after a pause as long as
        `linger_s` waits for no other: what comes all the time is taken in large batches, and what comes
        rarely at once."""
        taken: list[T] = []
        began = self._steady()
        size, until = 0, began + timeout_s
        with self._change:
            while len(taken) < limit and size < most_bytes:
                if not self._held:
                    left = until - self._steady()
                    if left <= 0 or not self._change.wait_for(lambda: bool(self._held), left):
                        break
                one, its = self._held.popleft()
                if not taken:
                    now = self._steady()
                    until = now if now - began >= linger_s else now + linger_s
                taken.append(one)
                size += its
                self._bytes -= its
            if taken:
                self._change.notify_all()
        return taken
