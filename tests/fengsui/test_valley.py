"""The valley under a lake (config/examples/valley): its scenarios, and the simulator's wave through detect
and decide. What is proposed comes before the water, with times that hold it; what is no wave proposes
nothing."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import load
from config.records.level import Action, Level
from config.scenarios import CheckScenario, scenarios
from dispatch.records import Alert
from dispatch.words.compose import NOTICE_SEGMENTS, Message, write
from fengsui.play.in_memory import Inline
from fengsui.play.scenarios import play
from simulators.scenario import Scenario, scenario
from simulators.world import World
from stream.records import Run

VALLEY = load(Path(__file__).parents[2] / "config" / "examples" / "valley")


@pytest.mark.parametrize("given", scenarios(VALLEY), ids=lambda s: s.name)
def test_the_folder_s_own_scenarios(given: CheckScenario) -> None:
    assert play(VALLEY, given) == []


def test_they_say_both_what_is_a_wave_and_what_is_none() -> None:
    of = {s.name: [e.level for e in s.expect] for s in scenarios(VALLEY)}
    assert max(level or Level.NONE for level in of["lake-burst"]) == Level.RED
    quiet = ("carrier-out", "power-out-upward", "gauges-fail")
    assert all(set(of[name]) == {Level.NONE} for name in quiet)


def played(chosen: Scenario) -> tuple[World, list[Alert]]:
    world = World(VALLEY, chosen)
    run = Run(
        name="exercise-x", kind="exercise", district=VALLEY.id, config=VALLEY.version,
        start_at=chosen.start_at,
    )  # fmt: skip
    line = Inline(VALLEY, run)
    for minute in range(world.minutes):
        line.slot(world.observations(minute), world.at(minute))
    return world, [a for a in line.alerts if a.hazard == "dam_break"]


def test_the_wave_is_proposed_before_it_is_there() -> None:
    """From the second silence on; the two villages above it cannot be helped so."""
    world, alerts = played(scenario("valley-lake-burst"))
    flooded = {t.area: t.flooded_at for t in world.truth}
    assert list(flooded) == ["V01", "V02", "V03", "V04", "V05"]
    leads = {}
    for area, at in flooded.items():
        mine = [a for a in alerts if a.area == area and a.sent_at < at]
        assert not any(a.public for a in mine)  # a person lets it out, in an exercise too
        if mine:
            assert mine[0].proposed_action == Action.PREPARE
            leads[area] = (at - mine[0].sent_at) / 60_000
            for a in mine:
                assert a.earliest_at is not None
                assert a.latest_at is not None
                assert a.earliest_at <= at <= a.latest_at
    assert {"V03", "V04", "V05"} <= set(leads)
    assert leads["V03"] >= 20
    assert leads["V05"] >= 90
    last = [a for a in alerts if a.area == "V05" and a.sent_at < flooded["V05"]][-1]
    assert (last.proposed_level, last.proposed_action) == (Level.RED, Action.MOVE)
    assert last.earliest_at is not None
    assert last.latest_at is not None
    first = next(a for a in alerts if a.area == "V05")
    assert first.earliest_at is not None
    assert first.latest_at is not None
    assert (
        last.latest_at - last.earliest_at < first.latest_at - first.earliest_at
    )  # it is known better


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_notice_of_it_fits_into_an_sms_with_its_times(lang: Any) -> None:
    """However many gauges it names, however long the names of the village."""
    _, alerts = played(scenario("valley-lake-burst"))
    area = VALLEY.areas["V05"]
    long = msgspec.structs.replace(
        area, name="汉家川河北村", name_en="Hanjiachuan Hebei", township_en="Dazhuangke"
    )
    district = msgspec.structs.replace(VALLEY, areas={**VALLEY.areas, "V05": long})
    for alert in (a for a in alerts if a.area == "V05" and a.msg_type != "cancel"):
        for role in ("responsible", "duty"):
            m = Message(alert, "notice", lang, role=role, must_answer=True)  # type: ignore[arg-type]
            route = write(district, m, "sms")
            assert route.segments <= NOTICE_SEGMENTS, route.text
            assert re.search(
                r"\d\d:\d\d[–-]\d\d:\d\d|最迟|by \d\d:\d\d|可能已到|already", route.text
            )


@pytest.mark.parametrize("name", ["valley-carrier-out", "valley-power-out", "valley-gauges-fail"])
def test_what_is_no_wave_proposes_none(name: str) -> None:
    world, alerts = played(scenario(name))
    assert alerts == []
    assert not any(t.hazard == "dam_break" for t in world.truth)
