"""A gauge is held against its neighbours before any rule can order by what it says alone."""

import numpy as np
import pytest

from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rule import View
from detectors.quality.lone_burst import NEVER, ORANGE, asks, least_alone
from detectors.setup.partition import Part
from tests.support.districts import yanqing

DISTRICT = yanqing()
PARTS = [Part(DISTRICT, p) for p in range(DISTRICT.partitions)]
RULES = [f.rule for part in PARTS for f in part.series if asks(f.rule)]


def value(rule: SeriesRule, row: int, nth: int, minutes: int, mm: float) -> float:
    """What the rule sees of so much rain at one of its gauges, all others heard and dry."""
    slot_s = rule.slot_ms // 1000
    slots = max(1, minutes * 60 // slot_s)
    values = np.zeros((1, rule.inputs, rule.span))
    values[0, nth, -slots:] = mm / slots
    weights = np.zeros((1, rule.inputs))
    weights[0, : len(rule.rows[row].weights)] = rule.rows[row].weights
    view = View(values, np.zeros(1, np.int64), slot_s, weights)
    return float(rule.kind.score(rule.parameters, view).value[0])


def test_the_district_has_rules_that_look_ahead_of_the_table() -> None:
    assert RULES, "no declared rule of the district orders by rain alone"


@pytest.mark.parametrize("minutes", [10, 30])
def test_from_there_on_it_may_order_and_below_it_never_does(minutes: int) -> None:
    seen = 0
    for rule in RULES:
        order = min(v for v in rule.limits.values[ORANGE - 1 :] if v is not None)
        for row in range(len(rule.rows)):
            for nth in range(len(rule.rows[row].stations)):
                least = least_alone(rule, row, nth, minutes)
                if least == NEVER:
                    assert value(rule, row, nth, minutes, 60.0) < order
                    continue
                seen += 1
                assert value(rule, row, nth, minutes, (least - 1) / 10) < order
                assert value(rule, row, nth, minutes, (least + 9) / 10) >= order
    assert seen


def test_the_comparison_begins_no_later_than_any_rule_orders() -> None:
    for part in PARTS:
        ten = part.near.windows.index(10)
        for fed in (f for f in part.series if asks(f.rule)):
            for row in np.nonzero(fed.feeds)[0].tolist():
                for entry in fed.entries.expand(np.array([row]))[0].tolist():
                    of, nth = divmod(entry, fed.rule.inputs)
                    assert part.near.limit[row, ten] <= least_alone(fed.rule, of, nth, 10)
