"""The district's other hazards by configuration alone: the shipped example loads, proves itself, and
has words for the people it warns."""

import tomllib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

import dispatch.words
from config.load import load
from config.records.level import HAZARD_ZH, MOUNTAIN
from config.scenarios import CheckScenario, scenarios
from fengsui.play.in_memory import Inline
from fengsui.play.scenarios import play
from ingest.observation import Observation

EXAMPLES = load(Path(__file__).parents[2] / "config" / "examples" / "hazards")
OTHER = {"chemical", "traffic", "crowd", "forest_fire", "urban_flood"}


@pytest.mark.parametrize("scenario", scenarios(EXAMPLES), ids=lambda s: s.name)
def test_each_example_warns_when_it_should_and_not_before(scenario: CheckScenario) -> None:
    assert play(EXAMPLES, scenario) == []
    # a scenario that expects only quiet would prove nothing
    assert any(e.level for e in scenario.expect) or any(e.action for e in scenario.expect)


def test_every_other_hazard_has_an_example_that_raises_it() -> None:
    assert set(HAZARD_ZH) - MOUNTAIN == OTHER
    raised = {e.hazard for s in scenarios(EXAMPLES) for e in s.expect if e.level}
    assert raised == OTHER
    drains = {r.quantity for r in EXAMPLES.rules.rule if r.hazard == "urban_flood"}
    assert drains >= {"stage", "depth", "pump_state"}  # river, pipe, pump


@pytest.mark.parametrize("hazard", sorted(OTHER))
def test_a_resident_is_told_what_to_do(hazard: str) -> None:
    path = Path(dispatch.words.__path__[0]) / "templates" / "advice.toml"
    words = tomllib.loads(path.read_text("utf-8"))[hazard]
    for lang in ("zh", "en", "speak"):
        for step in ("blue", "yellow", "orange", "red", "prepare", "move", "lifted"):
            assert words[lang][step].strip()
    assert all(r.source.strip() for r in EXAMPLES.rules.rule)


def test_a_scenario_may_ask_what_one_rule_alone_says() -> None:
    """Whatever other rules say: of the rule that speaks it comes true, of another it does not."""
    found = [
        (s, e, r.id)
        for s in scenarios(EXAMPLES)
        for e in s.expect
        for r in EXAMPLES.rules.rule
        if e.level and r.hazard == e.hazard
    ]
    told = {True: 0, False: 0}
    for scenario, expect, rule in found:
        alone = expect._replace(rule=rule, action=None, how="by")
        told[not play(EXAMPLES, scenario._replace(expect=[alone]))] += 1
    assert told[True] >= len(OTHER)
    assert told[False] >= 1


def test_what_was_measured_for_days_before_changes_nothing_and_costs_no_clock_of_each_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[int] = []
    slot = Inline.slot

    def counted(self: Inline, observations: Sequence[Observation], clock_at: int) -> None:
        steps.append(clock_at)
        slot(self, observations, clock_at)

    monkeypatch.setattr(Inline, "slot", counted)
    hour_ms = 3_600_000
    for scenario in scenarios(EXAMPLES):
        rows = sorted(scenario.observations, key=lambda row: row.observed_at)
        first_at = rows[0].observed_at
        last_at = max(rows[-1].observed_at, *(e.at for e in scenario.expect))
        before = [rows[0]._replace(observed_at=first_at - n * hour_ms) for n in range(1, 72)]
        steps.clear()
        assert play(EXAMPLES, scenario._replace(observations=before + rows)) == []
        # every minute of what is looked at is a step, as on the line
        first = min(e.at for e in scenario.expect) - hour_ms
        close = [at for at in steps if at >= first]
        assert {b - a for a, b in pairwise(close)} == {60_000}
        assert (steps[-1] - last_at) // 60_000 == 1
        assert len(steps) < 72 * 60 / 4
