"""So many in a while for each name: of a person, an address, a number. The time comes in."""

import ipaddress
import threading
from collections import deque


def network_of(host: str) -> str:
    """For whom what comes from this address counts. Of IPv6 the /64: one household has 2^64 addresses."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return "?"
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None or found.version == 4:
        return str(mapped or found)
    return str(ipaddress.ip_network((found, 64), strict=False))


class RateLimit:
    """within: the while, in the unit of the caller's clock. names: so many are remembered at most; of
    more, those that asked longest ago are forgotten, as is everyone whose times are all over. Any thread."""

    def __init__(self, within: float, names: int = 10_000) -> None:
        self._within, self._names = within, names
        self._times: dict[str, deque[float]] = {}  # whoever asked longest ago stands first
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Names that are remembered."""
        return len(self._times)

    def lets(self, name: str, now: float, most: int) -> bool:
        """Whether it may be once more, which then counts; what is refused does not."""
        with self._lock:
            times = self._of(name, now)
            if len(times) >= most:
                return False
            times.append(now)
            return True

    def wait(self, name: str, now: float, most: int) -> float:
        """How long until `lets` would let; 0 where it would now. Nothing counts."""
        with self._lock:
            times = self._of(name, now)
            return 0.0 if len(times) < most else times[-most] + self._within - now

    def full(self, name: str, now: float, most: int) -> bool:
        """Whether `lets` would refuse; nothing counts."""
        with self._lock:
            return len(self._of(name, now)) >= most

    def _of(self, name: str, now: float) -> deque[float]:
        over = now - self._within
        times = self._times[name] = self._times.pop(name, deque())
        while times and times[0] <= over:
            times.popleft()
        while (first := next(iter(self._times))) != name:
            last = self._times[first]
            if last and last[-1] > over and len(self._times) <= self._names:
                break
            del self._times[first]
        return times
