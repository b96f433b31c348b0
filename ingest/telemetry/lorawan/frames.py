"""The frame counter of a device: which uplink came before, and what share is lost. Pure.

A device counts its frames from 0 after each join; the network server gives the whole counter (32 bits). The
same number twice in one session is one frame said twice: by a device that heard no acknowledgement, by a
second copy that came after the server had put its copies together, by a broker. What lies between two numbers
was lost. A number that falls, or leaps by more than a server lets it, is a new start and no loss.
"""

from collections import OrderedDict, deque
from typing import NamedTuple

LARGEST_GAP = (
    16_384  # MAX_FCNT_GAP, LoRaWAN 1.0.3 and Regional Parameters: no server takes a wider one
)
_KEPT = 64  # frames of a device that are known again
_AGAIN_MS = (
    10 * 60_000
)  # so long a frame may be repeated; a device that began anew has the number later
_WINDOW = 100  # frames, sent ones, over which the loss is a share
_FEWEST = 2


class Frame(NamedTuple):
    """Was it there before? loss: the share of the last frames that did not come, in %, None where nobody
    knows yet."""

    again: bool
    loss: float | None


class Counter:
    """Of one device. last: the number that its newest reading in the log has, -1 for none."""

    def __init__(self, last: int = -1) -> None:
        self._last = last
        self._session: str | None = None  # None: of before this process began
        self._seen: OrderedDict[tuple[str, int], tuple[int, int]] = OrderedDict()
        self._steps: deque[int] = deque()  # by how much the counter rose, newest last
        self._sent = 0

    def joined(self) -> None:
        """It counts from 0 again; what is lost from here on is not known from before."""
        self._last = -1

    def take(self, session: str, number: int, digest: int, at: int) -> Frame:
        """One uplink. digest: of what it holds; at: when it was heard, ms."""
        key = (session, number)
        known = self._seen.get(key)
        if known is not None and known[0] == digest and abs(at - known[1]) <= _AGAIN_MS:
            return Frame(True, None)
        self._seen[key] = (digest, at)
        self._seen.move_to_end(key)
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
        same = self._session in (None, session)
        step = number - self._last if same and self._last >= 0 else 0
        self._session, self._last = session, number
        self._step(step if 0 < step <= LARGEST_GAP else 1)
        return Frame(False, self._loss())

    def _step(self, step: int) -> None:
        self._steps.append(step)
        self._sent += step
        while self._sent - self._steps[0] >= _WINDOW and len(self._steps) > 1:
            self._sent -= self._steps.popleft()

    def _loss(self) -> float | None:
        if self._sent < _FEWEST:
            return None
        return 100.0 * (1 - len(self._steps) / self._sent)
