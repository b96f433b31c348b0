"""How little rain at one gauge alone brings a rule over windows to an order. Pure.

A rule may order at less than the table of rain sums does: it looks ahead, or at the mean around a place
of which one gauge is most. The comparison of a gauge with its neighbours begins where the lowest order
of any of them begins, so that no order stands on what one gauge alone says and nobody had to bear out.
"""

from functools import lru_cache

import numpy as np

from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rule import Kind, View

ORANGE = 3
_MOST_MM = 60  # more than that in ten minutes is beyond any climate that is stated
NEVER = 2**31 - 1


def asks(rule: SeriesRule) -> bool:
    """Does the rule order, or warn in orange, by rain and nothing else?"""
    orders = any(v is not None for v in rule.limits.values[ORANGE - 1 :])
    quantities = {q for r in rule.rows for q in (r.quantities or (r.quantity,))}
    return rule.speaks and orders and quantities == {"rain"} and not rule.kind.falling


def least_alone(rule: SeriesRule, row: int, nth: int, minutes: int) -> int:
    """Counts (0.1 mm) of input `nth` of a row, evenly over the last `minutes`, from which on the rule
    may order or warn in orange while all others are heard and dry; `NEVER` if they would have to be
    more than 60 mm. To the whole mm below."""
    weights = (*rule.rows[row].weights, *[0.0] * (rule.inputs - len(rule.rows[row].weights)))
    return _least(rule.kind, rule.parameters, rule.limits.values, weights, nth, minutes)


@lru_cache(maxsize=4096)
def _least(
    kind: Kind,
    parameters: object,
    limits: tuple[float | None, ...],
    weights: tuple[float, ...],
    nth: int,
    minutes: int,
) -> int:
    order = min(v for v in limits[ORANGE - 1 :] if v is not None)
    slot_s, span = kind.slot_s(parameters), kind.span(parameters)
    slots = min(max(1, minutes * 60 // slot_s), span)
    mm = np.arange(1.0, _MOST_MM + 1)
    values = np.zeros((mm.size, len(weights), span))
    values[:, nth, span - slots :] = (mm / slots)[:, None]
    view = View(values, np.zeros(mm.size, np.int64), slot_s, np.tile(weights, (mm.size, 1)))
    score = (kind.plain or kind.score)(parameters, view).value
    reached = np.nonzero(score >= order)[0]
    return int(mm[reached[0]] - 1) * 10 + 1 if reached.size else NEVER
