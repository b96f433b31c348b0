"""What everybody may know of a place on the public page: that it is closed, and until when. Who said so is not
told."""

import threading
from collections.abc import Callable

import msgspec

from config.language import Text, text_of
from config.records.district import District
from dispatch.people.evacuation_roll import Roll
from dispatch.records import AlertRecord
from dispatch.words.local_time import local
from stream.log.port import Corrupt, Log, Unavailable
from stream.oplog import Seldom
from stream.records import Record, decode

_LIMIT = 5000


class Places:
    """The fold of what the log has of closures. clock: of the run, ms."""

    def __init__(self, district: District, log: Log, clock: Callable[[], int]) -> None:
        self._district, self._log, self._clock = district, log, clock
        self._decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(AlertRecord)
        self._roll, self._read, self._lock = Roll(), 0, threading.Lock()
        self._seldom = Seldom()

    def look(self) -> None:
        """Read on; a log that is away is read later."""
        try:
            self._read = max(self._read, self._log.starts("alerts")[0])
            while entries := self._log.read("alerts", 0, self._read, _LIMIT):
                with self._lock:
                    for entry in entries:
                        self._roll.take(decode(self._decoder.decode, entry.value))
                self._read = entries[-1].offset + 1
        except (Unavailable, Corrupt) as e:
            self._seldom("residents", text_of(e))

    def notes(self, area: str) -> list[Text]:
        """Of one place, now."""
        with self._lock:
            closed = self._roll.closed(area, self._clock())
        if closed is None or area not in self._district.areas:
            return []
        until = local(closed.until_at, self._district.timezone)
        return [
            Text(
                f"此处已封闭，不要进入；到 {until}，可能延长。",
                f"This place is closed until {until} or longer: do not go in.",
            )
        ]
