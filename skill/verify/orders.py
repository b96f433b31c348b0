"""The orders of many storms apart: how many floods each came before, and by how long. Pure.

A colour moves nobody. What counts for a village is whether the order to move came while there was time
to go: each flood is in time (the lead reached what the place needs), short (before the water, and not
long enough), after (the water was there first) or never ordered; an order without a flood is false.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from skill.verify.storms import StormRow, Tier

TIERS: tuple[Tier, ...] = ("move", "prepare", "warned")
LEADS_MIN = (0, 10, 20, 30, 60, 120)  # of the curve


class OrderFigures(NamedTuple):
    """Floods by what the order did for them, false orders, and the leads of the floods that had an
    order (minutes before the flood, below 0 after it) in order."""

    tier: Tier
    in_time: int
    short: int
    after: int
    never: int
    false: int
    leads_min: list[float]

    @property
    def floods(self) -> int:
        return self.in_time + self.short + self.after + self.never

    @property
    def pod(self) -> float:
        """Share of floods that the order came before in time; nan without floods."""
        return self.in_time / self.floods if self.floods else float("nan")

    @property
    def far(self) -> float:
        """False orders among all that were given: those before or in a flood, and the false ones."""
        given = len(self.leads_min) + self.false
        return self.false / given if given else float("nan")

    def share(self, lead_min: float) -> float:
        """Of the floods, those with at least this lead; nan without floods."""
        if not self.floods:
            return float("nan")
        return sum(x >= lead_min for x in self.leads_min) / self.floods


def order_figures(tier: Tier, rows: Iterable[StormRow]) -> OrderFigures:
    """rows: of `skill.verify.storms.score` for this tier, of any number of storms."""
    in_time = short = after = never = false = 0
    leads = []
    for r in rows:
        if r.flooded_at is None:
            false += 1
        elif r.warned_at is None:
            never += 1
        else:
            leads.append((r.flooded_at - r.warned_at) / 60_000)
            in_time += r.in_time
            short += r.lead_s is not None and not r.in_time
            after += r.lead_s is None
    return OrderFigures(tier, in_time, short, after, never, false, sorted(leads))


def worst_first(rows: Iterable[StormRow]) -> Sequence[StormRow]:
    """Floods that the order was not in time for: never ordered, then ordered latest."""
    missed = [r for r in rows if r.flooded_at is not None and not r.in_time]
    return sorted(missed, key=_how_bad)


def _how_bad(r: StormRow) -> tuple[bool, int, str]:
    late = -r.warned_at + r.flooded_at if r.warned_at is not None and r.flooded_at else 0
    return r.warned_at is not None, late, f"{r.area} {r.hazard}"
