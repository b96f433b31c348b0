"""What the warnings were worth: each area and hazard against the truth.

A flood is a hit when an order or a colour of 橙 or more was in force at least `LEAD_S` and at
most `WINDOW_S` before it: earlier is no longer the same warning, later helps nobody (NWS counts
likewise by county and event). An alarm of that height with no flood within `WINDOW_S` after it
began is a false alarm; alarms of one area and hazard within half an hour are one.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from config.records.level import Level
from skill.verify.truth import Truth

LEAD_S = 600
WINDOW_S = 6 * 3600


class StormRow(NamedTuple):
    """One area and hazard: when it flooded, when it was warned, and the time between."""

    area: str
    hazard: str
    flooded_at: int | None
    warned_at: int | None
    lead_s: int | None


class StormScore(NamedTuple):
    """Counts, and the rows they come from."""

    rows: list[StormRow]

    @property
    def hits(self) -> int:
        return sum(r.lead_s is not None and r.lead_s >= LEAD_S for r in self.rows)

    @property
    def misses(self) -> int:
        return sum(
            r.flooded_at is not None and (r.lead_s is None or r.lead_s < LEAD_S) for r in self.rows
        )

    @property
    def false_alarms(self) -> int:
        return sum(r.flooded_at is None for r in self.rows)


class WarnedVersion(NamedTuple):
    """A version that was in force from `sent_at`."""

    sent_at: int
    level: int
    action: int


def alarming(warned: WarnedVersion) -> bool:
    """High enough to make people leave."""
    return warned.level >= Level.ORANGE or warned.action > 0


def score(truth: Sequence[Truth], warnings: Mapping[tuple[str, str], Sequence[WarnedVersion]]) -> StormScore:
    """warnings: (area, hazard) -> versions in order of time."""
    rows = []
    flooded = {(t.area, t.hazard): t.flooded_at for t in truth}
    for key in sorted(flooded.keys() | warnings.keys()):
        alarms = [w.sent_at for w in warnings.get(key, ()) if alarming(w)]
        at = flooded.get(key)
        if at is None:
            if alarms:
                rows.append(StormRow(*key, None, alarms[0], None))
            continue
        useful = [a for a in alarms if at - WINDOW_S * 1000 <= a <= at]
        first = useful[0] if useful else None
        rows.append(StormRow(*key, at, first, (at - first) // 1000 if first is not None else None))
    return StormScore(rows)
