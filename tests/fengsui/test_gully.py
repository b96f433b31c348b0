"""The gully with four geophones (config/examples/gully): its scenarios, and the box's own table."""

from pathlib import Path

import pytest

from config.load import load
from config.records.level import Level
from config.scenarios import CheckScenario, scenarios
from fengsui.play.scenarios import play
from ingest.waveform.command import read_geophones

FOLDER = Path(__file__).parents[2] / "config" / "examples" / "gully"
GULLY = load(FOLDER)


@pytest.mark.parametrize("given", scenarios(GULLY), ids=lambda s: s.name)
def test_the_folder_s_own_scenarios(given: CheckScenario) -> None:
    assert play(GULLY, given) == []


def test_they_say_both_what_is_a_flow_and_what_is_none() -> None:
    of = {s.name: {e.level for e in s.expect} for s in scenarios(GULLY)}
    assert of.pop("flow") == {Level.NONE, Level.YELLOW, Level.ORANGE, Level.RED}
    assert set(of) == {"earthquake", "one-station", "upward"}
    assert all(levels == {Level.NONE} for levels in of.values())


def test_the_box_feeds_every_station_that_the_rule_hears() -> None:
    (rule,) = GULLY.rules.rule
    assert tuple(r.station for r in read_geophones(FOLDER / "geophones.csv")) == rule.stations
