"""Who posts what is not the platform's, and how often that is looked at. Each wrong signature costs work, an
answer that is signed, and lines in the journal (GmSSL writes its own to standard error): a stranger gets few
in a minute, and all strangers together few more. Whoever has proved to be the platform is not held up by
them."""

import ipaddress
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from stream.pace.rate_limit import RateLimit

WITHIN_S = 60.0
OF_ONE, OF_ALL, OF_KNOWN = 20, 60, 120  # in a minute
_ALL = ""
_KNOWN = 100  # addresses


class Strangers:
    """url: where the platform takes packets; an address in it is the platform's. Any thread."""

    def __init__(self, url: str) -> None:
        self._bad = RateLimit(WITHIN_S)
        self._lock = threading.Lock()
        self._known: dict[str, None] = {}
        with suppress(ValueError):  # a name: it is known once a packet from there is good
            self._known[_plain(str(ipaddress.ip_address(urlsplit(url).hostname or "")))] = None

    def may(self, address: str, now: float) -> bool:
        """Whether a packet from there is opened. now: s, of a clock that never goes back."""
        address = _plain(address)
        with self._lock:
            known = address in self._known
        if known:
            return not self._bad.full(address, now, OF_KNOWN)
        return not (self._bad.full(address, now, OF_ONE) or self._bad.full(_ALL, now, OF_ALL))

    def bad(self, address: str, now: float) -> None:
        """It was not the platform's."""
        address = _plain(address)
        with self._lock:
            known = address in self._known
        self._bad.lets(address, now, OF_KNOWN)
        if not known:
            self._bad.lets(_ALL, now, OF_ALL)

    def good(self, address: str) -> None:
        """It was."""
        address = _plain(address)
        with self._lock:
            self._known[address] = None
            while len(self._known) > _KNOWN:
                del self._known[next(iter(self._known))]


def _plain(address: str) -> str:
    return address.removeprefix("::ffff:")
