"""One rule over others: two of three gauges; the camera and rain; a weighted vote.

Sees: that enough of its members speak at once, or did so less than `within_min` ago.

Equation: value = sum of `weight` over the members that are on; a member is on when its rule says at
least its `level` (or `action`) of the area at some station — with `stations` at least `count` of
those — now or less than `within_min` ago. A row's thresholds stand on the value: with weights of 1,
blue = 2 means two of them ("2 of 3"), and as many as there are members means all of them. A member
with a negative weight speaks against (a gauge that is being serviced).
A member is heard where it speaks of its `hazard`, which is the row's own unless stated. Of a member
at several stations `count` must speak.

Delay it adds: none. Down when a member's own hold is over and `within_min` has passed.
Cannot see: what its members cannot; a member that is silent is off, and `coverage` says who is.
Source: m-of-n voting, von Neumann 1956, "Probabilistic logics and the synthesis of reliable
organisms from unreliable components", Automata Studies, Princeton.

>>> of = (Member(rule="camera_motion"), Member(rule="rain_threshold"))
>>> both = Compound("both", CompoundParameters(of=of), [CompoundRow("a", "flash_flood")], (2,))
>>> state = both.new()
>>> seen = Evidence(station="c1", quantity="frame", value=0.4)
>>> both.hear(state, Heard(0, 1_000, "camera_motion", "a", "flash_flood", "c1", 2, 0, 2, 0, (seen,)))
[]
>>> fell = Evidence(station="g1", quantity="rain", value=31.0)
>>> rain = Heard(1, 2_000, "rain_threshold", "a", "flash_flood", "g1", 1, 0, 1, 0, (fell,))
>>> both.hear(state, rain)[0].level
1
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from config.language import Text
from config.records.level import Action, Level
from detectors.detection import Evidence

_MINUTE = 60_000


class Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the rules that are heard. `stations`: only these count; empty: any. `hazard`: of which
    it speaks; empty: the compound's own."""

    rule: str
    hazard: str = ""
    level: str = "blue"
    action: str = ""  # instead of a level: prepare or move
    stations: tuple[str, ...] = ()
    count: int = 1  # so many stations must speak
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.level.upper() not in Level.__members__ or self.level == "none":
            raise ValueError(
                Text(
                    f"level {self.level!r} 不是等级：blue … red",
                    f"level {self.level!r} is no level: blue … red",
                )
            )
        if self.action and self.action.upper() not in Action.__members__:
            raise ValueError(
                Text(
                    f"action {self.action!r} 不是行动：prepare、move",
                    f"action {self.action!r} is no action: prepare, move",
                )
            )
        if self.count < 1 or (self.stations and self.count > len(self.stations)):
            raise ValueError(
                Text(
                    f"count {self.count} 不在 1 … 站数",
                    f"count {self.count} is not 1 … the number of stations",
                )
            )

    def on(self, heard: "MemberWord", *, sure: bool) -> bool:
        """Does a statement make this member's station speak?"""
        level, action = (
            (heard.sure_level, heard.sure_action) if sure else (heard.level, heard.action)
        )
        if self.action:
            return action >= Action[self.action.upper()]
        return level >= Level[self.level.upper()]


class CompoundParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """within_min: so long after it fell silent a member still counts."""

    of: tuple[Member, ...]
    within_min: int = 0

    def __post_init__(self) -> None:
        if len(self.of) < 2 and sum(m.count for m in self.of) < 2:
            raise ValueError(
                Text(
                    "of 至少要两个成员，或一个而 count 为 2",
                    "of needs two members, or one with count 2",
                )
            )
        if not 0 <= self.within_min <= 1440:
            raise ValueError(
                Text("within_min 越界：0 … 1440", "within_min is out of range: 0 … 1440")
            )


class CompoundRow(NamedTuple):
    area: str
    hazard: str


class MemberWord(NamedTuple):
    """What a rule now says of an area at a station, at event time `at` (ms)."""

    nth: int
    at: int
    rule: str
    area: str
    hazard: str
    station: str
    level: int
    action: int
    sure_level: int
    sure_action: int
    evidence: tuple[Evidence, ...]


class CompoundSaid(NamedTuple):
    """What changed of row `row`, which members were on, and what each rested on when it spoke."""

    nth: int
    at: int
    row: int
    level: int
    action: int
    sure_level: int
    sure_action: int
    value: float
    limit: float | None
    on: tuple[str, ...]
    evidence: tuple[Evidence, ...]


class Place(msgspec.Struct):
    """Memory of one area: member number -> station -> (on now, surely; last time on, surely), and
    what it showed when it last spoke."""

    seen: dict[int, dict[str, tuple[bool, bool, int, int]]] = {}
    shown: dict[int, dict[str, tuple[Evidence, ...]]] = {}
    said: tuple[int, int, int, int] = (0, 0, 0, 0)
    at: int = 0


class CompoundState(msgspec.Struct):
    places: dict[str, Place] = {}


class Compound:
    """The rule for the rows of one district table."""

    def __init__(
        self,
        name: str,
        parameters: CompoundParameters,
        rows: Sequence[CompoundRow],
        levels: tuple[float | None, ...],
        actions: tuple[float | None, ...] = (),
    ) -> None:
        self.name, self.parameters, self.rows = name, parameters, list(rows)
        self._levels, self._actions = levels, actions
        self._row_of = {r.area: n for n, r in enumerate(rows)}
        self._rules = {m.rule for m in parameters.of}

    def new(self) -> CompoundState:
        return CompoundState()

    def hear(self, state: CompoundState, heard: MemberWord) -> list[CompoundSaid]:
        """Take a statement of a member; what it changes."""
        row = self._row_of.get(heard.area)
        if heard.rule not in self._rules or row is None:
            return []
        place = state.places.setdefault(heard.area, Place())
        ended = self._pass(place, heard.at, heard.nth, row)
        for n, member in enumerate(self.parameters.of):
            if (heard.rule, heard.hazard) != (member.rule, member.hazard or self.rows[row].hazard):
                continue
            if member.stations and heard.station not in member.stations:
                continue
            stations = place.seen.setdefault(n, {})
            was = stations.get(heard.station, (False, False, -1, -1))
            now = member.on(heard, sure=False), member.on(heard, sure=True)
            last = [heard.at if was[k] or now[k] else was[2 + k] for k in range(2)]
            stations[heard.station] = (*now, last[0], last[1])
            if now[0]:
                place.shown.setdefault(n, {})[heard.station] = heard.evidence
        return ended + self._judge(place, heard.nth, row)

    def tick(self, state: CompoundState, at: int) -> list[CompoundSaid]:
        """Time alone ends what `within_min` kept."""
        out = []
        for area, place in state.places.items():
            if area in self._row_of and at > place.at:
                out += self._pass(place, at, 0, self._row_of[area])
        return out

    def now(self, state: CompoundState, area: str) -> tuple[float, tuple[str, ...], int]:
        """The value of an area, which members are on, and its clock (ms, 0: nothing heard)."""
        place = state.places.get(area, Place())
        value, names, _ = self._value(place, 0)
        return value, names, place.at

    def limits(self) -> tuple[float | None, ...]:
        """blue … red, prepare, move."""
        return (*self._levels, *self._actions)

    def _pass(self, place: Place, at: int, nth: int, row: int) -> list[CompoundSaid]:
        """Time goes on to `at`: what was kept ends at its own moment, whenever that is noticed."""
        keep = self.parameters.within_min * _MINUTE
        ends = {
            held[2 + k] + keep
            for stations in place.seen.values()
            for held in stations.values()
            for k in range(2)
            if keep and held[2 + k] >= 0 and not held[k]
        }
        out = []
        for end in sorted(e for e in ends if place.at < e <= at):
            place.at = end
            out += self._judge(place, nth, row)
        place.at = max(place.at, at)
        return out

    def _judge(self, place: Place, nth: int, row: int) -> list[CompoundSaid]:
        value, on, shown = self._value(place, 0)
        sure, _, _ = self._value(place, 1)
        now = (
            _reached(value, self._levels),
            _reached(value, self._actions),
            min(_reached(sure, self._levels), _reached(value, self._levels)),
            min(_reached(sure, self._actions), _reached(value, self._actions)),
        )
        if now == place.said:
            return []
        place.said = now
        met = [t for t in (*self._levels, *self._actions) if t is not None and value >= t]
        return [CompoundSaid(nth, place.at, row, *now, value, max(met, default=None), on, shown)]

    def _value(
        self, place: Place, which: int
    ) -> tuple[float, tuple[str, ...], tuple[Evidence, ...]]:
        """The sum of the members that are on (1: surely), their names, what they showed."""
        since = place.at - self.parameters.within_min * _MINUTE
        value, names = 0.0, []
        shown: list[Evidence] = []
        for n, member in enumerate(self.parameters.of):
            on = [
                station
                for station, held in place.seen.get(n, {}).items()
                if held[which] or (self.parameters.within_min and held[2 + which] > since)
            ]
            if len(on) >= member.count:
                value += member.weight
                names += [f"{member.rule}@{s}" for s in sorted(on)]
                shown += [e for s in sorted(on) for e in place.shown.get(n, {}).get(s, ())]
        return value, tuple(names), tuple(shown)


def _reached(value: float, limits: tuple[float | None, ...]) -> int:
    met = [n for n, limit in enumerate(limits, 1) if limit is not None and value >= limit]
    return max(met, default=0)
