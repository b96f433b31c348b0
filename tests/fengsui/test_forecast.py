"""The village whose levels are set on a chance (config/examples/forecast): its scenarios, what its
detections and warnings carry, and that a replay says the same byte for byte."""

from pathlib import Path

import msgspec
import pytest

from config.load import load
from config.scenarios import CheckScenario, scenarios
from console.pages.warnings import _evidence
from detectors.detection import Detection, foretold
from dispatch.words.evidence import foreseen
from fengsui.play.in_memory import Inline
from fengsui.play.scenarios import play
from ingest.observation import Observation
from stream.records import Run

FOLDER = Path(__file__).parents[2] / "config" / "examples" / "forecast"
FORECAST = load(FOLDER)
SCENARIOS = {s.name: s for s in scenarios(FORECAST)}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_folder_s_own_scenarios(name: str) -> None:
    assert play(FORECAST, SCENARIOS[name]) == []


def played(given: CheckScenario) -> Inline:
    """The scenario through the whole line, a minute a slot."""
    rows = sorted(given.observations, key=lambda o: o[2])
    start = rows[0][2] - 60_000
    run = Run(
        name="exercise-test",
        kind="exercise",
        district=FORECAST.id,
        config=FORECAST.version,
        start_at=start,
    )
    inline = Inline(FORECAST, run)
    for clock_at in range(start, rows[-1][2] + 120_000, 60_000):
        batch = [r for r in rows if clock_at - 60_000 < r[2] <= clock_at]
        inline.slot(
            [
                Observation(station=s, quantity=q, observed_at=at, value=value)
                for s, q, at, value, *_ in batch
            ],
            clock_at,
        )
    return inline


def test_detections_and_warnings_carry_chance_and_lead() -> None:
    inline = played(SCENARIOS["upstream"])
    raised = [d for d in inline.detections if d.rule == "flood_chance" and d.level]
    assert raised
    for d in raised:
        assert d.chance is not None
        assert 0.2 <= d.chance <= 0.95
        assert d.lead_min == 60
        (e,) = d.evidence
        assert e.reach == 3.2
        assert e.value == pytest.approx(d.chance * 100, abs=0.06)
        shown = _evidence(e)
        assert (shown["chance"], shown["reach"], shown["of"]) == (round(d.chance * 100), 3.2, "m")
    hours = [d for d in inline.detections if d.rule == "flood_chance_3h" and d.level]
    assert hours[0].lead_min == 180
    warned = [a for a in inline.alerts if a.proposed_level]
    assert foreseen(warned[0]) == max(e.chance or 0 for e in warned[0].evidence)


def test_a_replay_says_the_same_and_old_records_are_read() -> None:
    first, second = (played(SCENARIOS["rain"]).detections for _ in range(2))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
    old = Detection(
        id="x",
        area="F01",
        hazard="flash_flood",
        rule="r",
        level=first[0].level,
        action=first[0].action,
        detected_at=1,
        since_at=1,
    )
    assert foretold(old) is old
    assert b"chance" not in msgspec.json.encode(old)
    assert msgspec.json.decode(msgspec.json.encode(old), type=Detection) == old
