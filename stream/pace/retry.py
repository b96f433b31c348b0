"""The wait before what is away is asked again: each is twice the last, up to a limit. Of a server of the line
that is 5 s: nobody is warned before it has been asked again, and to be asked costs it next to nothing."""

import threading
from collections.abc import Callable

from config.language import Said, Text
from stream.oplog import say

_TOLD_S = 30.0  # while nothing changes it is said no more often


class Retry:
    """Of one thing that may be away. who: as the journal names whoever asks; stop ends every wait;
    first_s, most_s: the shortest wait and the longest; tell: how it is said, where that is often."""

    def __init__(
        self,
        who: str,
        stop: threading.Event,
        first_s: float = 1.0,
        most_s: float = 5.0,
        tell: Callable[[str, Said], None] = say,
    ) -> None:
        self._who, self._stop, self._tell = who, stop, tell
        self._first_s, self._most_s = first_s, most_s
        self.next_s = first_s
        self._said, self._silent_s = (
            0.0,
            0.0,
        )  # the last wait that was told, and how long ago that is

    def wait(self, why: Said) -> bool:
        """Say why, and wait; True once `stop` is set."""
        wait_s, self.next_s = self.next_s, min(2 * self.next_s, self._most_s)
        self._silent_s += wait_s
        if wait_s != self._said or self._silent_s >= _TOLD_S:
            self._said, self._silent_s = wait_s, 0.0
            again = Text(f"；{wait_s:.0f} 秒后再试", f"; trying again in {wait_s:.0f} s")
            self._tell(self._who, why + again)
        return self._stop.wait(wait_s)

    def answered(self) -> None:
        """It is there: the next wait is the shortest again, and is told."""
        self.next_s, self._said = self._first_s, 0.0
