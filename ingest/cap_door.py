"""The door for CAP messages of others, whichever way they come: HTTP, MQTT, a feed or a file. What
is good goes to `observations`, what is not to `dead-letters` with its reason; both are durable
before anybody is told so."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from config.district import District
from ingest import meters
from ingest.cap import Hearing
from ingest.decode.reading import Rejected
from ingest.frames import FrameStore
from ingest.log import Log, Out
from ingest.observation import CapIn, DeadLetter, encode

_KEPT = 4096
FOLDER = "cap-in"  # in the run's folder: the messages as they came, by their hash


class Taken(NamedTuple):
    """What became of a message, and what the log is to be given."""

    found: CapIn | Rejected
    outs: list[Out]


class CapDoor:
    """folder: the run's own."""

    def __init__(self, district: District, live: bool, folder: Path) -> None:
        self._hearing = Hearing(district, live)
        self._store = FrameStore(folder / FOLDER, ".xml")
        self._partitions = range(district.partitions)

    def take(self, body: bytes, received_at: int, where: str, source: str = "") -> Taken:
        """where: the topic, URL or file, for the dead letter; source: see `Hearing.heard`. The bytes
        of a good message are kept before its record can be. Raises OSError."""
        found = self._hearing.heard(body, received_at, source)
        if isinstance(found, Rejected):
            letter = DeadLetter(
                received_at=received_at,
                source=where,
                reason=found.reason,
                detail=found.detail,
                payload=b64encode(body[:_KEPT]).decode(),
            )
            return Taken(found, [Out("dead-letters", where, encode(letter))])
        self._store.put(body)
        value = encode(found)
        return Taken(found, [Out("observations", "cap", value, p) for p in self._partitions])

    def enter(
        self, log: Log, body: bytes, now: Callable[[], int], where: str, source: str = ""
    ) -> CapIn | Rejected:
        """`take`, and into the log: durable on return. Raises OSError when it cannot be kept."""
        taken = self.take(body, now(), where, source)
        log.append(taken.outs)
        _count(taken.found)
        return taken.found


def _count(found: CapIn | Rejected) -> None:
    """For the operators, once the log has it."""
    if isinstance(found, Rejected):
        meters.DEAD_LETTERS.labels("ingest", found.reason).inc()
    else:
        meters.READINGS.labels("ingest", "cap").inc()
