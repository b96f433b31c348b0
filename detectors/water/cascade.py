r"""Gauges of a valley that fall silent one after another, in the order and at the pace of the river.

Sees: a wave that takes the gauges before any of them shows a flood: a lake or a dam that bursts, a debris
flow, without rain. Nothing is concluded from one silence.

Equation: a gauge that was heard last at L, of which `missed` reports did not come, died within
D = [L, L + interval + `tolerance_s`]. Along the network (reaches.csv) a wave takes between
t = distance / fast and distance / slow from one gauge to another. Gauges g1, g2, … down one river are a
wave when times can be found in their D that differ by what the way between takes: F1 = D1,
F(n+1) = D(n+1) intersected with Fn + [t_early, t_late], none of them empty. A gauge between two of
them, or between the last and the village, that was heard after the wave must have passed it speaks against
it, unless its level has jumped.
value = the least number of independent failures that would explain these silences otherwise, and
one more for each of the gauges whose level had jumped. Gauges that share a gateway, carrier or line of
power on which nothing of the watch group is heard any more are one failure together, but for those that
jumped; so they stay until they are heard again themselves. Below 2 it is no wave, and while fewer
than `others` of the group's other stations are heard it is none either. The wave is at a village between
Fn + t_early and Fn + t_late of the last gauge above it.
Parameters: missed, tolerance_s (s), others (stations), jump (in the row's quantity: its rise to the
last value within jump_within_min, min), within_h (h: older silences are none of it).
The detection proposes and never goes out by itself; what comes of it is a person's to say. It ends
by itself when a gauge is heard again, also when what it says is history: it lived then.

Delay it adds: `missed` intervals and tolerance_s of the second gauge, and up to one tick.
Cannot see: a wave above the second gauge; one that is faster or slower than reaches.csv says; one that
takes every station of the group, which looks like a dead centre; gauges that go on reporting nonsense
(`blind`) or whose clock is slow (`clock_offset`); a valley whose gauges all hang on one line that nothing
else of the group hangs on (`fengsui check` refuses that).
Source: the flood in Nepal of 26 August 2026, in which no gauge reached its warning level before it fell
silent; interval arithmetic is plain. Celerities: config.records.reaches.

>>> up, down, rain = (Gauge(s, 300_000, 600_000, (), 1000) for s in ("S1", "S2", "R1"))
>>> reach = Reach(upstream="S1", downstream="S2", distance_m=6000, slow_m_s=2, fast_m_s=10, source="t")
>>> village = Reach(upstream="S2", downstream="A1", distance_m=9000, slow_m_s=2, fast_m_s=10, source="t")
>>> valley = (reach, village), (up, down), (rain,), ("A1",)
>>> rule = Cascade("wave", "flash_flood", CascadeParameters(), *valley, (None, 2))
>>> minute = {"S1": 10, "S2": 21, "R1": 44}
>>> seen = {s: m * 60_000 for s, m in minute.items()}
>>> said, = rule.tick(rule.new(), seen, set(), 45 * 60_000)
>>> said.area, said.value, said.level, said.stations, said.earliest_at // 60_000, said.latest_at // 60_000
('A1', 2, 2, ('S1', 'S2'), 36, 102)
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from config.language import Text
from config.records.reaches import Reach
from detectors.water.silent_chain import Chain, Moments, River

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
LEAST = 2  # silences, each of its own
_RANGES = {
    "missed": (1, 10),
    "tolerance_s": (0, 3600),
    "others": (1, 100),
    "jump_within_min": (1, 240),
    "within_h": (1, 168),
}


class CascadeParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See the head of the file."""

    missed: int = 2
    tolerance_s: int = 60
    others: int = 1
    jump: float = 0.5
    jump_within_min: int = 30
    within_h: int = 24

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    Text(f"{name} 越界：{low} … {high}", f"{name} is out of range: {low} … {high}")
                )
        if not self.jump > 0:
            raise ValueError(Text("jump 应为正", "jump must be positive"))


class Gauge(NamedTuple):
    """A station. shares: what it hangs on, with others ("carrier X"); per_unit: of the quantity whose
    jump counts, 0 where it measures another."""

    station: str
    interval_ms: int
    silent_ms: int
    shares: tuple[str, ...]
    per_unit: int


class CascadeState(msgspec.Struct):
    """recent: station -> minute -> highest value, counts, of its last minutes. lost: station -> the line
    that was dead with it, and when it was heard last before that. said: area -> what was said last of it;
    level, since: which level and action, and when it began."""

    recent: dict[str, dict[int, int]] = {}
    lost: dict[str, tuple[str, int]] = {}
    said: dict[str, str] = {}
    level: dict[str, tuple[int, int]] = {}
    since: dict[str, int] = {}


class CascadeSaid(NamedTuple):
    """What changed of an area. heard: when each of the stations was heard last; jumped: which of them
    had jumped; earliest_at, latest_at: of the wave's arrival, None where there is no wave."""

    area: str
    at: int
    since_at: int
    level: int = 0
    action: int = 0
    value: int = 0
    limit: float | None = None
    stations: tuple[str, ...] = ()
    heard: tuple[int, ...] = ()
    jumped: tuple[str, ...] = ()
    earliest_at: int | None = None
    latest_at: int | None = None


class _Heard(NamedTuple):
    """What is known at one clock. dead: gauges that are silent, and when each fell so; live: when each
    station was heard last; jumped: gauges whose level has."""

    dead: Mapping[str, Moments]
    live: Mapping[str, int]
    jumped: Collection[str]
    clock_at: int


class Cascade:
    """The rule for the valley of one watch group. gauges: those of the network; others: the group's
    other stations. levels, actions: thresholds on the value, lowest first."""

    def __init__(
        self,
        name: str,
        hazard: str,
        parameters: CascadeParameters,
        reaches: Sequence[Reach],
        gauges: Sequence[Gauge],
        others: Sequence[Gauge],
        areas: Sequence[str],
        levels: tuple[float | None, ...],
        actions: tuple[float | None, ...] = (),
    ) -> None:
        self.name, self.hazard, self.parameters = name, hazard, parameters
        self.areas = tuple(areas)
        self.gauges = {g.station: g for g in gauges}
        self._all = {g.station: g for g in (*others, *gauges)}
        self._levels, self._actions = levels, actions
        self._river = River(reaches, self.gauges)

    def new(self) -> CascadeState:
        return CascadeState()

    def hear(self, state: CascadeState, station: str, at: int, count: int) -> None:
        """A value of a gauge, in whatever order they come."""
        held = state.recent.setdefault(station, {})
        minute = -(-at // _MINUTE)
        held[minute] = max(count, held.get(minute, count))
        first = max(held) - self.parameters.jump_within_min
        for old in [m for m in held if m < first]:
            del held[old]

    def tick(
        self, state: CascadeState, seen: Mapping[str, int], away: Collection[str], clock_at: int
    ) -> list[CascadeSaid]:
        """What is concluded at this clock, where that is new. seen: when each station was heard last;
        away: stations whose silence or word says nothing: in service, or with a clock that is wrong."""
        dead = self._dead(seen, away, clock_at)
        if len(dead) < LEAST and not state.said:
            return []
        live = {s: at for s, at in seen.items() if s in self._all and s not in away}
        heard = _Heard(dead, live, {s for s in self.gauges if self._jumped(state, s)}, clock_at)
        state.lost = {s: x for s, x in state.lost.items() if s in dead and dead[s].low == x[1]}
        against = {s: at for s, at in live.items() if s not in heard.jumped}
        waves = [
            (self._value(state, c, heard), c)
            for c in self._river.chains(dead, against)
            if len(c.stations) >= LEAST
        ]
        found = []
        for area in self.areas:
            said = self._of_area(area, waves, heard, against)
            what = str(said[3:]) if said.value else ""
            if what != state.said.get(area, ""):
                found.append(_told(state, said, what))
        return found

    def _overdue(self, g: Gauge, age_ms: int) -> bool:
        p = self.parameters
        return age_ms > min(g.silent_ms, p.missed * g.interval_ms + p.tolerance_s * 1000)

    def _dead(
        self, seen: Mapping[str, int], away: Collection[str], clock_at: int
    ) -> dict[str, Moments]:
        """Gauges that are silent, and when each fell so; one never heard has no such time."""
        p, found = self.parameters, {}
        for name, g in self.gauges.items():
            age = clock_at - seen.get(name, clock_at)
            if name not in away and self._overdue(g, age) and age <= p.within_h * _HOUR:
                last = clock_at - age
                found[name] = Moments(last, last + g.interval_ms + p.tolerance_s * 1000)
        return found

    def _jumped(self, state: CascadeState, station: str) -> bool:
        held, per_unit = state.recent.get(station, {}), self.gauges[station].per_unit
        if len(held) < LEAST or not per_unit:
            return False
        last = max(held)
        low = min(v for m, v in held.items() if m < last)
        return held[last] - low >= self.parameters.jump * per_unit

    def _value(self, state: CascadeState, chain: Chain, heard: _Heard) -> int:
        """Independent failures that would explain it, and the jumps; 0 where nobody else is heard."""
        last_at = max(heard.dead[s].high for s in chain.stations)
        others = [s for s in self._all if s not in chain.stations]
        if sum(heard.live.get(s, -1) > last_at for s in others) < self.parameters.others:
            return 0
        left = {s for s in chain.stations if s not in heard.jumped}
        jumps = len(chain.stations) - len(left)
        failures, down = jumps, self._down(state, chain, left, heard)
        while left:
            line = max(sorted(down), key=lambda x: len(down[x] & left), default="")
            left -= (down.get(line, set()) & left) or {min(left)}
            failures += 1
        return failures + jumps if failures >= LEAST else 0

    def _down(
        self, state: CascadeState, chain: Chain, left: Collection[str], heard: _Heard
    ) -> dict[str, set[str]]:
        """Lines on which nothing is heard any more, or was not while these fell silent, and which of
        the chain's silences each explains."""
        shared: dict[str, set[str]] = {}
        for s in left:
            for line in self._all[s].shares:
                shared.setdefault(line, set()).add(s)
        found = {}
        for line, mine in shared.items():
            silent_by = max(heard.dead[s].high for s in mine)
            others = (g for s, g in self._all.items() if s not in chain.stations)
            beside = [g for g in others if line in g.shares and g.station in heard.live]
            last = [heard.live[g.station] for g in beside]
            if any(at > silent_by for at in last):
                found[line] = {s for s in mine if state.lost.get(s, ("", 0))[0] == line}
                continue
            found[line] = mine
            ages = [heard.clock_at - at for at in last]
            if beside and all(map(self._overdue, beside, ages)):
                state.lost.update({s: (line, heard.dead[s].low) for s in mine})
        return {line: mine for line, mine in found.items() if len(mine) > 1}

    def _of_area(
        self,
        area: str,
        waves: Sequence[tuple[int, Chain]],
        heard: _Heard,
        against: Mapping[str, int],
    ) -> CascadeSaid:
        """The wave that says most of an area, of those that begin above it and may have come so far."""
        none = said = CascadeSaid(area, heard.clock_at, heard.clock_at)
        best: tuple[int, int, int] | None = None
        ways = self._river.ways
        for value, chain in waves:
            above = [n for n, s in enumerate(chain.stations) if area in ways[s]]
            if not value or not above:
                continue
            last, left = chain.stations[above[-1]], chain.spans[above[-1]]
            came = left.after(ways[last][area])
            rank = (value, len(chain.stations), -came.low)
            if best is not None and rank <= best:
                continue
            if not self._river.may_pass(last, area, left, None, against):
                continue
            best = rank
            level, limit = _reached(self._levels, value)
            action, ordered = _reached(self._actions, value)
            said = none._replace(
                level=level,
                action=action,
                value=value,
                limit=limit if level else ordered,
                stations=chain.stations,
                heard=tuple(heard.dead[s].low for s in chain.stations),
                jumped=tuple(s for s in chain.stations if s in heard.jumped),
                earliest_at=came.low,
                latest_at=came.high,
            )
        return said if said.level or said.action else none


def _told(state: CascadeState, said: CascadeSaid, what: str) -> CascadeSaid:
    """Remember what is said, and since when its level is."""
    area, grade = said.area, (said.level, said.action)
    if grade == (0, 0) or said.level > state.level.get(area, (0, 0))[0]:
        state.since[area] = said.at
    since_at = state.since.setdefault(area, said.at)
    if what:
        state.said[area], state.level[area] = what, grade
    else:
        for held in (state.said, state.level, state.since):
            held.pop(area, None)
    return said._replace(since_at=since_at)


def _reached(limits: Sequence[float | None], value: int) -> tuple[int, float | None]:
    """The highest step that the value reaches, and its threshold."""
    reached = [(n, x) for n, x in enumerate(limits, 1) if x is not None and value >= x]
    return reached[-1] if reached else (0, None)


def explains_all(gauges: Sequence[Gauge], others: Sequence[Gauge]) -> str:
    """What explains every silence of these gauges, so that the rule could never speak: a line that all
    of them hang on and nothing else of the group does; "" where there is none."""
    common = set(gauges[0].shares).intersection(*(g.shares for g in gauges)) if gauges else set()
    alone = [x for x in sorted(common) if not any(x in g.shares for g in others)]
    return alone[0] if alone else ""
