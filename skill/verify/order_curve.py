"""Lead against false orders by threshold, and which threshold a district's cost chooses. Pure.

Whoever signs sees the whole curve. What is chosen is the threshold whose bill is the least: every flood
that the order did not come before by what its place needs costs `miss_cost`, every false order 1; of equal
bills the higher threshold, for it orders fewer people. Bills are flat where many thresholds cost much the
same, so a district also says which share of the floods must have an order `lead_min` before whatever that
costs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from skill.verify.orders import OrderFigures, order_figures
from skill.verify.storms import StormRow, Tier


class Rung(NamedTuple):
    """A threshold, and what orders from it on were worth."""

    limit: float
    figures: OrderFigures


def curve(tier: Tier, rows: Mapping[float, Iterable[StormRow]]) -> list[Rung]:
    """rows: of `skill.verify.storms.score` by threshold. In order of the threshold."""
    return [Rung(limit, order_figures(tier, rows[limit])) for limit in sorted(rows)]


def bill(figures: OrderFigures, miss_cost: float) -> float:
    """In false orders.

    >>> bill(OrderFigures("move", 1, 1, 0, 1, 3, [10.0, 25.0]), 2.0)  # two of three floods
    7.0
    """
    return (figures.floods - figures.in_time) * miss_cost + figures.false


def cheapest(
    rungs: Sequence[Rung],
    lead_min: float,
    miss_cost: float,
    least_share: float = 0.0,
    most_never: float = 1.0,
    most_false: float = 1.0,
) -> Rung:
    """The rung with the least bill, among those that a district asks for: an order before `least_share` of
    the floods, none at all for `most_never` of them at the most, and `most_false` of the orders for nothing.
    They are asked in that order: of those that cannot be had the first, and what comes after it, is let go,
    so that none is paid for with a former one. Where false orders cannot be so few they are the fewest."""
    early = [r for r in rungs if r.figures.share(lead_min) >= least_share]
    told = [r for r in early if r.figures.never <= most_never * r.figures.floods]
    best = min((r.figures.far for r in told if r.figures.leads_min), default=0.0)
    few = [r for r in told if r.figures.far <= max(best, most_false)] if most_false < 1 else told
    return min(
        few or told or early or rungs,
        key=lambda r: (bill(r.figures, miss_cost), -r.limit),
    )
