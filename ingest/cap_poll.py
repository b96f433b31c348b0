"""Feeds of other authorities, Atom or RSS, asked again and again: what is new in them is handed in.

A feed's entries lead to messages on the same server, or hold them. Nothing is remembered over a
restart: the newest are fetched again, and the same message counts once (`detectors.cap_heard`).
"""

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from lxml import etree

from config.sources import Source
from ingest.cap_door import CapDoor
from ingest.decode.cap import MAX_BYTES, NAMESPACE, Wrong, parse_xml
from ingest.guard import OF_THE_LOG, unread
from ingest.journal import say
from ingest.log import Log

FEED_BYTES = 4_000_000
_NEWEST = 200
_TIMEOUT_S = 15.0
_ATOM = "{http://www.w3.org/2005/Atom}"
_CAP_TYPES = ("application/cap+xml", "application/common-alerting-protocol+xml")


class Found(NamedTuple):
    """What an entry leads to: the address of a message, or the message itself."""

    key: str  # the entry in this state: the same again is nothing new
    url: str
    body: bytes


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A feed that leads elsewhere is an error for a person to see."""

    def redirect_request(self, *args: object) -> None:
        return None


def entries(body: bytes, at: str) -> list[Found]:
    """The newest messages of a feed at the URL `at`. Raises `Wrong`."""
    root = parse_xml(body)
    if root.tag == f"{_ATOM}feed":
        found = list(_atom(root, at))
    elif root.tag == "rss":
        found = list(_rss(root, at))
    else:
        raise Wrong(
            "bad_payload", f"既非 Atom 也非 RSS neither Atom nor RSS: <{str(root.tag)[:80]}>"
        )
    return found[:_NEWEST]


def _atom(root: etree._Element, at: str) -> Iterator[Found]:
    for entry in root.iterfind(f"{_ATOM}entry"):
        key = f"{entry.findtext(f'{_ATOM}id')} {entry.findtext(f'{_ATOM}updated')}"
        whole = entry.find(f".//{{{NAMESPACE}}}alert")
        if whole is not None:
            yield Found(key, at, etree.tostring(whole, encoding="UTF-8", with_tail=False))
            continue
        links = entry.findall(f"{_ATOM}link")
        links.sort(key=lambda e: e.get("type") not in _CAP_TYPES)
        for link in links:
            if link.get("rel", "alternate") in ("alternate", "related", "enclosure"):
                yield from _led(key, at, str(link.get("href", "")))
                break


def _rss(root: etree._Element, at: str) -> Iterator[Found]:
    for item in root.iterfind("channel/item"):
        link = (item.findtext("link") or "").strip()
        key = f"{item.findtext('guid') or link} {item.findtext('pubDate')}"
        whole = item.find(f".//{{{NAMESPACE}}}alert")
        if whole is not None:
            yield Found(key, at, etree.tostring(whole, encoding="UTF-8", with_tail=False))
        elif link:
            yield from _led(key, at, link)


def _led(key: str, at: str, link: str) -> Iterator[Found]:
    """Where the link of an entry leads; nowhere if it is no address: the other entries count."""
    try:
        url = urljoin(at, link)
        urlsplit(url).port  # noqa: B018  # raises for what is none
    except ValueError:
        say("ingest", f"{at}: 条目的链接读不懂 an entry's link is no address: {link[:80]!r}")
        return
    yield Found(key, url, b"")


class Poller:
    """One feed. live: an exercise asks this machine only, whatever proxy the environment names."""

    def __init__(
        self, source: Source, live: bool, door: CapDoor, log: Log, now: Callable[[], int]
    ) -> None:
        self._source = source
        self._url = source.feed if live else source.exercise_feed
        self._door, self._log, self._now = door, log, now
        self._seen: dict[str, bool] = {}
        self._tag = self._modified = ""
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if not live:
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)
        self._failing = ""

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            self._tell(self.once())
            stop.wait(self._source.poll_s)

    def _tell(self, why: str) -> None:
        if why != self._failing:
            self._failing = why
            words = why or "又有回答了 answers again"
            say("ingest", f"{self._source.id} {self._url}: {words}")

    def once(self) -> str:
        """One look; why it failed, "" if it did not."""
        try:
            body = self._get(self._url, FEED_BYTES, feed=True)
            if body is None:
                return ""
            found = entries(body, self._url)
        except Wrong as e:
            return e.rejected.detail
        except (OSError, http.client.HTTPException, ValueError) as e:
            return str(e) or type(e).__name__
        except Exception as e:  # noqa: BLE001  # one feed that cannot be read silences no other
            return unread("ingest", e).detail
        failed = [f for f in found if f.key not in self._seen and not self._fetch(f)]
        self._seen = {f.key: True for f in found if f not in failed}
        if failed:
            self._tag = self._modified = ""  # the feed as it is must be looked at again
            return f"取不到 could not be fetched: {failed[0].url} (+{len(failed) - 1})"
        return ""

    def _fetch(self, found: Found) -> bool:
        """Hand it in; False to try again."""
        body = found.body
        try:
            if not body:
                if urlsplit(found.url)[:2] != urlsplit(self._url)[:2]:
                    say(
                        "ingest",
                        f"{self._source.id}: {found.url}: 不在同一服务器 on another server",
                    )
                    return True
                body = self._get(found.url, MAX_BYTES) or b""
            self._door.enter(self._log, body, self._now, found.url, self._source.id)
        except (OSError, http.client.HTTPException, ValueError):
            return False
        except OF_THE_LOG:
            raise
        except Exception as e:  # noqa: BLE001  # asked again: the entry is not lost, the others go on
            unread("ingest", e)
            return False
        return True

    def _get(self, url: str, limit: int, *, feed: bool = False) -> bytes | None:
        """The body; None where nothing is new since the last time. One that is too long comes cut
        one byte behind the limit, so that whoever reads it refuses it."""
        request = urllib.request.Request(url, headers={"User-Agent": "fengsui"})  # noqa: S310  # checked
        if feed and self._tag:
            request.add_header("If-None-Match", self._tag)
        if feed and self._modified:
            request.add_header("If-Modified-Since", self._modified)
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                body: bytes = answer.read(limit + 1)
                if feed:
                    if len(body) > limit:
                        raise ValueError(f"上限 over {limit} 字节 bytes")
                    self._tag = answer.headers.get("ETag") or ""
                    self._modified = answer.headers.get("Last-Modified") or ""
                return body
        except urllib.error.HTTPError as e:
            if e.code == 304:
                return None
            raise
