"""Feeds of other authorities, Atom or RSS, asked again and again: what is new in them is handed in.

A feed's entries lead to messages on the same server, or on one that the source names, or hold them.
Nothing is remembered over a restart: the newest are fetched again, and the same message counts once
(`detectors.memory.cap`). A message that the feed no longer lists is no less in force for it.
"""

import threading
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from config.language import Said, Text, text_of
from config.records.sources import Source
from ingest.cap.decode import MAX_BYTES, Wrong
from ingest.cap.feed_entries import MOST_BYTES as FEED_BYTES
from ingest.cap.feed_entries import Found, entries, next_page
from ingest.cap.intake import CapDoor
from ingest.observation import CapIn
from stream.guard import OF_THE_LOG, unread
from stream.http.client import ask
from stream.log.port import Log
from stream.oplog import Seldom, say
from stream.records import Rejected

_AT_ONCE = 200  # messages that are fetched at one look; the rest at the next
_PAGES = 10
_TIMEOUT_S, _WHOLE_S = 15.0, 300.0  # the largest feed comes by a narrow line too


def _ahead(found: Iterable[CapIn | Rejected]) -> bool:
    return any(isinstance(f, Rejected) and f.reason == "clock_ahead" for f in found)


class Poller:
    """One feed. live: an exercise asks this machine only, whatever proxy the environment names."""

    def __init__(
        self, source: Source, live: bool, door: CapDoor, log: Log, now: Callable[[], int]
    ) -> None:
        self._source = source
        self._url = source.feed if live else source.exercise_feed
        self._door, self._log, self._now = door, log, now
        self._live = live
        self._seen: dict[str, bool] = {}
        self._told = set[str]()  # seen with a clock that is ahead
        self._seldom = Seldom()
        self._tag = self._modified = ""
        self._failing: Said = ""

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            self._tell(self.once())
            stop.wait(self._source.poll_s)

    def _tell(self, why: Said) -> None:
        if why != self._failing:
            self._failing = why
            words = why or Text("又有回答了", "answers again")
            say("ingest", f"{self._source.id} {self._url}: " + words)

    def once(self) -> Said:
        """One look; why it failed, "" if it did not."""
        try:
            found = self._listed()
            if found is None:
                return ""
        except Wrong as e:
            return e.rejected.detail
        except (OSError, ValueError) as e:
            return text_of(e) if str(e) else type(e).__name__
        except Exception as e:  # noqa: BLE001  # one feed that cannot be read silences no other
            return unread("ingest", e).detail
        new = [f for f in found if f.key not in self._seen]
        failed = [f for f in new[:_AT_ONCE] if not self._fetch(f)]
        later = [*failed, *new[_AT_ONCE:]]
        left = {f.key for f in later}
        self._seen = {f.key: True for f in found if f.key not in left}
        self._told &= left
        if later:
            self._tag = self._modified = ""  # the feed as it is must be looked at again
        if failed:
            what = f"{failed[0].url} (+{len(failed) - 1})"
            return Text(f"取不到：{what}", f"could not be fetched: {what}")
        return ""

    def _listed(self) -> list[Found] | None:
        """The entries, newest first; None where the feed is as it was. Further pages of a long feed
        are read as far as they are on the same server."""
        body = self._get(self._url, FEED_BYTES, feed=True)
        if body is None:
            return None
        found, at = entries(body, self._url), self._url
        for _ in range(_PAGES):
            at, before = next_page(body, at), at
            if not at or at == before or not self._ours(at):
                break
            body = self._get(at, FEED_BYTES) or b""
            found += entries(body, at)
        return found

    def _ours(self, url: str) -> bool:
        """Whether the source's messages may lie there."""
        parts = urlsplit(url)
        if parts[:2] == urlsplit(self._url)[:2]:
            return True
        return (
            self._live and parts.scheme in ("http", "https") and parts.netloc in self._source.hosts
        )

    def _fetch(self, found: Found) -> bool:
        """Hand it in; False to try again."""
        try:
            if found.wrong or not (found.body or self._ours(found.url)):
                self._astray(found)
                return True
            body = found.body or self._get(found.url, MAX_BYTES) or b""
            # its clock was ahead: it is written down when it is not
            if found.key in self._told and _ahead(
                self._door.judged(body, self._now(), self._source.id)
            ):
                return False
            taken = self._door.enter(self._log, body, self._now, found.url, self._source.id)
        except (OSError, ValueError):
            return False
        except OF_THE_LOG:
            raise
        except Exception as e:  # noqa: BLE001  # asked again: the entry is not lost, the others go on
            unread("ingest", e)
            return False
        if _ahead(taken.each):
            self._told.add(found.key)
            return False
        return True

    def _astray(self, found: Found) -> None:
        """An entry that cannot be followed is told once, in the log and here."""
        words = found.wrong or Text(
            "在别的服务器，未取：写进 hosts",
            "lies on another server, not fetched: name it in hosts",
        )
        self._seldom("ingest", f"{self._source.id}: {found.url[:200]}: " + words)
        why = Rejected("bad_reference", f"{found.url[:200]!r} " + words)
        self._door.stray(self._log, self._now, self._url, why)

    def _get(self, url: str, limit: int, *, feed: bool = False) -> bytes | None:
        """The body; None where nothing is new since the last time. One that is too long comes cut
        one byte behind the limit, so that whoever reads it refuses it."""
        headers = {"User-Agent": "fengsui"}
        if feed and self._tag:
            headers["If-None-Match"] = self._tag
        if feed and self._modified:
            headers["If-Modified-Since"] = self._modified
        answer = ask(
            "GET", url, headers, limit=limit, timeout_s=_TIMEOUT_S, whole_s=_WHOLE_S,
            proxies=self._live,
        )  # fmt: skip
        if answer.status == 304:
            return None
        if not 200 <= answer.status < 300:  # a feed that leads elsewhere is for a person to see
            raise OSError(f"HTTP {answer.status}")
        if feed:
            if len(answer.body) > limit:
                raise ValueError(Text(f"超过 {limit} 字节", f"over {limit} bytes"))
            self._tag = answer.headers.get("ETag") or ""
            self._modified = answer.headers.get("Last-Modified") or ""
        return answer.body
