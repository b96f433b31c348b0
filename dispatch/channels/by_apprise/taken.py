"""Which parts of a message a service has, between two attempts."""

import threading

_KEPT = 1000  # messages of which some parts are there


class Taken:
    """Which parts of which message the service has, until it has all. A process that starts anew has
    forgotten, and a part may come twice; of more than 1,000 the oldest are forgotten. Any thread."""

    def __init__(self) -> None:
        self._of: dict[str, frozenset[int]] = {}
        self._lock = threading.Lock()

    def of(self, message: str) -> frozenset[int]:
        with self._lock:
            return self._of.get(message, frozenset())

    def add(self, message: str, part: int) -> None:
        with self._lock:
            self._of[message] = self._of.pop(message, frozenset()) | {part}
            while len(self._of) > _KEPT:
                del self._of[next(iter(self._of))]

    def forget(self, message: str) -> None:
        with self._lock:
            self._of.pop(message, None)
