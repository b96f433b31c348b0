"""How well stations and nodes report: readings and quality flags of the last day, hour by hour, and
the newest dead letters. Pure: records in."""

from collections import deque
from dataclasses import dataclass, field

from console.model.picture import HealthRow
from ingest.observation import Flag, Observations
from stream.records import DeadLetter, Record

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
AGES_MS = 5 * MINUTE_MS  # so often what has only grown older is counted anew
KEPT_HOURS = 24
_LETTERS = 300


@dataclass
class Thing:
    """hours: hour since 1970 -> readings, suspect ones, failed ones, and a bit for each minute in which
    one came."""

    first_at: int
    hours: dict[int, list[int]] = field(default_factory=dict)
    flag: int = int(Flag.GOOD)  # of the newest reading that was not good
    test: str = ""
    flagged_at: int = 0


@dataclass
class Health:
    """stale: things to be counted anew; aged: when all of them last were, in AGES_MS."""

    things: dict[str, Thing] = field(default_factory=dict)
    letters: deque[DeadLetter] = field(default_factory=lambda: deque(maxlen=_LETTERS))
    dead: dict[str, int] = field(default_factory=dict)  # thing -> its dead letters
    stale: set[str] = field(default_factory=set)
    aged: int = 0
    rows: dict[str, HealthRow] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Fold one record in."""
        if isinstance(record, Observations):
            self._observations(record)
        elif isinstance(record, DeadLetter):
            self.letters.append(record)
            if thing := _about(record.source):
                self.dead[thing] = self.dead.get(thing, 0) + 1
                self.stale.add(thing)

    def _observations(self, batch: Observations) -> None:
        for n, station in enumerate(batch.station):
            at = batch.observed_at[n]
            thing = self.things.setdefault(station, Thing(at))
            hour = at // HOUR_MS
            counts = thing.hours.setdefault(hour, [0, 0, 0, 0])
            counts[0] += 1
            counts[3] |= 1 << (at % HOUR_MS // MINUTE_MS)
            flag = batch.flag[n] if batch.flag else int(Flag.GOOD)
            if flag in (Flag.SUSPECT, Flag.FAIL):
                counts[1 if flag == Flag.SUSPECT else 2] += 1
                if at >= thing.flagged_at:
                    thing.flag, thing.flagged_at = flag, at
                    thing.test = batch.test[n] if batch.test else ""
            if len(thing.hours) > KEPT_HOURS + 1:
                newest = max(thing.hours)
                for old in [h for h in thing.hours if h < newest - KEPT_HOURS]:
                    del thing.hours[old]
            self.stale.add(station)


def _about(source: str) -> str:
    """The station or node of an MQTT topic, P/station/R01/rain or P/node/N001/status."""
    parts = source.split("/")
    for kind in ("station", "node"):
        if kind in parts[:-1]:
            return parts[parts.index(kind) + 1]
    return ""
