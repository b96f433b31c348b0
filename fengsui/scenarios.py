"""Plays a district's own scenarios: given this series, these levels at these times."""

from collections.abc import Iterator

from config.check import CheckScenario, scenarios
from config.district import District
from config.level import ACTION_EN, ACTION_ZH, LEVEL_EN, LEVEL_ZH, Action, Level
from fengsui.inline import Inline
from fengsui.screen import local
from ingest.observation import Observation, Run

_SLOT_MS = 60_000


def play(district: District, scenario: CheckScenario) -> list[str]:
    """What did not come as expected, in words; empty when all is as the scenario says."""
    rows = sorted(scenario.observations, key=lambda o: o[2])
    ends = [e.at for e in scenario.expect]
    start_at = min(rows[0][2], min(ends)) - _SLOT_MS
    run = Run(
        name="exercise-check", kind="exercise", district=district.id, config=district.version,
        start_at=start_at,
    )
    inline = Inline(district, run)
    n = 0
    for clock_at in range(start_at, max(rows[-1][2], max(ends)) + 2 * _SLOT_MS, _SLOT_MS):
        batch = []
        while n < len(rows) and rows[n][2] <= clock_at:
            station, quantity, observed_at, value = rows[n]
            batch.append(
                Observation(
                    station=station, quantity=quantity, observed_at=observed_at, value=value
                )
            )
            n += 1
        inline.slot(batch, clock_at)
    return [miss for e in scenario.expect if (miss := _miss(district, inline, e))]
