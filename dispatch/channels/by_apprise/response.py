"""apprise, with an ear at what its services answer: loaded at the first message that goes by it, so that
a line without such a carrier never loads it.

apprise says only yes or no, so the HTTP status is taken from what it logs while it sends. Its log lines
may name a recipient: they end here. Its plugins call `requests.post` and hand on nothing of the answer,
so what `requests` receives in a thread that sends is looked at here. `requests` bounds each piece of an
answer and neither the whole nor its size: a service that drips would keep a thread for ever.
"""

import logging
import re
import threading
from typing import Any

import apprise
import requests
import urllib3
from requests.adapters import HTTPAdapter

from stream.http.client import within

_LONGEST = 65_536
WHOLE_S = 60.0  # of an answer, from the first word of the question
_STATUS = re.compile(r"error=(\d{3})\b")


class Ear(logging.Filter):
    """Keeps this thread's HTTP status of a log line, and lets no line through to any handler."""

    def __init__(self) -> None:
        super().__init__()
        self._local = threading.local()

    def clear(self) -> None:
        self._local.status = 0
        self._local.bodies = []

    def note(self, response: requests.Response) -> None:
        """An answer under 2xx, of a thread that listens."""
        bodies = getattr(self._local, "bodies", None)
        if bodies is not None and response.ok:
            bodies.append(response.content)

    def bodies(self) -> list[bytes]:
        """The answers since `clear`; listens no more."""
        found, self._local.bodies = self._local.bodies, None
        return list(found)

    def listens(self) -> bool:
        """In this thread."""
        return getattr(self._local, "bodies", None) is not None

    def status(self) -> int:
        return int(getattr(self._local, "status", 0))

    def filter(self, record: logging.LogRecord) -> bool:
        found = _STATUS.search(record.getMessage())
        if found:
            self._local.status = int(found[1])
        return False


heard = Ear()
# its lines may hold telephone numbers, whatever level the program logs at
logging.getLogger("apprise").addFilter(heard)
logging.getLogger("apprise").setLevel(logging.WARNING)
_send = requests.Session.send


def _noted(self: requests.Session, request: Any, **how: Any) -> requests.Response:
    if not heard.listens():
        return _send(self, request, **how)
    pools = [a.poolmanager for a in self.adapters.values() if isinstance(a, HTTPAdapter)]
    try:
        with within(WHOLE_S, *pools):
            response = _send(self, request, **{**how, "stream": True})
            body = bytearray()
            while len(body) < _LONGEST and (more := response.raw.read(8192, decode_content=True)):
                body += more
    except (urllib3.exceptions.HTTPError, OSError) as e:
        if isinstance(e, requests.RequestException):
            raise
        raise requests.ReadTimeout from e
    response._content = bytes(body[:_LONGEST])
    response.close()
    heard.note(response)
    return response


requests.Session.send = _noted  # type: ignore[method-assign]


def instantiate(url: str) -> apprise.NotifyBase | None:
    """The service that a URL names; None where apprise does not understand it."""
    found: apprise.NotifyBase | None = apprise.Apprise.instantiate(url)
    return found


def notify(service: apprise.NotifyBase, title: str, body: str) -> bool:
    """One attempt of this thread; did apprise take the answer for a yes?"""
    return says_yes(service.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT))


def says_yes(found: object) -> bool:
    """A service's `notify` says True or False. Of 2.x's results those of a call, a service and an attempt
    are true where they succeeded; their `status` is a number of which 0 is success."""
    if isinstance(found, bool) or not isinstance(found, int):
        return bool(found)
    return int(found) == 0
