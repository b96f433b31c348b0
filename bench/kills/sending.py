"""What send knew when it sent, from what can be seen of it: how far it had come in the log, when it was
started, when it stood still. Whoever sends what the log had ended, replaced or let run out, and knew it, is
found; how slow the machine was plays no part. Pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dispatch.channels.status_words import ALOUD
from dispatch.records import Delivery, Receipt
from dispatch.send.outbox.ends import by_another
from dispatch.send.outbox.state import key_of, line_of

_ENDS = ("answered", "superseded", "expired")
_TAKEN = ("accepted", "delivered", "played", "answered")


class Posted(NamedTuple):
    """A message that the gateway was given, the same key again included. at: monotonic."""

    key: str
    to: str
    channel: str
    at: float


class Come(NamedTuple):
    """How far send had come in `deliveries`, seen at `at` (monotonic): what stands before `position` it had
    handled. All before `end` stood there."""

    at: float
    position: int
    end: int


class Past(NamedTuple):
    """Of send. come: in order of time; started: when its process was; stood: from when to when it stood still;
    attempt_s: no attempt that it has begun lasts longer."""

    come: Sequence[Come]
    started: Sequence[float]
    stood: Sequence[tuple[float, float]]
    attempt_s: float

    def known(self, at: float) -> int:
        """What stands before this offset it knew of whatever it sent at `at`. A process that is started reads
        all there is before it sends anything; later it had known a thing for longer than an attempt lasts, so
        that none of before can have been under way."""
        started = max((s for s in self.started if s <= at), default=float("-inf"))
        before = bisect_right(self.come, started, key=_at)
        found = self.come[before - 1].end if before else 0
        for one in reversed(self.come[: bisect_right(self.come, at - self.attempt_s, key=_at)]):
            if self._awake(one.at, at) >= self.attempt_s:
                return max(found, one.position)
        return found

    def _awake(self, since: float, until: float) -> float:
        still = (min(b, until) - max(a, since) for a, b in self.stood)
        return until - since - sum(s for s in still if s > 0)


def _at(one: Come) -> float:
    return one.at


class _Topic:
    """`deliveries` by what is asked of it: places in it are offsets."""

    def __init__(self, records: Sequence[tuple[int, Any]]) -> None:
        self.places: dict[str, tuple[Delivery, int]] = {}  # key -> delivery, route
        self.of: dict[str, Delivery] = {}
        self.versions: dict[str, list[tuple[int, int]]] = {}  # line -> offset, version
        self.ended: dict[str, tuple[int, Receipt]] = {}
        # what the way said last, rising: taken, or None where it failed and may be tried again
        self.taken: dict[tuple[str, int], list[tuple[int, Receipt | None]]] = {}
        self.begun: dict[tuple[str, int, int], tuple[int, Receipt]] = {}
        self.clocks: list[tuple[int, int]] = []  # offset, clock: both rise
        for offset, record in records:
            self._take(offset, record)

    def _take(self, offset: int, record: Any) -> None:
        match record:
            case Delivery():
                self.of[record.id] = record
                self.versions.setdefault(line_of(record), []).append((offset, record.version))
                for n, route in enumerate(record.routes):
                    self.places[key_of(record, route.channel)] = record, n
            case Receipt():
                if record.state in _ENDS:
                    self.ended.setdefault(record.delivery, (offset, record))
                place = record.delivery, record.route
                if record.state in _TAKEN or record.state == "failed":
                    taken = record if record.state in _TAKEN else None
                    self.taken.setdefault(place, []).append((offset, taken))
                if record.state == "accepted" and not by_another(record):
                    self.begun.setdefault((*place, record.attempt), (offset, record))
            case _:
                clock_at = getattr(record, "clock_at", 0)
                if clock_at > (self.clocks[-1][1] if self.clocks else 0):
                    self.clocks.append((offset, clock_at))

    def wrong(
        self, d: Delivery, route: int, known: int, attempt: int = 0
    ) -> Iterator[tuple[str, str]]:
        """What speaks against sending it, of what stands before `known`: (doubled or stale, words). attempt: of
        which it is asked, whose own receipt is none against it."""
        taken = self._taken(d, route, known)
        at, ended = self.ended.get(d.id, (known, None))
        for found in (taken, ended if at < known else None):
            if found is not None and found.attempt != attempt:
                yield "doubled", f"{found.state} stood in the log"
        newer = max((v for at, v in self.versions[line_of(d)] if at < known), default=0)
        if newer > d.version and not d.asked_by:
            yield "stale", f"version {newer} stood in the log"
        nth = bisect_right(self.clocks, known - 1, key=lambda c: c[0])
        clock = self.clocks[nth - 1][1] if nth else 0
        if clock >= d.expires_at:
            yield "stale", f"over since {(clock - d.expires_at) // 1000} s"

    def _taken(self, d: Delivery, route: int, known: int) -> Receipt | None:
        """The way's last word before `known`, if it has it and never said later that it failed: that may have
        come at the very clock at which the next attempt began."""
        said = self.taken.get((d.id, route), [])
        nth = next((n for n in range(len(said) - 1, -1, -1) if said[n][0] < known), None)
        if nth is None or any(later is None for _, later in said[nth + 1 :]):
            return None
        return said[nth][1]

    def chosen(self, receipt: Receipt) -> int:
        """All before this offset send knew when it began this attempt: its receipt names the clock that it went
        by, in an exercise. Between two clocks that stand here it goes on by itself, so what came after the
        earlier one it may have known or not."""
        nth = bisect_right(self.clocks, receipt.receipt_at, key=lambda c: c[1])
        return self.clocks[nth - 1][0] if nth else 0


def wrongly_sent(
    records: Sequence[tuple[int, Any]],
    posted: Sequence[Posted],
    past: Past,
    counted: Counter[str],
) -> Iterator[str]:
    """records: of `deliveries`, each with its offset. What was sent though send knew better, or is of nothing
    in the log. What a kill left open between the gateway's word and the log goes out again by the same key: the
    gateway knows it, and nobody reads it twice."""
    topic, known = _Topic(records), set[str]()
    for post in sorted(posted, key=lambda p: p.at):
        counted["posts"] += 1
        counted["posts by the same key"] += post.key in known
        known.add(post.key)
        if post.key not in topic.places:
            counted["doubled"] += 1
            yield f"{post.channel} {post.key}: of no delivery in the log"
            continue
        d, route = topic.places[post.key]
        yield from _told(topic.wrong(d, route, past.known(post.at)), d, post.channel, counted)
    for (delivery, route, attempt), (_, receipt) in topic.begun.items():
        of = topic.of.get(delivery)
        # a loudspeaker says itself, and later, that it has taken what was sent
        if of is not None and of.routes[route].channel not in ALOUD:
            words = f"route {route}, attempt {attempt}"
            wrong = topic.wrong(of, route, topic.chosen(receipt), attempt)
            yield from _told(wrong, of, words, counted)


def _told(
    wrong: Iterator[tuple[str, str]], d: Delivery, how: str, counted: Counter[str]
) -> Iterator[str]:
    for kind, words in wrong:
        counted[kind] += 1
        yield f"{how} {d.recipient} {d.alert}/{d.version}: {words}"


def aloud_again(heard: Mapping[str, Sequence[Any]], counted: Counter[str]) -> Iterator[str]:
    """heard: node -> jobs in the order in which they sounded. None goes back to an older version."""
    for node, jobs in heard.items():
        last: dict[str, int] = {}
        for job in jobs:
            counted["sounded"] += 1
            if job.version < last.get(job.alert, 0):
                counted["stale"] += 1
                yield f"{node} sounds {job.alert}/{job.version} after {last[job.alert]}"
            last[job.alert] = max(job.version, last.get(job.alert, 0))
