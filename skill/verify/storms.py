"""What the warnings were worth: each area and hazard against the truth, by the one rule of
`skill.verify.match`.

A flood is a hit when an order or a colour of 橙 or more began at least `LEAD_S` and at most `WINDOW_S`
before it: earlier is no longer the same warning, later helps nobody (NWS counts likewise by county and
event). The order to move (and to prepare) is counted by itself too, for a colour moves nobody: there the
lead is held against the time that the place needs. An alarm begins with the first version of that height
and ends with the first below it, or where the last one runs out; alarms within `MERGE_S` are one. Nobody
says when a flood was over: an alarm within `WINDOW_S` after it is late, one that is later still is false.

The water of a stream comes to a place once, whatever it is called: where a place is flooded or warned for
`flash_flood`, what is known of its `river_flood` counts there, the earlier flood and every alarm of either.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from config.records.level import Action, Level
from dispatch.records import Alert
from skill.verify.match import Alarm, Event, match
from skill.verify.truth import Truth

LEAD_S = 600
WINDOW_S = 6 * 3600
MERGE_S = 1800
_ALWAYS = ((0, 2**63),)  # a simulation knows all of it, and a report is written of what was watched
Key = tuple[str, str]  # area, hazard
STREAM, RIVER = "flash_flood", "river_flood"  # two names of one water
Need = Callable[[str, int], int]  # area, moment of the flood (ms) -> the lead that makes a hit (s)
# what is counted: a colour or an order, an order to prepare or more, the order to move
Tier = Literal["warned", "prepare", "move"]


class StormRow(NamedTuple):
    """One area and hazard: when it flooded, when it was warned, and the time between. lead_s: None
    where no alarm began before the flood; warned_at is then that of one that began in it, if any.
    need_s: the lead that makes it a hit."""

    area: str
    hazard: str
    flooded_at: int | None
    warned_at: int | None
    lead_s: int | None
    need_s: int = LEAD_S

    @property
    def in_time(self) -> bool:
        return self.lead_s is not None and self.lead_s >= self.need_s


class StormScore(NamedTuple):
    """Counts, and the rows they come from."""

    rows: list[StormRow]

    @property
    def hits(self) -> int:
        return sum(r.in_time for r in self.rows)

    @property
    def misses(self) -> int:
        return sum(r.flooded_at is not None and not r.in_time for r in self.rows)

    @property
    def false_alarms(self) -> int:
        return sum(r.flooded_at is None for r in self.rows)


class WarnedVersion(NamedTuple):
    """A version that was in force from `sent_at` until the next, at most until `expires_at`."""

    sent_at: int
    level: int
    action: int
    expires_at: int = 2**62


def warned(alerts: Iterable[Alert]) -> dict[Key, list[WarnedVersion]]:
    """The public versions of each area and hazard, in order of time."""
    found = defaultdict[Key, list[WarnedVersion]](list)
    for a in sorted((a for a in alerts if a.public), key=lambda a: a.sent_at):
        found[a.area, a.hazard].append(WarnedVersion(a.sent_at, a.level, a.action, a.expires_at))
    return dict(found)


def alarming(version: WarnedVersion, tier: Tier = "warned") -> bool:
    """High enough to be counted."""
    match tier:
        case "move":
            return version.action >= Action.MOVE
        case "prepare":
            return version.action >= Action.PREPARE
        case "warned":
            return version.level >= Level.ORANGE or version.action > 0


def least_need(_area: str, _flooded_at: int) -> int:
    """What every warning needs, whatever the place."""
    return LEAD_S


def score(
    truth: Sequence[Truth],
    warnings: Mapping[Key, Sequence[WarnedVersion]],
    tier: Tier = "warned",
    need_s: Need = least_need,
) -> StormScore:
    """warnings: (area, hazard) -> versions in order of time. need_s: counts up to `WINDOW_S`."""
    said = {(t.area, t.hazard) for t in truth} | warnings.keys()
    flooded, raised = dict[Key, int](), dict[Key, list[Alarm]]()
    for t in truth:
        key = one_water((t.area, t.hazard), said)
        flooded[key] = min(t.flooded_at, flooded.get(key, t.flooded_at))
    for of, versions in warnings.items():
        key = one_water(of, said)
        raised.setdefault(key, []).extend(_alarms(key[0], versions, tier))
    rows = []
    for key in sorted(flooded.keys() | raised.keys()):
        at = flooded.get(key)
        events = [Event(key[0], at, at + WINDOW_S * 1000)] if at is not None else []
        alarms = sorted(raised.get(key, ()), key=lambda a: (a.start_at, a.end_at))
        need = min(need_s(key[0], at), WINDOW_S) if at is not None else LEAD_S
        found = match(
            alarms, events, need * 1000, WINDOW_S * 1000, MERGE_S * 1000, {key[0]: _ALWAYS}
        )
        rows += [
            StormRow(*key, None, a.start_at, None, need)
            for a, fate in found.alarms
            if fate == "false"
        ]
        for e in found.events:
            begun = None if e.lead_ms is None else e.event.start_at - e.lead_ms
            lead = e.lead_ms // 1000 if e.lead_ms is not None and e.lead_ms >= 0 else None
            rows.append(StormRow(*key, e.event.start_at, begun, lead, need))
    return StormScore(rows)


def one_water(key: Key, said: Container[Key]) -> Key:
    """Under which area and hazard it counts. said: all that were flooded or warned."""
    area, hazard = key
    return (area, STREAM) if hazard == RIVER and (area, STREAM) in said else key


def _alarms(area: str, versions: Sequence[WarnedVersion], tier: Tier) -> Iterator[Alarm]:
    start: int | None = None
    end = 0
    for v in versions:
        if start is not None and (v.sent_at > end or not alarming(v, tier)):
            yield Alarm(area, "", start, min(v.sent_at, end))
            start = None
        if alarming(v, tier):
            start, end = v.sent_at if start is None else start, v.expires_at
    if start is not None:
        yield Alarm(area, "", start, end)
