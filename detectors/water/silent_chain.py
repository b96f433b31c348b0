"""Silences down a river that one wave could have made: interval arithmetic over the network.

Sees: between what moments each gauge fell silent, and how long a wave takes from one to another.

Equation, limits and source: see `detectors.water.cascade`, whose part this is.

>>> reach = Reach(upstream="S1", downstream="S2", distance_m=6000, slow_m_s=2, fast_m_s=10, source="t")
>>> river = River((reach,), ("S1", "S2"))
>>> dead = {"S1": Moments(0, 300_000), "S2": Moments(900_000, 1_200_000)}
>>> [c.stations for c in river.chains(dead, {}) if len(c.stations) > 1]
[('S1', 'S2')]
>>> river.chains({"S1": dead["S2"], "S2": dead["S1"]}, {})[-1].stations
('S2',)
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from config.records.reaches import Reach, Travel, next_below, way_down

_KEPT = 24  # ways to explain one gauge's silence that are followed on


class Moments(NamedTuple):
    """From … until, ms."""

    low: int
    high: int

    def after(self, travel: Travel) -> "Moments":
        return Moments(self.low + travel.early_ms, self.high + travel.late_ms)

    def within(self, other: "Moments") -> "Moments":
        return Moments(max(self.low, other.low), min(self.high, other.high))


class Chain(NamedTuple):
    """Gauges down one river, and when the wave was at each."""

    stations: tuple[str, ...]
    spans: tuple[Moments, ...]


class River:
    """The network as its gauges see it."""

    def __init__(self, reaches: Sequence[Reach], gauges: Collection[str]) -> None:
        below = next_below(reaches)
        ways = {g: dict(way_down(below, g)) for g in gauges}
        above = {g: sum(g in way for way in ways.values()) for g in gauges}
        # everything below a gauge, with the travel; a gauge above stands before those below it
        self.ways = {g: ways[g] for g in sorted(ways, key=lambda g: (above[g], g))}

    def chains(self, dead: Mapping[str, Moments], live: Mapping[str, int]) -> list[Chain]:
        """All that the order and the pace allow, but for those that a longer one holds; of one gauge
        too. dead: when each silent gauge fell so; live: when each gauge that speaks against a wave was
        heard last."""
        ending: dict[str, list[Chain]] = {}
        for lower in (g for g in self.ways if g in dead):
            found = [Chain((lower,), (dead[lower],))]
            for upper in (g for g in ending if lower in self.ways[g]):
                for chain in ending[upper]:
                    left = chain.spans[-1]
                    span = dead[lower].within(left.after(self.ways[upper][lower]))
                    if span.low <= span.high and self.may_pass(upper, lower, left, span, live):
                        found.append(Chain((*chain.stations, lower), (*chain.spans, span)))
            ending[lower] = _widest(found)
        return [c for chains in ending.values() for c in chains]

    def may_pass(
        self, upper: str, node: str, left: Moments, came: Moments | None, live: Mapping[str, int]
    ) -> bool:
        """Was no gauge between heard after the wave must have passed it? left: when it was at the upper
        one; came: at the lower one, None where that is not known."""
        to = self.ways[upper]
        for name, travel in to.items():
            if name == node:
                break
            if name not in self.ways or name not in live:
                continue
            latest = left.high + travel.late_ms
            if came is not None:
                latest = min(latest, came.high - (to[node].early_ms - travel.early_ms))
            if live[name] > latest:
                return False
        return True


def _widest(chains: list[Chain]) -> list[Chain]:
    """Without those that another holds whole, at every time they allow; the longest first."""
    kept: list[Chain] = []
    for c in sorted(chains, key=lambda c: (-len(c.stations), c.spans[-1], c.stations)):
        low, high = c.spans[-1]
        if not any(
            {*c.stations} <= {*k.stations} and k.spans[-1].low <= low and k.spans[-1].high >= high
            for k in kept
        ):
            kept.append(c)
    return kept[:_KEPT]
