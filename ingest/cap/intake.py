"""The door for CAP messages of others, whichever way they come: HTTP, MQTT, a feed or a file. What
is good goes to `observations`, what is not to `dead-letters` with its reason; both are durable
before anybody is told so."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from config.language import Said, Text, each, joined
from config.records.district import District
from ingest.cap.decode import MAX_BYTES, Wrong
from ingest.cap.envelopes import Part, messages
from ingest.cap.interpret import Hearing
from ingest.decode.gzip_in import unpacked
from ingest.observation import CapIn
from stream import metrics
from stream.disk.blobs import FrameStore, no_room
from stream.guard import OF_THE_LOG, letter, unread
from stream.log.port import Log, Out
from stream.records import Rejected, encode

_TOLD = 600
FOLDER = "cap-in"  # in the run's folder: the messages as they came, by their hash


class Taken(NamedTuple):
    """What became of a document. found: of its message, and where there are several of the first that
    is good; each: of every one; outs: what the log is to be given; lost: why bytes are not kept; part:
    what of a good one could not be read."""

    found: CapIn | Rejected
    outs: list[Out]
    lost: Rejected | None = None
    part: Rejected | None = None
    each: tuple[CapIn | Rejected, ...] = ()
    told: tuple[Rejected, ...] = ()  # every reason for a dead letter

    @property
    def good(self) -> list[CapIn]:
        return [f for f in self.each if isinstance(f, CapIn)]


class _One(NamedTuple):
    """A message of a document: its own bytes, what became of it, and what of it could not be read."""

    body: bytes
    found: CapIn | Rejected
    part: Rejected | None


class CapDoor:
    """folder: the run's own."""

    def __init__(self, district: District, live: bool, folder: Path) -> None:
        self._hearing = Hearing(district, live)
        self._store = FrameStore(folder / FOLDER, ".xml")
        self._partitions = range(district.partitions)

    def take(self, body: bytes, received_at: int, where: str, source: str = "") -> Taken:
        """where: the topic, URL or file, for the dead letter; source: see `Hearing.heard`. The bytes
        of a good message are kept before its record can be. Raises OSError."""
        ones = self._each(body, received_at, source)
        for one in ones:
            if isinstance(one.found, CapIn):
                self._store.put(one.body)
        return self._taken(ones, received_at, where)

    def count(self, taken: Taken) -> None:
        """How what was taken deviates from CAP 1.2, for the operators."""
        for found in taken.good:
            count_deviations(found)

    def take_now(self, body: bytes, received_at: int, where: str, source: str) -> Taken:
        """The same for a way that cannot say "send it again": while the bytes cannot be kept the word
        counts without them, and a dead letter says so."""
        ones = self._each(body, received_at, source)
        taken = self._taken(ones, received_at, where)
        for one in ones:
            if isinstance(one.found, Rejected):
                continue
            try:
                self._store.put(one.body)
            except OSError as e:
                what = f"{one.found.identifier[:80]}: " + Text("原文", "the bytes")
                lost = Rejected("no_room", f"sha256 {one.found.ref}: " + no_room(what, e))
                outs = [*taken.outs, letter(received_at, where, lost, one.body)]
                taken = taken._replace(outs=outs, lost=lost, told=(*taken.told, lost))
        return taken

    def _each(self, body: bytes, received_at: int, source: str) -> list[_One]:
        """Every message of the document; one that cannot be read costs no other anything."""
        try:
            body = unpacked(body, MAX_BYTES)
            parts = messages(body)
        except Wrong as e:
            return [_One(body, e.rejected, None)]
        except Exception as e:  # noqa: BLE001  # one document must not end the line
            return [_One(body, unread("ingest", e), None)]
        return [
            self._one(part, _which(n, len(parts)), received_at, source)
            if len(parts) > 1
            else self._one(part, "", received_at, source)
            for n, part in enumerate(parts, 1)
        ]  # fmt: skip

    def _one(self, part: Part, which: Said, received_at: int, source: str) -> _One:
        told: tuple[Said, ...] = ()
        found: CapIn | Rejected
        try:
            if part.wrong is not None:
                found = part.wrong
            else:
                found, told = self._hearing.listen(
                    part.body, received_at, source, part.status, part.notes
                )
                encode(found) if isinstance(found, CapIn) else None
        except OF_THE_LOG:
            raise
        except Exception as e:  # noqa: BLE001  # one message must not end the line
            found = unread("ingest", e)
        if isinstance(found, Rejected):
            return _One(part.body, Rejected(found.reason, which + found.detail), None)
        if not told:
            return _One(part.body, found, None)
        name, unread_ = found.identifier[:80], joined(told[:8], Text("；", "; "))
        words = (
            which + Text(f"{name} 已收，其中读不懂的：", f"{name} is taken, but for: ") + unread_
        )
        return _One(part.body, found, Rejected("bad_payload", each(words, lambda w: w[:_TOLD])))

    def _taken(self, ones: list[_One], received_at: int, where: str) -> Taken:
        outs, told = list[Out](), list[Rejected]()
        for one in ones:
            if isinstance(one.found, CapIn):
                value = encode(one.found)
                outs += [Out("observations", "cap", value, p) for p in self._partitions]
            for wrong in (one.found, one.part):
                if isinstance(wrong, Rejected):
                    told.append(wrong)
                    outs.append(letter(received_at, where, wrong, one.body))
        good = next((o for o in ones if isinstance(o.found, CapIn)), ones[0])
        each = tuple(o.found for o in ones)
        return Taken(good.found, outs, None, good.part, each, tuple(told))

    def enter(
        self, log: Log, body: bytes, now: Callable[[], int], where: str, source: str = ""
    ) -> Taken:
        """`take`, and into the log: durable on return. Raises OSError when it cannot be kept."""
        taken = self.take(body, now(), where, source)
        log.append(taken.outs)
        _count(taken)
        return taken

    def judged(self, body: bytes, received_at: int, source: str) -> tuple[CapIn | Rejected, ...]:
        """What would be said of each of its messages, with nothing written down."""
        return tuple(one.found for one in self._each(body, received_at, source))

    def stray(self, log: Log, now: Callable[[], int], where: str, why: Rejected) -> None:
        """An entry of a feed that leads to no message: told. Raises OSError."""
        log.append([letter(now(), where, why, b"")])
        metrics.DEAD_LETTERS.labels("ingest", why.reason).inc()


def _which(n: int, of: int) -> Text:
    return Text(f"第 {n} 条，共 {of} 条：", f"message {n} of {of}: ")


def _count(taken: Taken) -> None:
    """For the operators, once the log has it."""
    for why in taken.told:
        metrics.DEAD_LETTERS.labels("ingest", why.reason).inc()
    for found in taken.good:
        metrics.READINGS.labels("ingest", "cap").inc()
        count_deviations(found)


def count_deviations(found: CapIn) -> None:
    """How a source's messages deviate from CAP 1.2, for the operators."""
    if found.deviations:
        metrics.CAP_DEVIATIONS.labels(found.source).inc(len(found.deviations))
