"""The door for CAP messages of others, whichever way they come: HTTP, MQTT, a feed or a file. What
is good goes to `observations`, what is not to `dead-letters` with its reason; both are durable
before anybody is told so."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from config.district import District
from ingest import meters
from ingest.cap import Hearing
from ingest.decode.reading import Rejected
from ingest.frames import FrameStore, no_room
from ingest.guard import OF_THE_LOG, letter, unread
from ingest.log import Log, Out
from ingest.observation import CapIn, encode

_TOLD = 600
FOLDER = "cap-in"  # in the run's folder: the messages as they came, by their hash


class Taken(NamedTuple):
    """What became of a message, what the log is to be given, why its bytes are not kept, and what of
    it could not be read."""

    found: CapIn | Rejected
    outs: list[Out]
    lost: Rejected | None = None
    part: Rejected | None = None


class CapDoor:
    """folder: the run's own."""

    def __init__(self, district: District, live: bool, folder: Path) -> None:
        self._hearing = Hearing(district, live)
        self._store = FrameStore(folder / FOLDER, ".xml")
        self._partitions = range(district.partitions)

    def take(self, body: bytes, received_at: int, where: str, source: str = "") -> Taken:
        """where: the topic, URL or file, for the dead letter; source: see `Hearing.heard`. The bytes
        of a good message are kept before its record can be. Raises OSError."""
        taken = self._taken(body, received_at, where, source)
        if isinstance(taken.found, CapIn):
            self._store.put(body)
        return taken

    def take_now(self, body: bytes, received_at: int, where: str, source: str) -> Taken:
        """The same for a way that cannot say "send it again": while the bytes cannot be kept the word
        counts without them, and a dead letter says so."""
        taken = self._taken(body, received_at, where, source)
        if isinstance(taken.found, Rejected):
            return taken
        try:
            self._store.put(body)
        except OSError as e:
            words = no_room(f"{taken.found.identifier[:80]}: 原文 the bytes", e)
            lost = Rejected("no_room", f"sha256 {taken.found.ref}: {words}")
            outs = [*taken.outs, letter(received_at, where, lost, body)]
            return taken._replace(outs=outs, lost=lost)
        return taken

    def _taken(self, body: bytes, received_at: int, where: str, source: str) -> Taken:
        told: tuple[str, ...] = ()
        try:
            found, told = self._hearing.listen(body, received_at, source)
            value = encode(found) if isinstance(found, CapIn) else b""
        except OF_THE_LOG:
            raise
        except Exception as e:  # noqa: BLE001  # one message must not end the line
            found = unread("ingest", e)
        if isinstance(found, Rejected):
            return Taken(found, [letter(received_at, where, found, body)])
        outs = [Out("observations", "cap", value, p) for p in self._partitions]
        if told:
            words = (
                f"{found.identifier[:80]} 已收，其中读不懂的 taken, but for: {'; '.join(told[:8])}"
            )
            part = Rejected("bad_payload", words[:_TOLD])
            outs.append(letter(received_at, where, part, body))
        return Taken(found, outs, part=part if told else None)

    def enter(
        self, log: Log, body: bytes, now: Callable[[], int], where: str, source: str = ""
    ) -> CapIn | Rejected:
        """`take`, and into the log: durable on return. Raises OSError when it cannot be kept."""
        taken = self.take(body, now(), where, source)
        log.append(taken.outs)
        _count(taken.found)
        if taken.part is not None:
            _count(taken.part)
        return taken.found

    def judged(self, body: bytes, received_at: int, source: str) -> CapIn | Rejected:
        """What would be said of it, with nothing written down."""
        return self._taken(body, received_at, "", source).found

    def stray(self, log: Log, now: Callable[[], int], where: str, why: Rejected) -> None:
        """An entry of a feed that leads to no message: told. Raises OSError."""
        log.append([letter(now(), where, why, b"")])
        _count(why)


def _count(found: CapIn | Rejected) -> None:
    """For the operators, once the log has it."""
    if isinstance(found, Rejected):
        meters.DEAD_LETTERS.labels("ingest", found.reason).inc()
    else:
        meters.READINGS.labels("ingest", "cap").inc()
