"""A quorum restrains a single gauge: with `speaks = false` a rule of whatever kind is heard by compounds
alone, and orders nothing by itself."""

from typing import Any

import msgspec
import pytest

from config.records.district import District
from config.records.level import Action, Level
from config.records.rules import RuleRow
from detectors.detection import Detection
from detectors.engine.compound import Compound, CompoundParameters, CompoundRow, Member
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesChange, SeriesRow
from detectors.setup.declared import problems, series_rules
from detectors.setup.registry import KINDS
from detectors.stage import Detect
from detectors.statements import Saying
from tests.support.detect_faults import MINUTE, START, Line, reading
from tests.support.districts import yanqing
from tests.support.kinds import parameters

YANQING = yanqing()
AREA, GAUGES, STAGE = "A40", ("R39", "R40", "R09H"), "S09"


def restrained(of: list[dict[str, Any]], votes: float = 1) -> District:
    """Rain and stage speak through one quorum alone."""
    rules = YANQING.rules
    row = RuleRow(
        id="quorum", kind="compound", hazard="flash_flood", source="t", areas=(AREA,),
        orange=votes, move=votes, parameters={"of": of},
    )  # fmt: skip
    district = msgspec.structs.replace(
        YANQING,
        rules=msgspec.structs.replace(
            rules,
            rain=msgspec.structs.replace(rules.rain, speaks=False),
            stage=msgspec.structs.replace(rules.stage, speaks=False),
            rule=(row,),
        ),
    )
    assert problems(district) == []
    return district


RAIN_TWICE = [{"rule": "rain_threshold", "action": "move", "count": 2}]
RAIN_AND_STAGE = [
    {"rule": "rain_threshold", "action": "prepare"},
    {"rule": "stage_trend", "action": "move"},
]


def flood(district: District, wet: tuple[str, ...], stage: bool) -> list[Detection]:
    """45 mm in a quarter of an hour at some gauges, drizzle at the others; the river rises or not."""
    line, said = Line(district, AREA, {}), []
    for n in range(60):
        at = START + n * MINUTE
        items = [reading(g, "rain", at, 30 if g in wet and 20 <= n < 35 else n % 2) for g in GAUGES]
        level = 600 + (max(0, n - 20) * 60 if stage else n % 3)
        items.append(reading(STAGE, "stage", at, level))
        said += line.hear(*items)
    return [d for d in said if d.hazard == "flash_flood"]


def top(said: list[Detection]) -> tuple[set[str], int]:
    """Which rules spoke, and the highest action."""
    return {d.rule for d in said}, max((d.action for d in said), default=0)


def test_unrestrained_one_gauge_orders() -> None:
    assert top(flood(YANQING, GAUGES[:1], False))[1] >= Action.PREPARE
    assert top(flood(YANQING, (), True))[1] == Action.MOVE


@pytest.mark.parametrize("gauge", GAUGES)
def test_one_rain_gauge_is_restrained_and_two_are_a_quorum(gauge: str) -> None:
    assert top(flood(restrained(RAIN_TWICE), (gauge,), False)) == (set(), 0)
    two = (gauge, next(g for g in GAUGES if g != gauge))
    assert top(flood(restrained(RAIN_TWICE), two, False)) == ({"quorum"}, Action.MOVE)


def test_one_stage_gauge_is_restrained_until_rain_bears_it_out() -> None:
    district = restrained(RAIN_AND_STAGE, votes=2)
    assert top(flood(district, (), True)) == (set(), 0)
    assert top(flood(district, GAUGES[:2], False)) == (set(), 0)
    assert top(flood(district, GAUGES[:2], True)) == ({"quorum"}, Action.MOVE)


# --- every kind of a declared rule


@pytest.mark.parametrize("speaks", [True, False])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_declared_rule_of_every_kind_is_restrained_as_its_row_says(
    kind: str, speaks: bool
) -> None:
    of = KINDS[kind]
    row = RuleRow(
        id="r", kind=kind, hazard="flash_flood", source="t", areas=(), speaks=speaks,
        parameters=msgspec.to_builtins(parameters(of)),
    )  # fmt: skip
    above = RuleRow(id="quorum", kind="compound", hazard="flash_flood", source="t", areas=())
    rules = msgspec.structs.replace(YANQING.rules, rule=(row, above))
    district = msgspec.structs.replace(YANQING, rules=rules)
    (declared,) = series_rules(district, [AREA])
    assert declared.speaks is speaks
    names = GAUGES[:2]
    quantity = "rain" if "*" in of.inputs else of.inputs[0]
    rows = [SeriesRow(AREA, "flash_flood", (n,), (1.0,), quantity) for n in names]
    rule = SeriesRule("r", of, parameters(of), rows, (None,) * 4, speaks=declared.speaks)
    quorum = Compound(
        "quorum",
        CompoundParameters(of=(Member(rule="r", count=2),)),
        [CompoundRow(AREA, "flash_flood")],
        (None, None, 1.0, None),
        (None, 1.0),
    )
    detect, held = Detect(YANQING, {}.get), quorum.new()
    state = detect.new(0)
    spoke: list[tuple[str, int]] = []
    for n in range(2):
        saying = Saying(district, state)
        change = SeriesChange(
            0, n, START // MINUTE + n, int(Level.RED), int(Action.MOVE), int(Level.RED),
            int(Action.MOVE), 60, 99.0, 1.0, -1.0,
        )  # fmt: skip
        saying.series(0, rule, change)
        (heard,) = saying.heard
        for said in quorum.hear(held, heard):
            saying.compound(quorum, said)
        found = [w.record for w in saying.writes() if isinstance(w.record, Detection)]
        spoke += [(d.rule, n) for d in found if d.level or d.action]
    assert [x for x in spoke if x[0] == "quorum"] == [("quorum", 1)]
    assert [x for x in spoke if x[0] == "r"] == ([("r", 0)] if speaks else [])
