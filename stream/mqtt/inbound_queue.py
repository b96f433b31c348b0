"""What has come in and is not yet read: bounded in number and in bytes, so that pictures that come
faster than they are kept cost the broker's memory and not ours."""

import math
import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """most, most_bytes: what is held; one alone is held whatever its size."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._held: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._taken_at = -math.inf
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
        """Waits for the first up to `timeout_s`, then takes what comes within `linger_s` of the last time that
        something was taken, at most `limit`, and no more once they are `most_bytes` together. So what comes
        after a pause waits for nothing, and of what comes all the time much is taken at once."""
        taken: list[T] = []
        size, until = 0, time.monotonic() + timeout_s
        with self._change:
            while len(taken) < limit and size < most_bytes:
                if not self._held:
                    left = until - time.monotonic()
                    if left <= 0 or not self._change.wait_for(lambda: bool(self._held), left):
                        break
                one, its = self._held.popleft()
                if not taken:
                    until = self._taken_at + linger_s
                taken.append(one)
                size += its
                self._bytes -= its
            if taken:
                self._taken_at = time.monotonic()
                self._change.notify_all()
        return taken
